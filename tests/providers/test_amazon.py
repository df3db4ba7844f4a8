"""Amazon signs with certificates that have to be fetched, and asks before it delivers."""

import asyncio
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from api.providers import aws_sns
from api.providers.amazon import KEPT, Amazon, fetch
from api.providers.base import Request
from consent_ledger.ledger import UnavailableError
from tests.api.clinic import ANN, fresh
from tests.api.conftest import Open
from tests.providers.imitations import AwsSns, Call, certificate
from tests.providers.wire import Wire
from tests.service import page_of

ELSEWHERE = [
    "http://sns.us-east-1.amazonaws.com/a.pem",
    "https://sns.us-east-1.amazonaws.com.evil.example/a.pem",
    "https://evil.example/sns.us-east-1.amazonaws.com/a.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/a.pem",
    "https://sns.us-east-1.amazonaws.com:8443/a.pem",
    "https://sns.evil.example#.amazonaws.com/a.pem",
    "https://s3.us-east-1.amazonaws.com/a.pem",
    "https://sns.us-east-1.amazonaws.com/a.pem#x",
    "https://sns.us-east-1.amazonaws.com\\@evil.example/a.pem",
    "https://sns.us-east-1.amazonaws.com /a.pem",
    "https://[::1/a.pem",
    "//sns.us-east-1.amazonaws.com/a.pem",
    "file:///etc/passwd",
]


@pytest.fixture
def wire(open_clinic: Open) -> Wire:
    """Amazon, calling an account that holds to `opt-out`."""
    return Wire(open_clinic("opt-out"), AwsSns())


def visits(wire: Wire) -> list[str]:
    """The addresses that the service has asked for."""
    file = wire.clinic.service.pages / "visits"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_other_host_is_asked_for_a_certificate(wire: Wire, url: str) -> None:
    """403, and nobody is asked, whoever may have signed."""
    assert not aws_sns.is_amazons(url)
    wire.provider.certificate_url = url  # type: ignore[attr-defined]
    page_of(wire.clinic.service.pages, url).write_bytes(certificate())
    with wire.clinic.unchanged():
        wire.delivers(wire.text(ANN, "STOP")).problem(403, "signature-mismatch")
    assert url not in visits(wire)
    with pytest.raises(UnavailableError):
        asyncio.run(fetch(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem",
        "https://sns.us-gov-west-1.amazonaws.com/a.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/a.pem",
    ],
)
def test_every_region_has_its_own_host(url: str) -> None:
    """The pattern is of SNS's names, those of China and of the government's regions too."""
    assert aws_sns.is_amazons(url)


def test_another_topic_is_refused_before_anybody_is_asked(wire: Wire) -> None:
    """Amazon signs for everybody: only the endpoint's own topic counts."""
    stranger = AwsSns()
    url = f"https://sns.eu-west-1.amazonaws.com/{fresh()}.pem"
    stranger.certificate_url = url
    page_of(wire.clinic.service.pages, url).write_bytes(certificate())
    with wire.clinic.unchanged():
        call = stranger.call(wire.url, stranger.text(ANN, "STOP", "in-1"))
        wire.delivers(call).problem(403, "signature-mismatch")
    assert url not in visits(wire)


@pytest.mark.parametrize("kind", ["another key", "expired", "no certificate"])
def test_a_certificate_that_does_not_fit_is_refused(wire: Wire, kind: str) -> None:
    """One of another key, one whose time is over, and a page that is none."""
    url = f"https://sns.us-east-1.amazonaws.com/{fresh()}.pem"
    wire.provider.certificate_url = url  # type: ignore[attr-defined]
    pages = {
        "another key": certificate(key=rsa.generate_private_key(65_537, 2048)),
        "expired": certificate(days=-1),
        "no certificate": b"<html>",
    }
    page_of(wire.clinic.service.pages, url).write_bytes(pages[kind])
    with wire.clinic.unchanged():
        wire.delivers(wire.text(ANN, "STOP")).problem(403, "signature-mismatch")


def test_a_certificate_is_fetched_once_and_503_where_it_cannot_be(wire: Wire) -> None:
    """Amazon sends the message again; the address is not asked again for a while."""
    url = f"https://sns.us-east-1.amazonaws.com/{fresh()}.pem"
    wire.provider.certificate_url = url  # type: ignore[attr-defined]
    with wire.clinic.unchanged():
        for _ in range(3):
            wire.delivers(wire.text(ANN, "STOP")).problem(503, "unavailable")
    assert visits(wire).count(url) == 1


def test_certificates_are_kept_but_not_without_end() -> None:
    """The one that is used is at hand, whatever others are named."""
    asked: list[str] = []

    async def get(url: str) -> bytes:
        asked.append(url)
        return url.encode()

    async def story() -> None:
        amazon = Amazon(get)
        for _ in range(3):
            assert await amazon.certificate("a") == b"a"
        for i in range(KEPT + 3):
            await amazon.certificate(f"b{i}")
        assert len(amazon._kept) == KEPT
        await amazon.certificate("a")

    asyncio.run(story())
    assert asked.count("a") == 2


def subscription(wire: Wire, kind: str, url: str) -> Call:
    """Amazon's question whether the topic may deliver here, or its word that it no longer does."""
    payload = {
        "Type": kind,
        "Message": "You have chosen to subscribe to the topic.",
        "Token": "2336412f37",
        "SubscribeURL": url,
        "Timestamp": wire.provider.text(ANN, "x", "x")["Timestamp"],
    }
    return wire.provider.call(wire.url, payload)


CONFIRM = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token="


def test_a_subscription_is_confirmed(wire: Wire) -> None:
    """By one GET of the address that was signed; 503 where it fails, so that Amazon asks again."""
    url = CONFIRM + fresh()
    call = subscription(wire, "SubscriptionConfirmation", url)
    wire.delivers(call).problem(503, "unavailable")
    page_of(wire.clinic.service.pages, url).write_text("<ok/>")
    with wire.clinic.unchanged():
        assert wire.delivers(call).status == 200
    assert visits(wire).count(url) == 2


def test_a_confirmation_elsewhere_is_not_followed(wire: Wire) -> None:
    """Signed or not, only Amazon is asked; and nothing is asked for a word of goodbye."""
    url = "https://evil.example/?Action=ConfirmSubscription"
    call = subscription(wire, "SubscriptionConfirmation", url)
    wire.delivers(call)
    tampered = replace(call, body=call.body.replace(b"You have", b"We have"))
    wire.delivers(tampered).problem(403, "signature-mismatch")
    goodbye = subscription(wire, "UnsubscribeConfirmation", CONFIRM + "goodbye")
    assert wire.delivers(goodbye).status == 200
    assert not [each for each in visits(wire) if "evil" in each or "goodbye" in each]


def test_a_subject_is_signed_where_there_is_one() -> None:
    """And the type decides which fields are."""
    provider = AwsSns()
    payload = provider.text(ANN, "STOP", "in-1") | {"Subject": "Hello"}
    for body in (provider.call("", payload).body, provider.call("", payload | {"Token": "x"}).body):
        request = Request("", {}, body, time.time(), certificate())
        assert aws_sns.verify(request, [provider.secret]) is (b"Token" not in body)
        changed = replace(request, body=body.replace(b"Hello", b"Hullo"))
        assert not aws_sns.verify(changed, [provider.secret])
