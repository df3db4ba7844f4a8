"""Texts from senders that are no phone number wait for an admin, who files them away."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.admin_browser import Browser
from tests.api.clinic import ANN, Clinic
from tests.api.conftest import Open

PATH = "/v1/reviews/unreadable-senders"
DELIVERIES = 8
ROWS = "SELECT sender, body, provider_message_id FROM unparsed_words WHERE account_id = %s"


def waiting(clinic: Clinic, query: str = "") -> list[dict[str, Any]]:
    """What waits, the oldest first."""
    items: list[dict[str, Any]] = clinic.get(PATH + query)["items"]
    return items


def files(clinic: Clinic, kept_id: str) -> Any:
    """An admin has read one."""
    return clinic.call("POST", f"{PATH}/{kept_id}")


def test_what_an_unreadable_sender_said_can_be_read(clinic: Clinic) -> None:
    """Kept for review means that somebody sees it."""
    assert clinic.get(PATH).body == {"items": [], "next_cursor": None}
    assert clinic.hears("REWARDS", "STOP", message_id="in-9")["kept_for_review"] is True
    clinic.hears("REWARDS", "STOP", message_id="in-9")
    clinic.hears("", "please\x00 stop")
    found = waiting(clinic)
    assert [(each["sender"], each["text"]) for each in found] == [
        ("REWARDS", "STOP"),
        ("", "please stop"),
    ]
    for each in found:
        assert each.keys() == {"kept_id", "sender", "text", "received_at"}
        assert isinstance(each["kept_id"], str)
        assert each["received_at"].endswith("Z")
    assert clinic.get("/v1/reviews")["items"] == []


def test_a_text_that_is_delivered_at_once_by_many_is_kept_once(clinic: Clinic) -> None:
    """R-O1: a provider that repeats itself, however fast, gives nobody more to read."""
    ids = [f"in-{n}" for n in range(20) for _ in range(DELIVERIES)]
    with ThreadPoolExecutor(DELIVERIES) as deliveries:
        said = deliveries.map(lambda m: clinic.hears("REWARDS", "STOP", message_id=m), ids)
        assert all(answer["kept_for_review"] for answer in said)
    assert len(waiting(clinic)) == 20


def test_other_words_are_another_text(clinic: Clinic) -> None:
    """Whatever id they came with: a text may be shown twice, none may be lost."""
    for text in ("STOP", "hello", "STOP"):
        clinic.hears("REWARDS", text, message_id="in-9")
    assert [each["text"] for each in waiting(clinic)] == ["STOP", "hello"]


def test_texts_of_one_instant_are_all_kept(clinic: Clinic) -> None:
    """By their ids, as two can come in within a microsecond."""
    with ThreadPoolExecutor(DELIVERIES) as deliveries:
        for _ in deliveries.map(lambda n: clinic.hears("REWARDS", f"stop {n}"), range(40)):
            pass
    clinic.service.database.execute(
        "UPDATE unparsed_words SET received_at = now() WHERE account_id = %s",
        (clinic.account_id,),
    )
    seen, cursor = [], ""
    for _ in range(14):
        page = clinic.get(f"{PATH}?limit=3{cursor}")
        seen += [each["text"] for each in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert sorted(seen) == sorted(f"stop {n}" for n in range(40))


def test_a_text_that_was_read_is_filed_away(clinic: Clinic) -> None:
    """Its sender and words are deleted; a caller that got no answer may say it again."""
    for sender in ("REWARDS", "MYBANK"):
        clinic.hears(sender, "STOP", message_id="in-9")
    first, second = waiting(clinic)
    for _ in range(2):
        assert files(clinic, first["kept_id"]).body == {"kept_id": first["kept_id"], "done": True}
        assert waiting(clinic) == [second]
    left = clinic.service.rows(ROWS + " ORDER BY id", clinic.account_id)
    assert left == [("", "", None), ("MYBANK", "STOP", "in-9")]


def test_what_was_filed_away_hides_nothing_that_comes_later(clinic: Clinic) -> None:
    """A text may be shown twice; none may be lost."""
    clinic.hears("", "STOP", message_id="in-9")
    assert files(clinic, waiting(clinic)[0]["kept_id"])["done"]
    clinic.hears("", "STOP", message_id="in-9")
    assert [each["text"] for each in waiting(clinic)] == ["STOP"]


def test_the_list_comes_in_pages(clinic: Clinic) -> None:
    """Each once, in the order in which they came, though some are filed away meanwhile."""
    for place in range(5):
        clinic.hears("REWARDS", f"text {place}")
    seen, query = [], "?limit=2"
    while query:
        page = clinic.get(PATH + query)
        assert len(page["items"]) <= 2
        seen += [each["text"] for each in page["items"]]
        for each in page["items"]:
            files(clinic, each["kept_id"])
        cursor = page["next_cursor"]
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert seen == [f"text {place}" for place in range(5)]
    clinic.get(f"{PATH}?cursor=x").problem(422, "cursor-malformed", "/cursor")
    for limit in (0, 1001):
        clinic.get(f"{PATH}?limit={limit}").problem(422, "invalid-body", "/limit")


@pytest.mark.parametrize("kept_id", ["0", "x", "-1", "²", "1" * 30, "1.0", "%00"])
def test_an_id_that_no_text_has_is_404(clinic: Clinic, kept_id: str) -> None:
    """As of every other thing."""
    files(clinic, kept_id).problem(404, "not-found")


def test_another_accounts_texts_are_not_there(open_clinic: Open) -> None:
    """Nothing crosses, and nothing is filed away."""
    theirs, mine = open_clinic(), open_clinic()
    theirs.hears("REWARDS", "STOP")
    found = waiting(theirs)
    assert waiting(mine) == []
    files(mine, found[0]["kept_id"]).problem(404, "not-found")
    assert waiting(theirs) == found


def test_a_sender_that_can_be_read_is_not_among_them(clinic: Clinic) -> None:
    """What is a number's own is in its history."""
    clinic.hears(ANN, "take me off your list")
    assert waiting(clinic) == []


