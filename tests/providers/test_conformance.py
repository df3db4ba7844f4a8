"""What every provider's webhooks have to do, whatever they look like (contract section 4)."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from api.providers.base import Request
from api.providers.registry import PROVIDERS
from api.settings import BODY_LIMIT
from tests.api.clinic import ANN, BEN, CARA, DESK, fresh
from tests.api.conftest import Open
from tests.providers.imitations import (
    IMITATIONS,
    Call,
    Imitation,
    PlivoV2,
    certificate,
    without,
)
from tests.providers.wire import Wire


def those(fits: Callable[[Imitation], object]) -> pytest.MarkDecorator:
    """The providers, and ways to sign, that a test is about."""
    return pytest.mark.parametrize("name", [n for n, make in IMITATIONS.items() if fits(make())])


@pytest.fixture(params=IMITATIONS)
def provider(request: pytest.FixtureRequest) -> Imitation:
    """Each provider in turn, and each of its ways to sign."""
    return IMITATIONS[request.param]()


MakeWire = Callable[..., Wire]


@pytest.fixture
def make_wire(open_clinic: Open) -> MakeWire:
    """A provider by name, calling an account that holds to a preset."""

    def make(name: str, preset: str = "opt-out") -> Wire:
        return Wire(open_clinic(preset), IMITATIONS[name]())

    return make


@pytest.fixture
def wire(open_clinic: Open, provider: Imitation) -> Wire:
    """The provider, calling an account that holds to `opt-out`."""
    return Wire(open_clinic("opt-out"), provider)


def test_a_stop_a_duplicate_and_a_start(wire: Wire) -> None:
    """STOP, then a check: no. The same again: no change. START: yes."""
    stop = wire.text(ANN, "STOP", "in-1")
    reply = wire.reply_in(wire.delivers(stop))
    assert reply is not None
    assert "START" in reply
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")
    with wire.clinic.unchanged():
        assert wire.reply_in(wire.delivers(stop)) == reply
    assert wire.clinic.facts(ANN) == ["StopReceived", "ReplyIssued"]
    assert wire.texts(ANN, "START") is not None
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")


def test_the_message_signed_anew_is_the_same_message(wire: Wire) -> None:
    """R-O1: a retry has another signature, and is known by the provider's message id."""
    first = wire.texts(ANN, "STOP", "in-1")
    for _ in range(2):
        assert wire.texts(ANN, "STOP", "in-1") == first
    assert wire.clinic.facts(ANN) == ["StopReceived", "ReplyIssued"]


def test_another_secret_is_refused_and_nothing_is_recorded(wire: Wire) -> None:
    """403 for a stranger's signature, and for none."""
    stranger = type(wire.provider)()
    payload = wire.provider.text(ANN, "START", fresh())
    wire.texts(ANN, "STOP")
    with wire.clinic.unchanged():
        wire.delivers(stranger.call(wire.url, payload)).problem(403, "signature-mismatch")
        bare = Call(wire.url, wire.provider.encode(payload), {"content-type": wire.provider.kind})
        wire.delivers(bare).problem(*wire.provider.unsigned)
        wire.delivers(replace(bare, body=b"")).problem(*wire.provider.unsigned)
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_who_waits_to_be_asked_for_credentials_is_asked(make_wire: MakeWire) -> None:
    """Bandwidth sends no password before a 401 with a challenge, and gives up on anything else."""
    wire = make_wire("bandwidth")
    call = wire.text(ANN, "STOP")
    bare = replace(call, headers={"content-type": wire.provider.kind})
    asked = wire.delivers(bare)
    assert asked.problem(401, "credentials-missing")
    assert asked.response.headers["www-authenticate"] == 'Basic realm="consent-ledger"'
    for wrong in ("Basic", "Basic x", "Bearer x", "", "Basic bGVkZ2VyOng="):
        sent = replace(bare, headers={**bare.headers, "authorization": wrong})
        wire.delivers(sent).problem(403, "signature-mismatch")
    assert wire.reply_in(wire.delivers(call)) is not None


@those(lambda provider: provider.stale_after)
def test_a_stale_signature_is_refused(make_wire: MakeWire, name: str) -> None:
    """Where the time is signed: neither too old nor of the future; just before, it counts.

    What is replayed to the others is known by its message id.
    """
    wire = make_wire(name)
    limit = wire.provider.stale_after or 0
    payload = wire.provider.text(ANN, "STOP", fresh())
    with wire.clinic.unchanged():
        wire.sends(payload, time.time() - limit - 5).problem(403, "signature-mismatch")
        wire.sends(payload, time.time() + 310).problem(403, "signature-mismatch")
    assert wire.sends(payload, time.time() - limit + 20).status == 200


