"""The event feed: every event, gap-free, in order, as CloudEvents (contract section 6)."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from tests.api.answer import Json
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.test_personal_data import tell_everything, traces
from tests.api.test_processes import in_parallel, seen_from
from tests.service import LOCAL, SECONDS, Running

ATTRIBUTE = re.compile("[a-z0-9]{1,20}")
"""What CloudEvents 1.0 lets an attribute be called."""
POLICY_FIELD = "unreachable_limit"


def recorded(clinic: Clinic) -> list[str]:
    """The ids of the account's events as the database holds them, in order of position."""
    rows = clinic.service.rows(
        "SELECT originator_id, originator_version FROM events WHERE account_id = %s "
        "ORDER BY position",
        clinic.account_id,
    )
    return [f"{number_id.hex}-{version}" for number_id, version in rows]


def ids(events: list[Json]) -> list[str]:
    """The ids of events."""
    return [event["id"] for event in events]


@contextlib.contextmanager
def stream(clinic: Clinic, query: str = "", **headers: str) -> Iterator[Iterator[Json]]:
    """A follower of server-sent events: each with its `id`, `event` and `data`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Authorization": f"Bearer {clinic.keys['auditor']}", "Accept": "text/event-stream"}
    url = f"{clinic.service.base_url}/v1/feed{query}"
    with httpx2.stream("GET", url, headers=sent, timeout=SECONDS, **LOCAL) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Json]:
    fields: dict[str, str] = {}
    until = time.monotonic() + SECONDS
    for line in lines:
        assert time.monotonic() < until, "the stream is alive, and has nothing"
        if not line and "data" in fields:
            yield {**fields, "data": json.loads(fields["data"])}
        if not line:
            fields = {}
        else:
            name, _, value = line.partition(": ")
            fields[name] = value


def some(events: Iterator[Json], count: int) -> list[Json]:
    """The next so many."""
    return [next(events) for _ in range(count)]


def test_the_feed_is_every_event_in_order(clinic: Clinic) -> None:
    """Section 6: those of numbers and of the account itself, page by page and none twice."""
    tell_everything(clinic)
    everything = recorded(clinic)
    assert len(everything) > 20
    for limit in (1, 3, 1000):
        assert ids(clinic.feed(limit=limit)) == everything
    positions = [int(event["position"]) for event in clinic.feed(limit=7)]
    assert positions == sorted(set(positions))
    assert {"AccountOpened", "PolicyAdopted", "RevocationSuspected", "ReplyIssued"} <= {
        event["type"].removeprefix("ConsentLedger.") for event in clinic.feed()
    }


def test_an_event_is_a_cloud_event(clinic: Clinic) -> None:
    """Version 1.0 in JSON: what it must have, and our own attributes beside it."""
    clinic.opts_out(ANN, correlation_id="import-7")
    (event,) = clinic.feed(type="OptedOut")
    (told,) = clinic.history(ANN)
    assert event["specversion"] == "1.0"
    assert event["id"] == told["event_id"]
    assert event["source"] == f"/accounts/{clinic.account_id}"
    assert event["type"] == "ConsentLedger.OptedOut"
    assert event["subject"] == str(clinic.number_id(ANN))
    assert event["time"] == told["occurred_at"]
    assert event["recordedtime"] == told["recorded_at"]
    assert event["datacontenttype"] == "application/json"
    assert (event["position"], event["numberversion"]) == (str(told["position"]), 1)
    assert event["correlationid"] == "import-7"
    assert "causationid" not in event
    assert event["data"] == {name: value for name, value in told.items() if name != "words"}


def test_what_caused_an_event_is_named(clinic: Clinic) -> None:
    """A request for consent that a deferred text brought with it names that text's event."""
    clinic.sends(ANN).is_("deferred")
    deferred, asked = clinic.feed(type="MessageDeferred,ConsentRequested")
    assert asked["causationid"] == deferred["id"]


def test_attributes_are_named_as_cloud_events_allow(clinic: Clinic) -> None:
    """Lower-case letters and digits, values that are texts or 32-bit integers."""
    tell_everything(clinic)
    for event in clinic.feed():
        for name, value in event.items():
            assert ATTRIBUTE.fullmatch(name), name
            small = isinstance(value, int) and abs(value) < 2**31
            assert name == "data" or isinstance(value, str) or small, name
        assert {"specversion", "id", "source", "type"} <= event.keys()


