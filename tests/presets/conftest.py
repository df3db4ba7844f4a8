"""The presets are examined over HTTP alone, in the words of tests/api."""

import pytest

from tests.api.clinic import Clinic
from tests.api.conftest import Open, clinic, open_clinic, service

__all__ = ["clinic", "open_clinic", "service"]


@pytest.fixture
def dealer(open_clinic: Open) -> Clinic:
    """An account that holds to `opt-out`."""
    return open_clinic("opt-out")
