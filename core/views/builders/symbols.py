"""Build charts, and the symbols of order forms and watchlists, with their corporate actions.

Build the symbols of the order form and their sizing from known data, without a request.
These are the symbols of the settings, and those that an operator last looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.facts import BarClosed, Fact, OrderFilled
from core.model.account import Account, Channel
from core.model.alert import in_words as alert_in_words
from core.model.bar import ONE_MINUTE, Bar, Quote
from core.model.instrument import BrokerInstrument, named
from core.model.kept_rows import KeptRows
from core.model.lazy_dataclass import dataclass
from core.model.news import OFF, NewsView, NextEarnings, SymbolNews, next_report
from core.model.order import OrderRequest
from core.model.reference_data import ActionKind, CorporateAction, coming, near_until
from core.model.reference_data import in_words as action_in_words
from core.model.session import Calendar, Session
from core.model.sizing import Room
from core.model.staging import MANUAL
from core.model.values import NO_SHARES, Money, Price, Quantity, Symbol, plain
from core.risk.checks.order_value import Rooms
from core.risk.exposure import open_losses
from core.risk.sizing import Conditions, Likeness
from core.risk.sizing_inputs import held_in
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import close_before, lists_of, shown_price, traded_symbols, volume_of
from core.views import ActionRow, ChartBar, ChartFill, ChartView, PositionRow, SizingView, SymbolView
from core.views.results import ChartPast, DayVwap, Past, nothing_before
from core.views.rows import WatchlistRow, WatchRow, WatchView

# ── charts ───────────────────────────────────────────────────────────────────────────────────────────────────────────
# Build the chart of a watched symbol: the session's complete bars with VWAP, our fills, entries and stops.
#
# Nothing is kept and a bar costs nothing until a chart is opened for the first time. Then the day is read once from the
# journal's end, and from there on every bar of traded symbols is collected. The journal has no bars of symbols that are
# only watched: their minutes are collected from the first look on, while the symbol is among the last ones shown. The
# market's history adds today's missing minutes and earlier sessions.

LOOKED_AT = 16
"""Untraded symbols whose minutes are kept: a session of one takes less than half a megabyte."""
SILENCE = timedelta(minutes=5)
"""Gap after which minutes may be missing here: history is requested again."""


@dataclass(slots=True)
class VwapLine:
    """One symbol's day as collected; history is not needed from `heard_from` on."""

    day: date
    heard_from: datetime
    vwap: DayVwap = field(default_factory=DayVwap)
    bars: tuple[ChartBar, ...] = ()
    past: ChartPast | None = None

    @property
    def heard_to(self) -> datetime:
        return max(self.heard_from, self.bars[-1].start + ONE_MINUTE) if self.bars else self.heard_from

    def joined(self, past: ChartPast, at: datetime) -> VwapLine:
        """Return the line with the missing complete minutes inserted; VWAP is computed again."""
        heard = {bar.start for bar in self.bars}
        made = VwapLine(self.day, self.heard_from, past=past)
        missed = [bar for bar in past.minutes if bar.start not in heard and bar.end <= at]
        both: list[Bar | ChartBar] = [*self.bars, *missed]
        for bar in sorted(both, key=lambda bar: bar.start):
            made.take(bar)
        return made

    def take(self, bar: Bar | ChartBar) -> None:
        """Append the next bar with VWAP; skip a bar that history provided."""
        if self.bars and bar.start <= self.bars[-1].start:
            return
        self.vwap.take(bar)
        self.bars += (ChartBar(bar.start, bar.open, bar.high, bar.low, bar.close, self.vwap.price(), bar.volume),)


