"""Build the symbols of the order form and their sizing from known data, without a request.

These are the symbols of the settings, and those that an operator last looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.model.account import Account
from core.model.instrument import BrokerInstrument, named
from core.model.order import Side
from core.model.sizing import Room
from core.model.staging import MANUAL
from core.model.values import Money, Symbol
from core.risk.checks.order_value import room_of, taken_of
from core.risk.exposure import open_losses
from core.risk.size_factors.base import Conditions
from core.risk.sizing_inputs import held_in
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import shown_price
from core.views import SizingView, SymbolView
from core.views.builders.listed import Listed, no_list


def symbol_views(state: TradingState, at: datetime, listed: Listed = no_list) -> tuple[SymbolView, ...]:
    """Return the views; positions and losses at the stops are computed once for all symbols."""
    context, held = state.figures_for(at, Symbol(""), None), held_in(state.ledger)
    losses, taken = open_losses(state.ledger, context.last), taken_of(context)

    def conditions(symbol: Symbol) -> Conditions:
        return state.sizing.conditions(symbol, MANUAL, held=held, equity=context.equity, open_losses=losses)

    def room(symbol: Symbol, side: Side) -> Room:
        return room_of(side, replace(context, instrument=state.instrument(symbol)), taken)

    symbols = dict.fromkeys((*map(Symbol, state.control.settings.symbols), *state.sightings.looked_at))
    return tuple(
        _symbol_view(
            state, symbol, conditions(symbol), (room(symbol, Side.BUY), room(symbol, Side.SELL)), listed(symbol)
        )
        for symbol in symbols
    )


def _symbol_view(
    state: TradingState, symbol: Symbol, conditions: Conditions, rooms: tuple[Room, Room], is_listed: bool | None
) -> SymbolView:
    instrument = state.sightings.instruments.get(symbol)
    last = shown_price(state, symbol)
    return SymbolView(
        symbol=symbol,
        quote=state.sightings.quotes.get(symbol),
        last=None if last is None else last[1],
        is_fractionable=instrument.is_fractionable if instrument else False,
        last_at=None if last is None else last[0],
        quantity_step=instrument.quantity_step if instrument else Decimal(1),
        traded=named(instrument) if instrument else None,
        short_refused=_short_refused(state, instrument),
        conditions=conditions,
        room_to_buy=rooms[0],
        room_to_short=rooms[1],
        is_listed=False if symbol in state.sightings.unlisted else is_listed,
        is_described=instrument is not None,
    )


def _short_refused(state: TradingState, instrument: BrokerInstrument | None) -> str | None:
    account = state.sightings.account
    if instrument is None or not isinstance(account, Account):
        return "the broker has not said yet whether it can be sold short"
    if account.multiplier <= 1:
        return "a cash account sells nothing short"
    return instrument.short_refused or None


def sizing(state: TradingState, at: datetime) -> SizingView:
    """Return the risk per trade and the largest order, by the equity that the checks use (RK-02)."""
    context = state.figures_for(at, Symbol(""), None)
    risk, most = (
        context.settings.risk.per_trade.of(context.equity),
        context.settings.risk.max_notional.of(context.equity),
    )
    return SizingView(
        None if risk is None else Money(risk), None if most is None else Money(most), context.settings.risk.min_notional
    )


def halted_in_words(state: TradingState, symbol: Symbol) -> str:
    """Return the start and the exchange's text of a halt; empty while the symbol trades (MD-06)."""
    halt = state.normaliser.state.halted.get(symbol)
    return "" if halt is None else f"{state.calendar.venue.clock(halt.since)}, {halt.reason}"
