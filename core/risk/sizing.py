"""Convert a risk in USD to a quantity of shares; the only place that does so (RK-02, RK-10).

Used by strategies, the quantity keys of the order form, and checks that name the size which would pass. The risk is
scaled by the terms below, capped by the largest order and the risk budget, and rounded down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Protocol

from core.model.instrument import ANY_SHARE, ONE, Instrument
from core.model.lazy_dataclass import dataclass
from core.model.sizing import (
    EXACT,
    UNKNOWN,
    WHOLE,
    LeftOut,
    MarketMeasure,
    NoMarket,
    NoVix,
    Room,
    Size,
    SizeLimit,
    Term,
    Trend,
    VixLevel,
    VixReading,
    Volatility,
    product,
)
from core.model.sizing_terms import USUAL, SizingTerms, TrendTerms, VixTerms
from core.model.values import CENT, NO_SHARES, SUB_PENNY, ZERO, Fraction, Money, Price, Quantity, Symbol, plain

# Terms that scale the risk of a trade (RK-10, RK-11): each a factor from 0 to 1 with its text. A term reads only the
# plain figures that it is given. If one is missing it is left out and says so; then the fixed risk applies. No term
# ever makes a trade larger.

# ── what a factor is ─────────────────────────────────────────────────────────────────────────────────────────────────


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

    settings: SizingTerms = USUAL
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


def at_most_one(factor: Decimal) -> Fraction:
    """Return a factor as it is applied: exact, and one at most. It is rounded where it is shown."""
    return Fraction(min(factor, Decimal(1)))


# ── the factors ──────────────────────────────────────────────────────────────────────────────────────────────────────
# The terms that scale the risk of a trade (RK-16, RK-10, RK-11, RK-19).


class AtrScale:
    """A stop closer than the market's usual noise is likely to be hit: the order is sized as if its stop were further
    away.
    """

    name = "ATR"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, atr = conditions.settings.atr, conditions.atr
        if not terms.enabled:
            return None
        if atr is None:
            return LeftOut(self.name, f"fewer than {terms.bars} bars yet")
        noise = terms.multiple * atr
        words = f"{plain(terms.multiple)} × ATR is {noise.quantize(SUB_PENNY)}, the stop {plain(wanted.way)} USD away"
        return Term(self.name, noise_factor(wanted.way, noise), words)


def noise_factor(way: Decimal, noise: Decimal) -> Fraction:
    """Return the factor of a stop `way` away, USD, in a market with this noise; it is rounded down."""
    return Fraction(EXACT.divide(way, noise)) if noise > way else WHOLE


class CorrelationScale:
    """A position that moves with another adds to its risk: over a correlation of 0.7 the risk is cut (RK-16).

    A short beside a long that moves with it reduces risk, and is not cut.
    """

    name = "correlation"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms = conditions.settings.correlation
        if not terms.enabled:
            return None
        if not conditions.held:
            return Term(self.name, WHOLE, "nothing else is held")
        measured = [(correlation, h) for h in conditions.held if (correlation := _felt(h, wanted)) is not None]
        if measured:
            highest, like = max(measured, key=lambda pair: pair[0])
            if highest > terms.limit:
                return Term(self.name, at_most_one(terms.factor), f"{highest.quantize(CENT)} with {like.symbol}")
        unknown = [held for held in conditions.held if held.correlation is None]
        if unknown:
            few = min(unknown, key=lambda held: held.days)
            return LeftOut(self.name, f"{few.days} of {terms.days} days with {few.symbol}")
        return Term(self.name, WHOLE, f"{measured[0][0].quantize(CENT)} with {measured[0][1].symbol}")


def _felt(held: Likeness, wanted: WantedEntry) -> Decimal | None:
    """Return the correlation with its sign by direction: positive if the two win and lose together."""
    if held.correlation is None:
        return None
    return held.correlation if held.is_long is wanted.is_long else -held.correlation


def correlation(first: Sequence[Decimal], second: Sequence[Decimal]) -> Fraction | None:
    """Pearson's correlation of returns of the same days; None if one of the two did not move.

    The sum of the products of the deviations, over the root of the product of the sums of their squares.
    """
    count = len(first)
    if count != len(second):
        raise ValueError(f"{count} returns beside {len(second)}")
    if not count:
        return None
    mean_1, mean_2 = sum(first, ZERO) / count, sum(second, ZERO) / count
    apart_1, apart_2 = [x - mean_1 for x in first], [y - mean_2 for y in second]
    square_1, square_2 = sum((x * x for x in apart_1), ZERO), sum((y * y for y in apart_2), ZERO)
    if not square_1 or not square_2:
        return None
    together = sum((x * y for x, y in zip(apart_1, apart_2, strict=True)), ZERO)
    one = Decimal(1)
    return Fraction(max(-one, min(one, together / (square_1.sqrt() * square_2.sqrt()))))


class KellyScale:
    """Half of Kelly's fraction, from the strategy's own closed trades; off by default (RK-10).

    Kelly = wins − losses ÷ (mean gain ÷ mean loss), as parts of all trades: the part of equity to risk. It only
    ever lowers the risk of a trade; a strategy that has lost so far gets none.
    """

    name = "half-Kelly"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, edge = conditions.settings.kelly, conditions.edge
        if not terms.enabled:
            return None
        if edge.trades < terms.trade_limit:
            return LeftOut(self.name, f"{edge.trades} of {terms.trade_limit} trades yet")
        if conditions.equity is None or not wanted.risk:
            return LeftOut(self.name, "equity is not known")
        part = max(kelly(edge) * terms.fraction, ZERO)
        words = f"{part * 100:.2f} % of equity, from {edge.trades} trades"
        return Term(self.name, at_most_one(EXACT.divide(part * conditions.equity, wanted.risk)), words)


def kelly(edge: Edge) -> Decimal:
    """Return the share of equity to risk by the formula; below zero if the trades lost."""
    losses = edge.trades - edge.wins
    if not edge.gained or not edge.lost:
        return Decimal(1 if edge.gained else -1)
    won, lost = Decimal(edge.wins) / edge.trades, Decimal(losses) / edge.trades
    return won - lost * (edge.lost / losses) / (edge.gained / edge.wins)


class ThrottleScale:
    """After a part of a loss limit the risk of a trade is less, until a new week or a profitable day (RK-11)."""

    name = "throttle"

    def weigh(self, _wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        if conditions.throttle is None:
            return LeftOut(self.name, "equity at the start of today is not known")
        return Term(self.name, conditions.throttle.factor, conditions.throttle.words)


class TrendScale:
    """Risk less against SPY's trend and in a volatile market (RK-10, RK-19). Off by default.

    In a bull market (trend up) a short entry is cut, in a bear market (trend down) a long one. A volatile market
    cuts both. Each factor comes from `risk.sizing.trend`; where both apply they are multiplied. Without a measure
    the risk is not cut, and the size says so.
    """

    name = "trend"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, market = conditions.settings.trend, conditions.market
        if not terms.enabled:
            return None
        if isinstance(market, NoMarket):
            return LeftOut(self.name, market.reason)
        if market.trend is None or market.volatility is None:
            return LeftOut(self.name, f"{market.symbol} has too few daily bars")
        against = market.trend is (Trend.DOWN if wanted.is_long else Trend.UP)
        factor = terms.against if against else Decimal(1)
        factor *= terms.volatile if market.volatility is Volatility.WILD else 1
        words = f"{market.symbol} {market.trend.value}, {market.volatility.value} on {market.bars_to}"
        return Term(self.name, at_most_one(factor), words)


def may_cut(market: MarketMeasure | NoMarket, terms: TrendTerms) -> bool:
    """Whether an entry in one direction is cut."""
    if not terms.enabled or isinstance(market, NoMarket):
        return False
    if market.trend is None or market.volatility is None:
        return False
    by_trend = market.trend is not Trend.SIDEWAYS and terms.against < 1
    return by_trend or (market.volatility is Volatility.WILD and terms.volatile < 1)


class VixScale:
    """At a high VIX the market moves further: its level lowers the risk of a trade (RK-10, RK-19).

    The level is the desk's last recorded one, however old, shown with its day, and its time if it was measured in the
    day. Without one the fixed risk applies, with the reason.
    """

    name = "VIX"

    def weigh(self, _wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms, vix = conditions.settings.vix, conditions.vix
        if not terms.enabled:
            return None
        if isinstance(vix, NoVix):
            return LeftOut(self.name, vix.reason)
        return Term(self.name, factor_of(vix, terms), f"{vix.level.value} on {vix.when}")


def factor_of(vix: VixReading | NoVix, terms: VixTerms) -> Fraction:
    """Return the factor by the VIX; 1 if it is unknown or switched off."""
    if not terms.enabled or isinstance(vix, NoVix):
        return WHOLE
    if vix.level is VixLevel.HIGH:
        return at_most_one(terms.high)
    return at_most_one(terms.elevated) if vix.level is VixLevel.ELEVATED else WHOLE


# ── all factors ──────────────────────────────────────────────────────────────────────────────────────────────────────

BINDING: tuple[Scale, ...] = (VixScale(), TrendScale(), CorrelationScale(), ThrottleScale())
"""Terms that lower the limit itself: an order over it is refused, also of a manual size.

