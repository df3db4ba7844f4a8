"""Consent: given on a form, asked for by hand, answered by text (R-F3, R-F9, R-L rules)."""

import pytest

from tests.api.clinic import ANN, Clinic, ago
from tests.api.conftest import Open

METHODS = ["web", "paper", "verbal", "import"]


@pytest.fixture
def law(open_clinic: Open) -> Clinic:
    """An account that holds to `authorization`; Jo may text."""
    clinic = open_clinic("authorization")
    clinic.permits("jo", "allow")
    return clinic


@pytest.mark.parametrize("method", METHODS)
def test_consent_on_a_form_opens_what_it_named(clinic: Clinic, method: str) -> None:
    """R-F3: whatever the channel, with its evidence in the vault and its digest in the event."""
    answer = clinic.consents(ANN, "conversation", method=method, evidence="page 3, signed")
    answer.recorded("ConsentGranted")
    clinic.asks(ANN).is_allowed("consented")
    clinic.asks(ANN, "marketing").is_deferred("consent_required")
    event = clinic.history(ANN)[0]
    assert event["words"] == "page 3, signed"
    assert event["evidence"]["text_digest"]
    assert event["data"]["method"] == method


def test_consent_by_text_is_told_by_the_text_alone(clinic: Clinic) -> None:
    """R-F3: what a sender tells is never taken for the contact's own text."""
    clinic.consents(ANN, method="sms").problem(422, "invalid-body", "/method")


def test_marketing_needs_consent_in_writing(clinic: Clinic) -> None:
    """R-F3: `express` is not enough for marketing, `express_written` is."""
    clinic.consents(ANN, "marketing")
    clinic.asks(ANN, "marketing").is_deferred("consent_required")
    clinic.consents(ANN, "marketing", level="express_written")
    clinic.asks(ANN, "marketing").is_allowed("consented")


def test_consent_on_a_form_never_lifts_an_opt_out(clinic: Clinic) -> None:
    """R-F3: recorded as evidence, and the opt-out stands, whoever set it."""
    clinic.hears(ANN, "STOP")
    clinic.consents(ANN).recorded("ConsentGranted")
    clinic.asks(ANN).is_denied("opted_out_by_contact")
    clinic.hears(ANN, "START")
    clinic.opts_out(ANN)
    clinic.consents(ANN)
    clinic.asks(ANN).is_denied("opted_out_by_agent")


def test_who_consents_on_whose_behalf_is_told(clinic: Clinic) -> None:
    """A grant without the person who took it is no evidence."""
    clinic.consents(ANN, by=None).problem(422, "missing", "/by")


def test_a_request_by_hand_is_answered_with_its_text(clinic: Clinic) -> None:
    """R-F9: 201, the id by which its delivery is reported, and what to send."""
    answer = clinic.requests(ANN, purposes=["conversation"], sent_by="jo")
    assert answer.status == 201
    answer.recorded("ConsentRequested")
    assert answer["request_id"].endswith("-1")
    assert "CONSENT" in answer["text"]
    found = clinic.asks(ANN).is_deferred("consent_pending")
    assert (found["consent"], found["status_label"]) == ("requested", "Pending Authorization")
    clinic.hears(ANN, "CONSENT").recorded("ConsentGranted", "ReplyIssued")
    clinic.asks(ANN).is_allowed("consented")


def test_a_request_that_names_marketing_carries_the_disclosure(clinic: Clinic) -> None:
    """R-F3: its CONSENT is consent in writing, to what it named and no more."""
    plain = clinic.requests(ANN, purposes=["conversation"], occurred_at=ago(days=20))["text"]
    answer = clinic.requests(ANN, purposes=["marketing"])
    assert answer["text"] != plain
    assert "condition" in answer["text"]
    clinic.hears(ANN, "CONSENT")
    clinic.asks(ANN, "marketing").is_allowed("consented")
    clinic.asks(ANN).is_deferred("consent_required")


def test_why_a_request_may_not_be_sent_is_told(clinic: Clinic) -> None:
    """R-F9: 409 with the reason, and nothing changes."""
    clinic.requests(ANN)
    with clinic.unchanged():
        found = clinic.requests(ANN).problem(409, "consent-request-refused")
        assert found["reason"] == "consent_pending"
    clinic.hears(ANN, "CONSENT")
    found = clinic.requests(ANN).problem(409, "consent-request-refused")
    assert found["reason"] == "consented"
    clinic.hears(ANN, "STOP")
    found = clinic.requests(ANN).problem(409, "consent-request-refused")
    assert (found["reason"], found["source"]) == ("opted_out_by_contact", "contact")
    assert found["may_text"] is False


