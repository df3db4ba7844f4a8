"""Past replies read again under other words: which would be understood as something else (R-K5)."""

from dataclasses import dataclass
from typing import Final

from consent_ledger import facts as f
from consent_ledger.interpreting import Reading
from consent_ledger.keywords import OwnLexicon
from consent_ledger.lexicon import Understood
from consent_ledger.words import Method

_UNDERSTOOD: Final[dict[type[f.Fact], Understood]] = {
    f.StopReceived: Understood.STOP,
    f.StartReceived: Understood.START,
    f.AffirmativeReceived: Understood.YES,
    f.NegativeReceived: Understood.NO,
    f.HelpRequested: Understood.HELP,
    f.ReplyNotUnderstood: Understood.OTHER,
    f.RevocationSuspected: Understood.SUSPECTED_REVOCATION,
    f.ConsentGranted: Understood.CONSENT,
    f.ConsentDeclined: Understood.DECLINE,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A reply that would be understood as something else; never its text."""

    event: f.Event
    before: Reading
    after: Reading


def reread(event: f.Event, text: str, own: OwnLexicon) -> Change | None:
    """What a kept reply would be now, where that differs from what was stored."""
    fact = event.fact
    understood = _UNDERSTOOD.get(type(fact))
    if understood is None or not isinstance(fact, f.Words):
        return None
    if isinstance(fact, f.ConsentGranted) and fact.method is not Method.SMS:
        # What is kept of a form or a call is evidence, and no reply.
        return None
    before = Reading(understood, fact.matched, event.context.lexicon_version or "")
    after, _ = own.read(text)
    return Change(event, before, after) if after.understood_as is not understood else None
