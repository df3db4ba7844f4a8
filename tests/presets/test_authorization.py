"""`authorization`: nobody is texted before they said yes, and only users with 'Allow SMS' text.

Seen from outside, over HTTP: what seed 004 and rules R-L1 to R-L6 promise to an office.
"""

from typing import Any

import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open

PURPOSES = ("conversation", "appointment_reminder", "recall", "marketing")
AUTHORIZED, PENDING = "Authorized", "Pending Authorization"
REVOKED, NOT_AUTHORIZED = "Revoked", "Not Authorized"


@pytest.fixture
def office(open_clinic: Open) -> Clinic:
    """An account that holds to `authorization`; Jo may text."""
    office = open_clinic("authorization")
    office.permits("jo", "allow")
    return office


def request(office: Clinic, number: str = ANN, **more: Any) -> Answer:
    """Jo asks the contact for authorisation."""
    return office.requests(number, **({"sent_by": "jo"} | more))


def label(office: Clinic, number: str = ANN, purpose: str = "conversation") -> str:
    """The status shown in a check, which a batch, a look-up and the state have to agree with."""
    shown: str = office.asks(number, purpose)["status_label"]
    items = [{"number": number}]
    found = office.post("/v1/checks/batch", "sender", purpose=purpose, items=items)
    assert found["results"][0]["status_label"] == shown
    if purpose == "conversation":
        state = office.get(f"/v1/numbers/{office.number_id(number)}/state")
        for described in (office.looks_up(number), state):
            assert described["status_label"] == shown
    return shown


def stop(office: Clinic, **more: Any) -> Answer:
    """Ann was authorised, and texts STOP."""
    office.consents(ANN, "conversation", "recall", occurred_at=ago(days=40))
    return office.hears(ANN, "STOP", **({"received_at": ago(hours=1)} | more))


# --- R-L1: the status shown -------------------------------------------------------------------


def test_the_status_is_right_at_every_turn_of_a_long_story(office: Clinic) -> None:
    """R-L1: all four, in checks, batches, look-ups and states alike."""
    office.hears(ANN, "hello", received_at=ago(days=9))
    assert label(office) == NOT_AUTHORIZED
    request(office, occurred_at=ago(days=8))
    assert label(office) == PENDING
    office.hears(ANN, "CONSENT", received_at=ago(days=7))
    assert label(office) == AUTHORIZED
    office.hears(ANN, "STOP", received_at=ago(days=6))
    assert label(office) == REVOKED
    request(office, occurred_at=ago(days=5))
    assert label(office) == PENDING
    office.hears(ANN, "YES", received_at=ago(days=4))
    assert label(office) == AUTHORIZED
    office.opts_out(ANN, occurred_at=ago(days=3))
    assert label(office) == NOT_AUTHORIZED
    office.opts_in(ANN, occurred_at=ago(days=2))
    assert label(office) == AUTHORIZED
    office.hears(ANN, "DECLINE", received_at=ago(days=1))
    assert label(office) == NOT_AUTHORIZED
    office.hears(ANN, "STOP")
    assert label(office) == REVOKED
    office.hears(ANN, "START")
    assert label(office) == NOT_AUTHORIZED


def test_the_status_of_the_past_is_that_of_the_past(office: Clinic) -> None:
    """R-L1: `as_of` goes back through the labels."""
    request(office, occurred_at=ago(days=8))
    office.hears(ANN, "CONSENT", received_at=ago(days=6))
    office.hears(ANN, "STOP", received_at=ago(days=4))
    state = f"/v1/numbers/{office.number_id(ANN)}/state"
    for days, shown in ((9, NOT_AUTHORIZED), (7, PENDING), (5, AUTHORIZED), (3, REVOKED)):
        at = ago(days=days)
        assert office.asks(ANN, as_of=at)["status_label"] == shown
        then = office.get(f"{state}?as_of={at.replace('+00:00', 'Z')}")
        assert then["status_label"] == shown


def test_the_status_is_that_of_the_purpose_asked(office: Clinic) -> None:
    """R-L1: who agreed to recalls has not agreed to a conversation, nor to marketing."""
    request(office, purposes=["recall"])
    assert label(office, purpose="recall") == PENDING
    assert label(office) == NOT_AUTHORIZED
    office.hears(ANN, "CONSENT")
    assert label(office, purpose="recall") == AUTHORIZED
    for purpose in ("conversation", "appointment_reminder", "marketing"):
        assert label(office, purpose=purpose) == NOT_AUTHORIZED


