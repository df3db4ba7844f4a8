"""The preset `opt-out`, as a sender meets it over HTTP: rules R-V1 to R-V4 and R-V6.

R-V5, that an agent's opt-out asks for confirmation, is the admin page's and not HTTP's.
"""

from typing import Any, Final

import pytest

from consent_ledger.words import Purpose
from tests.api.answer import Answer, Json
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead, fresh
from tests.api.conftest import Open

STOPPED, SUPPRESSED, TAKEN_OUT = ANN, BEN, CARA
LEAD: Final = "+14155550141"
"""A number that nothing is known of."""
UNREACHABLE: Final = "30003"
ON_THE_CARRIERS_LIST: Final = "21610"
BATCH_LIMIT: Final = 10_000


def opted_out_in_each_way(dealer: Clinic) -> None:
    """One number by STOP, one by its carrier, one by an agent."""
    dealer.hears(STOPPED, "STOP")
    dealer.reports(SUPPRESSED, ON_THE_CARRIERS_LIST)
    dealer.opts_out(TAKEN_OUT, by="agent-7", reason="asked at the counter")


def report(dealer: Clinic, role: str = "admin", **filters: Any) -> Answer:
    """The numbers that are opted out."""
    return dealer.post("/v1/reports/opt-outs", role, **filters)


def listed(dealer: Clinic, **filters: Any) -> set[str]:
    """The numbers on the report."""
    return {row["number"] for row in report(dealer, **filters)["items"]}


def batch(dealer: Clinic, what: str, *items: Json, role: str = "admin") -> list[Json]:
    """Many opt-outs or opt-ins at once; the verdict on each."""
    results: list[Json] = dealer.post(f"/v1/{what}/batch", role, items=items)["results"]
    return results


# --- R-V1: no history means yes ----------------------------------------------------------------


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(
    "how", [{}, {"manual": True}, {"manual": True, "sent_by": "jo"}, {"sent_by": "jo"}], ids=str
)
def test_a_lead_that_nothing_is_known_of_may_be_texted(
    dealer: Clinic, purpose: Purpose, how: dict[str, Any]
) -> None:
    """R-V1: for every purpose, by whomever; nothing is asked first."""
    reason = "presumed_by_policy" if purpose is Purpose.MARKETING else "no_consent_needed"
    dealer.asks(LEAD, purpose, **how).is_allowed(reason)
    answer = dealer.sends(LEAD, purpose, **how).is_("permitted", reason)
    answer.recorded("MessagePermitted")
    assert (answer["consent_request"], answer["lifted_by"]) == (None, None)
    assert (answer["opted_out"], answer["do_not_text"]) == (False, False)


def test_a_lead_may_be_opted_out_as_it_comes_in(dealer: Clinic) -> None:
    """R-V1: the number is barred before the first text, from the time that the form was filled."""
    filled_at = ago(hours=2)
    dealer.opts_out(LEAD, requested_by="contact", means="web", occurred_at=filled_at)
    answer = dealer.sends(LEAD).is_("refused").is_denied("opted_out_by_contact")
    assert answer["since"][:19] == filled_at[:19]
    dealer.finds_evidence(answer, LEAD, "OptedOut")
    assert dealer.flags(LEAD)["opted_out"] is True


def test_there_is_no_consent_to_ask_for(dealer: Clinic) -> None:
    """R-V1: a request is refused as needless, and a DECLINE bars nothing."""
    with dealer.unchanged():
        dealer.requests(LEAD).is_no_request("no_consent_needed")
    dealer.hears(LEAD, "DECLINE")
    dealer.asks(LEAD).is_allowed("no_consent_needed")
    assert dealer.flags(LEAD)["opted_out"] is False


# --- R-V2: by number ---------------------------------------------------------------------------


def test_the_flag_of_a_lead_is_true_if_any_number_is_opted_out(dealer: Clinic) -> None:
    """R-V2: one of three is enough, and each row tells its own."""
    assert dealer.flags(ANN, BEN, CARA)["opted_out"] is False
    dealer.hears(BEN, "STOP")
    answer = dealer.flags(ANN, BEN, CARA)
    assert answer["opted_out"] is True
    assert [
        (row["number"], row["opted_out"], row["opt_out_source"], row["consent"])
        for row in answer["numbers"]
    ] == [
        (ANN, False, None, "none"),
        (BEN, True, "contact", "revoked"),
        (CARA, False, None, "none"),
    ]
    assert dealer.flags(ANN, CARA)["opted_out"] is False
    dealer.hears(BEN, "START")
    assert dealer.flags(ANN, BEN, CARA)["opted_out"] is False