def test_a_person_files_away_what_an_unreadable_sender_said(
    clinic: Clinic, browser: Browser
) -> None:
    """Section 9: shown where there is any, as it was written; Done deletes it."""
    heading = "From senders that are no phone number"
    browser.opens("/admin/reviews").reads("Nothing waits.").misses(heading)
    browser.opens("/admin").misses("Texts from senders")
    clinic.hears("<b>BANK", "stop <i>now")
    clinic.hears("REWARDS", "lose my number")
    browser.opens("/admin").reads("Texts from senders that are no phone number 2")
    browser.opens("/admin/reviews").reads(heading).misses("Nothing waits.")
    assert "&lt;b&gt;BANK" in browser.response.text
    assert "stop &lt;i&gt;now" in browser.response.text
    first, second = re.findall(r'name="kept_id" value="([^"]+)"', browser.response.text)
    browser.sends("/admin/reviews/unreadable", kept_id=first).misses("BANK").reads("REWARDS")
    browser.sends("/admin/reviews/unreadable", kept_id=first).misses("BANK").reads("REWARDS")
    browser.sends("/admin/reviews/unreadable", kept_id=second).reads("Nothing waits.")
    browser.misses(heading, "REWARDS")
    assert browser.sends("/admin/reviews/unreadable", kept_id="x").status == 404


def test_a_text_is_filed_away_by_an_admin_of_the_account_alone(
    clinic: Clinic, browser: Browser, open_clinic: Open
) -> None:
    """No other site, no other account, and nobody who has not signed in."""
    clinic.hears("REWARDS", "stop")
    found = waiting(clinic)
    done = {"kept_id": found[0]["kept_id"]}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert browser.sends("/admin/reviews/unreadable", foreign, **done).status == 403
    other = Browser(open_clinic("opt-out"))
    other.sends("/admin/reviews/unreadable", **done).reads("A key of an admin")
    other.signs_in().opens("/admin/reviews").misses("REWARDS")
    assert other.sends("/admin/reviews/unreadable", **done).status == 404
    other.http.close()
    assert waiting(clinic) == found
