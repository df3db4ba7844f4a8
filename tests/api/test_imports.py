"""Lists from elsewhere: what a row means, what it never does, what is told (R-V1, R-V6)."""

import json
import time
from itertools import count
from typing import Any, Final

import pytest

from consent_ledger.store.importing import UNIT
from tests.api.answer import Answer, Json
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open

CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
SECONDS: Final = 30.0
SOON: Final = 0.02
LATER: Final = 0.2
"""Seconds between two looks at an import: a service that is asked all the time is busy, and a list
rests while it is."""


def ended(clinic: Clinic, answer: Answer) -> Answer:
    """An import, when it has come to its end."""
    assert answer.status in (200, 202), answer.response.text
    until, wait = time.monotonic() + SECONDS, SOON
    while answer["state"] not in ("done", "failed", "undone"):
        assert time.monotonic() < until, answer.body
        time.sleep(wait)
        wait = min(1.2 * wait, LATER)
        answer = clinic.get(f"/v1/imports/{answer['import_id']}")
    return answer


def imports(
    clinic: Clinic, text: str | bytes, kind: str = CSV, *, query: str = "", **headers: str
) -> Answer:
    """An admin sends a list, and waits for its end."""
    body = text if isinstance(text, bytes) else text.encode()
    sent = {"Content_Type": kind, **headers}
    return ended(clinic, clinic.call("POST", f"/v1/imports{query}", "admin", body, **sent))


def rows_of(clinic: Clinic, answer: Answer, **query: Any) -> list[Json]:
    """The verdicts of its rows."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    items: list[Json] = clinic.get(f"/v1/imports/{answer['import_id']}/rows?{asked}")["items"]
    return items


def came_to(answer: Answer) -> tuple[int, int, int, int]:
    """Its rows: all, accepted, unchanged, rejected."""
    return answer["rows"], answer["accepted"], answer["unchanged"], answer["rejected"]


def codes(row: Json) -> list[tuple[str | None, str]]:
    """What is wrong with a row."""
    return [(each["column"], each["code"]) for each in row["problems"]]


def undone(clinic: Clinic, answer: Answer) -> Answer:
    """An admin takes an import back."""
    return ended(clinic, clinic.post(f"/v1/imports/{answer['import_id']}/undo"))


def test_an_opt_out_counts_and_its_absence_means_nothing(open_clinic: Open) -> None:
    """R-V1: TRUE opts out, source contact; FALSE and empty leave no history, which means yes."""
    clinic = open_clinic("opt-out")
    done = imports(clinic, f"number,sms_opt_out,ref\n{ANN},TRUE,a\n{BEN},FALSE,b\n{CARA},,c\n")
    assert (done.status, done["state"], came_to(done)) == (200, "done", (3, 1, 2, 0))
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.asks(BEN).is_allowed("no_consent_needed")
    assert clinic.facts(ANN) == ["OptedOut"]
    clinic.is_unknown(BEN)
    first, second, _ = rows_of(clinic, done)
    assert (first["row"], first["ref"], first["recorded"]) == (2, "a", ["OptedOut"])
    assert first["number_ids"] == [str(clinic.number_id(ANN))]
    assert (second["row"], second["status"], second["recorded"]) == (3, "unchanged", [])
    (event,) = clinic.history(ANN)
    assert event["channel"] == "import"
    assert event["occurred_at"] == done["created_at"]


def test_the_source_is_the_contact_unless_a_column_says_otherwise(open_clinic: Open) -> None:
    """R-V1, R-V4: an agent's opt-out can be taken back by an admin, the others cannot."""
    clinic = open_clinic("opt-out")
    imports(
        clinic,
        f"opt_out_source,sms_opt_out,number\nagent,1,{ANN}\nSystem,yes,{BEN}\n,true,{CARA}\n",
    )
    sources = [clinic.flags(each)["numbers"][0]["opt_out_source"] for each in (ANN, BEN, CARA)]
    assert sources == ["agent", "system", "contact"]
    clinic.opts_in(BEN).problem(409, "opt-in-forbidden")
    clinic.opts_in(ANN).recorded("AdminOptedIn")


def test_a_revocation_beside_a_source_counts(open_clinic: Open) -> None:
    """R-V1: `consent` says it was revoked, so an empty `sms_opt_out` leaves nothing unclear."""
    clinic = open_clinic("opt-out")
    done = imports(clinic, f"number,sms_opt_out,opt_out_source,consent\n{ANN},,contact,revoked\n")
    assert came_to(done) == (1, 1, 0, 0)
    assert clinic.flags(ANN)["numbers"][0]["opt_out_source"] == "contact"


