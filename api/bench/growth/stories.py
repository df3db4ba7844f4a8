"""What happened to the numbers of a grown ledger: nine in ten were opted out, by every source.

Most have a few events, as numbers of a list have; one in five has a half year like the demo's.
"""

from typing import Final

from api.demo import incidents as i
from api.demo import stories as s
from api.demo.telling import Story, Teller
from consent_ledger import commands as c
from consent_ledger.facts import Evidence
from consent_ledger.words import ActorKind, Channel, Purpose, Source

LIST_DIGEST: Final = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
"""Stands for the digest of the list that the numbers came with."""


def listed(teller: Teller) -> None:
    """A list said so."""
    evidence = Evidence(file_digest=LIST_DIGEST, row=teller.who + 2)
    about = teller.told(ActorKind.ADMIN, channel=Channel.IMPORT, evidence=evidence)
    teller.step(c.OptOut(about, Source.CONTACT))


def stopped(teller: Teller) -> None:
    """A text went, arrived, and was answered by STOP."""
    teller.delivered(Purpose.APPOINTMENT_REMINDER, by=None)
    teller.says(teller.scene.random.choice(s.STOPPED))


def by_agent(teller: Teller) -> None:
    """An agent opted the number out."""
    teller.opts_out(Source.AGENT, "moved to another clinic")


def by_phone(teller: Teller) -> None:
    """The contact asked for it on the phone."""
    teller.opts_out(Source.CONTACT, "asked for it on the phone", Channel.PHONE)


def by_carrier(teller: Teller) -> None:
    """The carrier has the number on its list."""
    teller.report("21610", teller.text(Purpose.APPOINTMENT_REMINDER, by=None))


def agent_and_carrier(teller: Teller) -> None:
    """Two opt-outs stand, and the carrier's is shown."""
    by_carrier(teller)
    by_agent(teller)


def listed_and_agent(teller: Teller) -> None:
    """Two opt-outs stand, and the contact's is shown."""
    by_agent(teller)
    listed(teller)


STORIES: Final[tuple[tuple[int, Story], ...]] = (
    (29, listed),
    (22, stopped),
    (7, by_agent),
    (5, by_phone),
    (6, by_carrier),
    (4, agent_and_carrier),
    (7, listed_and_agent),
    (6, s.stopped),
    (1, s.stopped_by_phone),
    (1, s.out_by_agent),
    (1, s.held_and_stopped),
    (1, i.deactivated),
    (2, s.regular),
    (1, s.intake_form),
    (1, s.unanswered),
    (1, s.held_and_released),
    (1, s.asked_today),
    (1, s.came_back),
    (1, s.declined),
    (1, i.suspected),
    (1, i.no_marketing),
)
"""Of a hundred numbers, how many each happened to."""


def story_of(place: int) -> Story:
    """The story of the number at a place."""
    left = place % sum(times for times, _ in STORIES)
    for times, story in STORIES:
        if left < times:
            return story
        left -= times
    raise AssertionError
