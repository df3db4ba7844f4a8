"""What each fact does to a standing, read against the standing before its instant.

Rulebook sections 4 and 5; one rule a fact, each giving effects and the phase they come in.
"""

from collections.abc import Callable
from typing import Any, Final

from consent_ledger import facts as f
from consent_ledger.effects.consent import affirmative, consent, decline, negative
from consent_ledger.effects.deliveries import delivery
from consent_ledger.effects.opt_outs import (
    opt_in,
    opted_out,
    start,
    stop_everything,
    stop_received,
    suppress,
)
from consent_ledger.effects.phases import Effects, closing, opening, stopping
from consent_ledger.effects.purposes import block, preference, unblock
from consent_ledger.effects.reassignment import reassign, time_zone
from consent_ledger.effects.requests import other_words, requested
from consent_ledger.effects.reviews import suspect, without_review
from consent_ledger.said import Said
from consent_ledger.standing import Standing


def effects_of(before: Standing, item: Said, stopped: bool) -> Effects:
    """What one fact does, read against the standing before its instant.

    `before` has the instant's failures counted (R-F7); `stopped` says that the instant has a STOP.
    """
    rule = _RULES.get(type(item.fact))
    if rule is None or (stopped and _consents(before, item)):
        return []
    return rule(before, item, item.fact)


def _consents(before: Standing, item: Said) -> bool:
    """Whether a fact would consent, which it does not at the instant of a STOP (R-F3)."""
    kind = type(item.fact)
    return kind is f.ConsentGranted or (kind is f.AffirmativeReceived and before.waits_at(item.at))


_RULES: Final[dict[type[f.Fact], Callable[[Standing, Said, Any], Effects]]] = {
    f.StartReceived: lambda before, item, _: opening(item, start(before, item)),
    f.AffirmativeReceived: affirmative,
    f.ConsentGranted: consent,
    f.ConsentDeclined: lambda before, item, fact: closing(
        item, decline(before, item, fact.purposes)
    ),
    f.NegativeReceived: negative,
    f.ReplyNotUnderstood: other_words,
    f.RevocationSuspected: lambda before, item, fact: closing(item, suspect(before, item, fact)),
    f.RevocationDismissed: lambda _, item, fact: opening(item, without_review(fact.review)),
    f.StopReceived: stop_received,
    f.RevocationConfirmed: lambda _, item, fact: stopping(item, stop_everything(item)),
    f.OptedOut: opted_out,
    f.AdminOptedIn: opt_in,
    f.ConsentRequested: requested,
    f.DeliveryReported: delivery,
    f.CarrierSuppressed: lambda _, item, fact: closing(item, suppress(item)),
    f.PurposeBlocked: lambda _, item, fact: closing(item, block(item, fact.purpose)),
    f.PurposeUnblocked: lambda _, item, fact: opening(item, unblock(fact.purpose)),
    f.MarketingPreferenceRecorded: preference,
    f.TimeZoneRecorded: time_zone,
    f.NumberReassigned: lambda _, item, fact: closing(item, reassign(item)),
}
"""What each kind of fact does; one that is not here does nothing by itself."""
