"""What the header of an imported list says, whoever wrote it: nothing in it loses an opt-out."""

from typing import Final

import pytest

from consent_ledger.importing import columns as c
from consent_ledger.importing import names
from consent_ledger.importing.columns import Columns, ColumnsError

OTHER_PHONES: Final = (
    *("Mobile Phone", "Cell", "Cell Phone", "Mobile", "Mobile Number", "Home Phone", "Other Phone"),
    *("Alt Phone", "WirelessPhone", "Telephone", "Telefon", "msisdn", "SMS Phone", "Primary Phone"),
    *(
        "Contact Phone",
        "number2",
        "Number 2",
        "Numbers",
        "mobile_no",
        "Téléphone",
        "Tel.",
        "mobile",
    ),
    *("Telefoonnummer", "Telefoon", "Mobiel", "Telemóvel", "Landline", "WhatsApp", "Ph 2", "Ph."),
    *("Alt No", "Contact No", "Mobile 1 Value", "Alt. No. 2", "Landline 2", "WhatsApp No", "Ph No"),
    *("N° de teléfono", "Contact Number", "WhatsApp Number", "Mobilnummer", "homephone"),
)
OTHER_OPT_OUTS: Final = (
    *("DND", "DNT", "Unsub", "Unsubbed", "SMS Marketing Status", "Channel Status", "OK2Text"),
    *("SMS Preference", "Accepts SMS Marketing", "TxtMsgOk", "Allow SMS", "Text Allowed"),
    *("Receive Texts", "OK to text", "Contactable", "Exclude", "Declined", "Refused", "Withdrawn"),
    *("Litigator", "Désabonné", "Abgemeldet", "Widerspruch", "Einwilligung", "Baja", "Sperre"),
    *("Blocklisted", "SMS_BLOCKLISTED", "Block List", "hasoptedoutofmobile", "isoptedout"),
    *("globaloptout", "mobileoptout", "mobileoptin", "smsstop", "dndsms", "SMS DND", "Opt Status"),
    *("Email/Texting Opt Out", "Email & Messaging Opt-Out", "E-mail/Txts Opt Out", "SMS Opt"),
    *("Email/MMS Opt Out", "Email/Messages Opt Out", "Email or WhatsApp Opt Out", "optoutreason"),
    *("Opt/Out", "Opted (Out)", "Opt Out Date", "Opted Out At", "Don’t text"),
)
OUR_OPT_OUTS: Final = (
    *("SMS opt–out", "SMS opt\u2011out", "SMS opt−out", "sms:opt:out", "sms\u00adopt\u00ad_out"),
    *(
        "sms_\u200bopt_out",
        "ｓｍｓ＿ｏｐｔ＿ｏｕｔ",
        "smsOptOut",
        "SMS Opt Out?",
        "\ufeffsms_opt_out",
    ),
)
BESIDE: Final = (
    *(
        "Phone ID",
        "Phone Updated At",
        "Phone Type 1",
        "Phone 2 - Type",
        "Phone Source",
        "phoneType",
    ),
    *("Phone Status", "Fax", "Fax Number", "Mobile Carrier", "Phonetic First Name", "Has Phone"),
    *("Mobile Phone Type", "Status", "Removed", "Cancelled", "Account Number", "Street Number"),
    *("Created At", "Updated At", "Date of Birth", "Tags", "Email", "Country", "Discount Code"),
    *("Default Address Country Code", "Accepts Email Marketing", "Order Status", "Mobile App", "#"),
)


def refusal(*header: str) -> str:
    """Why a header is refused; empty where it is not."""
    try:
        Columns.of(header)
    except ColumnsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", OTHER_PHONES)
def test_a_number_under_another_name_refuses_the_header(name: str) -> None:
    """It might carry a yes to a number it was not given for, or lose a STOP; the place is told."""
    assert refusal("phone", "sms_opt_out", name) == c.OTHER_PHONE.format(3)


@pytest.mark.parametrize("name", OTHER_OPT_OUTS)
def test_an_opt_out_under_another_name_refuses_the_header(name: str) -> None:
    """In English and in other languages; a place is told, and no name."""
    assert refusal("phone", name) == c.MISSPELT.format(2)


@pytest.mark.parametrize("name", OUR_OPT_OUTS)
def test_a_name_is_ours_however_it_is_written(name: str) -> None:
    """Dashes of any length, signs that nobody sees, letters of full width."""
    assert Columns.of(["phone", name]).sms_opt_out == 1


@pytest.mark.parametrize("name", BESIDE)
def test_other_columns_are_left_aside(name: str) -> None:
    """What stands beside a phone, and words that say nothing by themselves."""
    found = Columns.of(["number", "sms_opt_out", name])
    assert [each.name for each in found.phones] == ["number"]
    # Of what is about e-mail not even the cells are looked at.
    assert found.aside == (() if names.says_mail(names.plain(name)) else (2,))


@pytest.mark.parametrize(
    "name",
    [
        *("Christopher", "Nonstop", "Adopted In", "Subscriber ID", "Subscriber DOB"),
        *("Subscription Plan", "Subscription Start Date", "Email opt in", "Email Opt Out"),
        *("Adoptedout", "Adopting", "Options", "Opt Outcome", "Block", "Laptop Status", "DN Miles"),
        *(
            "Email Consent",
            "HasOptedOutOfEmail",
            "Email/Newsletter Opt Out",
            "hasoptedoutofemail",
            "Insurance Phone",
            "Pharmacy Phone",
        ),
        *("Mother Mobile", "Street No", "House No", "Invoice No", "Home No", "Mobiel abonnement"),
        *("Ph Level", "Graph", "WhatsApp Group", "Landline Provider", "Mobile Value Score", "No"),
        *("Emergency Contact Phone", "Phone Category", "Phone Call Attempts", "Phone Validated"),
    ],
)
def test_names_of_other_things_refuse_no_list(name: str) -> None:
    """Insurances, e-mail and the phones of others say nothing of texts to the contact."""
    assert [each.name for each in Columns.of(["number", "sms_opt_out", name]).phones] == ["number"]


