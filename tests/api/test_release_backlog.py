"""What need not be looked at again is what a look at everything would not find (section 5).

`GET /v1/messages` looks at all held texts, and `release-next` at what may have changed: at the same
moment they name the same texts. `RELEASE_EXAMPLES` sets the number of histories.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID

import pytest

from api.backlog import LOOKED_AT_AGAIN, START, Backlog
from tests.api.clinic import Clinic
from tests.api.conftest import Open
from tests.api.together import NUMBER, holding
from tests.service import Running

EXAMPLES: Final = int(os.environ.get("RELEASE_EXAMPLES", "4"))
STEPS: Final = 40
NUMBERS: Final = [f"+1415556{place:04}" for place in range(6)]
WORDS: Final = ("CONSENT", "CONSENT", "YES", "STOP", "START", "hello", "lose my number")


class History:
    """Texts are held, contacts and staff change their minds, and claimants come by, at random."""

    def __init__(self, clinic: Clinic, second: Running, seed: int) -> None:
        self.random = random.Random(seed)
        self.clinic = clinic
        self.here, self.there = clinic.service, second
        self.count = 0

    def goes_on(self) -> None:
        """Something happens, in one process or the other."""
        clinic, one = self.clinic, self.random.choice
        clinic.service = one((self.here, self.there))
        number = one(NUMBERS)
        match one(("send", "send", "send", "word", "word", "staff", "set-up", "take", "take")):
            case "send":
                self.count += 1
                others = self.random.sample(NUMBERS, 1) if self.count % 4 == 0 else []
                more = {"contact_numbers": others} if others else {}
                user = {"sent_by": "jo"} if self.count % 3 == 0 else {}
                purpose = one(("conversation", "conversation", "recall"))
                clinic.sends(number, purpose, f"out-{self.count}", **more, **user)
            case "word":
                clinic.hears(number, one(WORDS))
            case "staff":
                self._staff_act(number)
            case "set-up":
                self._set_up_changes()
            case "take":
                self.takes(self.random.randint(1, 3))

    def _staff_act(self, number: str) -> None:
        clinic = self.clinic
        match self.random.choice(("block", "unblock", "consent", "out", "in")):
            case "block":
                clinic.blocks(number, "conversation")
            case "unblock":
                clinic.blocks(number, "conversation", blocked=False)
            case "consent":
                clinic.consents(number)
            case "out":
                clinic.opts_out(number)
            case "in":
                clinic.opts_in(number)

    def _set_up_changes(self) -> None:
        clinic, one = self.clinic, self.random.choice
        match one(("permission", "policy", "fails")):
            case "permission":
                clinic.permits("jo", one(("allow", "deny")))
            case "policy":
                clinic.adopts(one(("consent-first", "consent-first", "opt-out")))
            case "fails":
                with clinic.failing("MessageReleased", of=one(NUMBERS)):
                    clinic.call(
                        *("POST", "/v1/messages/release-next", "sender"),
                        {"claimed_by": "worker-2", "limit": 5},
                    )

    def takes(self, limit: int) -> None:
        """A claimant is given the oldest of all that may go."""
        may_go = self.clinic.releasable()
        assert self.clinic.takes_next(limit) == may_go[:limit]


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_claimant_is_given_what_a_look_at_everything_finds(
    open_clinic: Open, second: Running, seed: int
) -> None:
    """Whatever happened between two claims, in this process and in another."""
    history = History(open_clinic(), second, seed)
    for _ in range(STEPS):
        history.goes_on()
    for service in (history.here, history.there):
        history.clinic.service = service
        history.takes(100)


def test_what_commits_late_is_found_though_its_place_was_passed(clinic: Clinic) -> None:
    """A transaction keeps the place in the log that it had when it began."""
    first, later = NUMBERS[:2]
    for number in (first, later):
        clinic.sends(number, message_id=f"to {number}")
    assert clinic.takes_next() == []
    with ThreadPoolExecutor(1) as pool:
        with holding(clinic.service, NUMBER, clinic.number_id(first)) as until_waiting:
            said = pool.submit(clinic.hears, first, "CONSENT")
            until_waiting(1)
            clinic.hears(later, "CONSENT")
            assert clinic.takes_next() == [f"to {later}"]
        said.result()
    assert clinic.takes_next() == [f"to {first}"]


OTHER: Final = UUID(int=7)
HOUR: Final = 3_600_000_000
NOW: Final = 1_800_000_000_000_000


@pytest.fixture
def backlog() -> Backlog:
    """One of which all was looked at and passed over, up to 900; 700 and 800 are in hand."""
    found = Backlog()
    found.begin((1, 1), NOW)
    found.pass_over(NOW + HOUR // 60, [])
    found.pass_over(NOW + HOUR, [OTHER])
    found.through = 900
    for position in (700, 800):
        found.take(position)
    return found


@pytest.mark.parametrize(
    ("rules", "at", "again"),
    [
        ((1, 1), NOW, False),
        ((1, 1), NOW + HOUR // 60 - 1, False),
        ((1, 1), NOW + HOUR // 60, True),
        ((1, 1), NOW + LOOKED_AT_AGAIN, True),
        ((2, 1), NOW, True),
        ((1, 2), NOW, True),
    ],
)
def test_all_are_looked_at_again_where_any_may_go(
    backlog: Backlog, rules: tuple[int, int], at: int, again: bool
) -> None:
    """By an hour that opens, another policy, another set-up; and now and then in any case."""
    backlog.begin(rules, at)
    assert backlog.through == (START if again else 900)
    assert backlog.concerns_contacts({OTHER}) is not again


def test_what_was_not_released_is_looked_at_again(backlog: Backlog) -> None:
    """By whoever comes next; nobody tries it before."""
    assert backlog.is_in_hand(700)
    backlog.let_go([800], [800])
    assert (backlog.through, backlog.is_in_hand(800)) == (900, False)
    backlog.let_go([700])
    assert (backlog.through, backlog.is_in_hand(700)) == (699, False)


def test_what_is_let_go_while_somebody_looks_is_not_passed(backlog: Backlog) -> None:
    """They may have read what lies behind it before."""
    backlog.begin((1, 1), NOW)
    backlog.let_go([700])
    backlog.through = 950
    backlog.end()
    assert backlog.through == 699
    backlog.begin((1, 1), NOW)
    backlog.through = 950
    backlog.end()
    assert backlog.through == 950
