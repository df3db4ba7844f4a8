"""The parts of a scrub, each against what it must be equal to."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.cli.scrub_summary import Summary
from api.scrubbing import spool as spool_module
from api.scrubbing.blocks import BLOCK, LOOKAHEAD, ROW_LIMIT, Cutter
from api.scrubbing.columns import read_header
from api.scrubbing.numbers import NumberReader
from api.scrubbing.rows import CsvRows
from api.scrubbing.spool import SenderGoneError, Spool
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
def test_a_number_is_read_as_everywhere_else(text: str, region: str | None) -> None:
    """The fast reading and the ledger's own give the same number, or none."""
    assert NumberReader(region).read(text.encode()) == by_the_ledger(text, region)


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
    rows = CsvRows(read_header(b"number,a\n")[0])
    for block in blocks:
        yield from ((row.number, row.error) for row in rows.read(block))


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
