"""Questions about the past: what was true then, and what was known then (contract section 3)."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from api import render
from api.problems import invalid
from api.service import Service
from consent_ledger.account import Account, evolve_account
from consent_ledger.decision import Decision, Question, decide, unreadable
from consent_ledger.facts import Event
from consent_ledger.fold import fold
from consent_ledger.ledger import UnavailableError
from consent_ledger.policy import Policy
from consent_ledger.snapshot import counted
from consent_ledger.standing import Standing
from consent_ledger.store.log import read_stream
from consent_ledger.store.mapper import UnreadableEventError
from consent_ledger.store.view import View


class _Past:
    """A number's stream, and what of it counts for one look back."""

    def __init__(self, number_id: UUID, events: list[Event] | None, as_of: int | None) -> None:
        self.number_id = number_id
        self.version = events[-1].originator_version if events else 0
        self.position = (events[-1].position or 0) if events else 0
        self.standing: Standing | None = None
        if events is not None:
            self.standing = fold(counted(events, as_of))


async def check_in_the_past(
    service: Service,
    account_id: UUID,
    ids: tuple[UUID, ...],
    contacts: tuple[tuple[UUID, ...], ...],
    question: Question,
    as_of: int | None,
    known_at: int | None,
) -> dict[str, Any]:
    """The answer at `as_of` with all that is known now, or with what was recorded by `known_at`.

    The streams are folded anew, up to those times; the account's set-up is the one that was in
    force, as far as it was known.
    """
    view = await service.reader.view(account_id, list(ids))
    _refuse_other_times(as_of, known_at, view.now)
    past = await _past(service, ids, as_of, known_at)
    others = [await _past(service, other, as_of, known_at) for other in contacts]
    then, at = await _set_up(service, view, as_of, known_at)
    if then is None or any(other.standing is None for other in others):
        past.standing = None
    account = then or view.account
    known = tuple((o.number_id, o.standing) for o in others if o.standing is not None)
    require_manual_sender(account.policy_at(at).policy, question)
    decision = _decide(past, replace(question, contacts=known), account, at)
    fields = render.answer(
        decision, past.number_id, past.version, past.position or view.horizon, view.now
    )
    return fields | {"as_of": render.instant(as_of), "known_at": render.instant(known_at)}


class PastState(NamedTuple):
    """Where a number stood at the instant `at`, by the policy of that time, asked at `now`."""

    version: int
    standing: Standing | None
    policy: Policy
    at: int
    now: int


async def state_in_the_past(
    service: Service,
    account_id: UUID,
    number_id: UUID,
    as_of: int | None,
    known_at: int | None,
) -> PastState:
    """Where a number stood at a moment; now, where none is named. UnavailableError where the
    policies of then cannot be read."""
    view = await service.reader.view(account_id, [number_id])
    _refuse_other_times(as_of, known_at, view.now)
    past = await _past(service, (number_id,), as_of, known_at)
    account, at = await _set_up(service, view, as_of, known_at)
    if account is None:
        raise UnavailableError("the set-up of then cannot be read")
    return PastState(past.version, past.standing, account.policy_at(at).policy, at, view.now)


async def _set_up(
    service: Service, view: View, as_of: int | None, known_at: int | None
) -> tuple[Account | None, int]:
    """The account as it was set up then, None where that cannot be read, and the instant that is
    asked about.

    A set-up holds from when it was recorded on, so of two times the earlier one limits it. Before
    the account was opened nothing was set up: what is known of it later stands in for that, its
    first policy too.
    """
    at = next((at for at in (as_of, known_at) if at is not None), view.now)
    account = view.account
    try:
        for limit in (known_at, as_of):
            if limit is not None:
                account = await _account_at(service, account, limit)
    except UnreadableEventError:
        return None, at
    return account, at


def _decide(past: _Past, question: Question, account: Account, at: int) -> Decision:
    if past.standing is None:
        return unreadable(question.purpose, account.policy_at(at).version)
    return decide(past.standing, question, account, at)


def require_manual_sender(policy: Policy, question: Question) -> None:
    """A manual text names its sender where users who are not named may not text (section 7)."""
    if question.manual and question.sent_by is None and not policy.unnamed_users_may_text:
        raise invalid("sent_by", "sent-by-required", "This account asks who sends a manual text.")


def _refuse_other_times(as_of: int | None, known_at: int | None, now: int) -> None:
    for field, at in (("as_of", as_of), ("known_at", known_at)):
        if at is not None and at > now:
            raise invalid(field, "time-in-future", "A question about the past needs a past time.")
        # The calendar begins at its own edge, where a time zone would lead out of it.
        if at is not None and at < 0:
            raise invalid(field, "time-too-early", "No text was sent before 1970.")


async def _past(
    service: Service, ids: tuple[UUID, ...], as_of: int | None, known_at: int | None
) -> _Past:
    """The first of a number's ids that has a stream."""
    for number_id in ids:
        try:
            events = await stream(service, number_id)
        except UnreadableEventError:
            return _Past(number_id, None, as_of)
        if events:
            known = [e for e in events if known_at is None or e.recorded_at <= known_at]
            return _Past(number_id, known, as_of)
    return _Past(ids[0], [], as_of)


async def stream(service: Service, originator_id: UUID) -> list[Event]:
    """The events of a number or account."""
    async with service.connection() as conn:
        return await read_stream(conn, originator_id)


RECORDED: Final = """
SELECT max(originator_version) FROM events WHERE originator_id = %s AND recorded_at <= %s"""


async def _account_at(service: Service, account: Account, recorded_by: int) -> Account:
    """The account at an earlier version, if it had one by then."""
    account_id = account.account_id
    async with service.connection() as conn:
        row = await (await conn.execute(RECORDED, (account_id, recorded_by))).fetchone()
        version = row[0] if row is not None else None
        if version is None or version >= account.version:
            return account
        events = await read_stream(conn, account_id, version)
    then = Account(account_id)
    for event in events:
        then = evolve_account(then, event.fact)
    return then if then.policies else account
