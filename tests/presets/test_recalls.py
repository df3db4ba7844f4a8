"""`recalls`: a blocked list by purpose, and a practice system whose consent means marketing alone.

Seen from outside, over HTTP: what seed 002 and rules R-B1 to R-B3 promise to a practice.
"""

from itertools import permutations
from typing import Any, Final

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead
from tests.api.conftest import Open

NOT_MARKETING = ("conversation", "appointment_reminder", "recall")
PURPOSES = (*NOT_MARKETING, "marketing")
BY_HAND: Final[dict[str, Any]] = {"manual": True, "sent_by": "nurse-1"}
NOTICE = "marketing_not_consented_notice"
UNREADABLE = "preference_unreadable_notice"


@pytest.fixture
def practice(open_clinic: Open) -> Clinic:
    """An account that holds to `recalls`."""
    return open_clinic("recalls")


def batch(practice: Clinic, purpose: str, *numbers: str, **more: Any) -> list[tuple[str, str]]:
    """The decisions and reasons of one batch, in order."""
    items = [{"number": number} for number in numbers]
    found = practice.post("/v1/checks/batch", "sender", purpose=purpose, items=items, **more)
    return [(item["decision"], item["reason"]) for item in found["results"]]


# --- R-B1: the blocked list -------------------------------------------------------------------


def test_a_blocked_recall_goes_neither_by_hand_nor_by_itself(practice: Clinic) -> None:
    """R-B1: both ways of sending are refused, and the answer says why and who can lift it."""
    practice.blocks(ANN, "recall").recorded("PurposeBlocked")
    ways: list[dict[str, Any]] = [{}, BY_HAND, {**BY_HAND, "confirmed": True}]
    for how in ways:
        practice.sends(ANN, "recall", **how).is_("refused", "purpose_blocked")
    for how in ways[:2]:
        answer = practice.asks(ANN, "recall", **how).is_denied("purpose_blocked")
        assert "blocked list" in answer["explanation"]
        assert (answer["source"], answer["lifted_by"]) == ("agent", "agent")
        assert [each["type"] for each in answer["evidence"]] == ["PurposeBlocked"]
        assert answer["since"] == answer["evidence"][0]["occurred_at"]
        assert (answer["opted_out"], answer["do_not_text"]) == (False, False)


@pytest.mark.parametrize("ticked", PURPOSES)
def test_only_the_ticked_purpose_is_barred(practice: Clinic, ticked: str) -> None:
    """R-B1: each purpose has a box of its own."""
    practice.consents(ANN, "marketing", level="express_written")
    before = {purpose: practice.asks(ANN, purpose)["reason"] for purpose in PURPOSES}
    practice.blocks(ANN, ticked)
    for purpose in PURPOSES:
        reason = "purpose_blocked" if purpose == ticked else before[purpose]
        assert practice.asks(ANN, purpose)["reason"] == reason
    assert practice.looks_up(ANN)["blocked_purposes"] == [ticked]


def test_unticking_restores_what_was_ticked_and_no_more(practice: Clinic) -> None:
    """R-B1: two boxes, one unticked."""
    practice.blocks(ANN, "recall")
    practice.blocks(ANN, "appointment_reminder")
    practice.blocks(ANN, "recall", blocked=False).recorded("PurposeUnblocked")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")
    practice.asks(ANN, "appointment_reminder").is_denied("purpose_blocked")
    assert practice.looks_up(ANN)["blocked_purposes"] == ["appointment_reminder"]


