"""`consent-ledger simulate-inbound`: a contact's text, as the provider would deliver it."""

import base64
import hmac
import re
from enum import StrEnum
from html import unescape
from secrets import token_hex
from typing import Annotated, Final

import typer

from api.cli.errors import CommandError
from api.cli.options import DataDir, Output, OutputOption
from api.cli.output import number_from, print_json

ACCOUNT_SID: Final = f"AC{'0' * 32}"
SEGMENT: Final = 160
"""Characters of one SMS in the GSM alphabet; Twilio counts how many a text took."""


class Provider(StrEnum):
    """Whose requests can be imitated."""

    TWILIO = "twilio"


def simulate_inbound(
    sender: Annotated[str, typer.Option("--from", help="The contact's number, or - for stdin.")],
    body: Annotated[str, typer.Option(help="What the contact says.")],
    to: Annotated[str | None, typer.Option(help="The number that is texted.")] = None,
    message_id: Annotated[
        str | None, typer.Option(help="The provider's id; the same one again changes nothing.")
    ] = None,
    provider: Annotated[Provider, typer.Option(help="Whose request.")] = Provider.TWILIO,
    url: Annotated[
        str | None, typer.Option(help="The webhook; without it, that of the data folder's `dev`.")
    ] = None,
    auth_token: Annotated[
        str | None,
        typer.Option(envvar="CONSENT_LEDGER_AUTH_TOKEN", help="What signs the request."),
    ] = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Deliver a text from a contact with a valid signature, and show the reply to it."""
    from api.cli.data_dir import DataDir as Folder
    from api.cli.remote import running_in, send

    if url is None:
        folder = Folder(data_dir)
        url, kept = running_in(folder).twilio_url, folder.kept()
        if kept is not None:
            auth_token, to = auth_token or kept.twilio_token, to or kept.twilio_number
    if auth_token is None or to is None:
        raise CommandError("with --url, --auth-token and --to are needed too")
    form = _form(number_from(sender), to, body, message_id or f"SM{token_hex(16)}")
    headers = {"X-Twilio-Signature": _signature(auth_token, url, form)}
    response = send("POST", url, data=form, headers=headers)
    if not response.is_success:
        raise CommandError(f"the webhook answered {response.status_code}")
    reply = _reply(response.text)
    if output is Output.JSON:
        print_json({"message_id": form["MessageSid"], "reply": reply})
    else:
        print(f"reply: {reply}" if reply else "no reply")


def _form(sender: str, to: str, body: str, message_id: str) -> dict[str, str]:
    """The fields that Twilio sends with every incoming message."""
    return {
        "ToCountry": "US",
        "FromCountry": "US",
        "SmsMessageSid": message_id,
        "SmsSid": message_id,
        "MessageSid": message_id,
        "SmsStatus": "received",
        "NumMedia": "0",
        "NumSegments": str(len(body) // SEGMENT + 1),
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": sender,
        "To": to,
        "Body": body,
    }


def _signature(auth_token: str, url: str, form: dict[str, str]) -> str:
    """Twilio's: HMAC-SHA1 over the URL and the fields in order of their names, as base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def _reply(twiml: str) -> str | None:
    """What the sender is asked to text back."""
    found = re.search(r"<Message>(.*)</Message>", twiml, re.DOTALL)
    return unescape(found[1]) if found else None
