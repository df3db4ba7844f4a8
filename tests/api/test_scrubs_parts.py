"""The parts of a scrub, each against what it must be equal to."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from api.cli.scrub_summary import Summary
from api.scrubbing import spool as spool_module
from api.scrubbing.blocks import BLOCK, LOOKAHEAD, ROW_LIMIT, Cutter
from api.scrubbing.columns import read_header
from api.scrubbing.incoming import Incoming
from api.scrubbing.numbers import NumberReader, why_not
from api.scrubbing.rows import CsvRows, NdjsonRows
from api.scrubbing.spool import SenderGoneError, Spool
from consent_ledger.importing.columns import Columns as ImportColumns
from consent_ledger.importing.rows import RowReader
from consent_ledger.keyring import Keyring
from consent_ledger.number import UnparseableNumber, canonical

ACCOUNT = UUID(int=7)
DIGITS = st.text("0123456789", min_size=9, max_size=12)
SHAPED = st.from_regex(
    re.compile(r"(\+?1?[ .-]?)?\(?[0-9]{2,3}\)?[ .-]? ?[0-9]{3}[ .-]?[0-9]{3,5}"), fullmatch=True
)
WRITTEN = st.one_of(
    DIGITS,
    DIGITS.map("+{}".format),
    DIGITS.map("+1{}".format),
    SHAPED,
    st.text("+10239 ().-/x²１٣", max_size=16),
)


def by_the_ledger(text: str, region: str | None) -> bytes | None:
    """The number as any other route reads it."""
    try:
        return canonical(text, region).encode()
    except UnparseableNumber:
        return None


# The first number of a region loads its metadata, which takes long on a busy machine.
@settings(deadline=None)
@given(text=WRITTEN, region=st.sampled_from([None, "US", "CA", "GB", "BS", "DE", "MX"]))
@example("+11234567890", "US")
@example("1(415) 555-0100", "US")
@example("+1(415) 555-0100", None)
@example("1 415 555 0100", "CA")
@example("415.555.0000", "US")
def test_a_number_is_read_as_everywhere_else(text: str, region: str | None) -> None:
    """The fast reading and the ledger's own give the same number, or none."""
    assert NumberReader(region).read(text.encode()) == by_the_ledger(text, region)


@settings(deadline=None)
@given(
    text=st.one_of(
        WRITTEN,
        WRITTEN.map("'{}".format),
        WRITTEN.map('="{}"'.format),
        WRITTEN.map('\'="{}"'.format),
        st.text("+14.,0E'=\"#", max_size=14),
        st.from_regex(re.compile(r"1?[2-9][0-9]{6,9}[.,]0{1,4}"), fullmatch=True),
    ),
    region=st.sampled_from([None, "US", "DE"]),
)
@example("1415555.0000", "US")
@example("1701234567.0", "DE")
def test_a_cell_is_read_as_an_import_reads_it(text: str, region: str | None) -> None:
    """What spreadsheets put around a number, and what they made of one."""
    reader = RowReader(region, frozenset(), (), 0)
    row = reader.read(1, [text], ImportColumns.of(["number"]))
    found = NumberReader(region).read(text.strip().encode())
    assert found == (row.numbers[0].encode() if row.numbers else None)


@pytest.mark.parametrize("text", ["4.15E+09", "4155550131.0", "'4155550131,00", "###", "#N/A"])
def test_what_a_spreadsheet_has_changed_is_said_to_be(text: str) -> None:
    """Rather than that it is no number: the person is to look into the spreadsheet."""
    assert NumberReader("DE").read(text.encode()) is None
    assert why_not(text.encode()) == "number-damaged"
    assert why_not(b"nobody") == why_not(b"") == "number-unparseable"


def test_an_object_however_deep_harms_no_other() -> None:
    """It has a row of its own, also where it is too deep for one of the two who read it."""
    good = b'{"number":"+14155550100"}'
    for depth in (10, 500, *range(900, 1_050, 5)):
        deep = b'{"number":"+14155550100","x":' + b'{"a":' * depth + b"1" + b"}" * (depth + 1)
        first, second, third = NdjsonRows().read(b"\n".join((good, deep, good, b"")))
        assert first == third == (b"+14155550100", None, good[:-1])
        assert second.error in (None, "not-json")


def test_every_area_code_is_read_as_everywhere_else() -> None:
    """All of them, with a plus and without."""
    for area in range(1000):
        for text in (f"+1{area:03}5550100", f"{area:03}5550100", f"({area:03}) 555-0100"):
            assert NumberReader("US").read(text.encode()) == by_the_ledger(text, "US"), text


