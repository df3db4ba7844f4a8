"""A list of any length, answered row by row (contract section 3)."""

import codecs
import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.routes import EVERYONE

NDJSON = "application/x-ndjson"
PURPOSES = ["conversation", "appointment_reminder", "recall", "marketing"]


def table(answer: Answer) -> list[dict[str, str]]:
    """The rows of a CSV answer."""
    assert answer.status == 200, answer.response.text
    assert answer.response.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.response.text, newline="")))


def lines(answer: Answer) -> list[Any]:
    """The objects of an NDJSON answer."""
    assert answer.status == 200, answer.response.text
    assert answer.response.headers["content-type"] == NDJSON
    return [json.loads(line) for line in answer.response.text.split("\n") if line]


def column(answer: Answer, name: str) -> list[str]:
    """One column of a CSV answer."""
    return [row[name] for row in table(answer)]


def test_a_list_comes_back_with_the_answer_to_each_row(clinic: Clinic) -> None:
    """The same rows in the same order, the answers after their cells."""
    clinic.hears(BEN, "STOP")
    rows = f"id,number,name\r\n1,{ANN},Ann\r\n2,{BEN},Ben\r\n3,none,\r\n4,(415) 555-0133,C\r\n"
    assert clinic.scrubs(rows.encode()).response.text == (
        "id,number,name,may_text,decision,reason,error\r\n"
        f"1,{ANN},Ann,true,allow,no_consent_needed,\r\n"
        f"2,{BEN},Ben,false,deny,opted_out_by_contact,\r\n"
        "3,none,,false,,,number-unparseable\r\n"
        "4,(415) 555-0133,C,true,allow,no_consent_needed,\r\n"
    )


def test_a_list_of_objects_comes_back_with_the_answers_as_fields(clinic: Clinic) -> None:
    """Nothing else of an object changes; what cannot be read has `error`, as in a batch."""
    clinic.hears(BEN, "STOP")
    sent = [
        {"id": 1, "number": ANN, "more": {"a": [1, None]}},
        {"phone": BEN, "name": "Bén"},
        {"number": "nobody"},
        {"number": 4155550131},
        {"id": 5},
        {"number": CARA, "may_text": False, "decision": "deny", "reason": "old", "error": "old"},
    ]
    body = "\n".join(json.dumps(each, ensure_ascii=False) for each in sent).encode()
    found = lines(clinic.scrubs(body, kind=NDJSON))
    yes = {"may_text": True, "decision": "allow", "reason": "no_consent_needed"}
    no = {"may_text": False, "decision": "deny", "reason": "opted_out_by_contact"}
    assert found[:2] == [sent[0] | yes, sent[1] | no]
    assert [(row["may_text"], row["error"]["code"]) for row in found[2:5]] == [
        (False, "number-unparseable"),
        (False, "number-unparseable"),
        (False, "number-missing"),
    ]
    assert found[2]["error"]["detail"] == "No phone number."
    assert found[5] == {"number": CARA} | yes


@pytest.mark.parametrize("role", sorted(EVERYONE))
def test_every_role_may_ask(clinic: Clinic, role: str) -> None:
    """As for checks."""
    answer = clinic.scrubs(f"number\n{ANN}\n".encode(), role=role)
    assert column(answer, "reason") == ["no_consent_needed"]


def test_a_list_without_a_key_or_with_a_role_unknown_is_not_read(clinic: Clinic) -> None:
    """However long it is."""
    rows = b"number\n" + f"{ANN}\n".encode() * 50_000
    answer = clinic.call("POST", "/v1/scrubs?purpose=recall", None, rows, Content_Type="text/csv")
    answer.problem(401, "key-missing-or-unknown")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


HISTORY = ["STOP", "START", "CONSENT", "DECLINE", "take me off your list", "YES", "hello"]
TOLD = st.sampled_from(
    [*HISTORY, "opts out", "opted out elsewhere", "blocks", "prefers", "consents", "carrier"]
)
NUMBERS = (ANN, BEN, CARA, "+447700900123", "+5491123456789")
QUESTION = st.fixed_dictionaries(
    {"purpose": st.sampled_from(PURPOSES)},
    optional={
        "location": st.sampled_from(["main", "nowhere"]),
        "sent_by": st.sampled_from(["jo", "kim"]),
        "manual": st.just(True),
    },
)


