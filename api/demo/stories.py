"""What happened to the demo's contacts: one function a kind of story, and how many of each."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from api.demo import cast
from api.demo.telling import HOUR, MINUTE, Scene, Step, Story, Teller
from consent_ledger.words import Channel, Method, Preference, Purpose, Source, Verdict

AGREED: Final = ("CONSENT", "Yes", "I agree", "Consent, thank you", "yes!")
STOPPED: Final = ("STOP", "Stop. Thank you", "unsubscribe", "STOP PLEASE!!", "cancel", "Opt-out")
SUSPECT: Final = ("take me off your list", "lose my number", "do not contact me again")
SMALL_TALK: Final = ("Thanks, see you Tuesday", "Can we move it to 3pm?", "Who is this?")


def agreed(teller: Teller) -> None:
    """A request, and a yes within the day."""
    if teller.asks_consent():
        teller.later(5 * MINUTE, 9 * HOUR)
        teller.says(teller.scene.random.choice(AGREED))


def texted(teller: Teller, least: int = 1, most: int = 4) -> None:
    """Reminders and conversation over some weeks; the example's conversation is bound to go."""
    for _ in range(teller.scene.random.randint(least, most)):
        teller.days(1, 20)
        if teller.scene.random.random() < 0.5 and _converses(teller):
            teller.delivered()
            if teller.scene.random.random() < 0.3:
                teller.says(teller.scene.random.choice(SMALL_TALK))
        else:
            teller.delivered(Purpose.APPOINTMENT_REMINDER, by=None)


def _converses(teller: Teller) -> bool:
    rule = teller.scene.policy.purposes[Purpose.CONVERSATION]
    return not rule.needs_consent or Purpose.CONVERSATION in teller.scene.asks


def _asked_for(teller: Teller) -> Purpose:
    """What the policy has people asked for: the texts that wait are of this purpose."""
    return Purpose.MARKETING if Purpose.MARKETING in teller.scene.asks else Purpose.CONVERSATION


def _recalled(teller: Teller) -> None:
    """Consent to recalls, where they need it: what follows is about something else."""
    if teller.scene.policy.purposes[Purpose.RECALL].needs_consent:
        teller.signs(Method.VERBAL, Purpose.RECALL)


def regular(teller: Teller) -> None:
    agreed(teller)
    texted(teller, 2, 5)


def intake_form(teller: Teller) -> None:
    method = teller.scene.random.choice((Method.WEB, Method.PAPER))
    teller.signs(method, *Purpose)
    texted(teller)
    teller.delivered(Purpose.MARKETING, by=None)


def by_voice(teller: Teller) -> None:
    teller.signs(Method.VERBAL, Purpose.CONVERSATION, Purpose.APPOINTMENT_REMINDER)
    texted(teller)


def reminded_only(teller: Teller) -> None:
    teller.text(Purpose.APPOINTMENT_REMINDER, by=None)
    teller.days(20, 40)
    teller.text(Purpose.RECALL, by=None)


def stopped(teller: Teller) -> None:
    regular(teller)
    teller.says(teller.scene.random.choice(STOPPED))
    teller.days(1, 30)
    teller.text(Purpose.APPOINTMENT_REMINDER, by=None)


def came_back(teller: Teller) -> None:
    agreed(teller)
    teller.says("STOP")
    teller.days(3, 30)
    teller.says("Start")
    texted(teller, 1, 2)


def stopped_by_phone(teller: Teller) -> None:
    regular(teller)
    teller.opts_out(Source.CONTACT, "asked for it on the phone", Channel.PHONE)


def out_by_agent(teller: Teller) -> None:
    regular(teller)
    teller.opts_out(Source.AGENT, "moved to another clinic")
    teller.days(1, 9)
    teller.text(Purpose.APPOINTMENT_REMINDER, by=None)


def out_by_mistake(teller: Teller) -> None:
    agreed(teller)
    teller.opts_out(Source.AGENT, "wrong patient")
    teller.days(1, 3)
    teller.opts_in("recorded for the wrong patient")
    texted(teller, 1, 2)


def on_carrier_list(teller: Teller) -> None:
    agreed(teller)
    teller.report("21610", teller.text(Purpose.APPOINTMENT_REMINDER, by=None))
    teller.days(2, 20)
    teller.text(Purpose.APPOINTMENT_REMINDER, by=None)


def unreachable(teller: Teller) -> None:
    agreed(teller)
    for _ in range(teller.scene.policy.unreachable_limit):
        teller.days(3, 9)
        teller.report("30003", teller.text(Purpose.APPOINTMENT_REMINDER, by=None))


def deactivated(teller: Teller) -> None:
    agreed(teller)
    teller.report("30005", teller.text(Purpose.APPOINTMENT_REMINDER, by=None))


def hiccup(teller: Teller) -> None:
    agreed(teller)
    for code in ("30008", "30004", "30007"):
        teller.days(1, 5)
        teller.report(code, teller.text(Purpose.APPOINTMENT_REMINDER, by=None))
    texted(teller, 1, 2)


def suspected(teller: Teller) -> None:
    regular(teller)
    teller.says(teller.scene.random.choice(SUSPECT))
    teller.days(1, 4)
    teller.text(Purpose.APPOINTMENT_REMINDER, by=None)


def confirmed(teller: Teller) -> None:
    regular(teller)
    words = teller.says(teller.scene.random.choice(SUSPECT))
    teller.days(1, 3)
    teller.judged(words, Verdict.REVOKED)