def test_ticking_twice_is_one_block_and_unticking_twice_is_no_error(practice: Clinic) -> None:
    """R-B1: the first tick tells since when; one untick is enough; an untick of nothing is none."""
    assert practice.blocks(ANN, blocked=False).status == 200
    practice.blocks(ANN)
    since = practice.asks(ANN, "recall")["since"]
    assert practice.blocks(ANN).status == 200
    assert practice.asks(ANN, "recall")["since"] == since
    practice.blocks(ANN, blocked=False)
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")
    assert practice.blocks(ANN, blocked=False).status == 200
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_a_block_outlives_stop_and_start(practice: Clinic) -> None:
    """R-B1, R-F2: START lifts the STOP; the staff's box stays ticked."""
    practice.blocks(ANN, "recall")
    practice.hears(ANN, "STOP")
    practice.asks(ANN, "recall").is_denied("opted_out_by_contact")
    practice.hears(ANN, "START").replied("start_confirmation")
    practice.asks(ANN, "recall").is_denied("purpose_blocked")
    practice.asks(ANN, "appointment_reminder").is_allowed("no_consent_needed")


def test_a_block_that_is_lifted_while_stopped_leaves_the_stop(practice: Clinic) -> None:
    """R-B1, R-F1: an untick is no START."""
    practice.blocks(ANN, "recall")
    practice.hears(ANN, "STOP")
    practice.blocks(ANN, "recall", blocked=False)
    practice.asks(ANN, "recall").is_denied("opted_out_by_contact")


def test_a_block_outlives_an_admins_opt_in_and_consent(practice: Clinic) -> None:
    """R-B1: neither an opt-in nor the contact's consent unticks it."""
    practice.blocks(ANN, "marketing")
    practice.opts_out(ANN)
    practice.asks(ANN, "marketing").is_denied("opted_out_by_agent")
    practice.opts_in(ANN)
    practice.consents(ANN, "marketing", level="express_written")
    practice.learns_preference(ANN, "consented")
    practice.asks(ANN, "marketing").is_denied("purpose_blocked")


def test_a_block_is_the_numbers_alone(practice: Clinic) -> None:
    """R-B1: in a batch only the number on the list is refused, however it is written."""
    practice.blocks("(415) 555-0131", "recall")
    assert batch(practice, "recall", BEN, ANN, "415-555-0131", CARA) == [
        ("allow", "no_consent_needed"),
        ("deny", "purpose_blocked"),
        ("deny", "purpose_blocked"),
        ("allow", "no_consent_needed"),
    ]


def test_a_held_text_waits_out_a_block(practice: Clinic) -> None:
    """R-B1: it is not handed out while the box is ticked, and goes when it is unticked."""
    practice.sends(ANN, "marketing", "offer-1").is_("deferred", "consent_required")
    practice.hears(ANN, "CONSENT")
    practice.blocks(ANN, "marketing")
    assert practice.releasable() == []
    found = practice.releases("offer-1").problem(409, "not-releasable")
    assert (found["reason"], found["may_text"]) == ("purpose_blocked", False)
    practice.blocks(ANN, "marketing", blocked=False)
    assert practice.releasable() == ["offer-1"]
    assert practice.releases("offer-1")["number"] == ANN


def test_a_blocked_purpose_cannot_be_asked_consent_for(practice: Clinic) -> None:
    """R-B1, R-F9: a request is a text too, and no text goes out for the blocked purpose."""
    practice.blocks(ANN, "marketing")
    with practice.unchanged():
        practice.requests(ANN, purposes=["marketing"]).is_no_request("purpose_blocked")
    answer = practice.sends(ANN, "marketing").is_("refused", "purpose_blocked")
    assert answer["consent_request"] is None


@pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
def test_the_latest_tick_counts_not_the_last_to_arrive(
    practice: Clinic, order: tuple[int, ...]
) -> None:
    """R-B1, R-O2: ticked, unticked, ticked again, told in any order."""
    for step in order:
        body = {"number": ANN, "purpose": "recall", "by": "nurse-1"}
        at = ago(hours=3 - step)
        practice.post("/v1/purpose-blocks", **body, blocked=step != 1, occurred_at=at)
    practice.asks(ANN, "recall").is_denied("purpose_blocked")
    practice.asks(ANN, "recall", as_of=ago(minutes=90)).is_allowed("no_consent_needed")


