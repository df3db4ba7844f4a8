"""Messages found by their ids: whose they are, and what is known of those that were ever held."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from psycopg.pq.abc import PGresult

from consent_ledger.held import Held
from consent_ledger.ledger import MESSAGE_CLAIM
from consent_ledger.store.binary import array, integer
from consent_ledger.store.codec import decode_held
from consent_ledger.store.connection import Connect
from consent_ledger.store.results import cells
from consent_ledger.store.sharing import Shared

FIND: Final = f"""
SELECT account_id, key, number_id, version,
    (SELECT e164 FROM numbers WHERE number_id = found.number_id),
    (SELECT held FROM deferred_messages
        WHERE number_id = found.number_id AND message_id = given.message_id)
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS given (account_id, key, message_id)
CROSS JOIN LATERAL (
    SELECT number_id, version FROM claims
    WHERE account_id = given.account_id AND kind = {MESSAGE_CLAIM} AND key = given.key
    LIMIT 1
) AS found"""
"""One look at a time by each key, whatever the database believed of the tables as it planned."""


class Message:
    """A message by its id: the number it was asked about, None where its person was erased, and the
    version of the event that answered."""

    __slots__ = ("_held", "number", "number_id", "version")

    def __init__(
        self, number_id: UUID, version: int, number: str | None, held: bytes | None
    ) -> None:
        self.number_id = number_id
        self.version = version
        self.number = number
        self._held = held

    @property
    def held(self) -> Held | None:
        """Its row, where it was ever held. Read here, so that one that is damaged fails whoever
        asks for it, and none of those who shared the query."""
        return None if self._held is None else decode_held(self._held)


_Named = tuple[UUID, UUID, str]
"""The account, the key of the message's claim, and its id."""


class Messages(Shared[_Named, Message | None]):
    """The one that finds messages in a process: `find` from any task, `run` in one."""

    def __init__(self, connect: Connect) -> None:
        super().__init__(connect, FIND)

    def find(
        self, account_id: UUID, key: UUID, message_id: str
    ) -> "asyncio.Future[Message | None]":
        """The message of an account that this claim and id name, None where there is none;
        UnavailableError where the database is away, ValueError for an id that is no text."""
        # The database can hold no NUL, and would refuse the question of all who share it; as would
        # the driver for half a character.
        message_id.encode()
        return self._ask_for((account_id, key, message_id.replace("\0", "")))

    def _params(self, questions: Sequence[_Named]) -> list[bytes]:
        accounts, keys, ids = zip(*questions, strict=True)
        return [array("uuid", accounts), array("uuid", keys), array("text", ids)]

    def _answered(self, result: PGresult) -> None:
        found: dict[tuple[UUID, UUID], Message] = {}
        for account, key, number_id, version, e164, held in cells(result):
            found[UUID(bytes=account), UUID(bytes=key)] = Message(
                UUID(bytes=number_id),
                integer(version),
                None if e164 is None else e164.decode(),
                held,
            )
        self._settle(lambda named: found.get(named[:2]))
