"""Pages of the report: every row once, whatever is written meanwhile."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest

from tests.api.clinic import ANN, Clinic, ago
from tests.api.conftest import Open
from tests.api.reporting import CSV, csv_rows, numbers, pages, report, rows, whole

STANDING = [f"+1415555{n:04}" for n in range(120)]


def opted_out(clinic: Clinic, numbers: list[str]) -> None:
    """Forty instants, three numbers each."""
    items = [
        {"number": number, "by": "x", "occurred_at": f"2026-03-04T10:00:{place % 40:02}Z"}
        for place, number in enumerate(numbers)
    ]
    results = clinic.post("/v1/opt-outs/batch", items=items)["results"]
    assert all(result["recorded"] == ["OptedOut"] for result in results)


@pytest.fixture
def many(open_clinic: Open) -> Clinic:
    """An account with opt-outs that share their instants."""
    clinic = open_clinic("opt-out")
    opted_out(clinic, STANDING)
    return clinic


@pytest.mark.parametrize("limit", [1, 2, 7, 119, 120, 121])
def test_the_pages_are_the_report(many: Clinic, limit: int) -> None:
    """In one order, each but the last as long as was asked, and no empty one at the end."""
    found = list(pages(many, limit))
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert 0 < len(found[-1]) <= limit
    together = [row for page in found for row in page]
    ordered = sorted(together, key=lambda row: row["number_id"])
    assert together == sorted(ordered, key=lambda row: row["since"], reverse=True)
    assert {row["number"] for row in together} == set(STANDING)


@pytest.mark.parametrize("limit", [1, 50, 120])
def test_by_number_the_pages_go_through_the_numbers(many: Clinic, limit: int) -> None:
    """Whichever ranges they lie in."""
    assert numbers(many, limit=limit, number_prefix="415") == STANDING
    assert numbers(many, limit=limit, number_prefix="+1415555000") == STANDING[:10]


def test_a_page_is_a_hundred_rows_unless_more_are_asked_for(many: Clinic) -> None:
    """And a thousand at the most."""
    assert len(report(many)["items"]) == 100
    assert len(report(many, limit=1000)["items"]) == 120


def test_a_cursor_goes_with_its_filters(many: Clinic) -> None:
    """Another report's cursor would skip rows without a word."""
    cursor = report(many, limit=1, source="agent")["next_cursor"]
    assert report(many, limit=9, source="agent", cursor=cursor)["items"] == rows(many)[1:10]
    by_number = report(many, limit=1, number_prefix="415")["next_cursor"]
    same = report(many, limit=1, number_prefix="(415)", cursor=by_number)
    assert same["items"][0]["number"] == STANDING[1]
    for filters in (
        {},
        {"source": "contact"},
        {"source": "agent", "since": ago(days=900)},
        {"source": "agent", "to": ago(days=0)},
        {"source": "agent", "number_prefix": "415"},
    ):
        answer = report(many, cursor=cursor, **filters)
        answer.problem(422, "cursor-of-other-filters", "/cursor")
    answer = report(many, cursor=by_number, number_prefix="416")
    answer.problem(422, "cursor-of-other-filters", "/cursor")


def altered(cursor: str, place: int, value: Any) -> str:
    """A cursor with something else in one of its places."""
    held = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    held[place] = value
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")


def test_a_cursor_that_was_not_given_is_refused(many: Clinic) -> None:
    """Whatever stands in it, the answer is a problem and never a failure."""
    cursor = report(many, limit=1)["next_cursor"]
    cut = [cursor[:-4], cursor[4:], "x", "", "é", "\x00", "=" * 9, "W10", cursor + "!"]
    wrong = [altered(cursor, 2, "x"), altered(cursor, 1, None), altered(cursor, 0, 7)]
    for each in cut + wrong:
        report(many, cursor=each).problem(422, "cursor-malformed", "/cursor")
    for key in (2**63, -(2**70), ANN, "x"):
        elsewhere = report(many, cursor=altered(cursor, 1, key))
        elsewhere.problem(422, "cursor-of-other-filters", "/cursor")
    report(many, cursor="x" * 201).problem(422, "invalid-body", "/cursor")


@contextmanager
def writers(clinic: Clinic, *works: Any) -> Iterator[None]:
    """Each work is done again and again meanwhile, by a thread of its own."""
    ended, failed = Event(), []

    def write(work: Any) -> None:
        try:
            for turn in count():
                if ended.is_set():
                    return
                work(turn)
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=write, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_what_stands_throughout_is_there_once_while_others_come_and_go(many: Clinic) -> None:
    """By pages in either order, and in the file, with two writers at work."""
    comers = [f"+1415666{n:04}" for n in range(60)]

    def come(turn: int) -> None:
        number = comers[turn % len(comers)]
        at = f"2026-03-04T10:00:{turn % 40:02}.5Z" if turn % 2 else ago(seconds=1)
        many.opts_out(number, occurred_at=at).recorded("OptedOut")

    def go(turn: int) -> None:
        number = comers[(turn * 7) % len(comers)]
        many.opts_in(number).recorded("AdminOptedIn")
        many.hears(number, "STOP" if turn % 3 else "START")
        many.hears(number, "START")

    with writers(many, come, go):
        for _ in range(3):
            for found in (
                numbers(many, limit=7),
                numbers(many, limit=11, number_prefix="415"),
                [row["number"] for row in csv_rows(whole(many, CSV))],
            ):
                times = Counter(found)
                assert {number: times[number] for number in STANDING} == dict.fromkeys(STANDING, 1)


def test_new_rows_do_not_shift_the_pages(many: Clinic) -> None:
    """What comes in at the top while someone reads leaves the rest where it is."""
    expected = numbers(many)
    found: list[str] = []
    for place, page in enumerate(pages(many, 10)):
        found += [row["number"] for row in page]
        many.hears(f"+1415777{place:04}", "STOP")
    assert found == expected