def test_who_ticked_the_box_is_on_record(practice: Clinic) -> None:
    """R-B1: the reason shown has a person behind it."""
    practice.blocks(ANN, "recall")
    (event,) = practice.history(ANN, type="PurposeBlocked")
    assert event["actor"] == {"kind": "agent", "id": "agent-7"}
    assert event["data"]["purpose"] == "recall"


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"by": None}, "missing", "/by"),
        ({"purpose": "newsletter"}, "unknown-purpose", "/purpose"),
        ({"number": "12"}, "number-unparseable", "/number"),
        ({"blocked": None}, "invalid-body", "/blocked"),
        ({"purposes": ["recall"]}, "invalid-body", "/purposes"),
        ({"occurred_at": ahead(days=1)}, "occurred-at-in-future", "/occurred_at"),
    ],
)
def test_a_box_that_cannot_be_ticked_changes_nothing(
    practice: Clinic, wrong: dict[str, Any], code: str, pointer: str
) -> None:
    """R-B1, R-O3: a clear error names the field."""
    body = {"number": ANN, "purpose": "recall", "blocked": True, "by": "nurse-1"}
    with practice.unchanged():
        practice.post("/v1/purpose-blocks", **(body | wrong)).problem(422, code, pointer)


@pytest.mark.parametrize("role", ["sender", "auditor"])
def test_only_staff_tick_boxes(practice: Clinic, role: str) -> None:
    """R-B1: the system that sends may neither bar nor free."""
    practice.blocks(ANN, "recall")
    body = {"number": ANN, "purpose": "recall", "blocked": False, "by": "nurse-1"}
    with practice.unchanged():
        practice.post("/v1/purpose-blocks", role, **body).problem(403, "role-not-allowed")
    practice.asks(ANN, "recall").is_denied("purpose_blocked")


# --- R-B2: the practice system's consent means marketing --------------------------------------


@pytest.mark.parametrize("purpose", NOT_MARKETING)
def test_no_consent_in_the_practice_system_leaves_other_texts_be(
    practice: Clinic, purpose: str
) -> None:
    """R-B2: by itself it goes; by hand the person is shown the reason and may go on."""
    practice.learns_preference(ANN, "not_consented").recorded("MarketingPreferenceRecorded")
    practice.asks(ANN, purpose).is_allowed("no_consent_needed")
    practice.sends(ANN, purpose).is_("permitted", "no_consent_needed")
    answer = practice.asks(ANN, purpose, **BY_HAND).needs_confirmation(NOTICE)
    assert answer["lifted_by"] == "sender"
    assert [each["type"] for each in answer["evidence"]] == ["MarketingPreferenceRecorded"]
    assert practice.asks(ANN, purpose, manual=True)["decision"] == "confirm"


def test_a_named_person_alone_makes_no_text_manual(practice: Clinic) -> None:
    """R-B2, section 7: `manual: true` alone does; a job may run in somebody's name."""
    practice.learns_preference(ANN, "not_consented")
    practice.asks(ANN, "recall", sent_by="nurse-1").is_allowed("no_consent_needed")


def test_whoever_confirms_may_go_on(practice: Clinic) -> None:
    """R-B2: asked again without it the text still waits; with it, it is decided anew, once."""
    practice.learns_preference(ANN, "not_consented")
    text: dict[str, Any] = {"message_id": "recall-1", **BY_HAND}
    for _ in range(2):
        practice.sends(ANN, "recall", **text).is_("needs_confirmation", NOTICE)
    assert practice.fate("recall-1") == "needs_confirmation"
    practice.sends(ANN, "recall", **text, confirmed=True).is_("permitted", "no_consent_needed")
    assert practice.fate("recall-1") == "permitted"
    practice.sends(ANN, "recall", **text, confirmed=True).recorded().is_("permitted")


