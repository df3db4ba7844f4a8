"""`consent-ledger bench`: each path beside its baselines, in one run."""

import asyncio
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from api.cli.options import DatabaseUrl, Key, Output, OutputOption
from api.cli.output import print_json


class Part(StrEnum):
    """What is measured."""

    ALL = "all"
    LEXICON = "lexicon"


PartArgument = Annotated[Part, typer.Argument(help="All paths, or the reading of texts alone.")]
ExamplesOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Of `lexicon`: files of examples, to count what is found.",
    ),
]


def bench(
    part: PartArgument = Part.ALL,
    database_url: DatabaseUrl = None,
    key: Key = None,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds of every path.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds of each load.")] = 3.0,
    examples: ExamplesOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Measures check, command and batch check beside their baselines; ratios first.

    `bench lexicon` measures how fast texts are read, and needs no database. The others run on a
    temporary database, or with --database-url on yours: there it adds an account of its own.
    """
    if part is Part.LEXICON:
        _lexicon(rounds, seconds, examples, output)
        return
    with tempfile.TemporaryDirectory() as folder:
        if database_url is not None:
            found = _measure(database_url, key, rounds, seconds)
        else:
            from consent_ledger.store.embedded import EmbeddedPostgres

            with EmbeddedPostgres(Path(folder) / "bench") as postgres:
                found = _measure(postgres.url, key, rounds, seconds)
    if output is Output.JSON:
        print_json(found)
    else:
        _show(found)


def _lexicon(rounds: int, seconds: float, examples: Path | None, output: Output) -> None:
    from api.bench.lexicon import measure_examples, measure_reading

    found: dict[str, Any] = measure_reading(rounds, seconds)
    if examples is not None:
        found["examples"] = measure_examples(examples)
    if output is Output.JSON:
        print_json(found)
        return
    rate, growth = found["texts_a_second"], found["cost_of_twice_the_length"]
    print(f"texts a second: {rate['median']:,.0f} ({rate['min']:,.0f} to {rate['max']:,.0f})")
    print(f"a hostile text twice as long costs up to {growth['max']:.2f} times as much")
    for name, counts in found.get("examples", {}).items():
        numbers = ", ".join(f"{what} {count}" for what, count in counts.items())
        print(f"{name}: {numbers}")


def _measure(database_url: str, key: str | None, rounds: int, seconds: float) -> dict[str, Any]:
    from rich.console import Console

    from api.bench.run import Bench, measure
    from api.cli.opening import open_account
    from consent_ledger.keyring import Keyring
    from consent_ledger.store.connection import connect_as_owner, connector
    from consent_ledger.store.migrate import migrate

    with connect_as_owner(database_url) as conn:
        migrate(conn)
    keyring = Keyring.parse(key) if key else Keyring.generate()
    account_id = uuid4()

    async def prepare() -> None:
        conn = await connector(database_url)()
        await open_account(conn, account_id, "Bench", "US", "consent-first")
        await conn.close()

    asyncio.run(prepare())
    bench_run = Bench(database_url, account_id, keyring)
    with bench_run.servers(), Console(stderr=True).status("starting") as status:
        return measure(bench_run, rounds, seconds, status.update)


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    ratios = Table("ratio", "rate", "lowest", "highest", "p99", title="One beside the other")
    for name, ratio in found["ratios"].items():
        rate = ratio["rate"]
        p99 = f"{ratio['p99']['median']:.2f}" if ratio["p99"]["median"] else ""
        ratios.add_row(name, *(f"{rate[k]:.2f}" for k in ("median", "min", "max")), p99)
    paths = Table("path", "a second", "lowest", "highest", "p50 ms", "p99 ms", title="Each alone")
    for name, path in found["paths"].items():
        rate = path["rate"]
        cells = [f"{rate[k]:,.0f}" for k in ("median", "min", "max")]
        times = [
            f"{path[k]['median']:.2f}" if path[k]["median"] else "" for k in ("p50_ms", "p99_ms")
        ]
        paths.add_row(name, *cells, *times)
    console = Console()
    console.print(ratios)
    console.print(paths)
