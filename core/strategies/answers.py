"""Common answers of strategies: reasons against an entry, and exits."""

from __future__ import annotations

from decimal import Decimal

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.signal import ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import SUB_PENNY, Price, Quantity
from core.strategies.context import Context

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
    if not context.window_first <= bar.start <= context.window_last or bar.start >= context.flat_from:
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
