"""What a key on a row asks for: a line to type where one is needed, the command that it sends, the words it says.

The commands whose engine is another room's are held back here, and read.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.screens.position_exits import CloseScreen, MoveStopScreen
from console.screens.ticket import TicketScreen
from core.facts import CancelRequested, OrderFilled, ProposalEnded
from core.messages.commands import (
    Decline,
    EditOrder,
    MoveStop,
    PauseStrategy,
    ProposeClose,
    RefuseSymbol,
    RequestCancel,
    ResumeStrategy,
)
from core.model.order import OrderStatus, StopHolder
from core.model.signal import ExitReason
from core.model.staging import GuardRefusal
from core.model.values import Price, Quantity, Symbol
from core.views import DeskView, OrderRow, PositionRow
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.hands import held_back
from tests.desk.still_house import a_position, a_strategy, a_view, an_exit, open_still
from tests.kit.stepped_engine import WiredHandle


def picture(house: House) -> DeskView:
    assert house.desk.view is not None
    return house.desk.view


def held(house: House) -> PositionRow:
    return picture(house).positions[0]


# ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_decline_takes_an_optional_reason() -> None:
    """OP-12, OP-04: Esc keeps the proposal, and OP-03: a key without a row hits no other"""
    async with open_desk() as house:
        sent = held_back(house, Decline)
        await house.press("2", "c")
        await house.sees("no row is selected")
        await house.press("1", "x", "X", "F", "q", "B")
        await house.sees("Decline ─ BUY to open 0.1 SPY", "XFqB▏")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert not sent
        assert not house.facts(ProposalEnded)

        await house.press("x", *"too late", "enter")
        await house.press("x", "enter")
        await house.until(lambda: len(sent) == 2)
        proposal = picture(house).proposals[0].id
        assert sent == [Decline(proposal, "too late"), Decline(proposal, "declined")]
        await house.until(lambda: "declined" in house.footer())


async def test_x_asks_before_it_refuses_a_symbol(snapshot: SnapshotAssertion) -> None:
    """RK-09"""
    async with open_desk() as house:
        sent = held_back(house, RefuseSymbol)
        await house.press("X")
        await house.until(lambda: house.shows("Not SPY today?", "until the next trading day") and house.is_armed())
        await house.press("enter", "y", "x")
        await house.wait(0.4)
        assert not sent
        await house.press("D")
        await house.until(lambda: sent)
        assert sent == snapshot


# ── positions ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_c_takes_shares_or_a_percentage() -> None:
    """EX-21, OP-04: what will be sold is spelled out before Enter"""
    rows = (
        ("100", "", None, "SELL 100 SPY, all of it"),
        ("100", "12", "12", "SELL 12 SPY, 88 of 100 stay"),
        ("100", "10", "10", "SELL 10 SPY, 90 of 100 stay"),
        ("100", "100", "100", "SELL 100 SPY, all of it"),
        ("100", "25%", "25", "SELL 25 SPY, 75 of 100 stay"),
        ("100", "100%", "100", "SELL 100 SPY, all of it"),
        ("100", "0.5", "0.5", "SELL 0.5 SPY, 99.5 of 100 stay"),
        ("100", ".5", "0.5", "SELL 0.5 SPY, 99.5 of 100 stay"),
        ("0.1", "0.025", "0.025", "SELL 0.025 SPY, 0.075 of 0.1 stay"),
        ("-40", "12", "12", "BUY to cover 12 SPY, 28 of 40 stay"),
        ("-5", "25%", "1", "BUY to cover 1 SPY, 4 of 5 stay"),
    )
    async with open_still(a_view(positions=(a_position("SPY"),))) as house:
        sent = held_back(house, ProposeClose)
        await house.press("2")
        for held, typed, shares, said in rows:
            sent.clear()
            row = a_position("SPY", quantity=Quantity(Decimal(held)))
            await house.shows_next(positions=(row,))
            await house.press("c", *keys(typed))
            side = "short" if held.startswith("-") else "long"
            await house.sees(f"Close ─ SPY, {held.removeprefix('-')} {side}", f"Enter stages {said}")
            assert not sent, said
            await house.press("enter", "escape")
            exactly = None if shares is None else Quantity(Decimal(shares))
            assert sent == [ProposeClose(SPY, quantity=exactly, strategy=row.strategy)], said


def keys(typed: str) -> list[str]:
    return [{".": "full_stop", "%": "percent_sign", "=": "equals_sign"}.get(key, key) for key in typed]


async def test_c_refuses_impossible_quantities() -> None:
    """EX-21"""
    rows = (
        ("100", "101", "100 SPY are held: no more can be closed"), ("100", "150%", "150 % is more than all of it"),
        ("100", "0", "a number of shares above zero"), ("100", "=3", "a number of shares above zero"),
        ("100", "1e2", "a number of shares above zero"), ("100", "%", "a number of shares above zero"),
        ("100", "12x", "a number of shares above zero"), ("100", "0.0004", "in steps of 0.001 shares"),
        ("-40", "0.5", "whole shares only"),
    )  # fmt: skip
    async with open_still(a_view(positions=(a_position("SPY"),))) as house:
        sent = held_back(house, ProposeClose)
        await house.press("2")
        for held, typed, why in rows:
            await house.shows_next(positions=(a_position("SPY", quantity=Quantity(Decimal(held))),))
            await house.press("c", *keys(typed), "enter")
            await house.sees(why, "Enter did nothing")
            await house.press("escape")
        assert not sent


async def test_a_close_needs_the_key_of_its_ticket() -> None:
    """OP-01, OP-07: and flatten works from every pane"""
    async with open_desk() as house:
        await house.buys()
        await house.press("2", "c", *keys("50%"), "enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.shows("0.05 SPY at the market"))
        await house.press("enter", "enter")
        await house.wait(0.4)
        assert len(house.facts(OrderFilled)) == 1
        await house.press("escape")
        for pane in ("1", "6"):
            house.desk.say("")
            await house.press(pane, "F")
            await house.until(lambda: "close" in house.footer() or "waits already" in house.footer())
        await house.sees("EXIT WAITS")


async def test_m_moves_a_stop_or_to_break_even() -> None:
    """OP-06: and shows no price of a stop that goes while the form is open"""
    async with open_desk() as house:
        await house.buys()
        sent = held_back(house, MoveStop)
        await house.press("2", "m")
        await house.sees("Move the stop ─ SPY 0.1", "stop now 494.72 USD", "last 496.21 USD")
        await house.press("enter")
        await house.sees("a price in USD for one share, 0 for break-even, or 1atr")
        await house.press(*"495.10", "enter")
        await house.until(lambda: sent)
        await house.press("escape")
        await house.press("m", "0")
        await house.sees("stop 496.21 USD, break-even", "it may act at once")
        await house.press("enter")
        await house.until(lambda: len(sent) == 2)
        await house.press("escape")
        prices = (Price(Decimal("495.10")), Price(Decimal("496.21")))
        assert sent == [MoveStop(SPY, "vwap", price) for price in prices]

        await house.press("m")
        await house.sees("stop now 494.72 USD")
        house.desk.handle.send(RequestCancel(picture(house).kill.stops_working[0].id))
        await house.sees("stop now none at the broker")
        assert not house.shows("494.72 USD")


async def has_lost_its_stop(house: House) -> None:
    await house.buys()
    house.desk.handle.send(RequestCancel(picture(house).kill.stops_working[0].id))
    await house.sees("YOU 0 of 0.1 !")


async def test_m_gives_a_position_a_stop() -> None:
    """OP-06"""
    async with open_desk(handled_by=WiredHandle) as house:
        await has_lost_its_stop(house)
        await house.press("2", "m", *"494.90")
        new = "Enter stages a new stop 494.90 USD for 0.1 that have none"
        await house.sees("A new stop ─ SPY 0.1", "none at the broker", new)
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
        await house.press("S")
        await house.until(lambda: house.shows("broker 0.1") and picture(house).kill.stops_working)
        (stop,) = picture(house).kill.stops_working
        assert (stop.stop_price, stop.quantity) == (Price(Decimal("494.90")), Quantity(Decimal("0.1")))


async def test_a_refused_stop_keeps_its_dialog() -> None:
    """OP-04: what is typed behind a refusal mends the line, and acts on no pane; the mended one gets its ticket"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.buys()
        await house.press("2", "m", *"498", "enter")
        await house.sees("stop 498 is on the wrong side of the market")
        await house.press("F", "S", "c")
        dialog = house.desk.screen
        assert isinstance(dialog, MoveStopScreen)
        assert dialog.fields[0].text == "FSc"
        assert not picture(house).proposals

        await house.press("ctrl+u", *"495.10", "enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
        await house.press("R")
        await house.until(lambda: picture(house).positions[0].stop_price == Price(Decimal("495.10")))


async def test_a_dialog_left_before_its_answer_opens_none() -> None:
    """OP-04: Esc was the answer; what was staged waits in Proposals"""
    async with open_still(a_view(positions=(a_position("SPY"),), proposals=())) as house:
        held_back(house, ProposeClose)
        await house.press("2", "c", "enter", "escape")
        await house.shows_next(proposals=(an_exit(exit_reason=ExitReason.MANUAL, quantity=Quantity(Decimal(47))),))
        await house.until(lambda: "waits in Proposals" in house.footer())
        assert len(house.desk.screen_stack) == 1

        await house.shows_next(proposals=())
        await house.press("c", "enter", "ctrl+k")
        await house.until(lambda: len(house.desk.screen_stack) > 2)  # over the dialog that asks
        await house.shows_next(proposals=(an_exit(exit_reason=ExitReason.MANUAL, quantity=Quantity(Decimal(47))),))
        dialog = house.desk.screen_stack[1]
        assert isinstance(dialog, CloseScreen)
        await house.until(lambda: not dialog.is_asking)
        assert not isinstance(house.desk.screen, TicketScreen)


async def test_m_says_who_has_the_stop_of_what() -> None:
    """OP-06"""
    part = a_position("SPY", quantity=Quantity(Decimal("0.1")), covered=Quantity(Decimal("0.025")))
    watched = a_position("SPY", holder=StopHolder.DESK, covered=Quantity(Decimal(0)))
    new = "Enter stages stop 165.90 USD", "and a new stop 165.90 USD for 0.075 that have none"
    rows = (
        (part, "165.90", ("stop now 166.26 USD", *new)),
        (watched, "", ("stop now none at the broker; manual stop at 166.26 USD", "last 167.00 USD")),
    )
    async with open_still(a_view(positions=(part,))) as house:
        await house.press("2")
        for row, typed, said in rows:
            await house.shows_next(positions=(row,))
            await house.press("m", *typed)
            await house.sees(*said)
            await house.press("escape")

        await house.shows_next(positions=(a_position("SPY", move_refusal=GuardRefusal.EXIT_WORKS),))
        await house.press("m")
        await house.until(lambda: "an exit of SPY is on its way" in house.footer())
        assert not isinstance(house.desk.screen, MoveStopScreen)


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def has_a_working_entry(house: House) -> OrderRow:
    """A limit below the market, confirmed."""
    house.desk.handle.send(Decline(picture(house).proposals[0].id, "for the test"))
    await house.until(lambda: not picture(house).proposals)
    house.types_an_order(quantity="0.09", limit="495.00")
    await house.sees("1 waiting", "limit 495.00")
    await house.press("1")
    await house.opens_the_ticket()
    await house.press("B")
    await house.until(lambda: any(row.status is OrderStatus.SUBMITTED for row in picture(house).orders))
    await house.until(lambda: len(house.desk.screen_stack) == 1)
    return picture(house).orders[0]


async def test_e_stages_a_replacement() -> None:
    """OP-03"""
    async with open_desk(handled_by=WiredHandle) as house:
        row = await has_a_working_entry(house)
        sent = held_back(house, EditOrder)
        await house.press("3", "home", "e", "enter")
        await house.sees("Edit ─ BUY to open SPY", "current order", "nothing is changed yet")
        await house.press(*"0.08", "tab", *"495.10", "enter")
        await house.until(lambda: sent)
        assert sent == [EditOrder(row.id, Quantity(Decimal("0.08")), Price(Decimal("495.10")), row.stop_price)]


async def test_d_cancels_an_entry_at_once() -> None:
    """OP-06"""
    async with open_desk() as house:
        await has_a_working_entry(house)
        await house.press("3", "home", "d")
        await house.until(lambda: house.facts(CancelRequested))
        await house.sees("CANCELLED")


async def test_e_and_d_refuse_what_is_over() -> None:
    """OP-06"""
    async with open_desk() as house:
        await house.buys()
        await house.press("3", "home", "e")
        await house.until(lambda: "this order is FILLED already" in house.footer())
        await house.press("d")
        await house.until(lambda: "this order is FILLED already; ↓ selects what works under it" in house.footer())
        await house.press("down", "e")
        await house.until(lambda: "a stop moves by m in Positions" in house.footer())


async def test_a_lists_refused_signals() -> None:
    """RK-22"""
    async with open_desk() as house:
        house.types_an_order(quantity="900")
        await house.until(lambda: picture(house).refusals)
        assert not house.shows("REFUSED")
        await house.press("3", "a")
        told = "REFUSED", "none today, 1 refused", "1 refused, at the end of the list"
        await house.sees(*told)
        await house.press("down", "end", "enter")
        await house.sees("what, and why", "not staged")
        await house.press("escape", "d")
        await house.until(lambda: "this was refused and never became an order" in house.footer())
        await house.press("a")
        await house.until(lambda: not house.shows("REFUSED"))


# ── strategies ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_declined_row_leaves_the_cursor_in_its_place() -> None:
    """OP-12: the neighbour is selected by the key that declined, never by a row that went by itself (OP-04)"""
    rows = tuple(an_exit(symbol) for symbol in ("AIG", "IBM", "SPY"))
    async with open_still(a_view(proposals=rows)) as house:
        held_back(house, Decline)
        grid = house.desk.board.panes["proposals"].grid
        await house.press("1", "home", "down", "x", "enter")
        await house.until(lambda: grid.selected == rows[2].id)
        await house.shows_next(proposals=(rows[0], rows[2]))
        assert grid.selected == rows[2].id
        await house.press("x", "enter")
        await house.until(lambda: grid.selected == rows[0].id)
        await house.shows_next(proposals=())
        await house.shows_next(proposals=(rows[1],))
        await house.shows_next(proposals=())
        assert grid.selected is None


async def test_space_pauses_a_strategy_on_all_its_symbols() -> None:
    """ST-09: `s` on the selected one alone; what is off, and another strategy, stays as it is"""
    each = [replace(a_strategy(), key=f"vwap/{one}", strategy="vwap", symbol=Symbol(one)) for one in ("SPY", "IBM")]
    other = replace(each[0], key="sma/SPY", strategy="sma")
    off = replace(each[0], key="vwap/AIG", symbol=Symbol("AIG"), is_off=True)
    async with open_still(a_view(strategies=(*each, off, other))) as house:
        sent = held_back(house, PauseStrategy, ResumeStrategy)
        await house.press("5", "home", "space")
        assert sent == [PauseStrategy("vwap", Symbol("SPY")), PauseStrategy("vwap", Symbol("IBM"))]
        sent.clear()
        await house.press("s")
        assert sent == [PauseStrategy("vwap", Symbol("SPY"))]
        sent.clear()
        paused = [replace(row, is_paused=True) for row in each]
        await house.shows_next(strategies=(paused[0], each[1], off, other))
        await house.press("space")
        assert sent == [PauseStrategy("vwap", Symbol("IBM"))]
        sent.clear()
        await house.shows_next(strategies=(*paused, off, other))
        await house.press("space")
        assert sent == [ResumeStrategy("vwap", Symbol("SPY")), ResumeStrategy("vwap", Symbol("IBM"))]
