"""Run one backtest of a sweep on the compiled research kernel (AN-08): bars are read once, settings are an argument.

`KernelRunner` is a `core.research.sweeps.results.Runner` with the results of `EngineRunner`; it rejects by name what it
does not model.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from console.commands.assembly.engine_runs import BarFiles, EngineRunner, sessions_of, until
from core.model.lazy_dataclass import dataclass
from core.model.values import plain
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.model.session import Calendar
    from core.research.kernel.inputs import KernelBars
    from core.research.kernel.prepared import Prepared
    from core.research.kernel.runs import KernelRun
    from core.research.sweeps.results import RunResult, Span
    from core.settings.settings import Settings

ENGINE, KERNEL = "engine", "kernel"
"""What a sweep may run on."""
INSTEAD = "run it on the engine, without --on kernel"


def require_runner(on: str) -> None:
    """Refuse another runner, and the kernel without its library. Raises `OperatorError`."""
    if on not in (ENGINE, KERNEL):
        raise OperatorError(f"--on {on}: one of {ENGINE}, {KERNEL}")
    if on == KERNEL and find_spec("numba") is None:
        raise OperatorError("--on kernel: numba is not installed; run: pip install 'keyturn[research]'")


@dataclass(frozen=True, slots=True)
class ReadBars:
    """All bars of the files as arrays, for processes that need not read them again."""

    bars: KernelBars
    calendar: Calendar


def read_bars(engine: EngineRunner) -> ReadBars:
    """Return the bars that a runner on the engine has read."""
    from core.research.kernel.inputs import bars_of

    recording = engine.recording
    bars = bars_of(recording.feeds, recording.calendar, is_daily=recording.is_daily)
    return ReadBars(bars, recording.calendar)


class KernelRunner:
    """Each call is a backtest on a new account. Raises `OperatorError`.

    Parameters
    ----------
    read
        The bars; None reads the files. A part of the days reads them in any case, once.
    """

    def __init__(self, environ: Mapping[str, str], files: BarFiles, read: ReadBars | None = None) -> None:
        self._environ, self._files = environ, files
        self._read = read_bars(self._engine) if read is None else read
        self._parts: dict[Span | None, Prepared] = {}

    @cached_property
    def _engine(self) -> EngineRunner:
        return EngineRunner(self._environ, self._files)

    def __call__(self, settings: Settings, span: Span | None) -> RunResult:
        from core.research.kernel.runs import played

        since = None if span is None else min(s.open for s in sessions_of(self._engine.recording, span))
        prepared = self._bars_until(span)
        run = played(settings, prepared, since=since)
        return _result(run, prepared.bars, float(settings.exchange.cash), self._read.calendar)

    def require(self, settings: Settings) -> None:
        """Refuse settings that the kernel does not model, each by its name. Raises `OperatorError`."""
        from core.research.kernel.house import strategy_of
        from core.research.kernel.refusals import refusal

        if names := refusal(settings, self._read.bars, strategy_of(settings).name):
            raise OperatorError(f"--on kernel: {'; '.join(names)}; {INSTEAD}")

    def _bars_until(self, span: Span | None) -> Prepared:
        from core.research.kernel.inputs import bars_of
        from core.research.kernel.prepared import Prepared

        if span not in self._parts:
            bars = self._read.bars
            if span is not None:
                part = until(self._engine.recording, span)
                bars = bars_of(part.feeds, part.calendar, is_daily=part.is_daily)
            self._parts[span] = Prepared(bars)
        return self._parts[span]


def _day_before(calendar: Calendar, first: date) -> date:
    """Return the day of the session before a session's day, as a backtest's series begins with it."""
    from core.model.session import Session
    from core.runtime.backtest import LONGEST_PAUSE

    earlier = (first - timedelta(days=back) for back in range(1, LONGEST_PAUSE + 1))
    return next((day for day in earlier if isinstance(calendar.session_on(day), Session)), first - timedelta(days=1))


def _result(run: KernelRun, bars: KernelBars, cash: float, calendar: Calendar) -> RunResult:
    from core.research.kernel.inputs import days_of
    from core.research.kernel.layout import ENTERED_AT, LEFT_AT, MONEY_UNITS
    from core.research.sweeps.results import RunResult

    firsts, lasts = (days_of(bars, run.trade_rows[:, column]) for column in (ENTERED_AT, LEFT_AT))
    closed = [0] * len(run.days)
    for day in lasts:
        closed[day] += 1
    profits = run.profits
    return RunResult(
        profit=sum(profits, run.open_profit),
        profits=" ".join(map(plain, profits)),
        open_profits="" if run.open_since is None else plain(run.open_profit),
        open_since=None if run.open_since is None else calendar.trading_day(run.open_since),
        closed=array("i", closed),
        overnight=tuple((run.days[a], run.days[b]) for a, b in zip(firsts, lasts, strict=True) if a != b),
        days=(_day_before(calendar, run.days[0]), *run.days),
        equity=array("d", [cash, *(run.equity_units / MONEY_UNITS).tolist()]),
    )
