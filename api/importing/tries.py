"""How often a list is tried that comes no further, and what is told when it is given up.

A list that ends its worker each time, by all the memory that it takes or by a fault in C, must be
given up; one that was only stopped must not. Progress tells most of it: once a unit commits, all
tries before it are forgotten. Of tries without any,

- those that the service outlived are the list's own doing: what stops a deployment stops the
  service as well, and a signal that asks a worker to end is somebody's wish. A few of the others
  are enough;
- those of which nobody can tell, as the service ended with its worker or the database went away,
  may be restarts, three within a minute and more. A list can be behind these too, where a container
  is ended as a whole for its memory, or the database's own process crashes: but many in a row, over
  more than an hour and without a single unit, are no restarts.
"""

from typing import Final

from api.importing.book import Import

CRASHES: Final = 3
"""Tries without progress that a list ended by itself: by a fault that nobody foresaw, or by its
worker's death, which the service outlived."""
TRIES: Final = 10
"""Tries without progress, however they ended. With their rests they take 91 minutes."""
REST_SECONDS: Final = 30
"""From the begin of the second try to that of the third; then doubled each time. Lists behind it
have their turn, and a machine that is short of memory for a moment may have some again."""
LONGEST_REST: Final = 30 * 60

IMPORT_FAILED: Final = "The ledger failed; the rows so far are recorded."
TRIAL_FAILED: Final = "The ledger failed; a dry run records nothing."
UNDO_FAILED: Final = "The ledger failed to take all of it back; undo it again for the rest."


def rest_after(attempts: int) -> int:
    """Seconds from the begin of a try to that of the next: the first two follow each other, as
    nearly every list that was stopped comes further then."""
    return 0 if attempts < 2 else min(REST_SECONDS << (attempts - 2), LONGEST_REST)


def is_given_up(found: Import) -> bool:
    """Whether it was tried often enough."""
    return found.crashes >= CRASHES or found.attempts >= TRIES


def broke_off(found: Import) -> str:
    """Why a list is given up: where it was each time, and what is recorded of it."""
    times = max(found.crashes, found.attempts)
    if found.state == "undoing":
        return (
            f"To take it back broke off {times} times, before all of it was;"
            " undo it again for the rest."
        )
    where = f"below line {found.line}" if found.line else "at its beginning"
    if found.dry_run:
        rest = "a dry run records nothing"
    else:
        rest = "the rows so far are recorded" if found.line else "nothing of it is recorded"
    return f"The work on it broke off {times} times {where}; {rest}."


def failed(found: Import) -> str:
    """The same for a fault that did not end the worker."""
    if found.state == "undoing":
        return UNDO_FAILED
    return TRIAL_FAILED if found.dry_run else IMPORT_FAILED
