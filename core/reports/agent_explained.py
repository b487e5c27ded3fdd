"""What an agent is told of a past trade or day: figures of `keyturn explain`, of its symbols (OP-09, AN-06).

An agent that is not told amounts gets prices, times and reasons, and no quantity, value, profit or equity. Texts of the
log are left out: they may hold either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from core.analytics.equity import Part
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import ZERO, Symbol, plain
from core.post_mortem.day_attribution import DayExplained
from core.post_mortem.missed_trades import LetGo
from core.post_mortem.page import cents, checks_of
from core.post_mortem.post_mortem import PostMortem, TradeExplained
from core.post_mortem.trade_attribution import intended

Values: TypeAlias = dict[str, Any]
"""A JSON object."""

MOST_LINES = 20
LONGEST_LINE = 200
FRACTION = Decimal("0.000001")
OTHERS = "other symbols"
"""The name of all parts of a day that are not of the agent's symbols."""


@dataclass(frozen=True, slots=True)
class ToldTo:
    """What the agent may be told."""

    symbols: Collection[Symbol]
    hides_amounts: bool


def trade_as_told(found: PostMortem, to: ToldTo) -> Values | None:
    """Return the first trade of the agent's symbols; None if there is none."""
    trade = next((each for each in found.trades if each.story.trade.symbol in to.symbols), None)
    return None if trade is None else _trade(trade, to)


def day_as_told(found: PostMortem, to: ToldTo) -> Values:
    """Return the days with their trades and missed entries."""
    trades = [each for each in found.trades if each.story.trade.symbol in to.symbols]
    missed = [each for each in found.let_go if each.proposal.symbol in to.symbols]
    return {
        "days": [_day(day, to) for day in found.days],
        "trades": [_head(trade, to) for trade in trades],
        "not_taken": [_missed(each, to) for each in missed],
    }


def _head(told: TradeExplained, to: ToldTo) -> Values:
    trade, sign = told.story.trade, 1 if told.story.is_long else -1
    moved = sign * (trade.exit_price - trade.entry_price) / trade.entry_price if trade.entry_price else ZERO
    amounts = {"quantity": plain(trade.quantity), "profit": cents(trade.profit)}
    return {
        "symbol": trade.symbol,
        "strategy": trade.strategy,
        "side": "long" if told.story.is_long else "short",
        "entry_order": trade.entry_order,
        "exit_order": trade.exit_order,
        "entered": trade.entry_time.isoformat(),
        "left": trade.exit_time.isoformat(),
        "entry_price": plain(trade.entry_price),
        "exit_price": plain(trade.exit_price),
        "profit_fraction": plain(moved.quantize(FRACTION)),
        "reason": trade.exit_reason.value,
        **({} if to.hides_amounts else amounts),
    }


def _trade(told: TradeExplained, to: ToldTo) -> Values:
    return {**_head(told, to), "fills": list(_fills(told, to)), **({} if to.hides_amounts else _amounts(told))}


def _fills(told: TradeExplained, to: ToldTo) -> Iterator[Values]:
    for fill in told.story.fills:
        amounts = {"quantity": plain(fill.quantity), "fee": plain(fill.fee)}
        yield {
            "at": fill.at.isoformat(),
            "side": "bought" if fill.sign > 0 else "sold",
            "price": plain(fill.price),
            "intended": plain(intended(fill)),
            **({} if to.hides_amounts else amounts),
        }


def _amounts(told: TradeExplained) -> Values:
    return {
        "parts": _parts(told.split.parts),
        "best": None if told.best is None else cents(told.best),
        "worst": None if told.worst is None else cents(told.worst),
        "not_known": _lines(told.split.unknown),
        "checks": _lines(checks_of(told)),
        "missing_minutes": told.missing,
    }


def _day(day: DayExplained, to: ToldTo) -> Values:
    head: Values = {"day": day.day.isoformat(), "is_provisional": day.is_provisional}
    if to.hides_amounts:
        return head
    mine = [part for part in day.parts if _symbol_of(part) in to.symbols]
    others = [part.amount for part in day.parts if _symbol_of(part) not in to.symbols]
    rows = [*_parts(mine), *([{"name": OTHERS, "amount": cents(sum(others, ZERO))}] if others else [])]
    figures = {"opening": day.opening, "closing": day.closing, "equity_change": day.change, "rest": day.rest}
    return {**head, **{name: None if each is None else cents(each) for name, each in figures.items()}, "parts": rows}


def _symbol_of(part: Part) -> str:
    """Return the symbol of a day's part, whose name is `SPY vwap`."""
    return part.name.partition(" ")[0]


def _missed(each: LetGo, to: ToldTo) -> Values:
    made = None if each.would_have_made is None else cents(each.would_have_made)
    return {
        "at": HOME.local(each.record.at).isoformat(),
        "symbol": each.proposal.symbol,
        "strategy": each.proposal.strategy,
        "end": each.end,
        "state": each.state.value,
        **({} if to.hides_amounts else {"would_have_made": made}),
    }


def _parts(parts: Iterable[Part]) -> list[Values]:
    return [{"name": part.name, "amount": cents(part.amount)} for part in parts]


def _lines(lines: Iterable[str]) -> list[str]:
    """Return the first lines, and how many there are more."""
    found = [line[:LONGEST_LINE] for line in lines]
    more = [f"{len(found) - MOST_LINES} more; `keyturn explain` has them"] if len(found) > MOST_LINES else []
    return [*found[:MOST_LINES], *more]