def dismissed(teller: Teller) -> None:
    regular(teller)
    words = teller.says("I will stop by, take me off your list of no-shows")
    teller.days(1, 3)
    teller.judged(words, Verdict.DISMISSED)
    texted(teller, 1, 2)


def declined(teller: Teller) -> None:
    teller.asks_consent()
    teller.later(10 * MINUTE, 9 * HOUR)
    teller.says("DECLINE")
    teller.days(1, 9)
    teller.text(_asked_for(teller))


def unanswered(teller: Teller) -> None:
    teller.asks_consent()
    teller.text(_asked_for(teller))


def held_and_released(teller: Teller) -> None:
    teller.asks_consent()
    held = [teller.text(_asked_for(teller)) for _ in range(2)]
    teller.later(HOUR, 9 * HOUR)
    teller.says("CONSENT")
    if teller.scene.asks:
        teller.released(held[0])


def held_and_stopped(teller: Teller) -> None:
    teller.asks_consent()
    teller.text(_asked_for(teller))
    teller.later(HOUR, 9 * HOUR)
    teller.says("STOP")


def asked_today(teller: Teller) -> None:
    teller.at = teller.scene.until - HOUR
    teller.text(Purpose.MARKETING, by=None)
    teller.text()


def no_marketing(teller: Teller) -> None:
    _recalled(teller)
    teller.prefers(Preference.NOT_CONSENTED)
    teller.days(2, 30)
    teller.text(Purpose.MARKETING, by=None)
    teller.days(2, 30)
    teller.text(Purpose.RECALL)
    teller.text(Purpose.RECALL, confirmed=True, same=True)


def hidden_preference(teller: Teller) -> None:
    _recalled(teller)
    teller.prefers(Preference.UNREADABLE)
    teller.days(2, 30)
    teller.text(Purpose.RECALL)


def marketing(teller: Teller) -> None:
    teller.prefers(Preference.CONSENTED)
    teller.days(2, 30)
    teller.delivered(Purpose.MARKETING, by=None)


def blocked(teller: Teller) -> None:
    teller.blocks(Purpose.RECALL)
    teller.days(2, 30)
    teller.text(Purpose.RECALL, by=None)


def unblocked(teller: Teller) -> None:
    teller.blocks(Purpose.RECALL)
    teller.days(2, 30)
    teller.blocks(Purpose.RECALL, False)
    teller.days(2, 30)
    teller.text(Purpose.RECALL, by=None)


def reassigned(teller: Teller) -> None:
    agreed(teller)
    teller.days(30, 60)
    gone = datetime.fromtimestamp(teller.at / 1_000_000, UTC) - timedelta(days=4)
    teller.reassigned(gone.date().isoformat())


def stranger(teller: Teller) -> None:
    teller.says("Hi, is this the clinic on Main Street?")


def help_wanted(teller: Teller) -> None:
    agreed(teller)
    teller.days(1, 9)
    teller.says("HELP")


def by_the_trainee(teller: Teller) -> None:
    agreed(teller)
    teller.text(by=cast.TRAINEE)


def from_the_harbor(teller: Teller) -> None:
    agreed(teller)
    teller.text(Purpose.APPOINTMENT_REMINDER, by=None, place="harbor")


def two_phones(teller: Teller) -> None:
    """The contact's other phone, the one before this in the list, said STOP."""
    agreed(teller)
    teller.days(182, 182)
    teller.text(others=(teller.who - 1,))


CAST: Final[tuple[tuple[int, tuple[Story, ...]], ...]] = (
    (67, (regular,)),
    (30, (intake_form,)),
    (12, (by_voice,)),
    (30, (reminded_only,)),
    (28, (stopped,)),
    (8, (came_back,)),
    (6, (stopped_by_phone,)),
    (8, (out_by_agent,)),
    (5, (out_by_mistake,)),
    (6, (on_carrier_list,)),
    (5, (unreachable,)),
    (4, (deactivated,)),
    (6, (hiccup,)),
    (7, (suspected,)),
    (3, (confirmed,)),
    (3, (dismissed,)),
    (9, (declined,)),
    (10, (unanswered,)),
    (8, (held_and_released,)),
    (3, (held_and_stopped,)),
    (6, (asked_today,)),
    (7, (no_marketing,)),
    (4, (hidden_preference,)),
    (5, (marketing,)),
    (5, (blocked,)),
    (2, (unblocked,)),
    (2, (reassigned,)),
    (3, (stranger,)),
    (3, (help_wanted,)),
    (2, (by_the_trainee,)),
    (1, (from_the_harbor,)),
    (1, (stopped, two_phones)),
)
"""How often each happens; stories of one tuple go to neighbours in the list of people."""


def told(scene: Scene) -> list[Step]:
    """Every step of the half year, in order of time."""
    stories = _dealt(scene.random)
    steps: list[Step] = []
    for who, story in enumerate(stories):
        teller = Teller(scene, who)
        teller.begin()
        story(teller)
        steps += teller.steps
    return sorted(steps, key=lambda step: (step.at, step.who))


def _dealt(random: Random) -> list[Story]:
    """The stories in the order of the people; the example of the documentation is a regular."""
    groups = [group for total, group in CAST for _ in range(total)]
    first, rest = groups[0], groups[1:]
    random.shuffle(rest)
    stories = [story for group in (first, *rest) for story in group]
    assert len(stories) == len(cast.PEOPLE)
    return stories
