"""Rows of an imported list: what they say beside their columns, and what is kept of them."""

from typing import Final

import pytest

from consent_ledger import commands as c
from consent_ledger.importing.columns import Columns
from consent_ledger.importing.references import reference
from consent_ledger.importing.rows import Row, RowReader
from consent_ledger.importing.wishes import Wish, commands
from consent_ledger.words import ActorKind, Source

READER: Final = RowReader("US", frozenset({"recall"}), (), 1_772_000_000_000_000)
NUMBER: Final = "+14155550131"
ASIDE: Final = [(None, "opt-out-aside")]

OPT_OUTS: Final = (
    *(
        "Unsubscribed",
        "unsubscribe",
        "Opted Out",
        "opt out",
        "OptOut",
        "opt-out",
        "STOP",
        "stopped",
    ),
    *(
        "Stop All",
        "STOPALL",
        "do not text",
        "Do Not Contact",
        "DO NOT CALL",
        "DNC",
        "dnd",
        "No SMS",
    ),
    *("no texts", "Revoked", "consent revoked", "(opted out)", " unsubscribed ", "[DNC]", "un-sub"),
    *("Don’t text", "opted\u2011out", "ＳＴＯＰ", "un\u00adsubscribed", "Unsubscribed from SMS"),
    *("Désabonné", "DÉSINSCRITE", "Abgemeldet", "Widerspruch", "de baja", "Gesperrt", "Suppressed"),
    *("Opted Out via STOP", "Opted out 3/4/2026", "Opt-Out (STOP)", "Unsubscribed: STOP"),
    *("Opted out on 2026-03-04T10:00:00Z", "Unsubscribed Mar 4, 2026 10:15 AM", "STOP 3/4/2026"),
    *("STOP please", "Stop texting me", "Do not send SMS", "Do Not Call/Text", "No text messages"),
    *("SMS: Off", "Désabonné(e)", "text STOP", "SMS Opt-Outs", "opt-out list", "National DNC"),
    *("dnd-sms", "Do Not Call or Text", "Don't send me any texts", "SMS: No", "Blocklisted"),
    *(
        "Please stop texting",
        "Stop messaging me please",
        "Texts disabled",
        "Desuscrito/a",
        "No SMS!",
    ),
    *("Opted out by contact", "Unsubscribed via SMS on 3/4/26", "Do not email or text", "DNC list"),
    *("stop sending me messages", "Opted out (SMS)", "UNSUBSCRIBED - STOP", "Texted STOP 3/4/26"),
    *("Não contatar", "Disiscritto", "Afgemeld", "litigator", "Removed"),
)
OTHERS: Final = (
    *("", "Subscribed", "opted in", "Active", "Cancelled", "declined", "no contact", "Stopwatch"),
    *("Stop 12", "Text", "SMS", "Opt in 3/4/2026", "National Grid", "QUIT", "Cancel", "END"),
    *("Unsubscribed from email", "Do not email", "Opt Outcome", "opted out of tour 3", "SMS: On"),
    *("stop by the office", "Stop Loss", "text me", "no text yet", "Do not disturb the dog"),
    *("Bus stop 12", "asked whether to stop", "Donna", "Norman", "not subscribed", "TRUE", "5"),
    *("Unsubscribed from the newsletter of 2019 and signed up anew in 2021; yes to texts",),
)


def read(header: str, *cells: str) -> Row:
    """A row under a header."""
    return READER.read(2, cells, Columns.of(header.split(",")))


def told(row: Row) -> list[tuple[str | None, str]]:
    """What is wrong with a row."""
    return [(fault.column, fault.code) for fault in row.faults]


@pytest.mark.parametrize("cell", OPT_OUTS)
def test_a_cell_left_aside_that_says_an_opt_out_refuses_its_row(cell: str) -> None:
    """Whatever its column is called, which the verdict tells."""
    row = read("number,Status,sms_opt_out", NUMBER, cell, "")
    assert (row.numbers, told(row)) == ((), [("status", "opt-out-aside")])


def test_an_opt_out_in_the_place_of_a_number_or_a_reference_refuses_its_row() -> None:
    """Beside a yes it would be lost otherwise, and the yes recorded."""
    assert told(read("phone,phone2,consent", NUMBER, "Do not text", "granted")) == ASIDE
    row = read("number,ref,consent", NUMBER, "STOP", "granted")
    assert (row.numbers, told(row)) == ((), [("ref", "opt-out-aside")])


def test_a_verdict_repeats_no_more_than_the_beginning_of_a_columns_name() -> None:
    """However long somebody made it."""
    ((column, _),) = told(read(f"number,{'x' * 5_000}", NUMBER, "STOP"))
    assert column == "x" * 60


def test_a_row_that_opts_out_counts_whatever_stands_beside_it() -> None:
    """There is nothing to be lost."""
    row = read("number,sms_opt_out,City,", NUMBER, "TRUE", "X", "see file")
    assert (row.numbers, told(row)) == ((NUMBER,), [])


