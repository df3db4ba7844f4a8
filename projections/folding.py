"""Folding every stream of a database, in as many processes as are worth it.

Each process takes a range of ids; they are keyed hashes, so the ranges are of one size.
"""

import gc
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.conninfo import make_conninfo

from consent_ledger.store.mapper import UnreadableEventError
from consent_ledger.store.streams import Range
from projections.rebuild import EVERYTHING, Differing, differing

PROCESSES: Final = 2
"""The server's own process works beside each, so more than two cores are busy already."""
SMALL: Final = 200_000
"""Events up to which starting processes takes longer than folding does."""
AT_A_TIME: Final = 5_000
"""Numbers between two messages of a process: some megabytes where all of them differ."""

IS_LARGE: Final = f"SELECT count(*) > {SMALL} FROM (SELECT FROM events LIMIT {SMALL + 1}) AS found"

Folded = tuple[int, list[Differing]]
"""How many events were folded, and what differs."""


class FoldingStoppedError(Exception):
    """A process that folds was killed."""


def fold_everything(conn: Connection[Any]) -> Iterator[Folded]:
    """Folds all there is, on connections of its own to the same database."""
    conninfo = make_conninfo(conn.info.dsn, password=conn.info.password or None)
    row = conn.execute(IS_LARGE.encode()).fetchone()
    if row is not None and row[0]:
        return _in_processes(conninfo)
    return fold_range(conninfo, EVERYTHING)


def fold_range(conninfo: str, within: Range) -> Iterator[Folded]:
    """Folds the streams of a range."""
    with psycopg.connect(conninfo) as conn, closing(differing(conn, within)) as folded:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        numbers, events, found = 0, 0, []
        for count, differs in folded:
            numbers, events = numbers + 1, events + count
            found += differs
            if numbers == AT_A_TIME or len(found) > AT_A_TIME:
                yield events, found
                numbers, events, found = 0, 0, []
        yield events, found


def _in_processes(conninfo: str) -> Iterator[Folded]:
    spawn = get_context("spawn")
    pipes: list[Pipe] = []
    processes = []
    try:
        for within in _ranges(PROCESSES):
            ours, theirs = spawn.Pipe(duplex=False)
            process = spawn.Process(target=_work, args=(theirs, conninfo, within), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        yield from _received(pipes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _received(pipes: list[Pipe]) -> Iterator[Folded]:
    while pipes:
        for pipe in wait(pipes):
            assert isinstance(pipe, Pipe)
            try:
                message = pipe.recv()
            except EOFError:
                raise FoldingStoppedError("a process that folds was killed") from None
            if message is None:
                pipes.remove(pipe)
            elif isinstance(message, str):
                raise UnreadableEventError(message)
            else:
                yield message


def _work(pipe: Pipe, conninfo: str, within: Range) -> None:
    # What is loaded stays, and a fold leaves no cycles behind: looking for them takes a third.
    gc.freeze()
    gc.disable()
    try:
        for folded in fold_range(conninfo, within):
            pipe.send(folded)
            gc.collect()
        pipe.send(None)
    except UnreadableEventError as error:
        pipe.send(str(error))


def _ranges(count: int) -> Iterator[Range]:
    bounds = [UUID(int=(1 << 128) // count * place) for place in range(1, count)]
    yield from map(Range, [None, *bounds], [*bounds, None])
