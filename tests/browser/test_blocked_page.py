"""Staff with a browser keep the blocked list, with the mouse and without (R-B1, seed 002)."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open
from tests.browser.test_admin_pages import SHOWN_ANN, SHOWN_BEN, Admin

ADD = "form[action$=add]"


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """A practice with one number on its list."""
    clinic = open_clinic("recalls")
    clinic.blocks(BEN, "recall")
    return clinic


@pytest.fixture
def admin(chrome: Chrome, clinic: Clinic) -> Admin:
    """Signed in, and on the page."""
    return Admin(chrome, clinic).clicks("Blocked communications").reads(SHOWN_BEN)


def box(admin: Admin, label: str) -> bool:
    """Whether a box is ticked."""
    found = admin.chrome.find_element(By.CSS_SELECTOR, f"input[aria-label='{label}']")
    return found.is_selected()


def choose(admin: Admin, purpose: str) -> Admin:
    """Ticks a purpose for the number to add."""
    admin.chrome.find_element(By.CSS_SELECTOR, f"{ADD} input[value={purpose}]").click()
    return admin


def test_a_number_is_blocked_and_unblocked(clinic: Clinic, admin: Admin) -> None:
    """Seed 002: add the number, tick the box; untick it and recalls go again."""
    choose(admin.fills("number", "415 555 0131", ADD), "recall").clicks("Block number")
    admin.reads(f"Blocked for {SHOWN_ANN}: recall.")
    assert box(admin, f"Block recall for {SHOWN_ANN}")
    assert not box(admin, f"Block marketing for {SHOWN_ANN}")
    clinic.sends(ANN, "recall", manual=True).is_("refused", "purpose_blocked")
    admin.ticks(f"Block recall for {SHOWN_ANN}").ticks(f"Block marketing for {SHOWN_BEN}")
    clinic.asks(ANN, "recall").is_denied("purpose_blocked")
    admin.clicks("Save changes").reads("Blocked: 1. Unblocked: 1.").misses(SHOWN_ANN)
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    clinic.asks(BEN, "marketing").is_denied("purpose_blocked")
    assert "555" not in admin.chrome.current_url


def test_what_is_missing_is_said_where_it_is_missing(clinic: Clinic, admin: Admin) -> None:
    """The message is announced, and the keyboard is where it can be put right."""
    admin.fills("number", "415 555 0131", ADD).clicks("Block number").reads(
        "Tick at least one purpose"
    )
    focused = admin.chrome.switch_to.active_element
    assert focused.get_attribute("name") == "blocked"
    alert = admin.chrome.find_element(By.CSS_SELECTOR, "[role=alert]")
    assert focused.get_attribute("aria-describedby") == alert.get_attribute("id")
    choose(admin, "recall").clicks("Block number").reads(f"Blocked for {SHOWN_ANN}: recall.")
    choose(admin.fills("number", "nobody", ADD), "recall").clicks("Block number")
    admin.reads("This is no phone number.")
    assert admin.chrome.switch_to.active_element.get_attribute("name") == "number"


def test_a_number_is_found_by_its_first_digits(clinic: Clinic, admin: Admin) -> None:
    """With no number in the address bar."""
    clinic.blocks(ANN)
    admin.fills("number_prefix", "4155550131").clicks("Show").reads(SHOWN_ANN).misses(SHOWN_BEN)
    assert "0131" not in admin.chrome.current_url
    admin.chooses("purpose", "marketing").clicks("Show").reads("No number is blocked here.")


def names(chrome: Chrome) -> list[str]:
    """The name that a screen reader says of every field and button of the page's own."""
    found = chrome.find_elements(By.CSS_SELECTOR, "main input:not([type=hidden]), main button")
    return [each.accessible_name for each in found]


def test_the_page_is_used_with_the_keyboard_alone(clinic: Clinic, admin: Admin) -> None:
    """Every field has a name of its own, and is reached and worked without a mouse."""
    spoken = names(admin.chrome)
    assert all(spoken)
    assert len(set(spoken)) == len(spoken)
    field = admin.chrome.find_element(By.CSS_SELECTOR, f"{ADD} [name=number]")
    field.send_keys("4155550131", Keys.TAB)
    for _ in range(2):
        admin.chrome.switch_to.active_element.send_keys(Keys.TAB)
    purpose = admin.chrome.switch_to.active_element
    assert purpose.accessible_name == "Recall"
    purpose.send_keys(Keys.SPACE, Keys.ENTER)
    admin.reads(f"Blocked for {SHOWN_ANN}: recall.")
    table = admin.chrome.find_element(By.TAG_NAME, "table")
    assert table.accessible_name == "Blocked numbers"
    for _ in range(40):
        admin.chrome.switch_to.active_element.send_keys(Keys.TAB)
        if admin.chrome.switch_to.active_element.accessible_name == f"Block recall for {SHOWN_BEN}":
            break
    admin.chrome.switch_to.active_element.send_keys(Keys.SPACE, Keys.ENTER)
    admin.reads("Unblocked: 1.").misses(SHOWN_BEN)
    clinic.asks(BEN, "recall").is_allowed("no_consent_needed")


def test_it_fits_a_narrow_screen(admin: Admin) -> None:
    """Nothing of the page but the table's own box is wider than a phone."""
    size = admin.chrome.get_window_size()
    try:
        admin.chrome.set_window_size(520, 900)
        widest = "return document.documentElement.scrollWidth <= window.innerWidth"
        assert admin.chrome.execute_script(widest)
    finally:
        admin.chrome.set_window_size(size["width"], size["height"])
