"""The providers' own libraries are asked too, about requests that nobody thought of.

Telnyx's library is 24 MB and is left out: RFC 8032's key stands in, in test_vectors.py. Bandwidth
and Amazon have none that verifies and is licensed.
"""

import hmac
import json
import time
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
from hypothesis import given, settings
from hypothesis import strategies as st
from plivo.utils import (  # type: ignore[import-untyped]
    validate_signature,
    validate_v3_signature,
)
from standardwebhooks import Webhook, WebhookVerificationError
from twilio.request_validator import (  # type: ignore[import-untyped]
    RequestValidator,
    get_signature_algorithm,
)
from vonage_http_client.auth import Auth  # type: ignore[import-untyped]
from vonage_jwt import verify_signature  # type: ignore[import-untyped]

from api.providers import plivo, sinch, standard, twilio, vonage
from api.providers.base import Request

FEW = settings(deadline=None, max_examples=60)
FORM = "application/x-www-form-urlencoded"
NOW = 1_800_000_000

secrets = st.text("abcdef0123456789", min_size=1, max_size=40)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
plain = st.text("abcXYZ019_.~-", min_size=1, max_size=6)
forms = st.dictionaries(texts, texts, max_size=5)
urls = st.builds(
    "https://{}/{}{}".format,
    st.sampled_from(["example.com", "hooks.example.co.za:8443"]),
    st.text("abc/-_.~", max_size=8),
    st.lists(st.tuples(plain, plain), max_size=3).map(lambda q: f"?{urlencode(q)}" if q else ""),
)


@FEW
@given(urls, forms, secrets, st.sampled_from(["HMAC_SHA1", "HMAC_SHA256", "HMAC_MD5", ""]))
def test_twilio_by_either_method(url: str, form: Any, token: str, method: str) -> None:
    """The header that names the method is read as Twilio's library reads it."""
    named = f"key=webhooks_sharedkey_1,algorithm={method}"
    oracle, algorithm = RequestValidator(token), get_signature_algorithm(named)
    known = algorithm if algorithm in ("HMAC_SHA1", "HMAC_SHA256") else None
    signature = oracle.compute_signature(url, form, known)
    headers = {
        "content-type": FORM,
        "x-twilio-signature": signature,
        "x-twilio-webhooks-signature-settings": named,
    }
    expected = oracle.validate(url, form, signature, algorithm)
    request = Request(url, headers, urlencode(form).encode(), NOW)
    assert twilio.verify(request, [token]) == expected
    assert not twilio.verify(request, [f"{token}x"])


@FEW
@given(urls, st.lists(st.tuples(texts, texts), max_size=5), secrets, plain)
def test_plivos_newer_signature(url: str, form: Any, token: str, nonce: str) -> None:
    """Fields in any order and more than once, with a query and without."""
    fields: dict[str, Any] = {}
    for name, value in form:
        fields.setdefault(name, []).append(value)
    signed = plivo._canonical_v3(Request(url, {}, urlencode(form).encode(), NOW), nonce)
    made = b64encode(hmac.digest(token.encode(), signed, "sha256")).decode()
    for header in (made, f"{'A' * 44},{made}"):
        headers = {"x-plivo-signature-v3": header, "x-plivo-signature-v3-nonce": nonce}
        request = Request(url, headers, urlencode(form).encode(), NOW)
        assert plivo.verify(request, [token])
        assert validate_v3_signature("POST", url, nonce, token, header, fields)
    assert not plivo.verify(request, [f"{token}x"])


@FEW
@given(urls, secrets, plain)
def test_plivos_older_signature(url: str, token: str, nonce: str) -> None:
    """Over the URL without its query, and the nonce."""
    place = url.partition("?")[0]
    made = b64encode(hmac.digest(token.encode(), f"{place}{nonce}".encode(), "sha256")).decode()
    headers = {"x-plivo-signature-ma-v2": made, "x-plivo-signature-v2-nonce": nonce}
    assert validate_signature(url, nonce, made, token)
    assert plivo.verify(Request(url, headers, b"", NOW), [token])
    assert not plivo.verify(Request(url, headers, b"", NOW), [f"{token}x"])


