"""Whatever JSON is sent to whatever route, the service never fails."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.clinic import ANN, Clinic, fresh
from tests.api.routes import WITH_BODY, Route, named
from tests.service import Running

TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        ANN,
        "conversation",
        "STOP",
        "2026-03-04T10:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-23:59",
        "2026-03-04",
        "consent-first",
        "express",
        "web",
    ]
)
NUMBERS = st.integers() | st.floats() | st.integers(min_value=2**62, max_value=2**70)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def near(body: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Bodies that are almost right: some fields as they should be, others anything at all."""
    fields = {name: st.just(value) | JSON for name, value in body.items()}
    extra = st.dictionaries(
        st.sampled_from(["occurred_at", "by", "evidence", "changes", "limit", "correlation_id"]),
        JSON,
        max_size=2,
    )
    return st.builds(lambda right, more: {**right, **more}, st.fixed_dictionaries(fields), extra)


@pytest.fixture(scope="module")
def anybody(service: Running) -> Clinic:
    """One account for all of it: what one body does is there when the next comes."""
    return Clinic(service, "recalls", {})


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
def test_random_json_is_never_a_5xx(anybody: Clinic, route: Route) -> None:
    """Every body is taken, or refused with a problem."""

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(body=JSON | near(route.body or {}))
    def holds(body: object) -> None:
        answer = anybody.call(
            route.method, route.url(endpoint=fresh()), min(route.roles), json.dumps(body).encode()
        )
        assert answer.status < 500, answer.response.text
        if answer.status >= 400:
            answer.problem(answer.status, answer.response.json()["code"])

    holds()
