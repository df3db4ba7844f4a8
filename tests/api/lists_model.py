"""What lists and live facts add up to, by the rulebook alone: no code of the ledger's is used here.

Facts lie on a time line, each by some clock; a list's row adds what is not said by the same file
already. `R-O2`: they count by their time, an instant at a time, openings first and STOP last.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

MARGIN: Final = 5 * 60 * 1_000_000
EVERYTHING: Final = "*"
PURPOSES: Final = ("conversation", "appointment_reminder", "recall", "marketing")
NEEDED: Final = {
    "consent-first": ("conversation", "marketing"),
    "opt-out": (),
    "recalls": ("marketing",),
    "authorization": PURPOSES,
}
TEXTED, WRITTEN = 1, 2
"""Levels of consent: by text, and in writing, as lists and forms have it here."""


@dataclass
class Fact:
    """Something on record of one number; `file` and `row` where a list said it."""

    kind: str
    at: int
    clock: str
    purposes: tuple[str, ...] = ()
    undated: bool = False
    file: int | None = None
    row: int = 0
    of: int = 0
    gone: bool = False

    @property
    def stops(self) -> bool:
        """Whether it is the contact's own word against all texts."""
        return self.kind in ("stop", "out contact")


@dataclass
class State:
    """Where a number stands."""

    stops: list[tuple[int, str]] = field(default_factory=list)
    bars: set[str] = field(default_factory=set)
    granted: dict[str, dict[int, int]] = field(default_factory=dict)
    declined: dict[str, int] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    pending: bool = False
    held_since: int | None = None
    stop_over: int | None = None
    decline_over: dict[str, int] = field(default_factory=dict)

    @property
    def barred(self) -> bool:
        """Whether any opt-out stands."""
        return bool(self.stops or self.bars)

    def source(self) -> str | None:
        """Who opted it out, the hardest to lift."""
        named = ["contact"] if self.stops else sorted(self.bars, reverse=True)
        return named[0] if named else None

    def grant(self, purpose: str, level: int, at: int) -> None:
        """A yes, which is later than any no on record."""
        self.granted.setdefault(purpose, {})[level] = at
        if self.declined.pop(purpose, None) is not None:
            self.decline_over[purpose] = at


def outranks(at: int, clock: str, stops: Iterable[tuple[int, str]]) -> bool:
    """R-O2: a word that opens is later than every STOP, by the margin on another clock."""
    return all(at > stop if clock == theirs else at >= stop + MARGIN for stop, theirs in stops)


def standing(facts: Iterable[Fact], preset: str) -> State:
    """Where facts leave a number."""
    state = State()
    live = sorted((fact for fact in facts if not fact.gone), key=lambda fact: fact.at)
    for _, group in groupby(live, key=lambda fact: fact.at):
        _instant(state, list(group), preset)
    return state


def _instant(state: State, facts: list[Fact], preset: str) -> None:
    before, stopped = deepcopy(state), any(fact.stops for fact in facts)
    for fact in facts:
        _opens(state, before, fact, stopped, preset)
    for fact in facts:
        if fact.kind == "asked" and not before.stops:
            state.asked, state.pending = fact.purposes, True
    for fact in facts:
        _closes(state, before, fact)
    for fact in facts:
        if fact.stops:
            state.stops.append((fact.at, fact.clock))
            state.pending = False


def _opens(state: State, before: State, fact: Fact, stopped: bool, preset: str) -> None:
    kind, word = fact.kind, fact.kind
    over = outranks(fact.at, fact.clock, before.stops)
    if kind == "yes" and over:
        word = "consent" if before.pending else "start" if "system" in before.bars else ""
        word = "start" if before.stops and not before.pending else word
        if stopped and word == "consent":
            return
    if word == "start":
        state.bars.clear()
        if over and state.stops:
            state.stops, state.stop_over = [], fact.at
    elif word == "in" and not before.stops and "system" not in before.bars:
        state.bars.discard("agent")
    elif word == "consent" and not stopped and not before.stops:
        unasked = tuple(p for p in NEEDED[preset] if p != "marketing")
        for purpose in before.asked or unasked:
            state.grant(purpose, TEXTED, fact.at)
        state.pending = False
    elif word == "grant" and not stopped:
        for purpose in fact.purposes:
            if not fact.undated or (purpose not in state.declined and state.held_since is None):
                state.grant(purpose, WRITTEN, fact.at)


def _closes(state: State, before: State, fact: Fact) -> None:
    if fact.kind in ("decline", "declined"):
        texted = fact.kind == "decline"
        named = (before.asked or (EVERYTHING,)) if texted else fact.purposes
        for purpose in PURPOSES if EVERYTHING in named else named:
            state.granted.pop(purpose, None)
            state.declined[purpose] = fact.at
        if texted:
            state.pending = False
    elif fact.kind in ("out agent", "out system"):
        state.bars.add(fact.kind.removeprefix("out "))
    elif fact.kind == "reassigned":
        state.granted, state.asked, state.pending = {}, (), False
        state.held_since = fact.at


def reason(state: State, purpose: str, preset: str) -> str:
    """Rulebook section 3, the rows that are in play here."""
    if state.barred:
        return f"opted_out_by_{state.source()}"
    granted = bool(state.granted.get(purpose))
    if purpose not in NEEDED[preset]:
        if purpose != "marketing":
            return "no_consent_needed"
        return "consented" if granted else "presumed_by_policy"
    if purpose in state.declined:
        return "consent_declined"
    if granted:
        return "consented"
    waits = state.pending and purpose in state.asked
    return "consent_pending" if waits else "consent_required"


