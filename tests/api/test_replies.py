"""The account's own wording of replies and requests: R-K6, contract section 7."""

from hashlib import sha256
from typing import Any

import pytest

from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.service import OPENED

KINDS = {
    *("stop_confirmation", "start_confirmation", "consent_confirmation", "how_to_opt_in"),
    *("help", "ask_again", "please_call", "consent_request", "disclosure"),
}
BYE = "{name}: adiós."


def digest(text: str) -> str:
    """How an event proves a wording."""
    return sha256(text.encode()).hexdigest()[:32]


def test_every_kind_is_listed_with_its_text(clinic: Clinic) -> None:
    """R-K6: also before the account has words of its own."""
    items = clinic.get("/v1/replies", "sender")["items"]
    assert {item["kind"] for item in items} == KINDS
    for item in items:
        assert (item["own"], item["language"]) == (False, None)
        assert item["segments"] == (2 if item["kind"] == "disclosure" else 1)
        assert item["placeholders"] == ["{name}"]


def test_the_next_reply_has_the_account_s_own_words(clinic: Clinic) -> None:
    """R-K6: and the event proves by their digest what the contact was told."""
    clinic.words_reply("stop_confirmation", BYE).recorded("ReplyWorded")
    text = f"{OPENED}: adiós."
    assert clinic.hears(ANN, "STOP")["reply"]["text"] == text
    stop, issued = clinic.history(ANN)
    assert issued["evidence"]["template_version"] == digest(text)
    assert issued["in_reply_to"] == stop["event_id"]


def test_a_request_for_consent_has_the_account_s_own_words(clinic: Clinic) -> None:
    """R-K6: it names the location, and its digest is in the event."""
    clinic.opens_location("main")
    clinic.words_reply("consent_request", "{name} asks: may we text you? Answer YES.")
    clinic.requests(ANN, location="main")
    asked = clinic.sends(BEN)["consent_request"]["text"]
    assert asked == f"{OPENED} asks: may we text you? Answer YES."
    text = "The main office asks: may we text you? Answer YES."
    assert clinic.history(ANN)[0]["evidence"]["template_version"] == digest(text)


def test_a_reply_is_in_the_language_of_the_word(clinic: Clinic) -> None:
    """R-K6: where the word that matched is of one language; else in the account's own words."""
    clinic.words_reply("stop_confirmation", "{name}: bye.")
    clinic.words_reply("stop_confirmation", BYE, "es")
    clinic.words_reply("stop_confirmation", "{name} : au revoir.", "FR")
    clinic.listens("stop", "es-MX", add=["basta"])
    clinic.listens("stop", "ca", add=["prou"])

    def told(number: str, word: str) -> str:
        text: str = clinic.hears(number, word)["reply"]["text"]
        return text.removeprefix(OPENED)

    words = ("STOP", "unsubscribe me", "parar", "Arrêt", "BASTA!", "prou")
    said = [told(f"+1415555{3000 + at}", word) for at, word in enumerate(words)]
    bye, adios, revoir = ": bye.", ": adiós.", " : au revoir."
    assert said == [bye, bye, adios, revoir, adios, bye]


def test_a_word_of_two_languages_is_of_none(clinic: Clinic) -> None:
    """R-K6: Portuguese has 'cancelar' too, so an account that says so is asked in neither."""
    clinic.words_reply("stop_confirmation", BYE, "es")
    assert clinic.hears(ANN, "cancelar")["reply"]["text"].endswith("adiós.")
    clinic.listens("stop", "pt", add=["cancelar"])
    assert "START" in clinic.hears(BEN, "cancelar")["reply"]["text"]
    clinic.listens("stop", "es", remove=["parar"])
    clinic.listens("stop", "pt", add=["parar"])
    assert "START" in clinic.hears(CARA, "parar")["reply"]["text"]
    clinic.words_reply("stop_confirmation", "{name}: adeus.", "pt")
    clinic.hears(CARA, "START")
    assert clinic.hears(CARA, "parar")["reply"]["text"].endswith("adeus.")


