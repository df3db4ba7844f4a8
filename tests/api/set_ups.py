"""Random set-ups of an account that can be, what they come to, and faults to plant in them."""

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from consent_ledger.policy import PRESETS, amended, difference

Document = dict[str, Any]

NUMBERS: Final = tuple(f"+141555501{last}" for last in range(80, 86))
SERVED: Final = ("conversation", "appointment_reminder", "recall", "marketing")
TEXTS: Final = {
    "help": "Call {name}.",
    "stop_confirmation": "{name}: no more texts.",
    "please_call": "Please call us.",
}
WORDS: Final = {"stop": ("basta", "genug"), "help": ("ayuda", "hilfe"), "start": ("otra vez",)}
IDS: Final = st.sampled_from(["a", "b", "c", "inherit", "x/y", "1e5"])
RULES: Final = st.fixed_dictionaries(
    {},
    optional={
        "needs_consent": st.booleans(),
        "marketing": st.booleans(),
        "level": st.sampled_from(["implied", "express", "express_written"]),
        "consent_days": st.just({"implied": 730}),
        "hours": st.just({"start": 9, "end": 20}),
    },
)
CHANGES: Final = st.fixed_dictionaries(
    {"time_zone": st.just("America/Chicago")},
    optional={
        "requests_allowed": st.integers(1, 4),
        "unreachable_limit": st.integers(1, 4),
        "conversation_numbers_exclusive": st.booleans(),
        "purposes": st.dictionaries(st.sampled_from(["recall", "survey", "news"]), RULES),
    },
)
POLICIES: Final = st.fixed_dictionaries(
    {"preset": st.sampled_from(list(PRESETS)), "changes": CHANGES}
)
LOCATIONS: Final = st.dictionaries(IDS, st.sampled_from(["Main", "inherit", "yes"]), min_size=1)
USERS: Final = st.dictionaries(
    IDS, st.tuples(st.sampled_from(["allow", "deny", "inherit"]), st.lists(IDS, max_size=3))
)
GROUPS: Final = st.dictionaries(IDS, st.sampled_from(["allow", "deny", "inherit"]))
LANGUAGES: Final = st.sampled_from([None, "en", "es", "pt-BR"])
REPLIES: Final = st.sets(st.tuples(st.sampled_from(list(TEXTS)), LANGUAGES))
KEYWORDS: Final = st.dictionaries(
    st.tuples(st.sampled_from(list(WORDS)), st.sampled_from(["en", "es"])), st.booleans()
)


@st.composite
def documents(draw: Callable[..., Any]) -> Document:
    """A whole set-up that no rule forbids; what rests on nothing may be absent."""
    policy = draw(POLICIES)
    rules = amended(policy["preset"], policy["changes"])
    locations = draw(LOCATIONS)
    served = set(rules.purposes)
    if rules.conversation_numbers_exclusive:
        served -= {"conversation"}
    numbers = st.tuples(
        st.sampled_from(sorted(locations)), st.lists(st.sampled_from(sorted(served)), max_size=4)
    )
    sending = draw(st.dictionaries(st.sampled_from(NUMBERS), numbers))
    found: Document = {
        "policy": policy,
        "locations": [{"id": each, "name": name} for each, name in locations.items()],
        "sending_numbers": [
            {"number": number, "location": place, "purposes": purposes}
            for number, (place, purposes) in sending.items()
        ],
        "users": [
            {"id": each, "permission": permission, "groups": groups}
            for each, (permission, groups) in draw(USERS).items()
        ],
        "groups": [{"id": each, "permission": said} for each, said in draw(GROUPS).items()],
        "replies": [
            {"kind": kind, "text": TEXTS[kind]} | ({"language": tag} if tag else {})
            for kind, tag in draw(REPLIES)
        ],
        "keywords": [
            {"kind": kind, "language": tag, "add": WORDS[kind] if added else (), "remove": ()}
            for (kind, tag), added in draw(KEYWORDS).items()
        ],
    }
    absent = draw(st.sets(st.sampled_from(["users", "groups", "replies", "keywords"])))
    return {name: section for name, section in found.items() if name not in absent}


def settled(document: Document) -> Document:
    """What an account shows of itself once it is what the document says."""
    policy = document["policy"]
    rules = amended(policy["preset"], policy["changes"])
    listed: Document = {
        "locations": document["locations"],
        "sending_numbers": [
            each | {"purposes": sorted(set(each["purposes"]))}
            for each in document["sending_numbers"]
        ],
        "users": [
            each | {"groups": sorted(set(each["groups"]))}
            for each in document.get("users", ())
            if each["permission"] != "inherit" or each["groups"]
        ],
        "groups": [g for g in document.get("groups", ()) if g["permission"] != "inherit"],
        "replies": document.get("replies", []),
        "keywords": [
            each | {"add": sorted(each["add"]), "remove": []}
            for each in document.get("keywords", ())
            if each["add"]
        ],
    }
    shown = {"policy": {"preset": rules.preset, "changes": difference(rules)}}
    return shown | {name: in_order(section) for name, section in listed.items()}


def in_order(section: list[Document]) -> list[Document]:
    """The entries of a section in an order of their own."""
    return sorted(section, key=lambda each: str(sorted(each.items())))


Plant = Callable[[Document], str]


def _listed(section: str, entry: Document, field: str) -> Plant:
    def plant(document: Document) -> str:
        document.setdefault(section, []).append(entry)
        return f"/{section}/{len(document[section]) - 1}/{field}".rstrip("/")

    return plant


def _changed(field: str, value: object) -> Plant:
    def plant(document: Document) -> str:
        document["policy"]["changes"][field] = value
        return f"/policy/changes/{field}"

    return plant


def _again(section: str, field: str) -> Plant:
    def plant(document: Document) -> str:
        entries = document.setdefault(section, [])
        if not entries:
            entries.append({"number": NUMBERS[0], "location": "a", "purposes": []})
        entries.append(entries[0])
        return f"/{section}/{len(entries) - 1}/{field}"

    return plant


def _unknown_section(document: Document) -> str:
    document["nonsense"] = []
    return "/nonsense"


def _line(number: str, location: str, purposes: list[str]) -> Document:
    return {"number": number, "location": location, "purposes": purposes}


FAULTS: Final[dict[str, Plant]] = {
    "location twice": _again("locations", "id"),
    "number twice": _again("sending_numbers", "number"),
    "no name": _listed("locations", {"id": "nameless"}, "name"),
    "no number": _listed("sending_numbers", _line("zebra", "a", []), "number"),
    "no location": _listed("sending_numbers", _line("+14155550171", "zebra", []), "location"),
    "no purpose": _listed("sending_numbers", _line("+14155550172", "a", ["zebra"]), "purposes"),
    "no permission": _listed("users", {"id": "u9", "permission": "zebra"}, "permission"),
    "no group": _listed("groups", {"permission": "deny"}, "id"),
    "no field": _listed("groups", {"id": "g9", "permission": "deny", "colour": 1}, "colour"),
    "no reply": _listed("replies", {"kind": "zebra", "text": "zebra"}, "kind"),
    "no brace": _listed("replies", {"kind": "ask_again", "text": "{zebra}"}, "text"),
    "protected": _listed("keywords", {"kind": "yes", "add": ["stop"]}, "add/0"),
    "policy field": _changed("colour", "zebra"),
    "policy range": _changed("requests_days", 0),
    "policy type": _changed("unnamed_users_may_text", "zebra"),
    "unknown section": _unknown_section,
}
"""By their names, what makes a document one that cannot be, and the pointer that has to tell it."""
