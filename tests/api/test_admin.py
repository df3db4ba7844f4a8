"""The admin's pages as a browser without scripts uses them: forms, and what they do."""

import csv
import io
import time

import pytest

from tests.api.admin_browser import SHOWN_ANN, SHOWN_BEN, Browser
from tests.api.clinic import ANN, BEN, CARA, Clinic, ago
from tests.api.conftest import Open


@pytest.fixture
def clinic(open_clinic: Open) -> Clinic:
    """An account of the preset that the report comes from."""
    return open_clinic("opt-out")


def test_the_report_is_one_click_away(clinic: Clinic, browser: Browser) -> None:
    """R-V3: every opted-out number with its source; the overview leads there."""
    clinic.hears(ANN, "stop")
    clinic.opts_out(BEN, reason="asked at <the> desk")
    browser.opens("/admin").reads("Opted out", "The contact 1", "An agent 1")
    assert 'href="/admin/opt-outs"' in browser.response.text
    browser.opens("/admin/opt-outs").reads(SHOWN_ANN, SHOWN_BEN, "asked at <the> desk", "agent-7")
    assert "<the>" not in browser.response.text
    assert browser.ticks() == [str(clinic.number_id(BEN))]


def test_the_report_is_narrowed_by_source_time_and_digits(clinic: Clinic, browser: Browser) -> None:
    """R-V3: the filters, and too few digits are a clear error."""
    clinic.hears(ANN, "stop", received_at=ago(days=20))
    clinic.opts_out(BEN)
    browser.sends("/admin/opt-outs", source="agent").reads(SHOWN_BEN).misses(SHOWN_ANN)
    browser.sends("/admin/opt-outs", period="7").reads(SHOWN_BEN).misses(SHOWN_ANN)
    browser.sends("/admin/opt-outs", period="30").reads(SHOWN_BEN, SHOWN_ANN)
    day = ago(days=20)[:10]
    fields = {"from": day, "to": day}
    browser.sends("/admin/opt-outs", **fields).reads(SHOWN_ANN).misses(SHOWN_BEN)
    browser.sends("/admin/opt-outs", number_prefix="415-555 0131").reads(SHOWN_ANN)
    browser.misses(SHOWN_BEN)
    browser.sends("/admin/opt-outs", number_prefix="41").reads("at least 3 digits")
    browser.sends("/admin/opt-outs", **{"from": "2026-02-30"}).reads("A day is written like")
    assert browser.status == 422


def test_only_what_an_agent_recorded_is_opted_in(clinic: Clinic, browser: Browser) -> None:
    """R-V4: asked once more, several at once, and never against what the contact said."""
    clinic.hears(ANN, "stop")
    clinic.opts_out(BEN)
    clinic.opts_out(CARA)
    ids = [str(clinic.number_id(number)) for number in (ANN, BEN, CARA)]
    browser.sends("/admin/opt-outs/opt-in", number_id=ids).reads("Opt in 2 numbers?", SHOWN_BEN)
    clinic.asks(BEN, "recall").is_denied("opted_out_by_agent")
    clinic.hears(CARA, "stop")
    browser.sends("/admin/opt-outs/opt-in/confirmed", number_id=ids, reason="by mistake")
    browser.reads("Opted in: 1.", "Only START opts these in: 2.")
    clinic.asks(BEN, "recall").is_allowed("no_consent_needed")
    for number in (ANN, CARA):
        clinic.asks(number, "recall").is_denied("opted_out_by_contact")
    recorded = clinic.history(BEN)[-1]
    assert (recorded["type"], recorded["channel"], recorded["words"]) == (
        "AdminOptedIn",
        "web",
        "by mistake",
    )
    browser.sends("/admin/opt-outs/opt-in").reads("Tick at least one number.")


def test_an_opt_out_asks_once_more(clinic: Clinic, browser: Browser) -> None:
    """R-V5: nothing is recorded before the second yes; R-F6: whose wish it was is asked."""
    browser.sends("/admin/opt-outs/opt-out", number="(415) 555-0131", requested_by="contact")
    browser.reads(f"Opt out {SHOWN_ANN}?", "only the contact can lift it")
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
    browser.sends("/admin/opt-outs/opt-out/confirmed", number=ANN, requested_by="contact")
    browser.reads(f"Opted out: {SHOWN_ANN}.")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    browser.sends("/admin/opt-outs/opt-out", number="nobody").reads("This is no phone number.")


