"""What the broker takes for its fills is a part of what a trade made."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.execution.ledger_state import LedgerState
from core.facts import OrderFilled, PositionCorrected, TradeClosed
from core.facts.registry import BY_TYPE
from core.model.order import Effect, Side
from core.model.values import Price, Quantity
from core.risk.protections.closed_trades import Direction, closed
from state.codec import decode
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY
from tests.unit.core.execution.books import Books, a_request


def a_trade(
    books: Books, paid: str, got: str, *, fee: str = "0.50", side: Side = Side.BUY, quantity: str = "10", name: str = ""
) -> None:
    """Opened and closed for ten shares."""
    opening, closing = (Effect.OPEN, Effect.CLOSE) if side is Side.BUY else (Effect.SHORT, Effect.COVER)
    entry = books.creates(a_request(f"in{name}", side, quantity, effect=opening))
    books.fills(entry, quantity, paid, fee=fee)
    leave = books.creates(a_request(f"out{name}", side.opposite, quantity, effect=closing))
    books.fills(leave, quantity, got, fee=fee)


@table("side paid got", (Side.BUY, "100", "100.08"), (Side.SELL, "100.08", "100"))
def test_fees_of_both_ways_count_in_profit(side: Side, paid: str, got: str) -> None:
    """AN-04, RK-04: 0.80 gained and 1.00 paid is a loss of 0.20."""
    books = Books()

    a_trade(books, paid, got, side=side)

    (trade,) = books.ledger.state.trades
    assert (trade.profit, trade.fees) == (Decimal("-0.20"), Decimal("1.00"))
    assert trade.slippage == 0
    assert books.ledger.result_of(THURSDAY, {}) == Decimal("-0.20")
    told = closed(trade, Direction.LONG if side is Side.BUY else Direction.SHORT)
    assert (told.profit, told.ratio < 0) == (Decimal("-0.20"), True)


def test_an_entry_fee_counts_on_its_own_day() -> None:
    """RK-03, ST-02: the money is gone when the fill is."""
    books = Books()
    entry = books.creates(a_request("in", Side.BUY, "10"))
    books.fills(entry, "10", "100", fee="0.50")
    opened = books.ledger.result_of(THURSDAY, {SPY: Price(Decimal(100))})
    half = books.creates(a_request("half", Side.SELL, "4"))
    books.fills(half, "4", "101", fee="0.20")

    position = books.ledger.position(SPY, "vwap")

    assert opened == Decimal("-0.50")
    assert position is not None
    assert position.fees == Decimal("0.70")
    assert books.ledger.result_of(THURSDAY, {SPY: Price(Decimal(100))}) == Decimal("3.30")


def test_a_fill_through_zero_splits_its_fee() -> None:
    """EX-08: eight close the long, two begin the short."""
    books = Books()
    entry = books.creates(a_request("in", Side.BUY, "8"))
    books.fills(entry, "8", "100", fee="0.80")
    through = books.creates(a_request("through", Side.SELL, "10"))
    books.fills(through, "10", "101", fee="1.00")

    (trade,), short = books.ledger.state.trades, books.ledger.position(SPY, "vwap")

    assert (trade.fees, trade.profit) == (Decimal("1.60"), Decimal("6.40"))
    assert short is not None
    assert (short.quantity, short.fees) == (-2, Decimal("0.20"))


def test_a_correction_keeps_what_was_paid() -> None:
    """EX-09"""
    books = Books()
    entry = books.creates(a_request("in", Side.BUY, "10"))
    books.fills(entry, "10", "100", fee="0.50")

    books.fold(PositionCorrected(SPY, Quantity(Decimal(9)), Price(Decimal(100)), "the broker has 9"))

    position = books.ledger.position(SPY, "vwap")
    assert position is not None
    assert position.fees == Decimal("0.50")


prices = st.decimals("90", "110", places=2).map(str)
fees = st.decimals("0", "3", places=2).map(str)


@settings(max_examples=20)
@given(st.lists(st.tuples(prices, prices, fees, st.sampled_from(Side)), min_size=1, max_size=6))
def test_profits_of_all_trades_are_the_money(trades: list[tuple[str, str, str, Side]]) -> None:
    """AN-04, EX-18"""
    books, money = Books(), Decimal(0)
    for number, (paid, got, fee, side) in enumerate(trades):
        a_trade(books, paid, got, fee=fee, side=side, name=str(number))
        money += (Decimal(got) - Decimal(paid)) * 10 * (1 if side is Side.BUY else -1) - 2 * Decimal(fee)

    assert sum(trade.profit for trade in books.ledger.state.trades) == money
    assert books.ledger.result_of(THURSDAY, {}) == money


def test_an_old_record_has_no_fee() -> None:
    """SP-07"""
    filled = (
        b'{"seq":1,"at":"2026-11-19T15:00:00Z","fact":"OrderFilled","v":1,"data":{"fill":{"execution_id":"x-1",'
        b'"client_order_id":"in","at":"2026-11-19T15:00:00Z","quantity":"10","price":"100"},"cumulative":"10",'
        b'"source":"stream","is_late":false},"sum":""}'
    )

    fact = decode(filled).fact

    assert isinstance(fact, OrderFilled)
    assert fact.fill.fee == 0
    assert TradeClosed in BY_TYPE
    assert LedgerState().closed_profit == 0
