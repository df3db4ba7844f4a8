"""What a row of a list adds to what is on record, and to what its own list said (R-V1, R-V6)."""

from typing import Final

import pytest

from consent_ledger import commands as c
from consent_ledger import facts as f
from consent_ledger.importing.earlier import overruled, own_facts, tells_of, was_recorded
from consent_ledger.importing.wishes import Wish, is_said
from consent_ledger.snapshot import snapshot_of
from consent_ledger.words import ActorKind, Channel, Level, Method, Source
from tests.story import HOUR, T0, at, events_of

LIST: Final = f.Evidence(file_digest="a list", row=7)


def told(moment: int) -> c.Told:
    """What a row says, of an instant."""
    return c.Told(ActorKind.ADMIN, Channel.IMPORT, at=moment)


def own(fact: f.Fact, moment: int, recorded_at: int = T0) -> list[f.Event]:
    """What a row of the list recorded."""
    happened = at(moment, fact, evidence=LIST, recorded_at=recorded_at)
    return own_facts(events_of(happened), "a list")


@pytest.mark.parametrize(("later", "is_on_record"), [(0, True), (1, False)])
def test_a_row_with_a_time_says_only_what_came_after(later: int, is_on_record: bool) -> None:
    """R-O2: the STOP or the decline of its very instant says as much, or more."""
    stopped = snapshot_of(events_of(at(T0, f.StopReceived())))
    opts_out = c.OptOut(told(T0 + later), Source.CONTACT)
    assert is_said(stopped, opts_out, timed=True) is is_on_record
    declined = snapshot_of(events_of(at(T0, f.ConsentDeclined())))
    grants = c.GiveConsent(told(T0 + later), ("recall",), Level.EXPRESS, Method.IMPORT)
    assert is_said(declined, grants, timed=True) is is_on_record


def test_a_grant_says_what_is_granted_at_its_level() -> None:
    """Marketing needs it in writing: what is on record at a lower level does not say it."""
    found = f.ConsentGranted(method=Method.WEB, purposes=("marketing",))
    record = snapshot_of(events_of(at(T0, found)))
    for level, is_on_record in ((Level.EXPRESS, True), (Level.EXPRESS_WRITTEN, False)):
        grants = c.GiveConsent(told(T0), ("marketing",), level, Method.IMPORT)
        assert is_said(record, grants, timed=False) is is_on_record


def test_a_list_tells_of_a_time_once() -> None:
    """R-O5: of a later one it is told anew."""
    told_of = own(f.OptedOut(Source.CONTACT), T0)
    assert tells_of(told_of, c.OptOut(told(T0), Source.CONTACT))
    assert not tells_of(told_of, c.OptOut(told(T0 + 1), Source.CONTACT))


def test_a_row_was_recorded_by_an_import_before_this_one() -> None:
    """What this one has recorded itself is no earlier import of its file."""
    recorded = own(f.OptedOut(Source.CONTACT), T0, recorded_at=T0)
    assert was_recorded(recorded, 7, T0 + 1)
    assert not was_recorded(recorded, 7, T0)
    assert not was_recorded(recorded, 8, T0 + 1)


def test_a_decline_overrules_the_yes_that_has_no_time_of_its_own() -> None:
    """R-O2: where both have one, the later counts; an opt-out lets none stand."""
    granted = f.ConsentGranted(method=Method.IMPORT, purposes=("recall",))
    without, earlier = own(granted, T0), own(granted, T0 - HOUR)
    decline, opt_out = Wish(declined=True), Wish(opt_out=Source.CONTACT)
    assert [overruled(each, decline, T0) for each in (without, earlier)] == [[1], []]
    assert [overruled(each, opt_out, T0) for each in (without, earlier)] == [[1], [1]]
    assert overruled(without, Wish(declined=True, declines=("marketing",)), T0) == []
