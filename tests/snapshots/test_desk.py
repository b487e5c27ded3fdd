"""Every pane and every state of the desk, as it was looked at and found right (OP-03)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.model.account import Mode
from core.model.codes import DeskState, HaltCause
from core.views import HaltRow
from core.views.engine import EngineFailed, EngineLoading
from tests.desk.nine_days import nine_days
from tests.snapshots.conftest import Compare
from tests.snapshots.day import NOW, STATUS, ago, empty, full, with_legs
from tests.snapshots.sizes import SMALL, at_both_sizes
from tests.snapshots.still import Shown, presses

PANES = ("1", "2", "3", "4", "5", "6", "7", "8", "9")
LOST_DISK = (
    "the journal could not write: no space left on device; nothing more is recorded, mend the disk and start again"
)
STATES: dict[str, Shown] = {
    "loading": EngineLoading("reading the journal"),
    "no-engine": EngineFailed("another engine runs on this account (process 4711); keyturn status shows it"),
    "starting": full(replace(STATUS, word=DeskState.STARTING, entries_refused="the books were not compared yet")),
    "read-only": full(
        replace(
            STATUS,
            word=DeskState.READ_ONLY,
            entries_refused="read-only: 4 positions differ; keyturn reconcile shows them",
        )
    ),
    "stale": full(replace(STATUS, quote_at=ago(200))),
    "no-data": full(replace(STATUS, quote_at=None, feed=None, equity=None, day_change=None, buying_power=None)),
    "closed": full(replace(STATUS, market_closes_at=None, market_opens_at=NOW + timedelta(hours=16))),
    "halted-by-key": full(
        replace(
            STATUS,
            word=DeskState.HALTED,
            halts=(HaltRow(HaltCause.KEY, "by key"),),
            halted_at=ago(3),
            entries_refused="halted (key): by key",
        )
    ),
    "halted-by-an-invariant": full(
        replace(
            STATUS,
            word=DeskState.HALTED,
            halts=(HaltRow(HaltCause.INVARIANT, "order 3f9a02c4 moved from FILLED to SUBMITTED"),),
            halted_at=ago(3),
            entries_refused="halted (invariant): order 3f9a02c4 moved from FILLED to SUBMITTED",
        )
    ),
    "killed": full(
        replace(
            STATUS,
            word=DeskState.KILLED,
            killed_by="key",
            killed_at=ago(60),
            entries_refused="killed by key; type REARM",
        )
    ),
    "disk": full(replace(STATUS, disk=LOST_DISK, exits_refused=LOST_DISK, entries_refused="halted (journal)")),
    "live": full(replace(STATUS, mode=Mode.LIVE)),
}


@at_both_sizes
@pytest.mark.parametrize("number", PANES)
def test_a_pane_with_everything_in_it(number: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    assert looks_as_before(full(), size, presses(number))


@pytest.mark.parametrize("size", [SMALL, (100, 30), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_month_of_results(size: tuple[int, int], looks_as_before: Compare) -> None:
    assert looks_as_before(
        full(days=nine_days("101000")), size, presses("7", "z", "greater_than_sign", "greater_than_sign")
    )


@pytest.mark.parametrize("number", PANES)
def test_a_pane_with_nothing_in_it_says_what_would_fill_it(number: str, looks_as_before: Compare) -> None:
    assert looks_as_before(empty(), SMALL, presses(number))


@pytest.mark.parametrize("state", STATES)
def test_a_state_differs_in_words(state: str, looks_as_before: Compare) -> None:
    assert looks_as_before(STATES[state], SMALL)


@pytest.mark.parametrize("size", [SMALL, (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_orders_with_their_legs(size: tuple[int, int], looks_as_before: Compare) -> None:
    """One entry waits with stop and target, one is filled and its stop works, one that was filled before closed"""
    assert looks_as_before(full(orders=with_legs()), size, presses("3"))