def test_a_missing_field_is_named(wire: Wire) -> None:
    """422, the field, and nothing recorded: it was signed, and yet nobody can read it."""
    with wire.clinic.unchanged():
        for place in wire.provider.required:
            found = wire.sends(without(wire.provider.text(ANN, "STOP", fresh()), place))
            assert found.status == 422, found.response.text
            problem = found.response.json()
            assert problem["code"] == "webhook-malformed"
            assert place.rpartition("/")[2] in problem["detail"]
            assert "415555" not in found.response.text


@those(lambda provider: provider.timed)
def test_words_out_of_order_are_read_in_theirs(make_wire: MakeWire, name: str) -> None:
    """R-O2: a STOP that comes after the START it came before changes nothing."""
    wire, now = make_wire(name), time.time()
    wire.texts(ANN, "START", at=now - 100)
    wire.texts(ANN, "STOP", at=now - 200)
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")
    wire.texts(ANN, "STOP", at=now - 50)
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")
    bases = {
        each["occurred_at_basis"] for each in wire.clinic.history(ANN) if "Received" in each["type"]
    }
    assert bases == {"provider"}


def test_emoji_and_full_width_words_arrive(wire: Wire) -> None:
    """R-K1: every byte of the words comes through the form, the JSON and the signature."""
    said = ("🛑 STOP!! 🛑", "ＳＴＯＰ", " stop\n", "Arrêt & <STOP>, please + 100%")
    for number, body in zip((ANN, BEN, CARA, DESK), said, strict=True):
        wire.texts(number, body)
    words = wire.clinic.service.rows(
        "SELECT body FROM words WHERE account_id = %s", wire.clinic.account_id
    )
    assert {body for (body,) in words} == set(said)
    for number in (ANN, BEN, CARA):
        wire.clinic.asks(number).is_denied("opted_out_by_contact")


@those(lambda provider: provider.pictures)
def test_media_are_counted_and_the_words_beside_them_read(make_wire: MakeWire, name: str) -> None:
    """R-K7: a picture with STOP under it is a STOP."""
    wire = make_wire(name)
    wire.texts(ANN, "stop", media=1)
    assert wire.clinic.history(ANN)[0]["data"]["media_count"] == 1
    wire.clinic.asks(ANN).is_denied("opted_out_by_contact")


def test_a_number_in_any_form_is_the_same_number(wire: Wire) -> None:
    """With a plus, without one, behind a scheme."""
    wire.provider.plus = True  # type: ignore[misc]
    digits = ANN.removeprefix("+")
    forms = (f"+{digits}", digits, f"whatsapp:+{digits}", f"whatsapp:{digits}", f" +{digits} ")
    for form in forms:
        wire.texts(form, "hello")
    assert wire.clinic.facts(ANN).count("ReplyNotUnderstood") == len(forms)


def test_an_unknown_number_gets_the_please_call_reply(
    open_clinic: Open, provider: Imitation
) -> None:
    """R-M8; and the words of a sender that is no number are kept, not refused."""
    wire = Wire(open_clinic("consent-first"), provider)
    reply = wire.texts(BEN, "Hello & <goodbye>")
    assert reply is not None
    assert "call" in reply
    assert wire.texts("ALERTS", "STOP", "in-7") is None
    assert wire.texts("ALERTS", "STOP", "in-7") is None
    kept = wire.clinic.service.rows(
        "SELECT sender, body FROM unparsed_words WHERE account_id = %s", wire.clinic.account_id
    )
    assert kept == [("ALERTS", "STOP")]


def test_a_failure_that_speaks_of_the_phone_suppresses(wire: Wire) -> None:
    """R-F7: at once, until the contact texts START; a report on the way means nothing."""
    assert wire.sends(wire.provider.on_the_way(ANN)).status == 200
    assert wire.clinic.everything()[0][2] == 0
    wire.reports(ANN, wire.provider.suppressing)
    wire.clinic.asks(ANN).is_denied("opted_out_by_system")
    wire.texts(ANN, "START")
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")


@those(lambda provider: provider.unreachable)
def test_failures_in_a_row_suppress_and_a_delivery_ends_the_row(
    make_wire: MakeWire, name: str
) -> None:
    """R-F7: three under `recalls`; the same report three times is one."""
    wire = make_wire(name, "recalls")
    code = wire.provider.unreachable
    for _ in range(3):
        wire.reports(ANN, code, "out-1")
    wire.reports(ANN, code)
    wire.reports(ANN)
    wire.reports(ANN, code)
    wire.reports(ANN, code)
    wire.clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    wire.reports(ANN, code)
    wire.clinic.asks(ANN, "recall").is_denied("opted_out_by_system")


