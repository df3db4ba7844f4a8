"""Scrubs: the question travels in the URL, the numbers in the body (contract section 3)."""

from enum import StrEnum
from typing import Any, Final


class ListKind(StrEnum):
    """The media types of a list."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


CSV_LIST: Final = "name,number\r\nAnn,+14155550100\r\nBen,(415) 555-0101\r\nCara,none\r\n"
CSV_ANSWER: Final = (
    "name,number,may_text,decision,reason,error\r\n"
    "Ann,+14155550100,false,deny,opted_out_by_contact,\r\n"
    "Ben,(415) 555-0101,true,allow,no_consent_needed,\r\n"
    "Cara,none,false,,,number-unparseable\r\n"
)
NDJSON_LIST: Final = '{"name":"Ann","number":"+14155550100"}\n'
NDJSON_ANSWER: Final = (
    '{"name":"Ann","number":"+14155550100",'
    '"may_text":false,"decision":"deny","reason":"opted_out_by_contact"}\n'
)


def _texts(csv: str, ndjson: str) -> dict[str, Any]:
    examples = {ListKind.CSV: csv, ListKind.NDJSON: ndjson}
    return {
        str(kind): {"schema": {"type": "string"}, "example": text}
        for kind, text in examples.items()
    }


LIST: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": _texts(CSV_LIST, NDJSON_LIST)}
}
"""The body in the OpenAPI document; FastAPI knows bodies of JSON alone."""
ANSWER: Final = _texts(CSV_ANSWER, NDJSON_ANSWER)
