"""Twilio's requests: whose they are, what they say, what is answered."""

import json
from hashlib import sha256
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from api.providers import twilio
from api.providers.base import Malformed, Reply, Report, Request, Text

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
TWICE = [
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
]
JSON_URL = f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_BODY = b'{"property": "value", "boolean": true}'


# The scheme's published examples, from the test suite of twilio-python (MIT licence).
@pytest.mark.parametrize(
    ("url", "form", "body", "signature"),
    [
        pytest.param(URL, CALL, b"", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="form"),
        pytest.param(URL, TWICE, b"", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", id="repeated-fields"),
        pytest.param(
            URL.replace(".com", ".com:1234"),
            CALL,
            b"",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
            id="signed-without-the-port",
        ),
        pytest.param(
            "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
            CALL,
            b"",
            "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
            id="signed-with-the-port",
        ),
        pytest.param(URL, CALL, b"", "kvajT1Ptam85bY51eRf/AJRuM3w=", id="signed-with-443"),
        pytest.param(
            URL.replace("https", "http"), CALL, b"", "0ZXoZLH/DfblKGATFgpif+LLRf4=", id="with-80"
        ),
        pytest.param(JSON_URL, None, JSON_BODY, "a9nBmqA0ju/hNViExpshrM61xv4=", id="json"),
    ],
)
def test_the_published_examples_hold_and_nothing_near_them_does(url, form, body, signature):
    assert twilio.is_signed([TOKEN], url, form, body, signature)
    assert twilio.is_signed(["another", TOKEN], url, form, body, signature)
    assert not twilio.is_signed(["another"], url, form, body, signature)
    assert not twilio.is_signed([], url, form, body, signature)
    assert not twilio.is_signed([TOKEN], url + "&x=1", form, body, signature)
    assert not twilio.is_signed([TOKEN], url, [*(form or []), ("Extra", "1")], body, signature)
    assert not twilio.is_signed([TOKEN], url, form, body, signature[:-2] + "x=")
    assert not twilio.is_signed([TOKEN], url, form, body, "")
    assert not twilio.is_signed([TOKEN], url, form, body, "sígnature")


def test_a_body_that_the_query_does_not_vouch_for_is_refused():
    signature = RequestValidator(TOKEN).compute_signature(URL, {})
    assert not twilio.is_signed([TOKEN], URL, None, JSON_BODY, signature)
    assert not twilio.is_signed([TOKEN], JSON_URL, None, JSON_BODY + b" ", signature)


@pytest.mark.parametrize("url", ["https://h:99999/x", "https://h:port/x", "https://[::1/x"])
def test_a_url_that_makes_no_sense_is_no_signature_rather_than_an_error(url):
    assert not twilio.is_signed([TOKEN], url, [], b"", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


class Fields(dict[str, list[str]]):
    """A form with repeated fields, in the shape that Twilio's library asks for."""

    @classmethod
    def of(cls, pairs: list[tuple[str, str]]) -> "Fields":
        return cls({name: [v for n, v in pairs if n == name] for name, _ in pairs})

    def getlist(self, name: str) -> list[str]:
        return self[name]


names = st.text(st.characters(codec="utf-8"), max_size=8)
forms = st.lists(st.tuples(names, names), max_size=6)
urls = st.builds(
    "{}://{}{}/{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["example.com", "hooks.example.co.za", "localhost"]),
    st.sampled_from(["", ":80", ":443", ":8443"]),
    st.text("abc/%20-_~.", max_size=12),
    st.sampled_from(["", "?a=1", "?a=1&b=%2B27&a=2", "?x"]),
)


@settings(deadline=None, max_examples=300)
@given(urls, forms, st.text(min_size=1, max_size=40).filter(str.isascii), st.booleans())
def test_forms_agree_with_twilios_own_library(url, pairs, token, with_port):
    oracle = RequestValidator(token)
    signed_url = url if not with_port else url.replace("example.com/", "example.com:443/")
    form = Fields.of(pairs)
    signature = oracle.compute_signature(signed_url, form)
    expected = oracle.validate(url, form, signature)
    assert twilio.is_signed([token], url, pairs, b"", signature) == expected
    assert not twilio.is_signed([token + "x"], url, pairs, b"", signature)


@settings(deadline=None)
@given(urls, st.dictionaries(names, names, max_size=4), st.booleans())
def test_json_bodies_agree_with_twilios_own_library(url, content, tampered):
    body = json.dumps(content)
    digest = sha256(body.encode()).hexdigest()
    signed_url = f"{url}{'&' if '?' in url else '?'}bodySHA256={digest}"
    oracle = RequestValidator(TOKEN)
    signature = oracle.compute_signature(signed_url, {})
    sent = body + " " if tampered else body
    expected = oracle.validate(signed_url, sent, signature)
    assert expected is not tampered
    assert twilio.is_signed([TOKEN], signed_url, None, sent.encode(), signature) == expected


INBOUND = [
    ("ToCountry", "US"),
    ("NumMedia", "0"),
    ("OptOutType", "STOP"),
    ("SmsStatus", "received"),
    ("Body", "stop"),
    ("To", "+13456789012"),
    ("MessageSid", "SMXXXXXXXXX"),
    ("AccountSid", "ACXXXXXXXXX"),
    ("From", "+14155550100"),
]


def read(form, url=URL):
    """The one fact of a form, or None."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    found = twilio.read(Request(url, headers, urlencode(form).encode(), 0))
    assert len(found) <= 1
    return found[0] if found else None


def answer(*texts):
    """The document that replies with these texts."""
    replies = [Reply("help", "+14155550100", "+14155550190", text) for text in texts]
    return twilio.answer(replies).body


def without(form, name):
    return [(key, value) for key, value in form if key != name]


def test_an_incoming_text_is_read_as_it_came():
    text = read(INBOUND)
    assert (text.sender, text.to, text.body) == ("+14155550100", "+13456789012", "stop")
    assert (text.message_id, text.media_count, text.handled) == ("SMXXXXXXXXX", 0, "STOP")
    assert isinstance(text, Text)


def test_media_are_counted_and_the_text_beside_them_is_read():
    """R-K7."""
    text = read([*without(without(INBOUND, "NumMedia"), "OptOutType"), ("NumMedia", "3")])
    assert (text.media_count, text.body, text.handled) == (3, "stop", None)


@pytest.mark.parametrize("name", ["From", "To", "Body", "MessageSid"])
def test_a_missing_field_is_named(name):
    with pytest.raises(Malformed, match=f"the field {name} is missing") as refusal:
        read(without(INBOUND, name))
    assert refusal.value.field == name
    assert "4155550100" not in repr(refusal.value)


def test_an_empty_sender_is_refused():
    with pytest.raises(Malformed, match="From is empty"):
        read([*without(INBOUND, "From"), ("From", "")])


def test_an_odd_media_count_is_left_out():
    assert read([*INBOUND, ("NumMedia", "+14155550100")]).media_count == 0


def test_an_empty_body_is_a_text_without_words():
    assert read([*INBOUND, ("Body", "")]).body == ""


def report(status, *more):
    return [("MessageSid", "SM1"), ("MessageStatus", status), ("To", "+14155550100"), *more]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (report("delivered"), "delivered"),
        (report("read"), "delivered"),
        (report("undelivered", ("ErrorCode", "30005")), "30005"),
        (report("failed", ("ErrorCode", "21610")), "21610"),
        (report("failed"), "unknown"),
        (report("sent"), None),
        (report("queued"), None),
        (report("canceled"), None),
    ],
)
def test_a_status_callback_gives_a_code_to_classify_once_it_is_final(form, code):
    found = read(form)
    if code is None:
        assert found is None
    else:
        assert isinstance(found, Report)
        assert (found.recipient, found.message_id, found.code) == ("+14155550100", "SM1", code)


def test_a_status_callback_may_name_the_senders_own_id_in_its_url():
    assert read(report("delivered"), f"{URL}&message_id=out-1").reference == "out-1"
    assert read(report("delivered")).reference is None


@pytest.mark.parametrize("name", ["To", "MessageSid"])
def test_a_status_callback_without_a_field_names_it(name):
    with pytest.raises(Malformed, match=name):
        read(without(report("delivered"), name))


def test_no_repr_shows_a_number_or_a_word():
    """Section 9: logs and errors mask numbers and never hold a body."""
    for shown in (repr(read(INBOUND)), repr(read(report("delivered")))):
        assert "+" not in shown
        assert "stop" not in shown.lower()


def test_no_reply_is_an_empty_response():
    assert answer() == b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_text_arrives_as_it_was_meant(text):
    """Only what XML 1.0 cannot carry is left out; XML reads every line's end as one."""
    response = ElementTree.fromstring(answer(text))
    expected = twilio._NOT_XML.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    assert [message.text or "" for message in response.findall("Message")] == [expected]


def test_markup_in_a_reply_is_text():
    assert b"<Message>A &amp; B &lt;/Message&gt; \xc3\xa9</Message>" in answer("A & B </Message> é")
