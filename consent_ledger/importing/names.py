"""What the name of a column says, however it is spelt.

Lists come from address books, shops and other texting services, each with names of its own. Here is
only what a name says plainly; what becomes of the column is decided in `columns`.
"""

import re
import unicodedata
from typing import Final

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins in `smsOptOut` and `TxtMsgOk`."""
_BETWEEN: Final = re.compile(r"[^\w\x00]+|_+")
"""Dashes of every length, points, brackets; NUL is none: it comes with a text read as another."""

OPT_OUT_LIKE: Final = re.compile(
    "(^|_|sms|text|e?mail|of)opt(s|ed|ing)?_?(out|in)(_|$|s|date|status|flag|time|reason|source)"
    # Run together, as databases name them; nobody was adopted.
    "|(?<!ad)opt(s|ed|ing)?(out(?!of(e?mail|fax))|in(?![a-z])|in(?=status|date|flag|time|reason))"
    "|(^|_)opt_(status|state|flag|choice)|(sms|mms|txt|texts?|texting)_?opt(_|$)"
    "|(^|_|sms|mms|txt|texts?|texting|mobile)stop(s|ped|ping)?(_?(all|sms|texts?|messages?|list))?(_|$)"
    "|subscri(?!(ber|ption)s?_(id|name|dob|birth|plan|type|start|end|date|group|number))"
    "|dnc|do_?not|don_?t|consen[ts]|suppress|revo[ck]"
    "|permission|blocked|bl[ao]ck_?list|no_?(sms|text|contact)"
    "|unsub|litigator|contactable|tcpa|ok(ay)?_?(to|2|for)_?(sms|text|txt|contact|call)"
    "|(sms|txt|text)s?_?(msg)?_?(ok|allow|permit|accept)|accepts?_?(sms|text|marketing)"
    "|(^|_|sms|txt|text)dn[dmt](sms|txts?|texts?|calls?|mobile)?(_|$)"
    "|(^|_)(exclude[ds]?|declined?|refused?|withdrawn|tcpa|objected|objection)(_|$)"
    # French, German, Spanish, Portuguese, Italian, Dutch.
    "|desabonn|desinscri|opposition|(^|_)ne_pas(_|$)"
    "|abgemeldet|abmeld|wider(sp)?r[uo][cf]|einwillig|zustimmung|(^|_)(ge)?sperr|nicht_kontakt|keine_sms"
    "|(^|_)baja(_|$)|no_molestar|no_llamar|descadastr|nao_cont|disiscri|non_contatt"
    "|afgemeld|afmeld|toestemming|robinson"
)
_CHANNEL: Final = re.compile("(^|_)(sms|txt|texts?|texting|mms|channel)(_|$)")
_LEAVE: Final = re.compile(
    "(^|_)(ok|okay|allow|accept|receiv|permit|pref|marketing|status|agree|want|can|may|enabl"
    "|disabl|eligib)"
)
"""Beside a channel each of these says whether texts may go: `SMS Preference`, `Receive Texts`."""

_WHEN: Final = re.compile("o+c+(?=[aeu]*r)[aeur]{2,}.{0,12}")
"""`occured_at`, `ocurred_at`, `occured`, `occurred on`: every slip of it that people make."""
_TIMES: Final = frozenset(
    {"date", "time", "datetime", "date_time", "timestamp", "time_stamp", "when", "event_time"}
    | {"event_date", "event_at", "happened_at", "effective_date", "effective_at", "as_of"}
    | {"datum", "fecha", "date_heure", "zeitstempel", "zeitpunkt"}
)
"""Names that say a time and not of what: in a list of opt-outs, most likely theirs. When a contact
was created or last changed is none of these."""

_CODE: Final = re.compile(
    "(^|_)(country|calling|dial|dialing|dialling|isd|idd|international|intl|phone|mobile|cell"
    "|telephone|area)(_(calling|dial|dialing|dialling|phone))?_?(code|prefix)s?_?[0-9]*$|vorwahl|indicatif"
    "|prefijo|(^|_)prefisso|(^|_)country_iso|(^|_)diall?ing$"
    "|(^|_)(phone|mobile|cell|telephone)_(country|region)(_(iso|name)|$)"
)
_COUNTRY: Final = re.compile("country|region|calling|dial|isd|idd|international|intl")
_ADDRESS: Final = re.compile("address|shipping|billing|mailing|postal|delivery")

_TAGS: Final = re.compile(
    "(^|_)(tag|label|list|segment|group|categor(y|ie)|flag|marker|attribute|interest|audience"
    "|restriction|alert|preference)s?(_|$)"
)
_KEYWORD: Final = re.compile("(^|_)keywords?(_|$)")

_PHONE: Final = re.compile(
    "phone(number|num|no)?s?$|(mobile|cell|contact|tel|sms)(number|num|no)$|telephone|telefoo?n|telemovel|msisdn|cellular|celular|handynummer|mobiel?nummer|mobilnummer|rufnummer|movil|(^|_)gsm(_|$)"
)
_BARE_PHONE: Final = re.compile(
    "numbers?|msisdn|((mobile|cell|home|work|tele)_?)?phone(_?numbers?)?_?[0-9]{0,2}"
    "|(mobile|cell)(_?number)?_?[0-9]{0,2}"
)
_NO_PHONE: Final = re.compile("fax|pager|(head|micro|smart|i_?|saxo|mega)phones?$")
_MAYBE: Final = frozenset({"number", "numbers", "no", "num", "nr", "nbr", "nummer", "numero"})
_HANDSET: Final = frozenset(
    {"mobile", "cell", "cells", "mobiles", "mob", "tel", "handy", "mobil"}
    | {"mobiel", "landline", "landlines", "whatsapp", "ph"}
)
_WHOSE: Final = frozenset(
    {"home", "work", "other", "alt", "alternate", "alternative", "primary", "secondary", "main"}
    | {"contact", "sms", "text", "whatsapp", "business", "office", "personal", "private", "day"}
    | {"daytime", "evening", "night", "customer", "client", "lead", "user", "patient", "first"}
    | {"second", "third", "new", "old", "preferred", "best", "emergency", "direct", "wireless"}
    | {"landline", "company", "assistant", "spouse", "partner", "parent", "guardian", "to", "e164"}
    | {
        "recipient",
        "subscriber",
        "member",
        "guest",
        "calling",
        "called",
        "international",
        "full",
        "e",
    }
    | {"value", "optional", "required", "us", "usa", "uk", "raw", "formatted", "on", "file"}
)
_NUMBERED: Final = frozenset(
    _WHOSE
    - {"value", "customer", "client", "lead", "user", "patient", "company", "member", "subscriber"}
    - {"guest", "new", "old", "business", "office", "personal", "private", "first", "main"}
)
"""Beside `number` these say a phone's; a customer's or a member's number is often another."""
_NUMBERED_SHORTLY: Final = frozenset({"contact", "alt", "alternate", "alternative"})
"""Beside `no` these do; `Home No` is a house's."""

