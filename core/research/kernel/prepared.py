"""Arrays that depend on the bars and on few settings: kept for the next run of a sweep on the same bars (AN-08)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars
from core.research.kernel.layout import Integers
from core.research.kernel.signals import Strategy
from core.research.kernel.sizes import Floats, average_ranges


@dataclass(frozen=True, slots=True)
class _Signals:
    """The last signals, and what they were made of: a strategy's terms, and each session's times."""

    terms: Sequence[object]
    times: Integers
    rows: Integers


class Prepared:
    """The bars of some runs, and what the last of them computed of the bars before it began."""

    def __init__(self, bars: KernelBars) -> None:
        self.bars = bars
        self._signals: _Signals | None = None
        self._averages: dict[int, Floats] = {}

    def signals(self, strategy: Strategy, sessions: Integers, windows: Integers) -> Integers:
        """Return the signals of each bar, those outside of the windows of entries taken away; read only."""
        times = np.vstack((windows, sessions[[reg.FLAT_FROM]]))
        terms, last = strategy.signal_terms, self._signals
        if last is not None and last.terms == terms and np.array_equal(last.times, times):
            return last.rows
        rows = np.zeros((reg.SIGNAL_SIZE, len(self.bars)), np.int64)
        is_sure = strategy.write_signals(self.bars, rows)
        flag(self.bars.columns, sessions, windows, rows)
        self._signals = _Signals(terms, times, rows) if terms and is_sure else None
        return rows

    def averages(self, over: int) -> Floats:
        """Return the desk's average range at each bar, as floats; read only."""
        if over not in self._averages:
            self._averages = {over: average_ranges(self.bars.columns, self.bars.clock[reg.DAY], over)}
        return self._averages[over]


@reg.compiled
def flag(bars: Integers, sessions: Integers, windows: Integers, signals: Integers) -> None:
    """Write whether a position must be flat from each bar on, and take away the entries outside of the windows."""
    for bar in range(bars.shape[1]):
        start, number = bars[reg.START, bar], bars[reg.SESSION, bar]
        if start >= sessions[reg.FLAT_FROM, number]:
            signals[reg.LATE, bar] = 1
            signals[reg.ENTERS, bar] = 0
        elif signals[reg.ENTERS, bar]:
            is_inside = False
            for row in range(0, windows.shape[0], 2):
                if windows[row, number] <= start <= windows[row + 1, number]:
                    is_inside = True
            if not is_inside:
                signals[reg.ENTERS, bar] = 0
