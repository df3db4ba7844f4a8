"""Opt-outs by staff and by the contact outside SMS, and who may take them back (R-F5, R-F6)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open
from tests.api.together import NUMBER, holding
from tests.service import Running


@pytest.mark.parametrize("role", ["agent", "admin", "sender"])
def test_an_agents_opt_out_is_taken_back_by_an_admin(clinic: Clinic, role: str) -> None:
    """R-F6, R-V4: the source is the agent, and an admin may correct the mistake."""
    body = {"number": ANN, "by": "agent-7", "reason": "asked me to"}
    clinic.post("/v1/opt-outs", role, **body).recorded("OptedOut")
    answer = clinic.asks(ANN, "recall").is_denied("opted_out_by_agent")
    assert (answer["source"], answer["lifted_by"]) == ("agent", "admin")
    clinic.opts_in(ANN).recorded("AdminOptedIn")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


@pytest.mark.parametrize("means", ["phone", "email", "in_person", "letter", None])
def test_an_opt_out_that_the_contact_asked_for_is_the_contacts(
    clinic: Clinic, means: str | None
) -> None:
    """R-F6: by any means (47 CFR 64.1200(a)(10)-(11)); only the contact lifts it."""
    clinic.opts_out(ANN, requested_by="contact", means=means).recorded("OptedOut")
    answer = clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    assert answer["lifted_by"] == "contact_start"
    found = clinic.opts_in(ANN).problem(409, "opt-in-forbidden")
    assert found["source"] == "contact"
    clinic.hears(ANN, "START").replied("start_confirmation")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_an_opt_in_is_refused_where_the_contact_or_the_carrier_bars(clinic: Clinic) -> None:
    """R-F6: it fails, says why and changes nothing, though an agent opted out too."""
    clinic.opts_out(ANN)
    clinic.hears(ANN, "STOP")
    clinic.opts_out(BEN)
    clinic.reports(BEN, "21610")
    with clinic.unchanged():
        assert clinic.opts_in(ANN).problem(409, "opt-in-forbidden")["source"] == "contact"
        assert clinic.opts_in(BEN).problem(409, "opt-in-forbidden")["source"] == "system"
    clinic.asks(BEN, "recall").is_denied("opted_out_by_system")


def test_the_opt_out_shown_is_the_hardest_to_lift(clinic: Clinic) -> None:
    """Section 1: contact, then system, then agent; START lifts them all (R-F2)."""
    clinic.opts_out(ANN)
    assert clinic.asks(ANN)["opt_out_source"] == "agent"
    clinic.reports(ANN, "21610")
    assert clinic.asks(ANN)["opt_out_source"] == "system"
    clinic.hears(ANN, "STOP")
    assert clinic.asks(ANN)["opt_out_source"] == "contact"
    clinic.hears(ANN, "START")
    assert clinic.asks(ANN)["opted_out"] is False


def test_an_opt_in_where_nothing_stands_is_recorded_and_changes_nothing(clinic: Clinic) -> None:
    """R-O5: a no-op is evidence, never an error."""
    clinic.opts_in(ANN).recorded("AdminOptedIn")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_why_and_who_are_kept_with_the_opt_out(clinic: Clinic) -> None:
    """The reason is words, so it lies in the vault; the person is an opaque id."""
    clinic.opts_out(ANN, reason="shouted at me", occurred_at=ago(days=2))
    event = clinic.history(ANN)[0]
    assert (event["actor"], event["words"]) == ({"kind": "agent", "id": "agent-7"}, "shouted at me")
    clinic.post("/v1/opt-outs", "agent", number=ANN).problem(422, "missing", "/by")


def test_a_batch_of_opt_outs_has_a_verdict_for_each_row(clinic: Clinic) -> None:
    """R-V6: many numbers from another system, and the bad rows are named by their place."""
    items = [
        {"number": ANN, "by": "import", "occurred_at": ago(days=3)},
        {"number": "no number", "by": "import"},
        {"number": BEN},
        {"number": BEN, "by": "import", "occurred_at": "2999-01-01T00:00:00Z"},
        {"number": CARA, "by": "import", "requested_by": "contact", "reason": "a\x00b"},
    ]
    results = clinic.post("/v1/opt-outs/batch", "agent", items=items)["results"]
    assert [result.get("recorded") for result in results] == [
        ["OptedOut"],
        None,
        None,
        None,
        ["OptedOut"],
    ]
    codes = [result["error"]["code"] for result in results[1:4]]
    assert codes == ["number-unparseable", "missing", "occurred-at-in-future"]
    assert all(result["error"]["status"] == 422 for result in results[1:4])
    clinic.asks(ANN, "recall").is_denied("opted_out_by_agent")
    clinic.asks(BEN, "recall").is_allowed("no_consent_needed")
    clinic.asks(CARA, "recall").is_denied("opted_out_by_contact")


def test_a_batch_of_opt_ins_obeys_the_same_rules(clinic: Clinic) -> None:
    """R-V4, R-V6: by the API too, only what an agent did is taken back."""
    clinic.opts_out(ANN)
    clinic.hears(BEN, "STOP")
    items = [{"number": number, "by": "admin-1", "reason": "mistake"} for number in (ANN, BEN)]
    results = clinic.post("/v1/opt-ins/batch", items=items)["results"]
    assert results[0]["recorded"] == ["AdminOptedIn"]
    assert results[1]["error"]["code"] == "opt-in-forbidden"
    assert results[1]["error"]["source"] == "contact"
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_rows_about_one_number_take_effect_as_written(open_clinic: Open) -> None:
    """Both of a batch's rows count, in their order."""
    clinic = open_clinic("opt-out")
    rows = [{"number": ANN, "by": f"agent-{i}"} for i in range(3)]
    results = clinic.post("/v1/opt-outs/batch", "agent", items=rows)["results"]
    assert [result["number_version"] for result in results] == [1, 2, 3]
    actors = [event["actor"]["id"] for event in clinic.history(ANN)]
    assert actors == ["agent-0", "agent-1", "agent-2"]


