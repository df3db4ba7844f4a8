"""`consent-ledger policy`: the account's dated rules, shown, adopted and tried."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from api.cli.errors import BAD_USE, CommandError
from api.cli.options import ApiKey, DataDir, Output, OutputOption, Preset, Url
from api.cli.output import print_json

CHANGES: Final = "/changes"
"""Where what differs from the preset stands in a body."""

app = typer.Typer(help="The account's policy: what is in force, and what would be.")

PresetOption = Annotated[Preset, typer.Option(help="The policy to start from.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="What differs from the preset, such as purposes.recall.needs_consent=true.",
    ),
]
FileOption = Annotated[
    str | None,
    typer.Option("--file", help="All that differs, YAML or JSON; - is standard input."),
]
FromOption = Annotated[
    str | None, typer.Option(help="From when it holds, such as 2027-01-31T00:00:00Z; else at once.")
]


@app.command()
def show(
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show the policy in force, those that are to come, and the presets."""
    from api.cli.remote import connect

    found = connect(url, api_key, data_dir, "auditor").get("/v1/policy")
    upcoming = [each for each in found["versions"] if _begins(each) > _begins(found)]
    if output is Output.JSON:
        in_force = {name: found[name] for name in found if name != "versions"}
        print_json({"in_force": in_force, "upcoming": upcoming, "presets": list(Preset)})
        return
    _print_version(found, "in force since")
    for version in upcoming:
        _print_version(version, "holds from")
    print(f"presets: {', '.join(Preset)}")


def _begins(version: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(version["effective_from"])


def _print_version(version: dict[str, Any], since: str) -> None:
    print(f"version {version['version']}: {version['preset']}, {since} {version['effective_from']}")
    for line in _lines(version["policy"], _base(version["preset"])):
        print(f"  {line}")


def _base(preset: str) -> dict[str, Any]:
    import msgspec

    from consent_ledger.policy import PRESETS

    found: dict[str, Any] = msgspec.to_builtins(PRESETS[preset]) if preset in PRESETS else {}
    return found


def _lines(policy: dict[str, Any], base: dict[str, Any], place: str = "") -> Iterator[str]:
    """What differs from the preset."""
    for name, value in policy.items():
        if isinstance(value, dict) and isinstance(base.get(name, {}), dict):
            yield from _lines(value, base.get(name, {}), f"{place}{name}.")
        elif name not in base or base[name] != value:
            yield f"{place}{name}={json.dumps(value)}"


@app.command("set")
def set_policy(
    preset: PresetOption,
    changes: SetOption = None,
    file: FileOption = None,
    effective_from: FromOption = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Adopt a policy: a preset and what differs from it. Needs an admin's key."""
    from api.cli.remote import connect

    body, telling = _asked(preset, changes, file, effective_from, output)
    remote = connect(url, api_key, data_dir, "admin")
    with telling:
        answer = remote.put("/v1/policy", body)
    if output is Output.JSON:
        print_json(answer)
    else:
        print(f"adopted: version {answer['policy_version']}")


@app.command()
def simulate(
    preset: PresetOption,
    changes: SetOption = None,
    file: FileOption = None,
    effective_from: FromOption = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Tell how many numbers and past decisions a policy would change. Nothing is recorded."""
    from api.cli.remote import connect

    body, telling = _asked(preset, changes, file, effective_from, output)
    remote = connect(url, api_key, data_dir, "admin")
    with telling:
        answer = remote.post("/v1/policy/simulate", body)
    if output is Output.JSON:
        print_json(answer)
    else:
        _print_simulation(answer)


def _print_simulation(answer: dict[str, Any]) -> None:
    for part, counted in (("numbers", "numbers"), ("past_decisions", "decisions")):
        tally = answer[part]
        since = f" since {tally['since']}" if "since" in tally else ""
        print(f"{part.replace('_', ' ')}{since}: {tally['changed']} of {tally['examined']} change")
        for row in tally["by_purpose"]:
            before, after = (_outcome(row[side]) for side in ("from", "to"))
            print(f"  {row['purpose']}: {before} -> {after}: {row[counted]}")
    if not answer["complete"]:
        print("not all were examined: the limit was reached")


def _outcome(outcome: dict[str, Any]) -> str:
    return " ".join(filter(None, (outcome["decision"], outcome["reason"])))


def _asked(
    preset: Preset,
    changes: list[str] | None,
    file: str | None,
    effective_from: str | None,
    output: Output,
) -> tuple[dict[str, Any], Any]:
    """The body to send, and what tells its faults by the lines of the file."""
    from api.cli.file_errors import settings_of, telling_fields, telling_lines

    laid: dict[str, Any] = {}
    telling: Any = telling_fields(CHANGES)
    if file is not None:
        settings = settings_of(file, output)
        laid, telling = settings.value, telling_lines(file, settings, output, CHANGES)
    for each in changes or ():
        _lay(laid, each)
    body: dict[str, Any] = {"preset": str(preset), "changes": laid}
    return body | ({"effective_from": effective_from} if effective_from else {}), telling


def _lay(changes: dict[str, Any], asked: str) -> None:
    """Lays one FIELD=VALUE over the changes; a value that is no JSON is a text."""
    path, sign, text = asked.partition("=")
    *above, name = path.split(".")
    if not sign or not name or not all(above):
        raise CommandError("--set takes FIELD=VALUE, with dots between fields of fields", BAD_USE)
    for field in above:
        inner = changes.setdefault(field, {})
        if not isinstance(inner, dict):
            raise CommandError("--set names a field of something that has none", BAD_USE)
        changes = inner
    try:
        changes[name] = json.loads(text)
    except ValueError:
        changes[name] = text
