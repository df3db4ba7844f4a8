"""A webhook never reaches into the network that the service stands in."""

import asyncio
import ipaddress
import socket
import time
from typing import Any

import pytest

from api.feed import posting
from api.feed.addresses import RefusedUrlError, check_url, permitted, resolve
from api.feed.posting import Outcome, Poster
from tests.api.clinic import Clinic
from tests.api.receiver import receiving

PATH = "/v1/webhook-endpoints"
BARRED = [
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "127.9.9.9"),
    *("169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::"),
    *("2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1"),
]
ALWAYS_BARRED = ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::", "ff02::1"]


@pytest.mark.parametrize("text", BARRED)
def test_private_addresses_are_barred(text: str) -> None:
    """And those that wrap one."""
    assert not permitted(ipaddress.ip_address(text), private=False)


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_the_internet_is_not(text: str) -> None:
    """Any address that is routed there."""
    assert permitted(ipaddress.ip_address(text), private=False)
    assert permitted(ipaddress.ip_address(text), private=True)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "fd12::1"])
def test_a_setting_admits_the_own_network(text: str) -> None:
    """For tests, and where the receivers are the operator's own."""
    assert permitted(ipaddress.ip_address(text), private=True)


@pytest.mark.parametrize("text", ALWAYS_BARRED)
def test_no_setting_admits_link_local_addresses(text: str) -> None:
    """Cloud providers hand out credentials there."""
    assert not permitted(ipaddress.ip_address(text), private=True)


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example.com/x", "http://127.0.0.1:9/x", "https://127.0.0.1/x"),
        *("https://localhost/x", "https://localhost./x", "https://[::1]/x", "https://10.0.0.1/x"),
        *("https://[::ffff:10.0.0.1]/x", "https://169.254.169.254/latest/meta-data"),
        *("https://user:pass@hooks.example.com/x", "https://hooks.example.com/x#fragment"),
        *("ftp://hooks.example.com/x", "file:///etc/passwd", "hooks.example.com", "https://", ""),
        *("https://hooks.example.com:99999/x", "https://hooks.example.com/a b", "javascript:x"),
        *("https://hooks.example.com/\u00e9", "https://hooks.exam\nple.com/", "//example.com/x"),
    ],
)
def test_such_a_url_is_refused(clinic: Clinic, url: str) -> None:
    """422 that names the field and does not repeat it; nothing is kept."""
    with clinic.unchanged():
        answer = clinic.post(PATH, url=url)
        assert answer.status == 422, answer.response.text
        found = answer.problem(422, answer.response.json()["code"], "/url")
    assert found["code"] in ("webhook-url-refused", "invalid-body")
    assert len(url) < 10 or url not in str(found)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"types": ["StopReceived", "Nonsense"]}, "unknown-type", "/types/1"),
        ({"types": []}, "invalid-body", "/types"),
        ({"user": "+14155550131"}, "invalid-body", "/user"),
        ({"secret": "mine"}, "invalid-body", "/secret"),
    ],
)
def test_bad_input_names_its_field(
    clinic: Clinic, body: dict[str, Any], code: str, pointer: str
) -> None:
    """422, and nothing is kept."""
    with clinic.unchanged():
        answer = clinic.post(PATH, url="https://hooks.example.com/x", **body)
        answer.problem(422, code, pointer)


@pytest.mark.parametrize("after", [-1, 2**63, "x", None, 1.5])
def test_a_replay_begins_at_a_position(clinic: Clinic, after: object) -> None:
    """422 otherwise."""
    endpoint = clinic.post(PATH, url="https://hooks.example.com/x")["endpoint_id"]
    answer = clinic.post(f"{PATH}/{endpoint}/replay", after=after)
    answer.problem(422, "invalid-body", "/after")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
def test_an_address_in_disguise_is_refused_when_it_is_looked_up(host: str) -> None:
    """What a resolver takes for an address is checked as the address that it gave."""
    with pytest.raises((RefusedUrlError, OSError)):
        asyncio.run(resolve(check_url(f"https://{host}/x", False), False))


def looked_up(*addresses: str) -> Any:
    """A resolver that answers so."""

    def getaddrinfo(host: str, port: Any, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

    return getaddrinfo


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("1.1.1.1", "10.0.0.1")])
def test_a_name_that_leads_inside_is_refused_at_each_delivery(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    """One address inside is enough: nothing is sent."""
    monkeypatch.setattr(socket, "getaddrinfo", looked_up(*addresses))

    async def main() -> Outcome:
        async with Poster(False) as poster:
            return await poster.post("https://hooks.example.com/x", {}, b"")

    assert asyncio.run(main()) == Outcome(None, "address_refused")


def test_plain_http_never_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where private addresses are admitted."""
    monkeypatch.setattr(socket, "getaddrinfo", looked_up("10.0.0.1"))

    async def main() -> Outcome:
        async with Poster(True) as poster:
            return await poster.post("http://localhost:9/x", {}, b"")

    assert asyncio.run(main()) == Outcome(None, "address_refused")


def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up once: a second answer of another address is never asked for."""
    with receiving() as receiver:
        asked: list[str] = []

        def getaddrinfo(host: str, port: Any, **_: Any) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        url = receiver.url.replace("127.0.0.1", "localhost")

        async def main() -> Outcome:
            async with Poster(True) as poster:
                return await poster.post(url, {}, b'{"id": "x"}')

        assert asyncio.run(main()) == Outcome(204, None)
        assert asked == ["localhost"]
        assert receiver.came[0].headers["host"].startswith("localhost:")


def test_a_receiver_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that a delivery may take, counted from its beginning."""
    monkeypatch.setattr(posting, "POST_SECONDS", 0.4)

    async def main(url: str) -> Outcome:
        async with Poster(True) as poster:
            return await poster.post(url, {}, b"{}")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        outcome = asyncio.run(main(f"http://127.0.0.1:{silent.getsockname()[1]}/x"))
    assert outcome == Outcome(None, "timed_out")
    assert time.monotonic() - began < 5


def test_a_receiver_that_is_not_there_is_not_reached() -> None:
    """An outcome like any other, and tried again later."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async def main() -> Outcome:
        async with Poster(True) as poster:
            return await poster.post(f"http://127.0.0.1:{port}/x", {}, b"{}")

    assert asyncio.run(main()) == Outcome(None, "not_reached")
