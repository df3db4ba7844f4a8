"""What holds under each of the four presets: rulebook section 5, and the order of things.

Seen from outside, over HTTP. `ANSWERS` is section 7's table, as a sender gets it for a number on
which nothing is known.
"""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, Final

import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead
from tests.api.conftest import Open

PURPOSES = ("conversation", "appointment_reminder", "recall", "marketing")
FREE = ("allow", "no_consent_needed")
WAITS = ("defer", "consent_required")
NO = ("deny", "consent_required")
ANSWERS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "consent-first": (WAITS, FREE, FREE, WAITS),
    "opt-out": (FREE, FREE, FREE, ("allow", "presumed_by_policy")),
    "recalls": (FREE, FREE, FREE, WAITS),
    "authorization": (NO, NO, NO, NO),
}
LIMITS: Final = {"consent-first": 3, "opt-out": 1, "recalls": 3, "authorization": 3}
"""`unreachable_limit` (section 7)."""
CODES: Final = {
    "21610": ("opted_out", True),
    "21211": ("not_mobile", True),
    "21614": ("not_mobile", True),
    "21635": ("not_mobile", True),
    "30006": ("not_mobile", True),
    "30005": ("deactivated", True),
    "30004": ("ambiguous_block", False),
    "30001": ("transient", False),
    "30008": ("transient", False),
    "30410": ("transient", False),
    "30007": ("sender_fault", False),
    "30022": ("sender_fault", False),
    "30023": ("sender_fault", False),
    "30032": ("sender_fault", False),
    "30034": ("sender_fault", False),
    "99999": ("transient", False),
}
"""Twilio's codes, what each means, and whether one report suppresses."""
SURVEY: Final = {"survey": {"needs_consent": True}}
"""A purpose of the account's own, so that under every preset something waits for consent."""


@pytest.fixture(params=ANSWERS)
def preset(request: pytest.FixtureRequest) -> str:
    """The name of a preset."""
    name: str = request.param
    return name


@pytest.fixture
def account(open_clinic: Open, preset: str) -> Clinic:
    """An account that holds to it as it is; Jo may text."""
    account = open_clinic(preset)
    account.permits("jo", "allow")
    return account


@pytest.fixture
def asking(open_clinic: Open, preset: str) -> Clinic:
    """The same with surveys, which need consent under every preset."""
    account = open_clinic(preset, purposes=SURVEY)
    account.permits("jo", "allow")
    return account


def answers(account: Clinic, number: str = ANN, **more: Any) -> tuple[tuple[str, str], ...]:
    """Decision and reason for each purpose."""
    found = [account.asks(number, purpose, **more) for purpose in PURPOSES]
    return tuple((each["decision"], each["reason"]) for each in found)


def all_denied(account: Clinic, reason: str, number: str = ANN) -> None:
    """Nothing may go, for this reason, whatever the purpose."""
    assert set(answers(account, number)) == {("deny", reason)}


def ask(account: Clinic, number: str = ANN, *purposes: str, **more: Any) -> Answer:
    """Jo asks the contact for consent."""
    return account.requests(number, purposes=purposes or ("survey",), sent_by="jo", **more)


def hold(asking: Clinic, message_id: str = "text-1", number: str = ANN) -> None:
    """A survey waits for the contact's consent."""
    if not asking.looks_up(number)["request_pending"]:
        ask(asking, number).recorded("ConsentRequested")
    asking.sends(number, "survey", message_id, sent_by="jo").is_("deferred", "consent_pending")


def day(days_ago: int) -> str:
    """A day by UTC."""
    return (datetime.now(UTC).date() - timedelta(days=days_ago)).isoformat()


# --- section 7 --------------------------------------------------------------------------------


def test_each_preset_answers_for_a_stranger_as_its_table_says(account: Clinic, preset: str) -> None:
    """R-M1, R-V1, R-B2, R-L3: what is needed before anything is known."""
    assert answers(account) == ANSWERS[preset]
    found = account.asks(ANN)
    assert (found["consent"], found["opted_out"], found["do_not_text"]) == ("none", False, False)
    assert found["status_label"] == "Not Authorized"
    assert found["number_version"] == 0


# --- R-F1, R-F2: STOP and START ---------------------------------------------------------------


