"""Kinds of events by what they are about, for whoever searches a number's history (R-L6)."""

from typing import Final

from consent_ledger import facts as f

_KINDS: Final[dict[str, tuple[type[f.Fact], ...]]] = {
    "contact": (
        f.StopReceived,
        f.StartReceived,
        f.AffirmativeReceived,
        f.NegativeReceived,
        f.HelpRequested,
        f.ReplyNotUnderstood,
        f.RevocationSuspected,
        f.ConsentGranted,
        f.ConsentDeclined,
    ),
    "consent": (f.ConsentRequested, f.ConsentGranted, f.ConsentDeclined),
    "opt_outs": (
        f.StopReceived,
        f.StartReceived,
        f.RevocationSuspected,
        f.RevocationConfirmed,
        f.RevocationDismissed,
        f.OptedOut,
        f.AdminOptedIn,
        f.CarrierSuppressed,
    ),
    "replies": (f.ReplyIssued,),
    "delivery": (f.DeliveryReported, f.CarrierSuppressed),
    "preferences": (f.PurposeBlocked, f.PurposeUnblocked, f.MarketingPreferenceRecorded),
    "messages": (
        f.MessagePermitted,
        f.MessageDeferred,
        f.MessageRefused,
        f.MessageNeedsConfirmation,
        f.MessageReleased,
        f.MessageCancelled,
        f.MessageExpired,
    ),
    "number": (f.TimeZoneRecorded, f.NumberReassigned, f.FactRetracted, f.PersonalDataErased),
}

CATEGORIES: Final[dict[str, frozenset[str]]] = {
    name: frozenset(kind.__name__ for kind in kinds) for name, kinds in _KINDS.items()
}
"""The types of event in each category; a type may be in several, as a STOP is the contact's word
and an opt-out."""
