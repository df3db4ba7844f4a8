"""The signatures that the providers' own libraries publish, and the table of delivery codes."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.providers import plivo, sinch, standard, telnyx, twilio, vonage
from api.providers.base import Request
from consent_ledger.carrier import SUPPRESSES_AT_ONCE, DeliveryClass, classify, is_known

VECTORS: Final = Path(__file__).parent / "vectors"


def vectors(name: str) -> Any:
    """A file of published examples; each names its source."""
    return json.loads((VECTORS / f"{name}.json").read_text())


TWILIO: Final = vectors("sig_twilio")
PLIVO: Final = vectors("sig_plivo")
SINCH: Final = vectors("sig_sinch")
VONAGE: Final = vectors("sig_vonage")
STANDARD: Final = vectors("sig_standard_webhooks")
CODES: Final = vectors("error_classes")


@pytest.mark.parametrize("vector", TWILIO["vectors"], ids=lambda vector: vector["name"])
def test_twilio(vector: Any) -> None:
    """A form in any order, with the port and without, or JSON with its digest in the query."""
    form = list(vector.get("params", {}).items()) or vector.get("params_list")
    pairs = [tuple(pair) for pair in form] if form else None
    body = vector.get("body", "").encode()
    arguments = (vector["url"], pairs, body)
    assert twilio.is_signed([TWILIO["auth_token"]], *arguments, vector["signature"])
    assert not twilio.is_signed(["other"], *arguments, vector["signature"])
    assert not twilio.is_signed([TWILIO["auth_token"]], *arguments, "A" + vector["signature"][1:])


@pytest.mark.parametrize("vector", PLIVO["v2_vectors"], ids=lambda vector: str(vector["valid"]))
def test_plivo(vector: Any) -> None:
    """The older signature; the newer has no published example, so its library is the oracle."""
    headers = {
        "x-plivo-signature-v2": vector["signature"],
        "x-plivo-signature-v2-nonce": vector["nonce"],
    }
    request = Request(vector["uri"], headers, b"", 0)
    assert plivo.verify(request, [vector["auth_token"]]) is vector["valid"]


def test_plivo_without_a_nonce() -> None:
    """A signature that could be sent for ever with any body is none."""
    url = "https://answer.url"
    made = b64encode(hmac.digest(b"token", url.encode(), "sha256")).decode()
    for headers in ({}, {"x-plivo-signature-v2-nonce": ""}):
        request = Request(url, {"x-plivo-signature-v2": made, **headers}, b"", 0)
        assert not plivo.verify(request, ["token"])


@pytest.mark.parametrize("vector", SINCH["numbers_vectors"], ids=["good", "wrong", "missing"])
def test_sinch(vector: Any) -> None:
    """What the Numbers API signs verifies, and tells of no message."""
    headers = {}
    if "X-Sinch-Signature" in vector:
        headers["x-sinch-signature"] = vector["X-Sinch-Signature"]
    request = Request("https://example.com", headers, vector["body"].encode(), 0)
    assert sinch.verify(request, [vector["secret"]]) is vector["valid"]
    if vector["valid"]:
        assert sinch.read(request) == []


@pytest.mark.parametrize("vector", VONAGE["jwt_vectors"], ids=["good", "wrong", "no-token"])
def test_vonage_tokens(vector: Any) -> None:
    """A token by HS256; it vouches for a request only with the digest of the body in it."""
    claims = vonage.token_claims(vector["token"], [vector["secret"]])
    assert (claims is not None) is vector.get("valid", False)
    headers = {"authorization": f"Bearer {vector['token']}", "content-type": "application/json"}
    request = Request("https://example.com", headers, b"{}", 1_697_634_690)
    assert not vonage.verify(request, [vector["secret"]])


@pytest.mark.parametrize("header", ['{"alg": "none"}', '{"alg": "HS384"}', "[]", "x"])
def test_vonage_tokens_of_another_method(header: str) -> None:
    """A token that names another method than the one that made its signature is none."""
    named, claims = (
        urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, '{"iat": 1}')
    )
    made = urlsafe_b64encode(hmac.digest(b"secret", f"{named}.{claims}".encode(), "sha256"))
    token = f"{named}.{claims}.{made.decode().rstrip('=')}"
    assert vonage.token_claims(token, ["secret"]) is None


@pytest.mark.parametrize("vector", VONAGE["legacy_vectors"], ids=lambda v: v["method"])
def test_vonage_sig(vector: Any) -> None:
    """By each method that is an HMAC, whatever is in the values."""
    fields = {**vector["params"], "sig": vector["sig"]}
    assert vonage.is_signed(fields, [vector["secret"]])
    assert vonage.is_signed({**fields, "sig": vector["sig"].upper()}, ["old", vector["secret"]])
    assert not vonage.is_signed(fields, ["other"])
    assert not vonage.is_signed({**fields, "param1": "x"}, [vector["secret"]])


def test_vonage_sig_holds_for_the_fields_that_were_signed() -> None:
    """A name with = and & in it could say the same text with other fields."""
    vector = VONAGE["legacy_vectors"][0]
    names = {"param1=value1&param2": "value2", "timestamp": 1234567890, "sig": vector["sig"]}
    assert not vonage.is_signed(names, [vector["secret"]])


@pytest.mark.parametrize("vector", STANDARD["vectors"], ids=lambda vector: vector["name"])
def test_standard_webhooks(vector: Any) -> None:
    """One signature or several, within five minutes of the time that it was made."""
    headers = {
        "webhook-id": vector["id"],
        "webhook-timestamp": str(vector["timestamp"]),
        "webhook-signature": vector["signature"],
    }
    for seconds, good in ((0, True), (300, True), (-300, True), (301, False), (-301, False)):
        at = vector["timestamp"] + seconds
        request = Request("https://example.com", headers, vector["body"].encode(), at)
        assert standard.verify(request, [vector["secret"]]) is (vector["valid"] and good)
    for name in headers:
        for value in ("", "hello"):
            changed = Request("", headers | {name: value}, vector["body"].encode(), at)
            assert not standard.verify(changed, [vector["secret"]])
    for empty in ("", "whsec_"):
        assert not standard.verify(request, [empty])


# RFC 8032 section 7.1, TEST 1: the key from which the signature of an empty message is made.
SEED: Final = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC: Final = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def test_telnyx() -> None:
    """No example is published: the scheme with the key of RFC 8032."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    body, at = b'{"data": {}}', 1_700_000_000
    signature = b64encode(key.sign(b"1700000000|" + body)).decode()
    headers = {"telnyx-timestamp": str(at), "telnyx-signature-ed25519": signature}
    public = b64encode(PUBLIC).decode()
    for seconds, good in ((0, True), (300, True), (-300, True), (301, False), (-301, False)):
        request = Request("https://example.com", headers, body, at + seconds)
        assert telnyx.verify(request, [public]) is good
    for name in headers:
        for value in ("", "x", "1" + headers[name], headers[name] + "A"):
            assert not telnyx.verify(Request("", headers | {name: value}, body, at), [public])
    for secret in ("", "AAAA", "not base64", b64encode(PUBLIC[::-1]).decode()):
        assert not telnyx.verify(Request("", headers, body, at), [secret])


LISTED: Final = [
    (provider, code, meaning)
    for meaning, providers in CODES["classes"].items()
    for provider, codes in providers.items()
    for code in codes
]


def test_every_code_has_its_class() -> None:
    """R-F7: as the table says; a code that counts in a row has that class."""
    in_a_row = CODES["unreachable"]["codes"]
    for provider, code, meaning in LISTED:
        counts = code in in_a_row.get(provider, [])
        assert classify(provider, code) == ("unreachable" if counts else meaning), (provider, code)
        assert is_known(provider, code)
    assert {code for codes in in_a_row.values() for code in codes} <= {c for _, c, _ in LISTED}
    assert classify("twilio", "1") is DeliveryClass.TRANSIENT
    assert sorted(SUPPRESSES_AT_ONCE) == ["deactivated", "not_mobile", "opted_out"]