def test_a_stop_on_one_number_leaves_the_leads_others_open(dealer: Clinic) -> None:
    """R-V2: tracked by number, though the sender says that they are one lead's."""
    dealer.hears(BEN, "STOP")
    dealer.asks(ANN, contact_numbers=[BEN]).is_allowed("no_consent_needed")
    dealer.sends(ANN, contact_numbers=[BEN]).is_("permitted")
    dealer.asks(BEN, contact_numbers=[ANN]).is_denied("opted_out_by_contact")


def test_each_source_makes_the_flag_true(dealer: Clinic) -> None:
    """R-V2: contact, system and agent alike."""
    opted_out_in_each_way(dealer)
    for number, source in ((STOPPED, "contact"), (SUPPRESSED, "system"), (TAKEN_OUT, "agent")):
        (row,) = dealer.flags(number)["numbers"]
        assert (row["opted_out"], row["opt_out_source"]) == (True, source)


def test_what_is_no_opt_out_leaves_the_flag_false(dealer: Clinic) -> None:
    """R-V2: a blocked purpose, a text under review, a word about marketing, a hiccup."""
    dealer.blocks(LEAD)
    dealer.hears(LEAD, "lose my number").understood_as("suspected_revocation")
    dealer.learns_preference(LEAD, "not_consented")
    dealer.reports(LEAD, "30008")
    assert dealer.flags(LEAD)["opted_out"] is False


def test_the_flag_is_the_numbers_however_it_is_written(dealer: Clinic) -> None:
    """R-V2: the rows come back as they were asked, in their order, the same one twice too."""
    dealer.hears("(415) 555-0131", "STOP")
    asked = ["415 555 0132", "4155550131", "+1 (415) 555-0131", "415 555 0132"]
    answer = dealer.flags(*asked)
    assert [row["number"] for row in answer["numbers"]] == asked
    assert [row["opted_out"] for row in answer["numbers"]] == [False, True, True, False]


def test_the_flag_is_read_by_anyone_and_set_by_no_one(dealer: Clinic) -> None:
    """R-V2: read-only; what cannot be answered is refused as a whole."""
    with dealer.unchanged():
        for role in ("sender", "agent", "admin", "auditor"):
            answer = dealer.post("/v1/contacts/check", role, numbers=[LEAD])
            assert answer["opted_out"] is False
        dealer.call("PUT", "/v1/contacts/check", "admin", {"numbers": [LEAD]}).problem(
            405, "method-not-allowed"
        )
        dealer.flags(LEAD, "nobody").problem(422, "number-unparseable", "/numbers/1")
        dealer.flags().problem(422, "invalid-body", "/numbers")
        dealer.flags(*[LEAD] * 21).problem(422, "invalid-body", "/numbers")


# --- R-V3: the report --------------------------------------------------------------------------


def test_the_report_has_every_number_that_is_opted_out_and_why(dealer: Clinic) -> None:
    """R-V3: with who, when, by which way and whether an admin may opt it in."""
    opted_out_in_each_way(dealer)
    dealer.sends(LEAD)
    rows = {row["number"]: row for row in report(dealer)["items"]}
    assert rows.keys() == {STOPPED, SUPPRESSED, TAKEN_OUT}
    sources = {number: row["source"] for number, row in rows.items()}
    assert sources == {STOPPED: "contact", SUPPRESSED: "system", TAKEN_OUT: "agent"}
    allowed = {number: row["opt_in_allowed"] for number, row in rows.items()}
    assert allowed == {STOPPED: False, SUPPRESSED: False, TAKEN_OUT: True}
    row = rows[TAKEN_OUT]
    assert (row["by"], row["reason"]) == ("agent-7", "asked at the counter")
    for number in rows:
        answer = dealer.asks(number)
        assert rows[number]["since"] == answer["since"]
        assert rows[number]["event_id"] == answer["evidence"][0]["event_id"]


