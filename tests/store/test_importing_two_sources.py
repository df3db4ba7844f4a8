"""A row that says an agent's opt-out and the contact's own: both are recorded, by either way."""

import pytest

from consent_ledger.importing.wishes import Wish
from consent_ledger.words import Source
from tests.store import drive as d
from tests.store.test_importing import Store, rows, store

__all__ = ["store"]

BOTH = (Wish(Source.AGENT, revoked=True), Wish(Source.SYSTEM, revoked=True))


@pytest.mark.parametrize("copies", [True, False], ids=["copied", "one by one"])
def test_both_opt_outs_stand(store: Store, copies: bool) -> None:
    """The rows are those that the events make, and the contact's is the one that is told."""
    verdicts = store.write(rows(BOTH * 3), copies=copies)
    assert {each.kinds for each in verdicts} == {("OptedOut", "OptedOut")}
    store.check()
    assert len(store.events()) == 2 * 6
    sources = d.query(store.url, "SELECT DISTINCT opt_out_source FROM consent_status")
    assert sources == [("contact",)]
    again = store.write(rows(BOTH * 3), copies=copies)
    assert {each.status for each in again} == {"unchanged"}
