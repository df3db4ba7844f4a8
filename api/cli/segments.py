"""`consent-ledger segments`: how many parts of an SMS a text takes."""

import sys
from typing import Annotated

import typer

from api.cli.options import Output, OutputOption
from api.cli.output import print_json


def segments(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The text, or - to read it from standard input.")
    ],
    output: OutputOption = Output.TEXT,
) -> None:
    """Count the parts that a text takes, and name the letters that make them shorter."""
    from consent_ledger.segments import BASIC, EXTENSION, segments

    body = sys.stdin.read().rstrip("\n") if text == "-" else text
    found = segments(body)
    beyond = sorted(set(body) - BASIC - EXTENSION)
    if output is Output.JSON:
        fields = {"encoding": found.encoding, "segments": found.parts, "not_in_gsm_7": beyond}
        print_json(fields)
        return
    print(f"{found.parts} ({found.encoding})")
    if beyond:
        print(f"not in gsm-7: {' '.join(beyond)}")
