"""Lists that say what others said, lists that contradict themselves, and files that come again."""

import json
import random
from datetime import datetime
from itertools import permutations

import pytest

from api.importing.lanes import LANES, PART
from consent_ledger.store.importing import UNIT
from consent_ledger.store.plans import LOCKED
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open
from tests.api.test_imports import NDJSON, came_to, imports, rows_of, undone

A_LIST = f"number,sms_opt_out\n{ANN},TRUE\n{BEN},TRUE\n"


COLUMNS = "number,sms_opt_out,consent,occurred_at"


def far_apart(first: str, last: str, header: str = COLUMNS, units: int = 1) -> str:
    """A list in which two rows lie so many units apart."""
    between = "\n".join(f"+1415{5_000_000 + n},,," for n in range(units * UNIT + 10))
    return f"{header}\n{first}\n{between}\n{last}\n"


def test_what_a_second_list_says_stands_when_the_first_is_undone(open_clinic: Open) -> None:
    """It is evidence that it was said (R-O5), and changes nothing meanwhile."""
    clinic = open_clinic("opt-out")
    first = imports(clinic, A_LIST)
    second = imports(clinic, f"number,sms_opt_out,ref\n{ANN},TRUE,x\n{CARA},TRUE,y\n")
    assert came_to(second) == (2, 1, 1, 0)
    assert clinic.facts(ANN) == ["OptedOut", "OptedOut"]
    undone(clinic, first)
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    assert clinic.flags(BEN)["opted_out"] is False
    undone(clinic, second)
    assert clinic.flags(ANN)["opted_out"] is False


def test_so_it_is_for_every_list_source_and_time(open_clinic: Open) -> None:
    """Whatever the lists' rows say of when, and of who opted out."""
    clinic = open_clinic("opt-out")
    rows = {
        "contact": f"{ANN},TRUE,contact,",
        "system": f"{BEN},TRUE,system,2026-01-01T00:00:00Z",
        "agent": f"{CARA},TRUE,agent,2026-01-01T00:00:00Z",
    }
    text = "\n".join(["number,sms_opt_out,opt_out_source,occurred_at", *rows.values()])
    lists = [imports(clinic, text + "\n" * place) for place in range(1, 5)]
    assert [came_to(each)[1] for each in lists] == [3, 0, 0, 0]
    for wrong in lists[:-1]:
        undone(clinic, wrong)
        for number, source in zip((ANN, BEN, CARA), rows, strict=True):
            clinic.asks(number).is_denied(f"opted_out_by_{source}")
    undone(clinic, lists[-1])
    assert not any(clinic.flags(number)["opted_out"] for number in (ANN, BEN, CARA))