def test_the_report_is_narrowed_by_source(dealer: Clinic) -> None:
    """R-V3: to the hardest to lift, where several stand on one number."""
    opted_out_in_each_way(dealer)
    dealer.opts_out(STOPPED)
    assert listed(dealer, source="contact") == {STOPPED}
    assert listed(dealer, source="system") == {SUPPRESSED}
    assert listed(dealer, source="agent") == {TAKEN_OUT}
    report(dealer, source="nobody").problem(422, "invalid-body", "/source")


def test_the_report_is_narrowed_by_time(dealer: Clinic) -> None:
    """R-V3: by when the opt-out happened, not by when it was told."""
    for number, days in ((ANN, 30), (BEN, 10), (CARA, 1)):
        dealer.opts_out(number, occurred_at=ago(days=days))
    filters: Json = {"from": ago(days=20), "to": ago(days=5)}
    assert listed(dealer, **filters) == {BEN}
    assert listed(dealer, **{"from": ago(days=20)}) == {BEN, CARA}
    assert listed(dealer, to=ago(days=5)) == {ANN, BEN}
    assert listed(dealer, **filters, source="contact") == set()
    report(dealer, to="yesterday").problem(422, "invalid-body", "/to")


@pytest.mark.parametrize(
    "prefix", ["415", "(415) 555-01", "4155550131", "+1415", "+1 415 555 0131"]
)
def test_the_report_is_narrowed_by_the_first_digits(dealer: Clinic, prefix: str) -> None:
    """R-V3: as they are dialled at home, or with a plus."""
    for number in (ANN, "+14165550131", "+13125550131"):
        dealer.hears(number, "STOP")
    assert listed(dealer, number_prefix=prefix) == {ANN}


@pytest.mark.parametrize("prefix", ["41", "4", "", "+1", "(4)1", " 41 "])
def test_fewer_than_three_digits_are_too_few(dealer: Clinic, prefix: str) -> None:
    """R-V3: a clear error that names the field."""
    report(dealer, number_prefix=prefix).problem(422, "prefix-too-short", "/number_prefix")


def test_the_report_is_the_admins_and_the_auditors(dealer: Clinic) -> None:
    """R-V3: staff ask about one number, never for all; and no account sees another's."""
    opted_out_in_each_way(dealer)
    for role in ("admin", "auditor"):
        assert len(report(dealer, role)["items"]) == 3
    for role in ("agent", "sender"):
        report(dealer, role).problem(403, "role-not-allowed")


def test_no_account_reports_anothers_numbers(open_clinic: Open) -> None:
    """R-V3: the same number may be opted out of one and open for the other."""
    here, there = open_clinic("opt-out"), open_clinic("opt-out")
    here.hears(ANN, "STOP")
    assert listed(here) == {ANN}
    assert listed(there) == set()
    there.asks(ANN).is_allowed("no_consent_needed")


