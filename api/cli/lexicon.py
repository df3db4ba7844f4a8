"""`consent-ledger lexicon`: how texts are read, and which past ones would be read otherwise."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from api.cli.errors import CommandError
from api.cli.options import ApiKey, DataDir, Output, OutputOption, Table, TableOption, Url
from api.cli.output import print_json, print_rows

app = typer.Typer(help="How a contact's texts are read.")

COLUMNS: Final = ("number_id", "event_id", "occurred_at", "was", "now", "matched")
WORDS_OF_A_CHANGE: Final = 3
"""A word to try is named with its kind and its language."""

OwnOption = Annotated[
    bool, typer.Option("--own", help="With the account's own words: these alone ask a service.")
]
AddOption = Annotated[
    list[str] | None,
    typer.Option("--add", metavar="KIND:LANGUAGE:WORD", help="A word to try, such as stop:es:ya."),
]
RemoveOption = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="KIND:LANGUAGE:WORD", help="A default word to do without."),
]
TextArgument = Annotated[
    str, typer.Argument(metavar="TEXT", help="The text, or - to read it from standard input.")
]


@app.command("try")
def try_text(
    context: typer.Context,
    text: TextArgument,
    own: OwnOption = False,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show how a text would be read, what matched, and why. Nothing is recorded."""
    from consent_ledger.explaining import explain
    from consent_ledger.keywords import lexicon_of

    if not own and _names_a_service(context):
        raise CommandError("only the account's own words are a service's to tell: add --own")
    lists = _own_lists(url, api_key, data_dir) if own else ()
    found = explain(_text_from(text), lexicon_of(lists))
    shown = {
        "understood_as": str(found.reading.understood_as),
        "matched": found.reading.matched,
        "language": found.language,
        "lexicon_version": str(found.reading.lexicon_version),
        "words": list(found.words),
        "because": found.found,
    }
    if output is Output.JSON:
        print_json(shown)
        return
    print(shown["understood_as"])
    if shown["matched"] is not None:
        print(f"matched: {shown['matched']}")
    print(f"because: {shown['because']}")
    print(f"read as: {' '.join(found.words)}")
    print(f"lexicon: {shown['lexicon_version']}")


def _names_a_service(context: typer.Context) -> bool:
    sources = map(context.get_parameter_source, ("url", "api_key", "data_dir"))
    return any(source is not None and source.name == "COMMANDLINE" for source in sources)


def _text_from(argument: str) -> str:
    if argument != "-":
        return argument
    import sys

    return sys.stdin.read()


def _own_lists(url: str | None, api_key: str | None, data_dir: Any) -> Any:
    """The account's own changes, as the service tells them."""
    from api.cli.remote import connect
    from consent_ledger.keywords import KeywordList, with_list

    found = connect(url, api_key, data_dir, "auditor").get("/v1/keywords")
    changes: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    named = [(each, 0) for each in found["items"] if not each["default"]]
    for word, place in (*named, *((each, 1) for each in found["removed"])):
        key = word["kind"], word["language"]
        changes.setdefault(key, ([], []))[place].append(word["word"])
    lists: Any = ()
    for (kind, language), (added, removed) in changes.items():
        lists = with_list(lists, KeywordList(kind, language, tuple(added), tuple(removed)))
    return lists


@app.command()
def reread(
    add: AddOption = None,
    remove: RemoveOption = None,
    url: Url = None,
    api_key: ApiKey = None,
    data_dir: DataDir = None,
    output: TableOption = Table.TEXT,
) -> None:
    """List past replies that today's words, or those to be tried, read otherwise.

    Only replies whose text is kept; nothing is recorded, and no text is shown.
    """
    from api.cli.remote import connect

    lists = _tried(add or (), remove or ())
    remote = connect(url, api_key, data_dir, "auditor")
    rows = [
        {**item, "was": item["from"]["understood_as"], "now": item["to"]["understood_as"]}
        | {"matched": item["to"]["matched"]}
        for page in _pages(remote, lists)
        for item in page["items"]
    ]
    print_rows(rows, COLUMNS, output)


def _pages(remote: Any, lists: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = remote.post("/v1/lexicon/re-read", {"keywords": lists, "cursor": cursor})
        yield page
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _tried(add: Any, remove: Any) -> list[dict[str, Any]]:
    changes: dict[tuple[str, str], dict[str, Any]] = {}
    for name, given in (("add", add), ("remove", remove)):
        for text in given:
            parts = text.split(":", WORDS_OF_A_CHANGE - 1)
            if len(parts) != WORDS_OF_A_CHANGE or not all(parts):
                raise CommandError(f"--{name}: must be KIND:LANGUAGE:WORD, such as stop:es:basta")
            kind, language, word = parts
            empty = {"kind": kind, "language": language, "add": [], "remove": []}
            changes.setdefault((kind, language), empty)[name].append(word)
    return list(changes.values())
