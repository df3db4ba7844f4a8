"""Outgoing webhooks: signed by Standard Webhooks, retried, in order, replayable (section 6)."""

import asyncio
import copy
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from email.utils import formatdate
from typing import Any, Final, NamedTuple
from uuid import UUID

import pytest

from api.feed import endpoints
from consent_ledger.keyring import Keyring
from consent_ledger.policy import DAY
from consent_ledger.store.connection import connector
from tests.api.answer import Answer, Json
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.receiver import Receiver, eventually, receiving
from tests.api.test_feed import recorded
from tests.api.test_personal_data import tell_everything, traces
from tests.conftest import new_database
from tests.service import Running, running

PATH: Final = "/v1/webhook-endpoints"
PRIVATE: Final = "CONSENT_LEDGER_WEBHOOK_PRIVATE_ADDRESSES"


@pytest.fixture(scope="module")
def hooked(server_url: str, template: str) -> Iterator[Running]:
    """A service that may deliver to this machine, alone on a database: no other delivers there."""
    with (
        pytest.MonkeyPatch.context() as patch,
        new_database(server_url, template) as url,
    ):
        patch.setenv(PRIVATE, "true")
        with running(url) as service:
            yield service


@pytest.fixture
def clinic(hooked: Running) -> Clinic:
    """An account of that service, without preset's consents in the way."""
    return Clinic(hooked, "opt-out", {})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who is told."""
    with receiving() as found:
        yield found


def hook(clinic: Clinic, url: str, **more: Any) -> Answer:
    """An admin makes an endpoint."""
    answer = clinic.post(PATH, url=url, **more)
    assert answer.status == 201, answer.response.text
    return answer


def seen(clinic: Clinic, endpoint: Answer) -> Json:
    """How an endpoint is doing."""
    return clinic.get(f"{PATH}/{endpoint['endpoint_id']}").body


def act(clinic: Clinic, endpoint: Answer, verb: str, **body: Any) -> Answer:
    """An admin rotates, replays or enables."""
    return clinic.call("POST", f"{PATH}/{endpoint['endpoint_id']}/{verb}", "admin", body or None)


def set_row(clinic: Clinic, endpoint: Answer, assignment: str) -> None:
    """Time passes for an endpoint."""
    clinic.service.database.execute(
        f"UPDATE webhook_endpoints SET {assignment} WHERE endpoint_id = %s".encode(),
        (endpoint["endpoint_id"],),
    )


def test_an_event_is_delivered_signed(clinic: Clinic, receiver: Receiver) -> None:
    """The CloudEvent of the feed, and a signature that the library of Standard Webhooks takes."""
    endpoint = hook(clinic, receiver.url)
    clinic.hears(ANN, "STOP")
    told = clinic.feed()[2:]
    came = receiver.got(len(told))
    assert [delivery.event for delivery in came] == told
    for delivery, event in zip(came, told, strict=True):
        assert delivery.headers["content-type"] == "application/cloudevents+json"
        assert delivery.headers["webhook-id"] == event["id"]
        assert delivery.signed_by(endpoint["secret"])
        assert not delivery._replace(body=delivery.body + b" ").signed_by(endpoint["secret"])
        other = {**delivery.headers, "webhook-id": "another"}
        assert not delivery._replace(headers=other).signed_by(endpoint["secret"])
    eventually(lambda: seen(clinic, endpoint)["position"] == int(told[-1]["position"]))
    now = seen(clinic, endpoint)
    assert (now["state"], now["failures"], now["last_status"]) == ("enabled", 0, 204)
    assert now["last_delivered_at"] == now["last_attempt_at"]


def test_staff_hear_of_a_reply_within_a_second_or_so(clinic: Clinic, receiver: Receiver) -> None:
    """R-M11: the webhooks carry an incoming reply, with the users who asked for it."""
    hook(clinic, receiver.url, types=["ReplyNotUnderstood"])
    clinic.sends(ANN, sent_by="jo").is_("permitted")
    time.sleep(1)
    clinic.hears(ANN, "see you at four")
    began = time.monotonic()
    (delivery,) = receiver.got(1)
    assert time.monotonic() - began < 2
    assert delivery.event["data"]["asked_by"] == ["jo"]


def test_a_secret_is_shown_once(clinic: Clinic, receiver: Receiver) -> None:
    """When it is made; the database has it encrypted."""
    logged = clinic.service.log_size
    endpoint = hook(clinic, receiver.url)
    secret = endpoint["secret"]
    assert secret.startswith("whsec_")
    shown = {name: value for name, value in endpoint.body.items() if name != "secret"}
    assert seen(clinic, endpoint) == shown
    assert clinic.get(PATH).body == {"items": [shown], "next_cursor": None}
    rows = clinic.service.rows("SELECT secret FROM webhook_endpoints")
    assert all(secret.encode() not in bytes(row[0]) for row in rows)
    assert secret not in clinic.service.log_since(logged)


def test_one_key_makes_one_endpoint(clinic: Clinic, receiver: Receiver) -> None:
    """An admin who got no answer repeats the request, and gets the same secret."""
    body = {"url": receiver.url}
    first, again = (
        clinic.call("POST", PATH, "admin", body, Idempotency_Key="make-1") for _ in range(2)
    )
    assert first.body == again.body
    assert len(clinic.get(PATH)["items"]) == 1
    other = {"url": receiver.url, "user": "jo"}
    answer = clinic.call("POST", PATH, "admin", other, Idempotency_Key="make-1")
    answer.problem(422, "idempotency-key-reused")


def test_what_was_not_taken_comes_again_before_what_follows(
    clinic: Clinic, receiver: Receiver
) -> None:
    """In order, at least once: a failing event is repeated, and nothing overtakes it."""
    receiver.answers = [500, 503, 302]
    endpoint = hook(clinic, receiver.url)
    for _ in range(3):
        clinic.opts_out(ANN)
    eventually(lambda: seen(clinic, endpoint)["failures"] >= 1)
    failing = seen(clinic, endpoint)
    assert failing["last_status"] in (500, 503, 302)
    assert failing["failing_since"]
    assert failing["next_attempt_at"] > failing["last_attempt_at"]
    first, second, third = (event["id"] for event in clinic.feed(type="OptedOut"))
    receiver.got(6)
    assert receiver.ids == [first] * 4 + [second, third]
    eventually(lambda: seen(clinic, endpoint)["failures"] == 0)
    assert seen(clinic, endpoint)["failing_since"] is None


def test_delays_grow_and_differ() -> None:
    """From a second, doubled, up to an hour; never quite the same."""
    for failures, seconds in ((1, 1), (2, 2), (5, 16), (12, 2_048), (13, 3_600), (10_000, 3_600)):
        delays = {endpoints.delay_seconds(failures) for _ in range(50)}
        assert len(delays) > 1
        assert seconds * 0.8 <= min(delays) <= max(delays) <= seconds * 1.2


class Pause(NamedTuple):
    """What a receiver asks for, with a status, and the seconds after which it is tried again."""

    status: int
    asked: str
    least: float = 0.5
    most: float = 2


def pauses() -> Iterator[Pause]:
    """In seconds and as a date: with 429 and 503, a day at most, and never sooner."""
    for status, seconds, *waits in (
        (503, 3600, 3_590, 3_601),
        (429, 3600, 3_590, 3_601),
        (503, 10**9, 86_390, 86_401),
        (503, 0),
        (500, 3600),
    ):
        yield Pause(status, str(seconds), *waits)
        yield Pause(status, formatdate(time.time() + seconds, usegmt=True), *waits)


def test_a_receiver_may_ask_for_a_pause(clinic: Clinic) -> None:
    """Retry-After; each receiver is waited for by itself."""
    with ExitStack() as stack:
        endpoints = {}
        for pause in pauses():
            receiver = stack.enter_context(receiving())
            receiver.always, receiver.retry_after = pause.status, pause.asked
            endpoints[pause] = hook(clinic, receiver.url)
        clinic.opts_out(ANN)
        for pause, endpoint in endpoints.items():
            eventually(lambda endpoint=endpoint: seen(clinic, endpoint)["failures"] >= 1)
            now = seen(clinic, endpoint)
            last, following = (
                datetime.fromisoformat(now[name]) for name in ("last_attempt_at", "next_attempt_at")
            )
            # Who is tried again after a second or so may have been, and then waits twice as long.
            most = pause.most * 2 ** (now["failures"] - 1)
            assert pause.least <= (following - last).total_seconds() <= most, pause


def test_a_pause_that_cannot_be_read_is_none(clinic: Clinic) -> None:
    """The delivery comes again as it would without."""
    with ExitStack() as stack:
        receivers = {}
        for said in ("soon", "-5", "", "1.5", "\u00b2", "Fri, 99 Foo 2026"):
            receiver = receivers[said] = stack.enter_context(receiving())
            receiver.answers, receiver.retry_after = [503], said
            hook(clinic, receiver.url)
        clinic.opts_out(ANN)
        for said, receiver in receivers.items():
            receiver.got(2)
            assert receiver.ids[0] == receiver.ids[1], said


def test_gone_disables_at_once(clinic: Clinic, receiver: Receiver) -> None:
    """410: the receiver wants nothing more; an admin may enable it again, and nothing is lost."""
    receiver.always = 410
    endpoint = hook(clinic, receiver.url)
    clinic.opts_out(ANN)
    eventually(lambda: seen(clinic, endpoint)["state"] == "disabled")
    assert seen(clinic, endpoint)["disabled_because"] == "gone"
    receiver.always = 204
    clinic.opts_out(BEN)
    time.sleep(1.5)
    assert len(receiver.came) == 1
    assert act(clinic, endpoint, "enable")["state"] == "enabled"
    receiver.got(3)
    one, two = (event["id"] for event in clinic.feed(type="OptedOut"))
    assert receiver.ids == [one, one, two]


def test_days_of_failures_disable(clinic: Clinic, receiver: Receiver) -> None:
    """An endpoint that failed for five days is given up; one that failed for four is not."""
    receiver.always = 500
    endpoint = hook(clinic, receiver.url)
    clinic.opts_out(ANN)
    eventually(lambda: seen(clinic, endpoint)["failures"] == 1)
    set_row(clinic, endpoint, f"failing_since = failing_since - {4 * DAY}")
    eventually(lambda: seen(clinic, endpoint)["failures"] == 2)
    assert seen(clinic, endpoint)["state"] == "enabled"
    set_row(clinic, endpoint, f"failing_since = failing_since - {DAY}")
    eventually(lambda: seen(clinic, endpoint)["state"] == "disabled")
    assert seen(clinic, endpoint)["disabled_because"] == "failing"


def test_a_replay_has_the_ids_that_they_had(clinic: Clinic, receiver: Receiver) -> None:
    """From any position on, so that a receiver knows the repetition."""
    endpoint = hook(clinic, receiver.url)
    for number in (ANN, BEN):
        clinic.opts_out(number)
    everything = recorded(clinic)
    receiver.got(2)
    assert receiver.ids == everything[2:]
    act(clinic, endpoint, "replay", after=0)
    receiver.got(2 + len(everything))
    assert receiver.ids[2:] == everything
    last = int(clinic.feed()[-2]["position"])
    act(clinic, endpoint, "replay", after=last)
    receiver.got(3 + len(everything))
    assert receiver.ids[-1] == everything[-1]
    far = act(clinic, endpoint, "replay", after=2**63 - 1)
    assert far["position"] < 2**63 - 1
    clinic.opts_out(ANN)
    receiver.got(4 + len(everything))
    assert receiver.ids[-1] == recorded(clinic)[-1]


def test_a_replay_begins_there_though_a_delivery_is_under_way(
    clinic: Clinic, receiver: Receiver
) -> None:
    """What is taken meanwhile does not move the endpoint on over what was asked for again."""
    endpoint = hook(clinic, receiver.url)
    receiver.may_answer.clear()
    clinic.opts_out(ANN)
    receiver.got(1)
    act(clinic, endpoint, "replay", after=0)
    receiver.may_answer.set()
    everything = recorded(clinic)
    receiver.got(1 + len(everything))
    assert receiver.ids == [everything[-1], *everything]


def test_events_that_were_passed_over_are_those_that_were_read(
    clinic: Clinic, receiver: Receiver
) -> None:
    """A replay that comes between the page and the note of it begins where it was asked to."""
    answer = hook(clinic, receiver.url, types=["NumberReassigned"])
    service, end = clinic.service, answer["position"] + 1
    # Nobody delivers to it meanwhile.
    set_row(clinic, answer, f"next_attempt_at = {endpoints.NOW} + {DAY}")

    async def note_what_was_read() -> bool:
        async with await connector(service.database_url)() as conn:
            endpoint_id = UUID(answer["endpoint_id"])
            read = await endpoints.load(conn, service.keyring, endpoint_id)
            assert read is not None
            set_row(clinic, answer, "position = 0")
            return await endpoints.note_passed(conn, read, read.position, end)

    assert asyncio.run(note_what_was_read()) is False
    assert seen(clinic, answer)["position"] == 0


def test_an_answer_to_an_older_delivery_disables_nothing(
    clinic: Clinic, receiver: Receiver
) -> None:
    """An admin has changed the endpoint since, perhaps because it was gone: it is tried anew."""
    receiver.answers = [410]
    receiver.may_answer.clear()
    endpoint = hook(clinic, receiver.url)
    clinic.opts_out(ANN)
    receiver.got(1)
    act(clinic, endpoint, "rotate")
    receiver.may_answer.set()
    receiver.got(2)
    assert receiver.ids[0] == receiver.ids[1]
    eventually(lambda: seen(clinic, endpoint)["last_status"] == 204)
    assert seen(clinic, endpoint)["state"] == "enabled"


def test_two_secrets_sign_for_a_day(clinic: Clinic, receiver: Receiver) -> None:
    """After a rotation receivers have a day to change over; then the former one signs no more."""
    endpoint = hook(clinic, receiver.url)
    rotated = act(clinic, endpoint, "rotate")
    assert rotated["secret"] != endpoint["secret"]
    assert rotated["former_secret_until"]
    clinic.opts_out(ANN)
    (delivery,) = receiver.got(1)
    assert delivery.signed_by(endpoint["secret"])
    assert delivery.signed_by(rotated["secret"])
    set_row(clinic, endpoint, f"former_until = former_until - {DAY}")
    clinic.opts_out(ANN)
    delivery = receiver.got(2)[1]
    assert not delivery.signed_by(endpoint["secret"])
    assert delivery.signed_by(rotated["secret"])


def test_a_new_secret_signs_from_the_next_delivery_on(clinic: Clinic, receiver: Receiver) -> None:
    """Though the events that follow were read before it was made."""
    endpoint = hook(clinic, receiver.url)
    receiver.may_answer.clear()
    act(clinic, endpoint, "replay", after=0)
    receiver.got(1)
    rotated = act(clinic, endpoint, "rotate")
    receiver.may_answer.set()
    first, second = receiver.got(2)
    assert not first.signed_by(rotated["secret"])
    assert second.signed_by(rotated["secret"])


def test_an_endpoint_hears_of_what_it_asked_for(clinic: Clinic, receiver: Receiver) -> None:
    """Types, the replies of one user, or both; and it moves on over the rest."""
    with receiving() as of_kim:
        stops = hook(clinic, receiver.url, types=["ConsentLedger.StopReceived"])
        assert stops["types"] == ["StopReceived"]
        hook(clinic, of_kim.url, user="kim")
        clinic.sends(ANN, sent_by="jo")
        clinic.sends(BEN, sent_by="kim")
        for number in (ANN, BEN):
            clinic.hears(number, "hello")
            clinic.hears(number, "STOP")
        of_kim.got(2)
        receiver.got(2)
        assert of_kim.types == ["ReplyNotUnderstood", "StopReceived"]
        assert {d.event["subject"] for d in of_kim.came} == {str(clinic.number_id(BEN))}
        assert receiver.types == ["StopReceived", "StopReceived"]
        last = int(clinic.feed()[-1]["position"])
        eventually(lambda: seen(clinic, stops)["position"] == last)


def test_no_endpoint_hears_of_another_account(hooked: Running, receiver: Receiver) -> None:
    """Nothing crosses."""
    mine, theirs = Clinic(hooked, "opt-out", {}), Clinic(hooked, "opt-out", {})
    endpoint = hook(mine, receiver.url)
    theirs.hears(ANN, "STOP")
    mine.opts_out(ANN)
    receiver.got(1)
    assert receiver.types == ["OptedOut"]
    assert theirs.get(PATH)["items"] == []
    for verb, body in (("enable", {}), ("rotate", {}), ("replay", {"after": 0})):
        act(theirs, endpoint, verb, **body).problem(404, "not-found")
    path = f"{PATH}/{endpoint['endpoint_id']}"
    for method in ("GET", "DELETE"):
        theirs.call(method, path).problem(404, "not-found")


def test_a_deleted_endpoint_hears_no_more(clinic: Clinic, receiver: Receiver) -> None:
    """And its secret is gone from the database."""
    endpoint = hook(clinic, receiver.url)
    clinic.opts_out(ANN)
    receiver.got(1)
    path = f"{PATH}/{endpoint['endpoint_id']}"
    assert clinic.call("DELETE", path).body == {
        "endpoint_id": endpoint["endpoint_id"],
        "deleted": True,
    }
    clinic.opts_out(ANN)
    time.sleep(1.2)
    assert len(receiver.came) == 1
    clinic.call("DELETE", path).problem(404, "not-found")
    assert clinic.get(PATH)["items"] == []


def test_an_account_has_fifty_at_most(clinic: Clinic) -> None:
    """Each reads the account's events for itself."""
    for place in range(50):
        hook(clinic, f"https://hooks.example.com/{place}", types=["NumberReassigned"])
    with clinic.unchanged():
        answer = clinic.post(PATH, url="https://hooks.example.com/50")
        answer.problem(409, "webhook-endpoint-limit")