def test_a_stop_bars_everything_and_says_who_can_lift_it(account: Clinic) -> None:
    """R-F1: consent is revoked, for what needs none too."""
    account.consents(ANN, *PURPOSES, level="express_written")
    said_at = ago(minutes=1)
    account.hears(ANN, "STOP", received_at=said_at).replied("stop_confirmation")
    for purpose in PURPOSES:
        found = account.asks(ANN, purpose, sent_by="jo").is_denied("opted_out_by_contact")
        assert (found["source"], found["lifted_by"]) == ("contact", "contact_start")
        assert found["since"] == said_at.replace("+00:00", "Z")
        assert (found["consent"], found["status_label"]) == ("revoked", "Revoked")
        assert (found["opted_out"], found["opt_out_source"]) == (True, "contact")
        assert found["do_not_text"] is True
        assert [each["type"] for each in found["evidence"]] == ["StopReceived"]
    account.sends(ANN, "recall", sent_by="jo").is_("refused", "opted_out_by_contact")


def test_one_confirmation_a_stop(account: Clinic) -> None:
    """R-F1, R-O1: the same to a redelivery, none to a STOP that changes nothing."""
    first = account.hears(ANN, "STOP", message_id="in-1").replied("stop_confirmation")
    again = account.hears(ANN, "STOP", message_id="in-1").recorded()
    assert again["reply"] == first["reply"]
    account.hears(ANN, "STOP").replied(None)
    account.hears(ANN, "START").replied("start_confirmation")
    account.hears(ANN, "STOP").replied("stop_confirmation")


@pytest.mark.parametrize(("minutes", "kind"), [(4, "stop_confirmation"), (6, None)])
def test_a_confirmation_is_not_sent_late(account: Clinic, minutes: int, kind: str | None) -> None:
    """R-F1: none more than five minutes after it was said."""
    account.hears(ANN, "STOP", received_at=ago(minutes=minutes)).replied(kind)
    all_denied(account, "opted_out_by_contact")


def test_a_stop_twice_keeps_its_first_date(account: Clinic) -> None:
    """R-O5: that it was said again is on record, and changes nothing."""
    account.hears(ANN, "STOP", received_at=ago(days=3))
    since = account.asks(ANN)["since"]
    account.hears(ANN, "unsubscribe").recorded("StopReceived")
    assert account.asks(ANN)["since"] == since


def test_a_start_restores_what_was_and_widens_nothing(account: Clinic, preset: str) -> None:
    """R-F2: granted before counts again, and what was never granted is not."""
    account.consents(ANN, "conversation", "recall")
    before = answers(account)
    account.hears(ANN, "STOP")
    all_denied(account, "opted_out_by_contact")
    account.hears(ANN, "START").replied("start_confirmation")
    assert answers(account) == before
    assert answers(account)[3] == ANSWERS[preset][3]


def test_a_start_does_not_bring_back_what_was_declined(account: Clinic) -> None:
    """R-F2: a DECLINE between grant and START stands."""
    account.consents(ANN, *PURPOSES, level="express_written", occurred_at=ago(hours=9))
    account.hears(ANN, "STOP", received_at=ago(hours=3))
    account.hears(ANN, "DECLINE", received_at=ago(hours=2))
    account.hears(ANN, "START", received_at=ago(hours=1))
    assert "consented" not in {reason for _, reason in answers(account)}


def test_a_start_lifts_every_opt_out_and_no_block(account: Clinic, preset: str) -> None:
    """R-F2: the contact's, the carrier's and the agent's; a purpose block stays."""
    account.hears(ANN, "STOP")
    account.opts_out(ANN)
    account.reports(ANN, "21610")
    account.blocks(ANN, "recall")
    assert [each["source"] for each in account.looks_up(ANN)["opt_outs"]] == [
        "contact",
        "system",
        "agent",
    ]
    account.hears(ANN, "START")
    assert account.looks_up(ANN)["opt_outs"] == []
    found = answers(account)
    assert found[2] == ("deny", "purpose_blocked")
    assert found[:2] == ANSWERS[preset][:2]


def test_a_stop_ends_held_texts_for_good(asking: Clinic) -> None:
    """R-F1: a START weeks later lets none of them out."""
    hold(asking, "text-1")
    asking.hears(ANN, "STOP")
    assert asking.fate("text-1") == "cancelled"
    asking.hears(ANN, "START")
    asking.consents(ANN, "survey")
    asking.asks(ANN, "survey").is_allowed("consented")
    assert (asking.fate("text-1"), asking.releasable()) == ("cancelled", [])
    assert asking.releases("text-1").problem(409, "not-releasable")["state"] == "cancelled"


