"""`consent-ledger tail`: the events of the account, as they are recorded."""

from typing import Annotated, Any, Final

import typer

from api.cli.options import ApiKey, DataDir, Output, OutputOption, Url
from api.cli.output import print_json

WAIT_SECONDS: Final = 20
"""How long the service may wait for an event: less than the command waits for its answer."""
PAGE: Final = 1_000
"""Events asked for at a time, the most that the service gives."""


def tail(
    type: Annotated[str | None, typer.Option(help="Kinds of events, with commas.")] = None,
    user: Annotated[str | None, typer.Option(help="Replies to what this user asked.")] = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="After this position; 0 is from the beginning.")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show the account's events from now on, until Ctrl-C."""
    from api.cli.remote import Remote, connect

    def follow(remote: Remote, after: int | str) -> None:
        while True:
            asked = {"after": after, "limit": PAGE, "type": type, "user": user}
            page = remote.get("/v1/feed", wait=WAIT_SECONDS, **asked)
            for event in page["items"]:
                _show(event, output)
            after = page["next_after"]

    remote = connect(url, api_key, data_dir, "auditor")
    try:
        follow(remote, "now" if since is None else since)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _show(event: dict[str, Any], output: Output) -> None:
    if output is Output.JSON:
        print_json(event)
        return
    data = event["data"]
    actor = data.get("actor") or {}
    who = actor.get("id") or actor.get("kind") or "-"
    what = (event["position"], event["recordedtime"], data["type"], event.get("subject", "-"), who)
    print(*what, sep="  ", flush=True)
