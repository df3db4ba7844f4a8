"""What the database answers to statements that are run with no more than libpq's own work."""

from collections.abc import Generator, Iterator
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

FINE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


def checked(result: PGresult) -> PGresult:
    """The result; raises what a cursor would where it is an error."""
    if result.status in FINE:
        return result
    if not result.error_field(DiagnosticField.SQLSTATE):
        # Not the database speaks so but the library, of a connection that is gone.
        raise psycopg.OperationalError("the connection is lost")
    raise errors.error_from_result(result)


def cells(result: PGresult) -> Iterator[list[Any]]:
    """The rows of a result in binary, each a list of its values as they came; None is NULL."""
    columns, value = range(result.nfields), result.get_value
    for row in range(result.ntuples):
        yield [value(row, column) for column in columns]


def until_sync(pgconn: PGconn) -> Generator[Wait, Ready | int, list[PGresult]]:
    """The results of a pipeline, until the one that says that it is over."""
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    results: list[PGresult] = []
    between = True
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is not None:
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)
        elif between:
            # Nothing at hand between two statements' results; a lost connection fails here.
            yield Wait.R
            pgconn.consume_input()
        between = result is None
