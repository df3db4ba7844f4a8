"""Given, when, then for the domain: facts on one number, a command or a question, what comes of it.

No database and no clock: a story has a small clock of its own, and drives `PhoneNumber` and
`handle` as the writer does, with the whole stream only where a late fact needs it.
"""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import Account
from consent_ledger.commands import Command, Judge, ReceiveText, ReportDelivery, Told
from consent_ledger.decision import Decision, Question, decide
from consent_ledger.handlers import handle
from consent_ledger.held import Held, evolve_held
from consent_ledger.phone_number import Answered, PhoneNumber, RefusedError
from consent_ledger.policy import Policy, PolicyVersion, preset
from consent_ledger.snapshot import HistoryNeededError, Snapshot, snapshot_of
from consent_ledger.standing import Standing
from consent_ledger.words import ActorKind, Answer, Basis, Channel, MessageState, Reason

NUMBER: Final = UUID(int=1)
OTHER_NUMBER: Final = UUID(int=2)
ACCOUNT: Final = UUID(int=9)
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
T0: Final = round(datetime(2026, 3, 2, 10, tzinfo=UTC).timestamp()) * SECOND
"""A Monday, ten o'clock in the morning, UTC."""


def instant(days: float = 0, hours: float = 0, minutes: float = 0) -> int:
    """An instant of the story's clock."""
    return T0 + round(days * DAY + hours * HOUR + minutes * MINUTE)


def account(rules: str | Policy = "consent-first", **changes: Any) -> Account:
    """An account that holds to a preset or policy from before the story began."""
    policy = preset(rules) if isinstance(rules, str) else rules
    version = PolicyVersion(1, 0, policy)
    return replace(Account(ACCOUNT, version=1, name="Dr Who", policies=(version,)), **changes)


class Happened:
    """A fact with the envelope that a story cares about."""

    def __init__(self, fact: f.Fact, at: int | None = None, **envelope: Any) -> None:
        self.fact = fact
        self.at = at
        self.envelope = envelope

    def event(self, version: int, at: int) -> f.Event:
        """The fact in its place."""
        moment = self.at if self.at is not None else at
        recorded_at = self.envelope.get("recorded_at", moment)
        given = {k: v for k, v in self.envelope.items() if k != "recorded_at"}
        fields: dict[str, Any] = {"basis": Basis.PROVIDER, "actor": ActorKind.CONTACT} | given
        context = f.Context(
            at=moment,
            policy_version=1,
            account_version=1,
            channel=fields.pop("channel", Channel.SMS),
            **fields,
        )
        return f.Event(NUMBER, version, ACCOUNT, recorded_at, context, self.fact)


def at(moment: int, fact: f.Fact, **envelope: Any) -> Happened:
    """A fact at an instant of its own, by the provider's clock where no other is named."""
    return Happened(fact, moment, **envelope)


def events_of(*facts: f.Fact | Happened) -> list[f.Event]:
    """Events in the order given; a fact without an instant is an hour after the one before."""
    events: list[f.Event] = []
    for version, each in enumerate(facts, 1):
        happened = each if isinstance(each, Happened) else Happened(each)
        latest = events[-1].context.at if events else T0 - HOUR
        events.append(happened.event(version, latest + HOUR))
    return events


def standing_of(*facts: f.Fact | Happened) -> Standing:
    """Where a number with these facts stands."""
    return snapshot_of(events_of(*facts)).standing


