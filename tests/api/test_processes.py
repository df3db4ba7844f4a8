"""Several processes, lost connections and wrong keys: what holds for the whole deployment."""

import copy
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from consent_ledger.keyring import Keyring
from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.together import ACCOUNT, NUMBER, holding
from tests.service import Running, in_parallel, running

LOSE_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'consent-ledger'"""

KEY_SECONDS = 1.2
"""After which a process asks the database for a key that it knew."""


def seen_from(clinic: Clinic, service: Running) -> Clinic:
    """The same account, asked of another process."""
    found = copy.copy(clinic)
    found.service = service
    return found


def test_a_stop_told_to_one_process_is_known_to_all(clinic: Clinic, second: Running) -> None:
    """R-O4: after its acknowledgement no check anywhere answers from before it."""
    there = seen_from(clinic, second)
    for place in range(30):
        number = f"+1415{5565000 + place:07}"
        there.asks(number, "recall").is_allowed("no_consent_needed")
        clinic.hears(number, "STOP")
        there.asks(number, "recall").is_denied("opted_out_by_contact")
        there.hears(number, "START")
        clinic.asks(number, "recall").is_allowed("no_consent_needed")


def test_connections_lost_while_nobody_asks_cost_no_answer(clinic: Clinic) -> None:
    """A provider may not repeat its webhook: the STOP that meets the dead connection counts."""
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.hears(BEN, "hello")
    clinic.service.rows(LOSE_CONNECTIONS)
    time.sleep(KEY_SECONDS)
    clinic.hears(ANN, "STOP").understood_as("stop")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    assert clinic.get("/readyz")["status"] == "ok"


def test_a_permission_and_a_policy_are_never_stale(clinic: Clinic, second: Running) -> None:
    """R-O4: what an account set in one process holds in the other at once."""
    there = seen_from(clinic, second)
    for _ in range(5):
        clinic.permits("jo", "deny")
        there.asks(ANN, "recall", sent_by="jo").is_denied("sender_not_permitted")
        there.permits("jo", "allow")
        clinic.asks(ANN, "recall", sent_by="jo").is_allowed("no_consent_needed")
    clinic.adopts("opt-out")
    there.sends(ANN).is_("permitted", "no_consent_needed")


def test_two_processes_hand_a_text_to_one_claimant(clinic: Clinic, second: Running) -> None:
    """Section 5: exactly one, wherever they ask, and each text of a list to one of them."""
    there = seen_from(clinic, second)
    for place in range(30):
        clinic.sends(ANN, message_id=f"out-{place}")
    clinic.hears(ANN, "CONSENT")
    given: dict[str, list[str]] = {"here": [], "there": []}

    def take(name: str, asked: Clinic) -> None:
        body = {"claimed_by": name, "limit": 4}
        while items := asked.post("/v1/messages/release-next", "sender", **body)["items"]:
            given[name] += [item["message_id"] for item in items]

    in_parallel(lambda: take("here", clinic), lambda: take("there", there))
    every = given["here"] + given["there"]
    assert sorted(every) == sorted(f"out-{place}" for place in range(30))


def test_a_claimant_who_asks_twice_at_once_is_given_a_text_once(
    clinic: Clinic, second: Running
) -> None:
    """Section 5: both find the text before either has it, and the contact gets it once."""
    there = seen_from(clinic, second)
    clinic.sends(ANN, message_id="out-1")
    clinic.hears(ANN, "CONSENT")
    number_id = clinic.number_id(ANN)
    with ThreadPoolExecutor() as pool:
        with holding(clinic.service, NUMBER, number_id) as until_waiting:
            asked = [pool.submit(at.takes_next) for at in (clinic, there)]
            until_waiting(2)
        given = [each.result() for each in asked]
    assert sorted(given) == [[], ["out-1"]]
    assert clinic.facts(ANN).count("MessageReleased") == 1


def test_two_admins_at_once_both_have_their_way(clinic: Clinic, second: Running) -> None:
    """An account's facts are numbered: the second change waits for the first, and neither is
    refused or lost."""
    there = seen_from(clinic, second)
    with ThreadPoolExecutor() as pool:
        with holding(clinic.service, ACCOUNT, clinic.account_id) as until_waiting:
            told = [
                pool.submit(at.permits, user, "deny")
                for at, user in ((clinic, "jo"), (there, "kim"))
            ]
            until_waiting(2)
        answers = [each.result() for each in told]
    assert sorted(answer["account_version"] for answer in answers) == [3, 4]
    for user in ("jo", "kim"):
        clinic.asks(ANN, "recall", sent_by=user).is_denied("sender_not_permitted")


def test_a_text_told_to_two_processes_at_once_is_one_fact(clinic: Clinic, second: Running) -> None:
    """R-O1: a provider that repeats itself meets another process the second time."""
    there = seen_from(clinic, second)
    answers: list[Answer] = []
    for place in range(10):
        in_parallel(
            *[
                lambda at=at, place=place: answers.append(
                    at.hears(ANN, "HELP", message_id=f"in-{place}")
                )
                for at in (clinic, there)
            ]
        )
    assert sum(bool(answer["recorded"]) for answer in answers) == 10
    assert clinic.facts(ANN).count("HelpRequested") == 10


def test_one_message_id_for_two_numbers_at_once_is_one_message(
    clinic: Clinic, second: Running
) -> None:
    """Section 5: one of the two is 422, in one process and in two."""
    for there in (clinic, seen_from(clinic, second)):
        for place in range(8):
            answers: list[Answer] = []
            name = f"out-{place}-{there is clinic}"
            in_parallel(
                lambda got=answers, name=name: got.append(clinic.sends(ANN, "recall", name)),
                lambda got=answers, name=name, at=there: got.append(at.sends(BEN, "recall", name)),
            )
            assert sorted(answer.status for answer in answers) == [200, 422]


def test_one_key_with_two_bodies_at_once_records_one(clinic: Clinic, second: Running) -> None:
    """Section 2: the other is 422, though both came before either was answered."""
    there = seen_from(clinic, second)
    for place in range(8):
        answers: list[Answer] = []
        in_parallel(
            *[
                lambda at=at, by=by, got=answers, key=f"key-{place}": got.append(
                    at.call(
                        "POST",
                        "/v1/opt-outs",
                        "agent",
                        {"number": ANN, "by": by},
                        Idempotency_Key=key,
                    )
                )
                for at, by in ((clinic, "jo"), (clinic, "kim"), (there, "lee"))
            ]
        )
        assert sorted(answer.status for answer in answers) == [200, 422, 422]


def test_a_lost_database_connection_is_never_a_yes(database_url: str) -> None:
    """A 5xx means 'do not text', and the service comes back by itself."""
    with running(database_url) as service:
        clinic = Clinic(service, "opt-out", {})
        clinic.hears(ANN, "STOP")
        for _ in range(3):
            service.rows(LOSE_CONNECTIONS)
            statuses = [clinic.call("POST", "/v1/checks", "sender", QUESTION) for _ in range(4)]
            for answer in statuses:
                if answer.status == 200:
                    answer.is_denied("opted_out_by_contact")
                else:
                    assert answer.problem(503, "unavailable")["detail"].startswith("The ledger")
                    assert answer.response.headers["retry-after"] == "1"
            assert statuses[-1].status == 200
            told = [clinic.hears(BEN, "STOP") for _ in range(4)]
            assert {answer.status for answer in told} <= {200, 503}
            assert told[-1].status == 200
        clinic.asks(BEN).is_denied("opted_out_by_contact")
        assert "Traceback" not in service.log_since()


QUESTION = {"number": ANN, "purpose": "recall"}


def test_a_wrong_key_refuses_to_start(service: Running) -> None:
    """Section 9: with another key every opted-out number would look new."""
    with (
        pytest.raises(AssertionError, match="KeyMismatchError"),
        running(service.database_url, Keyring.generate()),
    ):
        pass