def test_an_imported_yes_never_resurrects(clinic: Clinic) -> None:
    """An opt-out on record stays, whatever the row says and whenever it happened."""
    clinic.hears(ANN, "STOP")
    clinic.opts_out(BEN)
    clinic.hears(CARA, "DECLINE")
    done = imports(
        clinic,
        "number,sms_opt_out,consent,purposes,occurred_at\n"
        f"{ANN},FALSE,granted,conversation,\n{BEN},FALSE,granted,,{ago(minutes=-4)}\n"
        f"{CARA},,granted,,\n",
    )
    assert came_to(done) == (3, 0, 3, 0)
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.asks(BEN).is_denied("opted_out_by_agent")
    clinic.asks(CARA).is_denied("consent_declined")
    assert clinic.facts(BEN) == ["OptedOut"]


def test_consent_is_granted_and_declined(clinic: Clinic) -> None:
    """With the purposes named, or all that need consent, marketing apart."""
    done = imports(
        clinic,
        "number,consent,purposes,level\n"
        f"{ANN},granted,,\n{BEN},declined,,\n{CARA},granted,marketing,express_written\n",
    )
    assert came_to(done) == (3, 3, 0, 0)
    clinic.asks(ANN).is_allowed("consented")
    clinic.asks(BEN).is_denied("consent_declined")
    clinic.asks(CARA, "marketing").is_allowed("consented")
    clinic.asks(CARA).is_deferred("consent_required")
    assert clinic.facts(ANN) == ["ConsentGranted"]


def test_an_opt_out_ends_what_waits_and_later_words_count(clinic: Clinic) -> None:
    """A held text is cancelled; a row from before the contact's START does not undo it."""
    clinic.sends(ANN, message_id="held").is_("deferred")
    imports(clinic, f"number,sms_opt_out\n{ANN},TRUE\n")
    assert clinic.fate("held") == "cancelled"
    clinic.hears(BEN, "START")
    done = imports(clinic, f"number,sms_opt_out,occurred_at\n{BEN},TRUE,{ago(days=2)}\n")
    assert clinic.flags(BEN)["opted_out"] is False
    again = imports(clinic, f"number,sms_opt_out,occurred_at\n{BEN},TRUE,{ago(days=2)}\n")
    assert (done["state"], again["state"]) == ("done", "done")


def test_the_same_file_twice_changes_nothing(open_clinic: Open) -> None:
    """Nor does it opt out anew a contact who has texted START since."""
    clinic = open_clinic("opt-out")
    text = f"number,sms_opt_out,opt_out_source\n{ANN},TRUE,\n{BEN},TRUE,agent\nx,TRUE,\n"
    first = imports(clinic, text)
    clinic.hears(BEN, "START")
    assert clinic.flags(BEN)["opted_out"] is False
    with clinic.unchanged():
        second = imports(clinic, text)
    assert came_to(second) == (3, 0, 2, 1)
    assert second["same_as"] == first["import_id"]
    assert [row["status"] for row in rows_of(clinic, second)] == [
        *("unchanged", "unchanged", "rejected")
    ]


