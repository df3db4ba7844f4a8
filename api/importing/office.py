"""Where the service takes lists in, and calls its worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg import AsyncConnection
from starlette.requests import ClientDisconnect

from api.auth import Caller
from api.importing import book, staging
from api.importing.clerk import Clerk
from api.importing.headers import FileError
from api.importing.orders import CALL, Orders, busy_line
from api.importing.pace import BUSY, FIELDS, Board, Look
from api.importing.pace import LOOK_SECONDS as PACE_SECONDS
from api.importing.records import Format, check_beginning
from api.importing.tries import CRASHES
from api.settings import Settings
from consent_ledger.keyring import Keyring
from consent_ledger.ledger import UnavailableError
from consent_ledger.store.moment import NOW

LOOK_SECONDS: Final = 5.0
"""How often a process looks for imports that another one left behind when it was killed."""
PATIENCE: Final = 2.0
"""Seconds that the sender of a small list is kept waiting for its end."""
GLANCE: Final = 0.03
FORGOTTEN: Final = "The upload paused for too long, and was forgotten; send the list again."

Connections = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]

log = structlog.get_logger("imports")


class Office:
    """Takes files in, and has a worker beside the service do the rest."""

    def __init__(self, settings: Settings, keyring: Keyring, connection: Connections) -> None:
        key = settings.key.get_secret_value()
        self._orders = Orders(settings.database_url, key, settings.log_level)
        self._keyring = keyring
        self._connection = connection
        self._clerk: Clerk | None = None
        self._fell: list[UUID] = []
        self._calling = asyncio.Lock()
        self._board = Board([0.0] * FIELDS, 0)

    def share_board(self, board: Board) -> None:
        """Counts in how busy the other processes of the service are."""
        self._board = board

    async def run(self) -> None:
        """Looks for what was left behind, until cancelled; then the worker ends too."""
        watching = asyncio.create_task(self._watch())
        try:
            while True:
                with contextlib.suppress(UnavailableError, psycopg.Error):
                    if await self._look():
                        await self.call()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            watching.cancel()
            await self._end()

    async def _look(self) -> bool:
        """Whether there is something to do."""
        async with self._calling:
            if self._clerk is not None and not self._clerk.works:
                await self._dismiss(self._clerk)
            with contextlib.suppress(UnavailableError, psycopg.Error):
                await self._note()
        async with self._connection() as conn:
            await conn.execute(book.FORGET, (book.ABANDONED,))
            return bool(await book.waiting(conn))

    async def _note(self) -> None:
        """Notes at which lists a worker fell: this process has outlived it, as it would not have
        what ends all of them."""
        while self._fell:
            async with self._connection() as conn:
                await book.crashed(conn, self._fell[-1], CRASHES)
            self._fell.pop()

    async def _watch(self) -> None:
        """Tells the worker how busy the service is, whenever it is."""
        look = Look()
        while True:
            await asyncio.sleep(PACE_SECONDS)
            self._board.tell(look.share())
            share, clerk = self._board.share(), self._clerk
            if share > BUSY and clerk is not None and clerk.works:
                await clerk.tell(busy_line(share))

    async def call(self) -> None:
        """Tells the worker that there is something to do; starts it where none runs.

        Where none can be started, such as for want of memory, the next look tries again.
        """
        async with self._calling:
            if self._clerk is not None:
                if self._clerk.works and await self._clerk.tell(CALL):
                    return
                await self._dismiss(self._clerk)
            with contextlib.suppress(UnavailableError, psycopg.Error):
                await self._note()
            # What is noted after the next one came further would count against it.
            self._fell.clear()
            try:
                self._clerk = await Clerk.start(self._orders)
            except OSError as error:
                log.error("import_worker_failed", error=type(error).__name__)

    async def _dismiss(self, clerk: Clerk) -> None:
        """Takes leave of a worker that has ended, or does so just now."""
        at, wished = await clerk.ended()
        self._clerk = None
        if at is not None and not wished:
            log.error("import_worker_fell")
            self._fell.append(at)

    async def _end(self) -> None:
        if self._clerk is not None and self._clerk.works:
            at = await self._clerk.end(LOOK_SECONDS)
            if at is not None:
                with contextlib.suppress(UnavailableError, psycopg.Error):
                    async with self._connection() as conn:
                        await book.forget_try(conn, at)

    async def take_in(
        self, caller: Caller, body: AsyncIterator[bytes], kind: Format, dry_run: bool
    ) -> tuple[UUID, str]:
        """Keeps a file in pieces as it comes: its id and its digest; FileError where it cannot be
        such a file. Nothing is done with it before it is accepted."""
        import_id, digest, part = uuid4(), sha256(), 0
        kept = bytearray()

        async def keep() -> None:
            nonlocal part
            data = bytes(kept)
            kept.clear()
            if part == 0:
                check_beginning(data, kind)
            async with self._connection() as conn:
                if part == 0:
                    params = (import_id, caller.account_id, dry_run, str(kind), caller.key_id)
                    await conn.execute(book.OPEN_IMPORT.encode(), params)
                else:
                    await conn.execute(book.STILL_COMES.encode(), (import_id,))
                await staging.put_piece(conn, self._keyring, import_id, part, data)
            part += 1

        try:
            async for chunk in body:
                digest.update(chunk)
                kept += chunk
                if len(kept) >= staging.PIECE:
                    await keep()
            if kept or part == 0:
                await keep()
        except BaseException as error:
            if part > 0:
                with contextlib.suppress(UnavailableError, psycopg.Error):
                    await self.drop(import_id, book.CUT_OFF)
            if isinstance(error, ClientDisconnect):
                raise FileError(book.CUT_OFF) from None
            raise
        return import_id, digest.hexdigest()

    async def drop(self, import_id: UUID, because: str) -> None:
        """Forgets a file that came and is not to be imported."""
        async with self._connection() as conn:
            await self._drop(conn, import_id, because)

    async def _drop(self, conn: AsyncConnection[Any], import_id: UUID, because: str) -> None:
        await staging.drop(conn, import_id)
        await book.set_state(conn, import_id, "failed", because)

    async def accept(
        self,
        conn: AsyncConnection[Any],
        caller: Caller,
        import_id: UUID,
        digest: str,
        dry_run: bool,
    ) -> UUID:
        """The import that this file is: its own, or the one of the same file under way.

        Within the caller's transaction. FileError where the upload was forgotten meanwhile: what
        came of it since is no whole list.
        """
        # Two that come at once are one: the second finds the first.
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (int(digest[:15], 16),))
        same = await book.find_same(conn, caller.account_id, digest, import_id)
        if same is not None and same.state != "done":
            await self._drop(conn, import_id, "The same file is being imported.")
            await book.rouse(conn, same.import_id)
            return import_id if dry_run else same.import_id
        came = await conn.execute(book.CAME_WHOLE, (digest, import_id))
        if await came.fetchone() is None:
            raise FileError(FORGOTTEN)
        if same is not None:
            await conn.execute(REPEATED.encode(), (same.import_id, import_id))
            await staging.drop(conn, import_id)
        else:
            await book.set_state(conn, import_id, "waiting")
        return import_id

    async def wait(self, caller: Caller, import_id: UUID) -> book.Import:
        """The import, when it ended or patience did."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            async with self._connection() as conn:
                found = await book.find(conn, caller.account_id, import_id)
            assert found is not None
            over = asyncio.get_running_loop().time() > deadline
            if found.state in book.ENDED or over:
                return found
            await asyncio.sleep(GLANCE)


REPEATED: Final = f"""
UPDATE imports SET state = 'done', same_as = first.import_id, rows = first.rows,
    unchanged = first.accepted + first.unchanged, rejected = first.rejected,
    partly_rejected = first.partly_rejected, finished_at = {NOW},
    would_opt_out = CASE WHEN imports.dry_run THEN 0 END,
    would_opt_in = CASE WHEN imports.dry_run THEN 0 END
FROM imports AS first WHERE first.import_id = %s AND imports.import_id = %s"""
