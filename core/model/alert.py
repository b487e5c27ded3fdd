"""Price and event alerts on a symbol: the figure and the limit that an operator asks to be told of (SY-03)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, Symbol, priced

MOST = 100
"""Most alerts at once: each is evaluated with every quote of its symbol."""


HUNDRED = Decimal(100)
FINE, COARSE = 4, 2
"""Most decimals of a shown percentage: of a spread, and otherwise."""


class AlertKind(StrEnum):
    """The watched figure: the last price, its change since the close before, the spread as a share of the mid, today's
    volume, fills, halts, headlines.
    """

    PRICE = "price"
    CHANGE = "change"
    SPREAD = "spread"
    VOLUME = "volume"
    FILL = "fill"
    HALT = "halt"
    NEWS = "news"


EVENTS = frozenset({AlertKind.FILL, AlertKind.HALT, AlertKind.NEWS})
"""Kinds without a level that trigger each time, until removed."""


EVENT_WORDS = {AlertKind.FILL: "each fill", AlertKind.HALT: "a halt, and its end", AlertKind.NEWS: "news of it"}


PERCENT = frozenset({AlertKind.CHANGE, AlertKind.SPREAD})


ONLY_ABOVE = frozenset({AlertKind.SPREAD, AlertKind.VOLUME})


@dataclass(frozen=True, slots=True)
class AlertTerms:
    """The condition of an alert.

    Attributes
    ----------
    level
        USD of a price, a fraction of a change or a spread, shares of a volume; None for an event.
    is_above
        Whether it triggers at the level and above it; else at the level and below it.
    """

    symbol: Symbol
    kind: AlertKind
    level: Decimal | None = None
    is_above: bool = True

    def rings_at(self, figure: Decimal) -> bool:
        """Whether the figure has reached the level."""
        return self.level is not None and (figure >= self.level if self.is_above else figure <= self.level)


@dataclass(frozen=True, slots=True)
class Alert:
    """A stored alert with its number."""

    number: int
    terms: AlertTerms


def fault_of(wanted: AlertTerms, kept: Sequence[AlertTerms], now: Decimal | None) -> str | None:
    """Return why it cannot be added to the others; None if it can. `now` is the current figure."""
    if wanted.kind in EVENTS:
        if wanted.level is not None:
            return f"an alert on each {wanted.kind} has no level"
    elif wanted.level is None:
        return f"a {wanted.kind} alert needs a level"
    elif wanted.level <= ZERO and wanted.kind is not AlertKind.CHANGE:
        return f"a {wanted.kind} above zero"
    elif wanted.kind in ONLY_ABOVE and not wanted.is_above:
        return f"a {wanted.kind} alert rings above its level"
    if wanted in kept:
        return "there is one like it already"
    if len(kept) >= MOST:
        return f"there are {MOST} alerts; drop one first"
    if now is not None and wanted.rings_at(now):
        return f"{what_is_seen(wanted, now)}: it would ring at once"
    return None


def in_words(terms: AlertTerms) -> str:
    """As in `price at 182.50 or above`, `spread at 0.10 % or above`, `each fill`."""
    if terms.level is None:
        return EVENT_WORDS[terms.kind]
    return f"{terms.kind} at {_figure(terms.kind, terms.level)} or {'above' if terms.is_above else 'below'}"


def what_is_seen(terms: AlertTerms, figure: Decimal) -> str:
    """As in `price is 182.52`."""
    places = FINE if terms.kind is AlertKind.SPREAD else COARSE
    seen = figure if terms.kind not in PERCENT else round(figure * HUNDRED, places) / HUNDRED
    return f"{terms.kind} is {_figure(terms.kind, seen)}"


def _figure(kind: AlertKind, figure: Decimal) -> str:
    if kind is AlertKind.PRICE:
        return priced(figure)
    if kind is AlertKind.VOLUME:
        return f"{figure:,.0f} shares"
    sign = "−" if figure < ZERO else "+" if kind is AlertKind.CHANGE else ""
    return f"{sign}{priced(abs(figure) * HUNDRED)} %"
