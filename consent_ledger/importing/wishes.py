"""What a row of an imported list wants recorded, and what of it is still to be (R-V1, R-V6).

An opt-out on record wins over a yes.
"""

from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from consent_ledger import commands as c
from consent_ledger.snapshot import Snapshot
from consent_ledger.standing import ANY, Standing
from consent_ledger.words import LEVEL_RANK, Level, Method, Preference, Source


class Wish(msgspec.Struct, frozen=True):
    """What a row wants recorded on its numbers; all empty is nothing.

    `declines`: what of, where a row declines; none named is everything. `revoked`: the contact's
    own opt-out besides the one that another recorded. Only the contact lifts it, so it may not be
    lost behind theirs (R-F6).
    """

    opt_out: Source | None = None
    declined: bool = False
    granted: tuple[str, ...] = ()
    level: Level = Level.EXPRESS
    revoked: bool = False
    declines: tuple[str, ...] = ()

    @property
    def strictness(self) -> int:
        """Of several rows about one number, the strictest is heard first."""
        return 0 if self.opt_out is not None else 1 if self.declined else 2


def commands(wish: Wish, told: c.Told, timed: bool) -> list[c.Command]:
    """What a wish comes to, the strictest first; `timed`: its row names its own time."""
    found: list[c.Command] = []
    if wish.revoked:
        found.append(c.OptOut(told, Source.CONTACT))
    if wish.opt_out is not None:
        found.append(c.OptOut(told, wish.opt_out))
    if wish.declined:
        found.append(c.DeclineConsent(told, wish.declines))
    if wish.granted:
        found.append(c.GiveConsent(told, wish.granted, wish.level, Method.IMPORT, not timed))
    return found


def is_said(snapshot: Snapshot, command: c.Command, timed: bool) -> bool:
    """Whether the record says as much already, or something that a list may not lift.

    `timed`: the row names its own time; what is repeated at a later one is said anew.
    """
    standing, at = snapshot.standing, command.told.at or 0
    match command:
        case c.OptOut(source=source):
            found = standing.opt_out_by(source)
            if found is None or (source is Source.CONTACT and standing.contact is None):
                return False
            return not (timed and source is Source.CONTACT and _after_all(at, standing))
        case c.DeclineConsent(purposes=purposes):
            # Of everything only where no yes came later to anything.
            declines = standing.declines
            marks = [*map(standing.declined, purposes or declines)] or [None]
            if not purposes:
                marks.append(declines.get(ANY))
            return all(mark is not None and (not timed or at <= mark.at) for mark in marks)
        case c.GiveConsent(purposes=purposes, level=level):
            if standing.do_not_text or (not timed and standing.reassigned_until is not None):
                # A yes without a time may be that of who had the number before (R-F8).
                return True
            return all(_is_granted(standing, p, level, at if timed else None) for p in purposes)
    return False


def narrowed(
    snapshot: Snapshot, command: c.Command, timed: bool, marketing: Collection[str]
) -> c.Command | None:
    """What of a command a list may say: a yes without a time lifts no decline of a purpose, and no
    'not consented' to `marketing` purposes (row 9)."""
    if timed or not isinstance(command, c.GiveConsent):
        return command
    standing = snapshot.standing
    said = standing.strictest_preference()
    barred = marketing if said is not None and said[0] is Preference.NOT_CONSENTED else ()
    kept = tuple(
        each for each in command.purposes if each not in barred and standing.declined(each) is None
    )
    return replace(command, purposes=kept) if kept else None


def _after_all(at: int, standing: Standing) -> bool:
    return all(at > stop for stop in standing.stops.values())


def _is_granted(standing: Standing, purpose: str, level: Level, at: int | None) -> bool:
    """A yes without a time of its own lifts no decline either."""
    declined = standing.declined(purpose)
    if declined is not None:
        return at is None or at <= declined.at
    found = standing.strongest_grant(purpose)
    if found is None or LEVEL_RANK[found[0]] < LEVEL_RANK[level]:
        return False
    return at is None or at <= found[1].mark.at
