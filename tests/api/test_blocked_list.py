"""The blocked list: every number with each purpose that staff blocked for it (R-B1, R-F2)."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.answer import Answer, Json
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open
from tests.api.test_imports import imports, undone
from tests.api.test_report_pages import altered, writers

MANY = [f"+1415555{n:04}" for n in range(30)]


def listed(clinic: Clinic, role: str = "agent", **body: Any) -> Answer:
    """A page of the list."""
    return clinic.post("/v1/reports/purpose-blocks", role, **body)


def pages(clinic: Clinic, limit: int, **body: Any) -> Iterator[list[Json]]:
    """Page after page, as each is asked for."""
    cursor = None
    while True:
        page = listed(clinic, limit=limit, cursor=cursor, **body)
        yield page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def rows(clinic: Clinic, limit: int = 100, **body: Any) -> list[Json]:
    """Every row, by pages."""
    return [row for page in pages(clinic, limit, **body) for row in page]


def blocked(clinic: Clinic, **body: Any) -> list[tuple[str | None, str]]:
    """The numbers and purposes of every row, in order."""
    return [(row["number"], row["purpose"]) for row in rows(clinic, **body)]


@pytest.fixture
def practice(open_clinic: Open) -> Clinic:
    """An account of the preset that the list comes from."""
    return open_clinic("recalls")


def test_a_row_says_which_purpose_since_when_and_by_whom(practice: Clinic) -> None:
    """R-B1: and on which fact it rests."""
    practice.blocks(ANN, "recall", by="nurse-1", occurred_at="2026-03-04T10:00:00Z")
    (event,) = practice.history(ANN)
    assert rows(practice) == [
        {
            "number": ANN,
            "number_id": str(practice.number_id(ANN)),
            "purpose": "recall",
            "since": "2026-03-04T10:00:00Z",
            "by": "nurse-1",
            "actor": "agent",
            "channel": "api",
            "event_id": event["event_id"],
        }
    ]


def test_each_purpose_has_a_row_until_it_is_unticked(practice: Clinic) -> None:
    """R-B1: the latest first; what is unticked is gone, and the other purpose stays."""
    practice.blocks(ANN, "recall")
    practice.blocks(BEN, "recall")
    practice.blocks(ANN, "marketing")
    assert blocked(practice) == [(ANN, "marketing"), (BEN, "recall"), (ANN, "recall")]
    practice.blocks(ANN, "marketing", blocked=False)
    practice.blocks(BEN, "recall", blocked=False)
    assert blocked(practice) == [(ANN, "recall")]


def test_a_block_begins_with_the_first_tick_and_again_after_it_was_lifted(practice: Clinic) -> None:
    """R-B1: ticked twice is blocked since the first; a later one begins a block of its own."""
    for at, tick in ((9, True), (8, True), (6, False), (5, True), (4, True)):
        practice.blocks(ANN, blocked=tick, by=f"nurse-{at}", occurred_at=ago(days=at))
        if at == 8:
            assert [row["by"] for row in rows(practice)] == ["nurse-9"]
    assert [row["by"] for row in rows(practice)] == ["nurse-5"]
    # The one who ticked it in between is told of late, and the block began then.
    practice.blocks(ANN, by="late", occurred_at=ago(days=5.5))
    assert [row["by"] for row in rows(practice)] == ["late"]
    # As is one who unticked it when only the last had not yet ticked it again.
    practice.blocks(ANN, blocked=False, occurred_at=ago(days=4.5))
    assert [row["by"] for row in rows(practice)] == ["nurse-4"]


def test_start_and_an_opt_in_leave_the_list_as_it_is(practice: Clinic) -> None:
    """R-F2, R-F6: the list is the staff's own."""
    practice.blocks(ANN)
    before = rows(practice)
    practice.hears(ANN, "STOP")
    assert rows(practice) == before
    practice.hears(ANN, "START")
    practice.opts_out(ANN)
    practice.opts_in(ANN)
    assert rows(practice) == before
    practice.asks(ANN, "recall").is_denied("purpose_blocked")


