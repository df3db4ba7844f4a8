"""Races for a number that a transaction can lose, and how often it tries."""

from typing import Final

from psycopg import errors

from consent_ledger.store.batch import OvertakenError

RACES: Final = (
    OvertakenError,
    errors.UniqueViolation,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)
ATTEMPTS: Final = 8
"""Tries of what keeps losing races for a number; each lost race is another's win."""
