"""Followers of the feed in one process: their number, their heartbeat, their end."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg
import pytest
from psycopg import AsyncConnection

from api.feed import following
from api.feed.following import Feed, TooManyFollowersError
from api.feed.pages import Wanted
from api.feed.tail import Tail
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connector
from tests.api.test_feed import INSERT, STATE
from tests.cli.conftest import Process, cli
from tests.cli.conftest import running as running_command
from tests.cli.test_serve import serve
from tests.service import LOCAL

ACCOUNT = uuid4()


def with_feed(url: str, act: Callable[[Feed], Coroutine[Any, Any, None]]) -> None:
    """Runs something with the feed of a process."""

    async def main() -> None:
        connect = connector(url)

        @contextlib.asynccontextmanager
        async def connection() -> AsyncIterator[AsyncConnection[Any]]:
            async with await connect() as conn:
                yield conn

        feed = Feed(connection, Tail(connect))
        looking = asyncio.create_task(feed.tail.run())
        try:
            await act(feed)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(main())


def record(url: str, account_id: UUID = ACCOUNT) -> None:
    """An event of the account."""
    with psycopg.connect(url) as conn:
        conn.execute(INSERT, (uuid4(), account_id, "StopReceived", STATE))


async def yes() -> bool:
    """The follower's key is still good."""
    return True


async def no() -> bool:
    """It was revoked."""
    return False


def test_a_stream_beats_and_names_where_it_is(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy sees that it is alive; a resumed follower need not pass over the same events."""
    monkeypatch.setattr(following, "HEARTBEAT_SECONDS", 0.3)
    record(database_url)

    async def act(feed: Feed) -> None:
        wanted = Wanted(frozenset({"StartReceived"}))
        pieces = feed.stream(ACCOUNT, 0, wanted, yes)
        assert await anext(pieces) == b"retry: 1000\nid: 0\n\n"
        beat = (await anext(pieces)).decode()
        assert beat.startswith(": ")
        assert "data" not in beat
        assert int(beat.split("id: ")[1]) > 0
        await pieces.aclose()

    with_feed(database_url, act)


def test_a_stream_ends_with_its_key(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revoked key follows no longer than until the next heartbeat."""
    monkeypatch.setattr(following, "HEARTBEAT_SECONDS", 0.2)

    async def act(feed: Feed) -> None:
        pieces = [piece async for piece in feed.stream(ACCOUNT, 0, Wanted(), no)]
        assert len(pieces) == 1

    with_feed(database_url, act)


def test_a_process_has_so_many_followers(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is told to come again, and has a place when another goes."""
    monkeypatch.setattr(following, "FOLLOWERS", 2)

    async def act(feed: Feed) -> None:
        with feed.following(ACCOUNT):
            with feed.following(uuid4()):
                assert feed.full
                with pytest.raises(TooManyFollowersError):
                    await feed.wait(ACCOUNT, 0, 10, Wanted(), 1)
            assert (await feed.wait(ACCOUNT, 0, 10, Wanted(), 0.1)).items == []
        assert not feed.full

    with_feed(database_url, act)


def test_a_follower_outlives_a_lost_connection(database_url: str) -> None:
    """The look at the ledger begins anew, and what came meanwhile is not missed."""

    async def act(feed: Feed) -> None:
        waiting = asyncio.create_task(feed.wait(ACCOUNT, 0, 10, Wanted(), 10))
        await asyncio.sleep(0.6)
        lose = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        with psycopg.connect(database_url) as conn:
            conn.execute(lose + " AND datname = current_database()")
        record(database_url)
        began = time.monotonic()
        assert len((await waiting).items) == 1
        assert time.monotonic() - began < 5

    with_feed(database_url, act)


def test_an_idle_tail_asks_nothing(database_url: str) -> None:
    """Without a follower the ledger has peace; the next one hears at once."""

    async def act(feed: Feed) -> None:
        assert (await feed.wait(ACCOUNT, 0, 10, Wanted(), 0.5)).items == []
        await asyncio.sleep(0.5)
        with psycopg.connect(database_url) as conn:
            busy = "SELECT max(query_start) < now() - interval '0.2 s' FROM pg_stat_activity "
            where = "WHERE application_name = 'consent-ledger' AND datname = current_database()"
            assert conn.execute(busy + where).fetchone() == (True,)
        waiting = asyncio.create_task(feed.wait(ACCOUNT, 0, 10, Wanted(), 10))
        await asyncio.sleep(0.5)
        record(database_url)
        assert len((await waiting).items) == 1

    with_feed(database_url, act)


def test_the_service_stops_though_somebody_follows(empty_database_url: str) -> None:
    """Streams and waits end, cleanly and at once, when the service is told to stop."""
    key = Keyring.generate().dump()
    env = {"CONSENT_LEDGER_DATABASE_URL": empty_database_url, "CONSENT_LEDGER_KEY": key}
    cli("migrate", **env)
    admin = cli("keys", "bootstrap", "--account-name", "Clinic", **env).stdout.strip()
    with running_command(Process(*serve(empty_database_url, key))) as server:
        url = server.line().split()[-1]
        headers = {"Authorization": f"Bearer {admin}", "Accept": "text/event-stream"}
        feed = f"{url}/v1/feed"
        with httpx2.stream("GET", feed, headers=headers, timeout=20, **LOCAL) as answer:
            lines = answer.iter_lines()
            while not next(lines).startswith("data: "):
                pass
            began = time.monotonic()
            assert server.end() == 0
            assert time.monotonic() - began < 5
            rest = [line for line in lines if line.startswith("data: ")]
            assert all(json.loads(line.removeprefix("data: ")) for line in rest)
