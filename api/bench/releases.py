"""Held texts that may go, released: each by its id, and ten of the oldest at a time."""

import os
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import psycopg

from api.bench import peers
from api.bench.load import FIRST_NUMBER

TEXTS: Final = 2_000
"""Texts of a round: a second or two."""
CONNECTIONS: Final = 48
CLAIMANTS: Final = 16
AT_A_TIME: Final = 10
SECONDS: Final = 30.0
"""The longest that a round may take; it is over when all texts are released."""
FIRST: Final = FIRST_NUMBER + 1_000_000_000
"""Numbers that no other load of the bench has."""

ASK: Final = '{"message_id":"ID","number":"NUMBER","purpose":"conversation"}'
YES: Final = '{"from":"NUMBER","to":"+14155550199","body":"YES","message_id":"yes-ID"}'
RELEASE: Final = '{"claimed_by":"bench"}'
NEXT: Final = f'{{"claimed_by":"ID","limit":{AT_A_TIME}}}'

Load = Callable[..., dict[str, Any]]
_rounds = count()


def release_each(load: Load) -> dict[str, Any]:
    """Releases a second, by the ids of the texts."""
    return load("/v1/messages/ID/release", RELEASE, CONNECTIONS, **_hold(load, TEXTS))


def release_next(load: Load) -> dict[str, Any]:
    """Texts a second that claimants are given who ask for the oldest."""
    held = _hold(load, TEXTS) | {"most": TEXTS // AT_A_TIME}
    found = load("/v1/messages/release-next", NEXT, CLAIMANTS, **held)
    return found | {"rate": found["rate"] * AT_A_TIME}


def table_release_next(load: Load, database_url: str) -> dict[str, Any]:
    """The same of a table of texts."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        peers.fill_outbox(conn, TEXTS)
    spec = {"server": "peers", "unique": True, "warm_up": 0.0, "most": TEXTS // AT_A_TIME}
    found = load("/release-next", NEXT, CLAIMANTS, SECONDS, **spec)
    return found | {"rate": found["rate"] * AT_A_TIME}


def _hold(load: Load, texts: int) -> dict[str, Any]:
    """Has texts wait, each for a contact who then says YES: the load that has the same numbers."""
    place = next(_rounds)
    same = {
        "seconds": SECONDS,
        "unique": True,
        "warm_up": 0.0,
        "most": texts,
        "run": f"held-{os.getpid()}-{place}",
        "first": FIRST + place * 1_000_000,
        "offset": 0,
    }
    for path, said in (("/v1/messages", ASK), ("/v1/inbound-messages", YES)):
        asked = load(path, said, CONNECTIONS, **same)
        if asked["errors"]:
            raise ValueError("a text of the bench could not be held")
    return same