def test_the_whole_report_is_downloaded(clinic: Clinic, browser: Browser) -> None:
    """R-V3: as the page narrows it."""
    clinic.hears(ANN, "stop")
    clinic.opts_out(BEN)
    browser.sends("/admin/opt-outs/file", format="csv", source="contact")
    rows = list(csv.DictReader(io.StringIO(browser.response.text)))
    assert [row["number"] for row in rows] == [ANN]
    browser.sends("/admin/opt-outs/file", format="xlsx")
    assert browser.response.content.startswith(b"PK")
    assert browser.sends("/admin/opt-outs/file", format="csv", number_prefix="4").status == 422


def test_pages_follow_each_other(clinic: Clinic, browser: Browser) -> None:
    """R-V3: a hundred numbers a page, each number once."""
    items = [{"number": f"+1415555{i:04}", "by": "agent-7"} for i in range(150)]
    clinic.post("/v1/opt-outs/batch", "agent", items=items)
    seen = browser.opens("/admin/opt-outs").misses("First page").ticks()
    seen += browser.follows("Next page").ticks()
    assert len(seen) == len(set(seen)) == 150
    browser.misses("Next page").follows("First page").reads("Next page").misses("First page")
    assert browser.ticks() == seen[:100]


def test_pages_of_the_last_days_follow_each_other(clinic: Clinic, browser: Browser) -> None:
    """“Next page” brings what its cursor goes with, however long a reader takes."""
    items = [{"number": f"+1415555{i:04}", "by": "import"} for i in range(101)]
    clinic.post("/v1/opt-outs/batch", "admin", items=items)
    seen = browser.sends("/admin/opt-outs", period="7").ticks()
    time.sleep(1.1)  # The period begins a second later now.
    seen += browser.follows("Next page").ticks()
    assert len(set(seen)) == len(items)
    browser.misses("Go on with the filters")


def test_a_person_judges_what_was_said(clinic: Clinic, browser: Browser) -> None:
    """R-K4, R-F10: the words are shown; revoked is a STOP, dismissed lets texts go again."""
    said = "take me off your list"
    reviews = [clinic.hears(number, said)["review_id"] for number in (ANN, BEN)]
    browser.opens("/admin/reviews").reads(said, SHOWN_ANN, SHOWN_BEN)
    browser.sends("/admin/reviews", review_id=reviews[0], verdict="revoked").misses(SHOWN_ANN)
    browser.sends("/admin/reviews", review_id=reviews[1], verdict="dismissed")
    browser.reads("Nothing waits.")
    clinic.asks(ANN, "recall").is_denied("opted_out_by_contact")
    clinic.asks(BEN, "recall").is_allowed("no_consent_needed")
    for unknown in ("x", f"{clinic.account_id.hex}-1"):
        assert browser.sends("/admin/reviews", review_id=unknown, verdict="revoked").status == 404


def test_another_account_is_another_report(
    clinic: Clinic, browser: Browser, open_clinic: Open
) -> None:
    """Rulebook section 1: nothing crosses; an id of another's does nothing."""
    other = open_clinic("opt-out")
    other.opts_out(ANN)
    browser.opens("/admin/opt-outs").misses(SHOWN_ANN).reads("No number is opted out here.")
    number_id = str(other.number_id(ANN))
    browser.sends("/admin/opt-outs/opt-in/confirmed", number_id=[number_id], reason="x")
    other.asks(ANN, "recall").is_denied("opted_out_by_agent")


def test_a_form_of_another_site_does_nothing(clinic: Clinic, browser: Browser) -> None:
    """The browser says where a form comes from; ours come from here."""
    foreign = {"Sec-Fetch-Site": "cross-site"}
    browser.sends("/admin/opt-outs/opt-out/confirmed", foreign, number=ANN)
    assert browser.status == 403
    clinic.asks(ANN, "recall").is_allowed("no_consent_needed")
