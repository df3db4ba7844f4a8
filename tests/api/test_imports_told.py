"""What an import tells of its rows: what a dry run counts, and what a row recorded."""

import msgspec

from consent_ledger.store.importing import UNIT
from consent_ledger.store.units import Verdict
from tests.api.clinic import ANN, BEN, CARA, DESK, Clinic, ago
from tests.api.conftest import Open
from tests.api.test_imports import came_to, imports, rows_of, undone


def test_a_dry_run_counts_the_numbers_whose_standing_changes(clinic: Clinic) -> None:
    """Not those that are opted out already, whoever did it, nor those that consented before."""
    clinic.hears(ANN, "STOP")
    clinic.consents(BEN)
    text = (
        "number,sms_opt_out,opt_out_source,consent,purposes,occurred_at\n"
        f"{ANN},TRUE,agent,,,\n{BEN},,,granted,conversation,{ago(seconds=0)}\n"
        f"{CARA},TRUE,,,,\n"
    )
    told = imports(clinic, text, query="?dry_run=true")
    assert (told["would_opt_out"], told["would_opt_in"]) == (1, 0)
    assert came_to(told) == came_to(imports(clinic, text)) == (3, 3, 0, 0)


def test_a_dry_run_counts_who_is_opted_out_of_one_purpose_alone(open_clinic: Open) -> None:
    """The list ends all texts, where the contact's STOP ended those of one kind."""
    clinic = open_clinic("opt-out", revoke_scope="purpose")
    clinic.opens_location("main", "conversation", number=DESK)
    clinic.opens_location("main", "recall", number="+14155550191")
    clinic.hears(ANN, "STOP", to="+14155550191")
    clinic.asks(ANN, "conversation").is_allowed("no_consent_needed")
    told = imports(clinic, f"number,sms_opt_out\n{ANN},TRUE\n", query="?dry_run=true")
    assert told["would_opt_out"] == 1


def test_what_was_recorded_as_evidence_is_told(open_clinic: Open) -> None:
    """The row changed nothing, so it is `unchanged`; the event it made is in `recorded`."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP")
    done = imports(clinic, f"number,sms_opt_out\n{ANN},TRUE\n{BEN},\n")
    assert came_to(done) == (2, 0, 2, 0)
    first, second = rows_of(clinic, done)
    assert (first["status"], first["recorded"]) == ("unchanged", ["OptedOut"])
    assert (second["status"], second["recorded"], second["number_ids"]) == ("unchanged", [], [])
    assert clinic.facts(ANN)[-1] == "OptedOut"
    assert clinic.flags(ANN)["opted_out"]
    undone(clinic, done)
    assert clinic.facts(ANN)[-2:] == ["OptedOut", "FactRetracted"]
    assert clinic.flags(ANN)["opted_out"]


def test_all_that_a_row_recorded_is_told(open_clinic: Open) -> None:
    """What it took back of an earlier row too, and what it said beside what it changed."""
    clinic = open_clinic("consent-first")
    lines = [f"{ANN},,,granted", *(f"+1415{5_000_000 + n},,," for n in range(UNIT))]
    done = imports(
        clinic, "\n".join(["number,sms_opt_out,opt_out_source,consent", *lines, f"{ANN},TRUE,,"])
    )
    *_, last = rows_of(clinic, done, status="accepted")
    assert last["recorded"] == ["FactRetracted", "OptedOut"]
    clinic.hears(BEN, "STOP")
    done = imports(clinic, f"number,sms_opt_out,opt_out_source,consent\n{BEN},TRUE,agent,revoked\n")
    (row,) = rows_of(clinic, done)
    assert (row["status"], row["recorded"]) == ("accepted", ["OptedOut", "OptedOut"])


def test_a_verdict_that_was_kept_before_is_read() -> None:
    """It names what changed something, and that was all that was told then."""
    old = msgspec.msgpack.encode([2, None, [], [[b"n", 1, 1]], ["OptedOut"], True])
    found = msgspec.msgpack.decode(old, type=Verdict)
    assert (found.status, found.recorded) == ("accepted", ("OptedOut",))
