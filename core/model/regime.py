"""What kind of market it is: the VIX and its level, the labels of daily bars. Each absence has its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from core.model.values import Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One session's prices, USD, and its shares where they are told; `day` is the trading day."""

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


@dataclass(frozen=True, slots=True)
class VixReading:
    """A measured VIX, in points, with the day that it closed on and the level that it left (RK-19).

    `closes` are the last trading days of the history that it stands in, its own included, the oldest first; none where
    nobody kept them.
    """

    value: Decimal
    measured_on: date
    level: VixLevel
    closes: tuple[DailyValue, ...] = ()


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
        """The range against its average; None where either is not known."""
        if self.atr is None or not self.atr_average:
            return None
        return self.atr / self.atr_average


@dataclass(frozen=True, slots=True)
class NoMarket:
    reason: str


@dataclass(frozen=True, slots=True)
class Regime:
    """What is known of both, as last measured."""

    vix: VixReading | NoVix
    market: MarketMeasure | NoMarket

    def after(self, before: Regime) -> Regime:
        """This measurement over an earlier one: what it lacks, or knows only of an earlier day, stays as it was."""
        vix, market = self.vix, self.market
        if isinstance(before.vix, VixReading) and (isinstance(vix, NoVix) or vix.measured_on < before.vix.measured_on):
            vix = before.vix
        if isinstance(before.market, MarketMeasure) and (
            isinstance(market, NoMarket) or market.bars_to < before.market.bars_to
        ):
            market = before.market
        return Regime(vix, market)


@dataclass(frozen=True, slots=True)
class RegimeLabels:
    """The regime as it is kept with a trade; None is not known."""

    vix: VixLevel | None
    trend: Trend | None
    volatility: Volatility | None


def labels_of(regime: Regime) -> RegimeLabels | None:
    """None where nothing of it was measured yet."""
    vix = regime.vix.level if isinstance(regime.vix, VixReading) else None
    market = regime.market if isinstance(regime.market, MarketMeasure) else None
    trend, volatility = (market.trend, market.volatility) if market else (None, None)
    return None if (vix, trend, volatility) == (None, None, None) else RegimeLabels(vix, trend, volatility)


UNKNOWN = Regime(NoVix("the VIX was not measured yet"), NoMarket("there are no daily bars yet"))