def test_a_number_that_nobody_knows_is_not_authorised(office: Clinic) -> None:
    """R-L1: and nothing goes to it, for any purpose, at all."""
    for purpose in PURPOSES:
        answer = office.asks(ANN, purpose).is_denied("consent_required")
        assert (answer["status_label"], answer["consent"]) == (NOT_AUTHORIZED, "none")
        assert answer["lifted_by"] == "consent_request"


def test_a_carriers_bar_takes_the_authorisation_away_and_is_no_revocation(office: Clinic) -> None:
    """R-L1: Revoked is the contact's own STOP alone."""
    office.consents(ANN)
    office.reports(ANN, "21610")
    assert label(office) == NOT_AUTHORIZED
    office.hears(ANN, "START")
    assert label(office) == AUTHORIZED


def test_a_request_answered_with_consent_opens_all_but_marketing(office: Clinic) -> None:
    """R-L1, R-F3: a request that names nothing asks for every purpose but marketing."""
    request(office)
    office.hears(ANN, "I agree").understood_as("consent").replied("consent_confirmation")
    for purpose in PURPOSES[:-1]:
        office.asks(ANN, purpose).is_allowed("consented")
    office.asks(ANN, "marketing").is_denied("consent_required")


# --- R-L2: Allow SMS --------------------------------------------------------------------------

PERMISSIONS = [
    # (the user's own, the groups', the account's default) -> may text
    ("inherit", [], False, False),
    ("inherit", [], True, True),
    ("allow", [], False, True),
    ("deny", [], True, False),
    ("allow", ["deny"], False, True),
    ("deny", ["allow"], True, False),
    ("inherit", ["allow"], False, True),
    ("inherit", ["deny"], True, False),
    ("inherit", ["allow", "deny"], True, False),
    ("inherit", ["deny", "allow"], True, False),
    ("inherit", ["inherit", "allow"], False, True),
    ("inherit", ["inherit"], False, False),
    ("inherit", ["inherit"], True, True),
]


@pytest.mark.parametrize(("own", "groups", "default", "may"), PERMISSIONS)
def test_the_user_counts_before_the_groups_and_a_group_that_denies_before_the_rest(
    open_clinic: Open, own: str, groups: list[str], default: bool, may: bool
) -> None:
    """R-L2: user, then groups (deny wins), then the account's default; to text and to request."""
    office = open_clinic("authorization", unnamed_users_may_text=default)
    names = [f"group-{i}" for i in range(len(groups))]
    for name, permission in zip(names, groups, strict=True):
        office.permits_group(name, permission)
    office.permits("kim", own, groups=names)
    office.consents(ANN)
    if may:
        office.asks(ANN, sent_by="kim", manual=True).is_allowed("consented")
        request(office, BEN, sent_by="kim").recorded("ConsentRequested")
    else:
        answer = office.asks(ANN, sent_by="kim", manual=True).is_denied("sender_not_permitted")
        assert answer["lifted_by"] == "admin"
        request(office, BEN, sent_by="kim").is_no_request("sender_not_permitted")


def test_a_user_who_is_not_named_may_not_text(office: Clinic) -> None:
    """R-L2: in this preset; it is told before anything about the number."""
    office.hears(ANN, "STOP")
    office.asks(ANN, sent_by="stranger").is_denied("sender_not_permitted")
    office.asks(ANN, sent_by="jo").is_denied("opted_out_by_contact")
    office.sends(ANN, sent_by="stranger").is_("refused", "sender_not_permitted")


def test_a_request_is_by_the_user_it_names_whichever_field_names_them(office: Clinic) -> None:
    """R-L2: needed to request too; `by` says who tells it, who sends it where nobody else does."""
    office.permits("kim", "deny")
    for named in ({"by": "kim"}, {"by": "stranger"}, {"by": "jo", "sent_by": "kim"}):
        with office.unchanged():
            office.requests(ANN, **named).is_no_request("sender_not_permitted")
    office.requests(ANN, by="jo").recorded("ConsentRequested")
    office.requests(BEN, by="kim", sent_by="jo").recorded("ConsentRequested")


def test_a_request_that_names_nobody_is_the_accounts_own(office: Clinic) -> None:
    """R-L2, section 7: without a sender user permission does not apply, whoever's key it is."""
    for number, role in ((ANN, "sender"), (BEN, "agent")):
        found = office.post("/v1/consent-requests", role, number=number)
        found.recorded("ConsentRequested")
        (event,) = office.history(number)
        assert event["actor"] == {"kind": role, "id": None}


def test_an_automated_text_needs_consent_and_no_user(office: Clinic) -> None:
    """R-L2, section 7: without `sent_by` permission does not apply."""
    office.consents(ANN)
    office.asks(ANN).is_allowed("consented")
    office.sends(ANN).is_("permitted", "consented")


