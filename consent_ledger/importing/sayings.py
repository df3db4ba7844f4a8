"""Cells that say nothing but an opt-out, in columns that a list names otherwise.

`Status` and `Tags` cannot refuse a whole list, and yet a STOP may stand there. So their cells are
looked at: a cell counts only where all that it says is that the contact wants no texts.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final

from consent_ledger.importing.names import plain

LONGEST_SAYING: Final = 60
"""Characters of the longest cell that is looked at: a saying has half of them, with a day behind it
and signs around it as many. A longer cell is a note, and a note may say anything."""

_TEXTS: Final = "(?:sms|mms|txts?|texts?|texting|messages?|messaging|marketing|calls?)"
_OF: Final = rf"(?:(?: (?:of|from|for))?(?: (?:all|any|our|your))?(?: {_TEXTS}){{1,2}})?"
_BY: Final = (
    "(?:(?: (?:via|by|per|with|through|from|replied|texted|sent))?"
    "(?: (?:stop|sms|text|phone|reply|keyword|request|list|contact|customer|client|patient|user"
    "|member|subscriber|carrier|agent|admin|staff|web|website|form)){1,2})?"
)
_DAY: Final = (
    r"(?:\d+(?:st|nd|rd|th|am|pm)?|t\d+|z|am|pm|utc|gmt|[ecmp][sd]?t|at"
    "|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)"
    "(?:uary|ruary|ch|il|ust|ember|tember|ober)?)"
)
_ON: Final = rf"(?:(?: (?:on|since|as of|effective))?(?: {_DAY})+)?"
_PLEASE: Final = "(?: (?:please|pls|plz|thanks|thank you|now|it|me|us|again|any ?more))*"
_VERB: Final = "(?:text|txt|sms|contact|call|message|msg|disturb|market|solicit)"
_SAYINGS: Final = (
    # What texting services export: HubSpot, Klaviyo, Mailchimp, Salesforce, Twilio and the like.
    rf"(?:{_TEXTS} |globally |has |was |is )?un ?sub(?:bed|scribed?|scribers?|scribes)?"
    rf"{_OF}{_BY}{_ON}",
    rf"(?:{_TEXTS} |globally |has |is )?opt(?:s|ed|ing)? ?outs?{_OF}{_BY}{_ON}",
    # A day has three numbers: `Stop 12` is a bus's.
    r"(?:(?:text|texted|send|sent|reply|replied|said|sms) )?(?:please )?stop(?:ped|ping)?(?: ?all)?"
    rf"{_PLEASE}(?:(?= .*\d .*\d .*\d){_ON})?",
    rf"(?:please )?stop (?:sending )?(?:me )?(?:all |any |these |your )?"
    rf"(?:{_TEXTS}|calling|contacting)(?: {_TEXTS})?{_PLEASE}",
    rf"(?:{_TEXTS} ){{1,2}}(?:is |are )?(?:off|disabled|blocked|stopped|suppressed|revoked)",
    r"(?:sms|txts?|texts?|texting) (?:no|n|false|never)",
    # What people write who keep a list by hand.
    rf"(?:please )?(?:do not|don ?t|never)(?: e ?mail(?: or| and)?)? {_VERB}"
    rf"(?:(?: or| and)? (?:{_VERB}|e ?mail))*{_PLEASE}{_ON}",
    rf"(?:please )?(?:do not|don ?t|never) send(?: me| us)?(?: any| more)?(?: {_TEXTS}){{1,2}}"
    rf"{_PLEASE}",
    r"(?:(?:national|internal|on|sms|text) )?(?:dn[cdtm]|do not (?:contact|call|text))"
    rf"(?: ?l| ?list| registry)?(?: {_TEXTS})?{_ON}",
    rf"no (?:more )?(?:{_TEXTS} )?{_TEXTS}{_PLEASE}",
    r"not contactable|(?:please )?remove(?: me)?|removed(?: from list)?",
    r"(?:consent|permission) (?:revoked|withdrawn|removed)|revoked(?: consent)?|revoke|revocation",
    r"withdrawn|withdrew consent|suppressed|suppression list",
    r"bl[ao]ck ?list(?:ed)?|stop ?list",
    r"(?:tcpa )?litigator",
    # Spanish, Portuguese, Italian.
    r"(?:de |dad[oa] de )?baja|no (?:contactar|molestar|llamar|enviar(?: sms| mensajes)?)",
    r"desuscrit(?:o a|[oa])|descadastrad(?:o a|[oa])|revocad[oa]",
    r"nao (?:contatar|contactar|perturbe|ligar)",
    r"disiscritt(?:o a|[oa])|non (?:contattare|disturbare|chiamare)",
    # French.
    r"(?:desabonne|desinscrit)(?: ?e)?(?: ?s)?|desabonnement|opposition|refuse les sms",
    r"ne (?:pas|plus) (?:contacter|appeler|deranger|envoyer(?: de sms)?)",
    # German, Dutch.
    r"abgemeldet|abbestellt|ausgetragen|widersp(?:ruch|rochen)|widerrufen|widerruf|(?:ge)?sperrt?e?",
    r"nicht (?:kontaktieren|anrufen|anschreiben|stoeren|storen)|keine (?:sms|werbung|nachrichten)",
    r"afgemeld|uitgeschreven|niet (?:bellen|contacteren|benaderen)|geen sms",
)
"""Not here: cancelled, declined, refused, inactive, closed, end and quit, which a `Status` says of
an appointment, a card or an account; `not subscribed`, which was never a yes and is no STOP;
and `no contact`, which is how a call ended."""
KEYWORDS: Final = frozenset({"quit", "cancel", "end"})
"""What opts out besides where a column holds nothing but the keywords that contacts text."""
_SAYING: Final = re.compile("|".join(f"(?:{each})" for each in _SAYINGS))

_BEGINNINGS: Final = (
    *("uns", "un ", "un-", "un\u00ad", "sms", "mms", "txt", "tex", "mes", "mar", "con", "cal"),
    *("all", "glo", "har", "has", "was", "is ", "opt", "sen", "rep", "sai", "ple", "sto", "do "),
    *("do-", "do_", "no_", "un_"),
    *("don", "nev", "dnc", "dnd", "dnt", "dnm", "no ", "no-", "not", "rem", "per", "rev"),
    *("wit", "sup", "bla", "tcp", "lit", "de ", "dad", "baj", "des", "dés", "de\u0301", "nao"),
    *("não", "na\u0303", "dis", "non", "opp", "ref", "ne ", "abg", "abb", "aus", "wid", "ges"),
    *("spe", "nic", "kei", "afg", "uit", "nie", "gee"),
    *("nat", "int", "on ", "blo"),
)
_BETWEEN_TAGS: Final = re.compile("[,;|]")
_MARKS: Final = ":;<=>?@[\\]^_`"
"""Signs between digits and letters; the order of characters tells the others at once."""


def _cases(text: str) -> set[str]:
    return {"".join(letters) for letters in product(*((c, c.upper()) for c in text))}


_HEADS: Final = frozenset(
    head
    for word in _BEGINNINGS
    for letters in _cases(word)
    for head in (letters, *(mark + letters[:2] for mark in _MARKS))
)
"""Three characters by which nearly every cell of nearly every list is told from a saying."""


def says_opt_out(cells: Sequence[str], places: Sequence[int]) -> int | None:
    """The place of these whose cell says an opt-out and nothing else, if there is one."""
    for place in places:
        head = cells[place][:3]
        if (head in _HEADS or (head and not "0" <= head < "{")) and _says(cells[place]):
            return place
    return None


def tags_say_opt_out(cells: Sequence[str], places: Sequence[int]) -> bool:
    """Whether one of several words in a cell does."""
    return any(_says(_BETWEEN_TAGS.sub("\n", cells[place])) for place in places)


def _says(cell: str) -> bool:
    # Several texts of one JSON field come with a line for each.
    if len(cell) > LONGEST_SAYING and "\n" not in cell:
        return False
    return any(map(is_saying, cell.split("\n")))


@lru_cache(maxsize=4_096)
def is_saying(text: str) -> bool:
    """Whether this is an opt-out as people and services write it.

    Kept for what was asked lately: the cells of a column say few different things.
    """
    if len(text) > LONGEST_SAYING:
        return False
    return _SAYING.fullmatch(plain(text).replace("_", " ")) is not None
