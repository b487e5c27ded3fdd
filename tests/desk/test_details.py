"""Enter on a row tells everything about it, alive; `w` tells the whole chain of an order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.details import order, position, protection, strategy, trade
from console.screens.reading import READING, DetailScreen, HelpScreen, WhyScreen
from core.facts import OrderFilled
from core.model.order import OrderStatus, Side, StopHolder
from core.model.signal import ExitReason
from core.model.values import Money, Price, Quantity
from core.views import DeskView, ShadowRow, TradeRow
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import the_engines_view
from widgets.lines import TextLine, joined

SHARE = Quantity(Decimal(1))


def text(lines: list[TextLine] | None) -> str:
    assert lines is not None
    return " ".join(" ".join(joined(line) for line in lines).split())


def picture(house: House) -> DeskView:
    assert house.desk.view is not None
    return house.desk.view


async def test_details_name_the_stops_holder_and_marks(snapshot: SnapshotAssertion) -> None:
    """OP-06, EX-03: they are alive, and end with their row"""
    async with open_desk() as house:
        await house.buys()
        await house.press("2", "enter")
        await house.sees("Position", "0.1 shares long", "494.72 USD, the broker holds it")
        await house.sees("0.1 of 0.1 shares, by orders at the broker", "SELL 0.1 stop 494.72, SUBMITTED")
        await house.sees("New York,", "ago")

        bare = replace(picture(house).positions[0], holder=StopHolder.YOU, covered=Quantity(0 * SHARE))
        told = text(position(replace(picture(house), positions=(bare,)), bare.key, picture(house).status.at))
        assert told == snapshot

        detail = house.desk.screen
        assert isinstance(detail, DetailScreen)
        view = picture(house)
        moved = replace(view.positions[0], last=Price(500 * SHARE), last_at=view.status.at)

        detail.update_view(replace(view, positions=(moved,)), view.status.at + timedelta(seconds=34))
        await house.sees("500.00 USD", "34 s ago")
        detail.update_view(replace(view, positions=()), view.status.at)
        await house.sees("no longer on the desk; as it stood last:", "500.00 USD")

        await house.press("escape", "3", "home", "enter")
        await house.sees("FILLED", "0.1 of 0.1 shares, 496.21 USD a share on average")
        view = picture(house)
        row = replace(view.orders[-1], status=OrderStatus.SUBMITTED, marks=("in doubt", "cancelling"), reason="slow")
        told = text(order(replace(view, orders=(row,)), row.id, view.status.at))
        assert told == snapshot
        assert "slow" in told


async def test_strategy_and_protection_details(snapshot: SnapshotAssertion) -> None:
    """ST-03, RK-09"""
    async with open_desk() as house:
        await house.press("5", "enter")
        await house.sees("VWAP on SPY", "running", "bars  warming up")
        view = picture(house)
        paused = replace(view.strategies[0], is_paused=True, figures=(("VWAP", "167.29"),))
        told = text(strategy(replace(view, strategies=(paused,)), paused.key, view.status.at))
        assert told == snapshot
        assert "VWAP 167.29" in told

        await house.press("escape", "4", "a", "home", "down", "down", "down", "down", "enter")
        await house.sees("Daily loss", "0.00 of 10.00", "it has not tripped")
        tripped = replace(
            view.protections[0],
            is_tripped=True,
            since=view.status.at - timedelta(minutes=3),
            until=view.status.at + timedelta(hours=1),
        )
        told = text(protection(replace(view, protections=(tripped,)), tripped.key, view.status.at))
        assert "3 m ago" in told
        assert "in 1:00:00" in told


def test_details_of_trades_and_of_those_not_taken() -> None:
    """OP-12"""
    view = the_engines_view()
    at = view.status.at
    made = TradeRow(
        "t1", "vwap", SPY, SHARE, at - timedelta(minutes=9), Price(100 * SHARE), at, Price(98 * SHARE),
        ExitReason.STOP_LOSS, Money(-2 * SHARE), Money(0 * SHARE),
    )  # fmt: skip
    missed = ShadowRow("s1", "vwap", SPY, Side.BUY, SHARE, Price(100 * SHARE), "declined", "stop", Money(-41 * SHARE))
    full = replace(view, trades=(made,), shadows=(missed,))

    told = text(trade(full, "t1", at))
    assert "stop loss" in told
    assert "9:00" in told
    assert "▼ −2.00 USD" in told
    assert "▼ −41.00 USD" in text(trade(full, "s1", at))
    assert trade(full, "nothing", at) is None


async def test_why_tells_the_chain_from_bar_to_fill() -> None:
    """SP-01"""
    disk = Disk()
    async with open_desk(surroundings=disk) as house:
        disk.house = house
        await house.buys()
        order_id = house.facts(OrderFilled)[0].fill.client_order_id
        await house.press("3", "home", "w")
        await house.sees("Why ─ BUY 0.1 SPY limit 496.21", "SPY 10:23 New York closed at 496.21")
        await house.press("end")
        await house.until(lambda: house.shows(f"{order_id[:6]} filled 0.1 at 496.21") and not house.shows(order_id))


async def test_reading_the_journal_may_fail() -> None:
    """SP-06; and the help describes the pane"""
    disk = Disk(fails="2026-01-05.jsonl, line 7 is torn")
    async with open_desk(surroundings=disk) as house:
        await house.buys()
        screen = WhyScreen("x", "an order", disk.why)
        assert joined(screen._lines[0]) == READING

        await house.press("3", "w")
        await house.sees("the journal could not be read: 2026-01-05.jsonl, line 7 is torn")
        await house.press("escape")
        assert len(house.desk.screen_stack) == 1

        await house.pilot.resize_terminal(80, 24)
        await house.press("3", "question_mark")
        await house.sees("Help ─ orders", "The orders of today", "cancel")
        await house.sees("KEYTURN  PAPER", "ENTRIES ON")
        assert not house.shows("Ctrl+K or F10")
        await house.press("end")
        await house.sees("Ctrl+K or F10", "Ctrl+P finds every command")
        assert isinstance(house.desk.screen, HelpScreen)
        await house.press("slash", *"stop", "space", *"trail")
        await house.sees("1 of", "positions", "trailing stop")  # of every place, and no letter is a command
        await house.press("enter", "escape")
        await house.sees("Help ─ orders", "The orders of today")
        await house.press("escape")
        assert len(house.desk.screen_stack) == 1
