"""The pages that connect a provider are run: whoever pastes the commands is that provider."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx2
import pytest

from api.providers.registry import PROVIDERS
from tests.cli.conftest import SECONDS, Dev, environment, running
from tests.docs.test_how_to import HOW_TO, steps
from tests.service import LOCAL

PAGES: Final = {path.stem: path for path in sorted(HOW_TO.glob("connect-*.md"))}
NUMBERS: Final = {
    "connect-twilio": "+14155550160",
    "connect-telnyx": "+14155550161",
    "connect-plivo": "+14155550162",
    "connect-vonage": "+14155550163",
    "connect-sinch": "+14155550164",
    "connect-bandwidth": "+14155550165",
    "connect-another-provider": "+14155550167",
}
"""The contact who texts STOP on each page that can imitate its provider."""


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    """A service that every page is tried against."""
    with running(Dev("--preset", "opt-out", "--no-demo", "--ephemeral")) as started:
        yield started


def paste(commands: str, dev: Dev, folder: Path) -> str:
    """What the commands of a page print."""
    said = dev.said
    known = {"LEDGER": said["url"], "ADMIN": said["keys"]["admin"], "AUTH_TOKEN": "token"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", **known),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_allowed(dev: Dev, number: str) -> bool:
    """May this number be texted?"""
    question = {"number": number, "purpose": "conversation"}
    headers = {"Authorization": f"Bearer {dev.said['keys']['sender']}"}
    with httpx2.Client(base_url=dev.said["url"], **LOCAL) as client:
        found: bool = client.post("/v1/checks", json=question, headers=headers).json()["may_text"]
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages call curl")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="the pages sign with openssl")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_imitates_its_provider(dev: Dev, tmp_path: Path, name: str) -> None:
    """A STOP is recorded and answered; Amazon alone cannot be imitated, and is refused."""
    printed = paste(
        "\n".join(step.commands for step in steps(PAGES[name].read_text())), dev, tmp_path
    )
    if name == "connect-aws-sns":
        assert '"code":"signature-mismatch"' in printed
        return
    assert is_allowed(dev, NUMBERS[name]) is False
    assert is_allowed(dev, "+14155550169") is True
    assert "START" in printed


def test_every_provider_has_a_page() -> None:
    """And the table of secrets names them all."""
    names = {"aws-sns": "aws-sns", "standard": "another-provider"}
    assert {f"connect-{names.get(each, each)}" for each in PROVIDERS} == set(PAGES)
    table = (HOW_TO / "change-a-providers-secret.md").read_text()
    assert all(f"[`{each}`](" in table for each in PROVIDERS)