def tells(clinic: Clinic, number: str, what: str) -> None:
    """Something happens to a number."""
    match what:
        case "opts out":
            clinic.opts_out(number)
        case "opted out elsewhere":
            clinic.opts_out(number, requested_by="contact", means="phone")
        case "blocks":
            clinic.blocks(number)
        case "prefers":
            clinic.learns_preference(number, "not_consented")
        case "consents":
            clinic.consents(number)
        case "carrier":
            clinic.reports(number, "21610")
        case words:
            clinic.hears(number, words)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    preset=st.sampled_from(["consent-first", "opt-out", "recalls", "authorization"]),
    histories=st.lists(st.lists(TOLD, max_size=3), min_size=5, max_size=5),
    questions=st.lists(QUESTION, min_size=1, max_size=5),
)
def test_a_scrub_says_what_a_batch_says(
    open_clinic: Open, preset: str, histories: list[list[str]], questions: list[dict[str, Any]]
) -> None:
    """Whatever happened to the numbers, and whatever is asked: row by row the same."""
    clinic = open_clinic(preset)
    clinic.opens_location("main", "recall")
    clinic.permits("kim", "deny")
    for number, history in zip(NUMBERS, histories, strict=True):
        for what in history:
            tells(clinic, number, what)
    asked = [*NUMBERS, "+14155550180", "nobody", "(415) 555-0131"]
    rows = "number;name\n" + "".join(f'{number};"a, ""b"""\n' for number in asked)
    objects = "".join(json.dumps({"number": number}) + "\n" for number in asked)
    for question in questions:
        body = question | {"items": [{"number": number} for number in asked]}
        batch = clinic.post("/v1/checks/batch", "sender", **body)
        scrubbed = clinic.scrubs(rows.encode(), **question)
        if batch.status != 200:
            problem = batch.response.json()
            scrubbed.problem(batch.status, problem["code"], problem["errors"][0]["pointer"])
            continue
        said = [
            (r.get("may_text", False), r.get("decision"), r.get("reason")) for r in batch["results"]
        ]
        found = lines(clinic.scrubs(objects.encode(), kind=NDJSON, **question))
        assert [(r["may_text"], r["decision"], r["reason"]) for r in found] == said
        text = scrubbed.response.text
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]
        assert [row[1] for row in cells] == ['a, "b"'] * len(asked)
        assert [(row[2] == "true", row[3] or None, row[4] or None) for row in cells] == said


def test_the_place_and_the_time_zone_count(open_clinic: Open) -> None:
    """A sending number by its id, as a number may not travel in a URL; permitted hours by zone."""
    start = (datetime.now(UTC).hour + 10) % 24
    hours = {"start": start, "end": min(start + 2, 24), "sunday_start": start}
    clinic = open_clinic("opt-out", purposes={"recall": {"hours": hours}}, time_zone="Etc/UTC")
    rows = f"number\n{ANN}\n".encode()
    assert column(clinic.scrubs(rows), "reason") == ["quiet_hours"]
    east = clinic.scrubs(rows, time_zone="Etc/GMT-10")
    assert column(east, "reason") == ["no_consent_needed"]
    clinic.opens_location("main", "recall")
    sending = clinic.get("/v1/sending-numbers")["items"][0]["sending_number_id"]
    found = column(clinic.scrubs(rows, "marketing", sending_number_id=sending), "reason")
    assert found == ["sending_number_not_allowed"]
    found = column(
        clinic.scrubs(rows, "conversation", sending_number_id=clinic.account_id), "reason"
    )
    assert found == ["sending_number_not_allowed"]


