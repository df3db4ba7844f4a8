"""The page “Blocked communications” as a browser without scripts uses it (R-B1, seed 002)."""

import re

import pytest

from tests.api.admin_browser import SHOWN_ANN, SHOWN_BEN, Browser
from tests.api.answer import Json
from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open

PAGE = "/admin/blocked"
ADD = "/admin/blocked/add"
SAVE = "/admin/blocked/save"


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account of the preset that the list comes from."""
    return open_clinic("recalls")


def form(browser: Browser) -> Json:
    """The list's form as the browser would send it: what it was, and every ticked box."""
    text = browser.response.text.partition(f'action="{SAVE}"')[2].partition("</form>")[0]
    return {
        "was": re.findall(r'name="was" value="([^"]+)"', text),
        "box": re.findall(r'name="box" value="([^"]+)" checked', text),
        "view": re.findall(r'name="view" value="([^"]+)"', text),
    }


def test_a_number_is_added_with_the_purposes_that_are_ticked(
    clinic: Clinic, browser: Browser
) -> None:
    """R-B1: by hand and automated, texts of these purposes are refused from then on."""
    browser.opens("/admin").reads("Blocked communications")
    assert f'href="{PAGE}"' in browser.response.text
    browser.opens(PAGE).reads("No number is blocked here.")
    browser.sends(ADD, number="(415) 555-0131", blocked=["recall", "marketing"])
    browser.reads(f"Blocked for {SHOWN_ANN}: recall, marketing.", "since")
    for more in ({}, {"manual": True, "confirmed": True}):
        clinic.sends(ANN, "recall", **more).is_("refused", "purpose_blocked")
    clinic.asks(ANN, "marketing").is_denied("purpose_blocked")
    clinic.asks(ANN, "appointment_reminder").is_allowed("no_consent_needed")
    event = clinic.history(ANN)[0]
    assert (event["type"], event["channel"]) == ("PurposeBlocked", "web")
    assert event["actor"]["kind"] == "admin"


def test_each_number_has_a_box_for_each_purpose_of_the_policy(
    clinic: Clinic, browser: Browser
) -> None:
    """R-B1: purposes of the account's own, too; each box names its purpose and number."""
    clinic.adopts("recalls", changes={"purposes": {"test_result": {}}})
    clinic.blocks(ANN)
    browser.opens(PAGE).reads("Test result", "Appointment reminder")
    boxes = re.findall(r'name="box" value="[^ ]+ (\w+)"([^>]*)>', browser.response.text)
    assert {purpose for purpose, _ in boxes} == {
        *("conversation", "appointment_reminder", "recall", "marketing", "test_result")
    }
    assert [purpose for purpose, rest in boxes if "checked" in rest] == ["recall"]
    assert all(f"for {SHOWN_ANN}" in rest and "aria-label=" in rest for _, rest in boxes)


def test_boxes_that_were_touched_are_saved(clinic: Clinic, browser: Browser) -> None:
    """R-B1: unticking restores; ticking blocks; several at once."""
    clinic.blocks(ANN, "recall")
    clinic.blocks(BEN, "recall")
    sent = form(browser.opens(PAGE))
    ann, ben = f"{clinic.number_id(ANN)} recall", f"{clinic.number_id(BEN)} marketing"
    boxes = [box for box in sent["box"] if box != ann]
    browser.sends(SAVE, was=sent["was"], box=[*boxes, ben])
    browser.reads("Saved. Blocked: 1. Unblocked: 1.", SHOWN_BEN).misses(SHOWN_ANN)
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    for purpose in ("recall", "marketing"):
        clinic.asks(BEN, purpose).is_denied("purpose_blocked")
    before = clinic.facts(BEN)
    browser.sends(SAVE, **form(browser)).reads("Saved. Blocked: 0. Unblocked: 0.")
    assert clinic.facts(BEN) == before


def test_a_box_that_nobody_touched_stays_as_others_left_it(
    clinic: Clinic, browser: Browser
) -> None:
    """A page that was opened an hour ago undoes nothing of the hour."""
    clinic.blocks(ANN, "recall")
    clinic.blocks(BEN, "recall")
    sent = form(browser.opens(PAGE))
    clinic.blocks(ANN, "recall", blocked=False)
    clinic.blocks(BEN, "marketing")
    browser.sends(SAVE, was=sent["was"], box=[])
    browser.reads("Unblocked: 1.")
    assert clinic.facts(ANN) == ["PurposeBlocked", "PurposeUnblocked"]
    assert clinic.looks_up(BEN)["blocked_purposes"] == ["marketing"]


@pytest.mark.parametrize(
    ("number", "ticked", "said"),
    [
        ("nobody", ["recall"], "This is no phone number."),
        ("", ["recall"], "This is no phone number."),
        ("4155550131", [], "Tick at least one purpose to block."),
        ("4155550131", ["no_such_purpose"], "Tick at least one purpose to block."),
    ],
)
def test_what_cannot_be_blocked_is_said_plainly(
    clinic: Clinic, browser: Browser, number: str, ticked: list[str], said: str
) -> None:
    """And nothing is recorded; what was filled in is still there."""
    with clinic.unchanged():
        browser.sends(ADD, number=number, blocked=ticked).reads(said)
    assert browser.status == 422
    (filled,) = re.findall(r'name="number" [^>]*value="([^"]*)"', browser.response.text)
    assert filled == number
    assert ('value="recall" checked' in browser.response.text) == ("recall" in ticked)