def test_an_event_of_the_account_has_no_subject(clinic: Clinic) -> None:
    """It is about no number; a policy is shown by the names of its fields."""
    opened, adopted = clinic.feed()
    assert opened["type"] == "ConsentLedger.AccountOpened"
    assert "subject" not in opened
    assert (opened["accountversion"], adopted["accountversion"]) == (1, 2)
    assert adopted["data"]["data"]["policy"][POLICY_FIELD] == 3


def test_another_accounts_events_never_appear(open_clinic: Open) -> None:
    """Nothing crosses, for a follower who waits and for a stream too."""
    mine, theirs = open_clinic(), open_clinic()
    for _ in range(3):
        theirs.hears(ANN, "STOP")
        mine.hears(ANN, "HELP")
    assert ids(mine.feed()) == recorded(mine)
    assert ids(theirs.feed()) == recorded(theirs)
    after = mine.follows(limit=1000)["next_after"]
    began = time.monotonic()
    waiting: list[Any] = []
    in_parallel(
        lambda: waiting.append(mine.follows(after=after, wait=1.5)),
        lambda: (time.sleep(0.5), theirs.hears(ANN, "START")),
    )
    assert waiting[0].body == {"items": [], "next_after": after}
    assert time.monotonic() - began >= 1.5


def test_no_gap_while_two_processes_write(clinic: Clinic, second: Running) -> None:
    """Eight writers in two processes; followers of every kind, in both, see exactly the events."""
    there = seen_from(clinic, second)
    start = len(recorded(clinic))
    total = start + 8 * 25
    done: dict[str, list[str]] = {}

    def write(at: Clinic, writer: int) -> None:
        for place in range(25):
            number = f"+1415{5550000 + writer * 100 + place:07}"
            at.opts_out(number).recorded("OptedOut")

    def poll(name: str, at: Clinic, limit: int) -> None:
        seen: list[str] = []
        after = 0
        while len(seen) < total:
            page = at.follows(after=after, limit=limit, wait=5)
            assert page["items"], "nothing came for 5 s"
            seen += ids(page["items"])
            after = page["next_after"]
        done[name] = seen

    def listen(name: str, at: Clinic) -> None:
        with stream(at) as events:
            done[name] = [event["data"]["id"] for event in some(events, total)]

    acts = [lambda w=w: write((clinic, there)[w % 2], w) for w in range(8)]
    acts += [lambda: poll("here", clinic, 1), lambda: poll("there", there, 100)]
    acts += [lambda: listen("stream here", clinic), lambda: listen("stream there", there)]
    with ThreadPoolExecutor(len(acts)) as threads:
        for act in [threads.submit(act) for act in acts]:
            act.result()
    everything = recorded(clinic)
    assert len(everything) == total
    for name, seen in done.items():
        assert seen == everything, name
    assert len(done) == 4


INSERT = """
INSERT INTO events (originator_id, originator_version, account_id, position, recorded_at, topic,
    state) VALUES (%s, 1, %s, ledger_base(), 1, %s, %s)"""
STATE = b'[{"o":1,"b":"ledger","k":"ledger","c":"api","y":1,"a":1},{"t":"stop"}]'


def test_what_commits_late_is_waited_for(clinic: Clinic) -> None:
    """A transaction that began before a STOP and commits after it: its event is not skipped."""
    after = clinic.follows(limit=1000)["next_after"]
    early = uuid4()
    with psycopg.connect(clinic.service.database_url) as slow:
        slow.execute(INSERT, (early, clinic.account_id, "StopReceived", STATE))
        clinic.hears(ANN, "STOP")
        assert clinic.follows(after=after, limit=1000)["items"] == []
        assert clinic.follows(after=after, wait=0.5)["items"] == []
        slow.commit()
    later = clinic.follows(after=after, limit=1000, wait=5)["items"]
    assert [event["type"] for event in later][:2] == ["ConsentLedger.StopReceived"] * 2
    assert later[0]["id"] == f"{early.hex}-1"