`SizingBook.is_calm` tells quickly whether none of them can cut.
"""
ALL: tuple[Scale, ...] = (AtrScale(), *BINDING, KellyScale())
"""In the order in which a ticket lists them.

The first and the last are advisory: they change with each bar and trade.
"""


# ── the size ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BY_RISK, BY_NOTIONAL, BY_BUDGET = SizeLimit.RISK, SizeLimit.NOTIONAL, SizeLimit.BUDGET
BY_ALLOCATION, BY_LEAST = SizeLimit.ALLOCATION, SizeLimit.LEAST
BY_HOURS = "these hours"
BY_STEP = "buys less than the smallest quantity"
NO_RISK = "the risk of a trade is not known"

OF_A_STEP = Decimal("1e-12")
"""A factor such as a third has no last digit: what is this near to a whole step, is one."""
_DOWN, _UP = Context(prec=50, rounding=ROUND_FLOOR), Context(prec=50, rounding=ROUND_CEILING)
"""Quotients are rounded down, so that a size never costs or risks more than allowed; a minimum is rounded up."""


def size_of(wanted: WantedEntry, conditions: Conditions, scales: Sequence[Scale] = ALL) -> Size:
    """Return the quantity that loses at most the scaled risk at the stop, within every cap, rounded down to the step
    (RK-02, RK-10).

    Quantity = risk × factors ÷ way to the stop, capped by the largest order ÷ price, by the rest of the strategy's
    allocation ÷ price (ST-08), and by the risk budget's rest ÷ way, or ÷ price if the operator holds the stop (RK-21).
    A stop that is rounded to its tick may be half a tick further away; that and a gap through the stop are slippage. A
    size under the smallest order is raised to it only if the settings allow that, and only if it passes every binding
    limit (RK-18); else it stays, and the gate refuses it with its reason.
    """
    terms, left_out = _weighed(wanted, conditions, scales)
    quantity, limited_by = _capped(wanted, conditions, terms)
    if conditions.budget_left is None:
        left_out = (*left_out, LeftOut(BY_BUDGET, "equity is not known"))
    least = raised_to_least(wanted, conditions, quantity) if conditions.settings.raise_to_minimum else None
    if least is not None:
        quantity, limited_by = least, BY_LEAST
    return Size(quantity, limited_by, terms, left_out, wanted.risk)


def size_within(
    room: Room,
    wanted: WantedEntry,
    conditions: Conditions,
    scales: Sequence[Scale] = ALL,
    largest: SizeLimit = BY_NOTIONAL,
) -> Size:
    """Return the size within the whole account's limits; `limited_by` names such a limit if it is the nearest, and
    `largest` where `max_notional` is.
    """
    most = wanted.max_notional
    by: SizeLimit | str = largest
    if most is not None and room.cost is not None and room.cost < most:
        most, by = room.cost, room.by
    if most is not None and room.loss is not None and wanted.way:
        of_loss = _DOWN.multiply(_DOWN.divide(room.loss, wanted.unit_loss), wanted.unit_cost)
        most, by = (Money(of_loss), BY_HOURS) if of_loss < most else (most, by)
    size = size_of(replace(wanted, max_notional=most), conditions, scales)
    is_another = isinstance(size.limited_by, SizeLimit) and size.limited_by is not BY_NOTIONAL
    if by is BY_NOTIONAL or is_another:
        return size
    return replace(size, limited_by=size.limited_by.replace(BY_NOTIONAL, by))


def within_a_draft(max_notional: Money | None, most_value: Decimal) -> tuple[Money, SizeLimit]:
    """Return the highest cost of an agent's draft, and whose limit that is."""
    if max_notional is not None and max_notional <= most_value:
        return max_notional, SizeLimit.NOTIONAL
    return Money(most_value), SizeLimit.DRAFT


