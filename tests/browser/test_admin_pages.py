"""An admin with a browser: signs in, finds a number, and decides (R-V3 to R-V5, R-F10)."""

import pytest
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open

SECONDS = 20
"""A page that takes longer does not come."""
LOOK_SECONDS = 0.02
"""How often it is looked for; Selenium's own half a second is longer than a page takes."""
SHOWN_ANN = "+1 415-555-0131"
SHOWN_BEN = "+1 415-555-0132"


def is_gone(page: WebElement) -> bool:
    """Whether another page has come; in between the driver may find the element and no page."""
    try:
        page.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        if "does not belong to the document" in str(error.msg):
            return True
        raise
    return False


class Admin:
    """What a person does on a page: reads it, clicks, fills in."""

    def __init__(self, chrome: Chrome, clinic: Clinic) -> None:
        self.chrome = chrome
        # Of the test before, which was at another page: to go there first would be another page.
        chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        chrome.get(f"{clinic.service.base_url}/admin")
        self.fills("key", clinic.keys["admin"]).clicks("Sign in").reads("Opted out")

    def fills(self, name: str, text: str, form: str = "form") -> "Admin":
        """Types into a field."""
        field = self.chrome.find_element(By.CSS_SELECTOR, f"main {form} [name={name}]")
        field.clear()
        field.send_keys(text)
        return self

    def chooses(self, name: str, shown: str) -> "Admin":
        """Chooses from a list."""
        found = self.chrome.find_element(By.CSS_SELECTOR, f"main select[name={name}]")
        Select(found).select_by_visible_text(shown)
        return self

    def clicks(self, words: str) -> "Admin":
        """Clicks a button or a link, and waits for the page it leads to."""
        before = self.chrome.find_element(By.TAG_NAME, "html")
        found = f"//*[self::a or self::button][contains(., '{words}')]"
        self.chrome.find_element(By.XPATH, found).click()
        wait = WebDriverWait(self.chrome, SECONDS, LOOK_SECONDS)
        wait.until(lambda _: is_gone(before))
        wait.until(lambda chrome: chrome.execute_script("return document.readyState") == "complete")
        return self

    def ticks(self, label: str) -> "Admin":
        """Scrolls to a box, as the bar below may lie over it, and ticks or unticks it."""
        box = self.chrome.find_element(By.CSS_SELECTOR, f"input[aria-label='{label}']")
        self.chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
        box.click()
        return self

    def reads(self, *words: str) -> "Admin":
        """All of this can be seen."""
        for each in words:
            assert self.chrome.find_elements(By.XPATH, f"//body[contains(., '{each}')]"), each
        return self

    def misses(self, *words: str) -> "Admin":
        """None of this can be seen."""
        text = self.chrome.find_element(By.TAG_NAME, "main").text
        assert not [each for each in words if each in text], text
        return self


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account with one number of each kind."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "stop")
    clinic.opts_out(BEN, reason="wrong person")
    return clinic


@pytest.fixture
def admin(chrome: Chrome, clinic: Clinic) -> Admin:
    """Signed in."""
    return Admin(chrome, clinic)


def test_an_admin_opts_in_what_an_agent_opted_out(clinic: Clinic, admin: Admin) -> None:
    """R-V3, R-V4: found with one click, asked once more, done."""
    admin.clicks("Opted-out numbers").reads(SHOWN_ANN, SHOWN_BEN, "by START only")
    admin.chooses("source", "an agent").clicks("Show").reads(SHOWN_BEN).misses(SHOWN_ANN)
    admin.ticks(f"Opt in {SHOWN_BEN}").clicks("Opt in the ticked").reads("Opt in 1 number?")
    clinic.asks(BEN, "recall").is_denied("opted_out_by_agent")
    admin.fills("reason", "by mistake").clicks("Opt in").reads("Opted in: 1.").misses(SHOWN_BEN)
    clinic.asks(BEN, "recall").is_allowed("no_consent_needed")


def test_an_opt_out_is_confirmed_in_the_page(clinic: Clinic, admin: Admin) -> None:
    """R-V5: an opt-out asks for confirmation, and can be left alone."""
    form = "form[action$=opt-out]"
    admin.clicks("See the numbers").fills("number", "415 555 0133", form).clicks("Opt out…")
    admin.reads("Opt out +1 415-555-0133?").clicks("Cancel").misses("+1 415-555-0133")
    admin.fills("number", "415 555 0133", form).clicks("Opt out…").reads("Opt out +1 415-555-0133?")
    admin.clicks("Opt out").reads("Opted out: +1 415-555-0133.")
    clinic.asks("+14155550133", "recall").is_denied("opted_out_by_agent")


def test_a_number_is_found_by_its_first_digits(admin: Admin) -> None:
    """R-V3: three digits at least, and no number in the address bar."""
    admin.clicks("See the numbers").fills("number_prefix", "4155550131").clicks("Show")
    admin.reads(SHOWN_ANN).misses(SHOWN_BEN)
    assert "0131" not in admin.chrome.current_url
    admin.fills("number_prefix", "41").clicks("Show").reads("at least 3 digits")


def test_a_reply_is_judged(clinic: Clinic, admin: Admin) -> None:
    """R-K4, R-F10: the words, and two answers that say what they do."""
    clinic.hears(ANN, "start")
    clinic.hears(ANN, "take me off your list")
    admin.clicks("Replies to read").reads("take me off your list", SHOWN_ANN)
    admin.clicks("They want no more texts").reads("Nothing waits.")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")


def test_a_text_from_an_unreadable_sender_is_filed_away(clinic: Clinic, admin: Admin) -> None:
    """Section 9: it is kept for a person, who says when it is done."""
    clinic.hears("REWARDS", "lose my number")
    admin.clicks("Replies to read").reads("lose my number", "REWARDS")
    admin.clicks("Done").reads("Nothing waits.").misses("REWARDS")
    assert clinic.get("/v1/reviews/unreadable-senders")["items"] == []