def test_an_unknown_code_is_counted_and_never_suppresses(wire: Wire) -> None:
    """R-F7: recorded as transient; somebody should look at it."""
    before = counted(wire)
    code = "TEXT_STRANGE" if wire.provider.name == "aws-sns" else "99123"
    wire.reports(ANN, code)
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")
    (fact,) = wire.clinic.history(ANN)
    assert (fact["data"]["delivery_class"], fact["data"]["code"]) == ("transient", code)
    assert counted(wire) == before + 1


def counted(wire: Wire) -> float:
    """How many unknown codes the process has seen."""
    lines = wire.clinic.service.http.get("/metrics").text.splitlines()
    name = "consent_ledger_unknown_delivery_codes_total{"
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@those(lambda provider: provider.refers)
def test_a_report_counts_from_the_text_that_it_is_about(make_wire: MakeWire, name: str) -> None:
    """R-F7: a late one does not undo a START, where the provider hands the sender's id back."""
    wire = make_wire(name)
    wire.clinic.sends(ANN, message_id="out-1").is_("permitted")
    wire.clinic.hears(ANN, "STOP")
    wire.clinic.hears(ANN, "START")
    wire.reports(ANN, wire.provider.suppressing, fresh(), "out-1")
    wire.clinic.asks(ANN).is_allowed("no_consent_needed")
    assert wire.clinic.history(ANN, type="DeliveryReported")[0]["message_id"] == "out-1"


def test_another_path_or_another_provider_is_404(wire: Wire) -> None:
    """An endpoint answers to its own provider alone."""
    call = wire.text(ANN, "STOP")
    for path in (f"{wire.provider.name}/{fresh()}", f"nobody/{wire.endpoint}"):
        place = f"{wire.clinic.service.base_url}/v1/webhooks/{path}"
        wire.delivers(replace(call, url=place)).problem(404, "not-found")
    other = "telnyx" if wire.provider.name != "telnyx" else "twilio"
    place = wire.url.replace(f"/{wire.provider.name}/", f"/{other}/")
    wire.delivers(replace(call, url=place)).problem(404, "not-found")


def test_a_body_over_the_limit_is_not_hashed(wire: Wire) -> None:
    """413 before anything is read of it."""
    call = replace(wire.text(ANN, "STOP"), body=b"x" * (BODY_LIMIT + 1))
    with wire.clinic.unchanged():
        wire.delivers(call).problem(413, "body-too-large")


def test_the_host_header_is_not_believed(wire: Wire) -> None:
    """The URL that is signed comes from the settings."""
    call = wire.text(ANN, "STOP")
    call.headers |= {"host": "evil.example.com", "x-forwarded-host": "evil.example.com"}
    assert wire.reply_in(wire.delivers(call)) is not None


@those(lambda provider: not isinstance(provider, PlivoV2))
def test_a_wrong_byte_anywhere_is_refused_or_changes_nothing(name: str) -> None:
    """No byte of what is read can be another than what was signed."""
    imitation = IMITATIONS[name]()
    known = PROVIDERS[imitation.name]
    call = imitation.call("https://example.com/v1/x", imitation.text(ANN, "STOP", "in-1"))
    pem = certificate() if imitation.name == "aws-sns" else None
    whole = Request(call.url, call.headers, call.body, time.time(), pem)
    secrets = [imitation.secret]
    assert known.verify(whole, secrets)
    facts = known.read(whole)
    refused = 0
    # User and password vouch for who sent the body, and for none of its bytes.
    for place in range(0 if name == "bandwidth" else len(call.body)):
        body = bytearray(call.body)
        body[place] ^= 1
        changed = replace(whole, body=bytes(body))
        if known.verify(changed, secrets):
            assert known.read(changed) == facts, bytes(body)
        else:
            refused += 1
    assert refused > len(call.body) / 2 or name == "bandwidth"
    for header, value in call.headers.items():
        for place in range(len(value)) if header not in ("content-type",) else ():
            letter = chr(ord(value[place]) ^ 1)
            changed_value = value[:place] + letter + value[place + 1 :]
            changed = replace(whole, headers={**whole.headers, header: changed_value})
            if known.verify(changed, secrets):
                assert header in HARMLESS, (header, changed_value)
    for unsigned in ([], [imitation.new_secret()]):
        assert not known.verify(whole, unsigned)


HARMLESS = {
    "x-sinch-webhook-signature-algorithm",
    "x-twilio-webhooks-signature-settings",
    "authorization",
}
"""Headers of which a part is a name that nobody reads: the key's, or the scheme's in any case."""
