"""The account's own words: R-K2, R-K5, contract section 7."""

import copy

import pytest

from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open
from tests.service import Running

FCC = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")


def test_an_own_word_stops(clinic: Clinic) -> None:
    """R-K2: in any spelling, with politeness, from the next text on."""
    clinic.hears(ANN, "finito ya").understood_as("other")
    clinic.listens("stop", "es", add=["Finito ya"]).recorded("KeywordsChanged")
    clinic.hears(ANN, "FINITO-YA, por favor!").understood_as("stop").replied("stop_confirmation")
    clinic.asks(ANN, "appointment_reminder").is_denied("opted_out_by_contact")


@pytest.mark.parametrize(
    ("kind", "language", "word"),
    [
        ("start", "fr", "reprendre"),
        ("help", "vi", "gợi ý"),
        ("consent", "pt-BR", "concordo"),
        ("decline", "ar", "ممتنع"),
        ("yes", "zh", "好的"),
        ("no", "es", "nanay"),
    ],
)
def test_every_kind_has_its_lists_in_any_language(
    clinic: Clinic, kind: str, language: str, word: str
) -> None:
    """R-K2: lists are per account and language, and all are read together."""
    clinic.listens(kind, language, add=[word])
    clinic.hears(ANN, f"{word}!").understood_as(kind)
    items = clinic.get("/v1/keywords", "sender")["items"]
    own = [item for item in items if not item["default"]]
    named = {"kind": kind, "language": language, "word": word}
    assert own == [{**named, "default": False, "removable": True}]


def test_a_provider_word_that_was_removed_is_no_stop(clinic: Clinic) -> None:
    """R-K2: providers have them by default, and the account decides."""
    clinic.listens("stop", "es", remove=["ALTO"])
    assert "alto" not in clinic.words("stop")
    removed = clinic.get("/v1/keywords", "agent")["removed"]
    assert removed == [{"kind": "stop", "language": "es", "word": "alto"}]
    clinic.hears(ANN, "alto").understood_as("other")
    clinic.hears(ANN, "parar").understood_as("stop")
    clinic.listens("stop", "es")
    assert clinic.get("/v1/keywords")["removed"] == []
    clinic.hears(BEN, "alto").understood_as("stop")


def test_a_put_replaces_the_list_of_its_language_alone(clinic: Clinic) -> None:
    """Contract section 7: it sets the account's own changes of one list."""
    clinic.listens("stop", "es", add=["finito"])
    clinic.listens("stop", "fr", add=["assez"])
    clinic.listens("stop", "es", add=["fuera"])
    assert {"fuera", "assez", "stop"} <= clinic.words("stop")
    clinic.hears(ANN, "finito").understood_as("other")


@pytest.mark.parametrize("word", FCC)
def test_none_of_the_seven_can_be_removed_in_any_spelling(clinic: Clinic, word: str) -> None:
    """R-K2, 47 CFR 64.1200(a)(10): none of them, in any language's list."""
    full_width = "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in word)
    spellings = (word.upper(), word.replace(" ", "-"), ".".join(word.replace(" ", "")), full_width)
    for spelling in spellings:
        with clinic.unchanged():
            answer = clinic.listens("stop", "fr", remove=["arret", spelling])
            answer.problem(422, "keyword-protected", "/remove/1")
    clinic.hears(ANN, word).understood_as("stop")


@pytest.mark.parametrize("kind", ["start", "help", "consent", "decline", "yes", "no"])
@pytest.mark.parametrize(
    "word", ["Stop.", "please stop", "stop my", "don't quit", "OPT-OUT", "lose my number"]
)
def test_a_wish_to_stop_is_never_another_word(clinic: Clinic, kind: str, word: str) -> None:
    """R-K2, R-K4: 'stop my' as HELP would take the STOP out of 'stop my texts'."""
    with clinic.unchanged():
        answer = clinic.listens(kind, add=["maybe later", word])
        answer.problem(422, "keyword-protected", "/add/1")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"kind": "start", "add": ["helf", "HELP"]}, "keyword-taken", "/add/1"),
        ({"kind": "yes", "add": ["i-agree"]}, "keyword-taken", "/add/0"),
        ({"kind": "stop", "add": ["unsub"], "remove": ["UnSub"]}, "keyword-taken", "/remove/0"),
        ({"kind": "help", "add": ["!!!"]}, "keyword-unusable", "/add/0"),
        ({"kind": "help", "add": ["🛑"]}, "keyword-unusable", "/add/0"),
        ({"kind": "help", "add": ["a b c d e f g h i"]}, "keyword-unusable", "/add/0"),
        ({"kind": "yes", "add": ["thank you"]}, "keyword-unusable", "/add/0"),
        ({"kind": "stop", "add": ["please"]}, "keyword-unusable", "/add/0"),
        ({"kind": "help", "add": ["+1 415 555 0199"]}, "keyword-unusable", "/add/0"),
        ({"kind": "stop", "remove": ["finito"]}, "keyword-unknown", "/remove/0"),
        ({"kind": "help", "remove": ["stop"]}, "keyword-unknown", "/remove/0"),
        ({"kind": "help", "language": "english"}, "set-up-refused", "/language"),
        ({"kind": "help", "language": "+1415555"}, "set-up-refused", "/language"),
        ({"kind": "help", "add": ["x" * 101]}, "invalid-body", "/add/0"),
        ({"kind": "help", "add": [f"w{n}" for n in range(301)]}, "invalid-body", "/add"),
        ({"kind": "other", "add": ["maybe"]}, "invalid-body", "/kind"),
        ({"kind": "help", "added": ["aid"]}, "invalid-body", "/added"),
        ({"kind": "start", "remove": ["start"]}, "reply-unanswerable", "/remove"),
    ],
)
def test_a_list_that_cannot_be_used_changes_nothing(
    clinic: Clinic, body: dict[str, object], code: str, pointer: str
) -> None:
    """R-K2: 422 says where, and repeats no word."""
    with clinic.unchanged():
        found = clinic.call("PUT", "/v1/keywords", "admin", body)
        problem = found.problem(422, code, pointer)
    assert not any(said in str(problem) for said in ("helf", "finito", "4155", "w300"))


