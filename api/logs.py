"""Logs: one JSON line each, numbers masked whatever they are part of."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from api.log_level import LogLevel
from consent_ledger.masking import mask


def configure_logging(level: LogLevel) -> None:
    """Sends structlog's lines to standard error as JSON, each string in them masked."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _masked,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Uvicorn's access log would hold URLs; the request line above replaces it.
    logging.getLogger("uvicorn.access").disabled = True


def _masked(logger: Any, method: str, entry: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: mask(value) if isinstance(value, str) and name != "at" else value
        for name, value in entry.items()
    }
