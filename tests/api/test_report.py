"""The admin's report of every opted-out number (R-V3), and where an opt-in is offered (R-V4)."""

import re

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open
from tests.api.reporting import numbers, only, report, rows, summary

HARDEST_FIRST = ["contact", "system", "agent"]


def test_a_number_is_one_row_with_who_when_and_why(clinic: Clinic) -> None:
    """R-V3: number, source, since, by, reason, channel, and the event that proves it."""
    at = ago(days=2)
    told = clinic.opts_out(ANN, reason="shouted at me", occurred_at=at)
    opt_out = {
        "source": "agent",
        "since": at.replace("+00:00", "Z"),
        "by": "agent-7",
        "reason": "shouted at me",
        "channel": "api",
        "purposes": None,
        "event_id": clinic.history(ANN)[0]["event_id"],
    }
    row = {"number": ANN, "number_id": told["number_id"], "opt_in_allowed": True}
    answer = report(clinic)
    assert answer["items"] == [{**row, **opt_out, "opt_outs": [opt_out]}]
    assert answer["next_cursor"] is None
    assert answer["position"] >= told["position"]


def test_every_source_is_in_the_report_the_latest_first(clinic: Clinic) -> None:
    """R-V3: agent, contact and system; R-F6: what the contact asked for is the contact's."""
    clinic.opts_out(ANN, occurred_at=ago(days=3))
    clinic.hears(BEN, "Stop. Thank you", occurred_at=ago(days=1))
    clinic.reports(CARA, "21610", occurred_at=ago(days=2))
    dora = "+14155550134"
    clinic.opts_out(dora, requested_by="contact", means="phone", occurred_at=ago(days=4))
    found = rows(clinic)
    told = [(row["number"], row["source"], row["by"], row["channel"]) for row in found]
    assert told == [
        (BEN, "contact", None, "sms"),
        (CARA, "system", None, "api"),
        (ANN, "agent", "agent-7", "api"),
        (dora, "contact", "agent-7", "phone"),
    ]
    assert found[0]["reason"] == "Stop. Thank you"


@pytest.mark.parametrize("source", HARDEST_FIRST)
def test_by_source(clinic: Clinic, source: str) -> None:
    """R-V3: the filter is the source shown."""
    clinic.hears(ANN, "STOP")
    clinic.reports(BEN, "21610")
    clinic.opts_out(CARA)
    found = dict(zip(HARDEST_FIRST, (ANN, BEN, CARA), strict=True))
    assert numbers(clinic, source=source) == [found[source]]
    assert [item["source"] for item in summary(clinic, source=source)["items"]] == [source]


def test_by_time_the_first_instant_counts_and_the_last_does_not(clinic: Clinic) -> None:
    """R-V3: from `from` on and before `to`, to the microsecond."""
    times = [ago(days=days) for days in (3, 2, 1)]
    for number, at in zip((ANN, BEN, CARA), times, strict=True):
        clinic.opts_out(number, occurred_at=at)
    assert numbers(clinic, since=times[1]) == [CARA, BEN]
    assert numbers(clinic, to=times[1]) == [ANN]
    assert numbers(clinic, since=times[0], to=times[2]) == [BEN, ANN]
    assert numbers(clinic, since=times[1], to=times[1]) == []
    assert len(summary(clinic, since=times[1])["items"]) == 2


def test_the_hardest_to_lift_is_shown_and_the_others_are_told(clinic: Clinic) -> None:
    """Section 1: contact, system, agent, in whatever order they came; filters see the shown one."""
    clinic.opts_out(ANN, reason="rude")
    assert only(clinic)["source"] == "agent"
    clinic.hears(ANN, "STOP")
    clinic.reports(ANN, "21610")
    row = only(clinic)
    assert (row["source"], row["reason"]) == ("contact", "STOP")
    assert [each["source"] for each in row["opt_outs"]] == HARDEST_FIRST
    assert [each["reason"] for each in row["opt_outs"]] == ["STOP", None, "rude"]
    assert row["opt_outs"][0] == {name: row[name] for name in row["opt_outs"][0]}
    assert rows(clinic, source="agent") == rows(clinic, source="system") == []
    (total,) = summary(clinic)["items"]
    assert (total["source"], total["numbers"]) == ("contact", 1)


def test_a_stop_that_ended_some_purposes_says_which(open_clinic: Open) -> None:
    """Section 8, `revoke_scope`: whoever reads the report sees how far it reaches."""
    clinic = open_clinic("opt-out", revoke_scope="purpose")
    clinic.opens_location("main", "recall", "marketing")
    clinic.hears(ANN, "stop")
    assert only(clinic)["purposes"] == ["marketing", "recall"]
    clinic.hears(ANN, "stop", to="+14155550192")
    row = only(clinic)
    assert (row["purposes"], row["opt_outs"][0]["purposes"]) == (None, None)


