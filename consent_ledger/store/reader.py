"""Checks read here: what stands of numbers and of their account, as of one moment."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg.pq.abc import PGresult

from consent_ledger.ledger import UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.asking import ANSWER_SECONDS
from consent_ledger.store.binary import uuids_of_bytes
from consent_ledger.store.connection import Connect
from consent_ledger.store.sharing import Shared
from consent_ledger.store.view import READ, Answer, View, read_answer

_Numbers = tuple[UUID, Sequence[UUID]]
"""The account, and the ids of the numbers."""


class Reader(Shared[_Numbers, View]):
    """The one reader of a process: `view` from any task, `run` in one."""

    def __init__(
        self, connect: Connect, accounts: AccountCache, newest_generation: int = 1
    ) -> None:
        super().__init__(connect, READ)
        self._newest_generation = newest_generation
        self._accounts = accounts

    def view(self, account_id: UUID, ids: Sequence[UUID]) -> "asyncio.Future[View]":
        """A consistent view of these numbers; UnavailableError where the database is away."""
        return self._ask_for((account_id, ids))

    def _size(self, question: _Numbers) -> int:
        return len(question[1])

    def _params(self, questions: Sequence[_Numbers]) -> list[bytes]:
        ids = [number_id.bytes for _, its in questions for number_id in its]
        accounts = {account_id.bytes for account_id, _ in questions}
        return [uuids_of_bytes(ids), uuids_of_bytes(list(accounts))]

    def _answered(self, result: PGresult) -> None:
        answer = read_answer(result, self._newest_generation)
        views: dict[UUID, View] = {}
        for account_id in self._accounts_asked():
            version = answer.version(account_id)
            if version is not None:
                account = self._accounts.known(account_id, version)
                if account is None:
                    self._settling = asyncio.create_task(self._settle_by_accounts(answer))
                    return
                views[account_id] = answer.view(account)
        self._settle_by(views)

    async def _settle_by_accounts(self, answer: Answer) -> None:
        """The same after a look at accounts that are new here, or have changed."""
        assert self._asking is not None
        assert self._conn is not None
        views: dict[UUID, View] = {}
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._asking.paused():
                for account_id in self._accounts_asked():
                    version = answer.version(account_id)
                    if version is not None:
                        account = await self._accounts.at(self._conn, account_id, version)
                        views[account_id] = answer.view(account)
        except Exception as error:
            self._asking.lose(error)
        else:
            self._settle_by(views)

    def _accounts_asked(self) -> set[UUID]:
        return {account_id for (account_id, _), _ in self._asked}

    def _settle_by(self, views: Mapping[UUID, View]) -> None:
        self._settle(
            lambda asked: views.get(asked[0]) or UnavailableError("the account is unknown")
        )