def test_a_manual_text_says_whose_it_is(office: Clinic) -> None:
    """R-L2, section 7: `manual` without `sent_by` is an error here, and nothing is kept."""
    office.consents(ANN)
    with office.unchanged():
        office.asks(ANN, manual=True).problem(422, "sent-by-required", "/sent_by")
        office.sends(ANN, manual=True).problem(422, "sent-by-required", "/sent_by")
        body = {"purpose": "recall", "manual": True, "items": [{"number": ANN}]}
        found = office.post("/v1/checks/batch", "sender", **body)
        found.problem(422, "sent-by-required", "/sent_by")


def test_a_permission_that_is_taken_back_is_gone_at_once(office: Clinic) -> None:
    """R-L2: for checks, texts, requests, and for texts that were held before."""
    request(office)
    office.sends(ANN, message_id="text-1", sent_by="jo").is_("deferred", "consent_pending")
    office.hears(ANN, "CONSENT")
    office.permits("jo", "deny")
    office.asks(ANN, sent_by="jo").is_denied("sender_not_permitted")
    office.sends(ANN, sent_by="jo").is_("refused", "sender_not_permitted")
    request(office, BEN).is_no_request("sender_not_permitted")
    assert office.releasable() == []
    found = office.releases("text-1").problem(409, "not-releasable")
    assert found["reason"] == "sender_not_permitted"
    office.permits("jo", "allow")
    assert office.releases("text-1")["number"] == ANN


def test_who_leaves_a_group_loses_its_permission(office: Clinic) -> None:
    """R-L2: groups that are not given stay as they are; an empty list is none."""
    office.consents(ANN)
    office.permits_group("front-desk", "allow")
    office.permits("kim", "inherit", groups=["front-desk"])
    office.permits("kim", "inherit")
    office.asks(ANN, sent_by="kim").is_allowed("consented")
    office.permits("kim", "inherit", groups=[])
    office.asks(ANN, sent_by="kim").is_denied("sender_not_permitted")
    office.permits("kim", "inherit", groups=["front-desk"])
    office.permits_group("front-desk", "deny")
    office.asks(ANN, sent_by="kim").is_denied("sender_not_permitted")


@pytest.mark.parametrize(
    "permission", [["allow", "deny"], "both", "", None, True, {"allow": True, "deny": True}]
)
def test_a_permission_is_allow_or_deny_and_never_both(office: Clinic, permission: Any) -> None:
    """R-L2: one box is ticked, of a user and of a group."""
    with office.unchanged():
        for whose in ("users/kim", "groups/front-desk"):
            answer = office.put(f"/v1/{whose}/permission", permission=permission)
            answer.problem(422, "invalid-body", "/permission")


@pytest.mark.parametrize("role", ["sender", "agent", "auditor"])
def test_only_an_admin_gives_permission(office: Clinic, role: str) -> None:
    """R-L2: seed 004: 'login credentials with Admin permissions to grant'."""
    with office.unchanged():
        for whose in ("users/kim", "groups/front-desk"):
            answer = office.put(f"/v1/{whose}/permission", role, permission="allow")
            answer.problem(403, "role-not-allowed")
    office.asks(ANN, sent_by="kim").is_denied("sender_not_permitted")


# --- R-L3: the request ------------------------------------------------------------------------


def test_a_request_goes_only_where_there_is_no_authorisation_yet(office: Clinic) -> None:
    """R-L3: 409 for one that is authorised, and 409 while one waits."""
    answer = request(office)
    assert answer.status == 201
    assert answer["request_id"]
    assert "CONSENT" in answer["text"]
    with office.unchanged():
        request(office).is_no_request("consent_pending")
    office.hears(ANN, "CONSENT")
    with office.unchanged():
        request(office).is_no_request("consented")
    # Consent to one purpose is no authorisation for another.
    request(office, purposes=["marketing"]).recorded("ConsentRequested")


def test_without_a_reply_it_is_pending_for_ever(office: Clinic) -> None:
    """R-L3: after a year too, and the texts that were held meanwhile go when the reply comes."""
    request(office, occurred_at=ago(days=400))
    assert label(office) == PENDING
    office.sends(ANN, message_id="text-1", sent_by="jo").is_("deferred", "consent_pending")
    office.hears(ANN, "yes")
    assert label(office) == AUTHORIZED
    assert office.releases("text-1")["state"] == "released"


def test_a_policy_may_end_the_waiting(open_clinic: Open) -> None:
    """R-L3: after `request_expires_days` it is not authorised, and a new request may go."""
    office = open_clinic("authorization", request_expires_days=10)
    office.permits("jo", "allow")
    request(office, occurred_at=ago(days=11))
    assert label(office) == NOT_AUTHORIZED
    office.asks(ANN).is_denied("consent_required")
    request(office).recorded("ConsentRequested")
    assert label(office) == PENDING


