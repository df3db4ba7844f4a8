"""The phrases of R-K4: their patterns, and the automaton that finds them."""

import json
import random
import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_ledger import automaton
from consent_ledger import lexicon_words as words
from consent_ledger.automaton import Signs
from consent_ledger.interpreting import LIKENESS, interpret, signs
from consent_ledger.lexicon import DEFAULT_LEXICON, DEFAULT_VERSION, Understood
from consent_ledger.patterns import Compiler, PatternError
from consent_ledger.signs import ENOUGH, JOINED, Context, Language, Sign
from consent_ledger.slips import slipped, slips
from consent_ledger.tokens import sentences_of

VERSIONS = Path(__file__).parents[1] / "data" / "lexicon_versions.json"


def words_of(text: str) -> list[str]:
    lines = text.replace("/", "\n").splitlines()
    return [line.strip() for line in lines if line.strip()]


def finder(*patterns: str, **more: object) -> Signs:
    """Patterns of a language whose words are letters."""
    named = (Sign(pattern, pattern, "xx") for pattern in patterns)
    return Signs([Language("xx", signs=tuple(named), **more)], ["f"])  # type: ignore[arg-type]


def found(where: Signs, text: str) -> str | None:
    return where.find(sentences_of(text))


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "c", "_", "<", ">", "<<", ">>"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" ".join),
        st.tuples(inner, inner).map(lambda two: f"( {two[0]} | {two[1]} )"),
        inner.map(lambda one: f"( {one} ) ?"),
        inner.map(lambda one: f"( {one} ) *"),
    ),
    max_leaves=6,
)
AS_REGEX = {"_": "[abcd]", "<": "[\\^.]", ">": "[.$]", "<<": "\\^", ">>": "\\$"}


@settings(deadline=None, max_examples=600)
@given(PATTERNS, st.lists(st.text("abcd.", max_size=8), min_size=1, max_size=6))
def test_the_automaton_finds_what_a_regular_expression_finds(
    pattern: str, texts: list[str]
) -> None:
    """Found or not, for any pattern: what `re` says by backtracking, said in one pass."""
    marks = pattern.split()
    regex = re.compile("".join(AS_REGEX.get(mark, mark) for mark in marks))
    try:
        automaton = finder(pattern)
    except PatternError:
        assert regex.search("") is not None  # What may be empty would be found everywhere.
        return
    for text in texts:
        # Dots before the first and after the last word, and in a row, are one edge.
        plain = re.sub(r"\.+", ".", text).strip(".")
        if {"<<", ">>", "<", ">"} & set(marks) and "." in plain:
            continue
        expected = regex.search(f"^{plain}$") is not None
        assert (automaton.find(list(plain)) is not None) == expected, (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "is_there"),
    [
        ("a >", "a. b", True),
        ("a >", "a b", False),
        ("< b", "a! b", True),
        ("<< b", "a! b", False),
        ("<< a", "... a", True),
        ("a >>", "b a...", True),
        ("a >>", "a. b", False),
        ("a # b", "a 12 b", True),
        ("a # b", "a c b", False),
        ("a b", "a f f b", True),
        ("a b", "a. b", False),
        ("a b", "a f. b", False),
    ],
)
def test_edges_digits_and_words_between(pattern: str, text: str, is_there: bool) -> None:
    """A sentence's end breaks a phrase; a word that changes nothing does not."""
    assert (found(finder(pattern), text) is not None) == is_there


@pytest.mark.parametrize(
    ("text", "is_there"),
    [("a b", True), ("n a b", False), ("n g a b", False), ("n c a b", True), ("n. a b", True)],
)
def test_a_context_before_a_phrase_takes_it_back(text: str, is_there: bool) -> None:
    """'Do not want you to stop' is none; words that keep the context open stand between."""
    context = Context(frozenset({"n"}), frozenset({"g"}))
    language = Language("xx", {}, {"no": context}, (Sign("s", "a b", "xx", ("no",)),))
    assert (Signs([language], []).find(sentences_of(text)) is not None) == is_there


