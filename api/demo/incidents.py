"""What else happens: carriers, doubtful words, other systems, the clinic's own rules."""

from datetime import UTC, datetime, timedelta
from typing import Final

from api.demo import cast
from api.demo.stories import agreed, regular, texted
from api.demo.telling import Teller
from consent_ledger.words import Method, Preference, Purpose, Verdict

SUSPECT: Final = ("take me off your list", "lose my number", "do not contact me again")


def _recalled(teller: Teller) -> None:
    """Consent to recalls, where they need it: what follows is about something else."""
    if teller.scene.policy.purposes[Purpose.RECALL].needs_consent:
        teller.signs(Method.VERBAL, Purpose.RECALL)


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
