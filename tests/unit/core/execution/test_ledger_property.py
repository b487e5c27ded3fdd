"""What must hold of the books whatever the broker fills."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as some

from core.model.instrument import Instrument, share
from core.model.order import Effect, Side, traded_in
from core.model.values import Price
from core.risk.protections.closed_trades import Direction, closed
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY
from tests.unit.core.execution.books import Books, a_request

quantities = some.integers(1, 50_000).map(lambda n: Decimal(n) / 1000)
prices = some.integers(1, 1_000_000).map(lambda n: Decimal(n) / 100)
fills = some.lists(some.tuples(some.sampled_from(Side), quantities, prices), min_size=1, max_size=30)


def booked(fills: list[tuple[Side, Decimal, Decimal]], instrument: Instrument | None = None) -> Books:
    books = Books()
    for number, (side, quantity, price) in enumerate(fills):
        effect = Effect.OPEN if side is Side.BUY else Effect.CLOSE
        request = a_request(f"order-{number}", side, str(quantity), effect=effect)
        order = books.creates(traded_in(instrument or share(SPY), request))
        books.fills(order, quantity, price)
        books.later(seconds=1)
    return books


def signed(side: Side, quantity: Decimal) -> Decimal:
    return quantity if side is Side.BUY else -quantity


@settings(max_examples=30)
@given(fills)
def test_a_position_is_the_sum_of_its_fills(fills: list[tuple[Side, Decimal, Decimal]]) -> None:
    """EX-05, EX-08"""
    books = booked(fills)

    assert books.ledger.net_quantity(SPY) == sum(signed(side, quantity) for side, quantity, _ in fills)


@settings(max_examples=30)
@given(some.lists(some.tuples(quantities, prices), min_size=1, max_size=30))
def test_the_average_of_purchases_is_exact(purchases: list[tuple[Decimal, Decimal]]) -> None:
    """EX-08"""
    books = booked([(Side.BUY, quantity, price) for quantity, price in purchases])

    position = books.ledger.position(SPY, "vwap")

    assert position is not None
    assert position.cost == sum(quantity * price for quantity, price in purchases)
    assert position.quantity == sum(quantity for quantity, _ in purchases)


@settings(max_examples=30)
@given(fills)
def test_a_trades_profit_is_the_money_moved(fills: list[tuple[Side, Decimal, Decimal]]) -> None:
    """EX-05, EX-18: from flat to flat, to the last digit."""
    net = sum(signed(side, quantity) for side, quantity, _ in fills)
    if net:
        fills = [*fills, (Side.SELL if net > 0 else Side.BUY, abs(net), Decimal("123.45"))]
    books = booked(fills)
    money = sum((Fraction(-signed(side, quantity) * price) for side, quantity, price in fills), Fraction(0))

    assert books.ledger.positions() == ()
    assert sum((Fraction(trade.profit) for trade in books.ledger.state.trades), Fraction(0)) == money


@settings(max_examples=30)
@given(some.lists(quantities, min_size=2, max_size=20), some.data())
def test_an_average_cost_stays_within_its_fills(sizes: list[Decimal], data: some.DataObject) -> None:
    """EX-08: the average stays between the cheapest and the dearest purchase, however much of it is sold again."""
    books = Books()
    paid: list[Decimal] = []
    for number, size in enumerate(sizes):
        price = data.draw(prices)
        paid.append(price)
        books.fills(books.creates(a_request(f"buy-{number}", Side.BUY, str(size))), size, price)
        part = data.draw(some.integers(0, 9)) * size / 10
        if part:
            books.fills(books.creates(a_request(f"sell-{number}", Side.SELL, str(part))), part, data.draw(prices))

    position = books.ledger.position(SPY, "vwap")

    assert position is not None
    tolerance = Decimal("1e-15")
    assert min(paid) * (1 - tolerance) <= position.average_price <= max(paid) * (1 + tolerance)


@settings(max_examples=30)
@given(fills)
def test_a_multiplier_of_100_scales_all_money(fills: list[tuple[Side, Decimal, Decimal]]) -> None:
    """EX-08, EX-18: average prices are the same, every sum of money is a hundred times a share's"""
    ones, hundreds = booked(fills), booked(fills, Instrument(SPY, multiplier=Decimal(100)))
    of_ones, of_hundreds = ones.ledger.positions(), hundreds.ledger.positions()
    last = {SPY: Price(Decimal("123.45"))}

    assert [100 * p.cost for p in of_ones] == [p.cost for p in of_hundreds]
    assert [p.average_price for p in of_ones] == [p.average_price for p in of_hundreds]
    assert [100 * p.profit(last[SPY]) for p in of_ones] == [p.profit(last[SPY]) for p in of_hundreds]
    assert 100 * ones.ledger.result_of(THURSDAY, last) == hundreds.ledger.result_of(THURSDAY, last)
    for one, hundred in zip(ones.ledger.state.trades, hundreds.ledger.state.trades, strict=True):
        assert (100 * one.profit, 100 * one.slippage) == (hundred.profit, hundred.slippage)
        assert (one.entry_price, one.exit_price) == (hundred.entry_price, hundred.exit_price)
        assert closed(one, Direction.LONG).ratio == closed(hundred, Direction.LONG).ratio
