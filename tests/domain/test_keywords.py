"""An account's lexicon: default words and its own (R-K2, R-K5), whatever was stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_ledger.errors import SetUpError
from consent_ledger.keywords import (
    KINDS,
    MOST_LISTS,
    KeywordList,
    check_keywords,
    keywords,
    lexicon_of,
    with_list,
)
from consent_ledger.language import fallbacks, language_tag
from consent_ledger.lexicon import DEFAULT_LEXICON

FCC = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
WORDS = st.sampled_from(
    ("stop my", "my", "halt", "texts", "help", "go on", "no more", "yes", "ok then", "sure", "info")
) | st.text(max_size=12)
LISTS = st.builds(
    KeywordList,
    kind=st.sampled_from([str(kind) for kind in KINDS]),
    language=st.sampled_from(["en", "es"]),
    added=st.lists(WORDS, max_size=3).map(tuple),
    removed=st.lists(st.sampled_from(["alto", "info", "yes", "stop"]), max_size=2).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(LISTS, max_size=4),
    st.sampled_from(FCC),
    st.sampled_from(["", "please", "texting me", "all these messages", "my texts", "Thank you"]),
)
def test_no_lists_that_are_taken_weaken_a_stop(
    changes: list[KeywordList], word: str, rest: str
) -> None:
    """R-K2, R-K3: whatever an account adds or removes, what was a STOP by the seven stays one."""
    lists: tuple[KeywordList, ...] = ()
    for change in changes:
        try:
            check_keywords(lists, change)
        except SetUpError:
            continue
        lists = with_list(lists, change)
    reading, _ = lexicon_of(lists).read(f"{word} {rest}")
    assert reading.understood_as == "stop"


@settings(max_examples=300, deadline=None)
@given(st.lists(LISTS, max_size=4))
def test_whatever_is_stored_a_text_is_read(changes: list[KeywordList]) -> None:
    """R-K2: a later release may give a stored word another meaning; nothing may then fail."""
    lists: tuple[KeywordList, ...] = ()
    for change in changes:
        lists = with_list(lists, change)
    for word in FCC:
        assert lexicon_of(lists).read(word)[0].understood_as == "stop"


@pytest.mark.parametrize(
    ("kind", "word", "meaning"),
    [("stop", "info", "stop"), ("help", "alto", "stop"), ("yes", "info", "yes")],
)
def test_a_word_that_a_release_gives_another_meaning_stops_if_it_may(
    kind: str, word: str, meaning: str
) -> None:
    """R-K2: a STOP is never lost, and else what the account said holds."""
    lists = (KeywordList(kind, "es", (word,)),)
    assert lexicon_of(lists).read(word)[0].understood_as == meaning


def test_without_words_of_its_own_it_is_the_default_lexicon() -> None:
    """R-K5: the version of the default words stays what it was, and equal sets are one."""
    assert lexicon_of(()).lexicon is DEFAULT_LEXICON
    same = KeywordList("stop", "fr", ("Opt-Out!",))
    assert lexicon_of((same,)).lexicon is DEFAULT_LEXICON
    one, other = (
        KeywordList("stop", tag, (word,)) for tag, word in (("es", "Basta"), ("it", "BASTA!"))
    )
    assert lexicon_of((one,)).lexicon.version == lexicon_of((other,)).lexicon.version


def test_a_word_is_listed_once_in_a_language() -> None:
    """An own word that is a default one adds nothing, and one in two languages is in both."""
    lists = (
        KeywordList("stop", "en", ("STOP", "halt", "Halt!")),
        KeywordList("stop", "de", ("halt",)),
    )
    own = [(each.language, each.word) for each in keywords(lists) if not each.default]
    assert own == [("en", "halt"), ("de", "halt")]
    assert lexicon_of(lists).read("halt")[1] is None


def test_an_added_word_outlives_its_removal_elsewhere() -> None:
    """R-K2: a list that adds a word means it, whatever another language's list removes."""
    gone = KeywordList("stop", "en", (), ("parar",))
    assert lexicon_of((gone,)).read("parar")[0].understood_as == "other"
    for language in ("pt", "es"):
        lists = (gone, KeywordList("stop", language, ("parar",)))
        reading, found = lexicon_of(lists).read("parar")
        assert (reading.understood_as, found) == ("stop", language)


def test_an_account_has_no_more_lists_than_it_can_use() -> None:
    """The account is loaded whole."""
    tags = [f"{a}{b}" for a in "abcdefghijk" for b in "abcdefghij"]
    lists = tuple(KeywordList("help", tag, (f"w{tag}",)) for tag in tags[:MOST_LISTS])
    with pytest.raises(SetUpError, match="at most"):
        check_keywords(lists, KeywordList("help", "zz", ("aid",)))
    check_keywords(lists, KeywordList("help", tags[0], ("aid",)))


@pytest.mark.parametrize(
    ("given_as", "tag"),
    [("EN", "en"), ("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")],
)
def test_a_language_has_one_spelling(given_as: str, tag: str) -> None:
    """RFC 5646, section 2.1.1."""
    assert language_tag(given_as) == tag


@pytest.mark.parametrize(
    "text", ["", "e", "english", "en_US", "en-", "+14155550199", "e n", "é" * 2]
)
def test_what_is_no_tag_is_refused(text: str) -> None:
    """RFC 5646: two or three letters, then subtags."""
    with pytest.raises(SetUpError):
        language_tag(text)


def test_a_special_language_falls_back_to_its_own() -> None:
    """R-K6: `pt-BR` before `pt`."""
    assert fallbacks("zh-Hant-TW") == ("zh-Hant-TW", "zh-Hant", "zh")
    assert fallbacks(None) == ()
