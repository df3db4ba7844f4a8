"""What `dev` says when it answers: where, with which keys, and what to try first."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from api.cli.data_dir import DataDir, Kept, Running, described
from api.cli.output import print_json
from api.demo.cast import EXAMPLE


@dataclass(frozen=True)
class Announcement:
    """All that a start has to tell."""

    folder: DataDir
    kept: Kept
    running: Running
    admin_url: str


def announce(said: Announcement, *, as_json: bool) -> None:
    """Prints it: one JSON object on the first line, or a page to read."""
    if as_json:
        print_json(_fields(said))
    else:
        print(_page(said), flush=True)


def _fields(said: Announcement) -> dict[str, Any]:
    kept, running = said.kept, said.running
    return {
        "url": running.url,
        "docs_url": f"{running.url}/docs",
        "admin_url": said.admin_url,
        "data_dir": str(said.folder.path),
        "database_url": running.database_url,
        "account_id": kept.account_id,
        "keys": described(kept),
        "twilio": {
            "url": running.twilio_url,
            "auth_token": kept.twilio_token,
            "number": kept.twilio_number,
        },
    }


def _page(said: Announcement) -> str:
    kept, running = said.kept, said.running
    keys = "\n".join(f"  {role:<8} {key}" for role, key in described(kept).items())
    return f"""
Consent ledger answers at {running.url}

  Docs     {running.url}/docs
  Admin    {said.admin_url}  (works once)
  Data     {said.folder.path}
  SQL      psql {shlex.quote(running.database_url)}

Keys
{keys}

May I text this number?
  {_curl(said)}

Be the contact: what Twilio would send, signed
  {_simulation(said)}
  url      {running.twilio_url}
  token    {kept.twilio_token}

Ctrl-C stops the service and its database."""


def _curl(said: Announcement) -> str:
    body = json.dumps({"number": EXAMPLE, "purpose": "conversation"})
    key = said.kept.keys["sender"]
    return (
        f"curl -s {said.running.url}/v1/checks -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )


def _simulation(said: Announcement) -> str:
    where = "" if said.folder.is_default else f" --data-dir {shlex.quote(str(said.folder.path))}"
    return f"consent-ledger simulate-inbound --from {EXAMPLE} --body STOP{where}"
