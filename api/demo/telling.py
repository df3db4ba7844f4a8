"""How a story of one contact is told: step by step, each at its time, as commands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from api.demo import cast
from consent_ledger import commands as c
from consent_ledger.carrier import classify
from consent_ledger.decision import Question
from consent_ledger.facts import Evidence
from consent_ledger.interpreting import interpret
from consent_ledger.keyring import Keyring
from consent_ledger.lexicon import DEFAULT_LEXICON
from consent_ledger.policy import DAY, Policy
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

MINUTE: Final = 60 * 1_000_000
HOUR: Final = 60 * MINUTE
PAST: Final = 182 * DAY
"""Half a year."""

LINE_OF: Final = {Purpose.APPOINTMENT_REMINDER: "+16285550101", Purpose.RECALL: "+16285550101"}


@dataclass(frozen=True)
class Step:
    """One command about one contact; `after` is the step whose event it refers to."""

    at: int
    who: int
    command: c.Command
    words: str | None = None
    message_id: str | None = None
    others: tuple[int, ...] = ()
    after: "Step | None" = None


@dataclass
class Scene:
    """What every story is told against."""

    random: Random
    policy: Policy
    until: int
    keyring: Keyring
    lines: dict[str, UUID]
    asks: tuple[str, ...]
    """What a request by hand asks for; nothing where the policy needs no consent."""


@dataclass
class Teller:
    """Tells the story of one contact; `at` is where it has come to."""

    scene: Scene
    who: int
    at: int = 0
    steps: list[Step] = field(default_factory=list)
    texts: int = 0

    def begin(self) -> None:
        """Some day of the half year, in the clinic's morning."""
        day = self.scene.random.randrange(150)
        self.at = self.scene.until - PAST + day * DAY
        self.later(0, 6 * HOUR)

    def later(self, least: int, most: int) -> None:
        """Time passes, but never past the present."""
        gone = self.scene.random.randrange(least // MINUTE, most // MINUTE + 1) * MINUTE
        last = self.steps[-1].at if self.steps else 0
        self.at = max(min(self.at + gone, self.scene.until - HOUR), last + MINUTE)

    def days(self, least: int, most: int) -> None:
        """Some days pass."""
        self.later(least * DAY, most * DAY)

    def step(self, command: c.Command, **more: Any) -> Step:
        """Adds a step here and now."""
        step = Step(self.at, self.who, command, **more)
        self.steps.append(step)
        self.later(MINUTE, 3 * MINUTE)
        return step

    def told(self, actor: ActorKind, by: str | None = None, **more: Any) -> c.Told:
        """Who tells it."""
        return c.Told(actor=actor, actor_id=by, at=self.at, **more)

    # --- what the contact does -----------------------------------------------------------------

    def says(self, text: str) -> Step:
        """The contact texts the clinic."""
        reading = interpret(text, DEFAULT_LEXICON)
        words = self.scene.keyring.digest("words", text.encode()).hex()[:32]
        evidence = Evidence(f"SMdemo{self.who:04}{len(self.steps):026}", text_digest=words)
        command = c.ReceiveText(
            told=self.told(
                ActorKind.CONTACT, channel=Channel.SMS, basis=Basis.PROVIDER, evidence=evidence
            ),
            understood_as=str(reading.understood_as),
            matched=reading.matched,
            lexicon_version=str(reading.lexicon_version),
            sending_number_id=self.scene.lines[cast.TEXT_LINE],
            # The replies of half a year ago need not be asked for today.
            answered_by_provider=True,
        )
        return self.step(command, words=text)

    def signs(self, method: Method, *purposes: Purpose) -> None:
        """Consent on a form or by word of mouth."""
        evidence = Evidence(form_id=f"intake-{self.who:04}", template_version="intake-2026-02")
        about = self.told(
            ActorKind.SENDER, "intake", channel=Channel(str(method)), evidence=evidence
        )
        level = Level.EXPRESS if method is Method.VERBAL else Level.EXPRESS_WRITTEN
        self.step(c.GiveConsent(about, tuple(map(str, purposes)), level, method))

    # --- what the clinic does ------------------------------------------------------------------

    def asks_consent(self) -> bool:
        """A request by hand; False where the policy needs none."""
        if not self.scene.asks:
            return False
        about = self.told(ActorKind.AGENT, cast.AGENT)
        self.step(c.RequestConsent(about, self.scene.asks, "main-street", cast.AGENT))
        return True

    def text(
        self,
        purpose: Purpose = Purpose.CONVERSATION,
        *,
        by: str | None = cast.AGENT,
        place: str = "main-street",
        confirmed: bool = False,
        same: bool = False,
        others: tuple[int, ...] = (),
    ) -> str:
        """A text about to be sent, by a person or, where `by` is None, by the system."""
        self.texts += not same
        message_id = f"demo-{self.who:04}-{self.texts:02}"
        line = LINE_OF.get(purpose, cast.TEXT_LINE) if place == "main-street" else None
        question = Question(
            purpose=str(purpose),
            location=place,
            sending_number_id=self.scene.lines[line] if line else None,
            sent_by=by,
            manual=by is not None,
            confirmed=confirmed,
        )
        about = self.told(ActorKind.AGENT if by else ActorKind.SENDER, by)
        self.step(c.AskMessage(about, message_id, question), message_id=message_id, others=others)
        return message_id

    def report(self, code: str, message_id: str | None = None) -> None:
        """The provider tells what became of a text."""
        about = self.told(ActorKind.SYSTEM, channel=Channel.WEBHOOK, basis=Basis.PROVIDER)
        meant = str(classify("twilio", code))
        self.step(c.ReportDelivery(about, "twilio", code, meant, message_id))

    def delivered(self, purpose: Purpose = Purpose.CONVERSATION, **more: Any) -> None:
        """A text that went and arrived."""
        self.report("delivered", self.text(purpose, **more))

    def opts_out(self, source: Source, reason: str, channel: Channel = Channel.API) -> None:
        """An agent opts the number out, of their own accord or because the contact asked."""
        about = self.told(ActorKind.AGENT, cast.DESK, channel=channel)
        self.step(c.OptOut(about, source), words=reason)

    def opts_in(self, reason: str) -> None:
        """An admin takes an agent's opt-out back."""
        self.step(c.OptIn(self.told(ActorKind.ADMIN, cast.ADMIN)), words=reason)

    def blocks(self, purpose: Purpose, blocked: bool = True) -> None:
        """Staff put the number on the blocked list, or take it off."""
        about = self.told(ActorKind.AGENT, cast.DESK)
        self.step(c.BlockPurpose(about, str(purpose), blocked))

    def prefers(self, value: Preference) -> None:
        """What the practice's system says of marketing."""
        about = self.told(ActorKind.SENDER, "practice-sync")
        self.step(c.RecordPreference(about, "practice", value))

    def judged(self, words: Step, verdict: Verdict) -> None:
        """An admin reads what may have been a STOP."""
        about = self.told(ActorKind.ADMIN, cast.ADMIN)
        self.step(c.Judge(about, 0, verdict), after=words)

    def reassigned(self, day: str) -> None:
        """The number was disconnected."""
        self.step(c.Reassign(self.told(ActorKind.ADMIN, cast.ADMIN), day))

    def released(self, message_id: str) -> None:
        """A text that waited goes now."""
        self.step(c.ReleaseMessage(self.told(ActorKind.SENDER), message_id, "sender-1"))


Story = Callable[[Teller], None]
