"""What lists said of a number before: this one in an earlier part, and others.

What a list says of an opt-out or a decline is recorded whatever stands already, as evidence that it
was said (R-O5): another list may be undone, and a late START may lift what was there before (R-O2).
And a list says the same wherever its rows stand: a stricter row takes back what an earlier one
granted.
"""

from collections.abc import Iterable
from typing import Final

from consent_ledger import commands as c
from consent_ledger import facts as f
from consent_ledger.importing.wishes import Wish
from consent_ledger.standing import ANY

STRICTEST: Final = 0
"""Of a wish that opts out."""


def is_evidence(command: c.Command) -> bool:
    """Whether a command is recorded though it may change nothing."""
    return isinstance(command, c.OptOut | c.DeclineConsent)


def own_facts(history: Iterable[f.Event], file_digest: str) -> list[f.Event]:
    """The facts that a file's rows recorded, without those that were taken back."""
    found: dict[int, f.Event] = {}
    for event in history:
        evidence = event.context.evidence
        if isinstance(event.fact, f.FactRetracted):
            found.pop(event.fact.version, None)
        elif evidence is not None and evidence.file_digest == file_digest:
            found[event.originator_version] = event
    return list(found.values())


def was_recorded(own: Iterable[f.Event], row: int, instant: int) -> bool:
    """Whether this very row was recorded by an import of its file before this one's `instant`.

    What became of it since, such as a START, stays as it is.
    """
    return any(
        event.recorded_at < instant and event.context.evidence.row == row
        for event in own
        if event.context.evidence is not None
    )


def tells_of(own: Iterable[f.Event], command: c.Command) -> bool:
    """Whether a file's rows recorded what a command would repeat, of that time or a later one."""
    at = command.told.at or 0
    return any(event.context.at >= at and _says(event.fact, command) for event in own)


def told_before(own: Iterable[f.Event], command: c.Command, timed: bool, instant: int) -> bool:
    """Whether an import of the same file, before this one's `instant`, recorded as much.

    A row without a time counts from its import, so the time of another one is no other saying.
    """
    before = [event for event in own if event.recorded_at < instant]
    if timed:
        return tells_of(before, command)
    return any(_says(event.fact, command) for event in before)


def _says(fact: f.Fact, command: c.Command) -> bool:
    match command:
        case c.OptOut(source=source):
            return isinstance(fact, f.OptedOut) and fact.source is source
        case c.DeclineConsent(purposes=purposes):
            if not isinstance(fact, f.ConsentDeclined):
                return False
            return ANY in fact.purposes or (bool(purposes) and set(purposes) <= set(fact.purposes))
    return False


def overruled(own: Iterable[f.Event], wish: Wish, instant: int) -> list[int]:
    """The versions of what a file's earlier rows granted and a row of it does not let stand.

    An opt-out lets no yes of its list stand; a decline none to what it names that has no time of
    its own, which was recorded at the list's `instant`. Where both have one, the later counts
    (R-O2).
    """
    return [
        event.originator_version
        for event in own
        if isinstance(event.fact, f.ConsentGranted)
        and (
            wish.strictness == STRICTEST
            or (wish.declined and event.context.at == instant and _meet(wish, event.fact))
        )
    ]


def _meet(wish: Wish, granted: f.ConsentGranted) -> bool:
    return not wish.declines or not set(wish.declines).isdisjoint(granted.purposes)
