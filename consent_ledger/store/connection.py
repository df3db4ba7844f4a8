"""Connections of the service: autocommit, under the role that can add events and no more."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.conninfo import make_conninfo

SERVICE_ROLE: Final = "consent_ledger_service"
"""The role of migration 0001: it inserts events and never updates or deletes one."""
CONNECT_SECONDS: Final = 5
"""A database that does not answer by then is away: checks say 503, and nobody texts."""

Connect = Callable[[], Awaitable[AsyncConnection[Any]]]


def service_conninfo(database_url: str) -> str:
    """The database URL with what every connection of the service sets."""
    return make_conninfo(
        database_url,
        connect_timeout=CONNECT_SECONDS,
        application_name="consent-ledger",
        options=f"-c role={SERVICE_ROLE}",
    )


def connector(database_url: str) -> Connect:
    """Opens connections of the service."""
    conninfo = service_conninfo(database_url)

    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=1)

    return connect


def connect_as_owner(database_url: str) -> Connection[Any]:
    """A connection for migrations and rebuilds, under the URL's own role."""
    return psycopg.connect(database_url, autocommit=True, connect_timeout=CONNECT_SECONDS)
