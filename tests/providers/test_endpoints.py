"""Where providers deliver: opened, listed, rotated with an overlap, closed (contract section 7)."""

import base64

import pytest

from api.providers.registry import PROVIDERS
from consent_ledger.policy import DAY
from tests.api.clinic import ANN, Clinic, fresh
from tests.api.conftest import Open
from tests.providers.imitations import Bandwidth, Imitation, Telnyx, Twilio
from tests.providers.wire import Wire


@pytest.fixture
def wire(open_clinic: Open) -> Wire:
    """Twilio, calling an account that holds to `opt-out`."""
    return Wire(open_clinic("opt-out"), Twilio())


def with_secret(wire: Wire, provider: Imitation) -> Wire:
    """The same endpoint as one calls it who knows another secret."""
    other = object.__new__(Wire)
    other.__dict__ |= wire.__dict__ | {"provider": provider}
    return other


def test_an_endpoint_is_listed_without_its_secret(wire: Wire) -> None:
    """Whoever reads the list cannot sign."""
    listed = wire.clinic.get("/v1/provider-endpoints")
    (item,) = listed["items"]
    assert (item["endpoint"], item["provider"]) == (wire.endpoint, "twilio")
    assert (item["url"], item["former_secret_until"]) == (wire.url, None)
    assert item["created_at"].endswith("Z")
    assert wire.provider.secret not in listed.response.text


def test_two_secrets_count_while_one_follows_the_other(wire: Wire) -> None:
    """The former one until its time is over, and never a third."""
    path = f"/v1/provider-endpoints/{wire.endpoint}/rotate"
    second, third = Twilio(), Twilio()
    answer = wire.clinic.post(path, secret=second.secret)
    assert answer["former_secret_until"] is not None
    assert second.secret not in answer.response.text
    for provider in (wire.provider, second):
        with_secret(wire, provider).texts(ANN, "STOP")
    wire.clinic.post(path, secret=third.secret, overlap_hours=1)
    for provider in (second, third):
        with_secret(wire, provider).texts(ANN, "STOP")
    call = wire.text(ANN, "START")
    wire.delivers(call).problem(403, "signature-mismatch")
    wire.clinic.service.database.execute(
        "UPDATE provider_endpoints SET former_until = former_until - %s WHERE endpoint = %s",
        (DAY, wire.endpoint),
    )
    old = with_secret(wire, second)
    old.delivers(old.text(ANN, "START")).problem(403, "signature-mismatch")
    (item,) = wire.clinic.get("/v1/provider-endpoints")["items"]
    assert item["former_secret_until"] is None
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")


@pytest.mark.parametrize("how", ["put", "rotate"])
def test_a_leaked_secret_is_replaced_at_once(wire: Wire, how: str) -> None:
    """Set anew, or rotated without an overlap."""
    new = Twilio()
    path = f"/v1/provider-endpoints/{wire.endpoint}"
    if how == "put":
        wire.clinic.put(path, provider="twilio", secret=new.secret)
    else:
        wire.clinic.post(f"{path}/rotate", secret=new.secret, overlap_hours=0)
    wire.delivers(wire.text(ANN, "STOP")).problem(403, "signature-mismatch")
    assert with_secret(wire, new).texts(ANN, "STOP") is not None


def test_a_rotation_that_is_repeated_is_one(wire: Wire) -> None:
    """By its idempotency key: the first secret still counts after the second delivery."""
    path = f"/v1/provider-endpoints/{wire.endpoint}/rotate"
    body = {"secret": fresh()}
    first = wire.clinic.call("POST", path, "admin", body, Idempotency_Key="k-1")
    again = wire.clinic.call("POST", path, "admin", body, Idempotency_Key="k-1")
    assert again.body == first.body
    assert wire.texts(ANN, "STOP") is not None


def test_a_closed_endpoint_is_gone(wire: Wire) -> None:
    """404 for the provider, and for whoever would rotate it."""
    path = f"/v1/provider-endpoints/{wire.endpoint}"
    assert wire.clinic.call("DELETE", path)["deleted"] is True
    wire.delivers(wire.text(ANN, "STOP")).problem(404, "not-found")
    wire.clinic.call("DELETE", path).problem(404, "not-found")
    wire.clinic.post(f"{path}/rotate", secret="x").problem(404, "not-found")
    assert wire.clinic.get("/v1/provider-endpoints")["items"] == []


def test_another_accounts_endpoint_looks_as_if_it_were_not_there(
    wire: Wire, open_clinic: Open
) -> None:
    """It is not listed, rotated or closed; its name is taken."""
    stranger = open_clinic()
    path = f"/v1/provider-endpoints/{wire.endpoint}"
    with wire.clinic.unchanged(), stranger.unchanged():
        assert stranger.get("/v1/provider-endpoints")["items"] == []
        stranger.post(f"{path}/rotate", secret="x").problem(404, "not-found")
        stranger.call("DELETE", path).problem(404, "not-found")
        stranger.put(path, provider="twilio", secret="x").problem(409, "endpoint-taken")
    assert wire.texts(ANN, "STOP") is not None


def test_secrets_lie_encrypted(wire: Wire) -> None:
    """The former one too: who reads the database cannot sign."""
    new = fresh()
    wire.clinic.post(f"/v1/provider-endpoints/{wire.endpoint}/rotate", secret=new)
    (row,) = wire.clinic.service.rows(
        "SELECT secret, former_secret FROM provider_endpoints WHERE endpoint = %s", wire.endpoint
    )
    for secret in (new, wire.provider.secret):
        assert all(secret.encode() not in bytes(each) for each in row)


UNUSABLE = {
    "twilio": " ",
    "telnyx": base64.b64encode(b"short").decode(),
    "plivo": " ",
    "vonage": "\t",
    "sinch": " ",
    "bandwidth": "no-colon",
    "aws-sns": "arn:aws:s3:::bucket",
    "standard": "whsec_c2hvcnQ=",
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_secret_of_another_kind_is_refused(clinic: Clinic, provider: str) -> None:
    """422 that names the field and shows nothing, when it is set and when it is rotated."""
    path = f"/v1/provider-endpoints/{fresh()}"
    secret = UNUSABLE[provider]
    with clinic.unchanged():
        refused = clinic.put(path, provider=provider, secret=secret)
        refused.problem(422, "secret-unusable", "/secret")
        assert secret.strip() == "" or secret not in refused.response.text
    kind = {"telnyx": Telnyx, "bandwidth": Bandwidth}.get(provider)
    if kind is not None:
        assert clinic.put(path, provider=provider, secret=kind().secret).status == 200
        clinic.post(f"{path}/rotate", secret=secret).problem(422, "secret-unusable", "/secret")


@pytest.mark.parametrize("hours", [-1, 169, "a day"])
def test_an_overlap_is_at_most_a_week(wire: Wire, hours: object) -> None:
    """A secret that never ends is no rotation."""
    path = f"/v1/provider-endpoints/{wire.endpoint}/rotate"
    answer = wire.clinic.post(path, secret="x", overlap_hours=hours)
    answer.problem(422, "invalid-body", "/overlap_hours")