@pytest.mark.parametrize("words", ["who is this?", "maybe later", "👍", "?", "STOPPING BY AT 5"])
def test_a_reply_that_does_not_authorise_ends_the_request(office: Clinic, words: str) -> None:
    """R-L3: not authorised, nothing is sent back, held texts stay; a new request may be sent."""
    request(office)
    office.sends(ANN, message_id="text-1", sent_by="jo").is_("deferred", "consent_pending")
    office.hears(ANN, words).understood_as("other").replied(None)
    assert label(office) == NOT_AUTHORIZED
    office.asks(ANN, sent_by="jo").is_denied("consent_required")
    assert office.releasable() == []
    request(office).recorded("ConsentRequested")
    assert label(office) == PENDING


def test_a_question_for_help_ends_nothing(office: Clinic) -> None:
    """R-L3, section 7: `other` words do; HELP is answered."""
    request(office)
    office.hears(ANN, "HELP").understood_as("help").replied("help")
    assert label(office) == PENDING


@pytest.mark.parametrize("word", ["DECLINE", "no"])
def test_who_declined_is_not_asked_again(office: Clinic, word: str) -> None:
    """R-L3: after DECLINE no request, in this preset; the contact may still consent."""
    request(office)
    office.sends(ANN, message_id="text-1", sent_by="jo")
    office.hears(ANN, word)
    assert label(office) == NOT_AUTHORIZED
    office.asks(ANN).is_denied("consent_declined")
    assert office.fate("text-1") == "cancelled"
    with office.unchanged():
        request(office).is_no_request("consent_declined")
    office.hears(ANN, "CONSENT")
    assert label(office) == AUTHORIZED


def test_other_words_leave_older_consent_as_it_was(office: Clinic) -> None:
    """R-L3, section 7: `other` ends the request, consent as before it."""
    office.consents(ANN, "conversation")
    request(office, purposes=["recall"])
    office.hears(ANN, "what for?")
    office.asks(ANN).is_allowed("consented")
    office.asks(ANN, "recall").is_denied("consent_required")


def test_consent_after_all_answers_the_request_that_was_ended(office: Clinic) -> None:
    """R-L3, R-F3: CONSENT answers the latest request, answered or not; YES only one that waits."""
    for number in (ANN, BEN):
        request(office, number, purposes=["recall"])
        office.hears(number, "who is this?")
    office.hears(ANN, "CONSENT")
    office.asks(ANN, "recall").is_allowed("consented")
    office.asks(ANN).is_denied("consent_required")
    office.hears(BEN, "YES")
    office.asks(BEN, "recall").is_denied("consent_required")


def test_a_number_is_asked_twice_in_thirty_days(office: Clinic) -> None:
    """R-L3, R-F9: also where each was answered with other words."""
    for _ in range(2):
        request(office).recorded("ConsentRequested")
        office.hears(ANN, "who is this?")
    with office.unchanged():
        request(office).is_no_request("request_limit_reached")
    for days in (70, 60):
        request(office, BEN, occurred_at=ago(days=days))
        office.hears(BEN, "who is this?", received_at=ago(days=days - 1))
    request(office, BEN).recorded("ConsentRequested")


def test_a_request_is_repeated_by_hand_after_it_failed_to_arrive(office: Clinic) -> None:
    """R-L3, R-F9: the report names it by its request id; a delivery is no reason to repeat."""
    first = request(office)["request_id"]
    office.reports(ANN, "delivered", message_id=first)
    request(office).is_no_request("consent_pending")
    second = request(office, BEN)["request_id"]
    office.reports(BEN, "30008", message_id=second)
    request(office, BEN).recorded("ConsentRequested")


@pytest.mark.parametrize(("days", "may"), [(6.9, False), (7.1, True)])
def test_a_request_is_repeated_by_hand_after_seven_days(
    office: Clinic, days: float, may: bool
) -> None:
    """R-L3, R-F9: and not before."""
    request(office, occurred_at=ago(days=days))
    again = request(office)
    if may:
        again.recorded("ConsentRequested")
    else:
        again.is_no_request("consent_pending")


def test_no_request_goes_out_by_itself(office: Clinic) -> None:
    """R-L3, section 7: a text without authorisation is denied; asking is done by hand."""
    answer = office.sends(ANN, sent_by="jo").is_("refused", "consent_required")
    assert answer["consent_request"] is None
    assert office.facts(ANN) == ["MessageRefused"]
    assert label(office) == NOT_AUTHORIZED


