"""The same texts in any order, with any repetition, come to the same standing (R-O2)."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from consent_ledger.decision import Question, decide
from consent_ledger.ledger import Submission
from consent_ledger.standing import Standing
from consent_ledger.store.view import View
from consent_ledger.store.writer import Writer
from consent_ledger.words import Purpose
from tests.store import drive as d
from tests.store.histories import HOUR, RULES, WORDS, now

ORDERS: Final = 30
SHAPES: Final = ((24, 36), (24, 8), (5, 2))
"""How many texts within how many instants: spread out, at the same instants, and just a few."""


def texts_of(count: int, instants: int, start: int) -> list[tuple[str, int]]:
    """Words at instants of two days, some of them at one instant."""
    dice = random.Random(count * instants)
    return [(dice.choice(WORDS), start + dice.randrange(instants) * HOUR) for _ in range(count)]


def told_apart_by_place(standing: Standing) -> Any:
    """A standing with every mark named by its instant, since versions are the order of arrival."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in sorted(value.items())}
        if isinstance(value, list):
            # A mark: instant, version, topic, number.
            is_mark = len(value) == 4 and isinstance(value[2], str) and isinstance(value[1], int)
            return [value[0], value[2]] if is_mark else [plain(each) for each in value]
        return value

    fields = msgspec.to_builtins(standing, str_keys=True)
    for name in ("reviews", "review_clocks"):
        if name in fields:
            fields[name] = sorted(map(repr, map(plain, fields[name].values())))
    return plain(fields)


def answers(view: View, number: UUID) -> list[Any]:
    """What is answered for each purpose, but for the versions of the evidence."""
    snapshot = view.number([number])[1].snapshot
    assert snapshot is not None
    found = []
    for purpose in Purpose:
        decision = decide(snapshot.standing, Question(purpose), view.account, view.now)
        fields = msgspec.to_builtins(decision)
        fields["e"] = [[mark.at, mark.topic] for mark in decision.evidence]
        found.append(fields)
    return [told_apart_by_place(snapshot.standing), *found]


async def deliver(
    writers: Sequence[Writer], account: UUID, number: UUID, texts: list[Any], seed: int
) -> None:
    """Delivers texts in an order of their own, in pieces, some of them two or three times."""
    dice = random.Random(seed)
    deliveries: list[Submission] = []
    for i, (word, at) in enumerate(texts):
        once = d.texted(account, number, word, at, claims=d.claimed(f"{number}{i}"), answered=False)
        deliveries += [once] * dice.choice([1, 1, 2, 3])
    dice.shuffle(deliveries)
    while deliveries:
        piece = [deliveries.pop() for _ in range(min(len(deliveries), dice.randint(1, 8)))]
        await d.all_of(dice.choice(writers), piece)


@pytest.mark.parametrize("rules", RULES)
def test_every_order_of_arrival_comes_to_the_same(database_url: str, rules: str) -> None:
    """Thirty orders through two writers, each to a number of its own, with repetitions: standing
    and decisions are the same, and each text is there once."""

    async def main() -> None:
        account = await d.open_account(database_url, rules)
        async with (
            d.writing(database_url) as one,
            d.writing(database_url) as two,
            d.reading(database_url) as reader,
        ):
            for count, instants in SHAPES:
                numbers = d.fresh(ORDERS)
                texts = texts_of(count, instants, now() - 48 * HOUR)
                await asyncio.gather(
                    *(deliver([one, two], account, n, texts, i) for i, n in enumerate(numbers))
                )
                view = await reader.view(account, numbers)
                found = [answers(view, number) for number in numbers]
                assert [each for each in found if each != found[0]] == []
                counts = d.query(
                    database_url,
                    "SELECT count(*) FROM events WHERE originator_id = ANY(%s) "
                    "AND topic <> 'ReplyIssued' GROUP BY originator_id",
                    numbers,
                )
                assert counts == [(count,)] * ORDERS

    asyncio.run(main())
    d.check_ledger(database_url)
