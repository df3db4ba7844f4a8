"""What another policy would change: for numbers as they stand, and for decisions already made.

Pure: standings, events and policies in, counts out. Every answer is `decide`'s own, so that what
is foretold here is what a check says once the policy holds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, get_args
from uuid import UUID

from msgspec.structs import replace

from consent_ledger.account import Account, evolve_account
from consent_ledger.decision import Question, UnknownPurposeError, decide
from consent_ledger.facts import Event, Fact
from consent_ledger.fold import fold
from consent_ledger.held import ASKED_STATES, Asked, Held
from consent_ledger.policy import Policy, PolicyVersion
from consent_ledger.snapshot import HistoryNeededError, Snapshot, counted
from consent_ledger.standing import Standing
from consent_ledger.words import Answer, MessageState, Reason

ASKED_TOPICS: Final = tuple(kind.__name__ for kind in get_args(Asked))
"""Topics of the events that record a decision about a text."""

ANSWERS: Final = {
    MessageState.PERMITTED: Answer.ALLOW,
    MessageState.DEFERRED: Answer.DEFER,
    MessageState.NEEDS_CONFIRMATION: Answer.CONFIRM,
    MessageState.REFUSED: Answer.DENY,
}


class Outcome(NamedTuple):
    """What a question comes to."""

    answer: Answer | None
    reason: Reason | None


UNKNOWN: Final = Outcome(None, None)
"""The policy has no such purpose, so that a question would be an error."""


class Change(NamedTuple):
    """For one purpose another outcome than before."""

    purpose: str
    before: Outcome
    after: Outcome


class Tally:
    """How many were examined, how many of them would change, and from what to what.

    `complete` is False where some were left out.
    """

    def __init__(self) -> None:
        self.examined = 0
        self.changed = 0
        self.changes: Counter[Change] = Counter()
        self.complete = True

    def add(self, outcomes: Iterable[Change]) -> None:
        """One more that was examined, with its outcomes before and after."""
        differing = [each for each in outcomes if each.before != each.after]
        self.examined += 1
        self.changed += bool(differing)
        self.changes.update(differing)


def outcome(standing: Standing, question: Question, account: Account, at: int) -> Outcome:
    """The decision's answer and reason, or that the purpose is unknown."""
    try:
        decision = decide(standing, question, account, at)
    except UnknownPurposeError:
        return UNKNOWN
    return Outcome(decision.answer, decision.reason)


class NumbersTally(Tally):
    """What an account's numbers would be answered at an instant: as things are, and otherwise.

    The question is an automated text of each purpose that either policy knows.
    """

    def __init__(self, account: Account, policy: Policy, at: int) -> None:
        super().__init__()
        self.at = at
        in_force = account.policy_at(at)
        self.policy_version = in_force.version
        self._account = account
        proposed = PolicyVersion(len(account.policies) + 1, at, policy)
        self._proposed = replace(account, policies=(*account.policies, proposed))
        purposes = {**in_force.policy.purposes, **policy.purposes}
        self._questions = [Question(purpose) for purpose in purposes]

    def examine(self, standing: Standing | None) -> None:
        """One number; None where its record cannot be read, which any policy denies."""
        self.add([] if standing is None else [self._asked(standing, q) for q in self._questions])

    def _asked(self, standing: Standing, question: Question) -> Change:
        before = outcome(standing, question, self._account, self.at)
        after = outcome(standing, question, self._proposed, self.at)
        return Change(question.purpose, before, after)


class Stream:
    """The standing of one number as it was recorded, event by event."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self._history: list[Event] = []

    @property
    def standing(self) -> Standing:
        """Where the number stood after the events so far."""
        return self._snapshot.standing

    def take(self, event: Event) -> None:
        """One more fact, in order of version."""
        self._history.append(event)
        try:
            self._snapshot = self._snapshot.absorb(event)
        except HistoryNeededError:
            self._snapshot = self._snapshot.absorb_late(self._history)


class SetUps:
    """The account as each of its versions left it; in rising order each fact is folded once."""

    def __init__(self, account_id: UUID, facts: Sequence[Fact]) -> None:
        self._facts = facts
        self._empty = self._kept = self._account = Account(account_id)

    def keep(self) -> None:
        """Marks where it stands as where to begin again."""
        self._kept = self._account

    def advance(self, version: int) -> bool:
        """Goes one step towards a version; False when it is there."""
        account = self._account
        if account.version > version:
            self._account = self._kept if self._kept.version <= version else self._empty
        elif account.version < min(version, len(self._facts)):
            self._account = evolve_account(account, self._facts[account.version])
        else:
            return False
        return True

    def at(self, version: int) -> Account:
        """The account at a version."""
        while self.advance(version):
            pass
        return self._account


class PastDecision(NamedTuple):
    """A decision about a text: its event, and the standing of its number as recorded then."""

    event: Event
    asked: Asked
    standing: Standing

    @property
    def question(self) -> Question:
        """What was asked, the contact's other numbers apart."""
        context = self.event.context
        return Held(
            message_id="",
            state=ASKED_STATES[type(self.asked)],
            version=self.event.originator_version,
            asked_at=context.at,
            asked=self.asked,
            location=context.location_id,
            sending_number_id=context.sending_number_id,
        ).question


class PastTally(Tally):
    """What decisions of the past would have been under another policy, all else as it was then."""

    def __init__(self, policy: Policy, set_ups: SetUps) -> None:
        super().__init__()
        self._rules = (PolicyVersion(1, 0, policy),)
        self.set_ups = set_ups
        self._asks_contacts = policy.stop_on_other_number_denies

    def contacts_of(self, past: PastDecision) -> tuple[UUID, ...]:
        """The other numbers whose standing the proposed policy would have asked for (R-M5)."""
        return past.asked.contacts if self._asks_contacts else ()

    def examine(
        self, past: PastDecision, contacts: Mapping[UUID, Sequence[Event]] = MappingProxyType({})
    ) -> None:
        """One decision; `contacts` has the facts on the other numbers that were named."""
        event, asked = past.event, past.asked
        set_up = self.set_ups.at(event.context.account_version)
        others = tuple((i, _standing_before(event, contacts[i])) for i in self.contacts_of(past))
        after = outcome(
            past.standing,
            replace(past.question, contacts=others),
            replace(set_up, policies=self._rules),
            event.recorded_at,
        )
        before = Outcome(ANSWERS[ASKED_STATES[type(asked)]], asked.reason)
        self.add([Change(asked.purpose, before, after)])


def _standing_before(event: Event, facts: Sequence[Event]) -> Standing:
    place = event.position or 0
    return fold(counted(fact for fact in facts if (fact.position or 0) < place))
