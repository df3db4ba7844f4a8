"""Events hold no number and no text, and neither do logs, errors and metrics (section 9)."""

from collections.abc import Iterator

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic, ago, ahead
from tests.service import Running, rows_of_every_table

VAULT = {"numbers", "words", "unparsed_words", "opt_outs_shown", "blocks_shown"}
"""The tables where numbers and words may be."""
SAID = ["zanzibar", "my daughter's knee", "quokka", "lighthouse"]
"""Words of contacts and staff that are found nowhere else."""


def traces() -> Iterator[str]:
    """What would give a person away."""
    for number in (ANN, BEN, CARA):
        yield number[1:]
        yield number[2:]
        yield f"({number[2:5]}) {number[5:8]}-{number[8:]}"
        yield number[5:]
    yield from SAID
    yield "MYBANK"


def tell_everything(clinic: Clinic) -> None:
    """A busy day: every route that takes a number or words, errors and redeliveries too."""
    national = "(415) 555-0131"
    clinic.opens_location("main")
    clinic.hears(ANN, f"what is {SAID[0]}?", message_id="in-1")
    clinic.hears(ANN, f"what is {SAID[0]}?", message_id="in-1")
    clinic.hears("MYBANK", f"{SAID[3]} stop")
    clinic.sends(national, message_id="out-1", contact_numbers=[BEN], expires_at=ahead(days=9))
    clinic.sends(BEN, message_id="out-1").problem(422, "message-id-reused")
    clinic.hears(ANN, f"take me off your list, {SAID[1]}")
    review = clinic.get("/v1/reviews")["items"][0]["review_id"]
    clinic.post(f"/v1/reviews/{review}", verdict="dismissed", by="admin-1")
    clinic.hears("MYBANK", f"{SAID[1]} no more")
    kept = clinic.get("/v1/reviews/unreadable-senders")["items"][1]["kept_id"]
    clinic.call("POST", f"/v1/reviews/unreadable-senders/{kept}")
    clinic.consents(BEN, evidence={"form_id": "f-1", "signed": SAID[2], "phone": BEN})
    clinic.requests(CARA)
    clinic.hears(CARA, "yes", occurred_at=ahead(days=2))
    clinic.opts_out(CARA, reason=f"{SAID[1]}, call {BEN}", requested_by="contact", means="phone")
    clinic.opts_in(CARA).problem(409, "opt-in-forbidden")
    clinic.post("/v1/opt-outs/batch", items=[{"number": BEN, "by": "x", "reason": SAID[0]}])
    clinic.reports(ANN, "30003", message_id="out-1")
    clinic.blocks(ANN)
    listed = "/v1/reports/purpose-blocks"
    clinic.post(listed, number_prefix=ANN)
    clinic.post(listed, number_prefix=f"{ANN} {SAID[3]}").problem(422, "prefix-unreadable")
    clinic.learns_preference(ANN, "unreadable")
    body = {"number": BEN, "disconnected_on": "2026-03-04", "evidence": f"{BEN} {SAID[2]}"}
    clinic.post("/v1/reassignments", **body)
    clinic.asks(national, contact_numbers=[BEN, CARA], as_of=ago(days=1))
    items = [{"number": CARA}, {"number": f"call {ANN} {SAID[0]}"}]
    clinic.post("/v1/checks/batch", purpose="recall", items=items)
    clinic.hears(ANN, "CONSENT")
    clinic.releases("out-1")
    clinic.get(f"/v1/numbers/{clinic.number_id(ANN)}/history?q={SAID[0]}")
    clinic.asks(f"{ANN} {SAID[3]}").problem(422, "number-unparseable")
    clinic.call("POST", "/v1/checks", "sender", f'{{"number": "{ANN}"'.encode())
    clinic.call("POST", "/v1/opt-outs", "agent", {"number": BEN, "by": "x"}, Idempotency_Key="k")
    claim = {"claimed_by": "w", "limit": 9}
    clinic.call("POST", "/v1/messages/release-next", "sender", claim, Idempotency_Key="r")
    clinic.get(f"/v1/messages/{ANN}")
    clinic.get(f"/v1/{ANN}")


@pytest.fixture
def busy(clinic: Clinic) -> Clinic:
    """An account after its busy day."""
    tell_everything(clinic)
    return clinic


def test_no_table_but_the_vault_holds_a_number_or_a_word(busy: Clinic) -> None:
    """Events, claims, read models and accounts: ids and digests alone."""
    tables = rows_of_every_table(busy.service.database, busy.account_id)
    assert tables.keys() >= VAULT | {"events", "claims", "consent_status", "deferred_messages"}
    assert all(tables[name] for name in ("events", "claims", "numbers", "words"))
    assert ANN in tables["numbers"]
    assert all(said in "".join(tables[name] for name in VAULT) for said in SAID)
    for name in tables.keys() - VAULT:
        for trace in traces():
            assert trace not in tables[name], (name, trace)


def test_no_log_line_holds_a_number_or_a_word(clinic: Clinic) -> None:
    """At the most talkative level there is, failed requests among them."""
    before = clinic.service.log_size
    tell_everything(clinic)
    clinic.service.http.get("/livez")
    log = clinic.service.log_since(before)
    assert log.count('"event": "request"') >= 5
    assert '"route": "/v1/messages"' in log
    for trace in traces():
        assert trace not in log


def test_no_metric_holds_a_number_or_a_word(busy: Clinic) -> None:
    """Routes are counted by their templates, so that no label grows with the numbers."""
    metrics = busy.service.http.get("/metrics").text
    assert 'route="/v1/messages/{message_id}/release"' in metrics
    for trace in traces():
        assert trace not in metrics


def test_what_is_told_of_a_message_or_an_event_holds_no_number(busy: Clinic) -> None:
    """The lists that staff and machines read know a number by its id."""
    busy.hears(ANN, "lose my number").understood_as("suspected_revocation")
    reviews = busy.get("/v1/reviews")
    busy.judges(reviews["items"][0]["review_id"], "dismissed")
    busy.sends(ANN, "marketing", "out-2").is_("deferred")
    busy.consents(ANN, "marketing", level="express_written")
    told = {path: busy.get(path) for path in ("/v1/messages", "/v1/messages/out-1")}
    asked = f"/v1/numbers/{busy.number_id(ANN)}/history?type=ConsentRequested"
    told |= {"/v1/reviews": reviews, asked: busy.get(asked)}
    for path, answer in told.items():
        # A list without any of ANN's would hold no number either.
        assert busy.number_id(ANN).hex in answer.response.text.replace("-", ""), path
    told |= {path: busy.get(path) for path in ("/v1/policy", "/v1/locations")}
    digits = set(traces()) - set(SAID)
    for path, answer in told.items():
        assert not [trace for trace in digits if trace in answer.response.text], path


def test_an_id_is_no_plain_hash_of_the_number(service: Running, busy: Clinic) -> None:
    """Ten digits can be enumerated: another account's id of the same number is another one."""
    other = Clinic(service, "consent-first", {})
    assert other.number_id(ANN) != busy.number_id(ANN)
    assert service.keyring.number_id(busy.account_id, ANN) == busy.number_id(ANN)
