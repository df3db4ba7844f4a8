"""How many parts a text takes (3GPP TS 23.038, and the header of a text in parts)."""

import pytest

from consent_ledger.segments import BASIC, EXTENSION, segments
from consent_ledger.wording import DEFAULT_TEXTS


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", "gsm-7", 1),
        ("x" * 160, "gsm-7", 1),
        ("x" * 161, "gsm-7", 2),
        ("x" * 306, "gsm-7", 2),
        ("x" * 307, "gsm-7", 3),
        ("€" * 80, "gsm-7", 1),
        ("€" * 81, "gsm-7", 2),
        # An escape and its septet stay together, so each part of 153 has one left over.
        ("€" * 153, "gsm-7", 3),
        ("x" * 152 + "€" + "x" * 152, "gsm-7", 3),
        ("ñ" * 160, "gsm-7", 1),
        ("ç" * 70, "ucs-2", 1),
        ("ç" * 71, "ucs-2", 2),
        ("ç" * 134, "ucs-2", 2),
        ("ç" * 135, "ucs-2", 3),
        ("🙂" * 35, "ucs-2", 1),
        ("🙂" * 36, "ucs-2", 2),
        # A surrogate pair stays together too: 33 in each part of 67.
        ("🙂" * 67, "ucs-2", 3),
    ],
)
def test_a_text_takes_as_many_parts_as_providers_count(
    text: str, encoding: str, parts: int
) -> None:
    """R-K6."""
    assert segments(text) == (encoding, parts)


def test_the_alphabet_has_all_its_characters() -> None:
    """3GPP TS 23.038: 128 places, one of them the escape."""
    assert (len(BASIC), len(EXTENSION)) == (127, 10)


@pytest.mark.parametrize(("kind", "text"), DEFAULT_TEXTS.items(), ids=DEFAULT_TEXTS)
def test_our_own_texts_fit_one_part(kind: str, text: str) -> None:
    """With a name of 20 letters; all that the law has a disclosure say takes two."""
    parts = 2 if kind == "disclosure" else 1
    assert segments(text.replace("{name}", "x" * 20)) == ("gsm-7", parts)