def test_yes_means_nothing_where_nothing_was_asked(office: Clinic) -> None:
    """R-L3, R-K2: only CONSENT says by itself what it is about."""
    office.hears(ANN, "YES")
    assert label(office) == NOT_AUTHORIZED
    office.hears(BEN, "CONSENT")
    assert label(office, BEN) == AUTHORIZED


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"purposes": ["newsletter"]}, "unknown-purpose", "/purposes"),
        ({"number": "nobody"}, "number-unparseable", "/number"),
        ({"user": "jo"}, "invalid-body", "/user"),
    ],
)
def test_a_request_that_cannot_be_read_is_not_made(
    office: Clinic, wrong: dict[str, Any], code: str, pointer: str
) -> None:
    """R-L3: the field is named, and nothing is recorded."""
    body = {"number": ANN, "sent_by": "jo"} | wrong
    with office.unchanged():
        answer = office.post("/v1/consent-requests", "agent", **body)
        answer.problem(422, code, pointer)


def test_a_request_asked_for_twice_with_one_key_goes_out_once(office: Clinic) -> None:
    """R-L3, R-O1: the answer that was lost is given again, and no second text goes."""
    body = {"number": ANN, "sent_by": "jo"}
    path = "/v1/consent-requests"
    first = office.call("POST", path, "agent", body, Idempotency_Key="k-1")
    with office.unchanged():
        again = office.call("POST", path, "agent", body, Idempotency_Key="k-1").recorded()
        other = body | {"number": BEN}
        answer = office.call("POST", path, "agent", other, Idempotency_Key="k-1")
        assert answer.response.json()["code"] == "idempotency-key-reused"
    assert (again.status, again["request_id"]) == (201, first["request_id"])
    assert again["text"] == first["text"]


# --- R-L4: STOP -------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["STOP", "stop please", "Unsubscribe", "opt-out", "QUIT.", "end"])
def test_stop_revokes(office: Clinic, words: str) -> None:
    """R-L4: whatever was authorised, nobody may text for anything."""
    office.consents(ANN, *PURPOSES, level="express_written")
    assert label(office) == AUTHORIZED
    office.hears(ANN, words).understood_as("stop").replied("stop_confirmation")
    for purpose in PURPOSES:
        answer = office.asks(ANN, purpose, sent_by="jo").is_denied("opted_out_by_contact")
        assert (answer["status_label"], answer["consent"]) == (REVOKED, "revoked")
    assert label(office) == REVOKED


def test_stop_ends_a_request_that_waits(office: Clinic) -> None:
    """R-L4, R-K2: and the texts held for it are over for good."""
    request(office)
    office.sends(ANN, message_id="text-1", sent_by="jo").is_("deferred")
    office.hears(ANN, "STOP")
    assert label(office) == REVOKED
    assert office.fate("text-1") == "cancelled"
    office.hears(ANN, "START")
    assert label(office) == NOT_AUTHORIZED
    assert office.fate("text-1") == "cancelled"


def test_a_stranger_who_says_stop_is_heard(office: Clinic) -> None:
    """R-L4: a STOP counts from a number that the account never texted."""
    office.hears(CARA, "STOP")
    assert label(office, CARA) == REVOKED


# --- R-L5: re-authorisation -------------------------------------------------------------------


@pytest.mark.parametrize("word", ["CONSENT", "yes", "I agree"])
def test_the_contacts_yes_re_authorises_what_was_asked(office: Clinic, word: str) -> None:
    """R-L5: it opens only what the request named; what was granted before stays revoked."""
    stop(office)
    request(office, purposes=["conversation"]).recorded("ConsentRequested")
    assert label(office) == PENDING
    office.asks(ANN, sent_by="jo").is_denied("opted_out_by_contact")
    office.hears(ANN, word).replied("consent_confirmation")
    assert label(office) == AUTHORIZED
    office.asks(ANN, sent_by="jo").is_allowed("consented")
    office.asks(ANN, "recall").is_denied("consent_required")


def test_a_start_restores_what_a_re_authorisation_would_not(office: Clinic) -> None:
    """R-L5, R-F2: START is the wider word: what was granted before counts again."""
    stop(office)
    request(office, purposes=["conversation"])
    office.hears(ANN, "START")
    for purpose in ("conversation", "recall"):
        office.asks(ANN, purpose).is_allowed("consented")


def test_one_request_a_stop(office: Clinic) -> None:
    """R-L5: not after a silence, nor after other words, nor after a STOP that changed nothing."""
    stop(office, received_at=ago(days=20))
    request(office, occurred_at=ago(days=15)).recorded("ConsentRequested")
    request(office).is_no_request("reauthorisation_used")
    office.hears(ANN, "who is this?", received_at=ago(days=14))
    assert label(office) == REVOKED
    request(office).is_no_request("reauthorisation_used")
    office.hears(ANN, "STOP", received_at=ago(days=10))
    request(office).is_no_request("reauthorisation_used")