@pytest.mark.parametrize("name", ["sms_opt_out", "SMS Opt-Out", "General.Sms.OptOut"])
def test_the_column_of_an_opt_out_has_the_names_that_lists_give_it(
    open_clinic: Open, name: str
) -> None:
    """R-V1: the last is the field of a lead manager whose leads are taken over."""
    clinic = open_clinic("opt-out")
    assert came_to(imports(clinic, f"Phone1,{name}\n{ANN},TRUE\n{BEN},FALSE\n")) == (2, 1, 1, 0)
    assert clinic.flags(ANN)["opted_out"]
    assert not clinic.flags(BEN)["opted_out"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2026-01-09 10:00:00+01:00", "2026-01-09T09:00:00Z"),
        ("2026-01-09t10:00:00.5z", "2026-01-09T10:00:00.500000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ],
)
def test_times_are_read_as_the_api_reads_them(open_clinic: Open, written: str, told: str) -> None:
    """With zones, small letters and leap seconds (RFC 3339)."""
    clinic = open_clinic("opt-out")
    imports(clinic, f"number,sms_opt_out,occurred_at\n{ANN},TRUE,{written}\n")
    (event,) = clinic.history(ANN)
    assert event["occurred_at"] == told


def test_several_phone_columns_and_national_forms(open_clinic: Open) -> None:
    """Every number of a row is opted out; a cell that cannot be read is told and costs no other."""
    clinic = open_clinic("opt-out")
    done = imports(
        clinic,
        "Name;Phone 1;phone2;SMS Opt-Out;Ref\n"
        '"Lee, Ann";(415) 555-0131;415.555.0132;True;lead-1\n'
        "Cara;14155550133;4.15555E+09;TRUE;4155550133\n"
        "Dan;;;TRUE;lead-3\n",
    )
    assert came_to(done) == (3, 2, 0, 1)
    assert done["partly_rejected"] == 1
    assert clinic.flags(ANN)["opted_out"]
    assert clinic.flags(BEN)["opted_out"]
    assert clinic.flags(CARA)["opted_out"]
    second, third = rows_of(clinic, done, status="rejected")
    assert (second["status"], second["ref"]) == ("accepted", None)
    assert codes(second) == [("phone2", "number-damaged")]
    assert codes(third) == [(None, "number-missing")]


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ("4.15555E+09,TRUE,,,", "number", "number-damaged"),
        ("4155550131.0,TRUE,,,", "number", "number-damaged"),
        ("#######,TRUE,,,", "number", "number-damaged"),
        ("=HYPERLINK(1),TRUE,,,", "number", "number-unparseable"),
        ("+1415\x00555,TRUE,,,", "number", "number-unparseable"),
        (f"{ANN},maybe,,,", "sms_opt_out", "opt-out-unreadable"),
        (f"{ANN},TRUE,somebody,,", "opt_out_source", "source-unknown"),
        (f"{ANN},,agent,,", "sms_opt_out", "opt-out-unclear"),
        (f"{ANN},,,no,", "consent", "consent-unknown"),
        (f"{ANN},TRUE,,,yesterday", "occurred_at", "time-unreadable"),
        (f"{ANN},TRUE,,,2026-03-04T10:00:00", "occurred_at", "time-without-zone"),
        (f"{ANN},TRUE,,,1969-03-04T10:00:00Z", "occurred_at", "time-too-early"),
        (f"{ANN},TRUE,,,9999-12-31T23:59:59-12:00", "occurred_at", "time-unreadable"),
        (f"{ANN},TRUE,,,2999-03-04T10:00:00Z", "occurred_at", "occurred-at-in-future"),
        (f"{ANN},TRUE", None, "row-too-short"),
        (f"{ANN},TRUE,,,,", None, "row-too-long-for-header"),
        (f'"{ANN},TRUE,,,', None, "quoting-broken"),
        ("x" * 70_000, None, "row-too-long"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_and_the_others_count(
    clinic: Clinic, cells: str, column: str | None, code: str
) -> None:
    """By its line, its column and a code; no verdict repeats a value."""
    text = f"number,sms_opt_out,opt_out_source,consent,occurred_at\n{cells}\n{BEN},TRUE,,,\n"
    done = imports(clinic, text)
    assert came_to(done) == (2, 1, 0, 1)
    (row,) = rows_of(clinic, done, status="rejected")
    assert (row["row"], codes(row)) == (2, [(column, code)])
    assert "555" not in json.dumps(row["problems"])
    assert clinic.facts(BEN) == ["OptedOut"]
    assert clinic.flags(ANN)["opted_out"] is False


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"", CSV),
        (b"name,city\nAnn,Rome\n", CSV),
        *(
            (f"phone{mark}{name}\n+14155550131{mark}TRUE\n".encode(), CSV)
            for mark in (",", ";", "\t", "|")
            for name in (
                *("sms_optout_flag", "Opted out of SMS", "phone_opt_out", "Unsubscribed"),
                *("Do Not Contact", "SMS Permission", "No texts", "Revocation"),
            )
        ),
        (b"phone (home|work),sms_opt_out\n+14155550131,TRUE\n", CSV),
        (b"Mobile Phone,sms_opt_out\n+14155550131,TRUE\n", CSV),
        (b"Phone Type,sms_opt_out\nmobile,TRUE\n", CSV),
        (b"number,sms_opt_out,SMS Opt Out\n+14155550131,TRUE,FALSE\n", CSV),
        (b"+14155550131,TRUE\n", CSV),
        (b"PK\x03\x04" + bytes(100), CSV),
        (b"\x1f\x8b" + bytes(100), NDJSON),
        (b"\x00" * 200_000, CSV),
    ],
    ids=count(),
)
def test_a_file_of_which_nothing_can_be_read_is_refused(
    clinic: Clinic, text: bytes, kind: str
) -> None:
    """With the reason, before anything is kept of it."""
    with clinic.unchanged():
        answer = clinic.call("POST", "/v1/imports", "admin", text, Content_Type=kind)
        answer.problem(422, "import-unreadable")


