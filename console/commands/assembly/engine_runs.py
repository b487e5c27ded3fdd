"""Run one backtest of a sweep on the engine: bars are read once, settings are an argument (AN-05).

`EngineRunner` is one implementation of `core.research.sweeps.results.Runner`; `KernelRunner` is another.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from console.commands.assembly.backtests import enabled_strategies, new_backtest
from console.commands.assembly.engines import strategy_kinds
from console.commands.assembly.host import Host
from console.commands.assembly.recordings import Recording, measured, of_symbols, recorded, symbol_in_name
from console.commands.assembly.settings import backtest_settings
from core.model.instrument import capitals
from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, plain
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.model.session import Session
    from core.model.staging import Proposal
    from core.research.sweeps.results import RunResult, Span
    from core.runtime.backtest import Backtest
    from core.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class BarFiles:
    """What all runs of a sweep share. The files are played together, on one account.

    Attributes
    ----------
    strategy
        The only strategy enabled; None leaves those of the settings.
    symbol
        The symbol of a file whose name does not begin with one.
    zone
        The time zone of times without one in the files; empty refuses them.
    """

    files: tuple[Path, ...]
    strategy: str | None
    symbol: str | None
    overrides: tuple[str, ...]
    has_frictions: bool
    seed: int
    vix: Path | None
    market: Path | None
    zone: str

    @property
    def every_file(self) -> tuple[Path, ...]:
        """The files of bars, and those of daily figures for the regime."""
        return (*self.files, *(path for path in (self.vix, self.market) if path is not None))

    @property
    def names(self) -> tuple[str, ...]:
        return () if self.strategy is None else (self.strategy,)

    def laid_over(self) -> tuple[str, ...]:
        """Return the settings over the operator's own. Raises `OperatorError`."""
        from core.settings.orders import BACKTEST_FRICTIONS, WITHOUT_FRICTIONS

        if self.symbol is not None and len(self.files) > 1:
            raise OperatorError("--symbol names the symbol of one file; rename the files, as in SPY_daily.csv")
        symbols = [capitals(self.symbol or symbol_in_name(path)) for path in self.files]
        if twice := next((symbol for symbol in symbols if symbols.count(symbol) > 1), None):
            raise OperatorError(f"two files are of {twice}; put their bars into one, or leave one out")
        return (
            *(BACKTEST_FRICTIONS if self.has_frictions else WITHOUT_FRICTIONS),
            of_symbols(symbols),
            *self.overrides,
        )


class EngineRunner:
    """Reads the bars when it is made; each call is a backtest on a new account. Raises `OperatorError`."""

    def __init__(self, environ: Mapping[str, str], bars: BarFiles) -> None:
        self._host = Host.of(environ)
        self._seed = bars.seed
        recording = recorded(self._host, bars.files, (), bars.laid_over(), backtest_settings, bars.names, bars.zone)
        self.recording = measured(recording, bars.vix, bars.market)
        gc.freeze()

    @property
    def days(self) -> tuple[date, ...]:
        """The trading days of the bars."""
        first, last = self.recording.first, self.recording.last
        return tuple(s.day for s in self.recording.calendar.sessions() if first < s.close and s.open <= last)

    @property
    def strategy(self) -> str:
        """The names of the enabled strategies."""
        return enabled_strategies(self.recording.settings)

    def __call__(self, settings: Settings, span: Span | None) -> RunResult:
        kinds = self.recording.kinds
        if any(settings.strategies.of(name).enabled for name in settings.strategies.own):
            kinds = strategy_kinds(
                self._host, settings, is_played=True
            )  # processes of their own, which end with the run
        recording = replace(self.recording, settings=settings, kinds=kinds)
        backtest, _journal = new_backtest(until(recording, span), self._seed, _wanted(recording, span))
        if not backtest.run(lambda _done, _whole: None):
            raise OperatorError(f"halted: {backtest.runtime.engine.disk_trouble}")
        result = _result(backtest)
        gc.collect()  # an engine is full of circles
        return result


def until(recording: Recording, span: Span | None) -> Recording:
    """Return the bars up to the end of the span's last day."""
    if span is None:
        return recording
    end = max(recording.calendar.venue.extended_span(session)[1] for session in sessions_of(recording, span))
    feeds = [[item for item in feed if item[0] <= end] for feed in recording.feeds]
    last = max(feed[-1][0] for feed in feeds if feed)
    return replace(recording, feeds=feeds, last=min(recording.last, last))


def _wanted(recording: Recording, span: Span | None) -> Callable[[Proposal], bool]:
    """Return which proposals are confirmed: exits, and entries whose signal is of the span."""
    if span is None:
        return lambda _proposal: True
    first = min(session.open for session in sessions_of(recording, span))
    return lambda proposal: proposal.is_exit or proposal.signal_time >= first


def sessions_of(recording: Recording, span: Span) -> list[Session]:
    return [session for session in recording.calendar.sessions() if span.first <= session.day <= span.last]


def _result(backtest: Backtest) -> RunResult:
    from core.research.sweeps.results import RunResult, closed_by_day
    from core.runtime.replay_report import open_positions

    runtime, closed = backtest.runtime, backtest.report.closed
    state, day_of = runtime.engine.state, runtime.engine.state.calendar.trading_day
    left = open_positions(state, runtime.exchange, runtime.at)
    at_last_quote = [Decimal(profit) for row in left if (profit := row["profit"]) is not None]
    days = tuple(each.day for each in backtest.series)
    held = [(day_of(trade.entry_time), day_of(trade.exit_time)) for trade in closed]
    return RunResult(
        profit=sum((*(trade.profit for trade in closed), *at_last_quote), ZERO),
        profits=" ".join(plain(trade.profit) for trade in closed if not trade.is_failed),
        open_profits=" ".join(map(plain, at_last_quote)),
        open_since=min((day_of(position.opened_at) for position in state.ledger.positions()), default=None),
        closed=closed_by_day(days[1:], (last for _, last in held)),
        overnight=tuple((first, last) for first, last in held if first != last),
        days=days,
        equity=array("d", [each.equity for each in backtest.series]),
        failed_profits=" ".join(plain(trade.profit) for trade in closed if trade.is_failed),
    )
