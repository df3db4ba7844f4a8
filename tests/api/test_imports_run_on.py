"""Lists whose rows run on into their header, or into another row's cell: told, and never lost."""

import csv
from typing import Final

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.test_imports import CSV, came_to, codes, imports, rows_of
from tests.api.test_imports_aside import opted_out, read, refusal

NEL: Final = "\x85"

RUN_ON: Final = (
    # A quotation mark of the header closes in a row below, or at the end of the file.
    f'number,sms_opt_out,"note\n{ANN},TRUE,x\n{BEN},TRUE,y"\n{CARA},TRUE,z\n',
    f'number,sms_opt_out,"note\n{ANN},TRUE,x\n{BEN},TRUE,y\n{CARA},TRUE,z"\n',
    f'number,"sms_opt_out,note\n{ANN},TRUE,x\n{BEN},TRUE,y"\n{CARA},TRUE\n',
    f'number;sms_opt_out;"note\n{ANN};TRUE;x"\n{BEN};TRUE;y\n',
    'number,sms_opt_out,"note\n(415) 555-0131,TRUE,x"\n',
    'number,sms_opt_out,"note\n4.15555E+09,TRUE,x"\n',
    'number,sms_opt_out,"note\nnobody,TRUE,x"\n',
    # Its line end is lost, or is of a kind that nothing is parted by.
    f"number,sms_opt_out,note {ANN},TRUE,x\n{BEN},TRUE,y\n",
    f"number,sms_opt_out,note{ANN},TRUE,x",
    "number,sms_opt_out,note4155550131,TRUE,x\n",
    "number,sms_opt_out,note12345678,TRUE,x\n",
    "number,sms_opt_out,note nobody,TRUE,x\n",
    f"ref,number,sms_opt_outr0,{ANN},TRUE\n",
    'ref|number|sms_opt_out |(415) 5"55-0131|TRUE"',
    *(f"number,sms_opt_out,note{end}r0,x,TRUE{end}" for end in (NEL, "\u2028", "\u2029")),
    *(f"number,sms_opt_out,note{end}x,TRUE{end}" for end in "\v\f\x1c\x1d\x1e"),
    f"number,sms_opt_out,note{NEL}{ANN},TRUE,x{NEL}".encode("latin-1"),
    f"sep=,\nnumber,sms_opt_out,note{NEL}{ANN},TRUE,x{NEL}",
)


@pytest.mark.parametrize("text", RUN_ON, ids=range(len(RUN_ON)))
def test_a_header_that_runs_on_into_rows_refuses_the_list(text: str | bytes) -> None:
    """With one line that says what to do and repeats nothing; rows in it would be lost."""
    told = refusal(text)
    assert "end the header's line" in told
    assert "\n" not in told
    assert "555" not in told


HONEST: Final = (
    'number,"SMS\nopt\nout"',
    '"Phone\nNumber","Visits\n2024",sms_opt_out',
    'number,"Balance\n2026-03-04",sms_opt_out',
    "number,Balance 3/4/2026,Season 2025/2026,2024 - 2025 - 2026,sms_opt_out",
    "number,Seen 2026-03-04 10:00:00,sms_opt_out",
    "number,2026-01-01 - 2026-03-31,sms_opt_out",
    "number,field_360012345678,sms_opt_out",
    "number,0b9a2c1e-5d6f-4a3b-8c7d-9e0f1a2b3c4d,sms_opt_out",
    "phone 1 - Value,Phone 1 - Type,sms_opt_out",
    'number,"Notes (one, two)\nof staff",sms_opt_out',
)


@pytest.mark.parametrize("header", HONEST, ids=range(len(HONEST)))
def test_an_honest_name_of_a_column_refuses_nothing(header: str) -> None:
    """One over several lines, with a day or with an id in it."""
    between = "," * (len(next(csv.reader([header], strict=True))) - 1)
    assert opted_out(read(f"{header}\n{ANN}{between}TRUE\n")) == [ANN]