def test_two_thousand_opt_outs_with_a_key_are_recorded_once(open_clinic: Open) -> None:
    """R-V6 in bulk: the repetition of a large batch changes nothing."""
    clinic = open_clinic("opt-out")
    items = [{"number": f"+1415{5560000 + i:07}", "by": "import"} for i in range(2_000)]
    key = {"Idempotency_Key": "import-1"}
    first = clinic.call("POST", "/v1/opt-outs/batch", "agent", {"items": items}, **key)
    assert all(result["recorded"] == ["OptedOut"] for result in first["results"])
    with clinic.unchanged():
        again = clinic.call("POST", "/v1/opt-outs/batch", "agent", {"items": items}, **key)
    assert all(result["recorded"] == [] for result in again["results"])


def test_a_batch_over_the_limit_is_refused_whole(clinic: Clinic) -> None:
    """Ten thousand rows and no more, and none of them is recorded."""
    items = [{"number": ANN, "by": "x"}] * 10_001
    with clinic.unchanged():
        for path in ("/v1/opt-outs/batch", "/v1/opt-ins/batch"):
            clinic.post(path, items=items).problem(422, "invalid-body", "/items")
    assert clinic.post("/v1/opt-outs/batch", items=[])["results"] == []


def test_a_stop_does_not_wait_for_all_of_a_batch(open_clinic: Open, service: Running) -> None:
    """R-O4: whoever texts it is not behind the thousands that somebody else has sent."""
    clinic = open_clinic("opt-out")
    items = [{"number": f"+1415{5570000 + i:07}", "by": "import"} for i in range(2_000)]
    held = clinic.post("/v1/opt-outs", number=items[0]["number"], by="import")["number_id"]
    recorded = "SELECT count(*) FROM opt_out_report WHERE account_id = %s", clinic.account_id
    with ThreadPoolExecutor() as pool, holding(service, NUMBER, held) as until_waiting:
        batch = pool.submit(clinic.post, "/v1/opt-outs/batch", "agent", items=items)
        until_waiting(1)
        clinic.hears(ANN, "STOP").replied("stop_confirmation")
        ((count,),) = service.rows(*recorded)
        assert count < 300
    assert {tuple(row["recorded"]) for row in batch.result()["results"]} == {("OptedOut",)}
    assert service.rows(*recorded) == [(2_001,)]