def test_a_new_stop_allows_a_new_request(office: Clinic) -> None:
    """R-L5: once per STOP: after a START and another STOP once more."""
    stop(office, received_at=ago(days=90))
    request(office, occurred_at=ago(days=80))
    office.hears(ANN, "START", received_at=ago(days=70))
    office.hears(ANN, "STOP", received_at=ago(days=60))
    request(office).recorded("ConsentRequested")
    office.hears(ANN, "CONSENT")
    assert label(office) == AUTHORIZED


def test_a_re_authorisation_is_asked_for_by_a_named_user_who_may_text(office: Clinic) -> None:
    """R-L5, R-L2: nobody, and somebody without permission, are refused, each with the reason."""
    stop(office)
    with office.unchanged():
        request(office, sent_by=None).is_no_request("opted_out_by_contact")
        request(office, sent_by="kim").is_no_request("sender_not_permitted")
    request(office).recorded("ConsentRequested")


def test_a_re_authorisation_is_never_automatic(office: Clinic) -> None:
    """R-L5: a text that is refused for the STOP brings no request with it."""
    stop(office)
    answer = office.sends(ANN, sent_by="jo", manual=True)
    assert answer.is_("refused", "opted_out_by_contact")["consent_request"] is None
    assert "ConsentRequested" not in office.facts(ANN)


def test_no_re_authorisation_while_the_carrier_bars(office: Clinic) -> None:
    """R-L5: a system opt-out has to be lifted by the contact's START first."""
    stop(office)
    office.reports(ANN, "21610")
    with office.unchanged():
        assert request(office).status == 409
    office.hears(ANN, "START")
    office.hears(ANN, "STOP")
    office.reports(ANN, "30006")
    assert request(office).status == 409


def test_a_carriers_bar_alone_is_nothing_to_re_authorise(office: Clinic) -> None:
    """R-L5, R-F9: row 5 binds a request too."""
    office.reports(ANN, "21610")
    request(office).is_no_request("opted_out_by_system")


def test_an_agents_bar_outlives_the_stop_for_a_request(office: Clinic) -> None:
    """R-L5, R-F9: rows 6 and 8 bind a re-authorisation as any request."""
    office.opts_out(ANN)
    stop(office)
    request(office).is_no_request("opted_out_by_agent")
    office.blocks(BEN, "conversation")
    office.hears(BEN, "STOP")
    request(office, BEN, purposes=["conversation"]).is_no_request("purpose_blocked")


def test_consent_that_nobody_asked_for_does_not_lift_a_stop(office: Clinic) -> None:
    """R-L5, R-F3: it is recorded, and the contact is told once how to opt back in."""
    stop(office)
    office.hears(ANN, "CONSENT").replied("how_to_opt_in")
    office.hears(ANN, "CONSENT").replied(None)
    assert label(office) == REVOKED
    office.consents(ANN, "conversation", method="paper")
    assert label(office) == REVOKED


def test_a_request_from_before_the_stop_does_not_re_authorise(office: Clinic) -> None:
    """R-L5: it was sent before that STOP, so a late CONSENT to it lifts nothing."""
    request(office, occurred_at=ago(days=3))
    office.hears(ANN, "STOP", received_at=ago(days=2))
    office.hears(ANN, "CONSENT", received_at=ago(days=1))
    assert label(office) == REVOKED
    office.asks(ANN).is_denied("opted_out_by_contact")


def test_a_re_authorisation_that_failed_to_arrive_may_be_repeated(office: Clinic) -> None:
    """R-L5, R-F9: nobody was asked yet."""
    stop(office)
    sent = request(office)["request_id"]
    office.reports(ANN, "30008", message_id=sent)
    request(office).recorded("ConsentRequested")


def test_a_re_authorisation_lifts_the_stop_of_before_and_not_one_after(office: Clinic) -> None:
    """R-L5, R-O2: STOP again while it waits ends it; then CONSENT is too late."""
    stop(office, received_at=ago(days=9))
    request(office, occurred_at=ago(days=8))
    office.hears(ANN, "STOP", received_at=ago(days=7))
    assert label(office) == REVOKED
    office.hears(ANN, "CONSENT", received_at=ago(days=6))
    assert label(office) == REVOKED


