"""Fits the weights of likeness: `python -m tests.domain.fit_likeness CHAT...`.

CHAT is files of innocent texts, one a line, beside the examples of this folder: without chat the
weights know only texts that were written to look alike. The same files give the same weights.
"""

import math
import random
import sys
from collections import Counter
from pathlib import Path

from consent_ledger import lexicon_words as words
from consent_ledger.interpreting import signs
from consent_ledger.tokens import sentences_of

FOLDER = Path(__file__).parents[1] / "data" / "replies"
WEIGHTS = Path(words.__file__).parent / "lexicon_data" / "en.weights"
ROUNDS, STEP, PULL = 30, 0.3, 1.0
OWN = 3.0
"""What one example of our own counts beside one text of chat."""
SEEN = 2
"""Of our own examples that must hold a feature."""
LOWEST = -2.5
"""What one feature may say against a wish: the chat around a request must not hide it."""
LEAST = 15
"""Hundredths: a smaller weight is left out."""


def examples(kind: str) -> list[str]:
    paths = sorted(FOLDER.glob(f"{kind}_*.txt"))
    lines = (line for path in paths for line in path.read_text("utf-8").splitlines())
    return [line.removeprefix("en\t") for line in lines if line.startswith("en\t")]


def fit(requests: list[str], innocent: list[str], chat: list[str]) -> tuple[int, dict[str, int]]:
    """Logistic regression, one text after the other, with a step that shrinks by feature."""
    own = requests + innocent
    features = {text: tuple(set(words.KINDS.features(sentences_of(text)))) for text in own + chat}
    often = Counter(feature for text in own for feature in features[text])
    known = {feature for feature, times in often.items() if times >= SEEN}
    texts = [(1.0, OWN, features[text]) for text in requests]
    texts += [(0.0, OWN, features[text]) for text in innocent]
    texts += [(0.0, 1.0, features[text]) for text in chat]
    texts = [
        (wish, counts, tuple(each for each in has if each in known)) for wish, counts, has in texts
    ]
    times = Counter(each for _, _, has in texts for each in has)
    weights, squares, bias = dict.fromkeys(known, 0.0), dict.fromkeys(known, 1e-8), 0.0
    order = random.Random(1)
    for turn in range(ROUNDS):
        order.shuffle(texts)
        for wish, counts, has in texts:
            logit = max(-30.0, min(30.0, bias + sum(weights[each] for each in has)))
            slope = counts * (1 / (1 + math.exp(-logit)) - wish)
            bias -= 0.01 * slope / (1 + turn)
            if abs(slope) < 0.002:
                continue
            for each in has:
                pulled = slope + PULL * weights[each] / times[each]
                squares[each] += pulled * pulled
                weights[each] -= STEP * pulled / math.sqrt(squares[each])
                weights[each] = max(LOWEST, weights[each])
    rounded = {each: round(100 * weight) for each, weight in weights.items()}
    return round(100 * bias), {e: w for e, w in sorted(rounded.items()) if abs(w) >= LEAST}


def main() -> None:
    """Write the weights anew."""
    chat = [line for path in sys.argv[1:] for line in Path(path).read_text("utf-8").splitlines()]
    chat = [text for text in chat if signs().find(sentences_of(text)) is None]
    bias, weights = fit(examples("requests"), examples("innocent"), chat)
    lines = [f"{bias}", *(f"{weight}\t{feature}" for feature, weight in weights.items())]
    WEIGHTS.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