def test_a_stop_that_is_learnt_late_ends_what_was_held_while_it_stood(asking: Clinic) -> None:
    """R-F1: also where its START came first; one that was over before ends nothing."""
    for number, text in ((ANN, "text-1"), (BEN, "text-2")):
        hold(asking, text, number)
        asking.hears(number, "CONSENT")
    asking.hears(ANN, "START")
    assert asking.releasable() == ["text-1", "text-2"]
    asking.hears(ANN, "STOP", received_at=ago(minutes=30))
    asking.hears(BEN, "START", received_at=ago(minutes=20))
    asking.hears(BEN, "STOP", received_at=ago(minutes=30))
    assert asking.fate("text-1") == "cancelled"
    assert asking.fate("text-2") == "releasable"


# --- R-F3, R-F4: consent and decline ----------------------------------------------------------


def test_a_consent_opens_what_was_asked_and_no_more(asking: Clinic) -> None:
    """R-F3: the request names a survey; the other purposes stay as they were."""
    before = answers(asking)
    ask(asking).recorded("ConsentRequested")
    asking.hears(ANN, "CONSENT").replied("consent_confirmation")
    asking.asks(ANN, "survey").is_allowed("consented")
    assert answers(asking) == before


def test_a_decline_bars_what_needs_consent_and_nothing_else(asking: Clinic) -> None:
    """R-F4: no opt-out stands, and held texts that need consent are over."""
    hold(asking, "text-1")
    before = answers(asking)
    asking.hears(ANN, "DECLINE")
    found = asking.asks(ANN, "survey").is_denied("consent_declined")
    assert (found["consent"], found["opted_out"]) == ("declined", False)
    assert found["lifted_by"] == "contact_reply"
    assert answers(asking) == before
    assert asking.fate("text-1") == "cancelled"


def test_marketing_takes_consent_in_writing(account: Clinic, preset: str) -> None:
    """R-F3: a request that names marketing carries the disclosure; spoken consent is too little."""
    if preset != "opt-out":
        account.consents(BEN, "marketing", method="verbal")
        assert account.asks(BEN, "marketing")["reason"] == "consent_required"
    plain = ask(account, CARA, "conversation")["text"]
    answer = ask(account, ANN, "marketing")
    assert answer["text"] != plain
    account.hears(ANN, "CONSENT").replied("consent_confirmation")
    account.asks(ANN, "marketing").is_allowed("consented")


@pytest.mark.parametrize("bar", ["STOP", "agent", "system"])
def test_consent_on_paper_lifts_no_opt_out(account: Clinic, bar: str) -> None:
    """R-F3: whoever opted out; it is recorded all the same."""
    match bar:
        case "STOP":
            account.hears(ANN, "STOP")
        case "agent":
            account.opts_out(ANN)
        case _:
            account.reports(ANN, "21610")
    before = answers(account)
    account.consents(ANN, *PURPOSES, method="paper").recorded("ConsentGranted")
    assert answers(account) == before
    assert {decision for decision, _ in before} == {"deny"}


# --- R-F5, R-F6: opt-outs by others -----------------------------------------------------------


def test_an_agents_opt_out_is_taken_back_by_an_admin(account: Clinic, preset: str) -> None:
    """R-F6: it bars everything, and after the opt-in all is as before."""
    account.opts_out(ANN).recorded("OptedOut")
    all_denied(account, "opted_out_by_agent")
    found = account.asks(ANN)
    assert (found["source"], found["lifted_by"]) == ("agent", "admin")
    account.opts_in(ANN).recorded("AdminOptedIn")
    assert answers(account) == ANSWERS[preset]
    account.opts_in(ANN).recorded("AdminOptedIn")


def test_texts_held_under_an_agents_opt_out_come_free_after_the_opt_in(asking: Clinic) -> None:
    """R-F5: held, not handed out, not cancelled: it may have been a mistake."""
    hold(asking, "text-1")
    asking.hears(ANN, "CONSENT")
    assert asking.releasable() == ["text-1"]
    asking.opts_out(ANN)
    assert (asking.fate("text-1"), asking.releasable()) == ("deferred", [])
    found = asking.releases("text-1").problem(409, "not-releasable")
    assert (found["reason"], found["may_text"]) == ("opted_out_by_agent", False)
    asking.opts_in(ANN)
    assert asking.releasable() == ["text-1"]
    assert asking.releases("text-1")["state"] == "released"


