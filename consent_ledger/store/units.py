"""Rows of an import that commit together, and what became of each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from consent_ledger import commands as c
from consent_ledger.facts import Evidence
from consent_ledger.importing.faults import Fault
from consent_ledger.importing.rows import Row
from consent_ledger.words import ActorKind, Basis, Channel


class Job(msgspec.Struct, frozen=True):
    """An import, as far as its facts tell of it; `is_repeated` where its file came before."""

    import_id: UUID
    account_id: UUID
    file_digest: str
    instant: int
    actor_id: str | None = None
    is_repeated: bool = False

    def told(self, at: int | None, line: int) -> c.Told:
        """Who tells of a row: an admin's list, at the row's time or the import's."""
        return c.Told(
            actor=ActorKind.ADMIN,
            channel=Channel.IMPORT,
            actor_id=self.actor_id,
            at=self.instant if at is None else at,
            basis=Basis.IMPORT,
            evidence=Evidence(file_digest=self.file_digest, row=line),
        )


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """What a row came to. `facts`: on which number, from which version on, how many and which.

    `kinds` are the topics of what changed something, or in a dry run would; `read` is whether any
    of its numbers could be used. `besides` are the topics of all that was recorded where that is
    more: evidence that changed nothing, and what a stricter row took back.
    """

    line: int
    ref: str | None
    faults: tuple[tuple[str | None, str], ...]
    facts: tuple[tuple[bytes, int, int], ...]
    kinds: tuple[str, ...]
    read: bool
    besides: tuple[str, ...] = ()

    @property
    def recorded(self) -> tuple[str, ...]:
        """The topics of all that was recorded, in order."""
        return self.besides or self.kinds

    @property
    def status(self) -> str:
        """`accepted` changed something; `rejected` could not be used at all."""
        if self.kinds:
            return "accepted"
        return "unchanged" if self.read else "rejected"


class Cell(NamedTuple):
    """One number of one row: its place among the unit's rows and its ids, newest key first."""

    place: int
    e164: bytes
    ids: tuple[bytes, ...]


Note = tuple[bytes, int, int, tuple[str, ...], tuple[str, ...]]
"""Facts that were recorded: the number, the version of the first, how many, the topics of those
that changed something, and those of all."""


class Unit:
    """Rows that commit together, and what became of each."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.faults: dict[int, list[Fault]] = {}
        self._notes: dict[int, list[Note]] = {}

    def note(
        self,
        place: int,
        number_id: bytes,
        first: int,
        count: int,
        topics: tuple[str, ...],
        recorded: tuple[str, ...],
    ) -> None:
        """Facts that were recorded for a row, from this version of a number on."""
        notes = self._notes.get(place)
        if notes is None:
            self._notes[place] = [(number_id, first, count, topics, recorded)]
        else:
            notes.append((number_id, first, count, topics, recorded))

    def forget(self) -> None:
        """Forgets every note, before the rows are looked at anew."""
        self._notes.clear()

    def news(self) -> Mapping[bytes, set[str]]:
        """By number the topics of what was noted and changed something."""
        found: defaultdict[bytes, set[str]] = defaultdict(set)
        for notes in self._notes.values():
            for number_id, _, _, topics, _ in notes:
                found[number_id].update(topics)
        return found

    def verdicts(self) -> list[Verdict]:
        """The verdict of every row, in order."""
        notes, faults = self._notes.get, self.faults.get
        return [
            _verdict(row, notes(place, ()), faults(place, ()))
            for place, row in enumerate(self.rows)
        ]


def _verdict(row: Row, notes: Sequence[Note], own: Sequence[Fault]) -> Verdict:
    line, ref, numbers, _, _, faults = row
    if len(notes) == 1 and not own:
        # Nearly every row of nearly every list.
        number_id, first, count, topics, recorded = notes[0]
        told = tuple((column, code) for column, code in faults) if faults else ()
        besides = () if recorded == topics else recorded
        return Verdict(line, ref, told, ((number_id, first, count),), topics, True, besides)
    kinds = tuple(topic for _, _, _, topics, _ in notes for topic in topics)
    every = tuple(topic for _, _, _, _, recorded in notes for topic in recorded)
    return Verdict(
        line,
        ref,
        faults=tuple((each.column, each.code) for each in (*faults, *own)),
        facts=tuple((number_id, first, count) for number_id, first, count, _, _ in notes),
        kinds=kinds,
        read=len(numbers) > len(own),
        besides=() if every == kinds else every,
    )


def counts(verdicts: Iterable[Verdict]) -> Mapping[str, int]:
    """How many rows came to what."""
    rows = accepted = unchanged = rejected = partly = 0
    for verdict in verdicts:
        rows += 1
        if verdict.kinds:
            accepted += 1
        elif verdict.read:
            unchanged += 1
        else:
            rejected += 1
            continue
        if verdict.faults:
            partly += 1
    return {
        "rows": rows,
        "accepted": accepted,
        "unchanged": unchanged,
        "rejected": rejected,
        "partly_rejected": partly,
    }
