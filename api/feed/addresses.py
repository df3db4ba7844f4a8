"""Where a webhook may go: never into the network that the service stands in."""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that is routed on the internet; what wraps an address of version 4 is outside, or below."""
LAST_PORT: Final = 65_535
RESOLVERS: Final = ThreadPoolExecutor(8, "webhook-names")
"""Threads of its own: names that take long are never in the way of the database's."""
TUNNELS: Final = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
"""Teredo and 6to4: they lead to an address of version 4 that is inside them."""


class RefusedUrlError(ValueError):
    """A webhook may not go there; the message says why, without repeating the URL."""


def permitted(address: Address, private: bool) -> bool:
    """Whether a webhook may go to an address; `private` admits loopback and private networks.

    Link-local addresses never: cloud providers hand out credentials there.
    """
    if address.is_loopback:
        return private
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_reserved:
        return False
    if private and address.is_private:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        tunnelled = any(address in network for network in TUNNELS)
        return address in GLOBAL_UNICAST and address.is_global and not tunnelled
    return address.is_global


def check_url(text: str, private: bool) -> httpx2.URL:
    """The URL of an endpoint; RefusedUrlError where nothing may be delivered. Looks nothing up."""
    try:
        url = httpx2.URL(text)
        host = url.raw_host.decode()
    except (httpx2.InvalidURL, ValueError):
        raise RefusedUrlError("This is no URL.") from None
    if not host or not text.isascii() or any(character <= " " for character in text):
        raise RefusedUrlError("This is no URL.")
    if url.port is not None and not 0 < url.port <= LAST_PORT:
        raise RefusedUrlError("There is no such port.")
    if url.userinfo or url.fragment:
        raise RefusedUrlError("Leave out user, password and fragment; every delivery is signed.")
    address = literal(host)
    local = host.rstrip(".") == "localhost" or (address is not None and address.is_loopback)
    if url.scheme != "https" and not (private and local and url.scheme == "http"):
        raise RefusedUrlError("Use https.")
    if (local and not private) or (address is not None and not permitted(address, private)):
        raise RefusedUrlError("A webhook cannot go to a private, loopback or link-local address.")
    return url


def literal(host: str) -> Address | None:
    """The address that a host is written as, if it is."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


async def resolve(url: httpx2.URL, private: bool) -> list[Address]:
    """The addresses of a URL's host, in the order to be tried.

    RefusedUrlError where one of them is barred, as then the name is not to be trusted, or where
    http would leave this machine; OSError where the name has none. Each delivery asks anew, and
    connects to what was checked: a name that changes its address meanwhile gains nothing.
    """
    host = url.raw_host.decode()
    found = literal(host)
    if found is None:
        addresses = await asyncio.get_running_loop().run_in_executor(RESOLVERS, _look_up, host)
    else:
        addresses = [found]
    if not all(permitted(address, private) for address in addresses):
        raise RefusedUrlError("an address is barred")
    if url.scheme != "https" and not all(address.is_loopback for address in addresses):
        raise RefusedUrlError("http leaves this machine")
    return addresses


def _look_up(host: str) -> list[Address]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
