"""The sums of some days: of a day, a week, or the week before (AN-06)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.analytics.equity_change import Part, in_cents, to_the_cent
from core.model.position import AnyTrade
from core.model.session import HOME
from core.model.values import ZERO, Money
from core.post_mortem.missed_trades import LetGo
from core.post_mortem.post_mortem import TradeExplained
from core.post_mortem.stories import Cause
from core.post_mortem.trade_text import made_by_strategy

ROUNDED = "each trade rounded to the cent"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one or more days, USD.

    Attributes
    ----------
    made
        By the trades that ended, exact: of several on one day it is rounded once, in `result`. Of several days it is
        the sum of their results.
    paid
        For all fills, exact, and of several days the sum of theirs to the cent; in `fees` it is below zero, and what
        the trades paid is in `result` already.
    gained
        The realized profit of all fills, partial exits included, less fees (AN-01); of several days the sum in cents;
        None if not read.
    opening, closing
        The broker's equity at the previous close and at the last close; None if not recorded.
    """

    first: date
    last: date
    trades: int
    won: int
    made: Decimal
    paid: Decimal
    opening: Money | None
    closing: Money | None
    gained: Decimal | None = None

    @property
    def realised(self) -> Money | None:
        return None if self.gained is None else to_the_cent(self.gained)

    @property
    def result(self) -> Money:
        return to_the_cent(self.made)

    @property
    def fees(self) -> Money:
        return to_the_cent(-self.paid)

    @property
    def change(self) -> Money | None:
        return None if self.opening is None or self.closing is None else Money(self.closing - self.opening)


def figures_of(
    days: tuple[date, date],
    ends: tuple[Money | None, Money | None],
    trades: Iterable[AnyTrade],
    fees: Decimal,
    gained: Decimal | None = None,
) -> Figures:
    """Return the figures from the first of these days to the last.

    Parameters
    ----------
    ends
        The opening and closing equity, USD.
    trades
        The trades closed on these days.
    fees
        The broker's fees for fills, USD.
    gained
        The realized profit of all fills, USD.
    """
    ended = list(trades)
    opening, closing = (None if equity is None else to_the_cent(equity) for equity in ends)
    made = sum((trade.profit for trade in ended), ZERO)
    won = sum(trade.profit > 0 for trade in ended)
    return Figures(*days, len(ended), won, made, fees, opening, closing, gained)


def result_of(told: TradeExplained) -> Money:
    """Return a trade's result to the cent: the sum of its parts."""
    return Money(sum((part.amount for part in told.split.parts), ZERO))


def biggest_of(told: TradeExplained) -> Part | None:
    """Return the largest part of its result, or None."""
    part = max(told.split.parts, key=lambda each: abs(each.amount), default=None)
    return None if part is None or not part.amount else part


def the_biggest(parts: Sequence[Part], most: int) -> list[Part]:
    """Return the largest parts, and the sum of the others."""
    biggest = sorted(parts, key=lambda part: -abs(part.amount))
    rest = biggest[most:]
    more = [Part(f"… {len(rest)} more", Money(sum((part.amount for part in rest), ZERO)))] if rest else []
    return [*biggest[:most], *more]


@dataclass(frozen=True, slots=True)
class OfStrategy:
    """The result of a strategy's trades, manual ones included as a strategy, USD to the cent."""

    strategy: str
    trades: int
    won: int
    result: Money


def by_strategy(trades: Iterable[TradeExplained]) -> tuple[OfStrategy, ...]:
    """Return the strategies, the best first; together they are the result."""
    every = list(trades)
    found: dict[str, list[TradeExplained]] = {}
    for told in every:
        found.setdefault(told.story.trade.strategy, []).append(told)
    sums = dict.fromkeys(found, ZERO)
    for its in _by_day(every):
        exact = {name: _made(told for told in its if told.story.trade.strategy == name) for name in found}
        for part in in_cents(Part(name, Money(exact[name])) for name in sorted(exact, key=lambda n: (-exact[n], n))):
            sums[part.name] += part.amount
    return tuple(
        OfStrategy(name, len(its), sum(told.story.trade.profit > 0 for told in its), Money(sums[name]))
        for name, its in sorted(found.items(), key=lambda item: (-sums[item[0]], item[0]))
    )


def by_cause(trades: Iterable[TradeExplained]) -> tuple[Part, ...]:
    """Return the parts of all trades summed by cause, and the rounding difference; together they are the result."""
    every = list(trades)
    sums: dict[str, Decimal] = {}
    for part in (part for told in every for part in told.split.parts):
        sums[part.name] = sums.get(part.name, ZERO) + part.amount
    causes = [Part(cause.value, Money(sums[cause.value])) for cause in Cause if cause.value in sums]
    rounded = sum((to_the_cent(_made(its)) for its in _by_day(every)), ZERO) - sum(sums.values(), ZERO)
    return (*causes, Part(ROUNDED, Money(rounded))) if rounded else tuple(causes)


def _by_day(trades: Iterable[TradeExplained]) -> Iterable[list[TradeExplained]]:
    """Yield the trades of each day: a day is rounded as a whole."""
    found: dict[date, list[TradeExplained]] = {}
    for told in trades:
        found.setdefault(HOME.day_of(told.story.trade.exit_time), []).append(told)
    return found.values()


def _made(trades: Iterable[TradeExplained]) -> Decimal:
    return sum((told.story.trade.profit for told in trades), ZERO)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The missed entries of one strategy: their hypothetical profit, and their ends.

    Attributes
    ----------
    would_have_made
        Of those that would have been filled, after fees, USD; None if none would.
    ends
        `declined`, `expired` and `blocked`, with their counts.
    """

    strategy: str
    many: int
    would_have_made: Money | None
    ends: tuple[tuple[str, int], ...]


def not_taken(found: Sequence[LetGo]) -> tuple[NotTaken, ...]:
    """Return the missed entries by strategy, most first; the sums equal those of `explain`."""
    by_name: dict[str, list[LetGo]] = {}
    for each in found:
        by_name.setdefault(each.proposal.strategy, []).append(each)
    cents = {part.name: part.amount for part in made_by_strategy(found)}
    return tuple(
        NotTaken(name, len(its), cents.get(name), _ends(its))
        for name, its in sorted(by_name.items(), key=lambda item: -len(item[1]))
    )


def _ends(found: Iterable[LetGo]) -> tuple[tuple[str, int], ...]:
    counted: dict[str, int] = {}
    for each in found:
        counted[each.end] = counted.get(each.end, 0) + 1
    return tuple(sorted(counted.items()))
