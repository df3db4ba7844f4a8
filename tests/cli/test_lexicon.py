"""How texts are read, on the command line: `lexicon try`, `lexicon reread`, `bench lexicon`."""

import json

from tests.cli.conftest import ROOT, Dev, cli


def test_a_text_is_read_without_a_service() -> None:
    """The verdict, what matched, and the words as they were read."""
    done = cli("lexicon", "try", "Please, take me off your list!")
    assert (done.returncode, done.stderr) == (0, "")
    verdict, matched, because, read, version = done.stdout.splitlines()
    assert (verdict, matched) == ("suspected_revocation", "matched: take me off your list")
    assert because.startswith("because: a phrase that sounds like a wish to end texts: ")
    assert read == "read as: please . take me off your list ."
    assert version == "lexicon: 2"


def test_a_text_comes_from_standard_input_and_goes_out_as_json() -> None:
    """For programs, and for texts that no list of processes should show."""
    found = json.loads(cli("lexicon", "try", "-", "--output", "json", said="ＳＴＯＰ\n").stdout)
    assert (found["understood_as"], found["matched"], found["language"]) == ("stop", "stop", "en")
    found = json.loads(cli("lexicon", "try", "See you", "--output", "json").stdout)
    assert (found["understood_as"], found["matched"]) == ("other", None)
    found = json.loads(cli("lexicon", "try", "stpo", "--output", "json").stdout)
    assert (found["understood_as"], found["matched"]) == ("suspected_revocation", "stop")


def test_an_accounts_words_are_tried_and_past_replies_read_again(bare: Dev) -> None:
    """R-K5, over HTTP with the account's key."""
    assert bare.cli("lexicon", "try", "alto", "--own").stdout.startswith("stop\n")
    done = bare.cli("lexicon", "reread", "--output", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    done = bare.cli("lexicon", "reread", "--add", "stop:es:finito", "--remove", "stop:es:alto")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_word_to_try_has_a_kind_and_a_language() -> None:
    """One line, and no word of it."""
    done = cli("lexicon", "reread", "--add", "finito", "--url", "http://127.0.0.1:1")
    assert done.returncode == 2
    assert "KIND:LANGUAGE:WORD" in done.stderr
    assert "finito" not in done.stderr


def test_reading_is_measured_without_a_database() -> None:
    """Its rate, its growth with length, and what is found in a folder of examples."""
    examples = ROOT / "tests" / "data" / "replies"
    options = ("--rounds", "1", "--seconds", "0.5", "--examples", examples, "--output", "json")
    found = json.loads(cli("bench", "lexicon", *options).stdout)
    assert found["texts_a_second"]["median"] > 0
    assert found["cost_of_twice_the_length"]["max"] > 0
    assert found["examples"]["innocent_1"]["stop"] == 0