def test_a_person_who_was_shown_the_reason_before_confirms_at_once(practice: Clinic) -> None:
    """R-B2: `confirmed` in the first call needs no second one."""
    practice.learns_preference(ANN, "not_consented")
    practice.sends(ANN, "recall", **BY_HAND, confirmed=True).is_("permitted", "no_consent_needed")


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        ("STOP", "opted_out_by_contact"),
        ("lose my number", "revocation_under_review"),
        ("a box", "purpose_blocked"),
        ("an agent", "opted_out_by_agent"),
        ("the carrier", "opted_out_by_system"),
    ],
)
def test_a_confirmation_overrides_nothing_else(
    practice: Clinic, meanwhile: str, reason: str
) -> None:
    """R-B2, R-B1: decided anew is decided by all that was learnt meanwhile."""
    practice.learns_preference(ANN, "not_consented")
    text: dict[str, Any] = {"message_id": "recall-1", **BY_HAND}
    practice.sends(ANN, "recall", **text).is_("needs_confirmation")
    match meanwhile:
        case "a box":
            practice.blocks(ANN, "recall")
        case "an agent":
            practice.opts_out(ANN)
        case "the carrier":
            practice.reports(ANN, "21610")
        case words:
            practice.hears(ANN, words)
    practice.sends(ANN, "recall", **text, confirmed=True).is_("refused", reason)
    assert practice.fate("recall-1") == "refused"


def test_a_confirmation_is_for_its_own_number(practice: Clinic) -> None:
    """R-B2: a message id that belongs to another number is an error."""
    practice.learns_preference(ANN, "not_consented")
    practice.sends(ANN, "recall", "recall-1", **BY_HAND)
    with practice.unchanged():
        answer = practice.sends(BEN, "recall", "recall-1", **BY_HAND, confirmed=True)
        answer.problem(422, "message-id-reused", "/message_id")


def test_marketing_is_denied_and_nobody_can_confirm_it(practice: Clinic) -> None:
    """R-B2: there the practice system's no is a no."""
    practice.learns_preference(ANN, "not_consented")
    answer = practice.asks(ANN, "marketing").is_denied("marketing_not_consented")
    assert answer["lifted_by"] == "system_of_record"
    text = practice.sends(ANN, "marketing", "offer-1", **BY_HAND, confirmed=True)
    assert text.is_("refused", "marketing_not_consented")["consent_request"] is None


def test_a_practice_system_that_says_yes_opens_marketing_alone(practice: Clinic) -> None:
    """R-B2, row 12: `consented` counts as given, nobody is asked, and it lifts no opt-out."""
    practice.learns_preference(ANN, "consented")
    practice.asks(ANN, "marketing").is_allowed("consented")
    practice.asks(ANN, "recall", **BY_HAND).is_allowed("no_consent_needed")
    practice.hears(ANN, "STOP")
    practice.learns_preference(ANN, "consented")
    practice.asks(ANN, "marketing").is_denied("opted_out_by_contact")


def test_the_contacts_own_no_outranks_the_systems_yes(practice: Clinic) -> None:
    """R-B2, row 10: DECLINE denies marketing, whatever is on file; a recall goes."""
    practice.learns_preference(ANN, "consented")
    practice.hears(ANN, "DECLINE")
    practice.asks(ANN, "marketing").is_denied("consent_declined")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")


@pytest.mark.parametrize(("granted", "counts"), [(1, True), (3, False)])
def test_of_grant_and_preference_the_later_one_counts(
    practice: Clinic, granted: int, counts: bool
) -> None:
    """R-B2, rows 9 and 13: the contact's later grant wins, an earlier one does not."""
    practice.consents(ANN, "marketing", level="express_written", occurred_at=ago(days=granted))
    body = {"number": ANN, "value": "not_consented", "system": "practice"}
    practice.post("/v1/preferences", "sender", **body, occurred_at=ago(days=2))
    if counts:
        practice.asks(ANN, "marketing").is_allowed("consented")
        practice.asks(ANN, "recall", **BY_HAND).is_allowed("no_consent_needed")
    else:
        practice.asks(ANN, "marketing").is_denied("marketing_not_consented")
        practice.asks(ANN, "recall", **BY_HAND).needs_confirmation(NOTICE)


