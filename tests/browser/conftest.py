"""A browser without a window, where the machine has one: Chromium with its driver."""

import shutil
import tempfile
from collections.abc import Iterator
from typing import Final

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.api.conftest import open_clinic, service

__all__ = ["open_clinic", "service"]

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
OPTIONS: Final = (
    "--headless",
    # A container's own walls are the sandbox there, and Chromium refuses to be one in them as root.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    # It would look for its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """One browser for the tests of a worker."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs Chromium and its driver: Debian's chromium and chromium-driver")
    with tempfile.TemporaryDirectory(prefix="consent-ledger-browser-") as profile:
        options = ChromeOptions()
        options.binary_location = program
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        browser = Chrome(options, Service(driver))
        browser.implicitly_wait(10)
        yield browser
        browser.quit()