_OTHERS: Final = frozenset(
    {"insurance", "pharmacy", "doctor", "physician", "dentist", "hospital", "employer", "school"}
    | {"store", "shop", "branch", "clinic", "practice", "emergency", "referral", "referring"}
    | {"appointment", "consultation"}
)
"""Whose phone it is where it is not the contact's: nothing that the row says holds for it."""

_BESIDE_A_PHONE: Final = frozenset(
    {"type", "label", "kind", "name", "ext", "extension", "country", "carrier", "status", "valid"}
    | {
        "validity",
        "verified",
        "verification",
        "date",
        "time",
        "timestamp",
        "datetime",
        "at",
        "count",
    }
    | {"owner", "note", "notes", "comment", "comments", "description", "id", "ids", "uuid", "guid"}
    | {"key", "source", "origin", "updated", "created", "modified", "added", "deleted", "format"}
    | {"hash", "sha", "md", "provider", "network", "operator", "timezone", "tz", "zone", "region"}
    | {"category", "rank", "called", "consultation", "attempt", "attempts", "validated", "outcome"}
    | {"confirmed", "balance", "reminder", "reminders", "os", "usage", "marketing", "preference"}
    | {"city", "state", "location", "score", "quality", "error", "flag", "model", "calls"}
)
"""Columns beside a phone's own, as address books and services export them."""
_ASKS: Final = frozenset({"has", "is", "with", "prefers"})


def plain(title: str) -> str:
    """A name's words in small letters, `_` between them: no accents, full widths or signs that
    nobody sees."""
    shown = "".join(
        c
        for c in unicodedata.normalize("NFKD", title)
        if unicodedata.category(c) not in ("Cf", "Mn")
    )
    words = _BETWEEN.sub("_", _WORDS.sub("_", shown).casefold()).strip("_")
    # `#` is a name too.
    return words or shown.strip()


def is_none(name: str) -> bool:
    """Whether a column has no name, or the one that pandas gives to those without."""
    return not name or name.startswith("unnamed_")


def says_mail(name: str) -> bool:
    """Whether a column of this name speaks of e-mail or fax and of nothing else."""
    words = set(_words(name.replace("e_mail", "email")))
    return not words.isdisjoint(_MAIL) and words.isdisjoint(_NOT_MAIL_ALONE)


_MAIL: Final = frozenset({"email", "emails", "mail", "mailing", "newsletter", "fax"})
_NOT_MAIL_ALONE: Final = frozenset(
    {"sms", "text", "texts", "txt", "txts", "texting", "mms", "messaging", "messages", "whatsapp"}
    | {"phone", "mobile", "cell", "all", "any", "contact", "call"}
)


def says_opt_out(name: str) -> bool:
    """Whether a column of this name seems to say who may be texted."""
    if says_mail(name):
        return False
    if OPT_OUT_LIKE.search(name):
        return True
    return bool(_CHANNEL.search(name) and _LEAVE.search(name))