def test_a_systems_yes_lets_a_marketing_text_go_that_waited_for_the_contact(
    practice: Clinic,
) -> None:
    """R-B2, row 11: a request waits, and then the system of record says yes."""
    answer = practice.sends(ANN, "marketing", "offer-1").is_("deferred", "consent_required")
    assert answer["consent_request"]["to"] == ANN
    second = practice.sends(ANN, "marketing", "offer-2").is_("deferred", "consent_pending")
    assert second["consent_request"] is None
    practice.learns_preference(ANN, "consented")
    assert practice.releasable() == ["offer-1", "offer-2"]


def test_late_news_of_a_system_does_not_undo_later_news(practice: Clinic) -> None:
    """R-B2, R-O2: of one system the latest word counts, whichever arrived last."""
    body = {"number": ANN, "system": "practice"}
    practice.post("/v1/preferences", **body, value="consented", occurred_at=ago(days=1))
    practice.post("/v1/preferences", **body, value="not_consented", occurred_at=ago(days=2))
    practice.asks(ANN, "marketing").is_allowed("consented")
    practice.asks(ANN, "marketing", as_of=ago(hours=36)).is_denied("marketing_not_consented")


def test_a_reassigned_number_loses_the_yes_and_keeps_the_no(practice: Clinic) -> None:
    """R-B2, R-F8: the system's `consented` was about somebody else; a no is kept to be safe."""
    for number, value in ((ANN, "consented"), (BEN, "not_consented")):
        body = {"number": number, "value": value, "system": "practice"}
        practice.post("/v1/preferences", **body, occurred_at=ago(days=9))
        practice.reassigns(number, ago(days=5)[:10])
    practice.asks(ANN, "marketing").is_deferred("consent_required")
    practice.asks(BEN, "marketing").is_denied("marketing_not_consented")


# --- R-B3: a practice system that hides its settings -------------------------------------------


@pytest.mark.parametrize("purpose", NOT_MARKETING)
def test_a_hidden_setting_is_shown_and_bars_nothing(practice: Clinic, purpose: str) -> None:
    """R-B3: by hand it is for the person to say, by itself it goes."""
    practice.learns_preference(ANN, "unreadable")
    practice.asks(ANN, purpose).is_allowed("no_consent_needed")
    practice.asks(ANN, purpose, **BY_HAND).needs_confirmation(UNREADABLE)
    text: dict[str, Any] = {"message_id": "text-1", **BY_HAND}
    practice.sends(ANN, purpose, **text).is_("needs_confirmation", UNREADABLE)
    practice.sends(ANN, purpose, **text, confirmed=True).is_("permitted", "no_consent_needed")


def test_where_all_settings_are_hidden_every_recall_can_still_go(practice: Clinic) -> None:
    """R-B3: seed 002's last question: all show the status, none is blocked by it."""
    for number in (ANN, BEN, CARA):
        practice.learns_preference(number, "unreadable", "best-practice")
    practice.blocks(CARA, "recall")
    assert batch(practice, "recall", ANN, BEN, CARA, **BY_HAND) == [
        ("confirm", UNREADABLE),
        ("confirm", UNREADABLE),
        ("deny", "purpose_blocked"),
    ]
    assert batch(practice, "recall", ANN, BEN, CARA) == [
        ("allow", "no_consent_needed"),
        ("allow", "no_consent_needed"),
        ("deny", "purpose_blocked"),
    ]


def test_a_hidden_setting_is_no_consent_to_marketing_and_bars_none_either(
    practice: Clinic,
) -> None:
    """R-B3, row 12: marketing waits for the contact, and goes when the contact agreed."""
    practice.learns_preference(ANN, "unreadable")
    practice.asks(ANN, "marketing").is_deferred("consent_required")
    practice.requests(ANN, purposes=["marketing"])
    practice.hears(ANN, "CONSENT")
    practice.asks(ANN, "marketing").is_allowed("consented")


