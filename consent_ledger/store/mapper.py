"""Events to bytes and back: for ever readable, old shapes through pure upcasters.

Stored is `[context, fact]` as JSON with short stable names; the topic column names the fact and,
after a dot, the version of its shape (`StopReceived`, later `StopReceived.2`).
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec

from consent_ledger import facts as f
from consent_ledger.account_facts import type_of_account_fact

FACTS: Final[dict[str, type[f.Fact]]] = {**f.type_of_fact, **type_of_account_fact}

Upcaster = Callable[[Any], Any]
UPCASTERS: Final[dict[tuple[str, int], Upcaster]] = {}
"""(topic, version of the shape) to the function that makes the next version's `[context, fact]`
of it. Empty while every shape is the first."""
SHAPES: Final[dict[str, int]] = {}
"""The current version of a topic's shape, where it is not 1."""


class UnreadableEventError(Exception):
    """A stored event that this version of the ledger cannot read: the answer is then a no."""


class FactMapper:
    """Maps events to what is stored and back."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoders = {
            topic: msgspec.json.Decoder(tuple[f.Context, kind])  # type: ignore[valid-type]
            for topic, kind in FACTS.items()
        }
        self._first_shapes = {
            topic: decoder.decode
            for topic, decoder in self._decoders.items()
            if topic not in SHAPES
        }

    def encode(self, context: f.Context, fact: f.Fact) -> bytes:
        """The stored state of an event."""
        return self._encoder.encode((context, fact))

    def topic(self, fact: f.Fact) -> str:
        """The stored topic of a fact."""
        name = type(fact).__name__
        shape = SHAPES.get(name, 1)
        return name if shape == 1 else f"{name}.{shape}"

    def decode(self, topic: str, state: bytes) -> tuple[f.Context, f.Fact]:
        """Context and fact of a stored event; UnreadableEventError where it can't be read."""
        try:
            decode = self._first_shapes.get(topic)
            if decode is not None:
                return decode(state)
            name, _, shape = topic.partition(".")
            upcast = self._upcast(name, int(shape or 1), msgspec.json.decode(state))
            return self._decoders[name].decode(self._encoder.encode(upcast))
        except (msgspec.MsgspecError, KeyError, ValueError):
            raise UnreadableEventError(topic) from None

    def event(self, row: tuple[UUID, int, UUID, int, int, str, bytes]) -> f.Event:
        """The event of a row of the events table."""
        originator_id, version, account_id, position, recorded_at, topic, state = row
        context, fact = self.decode(topic, bytes(state))
        return f.Event(originator_id, version, account_id, recorded_at, context, fact, position)

    def _upcast(self, name: str, shape: int, raw: Any) -> Any:
        for step in range(shape, SHAPES.get(name, 1)):
            raw = UPCASTERS[name, step](raw)
        if shape > SHAPES.get(name, 1):
            raise KeyError(name)
        return raw


COLUMNS: Final = (
    "originator_id, originator_version, account_id, position, recorded_at, topic, state"
)
"""The columns of an event row, in the order that `FactMapper.event` reads them."""

MAPPER: Final = FactMapper()
