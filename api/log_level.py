"""How much is logged."""

from enum import StrEnum


class LogLevel(StrEnum):
    """The least that is logged, the most talkative first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @classmethod
    def _missing_(cls, value: object) -> "LogLevel | None":
        """In capitals too, as in the settings of other programs."""
        lower = value.lower() if isinstance(value, str) else None
        return next((level for level in cls if level.value == lower), None)
