"""What a form leads to: an address that repeats nothing, keeps the filters and shows no number."""

import re

import pytest

from tests.api.admin_browser import SHOWN_ANN, SHOWN_BEN, Browser
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open

LIST = "/admin/opt-outs"
LONGEST = 4096
"""Bytes of a request's first line that a proxy can be trusted to let through."""


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account of the preset that the report comes from."""
    return open_clinic("opt-out")


def reload(browser: Browser) -> Browser:
    """What the browser does for F5: the request of the page that is shown, once more."""
    last = browser.response.request
    return browser._got(browser.http.send(last))


def test_to_reload_repeats_no_opt_out(clinic: Clinic, browser: Browser) -> None:
    """Another admin opted the number in meanwhile, and so it stays."""
    browser.sends(f"{LIST}/opt-out/confirmed", number=ANN, reason="asked at the desk")
    browser.reads(f"Opted out: {SHOWN_ANN}.")
    clinic.post("/v1/opt-ins", number=ANN, by="admin-2", reason="a mistake")
    with clinic.unchanged():
        reload(browser)
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    browser.sends(f"{LIST}/opt-in/confirmed", number_id=[str(clinic.number_id(BEN))], reason="x")
    with clinic.unchanged():
        reload(browser)


def test_to_reload_repeats_no_block_and_no_verdict(clinic: Clinic, browser: Browser) -> None:
    """The other pages answer in the same way."""
    review = clinic.hears(ANN, "take me off your list")["review_id"]
    clinic.blocks(BEN)
    was = [f"{clinic.number_id(BEN)} recall"]
    for path, fields in (
        ("/admin/blocked/add", {"number": CARA, "blocked": ["recall"]}),
        ("/admin/blocked/save", {"was": was, "box": []}),
        ("/admin/reviews", {"review_id": review, "verdict": "dismissed"}),
    ):
        browser.sends(path, **fields)
        with clinic.unchanged():
            assert reload(browser).status == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (LIST, {"number_prefix": ANN}),
        (f"{LIST}/file", {"number_prefix": ANN, "format": "csv", "from": "2026-02-30"}),
        (f"{LIST}/opt-in", {}),
        (f"{LIST}/opt-out", {"number": ANN}),
        (f"{LIST}/opt-out", {"number": "4155550131x"}),
        (f"{LIST}/opt-out/confirmed", {"number": ANN}),
        ("/admin/blocked", {"number_prefix": ANN}),
        ("/admin/blocked/add", {"number": ANN, "blocked": ["recall"]}),
        ("/admin/blocked/add", {"number": ANN}),
    ],
)
def test_each_form_leads_to_an_address_without_a_number(
    browser: Browser, path: str, fields: dict[str, object]
) -> None:
    """Neither readable nor in a form that anybody else could read; again it shows the same."""
    browser.sends(path, **fields)
    assert browser.response.request.method == "GET"
    assert "0131" not in browser.address
    assert "view=" in browser.address
    shown = browser.text
    assert reload(browser).text == shown


def test_an_address_is_of_its_account_and_of_its_page_alone(
    clinic: Clinic, browser: Browser, open_clinic: Open
) -> None:
    """To anybody else it says nothing, nor what it was made of."""
    address = browser.sends(LIST, number_prefix="4155550131").address
    view = address.partition("=")[2]
    browser.opens(f"/admin/blocked?view={view}").reads("says nothing here any more")
    browser.opens(f"{LIST}?view={view[:-4]}AAAA").reads("says nothing here any more")
    browser.opens(f"{LIST}?view=%C3%A4").reads("says nothing here any more")
    for question in ("opt-in", "opt-out"):
        browser.opens(f"{LIST}/{question}?view={view}").reads("Opted-out numbers")
    other = Browser(open_clinic("opt-out")).signs_in().opens(address)
    other.reads("says nothing here any more").misses("0131")
    assert "0131" not in other.response.text
    other.http.close()


def test_a_whole_page_of_ticked_numbers_fits_an_address(clinic: Clinic, browser: Browser) -> None:
    """R-V4: all of them are asked about at once."""
    items = [{"number": f"+1415555{n:04}", "by": "agent-7"} for n in range(100)]
    clinic.post("/v1/opt-outs/batch", "agent", items=items)
    ids = browser.opens(LIST).ticks()
    browser.sends(f"{LIST}/opt-in", number_id=ids, **browser.hidden()).reads("Opt in 100 numbers?")
    assert len(browser.address) < LONGEST


def test_the_filters_outlast_an_opt_in(clinic: Clinic, browser: Browser) -> None:
    """R-V3, R-V4: one goes on where one was."""
    for number in (ANN, BEN):
        clinic.opts_out(number)
    clinic.hears(CARA, "stop")
    ids = browser.sends(LIST, source="agent", number_prefix="415555").ticks()
    browser.sends(f"{LIST}/opt-in", number_id=ids[:1], **browser.hidden())
    browser.sends(f"{LIST}/opt-in/confirmed", reason="by mistake", **browser.hidden())
    browser.reads("Opted in: 1.").misses("0133")
    assert browser.ticks() == ids[1:]
    assert 'value="agent" selected' in browser.response.text
    assert 'value="415555"' in browser.response.text


def test_what_is_too_short_for_a_file_stays_in_the_form(clinic: Clinic, browser: Browser) -> None:
    """R-V3: and so does all else that was chosen."""
    browser.sends(f"{LIST}/file", format="csv", source="contact", number_prefix="41")
    browser.reads("at least 3 digits")
    assert 'value="contact" selected' in browser.response.text
    assert 'value="41"' in browser.response.text


@pytest.mark.parametrize(
    "fields",
    [{"number_prefix": "41"}, {"from": "2026-02-30"}, {"from": "2026-03-04", "period": "7"}],
)
def test_an_error_claims_nothing_of_numbers(
    clinic: Clinic, browser: Browser, fields: dict[str, str]
) -> None:
    """Nobody was looked for, so that none was found is no news."""
    clinic.hears(ANN, "stop")
    clinic.blocks(ANN)
    assert browser.sends(LIST, **fields).misses("No number is opted out").status == 422
    if "number_prefix" in fields:
        assert browser.sends("/admin/blocked", **fields).misses("No number is").status == 422


def test_a_period_and_a_first_day_are_not_both_taken(clinic: Clinic, browser: Browser) -> None:
    """Whichever won, half of the form would be untrue."""
    browser.sends(LIST, **{"from": "2026-03-04", "period": "7"})
    browser.reads("Choose “Since” or a first day, not both.", "day (UTC)")


def test_the_question_says_where_the_number_stands(clinic: Clinic, browser: Browser) -> None:
    """R-V5, R-F6: an admin takes nothing back where the contact said STOP."""
    ask = f"{LIST}/opt-out"
    browser.sends(ask, number=ANN).reads("An admin can take it back.", "It is not opted out now.")
    clinic.opts_out(ANN)
    browser.sends(ask, number=ANN).reads(
        "An admin can take it back.", "already: by an agent, since"
    )
    clinic.hears(ANN, "stop")
    browser.sends(ask, number=ANN).reads("already: by the contact, since", "by an agent, since")
    browser.misses("An admin can take it back.").reads("by texting START")


def test_a_number_that_cannot_be_read_stays_in_the_form(clinic: Clinic, browser: Browser) -> None:
    """With whose wish it was, and why."""
    browser.sends(f"{LIST}/opt-out", number="415 555", requested_by="contact", reason="a call")
    browser.reads("This is no phone number.")
    for filled in ('value="415 555"', 'value="contact" selected', 'value="a call"'):
        assert filled in browser.response.text


def test_a_verdict_is_told_and_its_words_are_the_reason(clinic: Clinic, browser: Browser) -> None:
    """R-F10: the opt-out rests on what was said, and the report shows it."""
    said = "take me off your list"
    for number, verdict, shown in (
        (ANN, "revoked", "Recorded: they want no more texts."),
        (BEN, "dismissed", "Recorded: they do not mean that."),
    ):
        review = clinic.hears(number, said)["review_id"]
        browser.sends("/admin/reviews", review_id=review, verdict=verdict).reads(shown)
    browser.opens("/admin/reviews").misses("Recorded")
    browser.opens(LIST).reads(SHOWN_ANN, said).misses(SHOWN_BEN)
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase")
    browser.opens(LIST).reads("erased").misses(said)


def test_a_key_is_shown_by_its_name(clinic: Clinic, browser: Browser) -> None:
    """Of the account's own keys alone; any other actor by the id that it was told with."""
    clinic.issues_key("admin", "front desk")
    (key_id,) = [k["key_id"] for k in clinic.get("/v1/keys")["items"] if k["name"] == "front desk"]
    desk = Browser(clinic).sends("/admin", key=clinic.keys["front desk"])
    desk.sends(f"{LIST}/opt-out/confirmed", number=ANN)
    desk.sends("/admin/blocked/add", number=ANN, blocked=["recall"])
    desk.http.close()
    clinic.opts_out(BEN, by="agent-7")
    browser.opens(LIST).reads("front desk", "agent-7").misses(key_id)
    browser.opens("/admin/blocked").reads("by front desk").misses(key_id)