SWALLOWED: Final = (
    ("number,sms_opt_out,note", f'{ANN},TRUE,"x\n{BEN},TRUE,y\n{CARA},TRUE,z"'),
    ("number,sms_opt_out,note", f'{ANN},TRUE,"x\n{BEN},TRUE,y"'),
    ("number,sms_opt_out,note", f'{ANN},FALSE,"x\n{ANN},TRUE,y"'),
    ("number,sms_opt_out,note", f'{ANN},TRUE,"x\n(415) 555-0132,TRUE,y"'),
    ("number,sms_opt_out,note", f'{ANN},TRUE,"x\n4.15555E+09,TRUE,y"'),
    ("number,sms_opt_out,note", f'{ANN},TRUE,"x{NEL}{BEN},TRUE,y{NEL}{CARA},TRUE,z"'),
    ("number,sms_opt_out,note", f'nobody,TRUE,"x\n{BEN},TRUE,y"'),
    ("number,sms_opt_out,note", f'{ANN},"x\n{BEN},TRUE,y"'),
    ("number,note,sms_opt_out", f'{ANN},"x\n{BEN},y",TRUE'),
    ("note,number,sms_opt_out", f'"x,{ANN},TRUE\ny",{BEN},TRUE'),
    ("note,number,sms_opt_out", f'x,{ANN},"TRUE\n""Lee, Ann"",{BEN},TRUE"'),
    ("number,sms_opt_out,phone2,note", f'{ANN},TRUE,,"x\n,TRUE,{BEN},y"'),
    ("number;sms_opt_out;note", f'{ANN};TRUE;"x\n{BEN};TRUE;y"'),
)


@pytest.mark.parametrize(("header", "rows"), SWALLOWED, ids=range(len(SWALLOWED)))
def test_rows_within_a_cell_of_another_are_told(header: str, rows: str) -> None:
    """The row that the cell is of is refused; those below it count."""
    end = ";" if ";" in header else ","
    last = end.join(
        {"number": "+14155550199", "sms_opt_out": "TRUE"}.get(name, "")
        for name in header.split(end)
    )
    first, second = read(f"{header}\n{rows}\n{last}\n")
    assert (first.line, first.faults) == (2, ((None, "row-in-cell"),))
    assert opted_out([first, second]) == ["+14155550199"]


@pytest.mark.parametrize(
    "rows",
    [
        f'{ANN},TRUE,"x\ny\nz"',
        f'{ANN},TRUE,"called 3 times, twice in vain,\n2024, 2025 and on"',
        f'{ANN},TRUE,"his wife\'s is\n{BEN}"',
        f'{ANN},"TRUE",",\n,,\n,"',
        f'"{ANN}",TRUE,"""x""\n""y"", z"',
    ],
)
def test_an_honest_cell_over_several_lines_refuses_nothing(rows: str) -> None:
    """A note is as it is, whichever side of the number it stands on."""
    assert opted_out(read(f"number,sms_opt_out,note\n{rows}\n")) == [ANN]
    number, opt_out, note = next(csv.reader([rows], strict=True))
    quoted = note.replace('"', '""')
    text = f'note,number,sms_opt_out\n"{quoted}",{number},{opt_out}\n'
    assert opted_out(read(text)) == [ANN]


def test_nothing_of_such_lists_is_lost_without_a_word(open_clinic: Open) -> None:
    """Over HTTP: a file is refused with the reason, a row with its code."""
    clinic = open_clinic("opt-out")
    with clinic.unchanged():
        answer = clinic.call(
            "POST", "/v1/imports", "admin", str(RUN_ON[0]).encode(), Content_Type=CSV
        )
        assert "end the header's line" in answer.problem(422, "import-unreadable")["detail"]
    text = f'number,sms_opt_out,note\n{ANN},TRUE,"x\n{BEN},TRUE,y"\n{CARA},TRUE,z\n'
    done = imports(clinic, text)
    assert came_to(done) == (2, 1, 0, 1)
    (row,) = rows_of(clinic, done, status="rejected")
    assert (row["row"], codes(row)) == (2, [(None, "row-in-cell")])
    assert clinic.flags(CARA)["opted_out"]


@pytest.mark.parametrize(
    "header",
    [
        f"number,note{NEL}{ANN},x{NEL}",
        f"number,note\u2028{ANN},x\u2028",
        f"number,note {ANN},x\n{BEN},y\n",
        "number,note\vx,y\v",
        "number,note4155550131,x\n",
    ],
)
def test_a_header_that_runs_on_refuses_a_scrub(clinic: Clinic, header: str) -> None:
    """An answer without rows would be taken for that of an empty list."""
    found = clinic.scrubs(header.encode()).problem(422, "header-runs-on", "/")
    assert "end the header's line" in found["detail"]
    assert "555" not in found["detail"]
