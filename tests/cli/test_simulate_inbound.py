"""A contact's text as each provider delivers it, sent by the command."""

import base64
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.cli.endpoints import Provider
from api.cli.imitating import IMITATIONS
from api.providers.registry import PROVIDERS
from tests.cli.conftest import Dev
from tests.cli.test_usage import run

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
PRIVATE = base64.b64encode(b"k" * 32).decode()
DESK = "+14155550190"

SECRETS = {
    "twilio": "9f51f80a",
    "telnyx": PUBLIC,
    "plivo": "9f51f80b",
    "vonage": "9f51f80c",
    "sinch": "9f51f80d",
    "bandwidth": "ledger:9f51f80e",
    "standard": f"whsec_{base64.b64encode(b's' * 32).decode()}",
}


def test_every_provider_can_be_asked_for() -> None:
    """Whoever is added to the ledger is added here."""
    assert list(PROVIDERS) == list(IMITATIONS) == list(Provider)


@pytest.mark.parametrize("provider", SECRETS)
def test_a_text_of_each_provider_is_taken(dev: Dev, provider: str) -> None:
    """Signed with the endpoint's secret; the reply is shown, and another secret is refused."""
    opened = dev.cli(
        *("endpoints", "add", f"try-{provider}", "--provider", provider),
        *("--secret", SECRETS[provider], "--output", "json"),
    )
    assert opened.returncode == 0, opened.stderr
    url = json.loads(opened.stdout)["url"]
    secret = PRIVATE if provider == "telnyx" else SECRETS[provider]
    number = f"+1415555018{list(SECRETS).index(provider)}"

    def says(text: str, token: str = secret) -> tuple[int, str, str]:
        done = dev.cli(
            *("simulate-inbound", "--provider", provider, "--url", url, "--auth-token", token),
            *("--from", number, "--to", DESK, "--body", text),
        )
        return done.returncode, done.stdout, done.stderr

    assert says("Ünïcode & <more> = 100%")[0] == 0
    status, said, error = says("STOP")
    assert (status, error) == (0, "")
    assert said.startswith("reply: ")
    assert dev.cli("check", number, "--purpose", "recall").returncode == 1
    other = base64.b64encode(b"o" * 32).decode()
    wrong = f"user:{other}" if provider == "bandwidth" else other
    assert says("START", wrong) == (
        2,
        "",
        "consent-ledger: the webhook answered 403\n",
    )
    assert dev.cli("check", number, "--purpose", "recall").returncode == 1
    assert says("START")[0] == 0
    assert dev.cli("check", number, "--purpose", "recall").returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--provider", "aws-sns", "--url", "http://127.0.0.1:9/x"), "Amazon signs"),
        (("--provider", "telnyx", "--url", "http://127.0.0.1:9/x"), "private key"),
        (("--provider", "standard", "--url", "http://127.0.0.1:9/x"), "base64"),
        (("--provider", "sinch"), "open one"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_imitated_is_one_line(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """With the reason, and without the number or the secret."""
    status, shown = run(
        capsys,
        *("simulate-inbound", "--from", "+14155550142", "--to", DESK, "--body", "x"),
        *("--auth-token", "s3cret!", *options),
    )
    assert status == 2
    assert re.fullmatch(rf"consent-ledger: [^\n]*{said}[^\n]*\n", shown)
    assert "4155" not in shown
    assert "s3cret" not in shown
