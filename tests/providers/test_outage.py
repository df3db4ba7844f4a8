"""While the database is away, every provider is told to send again; then nothing is missing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, Clinic
from tests.conftest import new_database
from tests.providers.imitations import IMITATIONS
from tests.providers.wire import Wire
from tests.service import Running, running

CLOSE = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@pytest.fixture
def own_service(server_url: str, template: str) -> Iterator[Running]:
    """A service whose database may go away."""
    with new_database(server_url, template) as url, running(url) as service:
        yield service


def reach(server_url: str, database: str, allowed: bool) -> None:
    """Opens or closes a database to everybody."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(CLOSE.format(f'"{database}"', str(allowed).lower()).encode())
        if not allowed:
            conn.execute(END, (database,))


def test_5xx_while_the_database_is_away(own_service: Running, server_url: str) -> None:
    """All at once, as a pool takes seconds to give up; the same requests count afterwards."""
    wires = [Wire(Clinic(own_service, "opt-out", {}), make()) for make in IMITATIONS.values()]
    calls = [wire.text(ANN, "STOP", "in-1") for wire in wires]
    database = urlsplit(own_service.database_url).path.removeprefix("/")
    reach(server_url, database, False)
    with ThreadPoolExecutor(len(wires)) as threads:
        answers: list[Answer] = list(threads.map(lambda w, c: w.delivers(c), wires, calls))
    for answer in answers:
        answer.problem(503, "unavailable")
        assert answer.response.headers["retry-after"]
    reach(server_url, database, True)
    for wire, call in zip(wires, calls, strict=True):
        for _ in range(100):
            answer = wire.delivers(call)
            if answer.status != 503:
                break
        assert wire.reply_in(answer) is not None
        wire.clinic.asks(ANN).is_denied("opted_out_by_contact")
