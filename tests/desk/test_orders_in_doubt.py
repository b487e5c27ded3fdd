"""What nobody knows to be at the broker, on the screen: the row, the banner, the dialogs, and what there is to do."""

from __future__ import annotations

from decimal import Decimal
from threading import Event

from syrupy.assertion import SnapshotAssertion

from console.screens.desk_control import leaving_lines
from core.messages.effects import Effect, LookUpOrder, SubmitOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Refused
from core.model.codes import RefusalKind
from core.model.order import OrderStatus
from core.model.values import Quantity
from core.runtime.pending_requests import no_answer
from core.views import RowMark
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_position, a_view, an_order, open_still
from tests.desk.test_kill_screen_crowded import crowded
from tests.kit.stepped_engine import WiredHandle
from widgets.lines import joined
from widgets.pane import items_of

SIZES = [(80, 24), (120, 40)]


def loses(house: House, kind: str) -> None:
    """From now on no order of that type arrives, or is answered."""
    ask = house.runtime.ask

    def lost(effect: Effect) -> Input:
        is_it = isinstance(effect, SubmitOrder) and effect.order.type.value == kind
        return no_answer(effect, "the line broke") if is_it else ask(effect)

    house.runtime.ask = lost  # type: ignore[method-assign]


def holds_up(house: House) -> Event:
    """An order is on its way, and no look-up is answered, until the event is set."""
    ask, arrives, on_its_way = house.runtime.ask, Event(), list[Effect]()

    def held(effect: Effect) -> Input:
        if isinstance(effect, SubmitOrder) and effect.order.type.value == "limit":
            on_its_way.append(effect)
            return no_answer(effect, "the line broke")
        if isinstance(effect, LookUpOrder) and not arrives.is_set():
            return no_answer(effect, "the line broke")
        while on_its_way and arrives.is_set():
            ask(on_its_way.pop())
        return ask(effect)

    house.runtime.ask = held  # type: ignore[method-assign]
    return arrives


def refuses(house: House, kind: str) -> None:
    """The broker states a refusal of every order of that type."""
    ask = house.runtime.ask

    def refused(effect: Effect) -> Input:
        if isinstance(effect, SubmitOrder) and effect.order.type.value == kind:
            return SubmissionAnswered(
                effect.order.client_order_id, Refused(RefusalKind.FORBIDDEN, "not now", "40310000")
            )
        return ask(effect)

    house.runtime.ask = refused  # type: ignore[method-assign]


async def buys(house: House) -> None:
    await house.opens_the_ticket()
    await house.press("B")
    await house.until(lambda: house.desk.view is not None and house.desk.view.positions)
    await house.press("2")


async def test_a_stop_in_doubt_is_not_held() -> None:
    """EX-13, OP-06: row, banner, details and the leave dialog say the same"""
    async with open_desk((80, 24)) as house:
        loses(house, "stop")
        await buys(house)

        await house.until(lambda: house.shows("UNCOVERED SPY 0.1 stop in doubt: the broker is asked Orders shows it"))
        await house.until(lambda: house.shows("in doubt !"))
        assert not house.shows("broker 0.1")
        await house.press("2", "m")
        await house.until(lambda: "the stop of SPY is in doubt" in house.footer())
        await house.press("q")
        await house.until(lambda: house.shows("SPY 0.1: the stop of 0.1 is in doubt"))
        assert not house.shows("keeps stop")
        await house.press("escape", "enter")
        await house.until(lambda: house.shows("0 of 0.1, by orders", "in doubt: nobody knows"))
        assert not house.shows("the broker holds it")


