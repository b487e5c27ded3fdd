"""Every pane and every state of the desk, as it was looked at and found right (OP-03)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.model.account import Mode
from core.model.codes import DeskState, HaltCause
from core.views import HaltRow
from core.views.desk import EngineFailed, EngineLoading
from tests.desk.nine_days import nine_days
from tests.snapshots.day import NOW, STATUS, ago, empty, full, with_legs
from tests.snapshots.drafted import ADOPTED, DRAFTS, with_draft
from tests.snapshots.pictures import Views
from tests.snapshots.sizes import SMALL, USUAL, WIDE, named
from tests.snapshots.still import Shown, presses
from tests.snapshots.tickets import numbered, opens_the_first, with_ticket

LOST_DISK = (
    "the journal could not write: no space left on device; nothing more is recorded, fix the disk and start again"
)
STATES: dict[str, Shown] = {
    "loading": EngineLoading("reading the journal"),
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
    "no-engine": EngineFailed("another engine runs on this account (process 4711); keyturn status shows it"),
}


async def takes_each_pane(pictures: Views, view: Shown, size: tuple[int, int], *ending: tuple[int, int]) -> None:
    """The log lies beside the pane that was chosen before, and comes first. Results and chart take the place of another
    pane and keep it: they are the last of those on one desk."""
    async with pictures.desk(view, size) as still:
        for number in "61234587":
            await still.press(number)
            await pictures.take(still, named(number, *ending))
    await pictures.one(view, size, presses("9"), named("9", *ending))


async def test_a_pane_with_everything_in_it(pictures: Views) -> None:
    for size in (SMALL, USUAL):
        await takes_each_pane(pictures, full(), size, size)
    assert not pictures.differ


async def test_a_month_of_results(pictures: Views) -> None:
    async with pictures.desk(full(days=nine_days("101000")), SMALL) as still:
        await still.press("7", "z", "greater_than_sign", "greater_than_sign")
        for size in (SMALL, (100, 30), USUAL, WIDE):
            await still.resize(size)
            await pictures.take(still, named(size))
    assert not pictures.differ


async def test_results_by_group(pictures: Views) -> None:
    """AN-01, EX-18: half-hours of many and few wins are marked, and what failed in execution is apart"""
    async with pictures.desk(full(), SMALL) as still:
        await still.press("7", "g", "g")
        for size in (SMALL, USUAL, WIDE):
            await still.resize(size)
            await pictures.take(still, named(size))
        await still.press("g")
        await pictures.take(still, "regimes")
    assert not pictures.differ


async def test_a_pane_with_nothing_in_it_says_what_would_fill_it(pictures: Views) -> None:
    await takes_each_pane(pictures, empty(), SMALL)
    assert not pictures.differ


async def test_a_state_differs_in_words(pictures: Views) -> None:
    async with pictures.desk(STATES["loading"], SMALL) as still:
        for state, view in STATES.items():
            await still.shows_next(view)
            await pictures.take(still, state)
    assert not pictures.differ


async def test_orders_with_their_legs(pictures: Views) -> None:
    """One entry waits with stop and target, one is filled and its stop works, one that was filled before closed"""
    async with pictures.desk(full(orders=with_legs()), SMALL) as still:
        await still.press("3")
        for size in (SMALL, USUAL, WIDE):
            await still.resize(size)
            await pictures.take(still, named(size))
    assert not pictures.differ


async def test_drafts_below_the_proposals(pictures: Views) -> None:
    """OP-09, OP-14: none can be taken for what may be sent"""
    async with pictures.desk(full(drafts=DRAFTS), SMALL) as still:
        await still.press("1", "end", "up")
        for size in (SMALL, USUAL, WIDE):
            await still.resize(size)
            await pictures.take(still, named(size))
        await still.shows_next(full(proposals=(), drafts=DRAFTS))
        await still.resize(SMALL)
        await pictures.take(still, "alone")
    assert not pictures.differ


async def test_a_ticket_of_a_draft(pictures: Views) -> None:
    """OP-14: a fact that differs disarms it until `r`"""
    async with pictures.desk(full(proposals=(ADOPTED,)), SMALL, answer=with_ticket(numbered(with_draft))) as still:
        await opens_the_first(still)
        for size in (SMALL, USUAL):
            await still.resize(size)
            await pictures.take(still, named(size))
        await still.resize(SMALL)
        await still.press("r")
        await still.after(0.5)
        await pictures.take(still, "reviewed")
    assert not pictures.differ