def test_a_late_stop_undoes_a_re_authorisation_that_came_before_it(office: Clinic) -> None:
    """R-L5, R-O2: the STOP was said after the yes, and arrived before nothing else."""
    stop(office, received_at=ago(days=9))
    request(office, occurred_at=ago(days=8))
    office.hears(ANN, "CONSENT", received_at=ago(days=6))
    office.hears(ANN, "STOP", received_at=ago(days=5))
    assert label(office) == REVOKED
    office.hears(BEN, "STOP", received_at=ago(days=9))
    request(office, BEN, occurred_at=ago(days=8))
    office.hears(BEN, "CONSENT", received_at=ago(days=5))
    office.hears(BEN, "STOP", received_at=ago(days=6))
    assert label(office, BEN) == REVOKED


def test_held_texts_from_before_the_stop_stay_cancelled(office: Clinic) -> None:
    """R-L5, R-F1: a re-authorisation lets no old text out."""
    request(office, occurred_at=ago(days=1))
    office.sends(ANN, message_id="text-1", sent_by="jo").is_("deferred")
    office.hears(ANN, "STOP")
    assert request(office).status == 201
    office.hears(ANN, "CONSENT")
    assert label(office) == AUTHORIZED
    assert office.fate("text-1") == "cancelled"


@pytest.mark.parametrize("preset", ["consent-first", "opt-out", "recalls"])
def test_the_other_presets_do_not_re_authorise(open_clinic: Open, preset: str) -> None:
    """R-L5: the flag is off; a policy of the account's own may set it."""
    clinic = open_clinic(preset)
    clinic.permits("jo", "allow")
    clinic.hears(ANN, "STOP")
    ask = {"sent_by": "jo", "purposes": ["marketing"]}
    found = clinic.requests(ANN, **ask).is_no_request("opted_out_by_contact")
    assert (found["source"], found["may_text"]) == ("contact", False)
    clinic.adopts(preset, changes={"reauthorise_after_stop": True})
    clinic.requests(ANN, **ask).recorded("ConsentRequested")
    clinic.hears(ANN, "CONSENT").replied("consent_confirmation")
    clinic.asks(ANN, "marketing").is_allowed("consented")


# --- R-L6: search -----------------------------------------------------------------------------


@pytest.fixture
def searched(office: Clinic) -> Clinic:
    """Ann has said and been told many things."""
    request(office, occurred_at=ago(days=9))
    office.hears(ANN, "Who is this? 100% sure?", received_at=ago(days=8))
    office.consents(ANN, evidence="signed the Blue form", occurred_at=ago(days=6))
    office.hears(ANN, "My appointment is on Tuesday", received_at=ago(days=4))
    office.hears(ANN, "Stop. Thank you", received_at=ago(days=2))
    office.sends(ANN, sent_by="jo")
    return office


def types(office: Clinic, **query: Any) -> list[str]:
    """What a search of Ann's history finds."""
    return [event["type"] for event in office.history(ANN, **query)]


def test_a_history_is_searched_by_word(searched: Clinic) -> None:
    """R-L6: any part of what was said, in any case; nothing in it is a wildcard."""
    assert types(searched, q="APPOINTMENT") == ["ReplyNotUnderstood"]
    assert types(searched, q="thank you") == ["StopReceived"]
    assert types(searched, q="blue") == ["ConsentGranted"]
    assert types(searched, q="100%25%20sure") == ["ReplyNotUnderstood"]
    for nothing in ("zebra", "100%25x", "_top", "%25"):
        assert types(searched, q=nothing) == (["ReplyNotUnderstood"] if nothing == "%25" else [])


def test_a_history_is_searched_by_type(searched: Clinic) -> None:
    """R-L6: one or several; a type that there is not is an error."""
    assert types(searched, type="ConsentRequested") == ["ConsentRequested"]
    both = types(searched, type="StopReceived,ConsentRequested")
    assert both == ["ConsentRequested", "StopReceived"]
    path = f"/v1/numbers/{searched.number_id(ANN)}/history"
    searched.get(f"{path}?type=Stop").problem(422, "unknown-type", "/type")


def test_a_history_is_searched_by_the_time_of_what_was_said(searched: Clinic) -> None:
    """R-L6: when it happened, not when the ledger was told; from is in, to is out."""
    said = types(searched, **{"from": _query(ago(days=7)), "to": _query(ago(days=3))})
    assert said == ["ConsentGranted", "ReplyNotUnderstood"]
    (stopped,) = searched.history(ANN, type="StopReceived")
    at = _query(stopped["occurred_at"])
    assert "StopReceived" in types(searched, **{"from": at})
    assert "StopReceived" not in types(searched, to=at)
    path = f"/v1/numbers/{searched.number_id(ANN)}/history"
    searched.get(f"{path}?from=yesterday").problem(422, "invalid-body", "/from")


