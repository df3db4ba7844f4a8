"""Past replies read again under other words (R-K5)."""

import pytest

from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open

PATH = "/v1/lexicon/re-read"
FINITO = {"kind": "stop", "language": "es", "add": ["finito"]}


def test_a_word_is_tried_on_past_replies_before_it_counts(clinic: Clinic) -> None:
    """R-K5: who would change, from what to what; no text is told and nothing is recorded."""
    clinic.hears(ANN, "Finito, por favor").understood_as("other")
    clinic.hears(BEN, "See you on Friday").understood_as("other")
    before = clinic.history(ANN)
    answer = clinic.post(PATH, "auditor", keywords=[FINITO])
    (change,) = answer["items"]
    assert change["number_id"] == str(clinic.number_id(ANN))
    assert change["event_id"] == before[0]["event_id"]
    assert change["from"]["understood_as"] == "other"
    assert change["to"] == {"understood_as": "stop", "matched": "finito"}
    assert answer["examined"] == 2
    assert answer["lexicon_version"] != change["from"]["lexicon_version"]
    assert "por favor" not in str(answer.body)
    assert clinic.history(ANN) == before
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.hears(BEN, "finito").understood_as("other")


def test_with_the_words_as_they_are_only_what_changed_since_is_listed(clinic: Clinic) -> None:
    """R-K5: each reply is read with the words of now, beside what was stored then."""
    clinic.hears(ANN, "finito")
    clinic.hears(BEN, "STOP")
    assert clinic.post(PATH)["items"] == []
    clinic.listens("stop", "es", add=["finito"])
    (change,) = clinic.post(PATH)["items"]
    assert (change["from"]["understood_as"], change["to"]["understood_as"]) == ("other", "stop")


def test_a_form_is_no_reply(clinic: Clinic) -> None:
    """What is kept of a consent that was given elsewhere is evidence."""
    clinic.consents(ANN)
    clinic.consents(BEN, method="voice", evidence={"text": "Yes, you may text me"})
    assert clinic.post(PATH)["items"] == []


def test_a_word_less_is_tried_too(clinic: Clinic) -> None:
    """R-K2: what the account takes out no longer counts; the FCC's seven stay."""
    clinic.hears(ANN, "alto")
    (change,) = clinic.post(
        PATH, keywords=[{"kind": "stop", "language": "es", "remove": ["alto"]}]
    )["items"]
    assert (change["from"]["understood_as"], change["to"]["understood_as"]) == ("stop", "other")
    tried = [{"kind": "stop", "language": "en", "remove": ["quit"]}]
    clinic.post(PATH, keywords=tried).problem(422, "keyword-protected")


def test_pages_end_where_the_replies_end(clinic: Clinic) -> None:
    """Each reply is examined once, whatever the pages' size."""
    for at in range(5):
        clinic.hears(ANN, "finito", message_id=f"in-{at}")
    found, cursor = [], None
    while True:
        page = clinic.post(PATH, keywords=[FINITO], limit=2, cursor=cursor)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len({change["event_id"] for change in found}) == len(found) == 5


def test_words_that_are_gone_are_not_read(clinic: Clinic) -> None:
    """Section 9: erasing a person takes the words."""
    clinic.hears(ANN, "finito")
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase")
    assert clinic.post(PATH, keywords=[FINITO])["examined"] == 0


def test_another_accounts_replies_are_not_read(clinic: Clinic, open_clinic: Open) -> None:
    """Nothing crosses accounts."""
    other = open_clinic()
    other.hears(ANN, "finito")
    assert clinic.post(PATH, keywords=[FINITO])["examined"] == 0


@pytest.mark.parametrize("cursor", ["x", "1-1", "", "0" * 32 + "-0"])
def test_a_cursor_of_another_list_is_refused(clinic: Clinic, cursor: str) -> None:
    """A page that starts anywhere else would leave replies out."""
    clinic.post(PATH, cursor=cursor).problem(422, "cursor-malformed")