def test_no_delivery_holds_a_number_or_a_word(clinic: Clinic, receiver: Receiver) -> None:
    """Section 9; and neither does the log, whatever a receiver answers."""
    receiver.answers = [500]
    logged = clinic.service.log_size
    hook(clinic, receiver.url)
    tell_everything(clinic)
    receiver.got(1 + len(recorded(clinic)) - 2)
    text = json.dumps([[d.headers, d.event] for d in receiver.came])
    log = clinic.service.log_since(logged)
    assert "webhook_failed" in log
    for trace in traces():
        assert trace not in text
        assert trace not in log


def test_redirects_are_not_followed(clinic: Clinic, receiver: Receiver) -> None:
    """Else a receiver could send a delivery into the network that the service stands in."""
    with receiving() as inside:
        receiver.always, receiver.location = 307, inside.url
        endpoint = hook(clinic, receiver.url)
        clinic.opts_out(ANN)
        eventually(lambda: seen(clinic, endpoint)["failures"] >= 1)
        assert seen(clinic, endpoint)["last_status"] == 307
        assert inside.came == []


def test_of_a_long_answer_little_is_read(clinic: Clinic, receiver: Receiver) -> None:
    """A receiver that answers without end holds nothing up."""
    receiver.endless = True
    hook(clinic, receiver.url)
    clinic.opts_out(ANN)
    clinic.opts_out(BEN)
    receiver.got(2)
    assert receiver.ids == recorded(clinic)[2:]