def test_a_number_is_found_by_purpose_and_first_digits(clinic: Clinic, browser: Browser) -> None:
    """R-V3's digits; by POST, so that no address holds one."""
    clinic.blocks(ANN, "recall")
    clinic.blocks(BEN, "marketing")
    browser.sends(PAGE, purpose="recall").reads(SHOWN_ANN).misses(SHOWN_BEN)
    browser.sends(PAGE, number_prefix="415-555 0132").reads(SHOWN_BEN).misses(SHOWN_ANN)
    browser.sends(PAGE, number_prefix="41").reads("at least 3 digits")
    assert browser.status == 422
    sent = form(browser.sends(PAGE, purpose="recall"))
    browser.sends(SAVE, **sent | {"box": []}).reads("No number is blocked", "Unblocked: 1.")
    browser.misses(SHOWN_BEN)


def test_pages_follow_each_other(clinic: Clinic, browser: Browser) -> None:
    """Each number once, whichever was saved in between."""
    numbers = [f"+1415555{n:04}" for n in range(70)]
    for number in numbers:
        clinic.blocks(number)
    seen = form(browser.opens(PAGE))["was"]
    second = form(browser.follows("Next page").reads("First page").misses("Next page"))
    browser.sends(SAVE, **second | {"box": second["box"][1:]}).reads("Unblocked: 1.")
    assert form(browser)["was"] == second["was"][1:]
    seen += second["was"]
    assert len(seen) == len(set(seen)) == 70


def test_a_purpose_that_the_policy_no_longer_has_can_be_unticked(
    clinic: Clinic, browser: Browser
) -> None:
    """R-B1: unticking restores, whatever became of the purpose; other boxes stay as they are."""
    clinic.adopts("recalls", changes={"purposes": {"test_result": {}}})
    clinic.blocks(ANN, "test_result")
    clinic.blocks(ANN, "recall")
    old = form(browser.opens(PAGE))
    clinic.adopts("recalls")
    sent = form(browser.opens(PAGE))
    browser.reads(SHOWN_ANN, "test result, which the policy no longer has")
    assert set(sent["box"]) == {f"{clinic.number_id(ANN)} {p}" for p in ("test_result", "recall")}
    with clinic.unchanged():
        browser.sends(SAVE, **sent).reads("Blocked: 0. Unblocked: 0.")
    kept = [box for box in sent["box"] if "test_result" not in box]
    browser.sends(SAVE, was=sent["was"], box=kept).reads("Blocked: 0. Unblocked: 1.")
    browser.misses("no longer has")
    assert clinic.looks_up(ANN)["blocked_purposes"] == ["recall"]
    with clinic.unchanged():
        browser.sends(SAVE, was=form(browser)["was"], box=old["box"]).reads("Blocked: 0.")


def test_an_erased_person_is_there_without_number(clinic: Clinic, browser: Browser) -> None:
    """Section 9: and can be unblocked all the same."""
    clinic.blocks(ANN)
    clinic.post(f"/v1/numbers/{clinic.number_id(ANN)}/erase")
    browser.opens(PAGE).reads("erased").misses(SHOWN_ANN)
    browser.sends(SAVE, was=form(browser)["was"], box=[]).reads("Unblocked: 1.")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")


def test_another_accounts_numbers_are_out_of_reach(
    clinic: Clinic, browser: Browser, open_clinic: Open
) -> None:
    """Rulebook section 1: nothing crosses; an id of another's does nothing."""
    other = open_clinic("recalls")
    other.blocks(ANN)
    browser.opens(PAGE).misses(SHOWN_ANN)
    number_id = other.number_id(ANN)
    with other.unchanged(), clinic.unchanged():
        browser.sends(SAVE, was=[f"{number_id} recall"], box=[f"{number_id} marketing"])
    browser.reads("Blocked: 0. Unblocked: 0.")
    other.asks(ANN, "recall").is_denied("purpose_blocked")


@pytest.mark.parametrize("field", ["x", "x recall", f"{'0' * 36} recall", "' OR 1=1 --"])
def test_a_form_that_was_made_up_does_nothing(clinic: Clinic, browser: Browser, field: str) -> None:
    """Whatever is in it, the answer is no failure."""
    with clinic.unchanged():
        assert browser.sends(SAVE, was=[field], box=[field]).status == 422


def test_a_form_of_another_site_does_nothing(clinic: Clinic, browser: Browser) -> None:
    """The browser says where a form comes from; ours come from here."""
    foreign = {"Sec-Fetch-Site": "cross-site"}
    clinic.blocks(BEN)
    for path, fields in (
        (ADD, {"number": ANN, "blocked": ["recall"]}),
        (SAVE, {"was": [f"{clinic.number_id(BEN)} recall"]}),
    ):
        with clinic.unchanged():
            assert browser.sends(path, foreign, **fields).status == 403
