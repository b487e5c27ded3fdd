"""A split at the simulated exchange: what becomes of its orders, and when it is listed, are choices."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import Enum

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.values import Price, Quantity, Symbol


class Fate(Enum):
    """What the broker does with the orders of a symbol that is split."""

    SURVIVE = "survive"
    ADJUSTED = "adjusted"
    """Quantity and prices by the ratio."""
    QUANTITY = "quantity alone"
    """As Alpaca was reported to do with legs: the price stays that of an old share."""
    CANCELLED = "cancelled"


def splits(exchange: SimulatedExchange, at: datetime, symbol: Symbol, new: int, old: int, fate: Fate) -> Decimal:
    """Give `new` shares for `old` ones, and a fraction of one in cash; return the shares that came or went."""
    exchange.advance(at)
    ledger, ratio = exchange._ledger, Decimal(new) / old
    before = ledger.quantity(symbol)
    exact = before * new / old
    whole = exact.to_integral_value(ROUND_DOWN) if before == before.to_integral_value() else exact
    ledger._split(at, symbol, ratio)
    holding = ledger._holdings[symbol]
    ledger.cash += holding.cost * (exact - whole) / exact
    holding.cost -= holding.cost * (exact - whole) / exact
    holding.quantity = whole
    _reprices_the_last_bar(exchange, symbol, ratio)
    for order in list(exchange._book.working.get(symbol, ())):
        if fate is Fate.CANCELLED:
            exchange.cancel(at, order.request.client_order_id)
        elif fate is not Fate.SURVIVE:
            quantity = Quantity((order.request.quantity * new / old).to_integral_value(ROUND_DOWN))
            order.request = replace(order.request, quantity=quantity)
            if fate is Fate.ADJUSTED:
                stop, limit = order.request.stop_price, order.request.limit_price
                order.request = replace(
                    order.request,
                    stop_price=None if stop is None else _cents(stop * old / new),
                    limit_price=None if limit is None else _cents(limit * old / new),
                )
            exchange._book._has_changed(order)
    return whole - before


def lists_the_split(exchange: SimulatedExchange, at: datetime, symbol: Symbol, came: Decimal) -> None:
    """Its activity is listed from here on."""
    day = exchange._calendar.trading_day(at)
    told = Activity(ActivityId(""), day, ActivityKind.SPLIT, symbol=symbol, quantity=Quantity(came), words="split")
    exchange._ledger._activities._tell(told)


def _reprices_the_last_bar(exchange: SimulatedExchange, symbol: Symbol, ratio: Decimal) -> None:
    market = exchange._market
    bar = market.bars[symbol]
    prices = {name: _cents(getattr(bar, name) / ratio) for name in ("open", "high", "low", "close")}
    market.bars[symbol] = replace(bar, **prices)
    market._paths.pop(symbol, None)
    market.quotes.pop(symbol, None)


def _cents(price: Decimal) -> Price:
    return Price(price.quantize(Decimal("0.01")))


def becomes(
    exchange: SimulatedExchange, at: datetime, symbol: Symbol, to: Symbol, fate: Fate, new: int = 1, old: int = 1
) -> None:
    """Turn the shares of a symbol into shares of another, with a fraction of one in cash; the orders have that fate."""
    exchange.advance(at)
    ledger, ratio = exchange._ledger, Decimal(new) / old
    held = ledger._holdings.pop(symbol)
    exact = held.quantity * new / old
    whole = exact.to_integral_value(ROUND_DOWN) if held.quantity == held.quantity.to_integral_value() else exact
    cost = held.cost * whole / exact
    ledger.cash += held.cost - cost
    ledger._receive(at, to, whole, cost / whole)
    bars = exchange._market.bars
    bars[to] = replace(bars[symbol], symbol=to)
    _reprices_the_last_bar(exchange, to, ratio)
    for order in list(exchange._book.working.get(symbol, ())):
        if fate is Fate.CANCELLED:
            exchange.cancel(at, order.request.client_order_id)


def pays_out(exchange: SimulatedExchange, at: datetime, symbol: Symbol, cash: Decimal, fate: Fate) -> None:
    """Let the shares of a symbol leave for so much a share, or for nothing; the orders have that fate."""
    exchange.advance(at)
    ledger = exchange._ledger
    ledger.cash += ledger._holdings.pop(symbol).quantity * cash
    for order in list(exchange._book.working.get(symbol, ())):
        if fate is Fate.CANCELLED:
            exchange.cancel(at, order.request.client_order_id)
