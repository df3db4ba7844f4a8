"""`consent-ledger bench`: each path beside its peers, in one run."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import typer

from api.cli.errors import BAD_USE, CommandError
from api.cli.options import DatabaseUrl, Key, Output, OutputOption
from api.cli.output import print_json


class Part(StrEnum):
    """What is measured."""

    ALL = "all"
    LEXICON = "lexicon"
    GROWTH = "growth"
    REBUILD = "rebuild"
    IMPORTS = "imports"


PartArgument = Annotated[
    Part,
    typer.Argument(
        help="All paths; the reading of texts; ledgers of several sizes; a rebuild; imports."
    ),
]
ExamplesOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Of `lexicon`: files of examples, to count what is found.",
    ),
]
NumbersOption = Annotated[
    list[int],
    typer.Option(
        min=1,
        help="Of `growth` and `rebuild`: numbers of a ledger. May be given several times.",
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        help="Of `growth` and `rebuild`: where filled ledgers are kept, a folder for each size.",
    ),
]
JsonOption = Annotated[
    Path | None, typer.Option("--json", dir_okay=False, help="A file for the result, as JSON.")
]
Found = dict[str, Any]

LEDGERS: Final = {"numbers", "folder", "rounds"}
TAKEN: Final[dict[Part, set[str]]] = {
    Part.ALL: {"database_url", "key", "rounds", "seconds"},
    Part.LEXICON: {"rounds", "seconds", "examples"},
    Part.GROWTH: {*LEDGERS, "database_url", "seconds"},
    Part.REBUILD: {*LEDGERS, "database_url"},
    Part.IMPORTS: {"database_url", "key", "rounds", "seconds", "rows"},
}
"""The options that a part of the bench heeds; `growth` says itself why it takes no database."""
FOR_ALL: Final = {"part", "json_file", "output"}


def _refuse_others(context: typer.Context, part: Part) -> None:
    """An option that would be left aside is refused: it was meant to change what is measured."""
    taken = TAKEN[part] | FOR_ALL
    if part is Part.REBUILD and context.params["database_url"] is not None:
        taken -= {"numbers", "folder"}
    for name in context.params.keys() - taken:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = name.replace("_", "-")
            raise CommandError(f"bench {part} has no use for --{option}", BAD_USE)


def bench(
    context: typer.Context,
    part: PartArgument = Part.ALL,
    database_url: DatabaseUrl = None,
    key: Key = None,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds of every path.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds of each load.")] = 1.5,
    examples: ExamplesOption = None,
    numbers: NumbersOption = [10_000, 1_000_000],  # noqa: B006
    folder: FolderOption = None,
    rows: Annotated[int, typer.Option(min=1, help="Of `imports`: rows of a list.")] = 100_000,
    json_file: JsonOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Measures every path beside its peers; ratios first, and whether they reach their bars.

    Runs on a temporary database, or with --database-url on yours: there it adds an account of its
    own, and its peers a schema that it removes again. `lexicon` needs no database; `growth` and
    `rebuild` fill ledgers with as many numbers as are asked for.
    """
    from api.bench import show

    _refuse_others(context, part)
    with _progress() as progress:
        match part:
            case Part.LEXICON:
                found = _lexicon(rounds, seconds, examples)
            case Part.GROWTH:
                found = _growth(database_url, folder, numbers, rounds, seconds, progress)
            case Part.REBUILD:
                found = _rebuild(database_url, folder, numbers, rounds, progress)
            case Part.ALL | Part.IMPORTS:
                with _database(database_url) as url:
                    found = _measure(part, url, key, rounds, seconds, rows, progress)
    found["machine"] = show.machine()
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n")
    if output is Output.JSON:
        print_json(found)
    else:
        show.show(found)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


@contextmanager
def _database(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    from consent_ledger.store.embedded import EmbeddedPostgres

    with tempfile.TemporaryDirectory() as name, EmbeddedPostgres(Path(name) / "bench") as postgres:
        yield postgres.url


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """Where filled ledgers lie: kept where a folder is named."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _lexicon(rounds: int, seconds: float, examples: Path | None) -> Found:
    from api.bench.lexicon import measure_examples, measure_reading

    found: Found = measure_reading(rounds, seconds)
    if examples is not None:
        found["examples"] = measure_examples(examples)
    return found


def _growth(
    database_url: str | None,
    folder: Path | None,
    numbers: list[int],
    rounds: int,
    seconds: float,
    progress: Callable[[str], None],
) -> Found:
    from api.bench.growth.table import measure_growth

    if database_url is not None:
        raise CommandError("growth fills ledgers of its own: leave --database-url out", BAD_USE)
    with _kept(folder) as place:
        return measure_growth(place, numbers, rounds, seconds, progress)


def _rebuild(
    database_url: str | None,
    folder: Path | None,
    numbers: list[int],
    rounds: int,
    progress: Callable[[str], None],
) -> Found:
    from api.bench.growth.ledgers import ledger_of
    from api.bench.rebuilding import measure_rebuild

    if database_url is not None:
        return measure_rebuild(database_url, rounds, writing=False, progress=progress)
    total = max(numbers)
    with _kept(folder) as place, ledger_of(place / str(total), total, progress) as ledger:
        return measure_rebuild(ledger.database_url, rounds, writing=True, progress=progress)


def _measure(
    part: Part,
    database_url: str,
    key: str | None,
    rounds: int,
    seconds: float,
    rows: int,
    progress: Callable[[str], None],
) -> Found:
    from api.bench.pgbench import PgbenchError
    from api.bench.run import Bench, measure
    from consent_ledger.keyring import Keyring

    keyring = Keyring.parse(key) if key else Keyring.generate()
    account_id = uuid4()
    _prepare(database_url, account_id)
    bench_run = Bench(database_url, account_id, keyring)
    if part is Part.IMPORTS:
        from api.bench.imports import ImportBench

        with bench_run.servers(with_peers=False):
            imports = ImportBench(database_url, account_id, keyring, bench_run.port("service"))
            return imports.measure(
                rows, rounds, seconds, bench_run.load, bench_run.watched, progress
            )
    with bench_run.servers():
        try:
            return measure(bench_run, rounds, seconds, progress)
        except PgbenchError as error:
            raise CommandError(str(error)) from None


def _prepare(database_url: str, account_id: UUID) -> None:
    from api.cli.opening import open_account
    from consent_ledger.store.connection import connect_as_owner, connector
    from consent_ledger.store.migrate import migrate

    with connect_as_owner(database_url) as conn:
        migrate(conn)

    async def prepare() -> None:
        async with await connector(database_url)() as conn:
            await open_account(conn, account_id, "Bench", "US", "consent-first")

    asyncio.run(prepare())