def test_a_start_takes_the_number_off_the_report(clinic: Clinic) -> None:
    """R-F2: it lifts all of them."""
    clinic.opts_out(ANN)
    clinic.reports(ANN, "21610")
    clinic.hears(ANN, "STOP")
    clinic.hears(ANN, "START")
    assert rows(clinic) == summary(clinic)["items"] == []


def test_when_the_hardest_is_lifted_the_next_is_shown(open_clinic: Open) -> None:
    """R-F3: a re-authorisation lifts the contact's opt-out alone, and the agent's shows again."""
    clinic = open_clinic("authorization")
    clinic.permits("agent-7", "allow")
    clinic.hears(ANN, "STOP", occurred_at=ago(hours=2))
    clinic.requests(ANN, sent_by="agent-7", purposes=["conversation"])
    clinic.opts_out(ANN)
    assert only(clinic)["source"] == "contact"
    clinic.hears(ANN, "CONSENT").understood_as("consent")
    row = only(clinic)
    assert (row["source"], row["opt_in_allowed"]) == ("agent", True)
    assert [each["source"] for each in row["opt_outs"]] == ["agent"]
    assert numbers(clinic, source="agent") == [ANN]


def test_a_late_fact_moves_the_row_to_its_own_time(clinic: Clinic) -> None:
    """R-O2: an opt-out that turns out to have begun earlier is shown since then."""
    clinic.opts_out(ANN, by="agent-2", occurred_at=ago(days=1))
    early = ago(days=5)
    clinic.opts_out(ANN, by="agent-1", occurred_at=early)
    row = only(clinic)
    assert (row["since"], row["by"]) == (early.replace("+00:00", "Z"), "agent-1")


def test_an_opt_in_is_allowed_exactly_where_the_report_says(clinic: Clinic) -> None:
    """R-V4, R-F6: the report and the API obey the same rule."""
    clinic.opts_out(ANN)
    clinic.hears(BEN, "STOP")
    clinic.opts_out(BEN)
    clinic.reports(CARA, "21610")
    clinic.opts_out(CARA)
    allowed = {row["number"]: row["opt_in_allowed"] for row in rows(clinic)}
    assert allowed == {ANN: True, BEN: False, CARA: False}
    for number, may in allowed.items():
        answer = clinic.opts_in(number)
        if may:
            answer.recorded("AdminOptedIn")
        else:
            answer.problem(409, "opt-in-forbidden")
    assert {BEN, CARA} == set(numbers(clinic))


def test_an_erased_person_stays_on_the_report_without_number_and_words(clinic: Clinic) -> None:
    """Section 9: the opt-out stays in force, and nothing tells whose it was."""
    clinic.opts_out(ANN, reason="shouted")
    number_id = clinic.number_id(ANN)
    clinic.post(f"/v1/numbers/{number_id}/erase", by="admin-1").recorded("PersonalDataErased")
    row = only(clinic)
    assert (row["number"], row["reason"], row["number_id"]) == (None, None, str(number_id))
    assert rows(clinic, number_prefix="+1415") == []
    clinic.asks(ANN, "recall").is_denied("opted_out_by_agent")
    clinic.opts_out(ANN, by="agent-9")
    assert only(clinic, number_prefix="+1415")["by"] == "agent-7"


def test_another_accounts_numbers_are_never_there(open_clinic: Open) -> None:
    """Section 1: nothing crosses accounts, by any filter."""
    theirs, mine = open_clinic(), open_clinic()
    theirs.opts_out(ANN)
    mine.opts_out(BEN)
    for filters in ({}, {"source": "agent"}, {"number_prefix": "415"}, {"since": ago(days=1)}):
        assert numbers(mine, **filters) == [BEN]
        assert [item["numbers"] for item in summary(mine, **filters)["items"]] == [1]


@pytest.mark.parametrize("read", [report, summary])
def test_an_auditor_reads_it_and_a_sender_or_agent_may_not(clinic: Clinic, read) -> None:
    """R-V3: it is the admin's."""
    clinic.opts_out(ANN)
    assert len(read(clinic, "auditor")["items"]) == 1
    for role in ("sender", "agent"):
        read(clinic, role).problem(403, "role-not-allowed")


