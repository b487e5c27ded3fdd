"""Symbols whose bars affect decisions, those on the watchlists, and their known prices.

Bars affect decisions in traded symbols, those that measure the market, and those held or ordered. They are recorded.
Those of symbols that are only watched are sightings: the minutes of two hundred symbols would fill a journal, and no
decision needs them (MD-06).

Every display of a last price uses `shown_price`, so that all agree.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.execution.order import Order
from core.model.bar import Bar
from core.model.instrument import MAIN, SHARE, AssetClass
from core.model.order import Side, StopKnown
from core.model.values import ZERO, Price, Quantity, Symbol
from core.trading_state.state import TradingState


def traded_symbols(state: TradingState) -> tuple[Symbol, ...]:
    """Return the settings' symbols first, in order, then the others.

    A position taken over, or a manual order, may be in a symbol that the settings do not name, and its stop is watched
    all the same (RK-08).
    """
    settings = state.control.settings
    wanted = [Symbol(text) for text in settings.symbols]
    halt = settings.risk.protections.volatility_halt
    if halt.enabled:
        wanted.append(Symbol(halt.market))
    held = {*(position.symbol for position in state.ledger.positions()), *(state.sightings.held_by_the_broker or ())}
    held |= {order.request.symbol for order in state.ledger.working()}
    wanted += sorted(symbol for symbol in held if is_a_share(state, symbol))
    return tuple(dict.fromkeys(wanted))


def is_only_watched(state: TradingState, symbol: Symbol) -> bool:
    """Whether no decision depends on its bars."""
    if symbol not in state.watchlists.symbols and not state.alerts.of(symbol):
        return False
    return symbol not in traded_symbols(state)


def is_a_share(state: TradingState, symbol: Symbol) -> bool:
    """Whether it is a share by the broker's listing, or by the form of its symbol if that is unknown."""
    listed = state.sightings.instruments.get(symbol)
    if listed is not None:
        return listed.asset_class is AssetClass.STOCK
    return SHARE.fullmatch(symbol) is not None


def lists_of(state: TradingState) -> dict[str, tuple[Symbol, ...]]:
    """Return the lists, `main` first: the symbols of the settings, unless the operator keeps a list of that name."""
    return {MAIN: tuple(map(Symbol, state.control.settings.symbols)), **state.watchlists.state.lists}


def seen_price(state: TradingState, symbol: Symbol) -> tuple[datetime, Price] | None:
    """Return the newest price with its time, of a minute's close or the quote's middle; at equal times the quote's."""
    last, figures = state.last_price(symbol), state.sightings.day_figures.get(symbol)
    if figures is None or figures.last is None or figures.last_at is None:
        return last
    return last if last is not None and last[0] >= figures.last_at else (figures.last_at, figures.last)


def shown_price(state: TradingState, symbol: Symbol) -> tuple[datetime, Price] | None:
    """Return the last price; for a position without one, its entry price with its time."""
    seen = seen_price(state, symbol)
    if seen is not None:
        return seen
    return max(((held.opened_at, held.average_price) for held in state.ledger.positions_in(symbol)), default=None)


def close_before(state: TradingState, symbol: Symbol, at: datetime) -> Price | None:
    """Return the previous close by the broker's daily bars, otherwise by the minutes received.

    None on the day of a spin-off: it is of shares with the part that left, and nobody knows what that is worth.
    """
    today = state.calendar.trading_day(at)
    if state.splits.is_spun_off(symbol, today):
        return None
    told = state.sightings.closes.get(symbol)
    if told is not None and told[0] < today:
        return told[1]
    figures = state.sightings.day_figures.get(symbol)
    if figures is None:
        return None
    return figures.before if figures.day == today else figures.last


def change_of(state: TradingState, symbol: Symbol, at: datetime) -> Decimal | None:
    """Return the change since the previous close, as a fraction of it."""
    last, before = seen_price(state, symbol), close_before(state, symbol, at)
    return None if last is None or not before else last[1] / before - 1


def stop_in_force(state: TradingState, order: Order) -> Price | None:
    """Return a stop's current price; a trailing stop moves at the broker."""
    if not order.request.type.trails:
        return order.request.stop_price
    seen = seen_price(state, order.request.symbol)
    return state.sightings.trails.get(order.id) or (None if seen is None else order.request.stop_behind(seen[1]))


def known_as(state: TradingState, order: Order) -> StopKnown:
    """Return how well a stop's price is known: a trailing one may have moved since its last report and whole minute."""
    if not order.request.type.trails:
        return StopKnown.EXACT
    is_told = order.id in state.sightings.trails and order.id not in state.sightings.guessed_trails
    return StopKnown.PASSED if is_told else StopKnown.GUESSED


def see_trail(state: TradingState, order: Order, stop: Price | None) -> None:
    """Note the broker's price of a trailing stop.

    Until it names one, that is the price behind the last one seen when its first report came: it does not fall later.
    """
    if not order.request.type.trails:
        return
    if stop is not None:
        state.sightings.trails[order.id] = stop
        state.sightings.guessed_trails.discard(order.id)
    elif order.is_working and order.id not in state.sightings.trails:
        seen = seen_price(state, order.request.symbol)
        if seen is not None:
            state.sightings.trails[order.id] = order.request.stop_behind(seen[1])
            state.sightings.guessed_trails.add(order.id)


def move_trails(state: TradingState, bar: Bar) -> None:
    """Move trailing stops by a whole minute since they were sent, never back."""
    for name, stop in tuple(state.sightings.trails.items()):
        order = state.ledger.order(name)
        if order is None or not order.is_working:
            del state.sightings.trails[name]
            state.sightings.guessed_trails.discard(name)
        elif order.request.symbol == bar.symbol and bar.start >= order.created_at:
            is_sale = order.request.side is Side.SELL
            moved = order.request.stop_behind(bar.high if is_sale else bar.low)
            if moved > stop if is_sale else moved < stop:
                state.sightings.trails[name] = moved
                state.sightings.guessed_trails.discard(name)


def spread_of(state: TradingState, symbol: Symbol) -> Decimal | None:
    """Return the spread as a fraction of the middle."""
    quote = state.sightings.quotes.get(symbol)
    return None if quote is None else quote.spread


def volume_of(state: TradingState, symbol: Symbol, at: datetime) -> Quantity:
    """Return the volume of today's minutes so far, in shares."""
    figures = state.sightings.day_figures.get(symbol)
    is_todays = figures is not None and figures.day == state.calendar.trading_day(at)
    return figures.volume if figures is not None and is_todays else Quantity(ZERO)
