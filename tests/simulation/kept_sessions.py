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
FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault for fault in (*ORDER_FAULTS, *ROUGH_FAULTS, *DESK_FAULTS, *REFUSAL_FAULTS)
}
SEED, ENOUGH, TRIES = 5, 16, 60
FIRST = {"an_exit_is_not_clamped_again": 510}
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
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for fault, row in pool.imap_unordered(_search, wanted, chunksize=1):
            if row is None:
                print(f"{fault}: no session of {ENOUGH:,} finds it")
                continue
            kept = {**(json.loads(FILE.read_text()) if FILE.exists() else {}), fault: row}
            FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1, default=str) + "\n")
            print(f"{fault}: session {row['number']}, {len(row['events'])} events", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
