"""An event as a CloudEvent 1.0 in JSON: without a number, and without a text."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from api import render
from consent_ledger.account_facts import ReplyWorded
from consent_ledger.asked_by import USERS_TOLD
from consent_ledger.facts import Event
from consent_ledger.store.feed import Recorded, Unreadable

TYPE_PREFIX: Final = "ConsentLedger."
MEDIA_TYPE: Final = "application/cloudevents+json"
ACCOUNTS_KEPT: Final = 256
"""Accounts whose source is kept in letters: those that a process has followers of."""


def cloud_event(item: Recorded, asked_by: Sequence[str] | None) -> dict[str, Any]:
    """The CloudEvent of an event; `asked_by` names the users whom a reply answers (R-M11)."""
    data = _data(item)
    if asked_by is not None:
        data["asked_by"] = list(asked_by[:USERS_TOLD])
    found = {
        "specversion": "1.0",
        "id": data["event_id"],
        "source": _source(item.account_id),
        "type": TYPE_PREFIX + item.topic,
        "recordedtime": render.instant(item.recorded_at),
        "datacontenttype": "application/json",
        # A CloudEvent's integers have 32 bits; a position has more.
        "position": str(item.position),
        "data": data,
    }
    # An event of the account itself has no subject.
    if item.originator_id == item.account_id:
        found["accountversion"] = item.originator_version
    else:
        found["subject"] = item.originator_id
        found["numberversion"] = item.originator_version
    if isinstance(item, Event):
        found["time"] = data["occurred_at"]
        if item.context.correlation_id is not None:
            found["correlationid"] = item.context.correlation_id
        if item.context.causation_id is not None:
            found["causationid"] = item.context.causation_id
    return found


@lru_cache(ACCOUNTS_KEPT)
def _source(account_id: UUID) -> str:
    return f"/accounts/{account_id}"


def _data(item: Recorded) -> dict[str, Any]:
    if isinstance(item, Unreadable):
        return {"event_id": item.event_id, "type": item.topic, "unreadable": True}
    shown = render.event(item)
    fact = shown["data"]
    if isinstance(item.fact, ReplyWorded):
        # Its wording may hold a number.
        del fact["text"]
    for name, value in fact.items():
        if isinstance(value, msgspec.Struct | dict):
            fact[name] = _plain(value)
    return shown


def _plain(value: Any) -> Any:
    """Structs by the names of their fields, as the wire's short names are nobody else's."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(each) for name, each in asdict(value).items()}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
