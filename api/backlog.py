"""What of an account's held texts need not be looked at again, as far as one process knows.

A campaign that waits for the morning is a hundred thousand texts that are all ready and may not go
yet, and whoever sends asks for the next ones every second. They are looked at once; then only what
has changed since is, until the hour opens for the first of them. And what one request is releasing
no other one need try: without that, sixteen claimants tried every text sixteen times.

It only saves work. Who is given a text is decided in its number's stream.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

LOOKED_AT_AGAIN: Final = 300_000_000
"""Microseconds after which all are looked at again: `rebuild` repairs a record without an event."""
NEVER: Final = 2**63 - 1
START: Final = -1
"""Before every position."""


class Outlived(NamedTuple):
    """A text that has outlived its expiry, whose end is not recorded yet."""

    number_id: UUID
    message_id: str
    contacts: tuple[UUID, ...]
    position: int


Rules = tuple[int, int]
"""The versions of the policy and of the account that texts were judged under."""


class Backlog:
    """The held texts of one account, in the order of their positions.

    None up to `through` may go before `until`, but for those in hand and those of numbers of which
    an event lies behind `horizon`. Instants are the database's, in microseconds.
    """

    def __init__(self) -> None:
        self.looking = asyncio.Lock()
        self.through = START
        self.horizon = START
        self._until = NEVER
        self._since = 0
        self._rules: Rules | None = None
        self._contacts: set[UUID] = set()
        self._in_hand: set[int] = set()
        self._outlived: deque[Outlived] = deque()
        self._back_to = NEVER

    def begin(self, rules: Rules, now: int) -> None:
        """Somebody looks; forgets what was seen where it does not hold any more."""
        self._back_to = NEVER
        old = now >= self._until or now - self._since >= LOOKED_AT_AGAIN
        if old or rules != self._rules:
            self._rules, self._since = rules, now
            self.forget()

    def end(self) -> None:
        """Nobody looks any more. What was let go meanwhile may have been passed."""
        self.through = min(self.through, self._back_to)

    def forget(self) -> None:
        """Has all looked at again."""
        self.through, self._until = START, NEVER
        self._contacts.clear()

    def concerns_contacts(self, changed: set[UUID]) -> bool:
        """Whether one of these is another number of a contact whose text was passed over."""
        return not self._contacts.isdisjoint(changed)

    def is_in_hand(self, position: int) -> bool:
        """Whether a request is releasing a text."""
        return position in self._in_hand

    def take(self, position: int) -> None:
        """A request is going to release a text."""
        self._in_hand.add(position)

    def outlive(self, text: Outlived) -> None:
        """A text may never go any more: it is in hand until a request has recorded its end."""
        self.take(text.position)
        self._outlived.append(text)

    def next_outlived(self, limit: int) -> list[Outlived]:
        """The first of those, up to `limit`, for the one request that ends them."""
        return [self._outlived.popleft() for _ in range(min(limit, len(self._outlived)))]

    def pass_over(self, not_before: int | None, contacts: Sequence[UUID]) -> None:
        """A text may not go: not before an instant, or before something changes."""
        if not_before is not None:
            self._until = min(self._until, not_before)
        self._contacts.update(contacts)

    def let_go(self, taken: Iterable[int], released: Iterable[int] = ()) -> None:
        """A request is done with what it took; what it did not release is looked at again."""
        taken = set(taken)
        self._in_hand -= taken
        for position in taken.difference(released):
            self.look_from(position)

    def look_from(self, position: int) -> None:
        """Has a text, and those behind it, looked at again."""
        self._back_to = min(self._back_to, position - 1)
        self.through = min(self.through, position - 1)
