"""What happened between the clinic and its contacts: asked, texted, opted out, come back."""

from typing import Final

from api.demo.telling import HOUR, MINUTE, Teller
from consent_ledger.words import Channel, Method, Purpose, Source

AGREED: Final = ("CONSENT", "Yes", "I agree", "Consent, thank you", "yes!")
STOPPED: Final = ("STOP", "Stop. Thank you", "unsubscribe", "STOP PLEASE!!", "cancel", "Opt-out")
SMALL_TALK: Final = ("Thanks, see you Tuesday", "Can we move it to 3pm?", "Who is this?")


def agreed(teller: Teller) -> None:
    """A request, and a yes within the day."""
    if teller.asks_consent():
        teller.later(5 * MINUTE, 9 * HOUR)
        teller.says(teller.scene.random.choice(AGREED))


def texted(teller: Teller, least: int = 1, most: int = 4) -> None:
    """Reminders and conversation over some weeks, and now and then an answer."""
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


def stranger(teller: Teller) -> None:
    teller.says("Hi, is this the clinic on Main Street?")


def help_wanted(teller: Teller) -> None:
    agreed(teller)
    teller.days(1, 9)
    teller.says("HELP")
