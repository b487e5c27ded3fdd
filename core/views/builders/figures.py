"""Read the figures that agents are told, into the record with which their facts are compared (OP-14).

The record hears each input after the engine: a quote and a bar change the market of their symbol, everything else may
change the account, and a recorded fact positions and orders. What each quote or time alone changes is noted when an
agent is told it. Before a draft all are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.agents.fact_checks import GUARDS
from core.agents.figure_record import Figures, Scope
from core.messages.inputs import (
    AgentRefused,
    AgentSaid,
    BarArrived,
    DeadlineReached,
    DraftSubmitted,
    DraftWithdrawn,
    Input,
    QuoteArrived,
)
from core.model.account import Account
from core.model.fact_fields import TERMS, FactField, FigureFamily, Unit
from core.model.values import ZERO, Symbol
from core.settings.service import AgentSettings
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import close_before, shown_price, volume_of
from core.views import DeskView, PositionRow
from core.views.builders.desk import day_change
from core.views.builders.protection_limits import lost_at_the_stops
from core.views.builders.protections import ProtectionRows
from core.views.builders.rows import position_row
from core.views.builders.symbols import sizing, working_orders
from core.views.desk import ProtectionRow
from core.views.export import CENTS, DECIMALS, EXACT_TYPES, SHARES, value_of

ACCOUNT, ALL_ORDERS = (
    Scope(FigureFamily.ACCOUNT, ""),
    Scope(FigureFamily.ORDERS, ""),
)
MOST_SYMBOLS = 64
PLACES: Mapping[Unit, int] = {
    Unit.PRICE: DECIMALS,
    Unit.MONEY: CENTS,
    Unit.SHARES: SHARES,
    Unit.COUNT: 0,
    Unit.FRACTION: EXACT_TYPES["Fraction"],
    Unit.MULTIPLE: DECIMALS,
}
OF_A_GUARD = 3
"""Decimals of what agents are told."""
Named = Mapping[FactField, Decimal | None]


class FigureReader:
    """Keeps the record of a desk that has agents."""

    def __init__(self, state: TradingState) -> None:
        self._state = state
        self._record = state.sightings.figures
        self._protections = ProtectionRows(state)
        self._sequence = -1
        self._is_whole = True

    @property
    def _is_needed(self) -> bool:
        return bool(self._state.control.settings.agents)

    def forget(self) -> bool:
        """Begin the record anew after a fault; return whether that is the first one."""
        self._record.forget()
        was_whole, self._is_whole = self._is_whole, False
        return was_whole

    def hear_before(self, at: datetime, message: Input) -> None:
        """Read all before the facts of a draft are compared; a draft that is not judged costs no reading."""
        if isinstance(message, DraftSubmitted) and message.request.facts and self._is_judged(at, message):
            self.read_all(at)

    def _is_judged(self, at: datetime, message: DraftSubmitted) -> bool:
        terms, drafts = self._state.control.settings.agents.get(message.agent), self._state.drafts
        if terms is None or drafts.of_key(message.agent, message.request.key) is not None:
            return False
        return drafts.sent_within_an_hour(message.agent, at) < terms.per_hour

    def hear_after(self, message: Input) -> None:
        """Read what an input may have changed."""
        if not self._is_needed:
            return
        at, before = self._state.at, self._sequence
        self._sequence = self._state.journal.sequence
        match message:
            case QuoteArrived():
                self._market(at, message.quote.symbol)
            case BarArrived() if self._sequence == before + 1:
                self._market(at, message.bar.symbol)
                self._account(at)
            case DeadlineReached() | DraftSubmitted() | DraftWithdrawn() | AgentRefused() | AgentSaid() if (
                self._sequence == before
            ):
                pass  # time alone changes what `tell` notes
            case _ if self._sequence == before:
                for symbol in self._symbols():
                    self._market(at, symbol)
                self._account(at)
            case _:
                self.read_all(at)

    def read_all(self, at: datetime) -> None:
        """Read every figure."""
        state = self._state
        orders, working = _by_symbol(state, at), working_orders(state)
        for symbol in self._symbols():
            self._market(at, symbol)
            rows = [position_row(state, position, at) for position in state.ledger.positions_in(symbol)]
            self._holding(at, symbol, rows)
            self._results(at, symbol, rows)
            figures: dict[str, tuple[Decimal, ...]] = {FactField.OPEN_ORDERS: (Decimal(working[symbol]),)}
            figures.update(orders.get(symbol, {}))
            self._record.note(Scope(FigureFamily.ORDERS, symbol), at, figures)
        self._record.note(ALL_ORDERS, at, {FactField.OPEN_ORDERS: (Decimal(working.total()),)})
        self._account(at)
        lost = lost_at_the_stops(state, at)
        self._guards(at, self._protections.rows(at), None if lost is None else lost[0])
        self._agents(at)

    def tell(self, view: DeskView) -> None:
        """Note what agents are told of this view and what time alone changes."""
        if not self._is_needed:
            return
        at = view.status.at
        for symbol in self._symbols():
            self._results(at, symbol, [row for row in view.positions if row.symbol == symbol])
        self._guards(at, view.protections, view.status.lost_at_stops)
        self._agents(at)

    def _symbols(self) -> list[Symbol]:
        state = self._state
        held = (position.symbol for position in state.ledger.positions())
        followed = (*held, *map(Symbol, state.control.settings.symbols), *state.sightings.looked_at)
        return list(dict.fromkeys((*followed, *state.sightings.quotes)))[:MOST_SYMBOLS]

    def _market(self, at: datetime, symbol: Symbol) -> None:
        state, scope = self._state, Scope(FigureFamily.MARKET, symbol)
        quote, last = state.sightings.quotes.get(symbol), shown_price(state, symbol)
        day = state.sightings.day_figures.get(symbol)
        is_todays = day is not None and day.day == state.calendar.trading_day(at)
        figures: dict[FactField, Decimal | None] = {
            FactField.LAST: None if last is None else last[1],
            FactField.CLOSE_BEFORE: close_before(state, symbol, at),
            FactField.VOLUME: volume_of(state, symbol, at),
            FactField.VWAP: day.vwap if day is not None and is_todays else None,
        }
        if quote is not None:
            figures[FactField.BID], figures[FactField.ASK] = quote.bid, quote.ask
            figures[FactField.BID_SIZE], figures[FactField.ASK_SIZE] = quote.bid_size, quote.ask_size
            figures[FactField.MID], figures[FactField.SPREAD] = quote.mid, quote.width()
        newest = self._record.newest(scope)
        is_new_quote = quote is not None and (newest is None or quote.at > newest.since)
        self._record.note(scope, at, _given(figures), quote.at if quote is not None and is_new_quote else None)

    def _holding(self, at: datetime, symbol: Symbol, rows: Sequence[PositionRow]) -> None:
        net = sum((row.quantity for row in rows), ZERO)
        shares = sum((abs(row.quantity) for row in rows), ZERO)
        cost = sum((abs(row.quantity) * row.average_price for row in rows), ZERO)
        each: dict[FactField, Sequence[Decimal | None]] = {
            FactField.POSITION: [net, *(row.quantity for row in rows)],
            FactField.QUANTITY: [net, *(row.quantity for row in rows)],
            FactField.AVERAGE: [*(row.average_price for row in rows), cost / shares if shares else None],
            FactField.STOP: [row.stop_price for row in rows],
            FactField.TARGET: [target for row in rows for target in row.targets],
            FactField.UNPROTECTED: [row.unprotected for row in rows],
        }
        self._record.note(Scope(FigureFamily.HOLDING, symbol), at, _of_rows(each))

    def _results(self, at: datetime, symbol: Symbol, rows: Sequence[PositionRow]) -> None:
        each: dict[FactField, Sequence[Decimal | None]] = {
            FactField.VALUE: [row.value for row in rows],
            FactField.PROFIT: [row.profit for row in rows],
            FactField.PROFIT_FRACTION: [row.profit_fraction for row in rows],
            FactField.PROFIT_IN_R: [row.result_in_risk for row in rows],
        }
        self._record.note(Scope(FigureFamily.RESULTS, symbol), at, _of_rows(each))

    def _account(self, at: datetime) -> None:
        state = self._state
        found = state.sightings.account
        account = found if isinstance(found, Account) else None
        sizes = sizing(state, at)
        opening = state.opening.opening_equity(state.calendar.trading_day(at))
        figures: Named = {
            FactField.EQUITY: None if account is None else account.equity,
            FactField.BUYING_POWER: None if account is None else account.buying_power,
            FactField.DAY_CHANGE: day_change(state, account, at),
            FactField.DESKS: Decimal(len(state.desks.state.attached)),
            FactField.PROPOSALS: Decimal(len(state.stage.proposals())),
            FactField.RISK: sizes.risk,
            FactField.LARGEST_ORDER: sizes.max_notional,
            FactField.SMALLEST_ORDER: sizes.least,
            FactField.LOSS_LIMIT: state.control.settings.risk.daily_loss.of(opening),
        }
        self._record.note(ACCOUNT, at, _given(figures))

    def _guards(self, at: datetime, guards: Iterable[ProtectionRow], lost: Decimal | None) -> None:
        figures = {name_of(row): _known(FactField.USED, [row.used]) for row in guards if row.used is not None}
        figures[FactField.LOST_AT_STOPS] = _known(FactField.LOST_AT_STOPS, [lost])
        self._record.note(GUARDS, at, figures)

    def _agents(self, at: datetime) -> None:
        for name, terms in self._state.control.settings.agents.items():
            self._record.note(Scope(FigureFamily.AGENT, name), at, _of_agent(self._state, at, name, terms))


def name_of(guard: ProtectionRow) -> str:
    """Return the name of a guard as that of a field: `daily_loss`."""
    return "".join(letter if letter.isalnum() else "_" for letter in guard.name.lower())


def _of_rows(each: Mapping[FactField, Sequence[Decimal | None]]) -> Figures:
    return {field: found for field, values in each.items() if (found := _known(field, values))}


def _given(named: Named) -> Figures:
    return {field: (_told(field, value),) for field, value in named.items() if value is not None}


def _known(field: FactField, values: Iterable[Decimal | None]) -> tuple[Decimal, ...]:
    return tuple(dict.fromkeys(_told(field, value) for value in values if value is not None))


def _told(field: FactField, value: Decimal) -> Decimal:
    """Round a figure as agents are told it."""
    return Decimal(value_of(value, PLACES[TERMS[field].unit] if field is not FactField.USED else OF_A_GUARD))


def _by_symbol(state: TradingState, at: datetime) -> dict[Symbol, dict[str, tuple[Decimal, ...]]]:
    """Return the figures of the working orders and of those of today."""
    today, found = state.calendar.trading_day(at), dict[Symbol, list[Named]]()
    for order in state.ledger.state.orders.values():
        if order.is_working or state.calendar.trading_day(order.created_at) == today:
            request = order.request
            found.setdefault(request.symbol, []).append(
                {
                    FactField.QUANTITY: request.quantity,
                    FactField.LIMIT: request.limit_price,
                    FactField.STOP: request.stop_price,
                    FactField.AVERAGE: order.average_price,
                    FactField.FILLED: order.filled_quantity,
                }
            )
    return {
        symbol: {field: values for field in rows[0] if (values := _known(field, (row[field] for row in rows)))}
        for symbol, rows in found.items()
    }


def _of_agent(state: TradingState, at: datetime, name: str, terms: AgentSettings) -> Figures:
    sent = state.drafts.sent_within_an_hour(name, at)
    return _given(
        {
            FactField.MOST_VALUE: terms.most_value,
            FactField.PER_HOUR: Decimal(terms.per_hour),
            FactField.LEFT: Decimal(max(0, terms.per_hour - sent)),
            FactField.WAITING: Decimal(sum(one.draft.agent == name for one in state.drafts.waiting)),
            FactField.MOST_WAITING: Decimal(terms.waiting),
            FactField.MINUTES: Decimal(terms.minutes),
        }
    )