def test_a_long_list_of_numbers_on_record_is_told_row_by_row(open_clinic: Open) -> None:
    """Each number once and in the order of the file, though it takes many transactions."""
    clinic = open_clinic("opt-out")
    numbers = [f"+1415{5_600_000 + n}" for n in range(UNIT + PART + LOCKED // 2)]
    first = imports(clinic, "number,sms_opt_out\n" + "".join(f"{n},TRUE\n" for n in numbers))
    text = "number,sms_opt_out,ref\n" + "".join(f"{n},TRUE,{i}\n" for i, n in enumerate(numbers))
    second = imports(clinic, text + f"{ANN},TRUE,last\n")
    assert came_to(second) == (len(numbers) + 1, 1, len(numbers), 0)
    place = f"/v1/imports/{second['import_id']}/rows"
    told = clinic.call("GET", place, "admin", None, Accept=NDJSON).response.text.splitlines()
    assert [json.loads(line)["ref"] for line in told] == [*map(str, range(len(numbers))), "last"]
    undone(clinic, first)
    for number in (numbers[0], numbers[LOCKED], numbers[UNIT], numbers[-1]):
        clinic.asks(number).is_denied("opted_out_by_contact")
        assert clinic.facts(number) == ["OptedOut", "OptedOut", "FactRetracted"]


@pytest.mark.parametrize("first", ["the list", "the START"])
def test_a_late_start_does_not_lift_what_a_list_said_after_it(
    open_clinic: Open, first: str
) -> None:
    """R-O2: in whichever order the two arrive, and though the number was opted out already."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP", received_at=ago(days=3))
    told = [
        lambda: imports(clinic, A_LIST),
        lambda: clinic.hears(ANN, "START", received_at=ago(days=1)),
    ]
    for tell in told if first == "the list" else reversed(told):
        tell()
    clinic.asks(ANN).is_denied("opted_out_by_contact")


@pytest.mark.parametrize("source", ["agent", "system"])
def test_so_it_is_with_what_others_recorded(open_clinic: Open, source: str) -> None:
    """R-F6: a START lifts what is older than it alone."""
    clinic = open_clinic("opt-out")
    if source == "agent":
        clinic.opts_out(ANN, occurred_at=ago(days=3))
    else:
        clinic.reports(ANN, "21610", occurred_at=ago(days=3))
    row = f"{ANN},TRUE,{source},{ago(hours=5)}"
    done = imports(clinic, f"number,sms_opt_out,opt_out_source,occurred_at\n{row}\n")
    assert came_to(done) == (1, 0, 1, 0)
    clinic.hears(ANN, "START", received_at=ago(days=1))
    clinic.asks(ANN).is_denied(f"opted_out_by_{source}")


def test_a_list_that_added_nothing_opts_nobody_out_who_said_start(open_clinic: Open) -> None:
    """Also where its file is done again because another list was undone."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "STOP", received_at=ago(days=3))
    timed = f"number,sms_opt_out,occurred_at\n{ANN},TRUE,{ago(days=2)}\n"
    imports(clinic, timed)
    clinic.hears(ANN, "START")
    other = imports(clinic, f"number,sms_opt_out\n{BEN},TRUE\n")
    undone(clinic, other)
    imports(clinic, timed)
    clinic.asks(ANN).is_allowed("no_consent_needed")


def test_a_decline_counts_though_an_older_one_is_on_record(clinic: Clinic) -> None:
    """The contact said yes in between."""
    clinic.hears(ANN, "DECLINE", received_at=ago(days=9))
    clinic.hears(ANN, "CONSENT", received_at=ago(days=3))
    clinic.asks(ANN).is_allowed("consented")
    assert came_to(imports(clinic, f"number,consent\n{ANN},declined\n")) == (1, 1, 0, 0)
    clinic.asks(ANN).is_denied("consent_declined")


def test_a_decline_without_a_time_outdoes_a_yes_of_its_list(clinic: Clinic) -> None:
    """Whatever was declined before, and in any order of the rows."""
    rows = [
        f"{ANN},declined,{ago(days=30)}",
        f"{ANN},declined,",
        f"{ANN},granted,{ago(days=5)}",
    ]
    for number, order in zip((ANN, BEN, CARA), permutations(rows), strict=False):
        text = "\n".join(["number,consent,occurred_at", *order]).replace(ANN, number)
        imports(clinic, text + "\n")
        clinic.asks(number).is_denied("consent_declined")


def test_a_decline_stands_when_another_list_that_said_so_is_undone(clinic: Clinic) -> None:
    """It was said twice, and a consent waits behind it."""
    clinic.consents(ANN, occurred_at=ago(days=9))
    first = imports(clinic, f"number,consent\n{ANN},declined\n")
    second = imports(clinic, f"number,consent,ref\n{ANN},declined,x\n")
    assert came_to(second) == (1, 0, 1, 0)
    undone(clinic, first)
    clinic.asks(ANN).is_denied("consent_declined")
    undone(clinic, second)
    clinic.asks(ANN).is_allowed("consented")


def test_a_decline_is_of_what_its_row_names(clinic: Clinic) -> None:
    """Nothing named is everything, whatever was asked last: a list answers no request."""
    clinic.consents(BEN, occurred_at=ago(days=9))
    clinic.requests(BEN, purposes=["marketing"])
    text = f"number,consent,purposes\n{ANN},granted,conversation\n{ANN},declined,marketing\n"
    assert came_to(imports(clinic, text + f"{BEN},declined,\n")) == (3, 3, 0, 0)
    clinic.asks(ANN).is_allowed("consented")
    clinic.asks(ANN, "marketing").is_denied("consent_declined")
    clinic.asks(BEN).is_denied("consent_declined")


def test_a_list_that_cancelled_a_text_can_be_undone(open_clinic: Open) -> None:
    """The opt-out goes; a cancellation is never undone (R-F1)."""
    clinic = open_clinic("consent-first")
    clinic.sends(ANN, message_id="m")
    done = imports(clinic, f"number,sms_opt_out\n{ANN},TRUE\n{BEN},TRUE\n")
    assert clinic.facts(ANN)[-2:] == ["OptedOut", "MessageCancelled"]
    assert undone(clinic, done)["state"] == "undone"
    assert [clinic.flags(number)["opted_out"] for number in (ANN, BEN)] == [False, False]
    assert clinic.facts(ANN)[-1] == "FactRetracted"


def test_a_yes_without_a_time_is_not_the_new_holders(clinic: Clinic) -> None:
    """R-F8: it may be that of who had the number before."""
    clinic.consents(ANN, occurred_at=ago(days=20))
    clinic.reassigns(ANN, datetime.fromisoformat(ago(days=3)).date().isoformat())
    assert came_to(imports(clinic, f"number,consent\n{ANN},granted\n")) == (1, 0, 1, 0)
    clinic.asks(ANN).is_deferred("consent_required")
    imports(clinic, f"number,consent,occurred_at\n{ANN},granted,{ago(days=1)}\n")
    clinic.asks(ANN).is_allowed("consented")


def test_a_yes_without_a_time_lifts_no_preference(open_clinic: Open) -> None:
    """Row 9: only a grant that came later does, and nobody knows that this one did."""
    clinic = open_clinic("recalls")
    clinic.learns_preference(ANN, "not_consented")
    header = "number,consent,purposes,level"
    imports(clinic, f"{header}\n{ANN},granted,recall marketing,express_written\n")
    assert clinic.facts(ANN) == ["MarketingPreferenceRecorded", "ConsentGranted"]
    clinic.asks(ANN, "marketing").is_denied("marketing_not_consented")


def test_a_yes_without_a_time_lifts_no_decline_of_one_of_its_purposes(open_clinic: Open) -> None:
    """What was declined stays so, as nobody knows which is later; the rest of it is granted."""
    clinic = open_clinic("authorization")
    clinic.requests(ANN, purposes=["conversation"])
    clinic.hears(ANN, "DECLINE")
    assert came_to(imports(clinic, f"number,consent\n{ANN},granted\n")) == (1, 1, 0, 0)
    clinic.asks(ANN).is_denied("consent_declined")
    clinic.asks(ANN, "recall").is_allowed("consented")


def test_a_list_tells_of_a_number_once(open_clinic: Open) -> None:
    """Also of one that another list opted out, in a later unit."""
    clinic = open_clinic("opt-out")
    imports(clinic, A_LIST)
    done = imports(clinic, far_apart(f"{ANN},TRUE,,", f"{ANN},TRUE,,"))
    assert (done["accepted"], clinic.facts(ANN)) == (0, ["OptedOut", "OptedOut"])


def test_a_file_that_failed_half_way_tells_of_a_number_once(open_clinic: Open) -> None:
    """The same file again adds no evidence to its own."""
    clinic = open_clinic("opt-out")
    imports(clinic, A_LIST)
    text = f"number,sms_opt_out,ref\n{ANN},TRUE,x\n"
    failed = imports(clinic, text)
    fail = "UPDATE imports SET state = 'failed' WHERE import_id = %s RETURNING state"
    clinic.service.rows(fail, failed["import_id"])
    again = imports(clinic, text)
    assert (again["same_as"], came_to(again)) == (None, (1, 0, 1, 0))
    assert clinic.facts(ANN) == ["OptedOut", "OptedOut"]


@pytest.mark.parametrize("units", range(1, LANES + 2))
def test_a_row_counts_after_those_that_are_still_being_written(clinic: Clinic, units: int) -> None:
    """What was looked up before they committed is looked up again, however near they are."""
    number = f"+14155560{units}00"
    yes, no = f"{number},,granted,2026-01-01T00:00:00Z", f"{number},TRUE,,2026-02-01T00:00:00Z"
    done = imports(clinic, far_apart(yes, no, units=units))
    assert (done["accepted"], done["rejected"]) == (2, 0)
    assert clinic.facts(number) == ["ConsentGranted", "FactRetracted", "OptedOut"]
    undone(clinic, done)
    assert clinic.flags(number)["opted_out"] is False


def test_a_stricter_row_takes_back_what_an_earlier_part_granted(clinic: Clinic) -> None:
    """However far apart the rows stand: a decline, and an opt-out that START lifts later."""
    yes, no = ",,granted,", ",,declined,2026-01-09T00:00:00Z"
    for number, rows in ((ANN, (yes, no)), (BEN, (no, yes))):
        imports(clinic, far_apart(*(number + row for row in rows)))
        clinic.asks(number).is_denied("consent_declined")
    granted, stopped = f"{CARA},,granted,2026-01-01T00:00:00Z", f"{CARA},TRUE,,2026-02-01T00:00:00Z"
    done = imports(clinic, far_apart(granted, stopped))
    assert clinic.facts(CARA) == ["ConsentGranted", "FactRetracted", "OptedOut"]
    clinic.hears(CARA, "START")
    assert clinic.asks(CARA)["reason"] == "consent_required"
    assert [row["status"] for row in rows_of(clinic, done, limit=1)] == ["accepted"]
    undone(clinic, done)
    assert clinic.facts(CARA)[-1] == "FactRetracted"
    assert clinic.facts(CARA).count("FactRetracted") == 2


def test_of_two_rows_with_times_the_later_counts(clinic: Clinic) -> None:
    """Near or far, in either order (R-O2)."""
    no, yes = ",,declined,2026-01-01T00:00:00Z", ",,granted,2026-02-01T00:00:00Z"
    for place, rows in enumerate(((no, yes), (yes, no))):
        near, far = f"+1415556010{place}", f"+1415556020{place}"
        header = "number,sms_opt_out,consent,occurred_at\n"
        imports(clinic, header + "\n".join(near + row for row in rows))
        imports(clinic, far_apart(*(far + row for row in rows)))
        for number in (near, far):
            clinic.asks(number).is_allowed("consented")


def test_a_file_is_done_again_when_a_list_it_rested_on_was_undone(clinic: Clinic) -> None:
    """Its consents are recorded then, which were on record when it came."""
    first = imports(clinic, f"number,consent\n{ANN},granted\n")
    text = f"number,consent,ref\n{ANN},granted,x\n"
    assert came_to(imports(clinic, text)) == (1, 0, 1, 0)
    assert imports(clinic, text)["same_as"]
    undone(clinic, first)
    again = imports(clinic, text)
    assert (again["same_as"], came_to(again)) == (None, (1, 1, 0, 0))
    clinic.asks(ANN).is_allowed("consented")


def test_a_file_that_comes_again_says_why_it_changes_nothing(open_clinic: Open) -> None:
    """An admin took its opt-out back, and may well expect to see it again."""
    clinic = open_clinic("opt-out")
    text = f"number,sms_opt_out,opt_out_source\n{ANN},TRUE,agent\n"
    first = imports(clinic, text)
    assert first["explanation"] is None
    clinic.opts_in(ANN)
    again = imports(clinic, text)
    assert (again["same_as"], again["unchanged"]) == (first["import_id"], 1)
    assert "imported before" in again["explanation"]
    assert "undo" in again["explanation"]
    assert clinic.flags(ANN)["opted_out"] is False
    undone(clinic, first)
    assert came_to(imports(clinic, text)) == (1, 1, 0, 0)
    assert clinic.flags(ANN)["opted_out"] is True


def test_a_file_that_is_done_again_opts_nobody_out_anew(open_clinic: Open) -> None:
    """Of its rows that were recorded nothing is repeated: the contact has said START since."""
    clinic = open_clinic("opt-out")
    text = f"number,sms_opt_out,opt_out_source\n{ANN},TRUE,agent\n{BEN},TRUE,contact\nx,,\n"
    imports(clinic, text)
    other = imports(clinic, f"number,sms_opt_out\n{CARA},TRUE\n")
    clinic.hears(ANN, "START")
    undone(clinic, other)
    with clinic.unchanged():
        again = imports(clinic, text)
    assert (again["same_as"], came_to(again)) == (None, (3, 0, 2, 1))
    assert clinic.flags(ANN)["opted_out"] is False


def test_a_number_that_stands_twice_in_a_file_is_opted_out_by_it_once(open_clinic: Open) -> None:
    """The second row is said by the first, also when the file is done again after a START."""
    clinic = open_clinic("opt-out")
    text = f"number,sms_opt_out,opt_out_source\n{ANN},TRUE,agent\n{ANN},TRUE,agent\n"
    imports(clinic, text)
    other = imports(clinic, f"number,sms_opt_out\n{CARA},TRUE\n")
    clinic.opts_in(ANN)
    undone(clinic, other)
    with clinic.unchanged():
        imports(clinic, text)
    assert clinic.flags(ANN)["opted_out"] is False


def test_rows_that_were_refused_are_looked_at_again_once_the_account_changed(
    clinic: Clinic,
) -> None:
    """A purpose that was unknown may be known now."""
    text = f"number,consent,purposes\n{ANN},granted,vip\n{BEN},granted,recall\n"
    assert came_to(imports(clinic, text)) == (2, 1, 0, 1)
    assert imports(clinic, text)["same_as"]
    clinic.adopts("consent-first", changes={"purposes": {"vip": {"needs_consent": True}}})
    again = imports(clinic, text)
    assert (again["same_as"], came_to(again)) == (None, (2, 1, 1, 0))


def test_rows_that_came_to_nothing_count_once_the_policy_wants_them(open_clinic: Open) -> None:
    """Where no consent is needed none is recorded."""
    clinic = open_clinic("opt-out")
    text = f"number,consent\n{ANN},granted\n"
    assert came_to(imports(clinic, text)) == (1, 0, 1, 0)
    clinic.adopts("consent-first")
    assert came_to(imports(clinic, text)) == (1, 1, 0, 0)
    clinic.asks(ANN).is_allowed("consented")


def test_a_file_that_was_sent_as_the_wrong_kind_can_be_sent_as_the_right_one(
    clinic: Clinic,
) -> None:
    """Its lines were no objects, and are rows."""
    text = f"sep=;\nnumber;sms_opt_out\n{ANN};TRUE\n"
    assert imports(clinic, text, kind=NDJSON)["rejected"] == 3
    assert came_to(imports(clinic, text)) == (1, 1, 0, 0)


def both(clinic: Clinic, text: str) -> Answer:
    """A dry run and the import after it, which come to the same."""
    with clinic.unchanged():
        told = imports(clinic, text, query="?dry_run=true")
    done = imports(clinic, text)
    assert came_to(told) == came_to(done)
    return told


def test_a_dry_run_knows_what_earlier_rows_said(open_clinic: Open) -> None:
    """Its counts are the import's, in whatever order a list contradicts itself."""
    stop, yes = "{},TRUE,,", "{},,granted,"
    no, later = "{},,declined,2026-01-01T00:00:00Z", "{},,granted,2026-02-01T00:00:00Z"
    for first, last, opted_out, opted_in in (
        (stop, yes, 1, 0),
        (yes, stop, 1, 0),
        (stop, stop, 1, 0),
        (no, later, 0, 1),
        (later, no, 0, 1),
        (yes, no, 0, 0),
        (no, yes, 0, 0),
    ):
        clinic = open_clinic("consent-first")
        told = both(clinic, far_apart(first.format(ANN), last.format(ANN)))
        assert (told["would_opt_out"], told["would_opt_in"]) == (opted_out, opted_in)


def test_a_dry_run_counts_what_is_on_record_for_nothing(open_clinic: Open) -> None:
    """Another list has told of the number before; this one only says so too."""
    clinic = open_clinic("opt-out")
    imports(clinic, A_LIST)
    told = both(clinic, f"number,sms_opt_out,ref\n{ANN},TRUE,x\n{CARA},TRUE,y\n")
    assert (told["would_opt_out"], told["accepted"], told["unchanged"]) == (1, 1, 1)


def test_a_dry_run_of_a_list_at_random(open_clinic: Open) -> None:
    """Three numbers' worth of rows in each of some units, upon what is on record."""
    rng = random.Random(7)
    says = (
        "TRUE,,",
        ",granted,",
        ",declined,",
        ",granted,2026-02-01T00:00:00Z",
        "TRUE,,2026-03-01T00:00:00Z",
    )
    for _ in range(4):
        clinic = open_clinic("consent-first")
        numbers = [f"+1415{5_500_000 + n}" for n in range(UNIT // 2)]
        # Beyond a unit, and in it beyond a part.
        lines = [f"{rng.choice(numbers)},{rng.choice(says)}" for _ in range(UNIT + PART + 99)]
        text = "\n".join(["number,sms_opt_out,consent,occurred_at", *lines])
        imports(clinic, "\n".join(["number,sms_opt_out,consent,occurred_at", *lines[:50]]))
        both(clinic, text)
