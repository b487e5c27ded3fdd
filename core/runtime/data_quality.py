"""What a file of bars lacks, and where its prices jump as at a split: what every report of it must say (AN-04)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.market.normaliser import Complete, Normaliser
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import ONE_MINUTE, Bar
from core.model.calendar import Calendar
from core.model.session import Session
from core.model.values import Price, Symbol, plain
from core.runtime.backtest import Backtest
from core.runtime.feed import Timed
from core.runtime.regime_feed import RegimeFiles
from core.runtime.replay_report import iso

SPLITS = tuple(Decimal(many) for many in (2, 3, 4, 5, 7, 10, 20))
"""Shares that one share becomes; the other way round it is a reverse split."""
CLOSE_TO = Decimal("0.02")
"""Of the ratio: how far a jump may be from that of a split."""
NEAREST = SPLITS[0] * (1 - CLOSE_TO)


@dataclass(frozen=True, slots=True)
class Jump:
    """A bar that opens as far from the close before as a split would have it, which is named `7 for 1`."""

    symbol: Symbol
    at: datetime
    before: Price
    opened: Price
    split: str


def not_measured(files: RegimeFiles) -> list[str]:
    """Of what a desk looks at: what no file of bars tells, and no file of daily figures told."""
    vix = [] if files.vix else ["the VIX (--vix FILE)"]
    return vix if files.market else [*vix, "SPY's trend, and entries a day by its range (--market FILE)"]


def first_complete(feed: Iterable[Timed], calendar: Calendar) -> Bar | str:
    """The first bar of a file that a strategy would be shown; where there is none, the first row's place and reason."""
    normaliser, reason = Normaliser(calendar), "it has no row"
    for number, (_, _, item) in enumerate(feed):
        place, why = "", ""
        if isinstance(item, BarArrived):
            judgement = normaliser.judge(item.bar, item.heard_at)
            if isinstance(judgement, Complete):
                return item.bar
            place, why = item.place, judgement.reason
        elif isinstance(item, MarketDataBroken):
            place, why = item.place, item.reason
        if number == 0:
            reason = f"the first, {place}: {why}"
    return reason


def missing(sessions: Iterable[Session], first: datetime, heard: Normaliser, is_daily: bool) -> dict[str, object]:
    """How many bars there would be from the start of the first to that of the last heard, and how many were not."""
    last = max(heard.state.last_starts.values(), default=first)
    spans = [
        ONE_MINUTE if is_daily else min(session.close, last + ONE_MINUTE) - max(session.open, first)
        for session in sessions
        if first < session.close and session.open <= last
    ]
    expected = sum(spans, timedelta()) // ONE_MINUTE
    lacking = max(expected - heard.state.complete, 0)
    return {"unit": "sessions" if is_daily else "minutes", "missing": lacking, "of": expected}


def jumps(feed: Iterable[Timed]) -> Iterator[Jump]:
    """Every bar of a file at which its prices seem not to be adjusted."""
    before: Bar | None = None
    for _, _, item in feed:
        if not isinstance(item, BarArrived):
            continue
        bar = item.bar
        if before is not None and (split := _split(before.close, bar.open)):
            yield Jump(bar.symbol, bar.start, before.close, bar.open, split)
        before = bar


def _split(before: Price, opened: Price) -> str:
    """The split that would make this open of that close; empty where none would."""
    more, less = max(before, opened), min(before, opened)
    if more < less * NEAREST:
        return ""
    ratio = more / less
    named = next((plain(many) for many in SPLITS if abs(ratio - many) <= many * CLOSE_TO), "")
    return named and (f"{named} for 1" if before > opened else f"1 for {named}")


def splits(feed: Iterable[Timed], backtest: Backtest) -> list[dict[str, object]]:
    """Each jump of the prices as plain JSON, with the trades that were open over it, by when they were entered."""
    return [
        {
            "time": iso(jump.at),
            "symbol": jump.symbol,
            "close_before": plain(jump.before),
            "open": plain(jump.opened),
            "split": jump.split,
            "held_over": list(_held_over(jump, backtest)),
        }
        for jump in jumps(feed)
    ]


def _held_over(jump: Jump, backtest: Backtest) -> Iterator[dict[str, object]]:
    for trade in backtest.report.trades:
        entered, left = (datetime.fromisoformat(str(trade[name])) for name in ("entry_time", "exit_time"))
        if trade["symbol"] == jump.symbol and entered < jump.at <= left:
            yield {name: trade[name] for name in ("entry_time", "exit_time", "profit")}
    for position in backtest.runtime.engine.state.ledger.positions_in(jump.symbol):
        if position.opened_at < jump.at:
            yield {"entry_time": iso(position.opened_at), "exit_time": None, "profit": None}
