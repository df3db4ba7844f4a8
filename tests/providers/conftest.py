"""Providers call the service over HTTP, in the words of tests/api."""

from tests.api.conftest import clinic, open_clinic, service

__all__ = ["clinic", "open_clinic", "service"]
