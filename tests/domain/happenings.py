"""Anything that can happen to a number, for the tests that try all orders of it."""

from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.decision import Decision
from consent_ledger.standing import Mark, OptOut, Standing
from consent_ledger.words import Basis, Channel, Level, Method, Preference, Source
from tests.story import MINUTE, T0, Happened

STEP: Final = 5 * MINUTE // 2
"""Two steps are the margin of clocks, so that both sides of it are met."""
STEPS: Final = 13
PURPOSES: Final = ("conversation", "appointment_reminder", "recall", "marketing")
CLASSES: Final = ("unreachable", "unreachable", "delivered", "transient", "not_mobile")


class Thing(msgspec.Struct, frozen=True):
    """One thing that happens; `about` is the earlier thing it refers to."""

    step: int
    fact: f.Fact
    basis: Basis = Basis.PROVIDER
    believed: bool = True
    disclosed: bool = False
    by: str | None = None
    imported: bool = False
    about: int | None = None
    twice: bool = False

    @property
    def at(self) -> int:
        """When it happened."""
        return T0 + self.step * STEP

    def happened(self, version: int | None) -> Happened:
        """The fact with its envelope; `version` is that of the event it refers to."""
        evidence = f.Evidence(disclosure_digest="d") if self.disclosed else None
        return Happened(
            self._fact(version),
            self.at,
            basis=self.basis,
            claimed_at=None if self.believed else self.at + 99 * STEP,
            evidence=evidence,
            actor_id=self.by,
            channel=Channel.IMPORT if self.imported else Channel.SMS,
            recorded_at=T0,
        )

    def _fact(self, version: int | None) -> f.Fact:
        match self.fact:
            case f.RevocationConfirmed() | f.RevocationDismissed():
                return replace(self.fact, review=version)
            case f.DeliveryReported():
                return replace(self.fact, request=version)
            case f.FactRetracted():
                return replace(self.fact, version=version)
            case _:
                return self.fact


steps = st.integers(0, STEPS)
bases = st.sampled_from([Basis.PROVIDER, Basis.SENDER])
named = st.sampled_from([("conversation",), ("recall", "marketing"), PURPOSES])
spoken = st.one_of(
    st.sampled_from(
        [
            f.StopReceived(),
            f.StopReceived(),
            f.StopReceived(purposes=("recall",)),
            f.StopReceived(purposes=("conversation", "marketing")),
            f.StartReceived(),
            f.StartReceived(),
            f.AffirmativeReceived(),
            f.NegativeReceived(),
            f.ConsentDeclined(),
            f.ConsentGranted(purposes=("conversation", "recall")),
            f.HelpRequested(),
            f.ReplyNotUnderstood(),
            f.ReplyNotUnderstood(ends_request=True),
        ]
    )
)
words = st.builds(
    Thing,
    steps,
    spoken,
    bases,
    believed=st.sampled_from([True, True, True, False]),
    twice=st.booleans(),
)
told = st.builds(
    Thing,
    steps,
    st.one_of(
        st.sampled_from(
            [
                f.AdminOptedIn(),
                f.OptedOut(Source.CONTACT),
                f.OptedOut(Source.AGENT),
                f.CarrierSuppressed("twilio", "21610"),
                f.PurposeBlocked("recall"),
                f.PurposeUnblocked("recall"),
                f.TimeZoneRecorded("Asia/Tokyo"),
                f.TimeZoneRecorded("America/Chicago"),
                f.TimeZoneRecorded(),
            ]
        ),
        st.builds(
            f.ConsentGranted,
            method=st.sampled_from([Method.WEB, Method.IMPORT]),
            level=st.sampled_from(Level),
            purposes=named,
            undated=st.booleans(),
        ),
        st.builds(
            f.MarketingPreferenceRecorded,
            st.sampled_from(["pms", "emr"]),
            st.sampled_from(Preference),
        ),
    ),
    bases,
    by=st.sampled_from(["jo", "max"]),
    imported=st.booleans(),
    twice=st.booleans(),
)
requests = st.builds(
    Thing,
    steps,
    st.builds(
        f.ConsentRequested,
        named,
        reauthorises=st.booleans(),
        expires_at=st.none() | steps.map(lambda step: T0 + step * STEP),
    ),
    bases,
    disclosed=st.booleans(),
)
suspected = st.builds(
    Thing, steps, st.builds(f.RevocationSuspected, ends_request=st.booleans()), bases
)
reports = st.builds(
    Thing,
    steps,
    st.builds(
        f.DeliveryReported,
        st.just("twilio"),
        st.just("1"),
        st.sampled_from(CLASSES),
        st.sampled_from([1, 2, 3]),
    ),
)
moved = steps.map(lambda step: Thing(step, f.NumberReassigned("2026-03-01", T0 + step * STEP)))


