"""The life of an order is one line of the log that grows; its steps are behind Enter, and its filter finds them all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from syrupy.assertion import SnapshotAssertion

from core.facts import OrderCreated
from core.model.order import Leg, LegRole, OrderStatus, OrderType, Side, StopHolder
from core.model.values import ClientOrderId, Price, Quantity
from core.views import LogRow, OrderRow
from core.views.rows import RowMark
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_protection, a_view, an_order, open_still, the_engines_view
from tests.desk.test_log import log_lines
from tests.kit.rows import each
from widgets.format import short_id, short_ids
from widgets.log import folded, life

AT = the_engines_view().status.at
STOP, TARGET = Price(Decimal("166.26")), Price(Decimal("168.00"))
LEGS = (Leg(LegRole.STOP, stop_price=STOP), Leg(LegRole.TARGET, limit_price=TARGET))
ONE = ClientOrderId("0123456789abcdef")


def a_row(number: int, order: ClientOrderId | None, text: str = "a step", kind: str = "order", **parts: Any) -> LogRow:
    return LogRow(number, AT + timedelta(seconds=number), kind, text, order=order, **parts)


def filled(**parts: Any) -> OrderRow:
    terms: dict[str, Any] = {
        "status": OrderStatus.FILLED,
        "filled_quantity": Quantity(Decimal(47)),
        "average_price": Price(Decimal("166.76")),
        "ended_at": AT + timedelta(seconds=0.4),
    }
    return an_order(**{**terms, **parts})


@each(
    ("order", "words"),
    [
        (an_order(), "BUY 47 SPY 166.76 working"),
        (an_order(status=OrderStatus.PENDING), "BUY 47 SPY 166.76 is being sent"),
        (an_order(legs=LEGS), "BUY 47 SPY 166.76 working, stop 166.26 and target 168.00 activate on fill"),
        (an_order(legs=LEGS[:1]), "BUY 47 SPY 166.76 working, stop 166.26 activates on fill"),
        (an_order(stop_by_desk=StopHolder.DESK), "BUY 47 SPY 166.76 working, this desk keeps its stop"),
        (an_order(marks=(RowMark.IN_DOUBT,)), "BUY 47 SPY 166.76 in doubt"),
        (filled(), "BUY 47 SPY 166.76 filled in 0.4 s"),
        (filled(average_price=Price(Decimal("166.70"))), "BUY 47 SPY 166.76 filled at 166.70 in 0.4 s"),
        (
            an_order(
                status=OrderStatus.PARTIALLY_FILLED,
                filled_quantity=Quantity(Decimal(7)),
                average_price=Price(Decimal("166.76")),
            ),
            "BUY 47 SPY 166.76 7 filled, working",
        ),
        (
            an_order(status=OrderStatus.REJECTED, reason="insufficient buying power", ended_at=AT, legs=LEGS),
            "BUY 47 SPY 166.76 REJECTED: insufficient buying power",
        ),
        (
            an_order(status=OrderStatus.CANCELLED, outcome="CANCELLED by you", ended_at=AT),
            "BUY 47 SPY 166.76 CANCELLED by you",
        ),
        (an_order(type=OrderType.MARKET, limit_price=None), "BUY 47 SPY market working"),
    ],
)
def test_a_life_says_what_it_is_how_it_stands_and_who_holds_its_stop(order: OrderRow, words: str) -> None:
    assert life(order, (order,)) == words


def test_a_finished_order_names_its_own_stop(snapshot: SnapshotAssertion) -> None:
    terms: dict[str, Any] = {"side": Side.SELL, "type": OrderType.STOP, "limit_price": None, "stop_price": STOP}
    over = filled(legs=LEGS)
    stop, another = an_order(2, parent=over.id, **terms), an_order(3, parent=ClientOrderId("another"), **terms)
    assert life(over, (over, stop)) == snapshot
    assert life(over, (over, another)) == snapshot


GUARD: dict[str, Any] = {
    "side": Side.SELL, "type": OrderType.STOP, "limit_price": None, "stop_price": STOP, "is_protective": True,
}  # fmt: skip
GAIN: dict[str, Any] = {"side": Side.SELL, "limit_price": TARGET, "is_paired": True}


@each(
    ("entry", "leg", "words"),
    [
        (
            an_order(legs=LEGS[:1]),
            {"marks": (RowMark.HELD,)},
            "BUY 47 SPY 166.76 working, stop 166.26 activates on fill",
        ),
        (filled(), {}, "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 working"),
        (filled(), {"status": OrderStatus.PENDING}, "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 is being sent"),
        (filled(), {"marks": (RowMark.IN_DOUBT,)}, "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 in doubt"),
        (
            filled(),
            {"marks": (RowMark.CANCELLING,)},
            "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 working, cancelling",
        ),
        (filled(), {"quantity": Quantity(Decimal(7))}, "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 for 7 working"),
        (
            filled(),
            {"status": OrderStatus.CANCELLED, "outcome": "CANCELLED by you"},
            "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 CANCELLED by you",
        ),
        (
            filled(),
            {"status": OrderStatus.FILLED, "average_price": Price(Decimal("166.25"))},
            "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 filled at 166.25",
        ),
    ],
)
def test_a_stop_is_said_to_work_only_where_it_stands_at_its_holder(
    entry: OrderRow, leg: dict[str, Any], words: str
) -> None:
    stop = an_order(2, parent=entry.id, **{**GUARD, **leg})
    assert life(entry, (stop, entry)) == words


def test_legs_wait_until_the_entry_is_filled(snapshot: SnapshotAssertion) -> None:
    part: dict[str, Any] = {"status": OrderStatus.PARTIALLY_FILLED, "filled_quantity": Quantity(Decimal(7))}
    entry = an_order(legs=LEGS, average_price=Price(Decimal("166.76")), **part)
    legs = [an_order(n, parent=entry.id, marks=(RowMark.HELD,), **each) for n, each in enumerate((GUARD, GAIN), 2)]
    assert life(entry, (*legs, entry)) == snapshot


def test_the_stop_that_took_anothers_place_is_the_one_that_works(snapshot: SnapshotAssertion) -> None:
    over = filled()
    moved = an_order(2, parent=over.id, **{**GUARD, "status": OrderStatus.CANCELLED, "outcome": "REPLACED by order-3"})
    stop = an_order(3, parent=over.id, **{**GUARD, "stop_price": Price(Decimal("166.50"))})
    assert life(over, (stop, moved, over)) == snapshot


def test_an_orders_steps_are_one_log_line(snapshot: SnapshotAssertion) -> None:
    rows = [a_row(1, ONE), a_row(2, None, "something else", "desk"), a_row(3, ONE, "filled 47", "fill")]
    other, line = folded(rows, (filled(id=ONE),))
    assert (other.row.text, other.id) == ("something else", "")
    assert (line.row.sequence, line.row.at, line.row.kind) == (1, rows[2].at, "fill")
    assert (line.row.text, line.id) == snapshot
    assert "a step" in line.words


def test_an_old_order_keeps_its_last_words(snapshot: SnapshotAssertion) -> None:
    (line,) = folded([a_row(1, ONE), a_row(2, ONE, f"{ONE} SUBMITTED → FILLED")], ())
    assert line.row.text == f"{ONE} SUBMITTED → FILLED"
    assert short_ids(line.row.text) == snapshot
    assert short_id(ClientOrderId("leg-000042-7")) == "0042-7"


async def test_protections_that_are_calm_are_one_line_and_a_gives_each_its_own() -> None:
    """As the legs of an order that works, which wait for it."""
    near = a_protection("Positions", "0.8", measure="4 of 5")
    protections = (a_protection(), near, a_protection("Breaker"))
    async with open_still(a_view(protections=protections, orders=(an_order(legs=LEGS),)), (120, 40)) as house:
        await house.press("4")
        await house.sees("Positions", "4 of 5", "2 clear: Daily loss, Breaker")
        assert len(house.desk.board.panes["protections"].grid.window.rows) == 1
        await house.press("a")
        await house.until(lambda: len(house.desk.board.panes["protections"].grid.window.rows) == 3)
        assert not house.shows("clear:")
        await house.press("a")
        await house.sees("2 clear: Daily loss, Breaker")
        assert house.handle.commands == []
        await house.press("3", "z")
        await house.sees("1 working, 2 legs waiting", "└ stop 166.26 · target 168.00 activate on fill")


async def test_an_entry_with_its_stop_is_one_log_line(snapshot: SnapshotAssertion) -> None:
    """Proposal, ticket, order, fill, position and stop are one story; nothing of it is lost, Enter tells its steps"""
    async with open_desk((200, 60)) as house:
        await house.buys()
        await house.until(lambda: house.shows("BUY 0.1 SPY 496.21 filled in 0.0 s, stop 494.72 working"))
        view = house.desk.view
        assert view is not None
        lines = folded(view.log, view.orders)
        (line,) = [line for line in lines if line.row.source == "vwap"]
        assert line.row.text == snapshot
        story = [row for row in view.log if row.story == line.row.story]
        kinds = ("proposal", "ticket", "order", "fill", "position")
        assert {row.kind for row in story} == {*kinds}
        for row in story:
            assert row.text in line.words
        assert story[0].text == snapshot

        await house.press("6", "slash", *"filled buy", "enter")
        await house.until(lambda: len(log_lines(house)) == 1)
        (shown,) = log_lines(house)
        (bought,) = (fact for fact in house.facts(OrderCreated) if fact.order.side is Side.BUY)
        assert shown == snapshot
        assert bought.order.client_order_id not in shown
        assert bought.order.client_order_id[:6] in shown
        await house.press("enter")
        await house.until(lambda: house.shows("Record", "source vwap", "34 checks pass"))

        await house.press("escape", "escape", "slash", *"PENDING", "enter")
        await house.until(lambda: any("BUY 0.1 SPY 496.21 filled" in each for each in log_lines(house)))
        await house.press("home", "enter")
        await house.until(lambda: house.shows("Record", "PENDING → SUBMITTED"))


def test_a_refusal_has_a_line_of_its_own_whatever_its_proposal_came_to(snapshot: SnapshotAssertion) -> None:
    rows = [
        a_row(1, None, "vwap: BUY 47 SPY", "proposal", story="p", source="vwap"),
        a_row(2, None, "ticket 1 refused: the price moved", "ticket", level="WARN", source="vwap"),
        a_row(3, None, "ticket 2 confirmed", "ticket", story="p", source="vwap"),
        a_row(4, ONE, "PENDING", story="p", source="vwap"),
    ]
    refused, line = folded(rows, (an_order(id=ONE),))
    assert refused.row.text == snapshot
    assert (line.row.sequence, line.row.text) == snapshot


def test_an_ended_proposal_is_one_log_line(snapshot: SnapshotAssertion) -> None:
    rows = [
        a_row(1, None, "vwap: BUY 47 SPY", "proposal", story="p"),
        a_row(2, None, "ticket 1: 34 checks pass", "ticket", story="p"),
        a_row(3, None, "BUY 47 SPY declined: not now", "proposal", story="p"),
        a_row(4, None, "ticket 1 closed", "ticket", story="p"),
    ]
    (line,) = folded(rows, ())
    assert (line.row.sequence, line.row.kind, line.row.text) == snapshot
    assert "34 checks pass" in line.words
