"""`consent-ledger simulate-inbound`: a contact's text, as the provider would deliver it."""

import json
import re
from html import unescape
from secrets import token_hex
from typing import Annotated

import typer

from api.cli.endpoints import Provider
from api.cli.errors import CommandError
from api.cli.options import DataDir, Output, OutputOption
from api.cli.output import number_from, print_json


def simulate_inbound(
    sender: Annotated[str, typer.Option("--from", help="The contact's number, or - for stdin.")],
    body: Annotated[str, typer.Option(help="What the contact says.")],
    to: Annotated[str | None, typer.Option(help="The number that is texted.")] = None,
    message_id: Annotated[
        str | None, typer.Option(help="The provider's id; the same one again changes nothing.")
    ] = None,
    provider: Annotated[Provider, typer.Option(help="Whose request.")] = Provider.TWILIO,
    url: Annotated[
        str | None,
        typer.Option(help="The webhook; without it, Twilio's of the data folder's `dev`."),
    ] = None,
    auth_token: Annotated[
        str | None,
        typer.Option(
            envvar="CONSENT_LEDGER_AUTH_TOKEN", help="The endpoint's secret, which signs."
        ),
    ] = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Deliver a text from a contact with a valid signature, and show the reply to it."""
    from api.cli.data_dir import DataDir as Folder
    from api.cli.imitating import IMITATIONS, CannotError, Text
    from api.cli.remote import running_in, send
    from api.cli.service_url import check_url

    if url is None and provider is Provider.TWILIO:
        folder = Folder(data_dir)
        url, kept = running_in(folder).twilio_url, folder.kept()
        if kept is not None:
            auth_token, to = auth_token or kept.twilio_token, to or kept.twilio_number
    if url is None:
        raise CommandError(f"`dev` has no endpoint of {provider}: open one, and give its --url")
    if auth_token is None or to is None:
        raise CommandError("with --url, --auth-token and --to are needed too")
    check_url(url)
    text = Text(number_from(sender), to, body, message_id or f"SM{token_hex(16)}")
    try:
        call = IMITATIONS[provider](auth_token, url, text)
    except CannotError as error:
        raise CommandError(str(error)) from None
    response = send("POST", url, content=call.body, headers=call.headers)
    if not response.is_success:
        raise CommandError(f"the webhook answered {response.status_code}")
    reply = _reply(response.text, response.headers.get("content-type", ""))
    if output is Output.JSON:
        print_json({"message_id": text.message_id, "reply": reply})
    else:
        print(f"reply: {reply}" if reply else "no reply")


def _reply(answer: str, kind: str) -> str | None:
    """What the sender is asked to text back: in a document, or in a list of replies."""
    if kind.startswith("application/json"):
        texts = [str(each["text"]) for each in json.loads(answer)["replies"]]
        return texts[0] if texts else None
    found = re.search(r"<Message[^>]*>(.*)</Message>", answer, re.DOTALL)
    return unescape(found[1]) if found else None
