"""Watched symbols, one row each, and the lists that name them (MD-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.bar import Quote
from core.model.reference_data import CorporateAction
from core.model.symbols import ListedSymbol
from core.model.values import NO_SHARES, Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class WatchRow:
    """The current state of one symbol.

    Attributes
    ----------
    quote
        The newest believable one; None before one.
    last, last_at
        The newest known price, a minute's close or the middle of the quote, and its time; None before one.
    before
        The close of the previous session, USD; None if unknown, and then there is no change either.
    volume
        Shares of today's minutes so far.
    course
        Today's closes, one per five minutes, oldest first.
    held
        Shares, negative for a short.
    working
        Working orders of this desk in it.
    exit_waits
        Whether an exit of it waits for a key.
    proposed
        Whether an entry in it waits for a key.
    halted
        Start and reason of an exchange halt; empty while it trades.
    trouble
        Why nothing is known of it, as text; empty if something is, or may still come.
    is_polled
        Whether the stream has no room for it: it is polled, and its trading halts are not received.
    alerts
        The alerts in it, each as text.
    lists
        The lists that block its entries (RK-26).
    """

    symbol: Symbol
    quote: Quote | None = None
    last: Price | None = None
    last_at: datetime | None = None
    before: Price | None = None
    volume: Quantity = NO_SHARES
    course: tuple[Price, ...] = ()
    held: Quantity = NO_SHARES
    working: int = 0
    exit_waits: bool = False
    proposed: bool = False
    halted: str = ""
    trouble: str = ""
    is_polled: bool = False
    alerts: tuple[str, ...] = ()
    lists: tuple[ListedSymbol, ...] = ()

    @property
    def change(self) -> Decimal | None:
        """Return the change per share since the previous close, USD."""
        return None if self.last is None or self.before is None else self.last - self.before

    @property
    def change_fraction(self) -> Decimal | None:
        return None if self.change is None or not self.before else self.change / self.before


@dataclass(frozen=True, slots=True)
class WatchlistRow:
    """A list by name, its symbols in the operator's order; one with `is_kept` False comes from the settings."""

    name: str
    symbols: tuple[Symbol, ...]
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class WatchView:
    """Every list, and a row for each symbol of any of them.

    `joined` are symbols held, ordered, proposed or with an alert that are in no list.
    """

    lists: tuple[WatchlistRow, ...] = ()
    rows: tuple[WatchRow, ...] = ()
    joined: tuple[Symbol, ...] = ()


NOTHING_WATCHED = WatchView()


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An upcoming corporate action; `is_near` means within two sessions."""

    action: CorporateAction
    is_near: bool


def near(actions: Sequence[ActionRow], symbol: Symbol) -> ActionRow | None:
    """Return the next near action of a symbol."""
    return next((row for row in actions if row.is_near and row.action.symbol == symbol), None)
