"""Understanding a reply from its words alone (rulebook section 6)."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_ledger.interpreting import READ_AT_MOST, Reading, interpret
from consent_ledger.lexicon import (
    DEFAULT_LEXICON,
    DEFAULT_VERSION,
    LONGEST_PHRASE,
    MOST_WORDS,
    Lexicon,
    LexiconError,
    Understood,
)
from consent_ledger.tokens import tokens_of

FCC = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]


def lines(table: str) -> list[str]:
    return [line.strip() for line in table.strip().splitlines()]


def understood(text: str, lexicon: Lexicon = DEFAULT_LEXICON) -> str:
    return interpret(text, lexicon).understood_as


@pytest.mark.parametrize(
    ("meaning", "words"),
    [
        ("stop", FCC),
        ("stop", ["stopall", "stop all", "remove", "arret", "unsub"]),
        ("stop", ["alto", "baja", "parar", "cancelar"]),
        ("start", ["start", "unstop"]),
        ("help", ["help", "info"]),
        ("consent", ["consent", "i consent", "i agree"]),
        ("decline", ["decline", "i decline"]),
        ("yes", ["yes", "y"]),
        ("no", ["no", "n", "nope"]),
    ],
)
def test_a_whole_message_that_is_a_listed_word_has_its_meaning(meaning, words):
    """R-K2, in any case and with politeness around (R-K3)."""
    for word in words:
        for text in (word, word.upper(), f" {word.title()}!! ", f"{word} please", f"Ok, {word}."):
            assert interpret(text) == Reading(Understood(meaning), word, DEFAULT_VERSION), text


@pytest.mark.parametrize(
    "text",
    [
        "opt out",
        "opt-out",
        "OPTOUT",
        "Opt\u2010Out",
        "OPT\nOUT",
        "opt_out",
        "«Opt.Out»",
        "\uff4f\uff50\uff54\u3000\uff4f\uff55\uff54",
        "ⓞⓟⓣ ⓞⓤⓣ",
        "𝗢𝗣𝗧 𝗢𝗨𝗧",
        "🅾🅿🆃-🅾🆄🆃",
        "o p t o u t",
    ],
)
def test_one_word_however_it_is_written(text):
    """R-K1."""
    assert interpret(text).understood_as == "stop"
    assert interpret(text).matched == "opt out"


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "ＳＴＯＰ",
        "S.T.O.P.",
        "st\u200bop",
        "\u202estop\u202c",
        "stop 🛑🙏🏽",
        "'stop'",
        "\u201cStop\u201d",
        "s\u0301top",
        "STOP\ufe0f",
        "\ufeffstop\x00",
        "ﬆop",
        "STOP\xad",
    ],
)
def test_punctuation_emoji_and_look_alikes_of_form_are_ignored(text):
    """R-K1."""
    assert understood(text) == "stop"


@pytest.mark.parametrize("text", ["Arrêt", "ARRÊT", "Arre\u0302t svp"])
def test_accents_do_not_matter(text):
    assert interpret(text).matched == "arret"


@pytest.mark.parametrize(
    "text",
    lines(
        """
        Stop. Thank you
        please stop texting me
        STOP PLEASE!!
        stop now
        stop, thanks
        Please stop sending me texts
        stop all messages
        Stop all these texts now please
        sorry, stop
        cancel these messages
        quit texting me
        please cancel
        End texts
        unsubscribe me please
        please opt me out
        Unsubscribe from all future messages
        STOP STOP STOP
        stop unsubscribe
        No. Stop.
        stop2quit
        STOP = QUIT
        stoptoquit
        STOP to end
        reply STOP
        stop please!! thank you so much
        """
    ),
)
def test_a_stop_with_politeness_and_an_object_is_a_stop(text):
    """R-K3."""
    assert understood(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "We have got to STOP this terrible bill",
        "I can't stop laughing",
        "please cancel my order",
        "Cancel my appointment please",
        "don't stop",
        "Please do not stop texting me",
        "stop me",
        "I'll meet you at the bus stop. See you",
        "Stop by at 5?",
        "How do I stop it bleeding",
        "The end",
        "End of message.",
        "to be revoked",
        "We quit smoking",
        "remove the stitches",
        "can you remove me from the Tuesday slot",
        "I do not want to unsubscribe",
        "non-stop",
        "I did not unsubscribe",
        "Don't stop now: reply YES to claim your gift",
        "unstoppable",
        "Stop paying too much for electricity. Save 20% today",
        "Our opt-out policy is online",
        "Cancel. I will come on Friday",
        "Is parking free?",
        "",
        "   ",
        "🙏",
        "?!",
        "thanks",
        "ok",
    ],
)
def test_a_word_inside_another_meaning_is_not_a_stop(text):
    """R-K3: nor is it suspicious."""
    assert interpret(text).understood_as == "other"
    assert interpret(text).matched is None


@pytest.mark.parametrize(
    "text",
    lines(
        """
        take me off your list
        Lose my number!
        Do NOT contact me
        please don’t text me again
        remove me
        Can you remove me please
        wrong number stop
        Wrong number
        I think you have the wrong number
        I want you to stop texting me
        stop it
        how do I unsubscribe
        I'd like to opt out of this
        leave me alone
        I revoke my consent
        Who is this? STOP.
        Stop, I never asked for this
        STOP I do not know you
        sotp
        I do not consent to this
        no more texts please
        unsubscibe
        I told you not to text me
        delete my number from your system
        My name is Ann, opt out
        """
    ),
)
def test_what_a_reasonable_person_reads_as_an_end_to_texts_is_suspected(text):
    """R-K4: every purpose stops and waits for a person."""
    assert understood(text) == "suspected_revocation"


@pytest.mark.parametrize("text", ["", "   ", "🙏", "?!", "\u200b", "thanks", "ok, please"])
def test_a_text_without_words_of_its_own_says_nothing(text):
    assert understood(text) == "other"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("help stop", "stop"),
        ("start stop", "stop"),
        ("yes cancel", "suspected_revocation"),
        ("yes, I agree", "consent"),
        ("No, decline", "decline"),
        ("yes no", "other"),
        ("no consent", "suspected_revocation"),
        ("yes help", "other"),
    ],
)
def test_of_two_words_the_safer_counts(text, meaning):
    assert understood(text) == meaning


@pytest.mark.parametrize(
    "text", ["si", "sí", "oui", "ok", "okay", "yeah but no", "yes I will come at 5", "start at 5?"]
)
def test_nothing_that_could_mean_something_else_opens(text):
    """A YES may consent or reopen, a START lifts everything."""
    assert understood(text) == "other"


def test_a_text_that_was_cut_may_close_but_never_opens():
    """What lies behind the part that is read could take the yes back."""
    for word, meaning in [("stop", "stop"), ("no", "no"), ("yes", "other"), ("start", "other")]:
        assert understood(word + "." * READ_AT_MOST + " unless I say so") == meaning


def test_the_verdict_names_the_entry_and_the_version_but_never_the_text():
    """R-K5; section 9: words said live in the vault."""
    reading = interpret("Ann Lee here, 0821234567, please take me off your list", DEFAULT_LEXICON)
    assert (reading.matched, reading.lexicon_version) == ("take me off your list", DEFAULT_VERSION)


def test_an_account_may_have_words_of_its_own():
    """R-K2: lists are per account."""
    ours = DEFAULT_LEXICON.with_words(stop=[*FCC, "Finito ya"], help=["ayuda"])
    assert understood("FINITO-YA, por favor", ours) == "stop"
    assert understood("finitoya", ours) == "stop"
    assert understood("ayuda", ours) == "help"
    assert understood("help", ours) == "other"
    assert understood("yes", ours) == "yes"
    assert understood("finito ya") == "other"


def test_another_list_is_another_version_and_the_same_list_the_same():
    """R-K5: a verdict can be re-read only if its version names one set of words."""
    one, same, other = (
        DEFAULT_LEXICON.with_words(stop=[*FCC, word]) for word in ("basta", "basta", "halt")
    )
    assert one.version == same.version
    assert len({DEFAULT_LEXICON.version, one.version, other.version}) == 3
    assert DEFAULT_LEXICON.with_words(version=7, help=["ayuda"]).version == 7
    assert interpret("stop", one).lexicon_version == one.version


@pytest.mark.parametrize("word", FCC)
def test_none_of_the_fcc_seven_can_be_removed(word):
    """R-K2, 47 CFR 64.1200(a)(10)."""
    with pytest.raises(LexiconError, match=word):
        DEFAULT_LEXICON.with_words(stop=[other for other in FCC if other != word])


def test_the_fcc_seven_may_be_spelt_as_one_likes():
    DEFAULT_LEXICON.with_words(stop=[word.upper().replace(" ", "-") for word in FCC])


@pytest.mark.parametrize(
    "lists",
    [
        {"start": ["start", "STOP"]},
        {"yes": ["yes", "i consent"]},
        {"help": ["!!!"]},
        {"help": ["x " * (LONGEST_PHRASE + 1)]},
        {"help": [f"word{n}" for n in range(MOST_WORDS + 1)]},
        {"other": ["maybe"]},
    ],
)
def test_a_list_that_cannot_be_used_is_refused(lists):
    with pytest.raises(LexiconError):
        DEFAULT_LEXICON.with_words(**lists)


@settings(deadline=None, max_examples=500)
@given(st.text(max_size=200))
def test_any_text_gives_a_reading_and_normalising_twice_changes_nothing(text):
    assert interpret(text).understood_as in set(Understood)
    assert tokens_of(" ".join(tokens_of(text))) == tokens_of(text)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["please", "Thanks!", "pls", "NOW", "thank you", "🙏", "..."])),
    st.sampled_from(FCC),
    st.sampled_from(["", "texting me", "all these messages", "sending your texts"]),
    st.lists(st.sampled_from(["please", "Thanks!", "pls", "NOW", "thank you", "🙏", "..."])),
)
def test_no_amount_of_politeness_weakens_a_stop(before, word, what, after):
    """R-K3."""
    assert understood(" ".join([*before, word, what, *after])) == "stop"


@pytest.mark.parametrize(
    "piece", ["stop ", "do ", "to unsubscribe not ", "stop.x ", "please ", "stop me ", "\ufdfa"]
)
def test_a_hostile_text_is_read_in_bounded_time(piece):
    """Reading is linear and ends at READ_AT_MOST: the worst measured is under 4 ms."""
    interpret(piece)
    begun = time.perf_counter()
    interpret(piece * 200_000)
    assert time.perf_counter() - begun < 0.25
