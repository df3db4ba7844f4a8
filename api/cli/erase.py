"""`consent-ledger erase`: a person's number and words, gone for good."""

import sys
from typing import Annotated

import typer

from api.cli.errors import NO, CommandError
from api.cli.options import ApiKey, DataDir, NumberArgument, Output, OutputOption, Url
from api.cli.output import number_from, print_json

ASKED = "Erase this number and its words for good? Opt-outs stay in force."


def erase(
    number: NumberArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Erase a person's number and words. The facts stay, and so does an opt-out."""
    from api.cli.remote import connect

    if not yes and not sys.stdin.isatty():
        raise CommandError("--yes is needed where nobody can be asked")
    remote = connect(url, api_key, data_dir, "admin")
    found = remote.post("/v1/numbers/lookup", {"number": number_from(number)})
    if not found["known"]:
        raise CommandError("the ledger does not know this number", NO)
    if not yes and not typer.confirm(ASKED):
        raise CommandError("nothing was erased", NO)
    receipt = remote.post(f"/v1/numbers/{found['number_id']}/erase", {})
    if output is Output.JSON:
        print_json(receipt)
    else:
        print(f"erased: {found['number_id']}")