def test_texts_held_under_a_carriers_bar_come_free_after_a_start(asking: Clinic) -> None:
    """R-F5: only the contact lifts it; an admin cannot."""
    hold(asking, "text-1")
    asking.hears(ANN, "CONSENT")
    asking.reports(ANN, "21610")
    assert (asking.fate("text-1"), asking.releasable()) == ("deferred", [])
    assert asking.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "system"
    asking.hears(ANN, "START")
    assert asking.releases("text-1")["state"] == "released"


@pytest.mark.parametrize("means", ["phone", "email", "in_person"])
def test_an_opt_out_that_the_contact_asked_for_is_lifted_by_the_contact(
    account: Clinic, preset: str, means: str
) -> None:
    """R-F6: an agent wrote it down, and it is the contact's; no admin takes it back."""
    account.opts_out(ANN, requested_by="contact", means=means).recorded("OptedOut")
    all_denied(account, "opted_out_by_contact")
    found = account.asks(ANN)
    assert (found["opt_out_source"], found["status_label"]) == ("contact", "Revoked")
    with account.unchanged():
        refused = account.opts_in(ANN).problem(409, "opt-in-forbidden")
        assert refused["source"] == "contact"
    account.hears(ANN, "START")
    assert answers(account) == ANSWERS[preset]


def test_an_opt_in_fails_while_a_harder_bar_stands(account: Clinic) -> None:
    """R-F6: and changes nothing: the agent's opt-out is still there when the carrier's is not."""
    account.opts_out(ANN)
    account.hears(ANN, "STOP")
    with account.unchanged():
        assert account.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "contact"
    sources = [each["source"] for each in account.looks_up(ANN)["opt_outs"]]
    assert sources == ["contact", "agent"]


def test_a_contact_who_asked_elsewhere_ends_held_texts(asking: Clinic) -> None:
    """R-F6, R-F1: the contact's wish is a STOP, by whatever means."""
    hold(asking, "text-1")
    asking.opts_out(ANN, requested_by="contact", means="phone")
    assert asking.fate("text-1") == "cancelled"


@pytest.mark.parametrize(
    ("path", "role", "extra"),
    [
        ("opt-ins", "agent", {"reason": "a mistake"}),
        ("opt-ins", "sender", {"reason": "a mistake"}),
        ("opt-outs", "auditor", {}),
        ("carrier-reports", "agent", {"provider": "twilio", "code": "21610"}),
        ("reassignments", "agent", {"disconnected_on": "2026-03-04"}),
    ],
)
def test_who_may_not_tell_is_refused(
    account: Clinic, path: str, role: str, extra: dict[str, Any]
) -> None:
    """R-F6: by role; nothing is recorded."""
    account.opts_out(ANN)
    with account.unchanged():
        answer = account.post(f"/v1/{path}", role, number=ANN, by="someone", **extra)
        answer.problem(403, "role-not-allowed")


# --- R-F7: the carrier ------------------------------------------------------------------------


def test_each_code_counts_by_its_class(account: Clinic, preset: str) -> None:
    """R-F7: what says so of the phone suppresses at once, a fault of others never does."""
    for place, (code, (kind, suppresses)) in enumerate(CODES.items()):
        number = f"+1415556{1000 + place}"
        assert account.reports(number, code)["class"] == kind
        if suppresses:
            found = account.asks(number, "recall").is_denied("opted_out_by_system")
            assert (found["source"], found["lifted_by"]) == ("system", "contact_start")
        else:
            assert answers(account, number) == ANSWERS[preset], code


def test_unreachable_suppresses_at_the_presets_limit(account: Clinic, preset: str) -> None:
    """R-F7, section 7: one failure under `opt-out`, three in a row under the others."""
    for failures in range(1, LIMITS[preset] + 1):
        assert answers(account) == ANSWERS[preset], failures
        assert account.reports(ANN, "30003")["class"] == "unreachable"
    all_denied(account, "opted_out_by_system")


