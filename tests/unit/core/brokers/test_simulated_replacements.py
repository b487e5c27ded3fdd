"""An order that takes another's place at the simulated exchange: as Alpaca has it, all at once or not at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.brokers.simulated.log import DamagedRecordError, decoded, encoded
from core.model.broker import Accepted, Refused
from core.model.codes import RefusalKind
from core.model.order import OrderRequest, OrderStatus, Side
from core.model.values import ClientOrderId
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import Floor, a_bar, an_order, at

INVALID = RefusalKind.UNPROCESSABLE
MISSING = RefusalKind.NO_SUCH_ORDER


def a_change(of: str, name: str, side: Side, quantity: str, **terms: str) -> OrderRequest:
    return replace(an_order(name, side, quantity, **terms), replaces=ClientOrderId(of))  # type: ignore[arg-type]


def a_floor_with_a_stop(quantity: str = "10", cash: int = 100_000) -> Floor:
    """Shares bought at the market, and their stop at 99.00."""
    floor = Floor(cash=Decimal(cash))
    floor.bars(a_bar("10:00", "100"), a_bar("10:01", "100"), a_bar("10:02", "100"))
    floor.buys("10:02:01", quantity)
    floor.sells("10:02:02", quantity, "stop", stop="99.00")
    floor.updates()
    return floor


def test_a_moved_stop_replaces_the_old_order() -> None:
    """EX-12, EX-01"""
    floor = a_floor_with_a_stop()

    answer = floor.exchange.replace(at("10:02:03"), a_change("stop", "moved", Side.SELL, "10", stop="99.50"))

    assert isinstance(answer, Accepted)
    old, new = floor.report("10:02:04", "stop"), floor.report("10:02:04", "moved")
    assert (old.raw_status, old.status) == ("replaced", OrderStatus.CANCELLED)
    assert (new.raw_status, new.stop_price, new.quantity) == ("new", Decimal("99.50"), 10)
    assert answer.report.broker_order_id == new.broker_order_id != old.broker_order_id
    assert floor.updates() == ["stop replaced 10:02:03", "moved new 10:02:03"]


def test_a_moved_stop_acts_at_its_new_price_only() -> None:
    """EX-12"""
    floor = a_floor_with_a_stop()
    floor.exchange.replace(at("10:02:03"), a_change("stop", "moved", Side.SELL, "10", stop="99.50"))

    floor.bars(a_bar("10:03", "100 100 98.00 98.00"))

    assert [quantity for quantity, _ in floor.fills("10:04", "moved")] == ["10"]
    assert floor.fills("10:04", "stop") == []
    assert floor.exchange.books(at("10:04")).positions == ()


def test_a_replaced_entry_reserves_only_its_new_cost() -> None:
    """EX-12, OP-03"""
    floor = Floor(cash=Decimal(10_000))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:01", "90", "entry", limit="95.00")

    answer = floor.exchange.replace(at("10:00:02"), a_change("entry", "edited", Side.BUY, "100", limit="96.00"))

    assert isinstance(answer, Accepted)
    assert floor.exchange.account(at("10:00:03")).buying_power == 10_000 - 9_600


def test_a_replacement_has_its_own_quantity() -> None:
    """EX-12: 10 of 30 were bought; the new order for 20 buys 20"""
    floor = Floor(participation=Decimal("0.1"))
    floor.bars(a_bar("10:00", "100", volume=100), a_bar("10:01", "100", volume=100))
    floor.buys("10:01:01", "30", "entry", limit="100.10")
    floor.exchange.advance(at("10:01:59"))
    filled = floor.report("10:01:59", "entry").filled_quantity

    floor.exchange.replace(at("10:01:59"), a_change("entry", "edited", Side.BUY, "20", limit="100.10"))

    assert filled == 10
    assert floor.report("10:01:59", "entry").filled_quantity == 10
    assert floor.report("10:01:59", "edited").quantity == 20


@table(
    "change expected",
    (a_change("nothing", "new", Side.SELL, "10", stop="99.50"), MISSING),
    (a_change("buy", "new", Side.BUY, "10", limit="99.50"), RefusalKind.NOT_WORKING),
    (a_change("stop", "stop", Side.SELL, "10", stop="99.50"), RefusalKind.DUPLICATE_ID),
    (a_change("stop", "new", Side.SELL, "10", stop="99.00"), RefusalKind.FORBIDDEN),
    (a_change("stop", "new", Side.SELL, "11", stop="99.50"), RefusalKind.INSUFFICIENT_SHARES),
    (a_change("stop", "new", Side.SELL, "9.5", stop="99.50"), INVALID),
    (a_change("stop", "new", Side.SELL, "10", stop="99.505"), INVALID),
    (a_change("stop", "new", Side.SELL, "10", limit="101.00"), INVALID),
    (a_change("stop", "new", Side.BUY, "10", stop="101.00"), INVALID),
    (an_order("new", Side.SELL, "10", stop="99.50"), MISSING),
)
def test_a_refused_replacement_keeps_the_old_order(change: OrderRequest, expected: RefusalKind) -> None:
    """EX-06, EX-12"""
    floor = a_floor_with_a_stop()
    before = floor.report("10:02:02", "stop")

    answer = floor.exchange.replace(at("10:02:03"), change)

    assert isinstance(answer, Refused)
    assert answer.kind is expected
    assert floor.report("10:02:04", "stop") == before
    assert floor.updates() == []


def test_a_moved_fractional_stop_keeps_its_quantity() -> None:
    """EX-12"""
    floor = a_floor_with_a_stop("0.5")

    answer = floor.exchange.replace(at("10:02:03"), a_change("stop", "moved", Side.SELL, "0.5", stop="99.50"))

    assert isinstance(answer, Accepted)


def test_a_replaced_order_cannot_be_cancelled() -> None:
    """EX-06"""
    floor = a_floor_with_a_stop()
    floor.exchange.replace(at("10:02:03"), a_change("stop", "moved", Side.SELL, "10", stop="99.50"))

    answer = floor.exchange.cancel(at("10:02:04"), ClientOrderId("stop"))

    assert isinstance(answer, Refused)
    assert "replaced" in answer.message
    assert floor.report("10:02:05", "moved").status is OrderStatus.SUBMITTED


def test_a_logged_replacement_round_trips() -> None:
    """EX-20"""
    floor = a_floor_with_a_stop()
    change = a_change("stop", "moved", Side.SELL, "10", stop="99.50")
    floor.exchange.replace(at("10:02:03"), change)

    record = floor.notebook.records[-1]

    assert encoded(decoded(record)) == record
    with pytest.raises(DamagedRecordError):
        decoded({**record, "replaces": None})