@pytest.mark.parametrize(
    "name",
    [
        *("Stop", "SMS Stop", "Stopped", "Stop all", "Opt In", "OptIn", "Opted Out Of SMS"),
        *("Subscribed", "Subscription Status", "Unsubscribed from all email", "SMS Subscriber"),
        *("optinStatus", "SMS Opt In", "opt_out_reason", "Text Opt-Out Date", "smsoptin"),
    ],
)
def test_names_that_may_say_who_may_be_texted_refuse_their_list(name: str) -> None:
    """A STOP may stand there."""
    with pytest.raises(ColumnsError):
        Columns.of(["number", "consent", name])


CHANNELS: Final = (
    *("SMS", "Text Messages", "SMS Reminders", "Send SMS", "Text Y/N", "Allow Messages", "Text"),
    *("OK to message", "Mobile Marketing", "smsenabled", "allowsms", "SendPromotionalTexts"),
    *("Texting", "sendsms", "smsNotifications", "Email & SMS", "SMS Alerts 2", "textmessages"),
    *("Mobile Alerts", "MMS", "Can Message", "receivetexts", "textalerts"),
)
NO_CHANNELS: Final = (
    *("SMS Sent", "Text Count", "Last SMS", "SMS ID", "Text Message Date", "Delivered SMS"),
    *("SMS Template", "Text Body", "SMS Reply", "Message", "Messages Sent", "SMS Replied"),
    *("Custom Text 1", "Text Color", "Mobile Device", "Context", "smsid", "smssent", "Texture"),
    *("Texts Off", "SMS Bounce"),
    *("Alt Text", "Unread Texts", "SMS Verified", "Smsithers", "Mobile App", "Newsletter"),
)


@pytest.mark.parametrize("name", CHANNELS)
def test_the_name_of_a_channel_has_its_no_looked_for(name: str) -> None:
    """It refuses no list; a No below it says that no texts are wanted."""
    found = Columns.of(["number", name])
    assert (found.channels, found.marked) == ((1,), True)


@pytest.mark.parametrize("name", NO_CHANNELS)
def test_what_counts_or_dates_texts_says_nothing(name: str) -> None:
    """A No in `SMS Sent` is nobody's wish."""
    assert Columns.of(["number", name]).channels == ()


@pytest.mark.parametrize(
    "name",
    ["country_code", "phone_country_code", "Calling Code", "Phone 1 - Country Code", "Vorwahl"],
)
def test_the_beginning_of_a_number_apart_from_it_is_no_number(name: str) -> None:
    """It is looked at, and what it says decides whether the number beside it is whole."""
    found = Columns.of(["phone", "sms_opt_out", name])
    assert [each.place for each in found.phones] == [0]
    assert found.codes == ((2, name != "Vorwahl"),)


def test_the_code_of_an_address_says_nothing_of_the_phone() -> None:
    """As shops export it."""
    assert Columns.of(["phone", "Default Address Country Code"]).codes == ()


@pytest.mark.parametrize(
    "name",
    ["sms_op_out", "SMS Pt Out", "sms_ot_out", "sms_opt_ou", "smsoptuot", "Opot Out", "optut"],
)
def test_a_misspelt_opt_out_refuses_the_header(name: str) -> None:
    """Left aside, its TRUEs would be lost without a word."""
    assert refusal("number", name) == c.MISSPELT.format(2)


@pytest.mark.parametrize(
    "name", ["occured_at", "ocurred_at", "Occurred", "occurrence date", "Date", "Timestamp"]
)
def test_a_misspelt_time_refuses_the_header(name: str) -> None:
    """Without it an opt-out counts from now, past a START that came since."""
    assert refusal("number", "sms_opt_out", name) == c.MISSPELT_TIME.format(3)


def test_a_date_beside_a_time_or_without_an_opt_out_is_left_aside() -> None:
    """Then it is most likely of something else."""
    assert refusal("number", "sms_opt_out", "occurred_at", "Date") == ""
    assert refusal("number", "ref", "Date") == ""


@pytest.mark.parametrize("title", ["Phone list", "Opt-outs 2026", "Export", "Numbers to stop"])
def test_a_title_above_the_header_refuses_it(title: str) -> None:
    """It would be taken for the header, and the columns below for nothing."""
    assert refusal(title, "", "") == c.TITLE_ALONE


@pytest.mark.parametrize("title", ["number", "Phone", "Phone Number"])
def test_numbers_alone_may_have_commas_behind(title: str) -> None:
    """As a spreadsheet leaves them; what stands in those columns is another matter."""
    assert Columns.of([title, "", "Unnamed: 2"]).untitled == (1, 2)


def test_phones_of_ours_keep_their_names() -> None:
    """In verdicts, by their letters and the digits at their ends."""
    found = Columns.of(["Phone", "phone2", "Phone Number", "Phone (Home)", "phoneNumber4"])
    assert [each.name for each in found.phones] == [
        *("phone", "phone2", "phone_number", "phone_home", "phone_number4")
    ]
