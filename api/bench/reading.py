"""The log as a follower reads it, beside a raw COPY of the same table."""

import asyncio
import time
from typing import Any, Final

import psycopg

from consent_ledger.store.connection import connector
from consent_ledger.store.log import read_log

PAGE: Final = 5_000
"""Events of one page."""
COPY_OUT: Final = "COPY (SELECT * FROM events LIMIT 300000) TO STDOUT"
"""As many as one machine copies in a second or less, however large the ledger is."""


def read_events(database_url: str, seconds: float) -> dict[str, Any]:
    """Events a second of the log reader, from its beginning, as often as there is time."""

    async def read() -> float:
        count, began = 0, time.perf_counter()
        async with await connector(database_url)() as conn:
            position = 0
            while (spent := time.perf_counter() - began) < seconds:
                page = await read_log(conn, position, PAGE)
                count += len(page)
                position = page[-1].position or 0 if len(page) == PAGE else 0
        return count / spent

    return {"rate": asyncio.run(read())}


def copy_events(database_url: str, seconds: float) -> dict[str, Any]:
    """Events a second of COPY to a client that looks at none."""
    count, began = 0, time.perf_counter()
    with psycopg.connect(database_url, autocommit=True) as conn:
        while (spent := time.perf_counter() - began) < seconds:
            with conn.cursor().copy(COPY_OUT.encode()) as copy:
                for _ in copy:
                    count += 1
    return {"rate": count / spent}
