"""`consent-ledger segments`, as its user sees it."""

import json

import pytest

from tests.cli.conftest import cli


@pytest.mark.parametrize(
    ("text", "parts", "encoding"),
    [
        ("You will get no more texts.", 1, "gsm-7"),
        ("a" * 160, 1, "gsm-7"),
        ("a" * 161, 2, "gsm-7"),
        ("a" * 159 + "€", 2, "gsm-7"),
        ("Don’t", 1, "ucs-2"),
        ("’" * 71, 2, "ucs-2"),
    ],
)
def test_a_text_takes_so_many_parts(text: str, parts: int, encoding: str) -> None:
    """R-K6: wording under 160 GSM characters where possible, and what spoils it is named."""
    found = json.loads(cli("segments", text, "--output", "json").stdout)
    assert (found["segments"], found["encoding"]) == (parts, encoding)
    assert found["not_in_gsm_7"] == (["’"] if "’" in text else [])


def test_a_text_is_read_from_standard_input() -> None:
    """A template with quotes in it needs none of the shell's."""
    assert cli("segments", "-", said="It’s fine\n").stdout == "1 (ucs-2)\nnot in gsm-7: ’\n"
