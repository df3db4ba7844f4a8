"""Going back, reloading, signing out; a phone, the dark, and paper."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.api.clinic import ANN, BEN, Clinic
from tests.api.conftest import Open
from tests.browser.test_admin_pages import SHOWN_ANN, SHOWN_BEN, Admin

PAGES = ("/admin", "/admin/opt-outs", "/admin/blocked", "/admin/reviews")
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
DARKEST = 60
"""Of 255, the brightness up to which a ground is dark."""


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account with something on each page."""
    clinic = open_clinic("opt-out")
    clinic.hears(ANN, "stop")
    clinic.opts_out(BEN, reason="wrong person, as the new holder of this line told us at length")
    clinic.blocks(BEN, "recall")
    clinic.hears("+14155550133", "take me off your list")
    return clinic


@pytest.fixture
def admin(chrome: Chrome, clinic: Clinic) -> Iterator[Admin]:
    """Signed in; what was emulated is over afterwards."""
    yield Admin(chrome, clinic)
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def opens(admin: Admin, path: str) -> Admin:
    """Goes to a page by its address."""
    base = admin.chrome.current_url.partition("/admin")[0]
    admin.chrome.get(base + path)
    return admin


def goes_back(admin: Admin) -> Admin:
    """The browser's own button."""
    admin.chrome.back()
    return admin


def is_shown(admin: Admin, css: str) -> list[bool]:
    """Of all elements of a kind, whether they can be seen."""
    script = "return arguments[0].getClientRects().length > 0"
    found = admin.chrome.find_elements(By.CSS_SELECTOR, css)
    return [admin.chrome.execute_script(script, each) for each in found]


def test_going_back_shows_what_was_there(admin: Admin) -> None:
    """R-V3: through narrowed pages, a question and its answer, without an error in between."""
    admin.clicks("See the numbers").chooses("source", "an agent").clicks("Show").misses(SHOWN_ANN)
    admin.fills("number_prefix", "4155550131").clicks("Show").reads("No number is opted out here.")
    goes_back(admin).reads(SHOWN_BEN).misses(SHOWN_ANN)
    admin.ticks(f"Opt in {SHOWN_BEN}").clicks("Opt in the ticked").reads("Opt in 1 number?")
    goes_back(admin).reads(SHOWN_BEN).misses(SHOWN_ANN)
    goes_back(admin).reads(SHOWN_BEN, SHOWN_ANN)
    admin.chrome.forward()
    admin.reads(SHOWN_BEN).misses(SHOWN_ANN)


def test_to_reload_records_nothing(clinic: Clinic, admin: Admin) -> None:
    """R-V5: the number that somebody else opted in meanwhile stays in."""
    admin.clicks("See the numbers").fills("number", "4155550134", "form[action$=opt-out]")
    admin.clicks("Opt out…").clicks("Opt out").reads("Opted out: +1 415-555-0134.")
    clinic.post("/v1/opt-ins", number="+14155550134", by="admin-2", reason="a mistake")
    with clinic.unchanged():
        admin.chrome.refresh()
        admin.reads("Opted-out numbers")
    clinic.asks("+14155550134", "recall").is_allowed("no_consent_needed")


@pytest.mark.parametrize("path", PAGES[1:])
def test_who_goes_back_after_a_sign_out_sees_no_number(admin: Admin, path: str) -> None:
    """The next one at the same computer is asked to sign in."""
    for each in (path, "/admin", path):
        opens(admin, each)
    admin.reads("+1 415-555-013").clicks("Sign out").reads("A key of an admin")
    for _ in range(4):
        goes_back(admin).reads("A key of an admin").misses("+1 415", "Waiting")


def test_a_sign_in_leads_to_the_page_that_was_opened(clinic: Clinic, admin: Admin) -> None:
    """A bookmark of the report opens the report."""
    admin.chrome.delete_all_cookies()
    opens(admin, "/admin/opt-outs").reads("A key of an admin")
    admin.fills("key", clinic.keys["admin"]).clicks("Sign in").reads(SHOWN_ANN)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(admin: Admin, path: str) -> None:
    """R-V4: wide tables scroll in a box of their own, and the boxes to tick are in sight."""
    admin.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    opens(admin, path)
    assert admin.chrome.execute_script("return document.documentElement.scrollWidth") <= 390
    # Asked of the page itself: the browser would wait for boxes where a page has none.
    ends: list[float] = admin.chrome.execute_script(
        "return [...document.querySelectorAll('td.pick input')]"
        ".map(box => box.getBoundingClientRect().right)"
    )
    assert all(end <= 390 for end in ends)


@pytest.mark.parametrize("path", PAGES[1:])
def test_in_the_dark_fields_are_dark_too(admin: Admin, path: str) -> None:
    """White fields would be all that one sees."""
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    admin.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    opens(admin, path)
    fields = admin.chrome.find_elements(By.CSS_SELECTOR, "main select, main input, main button")
    grounds = [each.value_of_css_property("background-color") for each in fields]
    assert grounds
    for ground in grounds:
        red, green, blue, *alpha = map(float, ground.partition("(")[2].rstrip(")").split(","))
        assert max(red, green, blue) * (alpha[0] if alpha else 1) <= 2 * DARKEST, ground


@pytest.mark.parametrize("path", PAGES)
def test_on_paper_is_what_can_be_read(admin: Admin, path: str) -> None:
    """Numbers, times and words; nothing to click on, and nothing to fill in."""
    opens(admin, path)
    before = is_shown(admin, "nav, button")
    assert any(before)
    admin.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not any(is_shown(admin, "nav, button, select, input[name=number], td.pick input"))
    words = {
        "/admin": "An agent",
        "/admin/opt-outs": SHOWN_BEN,
        "/admin/blocked": SHOWN_BEN,
        "/admin/reviews": "take me off your list",
    }
    assert words[path] in admin.chrome.find_element(By.TAG_NAME, "main").text


def test_paper_says_what_it_was_narrowed_to(admin: Admin) -> None:
    """R-V3: a list of some numbers is never taken for the list of all."""
    admin.clicks("See the numbers").chooses("source", "an agent").clicks("Show").reads(SHOWN_BEN)
    admin.misses("Only those opted out by an agent.")
    admin.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = admin.chrome.find_element(By.TAG_NAME, "main").text
    assert "Only those opted out by an agent." in shown
