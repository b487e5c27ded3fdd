"""The interface of a strategy.

A strategy is a plug-in of one file: a name, a state, one method. It reads only the bar's time, never a clock; its
positions, orders and limits are in its `Context`. It can only propose (OP-01).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.recommendation import Recommendation
from core.model.session import Session, Venue
from core.model.signal import Answer, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import SUB_PENNY, ZERO, Money, Price, Quantity
from core.risk.sizing import Conditions
from core.settings.entry_windows import Span

# ── context ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# The strategy's view of the account and its position, beside the bar (ST-03).

NO_SHARES = Quantity(ZERO)


@dataclass(slots=True)
class Context:
    """One strategy's view of the desk for one symbol. The orchestrator keeps it up to date; a strategy only reads it.

    Attributes
    ----------
    is_enabled, is_paused
        Whether it may open at all; if not, whether that is because the operator paused it.
    is_day_disabled
        The strategy's loss reached its limit today.
    entries_filled, entries_allowed
        Entries of this session with at least one filled share, and their limit.
    windows
        First and last bar start for an entry, UTC, both included, of each window of the session (RK-07).
    held
        Shares of this strategy's position, signed; zero is flat.
    entry_price
        Average price of the position, USD; None when flat.
    entered_at
        When the position was opened, UTC; None when flat.
    recommendation
        The operator's adopted recommendation for this strategy and symbol, not used yet (ST-04).
    covered
        Shares that working exit orders and stops at the broker would sell.
    is_waiting
        An entry proposal is staged, or an entry order works.
    is_broker_behind
        More orders of the whole desk wait for the broker's answer than allowed (EX-15).
    risk_per_trade, max_notional
        USD; None if it needs an equity that is unknown.
    min_notional
        USD of the smallest order.
    conditions
        Further inputs of a size, computed only when there is something to size (RK-10).
    flat_from
        Bars that start here or later must end flat, UTC.
    venue
        The venue of its session, whose clock is used in texts.
    """

    session: Session
    windows: tuple[Span, ...]
    flat_from: datetime
    entries_allowed: int
    venue: Venue
    is_enabled: bool = True
    is_paused: bool = False
    is_day_disabled: bool = False
    entries_filled: int = 0
    held: Quantity = NO_SHARES
    entry_price: Price | None = None
    entered_at: datetime | None = None
    recommendation: Recommendation | None = None
    covered: Quantity = NO_SHARES
    is_waiting: bool = False
    is_broker_behind: bool = False
    risk_per_trade: Money | None = None
    max_notional: Money | None = None
    min_notional: Decimal = ZERO
    conditions: Callable[[], Conditions] = Conditions

    def is_in_window(self, start: datetime) -> bool:
        """Return whether a bar that starts then may bring an entry."""
        return any(first <= start <= last for first, last in self.windows)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Common answers of strategies: reasons against an entry, and exits.

DISABLED = NoTrade(NoTradeReason.DISABLED)
PAUSED = NoTrade(NoTradeReason.PAUSED)
DAY_DISABLED = NoTrade(NoTradeReason.DAY_DISABLED)
WARMING_UP = NoTrade(NoTradeReason.WARMING_UP)
OUTSIDE_WINDOW = NoTrade(NoTradeReason.OUTSIDE_WINDOW)
IN_POSITION = NoTrade(NoTradeReason.IN_POSITION)
MAX_TRADES_REACHED = NoTrade(NoTradeReason.MAX_TRADES_REACHED)
PROPOSAL_WAITING = NoTrade(NoTradeReason.PROPOSAL_WAITING)
BACK_PRESSURE = NoTrade(NoTradeReason.BACK_PRESSURE)
NO_SETUP = NoTrade(NoTradeReason.NO_SETUP)
THIN_VOLUME = NoTrade(NoTradeReason.THIN_VOLUME)
WEAK_SETUP = NoTrade(NoTradeReason.WEAK_SETUP)
ZERO_SIZE = NoTrade(NoTradeReason.ZERO_SIZE)


def shut(context: Context, is_enabled: bool) -> NoTrade | None:
    """Return why no entry is allowed today, whatever the bars are."""
    if not (context.is_enabled and is_enabled):
        return PAUSED if context.is_paused and is_enabled else DISABLED
    return DAY_DISABLED if context.is_day_disabled else None


def not_now(bar: Bar, context: Context) -> NoTrade | None:
    """Return why no entry is allowed on this bar, in the order of ST-03."""
    if not context.is_in_window(bar.start) or bar.start >= context.flat_from:
        return OUTSIDE_WINDOW
    if context.held:
        return IN_POSITION
    if context.entries_filled >= context.entries_allowed:
        return MAX_TRADES_REACHED
    if context.is_waiting:
        return PROPOSAL_WAITING
    return BACK_PRESSURE if context.is_broker_behind else None


def leaving(
    strategy: str, bar: Bar, quantity: Quantity, why: tuple[ExitReason, str], reference: Decimal | None
) -> ExitSignal:
    """Build an exit at the market. `reference` is rounded to a hundredth of a cent; the close if there is none."""
    exit_reason, words = why
    return ExitSignal(
        strategy=strategy,
        symbol=bar.symbol,
        bar_start=bar.start,
        quantity=quantity,
        exit_reason=exit_reason,
        intended_price=bar.close,
        reference=bar.close if reference is None else Price(reference.quantize(SUB_PENNY)),
        reason=words,
    )


def text(price: Decimal) -> str:
    """Format a price to its tick: 168.70."""
    return str(STOCK_TICKS.nearest(price))


# ── memory in another process ────────────────────────────────────────────────────────────────────────────────────────
# The memory of a strategy that runs in a separate process: the last one that the process reported.


class RemoteMemory:
    """Read only when it is saved; never older than the last received bar."""

    def __init__(self, plain: Callable[[], object]) -> None:
        self._plain = plain

    def plain(self) -> object:
        """Return plain JSON values."""
        return self._plain()

    def follow(self, plain: Callable[[], object]) -> None:
        """Follow another instance that has taken it over."""
        self._plain = plain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteMemory) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.plain())


# ── strategies ───────────────────────────────────────────────────────────────────────────────────────────────────────

Figures = tuple[tuple[str, str], ...]


TIMEOUT = 2.0
"""Time limit of one answer in seconds; a process that has not answered by then is ended."""


class OverdueError(Exception):
    """There was no answer in time."""

    def __init__(self) -> None:
        super().__init__(f"no answer in {TIMEOUT:g} s; its process was ended")


class Strategy(Protocol):
    """Receives every complete bar of its symbol and answers (ST-01). One instance per symbol.

    `state` is a slots dataclass of plain values: the whole memory of the strategy, saved and restored from outside.
    """

    name: str
    state: Any

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Fold the bar into the state and answer. Same state, bar and context: same answer."""
        ...

    def figures(self, day: date) -> Figures:
        """Return the trading day's figures for display: pairs of name and text."""
        ...
