"""A strategy given as arrays: on each bar an entry with its limit, stop and target, and an exit (AN-08).

The kernel reads the arrays; the engine plays the same arrays through a strategy in its own process, for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.order import StopHolder
from core.model.signal import Answer, EntrySignal, ExitReason
from core.model.values import SUB_PENNY, ZERO, Price, Quantity
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars, moment
from core.research.kernel.layout import Integers
from core.research.kernel.signals import Leaving, Plan
from core.research.kernel.sizes import RANGE_BARS
from core.risk.sizing import WantedEntry, size_of
from core.strategies.base import NO_SETUP, ZERO_SIZE, Context, Figures, leaving, not_now, shut
from core.strategies.builtin import StrategyKind

QUANTITY_STEP = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class ArrayStrategy:
    """Arrays of a bar each; prices in 1/10,000 USD, on their tick.

    Attributes
    ----------
    name
        A name of the user's strategies, with a table in the settings.
    enters, leaves
        1 where it would enter, and where it would leave what it holds; else 0.
    limits, stops, targets
        Of an entry; a target of 0 is none.
    """

    name: str
    enters: Integers
    leaves: Integers
    limits: Integers
    stops: Integers
    targets: Integers

    @property
    def leaving(self) -> Leaving:
        """Nothing of the position's own."""
        return Leaving()

    @property
    def signal_terms(self) -> Sequence[object]:
        """Nothing: the signals are given."""
        return ()

    def write_signals(self, bars: KernelBars, signals: Integers) -> bool:
        """Write where it enters and leaves."""
        signals[reg.ENTERS], signals[reg.LEAVES] = self.enters, self.leaves
        return True

    def plan(self, bars: KernelBars, bar: int) -> Plan | None:
        """Return the terms of the entry on a bar; None where they are off their tick, or in another order."""
        rows = (self.limits[bar], self.stops[bar], self.targets[bar])
        limit, stop, target = (Decimal(int(units)) / reg.PRICE_UNITS for units in rows)
        if any(units % reg.TICK for units in rows) or not ZERO < stop < limit or ZERO < target <= limit:
            return None
        return Plan(limit, stop, limit - stop, target or None)

    def write_terms(self, terms: Integers) -> Integers:
        """Give the loop the arrays; a row that is no plan has a stop of 0."""
        table = np.stack((self.limits, self.stops, self.targets), axis=1).astype(np.int64)
        limit, stop, target = table.T
        is_sound = ~(table % reg.TICK).any(axis=1) & (stop > 0) & (stop < limit) & ((target == 0) | (target > limit))
        table[~is_sound] = 0
        terms[RANGE_BARS] = 0
        return np.ascontiguousarray(table)

    def kind(self, bars: KernelBars) -> StrategyKind:
        """Return the same strategy for the engine."""
        starts = bars.columns[reg.START]
        plans = {moment(int(starts[bar])): self.plan(bars, bar) for bar in map(int, np.flatnonzero(self.enters))}
        exits = frozenset(moment(int(starts[bar])) for bar in map(int, np.flatnonzero(self.leaves)))
        return StrategyKind(lambda _terms, state: PlayedArrays(self.name, plans, exits, state), ArrayState)


@dataclass(slots=True)
class ArrayState:
    """The plan of the last entry; a target of 0 is none."""

    target: Decimal = field(default=ZERO)


class PlayedArrays:
    """The arrays as a strategy of the engine: exits first, in the order of a strategy with a plan."""

    def __init__(
        self,
        name: str,
        plans: Mapping[datetime, Plan | None],
        exits: frozenset[datetime],
        state: ArrayState | None,
    ) -> None:
        self.name = name
        self.state = state or ArrayState()
        self._plans = plans
        self._exits = exits

    def figures(self, day: date) -> Figures:
        """Return nothing."""
        return ()

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Answer with the arrays' row of this bar."""
        if context.held > ZERO and (why := self._reason(bar, context)) is not None:
            return leaving(self.name, bar, context.held, (why, "of the arrays"), None)
        if refusal := shut(context, is_enabled=True) or not_now(bar, context):
            return refusal
        plan = self._plans.get(bar.start)
        return NO_SETUP if plan is None else self._entry(bar, context, plan)

    def _reason(self, bar: Bar, context: Context) -> ExitReason | None:
        if bar.start >= context.flat_from:
            return ExitReason.FORCE_FLAT
        if self.state.target and bar.close >= self.state.target:
            return ExitReason.TAKE_PROFIT
        return ExitReason.SIGNAL if bar.start in self._exits else None

    def _entry(self, bar: Bar, context: Context, plan: Plan) -> Answer:
        wanted = WantedEntry(
            risk=context.risk_per_trade,
            price=Price(plan.limit),
            way=plan.way,
            max_notional=context.max_notional,
            step=QUANTITY_STEP,
            least=context.min_notional,
        )
        quantity = size_of(wanted, context.conditions()).quantity
        if quantity <= ZERO:
            return ZERO_SIZE
        self.state.target = ZERO if plan.target is None else plan.target
        return EntrySignal(
            strategy=self.name,
            symbol=bar.symbol,
            bar_start=bar.start,
            limit_price=STOCK_TICKS.nearest(plan.limit),
            stop_price=STOCK_TICKS.nearest(plan.stop),
            stop_holder=StopHolder.BROKER,
            quantity=Quantity(quantity),
            reference=Price(bar.close.quantize(SUB_PENNY)),
            reason="of the arrays",
            target_price=None if plan.target is None else STOCK_TICKS.nearest(plan.target),
        )
