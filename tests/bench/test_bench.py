"""The bench runs, every path answers without an error, and it leaves nothing of its peers."""

import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest

from api.bench import releases, run, show
from api.bench.bars import PAIRS, Pair, bar, judged
from api.bench.growth.table import measure_growth
from api.bench.peers import SCHEMA
from api.bench.rebuilding import measure_rebuild
from api.cli.bench import _prepare
from consent_ledger.keyring import Keyring
from tests.cli.conftest import cli

SECONDS: Final = 0.05
"""Of each load, behind its warm-up: what it finds is of no use here."""


class Short(run.Bench):
    """A bench that does not load its numbers for seconds on end before it begins."""

    def load(
        self, path: str, template: str, connections: int, seconds: float, **more: Any
    ) -> dict[str, Any]:
        """As long as any other load here."""
        return super().load(path, template, connections, min(seconds, SECONDS), **more)


def test_a_ratio_is_of_each_round_and_its_median_is_judged() -> None:
    """The noise of a round falls on both sides of its ratio."""
    rates = {"one": [90.0, 20.0, 300.0], "other": [100.0, 10.0, 400.0]}
    p99 = {"one": [2.0, 4.0, 3.0], "other": [0.0, 0.0, 0.0]}
    found = judged(Pair("one", "other", at_least=0.9, p99_at_most=2.0), rates, p99)
    assert found["rate"] == {"median": 0.9, "min": 0.75, "max": 2.0}
    assert found["p99"]["median"] == 0.0
    assert found["bar"] == {"at_least": 0.9, "met": True}
    assert found["p99_bar"] == {"at_most": 2.0, "met": True}
    assert bar(1.31, at_most=1.3) == {"at_most": 1.3, "met": False}


def test_every_path_is_measured_beside_its_peers(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One short round of all, on a database that was given."""
    for name, value in (("SCRUB_ROWS", 100), ("BATCH_ITEMS", 100), ("MANY", 100)):
        monkeypatch.setattr(run, name, value)
    monkeypatch.setattr(releases, "TEXTS", 50)
    account_id = uuid4()
    _prepare(database_url, account_id)
    bench = Short(database_url, account_id, Keyring.generate())
    with bench.servers():
        found = run.measure(bench, 1, SECONDS, lambda text: None)
    assert set(found["ratios"]) == {pair.name for pair in PAIRS}
    assert {name for pair in PAIRS for name in (pair.one, pair.other)} == set(found["paths"])
    for name, path in found["paths"].items():
        assert path["errors"] == 0, name
        assert path["rate"]["median"] > 0, name
    assert found["paths"]["check"]["memory_mb"] > 0
    with psycopg.connect(database_url) as conn:
        left = conn.execute("SELECT to_regnamespace(%s)", (SCHEMA,)).fetchone()
    assert left == (None,)
    show.show(found)
    shown = capsys.readouterr().out
    assert shown.index("check / constant") < shown.index("at least 0.9") < shown.index("p50 ms")


def test_a_rebuild_is_measured_beside_copy(database_url: str) -> None:
    """Also where every row has to be written."""
    _prepare(database_url, uuid4())
    found = measure_rebuild(database_url, 1, writing=True, progress=lambda text: None)
    assert set(found["ratios"]) == {
        "compare / copy out",
        "fold in one process / copy out",
        "write every row / copy out",
    }
    assert found["memory_mb"] > 0


def test_an_import_is_measured_beside_copy_and_live_load() -> None:
    """Its bars stand first; no check right after a STOP says yes meanwhile."""
    done = cli("bench", "imports", "--rows=6000", "--rounds=1", "--seconds=0.5", "--output=json")
    found = json.loads(done.stdout)
    assert found["bars"].keys() == {
        "import / copy",
        "check, beside an import / without",
        "command, beside an import / without",
        "checks beside an import that said yes after a STOP",
        "peak of memory, MB",
    }
    assert found["live"]["checks_after_a_stop"] > 0
    assert found["live"]["stale_checks"] == 0
    assert found["imports"]["import / copy"]["median"] > 0


def test_growth_fills_and_measures_ledgers(tmp_path: Path) -> None:
    """A folder that is filled is used again, and as what it is."""
    found = measure_growth(tmp_path, [40], 1, 0.05, lambda text: None)
    assert found["growth"]["40"]["errors"] == 0
    assert found["growth"]["40"]["check_beside_smallest"]["median"] == 1.0
    assert (tmp_path / "40" / "filled").read_text() == "40"
    (tmp_path / "80").symlink_to(tmp_path / "40")
    with pytest.raises(ValueError, match="has 40 numbers"):
        measure_growth(tmp_path, [80], 1, 0.05, lambda text: None)


def test_growth_is_not_measured_on_a_database_of_yours() -> None:
    """It would fill it."""
    refused = cli("bench", "growth", "--database-url", "postgresql://nowhere/x")
    assert (refused.returncode, "leave --database-url out" in refused.stderr) == (2, True)


def test_a_result_goes_to_a_file_too(tmp_path: Path) -> None:
    """With what it was measured on."""
    file = tmp_path / "lexicon.json"
    done = cli("bench", "lexicon", "--rounds", "1", "--seconds", "0.5", "--json", file)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(file.read_text())
    assert found["machine"]["cores"] > 0
    assert found["texts_a_second"]["median"] > 0