@pytest.fixture
def two(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Clinic, Clinic]]:
    """One account, asked of two processes of one deployment."""
    monkeypatch.setenv(PRIVATE, "true")
    ring = Keyring.generate()
    with running(database_url, ring) as one, running(database_url, ring) as other:
        here = Clinic(one, "opt-out", {})
        there = copy.copy(here)
        there.service = other
        yield here, there


def test_one_process_delivers_and_the_other_takes_over(
    two: tuple[Clinic, Clinic], receiver: Receiver
) -> None:
    """Each event once, though both could deliver; after `kill -9` the other goes on from there."""
    here, there = two
    hook(here, receiver.url)
    for place in range(40):
        (here, there)[place % 2].opts_out(ANN)
    receiver.got(40)
    time.sleep(0.5)
    assert receiver.ids == recorded(here)[2:]
    here.service.kill()
    for _ in range(10):
        there.opts_out(ANN)
    receiver.got(50)
    everything = recorded(there)[2:]
    assert list(dict.fromkeys(receiver.ids)) == everything
    assert len(receiver.came) <= 51


def test_a_restart_goes_on_from_the_kept_position(
    database_url: str, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """Killed in the middle of a delivery: what was not taken comes, and no event is left out."""
    monkeypatch.setenv(PRIVATE, "true")
    ring = Keyring.generate()
    with running(database_url, ring) as service:
        clinic = Clinic(service, "opt-out", {})
        hook(clinic, receiver.url)
        for _ in range(30):
            clinic.opts_out(ANN)
        receiver.got(5)
        service.kill()
    came = len(receiver.came)
    with running(database_url, ring) as again:
        clinic.service = again
        everything = recorded(clinic)[2:]
        assert len(everything) == 30
        eventually(lambda: receiver.ids[-1] == everything[-1])
    assert list(dict.fromkeys(receiver.ids)) == everything
    # The one that was under way when the process was killed may have come twice.
    assert len(receiver.came) - len(everything) <= 1, came
