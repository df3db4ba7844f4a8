"""What happens at the same time: a test holds what others need, and lets go when they have come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.api.receiver import eventually
from tests.service import Running

NUMBER: Final = "SELECT FROM consent_status WHERE number_id = %s FOR UPDATE"
ACCOUNT: Final = "SELECT FROM account_status WHERE account_id = %s FOR UPDATE"
GATE: Final = "SELECT pg_advisory_xact_lock(4711)"
"""A lock of the tests' own, for triggers that wait at it."""
WAITING: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@contextmanager
def holding(service: Running, statement: str, *params: Any) -> Iterator[Callable[[int], None]]:
    """Holds what a statement locks until the block ends, and gives what waits until so many
    transactions wait."""

    def until_waiting(count: int) -> None:
        eventually(lambda: service.rows(WAITING) == [(count,)])

    with psycopg.connect(service.database_url) as conn:
        conn.execute(statement.encode(), params or None)
        yield until_waiting
        conn.rollback()


WORKER: Final = b"api.importing.worker"


def workers_of(pid: int) -> list[int]:
    """The processes that work on the imports of a service, one or none."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(pid) for each in tasks for pid in (each / "children").read_text().split()]
    return [pid for pid in children if WORKER in Path(f"/proc/{pid}/cmdline").read_bytes()]
