"""What is noticed of an import by those who check, text STOP and follow the log meanwhile."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any, ClassVar, Final

import httpx2

from api.bench.load import FIRST_NUMBER

CHECK: Final = '{"number":"NUMBER","purpose":"conversation"}'
STOP: Final = '{"from":"NUMBER","to":"+14155550199","body":"STOP","message_id":"ID"}'
PATHS: Final = {
    "check": ("/v1/checks", CHECK, 16),
    "command": ("/v1/inbound-messages", STOP, 48),
}
"""The loads, as the bench has them elsewhere: path, body and connections."""
BREATH: Final = 0.05
"""Seconds between two looks of one who follows the log or checks after a STOP."""
WAIT: Final = 10
FIRST: Final = FIRST_NUMBER - 100_000_000
"""Numbers that say STOP and are checked at once; no list and no load has them."""

Load = Callable[..., dict[str, Any]]


class Onlooker:
    """Follows the end of the log, and checks each number right after its STOP."""

    _numbers: ClassVar = count(FIRST)
    """Each is new, for whoever looks: of one that said STOP before, no check tells anything."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(2)
        self._looking: list[Future[None]] = []
        self.worst_gap = 0.0
        self.stops = 0
        self.stale = 0

    def __enter__(self) -> "Onlooker":
        self._looking = [self._threads.submit(each) for each in (self._follow, self._stop)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._threads.shutdown()
        for each in self._looking:
            each.result()

    def _follow(self) -> None:
        """Waits for what comes after the newest event it has seen."""
        after = self._newest()
        while not self._over.is_set():
            began = time.perf_counter()
            page = self._get("/v1/feed", after=after, limit=1_000, wait=WAIT)
            if page["items"] and not self._over.is_set():
                self.worst_gap = max(self.worst_gap, time.perf_counter() - began)
            after = page["next_after"]
            self._over.wait(BREATH)

    def _newest(self) -> int:
        """Its own STOP is where it begins: it does not read what was before."""
        return int(self._post("/v1/inbound-messages", self._said())["position"])

    def _said(self) -> dict[str, str]:
        self.stops += 1
        number = f"+1{next(self._numbers)}"
        told = {"from": number, "to": "+14155550199", "body": "STOP"}
        return told | {"message_id": f"onlooker-{time.time_ns()}"}

    def _stop(self) -> None:
        while not self._over.wait(BREATH):
            told = self._said()
            self._post("/v1/inbound-messages", told)
            asked = {"number": told["from"], "purpose": "conversation"}
            self.stale += self._post("/v1/checks", asked)["may_text"] is not False

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._http.post(path, json=dict(body)).raise_for_status().json()

    def _get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()


def rates(load: Load, seconds: float) -> dict[str, dict[str, float]]:
    """Checks and commands a second, one after the other."""
    found = {}
    for name, (path, body, connections) in PATHS.items():
        run = load(path, body, connections, seconds, unique=name == "command")
        found[name] = {key: run[key] for key in ("rate", "p99_ms", "errors")}
    return found
