"""Lists from elsewhere whose opt-outs stand where nobody reads them: told, and never lost."""

import json
from typing import Final

import pytest

from api.importing.records import FileError, Format, check_beginning, rows
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
        f'{{"number": "{ANN}", "sms_opt_out": true, "sms_opt_out": false}}',
        f'{{"number": "{ANN}", "sms_opt_out" : true, "sms_opt_out"\t: false}}',
        f'{{"number": "{ANN}", "sms_opt_out": true, "SMS Opt Out": false}}',
        f'{{"number": "{ANN}", "sms\\u005fopt_out": true, "sms_opt_out": false}}',
        f'{{"number": "{CARA}", "sms_opt_out": true, "ref": "say \\"x\\": y", "tags": []}}',
    )
    done = imports(clinic, "\n".join(lines), NDJSON)
    assert came_to(done) == (8, 1, 0, 7)
    told = [code for row in rows_of(clinic, done, status="rejected") for _, code in codes(row)]
    assert told == ["columns-unclear", *["opt-out-aside"] * 2, *["columns-unclear"] * 4]
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
    for number in (ANN, BEN):
        clinic.asks(number).is_denied("opted_out_by_contact")
        clinic.opts_in(number).problem(409, "opt-in-forbidden")
        assert clinic.facts(number).count("OptedOut") == 2


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
