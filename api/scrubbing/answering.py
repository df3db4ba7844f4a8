"""A block of rows in, the same rows with their answers out."""

from collections.abc import Callable, Sequence
from typing import Final

from api.scrubbing.numbers import NumberReader, why_not
from api.scrubbing.orders import Scrub
from api.scrubbing.rows import BLANK, CsvRows, NdjsonRows, Row, Rows
from consent_ledger.decision import Decision, decide, unreadable
from consent_ledger.keyring import Keyring
from consent_ledger.snapshot import Snapshot
from consent_ledger.store.codec import decode_account, readable_snapshot

Find = Callable[[Sequence[bytes]], dict[bytes, bytes]]
"""The snapshots of the numbers that have one, by id."""


class Answering:
    """Answers the blocks of one list."""

    def __init__(self, scrub: Scrub, keyring: Keyring, find: Find) -> None:
        self._question, self._now = scrub.question, scrub.now
        self._account = decode_account(scrub.account)
        region, columns = self._account.default_region, scrub.columns
        self._rows: Final[Rows] = CsvRows(columns, region) if columns else NdjsonRows()
        self._numbers = NumberReader(region)
        self._makers = keyring.id_makers(scrub.account_id)
        self._find = find
        self._endings: dict[tuple[str, str], bytes] = {}
        self._never_seen = self._decided(Snapshot())

    def answer(self, block: bytes) -> bytes:
        """The rows of a block with their answers."""
        rows = self._rows.read(block)
        read = self._numbers.read
        numbers = [read(row.number) if row.number is not None else None for row in rows]
        candidates = [[make(e164) for e164 in numbers if e164] for make in self._makers]
        endings = iter(self._all_endings(candidates))
        return b"".join(
            [
                row.text + (next(endings) if e164 else self._without_number(row))
                for row, e164 in zip(rows, numbers, strict=True)
            ]
        )

    def _without_number(self, row: Row) -> bytes:
        if row.error == BLANK:
            return self._rows.line_end
        return self._rows.failed(row.error or why_not(row.number or b""))

    def _all_endings(self, candidates: list[list[bytes]]) -> list[bytes]:
        """The answers in order; of a number's ids the newest that is there counts."""
        found = self._find([each for ids in candidates for each in ids])
        if not found:
            return [self._never_seen] * len(candidates[0])
        known = {number_id: self._known(row) for number_id, row in found.items()}
        endings = [known.get(number_id, b"") for number_id in candidates[0]]
        for ids in candidates[1:]:
            endings = [e or known.get(i, b"") for e, i in zip(endings, ids, strict=True)]
        return [ending or self._never_seen for ending in endings]

    def _known(self, row: bytes) -> bytes:
        return self._decided(readable_snapshot(row))

    def _decided(self, snapshot: Snapshot | None) -> bytes:
        decision = self._decide(snapshot)
        place = (decision.answer, decision.reason)
        ending = self._endings.get(place)
        if ending is None:
            answer, reason = str(decision.answer), str(decision.reason)
            ending = self._rows.ending(decision.may_text, answer, reason)
            self._endings[place] = ending
        return ending

    def _decide(self, snapshot: Snapshot | None) -> Decision:
        if snapshot is None:
            version = self._account.policy_at(self._now).version
            return unreadable(self._question.purpose, version)
        return decide(snapshot.standing, self._question, self._account, self._now)