@FEW
@given(st.dictionaries(plain, texts | st.integers(0, 99), max_size=5), secrets)
def test_vonages_sig(fields: Any, secret: str) -> None:
    """By every method, texts and numbers, with & and = in them."""
    for method in ("md5", "sha1", "sha256", "sha512"):
        oracle = Auth(api_key="k", signature_secret=secret, signature_method=method)
        stamped = {name: v for name, v in fields.items() if name != "sig"} | {"timestamp": NOW}
        signed = stamped | {"sig": oracle.sign_params(dict(stamped))}
        assert oracle.check_signature(dict(signed))
        assert vonage.is_signed(signed, [secret])
        assert not vonage.is_signed(signed | {"timestamp": NOW + 1}, [secret])


@FEW
@given(st.dictionaries(plain, texts, max_size=3), st.binary(min_size=32, max_size=40))
def test_vonages_token(claims: Any, key: bytes) -> None:
    """A token is good where Vonage's library says so; one by another algorithm never is."""
    secret = key.hex()
    token = jwt.encode(claims, secret, "HS256")
    assert verify_signature(token, secret)
    assert vonage.token_claims(token, [secret]) == claims
    assert vonage.token_claims(jwt.encode(claims, secret, "HS384"), [secret]) is None
    assert vonage.token_claims(jwt.encode(claims, "", "none"), [secret]) is None
    assert vonage.token_claims(token, [f"{secret}x"]) is None


@FEW
@given(st.dictionaries(texts, texts, max_size=3), secrets.filter(lambda s: len(s) > 7), plain)
def test_standard_webhooks(content: Any, secret: str, name: str) -> None:
    """Our signature is the library's, whatever the body."""
    key, now = b64encode(secret.encode()).decode(), int(time.time())
    body = json.dumps(content)
    oracle = Webhook(key)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(now),
        "webhook-signature": oracle.sign(name, datetime.fromtimestamp(now, UTC), body),
    }
    assert oracle.verify(body, dict(headers)) == content
    assert standard.verify(Request("", headers, body.encode(), now), [key, "whsec_AAAA"])
    tampered = body + " "
    assert not standard.verify(Request("", headers, tampered.encode(), now), [key])
    try:
        oracle.verify(tampered, dict(headers))
    except WebhookVerificationError:
        return
    raise AssertionError("the library took another body")


def test_sinch_signs_as_its_library_does() -> None:
    """The library alone takes three seconds to load, so one test does all."""
    from sinch.domains.authentication.sinch_events.v1 import (  # type: ignore[import-untyped]
        authentication_validation as oracle,
    )

    @FEW
    @given(texts, secrets, plain, st.booleans())
    def agrees(body: str, secret: str, nonce: str, tampered: bool) -> None:
        signed = oracle.compute_signed_data(body, nonce, str(NOW))
        made = oracle.calculate_sinch_event_signature(signed, secret)
        headers = {
            "x-sinch-webhook-signature": made,
            "x-sinch-webhook-signature-nonce": nonce,
            "x-sinch-webhook-signature-timestamp": str(NOW),
        }
        sent = body + "!" if tampered else body
        expected = oracle.validate_sinch_event_signature_with_nonce(secret, headers, sent)
        assert expected is not tampered
        assert sinch.verify(Request("", headers, sent.encode(), NOW), [secret]) == expected
        numbers = {"x-sinch-signature": oracle.compute_hmac_signature(body, secret)}
        expected = oracle.validate_signature_header(secret, numbers, sent)
        assert sinch.verify(Request("", numbers, sent.encode(), NOW), [secret]) == expected

    agrees()
