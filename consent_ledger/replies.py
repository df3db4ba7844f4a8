"""The texts that the ledger asks the sender to send, and when it may (R-K6)."""

import hashlib
from typing import Final

from msgspec.structs import replace

from consent_ledger.account import Account
from consent_ledger.language import fallbacks
from consent_ledger.policy import DAY, Policy
from consent_ledger.snapshot import REPLIES_KEPT, Snapshot
from consent_ledger.standing import CLOCK_MARGIN, Standing
from consent_ledger.wording import DEFAULT_TEXTS, NAME
from consent_ledger.words import ReplyKind

CONFIRM_WITHIN: Final = CLOCK_MARGIN
"""A stop confirmation may go within five minutes of the STOP: 47 CFR 64.1200(a)(12)."""


def text_of(kind: str, account: Account, location: str | None, language: str | None = None) -> str:
    """The text of a reply or request, naming who sends it.

    The account's own in the contact's language comes first, then its own for every language.
    """
    own = (account.replies_in.get(tag, {}).get(kind) for tag in fallbacks(language))
    found = next((text for text in own if text is not None), None)
    template = found or account.replies.get(kind, DEFAULT_TEXTS[kind])
    return template.replace(NAME, account.name_for(location))


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
    anew = before.contact is None and after.contact is not None
    # One purpose more is a change too; not where everything was ended before.
    changed = anew or (after.contact is None and not before.scoped.keys() >= after.scoped.keys())
    return ReplyKind.STOP_CONFIRMATION if changed and now - at <= CONFIRM_WITHIN else None


def after_opening(
    before: Standing, after: Standing, snapshot: Snapshot, stop_id: str | None
) -> ReplyKind | None:
    """What CONSENT is answered with, or YES read as it: what it did.

    `stop_id` is the STOP that stands, where the word may be answered with how to opt in.
    """
    # A STOP from another purpose alone does not take back what was consented to now.
    if before.grants != after.grants and not replace(after, scoped={}).do_not_text:
        return ReplyKind.CONSENT_CONFIRMATION
    hint = stop_id is not None and snapshot.hinted != stop_id
    return ReplyKind.HOW_TO_OPT_IN if hint else None


def after_start(before: Standing, after: Standing) -> ReplyKind | None:
    """What START is answered with, or YES read as it: only where it let texts go again."""
    lifted = before.do_not_text and not after.do_not_text
    return ReplyKind.START_CONFIRMATION if lifted else None


def after_other(pending: bool, after: Standing, known: bool, policy: Policy) -> ReplyKind | None:
    """What words that did nothing are answered with (R-M7, R-M8)."""
    if after.do_not_text:
        return None
    if pending:
        return None if policy.other_words_end_request else ReplyKind.ASK_AGAIN
    return None if known else ReplyKind.PLEASE_CALL
