"""The life of an order is one line of the log that grows; its steps are behind Enter, and its filter finds them all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.facts import OrderCreated
from core.model.order import Leg, LegRole, OrderStatus, OrderType, Side, StopHolder
from core.model.values import ClientOrderId, Price, Quantity
from core.views import LogRow, OrderRow
from core.views.rows import RowMark
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_protection, a_view, an_order, open_still, the_engines_view
from tests.desk.test_log import log_lines
from widgets.order_life import folded, life, short_id, short_ids

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


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (an_order(), "BUY 47 SPY 166.76 working"),
        (an_order(status=OrderStatus.PENDING), "BUY 47 SPY 166.76 is being sent"),
        (an_order(legs=LEGS), "BUY 47 SPY 166.76 working, stop 166.26 and target 168.00 wait for it"),
        (an_order(legs=LEGS[:1]), "BUY 47 SPY 166.76 working, stop 166.26 waits for it"),
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


def test_a_stop_works_where_it_is_this_orders_own_and_waits_no_more_where_all_is_over() -> None:
    terms: dict[str, Any] = {"side": Side.SELL, "type": OrderType.STOP, "limit_price": None, "stop_price": STOP}
    over = filled(legs=LEGS)
    stop, another = an_order(2, parent=over.id, **terms), an_order(3, parent=ClientOrderId("another"), **terms)
    assert life(over, (over, stop)) == "BUY 47 SPY 166.76 filled in 0.4 s, stop 166.26 working"
    assert life(over, (over, another)) == "BUY 47 SPY 166.76 filled in 0.4 s"


def test_the_steps_of_an_order_are_one_line_where_the_last_one_stands_with_the_number_of_the_first() -> None:
    rows = [a_row(1, ONE), a_row(2, None, "something else", "desk"), a_row(3, ONE, "filled 47", "fill")]
    other, line = folded(rows, (filled(id=ONE),))
    assert (other.row.text, other.id) == ("something else", "")
    assert (line.row.sequence, line.row.at, line.row.kind) == (1, rows[2].at, "fill")
    assert (line.row.text, line.id) == ("BUY 47 SPY 166.76 filled in 0.4 s", "012345")
    assert "a step" in line.words


def test_an_order_that_is_not_of_today_any_more_keeps_the_words_of_its_last_step() -> None:
    (line,) = folded([a_row(1, ONE), a_row(2, ONE, f"{ONE} SUBMITTED → FILLED")], ())
    assert line.row.text == f"{ONE} SUBMITTED → FILLED"
    assert short_ids(line.row.text) == "012345 SUBMITTED → FILLED"
    assert short_id(ClientOrderId("leg-000042-7")) == "0042-7"


async def test_a_purchase_is_one_line_and_enter_tells_its_steps() -> None:
    async with open_desk((120, 40)) as house:
        await house.buys()
        await house.press("6", "slash", *"filled buy", "enter")
        await house.until(lambda: len(log_lines(house)) == 1)
        (line,) = log_lines(house)
        (bought,) = (fact for fact in house.facts(OrderCreated) if fact.order.side is Side.BUY)
        assert "BUY 0.1 SPY 496.21 filled" in line
        assert bought.order.client_order_id not in line
        assert bought.order.client_order_id[:6] in line

        await house.press("escape", "slash", *"PENDING", "enter")
        await house.until(lambda: any("BUY 0.1 SPY 496.21 filled" in each for each in log_lines(house)))
        await house.press("home", "enter")
        await house.until(lambda: house.shows("Record", "PENDING → SUBMITTED"))


async def test_protections_that_are_calm_are_one_line_and_a_gives_each_its_own() -> None:
    near = a_protection("Positions", "0.8", measure="4 of 5")
    view = a_view(protections=(a_protection(), near, a_protection("Breaker")))
    async with open_still(view, (120, 40)) as house:
        await house.press("4")
        await house.sees("Positions", "4 of 5", "2 clear: Daily loss, Breaker")
        assert len(house.desk.board.panes["protections"].grid.window.rows) == 1
        await house.press("a")
        await house.until(lambda: len(house.desk.board.panes["protections"].grid.window.rows) == 3)
        assert not house.shows("clear:")
        await house.press("a")
        await house.sees("2 clear: Daily loss, Breaker")
        assert house.handle.commands == []


async def test_a_working_order_names_the_legs_that_wait_for_it() -> None:
    async with open_still(a_view(orders=(an_order(legs=LEGS),)), (120, 40)) as house:
        await house.press("3", "z")
        await house.sees("SUBMITTED, stop 166.26 and target 168.00 wait for it")