def test_other_kinds_of_files_are_refused(clinic: Clinic) -> None:
    """Spreadsheets' own files, packed bodies, JSON: 415, and nothing happens."""
    for headers in ({"Content_Type": "application/json"}, {"Content_Type": ""}):
        clinic.call("POST", "/v1/imports", "admin", b"{}", **headers).problem(
            415, "unsupported-media-type"
        )
    packed = {"Content_Type": CSV, "Content_Encoding": "gzip"}
    clinic.call("POST", "/v1/imports", "admin", b"number\n", **packed).problem(
        415, "unsupported-media-type"
    )


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        *(lambda text, mark=mark: text.replace(",", mark).encode() for mark in (";", "\t", "|")),
        lambda text: text.replace(ANN, f'="{ANN}"').encode(),
        lambda text: text.replace("ann", "J\xe9r\xf4me").encode("latin-1"),
    ],
    ids=[
        *("bom", "utf-16", "crlf", "cr", "semicolons", "tabs", "bars", "text by formula"),
        "latin-1",
    ],
)
def test_files_as_spreadsheets_write_them(clinic: Clinic, encode: Any) -> None:
    """Marks, ends of lines and alphabets; a name that cannot be read costs no opt-out."""
    text = (
        "phone,sms_opt_out,Phone 1 - Type,name\n"
        f'{ANN},TRUE,mobile,ann\n{BEN},TRUE,,"a ""b""\nc"\n,,,\n'
    )
    done = imports(clinic, encode(text))
    assert came_to(done) == (2, 2, 0, 0)
    assert clinic.flags(ANN, BEN)["opted_out"]