def test_a_question_that_fits_no_number_is_a_problem(open_clinic: Open) -> None:
    """Before the first row, and naming the field."""
    clinic = open_clinic("authorization")
    rows = f"number\n{ANN}\n".encode()
    clinic.scrubs(rows, "no_such_purpose").problem(422, "unknown-purpose", "/purpose")
    clinic.scrubs(rows, manual=True).problem(422, "sent-by-required", "/sent_by")
    clinic.scrubs(rows, sent_by=ANN).problem(422, "invalid-body", "/sent_by")
    clinic.scrubs(rows, time_zone="Mars").problem(422, "invalid-body", "/time_zone")
    clinic.scrubs(rows, sending_number=ANN).problem(422, "unknown-query")
    clinic.call("POST", "/v1/scrubs", "sender", rows, Content_Type="text/csv").problem(
        422, "invalid-body", "/purpose"
    )
    clinic.scrubs(rows, kind="application/json").problem(415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("header", "code", "pointer"),
    [
        (b"", "number-column-missing", "/number"),
        (b"\n", "number-column-missing", "/number"),
        (b"name,mobile\nAnn,1\n", "number-column-missing", "/number"),
        (b"phone type,phone_ext\n", "number-column-missing", "/number"),
        (b"sep=;\nphone,name\n", "number-column-missing", "/number"),
        (b"sep=;\n", "number-column-missing", "/number"),
        (b'"number\n', "number-column-missing", "/number"),
        (b"number,Number\n", "number-column-repeated", "/number"),
        (b"Phone 1;Phone 2\n", "number-column-repeated", "/phone"),
        (b"phone,phone2,name\n", "number-column-repeated", "/phone"),
        (b"Phone,Mobile\n", "number-column-repeated", "/phone"),
        (b"number,Reason\n", "answer-column-taken", "/reason"),
        (b"number,may_text,decision\n", "answer-column-taken", "/may_text"),
        ("number\n".encode("utf-16-le"), "wrong-encoding", "/"),
        (b"number,n\xe9\n", "wrong-encoding", "/"),
        (b"n" * 70_000, "header-too-long", "/"),
        (b"number" + b"," * 70_000 + b"\n", "header-too-long", "/"),
    ],
)
def test_a_header_that_cannot_be_used_is_a_problem(
    clinic: Clinic, header: bytes, code: str, pointer: str
) -> None:
    """Told before the first row, and without what was sent."""
    clinic.scrubs(header).problem(422, code, pointer)


def test_a_list_with_several_phone_columns_says_which_to_keep(clinic: Clinic) -> None:
    """Nobody can know which of them the text would go to."""
    found = clinic.scrubs(b"Name,Phone 1,Phone 2\nAnn,,\n").problem(422, "number-column-repeated")
    assert "Keep the one" in found["detail"]


YES, NO = "true,allow,no_consent_needed,", "false,deny,opted_out_by_contact,"
ANSWERS = "may_text,decision,reason,error"


@pytest.mark.parametrize(
    "header",
    [
        "id,Number",
        "id,PHONE",
        "id,Phone Number",
        "id,phone_number",
        "id,phone-1",
        '"x","Phone Number"',
        "Phone 1 - Type,Phone 1 - Value",
        "Phone opt out,Phone",
        "phone2,number",
        "Mobile,Number",
        "Email,Phone",
    ],
)
def test_the_column_with_the_number_is_the_one_that_an_import_finds(
    clinic: Clinic, header: str
) -> None:
    """`number`, or the only one that begins with `phone`."""
    clinic.hears(BEN, "STOP")
    rows = f"{header}\n1,{ANN}\n2,{BEN}\n"
    assert clinic.scrubs(rows.encode()).response.text == (
        f"{header},{ANSWERS}\n1,{ANN},{YES}\n2,{BEN},{NO}\n"
    )