def test_a_word_means_one_thing_across_lists_and_languages(clinic: Clinic) -> None:
    """R-K2: also where another list, in another language, took or freed it."""
    clinic.listens("no", "es", add=["nada"])
    clinic.listens("decline", "pt", add=["nada"]).problem(422, "keyword-taken", "/add/0")
    clinic.listens("help", remove=["info"])
    clinic.listens("yes", add=["info"])
    clinic.hears(ANN, "info").understood_as("yes")
    clinic.listens("help").problem(422, "keyword-taken", "/remove")
    clinic.listens("yes")
    clinic.listens("help")
    clinic.hears(ANN, "info").understood_as("help")


def test_own_words_have_a_limit_over_all_languages(clinic: Clinic) -> None:
    """Reading stays quick and a lexicon small, however many languages there are."""
    clinic.listens("help", "es", add=[f"ayuda{n}" for n in range(200)])
    with clinic.unchanged():
        too_many = clinic.listens("help", "fr", add=[f"aide{n}" for n in range(101)])
        too_many.problem(422, "keyword-unusable", "/add")
    clinic.listens("help", "fr", add=[f"aide{n}" for n in range(100)]).recorded("KeywordsChanged")


def test_an_event_says_what_matched_and_under_which_lists(clinic: Clinic) -> None:
    """R-K5: and equal lists have equal versions, whatever lay between."""
    clinic.hears(ANN, "unsub")
    default = clinic.get("/v1/keywords")["lexicon_version"]
    clinic.listens("stop", "es", add=["¡Finito ya!"])
    own = clinic.get("/v1/keywords")["lexicon_version"]
    clinic.hears(BEN, "finito ya")
    before, after = clinic.history(ANN)[0], clinic.history(BEN)[0]
    assert (before["lexicon_version"], before["data"]["matched"]) == (default, "unsub")
    assert (after["lexicon_version"], after["data"]["matched"]) == (own, "finito ya")
    assert own != default
    clinic.listens("stop", "es")
    assert clinic.get("/v1/keywords")["lexicon_version"] == default
    clinic.listens("stop", "es", add=["¡Finito ya!"])
    assert clinic.get("/v1/keywords")["lexicon_version"] == own


def test_a_text_is_never_read_with_a_list_of_before(clinic: Clinic, second: Running) -> None:
    """R-K2, R-O4: what one process acknowledged holds for the next text at the other."""
    there = copy.copy(clinic)
    there.service = second
    there.asks(ANN)
    for place in range(15):
        one, other = f"+1415{5575000 + place:07}", f"+1415{5576000 + place:07}"
        clinic.listens("stop", "es", add=["finito"])
        there.hears(one, "finito").understood_as("stop")
        there.listens("stop", "es")
        clinic.hears(other, "finito").understood_as("other")
        there.hears("clinic", "finito")["kept_for_review"]
    clinic.listens("stop", "es", add=["finito"])
    there.hears("clinic", "finito").understood_as("stop")


def test_a_repeated_text_is_answered_as_it_was_read_first(clinic: Clinic) -> None:
    """R-O1: the lists changed meanwhile, and the fact did not."""
    clinic.hears(ANN, "finito", message_id="same").understood_as("other")
    clinic.listens("stop", "es", add=["finito"])
    clinic.hears(ANN, "finito", message_id="same").understood_as("other").recorded()


def test_another_account_reads_as_before(open_clinic: Open) -> None:
    """Section 1: nothing crosses."""
    one, other = open_clinic(), open_clinic()
    one.listens("stop", "es", add=["finito"], remove=["alto"])
    other.hears(ANN, "finito").understood_as("other")
    other.hears(ANN, "alto").understood_as("stop")
    assert other.get("/v1/keywords")["removed"] == []


def test_a_list_is_set_once_for_each_idempotency_key(clinic: Clinic) -> None:
    """Section 2: the first answer again, and nothing new."""
    body = {"kind": "stop", "add": ["halt"]}
    first = clinic.call("PUT", "/v1/keywords", "admin", body, Idempotency_Key="k1")
    again = clinic.call("PUT", "/v1/keywords", "admin", body, Idempotency_Key="k1")
    assert first.recorded("KeywordsChanged")["position"] == again.recorded()["position"]