class Charts:
    """Keeps the day of traded symbols and of those last shown, from the first look on."""

    def __init__(self, state: TradingState, past: Past = nothing_before) -> None:
        self.state = state
        self._past = past
        self._lines: dict[Symbol, VwapLine] = {}
        self._fills: dict[Symbol, tuple[ChartFill, ...]] = {}
        self._looked_at: dict[Symbol, None] = {}
        self.has_begun = False

    def draw(self, symbol: Symbol | None, at: datetime, positions: Iterable[PositionRow]) -> ChartView | None:
        if symbol is None:
            return None
        self._look_at(symbol)
        today = self.state.calendar.trading_day(at)
        line = self._line(symbol, at)
        past = self._past(symbol, today, line.heard_from)
        if past is not None and past is not line.past:
            line = self._lines[symbol] = line.joined(past, at)
        held = [row for row in positions if row.symbol == symbol]
        day_of = self.state.calendar.trading_day
        return ChartView(
            symbol=symbol,
            bars=line.bars,
            entries=tuple(dict.fromkeys(row.average_price for row in held)),
            stops=tuple(dict.fromkeys(row.standing_stop for row in held if row.standing_stop is not None)),
            fills=tuple(fill for fill in self._fills.get(symbol, ()) if day_of(fill.at) == today),
            hours=() if line.past is None else line.past.hours,
            days=() if line.past is None else line.past.days,
        )

    def begin(self, at: datetime) -> None:
        """Listen to bars from now on, and read the day from the journal. Raises JournalError, OSError."""
        self.has_begun = True
        self.state.add_bar_listener(self._hear_bar)
        self.state.add_watcher(self._hear_watched_bar)
        self.state.add_listener(self._hear)
        day_of = self.state.calendar.trading_day
        today, found = day_of(at), list[Fact]()
        for recorded in self.state.journal.backwards():
            if day_of(recorded.at) != today:
                break
            if isinstance(recorded.fact, BarClosed | OrderFilled):
                found.append(recorded.fact)
        for fact in reversed(found):
            if isinstance(fact, BarClosed):
                if day_of(fact.bar.start) == today:
                    self._line(fact.bar.symbol, at).take(fact.bar)
            elif isinstance(fact, OrderFilled):
                self._hear_fill(fact)

    def _look_at(self, symbol: Symbol) -> None:
        """Note the symbol as the newest; forget an untraded one beyond the limit."""
        self._looked_at.pop(symbol, None)
        self._looked_at[symbol] = None
        while len(self._looked_at) > LOOKED_AT:
            oldest = next(iter(self._looked_at))
            del self._looked_at[oldest]
            if oldest not in traded_symbols(self.state):
                self._lines.pop(oldest, None)

    def _hear_bar(self, bar: Bar) -> None:
        line = self._line(bar.symbol, bar.start)
        if bar.start - line.heard_to > SILENCE:
            line.heard_from = bar.start
        line.take(bar)

    def _hear_watched_bar(self, bar: Bar) -> None:
        """Append a watched bar. A line that misses a bar is dropped, and the next look requests history."""
        if bar.symbol in self._looked_at:
            self._hear_bar(bar)
        else:
            self._lines.pop(bar.symbol, None)

    def _hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrderFilled):
            self._hear_fill(fact)

    def _hear_fill(self, fact: OrderFilled) -> None:
        order, fill = self.state.ledger.order(fact.fill.client_order_id), fact.fill
        if order is not None:
            symbol, day_of = order.request.symbol, self.state.calendar.trading_day
            kept = (each for each in self._fills.get(symbol, ()) if day_of(each.at) == day_of(fill.at))
            self._fills[symbol] = (*kept, ChartFill(fill.at, order.request.side, fill.price))

    def _line(self, symbol: Symbol, at: datetime) -> VwapLine:
        """Return the line of that day; a new one starts at that time."""
        day, line = self.state.calendar.trading_day(at), self._lines.get(symbol)
        if line is None or line.day < day:
            line = self._lines[symbol] = VwapLine(day, at)
        return line


# ── symbols ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Listed = Callable[[Symbol], bool | None]
"""Whether the broker's list has a symbol; None without a list."""


def no_list(_symbol: Symbol) -> bool | None:
    return None


COUNTED = 40
"""Days ahead up to which sessions are counted: more than any `news.earnings_sessions`."""
SATURDAY = 5
SPLITS = frozenset({ActionKind.SPLIT, ActionKind.REVERSE_SPLIT, ActionKind.STOCK_DIVIDEND})