@pytest.mark.parametrize("cell", ["N/A", "-", "none", "NULL"])
def test_a_number_that_is_none_is_no_fault(cell: str) -> None:
    """What people and programs write where there is none."""
    row = read("phone,phone2,sms_opt_out", NUMBER, cell, "TRUE")
    assert (row.numbers, told(row)) == ((NUMBER,), [])


@pytest.mark.parametrize("cell", OTHERS)
def test_other_cells_left_aside_say_nothing(cell: str) -> None:
    """Notes, names, and words that a status says of other things."""
    row = read("number,Phone Status,sms_opt_out", NUMBER, cell, "")
    assert (row.numbers, told(row)) == ((NUMBER,), [])


def test_a_row_that_opts_out_itself_counts() -> None:
    """What is left aside says no more."""
    for opt_out, consent in (("TRUE", ""), ("", "revoked")):
        row = read("number,Status,sms_opt_out,consent", NUMBER, "DNC", opt_out, consent)
        assert (row.wish.opt_out, told(row)) == (Source.CONTACT, [])


def test_one_word_of_several_counts() -> None:
    """Tags stand in one cell, parted by commas or semicolons."""
    assert told(read("number,Tags", NUMBER, "vip, Opted out")) == ASIDE
    assert told(read("number,Contact Lists", NUMBER, "vip;DNC")) == ASIDE
    assert told(read("number,Flags", NUMBER, "VIP; Do Not Text")) == ASIDE
    assert told(read("number,Mailing Lists", NUMBER, "VIP;DNC")) == ASIDE
    assert told(read("number,Segments", NUMBER, "new|SMS Opt-Outs")) == ASIDE
    assert told(read("number,Tags", NUMBER, "vip, new")) == []
    assert told(read("number,Mailing Lists", NUMBER, "VIP;new")) == []


@pytest.mark.parametrize("cell", ["QUIT", "cancel", "END", "STOPALL", "Stop", "revoke", " quit "])
def test_a_keyword_counts_under_the_name_of_keywords(cell: str) -> None:
    """Elsewhere appointments are cancelled, and subscriptions end."""
    for name in ("Keyword", "Last Keyword", "SMS keywords"):
        (one,) = told(read(f"number,{name}", NUMBER, cell))
        assert one[1] == "opt-out-aside"
    assert told(read("number,Keyword", NUMBER, "JOIN")) == []
    assert told(read("number,Status", NUMBER, "Cancel")) == []


def test_a_true_under_a_name_that_is_an_opt_out_counts() -> None:
    """`Removed` refuses no list: it may say when; but TRUE there is a STOP."""
    assert told(read("number,Removed", NUMBER, "Yes")) == ASIDE
    assert told(read("number,Removed", NUMBER, "2024-01-02")) == []


@pytest.mark.parametrize("cell", ["No", "N", "FALSE", "off", "Disabled", "Nein", "NON", " no. "])
def test_a_no_under_the_name_of_a_channel_counts(cell: str) -> None:
    """`Send SMS: No` is what another service calls an opt-out; the row itself may say it."""
    assert told(read("number,Send SMS,consent", NUMBER, cell, "granted")) == [
        ("send_sms", "opt-out-aside")
    ]
    assert told(read("number,Send SMS,sms_opt_out", NUMBER, cell, "TRUE")) == []
    assert told(read("number,SMS Sent", NUMBER, cell)) == []


@pytest.mark.parametrize("cell", ["", "0", "Yes", "TRUE", "none", "Norman", "not yet", "Nov 5"])
def test_other_words_under_the_name_of_a_channel_say_nothing(cell: str) -> None:
    """An empty cell and a zero are what a database has where nobody was asked."""
    assert told(read("number,SMS", NUMBER, cell)) == []


def test_something_in_a_column_without_a_name_refuses_its_row() -> None:
    """It may be an opt-out or another number."""
    assert told(read("number,", NUMBER, "TRUE")) == [(None, "column-untitled")]
    assert told(read("number,", NUMBER, "1")) == [(None, "column-untitled")]
    assert told(read("number,", NUMBER, " ")) == []
    assert told(read(",number", "TRUE", NUMBER)) == [(None, "column-untitled")]


def test_the_row_numbers_of_a_table_are_left_aside() -> None:
    """They stand in front, and pandas gives them no name."""
    assert told(read(",number", "17", NUMBER)) == []
    assert told(read("Unnamed: 0.1,Unnamed: 0,number", "3", "3.0", NUMBER)) == []


def test_the_contacts_own_opt_out_is_recorded_beside_anothers() -> None:
    """R-F6: only the contact lifts it, so it may not be lost behind an agent's."""
    header = "number,sms_opt_out,opt_out_source,consent"
    row = read(header, NUMBER, "TRUE", "agent", "revoked")
    assert row.wish == Wish(Source.AGENT, revoked=True)
    opt_outs = commands(row.wish, c.Told(ActorKind.ADMIN), timed=False)
    assert [each.source for each in opt_outs if isinstance(each, c.OptOut)] == [
        *(Source.CONTACT, Source.AGENT)
    ]
    assert read(header, NUMBER, "TRUE", "contact", "revoked").wish == Wish(Source.CONTACT)