def test_an_import_and_its_undoing_leave_the_list_as_it_is(practice: Clinic) -> None:
    """R-V1, R-B1: an imported list blocks no purpose, and takes no block back."""
    practice.blocks(ANN)
    before = rows(practice)
    done = imports(practice, f"number,sms_opt_out\n{ANN},TRUE\n{BEN},TRUE\n")
    assert rows(practice) == before
    undone(practice, done)
    assert rows(practice) == before


def test_an_erased_person_is_listed_without_number_until_heard_of_again(practice: Clinic) -> None:
    """Section 9: the block stays in force; no search finds whose it was."""
    practice.blocks(ANN)
    number_id = practice.number_id(ANN)
    assert blocked(practice, number_prefix="415") == [(ANN, "recall")]
    practice.post(f"/v1/numbers/{number_id}/erase", by="admin-1").recorded("PersonalDataErased")
    (row,) = rows(practice)
    assert (row["number"], row["number_id"], row["by"]) == (None, str(number_id), "agent-7")
    kept = practice.service.rows("SELECT e164 FROM blocks_shown WHERE number_id = %s", number_id)
    assert kept == [(None,)]
    assert blocked(practice, number_prefix="415") == []
    practice.asks(ANN, "recall").is_denied("purpose_blocked")
    practice.hears(ANN, "hello")
    assert blocked(practice) == blocked(practice, number_prefix="415") == [(ANN, "recall")]


def test_a_block_of_an_erased_person_can_be_added_and_lifted(practice: Clinic) -> None:
    """Section 9: whoever names the number brings it back."""
    practice.blocks(ANN)
    practice.post(f"/v1/numbers/{practice.number_id(ANN)}/erase", by="admin-1")
    practice.blocks(ANN, "marketing")
    assert set(blocked(practice)) == {(ANN, "recall"), (ANN, "marketing")}
    practice.blocks(ANN, blocked=False)
    assert blocked(practice, number_prefix=ANN) == [(ANN, "marketing")]


def test_another_accounts_numbers_are_never_there(open_clinic: Open) -> None:
    """Section 1: nothing crosses accounts, by any filter."""
    theirs, mine = open_clinic("recalls"), open_clinic("recalls")
    theirs.blocks(ANN)
    mine.blocks(BEN)
    for filters in ({}, {"purpose": "recall"}, {"number_prefix": "415"}):
        assert blocked(mine, **filters) == [(BEN, "recall")]
    cursor = listed(theirs, limit=1)["next_cursor"]
    assert cursor is None
    theirs.blocks(CARA)
    cursor = listed(theirs, limit=1)["next_cursor"]
    assert listed(mine, cursor=cursor)["items"] in ([], rows(mine))


@pytest.mark.parametrize("role", ["agent", "admin", "auditor"])
def test_whoever_may_block_may_read_the_list(practice: Clinic, role: str) -> None:
    """R-B1: and an auditor; not the system that sends."""
    practice.blocks(ANN)
    assert len(listed(practice, role)["items"]) == 1
    listed(practice, "sender").problem(403, "role-not-allowed")


@pytest.fixture
def many(practice: Clinic) -> Clinic:
    """Blocks that share their instants, of two purposes."""
    for place, number in enumerate(MANY):
        at = f"2026-03-04T10:00:{place % 5:02}Z"
        practice.blocks(number, "recall", occurred_at=at)
        if place % 3 == 0:
            practice.blocks(number, "marketing", occurred_at=at)
    return practice


@pytest.mark.parametrize("limit", [1, 2, 7, 39, 40, 41])
def test_the_pages_are_the_list(many: Clinic, limit: int) -> None:
    """In one order, each but the last as long as was asked, and no empty one at the end."""
    found = list(pages(many, limit))
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert 0 < len(found[-1]) <= limit
    together = [row for page in found for row in page]
    ordered = sorted(together, key=lambda row: (row["number_id"], row["purpose"]))
    assert together == sorted(ordered, key=lambda row: row["since"], reverse=True)
    assert len({(row["number"], row["purpose"]) for row in together}) == len(together) == 40


