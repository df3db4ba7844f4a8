"""How the rows of a scrubbed list were answered, counted while they go by."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from api.scrubbing.blocks import LOOKAHEAD, record_pattern
from api.scrubbing.columns import ANSWER_COLUMNS

_DECISIONS: Final = "(allow|defer|confirm|deny|)"
_HEADER: Final = re.compile(
    rb"([,;\t|])" + rb"\1".join(name.encode() for name in ANSWER_COLUMNS) + rb"\r?\n"
)
_NDJSON: Final = re.compile(
    rb',?"may_text":(?:true|false),"decision":(?:"' + _DECISIONS.encode() + rb'"|null)'
    rb',"reason":(?:"([a-z_]*)"|null)(?:,"error":\{"code":"([a-z-]*)","detail":"[^"\n]*"\})?\}\n'
)
"""The last fields of a line: what lies within the object is the customer's own."""

Answer = tuple[bytes, bytes, bytes]


class _CsvAnswers:
    """The answers in a list of cells: the last four of a row, which may go on over several lines
    within quotes, where anything can stand."""

    def __init__(self) -> None:
        self._left = b""
        self._is_begun = False

    def feed(self, chunk: bytes) -> list[Answer]:
        """The answers to the rows that are whole with this chunk."""
        self._left += chunk
        if not self._is_begun:
            self._begin()
        end = self._left.rfind(b"\n") + 1 if self._is_begun else 0
        whole = self._left[:end]
        if b'"' in whole and self._goes_on.search(whole):
            end = self._end_of_rows()
            whole = self._quoted.sub(b"", self._left[:end])
        self._left = self._left[end:]
        return self._answer.findall(whole) if whole else []

    def _begin(self) -> None:
        header = _HEADER.search(self._left)
        if header is None:
            return
        self._is_begun, self._left = True, self._left[header.end() :]
        delimiter = header[1].decode()
        d = re.escape(delimiter)
        cells = d.join(("(?:true|false)", _DECISIONS, "([a-z_]*)", "([a-z-]*)"))
        self._answer = re.compile(rf"(?<={d}){cells}\r?\n".encode())
        self._goes_on = re.compile(rf'(?:^|{d})"[^"\n]*+(?:""[^"\n]*+)*+\n'.encode(), re.MULTILINE)
        self._quoted = re.compile(rf'(?<![^{d}\n])"[^"]*+(?:""[^"]*+)*+"'.encode())
        self._rows = re.compile(b"(?:%b)*+" % record_pattern(delimiter, r"\n"))

    def _end_of_rows(self) -> int:
        found = self._rows.match(self._left)
        end = found.end() if found else 0
        # Past this it is no row of ours, and not kept for ever.
        return end or (len(self._left) if len(self._left) > LOOKAHEAD else 0)


class _NdjsonAnswers:
    """The answers in lines of JSON."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, chunk: bytes) -> list[Answer]:
        """The answers in the lines that are whole with this chunk."""
        whole, _, self._left = (self._left + chunk).rpartition(b"\n")
        return _NDJSON.findall(whole + b"\n") if whole else []


class Summary:
    """Counts by decision, reason and error."""

    def __init__(self, csv: bool) -> None:
        self._answers = _CsvAnswers() if csv else _NdjsonAnswers()
        self._counts: Counter[Answer] = Counter()

    def counting(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks; what they hold is counted."""
        for chunk in chunks:
            self._counts.update(self._answers.feed(chunk))
            yield chunk

    @property
    def rows(self) -> int:
        """All rows that were answered."""
        return self._counts.total()

    @property
    def may_text(self) -> int:
        """Rows that may be texted."""
        return sum(n for (decision, _, _), n in self._counts.items() if decision == b"allow")

    def items(self) -> list[dict[str, Any]]:
        """The counts, the largest first."""
        return [
            {
                "decision": decision.decode() or None,
                "reason": reason.decode() or None,
                "error": error.decode() or None,
                "rows": rows,
            }
            for (decision, reason, error), rows in sorted(
                self._counts.items(), key=lambda item: (-item[1], item[0])
            )
        ]

    def as_json(self) -> dict[str, Any]:
        """The whole summary."""
        return {"rows": self.rows, "may_text": self.may_text, "answers": self.items()}
