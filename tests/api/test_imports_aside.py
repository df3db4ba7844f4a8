"""Lists from elsewhere whose opt-outs stand where nobody reads them: told, and never lost."""

import json
from typing import Final

import pytest

from api.importing.headers import FileError
from api.importing.records import Format, check_beginning, rows
from consent_ledger.importing.faults import DETAILS
from consent_ledger.importing.rows import Row, RowReader
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.test_imports import CSV, NDJSON, came_to, codes, imports, rows_of

READER: Final = RowReader("US", frozenset({"recall"}), (), 1_772_000_000_000_000)


def read(data: str | bytes, kind: Format = Format.CSV) -> list[Row]:
    """The rows of a file, as the service reads them; FileError where it is refused."""
    found = data if isinstance(data, bytes) else data.encode()
    check_beginning(found, kind)
    return list(rows([found], kind, READER))


def opted_out(found: list[Row]) -> list[str]:
    """The numbers that rows opt out."""
    return [number for row in found if row.wish.opt_out for number in row.numbers]


def refusal(data: str | bytes, kind: Format = Format.CSV) -> str:
    """Why a file is refused."""
    with pytest.raises(FileError) as caught:
        read(data, kind)
    return str(caught.value)


def test_an_opt_out_in_a_column_left_aside_is_told(open_clinic: Open) -> None:
    """Its row is refused, with what to do; the others count."""
    clinic = open_clinic("opt-out")
    done = imports(
        clinic,
        f"Phone Number,Phone Status,sms_opt_out\n{ANN},Opted Out,\n{BEN},Active,\n{CARA},STOP,x\n",
    )
    assert came_to(done) == (3, 1, 1, 1)
    (row,) = rows_of(clinic, done, status="rejected")
    assert codes(row) == [("phone_status", "opt-out-aside")]
    assert "`sms_opt_out`" in row["problems"][0]["detail"]
    assert "Opted" not in json.dumps(row)
    assert clinic.flags(CARA)["opted_out"]


def test_a_second_number_under_another_name_refuses_the_list(clinic: Clinic) -> None:
    """As Salesforce and HubSpot name them; the message says what to do, and repeats nothing."""
    text = f"Phone,Mobile Phone,sms_opt_out\n{ANN},{BEN},TRUE\n".encode()
    with clinic.unchanged():
        answer = clinic.call("POST", "/v1/imports", "admin", text, Content_Type=CSV)
        answer.problem(422, "import-unreadable")
    assert "column 2 looks like a phone number" in answer.response.text
    assert "555" not in answer.response.text


def test_lines_of_json_are_judged_alike(open_clinic: Open) -> None:
    """Each by its own names and cells; a field that is there twice, in whatever spelling, too."""
    clinic = open_clinic("opt-out")
    lines = (
        f'{{"phone": "{ANN}", "mobile": "{BEN}", "sms_opt_out": true}}',
        f'{{"number": "{ANN}", "status": "unsubscribed"}}',
        f'{{"number": "{ANN}", "tags": ["vip", "Opted out"]}}',
        f'{{"number": "{ANN}", "SendPromotionalTexts": false}}',
        f'{{"number": "{ANN}", "sms_opt_out": true, "sms_opt_out": false}}',
        f'{{"number": "{ANN}", "sms_opt_out" : true, "sms_opt_out"\t: false}}',
        f'{{"number": "{ANN}", "sms_opt_out": true, "SMS Opt Out": false}}',
        f'{{"number": "{ANN}", "sms\\u005fopt_out": true, "sms_opt_out": false}}',
        f'{{"number": "{CARA}", "sms_opt_out": true, "ref": "say \\"x\\": y", "tags": []}}',
    )
    done = imports(clinic, "\n".join(lines), NDJSON)
    assert came_to(done) == (9, 1, 0, 8)
    told = [code for row in rows_of(clinic, done, status="rejected") for _, code in codes(row)]
    assert told == ["columns-unclear", *["opt-out-aside"] * 3, *["columns-unclear"] * 4]
    assert clinic.flags(CARA)["opted_out"]


def test_a_revocation_beside_an_agents_opt_out_is_the_contacts(open_clinic: Open) -> None:
    """R-F6: an admin cannot take it back; on a new number as on one that is known."""
    clinic = open_clinic("opt-out")
    clinic.opts_out(BEN)
    done = imports(
        clinic,
        "number,sms_opt_out,opt_out_source,consent\n"
        + "".join(f"{number},TRUE,agent,revoked\n" for number in (ANN, BEN)),
    )
    assert came_to(done) == (2, 2, 0, 0)
    # What was on record is said again, as evidence.
    for number, told_of in ((ANN, 2), (BEN, 3)):
        clinic.asks(number).is_denied("opted_out_by_contact")
        clinic.opts_in(number).problem(409, "opt-in-forbidden")
        assert clinic.facts(number).count("OptedOut") == told_of


def test_lines_above_the_header_refuse_the_list() -> None:
    """A title would be taken for the header, and the rows for nothing."""
    assert "above the header" in refusal(f"Phone list,,\nnumber,sms_opt_out,ref\n{ANN},TRUE,a\n")
    assert "above the header" in refusal(f"Opt-outs;;\nnumber;sms_opt_out;ref\n{ANN};TRUE;a\n")


