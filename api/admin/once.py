"""A form that was shown once counts once, however often its button is pressed.

Each showing of a form has a value of its own in it. It becomes the idempotency claim of what the
form records, so that a double click, or a browser that sends a form again, records nothing twice
and leads to the same words.
"""

import secrets
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request
from msgspec.structs import replace
from psycopg import AsyncConnection

from api.auth import Caller
from api.service import Service
from api.submit import digest
from consent_ledger import commands as c
from consent_ledger.ledger import IDEMPOTENCY_CLAIM, Claim, Receipt, Submission
from consent_ledger.standing import Standing

FIELD: Final = "once"

FIND_DONE: Final = """
SELECT key FROM claims WHERE account_id = %s AND kind = %s AND key = ANY(%s)"""


def shown_once() -> str:
    """The value of one showing of a form: no other one has it. Its field has `autocomplete` off, as
    a browser could put back the value of a form that was sent."""
    return secrets.token_urlsafe(16)


class FormSent:
    """A form as it was sent. One without the value, which no page of ours shows, claims nothing."""

    def __init__(self, sent: UUID | None) -> None:
        self._sent = sent

    def claims(self, *about: str) -> tuple[Claim, ...]:
        """The claim of one thing that the form asks for."""
        return tuple(Claim(IDEMPOTENCY_CLAIM, key) for key in self._keys(*about))

    def _keys(self, *about: str) -> list[UUID]:
        if self._sent is None:
            return []
        return [digest(self._sent.bytes, *(each.encode() for each in about))]

    async def done(
        self, conn: AsyncConnection[Any], caller: Caller, things: list[tuple[str, ...]]
    ) -> set[tuple[str, ...]]:
        """Which of the things that the form asks for were done when it was sent before."""
        by_key = {key: about for about in things for key in self._keys(*about)}
        params = (caller.account_id, IDEMPOTENCY_CLAIM, list(by_key))
        found = await (await conn.execute(FIND_DONE, params)).fetchall()
        return {by_key[key] for (key,) in found}


async def as_sent(request: Request) -> FormSent:
    """The form of a request, by all of its fields: with another one filled in it is another form,
    as whoever goes back to a page that the browser kept means something else."""
    form = await request.form()
    if not form.get(FIELD):
        return FormSent(None)
    fields = [text for name, value in form.multi_items() for text in (name, str(value))]
    written = [each.encode("utf-8", "backslashreplace") for each in fields]
    return FormSent(digest(request.url.path.encode(), *written))


SentForm = Annotated[FormSent, Depends(as_sent)]


async def record_once(
    service: Service, caller: Caller, submission: Submission, claims: tuple[Claim, ...]
) -> Receipt:
    """Records what a form asks for, the first time that it is sent.

    An opt-out or a block that was lifted since is recorded again: whoever goes back to a page that
    the browser kept is told once more that no text goes, and then none may.
    """
    receipt = await service.writer.record(replace(submission, claims=claims))
    if receipt.recorded:
        return receipt
    view = await service.reader.view(caller.account_id, submission.candidates)
    _, found = view.number(submission.candidates)
    if found.standing is None or _stands(found.standing, submission.command):
        return receipt
    return await service.writer.record(submission)


def _stands(standing: Standing, command: c.Command) -> bool:
    """Whether what a command shut is shut still; what opens is never done anew."""
    match command:
        case c.OptOut(source=source):
            return standing.opt_out_by(source) is not None
        case c.BlockPurpose(purpose=purpose, blocked=True):
            return purpose in standing.blocks
        case _:
            return True
