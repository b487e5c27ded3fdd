"""The input and the result of a sizing term."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Protocol

from core.model.instrument import ANY_SHARE, ONE, Instrument
from core.model.sizing import UNKNOWN, LeftOut, MarketMeasure, NoMarket, NoVix, Term, VixReading
from core.model.values import CENT, Fraction, Money, Price, Symbol
from core.settings.risk import SizingSettings


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """The order to size, by its own figures.

    Attributes
    ----------
    risk
        USD lost when the stop fills at its price; None if it needs an unknown equity.
    price, way
        USD, above zero: its price, and the distance of its stop.
    max_notional
        Highest cost of the order, USD; None allows nothing.
    step
        Smallest part of a share.
    least
        USD of the smallest order; zero if any size is allowed.
    is_bare
        Neither the broker nor the desk holds its stop: the risk budget counts its full cost (RK-21).
    instrument
        The instrument to buy or sell.
    """

    risk: Money | None
    price: Price
    way: Decimal
    max_notional: Money | None
    step: Decimal
    is_long: bool = True
    least: Decimal = Decimal(0)
    is_bare: bool = False
    instrument: Instrument = ANY_SHARE

    @property
    def unit_cost(self) -> Decimal:
        """Cost of one unit, USD."""
        return self.instrument.cost(ONE, self.price)

    @property
    def unit_loss(self) -> Decimal:
        """Loss of one unit at the stop, USD."""
        return self.instrument.risk(ONE, self.way)

    @property
    def unit_stake(self) -> Decimal:
        """Share of the risk budget of one unit, USD."""
        return self.unit_cost if self.is_bare else self.unit_loss


@dataclass(frozen=True, slots=True)
class Likeness:
    """Correlation of the symbol with a held one: from −1 to 1; None while `days`, its daily returns, are too few."""

    symbol: Symbol
    is_long: bool
    correlation: Fraction | None
    days: int


@dataclass(frozen=True, slots=True)
class Throttle:
    """The factor on the risk of a trade after losses of the day or week."""

    factor: Fraction
    words: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Results of a strategy's last closed trades, as ratios of their cost.

    Attributes
    ----------
    gained, lost
        Sum of the ratios above zero, and the negated sum of the others.
    """

    trades: int = 0
    wins: int = 0
    gained: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)


NO_EDGE = Edge()
USUAL = SizingSettings()


@dataclass(frozen=True, slots=True)
class Conditions:
    """The figures available when an order is sized; an unknown one is None and is left out.

    Attributes
    ----------
    atr
        Average true range of the symbol's one-minute bars, USD.
    vix, market
        The regime as last recorded, whatever its day.
    throttle
        None before the day has its opening equity.
    equity
        The equity for limits that are a share of it, USD.
    open_losses
        The loss if every stop filled now, USD.
    capital_left
        USD that the order may cost by its strategy's allocation; None if it has none, or equity is unknown.
    """

    settings: SizingSettings = USUAL
    atr: Price | None = None
    vix: VixReading | NoVix = UNKNOWN.vix
    market: MarketMeasure | NoMarket = UNKNOWN.market
    held: tuple[Likeness, ...] = ()
    throttle: Throttle | None = None
    edge: Edge = NO_EDGE
    equity: Decimal | None = None
    open_losses: Decimal = Decimal(0)
    capital_left: Decimal | None = None

    @property
    def budget_left(self) -> Decimal | None:
        """USD that a further order may lose at its stop (RK-21); None if equity is unknown."""
        return None if self.equity is None else self.settings.budget * self.equity - self.open_losses


class Scale(Protocol):
    """One term. It returns None if it is switched off."""

    name: str

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None: ...


def told(factor: Decimal) -> Fraction:
    """Round a factor as shown and applied: to two places, rounded down, one at most."""
    return Fraction(min(factor, Decimal(1)).quantize(CENT, ROUND_FLOOR))