@pytest.mark.parametrize("ending", ["delivered", "30008", "30004", "a text"])
def test_a_row_ends(open_clinic: Open, preset: str, ending: str) -> None:
    """R-F7: by a delivery, any other class, and any text from the number."""
    account = open_clinic(preset, unreachable_limit=3)
    for _ in range(2):
        account.reports(ANN, "30003")
    if ending == "a text":
        account.hears(ANN, "I am here")
    else:
        account.reports(ANN, ending)
    for _ in range(2):
        account.reports(ANN, "30003")
    assert account.asks(ANN, "recall")["reason"] != "opted_out_by_system"
    account.reports(ANN, "30003")
    all_denied(account, "opted_out_by_system")


def test_a_late_report_does_not_undo_a_start(account: Clinic, preset: str) -> None:
    """R-F7: it counts from the time of the text that it is about."""
    account.consents(ANN, "recall", occurred_at=ago(days=2))
    account.sends(ANN, "recall", "text-1").is_("permitted")
    account.hears(ANN, "STOP")
    account.hears(ANN, "START")
    before = answers(account)
    account.reports(ANN, "21610", message_id="text-1")
    assert answers(account) == before
    account.sends(ANN, "recall", "text-2").is_("permitted")
    account.reports(ANN, "21610", message_id="text-2")
    all_denied(account, "opted_out_by_system")


# --- R-F8: another holder ---------------------------------------------------------------------


def test_a_new_holder_has_agreed_to_nothing(asking: Clinic) -> None:
    """R-F8: consent from before the end of that day is void, from the next day on it counts."""
    last = f"{day(5)}T23:59:59.999Z"
    asking.consents(ANN, "survey", occurred_at=last)
    first = f"{day(4)}T00:00:00Z"
    asking.consents(BEN, "survey", occurred_at=first)
    for number in (ANN, BEN):
        asking.asks(number, "survey").is_allowed("consented")
        asking.reassigns(number, day(5)).recorded("NumberReassigned")
    assert asking.asks(ANN, "survey")["reason"] == "consent_required"
    asking.asks(ANN, "survey", as_of=last).is_allowed("consented")
    asking.asks(BEN, "survey").is_allowed("consented")


def test_a_request_to_the_last_holder_waits_no_longer(asking: Clinic) -> None:
    """R-F8: the new one's YES answers nothing that they were asked."""
    ask(asking, occurred_at=ago(days=9))
    asking.asks(ANN, "survey").is_deferred("consent_pending")
    asking.reassigns(ANN, day(5))
    assert asking.asks(ANN, "survey")["reason"] == "consent_required"
    asking.hears(ANN, "YES")
    assert asking.asks(ANN, "survey")["reason"] == "consent_required"


def test_opt_outs_and_declines_outlive_the_holder(asking: Clinic) -> None:
    """R-F8: better too few texts than one to somebody who said no."""
    asking.hears(ANN, "STOP", received_at=ago(days=9))
    asking.opts_out(BEN, occurred_at=ago(days=9))
    asking.hears(CARA, "DECLINE", received_at=ago(days=9))
    for number in (ANN, BEN, CARA):
        asking.reassigns(number, day(5))
    all_denied(asking, "opted_out_by_contact", ANN)
    all_denied(asking, "opted_out_by_agent", BEN)
    asking.asks(CARA, "survey").is_denied("consent_declined")


@pytest.mark.parametrize("when", [0, -1])
def test_a_day_that_is_not_over_is_refused(account: Clinic, when: int) -> None:
    """R-F8: `disconnected_on` lies before today, by UTC."""
    with account.unchanged():
        answer = account.reassigns(ANN, day(when))
        answer.problem(422, "disconnected-on-not-past", "/disconnected_on")


# --- R-F9: requests ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "reason"),
    [
        ("carrier", "opted_out_by_system"),
        ("agent", "opted_out_by_agent"),
        ("review", "revocation_under_review"),
        ("block", "purpose_blocked"),
        ("pending", "consent_pending"),
        ("granted", "consented"),
    ],
)
def test_a_request_is_a_text_too(asking: Clinic, bar: str, reason: str) -> None:
    """R-F9: what bars a text bars it, and there is no second one while one waits or it is given."""
    match bar:
        case "carrier":
            asking.reports(ANN, "21610")
        case "agent":
            asking.opts_out(ANN)
        case "review":
            asking.hears(ANN, "lose my number")
        case "block":
            asking.blocks(ANN, "survey")
        case "pending":
            ask(asking)
        case _:
            asking.consents(ANN, "survey")
    with asking.unchanged():
        ask(asking).is_no_request(reason)


