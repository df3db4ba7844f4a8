"""A set-up is planned: which facts make an account be what a document says, and what cannot be."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from consent_ledger import account_facts as a
from consent_ledger.account import Account, SendingNumber, User, check_account_fact, evolve_account
from consent_ledger.facts import Fact
from consent_ledger.policy import PRESETS, PolicyVersion, amended, difference, laid_over, preset
from consent_ledger.set_up import plan
from consent_ledger.set_up_parts import Entry, Fault, Section, Wanted, WantedPolicy, standing_of
from consent_ledger.words import Permission
from tests.story import DAY, T0

NUMBERS = [str(UUID(int=each)) for each in range(1, 5)]
IDS = st.sampled_from(["a", "b", "c", "inherit"])
SERVED = st.sampled_from(["conversation", "recall", "marketing"])
POLICIES = st.builds(
    lambda name, limit: amended(name, {"unreachable_limit": limit}),
    st.sampled_from(list(PRESETS)),
    st.integers(1, 3),
)


def listed(values: dict[str, Any]) -> tuple[Entry, ...]:
    """A section that names these."""
    return tuple(Entry(at, (each,), value) for at, (each, value) in enumerate(values.items()))


@st.composite
def wanted(draw: Any) -> Wanted:
    """A document that no rule forbids, some of its sections absent."""
    locations = draw(st.dictionaries(IDS, st.sampled_from(["Main", "inherit"]), min_size=1))
    served = st.lists(SERVED, max_size=3).map(tuple)
    number = st.builds(SendingNumber, st.sampled_from(sorted(locations)), served)
    user = st.builds(User, st.sampled_from(Permission), st.lists(IDS, max_size=2).map(tuple))
    sections = {
        Section.LOCATIONS: listed(locations),
        Section.SENDING_NUMBERS: listed(
            draw(st.dictionaries(st.sampled_from(NUMBERS), number)),
        ),
        Section.USERS: listed(draw(st.dictionaries(IDS, user))),
        Section.GROUPS: listed(draw(st.dictionaries(IDS, st.sampled_from(Permission)))),
    }
    for absent in draw(st.sets(st.sampled_from([Section.USERS, Section.GROUPS]))):
        del sections[absent]
    times = st.sampled_from([None, T0 - DAY, T0 + DAY])
    policy = draw(st.none() | st.builds(WantedPolicy, POLICIES, times))
    return Wanted(policy, sections)


def opened(name: str = "recalls") -> Account:
    """An account that holds to a preset."""
    return Account(UUID(int=9), policies=(PolicyVersion(1, 0, preset(name)),))


def after(account: Account, facts: list[Fact]) -> Account:
    """The account after facts that it admits, one after the other."""
    for fact in facts:
        check_account_fact(account, fact, account.policies_from(T0))
        account = evolve_account(account, fact)
    return account


@given(documents=st.lists(wanted(), min_size=1, max_size=4))
def test_the_facts_of_a_plan_are_admitted_in_order_and_bring_about_what_is_wanted(
    documents: list[Wanted],
) -> None:
    """Document after document; each twice is each once."""
    account = opened()
    for document in documents:
        found = plan(account, document, T0)
        assert found.faults == ()
        account = after(account, found.facts)
        assert plan(account, document, T0).changes == ()
        for section, entries in document.sections.items():
            stands = standing_of(account, section)
            assert stands.keys() <= {entry.key for entry in entries}
            for entry in entries:
                is_nothing = entry.value in (User(), Permission.INHERIT)
                assert entry.key in stands or (is_nothing and section is not Section.LOCATIONS)


def test_what_a_document_lists_twice_is_a_fault_of_the_second() -> None:
    """By its place and the field that names it."""
    entries = (Entry(0, ("a",), "Main"), Entry(1, ("b",), "Side"), Entry(2, ("a",), "Main"))
    found = plan(opened(), Wanted(sections={Section.LOCATIONS: entries}), T0)
    assert [(fault.pointer, fault.code) for fault in found.faults] == [
        ("/locations/2/id", "duplicate")
    ]


def test_an_undated_policy_is_compared_with_the_one_in_force() -> None:
    """One that is to come is left alone, and one that was is adopted again."""
    account = opened()
    for name, begins in (("opt-out", T0 + DAY), ("authorization", T0 - DAY)):
        account = evolve_account(account, a.PolicyAdopted(preset(name), begins))

    def adopted(name: str, begins: int | None = None) -> list[Fact]:
        return plan(account, Wanted(WantedPolicy(preset(name), begins)), T0).facts

    assert adopted("authorization") == adopted("authorization", T0 - 9 * DAY) == []
    assert adopted("recalls") == [a.PolicyAdopted(preset("recalls"), T0)]
    assert adopted("opt-out", T0 + DAY) == []
    assert adopted("opt-out", T0 + 2 * DAY) == [a.PolicyAdopted(preset("opt-out"), T0 + 2 * DAY)]


def test_a_policy_to_come_counts_for_numbers_and_one_that_is_over_does_not() -> None:
    """R-M10: purposes and exclusivity of all that hold from now on."""
    later = amended("consent-first", {"purposes": {"survey": {}}})
    account = evolve_account(opened(), a.PolicyAdopted(later, T0 + DAY))
    account = evolve_account(account, a.LocationDefined("a", "Main"))

    def faults(*purposes: str) -> tuple[Fault, ...]:
        entries = listed({NUMBERS[0]: SendingNumber("a", purposes)})
        return plan(account, Wanted(sections={Section.SENDING_NUMBERS: entries}), T0).faults

    assert faults("recall", "survey") == ()
    assert [fault.code for fault in faults("news")] == ["unknown-purpose"]
    both = faults("conversation", "appointment_reminder")
    assert [fault.code for fault in both] == ["set-up-refused"]
    account = evolve_account(account, a.PolicyAdopted(preset("recalls"), T0 + DAY))
    assert faults("conversation", "appointment_reminder") == ()
    assert [fault.code for fault in faults("survey")] == ["unknown-purpose"]


@given(
    name=st.sampled_from(list(PRESETS)),
    limit=st.integers(1, 5),
    purposes=st.dictionaries(
        st.sampled_from(["recall", "marketing", "survey", "news2"]),
        st.fixed_dictionaries(
            {},
            optional={
                "needs_consent": st.booleans(),
                "marketing": st.booleans(),
                "level": st.sampled_from(["implied", "express", "express_written"]),
                "consent_days": st.dictionaries(st.just("express"), st.integers(1, 900)),
                "hours": st.just({"start": 9, "sunday_start": 12}),
            },
        ),
    ),
)
def test_a_policy_is_its_preset_and_what_differs_from_it(
    name: str, limit: int, purposes: dict[str, object]
) -> None:
    """And back: what is shown of a policy makes the same policy."""
    changes = {"unreachable_limit": limit, "time_zone": "UTC", "purposes": purposes}
    policy = amended(name, changes)
    assert amended(name, difference(policy)) == policy
    assert difference(preset(name)) == {}


def test_every_fault_of_a_policy_is_told_and_the_rest_is_laid_over() -> None:
    """Whoever mends a file mends it in one go."""
    hours = {"start": "zebra", "begin": 8}
    changes: dict[str, object] = {
        "colour": 1,
        "unreachable_limit": "zebra",
        "requests_days": 0,
        "requests_allowed": 1,
        "time_zone": "Mars/Base",
        "purposes": {
            "recall": {"level": "zebra", "hours": hours, "needs_consent": True},
            "Bad Name": {},
            "news": 7,
        },
    }
    policy, faults = laid_over("recalls", changes)
    assert {fault.field for fault in faults} == {
        "colour",
        "unreachable_limit",
        "requests_days",
        "time_zone",
        "purposes",
        "purposes/news",
        "purposes/recall/level",
        "purposes/recall/hours/start",
        "purposes/recall/hours/begin",
    }
    assert not any("zebra" in str(fault) for fault in faults)
    assert policy.requests_allowed == 1
    assert policy.purposes["recall"].needs_consent
