"""Locations, sending numbers, users and groups (contract section 7, R-M10, R-L2)."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.clinic import ANN, DESK, Clinic
from tests.api.conftest import Open

SECOND_DESK = "+14155550191"


def test_locations_are_defined_renamed_and_removed(clinic: Clinic) -> None:
    """An account write answers its position and has no number id."""
    answer = clinic.post("/v1/locations", id="main", name="Main Street")
    answer.recorded("LocationDefined")
    assert "number_id" not in answer.body
    clinic.post("/v1/locations", id="main", name="Main Street Clinic")
    items = clinic.get("/v1/locations", "auditor")["items"]
    assert items == [{"id": "main", "name": "Main Street Clinic"}]
    clinic.call("DELETE", "/v1/locations/main").recorded("LocationRemoved")
    assert clinic.get("/v1/locations")["items"] == []
    clinic.call("DELETE", "/v1/locations/main").problem(404, "not-found")


def test_a_sending_number_is_listed_with_what_it_serves(clinic: Clinic) -> None:
    """Defined anew it moves; removed it serves nothing."""
    clinic.opens_location("main", "conversation").recorded("SendingNumberDefined")
    clinic.opens_location("north", "recall", number="(415) 555-0190")
    (item,) = clinic.get("/v1/sending-numbers", "auditor")["items"]
    assert (item["number"], item["location"], item["purposes"]) == (DESK, "north", ["recall"])
    clinic.asks(ANN, "recall", sending_number=DESK).is_allowed("no_consent_needed")
    path = f"/v1/sending-numbers/{item['sending_number_id']}"
    clinic.call("DELETE", path).recorded("SendingNumberRemoved")
    clinic.call("DELETE", path).problem(404, "not-found")
    clinic.asks(ANN, "recall", sending_number=DESK).is_denied("sending_number_not_allowed")


def test_a_number_for_conversations_serves_no_reminders_under_consent_first(
    open_clinic: Open,
) -> None:
    """R-M10: defining both is an error there, and none elsewhere."""
    both: dict[str, Any] = {
        "number": DESK,
        "location": "main",
        "purposes": ["conversation", "appointment_reminder"],
    }
    for preset, refused in (("consent-first", True), ("recalls", False)):
        clinic = open_clinic(preset)
        clinic.post("/v1/locations", id="main", name="Main Street")
        answer = clinic.post("/v1/sending-numbers", **both)
        if refused:
            answer.problem(422, "set-up-refused", "/purposes")
            assert clinic.get("/v1/sending-numbers")["items"] == []
        else:
            answer.recorded("SendingNumberDefined")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"location": "nowhere"}, "/location"),
        ({"purposes": ["nonsense"]}, "/purposes"),
        ({"number": "front desk"}, "/number"),
    ],
)
def test_a_sending_number_that_cannot_be_is_refused(
    clinic: Clinic, body: dict[str, Any], pointer: str
) -> None:
    """Its location exists, its purposes are the account's, and it is a number."""
    clinic.post("/v1/locations", id="main", name="Main Street")
    whole = {"number": DESK, "location": "main", "purposes": ["recall"], **body}
    with clinic.unchanged():
        answer = clinic.post("/v1/sending-numbers", **whole)
        assert answer.status == 422
        assert answer.response.json()["errors"][0]["pointer"] == pointer


def test_a_location_serves_what_any_of_its_numbers_serves(clinic: Clinic) -> None:
    """R-M10: none that serves the purpose, and the text is refused."""
    clinic.opens_location("main", "conversation")
    clinic.asks(ANN, "appointment_reminder", location="main").is_denied(
        "sending_number_not_allowed"
    )
    clinic.opens_location("main", "appointment_reminder", number=SECOND_DESK)
    clinic.asks(ANN, "appointment_reminder", location="main").is_allowed("no_consent_needed")
    clinic.asks(ANN, "appointment_reminder", location="main", sending_number=DESK).is_denied(
        "sending_number_not_allowed"
    )