@pytest.mark.parametrize("order", list(permutations(["consented", "unreadable", "not_consented"])))
def test_of_several_systems_the_strictest_is_shown(practice: Clinic, order: tuple[str]) -> None:
    """R-B2, R-B3: `not_consented` before `unreadable` before `consented`, in any order told."""
    for value in order:
        practice.learns_preference(ANN, value, f"system of {value}")
    practice.asks(ANN, "recall", **BY_HAND).needs_confirmation(NOTICE)
    practice.asks(ANN, "marketing").is_denied("marketing_not_consented")
    practice.learns_preference(ANN, "consented", "system of not_consented")
    practice.asks(ANN, "recall", **BY_HAND).needs_confirmation(UNREADABLE)
    practice.asks(ANN, "marketing").is_deferred("consent_required")
    practice.learns_preference(ANN, "consented", "system of unreadable")
    practice.asks(ANN, "recall", **BY_HAND).is_allowed("no_consent_needed")
    practice.asks(ANN, "marketing").is_allowed("consented")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [({"value": "maybe"}, "/value"), ({"value": None}, "/value"), ({"system": ""}, "/system")],
)
def test_news_that_cannot_be_understood_changes_nothing(
    practice: Clinic, wrong: dict[str, Any], pointer: str
) -> None:
    """R-B3: a value that is none of the three is an error, not a hidden setting."""
    body = {"number": ANN, "value": "unreadable", "system": "practice"}
    with practice.unchanged():
        answer = practice.post("/v1/preferences", "sender", **(body | wrong))
        answer.problem(422, "invalid-body", pointer)
    practice.post("/v1/preferences", "agent", **body).problem(403, "role-not-allowed")


# --- bent to an account's wishes, as docs/how-to/recalls.md shows --------------------------------


def test_recalls_may_need_consent(open_clinic: Open) -> None:
    """R-B2: whoever has none is asked for recalls, and for nothing else."""
    practice = open_clinic("recalls", purposes={"recall": {"needs_consent": True}})
    answer = practice.sends(ANN, "recall", "recall-1").is_("deferred", "consent_required")
    assert answer["consent_request"]["to"] == ANN
    practice.hears(ANN, "CONSENT")
    assert practice.releasable() == ["recall-1"]
    practice.asks(ANN, "marketing").is_deferred("consent_required")


def test_marketing_may_be_presumed(open_clinic: Open) -> None:
    """R-B2, row 9: the practice system's no still bars it, and so does a box."""
    practice = open_clinic("recalls", purposes={"marketing": {"needs_consent": False}})
    practice.asks(ANN, "marketing").is_allowed("presumed_by_policy")
    practice.learns_preference(ANN, "unreadable")
    practice.asks(ANN, "marketing").is_allowed("presumed_by_policy")
    practice.learns_preference(ANN, "not_consented")
    practice.asks(ANN, "marketing").is_denied("marketing_not_consented")
    practice.blocks(BEN, "marketing")
    practice.asks(BEN, "marketing").is_denied("purpose_blocked")


def test_a_purpose_of_the_accounts_own_has_a_box_of_its_own(open_clinic: Open) -> None:
    """R-B1, R-B2: blocked like the others, and no marketing either."""
    practice = open_clinic("recalls", purposes={"test_result": {"needs_consent": False}})
    practice.learns_preference(ANN, "not_consented")
    practice.asks(ANN, "test_result").is_allowed("no_consent_needed")
    practice.asks(ANN, "test_result", **BY_HAND).needs_confirmation(NOTICE)
    practice.blocks(ANN, "test_result")
    practice.asks(ANN, "test_result", **BY_HAND).is_denied("purpose_blocked")
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_sending_by_hand_may_take_a_named_user(open_clinic: Open) -> None:
    """R-B2, section 7: then an automated recall goes as before."""
    practice = open_clinic("recalls", unnamed_users_may_text=False)
    practice.asks(ANN, "recall").is_allowed("no_consent_needed")
    practice.asks(ANN, "recall", manual=True).problem(422, "sent-by-required", "/sent_by")
    practice.asks(ANN, "recall", **BY_HAND).is_denied("sender_not_permitted")
    practice.permits("nurse-1", "allow")
    practice.asks(ANN, "recall", **BY_HAND).is_allowed("no_consent_needed")
