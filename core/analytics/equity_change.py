"""Why the account's equity is another one than before: each part by name, and what none of them explains (AN-06).

Money is exact here. Parts are rounded to the cent so that they add up: each is the cents that it adds to the sum of
those before it. Equity is cash and what is held, as the broker values both; what is held is worth its cost in our books
and a profit that is open. So a part that is missing, or wrong by a cent, is in `rest` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from core.model.values import CENT, ZERO, Money

OPENING = "opening equity"
OPEN_POSITIONS = "open positions"


@dataclass(frozen=True, slots=True)
class Part:
    """What something added to the equity, USD, signed."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class AccountAt:
    """The account at one end of what is explained, USD.

    Attributes
    ----------
    equity, cash
        As the broker says them at one and the same time.
    cost
        What is held was bought for, by our books: a short position counts below zero.
    """

    equity: Money
    cash: Money
    cost: Money

    @property
    def open_profit(self) -> Decimal:
        """Of what is held, at the broker's own prices."""
        return self.equity - self.cash - self.cost


@dataclass(frozen=True, slots=True)
class EquityChange:
    """The opening equity, then what changed it; `rest` is what no part explains. All in USD, to the cent.

    `parts` and `rest` together are the closing equity.
    """

    parts: tuple[Part, ...]
    rest: Money

    @property
    def closing(self) -> Money:
        return Money(sum((part.amount for part in self.parts), ZERO) + self.rest)

    @property
    def is_explained(self) -> bool:
        return self.rest == ZERO


def equity_change(
    opening: AccountAt, closing: AccountAt, trades: Iterable[Part] = (), moves: Iterable[Part] = ()
) -> EquityChange:
    """The way from one equity to the other.

    Parameters
    ----------
    trades
        Profit that was taken, at cost and without fees: proceeds less what was paid for it.
    moves
        What moved cash or cost without a fill: fees, dividends, interest, transfers, corrections, corporate actions. A
        split has a part of zero: the cost of what is held stays, and so does its value.
    """
    open_profit = Money(closing.open_profit - opening.open_profit)
    parts = in_cents((Part(OPENING, opening.equity), *trades, Part(OPEN_POSITIONS, open_profit), *moves))
    return EquityChange(parts, Money(to_the_cent(closing.equity) - sum((part.amount for part in parts), ZERO)))


def in_cents(exact: Iterable[Part]) -> tuple[Part, ...]:
    """The same parts to the cent: each is the cents that it adds to the sum of those before it."""
    parts, so_far = [], ZERO
    for part in exact:
        before, so_far = so_far, so_far + part.amount
        parts.append(Part(part.name, Money(to_the_cent(so_far) - to_the_cent(before))))
    return tuple(parts)


def to_the_cent(amount: Decimal) -> Money:
    return Money(amount.quantize(CENT, ROUND_HALF_EVEN))
