"""An SNS topic as it calls, with a key and certificates in the place of Amazon's."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.api.clinic import DESK, fresh
from tests.providers.imitations.base import Call, Imitation, Payload, iso


class AwsSns(Imitation):
    """A notification of an SNS topic, signed by Amazon's certificate."""

    name = "aws-sns"
    suppressing, unreachable = "TEXT_INVALID", "TEXT_UNREACHABLE"
    required = (
        *("Message/originationNumber", "Message/destinationNumber"),
        *("Message/messageBody", "Message/inboundMessageId"),
    )
    stale_after = 2 * 3_600
    pictures = False
    kind = "text/plain; charset=UTF-8"
    version: ClassVar[str] = "2"
    certificate_url: str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem"

    def new_secret(self) -> str:
        return f"arn:aws:sns:us-east-1:123456789012:{fresh()}"

    def text(
        self, number: str, body: str, message_id: str, at: float | None = None, media: int = 0
    ) -> Payload:
        message = {
            "originationNumber": number,
            "destinationNumber": DESK,
            "messageKeyword": "KEYWORD",
            "messageBody": body,
            "inboundMessageId": message_id,
        }
        return {"Message": message, "Timestamp": iso(at)}

    def report(
        self, number: str, code: str | None, message_id: str, reference: str | None = None
    ) -> Payload:
        message = {
            "eventType": code or "TEXT_DELIVERED",
            "eventTimestamp": int(time.time() * 1000),
            "isFinal": True,
            "originationPhoneNumber": DESK,
            "destinationPhoneNumber": number,
            "messageId": message_id,
            "context": {"message_id": reference} if reference else {},
        }
        return {"Message": message, "Timestamp": iso(None)}

    def on_the_way(self, number: str) -> Payload:
        found = self.report(number, "TEXT_QUEUED", fresh())
        found["Message"]["isFinal"] = False
        return found

    def call(self, url: str, payload: Payload, at: float | None = None) -> Call:
        envelope = {
            "Type": "Notification",
            "MessageId": fresh(),
            "TopicArn": self.secret,
            **payload,
            "SignatureVersion": self.version,
            "SigningCertURL": self.certificate_url,
        }
        if isinstance(envelope["Message"], dict):
            envelope["Message"] = json.dumps(envelope["Message"], ensure_ascii=False)
        if at is not None:
            envelope["Timestamp"] = iso(at)
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token"]
        signed = "".join(
            f"{name}\n{envelope[name]}\n"
            for name in [*names, "TopicArn", "Type"]
            if name in envelope
        )
        envelope["Signature"] = base64.b64encode(amazon_signs(signed, self.version)).decode()
        return Call(url, self.encode(envelope), {"content-type": self.kind})


class AwsSnsSha1(AwsSns):
    """The older version of the signature, which is a topic's default."""

    version = "1"


@cache
def amazons_key() -> rsa.RSAPrivateKey:
    """The key that signs as Amazon's in these tests."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def amazon_signs(text: str, version: str = "2") -> bytes:
    """A signature as Amazon makes it."""
    method = hashes.SHA1() if version == "1" else hashes.SHA256()
    return amazons_key().sign(text.encode(), padding.PKCS1v15(), method)


def certificate(days: int = 30, key: rsa.RSAPrivateKey | None = None) -> bytes:
    """A certificate of Amazon's that is valid for so many days yet."""
    key = key or amazons_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=60))
    built = builder.not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256())
    return built.public_bytes(Encoding.PEM)
