"""Who and what the demo account has: its places, lines, users and contacts.

Every number is one of 555-0100 to 555-0199 of its area code, which no phone ever gets. Area code
415 is left out: the documentation's examples use it, and should find a number nobody spoke of.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from consent_ledger import account_facts as a
from consent_ledger.facts import Fact
from consent_ledger.words import Permission, Purpose

AREA_CODES: Final = ("916", "707", "530")
PEOPLE: Final = tuple(f"+1{area}555{line:04}" for area in AREA_CODES for line in range(100, 200))
"""The contacts, each by one number."""

TEXT_LINE: Final = "+16285550100"
"""The number of the clinic that people text with."""
LINES: Final[dict[str, tuple[str, tuple[Purpose, ...]]]] = {
    TEXT_LINE: ("main-street", (Purpose.CONVERSATION, Purpose.MARKETING)),
    "+16285550101": ("main-street", (Purpose.APPOINTMENT_REMINDER, Purpose.RECALL)),
    "+16285550110": ("riverside", (Purpose.CONVERSATION, Purpose.MARKETING)),
    "+16285550111": ("riverside", (Purpose.APPOINTMENT_REMINDER, Purpose.RECALL)),
}
LOCATIONS: Final = {
    "main-street": "Main Street Clinic",
    "riverside": "Riverside Clinic",
    # It opens next year and has no number yet, so nothing can be sent from it.
    "harbor": "Harbor Clinic",
}

AGENT: Final = "ana"
DESK: Final = "ben"
TRAINEE: Final = "dora"
ADMIN: Final = "kim"

EXAMPLE: Final = PEOPLE[0]
"""The number that `dev` suggests to ask about: it consented, where consent is needed."""


def set_up(ids: Mapping[str, UUID]) -> list[Fact]:
    """The facts of the account's set-up; `ids` are those of its lines."""
    facts: list[Fact] = [a.LocationDefined(each, name) for each, name in LOCATIONS.items()]
    facts += [
        a.SendingNumberDefined(ids[line], place, tuple(map(str, purposes)))
        for line, (place, purposes) in LINES.items()
    ]
    facts += [
        a.GroupPermissionSet("front-desk", Permission.ALLOW),
        a.GroupPermissionSet("in-training", Permission.DENY),
        a.UserPermissionSet(AGENT, Permission.ALLOW, ()),
        a.UserPermissionSet(ADMIN, Permission.ALLOW, ()),
        a.UserPermissionSet(DESK, Permission.INHERIT, ("front-desk",)),
        a.UserPermissionSet(TRAINEE, Permission.INHERIT, ("front-desk", "in-training")),
    ]
    return facts