def test_the_summary_counts_numbers_by_day_and_source(clinic: Clinic) -> None:
    """Days are those of UTC, the latest first; the hardest source first within a day."""
    clinic.opts_out(ANN, occurred_at="2026-03-04T23:59:59.999999Z")
    clinic.opts_out(BEN, occurred_at="2026-03-05T00:00:00Z")
    clinic.opts_out(CARA, occurred_at="2026-03-05T23:30:00-01:00", requested_by="contact")
    clinic.opts_out("+14155550134", occurred_at="2026-03-06T09:00:00+01:00")
    clinic.opts_out("+14155550135", occurred_at="2026-03-06T09:00:00+01:00")
    clinic.opts_out("+14155550136", occurred_at="1970-01-02T23:00:00Z")
    found = [tuple(item.values()) for item in summary(clinic)["items"]]
    assert found == [
        ("2026-03-06", "contact", 1),
        ("2026-03-06", "agent", 2),
        ("2026-03-05", "agent", 1),
        ("2026-03-04", "agent", 1),
        ("1970-01-02", "agent", 1),
    ]


def test_counts_that_are_added_up_are_the_same(clinic: Clinic) -> None:
    """Every change adds a row to the counts; the ledger folds them now and then."""
    day = "2026-03-04T10:00:00Z"
    for number in (ANN, BEN, CARA):
        clinic.opts_out(number, occurred_at=day)
    clinic.opts_in(BEN)
    clinic.hears(CARA, "STOP", occurred_at=day)
    database, mine = clinic.service.database, (clinic.account_id,)
    count = "SELECT count(*) FROM opt_out_counts WHERE account_id = %s"
    expected = summary(clinic)["items"]
    assert [(item["source"], item["numbers"]) for item in expected] == [
        ("contact", 1),
        ("agent", 1),
    ]
    assert clinic.service.rows(count, *mine) > [(2,)]
    database.execute(b"SELECT fold_opt_out_counts(%s)", mine)
    assert clinic.service.rows(count, *mine) == [(2,)]
    assert summary(clinic)["items"] == expected
    clinic.hears(CARA, "START")
    clinic.opts_in(ANN)
    assert summary(clinic)["items"] == []
    database.execute(b"SELECT fold_opt_out_counts(%s)", mine)
    assert clinic.service.rows(count, *mine) == [(0,)]


def test_a_summary_counts_days_in_part(clinic: Clinic) -> None:
    """Where `from` and `to` lie within days, those are counted row by row."""
    times = ["2026-03-03T09:00:00Z", "2026-03-04T09:00:00Z", "2026-03-05T09:00:00Z"]
    for number, at in zip((ANN, BEN, CARA), times, strict=True):
        clinic.opts_out(number, occurred_at=at)

    def days(**asked: str) -> list[str]:
        return [item["day"][-2:] for item in summary(clinic, **asked)["items"]]

    assert days(since=times[0], to="2026-03-05T09:00:00.000001Z") == ["05", "04", "03"]
    assert days(since="2026-03-03T09:00:00.000001Z", to=times[2]) == ["04"]
    assert days(since=times[1]) == ["05", "04"]
    assert days(to=times[1]) == ["03"]
    assert days(since="2026-03-04T08:00:00Z", to="2026-03-04T10:00:00Z") == ["04"]
    assert days(since="2026-03-04T09:30:00Z", to="2026-03-04T10:00:00Z") == []
    assert days(since=times[2], to=times[0]) == []
    assert days(since=times[1], source="agent", number_prefix="415") == ["05", "04"]


def test_no_sentence_of_the_report_is_in_the_log(clinic: Clinic) -> None:
    """Section 9: whatever is looked for and found, a log line names the route alone."""
    logged = clinic.service.log_size
    clinic.opts_out(ANN, reason="shouted")
    numbers(clinic, number_prefix=ANN)
    report(clinic, number_prefix=f"x{ANN}").problem(422, "prefix-unreadable", "/number_prefix")
    log = clinic.service.log_since(logged)
    assert "/v1/reports/opt-outs" in log
    assert not re.search(f"{ANN[2:]}|shouted", log)


@pytest.mark.parametrize(
    "body", [{"source": "nobody"}, {"from": "yesterday"}, {"to": 5}, {"limit": 0}, {"limit": 1001}]
)
def test_a_filter_that_cannot_be_is_named(clinic: Clinic, body) -> None:
    """An error names the field."""
    (field,) = body
    clinic.post("/v1/reports/opt-outs", **body).problem(422, "invalid-body", f"/{field}")


def test_a_stop_of_a_moment_ago_is_in_the_report(clinic: Clinic) -> None:
    """R-O4: what was acknowledged is read, here too."""
    clinic.opts_out(BEN, occurred_at=ago(days=1))
    for number in (f"+1415555{n:04}" for n in range(5)):
        clinic.hears(number, "STOP")
        assert numbers(clinic)[0] == number
