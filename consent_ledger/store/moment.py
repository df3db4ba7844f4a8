"""The database's clock, and how a transaction keeps to one moment of the ledger."""

from typing import Final

NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""Microseconds since 1970, told anew wherever a statement asks."""
BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""All that is read from here on is of the moment of the first statement."""