def test_large_counts_are_read_at_a_glance(clinic: Clinic, browser: Browser) -> None:
    """A separator at every third digit."""
    items = [{"number": f"+1415555{n:04}", "by": "agent-7"} for n in range(1000)]
    clinic.post("/v1/opt-outs/batch", "agent", items=items)
    browser.opens("/admin").reads("An agent 1,000")


def test_a_page_is_kept_nowhere(browser: Browser) -> None:
    """On a shared computer, whoever goes back after a sign-out has to sign in."""
    for path in ("/admin", LIST, "/admin/blocked", "/admin/reviews"):
        assert browser.opens(path).response.headers["cache-control"] == "no-store"


def test_every_form_but_the_way_in_brings_its_page(clinic: Clinic, browser: Browser) -> None:
    """So that each of them leads back to where it was sent from."""
    clinic.opts_out(ANN)
    clinic.blocks(ANN)
    for path, actions in (
        (LIST, {f"{LIST}/opt-in", f"{LIST}/opt-out"}),
        ("/admin/blocked", {"/admin/blocked/save"}),
    ):
        forms = browser.opens(path).response.text.split("<form ")[1:]
        bringing = [each for each in forms if 'name="view"' in each]
        assert {re.findall(r'action="([^"]+)"', each)[0] for each in bringing} == actions


def test_what_the_form_does_not_offer_narrows_nothing(clinic: Clinic, browser: Browser) -> None:
    """A form can be made up; its answer is no failure."""
    clinic.hears(ANN, "stop")
    browser.sends(LIST, source="nobody", period="x").reads(SHOWN_ANN).misses("Only those")
    for text in ("\x00", "\ud800", "’; --"):
        for path in (LIST, "/admin/blocked"):
            sent = {"purpose": text, "source": text, "number_prefix": text, "to": text}
            sent = {name: value.encode("utf-8", "surrogatepass") for name, value in sent.items()}
            assert browser.sends(path, **sent).status == 422
        assert (
            browser.sends("/admin/blocked", purpose=text.encode("utf-8", "replace")).status == 200
        )
