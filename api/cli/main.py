"""`consent-ledger`: every command, and how the program ends."""

import sys
from typing import Annotated

import typer

from api.cli import (
    apply,
    bench,
    check,
    dev,
    doctor,
    endpoints,
    erase,
    history,
    import_file,
    keys,
    lexicon,
    migrate,
    policy,
    rebuild,
    report,
    scrub,
    segments,
    serve,
    simulate_inbound,
    tail,
)
from api.cli.ending import UNREAD, Commands, flush_output, say
from api.cli.errors import BAD_USE, INTERRUPTED, NO, explain
from api.cli.version import show

app = typer.Typer(
    cls=Commands,
    name="consent-ledger",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def every(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=show, help="Show the version.")
    ] = False,
) -> None:
    """May I text this number? And why, for ever."""


app.command()(dev.dev)
app.command()(serve.serve)
app.command()(migrate.migrate)
app.add_typer(keys.app, name="keys")
app.add_typer(endpoints.app, name="endpoints")
app.command()(check.check)
app.command()(scrub.scrub)
app.command()(history.history)
app.command()(tail.tail)
app.command()(report.report)
app.command("import")(import_file.import_file)
app.command()(erase.erase)
app.command()(simulate_inbound.simulate_inbound)
app.command()(apply.apply)
app.add_typer(policy.app, name="policy")
app.add_typer(lexicon.app, name="lexicon")
app.command()(segments.segments)
app.command()(rebuild.rebuild)
app.command()(doctor.doctor)
app.command()(bench.bench)


def main() -> None:
    """Runs a command: exit status 0, 1 (the answer is no) or 2 (bad use, or no answer)."""
    message, status = _run()
    unwritten = flush_output()
    if unwritten is not None:
        # Whatever the answer was, it reached nobody.
        message, status = unwritten.message, unwritten.exit_code
    if message:  # Without a command it was the help, which is printed already.
        say(message)
    sys.exit(status)


def _run() -> tuple[str, int]:
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        return "", INTERRUPTED
    except SystemExit as ended:
        if ended.code == NO:
            # So the library ends a help that nobody reads; no command of ours says no like that.
            return UNREAD, BAD_USE
        raise
    except Exception as error:
        return explain(error)
    return "", status if isinstance(status, int) else 0


if __name__ == "__main__":
    main()