@pytest.mark.parametrize("mark", ["", "sep={}\r\n", '"sep={}"\r\n'])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["number", "Phone Number"])
def test_whatever_stands_between_cells_stands_between_the_answers(
    clinic: Clinic, delimiter: str, mark: str, name: str
) -> None:
    """The line by which a spreadsheet names it is skipped, and comes back as it came."""
    clinic.hears(BEN, "STOP")
    begin = mark.format(delimiter)
    rows = f"note,{name}\r\nx,{ANN}\r\nshort\r\ny,{BEN}\r\n".replace(",", delimiter)
    answer = (
        f"note,{name},{ANSWERS}\r\nx,{ANN},{YES}\r\nshort,,,false,,,row-too-short\r\n"
        f"y,{BEN},{NO}\r\n"
    ).replace("short,,,", "short,,")
    found = clinic.scrubs((begin + rows).encode()).response.content.decode()
    assert found == begin + answer.replace(",", delimiter)


@pytest.mark.parametrize("end", ["", "\r"])
def test_a_list_whose_lines_end_in_returns_is_read(clinic: Clinic, end: str) -> None:
    """As an old Mac writes it; the answer's lines end as they do today."""
    clinic.hears(BEN, "STOP")
    rows = f'id,Phone\r1,{ANN}\r"two\rlines",{BEN}{end}'
    assert clinic.scrubs(rows.encode()).response.content.decode() == (
        f'id,Phone,{ANSWERS}\n1,{ANN},{YES}\n"two\nlines",{BEN},{NO}\n'
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_list_in_utf_16_is_read(clinic: Clinic, encoding: str, line_end: str) -> None:
    """As a spreadsheet saves "Unicode text"; the answer is in UTF-8, and says so."""
    clinic.hears(BEN, "STOP")
    lines = ["\ufeffname\tPhone Number", f"Änn 😀\t{ANN}", f"Ben\t{BEN}", ""]
    answer = [f"{lines[0]},{ANSWERS}", f"{lines[1]},{YES}", f"{lines[2]},{NO}", ""]
    found = clinic.scrubs(line_end.join(lines).encode(encoding)).response.content.decode()
    kept = "\n" if line_end == "\r" else line_end
    assert found == kept.join(answer).replace(",", "\t")


def test_a_list_of_objects_in_utf_16_is_read(clinic: Clinic) -> None:
    """As an import reads one."""
    body = "".join(json.dumps({"name": "é", "number": number}) + "\n" for number in (ANN, CARA))
    found = lines(clinic.scrubs(body.encode("utf-16"), kind=NDJSON))
    assert [row["reason"] for row in found] == ["no_consent_needed"] * 2


def test_a_cell_is_read_as_an_import_reads_it(clinic: Clinic) -> None:
    """What keeps a spreadsheet from reckoning is left aside; what it has reckoned is refused."""
    clinic.hears(BEN, "STOP")
    cells = {
        f"'{BEN}": "",
        f'="{BEN}"': "",
        f'\'="{BEN}"': "",
        f"'{BEN[2:]}": "",
        f'"=""{BEN[2:]}"""': "",
        f"''{BEN}": "number-unparseable",
        "'": "number-unparseable",
        "4.15E+09": "number-damaged",
        "4155550131.0": "number-damaged",
        "'4155550131.00": "number-damaged",
        "1415555.0000": "number-damaged",
        '"4155550131,0"': "number-damaged",
        "########": "number-damaged",
        "#VALUE!": "number-damaged",
        "no number": "number-unparseable",
        "": "number-unparseable",
    }
    rows = "id,number\n" + "".join(f"x,{cell}\n" for cell in cells)
    found = table(clinic.scrubs(rows.encode()))
    assert [row["error"] for row in found] == list(cells.values())
    reasons = ["" if error else "opted_out_by_contact" for error in cells.values()]
    assert [row["reason"] for row in found] == reasons
    objects = [{"number": f"'{BEN}"}, {"number": "4.15E+09"}]
    body = "\n".join(map(json.dumps, objects)).encode()
    first, second = lines(clinic.scrubs(body, kind=NDJSON))
    assert first["reason"] == "opted_out_by_contact"
    assert second["error"]["code"] == "number-damaged"


def test_a_number_beside_a_code_that_it_lacks_is_a_no(clinic: Clinic) -> None:
    """+44 7733 456 789 said STOP; read at home its digits are somebody in Chicago."""
    rows = b'name,Country Code,Phone\nA,44,7733456789\nB,1,7733456789\n"C\nc",44,+17733456789\nD,\n'
    found = clinic.scrubs(rows).response.text.splitlines()
    assert found[1].endswith(",7733456789,false,,,code-apart")
    assert found[2].endswith(",7733456789,true,allow,no_consent_needed,")
    assert found[4].endswith(",+17733456789,true,allow,no_consent_needed,")
    assert found[5].endswith("row-too-short")


def test_other_columns_and_their_quoting_come_back_as_they_were(clinic: Clinic) -> None:
    """Byte by byte: a BOM, quotes, line breaks in a cell, formulas, an older encoding, NUL."""
    header = b'\xef\xbb\xbfName,"Phone",note\r\n'
    number = ANN.encode()
    rows = [
        b'"O""Hara, Ann",%b,"two\r\nlines"' % number,
        b'=1+1,"%b",\xe9t\xe9' % number,
        b'@SUM(A1), %b ,a "quoted" word' % number,
        b"\0,%b," % number,
    ]
    answer = clinic.scrubs(header + b"\r\n".join(rows))
    yes = b",true,allow,no_consent_needed,\r\n"
    assert answer.status == 200
    assert answer.response.content == (
        header.removesuffix(b"\r\n")
        + b",may_text,decision,reason,error\r\n"
        + b"".join(row + yes for row in rows)
    )


def test_a_damaged_row_has_a_verdict_and_harms_no_other(clinic: Clinic) -> None:
    """As many cells as the header, so that no cell of the row stands where the answer does."""
    rows = [
        f"{ANN},Ann",
        f"{ANN}",
        f"{ANN},Ann,true,allow,no_consent_needed,",
        "",
        f"{ANN},{'x' * 70_000}",
        "\ufffd,=cmd()",
        f'{ANN},"open',
        f"{ANN},last",
    ]
    # Longer than a quote is followed.
    tail = f"\n{ANN},last" * 6_000
    found = table(clinic.scrubs(("number,name\n" + "\n".join(rows) + tail).encode()))
    assert [(row["error"], row["may_text"], row["reason"]) for row in found[:7]] == [
        ("", "true", "no_consent_needed"),
        ("row-too-short", "false", ""),
        ("row-too-long-for-header", "false", ""),
        ("row-too-long", "false", ""),
        ("number-unparseable", "false", ""),
        ("quoting-broken", "false", ""),
        ("", "true", "no_consent_needed"),
    ]
    assert found[2]["name"] == "Ann"
    assert found[5]["name"] == '"open'
    assert {row["may_text"] for row in found[6:]} == {"true"}
    assert len(found) == 6_007


def test_a_damaged_line_has_a_verdict_and_harms_no_other(clinic: Clinic) -> None:
    """Every line of NDJSON has its line of the answer."""
    good = json.dumps({"number": ANN}).encode()
    bad = {
        b"no json": "not-json",
        b'{"number":': "not-json",
        b'{"number":"\xff"}': "not-json",
        b'{"number":"\\ud800"}': "not-json",
        b"[" * 10_000: "not-json",
        b'{"a":' * 10_000: "not-json",
        b"[]": "not-an-object",
        b'"+14155550131"': "not-an-object",
        b"null": "not-an-object",
        b"{}": "number-missing",
        b'{"number":null,"a":1}': "number-missing",
        b'{"number":{}}': "number-unparseable",
        b'{"number":"","x":"' + b"x" * 70_000 + b'"}': "row-too-long",
    }
    body = b"\n".join(b"\n".join((line, good)) for line in bad)
    found = lines(clinic.scrubs(body, kind=NDJSON))
    assert [row["error"]["code"] for row in found[::2]] == list(bad.values())
    assert not any(row["may_text"] for row in found[::2])
    assert {row["reason"] for row in found[1::2]} == {"no_consent_needed"}


@pytest.mark.parametrize(
    "line",
    [
        '{"number":"A","number":"B"}',
        '{"number":"B","number":"A"}',
        '{"number":"B","number":"B"}',
        '{"number":"A","n\\u0075mber":"B"}',
        '{"number" :"A", "number" : "B"}',
        '{"phone":"A","x":{"a":1},"phone":"B"}',
        '{"number":"A","at":"10:00","id":1,"id":2}',
        '{"number":"A","\\"":1,"\\u0022":2}',
        '{"number":"A","number":null}',
        '{"number":null,"number":"A"}',
        '{"number":"A","number":1}',
    ],
)
def test_an_object_with_a_name_twice_is_damaged(clinic: Clinic, line: str) -> None:
    """Whoever reads the first of them and whoever reads the last mean two numbers."""
    good = json.dumps({"number": ANN, "more": [{"a": 1}, {"a": "x: y"}], "say": '"so":'})
    sent = line.replace('"A"', f'"{ANN}"').replace('"B"', f'"{BEN}"')
    found = clinic.scrubs(f"{good}\n{sent}\n{good}\n".encode(), kind=NDJSON)
    assert [row.get("error", {}).get("code") for row in lines(found)] == [
        None,
        "name-repeated",
        None,
    ]
    answer = ',"may_text":false,"decision":null,"reason":null,"error":'
    assert found.response.text.split("\n")[1].startswith(sent[:-1] + answer)


def test_an_older_answer_does_not_stay_in_an_object_with_a_name_twice(clinic: Clinic) -> None:
    """Not even for who reads the first of two equal names."""
    line = f'{{"may_text":true,"number":"{ANN}","number":"{BEN}"}}\n'
    found = clinic.scrubs(line.encode(), kind=NDJSON)
    assert lines(found)[0]["error"]["code"] == "name-repeated"
    assert "true" not in found.response.text


def cut(body: bytes) -> list[bytes]:
    """The lines of a list after its mark; a return ends one where the first line says so."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if b"\r" in body.split(b"\n")[0][:-1]:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return body.split(b"\n")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(body=codecs.BOM_UTF8)
@example(body=codecs.BOM_UTF8 + b"\r\n{}\r\n")
@example(body=b'number,\n,\0"')
@given(body=st.one_of(
    st.binary(max_size=300).filter(lambda body: not body.startswith((b"\xff\xfe", b"\xfe\xff"))),
    st.text('",;\n\r\0=1x+é', max_size=80).map(lambda text: f"number,a\n{text}".encode()),
    st.lists(st.sampled_from(['"', ANN, ",", "\n", "\r\n", "\r", "x"])).map(
        lambda parts: ("a,number\n" + "".join(parts)).encode()
    ),
))  # fmt: skip
@pytest.mark.parametrize("kind", ["text/csv", NDJSON])
def test_whatever_is_sent_is_answered(clinic: Clinic, kind: str, body: bytes) -> None:
    """Never a 500, never a cut-off answer; a table stays a table."""
    answer = clinic.scrubs(body, kind=kind)
    assert answer.status in (200, 422)
    if answer.status == 422:
        assert not {"+1415", "\0"} & set(answer.response.text)
    elif kind == NDJSON:
        assert len(lines(answer)) == sum(1 for each in cut(body) if each.strip())
    else:
        text = answer.response.content.decode("latin-1")
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        assert {len(row) for row in rows} == {len(rows[0])}
        assert {row[-4] for row in rows[1:]} <= {"true", "false"}


def test_an_empty_list_has_an_empty_answer(clinic: Clinic) -> None:
    """A header alone, and nothing at all."""
    assert clinic.scrubs(b"number").response.text == "number,may_text,decision,reason,error\n"
    assert clinic.scrubs(b"", kind=NDJSON).response.text == ""


def test_a_record_that_cannot_be_read_is_a_no(open_clinic: Open) -> None:
    """What an unreadable record gets is a no, as everywhere."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "hello")
    damage = b"UPDATE consent_status SET snapshot = %s WHERE number_id = %s"
    number_id = clinic.number_id(ANN)
    for damaged in (b"x", b"\x80"):
        clinic.service.database.execute(damage, (damaged, number_id))
        found = column(clinic.scrubs(f"number\n{ANN}\n".encode()), "reason")
        assert found == ["record_unreadable"]
