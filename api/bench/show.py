"""The results of a run for people: ratios and their bars first."""

import os
import platform
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from api.cli.output import NARROW

Found = Mapping[str, Any]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def show(found: Found) -> None:
    """Whatever parts a result has."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=NARROW)
    if "ratios" in found:
        console.print(_ratios(found["ratios"]))
    for name, each in found.get("bars", {}).items():
        console.print(f"{name}: {each['value']} ({_bar(each)})")
    if "paths" in found:
        console.print(_paths(found["paths"]))
    if "growth" in found:
        console.print(_growth(found["growth"]))
    if "events_a_second" in found:
        for name, rate in found["events_a_second"].items():
            console.print(f"{name}: {_spread(rate)} events a second")
        if found["memory_mb"] is not None:
            console.print(f"peak of memory: {found['memory_mb']:.0f} MB")
    if "imports" in found:
        _imports(console, found)
    if "texts_a_second" in found:
        _lexicon(console, found)


def _imports(console: Console, found: Found) -> None:
    for name, rate in found["imports"]["rows_a_second"].items():
        console.print(f"{name}: {_spread(rate)} rows a second")
    live = found["live"]
    for name, before in live["before"].items():
        during = live["during"][name]["rate"]
        console.print(f"{name}: {before['rate']:,.0f} a second, {during:,.0f} beside an import")
    gap, checks = live["worst_gap_of_the_feed_ms"], live["checks_after_a_stop"]
    console.print(f"beside an import an event was in the feed after {gap:.0f} ms at the most")
    console.print(f"{checks} numbers said STOP meanwhile and were asked about at once")
    if not live["lasted"]:
        console.print("the import was over before the loads were: send more --rows")


def _ratios(ratios: Found) -> Table:
    table = Table("one / other", "rate", "lowest", "highest", "p99", "bar", title="Ratios")
    for name, ratio in ratios.items():
        rate, p99 = ratio["rate"], ratio.get("p99", {}).get("median")
        cells = [f"{rate[key]:.2f}" for key in ("median", "min", "max")]
        judged = _bar(ratio["bar"]) if "bar" in ratio else ""
        late = f" ({_bar(ratio['p99_bar'])})" if "p99_bar" in ratio else ""
        table.add_row(name, *cells, f"{p99:.2f}{late}" if p99 else "", judged)
    return table


def _paths(paths: Found) -> Table:
    columns = ("path", "a second", "lowest", "highest", "p50 ms", "p99 ms", "errors", "peak MB")
    table = Table(*columns, title="Each alone")
    for name, path in paths.items():
        rate = [f"{path['rate'][key]:,.0f}" for key in ("median", "min", "max")]
        times = [path[key]["median"] for key in ("p50_ms", "p99_ms")]
        shown = [f"{each:.2f}" if each else "" for each in times]
        peak = str(path.get("memory_mb", ""))
        if not path.get("memory_bar", {"met": True})["met"]:
            peak += " (too much)"
        table.add_row(name, *rate, *shown, str(path["errors"]), peak)
    return table


def _growth(growth: Found) -> Table:
    table = Table("", *(f"{int(total):,} numbers" for total in growth), title="Growth")
    rows = list(next(iter(growth.values())))
    for row in rows:
        table.add_row(row.replace("_", " "), *(_cell(each[row]) for each in growth.values()))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        if "median" in value:
            return _spread(value)
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return f"{value:,}"


def _spread(value: Found) -> str:
    digits = 0 if value["median"] >= 100 else 2
    median, low, high = (f"{value[key]:,.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({low} to {high})"


def _bar(bar: Found) -> str:
    asked = f"at least {bar['at_least']}" if "at_least" in bar else f"at most {bar['at_most']}"
    return f"{'pass' if bar['met'] else 'FAIL'}: {asked}"


def _lexicon(console: Console, found: Found) -> None:
    rate, growth = found["texts_a_second"], found["cost_of_twice_the_length"]
    console.print(f"texts a second: {_spread(rate)}")
    console.print(f"a hostile text twice as long costs up to {growth['max']:.2f} times as much")
    for name, counts in found.get("examples", {}).items():
        console.print(f"{name}: " + ", ".join(f"{what} {count}" for what, count in counts.items()))