def test_an_event_that_cannot_be_read_is_told_of_and_passed(clinic: Clinic) -> None:
    """What a later version wrote does not hold the feed up, and is not left out."""
    number_id = uuid4()
    with psycopg.connect(clinic.service.database_url) as conn:
        conn.execute(INSERT, (number_id, clinic.account_id, "FromTheFuture", b"[]"))
    clinic.hears(ANN, "STOP")
    strange = clinic.feed()[2]
    assert (strange["id"], strange["type"]) == (f"{number_id.hex}-1", "ConsentLedger.FromTheFuture")
    assert strange["data"]["unreadable"] is True
    assert ids(clinic.feed()) == recorded(clinic)


def test_a_follower_who_waits_hears_within_a_second(clinic: Clinic, second: Running) -> None:
    """In the process that records and in another one."""
    for at in (clinic, seen_from(clinic, second)):
        after = clinic.follows(limit=1000)["next_after"]
        heard: list[float] = []

        def wait(at: Clinic = at, after: int = after, heard: list[float] = heard) -> None:
            page = at.follows(after=after, wait=20)
            heard.append(time.monotonic())
            assert page["items"][0]["type"] == "ConsentLedger.HelpRequested"

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.7)
        assert not heard
        clinic.hears(ANN, "HELP")
        told = time.monotonic()
        waiting.join()
        assert heard[0] - told < 1.0


def test_a_wait_ends_when_its_time_is_over(clinic: Clinic) -> None:
    """Then the page is empty, and the next one is asked for from the same place."""
    after = clinic.follows(limit=1000)["next_after"]
    began = time.monotonic()
    assert clinic.follows(after=after, wait=0.4).body == {"items": [], "next_after": after}
    assert 0.4 <= time.monotonic() - began < 2


def test_now_is_after_all_that_was_told_before(clinic: Clinic) -> None:
    """Without asking for what lies before; whatever comes then is there."""
    clinic.hears(ANN, "STOP")
    assert clinic.follows()["items"] != []
    page = clinic.follows(after="now")
    assert page["items"] == []
    assert page["next_after"] >= int(clinic.feed()[-1]["position"])
    assert clinic.follows(after="now", wait=0.4)["items"] == []
    clinic.hears(BEN, "STOP")
    assert ids(clinic.follows(after=page["next_after"])["items"]) == recorded(clinic)[-2:]


def test_now_skips_nothing_that_commits_late(clinic: Clinic) -> None:
    """What a transaction that is under way adds lies after now, wherever its place is."""
    with psycopg.connect(clinic.service.database_url) as late:
        late.execute("SELECT pg_current_xact_id()")
        clinic.hears(ANN, "STOP")
        after = clinic.follows(after="now")["next_after"]
    assert ids(clinic.follows(after=after)["items"]) == recorded(clinic)[-2:]


def test_a_stream_from_now_on_has_a_place_before_its_first_event(clinic: Clinic) -> None:
    """It may be lost before anything happens: who comes back misses nothing."""
    clinic.hears(ANN, "STOP")
    query = f"{clinic.service.base_url}/v1/feed?after=now"
    headers = {"Authorization": f"Bearer {clinic.keys['auditor']}", "Accept": "text/event-stream"}
    with httpx2.stream("GET", query, headers=headers, timeout=SECONDS, **LOCAL) as answer:
        lines = answer.iter_lines()
        begun = [next(lines), next(lines), next(lines)]
    assert begun[0].startswith("retry: ")
    assert begun[2] == ""
    clinic.hears(BEN, "STOP")
    with stream(clinic, "?after=now", Last_Event_ID=begun[1].removeprefix("id: ")) as events:
        assert [event["data"]["id"] for event in some(events, 2)] == recorded(clinic)[-2:]


def test_a_stream_resumes_after_the_last_event_that_it_sent(clinic: Clinic) -> None:
    """Server-sent events: id, type and CloudEvent; `Last-Event-ID` outranks `after`."""
    clinic.hears(ANN, "STOP")
    with stream(clinic) as events:
        first = some(events, 3)
    assert [event["data"]["id"] for event in first] == recorded(clinic)[:3]
    assert first[0]["event"] == first[0]["data"]["type"] == "ConsentLedger.AccountOpened"
    assert first[0]["id"] == first[0]["data"]["position"]
    with stream(clinic, "?after=0", Last_Event_ID=first[-1]["id"]) as events:
        clinic.hears(ANN, "START")
        more = recorded(clinic)[3:]
        assert [event["data"]["id"] for event in some(events, len(more))] == more


