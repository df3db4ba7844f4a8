"""One service a worker, and a new account for each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.admin_browser import Browser
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.document import Document
from tests.conftest import new_database
from tests.service import Running, running

Open = Callable[..., Clinic]


@pytest.fixture(scope="session")
def service(server_url: str, template: str) -> Iterator[Running]:
    """The service of this worker, in a process of its own; its answers are as documented."""
    with new_database(server_url, template) as url, running(url) as service:
        service.http.event_hooks = {"response": [Document(service.base_url).check]}
        yield service


@pytest.fixture(scope="module")
def second(service: Running) -> Iterator[Running]:
    """Another process of the same deployment."""
    with running(service.database_url, service.keyring) as other:
        yield other


@pytest.fixture
def open_clinic(service: Running) -> Iterator[Open]:
    """Opens accounts: `open_clinic("recalls", unreachable_limit=2)`.

    Whatever a test did, the log may name no contact and hold no stack trace.
    """
    logged = service.log_size

    def open_one(
        preset: str = "consent-first", region: str | None = "US", **changes: Any
    ) -> Clinic:
        return Clinic(service, preset, changes, region)

    yield open_one
    log = service.log_since(logged)
    assert not any(number[2:] in log for number in (ANN, BEN, CARA))
    assert "Traceback" not in log


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account that holds to `consent-first`."""
    return open_clinic()


@pytest.fixture
def browser(clinic: Clinic) -> Iterator[Browser]:
    """An admin who has signed in."""
    found = Browser(clinic).signs_in()
    yield found
    found.http.close()
