"""Random histories of numbers: every kind of command, at few instants, on few texts."""

import time
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from hypothesis import strategies as st
from msgspec.structs import replace

from consent_ledger import commands as c
from consent_ledger.decision import Question
from consent_ledger.facts import Evidence
from consent_ledger.ledger import MESSAGE_CLAIM, Claim, Submission
from consent_ledger.words import (
    ActorKind,
    Basis,
    Channel,
    Level,
    Method,
    Preference,
    Purpose,
    Source,
    Verdict,
)
from tests.store import drive as d

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
RULES: Final = ("consent-first", "opt-out", "recalls", "authorization", d.NARROW)
WORDS: Final = (
    *("stop", "stop", "start", "consent", "decline", "yes", "no", "help"),
    *("other", "suspected_revocation"),
)
CLASSES: Final = ("delivered", "unreachable", "opted_out", "transient", "not_mobile")

# Times are offsets from a moment two days ago: few of them, so that many facts share an instant,
# and some so early that only the whole stream can tell what they mean.
offsets = st.one_of(st.none(), st.integers(-3, 40).map(lambda n: n * HOUR))
purposes = st.sampled_from([*Purpose, Purpose.CONVERSATION]).map(str)
messages = st.integers(1, 5).map(lambda n: f"m{n}")
versions = st.integers(1, 15)
channels = st.sampled_from([Channel.API, Channel.IMPORT, Channel.WEB])
evidence = st.none() | st.builds(Evidence, disclosure_digest=st.just("d"))


def told(kind: ActorKind, basis: Basis, channel: st.SearchStrategy[Channel]) -> Any:
    """Who tells something, at one of the few instants or now."""
    by = st.sampled_from([None, "jo", "al"])
    return st.builds(c.Told, st.just(kind), channel, by, offsets, st.just(basis), evidence)


contact = told(ActorKind.CONTACT, Basis.PROVIDER, st.just(Channel.SMS))
staff = told(ActorKind.AGENT, Basis.SENDER, channels)
imports = told(ActorKind.ADMIN, Basis.IMPORT, st.just(Channel.IMPORT))
word = st.sampled_from(WORDS)
questions = st.builds(
    Question,
    purposes,
    sent_by=st.sampled_from([None, "jo"]),
    manual=st.booleans(),
    confirmed=st.booleans(),
)
texts = st.builds(
    c.ReceiveText,
    contact,
    word,
    word,
    st.just("1"),
    sending_number_id=st.sampled_from([None, d.RECALLS]),
    answered_by_provider=st.booleans(),
)
asks = st.builds(
    c.AskMessage, st.just(d.SENDER), messages, questions, st.sampled_from([None] * 4 + [1])
)
grants = st.builds(
    c.GiveConsent,
    st.one_of(staff, imports),
    st.tuples(purposes),
    st.sampled_from(Level),
    st.sampled_from([Method.WEB, Method.IMPORT]),
)
opt_outs = st.builds(c.OptOut, st.one_of(staff, imports), st.sampled_from(Source))
reports = st.builds(
    c.ReportDelivery,
    staff,
    st.just("twilio"),
    st.just("30003"),
    st.sampled_from(CLASSES),
    messages,
    st.none() | versions,
)
preferences = st.builds(
    c.RecordPreference,
    st.one_of(staff, imports),
    st.sampled_from(["pms", "crm"]),
    st.sampled_from(Preference),
)
OFTEN: Final[list[tuple[int, Any]]] = [
    (8, texts),
    (8, asks),
    (4, st.builds(c.ReleaseMessage, st.just(d.SENDER), messages, st.sampled_from("ab"))),
    (1, st.builds(c.CancelMessage, st.just(d.SENDER), messages)),
    (2, st.builds(c.RequestConsent, staff, st.tuples(purposes), sent_by=st.just("jo"))),
    (2, grants),
    (1, opt_outs),
    (1, st.builds(c.OptIn, staff)),
    (2, reports),
    (1, st.builds(c.BlockPurpose, staff, purposes, st.booleans())),
    (2, preferences),
    (1, st.builds(c.RecordTimeZone, staff, st.sampled_from(["Asia/Tokyo", None]))),
    (1, st.builds(c.Reassign, staff, st.sampled_from(["2026-01-02", "2999-01-01"]))),
    (1, st.builds(c.Judge, staff, versions, st.sampled_from(Verdict))),
    (2, st.builds(c.RetractFact, staff, versions)),
    (1, st.builds(c.ErasePerson, staff)),
]
commands: st.SearchStrategy[c.Command] = st.sampled_from(
    [kind for weight, kind in OFTEN for _ in range(weight)]
).flatmap(lambda kind: kind)
batches = st.lists(st.tuples(st.sampled_from([0, 0, 0, 1]), commands), min_size=1, max_size=12)
"""Commands that are handed in together, each for one of two numbers."""


def submission(account: UUID, number: UUID, command: c.Command, start: int) -> Submission:
    """A command of a history that began at `start`, as it is handed in now."""
    at = command.told.at
    moved = replace(command, told=replace(command.told, at=None if at is None else start + at))
    claims: tuple[Claim, ...] = ()
    if isinstance(moved, c.AskMessage):
        claims = (Claim(MESSAGE_CLAIM, uuid5(NAMESPACE_OID, f"{number}{moved.message_id}")),)
        if moved.expires_at is not None:
            moved = replace(moved, expires_at=now() + SECOND // 50)
    return Submission(account, (number,), None, moved, claims)


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
