"""How fast texts are read, how that grows with their length, and what is found in own examples."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from api.bench.spreads import spread
from consent_ledger.interpreting import READ_AT_MOST, interpret
from consent_ledger.lexicon import Understood

CHAT: Final = (
    "Ok see u then, running a bit late sorry",
    "Can you send me the address again? I think it was near the station but I am not sure",
    "Haha no way!! I can't stop laughing, tell her I said hi and that we will come on Sunday",
    "yes",
    "What time does the office close on Friday? My son has a fever and can't come tomorrow",
    "Thanks so much for the reminder, I will be there at 10. Do I need to bring anything?",
    "Stop. Thank you",
    "please take me off your list",
    "¿A qué hora es mi cita? No me siento bien",
    "好的,谢谢,明天见",
)
"""Chat as it comes in: mostly talk, of several languages, with a few wishes to end it."""
HOSTILE: Final = (
    "stop ",
    "do not ",
    "please stop texting ",
    "take me off your ",
    "a",
    "stop.x ",
    "s ",
    "\ufdfa",
)
"""What could slow a reader down: beginnings of phrases that never end, and long foldings."""


def measure_reading(rounds: int, seconds: float) -> dict[str, Any]:
    """Texts a second on one core, and what twice the length costs: 2 is linear."""
    _rate(CHAT, 0.2)
    rates = [_rate(CHAT, seconds) for _ in range(rounds)]
    growth = [_growth(piece, rounds) for piece in HOSTILE]
    return {"texts_a_second": spread(rates), "cost_of_twice_the_length": spread(growth)}


def _rate(texts: Sequence[str], seconds: float) -> float:
    read, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        for text in texts:
            interpret(text)
        read += len(texts)
    return read / spent


def _growth(piece: str, rounds: int) -> float:
    """The cost of a hostile text beside one of half its length, both within what is read."""
    times = READ_AT_MOST // len(piece) // 2
    half, whole = piece * times, piece * times * 2
    # In turn, and the cheapest of many: what else runs here only ever adds.
    costs = [(_cost(whole), _cost(half)) for _ in range(20 * rounds)]
    return min(one for one, _ in costs) / min(other for _, other in costs)


def _cost(text: str) -> float:
    begun = time.process_time()
    interpret(text)
    return time.process_time() - begun


def measure_examples(folder: Path) -> dict[str, dict[str, int]]:
    """Of each file of examples, `language<tab>text` a line, how many are read as what."""
    found: dict[str, dict[str, int]] = {}
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text("utf-8").splitlines()
        read = [interpret(line.partition("\t")[2]).understood_as for line in lines]
        found[path.stem] = {
            "texts": len(read),
            "stop": sum(each is Understood.STOP for each in read),
            "suspected": sum(each is Understood.SUSPECTED_REVOCATION for each in read),
        }
    return found
