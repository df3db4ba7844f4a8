"""What the name of a column says, however it is spelt.

Lists come from address books, shops and other texting services, each with names of its own. Here is
only what a name says plainly, a pattern for each meaning; what becomes of the column is decided in
`columns`.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from consent_ledger.slips import slips

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins in `smsOptOut` and `TxtMsgOk`."""
_BETWEEN: Final = re.compile(r"[^\w\x00]+|_+")
"""Dashes of every length, points, brackets; NUL is none: it comes with a text read as another."""


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


def _says(*ways: str) -> Callable[[str], bool]:
    """Whether a plain name has one of these patterns in it."""
    found = re.compile("|".join(f"(?:{way})" for way in ways)).search
    return lambda name: found(name.replace("whats_app", "whatsapp")) is not None


def _all(*patterns: str, but: tuple[str, ...] = ()) -> str:
    """Each of these, and none of the others."""
    there = "".join(f"(?=.*?(?:{each}))" for each in patterns)
    missing = "".join(f"(?!.*?(?:{each}))" for each in but)
    return f"^{there}{missing}"


# Behind a word may be the digits that number it.
def _word(words: str) -> str:
    return f"(?:^|_)(?:{'|'.join(words.split())})[0-9]*(?:_|$)"


def _first(words: str) -> str:
    return f"^(?:[0-9]*_)*(?:{'|'.join(words.split())})[0-9]*(?:_|$)"


def _last(words: str) -> str:
    return f"(?:^|_)(?:{'|'.join(words.split())})[0-9]*(?:_[0-9]*)*$"


def _only(words: str) -> str:
    return f"^(?:(?:{'|'.join(words.split())})?[0-9]*(?:_|$))+$"


is_none: Final = _says("^$", "^unnamed_")
"""No name, or the one that pandas gives to a column without."""

_MAIL: Final = _all(
    # At the end of another word `e_mail` is one with it, as in `home_mail`.
    _word("e_?mails? (?<!e_)mail(?:ing)? newsletter fax"),
    but=(
        _word(
            "sms text texts txt txts texting mms messaging messages whatsapp all any contact call"
            " (?:phone|mobile)(?!_mail) cell"
        ),
    ),
)
says_mail: Final = _says(_MAIL)
"""E-mail or fax and nothing else."""

