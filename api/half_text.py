"""JSON in which a text is cut in the middle of a sign, as careless senders shorten it.

Half an emoji, or bytes that are no UTF-8, are no reason to lose what a contact said beside them.
"""

import json


def mended(body: bytes) -> bytes | None:
    """The same JSON with U+FFFD for what no text can hold; None where it is none even so."""
    try:
        found = json.loads(body.decode("utf-8", "replace"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    written = json.dumps(found, ensure_ascii=False)
    return written.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _refuse(name: str) -> object:
    # Python reads NaN and infinities, which are no JSON.
    raise ValueError(name)
