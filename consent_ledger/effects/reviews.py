"""Words that may have been a STOP, which wait for a person: held, dismissed, lifted (R-F10)."""

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.effects.phases import Effect
from consent_ledger.effects.requests import answer
from consent_ledger.said import Said
from consent_ledger.standing import Standing, outranks


def suspect(before: Standing, item: Said, fact: f.RevocationSuspected) -> Effect:
    """Words that may have been a STOP are under review."""

    def effect(now: Standing) -> Standing:
        now = replace(
            now,
            reviews={**now.reviews, item.version: item.mark},
            review_clocks={**now.review_clocks, item.version: item.basis},
        )
        return answer(before)(now) if fact.ends_request else now

    return effect


def without_review(review: int) -> Effect:
    """Without a review that a person's verdict has ended."""
    return lambda now: _without_reviews(now, {review})


def review_lifted(now: Standing, item: Said) -> Standing:
    """START lifts a review as it would the STOP that its words may turn out to be (R-F10)."""
    lifted = {
        review
        for review, mark in now.reviews.items()
        if outranks(item.at, item.basis, {now.review_clocks[review]: mark.at})
    }
    return _without_reviews(now, lifted)


def _without_reviews(now: Standing, gone: set[int]) -> Standing:
    return replace(
        now,
        reviews={v: mark for v, mark in now.reviews.items() if v not in gone},
        review_clocks={v: clock for v, clock in now.review_clocks.items() if v not in gone},
    )
