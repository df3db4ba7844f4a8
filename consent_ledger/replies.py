"""The texts that the ledger asks the sender to send, and when it may (R-K6)."""

import hashlib
from typing import Final

from consent_ledger.account import Account
from consent_ledger.policy import DAY, Policy
from consent_ledger.snapshot import REPLIES_KEPT, Snapshot
from consent_ledger.standing import CLOCK_MARGIN, Standing
from consent_ledger.words import ReplyKind

CONFIRM_WITHIN: Final = CLOCK_MARGIN
"""A stop confirmation may go within five minutes of the STOP: 47 CFR 64.1200(a)(12)."""

CONSENT_REQUEST: Final = "consent_request"
DISCLOSURE: Final = "disclosure"

DEFAULT_TEXTS: Final[dict[str, str]] = {
    ReplyKind.STOP_CONFIRMATION: (
        "{name}: you are opted out and will get no more texts from us. Text START to opt back in."
    ),
    ReplyKind.START_CONFIRMATION: (
        "{name}: you are opted back in. Text STOP at any time to opt out."
    ),
    ReplyKind.CONSENT_CONFIRMATION: (
        "{name}: thank you, we will text you at this number. Text STOP to opt out, HELP for help."
    ),
    ReplyKind.HOW_TO_OPT_IN: "{name}: you opted out earlier. To get our texts again, text START.",
    ReplyKind.HELP: "{name}: for help please call our office. Text STOP to opt out.",
    ReplyKind.ASK_AGAIN: (
        "{name}: we could not use your last text. May we text you? Answer CONSENT or DECLINE."
    ),
    ReplyKind.PLEASE_CALL: (
        "We could not use your text, as we do not know this number. Please call us instead."
    ),
    CONSENT_REQUEST: (
        "{name} would like to text with you. Texts are not fully private. "
        "Answer CONSENT to agree or DECLINE to refuse."
    ),
    DISCLOSURE: (
        "{name} would like to send you offers by automated text; agreeing is no condition of any "
        "purchase. Msg & data rates may apply. Answer CONSENT or DECLINE."
    ),
}
"""The wording where the account has none of its own; `{name}` is the location's or account's."""


def text_of(kind: str, account: Account, location: str | None) -> str:
    """The text of a reply or request, naming who sends it."""
    template = account.replies.get(kind, DEFAULT_TEXTS[kind])
    return template.replace("{name}", account.name_for(location))


def digest_of(text: str) -> str:
    """A digest of a text that was shown to a contact, so that its wording can be proved."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def may_reply(kind: ReplyKind, snapshot: Snapshot, now: int) -> bool:
    """Whether the number's limit allows one more: two machines may not talk for ever."""
    if kind is ReplyKind.STOP_CONFIRMATION:
        return True
    recent = [at for at in snapshot.replies if at > now - DAY]
    return len(recent) < REPLIES_KEPT


def after_stop(before: Standing, after: Standing, at: int, now: int) -> ReplyKind | None:
    """One confirmation for a STOP that changed something and is fresh (R-F1, R-O5)."""
    changed = before.contact is None and after.contact is not None
    return ReplyKind.STOP_CONFIRMATION if changed and now - at <= CONFIRM_WITHIN else None


def after_opening(
    before: Standing, after: Standing, snapshot: Snapshot, stop_id: str | None
) -> ReplyKind | None:
    """What CONSENT is answered with, or YES read as it: what it did.

    `stop_id` is the STOP that stands, where the word may be answered with how to opt in.
    """
    if not after.do_not_text and before.grants != after.grants:
        return ReplyKind.CONSENT_CONFIRMATION
    hint = stop_id is not None and after.contact is not None and snapshot.hinted != stop_id
    return ReplyKind.HOW_TO_OPT_IN if hint else None


def after_start(before: Standing, after: Standing) -> ReplyKind | None:
    """What START is answered with, or YES read as it: only where it let texts go again."""
    lifted = before.do_not_text and not after.do_not_text
    return ReplyKind.START_CONFIRMATION if lifted else None


def after_other(before: Standing, after: Standing, known: bool, policy: Policy) -> ReplyKind | None:
    """What words that did nothing are answered with (R-M7, R-M8)."""
    if after.do_not_text:
        return None
    if before.pending:
        return None if policy.other_words_end_request else ReplyKind.ASK_AGAIN
    return None if known else ReplyKind.PLEASE_CALL
