"""How much a text sounds like wishes to end texts that were read before (R-K4).

What no phrase foresaw is weighed: words, and pairs of words, count for or against. The weights are
fitted by `tests/domain/fit_likeness.py` to the examples of `tests/data/replies` and private chat.
They lie in `lexicon_data/en.weights`; one that is changed by hand is none that was measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from consent_ledger.tokens import BREAK

ENOUGH: Final = 140
"""Hundredths of a logit: of new texts that only look alike, two or three of 100 weigh as much."""

TELLING: Final = 60
"""What one word of a text must weigh at least, so that two of three texts of chat cost little."""

FEWEST_WORDS: Final = 3
"""Two words have too few pairs to tell 'stop me' from 'stop this'; phrases know short wishes."""

MOST_UNKNOWN: Final = 0.4
"""Of a text's words: with more of them unknown it is of a language that nothing was fitted to."""

MOST_WORDS: Final = 120
"""Beyond it, small weights of long chatter would add up to a wish; phrases are still looked for."""

_BEGIN: Final = "<<"
_END: Final = ">>"
_NUMBER: Final = "#"


@dataclass(frozen=True, slots=True)
class Kinds:
    """Words that are one to the weights: other spellings, and kinds of words such as pronouns."""

    spellings: Mapping[str, str]
    kinds: Mapping[str, str]

    def usual(self, token: str) -> str:
        """A word in its usual spelling; a number is any number."""
        return _NUMBER if token.isdecimal() else self.spellings.get(token, token)

    def features(self, tokens: Sequence[str]) -> Iterator[str]:
        """What is weighed: words, pairs, and pairs of kinds, these also with a word between."""
        words = [_BEGIN, *map(self.usual, tokens), _END]
        kinds = [self.kinds.get(word, word) for word in words]
        yield from (word for word in words[1:-1] if word != BREAK)
        yield from (f"{one} {other}" for one, other in pairwise(words))
        yield from (f"{one}+{other}" for one, other in pairwise(kinds))
        yield from (f"{one}_{other}" for one, other in zip(kinds, kinds[2:], strict=False))


class _Word(NamedTuple):
    """What a word is in pairs, and what it weighs; 0 is every word that is in none."""

    word: int
    kind: int
    weight: int


_UNKNOWN: Final = _Word(0, 0, 0)


class Likeness:
    """Weights of features, and what every text weighs before its first word.

    Pairs are looked up as numbers, so that a text costs a few steps a word and no new string.
    """

    def __init__(self, kinds: Kinds, bias: int, weights: Mapping[str, int]) -> None:
        self._kinds = kinds
        self._bias = bias
        self._weights = dict(weights)
        self._numbers: dict[str, int] = {}
        self._pairs: dict[int, int] = {}
        pairs = {feature: mark for feature in weights if (mark := _mark(feature))}
        self._count = 2 * len(weights) + 3  # More than there are numbers.
        for feature, mark in pairs.items():
            one, other = map(self._number, feature.split(mark))
            self._pairs[self._pair(mark, one, other)] = weights[feature]
        words = {word for word in weights if word not in pairs} | set(self._numbers)
        spelt = {other for other, word in kinds.spellings.items() if word in words}
        of_kind = {word for word, kind in kinds.kinds.items() if kind in self._numbers}
        known = words | spelt | of_kind
        for word in words:
            self._number(word)
        self._words = {token: self._word(kinds.usual(token)) for token in known}
        self._number_word = self._word(_NUMBER)
        self._telling = {
            token for token, (_, _, weight) in self._words.items() if weight >= TELLING
        }
        self._begin, self._end = self._word(_BEGIN), self._word(_END)

    def _number(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers) + 1)

    def _pair(self, mark: str, one: int, other: int) -> int:
        return (_MARKS.index(mark) * self._count + one) * self._count + other

    def _word(self, word: str) -> _Word:
        kind = self._kinds.kinds.get(word, word)
        weight = 0 if word in (BREAK, _BEGIN, _END) else self._weights.get(word, 0)
        return _Word(self._numbers.get(word, 0), self._numbers.get(kind, 0), weight)

    def is_wish(self, tokens: Sequence[str]) -> bool:
        """Whether a text weighs enough for a person to read it."""
        if not FEWEST_WORDS <= len(tokens) <= MOST_WORDS:
            return False
        if self._telling.isdisjoint(tokens) and not self._numbers_tell(tokens):
            return False
        get, number = self._words.get, self._number_word
        words = [get(token) or (number if token.isdecimal() else _UNKNOWN) for token in tokens]
        if words.count(_UNKNOWN) > len(words) * MOST_UNKNOWN:
            return False
        return self._weigh(words) >= ENOUGH

    def _numbers_tell(self, tokens: Sequence[str]) -> bool:
        return self._number_word.weight >= TELLING and any(map(str.isdecimal, tokens))

    def _weigh(self, words: list[_Word]) -> int:
        """The weight of words in their order; each feature counts once."""
        count, square, get = self._count, self._count**2, self._pairs.get
        found: dict[int, int] = {}
        before, kind_before, earlier = *self._begin[:2], 0
        for word, kind, weight in (*words, self._end):
            if word:
                if weight:
                    found[-word] = weight
                if before and (pair := get(key := before * count + word)):
                    found[key] = pair
            if kind:
                if kind_before and (pair := get(key := square + kind_before * count + kind)):
                    found[key] = pair
                if earlier and (pair := get(key := 2 * square + earlier * count + kind)):
                    found[key] = pair
            before, kind_before, earlier = word, kind, kind_before
        return self._bias + sum(found.values())

    def telling(self, tokens: Sequence[str], most: int) -> list[tuple[str, int]]:
        """The features that weigh most for it, for whoever asks why."""
        weighed = ((each, self._weights.get(each, 0)) for each in set(self._kinds.features(tokens)))
        return sorted((each for each in weighed if each[1] > 0), key=lambda each: -each[1])[:most]

    def single(self, feature: str) -> int:
        """What one feature weighs."""
        return self._weights.get(feature, 0)

    def weight(self, tokens: Sequence[str]) -> int:
        """What a text weighs, worked out from the names of its features."""
        features = set(self._kinds.features(tokens))
        return self._bias + sum(self._weights.get(each, 0) for each in features)


_MARKS: Final = (" ", "+", "_")


def _mark(feature: str) -> str | None:
    """What stands between the two of a pair; nothing in a word alone."""
    return next((mark for mark in _MARKS if mark in feature), None)
