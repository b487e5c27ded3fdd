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
from random import Random
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.simulation.contradiction_faults import CONTRADICTION_FAULTS
from tests.simulation.corporate_faults import CORPORATE_FAULTS
from tests.simulation.corporate_play import ANNOUNCING
from tests.simulation.desk_faults import DESK_FAULTS
from tests.simulation.disruption_faults import DISRUPTION_FAULTS
from tests.simulation.disruption_play import DISRUPTING
from tests.simulation.order_faults import ORDER_FAULTS
from tests.simulation.refusal_faults import REFUSAL_FAULTS
from tests.simulation.rough_faults import ROUGH_FAULTS
from tests.simulation.sessions import Event, Profile, Session, made
from tests.simulation.shrink import goes_wrong, shrunk
from tests.simulation.time_faults import TIME_FAULTS
from tests.simulation.time_play import TIMING

Fault = Callable[[pytest.MonkeyPatch], None]
FILE = Path(__file__).with_name("shortest.json")
RANDOM_DAYS: Mapping[str, tuple[int, int]] = {
    "a_pause_is_not_minded": (20, 3),
    "a_refused_symbol_is_not_checked": (23, 3),
    "a_stop_is_released_for_the_whole_fill_each_time": (22, 3),
    "a_trip_is_not_minded": (30, 3),
    "an_edit_leaves_what_was_shown_open": (48, 3),
    "any_key_replaces": (62, 2),
    "nothing_is_refused": (107, 2),
    "nothing_is_synced": (83, 2),
    "the_digest_is_not_compared": (68, 2),
}
"""Faults that random days find and sessions do not: the seed, and of how many days."""
RARE = frozenset({"an_exit_is_not_clamped_again"})
"""Found by none of 600 sessions alone: `make soak PART=sessions ARGS="--plant NAME"` searches on."""
SESSION_FAULTS = (
    *ORDER_FAULTS,
    *ROUGH_FAULTS,
    *DESK_FAULTS,
    *REFUSAL_FAULTS,
    *CONTRADICTION_FAULTS,
    *DISRUPTION_FAULTS,
    *TIME_FAULTS,
    *CORPORATE_FAULTS,
)
FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault for fault in SESSION_FAULTS if fault.__name__ not in RANDOM_DAYS.keys() | RARE
}
SEED, ENOUGH, TRIES = 5, 80, 60
FIRST = {
    "a_confirmation_is_accepted_from_a_watcher": 5,
    "a_plan_goes_on_after_a_crash": 6,
    "a_turned_key_crosses_a_hand_over": 13,
    "a_watcher_signs_a_basket": 5,
    "a_word_that_is_behind_ends_what_is_over": 14,
    "attendance_is_ignored": 21,
    "legs_that_are_left_out_are_missing": 6,
    "nobody_asks_after_a_crash": 12,
}
"""The session that is tried first, where an early one does not find the fault."""
KINDS = {
    "a_block_is_not_minded": "trading_is_blocked",
    "a_strategy_keeps_the_old_close": "sessions_are_announced",
    "a_taken_id_proves_nothing": "a_folder_of_weeks_ago_is_restored",
    "a_ticket_outlives_a_sleep": "a_key_is_turned_after_sleep",
    "an_announcement_is_forgotten": "sessions_are_announced",
    "an_announcement_is_not_followed": "sessions_are_announced",
    "no_deficit_is_told": "maintenance_rises",
    "only_the_first_deficit_is_told": "maintenance_rises",
    "a_corrected_price_is_not_followed": "a_fill_is_corrected",
    "a_split_is_not_followed": "shares_are_split",
    "shares_with_another_symbol_are_not_followed": "shares_are_renamed",
    "a_fill_taken_back_stays_counted": "a_fill_is_taken_back",
    "a_kill_knows_no_limit": "orders_of_others_are_killed",
    "a_list_from_before_our_fill_is_believed": "positions_lag",
    "an_order_that_leaves_covers": "a_cancel_stays_pending",
    "no_order_is_looked_up_for_its_fill": "a_fill_is_not_heard",
    "one_odd_row_takes_the_books": "rows_are_odd",
}
KINDS |= {fault.__name__: "an_action_is_announced" for fault in CORPORATE_FAULTS}
"""Faults that are searched in sessions of one kind of event alone: those are short."""
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
    """The first session of SEED that is wrong with the fault alone, shortened; None where none of ENOUGH is."""

    def is_wrong(session: Session) -> bool:
        return finds(fault, session) and not goes_wrong(session)

    first = FIRST.get(fault, 0)
    for number in range(first, first + ENOUGH):
        session = made(SEED, number) if fault not in KINDS else _of_one_kind(KINDS[fault], number)
        if is_wrong(session):
            return shrunk(session, TRIES, is_wrong)
    return None


def _of_one_kind(kind: str, number: int) -> Session:
    chance, draw = Random(f"{SEED}:{number}:{kind}"), {**DISRUPTING, **TIMING, **ANNOUNCING}[kind][1]
    return made(SEED, number).having(tuple(Event(kind, draw(chance)) for _ in range(3)))


def _search(fault: str) -> tuple[str, dict[str, Any] | None]:
    session = found(fault)
    if session is None:
        return fault, None
    events = [[event.name, event.arguments] for event in session.events]
    return fault, {**asdict(session), "events": events}


def main(names: list[str]) -> None:
    wanted = names or [*FAULTS]
    with multiprocessing.get_context("spawn").Pool() as pool:
        for fault, row in pool.imap_unordered(_search, wanted, chunksize=1):
            if row is None:
                print(f"{fault}: no session of {ENOUGH:,} finds it")
                continue
            kept = {**(json.loads(FILE.read_text()) if FILE.exists() else {}), fault: row}
            FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1, default=str) + "\n")
            print(f"{fault}: session {row['number']}, {len(row['events'])} events", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