def test_a_history_is_searched_by_category(searched: Clinic) -> None:
    """R-L6: what the contact said, what consent there was, what was to be sent."""
    said = ["ReplyNotUnderstood", "ConsentGranted", "ReplyNotUnderstood", "StopReceived"]
    assert types(searched, category="contact") == said
    assert types(searched, category="consent") == ["ConsentRequested", "ConsentGranted"]
    assert types(searched, category="opt_outs") == ["StopReceived"]
    assert types(searched, category="messages") == ["MessageRefused"]
    assert types(searched, category="delivery") == []
    assert types(searched, category="contact,messages") == [*said, "MessageRefused"]
    path = f"/v1/numbers/{searched.number_id(ANN)}/history"
    searched.get(f"{path}?category=gossip").problem(422, "unknown-category", "/category")


def test_a_search_takes_everything_at_once(searched: Clinic) -> None:
    """R-L6: all of what is asked has to hold."""
    query = {"q": "is", "category": "contact", "from": _query(ago(days=5))}
    (found,) = searched.history(ANN, **query)
    assert found["words"] == "My appointment is on Tuesday"
    assert types(searched, **query, type="StopReceived") == []


def test_a_search_is_for_everybody_of_the_account_and_nobody_else(
    searched: Clinic, open_clinic: Open
) -> None:
    """R-L6: an auditor reads what was said; another account does not learn that there is any."""
    path = f"/v1/numbers/{searched.number_id(ANN)}/history?q=tuesday"
    for role in ("sender", "agent", "admin", "auditor"):
        (event,) = searched.get(path, role)["items"]
        assert event["words"] == "My appointment is on Tuesday"
    open_clinic("authorization").get(path).problem(404, "not-found")


# --- bent to an account's wishes, as docs/how-to/authorization.md shows --------------------------


def bent(open_clinic: Open, **changes: Any) -> Clinic:
    """An office with a policy of its own; Jo may text."""
    office = open_clinic("authorization", **changes)
    office.permits("jo", "allow")
    return office


def test_reminders_may_go_without_authorization(open_clinic: Open) -> None:
    """R-L3: that purpose alone, to numbers that declined too, until STOP."""
    rule = {"appointment_reminder": {"needs_consent": False}}
    office = bent(open_clinic, purposes=rule)
    office.asks(ANN, "appointment_reminder").is_allowed("no_consent_needed")
    office.asks(ANN).is_denied("consent_required")
    office.hears(ANN, "DECLINE")
    office.asks(ANN, "appointment_reminder").is_allowed("no_consent_needed")
    office.hears(ANN, "STOP")
    office.asks(ANN, "appointment_reminder").is_denied("opted_out_by_contact")


def test_other_words_may_leave_the_request_open(open_clinic: Open) -> None:
    """R-L3: the contact is then asked again."""
    office = bent(open_clinic, other_words_end_request=False)
    request(office)
    office.hears(ANN, "who is this?").replied("ask_again")
    assert label(office) == PENDING


def test_texts_may_wait_for_authorization(open_clinic: Open) -> None:
    """R-L3, R-M1: then the request goes out by itself."""
    office = bent(open_clinic, missing_consent_denies=False)
    answer = office.sends(ANN, message_id="text-1").is_("deferred", "consent_required")
    assert answer["consent_request"]["to"] == ANN
    assert label(office) == PENDING


def test_who_declined_may_be_asked_again(open_clinic: Open) -> None:
    """R-L3: where the policy allows it."""
    office = bent(open_clinic, request_after_decline=True)
    request(office)
    office.hears(ANN, "DECLINE")
    request(office).recorded("ConsentRequested")


def test_a_stop_may_be_the_contacts_alone_to_lift(open_clinic: Open) -> None:
    """R-L5: with the flag off no request goes after it."""
    office = bent(open_clinic, reauthorise_after_stop=False)
    stop(office)
    request(office).is_no_request("opted_out_by_contact")
    office.hears(ANN, "START")
    assert label(office) == AUTHORIZED


@pytest.mark.parametrize(("minutes", "opens"), [(4, False), (6, True)])
def test_a_request_by_another_clock_is_later_from_five_minutes_on(
    office: Clinic, minutes: int, opens: bool
) -> None:
    """R-L5, R-O2: the STOP's time is the provider's, the request's the sender's."""
    stop(office, received_at=ago(minutes=30))
    request(office, occurred_at=ago(minutes=30 - minutes), purposes=["conversation"])
    office.hears(ANN, "CONSENT")
    assert (label(office) == AUTHORIZED) is opens


def _query(at: str) -> str:
    """A time as it stands in a URL."""
    return at.replace("+00:00", "Z")
