"""The exit rules: pure functions of a position, its terms and a close (ST-09).

No state is kept, and no clock is read: a position's history since its entry is in `ExitPosition`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from core.model.instrument import STOCK_TICKS
from core.model.signal import ExitReason
from core.model.values import ZERO, Price, Quantity, exact_percent, percent
from core.settings.strategies import ExitSettings

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class ExitPosition:
    """A position at the close of a bar.

    Attributes
    ----------
    is_long
        A short gains when the price falls; every rule is then its mirror image.
    average_price
        Average cost of a share (a short: proceeds), USD.
    held, unprotected
        Shares held, and those of them without a working exit or a stop at the broker.
    best
        The best price since the entry: for a long the highest, for a short the lowest.
    days
        Days of its venue's calendar since the entry.
    is_late
        It must be flat by the close, and that is near.
    own_stop, own_target
        Prices that came with the entry, USD; None if there are none.
    is_target_at_broker, is_trailed_at_broker
        An order at the broker takes the profit, or trails: no rule competes with it (EX-13).
    """

    is_long: bool
    average_price: Price
    held: Quantity
    unprotected: Quantity
    best: Price
    days: int
    is_late: bool
    own_stop: Price | None = None
    own_target: Price | None = None
    is_target_at_broker: bool = False
    is_trailed_at_broker: bool = False

    def gain_at(self, price: Decimal) -> Decimal:
        """Return the gain at a price as a ratio of the cost."""
        way = price - self.average_price if self.is_long else self.average_price - price
        return way / self.average_price

    def off(self, fraction: Decimal, price: Decimal) -> Price:
        """Return the price `fraction` worse than `price`; better if it is below zero."""
        return STOCK_TICKS.nearest(price * (ONE - fraction if self.is_long else ONE + fraction))

    def is_worse(self, price: Decimal, than: Decimal) -> bool:
        """Return whether the price is at `than` or beyond it, to the losing side."""
        return price <= than if self.is_long else price >= than


@dataclass(frozen=True, slots=True)
class Due:
    """A due exit: quantity, reason, the price that triggered it (USD), and its text."""

    quantity: Quantity
    reason: ExitReason
    level: Price
    words: str


def exit_due(terms: ExitSettings, standing: ExitPosition, close: Price) -> Due | None:
    """Return the first rule that applies at this close; None if none does.

    The order is: stop, the day's close, trailing stop, target, time. The stop sells only shares without an exit at the
    broker; every other rule sells all of them, and their stop is cancelled first (EX-21).
    """
    return next(_due(terms, standing, close), None)


def _due(terms: ExitSettings, standing: ExitPosition, close: Price) -> Iterator[Due]:
    stop = stop_of(terms, standing)
    if stop is not None and standing.unprotected > ZERO and standing.is_worse(close, stop):
        yield Due(
            standing.unprotected, ExitReason.STOP_LOSS, stop, f"close {_text(close)} is at the stop {_text(stop)}"
        )
    if standing.is_late:
        yield Due(standing.held, ExitReason.FORCE_FLAT, close, "flat before the market closes")
    trail = trail_of(terms, standing)
    if trail is not None and not standing.is_trailed_at_broker and standing.is_worse(close, trail):
        words = f"close {_text(close)} is {percent(terms.trail)} behind the best price {_text(standing.best)}"
        yield Due(standing.held, ExitReason.TRAILING_STOP, trail, words)
    target = target_of(terms, standing)
    if target is not None and not standing.is_target_at_broker and standing.is_worse(target, close):
        words = f"close {_text(close)} is at the target {_text(target)}"
        yield Due(standing.held, ExitReason.TAKE_PROFIT, target, words)
    if terms.max_days and standing.days > terms.max_days:
        yield Due(standing.held, ExitReason.TIME_EXIT, close, f"held for {standing.days} days")
    gain = standing.gain_at(close)
    if terms.stale_days and standing.days > terms.stale_days and gain < terms.stale_gain:
        words = f"held for {standing.days} days and only {percent(gain)} up"
        yield Due(standing.held, ExitReason.TIME_EXIT, close, words)


def in_words(terms: ExitSettings) -> Iterator[str]:
    """Yield the rules without a price at the entry, for the ticket (OP-03)."""
    if terms.trail:
        begins = f" once {exact_percent(terms.trail_from)} up" if terms.trail_from else ""
        yield f"{exact_percent(terms.trail)} behind the best price{begins}"
    if terms.stale_days:
        yield f"after {terms.stale_days} days unless {exact_percent(terms.stale_gain)} up"
    if terms.max_days:
        yield f"after {terms.max_days} days"


def stop_of(terms: ExitSettings, standing: ExitPosition) -> Price | None:
    """Return the entry's own stop, or the rule's."""
    if standing.own_stop is not None or not terms.stop:
        return standing.own_stop
    return standing.off(terms.stop, standing.average_price)


def target_of(terms: ExitSettings, standing: ExitPosition) -> Price | None:
    """Return the entry's own target, or the rule's."""
    if standing.own_target is not None or not terms.profit_target:
        return standing.own_target
    return standing.off(-terms.profit_target, standing.average_price)


def trail_of(terms: ExitSettings, standing: ExitPosition) -> Price | None:
    """Return the trailing stop's price; None while it does not trail yet."""
    if not terms.trail or standing.gain_at(standing.best) < terms.trail_from:
        return None
    return standing.off(terms.trail, standing.best)


def _text(price: Decimal) -> str:
    return str(STOCK_TICKS.nearest(price))
