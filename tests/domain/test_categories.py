"""The categories that a history is searched by."""

from consent_ledger.categories import CATEGORIES
from consent_ledger.facts import type_of_fact


def test_every_type_of_event_is_in_a_category_and_no_other_is() -> None:
    """R-L6: a fact that is added later can be found by its category too."""
    assert {topic for topics in CATEGORIES.values() for topic in topics} == set(type_of_fact)