@given(number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_an_id_is_made_as_everywhere_else(number: str) -> None:
    """Of every generation of the key, newest first."""
    keyring = Keyring.generate().rotated()
    made = [UUID(bytes=make(number.encode())) for make in keyring.id_makers(ACCOUNT)]
    assert tuple(made) == keyring.candidate_ids(ACCOUNT, number)


def cut(body: bytes, part: int, delimiter: str | None = ",") -> list[bytes]:
    """The blocks of a body that comes in parts."""
    cutter = Cutter(delimiter)
    parts = [body[at : at + part] for at in range(0, len(body), part)]
    return [block for each in parts for block in cutter.feed(each)] + list(cutter.finish())


def read(blocks: list[bytes]) -> Iterator[tuple[bytes | None, str | None]]:
    """The numbers and errors of the rows of blocks."""
    rows = CsvRows(read_header(b"number,a\n")[0], "US")
    for block in blocks:
        yield from ((row.number, row.error) for row in rows.read(block))


class Body:
    """A request's body in parts."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)

    async def receive(self) -> Message:
        """The next part."""
        body = self._parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self._parts)}


def taken_in(*parts: bytes) -> tuple[bytes, bytes]:
    """The header of a list that comes in parts, and the rest of it."""

    async def take() -> tuple[bytes, bytes]:
        incoming = Incoming(Body(*parts).receive)
        task = asyncio.create_task(incoming.run())
        line, rest = await incoming.first_line()
        while data := await incoming.take():
            rest += data
        task.cancel()
        incoming.spool.close()
        return line, rest

    return asyncio.run(take())


WRITTEN_OUT = ["id|Phone\n", "sep=|\nid|Phone\n", "\n", "", "Phone"]


@settings(deadline=None, max_examples=60)
@given(
    header=st.sampled_from(WRITTEN_OUT),
    rows=st.lists(st.text('é😀a1,"\0', max_size=3), max_size=4),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
    size=st.integers(1, 9),
)
def test_a_list_is_the_same_however_it_is_written_and_comes(
    header: str, rows: list[str], line_end: str, encoding: str, size: int
) -> None:
    """In UTF-16 and in UTF-8, with lines that end in any way, in parts of any size."""
    text = header
    if header.endswith("\n"):
        # A return at the very end is taken for the half of a line end that was cut off.
        text += "".join(row + "\n" for row in rows) + "end"
    mark = "" if encoding == "utf-8" else "\ufeff"
    sent = (mark + text.replace("\n", line_end)).encode(encoding)
    parts = [sent[at : at + size] for at in range(0, len(sent), size)] or [b""]
    line, rest = taken_in(*parts)
    kept = "\n" if line_end == "\r" else line_end
    assert (line + rest).decode() == mark + text.replace("\n", kept)
    assert line.decode() == mark + header.replace("\n", kept)


def test_a_return_that_may_belong_to_a_newline_waits_for_it() -> None:
    """Where a part ends between the two."""
    assert taken_in(b"number\r", b"\n1\r", b"\n") == (b"number\r\n", b"1\r\n")
    assert taken_in(b"number\r", b"1\r", b"\n2\r") == (b"number\n", b"1\n2\n")


CELLS = st.lists(
    st.tuples(st.text("0123456789", min_size=1, max_size=12), st.text('",\n\r;x', max_size=6)),
    max_size=30,
)


@given(cells=CELLS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_rows_are_those_that_were_written(cells: list[tuple[str, str]], quoting: int) -> None:
    """Whatever is quoted, and whatever stands in the quotes."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting).writerows(cells)  # type: ignore[arg-type]
    found = list(read(cut(text.getvalue().encode(), 10_000)))
    assert found == [(number.encode(), None) for number, _ in cells]


@pytest.mark.parametrize("part", [999, 65_536, BLOCK, 10**7])
def test_where_a_body_is_cut_changes_nothing(part: int) -> None:
    """Many blocks, rows that go over several lines, and a quote that nothing closes."""
    good = [f'+1415{i:07},"a ""b""\n{i}"\n' if i % 3 else f"+1415{i:07},\n" for i in range(20_000)]
    plain = [f"+1416{i:07},\n" for i in range(10_000)]
    body = ("".join(good) + '+14175550100,"open\n' + "".join(plain) + "".join(good)).encode()
    blocks = cut(body, part)
    assert b"".join(blocks) == body
    assert max(map(len, blocks)) <= LOOKAHEAD + BLOCK
    found = list(read(blocks))
    assert [error for _, error in found if error] == ["quoting-broken"]
    numbers = [number for number, _ in found if number]
    assert len(numbers) == 50_000
    assert numbers[-1] == b"+14150019999"


@pytest.mark.parametrize("delimiter", [",", None])
def test_a_line_without_an_end_is_not_held(delimiter: str | None) -> None:
    """As much of it as shows that it is too long; what follows is read."""
    cutter, most = Cutter(delimiter), 0
    blocks: list[bytes] = []
    for part in [b"x" * BLOCK] * 40 + [b"\nrest\n"]:
        blocks += cutter.feed(part)
        most = max(most, len(cutter._held))
    blocks += cutter.finish()
    assert [len(block) for block in blocks] == [ROW_LIMIT + 2, 5]
    assert most <= LOOKAHEAD


def test_what_is_not_taken_goes_to_a_file_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, with little in memory, and the file shrinks once it is read."""
    monkeypatch.setattr(spool_module, "SEGMENT", 1_000)

    async def through() -> bytes:
        spool, taken = Spool(), b""
        for i in range(500):
            await spool.put(b"%06d\n" % i)
            assert len(b"".join(spool._tail)) < 1_000
            if i % 3 == 0:
                taken += await spool.take()
        await spool.end()
        while part := await spool.take():
            taken += part
        assert spool._written == 0
        spool.close()
        return taken

    assert asyncio.run(through()) == b"".join(b"%06d\n" % i for i in range(500))


def test_a_disk_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends waits until somebody reads."""
    monkeypatch.setattr(spool_module, "SEGMENT", 10)
    monkeypatch.setattr(spool_module, "SPOOL_LIMIT", 100)

    async def fill() -> None:
        spool = Spool()
        for _ in range(10):
            await spool.put(b"x" * 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(spool.put(b"x" * 10), 0.05)
        assert await spool.take()
        for _ in range(20):
            if spool._written:
                await spool.take()
        await asyncio.wait_for(spool.put(b"x" * 10), 1)
        spool.close()

    asyncio.run(fill())


def test_who_sends_nothing_for_long_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is who went away: the rows that came are not taken for all."""
    monkeypatch.setattr(spool_module, "STALL_SECONDS", 0.05)

    async def wait(gone: bool) -> None:
        spool = Spool()
        if gone:
            await spool.put(b"half")
            await spool.end(gone=True)
        with pytest.raises(SenderGoneError):
            await spool.take()

    for gone in (False, True):
        asyncio.run(wait(gone))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_summary_counts_the_rows_that_go_by(size: int) -> None:
    """However they are cut, in both kinds of list."""
    table = b"number,may_text,decision,reason,error\r\n" + b"".join(
        [
            b'"a\r\nb",true,allow,consented,\r\n' * 3,
            b"c,false,deny,opted_out_by_contact,\r\n",
            b"d,false,,,number-unparseable\r\n",
        ]
    )
    objects = (
        b'{"x":1,"may_text":true,"decision":"allow","reason":"consented"}\n' * 3
        + b'{"may_text":false,"decision":"deny","reason":"opted_out_by_contact"}\n'
        + b'{"may_text":false,"decision":null,"reason":null,'
        b'"error":{"code":"number-unparseable","detail":"No phone number."}}\n'
    )
    for csv_list, body in ((True, table), (False, objects)):
        summary = Summary(csv_list)
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        assert b"".join(summary.counting(parts)) == body
        assert (summary.rows, summary.may_text) == (5, 3)
        assert [(i["reason"], i["error"], i["rows"]) for i in summary.items()] == [
            ("consented", None, 3),
            (None, "number-unparseable", 1),
            ("opted_out_by_contact", None, 1),
        ]


WITHIN = b"x,true,allow,consented,"


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("begin", "cell"),
    [
        (b"number,", b'"a\n' + WITHIN + b'\nb"'),
        (b"number,", b'"a""\r\n""' + WITHIN + b'\r\n"'),
        (b"sep=,\r\nnumber,", b'5" pipe,"' + WITHIN + b'\n"'),
        (b"number;", b'"\n' + WITHIN.replace(b",", b";") + b'\n"'),
    ],
)
def test_a_summary_counts_verdicts_and_no_words_of_the_list(
    begin: bytes, cell: bytes, size: int
) -> None:
    """An older answer that somebody pasted into a note is no answer to this question."""
    between = begin[-1:]
    answer = b"false,deny,purpose_blocked,\n".replace(b",", between)
    header = begin + b"may_text,decision,reason,error\n".replace(b",", between)
    body = header + (cell + between + answer) * 2 + b"\n" + b"c" + between + answer
    summary = Summary(csv=True)
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    assert b"".join(summary.counting(parts)) == body
    assert summary.items() == [
        {"decision": "deny", "reason": "purpose_blocked", "error": None, "rows": 3}
    ]


@pytest.mark.parametrize(
    "old",
    [
        {"may_text": True, "decision": "allow", "reason": "consented"},
        {"decision": "allow", "reason": "x", "error": {"code": "y", "detail": "z"}},
        '"decision":"allow","reason":"x"}',
    ],
)
def test_a_summary_counts_no_answer_within_an_object(old: object) -> None:
    """A customer's own field holds whatever it likes."""
    begin = json.dumps({"number": "x", "old": old}, separators=(",", ":"))[:-1]
    answers = (
        '"may_text":false,"decision":"deny","reason":"purpose_blocked"}',
        '"may_text":false,"decision":null,"reason":null,"error":{"code":"z","detail":"No."}}',
    )
    summary = Summary(csv=False)
    list(summary.counting([f"{begin},{answer}\n".encode() for answer in answers]))
    assert (summary.rows, summary.may_text) == (2, 0)
    assert {(each["reason"], each["error"]) for each in summary.items()} == {
        ("purpose_blocked", None),
        (None, "z"),
    }
