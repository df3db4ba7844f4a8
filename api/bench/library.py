"""The eventsourcing library used as its documentation has it: an aggregate, and `app.save`."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from api.bench.peers import SCHEMA


class Phone(Aggregate):
    """A number that can be opted out."""

    @event("Registered")
    def __init__(self, number: str) -> None:
        self.number = number
        self.opted_out = False

    @event("OptedOut")
    def opt_out(self, message_id: str) -> None:
        """STOP."""
        self.opted_out = True


class Phones(Application[UUID]):
    """All of them."""

    def stop(self, number: str, message_id: str) -> None:
        """A STOP from a number that is new, saved in one transaction."""
        phone = Phone(number)
        phone.opt_out(message_id)
        self.save(phone)


def application(database_url: str, clients: int) -> Phones:
    """The application on a database, its tables in the peers' schema."""
    given = conninfo_to_dict(database_url)
    settings = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": given.get("dbname", "postgres"),
        "POSTGRES_HOST": given.get("host", "localhost"),
        "POSTGRES_PORT": str(given.get("port", 5432)),
        "POSTGRES_USER": given.get("user", os.environ.get("USER", "postgres")),
        "POSTGRES_PASSWORD": given.get("password") or "none",
        "POSTGRES_SCHEMA": SCHEMA,
        "POSTGRES_POOL_SIZE": str(clients),
    }
    return Phones(env={name: str(value) for name, value in settings.items()})


def saves(app: Phones, clients: int, seconds: float) -> dict[str, Any]:
    """STOPs a second, each saved by itself, from as many threads as pgbench has clients."""
    until = time.perf_counter() + seconds

    def save() -> int:
        count = 0
        while time.perf_counter() < until:
            app.stop("+14155550100", uuid4().hex)
            count += 1
        return count

    with ThreadPoolExecutor(clients) as threads:
        count = sum(done.result() for done in [threads.submit(save) for _ in range(clients)])
    return {"rate": count / seconds}
