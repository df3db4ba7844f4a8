"""Weights of words: what no phrase foresaw (R-K4)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_ledger import lexicon_words as words
from consent_ledger.explaining import explain
from consent_ledger.interpreting import LIKENESS, interpret, likeness
from consent_ledger.keywords import lexicon_of
from consent_ledger.likeness import (
    ENOUGH,
    FEWEST_WORDS,
    MOST_WORDS,
    TELLING,
    Kinds,
    Likeness,
)
from consent_ledger.tokens import sentences_of
from tests.domain.fit_likeness import examples, fit

TOKENS = ["stop", "texting", "me", "txt", "u", ".", "7", "these", "wrong", "ann", "zzz", "!"]
KNOWN = words.KINDS
KINDS = Kinds({"txt": "text", "ann": "*name"}, {"text": "*talk", "call": "*talk"})
SMALL = Likeness(
    KINDS, -160, {"text": 100, "text me": 150, "*talk+me": 60, "*talk_now": 30, "#": 5}
)


def test_words_pairs_and_kinds_are_weighed() -> None:
    """Other spellings count as the word, and each feature counts once."""
    assert list(KINDS.features(["txt", "me", ".", "7"])) == [
        *("text", "me", "#"),
        *("<< text", "text me", "me .", ". #", "# >>"),
        *("<<+*talk", "*talk+me", "me+.", ".+#", "#+>>"),
        *("<<_me", "*talk_.", "me_#", "._>>"),
    ]
    assert SMALL.weight(["txt", "me", "now"]) == -160 + 100 + 150 + 60 + 30
    assert SMALL.weight(["text", "me", "text", "me"]) == -160 + 100 + 150 + 60
    assert SMALL.weight(["7", "8"]) == -160 + 5


@pytest.mark.parametrize(
    ("said", "is_wish"),
    [
        ("please txt me", True),
        ("txt me", False),
        ("please call me", False),
        ("", False),
        ("hello there you", False),
    ],
)
def test_enough_weight_is_a_wish(said: str, is_wish: bool) -> None:
    """Two words are too few, and without one telling word a text is not weighed at all."""
    assert SMALL.is_wish(said.split()) == is_wish


def test_long_chatter_is_not_weighed() -> None:
    """Small weights would add up; its phrases are still looked for."""
    chatter = ["call"] * MOST_WORDS
    assert not SMALL.is_wish(["text", "me", *chatter])
    assert SMALL.is_wish(["text", "me", *chatter[2:]])


def test_another_language_is_not_weighed() -> None:
    """Weights of English words say nothing of a text that borrows one of them."""
    assert SMALL.is_wish(["text", "me", "call", "xx"])
    assert not SMALL.is_wish(["text", "me", "xx", "yy"])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(TOKENS)))
def test_numbers_of_pairs_weigh_what_their_names_do(tokens: list[str]) -> None:
    """The fast way and the plain way agree on any words, known, unknown, or said twice."""
    weights = likeness()  # It knows neither 'zzz' nor a mark.
    enough = weights.weight(tokens) >= ENOUGH and len(tokens) >= FEWEST_WORDS
    telling = any(weights.single(KNOWN.usual(token)) >= TELLING for token in tokens)
    known = sum(token != "zzz" and token != "!" for token in tokens) >= 0.6 * len(tokens)
    assert weights.is_wish(tokens) == (enough and telling and known)


def test_what_only_the_weights_find_is_suspected_and_explained() -> None:
    """The verdict stores a name; the words that told are shown to whoever tries a text."""
    found = [text for text in examples("requests") if interpret(text).matched == LIKENESS]
    assert len(found) > 20
    told = explain(found[0], lexicon_of(()))
    assert told.reading.understood_as == "suspected_revocation"
    assert told.language == "en"
    assert told.found.startswith("its words are those of wishes to end texts: ")


@given(st.text(max_size=200))
def test_any_text_is_weighed(text: str) -> None:
    assert likeness().is_wish(sentences_of(text)) in (True, False)


def test_fitting_tells_wishes_from_other_texts_and_is_repeatable() -> None:
    """The same examples give the same weights, and words of neither side weigh little."""
    said = random.Random(2)
    wishes = [f"please halt {said.choice('abcdef')} messages" for _ in range(40)]
    others = [f"please bring {said.choice('abcdef')} sandwiches" for _ in range(40)]
    bias, weights = fit(wishes, others, others)
    assert (bias, weights) == fit(wishes, others, others)
    fitted = Likeness(words.KINDS, bias, weights)
    assert fitted.weight(["halt", "messages"]) > 0 > fitted.weight(["bring", "sandwiches"])
    assert weights["halt"] > 50 > abs(weights.get("a", 0))