@pytest.mark.parametrize(
    "text",
    [
        *("'+14155550131", "tel:+14155550131", '="4155550131"', "4155550131x12", "4155550131"),
        *("John (415) 555-0131", "415 555 0131 / 415 555 0132", "4155550131;4155550132"),
        *("+1.4155550131E10", "4155550131 4155550132", "call +4930123456 now", "4155550131, Ann"),
    ],
)
def test_a_reference_that_may_be_a_number_is_not_kept(text: str) -> None:
    """However it is written, and what else is beside it."""
    assert reference(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("lead-000123", "INV-2026-00012345", "0034x000001AbCdEAAW", "0031234567890AbCDE"),
        *("12345678-1234-4a34-9234-123456789012", "12345678-1234-1234-a234-123456789012"),
        *("2026-03-04T10:00:00Z", "2026-03-04 10:00:00", "row 123456789", "9f86d081884c7d65"),
    ],
)
def test_other_references_are_kept(text: str) -> None:
    """Ids, days and places in a list."""
    assert reference(f" {text} ") == text


@pytest.mark.parametrize(
    ("header", "number", "code", "is_read"),
    [
        ("Country Code,phone", "415 555 0131", "", True),
        *(("Country Code,phone", "415 555 0131", each, True) for each in ("1", "+1", "001", "1.0")),
        *(("Country Code,phone", "415 555 0131", each, True) for each in ("US", "ca", "'+1")),
        *(("Country Code,phone", "415 555 0131", each, False) for each in ("44", "GB", "USD", "?")),
        *(
            ("Country Code,phone", "415 555 0131", each, True)
            for each in ("USA", "United States", "(+1)", "[1]", "United States (+1)", "Canada")
        ),
        *(
            (f"{each},number", "415 555 0131", "44", False)
            for each in (
                "Phone Country",
                "Phone Region",
                "Country ISO",
                "Dialing",
                "Mobile Country",
            )
        ),
        ("Phone Country ISO,number", "415 555 0131", "GB", False),
        ("Phone Country ISO,number", "415 555 0131", "US", True),
        ("Phone Region,number", "415 555 0131", "", True),
        *(
            ("Country,number", "415 555 0131", each, False)
            for each in ("GB", "gb", "United Kingdom", "UK", "Germany", "DE", "Mexico", "mex")
        ),
        *(
            ("Country,number", "415 555 0131", each, True)
            for each in ("US", "Canada", "USA", "U.S.", "", "Narnia", "XX", "44", "NA", "Orange")
        ),
        ("Country,number", "+14155550131", "GB", True),
        ("Shipping Country,number", "415 555 0131", "GB", True),
        ("Phone Country Code,Phone", "(415) 555-0131", "44", False),
        ("Dial Code,number", "+14155550131", "44", True),
        ("Dial Code,number", "0014155550131", "44", True),
        ("Area Code,number", "415 555 0131", "1", False),
        ("Area Code,number", "415 555 0131", "415", False),
        ("Area Code,number", "415 555 0131", "", True),
        ("Area Code,number", "+1 415 555 0131", "415", True),
        ("Shipping Country Code,number", "415 555 0131", "44", True),
    ],
)
def test_a_number_beside_a_code_that_it_lacks_is_refused(
    header: str, number: str, code: str, is_read: bool
) -> None:
    """With another country's code it would be read as somebody else's at home."""
    row = read(f"{header},sms_opt_out", code, number, "TRUE")
    assert row.numbers == ((NUMBER,) if is_read else ())
    assert [code for _, code in told(row)] == ([] if is_read else ["code-apart"])


@pytest.mark.parametrize("code", ["United Kingdom", "UK", "England", "GB", "GBR", "(+44)", "44"])
def test_a_country_at_home_may_be_named(code: str) -> None:
    """As address books name it; a number beside another country's name is refused."""
    reader = RowReader("GB", frozenset(), (), 1_772_000_000_000_000)
    for header in ("Country Code", "Country"):
        columns = Columns.of([header, "number"])
        assert reader.read(2, [code, "07400 123456"], columns).numbers == ("+447400123456",)
        assert told(reader.read(2, ["Spain", "07400 123456"], columns)) == [
            ("number", "code-apart")
        ]


def test_an_account_without_a_region_reads_no_number_beside_a_code() -> None:
    """Nobody knows there which code is at home."""
    reader = RowReader(None, frozenset(), (), 1_772_000_000_000_000)
    columns = Columns.of(["country_code", "number"])
    assert told(reader.read(2, ["1", "4155550131"], columns)) == [("number", "code-apart")]
    assert reader.read(2, ["1", NUMBER], columns).numbers == (NUMBER,)