def test_ndjson(clinic: Clinic) -> None:
    """Objects with the same names, in any order; a line that is none is told."""
    lines: list[Any] = [
        {"sms_opt_out": True, "number": ANN, "tags": "x"},
        {"number": BEN, "consent": "granted", "purposes": ["conversation", "recall"]},
        {"number": 4155550133.5, "sms_opt_out": True},
        {"number": CARA, "sms_opt_out": True, "extra": {"a": 1}},
        {"sms_opt_out": True},
        [1],
        {"number": CARA, "sms_opt_out": False, "ref": None},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n{\n" + "[" * 5000 + '\n{"number": "\\ud800"}\n'
    done = imports(clinic, text, NDJSON)
    assert came_to(done) == (10, 2, 1, 7)
    clinic.asks(BEN).is_allowed("consented")
    assert clinic.flags(ANN)["opted_out"]
    clinic.is_unknown(CARA)


def test_rows_about_one_number_the_strictest_wins(clinic: Clinic) -> None:
    """In either order, each row with its verdict."""
    done = imports(
        clinic,
        "number,sms_opt_out,consent\n"
        f"{ANN},,granted\n{ANN},TRUE,\n{BEN},TRUE,\n{BEN},,granted\n{BEN},TRUE,granted\n",
    )
    assert came_to(done) == (5, 2, 3, 0)
    assert clinic.facts(ANN) == ["OptedOut"]
    assert clinic.facts(BEN) == ["OptedOut"]
    assert [row["status"] for row in rows_of(clinic, done)] == [
        *("unchanged", "accepted", "accepted", "unchanged", "unchanged")
    ]


def test_a_dry_run_tells_the_whole_effect_and_records_nothing(clinic: Clinic) -> None:
    """The counts are those of the import that follows."""
    clinic.hears(CARA, "STOP")
    text = (
        "number,sms_opt_out,consent\n"
        f"{ANN},TRUE,\n{ANN},TRUE,\n{BEN},,granted\n{CARA},,granted\nx,,\n"
    )
    with clinic.unchanged():
        told = imports(clinic, text, query="?dry_run=true")
    assert (told["dry_run"], told["would_opt_out"], told["would_opt_in"]) == (True, 1, 1)
    done = imports(clinic, text)
    assert came_to(told) == came_to(done) == (5, 2, 2, 1)
    assert "would_opt_out" not in done.body
    clinic.post(f"/v1/imports/{told['import_id']}/undo").problem(409, "nothing-to-undo")
    again = imports(clinic, text, query="?dry_run=true")
    assert (came_to(again), again["would_opt_out"]) == ((5, 0, 4, 1), 0)


def test_a_wrong_file_is_undone_as_a_whole(clinic: Clinic) -> None:
    """By an event for each fact; what the contact said since stays, and it can be imported anew."""
    clinic.consents(BEN)
    text = f"number,sms_opt_out\n{ANN},TRUE\n{BEN},TRUE\n{CARA},TRUE\n"
    done = imports(clinic, text)
    clinic.hears(CARA, "STOP")
    back = undone(clinic, done)
    assert back["state"] == "undone"
    assert clinic.facts(ANN) == ["OptedOut", "FactRetracted"]
    assert clinic.flags(ANN)["opted_out"] is False
    clinic.asks(BEN).is_allowed("consented")
    clinic.asks(CARA).is_denied("opted_out_by_contact")
    with clinic.unchanged():
        assert undone(clinic, done)["state"] == "undone"
    anew = imports(clinic, text)
    assert came_to(anew) == (3, 2, 1, 0)
    clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_rows_come_in_pages_and_as_files(clinic: Clinic) -> None:
    """In the order of the file, none twice."""
    text = "number,sms_opt_out,ref\n" + "".join(f"x,TRUE,=r{i}\n" for i in range(7))
    done = imports(clinic, text)
    place, seen, cursor = f"/v1/imports/{done['import_id']}/rows", [], ""
    while True:
        page = clinic.get(f"{place}?limit=3{cursor}")
        seen += [row["ref"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"=r{i}" for i in range(7)]
    found = clinic.call("GET", place, "admin", None, Accept=CSV).response.text.splitlines()
    assert found[0] == "row,ref,status,recorded,column,code,detail"
    assert found[1].startswith("2,'=r0,rejected,,number,number-unparseable,")
    assert len(found) == 8
    found = clinic.call("GET", place, "admin", None, Accept=NDJSON).response.text.splitlines()
    assert [json.loads(line)["row"] for line in found] == [*range(2, 9)]
    clinic.get(f"{place}?cursor=x").problem(422, "cursor-malformed", "/cursor")


def test_an_idempotency_key_gets_the_first_answer(clinic: Clinic) -> None:
    """Another list under the same key is refused, and nothing of it recorded twice."""
    text = f"number,sms_opt_out\n{ANN},TRUE\n"
    first = imports(clinic, text, Idempotency_Key="k")
    again = imports(clinic, text, Idempotency_Key="k")
    assert first["import_id"] == again["import_id"]
    other = f"number,sms_opt_out\n{BEN},TRUE\n".encode()
    headers = {"Content_Type": CSV, "Idempotency_Key": "k"}
    refused = clinic.call("POST", "/v1/imports", "admin", other, **headers)
    refused.problem(422, "idempotency-key-reused")
    clinic.is_unknown(BEN)
    assert clinic.service.rows("SELECT count(*) FROM import_parts") == [(0,)]


def test_another_accounts_import_is_not_there(open_clinic: Open) -> None:
    """Nor does the same file of theirs count as ours."""
    theirs, mine = open_clinic("opt-out"), open_clinic("opt-out")
    text = f"number,sms_opt_out\n{ANN},TRUE\n"
    done = imports(theirs, text)
    for path in ("", "/rows"):
        mine.get(f"/v1/imports/{done['import_id']}{path}").problem(404, "not-found")
    mine.post(f"/v1/imports/{done['import_id']}/undo").problem(404, "not-found")
    assert came_to(imports(mine, text)) == (1, 1, 0, 0)


def test_nothing_of_the_list_stays(clinic: Clinic) -> None:
    """When it ends, the file is gone from the database; until then it is encrypted."""
    imports(clinic, f"number,sms_opt_out,ref\n{ANN},TRUE,r\n{BEN},,\n")
    assert clinic.service.rows("SELECT count(*) FROM import_parts") == [(0,)]
    assert clinic.service.rows("SELECT e164 FROM numbers WHERE account_id = %s", clinic.account_id)


def test_a_number_that_comes_again_in_a_later_unit_counts_once(open_clinic: Open) -> None:
    """Also where the rows that bring it again were looked up before the first was written."""
    clinic = open_clinic("opt-out")
    lines = [f"+1415{5_000_000 + n},TRUE" for n in range(3 * UNIT)]
    again = (UNIT - 1, UNIT, UNIT + 7, 2 * UNIT, 3 * UNIT - 1)
    for place in again:
        lines[place] = f"{ANN},TRUE"
    done = imports(clinic, "\n".join(["number,sms_opt_out", *lines]))
    assert came_to(done) == (3 * UNIT, 3 * UNIT - len(again) + 1, len(again) - 1, 0)
    assert clinic.facts(ANN) == ["OptedOut"]
    unchanged = rows_of(clinic, done, status="unchanged", limit=1_000)
    assert [row["row"] for row in unchanged] == [place + 2 for place in again[1:]]
