"""What is watched: a row a symbol, and the lists that name them (MD-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.corporate_action import CorporateAction
from core.model.quote import Quote
from core.model.symbol_list import ListedSymbol
from core.model.values import NO_SHARES, Price, Quantity, Symbol


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One symbol, as it stands now.

    Attributes
    ----------
    quote
        The newest that could be believed; None before one.
    last, last_at
        The newest price that is known, a minute's close or the middle of the quote, and its time; None before one.
    before
        The close of the session before, USD; None where it is not known, and then there is no change either.
    volume
        Shares of today's minutes so far.
    course
        Today's closes, one for each five minutes, the oldest first.
    held
        Shares, below zero where they are sold short.
    working
        Orders of this desk that work in it.
    exit_waits
        Whether an exit of it waits for a key.
    proposed
        Whether an entry in it waits for a key.
    halted
        Since when its exchange has halted it, and why; empty where it trades.
    trouble
        Why nothing is known of it, in words; empty where something is, or may still come.
    is_polled
        Whether the stream has no room for it: polled, and its trading halts are not heard.
    alerts
        What the engine rings for in it, each in words.
    lists
        The lists that shut its entries (RK-26).
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
        """USD a share since the close before."""
        return None if self.last is None or self.before is None else self.last - self.before

    @property
    def change_fraction(self) -> Decimal | None:
        return None if self.change is None or not self.before else self.change / self.before


@dataclass(frozen=True, slots=True)
class WatchlistRow:
    """A list by its name, its symbols in the operator's order; one that was not kept is that of the settings."""

    name: str
    symbols: tuple[Symbol, ...]
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class WatchView:
    """Every list, and a row for each symbol of any of them; `joined` are those that are held, ordered, proposed or
    rung for and stand in no list.
    """

    lists: tuple[WatchlistRow, ...] = ()
    rows: tuple[WatchRow, ...] = ()
    joined: tuple[Symbol, ...] = ()


NOTHING_WATCHED = WatchView()


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A corporate action that comes: `is_near` within two sessions."""

    action: CorporateAction
    is_near: bool


def near(actions: Sequence[ActionRow], symbol: Symbol) -> ActionRow | None:
    """The next one of a symbol that is near."""
    return next((row for row in actions if row.is_near and row.action.symbol == symbol), None)
