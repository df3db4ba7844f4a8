"""Generations of the deployment's key: one number, one id, whichever process hears of it."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from consent_ledger.keyring import Keyring
from consent_ledger.ledger import Submission, UnavailableError
from consent_ledger.store.accounts import AccountCache
from consent_ledger.store.connection import connector
from consent_ledger.store.keys import KeyMismatchError, check_keys
from consent_ledger.store.writer import Writer
from projections.inline import PROJECTIONS
from tests.store import drive as d

NUMBER = "+14155550142"


def stop(account: UUID, ring: Keyring) -> Submission:
    ids = ring.candidate_ids(account, NUMBER)
    return replace(d.texted(account, ids[0], "stop"), candidates=ids)


async def meet(url: str, ring: Keyring) -> None:
    conn = await connector(url)()
    try:
        await check_keys(conn, ring)
    finally:
        await conn.close()


def test_a_number_keeps_its_first_id_under_a_newer_key(database_url: str) -> None:
    """Section 9: a stream keeps its first id, so a STOP from before a rotation is found after."""

    async def main() -> None:
        account, ring = await d.open_account(database_url), Keyring.generate()
        await meet(database_url, ring)
        async with d.writing(database_url) as writer:
            first = await writer.record(stop(account, ring))
        longer = ring.rotated()
        await meet(database_url, longer)
        writer = Writer(connector(database_url), AccountCache(), PROJECTIONS, 2)
        task = asyncio.create_task(writer.run())
        again = await writer.record(stop(account, longer))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert again.number_id == first.number_id
        assert (first.version, again.version) == (1, 2)

    asyncio.run(main())


def test_a_process_with_the_older_ring_answers_nothing_once_a_newer_one_is_in_use(
    database_url: str,
) -> None:
    """Section 9: to it, numbers that came under the newer key would look new."""

    async def main() -> None:
        account, ring = await d.open_account(database_url), Keyring.generate()
        await meet(database_url, ring)
        number = ring.candidate_ids(account, NUMBER)[0]
        async with d.writing(database_url) as writer, d.reading(database_url) as reader:
            await reader.view(account, [number])
            await meet(database_url, ring.rotated())
            with pytest.raises(UnavailableError):
                await reader.view(account, [number])
            with pytest.raises(UnavailableError):
                await writer.record(stop(account, ring))

    asyncio.run(main())


def test_another_key_or_a_shorter_ring_is_refused(database_url: str) -> None:
    """Section 9: a wrong key refuses to start, and so does one that lacks a generation in use."""

    async def main() -> None:
        ring = Keyring.generate()
        await meet(database_url, ring.rotated())
        for wrong in (Keyring.generate(), ring):
            with pytest.raises(KeyMismatchError):
                await meet(database_url, wrong)

    asyncio.run(main())
