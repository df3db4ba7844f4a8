"""A process that writes one whole report: `python -m api.report.worker`, told by a frame.

It ends with the service: its pipes close, whatever ends the service. What goes wrong is answered by
its name alone, and nothing is printed: an error's text may hold what somebody said.
"""

import os
import signal
import sys
import threading
from typing import Final

import psycopg

from api.frames import framed, read_frame
from api.report.everything import ask, slices
from api.report.formats import Format
from api.report.orders import Order, Part, order_of
from api.report.sheet import SheetFile
from api.report.writing import CsvFile, File, NdjsonFile
from consent_ledger.store.connection import service_conninfo

NICE: Final = 5
"""Live checks come first where there is not enough of the processor."""


def _file(kind: Format) -> File:
    match kind:
        case Format.CSV:
            return CsvFile()
        case Format.NDJSON:
            return NdjsonFile()
        case Format.XLSX:
            return SheetFile()


def _tell(part: Part) -> None:
    sys.stdout.buffer.write(framed(part))
    sys.stdout.buffer.flush()


def _write(order: Order) -> None:
    file = _file(order.kind)
    with psycopg.connect(service_conninfo(order.database_url), autocommit=True) as conn:
        ask(conn, order.account_id, order.filters)
        _tell(Part(file.head()))
        for rows in slices(conn):
            if data := file.rows(rows):
                _tell(Part(data))
    if data := file.tail():
        _tell(Part(data))
    _tell(Part())


def _end_with_the_service() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def main() -> None:
    """Writes the report, and ends."""
    # Ctrl-C is for the service, which ends this process by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    order = order_of(read_frame(sys.stdin.buffer) or b"")
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    try:
        _write(order)
    except OSError:
        # Nobody reads any more.
        os._exit(1)
    except Exception as error:
        _tell(Part(error=type(error).__name__))


if __name__ == "__main__":
    main()
