"""The throttle: reduces the risk of a trade after losses of the day and the week (RK-11).

It stays as recorded until a new week begins or a day made money. Then it is lifted: a loss of the week from before
throttles again only once it has grown. A day made money if the next one opens with more equity, which is also true of a
deposit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core import facts
from core.model.lazy_dataclass import dataclass
from core.model.sizing import WHOLE
from core.model.values import ZERO, Fraction, Money
from core.risk.day import monday_of
from core.risk.sizing import Throttle
from core.settings.risk import ThrottleSettings


@dataclass(slots=True)
class LossesState:
    """State of the throttle.

    `ended` is the reason for its end, until that is recorded; `forgiven` is the week's loss at that time, USD. `before`
    is the day before's opening equity, `week_day` the first day of the week with a record.
    """

    factor: Fraction = WHOLE
    words: str = ""
    day: date | None = None
    opening: Money | None = None
    week_opening: Money | None = None
    ended: str = ""
    forgiven: Money | None = None
    before: Money | None = None
    week_day: date | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of a span of the account, and its limit, USD."""

    lost: Decimal
    limit: Decimal | None

    def reaches(self, part: Decimal) -> bool:
        return self.limit is not None and self.lost > 0 and self.lost >= part * self.limit

    def in_words(self, span: str) -> str:
        return f"{self.lost:,.2f} of {self.limit:,.2f} USD lost {span}"


class Losses:
    def __init__(self) -> None:
        self.state = LossesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.DayStarted: self._day_started,
            facts.DayCorrected: self._day_corrected,
            facts.RiskThrottled: self._throttled,
            facts.RiskRestored: self._restored,
        }

    @property
    def throttle(self) -> Throttle | None:
        """None before the first day began."""
        state = self.state
        return None if state.day is None else Throttle(state.factor, state.words or "no loss limit is near")

    def measure(self, today: Loss, week: Loss, terms: ThrottleSettings) -> Throttle | None:
        """Return the throttle by the current losses if it is lower than before; None if nothing changes."""
        found = []
        if today.reaches(terms.daily_part):
            found.append(Throttle(Fraction(terms.daily_factor), today.in_words("today")))
        has_grown = self.state.forgiven is None or week.lost > self.state.forgiven
        if has_grown and week.reaches(terms.weekly_part):
            found.append(Throttle(Fraction(terms.weekly_factor), week.in_words("this week")))
        least = min(found, key=lambda throttle: throttle.factor, default=None)
        return least if least is not None and least.factor < self.state.factor else None

    def _day_started(self, _at: datetime, fact: facts.DayStarted) -> None:
        state, before = self.state, self.state.opening
        is_new_week = state.day is None or monday_of(state.day) != monday_of(fact.day)
        if is_new_week:
            state.week_opening, state.week_day, state.forgiven = fact.equity, fact.day, None
        if state.factor < WHOLE and is_new_week:
            state.ended = "a new week begins"
        else:
            self._end_by_the_day_before(before, fact.equity)
        state.day, state.opening, state.before = fact.day, fact.equity, before

    def _day_corrected(self, _at: datetime, fact: facts.DayCorrected) -> None:
        """Correct the opening equity.

        A throttle that ended by the first figure stays ended: the next account figure measures it again.
        """
        state = self.state
        state.opening = fact.equity
        if state.week_day == fact.day:
            state.week_opening = fact.equity
        else:
            self._end_by_the_day_before(state.before, fact.equity)

    def _end_by_the_day_before(self, began: Money | None, ended: Money) -> None:
        if self.state.factor < WHOLE and began is not None and ended > began:
            self.state.ended = f"the day before made {ended - began:,.2f} USD"

    def _throttled(self, _at: datetime, fact: facts.RiskThrottled) -> None:
        self.state.factor, self.state.words = fact.factor, fact.reason

    def _restored(self, _at: datetime, _fact: facts.RiskRestored) -> None:
        state = self.state
        state.factor, state.words, state.ended = WHOLE, "", ""
        if state.week_opening is not None and state.opening is not None:
            state.forgiven = Money(max(state.week_opening - state.opening, ZERO))
