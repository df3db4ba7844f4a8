"""How often each story happens, and to whom."""

from random import Random
from typing import Final

from api.demo import cast
from api.demo import incidents as i
from api.demo import stories as s
from api.demo.telling import Scene, Step, Story, Teller

CAST: Final[tuple[tuple[int, tuple[Story, ...]], ...]] = (
    (67, (s.regular,)),
    (30, (s.intake_form,)),
    (12, (s.by_voice,)),
    (30, (s.reminded_only,)),
    (28, (s.stopped,)),
    (8, (s.came_back,)),
    (6, (s.stopped_by_phone,)),
    (8, (s.out_by_agent,)),
    (5, (s.out_by_mistake,)),
    (6, (i.on_carrier_list,)),
    (5, (i.unreachable,)),
    (4, (i.deactivated,)),
    (6, (i.hiccup,)),
    (7, (i.suspected,)),
    (3, (i.confirmed,)),
    (3, (i.dismissed,)),
    (9, (s.declined,)),
    (10, (s.unanswered,)),
    (8, (s.held_and_released,)),
    (3, (s.held_and_stopped,)),
    (6, (s.asked_today,)),
    (7, (i.no_marketing,)),
    (4, (i.hidden_preference,)),
    (5, (i.marketing,)),
    (5, (i.blocked,)),
    (2, (i.unblocked,)),
    (2, (i.reassigned,)),
    (3, (s.stranger,)),
    (3, (s.help_wanted,)),
    (2, (i.by_the_trainee,)),
    (1, (i.from_the_harbor,)),
    (1, (s.stopped, i.two_phones)),
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
    """The stories in the order of the people; the one that `dev` suggests is a regular."""
    groups = [group for total, group in CAST for _ in range(total)]
    first, rest = groups[0], groups[1:]
    random.shuffle(rest)
    stories = [story for group in (first, *rest) for story in group]
    assert len(stories) == len(cast.PEOPLE)
    return stories