several = st.lists(
    st.one_of(words, words, words, told, requests, suspected, reports, moved),
    min_size=2,
    max_size=12,
)
verdicts = st.lists(
    st.tuples(st.just("confirmed"), steps, st.sampled_from(["jo", "max"]))
    | st.tuples(st.just("dismissed"), steps, st.none()),
    max_size=2,
)
"""Made once: Hypothesis takes longer to make a strategy than to draw from it."""


@st.composite
def histories(draw: st.DrawFn) -> list[Thing]:
    """A set of things that happened, each thing after the one it refers to."""
    things = draw(several)
    for place, thing in list(enumerate(things)):
        kind = type(thing.fact)
        if kind is f.RevocationSuspected:
            things += [_verdict(thing, place, *found) for found in draw(verdicts)]
        elif kind is f.ConsentRequested and draw(st.booleans()):
            about = f.DeliveryReported("twilio", "1", "transient", 3, about_at=thing.at)
            things.append(Thing(thing.step, about, about=place))
        elif thing.imported and not thing.twice and draw(st.booleans()):
            things.append(Thing(STEPS, f.FactRetracted(0), about=place))
    return things


def _verdict(thing: Thing, place: int, found: str, step: int, by: str | None) -> Thing:
    if found == "confirmed":
        confirmed = f.RevocationConfirmed(0, thing.at, thing.basis)
        return Thing(step, confirmed, by=by, about=place)
    return Thing(max(step, thing.step + 1), f.RevocationDismissed(0), about=place)


def arrivals(things: list[Thing], order: list[int], repeat: bool) -> list[Happened]:
    """The things in an order of arrival, some of them again; what is referred to comes first."""
    came: list[Happened] = []
    versions: dict[int, int] = {}

    def arrive(place: int) -> None:
        thing = things[place]
        if thing.about is not None and thing.about not in versions:
            arrive(thing.about)
        if place in versions:
            return
        version = None if thing.about is None else versions[thing.about]
        came.append(thing.happened(version))
        versions[place] = len(came)

    for place in order:
        arrive(place)
    if repeat:
        came += [things[place].happened(None) for place in order if things[place].twice]
    return came


def blank(standing: Standing) -> Any:
    """A standing without what depends on the order of arrival: the versions of its marks."""
    return replace(
        standing,
        contact=_opt_out(standing.contact),
        scoped={
            purpose: replace(stop, opt_out=_mark_out(stop.opt_out))
            for purpose, stop in standing.scoped.items()
        },
        system=_opt_out(standing.system),
        agent=_opt_out(standing.agent),
        reviews=dict(enumerate(sorted(map(_mark, standing.reviews.values()), key=str))),
        review_clocks=dict(enumerate(sorted(standing.review_clocks.values()))),
        grants={
            purpose: {level: replace(g, mark=_mark(g.mark)) for level, g in levels.items()}
            for purpose, levels in standing.grants.items()
        },
        declines={p: mark and _mark(mark) for p, mark in standing.declines.items()},
        request=standing.request and replace(standing.request, mark=_mark(standing.request.mark)),
        blocks={p: _mark(mark) for p, mark in standing.blocks.items()},
        preferences={s: (said, _mark(mark)) for s, (said, mark) in standing.preferences.items()},
    )


def blank_decision(decision: Decision) -> Decision:
    """A decision without the versions of the events it rests on."""
    return replace(decision, evidence=tuple(_mark(mark) for mark in decision.evidence))


def _mark(mark: Mark) -> Mark:
    return replace(mark, version=0)


def _opt_out(found: OptOut | None) -> OptOut | None:
    return found and _mark_out(found)


def _mark_out(found: OptOut) -> OptOut:
    return replace(found, mark=_mark(found.mark))
