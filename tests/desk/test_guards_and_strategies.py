"""Panes 4 and 5: what guards entries and how far it is used, what each strategy answers, pauses and would have made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from syrupy.assertion import SnapshotAssertion

from console.details import strategy
from core.model.order import OrderStatus
from core.settings.strategies import HOUSE_NAMES
from core.views import LogRow, ProtectionRow, SuspensionView
from tests.desk.desk_house import open_desk
from tests.desk.still_house import (
    a_protection,
    a_result,
    a_strategy,
    a_view,
    an_order,
    dollars,
    open_still,
    the_engines_view,
)
from widgets.lines import joined


def six_guards() -> tuple[ProtectionRow, ...]:
    at = the_engines_view().status.at
    return (
        a_protection(), a_protection("Guard AIG", "0.67", measure="2 of 3", reason="losing trades in a row"),
        a_protection(
            "Cooldown", "1", measure="1 of 1", is_tripped=True, reason="AIG was stopped out",
            since=at - timedelta(minutes=9), until=at + timedelta(minutes=21),
        ),
        a_protection("Window", None, measure="open until 15:45 New York"), a_protection("Max loss", "0.2"),
        a_protection("Drawdown", "0.1"),
    )  # fmt: skip


async def test_a_guard_shows_measure_limit_and_state() -> None:
    """RK-09, OP-12: no measure is cut, an unused gauge is empty"""
    at = the_engines_view().status.at
    measures = (
        a_protection("Session", None, measure="closed until Tue 09:30 New York", is_tripped=True, until=at),
        a_protection("Entries VWAP", "1", measure="1 of 1 today", is_tripped=True, since=at),
        a_protection("Loss", "0.3", measure="12.50 of 2,000.00 USD"),
    )
    unused = (a_protection("Loss", "0", measure="0.00 of 10.00 USD"), a_protection("Guard", "0.2"))
    async with open_still(a_view(protections=six_guards())) as house:
        await house.press("4", "a", "home")

        await house.sees("1 TRIPPED", "0.00 of 2,000 USD", "2 of 3 ▓▓▓░░", "1 of 1", "open until 15:45")
        await house.sees("TRIPPED, 21:00 left", "Cooldown: AIG was stopped out")
        assert house.desk.board.panes["protections"].grid.window.rows[0].cells[0].text == "Cooldown"
        await house.press("down", "down")
        await house.sees("Daily loss: equity since the day")
        await house.shows_next(protections=measures)
        await house.sees("closed until Tue 09:30", "1 of 1 today", "TRIPPED since 10:24:00", "2,000.00 USD")
        await house.shows_next(protections=unused)
        await house.sees("0.00 of 10.00 USD", "▓░░░░")
        assert not house.shows("░░░░░")


async def test_used_up_and_closed_are_not_tripped() -> None:
    """RK-09, OP-12"""
    at = the_engines_view().status.at
    rows = (
        a_protection(
            "Window", None, measure="closed until Tue 10:00", is_tripped=True, word=SuspensionView.CLOSED, until=at
        ),
        a_protection(
            "Positions", "1", measure="1 of 1", is_tripped=True, word=SuspensionView.FULL, since=at, reason="no more"
        ),
        a_protection("Entries VWAP", "1", measure="1 of 1 today", is_tripped=True, word=SuspensionView.FULL),
    )
    async with open_still(a_view(protections=rows)) as house:
        await house.press("4")

        await house.sees("4 Protections ─ 2 FULL, CLOSED", "CLOSED, 0:00 left", "FULL since 10:24:00")
        assert not house.shows("TRIPPED")
        await house.press("down", "down", "enter")
        await house.until(lambda: house.shows("FULL: what it allows is used up"))


async def test_broker_refusals_are_counted_apart() -> None:
    """OP-12, RK-22"""
    at = the_engines_view().status.at
    refusals = (
        LogRow(7, at, "proposal", "manual: SPY not staged: too large"),
        LogRow(8, at, "proposal", "manual: IBM not staged: too large"),
        LogRow(9, at, "ticket", "not confirmed: the price moved"),
        LogRow(10, at, "proposal", "vwap: IBM not staged: an exit waits", is_own=True),
    )
    orders = (an_order(1), an_order(2, status=OrderStatus.REJECTED, reason="insufficient buying power"))
    async with open_still(a_view(orders=orders, refusals=refusals)) as house:
        await house.sees("1 working, 1 REJECTED", "4 refused before: a in Orders says why")
        await house.press("3", "a")
        await house.until(lambda: house.shows("1 REJECTED, 4 refused"))


async def test_names_fit_every_size() -> None:
    """OP-12, RK-09: the count of bars gives way; the words under the grid have it. A guard's is whole when zoomed."""
    rows = tuple(replace(a_strategy(), key=f"{name}/SPY", strategy=name) for name in HOUSE_NAMES)
    guards = (a_protection("Low profit BRK.B short", "0.67", measure="-0.67 % of -1.00 %"), a_protection())
    async with open_still(a_view(strategies=rows, protections=guards), (80, 24)) as house:
        for size in ((80, 24), (120, 40), (200, 60)):
            await house.pilot.resize_terminal(*size)
            await house.press("5")
            await house.shows_next(strategies=rows)
            await house.sees("VWAP", "MOMENTUM", "BREAKOUT", "MEAN_REVERSION", "price above thr")
            await house.shows_next(strategies=rows[:1])
            await house.sees("NAME SYM  LAST ANSWER", "BARS")
            if size[0] < 200:
                await house.press("4", "z")
                await house.sees("Low profit BRK.B short", "▓▓▓░░")
                await house.press("z")


