"""`consent-ledger`: every command, and how the program ends."""

import sys

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
from api.cli.errors import explain

app = typer.Typer(
    name="consent-ledger",
    help="May I text this number? And why, for ever.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
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
    """Runs a command: exit status 0, 1 (the answer is no) or 2 (bad use)."""
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        status = 130
    except Exception as error:
        message, status = explain(error)
        if message:  # Without a command it was the help, which is printed already.
            print(f"consent-ledger: {message}", file=sys.stderr)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