def test_a_stream_may_be_of_some_types(clinic: Clinic) -> None:
    """It passes over the others."""
    with stream(clinic, "?type=StopReceived") as events:
        for text in ("HELP", "STOP", "START", "STOP"):
            clinic.hears(ANN, text)
        assert [e["event"] for e in some(events, 2)] == ["ConsentLedger.StopReceived"] * 2


def test_types_are_named_with_or_without_their_prefix(clinic: Clinic) -> None:
    """And a page says where to go on although it has nothing."""
    clinic.hears(ANN, "STOP")
    clinic.hears(ANN, "START")
    for names in ("StopReceived,StartReceived", "ConsentLedger.StopReceived,StartReceived"):
        found = [event["type"] for event in clinic.feed(type=names)]
        assert found == ["ConsentLedger.StopReceived", "ConsentLedger.StartReceived"]
    assert len(clinic.follows(type="StopReceived,StartReceived", limit=1)["items"]) == 1
    nothing = clinic.follows(type="NumberReassigned")
    assert nothing["items"] == []
    assert nothing["next_after"] == int(clinic.feed()[-1]["position"])


@pytest.mark.parametrize(
    ("query", "code", "pointer"),
    [
        ({"type": "StopReceived,Nonsense"}, "unknown-type", "/type"),
        ({"after": -1}, "invalid-body", "/after"),
        ({"after": "x"}, "invalid-body", "/after"),
        ({"after": "NOW"}, "invalid-body", "/after"),
        ({"after": 2**63}, "invalid-body", "/after"),
        ({"limit": 0}, "invalid-body", "/limit"),
        ({"limit": 1001}, "invalid-body", "/limit"),
        ({"wait": 31}, "invalid-body", "/wait"),
        ({"wait": "nan"}, "invalid-body", "/wait"),
        ({"user": "%2B14155550131"}, "invalid-body", "/user"),
    ],
)
def test_bad_input_names_its_field(clinic: Clinic, query: Json, code: str, pointer: str) -> None:
    """422, and the input is not echoed."""
    found = clinic.follows(**query).problem(422, code, pointer)
    assert "4155550131" not in str(found)


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", str(2**63), "9" * 40, "²"])
def test_a_stream_refuses_an_id_that_is_no_position(clinic: Clinic, value: str) -> None:
    """422, before anything is streamed."""
    sent = {"Accept": "text/event-stream", "Last-Event-ID": value.encode()}
    answer = clinic.call("GET", "/v1/feed", "sender", **sent)
    answer.problem(422, "cursor-malformed", "/Last-Event-ID")


def test_no_number_and_no_word_is_in_the_feed(clinic: Clinic) -> None:
    """Section 9: what contacts and staff said, and every number, stay in the vault."""
    tell_everything(clinic)
    events = clinic.feed()
    numbers = {str(clinic.number_id(number)) for number in (ANN, BEN, CARA)}
    assert numbers <= {event.get("subject") for event in events}
    # The facts that came with words, reasons or evidence are among them.
    types = {event["type"].removeprefix("ConsentLedger.") for event in events}
    assert types >= {"ReplyNotUnderstood", "RevocationSuspected", "OptedOut"}
    assert types >= {"ConsentGranted", "NumberReassigned", "MessageReleased"}
    text = json.dumps(events)
    for trace in traces():
        assert trace not in text


def test_the_wording_of_a_reply_is_not_in_the_feed(clinic: Clinic) -> None:
    """It may name the clinic's own number."""
    clinic.put("/v1/replies/help", text=f"Call us: {BEN}.").recorded("ReplyWorded")
    worded = clinic.feed()[-1]
    assert worded["type"] == "ConsentLedger.ReplyWorded"
    assert BEN[2:] not in json.dumps(worded)
    assert worded["data"]["data"]["kind"] == "help"


# --- who asked ------------------------------------------------------------------------------------


def replies(clinic: Clinic, **query: Any) -> list[list[str]]:
    """Who asked for each of the replies in the feed."""
    return [e["data"]["asked_by"] for e in clinic.feed(**query) if "asked_by" in e["data"]]


