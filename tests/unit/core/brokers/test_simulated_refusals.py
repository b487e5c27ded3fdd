"""What the simulated exchange refuses, as a table: the order, and the kind of the answer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.broker import Accepted, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.instrument import WHOLE_ONES, BrokerInstrument, NoInstrument
from core.model.order import Effect, OrderRequest, Side, TimeInForce
from core.model.values import ClientOrderId, Fraction, Price, Symbol
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, Floor, a_bar, an_order, at

WHOLE = Symbol("WHOLE")
HALTED = Symbol("HALTED")
HARD = Symbol("HARD")
SILENT = Symbol("SILENT")
INVALID = RefusalKind.UNPROCESSABLE
NOT_ENOUGH = RefusalKind.INSUFFICIENT_BUYING_POWER
BUY, SELL = Side.BUY, Side.SELL
SHORT, CLOSE, COVER, OPEN = Effect.SHORT, Effect.CLOSE, Effect.COVER, Effect.OPEN

LISTED = {
    SPY: BrokerInstrument(SPY),
    WHOLE: BrokerInstrument(WHOLE, lots=WHOLE_ONES),
    HALTED: BrokerInstrument(HALTED, is_tradable=False),
    HARD: BrokerInstrument(HARD, is_shortable=False),
    SILENT: BrokerInstrument(SILENT),
}


def a_floor(multiplier: int = 2) -> Floor:
    floor = Floor(LISTED, cash=Decimal(10_000), multiplier=Decimal(multiplier))
    floor.bars(*(a_bar("10:00", "100", symbol=symbol) for symbol in (SPY, WHOLE, HALTED, HARD)))
    return floor


@table(
    "order expected",
    (an_order("x", BUY, "1", symbol=Symbol("NOPE")), RefusalKind.NOT_TRADABLE),
    (an_order("x", BUY, "1", symbol=HALTED), RefusalKind.NOT_TRADABLE),
    (an_order("x", BUY, "0"), INVALID),
    (an_order("x", BUY, "-1"), INVALID),
    (an_order("x", BUY, "NaN"), INVALID),
    (an_order("x", BUY, "0.5", symbol=WHOLE), INVALID),
    (an_order("x", BUY, "0.0005"), INVALID),
    (an_order("x", BUY, "0.5", time_in_force=TimeInForce.GTC, limit="100.00"), INVALID),
    (an_order("x", BUY, "0.5", time_in_force=TimeInForce.IOC), INVALID),
    (an_order("x", BUY, "1", limit="99.995"), INVALID),
    (an_order("x", BUY, "1", stop="101.001"), INVALID),
    (an_order("x", BUY, "1", limit="0.12345"), INVALID),
    (an_order("x", BUY, "1", limit="-1"), INVALID),
    (an_order("x", BUY, "1", stop="101", time_in_force=TimeInForce.IOC), INVALID),
    (an_order("x", BUY, "1", symbol=SILENT), INVALID),
    (an_order("x", SELL, "0.5", effect=SHORT), INVALID),
    (an_order("x", SELL, "1", symbol=HARD, effect=SHORT), RefusalKind.NOT_SHORTABLE),
    (an_order("x", BUY, "201", limit="100.00"), NOT_ENOUGH),
    (an_order("x", BUY, "200"), NOT_ENOUGH),
    (an_order("x", SELL, "201", limit="100.00", effect=SHORT), NOT_ENOUGH),
)
def test_the_exchange_says_no_and_keeps_nothing(order: OrderRequest, expected: RefusalKind) -> None:
    """EX-06, EX-11"""
    floor = a_floor()

    answer = floor.exchange.submit(at("10:00:05"), order)

    assert isinstance(answer, Refused)
    assert answer.kind is expected
    assert floor.exchange.order(at("10:00:06"), order.client_order_id) == NotFound()
    assert floor.updates() == []
    assert len(floor.notebook.records) == 1


@table(
    "order",
    an_order("x", BUY, "200", limit="100.00"),
    an_order("x", BUY, "0.001"),
    an_order("x", BUY, "0.5", limit="99.00"),
    an_order("x", BUY, "0.5", stop="101.00"),
    an_order("x", BUY, "1", limit="0.1234"),
    an_order("x", BUY, "1", limit="99.990"),
    an_order("x", BUY, "1", symbol=SILENT, limit="5.00"),
    an_order("x", SELL, "1", effect=SHORT),
    an_order("x", BUY, "1", time_in_force=TimeInForce.GTC, stop="101.00"),
)
def test_the_exchange_takes_what_its_rules_allow(order: OrderRequest) -> None:
    """EX-11"""
    assert isinstance(a_floor().exchange.submit(at("10:00:05"), order), Accepted)


@table(
    "held order",
    (None, an_order("x", SELL, "1", effect=CLOSE)),
    (None, an_order("x", SELL, "1", effect=CLOSE, stop="99.00")),
    (None, an_order("x", BUY, "1", effect=COVER)),
    (BUY, an_order("x", SELL, "1", effect=SHORT)),
    (BUY, an_order("x", BUY, "1", effect=COVER)),
    (SELL, an_order("x", BUY, "1", effect=OPEN)),
    (SELL, an_order("x", SELL, "1", effect=CLOSE)),
)
def test_an_order_with_another_effect_than_its_own_is_refused(held: Side | None, order: OrderRequest) -> None:
    """EX-11: as Alpaca refuses another `position_intent`"""
    floor = a_floor()
    if held is not None:
        (floor.buys if held is BUY else floor.sells)("10:00:04", "10", "held")

    answer = floor.exchange.submit(at("10:00:05"), order)

    assert isinstance(answer, Refused)
    assert answer.kind is INVALID
    assert floor.exchange.order(at("10:00:06"), order.client_order_id) == NotFound()


def test_an_id_is_good_for_one_order_ever() -> None:
    """EX-04, EX-06"""
    floor = a_floor()
    floor.buys("10:00:05", "1")

    answer = floor.buys("10:00:06", "2")

    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.DUPLICATE_ID
    assert floor.report("10:00:07", "buy").quantity == 1


def test_a_price_foreign_to_the_type_is_refused(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    limit_and_stop = replace(an_order("x", BUY, "1", limit="99.00"), stop_price=Price(Decimal("101.00")))

    answer = a_floor().exchange.submit(at("10:00:05"), limit_and_stop)

    assert answer == Refused(RefusalKind.UNPROCESSABLE, snapshot)


def test_what_the_broker_knows_of_a_symbol() -> None:
    """EX-11"""
    exchange = a_floor().exchange

    third = Fraction(Decimal("0.3"))
    assert exchange.instrument(SPY) == BrokerInstrument(SPY, long_requirement=third, short_requirement=third)
    assert isinstance(exchange.instrument(Symbol("NOPE")), NoInstrument)
    assert Floor().exchange.instrument(Symbol("ANY")) == BrokerInstrument(Symbol("ANY"))


def test_an_unwritable_log_lets_nothing_happen() -> None:
    """SP-06"""
    floor = a_floor()

    def fail(record: object) -> None:
        raise OSError("disk full")

    floor.notebook.append = fail  # type: ignore[method-assign]

    with pytest.raises(OSError, match="disk full"):
        floor.buys("10:00:05", "1")
    assert floor.exchange.order(at("10:00:06"), ClientOrderId("buy")) == NotFound()
    assert floor.exchange.last_at is None
