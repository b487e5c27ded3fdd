"""Read a past trade or day from a journal for an agent, while the engine runs or not (OP-09, AN-06)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from core import facts
from core.model.bar import Bar
from core.model.instrument import capitals
from core.model.position import Trade
from core.model.text_sanitizer import harmless
from core.model.values import Symbol
from core.ports import OperatorError
from core.reports.agent_explained import ToldTo, Values, day_as_told, trade_as_told
from state.journal import days_of
from state.past_days import day_named, explained, records_of

LONGEST_SHOWN = 40
HOW = "give the first characters of its entry or exit order, or a symbol for its last trade"


def minutes_for(folder: Path, symbol: Symbol, days: int, to: ToldTo) -> list[Bar]:
    """Return a symbol's minutes of the last days that have any, oldest first.

    Raises OperatorError: the agent may not see the symbol, or the journal has no minute of it.
    """
    if symbol not in to.symbols:
        raise OperatorError(f"you may ask for {', '.join(sorted(to.symbols))}; {_shown(symbol)} is not among them")
    found: list[list[Bar]] = []
    for day in reversed(days_of(folder)):
        facts_of_bars = (record.fact for record in records_of(folder, [day], (facts.BarClosed,)))
        bars = [each.bar for each in facts_of_bars if isinstance(each, facts.BarClosed) and each.bar.symbol == symbol]
        found += [bars] if bars else []
        if len(found) == days:
            break
    if not found:
        raise OperatorError(f"the journal has no minutes of {_shown(symbol)}; ask for a symbol that the desk follows")
    return [bar for bars in reversed(found) for bar in bars]


def trade_for(folder: Path, which: str, to: ToldTo) -> Values:
    """Return the figures of a closed trade, by the beginning of one of its order ids, or a symbol's last trade.

    Raises OperatorError: the agent's symbols have no such trade.
    Raises JournalError: the journal cannot be read.
    """
    closed = _closed(folder, which, to.symbols)
    found, _ = explained(folder, str(closed.exit_order))
    told = trade_as_told(found, to)
    if told is None:
        raise OperatorError(f"the journal has no figures of {closed.exit_order}; see explain_day")
    return told


def _closed(folder: Path, which: str, symbols: Collection[Symbol]) -> Trade:
    """Return the newest trade that is meant. Raises `OperatorError`."""
    for day in reversed(days_of(folder)):
        trades = [
            record.fact.trade
            for record in records_of(folder, [day], (facts.TradeClosed,))
            if isinstance(record.fact, facts.TradeClosed) and record.fact.trade.symbol in symbols
        ]
        for trade in reversed(trades):
            if which and (_is_symbol_of(which, trade) or which in _beginnings(trade, len(which))):
                return trade
    raise OperatorError(f"no closed trade of {', '.join(sorted(symbols))} is meant by '{_shown(which)}': {HOW}")


def _is_symbol_of(which: str, trade: Trade) -> bool:
    """Whether this is the trade's symbol, in any letter case; a letter that only looks like one of A-Z is none."""
    return capitals(which) == trade.symbol


def _shown(text: str) -> str:
    return " ".join(harmless(text[:LONGEST_SHOWN]).split())


def _beginnings(trade: Trade, length: int) -> tuple[str, str]:
    return str(trade.entry_order)[:length], str(trade.exit_order)[:length]


def day_for(folder: Path, day: str, to: ToldTo) -> Values:
    """Return the figures of a day, as 2026-11-19; of the journal's last day if empty. Raises as `trade_for` does."""
    found, _ = explained(folder, day_named(day).isoformat() if day else None)
    return day_as_told(found, to)
