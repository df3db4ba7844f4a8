"""Lists over one another, live facts between them, dry runs and undos, against a small model.

`LISTS_HISTORIES` sets how many histories there are of each kind, and `LISTS_STEPS` how long they
are. A failure names its history by the seed, which makes the same one again.
"""

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final

import pytest

from tests.api.answer import Answer
from tests.api.clinic import ANN, BEN, CARA, Clinic
from tests.api.conftest import Open
from tests.api.lists_model import ALLOWED, PURPOSES, Fact, Model, Row, Text
from tests.api.test_imports import came_to, imports, undone
from tests.store.rebuilt import live_rows, rebuilt_rows

NUMBERS: Final = (ANN, BEN, CARA)
HISTORIES: Final = int(os.environ.get("LISTS_HISTORIES", "3"))
STEPS: Final = int(os.environ.get("LISTS_STEPS", "10"))
FIRST: Final = int(os.environ.get("LISTS_FIRST", "0"))
HOURS: Final = 6
HOUR: Final = 3_600_000_000
HEADER: Final = "number,phone2,sms_opt_out,opt_out_source,consent,level,purposes,occurred_at\n"
DAMAGED: Final = "4.15555E+09"
WEB: Final = "express_written"

NAMED: Final = (("conversation",), ("recall",), ("conversation", "recall"), ("marketing",))
STRICT: Final = ("stop", "agent", "contact", "suppressed")
LIVE: Final = (
    *("start", "start", "start", "yes", "consent", "decline", "decline", "opts in", "consents"),
    *("sends", "sends", "reassigned", "erased"),
)


