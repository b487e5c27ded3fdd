"""Groups of closed trades and their tallies, without pandas: the desk keeps them by day (AN-01)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time
from decimal import Decimal

from core.model.lazy_dataclass import dataclass
from core.model.position import AnyTrade
from core.model.signal import FAILED_WORDS
from core.model.sizing import RegimeLabels
from core.model.values import NO_MONEY, Money

NOT_KNOWN = "not known"
KEPT = ("strategy", "symbol", "half_hour", "regime", "reason")
"""The groupings that the desk keeps by day; half-hour and regime are those of the entry."""
FEW_WINS, MANY_WINS = 0.4, 0.6
"""A half-hour that won less or more often is marked."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Closed trades of one group, USD. One that made exactly 0 has neither won nor lost."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    gained: Money = NO_MONEY
    lost: Money = NO_MONEY

    def plus(self, other: Tally, sign: int = 1) -> Tally:
        return Tally(
            self.trades + sign * other.trades,
            self.wins + sign * other.wins,
            self.losses + sign * other.losses,
            Money(self.gained + sign * other.gained),
            Money(self.lost + sign * other.lost),
        )


def tally_of(profit: Decimal) -> Tally:
    return Tally(1, int(profit > 0), int(profit < 0), Money(max(profit, NO_MONEY)), Money(min(profit, NO_MONEY)))


def groups_of(trade: AnyTrade, local: Callable[[datetime], time]) -> Iterator[tuple[str, str]]:
    """Yield grouping and group of a trade, as in `KEPT`; one that failed in execution is in a group of its own."""
    names = (
        trade.strategy,
        str(trade.symbol),
        half_hour(local(trade.entry_time)),
        regime_name(trade.regime),
        trade.exit_reason.value,
    )
    for by, name in zip(KEPT, names, strict=True):
        yield by, FAILED_WORDS if trade.is_failed and by != "reason" else name


def half_hour(at: time) -> str:
    """Format the half-hour: `09:30` for all from then to 10:00."""
    return f"{at.hour:02}:{at.minute // 30 * 30:02}"


def regime_name(labels: RegimeLabels | None) -> str:
    """Format a regime: `VIX low, trend up, volatility calm`, its known parts."""
    if labels is None:
        return NOT_KNOWN
    named = (("VIX", labels.vix), ("trend", labels.trend), ("volatility", labels.volatility))
    return ", ".join(f"{name} {each.value}" for name, each in named if each is not None) or NOT_KNOWN


def mark_of(wins: float | Decimal | None) -> str:
    """Return the mark of a half-hour by its win rate: ▲ of many wins, ▼ of few, else none."""
    if wins is None or FEW_WINS <= (rate := float(wins)) <= MANY_WINS:  # a Decimal of 0.6 is over the float 0.6
        return ""
    return "▲" if rate > MANY_WINS else "▼"