def test_two_requests_in_thirty_days(asking: Clinic) -> None:
    """R-F9: a third is refused, whatever became of the first two; an old one does not count."""
    ask(asking, occurred_at=ago(days=50))
    ask(asking, occurred_at=ago(days=20)).recorded("ConsentRequested")
    ask(asking, occurred_at=ago(days=10)).recorded("ConsentRequested")
    with asking.unchanged():
        ask(asking).is_no_request("request_limit_reached")


def test_a_policy_may_allow_more_requests(open_clinic: Open, preset: str) -> None:
    """R-F9: the numbers are the policy's."""
    account = open_clinic(preset, purposes=SURVEY, requests_allowed=3, request_repeat_days=1)
    account.permits("jo", "allow")
    for days in (6, 4, 2):
        ask(account, occurred_at=ago(days=days)).recorded("ConsentRequested")
    ask(account).is_no_request("request_limit_reached")


# --- R-F10: reviews ---------------------------------------------------------------------------


def test_words_that_may_mean_stop_hold_everything(account: Clinic, preset: str) -> None:
    """R-F10, R-K4: at once, every purpose; dismissed, all is as before."""
    answer = account.hears(ANN, "take me off your list")
    review = answer.understood_as("suspected_revocation").replied(None)["review_id"]
    all_denied(account, "revocation_under_review")
    found = account.asks(ANN)
    assert (found["do_not_text"], found["opted_out"]) == (True, False)
    account.judges(review, "dismissed").recorded("RevocationDismissed")
    assert answers(account) == ANSWERS[preset]


@pytest.mark.parametrize(
    "verdicts", [("revoked",), ("revoked", "dismissed"), ("dismissed", "revoked")]
)
def test_a_revocation_that_is_confirmed_is_a_stop_of_its_words(
    account: Clinic, verdicts: tuple[str, ...]
) -> None:
    """R-F10: at their time; of two verdicts `revoked` wins, in either order."""
    said_at = ago(days=2)
    review = account.hears(ANN, "lose my number", received_at=said_at)["review_id"]
    for verdict in verdicts:
        account.judges(review, verdict)
    all_denied(account, "opted_out_by_contact")
    found = account.asks(ANN)
    assert (found["since"], found["status_label"]) == (said_at.replace("+00:00", "Z"), "Revoked")
    assert account.get("/v1/reviews")["items"] == []


def test_a_start_needs_no_verdict(account: Clinic, preset: str) -> None:
    """R-F10: it lifts the review, and a verdict of `revoked` on words before it comes too late."""
    review = account.hears(ANN, "lose my number", received_at=ago(hours=3))["review_id"]
    account.hears(ANN, "START", received_at=ago(hours=2))
    assert answers(account) == ANSWERS[preset]
    account.judges(review, "revoked")
    assert answers(account) == ANSWERS[preset]


def test_a_confirmed_revocation_ends_held_texts(asking: Clinic) -> None:
    """R-F10, R-F1: a review holds them; its verdict ends them."""
    hold(asking, "text-1")
    review = asking.hears(ANN, "lose my number")["review_id"]
    assert asking.fate("text-1") == "deferred"
    asking.judges(review, "revoked")
    assert asking.fate("text-1") == "cancelled"


# --- section 4: order, repeats, lateness, clocks ----------------------------------------------


@pytest.mark.parametrize("last", ["STOP", "START"])
def test_the_latest_word_wins_in_any_order_of_arrival(
    account: Clinic, preset: str, last: str
) -> None:
    """R-O2: three words, six orders, and each of them twice."""
    words = ["STOP", "START", "STOP"] if last == "STOP" else ["START", "STOP", "START"]
    for place, order in enumerate(permutations(range(3))):
        number = f"+1415557{1000 + place}"
        for step in (*order, *order):
            at = ago(hours=9 - step)
            account.hears(number, words[step], received_at=at, message_id=f"in-{place}-{step}")
        if last == "STOP":
            all_denied(account, "opted_out_by_contact", number)
        else:
            assert answers(account, number) == ANSWERS[preset]


@pytest.mark.parametrize(
    ("basis", "minutes", "lifts"),
    [("received_at", 1, True), ("occurred_at", 4, False), ("occurred_at", 6, True)],
)
def test_a_start_by_another_clock_needs_five_minutes(
    account: Clinic, preset: str, basis: str, minutes: int, lifts: bool
) -> None:
    """R-O2: two clocks may differ, so a START must be later by five minutes to be later."""
    account.hears(ANN, "STOP", received_at=ago(minutes=60))
    account.hears(ANN, "START", **{basis: ago(minutes=60 - minutes)})
    if lifts:
        assert answers(account) == ANSWERS[preset]
    else:
        all_denied(account, "opted_out_by_contact")


