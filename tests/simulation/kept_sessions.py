"""For each planted fault the shortest session known to find it, in `shortest.json`.

.venv/bin/python -m tests.simulation.kept_sessions [NAME ...]   searches and shortens them again: all, or those named.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.simulation.desk_faults import DESK_FAULTS
from tests.simulation.order_faults import ORDER_FAULTS
from tests.simulation.refusal_faults import REFUSAL_FAULTS
from tests.simulation.rough_faults import ROUGH_FAULTS
from tests.simulation.sessions import Event, Profile, Session, made
from tests.simulation.shrink import goes_wrong, shrunk

Fault = Callable[[pytest.MonkeyPatch], None]
FILE = Path(__file__).with_name("shortest.json")
RANDOM_DAYS: Mapping[str, int] = {
    "a_pair_counts_for_nothing": 12,
    "a_pause_is_not_minded": 2,
    "a_refused_symbol_is_not_checked": 1,
    "a_stop_is_released_for_the_whole_fill_each_time": 2,
    "a_trip_is_not_minded": 1,
    "an_edit_leaves_what_was_shown_open": 2,
    "any_key_replaces": 2,
    "nothing_is_refused": 12,
    "nothing_is_synced": 2,
    "the_digest_is_not_compared": 2,
}
"""Faults that random days find and sessions do not, with the seed that finds each within twenty days."""
FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (*ORDER_FAULTS, *ROUGH_FAULTS, *DESK_FAULTS, *REFUSAL_FAULTS)
    if fault.__name__ not in RANDOM_DAYS
}
SEED, ENOUGH, TRIES = 5, 80, 60
FIRST = {
    "a_confirmation_is_accepted_from_a_watcher": 5,
    "a_plan_goes_on_after_a_crash": 6,
    "a_turned_key_crosses_a_hand_over": 13,
    "a_watcher_signs_a_basket": 5,
    "a_word_that_is_behind_ends_what_is_over": 14,
    "an_exit_is_not_clamped_again": 510,
    "attendance_is_ignored": 21,
    "legs_that_are_left_out_are_missing": 6,
    "nobody_asks_after_a_crash": 12,
}
"""The session that is tried first, where an early one does not find the fault."""
_profiles = TypeAdapter(Profile)


@cache
def _kept() -> dict[str, dict[str, Any]]:
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def session_for(fault: str) -> Session:
    """Raises KeyError where none is kept."""
    row = _kept()[fault]
    events = tuple(Event(name, _tuples(arguments)) for name, arguments in row["events"])
    return Session(row["seed"], row["number"], _profiles.validate_python(row["profile"]), events, row["has_desks"])


def _tuples(arguments: Any) -> Any:
    return tuple(map(_tuples, arguments)) if isinstance(arguments, list) else arguments


def finds(fault: str, session: Session) -> bool:
    """Whether a session goes wrong with the fault planted, or an order is refused wrongly where that is the fault."""
    with pytest.MonkeyPatch.context() as patch:
        FAULTS[fault](patch)
        return goes_wrong(session)


def found(fault: str) -> Session | None:
    """The first session of SEED that finds it, shortened; None where none of ENOUGH does. Plants it for good."""
    FAULTS[fault](pytest.MonkeyPatch())
    for number in range(FIRST.get(fault, 0), FIRST.get(fault, 0) + ENOUGH):
        session = made(SEED, number)
        if goes_wrong(session):
            return shrunk(session, TRIES)
    return None


def _search(fault: str) -> tuple[str, dict[str, Any] | None]:
    session = found(fault)
    if session is None:
        return fault, None
    events = [[event.name, event.arguments] for event in session.events]
    return fault, {**asdict(session), "events": events}


def main(names: list[str]) -> None:
    """Each fault in a process of its own, because it stays planted there."""
    wanted = names or [*FAULTS]
    with multiprocessing.get_context("spawn").Pool(maxtasksperchild=1) as pool:
        for fault, row in pool.imap_unordered(_search, wanted, chunksize=1):
            if row is None:
                print(f"{fault}: no session of {ENOUGH:,} finds it")
                continue
            kept = {**(json.loads(FILE.read_text()) if FILE.exists() else {}), fault: row}
            FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1, default=str) + "\n")
            print(f"{fault}: session {row['number']}, {len(row['events'])} events", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
