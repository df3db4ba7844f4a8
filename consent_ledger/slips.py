"""Slips of the thumb: spellings that are one letter away from a word, or two from a long one."""

import string
from functools import cache
from typing import Final

SHORTEST: Final = 4
"""Letters of a word that slips are looked for: one letter off 'end' is 'and', 'send' or 'bend'."""
LONG: Final = 9
"""Letters from which two slips still leave no doubt which word was meant."""
LONGEST: Final = 16
"""Letters compared: longer than any exit word with its slips, so that comparing costs little."""

# Words of their own that are one letter from an exit word.
_NEAR: Final = """
shop step top spot stoop stow slop atop strop sop stomp stops stoup
quiet quite suit quip quid quilt quits quint nuit huit fuit quito qui
cancer cancels chancel canceled cancelled
remote removed removes remover evoke revoked revokes provoke
halo half hall hale salt malt hat shalt text next tent test teat
nuit huit fuit cuit qui quis quito quita renove optou
arrest barrel subscribe subscribed subscriber subscribes
"""
_OTHERS: Final = frozenset(_NEAR.split())


@cache
def slips(word: str) -> frozenset[str]:
    """The word and what it is typed as by one wrong, missing, doubled or swapped letter."""
    if len(word) < SHORTEST:
        return frozenset({word})
    letters = string.ascii_lowercase + string.digits
    found = {word}
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        found.update(before + letter + after for letter in letters)
        if after:
            found.add(before + after[1:])
            found.update(before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            found.add(before + after[1] + after[0] + after[2:])
    return frozenset(found - _OTHERS | {word})


def slipped(token: str, words: tuple[str, ...]) -> str | None:
    """The word that a text of one word is a slip of."""
    if not SHORTEST - 1 <= len(token) <= LONGEST or token in _OTHERS:
        return None
    for word in words:
        if token in slips(word) or (len(word) >= LONG and _apart(token, word) <= 2):
            return word
    return None


def _apart(one: str, other: str) -> int:
    """Letters to add, drop, change or swap to get from one word to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before = before, row
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if last and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