def action_rows(state: TradingState, at: datetime) -> tuple[ActionRow, ...]:
    """Return the actions of every followed symbol, next one first."""
    known = state.sightings.corporate_actions
    if not any(known.values()):
        return ()
    near, today = near_until(state.calendar, at), state.calendar.trading_day(at)
    found = coming((each for actions in known.values() for each in actions), today)
    return tuple(ActionRow(each, each.ex_date <= near) for each in found)


def said_on_a_ticket(state: TradingState, order: OrderRequest, at: datetime) -> tuple[str, ...]:
    """Return near actions: `ex Tue 24 Nov: dividend 0.25 USD a share, 11.75 USD for 47`."""
    known = state.sightings.corporate_actions.get(order.symbol, ())
    if not known:
        return ()
    near, today = near_until(state.calendar, at), state.calendar.trading_day(at)
    return tuple(_said(each, order) for each in coming(known, today) if each.ex_date <= near)


def _said(action: CorporateAction, order: OrderRequest) -> str:
    words = f"ex {action.ex_date:%a %d %b}: {action_in_words(action)}"
    if action.cash is not None:
        paid = order.instrument.notional(order.quantity, Price(action.cash))
        return f"{words}, {paid:,.2f} USD for {plain(order.quantity)}"
    if action.kind in SPLITS or action.moved_ratio is not None:
        return f"{words}; prices and shares here are those of before"
    return words


def news_view(state: TradingState) -> NewsView:
    """Return the headlines; none while nobody asks for them."""
    return state.sightings.headlines.view if state.control.settings.news.enabled else NewsView(note=OFF)


def ticket_news(state: TradingState, symbol: Symbol, at: datetime) -> SymbolNews | None:
    """Return the headlines of a symbol; None where nobody asks for any."""
    news = news_view(state)
    return news.of(symbol, at) if news.is_asked_for else None


def next_earnings(state: TradingState, symbol: Symbol, at: datetime) -> NextEarnings | None:
    """Return the next report of a symbol by the operator's file."""
    reports = state.sightings.earnings.get(symbol)
    if not reports:
        return None
    calendar, today = state.calendar, state.calendar.trading_day(at)
    session = calendar.session_on(today)
    report = next_report(reports, today, has_opened=isinstance(session, Session) and at >= session.open)
    if report is None:
        return None
    days = (report.day - today).days
    sessions = None if days > COUNTED else sum(_is_session(calendar, today, ahead) for ahead in range(1, days + 1))
    most = state.control.settings.news.earnings_sessions
    return NextEarnings(report, sessions, sessions is not None and sessions <= most)


class EarningsRows:
    """The next report of each symbol on the watchlists, next one first; counted again where something changed."""

    def __init__(self, state: TradingState) -> None:
        self._state = state
        self._of: object = None
        self._rows: tuple[NextEarnings, ...] = ()

    def rows(self, watched: Sequence[WatchRow], at: datetime) -> tuple[NextEarnings, ...]:
        state, reports = self._state, self._state.sightings.earnings
        symbols = tuple(row.symbol for row in watched if row.symbol in reports) if reports else ()
        minute = at.replace(second=0, microsecond=0)
        of = symbols, minute, state.control.settings.news, [reports[symbol] for symbol in symbols]
        if of != self._of:
            found = (next_earnings(state, symbol, at) for symbol in symbols)
            rows = sorted(filter(None, found), key=lambda each: (each.report.day, each.report.symbol))
            self._of, self._rows = of, tuple(rows)
        return self._rows


def _is_session(calendar: Calendar, today: date, ahead: int) -> bool:
    try:
        return isinstance(calendar.session_on(today + timedelta(days=ahead)), Session)
    except LookupError:  # the calendar ends before it: a weekday may be a session
        return (today + timedelta(days=ahead)).weekday() < SATURDAY


