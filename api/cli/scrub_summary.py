"""How the rows of a scrubbed list were answered, counted while they go by."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

_DECISIONS: Final = rb"(?:allow|defer|confirm|deny|)"
_CSV: Final = re.compile(
    rb"(?<=[,;\t|])(?:true|false)[,;\t|](" + _DECISIONS + rb")[,;\t|]([a-z_]*)[,;\t|]([a-z-]*)\r?\n"
)
_NDJSON: Final = re.compile(
    rb'"decision":(?:"(' + _DECISIONS + rb')"|null),"reason":(?:"([a-z_]*)"|null)'
    rb'(?:,"error":\{"code":"([a-z-]*)"[^\n]*\})?\}\n'
)

Answer = tuple[bytes, bytes, bytes]


class Summary:
    """Counts by decision, reason and error."""

    def __init__(self, csv: bool) -> None:
        self._pattern = _CSV if csv else _NDJSON
        self._counts: Counter[Answer] = Counter()

    def counting(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks; what they hold is counted."""
        left = b""
        for chunk in chunks:
            whole, _, left = (left + chunk).rpartition(b"\n")
            if whole:
                self._counts.update(self._pattern.findall(whole + b"\n"))
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