ALLOWED: Final = ("no_consent_needed", "presumed_by_policy", "consented")


@dataclass(frozen=True)
class Row:
    """A row of a list: its numbers, who opts out, what it says of consent, and when."""

    numbers: tuple[int, ...]
    outs: tuple[str, ...] = ()
    consent: str = ""
    purposes: tuple[str, ...] = ()
    at: int | None = None
    refused: bool = False

    @property
    def strictness(self) -> int:
        """The strictest row about a number is heard first."""
        return 0 if self.outs else 1 if self.consent == "declined" else 2


@dataclass
class Text:
    """A text that waits."""

    number: int
    purpose: str
    at: int
    cancelled: bool = False


class Model:
    """The facts of some numbers, the texts that wait, and how many lists came."""

    def __init__(self, preset: str, numbers: int) -> None:
        self.preset = preset
        self.facts: list[list[Fact]] = [[] for _ in range(numbers)]
        self.texts: dict[str, Text] = {}
        self.lists = 0

    def state(self, number: int) -> State:
        """Where a number stands."""
        return standing(self.facts[number], self.preset)

    def reason(self, number: int, purpose: str) -> str:
        """Why a text may go or not."""
        return reason(self.state(number), purpose, self.preset)

    def add(self, number: int, fact: Fact) -> None:
        """Something is recorded."""
        self.facts[number].append(fact)
        self._cancel(number)

    def _cancel(self, number: int) -> None:
        """R-F1, R-F4: whatever was barred at some instant since it was asked never goes."""
        state = self.state(number)
        for text in self.texts.values():
            if text.number != number:
                continue
            needed = text.purpose in NEEDED[self.preset]
            over = state.decline_over.get(text.purpose, 0) > text.at
            declined = needed and (text.purpose in state.declined or over)
            if state.stops or (state.stop_over or 0) > text.at or declined:
                text.cancelled = True

    def take(self, file: int, rows: list[Row], now: int) -> int:
        """A list is imported; its id."""
        self.lists += 1
        for number in range(len(self.facts)):
            its = [(n, row) for n, row in enumerate(rows) if number in row.numbers]
            for place, row in sorted(its, key=lambda each: each[1].strictness):
                if not row.refused:
                    self._say(number, file, place, row, now)
        return self.lists

    def _say(self, number: int, file: int, place: int, row: Row, now: int) -> None:
        own = [fact for fact in self.facts[number] if fact.file == file and not fact.gone]
        before = [fact for fact in own if fact.of != self.lists]
        if any(fact.row == place for fact in before):
            return
        self._overrule(own, row, now)
        for wanted in self._wanted(row, now):
            wanted.file, wanted.row, wanted.of = file, place, self.lists
            if wanted.kind == "grant":
                self._grant(number, wanted)
            elif not self._told(own, before, wanted):
                self.add(number, wanted)
                own.append(wanted)

    def _wanted(self, row: Row, now: int) -> list[Fact]:
        at, clock, undated = now if row.at is None else row.at, "list", row.at is None
        wanted = [Fact(f"out {source}", at, clock, (), undated) for source in row.outs]
        if row.consent == "declined":
            named = row.purposes or (EVERYTHING,)
            wanted.append(Fact("declined", at, clock, named, undated))
        if row.consent == "granted" and not row.outs:
            unnamed = tuple(p for p in NEEDED[self.preset] if p != "marketing")
            if named := row.purposes or unnamed:
                wanted.append(Fact("grant", at, clock, named, undated))
        return wanted

    def _overrule(self, own: list[Fact], row: Row, now: int) -> None:
        """A stricter row takes back what its file granted."""
        for fact in own:
            meets = not row.purposes or bool(set(row.purposes) & set(fact.purposes))
            declines = row.consent == "declined" and fact.at == now and meets
            if fact.kind == "grant" and (row.outs or declines):
                fact.gone = True

    def _told(self, own: list[Fact], before: list[Fact], wanted: Fact) -> bool:
        for fact in own:
            same = fact.kind == wanted.kind and (
                fact.kind != "declined"
                or EVERYTHING in fact.purposes
                or set(wanted.purposes) <= set(fact.purposes)
            )
            if same and (fact.at >= wanted.at or (wanted.undated and fact in before)):
                return True
        return False

    def _grant(self, number: int, wanted: Fact) -> None:
        """A yes is recorded where nothing bars the number and it says something new."""
        state = self.state(number)
        if state.barred or (wanted.undated and state.held_since is not None):
            return
        if wanted.undated:
            wanted.purposes = tuple(p for p in wanted.purposes if p not in state.declined)
        if all(self._said(state, purpose, wanted) for purpose in wanted.purposes):
            return
        if standing([*self.facts[number], wanted], self.preset) != state:
            self.add(number, wanted)

    def _said(self, state: State, purpose: str, wanted: Fact) -> bool:
        if purpose in state.declined:
            return wanted.at <= state.declined[purpose]
        found = state.granted.get(purpose, {})
        return WRITTEN in found and (wanted.undated or wanted.at <= found[WRITTEN])

    def granted_by(self, number: int, of: int) -> set[str]:
        """The purposes that a list granted."""
        own = [fact for fact in self.facts[number] if fact.of == of and fact.kind == "grant"]
        return {purpose for fact in own for purpose in fact.purposes}

    def undo(self, of: int) -> None:
        """All that a list recorded is taken back."""
        for number, facts in enumerate(self.facts):
            for fact in facts:
                if fact.of == of and not fact.gone:
                    fact.gone = True
                    self._cancel(number)
