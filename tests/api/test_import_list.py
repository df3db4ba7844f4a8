"""The lists that were sent, for whoever has to find the one that was wrong."""

import asyncio
from uuid import UUID

from api.importing import book
from consent_ledger.store.importing import UNIT
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.test_imports import imports
from tests.store.drive import Watched, watched


def listed(clinic: Clinic, **query: object) -> list[str]:
    """The ids on all pages."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        asked = "&".join(f"{name}={value}" for name, value in {**query, **more}.items())
        page = clinic.get(f"/v1/imports?{asked}" if asked else "/v1/imports")
        found += [item["import_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_every_list_is_there_the_latest_first(open_clinic: Open) -> None:
    """Dry runs and repetitions too, as they are told one by one; in pages of any size."""
    clinic, other = open_clinic("opt-out"), open_clinic("opt-out")
    sent = [
        imports(
            clinic, f"number,sms_opt_out\n{number},TRUE\n", query="?dry_run=true" if tried else ""
        )
        for number, tried in ((ANN, True), (ANN, False), (BEN, False), (ANN, False), (CARA, True))
    ]
    ids = [each["import_id"] for each in reversed(sent)]
    assert listed(clinic) == ids
    assert [listed(clinic, limit=size) for size in (1, 2, 5, 1_000)] == [ids] * 4
    for item in clinic.get("/v1/imports")["items"]:
        assert item == clinic.get(f"/v1/imports/{item['import_id']}").body
    assert listed(other) == []


def test_a_page_of_rows_reads_no_more_of_a_long_list_than_it_shows(clinic: Clinic) -> None:
    """Of a million rows, all that follow would come into the service's memory for each page."""
    done = imports(clinic, f"number,sms_opt_out\n{ANN},FALSE\n" + f"{BEN},\n" * 3 * UNIT)
    made: list[Watched] = []

    async def page(after: int, limit: int) -> tuple[list[int], int]:
        async with await watched(clinic.service.database_url, made)() as conn:
            found = await book.verdicts_after(conn, UUID(done["import_id"]), after, None, limit)
        return [each.line for each in found], sum(rows for _, rows in made[-1].ran)

    last = 3 * UNIT + 2
    assert asyncio.run(page(0, 5)) == ([2, 3, 4, 5, 6], 1)
    assert asyncio.run(page(UNIT, 3)) == ([UNIT + 1, UNIT + 2, UNIT + 3], 2)
    assert asyncio.run(page(last - 1, 5)) == ([last], 1)
    assert asyncio.run(page(last, 5)) == ([], 0)


def test_a_cursor_of_something_else_is_refused(clinic: Clinic) -> None:
    """It names the field, and says nothing of what it held."""
    for cursor in ("x", "7", "-1-" + "0" * 32, "9" * 19 + "-" + "0" * 32, "1-" + "G" * 32):
        clinic.get(f"/v1/imports?cursor={cursor}").problem(422, "cursor-malformed", "/cursor")
    for limit in (0, 1_001):
        clinic.get(f"/v1/imports?limit={limit}").problem(422, "invalid-body", "/limit")
