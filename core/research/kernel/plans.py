"""The size of an entry, and whether the gate would let it pass: in the engine's own Decimal arithmetic (AN-08).

It is computed where the loop pauses: on a bar on which a strategy may enter, once for each entry.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from core.model.sizing import WHOLE, Term
from core.model.values import Fraction, Money, Price
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars
from core.research.kernel.layout import Integers, allocating
from core.research.kernel.signals import Plan, Strategy
from core.research.kernel.sizes import CLOSE_BY, Floats
from core.risk.sizing import Conditions, WantedEntry, noise_factor, size_of
from core.risk.sizing_history import sizing_terms
from core.settings.settings import Settings


class _Noise:
    """The factor of a stop within the market's noise, as `AtrScale` gives it."""

    name = "ATR"

    def __init__(self, factor: Fraction) -> None:
        self._factor = factor

    def weigh(self, _wanted: WantedEntry, _conditions: Conditions) -> Term:
        return Term(self.name, self._factor, "")


class Sizes:
    """Sizes the entries of one run; those of bars before `first` wait for a key that is never pressed.

    `nearly` has the desk's average range at each bar, as floats.
    """

    def __init__(
        self, settings: Settings, strategy: Strategy, bars: KernelBars, days: Integers, first: int, nearly: Floats
    ) -> None:
        self._settings = settings
        self._strategy = strategy
        self._bars = bars
        self._days = days
        self._first = first
        self._nearly = nearly
        self.step = settings.strategies.of(strategy.name).model_dump().get("quantity_step", Decimal("0.001"))
        self._ranges: Integers | None = None

    def answer(self, s: Integers, c: Integers, bar: int, rule: int) -> None:
        """Write the entry of a bar into the state: sent, refused at its key, or none at all."""
        s[reg.ENTRY] = 0
        plan = self._strategy.plan(self._bars, bar)
        if plan is None or not self._knows_the_day(bar):
            return
        opening = Decimal(int(s[reg.DAY_OPENING])) / reg.MONEY_UNITS
        quantity = self._quantity(plan, opening, bar)
        if quantity <= 0 or not self._is_staged(s, plan, quantity, opening, bar):
            return
        s[reg.PLAN_STOP], s[reg.PLAN_TARGET] = _units(plan.stop), 0 if plan.target is None else _units(plan.target)
        s[reg.PLAN_RULE] = rule
        s[reg.ENTRY_LIMIT] = _units(plan.limit)
        s[reg.ENTRY_QUANTITY] = int(quantity * reg.QUANTITY_UNITS)
        is_whole = s[reg.ENTRY_QUANTITY] % reg.QUANTITY_UNITS == 0
        s[reg.HAS_LEGS] = 1 if is_whole else 0
        s[reg.ENTRY_STEP] = reg.QUANTITY_UNITS if is_whole else 1
        s[reg.ENTRY] = reg.COMING if self._is_confirmed(s, c, plan, bar) else reg.VOID

    def _knows_the_day(self, bar: int) -> bool:
        """Return whether the desk knows the day's opening equity: of bars of minutes, from the second bar on."""
        number = self._bars.columns[reg.SESSION]
        is_later = bar > 0 and number[bar] == number[bar - 1]
        return bool(self._bars.is_daily or is_later or number[bar] == self._bars.begun_in)

    def _quantity(self, plan: Plan, opening: Decimal, bar: int) -> Decimal:
        risk = self._settings.risk
        loss, most = risk.per_trade.of(opening), risk.max_notional.of(opening)
        if loss is None or most is None:
            return Decimal(0)
        wanted = WantedEntry(
            risk=Money(loss),
            price=Price(plan.limit),
            way=plan.way,
            max_notional=Money(most),
            step=self.step,
            least=risk.min_notional,
        )
        conditions = Conditions(settings=sizing_terms(self._settings.risk.sizing), equity=opening)
        return size_of(wanted, conditions, scales=(_Noise(self._noise_factor(plan, bar)),)).quantity

    def _noise_factor(self, plan: Plan, bar: int) -> Fraction:
        """Return the factor of a stop within the market's noise, as `AtrScale` does."""
        terms = self._settings.risk.sizing.atr
        if not terms.enabled or bar + 1 < terms.bars or not self._nearly[bar]:
            return WHOLE
        nearly = float(plan.way) / float(terms.multiple) / float(self._nearly[bar]) * reg.PRICE_UNITS
        if nearly > 1 + CLOSE_BY:
            return WHOLE
        return noise_factor(plan.way, terms.multiple * self._average(bar, terms.bars))

    def _average(self, bar: int, over: int) -> Decimal:
        """Return the desk's own average range at a bar: each range moves it by a part, rounded as the desk does."""
        if self._ranges is None:
            places = (reg.HIGH, reg.LOW, reg.CLOSE, reg.SESSION)
            high, low, close, session = (self._bars.columns[place] for place in places)
            self._ranges = true_ranges(high, low, close, session, self._days)
            self._averaged, self._mean = 0, Decimal(0)
        for number in range(self._averaged, bar + 1):
            span = Decimal(int(self._ranges[number])) / reg.PRICE_UNITS
            self._mean += (span - self._mean) / min(number + 1, over)
        self._averaged = bar + 1
        return self._mean

    # ── the gate ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_staged(self, s: Integers, plan: Plan, quantity: Decimal, opening: Decimal, bar: int) -> bool:
        """Return whether the first review passes: every figure of the account is known exactly while it is flat."""
        risk, cost = self._settings.risk, plan.limit * quantity
        cash = Decimal(int(s[reg.CASH])) / reg.MONEY_UNITS
        free = Decimal(int(s[reg.CASH] - s[reg.UNSETTLED])) / reg.MONEY_UNITS
        value = Decimal(int(s[reg.VALUE_TODAY])) / reg.MONEY_UNITS
        most_value = None if risk.max_day_value.limits_nothing else risk.max_day_value.of(opening)
        portfolio = risk.portfolio
        return (
            cost >= risk.min_notional
            and quantity <= risk.order_size.shares
            and (most_value is None or value + cost <= most_value)
            and cost <= max(free, Decimal(0))
            and (portfolio.limits_nothing or cost <= portfolio.max_exposure * cash)
            and (not portfolio.reserve or free - cost >= portfolio.reserve)
            and (not portfolio.limits_concentration or cost <= portfolio.symbol_exposure * cash)
            and quantity * (plan.limit - plan.stop) <= risk.sizing.budget * opening
            and not self._is_hurried(plan, bar)
        )

    def _is_hurried(self, plan: Plan, bar: int) -> bool:
        """Return whether the limit is too far over the close of some minutes before."""
        terms, starts = self._settings.risk.collar, self._bars.columns[reg.START]
        latest = self._bars.columns[reg.HEARD][bar] - (terms.period_minutes + 1) * reg.MINUTE
        last = int(np.searchsorted(starts[: bar + 1], latest, side="right")) - 1
        if terms.period_band >= 1 or last < 0 or starts[last] <= latest - terms.period_minutes * reg.MINUTE:
            return False
        before = Decimal(int(self._bars.columns[reg.CLOSE][last])) / reg.PRICE_UNITS
        return plan.limit - before > terms.period_band * before

    def _is_confirmed(self, s: Integers, c: Integers, plan: Plan, bar: int) -> bool:
        """Return whether the review at the key passes, on the quote of then."""
        if self._bars.columns[reg.START][bar] < self._first:
            return False
        is_next = s[reg.OPENED] == bar + 1
        price = int(self._bars.columns[reg.OPEN][bar + 1] if is_next else self._bars.columns[reg.CLOSE][bar])
        half = int(c[reg.HALF_SPREAD])
        ask, bid = -(-(price + half) // reg.TICK) * reg.TICK, max((price - half) // reg.TICK * reg.TICK, reg.TICK)
        mid = Decimal(ask + bid) / 2 / reg.PRICE_UNITS
        terms = self._settings.risk.collar
        is_dear = terms.band < 1 and plan.limit - mid > terms.band * mid
        return not is_dear and _units(plan.stop) < min(ask, _units(plan.limit))


def _units(price: Decimal) -> int:
    return int(price * reg.PRICE_UNITS)


@allocating
def true_ranges(high: Integers, low: Integers, close: Integers, session: Integers, days: Integers) -> Integers:
    """Return each bar's true range; after a pause of more than a long weekend it begins at the bar's own close."""
    found = np.zeros(len(close), np.int64)
    for bar in range(len(close)):
        top, bottom = high[bar], low[bar]
        if bar > 0:
            before = close[bar - 1]
            if days[session[bar]] - days[session[bar - 1]] > reg.LONG_WEEKEND:
                before = close[bar]
            top, bottom = max(top, before), min(bottom, before)
        found[bar] = top - bottom
    return found