def test_a_column_without_a_name_is_not_passed_over() -> None:
    """A row with something in it is refused, and commas that a spreadsheet left are not."""
    first, second = read(f"number,\n{ANN},TRUE\n{BEN},\n")
    assert [fault.code for fault in first.faults] == ["column-untitled"]
    assert second.numbers == (BEN,)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_spreadsheets_own_first_line_names_the_delimiter(mark: str) -> None:
    """It is no header; lines keep their numbers."""
    (row,) = read(f"sep={mark}\nnumber{mark}sms_opt_out\n{ANN}{mark}TRUE\n")
    assert (row.line, opted_out([row])) == (3, [ANN])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_text_of_two_bytes_a_letter_needs_no_mark(encoding: str) -> None:
    """It shows by its first letter; in JSON as well."""
    assert opted_out(read(f"number,sms_opt_out\n{ANN},TRUE\n".encode(encoding))) == [ANN]
    line = f'{{"number": "{ANN}", "sms_opt_out": true}}\n'.encode(encoding)
    assert opted_out(read(line, Format.NDJSON)) == [ANN]


def test_a_name_in_a_header_may_run_over_lines() -> None:
    """As a spreadsheet's cell does."""
    assert opted_out(read(f'number,"SMS\nopt out"\n{ANN},TRUE\n')) == [ANN]


def test_a_list_of_the_other_kind_says_so() -> None:
    """A table as JSON, and JSON as a table."""
    line = json.dumps({"number": ANN, "sms_opt_out": True})
    assert "application/x-ndjson" in refusal(line)
    assert "text/csv" in refusal(f"number,sms_opt_out\n{ANN},TRUE\n", Format.NDJSON)


def told(found: list[Row]) -> list[list[str]]:
    """What is wrong with each row."""
    return [[fault.code for fault in row.faults] for row in found]


@pytest.mark.parametrize(
    ("header", "again"),
    [
        ("number,consent", "number,sms_opt_out"),
        ("number,consent", "Phone,Do Not Text"),
        ("number,sms_opt_out", "sms_opt_out,number"),
        ("name,number,consent", "number,name,sms_opt_out"),
        ("phone,consent,", "Mobile,Opted Out,Name"),
        ("number,sms_opt_out", "number,name,sms_opt_out"),
        ("number,consent", '"number","sms_opt_out"'),
        ("number,name,consent", "Phone,name,VIP"),
        ("Phone export,2026", "number,sms_opt_out"),
        ("Export 2026,Phone list", "number,sms_opt_out"),
    ],
)
def test_what_stands_below_a_second_header_is_refused(header: str, again: str) -> None:
    """Two exports in one file, or a title above the header: its columns mean something else."""
    below = [",".join([ANN] * len(again.split(",")))] * 2
    *_, second, one, two = read("\n".join([header, again, *below]))
    assert told([second, one, two]) == [["header-repeated"]] * 3
    assert [row.line for row in (second, one, two)] == [2, 3, 4]
    assert "files of their own" in DETAILS["header-repeated"]


def test_the_same_header_again_costs_itself_alone() -> None:
    """What stands below it means the same."""
    found = read(f"Number,SMS Opt-Out\n{ANN},TRUE\nnumber,sms_opt_out\n\n{BEN},TRUE\n")
    assert told(found) == [[], ["header-repeated"], []]
    assert opted_out(found) == [ANN, BEN]
    assert told(read(f"number\nnumber\n{ANN}\n")) == [["header-repeated"], []]


@pytest.mark.parametrize(
    "row",
    [
        *(",phone,Subscribed", "No phone,phone,Opted Out", "x,Phone,Mobile", "Mobile,,Tom"),
        *("n/a,Phone,consent", "415 555 0132 x,number,ref", "phone disconnected,web,Subscribed"),
    ],
)
def test_a_row_without_a_number_is_no_header(row: str) -> None:
    """People write such things of contacts; what stands below counts."""
    *_, below = read(f"number,Source,Notes,sms_opt_out\n{row},\n{ANN},web,,TRUE\n")
    assert opted_out([below]) == [ANN]


def test_a_spreadsheets_older_encoding_hides_no_opt_out() -> None:
    """Windows-1252, as a name and as a cell, in pieces of any size and among UTF-8."""
    assert "column 2 may say" in refusal(f"number,D\xe9sabonn\xe9\n{ANN},X\n".encode("cp1252"))
    text = f"number,Statut,ref\n{ANN},D\xe9sabonn\xe9,a\n{BEN},,\u201cJ\xe9r\xf4me\u201d\n"
    for data in (text.encode("cp1252"), text.encode()):
        for size in (1, 2, 1_000):
            parts = [data[i : i + size] for i in range(0, len(data), size)]
            assert told(list(rows(parts, Format.CSV, READER))) == [["opt-out-aside"], []]
    mixed = f"number,Statut,ref\n{ANN},".encode() + "D\xe9sabonn\xe9,".encode("cp1252")
    one, two = read(mixed + f"\n{BEN},,J\xe9r\xf4me \u4e2d\n".encode())
    assert (told([one]), two.ref) == ([["opt-out-aside"]], "J\xe9r\xf4me \u4e2d")


def test_a_reference_in_an_older_encoding_is_kept() -> None:
    """Unless one of its bytes is no letter in that either."""
    found = read(b"number,ref\n%b,Ren\xe9 \x96 1\n%b,a\x81\n" % (ANN.encode(), BEN.encode()))
    assert [row.ref for row in found] == ["Ren\xe9 \u2013 1", None]
    line = b'{"number": "%b", "statut": "d\xe9sabonn\xe9"}' % ANN.encode()
    assert told(read(line, Format.NDJSON)) == [["opt-out-aside"]]