_OPT_OUT: Final = (
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
says_opt_out: Final = _says(
    _all(_OPT_OUT, but=(_MAIL,)),
    # `SMS Preference`, `Receive Texts`.
    _all(
        "(^|_)(sms|txt|texts?|texting|mms|channel)(_|$)",
        "(^|_)(ok|okay|allow|accept|receiv|permit|pref|marketing|status|agree|want|can|may|enabl"
        "|disabl|eligib)",
        but=(_MAIL,),
    ),
)
"""Who may be texted, as it seems."""


def misspells_opt_out(name: str) -> bool:
    """Whether a name is `sms_opt_out` or `opt_out` with one slip of the thumb."""
    bare = name.replace("_", "")
    return any(bare in slips(each) for each in ("smsoptout", "optout"))


_OF_A_TEXT: Final = _word(
    "sent count counts total last first latest next date time at id ids sid uuid key code number"
    " numbers no num name type delivered delivery failed error bounced received opened clicked read"
    " unread seen reply replies replied response responded answered template body content subject"
    " length segments language campaign provider carrier gateway network history log thread source"
    " cost price credits verified verification confirmed capable valid otp auth off bounce spam alt"
    " custom free rich plain html color colour size font field link format note notes description"
    " comment comments queued"
)
_HANDSET: Final = (
    "mobile cell cells mobiles mob tel handy mobil mobiel landline landlines whatsapp ph"
)
says_channel: Final = _says(
    _all(
        _word(
            "sms mms txt txts text texts texting messages"
            " (?:allow|enable|send|receive|get|want|can)s?"
            "(?:sms|mms|txts?|texts?|texting|messages?)"
            " (?:sms|mms|txt|texts?|texting|mobile)(?:enabled|active|allowed|alerts?|notifications?"
            "|reminders?|marketing|promotions?|updates|messages|messaging)"
        ),
        but=(_OF_A_TEXT,),
    ),
    _all(
        _word("message"),
        _word("ok okay allow allowed can may send receive want"),
        but=(_OF_A_TEXT,),
    ),
    _all(
        _word(_HANDSET),
        _word("marketing promotions promotional notifications alerts reminders updates"),
        but=(_OF_A_TEXT, _word("message")),
    ),
)
"""Most likely yes or no to texts: `Send SMS`, `Texting`. What counts or dates texts, or holds one,
says neither."""

misspells_time: Final = _says("^o+c+(?=[aeu]*r)[aeur]{2,}.{0,12}$")
"""`occured_at`, `ocurred_at`, `occured`, `occurred on`: every slip of it that people make."""

says_time: Final = _says(
    "^(date|time|datetime|date_time|timestamp|time_stamp|when|event_(time|date|at)|happened_at"
    "|effective_(date|at)|as_of|datum|fecha|date_heure|zeitstempel|zeitpunkt)$"
)
"""A time and not of what: in a list of opt-outs, most likely theirs. When a contact was created or
last changed is none of these."""

says_code: Final = _says(
    _all(
        "(^|_)(country|calling|dial|dialing|dialling|isd|idd|international|intl|phone|mobile|cell"
        "|telephone|area)(_(calling|dial|dialing|dialling|phone))?_?(code|prefix)s?_?[0-9]*$"
        "|vorwahl|indicatif|prefijo|(^|_)prefisso|(^|_)country_iso|(^|_)diall?ing$"
        "|(^|_)(phone|mobile|cell|telephone)_(country|region)(_(iso|name)|$)",
        but=("address|shipping|billing|mailing|postal|delivery",),
    )
)
"""The beginning of a number, apart from the rest of it. The country of an address is told by a code
too, and says nothing of the phone."""

says_country: Final = _says("country|region|calling|dial|isd|idd|international|intl")
"""Of a code, that it is a country's and not perhaps an area's."""

is_country: Final = _says("^country(_name)?$")
"""A country, of which nobody says whether it is the phone's."""

says_tags: Final = _says(
    "(^|_)(tag|label|list|segment|group|categor(y|ie)|flag|marker|attribute|interest|audience"
    "|restriction|alert|preference)s?(_|$)"
)
"""Several words, each a statement of its own."""

says_lists: Final = _says("^mailing_?lists?$")
"""The lists that a contact is on: `mailing` is not of e-mail alone."""

says_keyword: Final = _says("(^|_)keywords?(_|$)")
"""The keywords that contacts text."""

_BESIDE_A_PHONE: Final = _last(
    # `phonetype` is one word, where whoever wrote it left nothing between.
    "(?:phone)?(?:type|label|kind|name|ext|extension|country|carrier|status|valid|validity|verified"
    "|verification|date|time|timestamp|datetime|at|count|owner|notes?|comments?|description|ids?"
    "|uuid|guid|key|source|origin|updated|created|modified|added|deleted|format|hash|sha|md"
    "|provider|network|operator|timezone|tz|zone|region|category|rank|called|consultation|attempts?"
    "|validated|outcome|confirmed|balance|reminders?|os|usage|marketing|preference|city|state"
    "|location|score|quality|error|flag|model|calls)"
)
"""Columns beside a phone's own, as address books and services export them."""

is_phone: Final = _says("_*".join("^number$"), _all("^phone(?!tic)", but=(_BESIDE_A_PHONE,)))
"""Phone numbers that count."""

is_bare_phone: Final = _says(
    "^(numbers?|msisdn|((mobile|cell|home|work|tele)_?)?phone(_?numbers?)?_?[0-9]{0,2}"
    "|(mobile|cell)(_?number)?_?[0-9]{0,2})$"
)
"""A phone number and not a word more: no title and no note says so."""

_NUMBERED: Final = (
    "number numbers no num nr nbr nummer numero home work other alt alternate alternative primary"
    " secondary contact sms text whatsapp day daytime evening night second third preferred best"
    " emergency direct wireless landline assistant spouse partner parent guardian to recipient"
    " calling called international full e optional required us usa uk raw formatted on file"
)
"""Beside `number` these say a phone's; a customer's or a member's number is often another."""
_WHOSE: Final = (
    f"{_NUMBERED} main business office personal private customer client lead user patient first new"
    " old company subscriber member guest value"
)
_NO_PHONE: Final = (
    "fax|pager|(head|micro|smart|i_?|saxo|mega)phones?$",
    _BESIDE_A_PHONE,
    _first("has is with prefers"),
    # Whose phone it is where it is not the contact's: nothing that the row says holds for it.
    _word(
        "insurance pharmacy doctor physician dentist hospital employer school store shop branch"
        " clinic practice emergency referral referring appointment consultation"
    ),
)
says_phone: Final = _says(
    _all(
        "(phone(number|num|no)?s?|(mobile|cell|contact|tel|sms)(number|num|no))[0-9]*(_|$)"
        "|telephone|telefoo?n|telemovel|msisdn|cellular|celular|handynummer|mobiel?nummer"
        "|mobilnummer|rufnummer|movil|(^|_)gsm[0-9]*(_|$)",
        but=_NO_PHONE,
    ),
    _all(_word(_HANDSET), _only(f"{_HANDSET} {_WHOSE}"), but=_NO_PHONE),
    # `Home No` is a house's.
    _all(_word("contact alt alternate alternative"), _last("no"), _only(_NUMBERED), but=_NO_PHONE),
    _all(_last("number numbers"), _only(_NUMBERED), but=_NO_PHONE),
)
"""A phone number plainly, under a name that is not ours."""
