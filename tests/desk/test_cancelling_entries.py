"""`x` and `X` in Orders: which entries are named, which are cancelled, and what is said of those that were faster."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.follow_ups import STAY
from console.screens.dialog import ArmedQuestion
from core.facts import CancelRequested, OrderStateChanged
from core.messages.commands import RequestCancel
from core.model.order import Effect, OrderStatus, OrderType, Side
from core.model.values import ClientOrderId, Price, Quantity
from core.views import OrderRow, RowMark
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import held_back
from tests.desk.still_house import a_view, an_order, open_still
from tests.desk.test_row_actions import has_a_working_entry, picture
from tests.desk.test_several_desks import eve, eve_takes
from tests.kit.stepped_engine import WiredHandle


def an_entry(number: int, symbol: str = "SPY", **parts: object) -> OrderRow:
    return an_order(number, symbol, is_entry=True, **parts)


def a_stop(number: int, symbol: str = "SPY", **parts: object) -> OrderRow:
    terms: dict[str, object] = {
        "side": Side.SELL, "effect": Effect.CLOSE, "type": OrderType.STOP, "limit_price": None,
        "stop_price": Price(Decimal("166.26")), "is_protective": True,
    }  # fmt: skip
    return an_order(number, symbol, **{**terms, **parts})


def shares(text: str) -> Quantity:
    return Quantity(Decimal(text))


def cancelled(*ids: str) -> list[RequestCancel]:
    return [RequestCancel(ClientOrderId(id)) for id in ids]


async def test_x_then_d_cancels_a_symbols_entries() -> None:
    """OP-04, OP-06: its stop stays where it is"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.buys()
        house.types_an_order(quantity="0.09", limit="495.00")
        await house.sees("1 waiting", "limit 495.00")
        await house.press("1")
        await house.opens_the_ticket()
        await house.press("B")
        await house.until(lambda: any(row.is_entry and row.status.is_working for row in picture(house).orders))
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        stop = picture(house).kill.stops_working[0].id
        await house.press("3", "home")

        await house.press("x")
        await house.until(lambda: house.is_armed() and house.shows("Cancel the entries of SPY?", "BUY 0.09 SPY limit"))
        assert "SELL" not in question(house)
        await house.press("D")

        await house.until(lambda: "1 entry cancelled" in house.footer())
        assert [row.id for row in picture(house).kill.stops_working] == [stop]
        assert stop not in {fact.client_order_id for fact in house.facts(CancelRequested)}


def question(house: House) -> str:
    """The lines of the question that is open."""
    screen = house.desk.screen
    assert isinstance(screen, ArmedQuestion)
    return "\n".join("".join(cell.text for cell in line) for line in screen.lines)


async def test_only_working_entries_are_named(snapshot: SnapshotAssertion) -> None:
    """OP-13: neither a stop nor a target, nor an exit that nothing is left for by now, whatever it would do"""
    stray = replace(a_stop(4), effect=Effect.SHORT, is_protective=False, type=OrderType.LIMIT)
    rows = (
        an_entry(1), an_entry(2, "IBM"), a_stop(3), stray, an_entry(5, status=OrderStatus.FILLED),
        an_entry(6, marks=(RowMark.TO_REPLACE,)),
        a_stop(7, type=OrderType.LIMIT, is_protective=False, is_paired=True),
    )  # fmt: skip
    async with open_still(a_view(orders=rows)) as house:
        sent = held_back(house, RequestCancel)
        await house.press("3", "home", "x")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        assert question(house) == snapshot
        await house.press("D")
        await house.until(lambda: sent)
        assert sent == cancelled("order-1")

        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("X")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        lines = "BUY 47 SPY limit 166.76", "BUY 47 IBM limit 166.76", STAY
        assert question(house) == "\n".join(lines)
        await house.press("D")
        await house.until(lambda: len(sent) == 3)
        assert sent[1:] == cancelled("order-1", "order-2")


async def test_escape_and_every_other_key_cancel_nothing() -> None:
    """OP-04: nor keys typed ahead"""
    async with open_still(a_view(orders=(an_entry(1),))) as house:
        sent = held_back(house, RequestCancel)
        await house.press("3", "home", "x", "D")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        await house.press("escape")
        await house.press("X")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        await house.press("x", "X", "d", "enter", "y", "space")
        await house.wait(0.4)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert not sent

        await house.shows_next(orders=(a_stop(1), an_entry(2, "IBM", status=OrderStatus.FILLED)))
        await house.press("home", "x")
        await house.until(lambda: "no entry of SPY works: there is nothing to cancel" in house.footer())
        await house.press("X")
        await house.until(lambda: "no entry works: there is nothing to cancel" in house.footer())
        assert len(house.desk.screen_stack) == 1


async def test_a_filled_entry_is_not_cancelled() -> None:
    """OP-06: nor is one that came since, which nobody has read"""
    first, second = an_entry(1), an_entry(2, quantity=shares("12"))
    async with open_still(a_view(orders=(first, second))) as house:
        sent = held_back(house, RequestCancel)
        await house.press("3", "home", "X")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        filled = replace(first, status=OrderStatus.FILLED, filled_quantity=first.quantity)
        await house.shows_next(orders=(filled, second, an_entry(3)))
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: sent)
        assert sent == cancelled("order-2")
        said = "asked to cancel 1 entry; BUY 47 SPY limit 166.76 is FILLED: not cancelled"
        await house.sees(said)

        gone = replace(second, status=OrderStatus.CANCELLED, filled_quantity=shares("5"))
        await house.shows_next(orders=(filled, gone, an_entry(3)))
        await house.sees("1 entry cancelled", "5 of BUY 12 SPY limit 166.76 filled before")


async def test_only_named_entries_are_cancelled() -> None:
    """OP-04"""
    entries = tuple(an_entry(number, quantity=shares(str(number))) for number in range(100, 160))
    async with open_still(a_view(orders=entries), size=(80, 24)) as house:
        sent = held_back(house, RequestCancel)
        await house.press("3", "home", "X")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        named = [row for row in entries if f"BUY {row.quantity} SPY" in house.picture()]
        assert 10 < len(named) < 60
        await house.until(lambda: house.shows(f"{60 - len(named)} more have no room here and stay"))
        await house.press("D")
        await house.until(lambda: sent)
        assert sent == cancelled(*(row.id for row in named))


async def test_a_watching_desk_may_cancel_entries() -> None:
    """OP-13: the question stays open on a desk that watches, and its key counts"""
    async with open_desk() as house:
        await has_a_working_entry(house)
        await eve_takes(house, await eve(house))
        await house.press("3", "home", "X")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion) and house.is_armed())
        await house.press("D")
        await house.until(lambda: "1 entry cancelled" in house.footer())
        ended = [fact for fact in house.facts(OrderStateChanged) if fact.after is OrderStatus.CANCELLED]
        assert len(ended) == 1


async def test_a_watching_desk_stages_nothing() -> None:
    """OP-13: each says who holds it"""
    async with open_desk() as house:
        await house.buys()
        await eve_takes(house, await eve(house))
        for pane, key in (("2", "h"), ("2", "b"), ("2", "v"), ("3", "d")):
            await house.press(pane, "home", *(["down"] if pane == "3" else []))
            house.desk.say("")
            await house.press(key)
            await house.sees("eve on pts/4 from 10.0.0.7 holds the key; T takes it")
            assert len(house.desk.screen_stack) == 1
        assert not house.facts(CancelRequested)
        await house.press("X")
        await house.until(lambda: "no entry works: there is nothing to cancel" in house.footer())