def symbol_views(
    state: TradingState, at: datetime, listed: Listed = no_list, kept: KeptRows[SymbolView] | None = None
) -> tuple[SymbolView, ...]:
    """Return the views; positions and losses at the stops are computed once for all symbols."""
    context, held = state.figures_for(at, Symbol(""), None), held_in(state.ledger)
    losses, rooms = open_losses(state.ledger, context.last, context.desk_stop), Rooms(context)
    of_all = state.sizing.conditions(Symbol(""), MANUAL, held=(), equity=context.equity, open_losses=losses)

    row, sightings = (kept or KeptRows()).begin(symbol_view), state.sightings
    return tuple(
        row(
            symbol,
            quote=sightings.quotes.get(symbol),
            last=shown_price(state, symbol),
            instrument=(instrument := sightings.instruments.get(symbol)),
            short_refused=_short_refused(state, instrument),
            of_all=of_all,
            of_it=state.sizing.of_symbol(symbol, held),
            rooms=rooms.of(state.instrument(symbol)),
            is_listed=False if symbol in sightings.unlisted else listed(symbol),
        )
        for symbol in dict.fromkeys((*map(Symbol, state.control.settings.symbols), *sightings.looked_at))
    )


def symbol_view(
    symbol: Symbol,
    *,
    quote: Quote | None,
    last: tuple[datetime, Price] | None,
    instrument: BrokerInstrument | None,
    short_refused: str | None,
    of_all: Conditions,
    of_it: tuple[Price | None, tuple[Likeness, ...]],
    rooms: tuple[Room, Room],
    is_listed: bool | None,
) -> SymbolView:
    """`of_all` are the conditions of every symbol, `of_it` the range and the correlations of this one."""
    atr, likenesses = of_it
    return SymbolView(
        symbol=symbol,
        quote=quote,
        last=None if last is None else last[1],
        is_fractionable=instrument.is_fractionable if instrument else False,
        last_at=None if last is None else last[0],
        quantity_step=instrument.quantity_step if instrument else Decimal(1),
        traded=named(instrument) if instrument else None,
        short_refused=short_refused,
        conditions=replace(of_all, atr=atr, held=likenesses),
        room_to_buy=rooms[0],
        room_to_short=rooms[1],
        is_listed=is_listed,
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


def watch_view(
    state: TradingState, at: datetime, is_listed: Listed = no_list, kept: KeptRows[WatchRow] | None = None
) -> WatchView:
    lists = lists_of(state)
    listed = dict.fromkeys(symbol for symbols in lists.values() for symbol in symbols)
    working = working_orders(state)
    held: dict[Symbol, Quantity] = {}
    for position in state.ledger.positions():
        held[position.symbol] = Quantity(held.get(position.symbol, NO_SHARES) + position.quantity)
    exits, entries = _waiting(state)
    beside = (*held, *working, *exits, *entries, *state.alerts.symbols)
    joined = tuple(dict.fromkeys(symbol for symbol in beside if symbol not in listed))
    today = state.calendar.trading_day(at)
    data = state.sightings.connections.get(Channel.DATA)
    polled = frozenset(() if data is None else data.polled)

    row = (kept or KeptRows()).begin(WatchRow)

    def row_of(symbol: Symbol) -> WatchRow:
        figures, last = state.sightings.day_figures.get(symbol), shown_price(state, symbol)
        is_todays = figures is not None and figures.day == today
        return row(
            symbol,
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
            alerts=tuple([alert_in_words(alert.terms) for alert in state.alerts.of(symbol)]),
            lists=state.lists.on(symbol, today),
        )

    return WatchView(
        tuple(WatchlistRow(name, symbols, name in state.watchlists.state.lists) for name, symbols in lists.items()),
        tuple(map(row_of, (*listed, *joined))),
        joined,
    )


def working_orders(state: TradingState) -> Counter[Symbol]:
    """Count working orders per symbol, without legs that wait for an entry and what is still to replace another."""
    ledger = state.ledger
    each = (order for order in ledger.working() if not ledger.legs.is_held(order))
    return Counter(order.request.symbol for order in each if ledger.chains.replaced(order) is None)


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
