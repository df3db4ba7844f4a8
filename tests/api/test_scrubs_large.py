"""Long lists: streamed both ways in constant memory, from one moment, while checks go on."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from consent_ledger.keyring import Keyring
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open
from tests.service import LOCAL, Running, running
from tests.store.test_keys import meet

ROWS = 200_000
GROWTH = 60_000
"""Kilobytes that a list of this length may take, in all processes together."""
SECONDS = 30


def listed(rows: int, name: bytes = b"Ann") -> bytes:
    """A list of numbers, each once."""
    return b"name,number\n" + b"".join(b"%b %d,+1416%07d\n" % (name, i, i) for i in range(rows))


def processes(service: Running) -> list[int]:
    """The service, and what it started."""
    pid = service.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def kilobytes(service: Running, what: str) -> int:
    """Memory of all its processes: VmRSS is now, VmHWM at the most."""
    total = 0
    for pid in processes(service):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith(what))
    return total


def test_a_long_list_takes_no_more_memory_than_a_short_one(open_clinic: Open) -> None:
    """Though the client sends all of it before it reads the first row."""
    clinic = open_clinic("opt-out")
    clinic.scrubs(listed(30_000))
    for pid in processes(clinic.service):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = kilobytes(clinic.service, "VmRSS")
    # More bytes than it may take, and none of them read before all are sent.
    rows = listed(ROWS, b"x" * 400)
    assert len(rows) > GROWTH * 1_024
    answer = clinic.scrubs(rows)
    assert answer.response.content.count(b",true,allow,no_consent_needed,\n") == ROWS
    assert kilobytes(clinic.service, "VmHWM") - before < GROWTH


@contextmanager
def reading(clinic: Clinic, rows: bytes) -> Iterator[Iterator[bytes]]:
    """The answer to a list, read as slowly as the test likes."""
    headers = {"Authorization": f"Bearer {clinic.keys['sender']}", "Content-Type": "text/csv"}
    url = f"{clinic.service.base_url}/v1/scrubs?purpose=recall"
    with (
        httpx2.Client(timeout=SECONDS, **LOCAL) as http,
        http.stream("POST", url, content=rows, headers=headers) as response,
    ):
        assert response.status_code == 200, response.read()
        yield response.iter_bytes()


def test_a_list_is_one_moment(open_clinic: Open) -> None:
    """What is told while it is read is not in it, however late the row comes."""
    clinic = open_clinic("opt-out")
    rows = listed(300_000) + f"last,{ANN}\n".encode()
    with reading(clinic, rows) as answer:
        assert next(answer).startswith(b"name,number,may_text")
        clinic.hears(ANN, "STOP").recorded("StopReceived", "ReplyIssued")
        clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
        last = b"".join(answer)[-200:]
    assert last.endswith(f"last,{ANN},true,allow,no_consent_needed,\n".encode())
    again = clinic.scrubs(f"number\n{ANN}\n".encode()).response.text
    assert again.endswith(f"{ANN},false,deny,opted_out_by_contact,\n")


def test_a_list_never_has_half_of_what_happens_meanwhile(open_clinic: Open) -> None:
    """Of numbers that stop in turn, those further up never without those further down."""
    clinic = open_clinic("opt-out")
    numbers = [f"+1415{5558000 + i:07}" for i in range(40)]
    # Far apart, so that each lies in another block.
    filler = listed(3_000).split(b"\n", 1)[1]
    rows = b"name,number\n" + b"".join(b"x,%b\n%b" % (n.encode(), filler) for n in numbers[::-1])
    done = threading.Event()

    def stop_in_order() -> None:
        try:
            for number in numbers:
                clinic.hears(number, "STOP")
        finally:
            done.set()

    thread = threading.Thread(target=stop_in_order)
    thread.start()
    asked = 0
    while not done.is_set():
        found = clinic.scrubs(rows).response.text
        lines = [line for line in found.splitlines() if line.startswith("x,")]
        stopped = [",false,deny,opted_out_by_contact," in line for line in reversed(lines)]
        assert len(stopped) == len(numbers)
        assert stopped == sorted(stopped, reverse=True)
        asked += 1
    thread.join()
    assert asked > 0


def test_rows_are_answered_while_others_are_still_to_come(open_clinic: Open) -> None:
    """A client that reads while it sends has the first rows before it sent the last."""
    clinic = open_clinic("opt-out")
    rows = listed(60_000)
    host, port = clinic.service.base_url.removeprefix("http://").split(":")
    head = (
        "POST /v1/scrubs?purpose=recall HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {clinic.keys['sender']}\r\nContent-Type: text/csv\r\n"
        f"Content-Length: {len(rows)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), SECONDS) as client:
        half = len(rows) // 2
        client.sendall(head.encode() + rows[:half])
        found = b""
        while b"Ann 1000," not in found:
            found += client.recv(65_536)
        client.sendall(rows[half:])
        while part := client.recv(65_536):
            found += part
    assert found.startswith(b"HTTP/1.1 200")
    assert found.count(b"no_consent_needed") == 60_000


def test_who_reads_slowly_keeps_no_check_waiting(open_clinic: Open) -> None:
    """Four lists at a time; a fifth waits some seconds, and who leaves makes room."""
    clinic = open_clinic("opt-out")
    # More than the connections hold on their way.
    rows = listed(20_000, b"x" * 1_000)
    with ExitStack() as slow:
        answers = [slow.enter_context(reading(clinic, rows)) for _ in range(4)]
        assert all(next(answer) for answer in answers)
        began = time.monotonic()
        clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
        clinic.hears(BEN, "STOP").recorded("StopReceived", "ReplyIssued")
        assert time.monotonic() - began < 2
        clinic.scrubs(b"number\n").problem(503, "unavailable")
    answer = clinic.scrubs(f"number\n{BEN}\n".encode())
    assert answer.response.text.endswith(f"{BEN},false,deny,opted_out_by_contact,\n")


def test_a_process_that_died_is_replaced(open_clinic: Open) -> None:
    """The list that it worked on is cut off, which no client takes for its end."""
    clinic = open_clinic("opt-out")
    clinic.scrubs(listed(30_000))
    with reading(clinic, listed(ROWS)) as answer:
        next(answer)
        for pid in processes(clinic.service)[1:]:
            os.kill(pid, signal.SIGKILL)
        try:
            whole = b"".join(answer)
        except httpx2.TransportError:
            whole = b""
    assert not whole
    found = clinic.scrubs(listed(30_000)).response.content
    assert found.count(b"no_consent_needed") == 30_000


def test_what_fails_before_the_first_row_is_a_problem(open_clinic: Open) -> None:
    """503 means: do not text."""
    clinic = open_clinic("opt-out")
    database, role = clinic.service.database, b"consent_ledger_service"
    database.execute(b"REVOKE SELECT ON consent_status FROM " + role)
    try:
        clinic.scrubs(listed(10)).problem(503, "unavailable")
    finally:
        database.execute(b"GRANT SELECT ON consent_status TO " + role)
    assert clinic.scrubs(listed(10)).status == 200


def test_connections_that_the_database_closed_are_opened_anew(open_clinic: Open) -> None:
    """A list after a restart of the database is a list like any other."""
    clinic = open_clinic("opt-out")
    clinic.scrubs(listed(30_000))
    ended = clinic.service.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query = 'COMMIT' AND state = 'idle'"
    )
    assert ended
    assert clinic.scrubs(listed(30_000)).response.content.count(b"no_consent_needed") == 30_000


def test_a_number_is_found_under_the_key_it_was_told_with(database_url: str) -> None:
    """After the key is rotated, a STOP from before is still a STOP."""
    ring = Keyring.generate()
    with running(database_url, ring) as service:
        clinic = Clinic(service, "opt-out", {})
        clinic.hears(ANN, "STOP")
    with running(database_url, ring.rotated()) as service:
        clinic.service, clinic.keys = service, service.issue_keys(clinic.account_id)
        clinic.hears(BEN, "STOP")
        found = clinic.scrubs(f"number\n{ANN}\n{BEN}\n+14155550180\n".encode()).response.text
    assert [line.split(",")[3] for line in found.splitlines()[1:]] == [
        "opted_out_by_contact",
        "opted_out_by_contact",
        "no_consent_needed",
    ]


def test_a_process_with_the_older_key_answers_no_list_once_a_newer_one_is_in_use(
    database_url: str,
) -> None:
    """Section 9: to it, whoever was told of under the newer key would look new, and be a yes."""
    ring = Keyring.generate()
    with running(database_url, ring) as service:
        clinic = Clinic(service, "opt-out", {})
        asyncio.run(meet(database_url, ring.rotated()))
        clinic.scrubs(f"number\n{ANN}\n".encode()).problem(503, "unavailable")