async def test_an_entry_in_doubt_is_counted_as_such() -> None:
    """EX-06, OP-06: title, row, strip, status line and details; it works nowhere"""
    orders = (an_order(status=OrderStatus.PENDING, marks=(RowMark.IN_DOUBT,)), an_order(2))
    async with open_still(a_view(orders=orders), (80, 24)) as house:
        await house.press("3", "home")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("1 working, 1 in doubt", "IN DOUBT BUY 47 SPY", "Orders shows it", "3 Ord")
            assert not house.shows("PENDING")
            assert not house.shows("2 working")
        await house.press("enter")
        await house.until(lambda: house.shows("state PENDING", "nobody knows whether the broker has it"))
        assert not house.shows(", working")
    assert [item.count for item in items_of(a_view(orders=orders), [("orders", "3")])] == ["1!"]


async def test_a_close_in_doubt_is_in_the_banner() -> None:
    """EX-13, EX-21"""
    async with open_desk(handled_by=WiredHandle) as house:
        await buys(house)
        await house.until(lambda: house.shows("broker 0.1"))
        loses(house, "market")
        await house.press("c", "enter")
        await house.until(house.is_armed)
        await house.press("S")

        await house.until(lambda: house.shows("UNCOVERED SPY 0.1 exit in doubt: the broker is asked", "in doubt !"))
        await house.press("2", "m")
        await house.until(lambda: "the exit of SPY is in doubt" in house.footer())
        assert "on its way" not in house.footer()
        await house.press("enter")
        await house.until(lambda: house.shows("nothing at the broker", "nobody knows: an exit was sent"))


async def test_a_failed_close_is_announced() -> None:
    """EX-21: the broker refuses the sale; the stop is back, and the position is still there"""
    async with open_desk() as house:
        await buys(house)
        await house.until(lambda: house.shows("broker 0.1"))
        await house.press("c", "enter")
        await house.until(house.is_armed)
        refuses(house, "market")
        await house.press("S")

        await house.until(lambda: "close again: 0.1 SPY did not go through (not now" in house.footer())
        await house.until(lambda: house.shows("broker 0.1"))


async def test_a_crowded_banner_ends_with_what_to_do(snapshot: SnapshotAssertion) -> None:
    """DESK rule 2: thirty positions without a stop; some are named, the others counted"""
    async with open_still(crowded(), SIZES[0]) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.until(lambda: house.shows("UNCOVERED SYM00 47, "))
            (line,) = [line for line in house.picture().splitlines() if "UNCOVERED" in line]

            assert " more: no stop " in line
            assert line.rstrip() == snapshot


def test_leaving_separates_doubt_from_cover(snapshot: SnapshotAssertion) -> None:
    """OP-06, EX-13: two of 2.5 shares have their stop, and of the rest nobody knows"""
    quantity, covered, doubted = (Quantity(Decimal(text)) for text in ("2.5", "2", "0.5"))
    row = a_position(quantity=quantity, covered=covered, in_doubt=doubted, doubt="stop")

    said = " ".join(joined(line).strip() for line in leaving_lines(a_view(positions=(row,))))

    assert said == snapshot
    assert "keeps" not in said


async def test_a_refused_order_and_a_recovery_note_are_announced() -> None:
    """EX-06, SP-02: the log holds the note"""
    async with open_desk((80, 24)) as house:
        await house.opens_the_ticket()
        refuses(house, "limit")
        await house.press("B")
        await house.until(lambda: "REJECTED, BUY 0.1 SPY: not now" in house.footer())

        house.runtime.engine.say("documents.json: its checksum does not hold")
        await house.until(lambda: "its checksum does not hold; the log holds it" in house.footer())
        await house.press("6")
        await house.until(lambda: house.shows("note", "documents.json: its checksum does not hold"))


async def test_a_doubt_and_its_end_are_announced() -> None:
    """EX-06: the order arrived, its answer was lost, and the look-up tells of it."""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.opens_the_ticket()
        let_it_arrive = holds_up(house)
        await house.press("B")
        await house.until(lambda: "no answer to BUY 0.1 SPY: nobody knows yet whether it arrived" in house.footer())
        let_it_arrive.set()
        await house.until(lambda: "it is known now, BUY 0.1 SPY arrived: " in house.footer())
        assert "nobody knows" not in house.footer()