def test_words_from_the_future_may_close_and_never_open(account: Clinic) -> None:
    """R-O3: a contact's words are kept under the ledger's own time."""
    tomorrow = ahead(days=1)
    account.hears(ANN, "STOP", received_at=tomorrow).understood_as("stop")
    all_denied(account, "opted_out_by_contact")
    for word in ("START", "YES", "CONSENT"):
        assert account.hears(ANN, word, received_at=tomorrow).status == 200
        all_denied(account, "opted_out_by_contact")
    (stop,) = account.history(ANN, type="StopReceived")
    assert stop["claimed_occurred_at"] == tomorrow.replace("+00:00", "Z")
    account.hears(ANN, "START").replied("start_confirmation")
    assert account.asks(ANN)["opted_out"] is False


def test_a_little_ahead_is_no_future(account: Clinic) -> None:
    """R-O3: up to five minutes a sender's clock is believed."""
    account.opts_out(ANN, occurred_at=ahead(minutes=4)).recorded("OptedOut")


def test_other_facts_from_the_future_are_refused(account: Clinic) -> None:
    """R-O3: with the field, and nothing is recorded; a contact's own opt-out is kept."""
    late = {"occurred_at": ahead(minutes=6)}
    with account.unchanged():
        for answer in (
            account.opts_out(ANN, **late),
            account.opts_in(ANN, **late),
            account.consents(ANN, **late),
            account.reports(ANN, "21610", **late),
            ask(account, ANN, "marketing", **late),
        ):
            answer.problem(422, "occurred-at-in-future", "/occurred_at")
    account.opts_out(ANN, requested_by="contact", **late).recorded("OptedOut")
    all_denied(account, "opted_out_by_contact")


def test_a_repetition_with_one_key_is_one_fact(account: Clinic) -> None:
    """R-O1: the stored answer again; the same key with another body is an error."""
    body = {"number": ANN, "by": "agent-7"}
    path = "/v1/opt-outs"
    first = account.call("POST", path, "agent", body, Idempotency_Key="k-1").recorded("OptedOut")
    with account.unchanged():
        again = account.call("POST", path, "agent", body, Idempotency_Key="k-1").recorded()
        assert again.body == {**first.body, "recorded": []}
        other = account.call("POST", path, "agent", body | {"number": BEN}, Idempotency_Key="k-1")
        assert (other.status, other.response.json()["code"]) == (422, "idempotency-key-reused")
    assert account.asks(BEN)["opted_out"] is False


@pytest.mark.parametrize("written", ["(415) 555-0131", "415-555-0131", "+1 415 555 0131"])
def test_a_number_is_one_however_it_is_written(account: Clinic, written: str) -> None:
    """R-F1: a STOP from one form bars every form; E.164 or national, with any punctuation."""
    account.hears(written, "STOP").understood_as("stop")
    all_denied(account, "opted_out_by_contact", ANN)
    assert account.number_id(written) == account.number_id(ANN)


@pytest.mark.parametrize("number", ["", "12", "nobody", "+", "+1415555013100000"])
def test_a_number_that_cannot_be_read_is_refused_and_not_repeated(
    account: Clinic, number: str
) -> None:
    """R-F1: 422 names the field; a contact's words are never refused."""
    with account.unchanged():
        for answer in (
            account.asks(number),
            account.sends(number, "recall"),
            account.opts_out(number),
        ):
            problem = answer.problem(422, "number-unparseable", "/number")
            assert not number or number not in problem["errors"][0]["detail"]
    if number:
        assert account.hears(number, "STOP").status == 200


def test_nothing_crosses_to_another_account(account: Clinic, open_clinic: Open) -> None:
    """R-F1: a STOP to one account is none to another, which cannot see the number either."""
    account.hears(ANN, "STOP")
    other = open_clinic("opt-out")
    other.asks(ANN).is_allowed("no_consent_needed")
    other.get(f"/v1/numbers/{account.number_id(ANN)}/history").problem(404, "not-found")
    assert other.number_id(ANN) != account.number_id(ANN)
