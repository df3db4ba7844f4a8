"""An event as a CloudEvent 1.0 in JSON: without a number, and without a text."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from api import render
from consent_ledger.account_facts import ReplyWorded
from consent_ledger.asked_by import USERS_TOLD
from consent_ledger.facts import Event
from consent_ledger.store.feed import Recorded, Unreadable

TYPE_PREFIX: Final = "ConsentLedger."
MEDIA_TYPE: Final = "application/cloudevents+json"


def cloud_event(item: Recorded, asked_by: Sequence[str] | None) -> dict[str, Any]:
    """The CloudEvent of an event; `asked_by` names the users whom a reply answers (R-M11)."""
    return {
        "specversion": "1.0",
        "id": item.event_id,
        "source": f"/accounts/{item.account_id}",
        "type": TYPE_PREFIX + item.topic,
        **_times(item),
        **_subject(item),
        "datacontenttype": "application/json",
        # A CloudEvent's integers have 32 bits; a position has more.
        "position": str(item.position),
        **_related(item),
        "data": _data(item, asked_by),
    }


def _times(item: Recorded) -> dict[str, Any]:
    recorded = {"recordedtime": render.instant(item.recorded_at)}
    if isinstance(item, Unreadable):
        return recorded
    return {"time": render.instant(item.context.at), **recorded}


def _subject(item: Recorded) -> dict[str, Any]:
    """The number that it is about; an event of the account itself has no subject."""
    if item.originator_id == item.account_id:
        return {"accountversion": item.originator_version}
    return {"subject": str(item.originator_id), "numberversion": item.originator_version}


def _related(item: Recorded) -> dict[str, Any]:
    if isinstance(item, Unreadable):
        return {}
    context = item.context
    found = {"correlationid": context.correlation_id, "causationid": context.causation_id}
    return {name: value for name, value in found.items() if value is not None}


def _data(item: Recorded, asked_by: Sequence[str] | None) -> dict[str, Any]:
    if isinstance(item, Unreadable):
        return {"event_id": item.event_id, "type": item.topic, "unreadable": True}
    shown = render.event(item) | {"data": _fact(item)}
    return shown if asked_by is None else shown | {"asked_by": list(asked_by[:USERS_TOLD])}


def _fact(item: Event) -> dict[str, Any]:
    """What the fact says, by the names of its fields; the wording of a reply may hold a number."""
    names = [name for name in item.fact.__struct_fields__ if not _is_wording(item, name)]
    return {name: _plain(getattr(item.fact, name)) for name in names}


def _is_wording(item: Event, field: str) -> bool:
    return isinstance(item.fact, ReplyWorded) and field == "text"


def _plain(value: Any) -> Any:
    """Structs by the names of their fields, as the wire's short names are nobody else's."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