class Draw:
    """Chances of one history: in some of them many opt out, in others few, so that more than the
    opt-outs shows."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.opts_out = (0.05, 0.15, 0.4)[seed % 3]

    def one(self, *choices: Any) -> Any:
        """One of these."""
        return self.random.choice(choices)

    def number(self) -> int:
        """One of the numbers."""
        return self.random.randrange(len(NUMBERS))

    def hours(self) -> int | None:
        """How long ago something was, in whole hours; half of all things are told without."""
        return self.random.choice((None, self.random.randint(1, HOURS)))

    def live(self) -> str:
        """What happens meanwhile."""
        strict = self.random.random() < self.opts_out
        return self.random.choice(STRICT if strict else LIVE)

    def row(self) -> tuple[Row, str]:
        """A row as the model has it, and but for its time as it is written."""
        first, second = self.number(), self.one(None, None, self.number())
        at, purposes = self.hours(), self.one((), *NAMED)
        opts_out = self.random.random() < self.opts_out
        opt_out = self.one("TRUE", "1", "yes") if opts_out else self.one("", "FALSE")
        consent = self.one("granted", "granted", "granted", "declined", "")
        if self.random.random() < self.opts_out / 2:
            consent = "revoked"
        source = self.one("", "contact", "agent", "agent", "system")
        fault = self.one(*[""] * 8, "purpose", "zone", "phone")
        if not opts_out and consent != "revoked":
            source = ""
        outs = [source or "contact"] if opts_out else []
        if consent == "revoked" and "contact" not in outs:
            outs.insert(0, "contact")
        if fault == "phone":
            second = None
        numbers = (first,) if second is None else (first, second)
        refused = fault == "purpose" or (fault == "zone" and at is not None)
        other = DAMAGED if fault == "phone" else "" if second is None else NUMBERS[second]
        told = " ".join((*purposes, "vip") if fault == "purpose" else purposes)
        when = "" if at is None else f"<{at}>{'' if fault == 'zone' else 'Z'}"
        written = f"{NUMBERS[first]},{other},{opt_out},{source},{consent},{WEB},{told},{when}"
        return Row(numbers, tuple(outs), consent, purposes, at, refused), written


class Lists:
    """An account, its lists, and what the model has of both."""

    def __init__(self, clinic: Clinic, preset: str, draw: Draw) -> None:
        self.clinic = clinic
        self.draw = draw
        self.model = Model(preset, len(NUMBERS))
        self.ids = count(1)
        self.began = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.origin = int(self.began.timestamp()) * 1_000_000
        self.files: list[tuple[list[Row], str]] = []
        self.done: dict[int, Answer] = {}
        self.stopped: set[int] = set()

    def now(self) -> int:
        """An instant of the ledger's own: later than all that was, and by little."""
        return self.origin + 3_600_000_000 + next(self.ids)

    def time(self, hours: int | None, name: str) -> tuple[int, dict[str, str], str]:
        """A fact's time for the model, as it is told, and by whose clock."""
        if hours is None:
            return self.now(), {}, "ledger"
        told = (self.began - timedelta(hours=hours)).isoformat()
        return self.origin - hours * HOUR, {name: told}, name

    # --- lists -----------------------------------------------------------------------------

    def step(self) -> None:
        """Something happens, and all is as the model has it."""
        acts = [self.sends_a_list, self.sends_a_list, self.meanwhile, self.meanwhile]
        if self.files:
            acts += [self.sends_a_list_again, self.undoes_a_list]
        self.draw.one(*acts)()
        self.is_as_the_model_has_it()

    def sends_a_list(self) -> None:
        """A list nobody has sent before."""
        found = [self.draw.row() for _ in range(self.draw.random.randint(1, 5))]
        lines = [written for _, written in found]
        stamps = {
            str(h): (self.began - timedelta(hours=h)).replace(tzinfo=None).isoformat()
            for h in range(1, HOURS + 1)
        }
        text = HEADER + "".join(f"{line}\n" for line in lines)
        for hours, stamp in stamps.items():
            text = text.replace(f"<{hours}>", stamp)
        text += "\n" * len(self.files)
        dated = [
            row if row.at is None else _at(row, self.origin - row.at * HOUR) for row, _ in found
        ]
        self.files.append((dated, text))
        self._import(len(self.files) - 1)

    def sends_a_list_again(self) -> None:
        """The very same file."""
        self._import(self.draw.random.randrange(len(self.files)))

    def _import(self, file: int) -> None:
        rows, text = self.files[file]
        before = [self.model.state(n) for n in range(len(NUMBERS))]
        with self.clinic.unchanged():
            tried = imports(self.clinic, text, query="?dry_run=true")
        done = imports(self.clinic, text)
        assert came_to(tried) == came_to(done)
        assert tried["partly_rejected"] == done["partly_rejected"]
        refused = sum(row.refused for row in rows)
        assert (done["state"], done["rows"], done["rejected"]) == ("done", len(rows), refused)
        granted: list[set[str]] = [set() for _ in NUMBERS]
        if done["same_as"] is None:
            of = self.model.take(file, rows, self.now())
            self.done[of] = done
            granted = [self.model.granted_by(n, of) for n in range(len(NUMBERS))]
        after = [self.model.state(n) for n in range(len(NUMBERS))]
        out = sum(was.barred < now.barred for was, now in zip(before, after, strict=True))
        opted_in = sum(
            not now.barred and any(now.granted.get(p) and not was.granted.get(p) for p in named)
            for was, now, named in zip(before, after, granted, strict=True)
        )
        assert (tried["would_opt_out"], tried["would_opt_in"]) == (out, opted_in)
        with self.clinic.unchanged():
            again = imports(self.clinic, text)
        assert again["same_as"] == (done["same_as"] or done["import_id"])

    def undoes_a_list(self) -> None:
        """A list is taken back as a whole; the second time there is nothing left of it."""
        of = self.draw.one(*sorted(self.done))
        undone(self.clinic, self.done[of])
        self.model.undo(of)
        with self.clinic.unchanged():
            assert undone(self.clinic, self.done[of])["state"] == "undone"

    # --- what happens meanwhile ------------------------------------------------------------

    def meanwhile(self) -> None:
        """The contacts text, staff record, texts are about to go; and some of it comes late."""
        for _ in range(self.draw.random.randint(1, 3)):
            of, what, at = self.draw.number(), self.draw.live(), self.draw.hours()
            match what:
                case "agent" | "contact":
                    self._opts_out(of, at, what)
                case "opts in":
                    self._opts_in(of)
                case "suppressed":
                    self._is_suppressed(of, at)
                case "consents":
                    self._consents(of, at, self.draw.one(*NAMED))
                case "sends":
                    self._sends(of)
                case "reassigned":
                    self._is_reassigned(of, 1 if at is None else 1 + at % 3)
                case "erased":
                    self._is_erased(of)
                case word:
                    self._hears(of, word, at)

    def _hears(self, of: int, word: str, at: int | None) -> None:
        when, told, clock = self.time(at, "received_at")
        self.clinic.hears(NUMBERS[of], word, **told)
        self.model.add(of, Fact(word, when, clock))
        if word == "stop" and at is None:
            self.stopped.add(of)
        if word in ("start", "yes"):
            self.stopped.discard(of)

    def _opts_out(self, of: int, at: int | None, by: str) -> None:
        when, told, clock = self.time(at, "occurred_at")
        assert self.clinic.opts_out(NUMBERS[of], requested_by=by, **told)["recorded"]
        self.model.add(of, Fact(f"out {by}", when, clock))

    def _opts_in(self, of: int) -> None:
        """An admin takes an agent's opt-out back, if nothing else stands."""
        state = self.model.state(of)
        answer = self.clinic.opts_in(NUMBERS[of])
        if state.stops or "system" in state.bars:
            answer.problem(409, "opt-in-forbidden")
        else:
            self.model.add(of, Fact("in", self.now(), "ledger"))

    def _is_suppressed(self, of: int, at: int | None) -> None:
        when, told, clock = self.time(at, "occurred_at")
        self.clinic.reports(NUMBERS[of], "21610", **told).recorded(
            "DeliveryReported", "CarrierSuppressed"
        )
        self.model.add(of, Fact("out system", when, clock))

    def _consents(self, of: int, at: int | None, purposes: tuple[str, ...]) -> None:
        when, told, clock = self.time(at, "occurred_at")
        self.clinic.consents(NUMBERS[of], *purposes, level=WEB, **told).recorded("ConsentGranted")
        self.model.add(of, Fact("grant", when, clock, purposes))

    def _sends(self, of: int) -> None:
        """A text is about to go; it may wait, and ask for consent."""
        message_id, at = f"m{next(self.ids)}", self.now()
        answer = self.clinic.sends(NUMBERS[of], message_id=message_id)
        if answer["state"] == "deferred":
            self.model.texts[message_id] = Text(of, "conversation", at)
        if "ConsentRequested" in answer["recorded"]:
            self.model.add(of, Fact("asked", self.now(), "ledger", ("conversation",)))

    def _is_reassigned(self, of: int, days: int) -> None:
        """Somebody else has the number since some day: before the lists of today."""
        day = (self.began - timedelta(days=days)).date()
        self.clinic.reassigns(NUMBERS[of], day.isoformat()).recorded("NumberReassigned")
        ended = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        at = int(ended.timestamp()) * 1_000_000 - 1
        self.model.add(of, Fact("reassigned", at, "ledger"))

    def _is_erased(self, of: int) -> None:
        """What is known of the person goes; where the number stands stays."""
        if self.model.facts[of]:
            number_id = self.clinic.number_id(NUMBERS[of])
            self.clinic.post(f"/v1/numbers/{number_id}/erase", by="admin-1")

    # --- what holds whatever happened ------------------------------------------------------

    def is_as_the_model_has_it(self) -> None:
        """One look at all numbers for each purpose."""
        for purpose in PURPOSES:
            items = [{"number": each} for each in NUMBERS]
            body: Any = {"purpose": purpose, "items": items}
            found = self.clinic.call("POST", "/v1/checks/batch", "sender", body)["results"]
            for of, each in enumerate(found):
                state, reason = self.model.state(of), self.model.reason(of, purpose)
                assert each["reason"] == reason, (purpose, of, self.model.facts[of])
                assert each["may_text"] is (reason in ALLOWED)
                assert (each["opted_out"], each["opt_out_source"]) == (
                    state.barred,
                    state.source(),
                )
                assert not (of in self.stopped and each["may_text"])

    def ends(self) -> None:
        """Every way to ask gives the same, each held text has the fate that it should, and the read
        models are those that the events alone would give."""
        known = [of for of in range(len(NUMBERS)) if self.model.facts[of]]
        ids = [self.clinic.number_id(NUMBERS[of]) for of in known]
        database = self.clinic.service.database
        assert live_rows(database, ids) == rebuilt_rows(database, ids)
        for message_id, text in self.model.texts.items():
            fate = self.clinic.fate(message_id)
            may_go = self.model.reason(text.number, text.purpose) in ALLOWED
            wanted = "cancelled" if text.cancelled else "releasable" if may_go else "deferred"
            assert fate == wanted, (message_id, text, self.model.facts[text.number])
        for purpose in PURPOSES:
            lines = "number\n" + "\n".join(NUMBERS)
            scrubbed = self.clinic.scrubs(lines.encode(), purpose).response.text.splitlines()[1:]
            for of, line in enumerate(scrubbed):
                single = self.clinic.asks(NUMBERS[of], purpose)
                assert single["reason"] == self.model.reason(of, purpose)
                told = [str(single["may_text"]).lower(), single["decision"], single["reason"]]
                assert line.split(",")[1:4] == told


def _at(row: Row, at: int) -> Row:
    return Row(row.numbers, row.outs, row.consent, row.purposes, at, row.refused)


@pytest.mark.parametrize("preset", ["consent-first", "opt-out", "authorization"])
def test_lists_and_live_facts_add_up_as_the_rules_say(open_clinic: Open, preset: str) -> None:
    """R-V1, R-V6, R-O1 to R-O5: whatever comes between, and whatever is taken back."""
    for seed in range(FIRST, FIRST + HISTORIES):
        lists = Lists(open_clinic(preset), preset, Draw(seed))
        try:
            for _ in range(STEPS):
                lists.step()
            lists.ends()
        except AssertionError as error:
            raise AssertionError(f"seed {seed} of {preset}") from error