class Story:
    """A number with its history, and what happened to it last."""

    def __init__(self, events: list[f.Event], whose: Account) -> None:
        self.events = events
        self.account = whose
        self.contacts: tuple[tuple[UUID, Standing], ...] = ()
        self.now = max((e.context.at for e in events), default=T0) + HOUR
        self.answered: Answered | None = None
        self.refusal: RefusedError | None = None
        self.new: list[f.Event] = []

    @property
    def snapshot(self) -> Snapshot:
        """The number's snapshot as of the last event."""
        return snapshot_of(self.events)

    @property
    def standing(self) -> Standing:
        """Where the number stands."""
        return self.snapshot.standing

    @property
    def held(self) -> dict[str, Held]:
        """The texts that wait, or waited."""
        held: dict[str, Held] = {}
        for event in self.events:
            evolve_held(held, event)
        return held

    def when(self, *commands: Command, at: int | None = None) -> "Story":
        """Handles commands, an hour after the last fact or at an instant of the ledger's clock."""
        for command in commands:
            self._handle(command, at)
        return self

    def given(self, *facts: f.Fact | Happened) -> "Story":
        """More facts, as if they had been recorded by now."""
        for each in facts:
            happened = each if isinstance(each, Happened) else Happened(each)
            event = happened.event(len(self.events) + 1, self.now)
            self.events.append(event)
            self.now = max(self.now, event.context.at) + HOUR
        return self

    def under(self, whose: Account) -> "Story":
        """The same number, the account set up anew."""
        self.account = whose
        return self

    def beside(self, other: Standing) -> "Story":
        """The contact has another number, which stands like this."""
        self.contacts = ((OTHER_NUMBER, other),)
        return self

    def _handle(self, command: Command, moment: int | None) -> None:
        now = self.now if moment is None else moment
        self.answered, self.refusal, self.new = None, None, []
        try:
            number, self.answered = self._answer(command, now)
            self.new = number.collect_events()
        except RefusedError as refusal:
            self.refusal = refusal
        self.events = [*self.events, *self.new]
        self.now = max(self.now, now) + HOUR

    def _answer(self, command: Command, now: int) -> tuple[PhoneNumber, Answered]:
        try:
            number = self._number(command, now, history=None)
            return number, handle(number, command)
        except HistoryNeededError:
            number = self._number(command, now, history=self.events)
            return number, handle(number, command)

    def _number(self, command: Command, now: int, history: list[f.Event] | None) -> PhoneNumber:
        refers_to = command.refers_to if isinstance(command, Judge | ReportDelivery) else None
        return PhoneNumber(
            NUMBER,
            self.account,
            self.snapshot,
            now,
            history=history,
            held=self.held,
            referred=None if refers_to is None else self.events[refers_to - 1],
            contacts=self.contacts,
        )

    # --- then ------------------------------------------------------------------------------

    def then(self, *facts: f.Fact | type[f.Fact]) -> "Story":
        """Exactly these facts were recorded; a type stands for any fact of it."""
        assert self.refusal is None, self.refusal
        got = [event.fact for event in self.new]
        wanted = [*facts, *[None] * (len(got) - len(facts))]
        shown = [
            type(fact) if isinstance(kind, type) else fact
            for fact, kind in zip(got, wanted, strict=False)
        ]
        assert shown == list(facts)
        return self

    def refused(self, code: str, reason: str | None = None) -> "Story":
        """The command was refused, and nothing was recorded."""
        assert self.refusal is not None, "it was not refused"
        assert self.refusal.code == code
        assert reason is None or self.refusal.reason == reason
        assert self.new == []
        return self

    def replied(self, kind: str | None) -> "Story":
        """The sender was asked to send this reply, or none."""
        assert self.answered is not None, self.refusal
        assert self.answered.reply == kind
        return self

    def is_(self, message_id: str, state: MessageState) -> "Story":
        """The fate of a text."""
        assert self.held[message_id].state is state
        return self

    def asked(self, question: str | Question, at: int | None = None) -> "Asked":
        """A question about the number, an hour after the last fact or at an instant."""
        put = Question(question) if isinstance(question, str) else question
        now = self.now if at is None else at
        return Asked(self, decide(self.standing, put, self.account, now))


class Asked:
    """The answer to a question."""

    def __init__(self, story: Story, decision: Decision) -> None:
        self.story = story
        self.decision = decision

    def answers(self, reason: Reason, answer: Answer | None = None) -> "Asked":
        """The reason, and the decision it comes with."""
        assert self.decision.reason is reason
        assert answer is None or self.decision.answer is answer
        assert self.decision.may_text is (self.decision.answer is Answer.ALLOW)
        return self


def given(
    *facts: f.Fact | Happened, rules: str | Policy = "consent-first", whose: Account | None = None
) -> Story:
    """A number with these facts, of an account with this preset or policy."""
    return Story(events_of(*facts), whose or account(rules))


def staff(moment: int | None = None, kind: ActorKind = ActorKind.AGENT) -> Told:
    """Somebody of the account."""
    return Told(kind, Channel.API, "jo", at=moment)


def texts(word: str, moment: int | None = None, **more: Any) -> ReceiveText:
    """The contact texts; `word` is what the lexicon made of it."""
    basis = more.pop("basis", Basis.PROVIDER)
    told = Told(ActorKind.CONTACT, Channel.SMS, at=moment, basis=basis)
    return ReceiveText(told, word, word, "1", **more)
