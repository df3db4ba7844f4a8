"""How much of a long list is shown, and that there is more of it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.cli.conftest import cli
from tests.cli.fake_service import FakeService, answering

COUNT: Final = 1_002
PARTLY: Final = 1_001
"""More than a page, and less than there is."""
NUMBER: Final = "+14155550142"
MORE: Final = "and there are more: --limit shows as many as it says, --output csv or json all\n"


def row(place: int) -> dict[str, Any]:
    """One of many, as a row of the report and as an event."""
    return {"number": f"row-{place}", "type": "x", "actor": {"id": f"row-{place}", "kind": "x"}}


def pages(method: str, path: str, body: bytes) -> tuple[int, Any]:
    """A part of them, from a cursor that is a place."""
    if path == "/v1/numbers/lookup":
        return 200, {"known": True, "number_id": "n"}
    if method == "POST":
        asked = json.loads(body)
    else:
        asked = dict(each.split("=") for each in path.partition("?")[2].split("&"))
    first = int(asked.get("cursor") or 0)
    last = min(first + int(asked["limit"]), COUNT)
    items = [row(place) for place in range(first, last)]
    return 200, {"items": items, "next_cursor": str(last) if last < COUNT else None}


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A service with very many of everything."""
    with answering(pages) as found:
        yield found


COMMANDS: Final = pytest.mark.parametrize(
    "command", [("report",), ("history", NUMBER)], ids=["report", "history"]
)


@COMMANDS
def test_a_text_says_that_there_are_more(service: FakeService, command: tuple[str, ...]) -> None:
    """On standard error, where no line is taken for a row."""
    for limit, options in ((100, ()), (PARTLY, ("--limit", str(PARTLY)))):
        done = cli(*command, *options, *service.options)
        assert done.returncode == 0
        assert len(done.stdout.splitlines()) == limit + 1
        assert done.stderr == f"the first {limit:,} are shown, {MORE}"
    whole = cli(*command, "--limit", str(COUNT), *service.options)
    assert (len(whole.stdout.splitlines()), whole.stderr) == (COUNT + 1, "")


@COMMANDS
def test_a_program_is_given_all(service: FakeService, command: tuple[str, ...]) -> None:
    """A part without a word would be taken for the whole; less is given only if asked for."""
    for limit, options in ((COUNT, ()), (PARTLY, ("--limit", str(PARTLY))), (1, ("--limit", "1"))):
        done = cli(*command, "--output", "json", *options, *service.options)
        assert (done.returncode, done.stderr) == (0, "")
        found = [each["number"] for each in json.loads(done.stdout)]
        assert found == [f"row-{place}" for place in range(limit)]


def test_nothing_is_a_list_too() -> None:
    """An empty one."""
    with answering(lambda *_: (200, {"items": [], "next_cursor": None})) as service:
        done = cli("report", "--output", "json", *service.options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