def test_what_must_not_follow_may_be_missing() -> None:
    """'Unsubscribe' is found at the end of a text, and before every word but those named."""
    automaton = finder("a ! $gone", groups={"gone": "b | c"})
    assert [found(automaton, text) is not None for text in ("a", "a d", "a b", "a.", "a c")] == [
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [("a", None), ("a a2", None), ("a b", "one + two"), ("b a", "one + two"), ("c b", "three")],
)
def test_hints_of_different_kinds_weigh_enough_together(text: str, names: str | None) -> None:
    """R-K4: the same hint twice is one hint; a phrase that is sure is named, and no hint."""
    weighed = (("one", "a", 2), ("one", "a2", 2), ("two", "b", 1), ("three", "c", ENOUGH))
    language = Language(
        "xx", signs=tuple(Sign(name, pattern, "xx", (), w, name) for name, pattern, w in weighed)
    )
    assert Signs([language], []).find(sentences_of(text)) == names


def test_another_spelling_stands_wherever_the_word_may() -> None:
    """In patterns, in what must not follow, and in the words that open a context."""
    context = Context(frozenset({"n"}), frozenset())
    spellings = {"b": frozenset({"bb", "4"}), "c": frozenset({"cc"}), "n": frozenset({"nn"})}
    signs_of = (Sign("s", "a b ! $gone", "xx", ("no",)), Sign("d", "d #", "xx"))
    language = Language("xx", {"gone": "c"}, {"no": context}, signs_of, spellings)
    where = Signs([language], [])
    texts = ("a bb", "a 4", "a b cc", "nn a b", "a x", "d 4", "d 5")
    assert [found(where, text) for text in texts] == ["s", "s", None, None, None, "d", "d"]


