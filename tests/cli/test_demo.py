"""The demo's half year is the same at every start, told once, and shows every reason it can."""

import asyncio
import time
from random import Random
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from api.cli.opening import open_account
from api.demo import cast
from api.demo.script import told
from api.demo.seed import SEED, seed
from api.demo.telling import PAST, Scene
from consent_ledger.facts import Event, MessageAsked
from consent_ledger.keyring import Keyring
from consent_ledger.policy import PRESETS
from consent_ledger.store.connection import connector
from consent_ledger.store.mapper import COLUMNS, MAPPER
from consent_ledger.words import Reason

NOW: Final = time.time_ns() // 1000
NEVER: Final = {Reason.RECORD_UNREADABLE, Reason.QUIET_HOURS}
"""No preset has permitted hours, and no record of the demo is broken."""
NOT_IN: Final = {
    "consent-first": {Reason.PRESUMED_BY_POLICY},
    "opt-out": {
        Reason.CONSENT_REQUIRED,
        Reason.CONSENT_PENDING,
        Reason.CONSENT_DECLINED,
        Reason.OPTED_OUT_ON_OTHER_NUMBER,
    },
    "recalls": {Reason.PRESUMED_BY_POLICY, Reason.OPTED_OUT_ON_OTHER_NUMBER},
    "authorization": {
        Reason.PRESUMED_BY_POLICY,
        Reason.NO_CONSENT_NEEDED,
        Reason.OPTED_OUT_ON_OTHER_NUMBER,
    },
}
"""What a preset cannot answer, by its own rules."""


def tell(database_url: str, ring: Keyring, preset: str) -> list[Event]:
    """A demo account's events, in the order of the ledger, after two tellings.

    The second one adds nothing: a start that was interrupted goes on where it stopped.
    """
    account_id = uuid4()

    async def run() -> list[int]:
        async with await connector(database_url)() as conn:
            await open_account(conn, account_id, "Clinic", "US", preset)
        return [await seed(connector(database_url), ring, account_id, NOW) for _ in range(2)]

    assert asyncio.run(run())[1] == 0
    query = f"SELECT {COLUMNS} FROM events WHERE account_id = %s ORDER BY position"
    with psycopg.connect(database_url) as conn:
        return [MAPPER.event(row) for row in conn.execute(query.encode(), (account_id,))]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_reason_of_a_preset_is_shown(database_url: str, preset: str) -> None:
    """Somewhere in the half year a text was answered with each reason that the preset knows."""
    events = tell(database_url, Keyring.generate(), preset)
    shown = {event.fact.reason for event in events if isinstance(event.fact, MessageAsked)}
    assert shown == set(Reason) - NEVER - NOT_IN[preset]
    texted = {event.originator_id for event in events} - {event.account_id for event in events}
    assert len(texted) == len(cast.PEOPLE)
    assert all(event.context.at >= NOW - PAST for event in events)


def test_it_is_the_same_at_every_start() -> None:
    """The same people do the same things at the same distance from today."""
    ring, account_id = Keyring.generate(), uuid4()
    lines = {line: ring.number_id(account_id, line) for line in cast.LINES}
    policy = PRESETS["consent-first"]

    def scene() -> Scene:
        return Scene(Random(SEED), policy, NOW, ring, lines, policy.consent_purposes)

    assert told(scene()) == told(scene())


def test_no_number_of_the_demo_can_be_anyones() -> None:
    """All are 555-0100 to 555-0199, and the documentation's own examples are left free."""
    for number in (*cast.PEOPLE, *cast.LINES):
        assert number[5:8] == "555"
        assert 100 <= int(number[8:]) < 200
        assert number[2:5] != "415"
