"""Settings of the service; each is an option of `serve` and a CONSENT_LEDGER_ variable."""

from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.log_level import LogLevel

BODY_LIMIT: Final = 1_048_576
"""Bytes of a request body: a thousand times the largest command, read before anything is hashed."""
BATCH_BODY_LIMIT: Final = 4_194_304
"""Bytes of a batch: 10,000 items of some 400 bytes."""
IMPORT_BODY_LIMIT: Final = 4_294_967_296
"""Bytes of a list: forty million rows. It is kept in pieces as it comes, never in memory."""


class Settings(BaseSettings):
    """What a process of the service is told."""

    model_config = SettingsConfigDict(env_prefix="CONSENT_LEDGER_")

    database_url: str
    key: SecretStr
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    log_level: LogLevel = LogLevel.INFO
    webhook_private_addresses: bool = False

    @property
    def base_url(self) -> str:
        """The URL that providers and people reach the service by; never taken from a request."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