def test_a_reply_names_the_users_who_asked_for_it(open_clinic: Open) -> None:
    """R-M11: staff are told of an incoming reply: the event feed carries it, with the users who
    asked for it. The latest comes first, and each is named once."""
    clinic = open_clinic("opt-out")
    for user in ("jo", "kim", "jo", "lee", "kim"):
        clinic.sends(ANN, sent_by=user).is_("permitted")
    clinic.sends(BEN, sent_by="mo")
    clinic.hears(ANN, "see you at four")
    (reply,) = clinic.feed(type="ReplyNotUnderstood")
    assert reply["data"]["asked_by"] == ["kim", "lee", "jo"]
    clinic.hears(BEN, "STOP")
    (reply,) = clinic.feed(type="StopReceived")
    assert reply["data"]["asked_by"] == ["mo"]


def test_who_asked_for_consent_is_told_of_the_answer(clinic: Clinic) -> None:
    """R-M11: by hand, or by the text that was deferred and brought the request with it."""
    clinic.requests(ANN, sent_by="jo")
    clinic.hears(ANN, "DECLINE")
    clinic.sends(BEN, sent_by="kim").is_("deferred")
    clinic.hears(BEN, "CONSENT")
    asked = {e["type"]: e["data"]["asked_by"] for e in clinic.feed() if "asked_by" in e["data"]}
    assert asked == {
        "ConsentLedger.ConsentDeclined": ["jo"],
        "ConsentLedger.ConsentGranted": ["kim"],
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("STOP", "StopReceived"),
        ("START", "StartReceived"),
        ("YES", "AffirmativeReceived"),
        ("NO", "NegativeReceived"),
        ("HELP", "HelpRequested"),
        ("CONSENT", "ConsentGranted"),
        ("DECLINE", "ConsentDeclined"),
        ("lose my number", "RevocationSuspected"),
        ("is it at four?", "ReplyNotUnderstood"),
    ],
)
def test_every_kind_of_reply_names_them(clinic: Clinic, text: str, kind: str) -> None:
    """R-M11: a response to any text, whatever it says."""
    clinic.sends(ANN, "recall", sent_by="jo").is_("permitted")
    clinic.hears(ANN, text)
    (reply,) = clinic.feed(type=kind)
    assert reply["data"]["asked_by"] == ["jo"]


def test_nobody_asked_for_what_is_no_reply(clinic: Clinic) -> None:
    """Consent on a form, an agent's opt-out: no reply. An automated or refused text: nobody's."""
    clinic.consents(ANN)
    clinic.opts_out(ANN, requested_by="contact", means="phone")
    clinic.sends(ANN, sent_by="jo").is_("refused")
    clinic.sends(BEN, "recall").is_("permitted")
    assert replies(clinic) == []
    clinic.hears(ANN, "hello")
    clinic.hears(BEN, "hello")
    assert replies(clinic) == [[], []]


def test_at_most_twenty_users_are_named(open_clinic: Open) -> None:
    """The latest ones; a filter still finds the others."""
    clinic = open_clinic("opt-out")
    for place in range(25):
        clinic.sends(ANN, sent_by=f"user-{place}").is_("permitted")
    clinic.hears(ANN, "hello")
    assert replies(clinic) == [[f"user-{place}" for place in range(24, 4, -1)]]
    assert len(clinic.feed(user="user-0")) == 1


def test_a_user_may_hear_of_their_own_replies_alone(open_clinic: Open) -> None:
    """R-M11, as seed 000 has it: of any conversation, or of those that they are part of."""
    clinic = open_clinic("opt-out")
    clinic.sends(ANN, sent_by="jo")
    clinic.sends(BEN, sent_by="kim")
    for number in (ANN, BEN):
        clinic.hears(number, "hello")
        clinic.hears(number, "STOP")
    found = clinic.feed(user="jo")
    assert {event["subject"] for event in found} == {str(clinic.number_id(ANN))}
    assert [e["type"] for e in found] == [
        "ConsentLedger.ReplyNotUnderstood",
        "ConsentLedger.StopReceived",
    ]
    assert len(clinic.feed(user="kim", type="StopReceived")) == 1
    assert clinic.feed(user="nobody") == []
    with stream(clinic, "?user=kim") as events:
        assert next(events)["data"]["data"]["asked_by"] == ["kim"]
