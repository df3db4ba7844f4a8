"""A button that is pressed twice: the form counts once, and both clicks lead to the same words."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.admin_browser import Browser
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open

LIST = "/admin/opt-outs"
BLOCKED = "/admin/blocked"
REVIEWS = "/admin/reviews"

Sent = tuple[str, dict[str, object]]
"""Where a form goes, and its fields."""


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account of the preset that the report comes from."""
    return open_clinic("opt-out")


def fields_of(browser: Browser, action: str) -> dict[str, object]:
    """The hidden fields of one form of the page, as the browser sends them."""
    form = browser.response.text.partition(f'action="{action}"')[2].partition("</form>")[0]
    found: dict[str, object] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        again = found.get(name, [])
        assert isinstance(again, list)
        found[name] = [*again, value]
    return found


def opting_out(clinic: Clinic, browser: Browser) -> Sent:
    """The second question before an opt-out."""
    browser.sends(f"{LIST}/opt-out", number=ANN, reason="asked at the desk")
    path = f"{LIST}/opt-out/confirmed"
    return path, fields_of(browser, path)


def opting_in(clinic: Clinic, browser: Browser) -> Sent:
    """The second question before two opt-ins, one of which is refused by then."""
    for number in (ANN, BEN):
        clinic.opts_out(number)
    browser.sends(f"{LIST}/opt-in", number_id=browser.opens(LIST).ticks())
    clinic.hears(BEN, "stop")
    path = f"{LIST}/opt-in/confirmed"
    return path, {**fields_of(browser, path), "reason": "by mistake"}


def blocking(clinic: Clinic, browser: Browser) -> Sent:
    """Two purposes ticked for a number."""
    path = f"{BLOCKED}/add"
    fields = fields_of(browser.opens(BLOCKED), path)
    return path, {**fields, "number": ANN, "blocked": ["recall", "marketing"]}


def saving(clinic: Clinic, browser: Browser) -> Sent:
    """One box of the list unticked and one ticked."""
    clinic.blocks(ANN)
    clinic.blocks(BEN)
    path = f"{BLOCKED}/save"
    fields = fields_of(browser.opens(BLOCKED), path)
    ticked = [f"{clinic.number_id(BEN)} {purpose}" for purpose in ("recall", "marketing")]
    return path, {**fields, "box": ticked}


def judging(clinic: Clinic, browser: Browser) -> Sent:
    """A verdict on words that may be a wish to end texts."""
    clinic.hears(ANN, "take me off your list")
    return REVIEWS, {**fields_of(browser.opens(REVIEWS), REVIEWS), "verdict": "revoked"}


Form = Callable[[Clinic, Browser], Sent]
FORMS = ((opting_out, 1), (opting_in, 1), (blocking, 2), (saving, 2), (judging, 1))
"""Each with the facts that it stands for."""
CLICKS = 8


def facts(clinic: Clinic) -> int:
    """How many facts the account has on its numbers."""
    asked = "SELECT count(*) FROM events WHERE account_id = %s"
    row = clinic.service.database.execute(asked, (clinic.account_id,)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(("form", "counts"), FORMS)
def test_a_form_sent_twice_counts_once(
    clinic: Clinic, browser: Browser, form: Form, counts: int
) -> None:
    """R-O1 for people: one fact for each thing asked for, and the page says the same again."""
    path, fields = form(clinic, browser)
    before = facts(clinic)
    said = browser.sends(path, **fields).text
    assert 'role="status"' in browser.response.text
    assert browser.sends(path, **fields).text == said
    assert facts(clinic) == before + counts


@pytest.mark.parametrize(("form", "counts"), FORMS)
def test_clicks_at_once_count_once(
    clinic: Clinic, browser: Browser, form: Form, counts: int
) -> None:
    """The browser shows the answer to the last alone, which may come in beside the first."""
    path, fields = form(clinic, browser)
    before = facts(clinic)

    def click(_: int) -> str:
        answer = browser.http.post(path, data=fields)
        (said,) = re.findall(r'role="status">([^<]+)<', answer.text)
        return str(said)

    with ThreadPoolExecutor(CLICKS) as clicks:
        assert len(set(clicks.map(click, range(CLICKS)))) == 1
    assert facts(clinic) == before + counts


@pytest.mark.parametrize(("form", "counts"), FORMS)
def test_each_showing_of_a_form_is_another(
    clinic: Clinic, browser: Browser, form: Form, counts: int
) -> None:
    """Who asks for the same once more means it."""
    path, _ = form(clinic, browser)
    shown = fields_of(browser, path)["once"]
    assert shown
    assert fields_of(browser.opens(browser.address), path)["once"] != shown


def test_an_opt_out_of_a_page_that_was_kept_counts_where_it_was_undone(
    clinic: Clinic, browser: Browser
) -> None:
    """The page says that no text goes any more: then none may."""
    path, fields = opting_out(clinic, browser)
    browser.sends(path, **fields)
    clinic.opts_in(ANN)
    browser.sends(path, **fields).reads("Opted out:")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_agent")
    path, fields = blocking(clinic, browser)
    browser.sends(path, **fields)
    clinic.blocks(ANN, blocked=False)
    clinic.opts_in(ANN)
    browser.sends(path, **fields).reads("Blocked for")
    clinic.asks(ANN, "recall").is_denied("purpose_blocked")


def test_an_opt_in_of_a_page_that_was_kept_opens_nothing(clinic: Clinic, browser: Browser) -> None:
    """Whoever was opted out since stays so: an hour later nobody meant that."""
    clinic.opts_out(ANN)
    path = f"{LIST}/opt-in/confirmed"
    browser.sends(f"{LIST}/opt-in", number_id=browser.opens(LIST).ticks())
    fields = {**fields_of(browser, path), "reason": "by mistake"}
    browser.sends(path, **fields)
    clinic.opts_out(ANN)
    with clinic.unchanged():
        browser.sends(path, **fields)
    clinic.asks(ANN, "recall").is_denied("opted_out_by_agent")


def test_other_words_in_the_same_form_are_another_form(clinic: Clinic, browser: Browser) -> None:
    """Whoever goes back to a page that the browser kept, and fills in another number, means it."""
    path, fields = blocking(clinic, browser)
    browser.sends(path, **fields)
    browser.sends(path, **fields | {"number": BEN}).reads("Blocked for")
    clinic.asks(BEN, "recall").is_denied("purpose_blocked")
    browser.sends(path, **fields | {"number": CARA, "once": "x" * 100}).reads("Blocked for")
