"""A machine that does anything in any order, against a model of ten lines: no yes after a STOP.

The model is the rulebook's R-F1, R-F2, R-F3, R-L5 and R-O2 in its own words, and shares no code
with the domain: a STOP is over once some word that may open is later than it, by the margin where
the clocks differ.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from consent_ledger import facts as f
from consent_ledger.account import User
from consent_ledger.commands import (
    AskMessage,
    GiveConsent,
    Judge,
    OptIn,
    OptOut,
    ReleaseMessage,
    ReportDelivery,
    RequestConsent,
)
from consent_ledger.decision import Question
from consent_ledger.words import (
    ActorKind,
    Basis,
    Level,
    MessageState,
    Method,
    Permission,
    Source,
    Verdict,
)
from tests.domain.happenings import PURPOSES
from tests.story import MINUTE, Story, account, given, staff, texts

WORDS = (
    "stop",
    "start",
    "yes",
    "no",
    "consent",
    "decline",
    "help",
    "other",
    "suspected_revocation",
)
MARGIN = 5 * MINUTE


class Model:
    """What the contact said that closes and opens, each with its time and clock."""

    def __init__(self) -> None:
        self.stops: list[tuple[int, Basis]] = []
        self.starts: list[tuple[int, Basis]] = []
        self.consents: list[int] = []
        self.requests: list[tuple[int, Basis]] = []

    def must_say_no(self) -> bool:
        """Whether some STOP is outranked by no START, YES or re-authorisation."""
        asked = [r for r in self.requests if any(r[0] < said for said in self.consents)]
        return any(
            not any(self.outranks(word, stop) for word in (*self.starts, *asked))
            for stop in self.stops
        )

    @staticmethod
    def outranks(word: tuple[int, Basis], stop: tuple[int, Basis]) -> bool:
        """Later; by five minutes or more where the clocks differ."""
        return word[0] > stop[0] if word[1] is stop[1] else word[0] >= stop[0] + MARGIN


class Number(RuleBasedStateMachine):
    """One number of one account; time goes on, and words arrive up to an hour late."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.story: Story = given()
        self.texts = 0

    @initialize(rules=st.sampled_from(["consent-first", "opt-out", "recalls", "authorization"]))
    def begin(self, rules: str) -> None:
        """An account with one of the presets, where Jo may text."""
        self.story = given(whose=account(rules, users={"jo": User(Permission.ALLOW)}))

    @rule(
        word=st.sampled_from(WORDS),
        late=st.sampled_from([0, 1, 3, 5, 7, 60]),
        basis=st.sampled_from([Basis.PROVIDER, Basis.SENDER]),
        wait=st.sampled_from([1, 4, 60]),
    )
    def the_contact_texts(self, word: str, late: int, basis: Basis, wait: int) -> None:
        """By the provider's clock or the sender's, on time or late."""
        now = self._after(wait)
        said = now - late * MINUTE
        self.story.when(texts(word, said, basis=basis), at=now)
        if word == "stop":
            self.model.stops.append((said, basis))
        if word in ("start", "yes"):
            self.model.starts.append((said, basis))
        if word in ("consent", "yes"):
            self.model.consents.append(said)

    @rule(word=st.sampled_from(WORDS))
    def the_contact_texts_from_the_future(self, word: str) -> None:
        """R-O3: it may close at the ledger's own time, and opens nothing."""
        now = self._after(1)
        self.story.when(texts(word, now + 60 * MINUTE), at=now)
        if word == "stop":
            self.model.stops.append((self.story.new[0].context.at, Basis.LEDGER))

    @rule(late=st.sampled_from([0, 5, 60]))
    def the_contact_asks_by_phone(self, late: int) -> None:
        """R-F6: written down by an agent."""
        now = self._after(1)
        self.story.when(OptOut(staff(now - late * MINUTE), Source.CONTACT), at=now)
        self.model.stops.append((now - late * MINUTE, Basis.SENDER))

    @rule(sent_by=st.sampled_from(["jo", None]), wait=st.sampled_from([1, 60]))
    def staff_ask_for_consent(self, sent_by: str | None, wait: int) -> None:
        """It re-authorises only where the ledger let it go and says so."""
        self.story.when(RequestConsent(staff(), sent_by=sent_by), at=self._after(wait))
        for event in self.story.new:
            if isinstance(event.fact, f.ConsentRequested) and event.fact.reauthorises:
                self.model.requests.append((event.context.at, event.context.basis))

    @rule(verdict=st.sampled_from(Verdict))
    def an_admin_judges(self, verdict: Verdict) -> None:
        """R-F10: the latest words that were suspected."""
        found = [e for e in self.story.events if isinstance(e.fact, f.RevocationSuspected)]
        if not found:
            return
        words = found[-1]
        command = Judge(staff(), words.originator_version, verdict)
        self.story.when(command, at=self._after(1))
        if verdict is Verdict.REVOKED:
            self.model.stops.append((words.context.at, words.context.basis))

    @rule(
        command=st.sampled_from(
            [
                OptIn(staff(kind=ActorKind.ADMIN)),
                OptOut(staff()),
                GiveConsent(staff(), PURPOSES, Level.EXPRESS_WRITTEN, Method.WEB),
                ReportDelivery(staff(), "twilio", "0", "delivered"),
                ReportDelivery(staff(), "twilio", "21610", "opted_out"),
            ]
        )
    )
    def others_do_what_they_may(self, command: OptIn | OptOut | GiveConsent) -> None:
        """None of it lifts what the contact said."""
        self.story.when(command, at=self._after(1))

    @rule(purpose=st.sampled_from(PURPOSES))
    def a_sender_asks(self, purpose: str) -> None:
        """A text is permitted only where the model does not say no."""
        self.texts += 1
        ask = AskMessage(staff(), str(self.texts), Question(purpose, sent_by="jo"))
        self.story.when(ask, at=self._after(1))
        assert self.story.answered is not None
        permitted = self.story.answered.state is MessageState.PERMITTED
        assert not (permitted and self.model.must_say_no())

    @rule(at_hand=st.integers(0, 5))
    def a_sender_claims(self, at_hand: int) -> None:
        """A held text goes only where the model does not say no."""
        waiting = list(self.story.held)
        if not waiting:
            return
        name = waiting[at_hand % len(waiting)]
        was = self.story.held[name].state
        self.story.when(ReleaseMessage(staff(), name, "worker"), at=self._after(1))
        if self.story.held[name].state is not was:
            assert not self.model.must_say_no()

    @rule()
    def a_clear_start_lifts(self) -> None:
        """R-F2: the other half of the promise; an hour later on every clock."""
        now = self._after(60)
        self.story.when(texts("start", now), at=now)
        self.model.starts.append((now, Basis.PROVIDER))
        assert not self.story.standing.do_not_text

    @invariant()
    def nothing_says_yes_after_a_stop(self) -> None:
        """For no purpose, by hand or not."""
        if self.model.must_say_no():
            for purpose in PURPOSES:
                for manual in (False, True):
                    question = Question(purpose, sent_by="jo", manual=manual, confirmed=manual)
                    assert not self.story.asked(question).decision.may_text

    @invariant()
    def no_text_waits_that_a_stop_has_met(self) -> None:
        """R-F1: while a STOP stands nothing is deferred."""
        if self.model.must_say_no():
            states = {held.state for held in self.story.held.values()}
            assert MessageState.DEFERRED not in states
        waiting = [
            h for h in self.story.held.values() if h.state in ("deferred", "needs_confirmation")
        ]
        assert self.story.snapshot.held == len(waiting)

    def _after(self, minutes: int) -> int:
        latest = max([self.story.snapshot.clock, *(e.context.at for e in self.story.events)])
        return max(latest, given().now) + minutes * MINUTE


TestNumber = Number.TestCase
TestNumber.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
