"""Any order of arrival and any repetition of the same facts gives the same answers (R-O1, R-O2)."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent_ledger import facts as f
from consent_ledger import snapshot as snapshots
from consent_ledger.decision import Question, decide
from consent_ledger.fold import evolve, fold
from consent_ledger.snapshot import HistoryNeededError, Snapshot, snapshot_of
from consent_ledger.standing import Standing
from consent_ledger.words import Basis, ReplyKind
from tests.domain.happenings import (
    PURPOSES,
    STEPS,
    Thing,
    arrivals,
    blank,
    blank_decision,
    histories,
)
from tests.story import DAY, T0, account, at, events_of

PRESETS = {name: account(name) for name in ("consent-first", "opt-out", "recalls", "authorization")}
QUESTIONS = [Question(purpose, manual=manual) for purpose in PURPOSES for manual in (False, True)]
MANY = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))


def _standing(things: list[Thing], order: list[int], repeat: bool = False) -> Standing:
    return snapshot_of(events_of(*arrivals(things, order, repeat))).standing


@MANY
@given(histories(), st.randoms(use_true_random=False), st.booleans())
def test_every_order_of_arrival_gives_the_same_standing_and_decisions(
    things: list[Thing], chance: object, repeat: bool
) -> None:
    """R-O1, R-O2: also where some facts arrive more than once."""
    order = list(range(len(things)))
    one = _standing(things, order)
    chance.shuffle(order)  # type: ignore[attr-defined]
    other = _standing(things, order, repeat)
    assert blank(other) == blank(one)
    for whose in PRESETS.values():
        for question in QUESTIONS:
            first = decide(one, question, whose, T0 + DAY)
            second = decide(other, question, whose, T0 + DAY)
            assert blank_decision(second) == blank_decision(first)


@MANY
@given(histories(), st.randoms(use_true_random=False))
def test_a_snapshot_is_the_same_however_it_was_built(things: list[Thing], chance: object) -> None:
    """R-O2: fact by fact or from the whole stream, byte for byte, with the window sliding."""
    order = list(range(len(things)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    came = arrivals(things, order, repeat=True)
    came.insert(len(came) // 2, at(T0 + 1, f.ReplyIssued(ReplyKind.HELP), basis=Basis.LEDGER))
    events = events_of(*came)
    grown = Snapshot()
    for version, event in enumerate(events, 1):
        whole = snapshot_of(events[:version])
        try:
            grown = grown.absorb(event)
        except HistoryNeededError:
            grown = snapshot_of(events[:version])
        assert msgspec.msgpack.encode(grown) == msgspec.msgpack.encode(whole)
        assert len({item.at for item in grown.tail}) <= snapshots.WINDOW


@MANY
@given(histories(), st.integers(0, STEPS))
def test_a_standing_is_a_place_to_go_on_from(things: list[Thing], step: int) -> None:
    """R-O2: folding the later facts onto the standing of the earlier ones is folding them all."""
    events = events_of(*arrivals(things, list(range(len(things))), repeat=False))
    items = snapshots.counted(events)
    early = [item for item in items if item.at <= T0 + step * 150_000_000]
    assert fold(items[len(early) :], fold(early)) == fold(items)


@settings(MANY, max_examples=300)
@given(histories())
def test_what_is_stored_of_a_snapshot_loads_as_it_was(things: list[Thing]) -> None:
    """House, section 3: the standing row is the snapshot that commands load."""
    snapshot = snapshot_of(events_of(*arrivals(things, list(range(len(things))), repeat=False)))
    stored = msgspec.msgpack.encode(snapshot)
    assert msgspec.msgpack.decode(stored, type=Snapshot) == snapshot


def test_the_fold_of_nothing_changes_nothing() -> None:
    """An instant without facts leaves the standing as it was."""
    assert evolve(Standing(), []) == Standing()