def says_channel(name: str) -> bool:
    """Whether a column of this name most likely says yes or no to texts: `Send SMS`, `Texting`.

    What counts or dates texts, or holds one, says neither.
    """
    words = set(_words(name))
    if not words.isdisjoint(_OF_A_TEXT):
        return False
    if not words.isdisjoint(_CHANNELS) or any(map(_JOINED_CHANNEL.fullmatch, words)):
        return True
    if "message" in words:
        return not words.isdisjoint(_LETS)
    return not words.isdisjoint(_HANDSET) and not words.isdisjoint(_OFFERS)


_CHANNELS: Final = frozenset({"sms", "mms", "txt", "txts", "text", "texts", "texting", "messages"})
_LETS: Final = frozenset(
    {"ok", "okay", "allow", "allowed", "can", "may", "send", "receive", "want"}
)
_OFFERS: Final = frozenset(
    {"marketing", "promotions", "promotional", "notifications", "alerts", "reminders", "updates"}
)
_JOINED_CHANNEL: Final = re.compile(
    "(allow|enable|send|receive|get|want|can)s?(sms|mms|txts?|texts?|texting|messages?)"
    "|(sms|mms|txt|texts?|texting|mobile)(enabled|active|allowed|alerts?|notifications?|reminders?"
    "|marketing|promotions?|updates|messages|messaging)"
)
_OF_A_TEXT: Final = frozenset(
    {"sent", "count", "counts", "total", "last", "first", "latest", "next", "date", "time", "at"}
    | {"id", "ids", "sid", "uuid", "key", "code", "number", "numbers", "no", "num", "name", "type"}
    | {"delivered", "delivery", "failed", "error", "bounced", "received", "opened", "clicked"}
    | {"read", "unread", "seen", "reply", "replies", "replied", "response", "responded", "answered"}
    | {"template", "body", "content", "subject", "length", "segments", "language", "campaign"}
    | {"provider", "carrier", "gateway", "network", "history", "log", "thread", "source", "cost"}
    | {"price", "credits", "verified", "verification", "confirmed", "capable", "valid", "otp"}
    | {
        "auth",
        "off",
        "bounce",
        "spam",
        "alt",
        "custom",
        "free",
        "rich",
        "plain",
        "html",
        "color",
        "colour",
        "size",
        "font",
    }
    | {"field", "link", "format", "note", "notes", "description", "comment", "comments", "queued"}
)


def misspells_time(name: str) -> bool:
    """Whether a name is `occurred_at`, nearly."""
    return _WHEN.fullmatch(name) is not None


def says_time(name: str) -> bool:
    """Whether a name says a time without a word of what happened then."""
    return name in _TIMES


def says_code(name: str) -> bool:
    """Whether a column holds the beginning of a number, apart from the rest of it.

    The country of an address is told by a code too, and says nothing of the phone.
    """
    return _CODE.search(name) is not None and not _ADDRESS.search(name)


def says_country(name: str) -> bool:
    """Whether a code of this name is a country's, and not perhaps an area's."""
    return _COUNTRY.search(name) is not None


def is_country(name: str) -> bool:
    """Whether a column holds a country, of which nobody says whether it is the phone's."""
    return name in ("country", "country_name")


def says_tags(name: str) -> bool:
    """Whether a column holds several words, each a statement of its own."""
    return _TAGS.search(name) is not None


def says_lists(name: str) -> bool:
    """Whether a column holds the lists that a contact is on: `mailing` is not of e-mail alone."""
    return re.fullmatch("mailing_?lists?", name) is not None


def says_keyword(name: str) -> bool:
    """Whether a column holds the keywords that contacts text."""
    return _KEYWORD.search(name) is not None


def is_phone(name: str) -> bool:
    """Whether a column of this name holds phone numbers that count."""
    if name.replace("_", "") == "number":
        return True
    return name.startswith("phone") and not name.startswith("phonetic") and not _beside(name)


def is_bare_phone(name: str) -> bool:
    """Whether a name says a phone number and not a word more: no title and no note does."""
    return _BARE_PHONE.fullmatch(name) is not None


def says_phone(name: str) -> bool:
    """Whether a name that is not ours says a phone number plainly."""
    words = _words(name)
    if not words or _NO_PHONE.search(name) or _beside(name) or words[0] in _ASKS:
        return False
    if not _OTHERS.isdisjoint(words):
        return False
    if any(_PHONE.search(word) for word in words):
        return True
    if not _HANDSET.isdisjoint(words):
        return set(words) <= _HANDSET | _MAYBE | _WHOSE
    if words[-1] == "no" and set(words[:-1]) & _NUMBERED_SHORTLY:
        return set(words) <= _MAYBE | _NUMBERED
    return words[-1] in ("number", "numbers") and set(words) <= _MAYBE | _NUMBERED


def _beside(name: str) -> bool:
    words = _words(name)
    # `phonetype` is one word, where whoever wrote it left nothing between.
    return bool(words) and words[-1].removeprefix("phone") in _BESIDE_A_PHONE


def _words(name: str) -> list[str]:
    """The words of a name, without the digits that number it."""
    parts = name.replace("whats_app", "whatsapp").split("_")
    return [word for each in parts if (word := each.rstrip("0123456789"))]