def test_consent_covers_all_locations_and_sending_numbers(clinic: Clinic) -> None:
    """R-M6: it belongs to the account, not to the desk that asked."""
    clinic.opens_location("main", "conversation")
    clinic.opens_location("north", "conversation", number=SECOND_DESK)
    clinic.requests(ANN, location="main")
    clinic.hears(ANN, "CONSENT", to=DESK)
    clinic.asks(ANN, location="north").is_allowed("consented")
    clinic.asks(ANN, sending_number=SECOND_DESK).is_allowed("consented")


PERMISSIONS = [
    ("inherit", [], True, False),
    ("allow", [], True, True),
    ("deny", [], False, False),
    ("inherit", ["allowed"], True, True),
    ("inherit", ["denied"], False, False),
    ("inherit", ["allowed", "denied"], False, False),
    ("inherit", ["unknown"], True, False),
    ("allow", ["denied"], True, True),
    ("deny", ["allowed"], False, False),
]


@pytest.mark.parametrize(("user", "groups", "where_open", "where_closed"), PERMISSIONS)
def test_the_users_word_before_the_groups_and_deny_among_groups(
    open_clinic: Open, user: str, groups: list[str], where_open: bool, where_closed: bool
) -> None:
    """R-L2: user before group; deny among groups wins; the default is the account's."""
    for preset, permitted in (("consent-first", where_open), ("authorization", where_closed)):
        clinic = open_clinic(preset)
        clinic.consents(ANN)
        clinic.put("/v1/groups/allowed/permission", permission="allow").recorded(
            "GroupPermissionSet"
        )
        clinic.put("/v1/groups/denied/permission", permission="deny")
        clinic.permits("jo", user, groups=groups).recorded("UserPermissionSet")
        answer = clinic.asks(ANN, sent_by="jo")
        if permitted:
            answer.is_allowed("consented")
        else:
            assert answer.is_denied("sender_not_permitted")["lifted_by"] == "admin"


def test_groups_that_are_not_given_stay(open_clinic: Open) -> None:
    """R-L2: setting a permission leaves the groups, an empty list empties them."""
    clinic = open_clinic("authorization")
    clinic.consents(ANN)
    clinic.put("/v1/groups/desk/permission", permission="allow")
    clinic.permits("jo", "inherit", groups=["desk"])
    clinic.permits("jo", "deny")
    clinic.asks(ANN, sent_by="jo").is_denied("sender_not_permitted")
    clinic.permits("jo", "inherit")
    clinic.asks(ANN, sent_by="jo").is_allowed("consented")
    clinic.permits("jo", "inherit", groups=[])
    assert clinic.get("/v1/users", "auditor")["items"] == [
        {"id": "jo", "permission": "inherit", "groups": []}
    ]
    assert {"id": "desk", "permission": "allow"} in clinic.get("/v1/groups", "agent")["items"]
    clinic.asks(ANN, sent_by="jo").is_denied("sender_not_permitted")


def test_a_permission_is_allow_deny_or_inherit(clinic: Clinic) -> None:
    """Never both, and never anything else."""
    for path in ("/v1/users/jo/permission", "/v1/groups/desk/permission"):
        clinic.put(path, permission="maybe").problem(422, "invalid-body", "/permission")
        clinic.put(path).problem(422, "invalid-body", "/permission")


@pytest.mark.parametrize("user", ["auth0|17", "CLINIC/jo", "jo@example.com", "x/permission"])
def test_a_user_is_named_as_the_account_names_its_users(clinic: Clinic, user: str) -> None:
    """An id from a directory is opaque: whatever signs it holds."""
    clinic.permits(quote(user, safe=""), "deny")
    clinic.asks(ANN, "recall", sent_by=user).is_denied("sender_not_permitted")


@pytest.mark.parametrize("name", ["+14155550131", "%2B14155550131"])
def test_a_number_is_no_id(clinic: Clinic, name: str) -> None:
    """Section 9: ids stand in URLs and events, where no number may be."""
    with clinic.unchanged():
        clinic.permits(name, "allow").problem(422, "invalid-body", "/user_id")
        clinic.opts_out(ANN, by="+14155550131").problem(422, "invalid-body", "/by")
        clinic.reports(ANN, ANN).problem(422, "invalid-body", "/code")
        clinic.post("/v1/locations", id=ANN, name="x").problem(422, "invalid-body", "/id")
