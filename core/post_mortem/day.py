"""Explain a trading day's change of equity: by position, and the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from core.analytics.equity_change import Part, in_cents, to_the_cent
from core.model.instrument import Instrument, share
from core.model.values import ZERO, Money, Price, Symbol, plain
from core.post_mortem.stories import FillStory, Key

NO_PRICE = "no price of {} was recorded before {}: what was held of it is taken at its average price"
TAKEN_OVER = "{} {} were taken over from the broker's books: they count as held since the day began"
NO_CLOSING = "provisional: the equity at the day's close is not recorded yet; parts and trades may still change"
NO_OPENING = "the equity as the day began was not recorded: the parts are what is known"


@dataclass(frozen=True, slots=True)
class Standing:
    """A strategy's position in a symbol at an end of the day; `average` is its opening price, USD."""

    quantity: Decimal
    average: Price | None


@dataclass(frozen=True, slots=True)
class DayExplained:
    """The explanation of one trading day, USD to the cent.

    Attributes
    ----------
    opening, closing
        The broker's equity at the previous close and at this day's; None if not recorded.
    parts
        The profit of each position after fees, and cash movements without a fill.
    rest
        The unexplained part of the change; None if an end of the day is unknown.
    notes
        Assumptions made where a record was missing.
    """

    day: date
    opening: Money | None
    closing: Money | None
    parts: tuple[Part, ...]
    rest: Money | None
    notes: tuple[str, ...]

    @property
    def is_provisional(self) -> bool:
        """Return whether the closing equity is not recorded yet: parts and trades may still change."""
        return self.closing is None

    @property
    def change(self) -> Money | None:
        return None if self.opening is None or self.closing is None else Money(self.closing - self.opening)

    @property
    def explained(self) -> Money:
        return Money(sum((part.amount for part in self.parts), ZERO))


def explained(
    day: date,
    ends: tuple[Money | None, Money | None],
    held: tuple[Mapping[Key, Standing], Mapping[Key, Standing]],
    marks: tuple[Mapping[Symbol, Price], Mapping[Symbol, Price]],
    fills: Iterable[FillStory],
    moves: Iterable[Part] = (),
    taken_over: Mapping[Key, Decimal] = MappingProxyType({}),
) -> DayExplained:
    """Explain a day; each pair is the day's beginning and its end.

    Parameters
    ----------
    ends
        Equity, USD; None if not recorded.
    held
        The positions at each end, by symbol and strategy.
    marks
        The last price of each symbol at each end, USD.
    fills
        Those of the day.
    moves
        Cash movements without a fill: late fees, dividends, interest, transfers.
    taken_over
        Shares in the broker's books that ours lacked: they and their equity existed when the day began.
    """
    worth: defaultdict[Key, Decimal] = defaultdict(lambda: ZERO)
    traded: dict[Symbol, Instrument] = {}
    for fill in fills:
        order = fill.order.order
        traded[order.symbol] = order.instrument
        worth[order.symbol, fill.order.strategy] -= order.instrument.cost(fill.quantity, fill.price) * fill.sign
        worth[order.symbol, fill.order.strategy] -= fill.fee
    notes: list[str] = []
    for standing, marked, sign, when in zip(held, marks, (-1, 1), ("the day began", "it ended"), strict=True):
        for (symbol, strategy), held_of in standing.items():
            if not held_of.quantity:
                continue
            price = marked.get(symbol)
            if price is None:
                price = held_of.average or Price(ZERO)
                notes.append(NO_PRICE.format(symbol, when))
            instrument = traded.get(symbol) or share(symbol)
            worth[symbol, strategy] += sign * instrument.notional(held_of.quantity, price)
    for (symbol, strategy), quantity in taken_over.items():
        now = held[1].get((symbol, strategy))
        price = marks[0].get(symbol) or (None if now is None else now.average)
        if quantity and price is not None:
            instrument = traded.get(symbol) or share(symbol)
            worth[symbol, strategy] -= instrument.notional(quantity, price)
            notes.append(TAKEN_OVER.format(plain(quantity), symbol))
    parts = [Part(f"{symbol} {strategy}", Money(amount)) for (symbol, strategy), amount in worth.items()]
    opening, closing = (None if equity is None else to_the_cent(equity) for equity in ends)
    began_with = Part("", ends[0] or Money(ZERO))
    _, *told = in_cents((began_with, *sorted(parts, key=lambda part: part.amount), *moves))
    rest = None
    if opening is None or closing is None:
        notes.append(NO_OPENING if closing is not None else NO_CLOSING)
    else:
        rest = Money(closing - opening - sum((part.amount for part in told), ZERO))
    return DayExplained(day, opening, closing, tuple(told), rest, tuple(dict.fromkeys(notes)))
