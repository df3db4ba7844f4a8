"""Examples of our own, in seven languages: wishes to end texts, and what is none (R-K3, R-K4).

Each file after the first was written when the phrases for the ones before were done;
what they found then is in docs/explanation/how-replies-are-read.md.
"""

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_ledger.interpreting import interpret

FOLDER = Path(__file__).parents[1] / "data" / "replies"
ENDS = {"stop", "suspected_revocation"}
FCC = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
LANGUAGES = {"en", "es", "fr", "pt", "ar", "zh", "vi"}


def examples(kind: str) -> list[tuple[str, str]]:
    found = []
    for path in sorted(FOLDER.glob(f"{kind}_*.txt")):
        for line in path.read_text("utf-8").splitlines():
            language, _, text = line.partition("\t")
            found.append((language, text))
    return found


def test_there_are_enough_examples_in_every_language() -> None:
    """A folder that is empty would let the two tests below pass."""
    requests, innocent = examples("requests"), examples("innocent")
    assert len(requests) >= 1_430
    assert len(innocent) >= 1_020
    assert {language for language, _ in requests} == LANGUAGES
    assert {language for language, _ in innocent} == LANGUAGES


def test_every_request_is_a_stop_or_waits_for_a_person() -> None:
    """R-K4."""
    missed = [each for each in examples("requests") if interpret(each[1]).understood_as not in ENDS]
    assert missed == []


def test_no_other_text_ends_anything() -> None:
    """R-K3."""
    wrong = [each for each in examples("innocent") if interpret(each[1]).understood_as in ENDS]
    assert wrong == []


WIDE = str.maketrans({char: chr(ord(char) + 0xFEE0) for char in string.ascii_letters})


@settings(deadline=None, max_examples=500)
@given(
    word=st.sampled_from(FCC),
    case=st.sampled_from([str.lower, str.upper, str.title, str.capitalize, str.swapcase]),
    gap=st.sampled_from(["", " ", "  ", "-", "_", "\u2010", ".", "\n", "\u00a0", "\u3000"]),
    letters=st.sampled_from(["", "", "", " ", ".", "-"]),
    wide=st.booleans(),
    before=st.sampled_from(["", " ", '"', "«", "*", "\u201c", "- ", "🛑 ", "\ufeff"]),
    after=st.sampled_from(["", "!", "!!!", ".", "...", "?", '"', "\u201d", " 🙏", " \n", "\u3002"]),
)
def test_the_seven_words_in_every_form(
    word: str, case: object, gap: str, letters: str, wide: bool, before: str, after: str
) -> None:
    """47 CFR 64.1200(a)(10), R-K1: case, spacing, hyphens, punctuation, full width."""
    said = letters.join(word.replace(" ", gap)) if letters else word.replace(" ", gap)
    said = case(said)  # type: ignore[operator]
    reading = interpret(before + (said.translate(WIDE) if wide else said) + after)
    assert (reading.understood_as, reading.matched) == ("stop", word)


@pytest.mark.parametrize("text", ["YES", "yes!", "ＹＥＳ", "Y", "NO", "no.", "ｎｏ", "Nope"])
def test_yes_and_no_are_stored_as_said(text: str) -> None:
    """R-K2: what they mean is the fold's to say."""
    assert interpret(text).understood_as == ("yes" if text[0].lower() in "yｙ" else "no")
