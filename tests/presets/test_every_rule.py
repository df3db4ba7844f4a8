"""Each rule of the four systems is shown by a test that goes over HTTP."""

import ast
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
OVER_HTTP: Final = [*TESTS.glob("presets/test_*.py"), *TESTS.glob("api/test_*.py")]
SYSTEMS: Final = {"M": 11, "V": 6, "B": 3, "L": 6}
"""How many rules each system has: consent-first, opt-out, recalls, authorization."""
RULES: Final = [f"R-{system}{n}" for system, last in SYSTEMS.items() for n in range(1, last + 1)]


def quoted(path: Path) -> str:
    """The sentences below the names of a file's tests."""
    found = (node for node in ast.walk(ast.parse(path.read_text())))
    tests = (node for node in found if isinstance(node, ast.FunctionDef))
    return " ".join(
        ast.get_docstring(test) or "" for test in tests if test.name.startswith("test_")
    )


SENTENCES: Final = " ".join(quoted(path) for path in OVER_HTTP if path.name != Path(__file__).name)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_quoted_by_a_test(rule: str) -> None:
    """`R-M1` is not found in `R-M10`."""
    words = SENTENCES.replace(",", " ").replace(":", " ").replace(";", " ").replace(".", " ")
    assert rule in words.split()
