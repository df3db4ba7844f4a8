"""Who gets to the admin's pages: sessions, how they end, and where a sign-in leads."""

import time
from collections.abc import Iterator

import pytest

from api.admin_access import COOKIE, PURPOSE
from tests.api.admin_browser import SHOWN_ANN, Browser
from tests.api.clinic import ANN, Clinic
from tests.api.conftest import Open


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account of the preset that the report comes from."""
    return open_clinic("opt-out")


PATHS = ["/admin", "/admin/opt-outs", "/admin/blocked", "/admin/reviews"]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_a_page_who_has_not_signed_in(clinic: Clinic, path: str) -> None:
    """Section 9: numbers are shown to an admin of the account alone."""
    clinic.hears(ANN, "stop")
    clinic.blocks(ANN)
    stranger = Browser(clinic)
    stranger.opens(path).reads("A key of an admin").misses(SHOWN_ANN)
    stranger.signs_in("auditor").reads("This is no admin's key.")
    assert stranger.status == 403
    stranger.http.close()


@pytest.mark.parametrize(("seconds", "shown"), [(60, "Opted out"), (-1, "A key of an admin")])
def test_a_session_ends_with_its_time(clinic: Clinic, seconds: int, shown: str) -> None:
    """However well its cookie is signed: a browser may keep it longer than a working day."""
    browser = Browser(clinic)
    with browser.http:
        browser.http.cookies[COOKIE] = signed(clinic, int(time.time()) + seconds)
        browser.opens("/admin/opt-outs").reads(shown)


def test_a_form_that_comes_after_the_session_says_that_nothing_was_done(
    clinic: Clinic, browser: Browser
) -> None:
    """R-V5: nobody goes away in the belief that the number is opted out."""
    browser.http.cookies.clear()
    browser.sends("/admin/opt-outs/opt-out/confirmed", number=ANN)
    browser.reads("Your session has ended. Nothing was done")
    assert browser.status == 403
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    browser.opens("/admin/opt-outs").misses("Nothing was done")


def test_a_session_is_for_a_working_day(clinic: Clinic, browser: Browser) -> None:
    """Its end is in the cookie, under the signature."""
    cookie = browser.http.cookies[COOKIE]
    ends = int(cookie.split(".")[2])
    assert abs(ends - time.time() - 8 * 60 * 60) < 60
    browser.http.cookies.clear()
    browser.http.cookies[COOKIE] = cookie.replace(f".{ends}.", f".{ends + 60}.")
    browser.opens("/admin/opt-outs").reads("A key of an admin")


def signed(clinic: Clinic, ends: int) -> str:
    """The cookie of a session that ends at a second, as the service signs it."""
    (key_id,) = [k["key_id"] for k in clinic.get("/v1/keys")["items"] if k["role"] == "admin"]
    text = f"{clinic.account_id.hex}.{key_id}.{ends}"
    return f"{text}.{clinic.service.keyring.digest(PURPOSE, text.encode()).hex()}"


def test_who_signs_out_is_out_and_a_revoked_key_too(clinic: Clinic, browser: Browser) -> None:
    """A session ends with its key."""
    browser.sends("/admin/sign-out").reads("A key of an admin")
    browser.signs_in().reads("Opted out")
    for key in clinic.get("/v1/keys")["items"]:
        if key["role"] == "admin":
            clinic.call("DELETE", f"/v1/keys/{key['key_id']}")
    browser.opens("/admin/opt-outs").reads("The key of this session was revoked.")


@pytest.fixture
def stranger(clinic: Clinic) -> Iterator[Browser]:
    """Somebody with a browser and nothing else."""
    found = Browser(clinic)
    yield found
    found.http.close()


def sign_in(browser: Browser, **fields: str) -> Browser:
    """Fills in the key on the page that is open, with what the page adds to it."""
    return browser.sends(
        "/admin", **browser.hidden() | {"key": browser.clinic.keys["admin"]} | fields
    )


def test_the_printed_address_leads_to_the_pages(stranger: Browser) -> None:
    """Whoever opens it in a browser finds the way in, and no error for programs."""
    stranger.opens("/").reads("A key of an admin")
    assert stranger.address == "/admin"


@pytest.mark.parametrize("path", PATHS)
def test_a_sign_in_leads_to_the_page_that_was_wanted(stranger: Browser, path: str) -> None:
    """Also after a key that was not one."""
    stranger.opens(path)
    sign_in(stranger, key="clk_x").reads("This is no admin's key.")
    assert sign_in(stranger).address == path


def test_a_sign_in_leads_back_to_what_was_looked_for(clinic: Clinic, browser: Browser) -> None:
    """The filters are in the address, and a session ends at any time."""
    clinic.hears(ANN, "stop")
    wanted = browser.sends("/admin/opt-outs", number_prefix="4155550131").address
    browser.http.cookies.clear()
    browser.opens(wanted).reads("A key of an admin")
    assert sign_in(browser).reads(SHOWN_ANN).address == wanted
    browser.http.cookies.clear()
    browser.sends("/admin/opt-outs/opt-out/confirmed", number=ANN)
    assert sign_in(browser).address == "/admin/opt-outs"


@pytest.mark.parametrize(
    "place",
    [
        *("https://example.com/", "//example.com", "/\\example.com", "/adminx", "/docs", ""),
        *("/admin/../docs", "/admin?token=x", "/admin\r\nX: y", "/admin//example.com", "/admin@x"),
    ],
)
def test_a_sign_in_leads_nowhere_else(stranger: Browser, place: str) -> None:
    """A link to the way in may be anybody's; where it leads is not."""
    stranger.opens("/admin")
    assert sign_in(stranger, place=place).reads("Opted out").address == "/admin"


def test_who_signs_out_too_late_is_out(browser: Browser) -> None:
    """There is nothing to sign in for, and nothing to send again."""
    browser.http.cookies.clear()
    browser.sends("/admin/sign-out").reads("A key of an admin").misses("Nothing was done")
    browser.signs_in().sends("/admin/sign-out", {"Sec-Fetch-Site": "cross-site"})
    browser.reads("Another site sent this form.").opens("/admin").reads("Opted out")


def test_a_sign_out_clears_what_is_kept_for_going_back(browser: Browser) -> None:
    """Pages that are out of every cache may still be kept whole, as they were."""
    answer = browser.http.post("/admin/sign-out", follow_redirects=False)
    assert answer.headers["clear-site-data"] == '"cache"'
