"""Build a strategy's day: realized profit, open positions, and the shadow results of entries not taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from core.model.position import Position, Trade
from core.model.values import NO_MONEY, ZERO, Money, Price
from core.risk.shadow_trades import ShadowTrade
from core.trading_state.state import TradingState
from core.views import ResultRow, ShadowRow


def shadow_rows(state: TradingState, today: date) -> tuple[ShadowRow, ...]:
    """Return the rows, newest first."""
    return tuple(_shadow(shadow) for shadow in reversed(state.shadows.of_day(today)))


def result_rows(
    state: TradingState, today: date, trades: Iterable[Trade], prices: Iterable[tuple[Position, Price]]
) -> tuple[ResultRow, ...]:
    """Return a row per strategy: running ones, then all that traded, hold or declined today.

    `trades` are today's; `prices` is the current price per share of each position, USD.
    """
    closed, held, shadows = list(trades), list(prices), state.shadows.of_day(today)
    of_today = state.results.state.days.get(today)
    realised = {} if of_today is None else of_today.closed
    names = dict.fromkeys(runner.strategy.name for runners in state.orchestrator.runners.values() for runner in runners)
    names |= dict.fromkeys(realised) | dict.fromkeys(
        [t.strategy for t in closed] + [p.strategy for p, _ in held] + [s.strategy for s in shadows]
    )
    return tuple(
        _result(
            name,
            [t for t in closed if t.strategy == name],
            realised[name].realised if name in realised else NO_MONEY,
            [(p, price) for p, price in held if p.strategy == name],
            [s for s in shadows if s.strategy == name],
        )
        for name in names
    )


def _result(
    name: str,
    trades: list[Trade],
    realised: Money,
    held: list[tuple[Position, Price]],
    shadows: list[ShadowTrade],
) -> ResultRow:
    known = [shadow.result for shadow in shadows if shadow.result is not None]
    return ResultRow(
        strategy=name,
        trades=len(trades),
        wins=sum(1 for trade in trades if trade.profit > 0 and not trade.is_failed),
        realised=realised,
        unrealised=_sum(position.profit(price) for position, price in held),
        declined=len(shadows),
        shadow=_sum(known) if known else None,
        failed=sum(trade.is_failed for trade in trades),
        in_part=sum(position.left > 0 for position, _ in held),
    )


def _sum(amounts: Iterable[Decimal]) -> Money:
    return Money(sum(amounts, ZERO))


def _shadow(shadow: ShadowTrade) -> ShadowRow:
    return ShadowRow(
        key=shadow.key,
        strategy=shadow.strategy,
        symbol=shadow.symbol,
        side=shadow.side,
        quantity=shadow.quantity,
        entry_price=shadow.entry_price,
        end=shadow.end,
        state=shadow.course.value,
        result=shadow.result,
    )
