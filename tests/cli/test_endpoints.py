"""`consent-ledger endpoints`: a provider's secret is set, changed and forgotten."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from api.cli.endpoints import Provider
from api.providers.registry import PROVIDERS
from tests.cli.conftest import Dev, cli, running
from tests.service import LOCAL


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    """A service that has an endpoint of its own already: that of its imitated Twilio."""
    with running(Dev("--preset", "opt-out", "--no-demo", "--ephemeral")) as started:
        yield started


def texts(url: str, secret: str) -> int:
    """The status that Bandwidth gets for a list without events."""
    with httpx2.Client(**LOCAL) as client:
        user, _, password = secret.partition(":")
        return client.post(url, json=[], auth=(user, password)).status_code


def test_the_life_of_an_endpoint(dev: Dev) -> None:
    """Added, rotated with an overlap, listed without its secrets, removed."""
    folder = ("--data-dir", dev.folder)
    added = cli("endpoints", "add", "bw", "--provider", "bandwidth", "--secret", "a:old", *folder)
    url = added.stdout.strip()
    assert url == f"{dev.said['url']}/v1/webhooks/bandwidth/bw"
    assert texts(url, "a:old") == 200
    given = ("endpoints", "rotate", "bw", "--secret", "-", "--output", "json", *folder)
    rotated = json.loads(cli(*given, said="a:new\n").stdout)
    assert (texts(url, "a:old"), texts(url, "a:new"), texts(url, "a:x")) == (200, 200, 403)
    listed = cli("endpoints", "list", "--output", "json", *folder).stdout
    (item,) = [each for each in json.loads(listed) if each["endpoint"] == "bw"]
    assert item == rotated
    assert "a:" not in listed
    again = cli("endpoints", "rotate", "bw", "--secret", "a:newer", "--overlap-hours", "0", *folder)
    assert again.returncode == 0
    assert (texts(url, "a:new"), texts(url, "a:newer")) == (403, 200)
    assert cli("endpoints", "remove", "bw", *folder).stdout == "removed\n"
    assert texts(url, "a:newer") == 404


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "bw", "--provider", "pigeon", "--secret", "a:b"),
        ("add", "bw", "--provider", "bandwidth", "--secret", "topsecret"),
        ("add", "b w", "--provider", "bandwidth", "--secret", "a:topsecret"),
        ("add", "bw", "--provider", "bandwidth"),
        ("rotate", "nobody", "--secret", "topsecret"),
        ("rotate", "bw", "--secret", "topsecret", "--overlap-hours", "1000"),
        ("remove", "nobody"),
    ],
    ids=" ".join,
)
def test_bad_use_is_said_in_a_line(dev: Dev, arguments: tuple[str, ...]) -> None:
    """Exit status 2, nothing changed, and no secret repeated."""
    before = cli("endpoints", "list", "--output", "json", "--data-dir", dev.folder).stdout
    found = cli("endpoints", *arguments, "--data-dir", dev.folder)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "topsecret" not in found.stderr
    assert cli("endpoints", "list", "--output", "json", "--data-dir", dev.folder).stdout == before


def test_the_command_knows_every_provider() -> None:
    """Without loading them, so that help stays quick."""
    assert [str(each) for each in Provider] == list(PROVIDERS)
