"""What the writer asks of a read model, so that its rows commit with the events they come from."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from consent_ledger.facts import Event
from consent_ledger.held import Held
from consent_ledger.snapshot import Snapshot


class Change(NamedTuple):
    """One number before and after some of its events, in one transaction.

    `ordinals` gives each event's place in the transaction, by version; `last` is that of the last
    one. `held` are the texts that were loaded or that the events are about, as they are now.
    """

    account_id: UUID
    number_id: UUID
    before: Snapshot
    after: Snapshot
    events: list[Event]
    held_before: Mapping[str, Held]
    held: Mapping[str, Held]
    ordinals: Mapping[int, int]


class Column(NamedTuple):
    """A column of a read model: name and SQL type.

    In a column of type `position` rows carry the place in the transaction, and the statement makes
    it a position; None keeps the stored one.
    """

    name: str
    type: str


class Projection(Protocol):
    """A read model: its table, and the rows that a change makes of it."""

    @property
    def table(self) -> str:
        """The table's name."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns, in the order of the rows."""
        ...

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key, the number's id first."""
        ...

    @property
    def removes(self) -> bool:
        """Whether rows of it ever go."""
        ...

    def rows(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The rows to put, in the order of `columns`."""
        ...

    def gone(self, change: Change) -> Iterable[tuple[Any, ...]]:
        """The keys of rows to remove, in the order of `key`."""
        ...
