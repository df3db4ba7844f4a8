"""Claims: what is told twice is one fact with one answer, whichever writer it reaches."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from consent_ledger import commands as c
from consent_ledger.ledger import ClaimReusedError, Receipt
from consent_ledger.words import Preference
from tests.store import drive as d


def test_a_claim_is_recorded_once_in_a_batch_and_across_writers(database_url: str) -> None:
    """The same claim again is the same answer at the same place, and nothing recorded anew."""

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.writing(database_url) as one, d.writing(database_url) as two:
            for number in [*d.fresh(20), *d.fresh(1) * 5]:
                again = d.texted(account, number, "stop", claims=d.claimed(f"{uuid4()}"))
                told = await asyncio.gather(d.all_of(one, [again] * 3), d.all_of(two, [again] * 3))
                later = await two.record(again)
                answers: list[Any] = [*told[0], *told[1], later]
                assert len({(r.version, r.position, r.answer) for r in answers}) == 1
                assert sorted(r.recorded for r in answers) == [()] * 6 + [("StopReceived",)]

    asyncio.run(main())
    d.check_ledger(database_url)


def test_one_key_for_two_bodies_is_an_error_in_a_batch_too(database_url: str) -> None:
    """An Idempotency-Key with another body is refused whether the first was committed or not."""

    async def main() -> None:
        account = await d.open_account(database_url)
        (number,) = d.fresh(1)
        stop = d.texted(account, number, "stop", claims=d.claimed("k", uuid4()))
        start = d.texted(account, number, "start", claims=d.claimed("k", uuid4()))
        async with d.writing(database_url) as writer:
            together = await d.all_of(writer, [stop, start])
            assert [type(result) for result in together] == [Receipt, ClaimReusedError]
            with pytest.raises(ClaimReusedError):
                await writer.record(start)

    asyncio.run(main())


def test_of_two_numbers_that_race_for_a_message_id_one_wins(database_url: str) -> None:
    """In one batch and across writers, for new numbers and for known ones."""

    async def main() -> None:
        account = await d.open_account(database_url)
        known = d.fresh(2)
        async with d.writing(database_url) as one, d.writing(database_url) as two:
            for i in range(20):
                first, second = known if i % 2 else d.fresh(2)
                other = one if i % 4 < 2 else two
                results = await asyncio.gather(
                    one.record(d.asked(account, first, f"m{i}")),
                    other.record(d.asked(account, second, f"m{i}")),
                    return_exceptions=True,
                )
                kinds = sorted(type(result).__name__ for result in results)
                assert kinds == ["ClaimReusedError", "Receipt"]

    asyncio.run(main())
    d.check_ledger(database_url)
    twice = "SELECT message_id FROM deferred_messages GROUP BY message_id HAVING count(*) > 1"
    assert d.query(database_url, twice) == []


def test_a_confirmed_text_is_decided_anew_once(database_url: str) -> None:
    """`confirmed` changes the answer that the message id keeps, in one batch or later."""

    async def main() -> None:
        account = await d.open_account(database_url, "recalls")
        for waits in (False, True):
            (number,) = d.fresh(1)
            unread = c.RecordPreference(d.SENDER, "pms", Preference.UNREADABLE)
            asks = [
                d.asked(account, number, f"m{waits}", "recall", manual=True, confirmed=sure)
                for sure in (False, True, True, False)
            ]
            async with d.writing(database_url) as writer:
                await writer.record(d.told(account, number, unread))
                if waits:
                    found: list[Any] = [await writer.record(each) for each in asks]
                else:
                    found = await d.all_of(writer, asks)
            states = [receipt.answer.state for receipt in found]
            assert states == ["needs_confirmation", "permitted", "permitted", "permitted"]
            assert [len(receipt.recorded) for receipt in found] == [1, 1, 0, 0]

    asyncio.run(main())
    d.check_ledger(database_url)