def raised_to_least(wanted: WantedEntry, conditions: Conditions, quantity: Quantity) -> Quantity | None:
    """Return the smallest order's shares, rounded up; None if `quantity` is enough, or a binding limit is exceeded."""
    if wanted.risk is None or wanted.instrument.cost(quantity, wanted.price) >= wanted.least:
        return None
    steps = _UP.divide(wanted.least, _DOWN.multiply(wanted.unit_cost, wanted.step)).to_integral_value(ROUND_CEILING)
    raised = Quantity(steps * wanted.step)
    terms, _ = _weighed(wanted, conditions, BINDING)
    most, _ = _capped(wanted, conditions, terms)
    return raised if raised <= most else None


def binding_cuts(wanted: WantedEntry, conditions: Conditions) -> tuple[Term, ...]:
    """Return the terms that lower the loss limit of every order, also of a manual size."""
    return tuple(term for term in _weighed(wanted, conditions, BINDING)[0] if term.cuts)


def _weighed(
    wanted: WantedEntry, conditions: Conditions, scales: Sequence[Scale]
) -> tuple[tuple[Term, ...], tuple[LeftOut, ...]]:
    answers = [scale.weigh(wanted, conditions) for scale in scales]
    terms = tuple(answer for answer in answers if isinstance(answer, Term))
    return terms, tuple(answer for answer in answers if isinstance(answer, LeftOut))


