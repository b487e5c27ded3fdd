"""Build the watchlists: each symbol's quote, change, volume and course, with this desk's positions and orders."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from core.model.account import Channel
from core.model.alert import in_words
from core.model.instrument import BrokerInstrument
from core.model.values import NO_SHARES, Quantity, Symbol
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import close_before, lists_of, shown_price, volume_of
from core.views.builders.listed import Listed, no_list
from core.views.builders.symbols import halted_in_words
from core.views.order_families import first_of
from core.views.watch import WatchlistRow, WatchRow, WatchView


def watch_view(state: TradingState, at: datetime, is_listed: Listed = no_list) -> WatchView:
    lists = lists_of(state)
    listed = dict.fromkeys(symbol for symbols in lists.values() for symbol in symbols)
    working = _working(state)
    held: dict[Symbol, Quantity] = {}
    for position in state.ledger.positions():
        held[position.symbol] = Quantity(held.get(position.symbol, NO_SHARES) + position.quantity)
    exits, entries = _waiting(state)
    beside = (*held, *working, *exits, *entries, *state.alerts.symbols)
    joined = tuple(dict.fromkeys(symbol for symbol in beside if symbol not in listed))
    today = state.calendar.trading_day(at)
    data = state.sightings.lamps.get(Channel.DATA)
    polled = frozenset(() if data is None else data.polled)
    rows = []
    for symbol in (*listed, *joined):
        figures, last = state.sightings.day_figures.get(symbol), shown_price(state, symbol)
        is_todays = figures is not None and figures.day == today
        rows.append(
            WatchRow(
                symbol=symbol,
                quote=state.sightings.quotes.get(symbol),
                last=None if last is None else last[1],
                last_at=None if last is None else last[0],
                before=close_before(state, symbol, at),
                volume=volume_of(state, symbol, at),
                course=figures.course if figures is not None and is_todays else (),
                held=held.get(symbol, NO_SHARES),
                working=working[symbol],
                exit_waits=symbol in exits,
                proposed=symbol in entries,
                halted=halted_in_words(state, symbol),
                trouble=_trouble(state, symbol, is_listed(symbol)),
                is_polled=symbol in polled,
                alerts=tuple(in_words(alert.terms) for alert in state.alerts.of(symbol)),
                lists=state.lists.on(symbol, today),
            )
        )
    return WatchView(
        tuple(WatchlistRow(name, symbols, name in state.watchlists.state.lists) for name, symbols in lists.items()),
        tuple(rows),
        joined,
    )


def _working(state: TradingState) -> Counter[Symbol]:
    """Count working orders per symbol as a person does: an entry, its stop and its target are one."""
    ledger = state.ledger
    heads = {first_of(order, lambda each: each.parent, ledger.order).id: order for order in ledger.working()}
    return Counter(order.request.symbol for order in heads.values())


def _waiting(state: TradingState) -> tuple[set[Symbol], set[Symbol]]:
    """Return the symbols with a waiting exit, and those with a waiting entry."""
    exits, entries = set[Symbol](), set[Symbol]()
    for proposal in state.stage.proposals():
        (exits if proposal.is_exit else entries).add(proposal.symbol)
    return exits, entries


def _trouble(state: TradingState, symbol: Symbol, is_listed: bool | None) -> str:
    """Return why the broker does not trade the symbol; empty if it does."""
    if is_listed is False:
        return "not in the broker's list"
    listed = state.sightings.instruments.get(symbol)
    return "" if not isinstance(listed, BrokerInstrument) or listed.is_tradable else "it is not tradable"
