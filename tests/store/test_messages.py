"""Messages are found by their ids; those who ask at the same time share a look."""

import asyncio
from uuid import UUID, uuid4

import msgspec
import pytest

from consent_ledger.ledger import UnavailableError
from consent_ledger.store.messages import FIND, Message, Messages
from tests.store import drive as d


async def found(messages: Messages, account: UUID, *ids: str) -> list[Message | None]:
    """What is found of messages that are asked for at once."""
    asked = (messages.find(account, d.message_key(each), each) for each in ids)
    return list(await asyncio.gather(*asked))


def test_a_message_is_found_by_account_and_id(database_url: str) -> None:
    """With its number, the event that answered and, where it was held, what is known of it."""

    async def main() -> None:
        one, other = [await d.open_account(database_url) for _ in range(2)]
        held, sent = d.fresh(2)
        async with d.writing(database_url) as writer, d.finding(database_url) as messages:
            await d.all_of(
                writer, [d.asked(one, held, "held"), d.asked(one, sent, "sent", "recall")]
            )
            d.run(database_url, "INSERT INTO numbers VALUES (%s, %s, '+14155550100')", held, one)
            first, second, third = await found(messages, one, "held", "sent", "neither")
            assert first is not None
            assert second is not None
            assert (first.number_id, first.version, first.number) == (held, 2, "+14155550100")
            assert first.held is not None
            assert first.held.message_id == "held"
            assert (second.number_id, second.number, second.held) == (sent, None, None)
            assert third is None
            assert await found(messages, other, "held") == [None]
            assert await found(messages, one, "held\0", "\0") == [None, None]
            with pytest.raises(ValueError, match="surrogates not allowed"):
                await messages.find(one, d.message_key("half"), "half \ud83d")
            assert await found(messages, one, "neither") == [None]

    asyncio.run(main())


def test_those_who_ask_together_share_a_look(database_url: str) -> None:
    """The first goes alone; all that ask while it runs share the next."""

    async def main() -> None:
        account = await d.open_account(database_url)
        made: list[d.Watched] = []
        numbers = d.fresh(50)
        async with (
            d.writing(database_url) as writer,
            d.finding(database_url, d.watched(database_url, made)) as messages,
        ):
            await d.all_of(writer, [d.asked(account, n, f"text-{n}") for n in numbers])
            first = asyncio.ensure_future(found(messages, account, f"text-{numbers[0]}"))
            while not messages._asked:
                await asyncio.sleep(0)
            all_found = await found(messages, account, *(f"text-{n}" for n in numbers))
            await first
        assert [each.number_id for each in all_found if each] == numbers
        assert [text for text, _ in made[0].ran].count(FIND) == 2

    asyncio.run(main())


def test_a_damaged_text_fails_the_one_who_reads_it(database_url: str) -> None:
    """And nobody who shared the look."""

    async def main() -> None:
        account = await d.open_account(database_url)
        numbers = d.fresh(2)
        async with d.writing(database_url) as writer, d.finding(database_url) as messages:
            await d.all_of(writer, [d.asked(account, n, f"text-{n}") for n in numbers])
            broken = "UPDATE deferred_messages SET held = %s WHERE number_id = %s"
            d.run(database_url, broken, b"\xc1garbage", numbers[0])
            damaged, whole = await found(messages, account, *(f"text-{n}" for n in numbers))
            assert damaged is not None
            assert whole is not None
            with pytest.raises(msgspec.MsgspecError):
                _ = damaged.held
            assert whole.held is not None

    asyncio.run(main())


def test_a_lost_connection_is_unavailable_and_then_forgotten(database_url: str) -> None:
    """One answer is lost, the next is as good as ever."""

    async def main() -> None:
        async with d.finding(database_url) as messages:
            assert await found(messages, uuid4(), "text-1") == [None]
            d.query(database_url, d.CUT)
            with pytest.raises(UnavailableError):
                await found(messages, uuid4(), "text-1")
            assert await found(messages, uuid4(), "text-1") == [None]

    asyncio.run(main())
