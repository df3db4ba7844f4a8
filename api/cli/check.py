"""`consent-ledger check`: may I text this number?"""

from typing import Annotated, Any

import typer

from api.cli.errors import NO
from api.cli.options import ApiKey, DataDir, NumberArgument, Output, OutputOption, Url
from api.cli.output import number_from, print_json


def check(
    number: NumberArgument,
    purpose: Annotated[str, typer.Option(help="Why the text would go out.")] = "conversation",
    location: Annotated[str | None, typer.Option(help="The location it is from.")] = None,
    sending_number: Annotated[str | None, typer.Option(help="The number it is from.")] = None,
    sent_by: Annotated[str | None, typer.Option(help="The user who sends it.")] = None,
    manual: Annotated[bool, typer.Option("--manual", help="A person sends it.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Ask whether a number may be texted now. Exit status: 0 yes, 1 no, 2 no answer."""
    from api.cli.remote import connect

    asked = {
        "number": number_from(number),
        "purpose": purpose,
        "location": location,
        "sending_number": sending_number,
        "sent_by": sent_by,
        "manual": manual,
    }
    answer = connect(url, api_key, data_dir, "sender").post("/v1/checks", asked)
    if output is Output.JSON:
        print_json(answer)
    else:
        _print(answer)
    raise typer.Exit(0 if answer["may_text"] else NO)


def _print(answer: dict[str, Any]) -> None:
    print(f"{answer['decision']}: {answer['reason']}")
    print(answer["explanation"])
    if answer["since"]:
        print(f"since {answer['since']}")
    if answer["not_before"]:
        print(f"not before {answer['not_before']}")
    for event in answer["evidence"]:
        print(f"because of {event['type']} {event['event_id']} at {event['occurred_at']}")
