"""Data quality of bar files: missing bars, and price jumps that look like splits; every report lists them (AN-04)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.market.normaliser import Complete, Normaliser, Quarantined
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
"""New shares for one old share; the inverse ratio is a reverse split."""
CLOSE_TO = Decimal("0.02")
"""The tolerance of a split's ratio, as a fraction of it."""
NEAREST = SPLITS[0] * (1 - CLOSE_TO)


@dataclass(frozen=True, slots=True)
class Jump:
    """A bar whose open differs from the last close by the ratio of a split, such as `7 for 1`."""

    symbol: Symbol
    at: datetime
    before: Price
    opened: Price
    split: str


def not_measured(files: RegimeFiles) -> list[str]:
    """List the inputs of a desk that neither the bar files nor the files of daily figures contain."""
    vix = [] if files.vix else ["the VIX (--vix FILE)"]
    return vix if files.market else [*vix, "SPY's trend, and entries a day by its range (--market FILE)"]


def first_complete(feed: Iterable[Timed], calendar: Calendar) -> Bar | str:
    """Return the first bar of a file that a strategy would receive; without one, the first row's place and reason."""
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


def unreadable(feed: Iterable[Timed], calendar: Calendar) -> tuple[int, int, str]:
    """Return how many rows of a file are unusable, of how many, and the first one's place and reason.

    A sound bar outside of every session is not among them.
    """
    normaliser, broken, rows, first = Normaliser(calendar), 0, 0, ""
    for _, _, item in feed:
        rows += 1
        trouble = ""
        if isinstance(item, MarketDataBroken):
            trouble = f"{item.place}: {item.reason}"
        elif isinstance(item, BarArrived):
            judgement = normaliser.judge(item.bar, item.heard_at)
            if isinstance(judgement, Quarantined):
                trouble = f"{item.place}: {judgement.reason}"
            elif isinstance(judgement, Complete):
                normaliser.fold(item.bar)
        broken += bool(trouble)
        first = first or trouble
    return broken, rows, first


def missing(sessions: Iterable[Session], first: datetime, heard: Normaliser, is_daily: bool) -> dict[str, object]:
    """Count the expected bars from the first to the last one received, and the missing ones."""
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
    """Yield every bar at which the prices seem not to be split-adjusted."""
    before: Bar | None = None
    for _, _, item in feed:
        if not isinstance(item, BarArrived):
            continue
        bar = item.bar
        if before is not None and (split := _split(before.close, bar.open)):
            yield Jump(bar.symbol, bar.start, before.close, bar.open, split)
        before = bar


def _split(before: Price, opened: Price) -> str:
    """Return the split that explains the ratio of this close and open; empty if none does."""
    more, less = max(before, opened), min(before, opened)
    if more < less * NEAREST:
        return ""
    ratio = more / less
    named = next((plain(many) for many in SPLITS if abs(ratio - many) <= many * CLOSE_TO), "")
    return named and (f"{named} for 1" if before > opened else f"1 for {named}")


def splits(feed: Iterable[Timed], backtest: Backtest) -> list[dict[str, object]]:
    """Return each price jump as plain JSON, with the trades that were open across it, identified by their entry."""
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