def test_a_wording_is_taken_back(clinic: Clinic) -> None:
    """R-K6: what is less special counts again, at last the default."""
    default = clinic.reply_texts("help")[None]
    clinic.words_reply("help", "Ask {name}.")
    clinic.words_reply("help", "Pregunte a {name}.", "es")
    assert clinic.reply_texts("help") == {None: "Ask {name}.", "es": "Pregunte a {name}."}
    clinic.call("DELETE", "/v1/replies/help").recorded("ReplyRestored")
    assert clinic.reply_texts("help") == {None: default, "es": "Pregunte a {name}."}
    clinic.call("DELETE", "/v1/replies/help?language=ES").recorded("ReplyRestored")
    assert clinic.reply_texts("help") == {None: default}
    assert clinic.hears(ANN, "HELP")["reply"]["text"] == default.replace("{name}", OPENED)
    with clinic.unchanged():
        clinic.call("DELETE", "/v1/replies/help").problem(404, "not-found")
        clinic.call("DELETE", "/v1/replies/nonsense").problem(404, "not-found")


@pytest.mark.parametrize(
    ("kind", "body", "pointer"),
    [
        ("nonsense", {"text": "hello"}, "/kind"),
        ("help", {"text": ""}, "/text"),
        ("help", {"text": " \n "}, "/text"),
        ("help", {"text": "x" * 1_601}, "/text"),
        ("help", {"text": "call\tus"}, "/text"),
        ("help", {"text": "call\x00us"}, "/text"),
        ("help", {"text": "call {number}"}, "/text"),
        ("help", {"text": "call {name"}, "/text"),
        ("help", {"text": "{name}" * 6}, "/text"),
        ("help", {"text": "call", "language": "Spanish"}, "/language"),
        ("stop_confirmation", {"text": "You are out."}, "/text"),
        ("consent_request", {"text": "May we text you? Answer YES or NO."}, "/text"),
        ("disclosure", {"text": "May we send you offers? Answer CONSENT."}, "/text"),
        ("help", {"words": "call"}, "/words"),
    ],
)
def test_a_text_that_may_not_go_out_changes_nothing(
    clinic: Clinic, kind: str, body: dict[str, Any], pointer: str
) -> None:
    """R-K6: 422 says where; what asks for consent or ends texts has to say whose texts."""
    with clinic.unchanged():
        answer = clinic.call("PUT", f"/v1/replies/{kind}", "admin", body)
        code = answer.response.json()["code"]
        answer.problem(422, code, pointer)
    assert code in ("set-up-refused", "invalid-body")


def test_a_text_asks_only_for_words_that_count(clinic: Clinic) -> None:
    """R-K6: who answers as they were asked to is understood, whatever changes first."""
    spanish = "{name}: ¿podemos escribirle? Responda ACEPTO o RECHAZO."
    with clinic.unchanged():
        refused = clinic.words_reply("consent_request", spanish, "es")
        refused.problem(422, "reply-unanswerable", "/text")
    clinic.listens("consent", "es", add=["acepto"])
    clinic.words_reply("consent_request", spanish, "es").recorded("ReplyWorded")
    with clinic.unchanged():
        clinic.listens("consent", "es").problem(422, "reply-unanswerable", "/remove")
    clinic.listens("start", add=["restart"])
    clinic.words_reply("how_to_opt_in", "{name}: text RESTART.").recorded("ReplyWorded")
    clinic.listens("start", add=["restart"], remove=["start"]).recorded("KeywordsChanged")
    with clinic.unchanged():
        restored = clinic.call("DELETE", "/v1/replies/how_to_opt_in")
        restored.problem(422, "reply-unanswerable", "/kind")


def test_a_text_is_counted_as_it_goes_out(clinic: Clinic) -> None:
    """R-K6: with the account's name in it, as a provider counts parts."""
    clinic.words_reply("help", "x" * (160 - len(OPENED)) + "{name}")
    clinic.words_reply("help", "x" * (161 - len(OPENED)) + "{name}", "fr")
    clinic.words_reply("help", "\u00e3" * 70, "pt")
    items = [item for item in clinic.get("/v1/replies")["items"] if item["kind"] == "help"]
    found = {item["language"]: (item["encoding"], item["segments"]) for item in items}
    assert found == {None: ("gsm-7", 1), "fr": ("gsm-7", 2), "pt": ("ucs-2", 1)}
    assert all(item["own"] for item in items)
