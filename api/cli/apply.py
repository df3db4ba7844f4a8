"""`consent-ledger apply`: an account's whole set-up from one file, and back into one."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from api.cli.errors import BAD_USE, CommandError
from api.cli.options import ApiKey, DataDir, Output, OutputOption, Url
from api.cli.output import print_json

SIGNS: Final = {"add": "+", "change": "~", "remove": "-"}
NAMES: Final = {
    "policy": "policy version",
    "locations": "location",
    "sending_numbers": "sending number",
    "users": "user",
    "groups": "group",
    "replies": "reply",
    "keywords": "keywords",
}
SPEAKING: Final = ("permission", "name")
"""Fields whose value says enough without their name."""
NOTHING: Final = "nothing to change"


def apply(
    file: Annotated[
        str | None, typer.Argument(help="The set-up, YAML or JSON; - is standard input.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and record nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print the set-up as it stands, as such a file.")
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Make the account be what a file says, at once or not at all. Needs an admin's key."""
    from api.cli.file_errors import settings_of, telling_lines
    from api.cli.remote import connect

    if show == (file is not None):
        raise CommandError("name one file to apply, or ask with --show for the set-up", BAD_USE)
    if file is None:
        _show(connect(url, api_key, data_dir, "admin").get("/v1/set-up"), output)
        return
    settings = settings_of(file, output)
    remote = connect(url, api_key, data_dir, "admin")
    with telling_lines(file, settings, output):
        answer = remote.put("/v1/set-up", settings.value, dry_run=dry_run)
    if output is Output.JSON:
        print_json(answer)
    else:
        _print(answer)


def _show(set_up: dict[str, Any], output: Output) -> None:
    from api.cli.set_up_file import written

    if output is Output.JSON:
        print_json(set_up)
    else:
        print(written(set_up), end="")


def _print(answer: dict[str, Any]) -> None:
    for change in answer["changes"]:
        print(line_of(change))
    if not answer["changes"]:
        print(NOTHING)
    elif answer["dry_run"]:
        print("dry run: nothing was recorded")
    else:
        print(f"applied: the account is at version {answer['account_version']}")


def line_of(change: dict[str, Any]) -> str:
    """One change as a line of a difference."""
    head = f"{SIGNS[change['action']]} {NAMES[change['section']]} {change['id']}"
    before, after = _flat(change["before"] or {}), _flat(change["after"] or {})
    absent = "the preset's" if change["section"] == "policy" else "none"
    said = ", ".join(_differences(before, after, absent))
    return f"{head}: {said}" if said and change["action"] != "remove" else head


def _flat(fields: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Fields within fields by their path, those of a policy's changes by what they change."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        path = place if name == "changes" else f"{place}{name}"
        if isinstance(value, dict) and (value or name == "changes"):
            flat |= _flat(value, f"{path}." if name != "changes" else place)
        else:
            flat[path] = value
    return flat


def _differences(before: dict[str, Any], after: dict[str, Any], absent: str) -> Iterator[str]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        was, is_now = (_shown(each[name]) if name in each else absent for each in (before, after))
        said = f"{was} -> {is_now}" if before else is_now
        yield said if name in SPEAKING else f"{name} {said}"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, str) and value.isprintable() and " " not in value and value:
        return value
    return json.dumps(value, ensure_ascii=False)
