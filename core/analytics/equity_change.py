"""Explain a change of the account's equity: each part by name, and the unexplained rest (AN-06).

Money is exact here. Parts are rounded to the cent so that they add up: each is the cents that it adds to the running
sum. Equity is cash plus positions at the broker's valuation; positions are their cost in our books plus an open profit.
So a missing part, or one wrong by a cent, is in `rest` and nowhere else.
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
    """A contribution to the equity, USD, signed."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class AccountAt:
    """The account at one end of the explained period, USD.

    Attributes
    ----------
    equity, cash
        The broker's figures of the same time.
    cost
        The cost of the positions in our books: a short position counts below zero.
    """

    equity: Money
    cash: Money
    cost: Money

    @property
    def open_profit(self) -> Decimal:
        """The open profit at the broker's own prices."""
        return self.equity - self.cash - self.cost


@dataclass(frozen=True, slots=True)
class EquityChange:
    """The opening equity, then its changes; `rest` is unexplained. All in USD, to the cent.

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
    """Explain the change from one equity to the other.

    Parameters
    ----------
    trades
        Realised profit, at cost and without fees: proceeds minus cost.
    moves
        Changes of cash or cost without a fill: fees, dividends, interest, transfers, corrections, corporate actions. A
        split has a part of zero: cost and value of the position stay.
    """
    open_profit = Money(closing.open_profit - opening.open_profit)
    parts = in_cents((Part(OPENING, opening.equity), *trades, Part(OPEN_POSITIONS, open_profit), *moves))
    return EquityChange(parts, Money(to_the_cent(closing.equity) - sum((part.amount for part in parts), ZERO)))


def in_cents(exact: Iterable[Part]) -> tuple[Part, ...]:
    """Round the parts to the cent: each is the cents that it adds to the running sum."""
    parts, so_far = [], ZERO
    for part in exact:
        before, so_far = so_far, so_far + part.amount
        parts.append(Part(part.name, Money(to_the_cent(so_far) - to_the_cent(before))))
    return tuple(parts)


def to_the_cent(amount: Decimal) -> Money:
    return Money(amount.quantize(CENT, ROUND_HALF_EVEN))
