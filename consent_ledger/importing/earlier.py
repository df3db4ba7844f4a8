"""What lists said of a number before: this one in an earlier part, and others.

A list may be taken back, and so what rests on it. An opt-out that a second list tells of too is
recorded as evidence that it was said (R-O5), so that it stands when the first list is undone. And a
list says the same wherever its rows stand: a stricter row takes back what an earlier one granted.
"""

from collections.abc import Iterable
from typing import Final

from consent_ledger import commands as c
from consent_ledger import facts as f
from consent_ledger.importing.wishes import Wish
from consent_ledger.snapshot import Snapshot
from consent_ledger.words import Channel

STRICTEST: Final = 0
"""Of a wish that opts out."""


def rests_on_a_list(snapshot: Snapshot, command: c.Command) -> bool:
    """Whether the opt-out that a command would repeat goes with the list that told of it."""
    if not isinstance(command, c.OptOut):
        return False
    found = snapshot.standing.opt_out_by(command.source)
    return found is not None and found.channel == Channel.IMPORT


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
    """Whether a file's rows recorded the opt-out that a command would repeat."""
    return isinstance(command, c.OptOut) and any(
        isinstance(event.fact, f.OptedOut) and event.fact.source is command.source for event in own
    )


def overruled(own: Iterable[f.Event], wish: Wish, instant: int) -> list[int]:
    """The versions of what a file's earlier rows granted and a row of it does not let stand.

    An opt-out lets no yes of its list stand; a decline none that has no time of its own, which was
    recorded at the list's `instant`. Where both have one, the later counts (R-O2).
    """
    return [
        event.originator_version
        for event in own
        if isinstance(event.fact, f.ConsentGranted)
        and (wish.strictness == STRICTEST or (wish.declined and event.context.at == instant))
    ]
