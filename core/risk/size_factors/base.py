"""What a term looks at, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Protocol

from core.model.instrument import ANY_SHARE, ONE, Instrument
from core.model.regime import UNKNOWN, NoVix, VixReading
from core.model.sizing import LeftOut, Term
from core.model.values import CENT, Fraction, Money, Price, Symbol
from core.settings.size_factors import SizingSettings


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """The order that is to be sized, by its own figures.

    Attributes
    ----------
    risk
        USD lost when the stop fills at its price; None where it needs an equity that is not known.
    price, way
        USD, above zero: its price, and the distance of its stop.
    max_notional
        USD that the order may cost; None is no permission.
    step
        Smallest part of a share.
    least
        USD of the smallest order; zero where any is.
    is_bare
        Nobody holds its stop: the risk budget counts all that it costs (RK-21).
    instrument
        What is to be bought or sold.
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
        """USD that one costs."""
        return self.instrument.cost(ONE, self.price)

    @property
    def unit_loss(self) -> Decimal:
        """USD that one loses at its stop."""
        return self.instrument.risk(ONE, self.way)

    @property
    def unit_stake(self) -> Decimal:
        """USD that one takes of the risk budget."""
        return self.unit_cost if self.is_bare else self.unit_loss


@dataclass(frozen=True, slots=True)
class Likeness:
    """How the symbol has moved with one that is held: from −1 to 1, or how many daily returns there are yet."""

    symbol: Symbol
    is_long: bool
    correlation: Fraction | None
    days: int


@dataclass(frozen=True, slots=True)
class Throttle:
    """What a loss of the day or the week left of the risk of a trade."""

    factor: Fraction
    words: str


@dataclass(frozen=True, slots=True)
class Edge:
    """What the last closed trades of a strategy made, as ratios of what they cost.

    Attributes
    ----------
    gained, lost
        Sums of the ratios above zero, and of the others with their sign turned.
    """

    trades: int = 0
    wins: int = 0
    gained: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)


NO_EDGE = Edge()
USUAL = SizingSettings()


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the desk knows when an order is sized; what it does not know is None and is left out.

    Attributes
    ----------
    atr
        Average true range of the symbol's one-minute bars, USD.
    vix
        As the regime was last recorded, whatever day that was.
    throttle
        None before the day has its opening equity.
    equity
        What limits that are a part of equity are measured by, USD.
    open_losses
        What the account would lose if every stop filled now, USD.
    capital_left
        USD that the order may cost by its strategy's own share; None where that has none, or equity is not known.
    """

    settings: SizingSettings = USUAL
    atr: Price | None = None
    vix: VixReading | NoVix = UNKNOWN.vix
    held: tuple[Likeness, ...] = ()
    throttle: Throttle | None = None
    edge: Edge = NO_EDGE
    equity: Decimal | None = None
    open_losses: Decimal = Decimal(0)
    capital_left: Decimal | None = None

    @property
    def budget_left(self) -> Decimal | None:
        """USD that a further order may lose at its stop (RK-21); None where equity is not known."""
        return None if self.equity is None else self.settings.budget * self.equity - self.open_losses


class Scale(Protocol):
    """One term. It answers None where it is switched off."""

    name: str

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None: ...


def told(factor: Decimal) -> Fraction:
    """A factor as it is told and applied: to two places, rounded down, one at most."""
    return Fraction(min(factor, Decimal(1)).quantize(CENT, ROUND_FLOOR))