def _capped(wanted: WantedEntry, conditions: Conditions, terms: tuple[Term, ...]) -> tuple[Quantity, SizeLimit | str]:
    if wanted.risk is None or wanted.risk <= ZERO:
        return NO_SHARES, NO_RISK
    if wanted.max_notional is None or wanted.max_notional <= ZERO:
        return NO_SHARES, BY_NOTIONAL
    a_step_loses = _DOWN.multiply(wanted.unit_loss, wanted.step)
    a_step_costs = _DOWN.multiply(wanted.unit_cost, wanted.step)
    of_risk = _DOWN.divide(_DOWN.multiply(wanted.risk, product(terms)), a_step_loses)
    limits = [
        (of_risk.quantize(OF_A_STEP, ROUND_HALF_EVEN, _DOWN), BY_RISK),
        (_DOWN.divide(wanted.max_notional, a_step_costs), BY_NOTIONAL),
    ]
    if conditions.budget_left is not None:
        a_step_stakes = _DOWN.multiply(wanted.unit_stake, wanted.step)
        limits.append((_DOWN.divide(max(conditions.budget_left, ZERO), a_step_stakes), BY_BUDGET))
    if conditions.capital_left is not None:
        limits.append((_DOWN.divide(max(conditions.capital_left, ZERO), a_step_costs), BY_ALLOCATION))
    steps, limited_by = min(limits, key=lambda limit: limit[0])
    whole = steps.to_integral_value(ROUND_FLOOR)
    if whole <= ZERO:
        return NO_SHARES, f"{limited_by} {BY_STEP}"
    return Quantity(whole * wanted.step), limited_by
