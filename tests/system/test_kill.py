"""The service and its PostgreSQL are killed under load: what was acknowledged is never lost.

With fsync, as in production. `KILL_ROUNDS` sets how often.
"""

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any, Final

import psycopg

from consent_ledger import facts as f
from consent_ledger.keyring import Keyring
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.words import Role
from projections.repair import compare
from tests.store.drive import check_acknowledged, check_ledger, open_account
from tests.system.client import Client, NoAnswerError
from tests.system.load import Load
from tests.system.service import Running, keys_of, running

ROUNDS: Final = int(os.environ.get("KILL_ROUNDS", "3"))
KINDS: Final = ("service", "postgres", "both")


async def _refuses(service: Running, key: str) -> None:
    """Without its database a service says 503, or nothing: never yes."""
    async with Client(service.port, key) as client:
        for _ in range(3):
            try:
                status, _ = await client.post("/v1/checks", number="+14155550110", purpose="recall")
            except NoAnswerError:
                continue
            assert status == 503


async def _kill(service: Running, kind: str, load: Load) -> None:
    match kind:
        case "service":
            service.end(signal.SIGKILL)
        case "postgres":
            service.kill_postgres()
            await _refuses(service, load.keys[Role.SENDER])
            load.service_gone()
            await asyncio.to_thread(service.end)
        case _:
            service.kill_postgres()
            service.end(signal.SIGKILL)
    load.service_gone()


async def _lives(folder: Path, keyring: Keyring, rounds: int) -> Load:
    orders = {"data_dir": str(folder), "key": keyring.dump()}
    dice = random.Random()
    with running(**orders) as service:
        account = await open_account(service.database_url)
        load = Load(keys_of(service.database_url, keyring, account))
        service.end()
    async with load.running():
        for i in range(rounds):
            with running(**orders) as service:
                load.service_at(service.port)
                await load.progress(dice.randint(20, 150))
                await asyncio.sleep(dice.uniform(0, 0.02))
                await _kill(service, KINDS[i % len(KINDS)], load)
        with running(**orders) as service:
            load.service_at(service.port)
            await load.progress(50)
            await load.end()
            await _check_answers(service, load)
            _check_database(service.database_url, load)
    return load


async def _check_answers(service: Running, load: Load) -> None:
    """The last word of each contact decides, and a text is its one claimant's for good."""
    async with Client(service.port, load.keys[Role.SENDER]) as client:
        for number, word in load.last_words.items():
            answer = await client.told("/v1/checks", number=number, purpose="recall")
            assert answer["may_text"] is (word == "START")
        for message_id, claimant in list(load.claimants.items())[-50:]:
            path = f"/v1/messages/{message_id}/release"
            assert (await client.post(path, claimed_by=claimant))[0] == 200
            assert (await client.post(path, claimed_by="another"))[0] == 409


def _check_database(url: str, load: Load) -> None:
    check_ledger(url)
    check_acknowledged(url, load.acknowledged)
    with psycopg.connect(url) as conn:
        assert compare(conn) == []
        rows = conn.execute(
            f"SELECT {COLUMNS} FROM events WHERE topic = 'MessageReleased'".encode()
        ).fetchall()
    releases: dict[Any, Any] = {}
    for event in map(MAPPER.event, rows):
        assert event.context.message_id not in releases
        assert isinstance(event.fact, f.MessageReleased)
        releases[event.context.message_id] = event.fact.claimed_by
    assert set(load.taken.values()) <= {1}
    assert load.claimants == releases


def test_what_was_acknowledged_survives(on_disk: Path) -> None:
    """Kill -9 of the service, of every process of PostgreSQL and of both, at random moments:
    acknowledged facts are there, each text that was released is its claimant's once, and the next
    life answers."""
    load = asyncio.run(_lives(on_disk, Keyring.generate(), ROUNDS))
    print(
        f"{ROUNDS} kills, {len(load.acknowledged)} acknowledged, {load.lost} without an answer, "
        f"{len(load.taken)} texts taken"
    )
    assert load.lost > 0
    assert load.taken
