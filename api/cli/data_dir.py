"""The folder of `consent-ledger dev`: the cluster, the deployment's key, the account's keys.

    postgres/      the database (see consent_ledger.store.embedded)
    key            the deployment's key ring
    account.json   the account, its API keys and the imitated Twilio's token: shown at every start
    running.json   where the service answers, while it does

All but the cluster is 0600: whoever reads it can do everything.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, Self
from uuid import uuid4

NAME: Final = "consent-ledger"
TOKEN_BYTES: Final = 16
"""As long as Twilio's own tokens, written as 32 hexadecimal digits."""


def default_folder() -> Path:
    """Where the platform keeps a user's data (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    # The specification has relative paths ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / NAME


@dataclass
class Kept:
    """What a folder keeps of its account; the demo's past ends at `demo_until`, microseconds."""

    account_id: str
    keys: dict[str, str] = field(default_factory=dict)
    twilio_token: str = ""
    twilio_number: str = ""
    demo_until: int | None = None
    demo_done: bool = False

    @property
    def twilio_endpoint(self) -> str:
        """The name of the imitated Twilio's webhook; endpoints of all accounts share one space."""
        return f"dev-{self.account_id[:8]}"


@dataclass(frozen=True)
class Running:
    """Where the service of a folder answers."""

    url: str
    database_url: str
    twilio_url: str


class DataDir:
    """The files of one folder."""

    def __init__(self, path: Path | None) -> None:
        self.path = (path or default_folder()).absolute()

    @property
    def is_default(self) -> bool:
        """Whether commands find it without being told."""
        return self.path == default_folder().absolute()

    def key(self) -> str | None:
        """The deployment's key ring as text."""
        return _read(self.path / "key")

    def keep_key(self, ring: str) -> None:
        """Keeps the key ring; without it the database is worthless."""
        write_private(self.path / "key", ring)

    def kept(self) -> Kept | None:
        """The account of this folder."""
        found = _read(self.path / "account.json")
        return Kept(**json.loads(found)) if found else None

    def keep(self, kept: Kept) -> None:
        """Keeps the account's keys for the next start."""
        write_private(self.path / "account.json", json.dumps(asdict(kept), indent=2))

    def running(self) -> Running | None:
        """The service that answers, or that was killed before it could say goodbye."""
        found = _read(self.path / "running.json")
        return Running(**json.loads(found)) if found else None

    def note_running(self, running: Running) -> Self:
        """Tells other commands where the service answers."""
        write_private(self.path / "running.json", json.dumps(asdict(running)))
        return self

    def forget_running(self) -> None:
        """The service answers no longer."""
        (self.path / "running.json").unlink(missing_ok=True)


def new_account(twilio_number: str) -> Kept:
    """An account that is not in any database yet."""
    return Kept(uuid4().hex, twilio_token=token_hex(TOKEN_BYTES), twilio_number=twilio_number)


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    partly = path.with_name(f"{path.name}.new")
    partly.unlink(missing_ok=True)
    descriptor = os.open(partly, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partly.replace(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def described(kept: Kept) -> dict[str, Any]:
    """The keys by role, in the order of what they may do."""
    return {role: kept.keys[role] for role in ("sender", "agent", "admin", "auditor")}
