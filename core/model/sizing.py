"""The result of sizing an order, and the market regime that scales it (RK-10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_FLOOR, Context, Decimal
from enum import Enum, StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.values import Fraction, Money, Price, Quantity, Symbol

WHOLE = Fraction(Decimal(1))
"""The factor without effect."""


EXACT = Context(prec=28, rounding=ROUND_FLOOR)
"""Of factors: as many digits as a Decimal has, and never more than allowed."""


@dataclass(frozen=True, slots=True)
class Term:
    """A factor on the risk of a trade.

    Attributes
    ----------
    factor
        0 to 1, exactly as it was applied: a term never makes a trade larger.
    words
        The reason with its figures.
    """

    name: str
    factor: Fraction
    words: str

    @property
    def cuts(self) -> bool:
        return self.factor < WHOLE

    def __str__(self) -> str:
        return f"{self.shown} {self.name}"

    @property
    def shown(self) -> str:
        """Format the factor in two places, rounded down; a smaller one in two digits."""
        places = max(2, 1 - self.factor.adjusted()) if self.factor else 2
        return f"{self.factor.quantize(Decimal(1).scaleb(-places), ROUND_FLOOR).normalize():f}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A term that could not be measured and had no effect, and why."""

    name: str
    why: str


class SizeLimit(StrEnum):
    """The limits of a size, by their text."""

    RISK = "the risk of a trade"
    NOTIONAL = "the largest order"
    DRAFT = "the most that this agent may draft"
    BUDGET = "the risk budget"
    ALLOCATION = "the strategy's allocation"
    LEAST = "the smallest order"


@dataclass(frozen=True, slots=True)
class Size:
    """Shares, zero if none fit, and the limit that applied: a `SizeLimit` or the text of another.

    Attributes
    ----------
    terms
        Every measured term, also those without effect.
    risk
        USD that the terms multiply; None if unknown.
    """

    quantity: Quantity
    limited_by: SizeLimit | str
    terms: tuple[Term, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    risk: Money | None = None

    @property
    def factor(self) -> Fraction:
        """The product of all factors on the risk."""
        return product(self.terms)

    @property
    def cuts(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.cuts)


def product(terms: tuple[Term, ...]) -> Fraction:
    """Multiply the factors, rounded down after as many digits as a Decimal has."""
    found = Decimal(1)
    for term in terms:
        found = EXACT.multiply(found, term.factor)
    return Fraction(found)


@dataclass(frozen=True, slots=True)
class Room:
    """The remaining limits of the whole account for one more entry.

    Attributes
    ----------
    cost
        Highest cost, USD; None if no known figure limits it.
    by
        The nearest limit.
    loss
        Highest loss at its stop in these hours, USD; None in regular ones.
    """

    cost: Money | None
    by: str
    loss: Money | None = None


NO_LIMITS = Room(None, "")


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One session's prices, USD, and its volume if reported; `day` is the trading day."""

    day: date
    high: Price
    low: Price
    close: Price
    volume: Quantity | None = None


@dataclass(frozen=True, slots=True)
class DailyValue:
    """An index at the end of a session, in points."""

    day: date
    value: Decimal


class VixLevel(Enum):
    LOW = "low"
    NORMAL = "normal"
    ELEVATED = "elevated"
    HIGH = "high"


AT_THE_CLOSE = datetime.max.replace(tzinfo=UTC)
"""Sort key of a close: it follows every value in its day."""


@dataclass(frozen=True, slots=True)
class VixReading:
    """A measured VIX, in points, with its day and its level (RK-19).

    Attributes
    ----------
    closes
        The last trading days of its history, oldest first, a close's own included; empty if not kept.
    measured_at
        When a value in the day was measured, UTC; None for a close.
    """

    value: Decimal
    measured_on: date
    level: VixLevel
    closes: tuple[DailyValue, ...] = ()
    measured_at: datetime | None = None

    @property
    def place(self) -> tuple[date, datetime]:
        """Its place in time, for comparisons."""
        return self.measured_on, self.measured_at or AT_THE_CLOSE

    @property
    def when(self) -> str:
        """The day of a close; the day and the time of a value in the day."""
        return f"{self.measured_on}" if self.measured_at is None else XNYS.told(self.measured_at, "%Y-%m-%d %H:%M")

    def after(self, before: VixReading) -> VixReading:
        """Return the newer of the two; a value in the day has the newer closes of both."""
        newest = self if self.place >= before.place else before
        if newest.measured_at is None:
            return newest
        return replace(newest, closes=max(self.closes, before.closes, key=_last_day))


def _last_day(closes: tuple[DailyValue, ...]) -> date:
    return closes[-1].day if closes else date.min


@dataclass(frozen=True, slots=True)
class NoVix:
    reason: str


class Trend(Enum):
    UP = "up"
    SIDEWAYS = "sideways"
    DOWN = "down"


class Volatility(Enum):
    CALM = "calm"
    USUAL = "usual"
    WILD = "wild"


@dataclass(frozen=True, slots=True)
class MarketMeasure:
    """A market's labels after its session of `bars_to`.

    Attributes
    ----------
    trend, volatility
        None while there are fewer bars than their averages need.
    atr, atr_average
        USD: the average true range, and its own average; None as above.
    """

    symbol: Symbol
    bars_to: date
    trend: Trend | None
    volatility: Volatility | None
    atr: Decimal | None
    atr_average: Decimal | None

    @property
    def atr_ratio(self) -> Decimal | None:
        """The range against its average; None if either is unknown."""
        if self.atr is None or not self.atr_average:
            return None
        return self.atr / self.atr_average


@dataclass(frozen=True, slots=True)
class NoMarket:
    reason: str


@dataclass(frozen=True, slots=True)
class Regime:
    """The last measurement of both."""

    vix: VixReading | NoVix
    market: MarketMeasure | NoMarket

    def after(self, before: Regime) -> Regime:
        """Merge over an earlier measurement: a missing or older part keeps the earlier one."""
        vix, market = self.vix, self.market
        if isinstance(before.vix, VixReading):
            vix = vix.after(before.vix) if isinstance(vix, VixReading) else before.vix
        if isinstance(before.market, MarketMeasure) and (
            isinstance(market, NoMarket) or market.bars_to < before.market.bars_to
        ):
            market = before.market
        return Regime(vix, market)


@dataclass(frozen=True, slots=True)
class RegimeLabels:
    """The regime as recorded with a trade; None is unknown."""

    vix: VixLevel | None
    trend: Trend | None
    volatility: Volatility | None


def labels_of(regime: Regime) -> RegimeLabels | None:
    """Return the labels; None before the first measurement."""
    vix = regime.vix.level if isinstance(regime.vix, VixReading) else None
    market = regime.market if isinstance(regime.market, MarketMeasure) else None
    trend, volatility = (market.trend, market.volatility) if market else (None, None)
    return None if (vix, trend, volatility) == (None, None, None) else RegimeLabels(vix, trend, volatility)


UNKNOWN = Regime(NoVix("the VIX was not measured yet"), NoMarket("there are no daily bars yet"))