@pytest.mark.parametrize("limit", [1, 3, 40])
def test_it_is_narrowed_by_purpose_and_first_digits(many: Clinic, limit: int) -> None:
    """R-V3's digits, in the order of the numbers; a purpose alone keeps the latest first."""
    recalls = [(number, "recall") for number in MANY]
    both = sorted([*recalls, *((number, "marketing") for number in MANY[::3])])
    assert blocked(many, limit=limit, number_prefix="415") == both
    assert blocked(many, limit=limit, number_prefix="(415) 555-000") == both[:14]
    assert blocked(many, limit=limit, number_prefix="415", purpose="recall") == recalls
    found = rows(many, limit=limit, purpose="marketing")
    assert {row["number"] for row in found} == set(MANY[::3])
    assert [row["since"] for row in found] == sorted((r["since"] for r in found), reverse=True)
    assert blocked(many, purpose="unheard_of") == blocked(many, number_prefix="+447") == []


def test_what_cannot_be_looked_for_is_said(many: Clinic) -> None:
    """R-V3: too few digits, none, a limit or a cursor of elsewhere; no digit is echoed."""
    listed(many, number_prefix="41").problem(422, "prefix-too-short", "/number_prefix")
    listed(many, number_prefix="abc").problem(422, "prefix-unreadable", "/number_prefix")
    for wrong in ({"limit": 0}, {"limit": 1001}, {"purpose": "No such"}, {"source": "agent"}):
        listed(many, **wrong).problem(422, "invalid-body")
    cursor = listed(many, limit=1)["next_cursor"]
    for filters in ({"purpose": "recall"}, {"number_prefix": "415"}):
        answer = listed(many, cursor=cursor, **filters)
        answer.problem(422, "cursor-of-other-filters", "/cursor")
    by_number = listed(many, limit=1, number_prefix="415")["next_cursor"]
    listed(many, cursor=by_number, number_prefix="416").problem(422, "cursor-of-other-filters")
    for each in ("x", cursor[:-4], altered(cursor, 2, "x"), altered(cursor, 3, 7)):
        listed(many, cursor=each).problem(422, "cursor-malformed", "/cursor")
    report = many.post("/v1/reports/opt-outs", cursor=cursor)
    report.problem(422, "cursor-malformed", "/cursor")


def test_the_longest_cursor_is_taken(practice: Clinic) -> None:
    """A purpose of 64 letters, on a number of fifteen digits and at an early time."""
    longest = "p" * 64
    practice.adopts("recalls", changes={"purposes": {longest: {}}})
    for number in ("+882999900000001", "+882999900000002"):
        practice.blocks(number, longest, occurred_at="1970-01-03T00:00:00.000001Z")
    assert len(rows(practice, limit=1)) == 2
    assert len(rows(practice, limit=1, number_prefix="+8829999", purpose=longest)) == 2


def test_what_stands_throughout_is_there_once_while_others_come_and_go(many: Clinic) -> None:
    """By pages in either order, with two writers at work."""
    stands = {(row["number"], row["purpose"]) for row in rows(many)}
    others = [f"+1415666{n:04}" for n in range(20)]

    def come(turn: int) -> None:
        at = f"2026-03-04T10:00:{turn % 5:02}.5Z" if turn % 2 else ago(seconds=1)
        many.blocks(others[turn % 20], occurred_at=at).recorded("PurposeBlocked")
        many.blocks(MANY[turn % 30], "conversation")

    def go(turn: int) -> None:
        many.blocks(others[turn * 7 % 20], blocked=False).recorded("PurposeUnblocked")
        many.blocks(MANY[turn * 7 % 30], "conversation", blocked=False)

    with writers(many, come, go):
        for _ in range(5):
            for found in (blocked(many, limit=4), blocked(many, limit=7, number_prefix="415")):
                times = Counter(found)
                assert {each: times[each] for each in stands} == dict.fromkeys(stands, 1)


def test_what_touches_no_block_writes_no_row_of_it(practice: Clinic) -> None:
    """House rule: a read model costs only what changes it."""
    query = """SELECT b.xmin::text, s.xmin::text FROM purpose_blocks b JOIN blocks_shown s
        USING (number_id) WHERE number_id = %s"""
    practice.blocks(ANN)
    before = practice.service.rows(query, practice.number_id(ANN))
    practice.hears(ANN, "STOP")
    practice.opts_out(ANN)
    practice.sends(ANN, "recall")
    practice.blocks(ANN)
    assert practice.service.rows(query, practice.number_id(ANN)) == before
    practice.blocks(ANN, occurred_at=ago(days=1))
    assert practice.service.rows(query, practice.number_id(ANN)) != before
