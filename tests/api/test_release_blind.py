"""What a model of held texts, made from the rules alone, found otherwise (contract section 5)."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from api.handing_out import ENDED
from consent_ledger import commands as c
from consent_ledger.words import MessageState
from tests.api.clinic import ANN, BEN, Clinic, ago, ahead
from tests.api.together import NUMBER, holding
from tests.store import drive as d


def ended(clinic: Clinic) -> int:
    """How many texts have expired on the record."""
    return len(clinic.history(ANN, type="MessageExpired", limit=1000))


def test_what_is_shown_of_a_text_regards_the_contacts_other_numbers(clinic: Clinic) -> None:
    """Row 4: a STOP on one of them bars it, and a START there lets it go."""
    clinic.sends(ANN, message_id="out-1", contact_numbers=[BEN]).is_("deferred")
    clinic.hears(ANN, "CONSENT")
    assert clinic.fate("out-1") == "releasable"
    clinic.hears(BEN, "STOP")
    assert clinic.fate("out-1") == "deferred"
    found = clinic.releases("out-1").problem(409, "not-releasable")
    assert (found["reason"], found["state"]) == ("opted_out_on_other_number", "deferred")
    clinic.hears(BEN, "START")
    assert clinic.fate("out-1") == "releasable"


def test_an_erased_persons_text_is_not_said_to_be_releasable(clinic: Clinic) -> None:
    """There is no number to send it to, and nobody is given it; if it comes again, it may go."""
    clinic.sends(ANN, message_id="out-1").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase")
    assert (clinic.fate("out-1"), clinic.releasable()) == ("deferred", [])
    clinic.sends(ANN, "recall").is_("permitted")
    assert (clinic.fate("out-1"), clinic.releasable()) == ("releasable", ["out-1"])
    assert clinic.takes_next() == ["out-1"]


def test_a_request_told_late_makes_a_no_the_answer_to_it(clinic: Clinic) -> None:
    """R-F1, R-F4: a text that was declined, as is learnt late, is cancelled for good."""
    clinic.sends(ANN, message_id="out-1").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    between = ago()
    clinic.hears(ANN, "NO")
    assert clinic.fate("out-1") == "releasable"
    late = clinic.requests(ANN, purposes=["conversation", "marketing"], occurred_at=between)
    late.recorded("ConsentRequested", "MessageCancelled")
    assert clinic.fate("out-1") == "cancelled"
    clinic.hears(ANN, "CONSENT")
    assert clinic.takes_next() == []


def test_a_key_gets_the_answer_of_its_time_though_the_text_was_confirmed(clinic: Clinic) -> None:
    """Who asked first is not told that the text may go: who confirmed it was."""
    clinic.learns_preference(ANN, "not_consented")
    body = {"message_id": "out-1", "number": ANN, "purpose": "recall", "manual": True}

    def asks(key: str, **more: bool) -> str:
        answer = clinic.call("POST", "/v1/messages", "sender", body | more, Idempotency_Key=key)
        state: str = answer["state"]
        return state

    assert asks("first") == "needs_confirmation"
    assert asks("second", confirmed=True) == "permitted"
    assert asks("first") == "needs_confirmation"
    assert asks("second", confirmed=True) == "permitted"
    changed = {**body, "confirmed": True}
    found = clinic.call("POST", "/v1/messages", "sender", changed, Idempotency_Key="first")
    found.problem(422, "idempotency-key-reused")


def test_a_key_is_not_used_up_by_a_text_that_waits_on(clinic: Clinic) -> None:
    """Whatever was recorded of the number in the same transaction."""
    clinic.sends(ANN, message_id="out-1").is_("deferred")

    def releases() -> int:
        body, path = {"claimed_by": "worker-1"}, "/v1/messages/out-1/release"
        return clinic.call("POST", path, "sender", body, Idempotency_Key="one").status

    with ThreadPoolExecutor(3) as pool:
        with holding(clinic.service, NUMBER, clinic.number_id(ANN)) as until_waiting:
            first = pool.submit(clinic.blocks, ANN)
            until_waiting(1)
            tried, second = pool.submit(releases), pool.submit(clinic.blocks, ANN)
            time.sleep(0.2)
        assert (first.result().status, second.result().status, tried.result()) == (200, 200, 409)
    clinic.hears(ANN, "CONSENT")
    assert (releases(), releases()) == (200, 200)


def test_a_key_of_a_release_that_was_one_already_is_kept(clinic: Clinic) -> None:
    """Contract section 2: the same answer again, and for another body an error."""
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "CONSENT")
    clinic.releases("out-1").recorded("MessageReleased")
    path, body = "/v1/messages/out-1/release", {"claimed_by": "worker-1"}
    first = clinic.call("POST", path, "sender", body, Idempotency_Key="one").recorded()
    clinic.blocks(ANN)
    again = clinic.call("POST", path, "sender", body, Idempotency_Key="one")
    assert again.body == first.body
    other = clinic.call("POST", path, "sender", {"claimed_by": "worker-2"}, Idempotency_Key="one")
    other.problem(422, "idempotency-key-reused")


def test_a_claimant_does_not_wait_until_a_whole_campaign_is_ended(clinic: Clinic) -> None:
    """Texts that expired are ended some at a time, and what may go is given out meanwhile."""
    ids = [f"old-{place}" for place in range(ENDED + 50)]
    for message_id in ids:
        clinic.sends(ANN, message_id=message_id, expires_at=ahead(seconds=1)).is_("deferred")
    clinic.sends(ANN, message_id="new").is_("deferred")
    clinic.hears(ANN, "CONSENT")
    while clinic.fate(ids[-1]) == "releasable":
        pass
    assert clinic.takes_next() == ["new"]
    assert ended(clinic) == ENDED
    assert clinic.takes_next() == []
    assert ended(clinic) == len(ids)


def test_of_a_number_with_many_texts_only_the_one_released_is_read(database_url: str) -> None:
    """Ten thousand of them took a tenth of a second each, and as long to take one back."""
    (number,) = d.fresh(1)
    made: list[d.Watched] = []

    async def main() -> None:
        account = await d.open_account(database_url)
        async with d.writing(database_url, d.watched(database_url, made)) as writer:
            texts = [d.asked(account, number, f"out-{place}") for place in range(30)]
            await d.all_of(writer, [*texts, d.texted(account, number, "consent")])
            for command in (
                d.released(account, number, "out-7", "worker-1"),
                d.told(account, number, c.CancelMessage(d.SENDER, "out-8")),
            ):
                made[0].ran.clear()
                receipt = await writer.record(command)
                assert receipt.answer.state in (MessageState.RELEASED, MessageState.CANCELLED)
                assert max(rows for _, rows in made[0].ran) <= 2

    asyncio.run(main())