@pytest.mark.parametrize("pattern", ["( a | b", "a )", "a ?", "$missing", "( a ) *", "a ! $none"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Compiler().pattern(pattern)


@pytest.mark.parametrize(
    ("text", "is_there"),
    [("n. a b", True), ("n g. a b", True), ("n a. a b", True), ("n a b", False)],
)
def test_a_context_ends_with_its_sentence(text: str, is_there: bool) -> None:
    """'I do not need it, stop': what begins a sentence is not in the one before."""
    context = Context(frozenset({"n"}), frozenset({"g"}))
    language = Language("xx", {}, {"no": context}, (Sign("s", "< a b", "xx", ("no",)),))
    assert (Signs([language], []).find(sentences_of(text)) is not None) == is_there


@pytest.mark.parametrize(
    ("text", "is_wish"),
    [("please 🛑", True), ("🚫 thanks", True), ("hi ✋", False), ("bus 🛑", False)],
)
def test_a_stop_sign_beside_politeness(text: str, is_wish: bool) -> None:
    """R-K4; a raised hand beside a word may greet, and other words make the sign a picture."""
    assert (interpret(text).understood_as is Understood.SUSPECTED_REVOCATION) == is_wish


def test_forgetting_changes_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The automaton is bounded: whatever was said, it goes on with an empty memory."""
    said = random.Random(1)
    known = sorted(words.FILLERS | {"stop", "texting", "me", "take", "off", "your", "list", "not"})
    texts = [" ".join(said.choices(known, k=9)) for _ in range(300)]
    before = [interpret(text) for text in texts]
    monkeypatch.setattr(automaton, "STEPS_KEPT", 50)
    assert [interpret(text) for text in texts] == before
    assert signs()._steps < 100


def test_each_word_is_looked_at_once() -> None:
    """The pass has one step a word, so twice the text is twice the work."""
    tokens = sentences_of("please do not take me off and stop texting me not " * 20)
    looked: list[int] = []

    class Counting(dict[str, int]):
        def get(self, key: str, default: object = None) -> int | None:  # type: ignore[override]
            looked.append(1)
            return super().get(key)

    counted = Signs(words.LANGUAGES_OF_SIGNS, words.FILLERS)
    counted.symbols = Counting(counted.symbols)
    counted.find(tokens)
    assert len(looked) == len(tokens)


def test_names_of_signs_are_unique_and_no_pattern_is_lost() -> None:
    """A verdict's `matched` names one entry; a name given twice would hide a pattern."""
    names = [(sign.name, sign.kind) for each in words.LANGUAGES_OF_SIGNS for sign in each.signs]
    phrases = [name for name, kind in names if not kind]
    assert len(phrases) == len(set(phrases))
    assert {each.code for each in words.LANGUAGES_OF_SIGNS if each.signs} == set(
        words.LANGUAGES_READ
    )


def test_other_words_are_another_version() -> None:
    """R-K5: a version names one set of words, so whoever changes them adds one with its digest."""
    files = [file for code in words.LANGUAGES_READ for file in words.files_of(code)]
    folder = Path(words.__file__).parent / "lexicon_data"
    assert {file.name for file in files} | {"en.weights"} == {f.name for f in folder.iterdir()}
    parts = [file.read_bytes() for file in (*files, folder / "en.weights")]
    digest = sha256(b"\0".join(parts)).hexdigest()
    assert json.loads(VERSIONS.read_text())[str(DEFAULT_VERSION)] == digest


@pytest.mark.parametrize(
    "text",
    words_of("""
    stpo/sotp/stopp/STOPPPPP/stip/st0p/unsubcribe/unsuscribe/UNSUBSCIBE/quitt/cancle/canel/remvoe
    usubscribe please/pls sotp/ubsubscribe
    """),
)
def test_a_slip_of_the_thumb_waits_for_a_person(text: str) -> None:
    """R-K4: the whole text is one letter off an exit word, or two off a long one."""
    assert interpret(text).understood_as == "suspected_revocation"


@pytest.mark.parametrize(
    "text",
    words_of("""
    shop/step/top/spot/send/and/bend/quiet/quite/cancer/remote/end of it/evoke/suit/subscribe/stoop
    spend/arrest/stp 4 the kids
    """),
)
def test_another_word_that_is_near_is_none(text: str) -> None:
    assert interpret(text).understood_as == "other"


@given(st.text(st.characters(codec="ascii"), max_size=20))
def test_a_slip_is_looked_for_in_bounded_time(text: str) -> None:
    """Only one word, of the length of an exit word, is compared."""
    assert slipped(text, ("unsubscribe",)) in (None, "unsubscribe")
    assert "end" in slips("end")
    assert len(slips("end")) == 1


@pytest.mark.parametrize(
    ("text", "matched", "language"),
    [
        ("Please take me off your list", "take me off your list", "en"),
        ("No me manden más mensajes", "no me manden mensajes", "es"),
        ("Retirez-moi de votre liste", "retirez-moi de votre liste", "fr"),
        ("não quero mais receber mensagens", "não quero mensagens", "pt"),
        ("احذفوا رقمي", "احذف رقمي", "ar"),
        ("我不想再收到短信", "不想收到", "zh"),
        ("đừng nhắn tin cho tôi nữa", "đừng nhắn tin cho tôi", "vi"),
    ],
)
def test_a_sign_names_its_entry_and_its_language(text: str, matched: str, language: str) -> None:
    """R-K5: the entry of the lexicon, never the text."""
    assert interpret(text).matched == matched
    assert words.SIGN_LANGUAGES[matched] == language


LISTED = {entry.word for entries in DEFAULT_LEXICON.index.entries.values() for entry in entries}
ENTRIES = {*LISTED, *words.SIGN_LANGUAGES, *words.SLIPS_OF, LIKENESS}
SAID = st.one_of(
    st.sampled_from(sorted(ENTRIES)),
    st.sampled_from(
        ["stpo", "unsubscrib", "S.T.O.P", "\N{OCTAGONAL SIGN}", "Zanzibar", "555-0131"]
    ),
    st.text(max_size=20),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(SAID, max_size=4).map(" ".join))
def test_what_matched_is_an_entry_and_never_the_text(text: str) -> None:
    """Section 9: words said live in the vault; of them, one stop sign alone is an entry."""
    matched = interpret(text).matched
    if matched is not None:
        is_sign = len(matched) == 1 and not matched.isalnum()
        assert is_sign or matched in ENTRIES or ENTRIES.issuperset(matched.split(JOINED))


@pytest.mark.parametrize(
    "text",
    [
        "STOP!! please",
        "pls stpo",
        "S.T.O.P",
        "Hi, take me off your list, I am in Zanzibar",
        "Leave. Me. Alone. Zanzibar.",
        "\N{OCTAGONAL SIGN}",
    ],
)
def test_so_it_is_however_it_was_said(text: str) -> None:
    """R-K5: whoever reads an event learns which entry it was, and nothing else."""
    matched = interpret(text).matched
    assert matched is not None
    assert matched in ENTRIES or matched == text == "\N{OCTAGONAL SIGN}"