def test_a_request_may_be_repeated_after_a_failed_delivery_or_seven_days(clinic: Clinic) -> None:
    """R-F9: and at most twice in thirty days."""
    first = clinic.requests(ANN, occurred_at=ago(days=6))
    clinic.requests(ANN).problem(409, "consent-request-refused")
    clinic.reports(ANN, "30008", message_id=first["request_id"])
    clinic.requests(ANN).recorded("ConsentRequested")
    found = clinic.requests("+14155550139", occurred_at=ago(days=8))
    assert found.status == 201
    clinic.requests("+14155550139").recorded("ConsentRequested")
    clinic.hears("+14155550139", "DECLINE")
    refused = clinic.requests("+14155550139").problem(409, "consent-request-refused")
    assert refused["reason"] == "request_limit_reached"


def test_where_no_purpose_needs_consent_there_is_nothing_to_ask(open_clinic: Open) -> None:
    """R-F9: under `opt-out` a request has no purpose to name."""
    found = open_clinic("opt-out").requests(ANN).problem(409, "consent-request-refused")
    assert found["reason"] == "no_consent_needed"


def test_permission_is_needed_to_ask_for_consent_too(law: Clinic) -> None:
    """R-L2: an authorisation request is sent by a user who may text."""
    found = law.requests(ANN, sent_by="kim").problem(409, "consent-request-refused")
    assert found["reason"] == "sender_not_permitted"
    law.requests(ANN, sent_by="jo").recorded("ConsentRequested")


def test_a_reply_that_does_not_authorise_ends_the_request(law: Clinic) -> None:
    """R-L3: not authorised, and a new request may be sent; after DECLINE none."""
    law.requests(ANN, sent_by="jo")
    law.hears(ANN, "who is this?").replied(None)
    assert law.asks(ANN).is_denied("consent_required")["status_label"] == "Not Authorized"
    law.requests(ANN, sent_by="jo").recorded("ConsentRequested")
    law.hears(ANN, "DECLINE")
    law.asks(ANN).is_denied("consent_declined")
    found = law.requests(ANN, sent_by="jo").problem(409, "consent-request-refused")
    assert found["reason"] == "consent_declined"


def test_re_authorisation_goes_once_per_stop_by_a_named_user(law: Clinic) -> None:
    """R-L5, R-F3: the contact's CONSENT lifts the STOP and opens what was asked, no more."""
    law.consents(ANN, "conversation", "recall")
    law.hears(ANN, "STOP", received_at=ago(hours=1))
    assert law.asks(ANN)["status_label"] == "Revoked"
    refused = law.requests(ANN, purposes=["conversation"])
    problem = refused.problem(409, "consent-request-refused")
    assert problem["reason"] == "opted_out_by_contact"
    assert [each["type"] for each in problem["evidence"]] == ["StopReceived"]
    law.requests(ANN, purposes=["conversation"], sent_by="jo").recorded("ConsentRequested")
    assert law.asks(ANN)["status_label"] == "Pending Authorization"
    refused = law.requests(ANN, purposes=["conversation"], sent_by="jo")
    found = refused.problem(409, "consent-request-refused")
    assert found["reason"] == "reauthorisation_used"
    law.hears(ANN, "CONSENT").replied("consent_confirmation")
    law.asks(ANN).is_allowed("consented")
    law.asks(ANN, "recall").is_denied("consent_required")


def test_re_authorisation_never_goes_while_the_carrier_bars(law: Clinic) -> None:
    """R-L5: a system opt-out is not talked away."""
    law.hears(ANN, "STOP")
    law.reports(ANN, "21610")
    found = law.requests(ANN, sent_by="jo").problem(409, "consent-request-refused")
    assert found["reason"] == "opted_out_by_contact"


def test_a_request_that_the_policy_lets_lapse_waits_no_longer(open_clinic: Open) -> None:
    """R-L3: pending for ever, or until the policy's expiry."""
    clinic = open_clinic("authorization", request_expires_days=10)
    clinic.permits("jo", "allow")
    clinic.requests(ANN, sent_by="jo", occurred_at=ago(days=11))
    clinic.asks(ANN).is_denied("consent_required")
    clinic.asks(ANN, as_of=ago(days=2)).is_deferred("consent_pending")