def test_the_report_goes_on_page_by_page(dealer: Clinic) -> None:
    """R-V3: every number once."""
    numbers = [f"+1415555{i:04}" for i in range(7)]
    batch(dealer, "opt-outs", *({"number": number, "by": "other-system"} for number in numbers))
    found: list[str] = []
    cursor = None
    while True:
        page = report(dealer, limit=3, **({"cursor": cursor} if cursor else {}))
        found += [row["number"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == numbers


def test_who_is_back_is_off_the_report(dealer: Clinic) -> None:
    """R-V3: it shows what stands now, at once."""
    opted_out_in_each_way(dealer)
    dealer.hears(STOPPED, "START")
    dealer.opts_in(TAKEN_OUT)
    assert listed(dealer) == {SUPPRESSED}
    dealer.hears(SUPPRESSED, "START")
    assert listed(dealer) == set()


# --- R-V4: opting in ---------------------------------------------------------------------------


def test_an_admin_takes_an_agents_opt_out_back(dealer: Clinic) -> None:
    """R-V4: a mistake is corrected, and may be made and corrected again."""
    for _ in range(2):
        dealer.opts_out(TAKEN_OUT).recorded("OptedOut")
        answer = dealer.asks(TAKEN_OUT).is_denied("opted_out_by_agent")
        assert (answer["source"], answer["lifted_by"]) == ("agent", "admin")
        assert answer["status_label"] == "Not Authorized"
        dealer.finds_evidence(answer, TAKEN_OUT, "OptedOut")
        dealer.opts_in(TAKEN_OUT).recorded("AdminOptedIn")
        dealer.asks(TAKEN_OUT).is_allowed("no_consent_needed")


@pytest.mark.parametrize("source", ["contact", "system"])
def test_what_the_contact_or_the_carrier_did_only_start_lifts(dealer: Clinic, source: str) -> None:
    """R-V4: the refusal says whose it is, and nothing is recorded of the attempt."""
    opted_out_in_each_way(dealer)
    number = STOPPED if source == "contact" else SUPPRESSED
    with dealer.unchanged():
        found = dealer.opts_in(number).problem(409, "opt-in-forbidden")
        assert found["source"] == source
        assert number not in str(found)
    answer = dealer.asks(number).is_denied(f"opted_out_by_{source}")
    assert (answer["source"], answer["lifted_by"]) == (source, "contact_start")
    dealer.hears(number, "START").replied("start_confirmation")
    dealer.asks(number).is_allowed("no_consent_needed")


def test_an_agents_opt_out_beside_a_stop_opens_no_way_in(dealer: Clinic) -> None:
    """R-V4: the hardest counts, in either order; START lifts both."""
    dealer.opts_out(ANN)
    dealer.hears(ANN, "STOP")
    dealer.reports(BEN, ON_THE_CARRIERS_LIST)
    dealer.opts_out(BEN)
    assert dealer.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "contact"
    assert dealer.opts_in(BEN).problem(409, "opt-in-forbidden")["source"] == "system"
    for number in (ANN, BEN):
        dealer.hears(number, "START")
        dealer.asks(number).is_allowed("no_consent_needed")


def test_only_an_admin_opts_in(dealer: Clinic) -> None:
    """R-V4: an agent may take a number out and not back; each act says whose it was."""
    dealer.opts_out(TAKEN_OUT)
    body = {"number": TAKEN_OUT, "by": "agent-7", "reason": "a mistake"}
    with dealer.unchanged():
        for role in ("agent", "sender", "auditor"):
            dealer.post("/v1/opt-ins", role, **body).problem(403, "role-not-allowed")
            answer = dealer.post("/v1/opt-ins/batch", role, items=[body])
            answer.problem(403, "role-not-allowed")
        dealer.post("/v1/opt-outs", "auditor", **body).problem(403, "role-not-allowed")
        dealer.post("/v1/opt-ins", number=TAKEN_OUT).problem(422, "missing", "/by")
        dealer.opts_in("nobody").problem(422, "number-unparseable", "/number")
    dealer.opts_in("(415) 555-0133")
    dealer.asks(TAKEN_OUT).is_allowed("no_consent_needed")


def test_opting_in_a_number_that_is_not_out_is_no_error(dealer: Clinic) -> None:
    """R-V4, R-O5: it is kept that somebody did."""
    dealer.opts_in(LEAD).recorded("AdminOptedIn")
    dealer.asks(LEAD).is_allowed("no_consent_needed")


def test_many_are_opted_in_and_each_has_its_verdict(dealer: Clinic) -> None:
    """R-V4: the rows that may not stay out, and say whose they are; the rest is done."""
    opted_out_in_each_way(dealer)
    numbers = (STOPPED, TAKEN_OUT, "nobody", SUPPRESSED, LEAD)
    rows: list[Json] = [{"number": n, "by": "admin-1", "reason": "a mistake"} for n in numbers]
    verdicts = batch(dealer, "opt-ins", *rows)
    assert [row.get("recorded", row.get("error", {}).get("code")) for row in verdicts] == [
        "opt-in-forbidden",
        ["AdminOptedIn"],
        "number-unparseable",
        "opt-in-forbidden",
        ["AdminOptedIn"],
    ]
    assert [verdicts[i]["error"]["source"] for i in (0, 3)] == ["contact", "system"]
    assert [verdicts[i]["error"]["status"] for i in (0, 2, 3)] == [409, 422, 409]
    dealer.asks(TAKEN_OUT).is_allowed("no_consent_needed")
    dealer.asks(STOPPED).is_denied("opted_out_by_contact")
    dealer.asks(SUPPRESSED).is_denied("opted_out_by_system")


def test_a_repeated_opt_in_does_not_lift_a_later_opt_out(dealer: Clinic) -> None:
    """R-V4, R-O1: the same Idempotency-Key is the same act, whatever happened since."""
    body = {"number": TAKEN_OUT, "by": "admin-1", "reason": "a mistake"}
    sent: dict[str, Any] = {"Idempotency_Key": fresh()}
    dealer.opts_out(TAKEN_OUT)
    first = dealer.call("POST", "/v1/opt-ins", "admin", body, **sent).recorded("AdminOptedIn")
    dealer.opts_out(TAKEN_OUT)
    again = dealer.call("POST", "/v1/opt-ins", "admin", body, **sent).recorded()
    assert again["number_version"] == first["number_version"]
    dealer.asks(TAKEN_OUT).is_denied("opted_out_by_agent")
    other = dealer.call("POST", "/v1/opt-ins", "admin", {**body, "by": "admin-2"}, **sent)
    other.problem(422, "idempotency-key-reused")


def test_acts_count_at_the_time_that_they_name(dealer: Clinic) -> None:
    """R-V4, R-O2: what is told late lifts nothing later, and bars nothing that was lifted since."""
    dealer.opts_out(ANN, occurred_at=ago(hours=1))
    dealer.opts_in(ANN, occurred_at=ago(hours=2))
    dealer.asks(ANN).is_denied("opted_out_by_agent")
    dealer.opts_in(BEN, occurred_at=ago(hours=1))
    dealer.opts_out(BEN, occurred_at=ago(hours=2))
    dealer.asks(BEN).is_allowed("no_consent_needed")
    with dealer.unchanged():
        dealer.opts_in(ANN, occurred_at=ahead(hours=1)).problem(
            422, "occurred-at-in-future", "/occurred_at"
        )
    dealer.asks(ANN).is_denied("opted_out_by_agent")


# --- R-V4: the system's ------------------------------------------------------------------------


@pytest.mark.parametrize("code", [UNREACHABLE, "30005", "21614", ON_THE_CARRIERS_LIST])
def test_one_report_that_a_number_cannot_be_reached_takes_it_out(dealer: Clinic, code: str) -> None:
    """R-V4, R-F7: under this preset the first report is enough; only START lifts it."""
    dealer.sends(LEAD, message_id="text-1")
    dealer.reports(LEAD, code, message_id="text-1")
    answer = dealer.asks(LEAD).is_denied("opted_out_by_system")
    assert (answer["source"], answer["opt_out_source"]) == ("system", "system")
    dealer.hears(LEAD, "hello?")
    dealer.asks(LEAD).is_denied("opted_out_by_system")
    dealer.hears(LEAD, "START").replied("start_confirmation")
    dealer.asks(LEAD).is_allowed("no_consent_needed")


@pytest.mark.parametrize("code", ["30001", "30004", "30007", "30008", "0", "no such code"])
def test_what_speaks_of_something_else_takes_no_number_out(dealer: Clinic, code: str) -> None:
    """R-V4, R-F7: a full queue, a filter, the sender's fault, a delivery."""
    for _ in range(4):
        dealer.reports(LEAD, code)
    dealer.asks(LEAD).is_allowed("no_consent_needed")


def test_a_report_that_comes_after_start_is_about_the_text_before_it(dealer: Clinic) -> None:
    """R-V4, R-F7: it counts from the time of its text, so START holds."""
    dealer.sends(LEAD, message_id="text-1")
    dealer.hears(LEAD, "START")
    dealer.reports(LEAD, UNREACHABLE, message_id="text-1")
    dealer.asks(LEAD).is_allowed("no_consent_needed")
    dealer.sends(LEAD, message_id="text-2")
    dealer.reports(LEAD, UNREACHABLE, message_id="text-2")
    dealer.asks(LEAD).is_denied("opted_out_by_system")


# --- R-V6: from other systems ------------------------------------------------------------------


@pytest.mark.parametrize("role", ["sender", "agent", "admin"])
def test_another_systems_list_is_taken_over_in_one_go(dealer: Clinic, role: str) -> None:
    """R-V6: each row with its own source, time and verdict; a bad row stops no other."""
    rows: list[Json] = [
        {"number": ANN, "by": "other-app", "requested_by": "contact", "occurred_at": ago(days=90)},
        {"number": "(415) 555-0132", "by": "other-app"},
        {"number": "nobody", "by": "other-app"},
        {"number": CARA},
    ]
    verdicts = batch(dealer, "opt-outs", *rows, role=role)
    assert [row.get("recorded", row.get("error", {}).get("code")) for row in verdicts] == [
        ["OptedOut"],
        ["OptedOut"],
        "number-unparseable",
        "missing",
    ]
    assert dealer.asks(ANN).is_denied("opted_out_by_contact")["since"] < ago(days=89)
    dealer.asks(BEN).is_denied("opted_out_by_agent")
    dealer.asks(CARA).is_allowed("no_consent_needed")
    dealer.opts_in(BEN).recorded("AdminOptedIn")
    assert dealer.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "contact"


def test_an_old_list_does_not_undo_a_start_since(dealer: Clinic) -> None:
    """R-V6, R-O2: each row counts at the time it names; without one, from now on."""
    for number in (ANN, BEN):
        dealer.hears(number, "START", received_at=ago(days=1))
    batch(
        dealer,
        "opt-outs",
        {"number": ANN, "by": "other-app", "occurred_at": ago(days=30)},
        {"number": BEN, "by": "other-app"},
    )
    dealer.asks(ANN).is_allowed("no_consent_needed")
    dealer.asks(BEN).is_denied("opted_out_by_agent")


def test_a_list_does_not_soften_a_stop(dealer: Clinic) -> None:
    """R-V6: the contact's own word is shown, whatever another system calls it."""
    dealer.hears(ANN, "STOP")
    batch(dealer, "opt-outs", {"number": ANN, "by": "other-app"})
    answer = dealer.asks(ANN).is_denied("opted_out_by_contact")
    dealer.finds_evidence(answer, ANN, "StopReceived")
    assert dealer.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "contact"


def test_ten_thousand_are_taken_over_at_once_and_back(dealer: Clinic) -> None:
    """R-V6: the limit is met exactly, every row is done, and repeated by its key none again."""
    rows = [{"number": f"+1628{5550000 + i}", "by": "other-app"} for i in range(BATCH_LIMIT)]
    sent: dict[str, Any] = {"Idempotency_Key": fresh()}
    path = "/v1/opt-outs/batch"
    first = dealer.call("POST", path, "sender", {"items": rows}, **sent)["results"]
    assert {tuple(row["recorded"]) for row in first} == {("OptedOut",)}
    assert len({row["number_id"] for row in first}) == BATCH_LIMIT
    asked = {"purpose": "recall", "items": [{"number": row["number"]} for row in rows]}
    answers = dealer.call("POST", "/v1/checks/batch", "sender", asked)["results"]
    assert {answer["reason"] for answer in answers} == {"opted_out_by_agent"}
    with dealer.unchanged():
        again = dealer.call("POST", path, "sender", {"items": rows}, **sent)["results"]
        other = dealer.call("POST", path, "sender", {"items": rows[1:]}, **sent)
        other.problem(422, "idempotency-key-reused")
    assert again == [{**row, "recorded": []} for row in first]


@pytest.mark.parametrize("what", ["opt-outs", "opt-ins"])
def test_one_row_more_is_refused_and_none_is_done(dealer: Clinic, what: str) -> None:
    """R-V6: whoever has more sends more batches."""
    rows = [{"number": LEAD, "by": "other-app"}] * (BATCH_LIMIT + 1)
    with dealer.unchanged():
        dealer.post(f"/v1/{what}/batch", items=rows).problem(422, "invalid-body", "/items")
    dealer.asks(LEAD).is_allowed("no_consent_needed")


def test_a_row_of_another_shape_is_refused_by_itself(dealer: Clinic) -> None:
    """R-V6: a field that is misspelt must not quietly make the contact's word an agent's."""
    for field, value in (("requested_by", "carrier"), ("source", "contact"), ("occurred_at", "x")):
        rows = [
            {"number": ANN, "by": "other-app"},
            {"number": BEN, "by": "other-app", field: value},
        ]
        done, refused = dealer.post("/v1/opt-outs/batch", items=rows)["results"]
        assert done["recorded"] == ["OptedOut"]
        assert refused["error"]["code"] == "invalid-body"
        assert [each["pointer"] for each in refused["error"]["errors"]] == [f"/{field}"]
    dealer.is_unknown(BEN)
