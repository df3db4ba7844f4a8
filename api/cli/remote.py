"""The service as the command line asks it: over HTTP, with a key."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from api.cli.data_dir import DataDir, Running
from api.cli.errors import BAD_USE, CommandError
from api.cli.service_url import check_url, place

SECONDS: Final = 30.0
"""A service that takes longer to answer one person is down."""
FILE_SECONDS: Final = 600.0
"""A large spreadsheet is packed before its first byte comes."""
ABSENT: Final = (httpx2.TransportError, httpx2.InvalidURL)
"""What it means that nobody answers."""
NEEDS_KEY: Final = "a key is needed: --api-key or CONSENT_LEDGER_API_KEY"
UNKNOWN_KEY: Final = "the key is unknown or was revoked"
PAGE: Final = 1000
"""Rows asked for at a time, the most that the service gives."""


class Remote:
    """A service and the key to ask it with."""

    def __init__(self, url: str, api_key: str) -> None:
        check_url(url)
        if not api_key.isascii() or not api_key.isprintable():
            # No header can carry it, and so no service has given it out.
            raise CommandError(UNKNOWN_KEY, BAD_USE)
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._answer("GET", path, params=given)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a POST."""
        given = {name: value for name, value in body.items() if value is not None}
        return self._answer("POST", path, json=given)

    def put(self, path: str, body: dict[str, Any], **query: Any) -> Any:
        """The answer to a PUT."""
        return self._answer("PUT", path, json=body, params=query)

    def delete(self, path: str) -> Any:
        """The answer to a DELETE."""
        return self._answer("DELETE", path)

    def pages(self, path: str, at_most: int | None, **query: Any) -> Iterator[Any]:
        """The items of a list, page after page as they are wanted; all of them without a limit."""
        return _items(at_most, lambda page: self.get(path, **page, **query))

    def post_pages(self, path: str, at_most: int | None, body: dict[str, Any]) -> Iterator[Any]:
        """The items of a list that is asked for by a body, page after page as they are wanted."""
        return _items(at_most, lambda page: self.post(path, {**body, **page}))

    def file(self, path: str, body: dict[str, Any], media_type: str) -> Iterator[bytes]:
        """The bytes of an answer that is a file, as they come."""
        given = {name: value for name, value in body.items() if value is not None}
        return self._stream(path, {"Accept": media_type}, json=given)

    def exchange(
        self, path: str, query: dict[str, Any], content: Iterator[bytes], media_type: str
    ) -> Iterator[bytes]:
        """The bytes of the answer to a file that is sent, both as they come."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._stream(path, {"Content-Type": media_type}, params=given, content=content)

    def _stream(self, path: str, headers: dict[str, str], **more: Any) -> Iterator[bytes]:
        headers = {**self._headers, **headers}
        url, begun = self.url + path, False
        try:
            with (
                _client(url, FILE_SECONDS) as client,
                client.stream("POST", url, headers=headers, **more) as response,
            ):
                if not response.is_success:
                    response.read()
                    raise ProblemError(_problem(response), _errors(response))
                begun = True
                yield from response.iter_bytes()
        except ABSENT:
            said = "the answer was cut short by" if begun else "no service answers at"
            raise CommandError(f"{said} {place(url)}") from None

    def send_file(self, path: str, content: Iterator[bytes], media_type: str, **query: Any) -> Any:
        """The answer to a POST of a file, which is read as it is sent."""
        given = {name: value for name, value in query.items() if value is not None}
        headers = {**self._headers, "Content-Type": media_type}
        url = self.url + path
        try:
            with _client(url, FILE_SECONDS) as client:
                response = client.post(url, content=content, headers=headers, params=given)
        except ABSENT:
            raise CommandError(f"no service answers at {place(url)}") from None
        return _told(response)

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        return _told(send(method, self.url + path, headers=self._headers, **more))


class ProblemError(CommandError):
    """The service said no; `errors` are about single fields of what was sent."""

    def __init__(self, message: str, errors: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.errors = errors


def send(method: str, url: str, **more: Any) -> httpx2.Response:
    """A request; CommandError where nobody answers."""
    try:
        with _client(url, SECONDS) as client:
            return client.request(method, url, **more)
    except ABSENT:
        raise CommandError(f"no service answers at {place(url)}") from None


def _client(url: str, seconds: float) -> httpx2.Client:
    # A proxy of the environment cannot reach what listens on this machine's loopback, and without
    # TLS there is no certificate to look at: to load the world's takes longer than the rest.
    place = urlsplit(url)
    outside = place.hostname not in ("127.0.0.1", "localhost", "::1")
    certified = outside or place.scheme == "https"
    return httpx2.Client(timeout=seconds, trust_env=outside, verify=certified)


def _items(at_most: int | None, ask: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
    cursor, left = None, at_most
    while left is None or left > 0:
        page = ask({"limit": PAGE if left is None else min(PAGE, left), "cursor": cursor})
        yield from page["items"]
        left = None if left is None else left - len(page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _told(response: httpx2.Response) -> dict[str, Any]:
    """What the service says; every answer of its own is an object."""
    if not response.is_success:
        raise ProblemError(_problem(response), _errors(response))
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CommandError(f"what answers at {place(str(response.url))} is no consent ledger")
    return found


def _problem(response: httpx2.Response) -> str:
    """A problem's own words; they never echo what was sent."""
    try:
        body = response.json()
        if body["code"] == "key-missing-or-unknown":
            # The service may ask for a key, where it is sent one that cannot be a key.
            return f"{UNKNOWN_KEY} ({body['code']})"
        named = [
            f"{each['pointer'].strip('/')}: {each['detail']}" for each in body.get("errors", [])
        ]
        detail = "; ".join(named) if named and body["code"] == "invalid-body" else body["detail"]
        return f"{detail} ({body['code']})"
    except (ValueError, KeyError, TypeError):
        return f"the service answered {response.status_code}"


def _errors(response: httpx2.Response) -> list[dict[str, str]]:
    """What a problem says of single fields."""
    try:
        found: list[dict[str, str]] = response.json().get("errors") or []
        return found
    except (ValueError, AttributeError):
        return []


def connect(url: str | None, api_key: str | None, data_dir: Path | None, role: str) -> Remote:
    """The service that was named; else the `dev` of the data folder, with its key of a role."""
    if url is not None:
        if not api_key:
            raise CommandError(NEEDS_KEY, BAD_USE)
        return Remote(url, api_key)
    folder = DataDir(data_dir)
    kept = folder.kept()
    running = running_in(folder)
    return Remote(running.url, api_key or (kept.keys[role] if kept else ""))


def running_in(folder: DataDir) -> Running:
    """The `dev` that runs in a folder."""
    running = folder.running()
    if running is None:
        raise CommandError(
            f"no service runs in {folder.path}: start `consent-ledger dev`, or name one by --url"
        )
    return running