async def test_shut_entries_stand_in_protections() -> None:
    """RK-09, OP-12: whoever shut them; both lines of a guard open its details. Without declines there is no shadow."""
    async with open_desk() as house:
        await house.press("5")
        await house.until(lambda: house.shows("5 Strategies ─ 1 running"))
        assert not house.shows("shadow")

        await house.press("4", "ctrl+k")
        await house.until(lambda: house.shows("4 Protections ─ entries OFF, 1 T", "ENTRIES OFF: halted"))
        await house.press("K")
        await house.until(lambda: house.shows("KILLED since"))
        await house.press("escape", "4", "home", "down", "enter")
        await house.until(lambda: house.shows("Protection", "TRIPPED: no entry is staged"))


async def test_a_paused_strategy_is_in_words() -> None:
    """OP-12, ST-03"""
    rows = (a_strategy(), a_strategy("IBM", is_paused=True, last_answer="WARMING_UP", times=7))
    results = (
        a_result(),
        a_result("reversal", declined=1, shadow=dollars("12.50")),
        a_result("new", declined=0, shadow=None),
    )
    async with open_still(a_view(strategies=rows, results=results)) as house:
        await house.press("5")

        await house.sees("5 Strategies ─ 1 running, 1 PAUSED", "PAUSED, warming up", "price above threshold")
        await house.sees("all not taken: 3, would be −28.50", "VWAP 167.29", "bars: price above threshold 12,")


async def test_a_disabled_strategy_is_not_amiss(snapshot: SnapshotAssertion) -> None:
    """OP-12, ST-03"""
    wrong = "DISABLED for all 390 bars of the session before 20 November"
    terms = {"last_answer": "DISABLED", "is_off": True, "anomaly": wrong, "reasons": (("DISABLED", 390),)}
    off = [a_strategy(symbol, **terms) for symbol in ("SPY", "IBM")]
    dips = [a_strategy(symbol, key=f"dips/{symbol}", strategy="dips") for symbol in ("SPY", "IBM")]
    dips[0] = replace(dips[0], is_paused=True)
    view = a_view(strategies=(*off, *dips), proposals=())
    assert "\n".join(joined(line) for line in strategy(view, "vwap/SPY", view.status.at) or []) == snapshot
    async with open_still(view, (80, 24)) as house:
        await house.press("5")
        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.sees("5 Strategies ─ 1 running, 1 PAUSED")
            assert house.shows("5 Strategies ─ 1 running, 1 PAUSED, 2 off") is (size == (80, 24))
            assert not house.shows("DISABLED")
            assert not house.shows("VWAP on")
            await house.sees("No proposals. DIPS on IBM: price above threshold; DIPS on SPY:")
        await house.shows_next(strategies=tuple(off))
        await house.sees("5 Strategies ─ 0 running, 2 off", "No strategy runs; n enters an order")
