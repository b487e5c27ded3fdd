"""Watchlists and alerts of the operator (MD-06).

Watched data decides nothing: it is only shown.

Alerts decide nothing: they only notify.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from core import facts
from core.market.normaliser import COMPLETE, DayFigures, Normaliser
from core.messages.desk_commands import DropAlert, EarningsFileSeen, KeepAlert, KeepWatchlist, WatchlistFilesSeen
from core.messages.effects import Effect, LookUpSymbols, WriteWatchlist
from core.messages.inputs import (
    BarArrived,
    CorporateActionsArrived,
    NewsArrived,
    QuoteArrived,
    SymbolsLookedUp,
    WatchlistWritten,
)
from core.model.alert import Alert, AlertKind, what_is_seen
from core.model.alert import fault_of as alert_fault_of
from core.model.bar import Bar, on_one_exchange
from core.model.broker import NoAnswer
from core.model.instrument import LONGEST_NAME, SHARE, Watchlist, fault_of
from core.model.news import OFF, EarningsDate, Headline, source_and
from core.model.session import Session, Venue
from core.model.text_sanitizer import QUOTE
from core.model.values import Symbol, plain, priced
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import change_of, lists_of, seen_price, spread_of, traded_symbols, volume_of
from core.workflows.workflow import answers, follows

AGAIN = timedelta(minutes=1)
"""Time before missing data is requested again."""
QUIET = timedelta(minutes=5)
"""After an alert on news, later articles wait so long, and are told together."""
MANY_NAMED = 5
"""An article that names more symbols may say little of each."""


class Watching:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._lacking: set[Symbol] = set()
        self._again_at: datetime | None = None

    @answers(KeepWatchlist)
    def on_keep(self, command: KeepWatchlist) -> Iterable[Effect]:
        """Write the list's file first. An unchanged list is ignored."""
        lists = lists_of(self.state)
        fault = fault_of(Watchlist(command.name, command.symbols), lists)
        if fault is not None:
            self.state.record(facts.WatchlistRefused(command.name, fault))
            return ()
        if self.state.watchlists.state.lists.get(command.name, ()) == command.symbols:
            return ()
        known = {symbol for symbols in lists.values() for symbol in symbols}
        new = tuple(symbol for symbol in command.symbols if symbol not in known)
        return (WriteWatchlist(command.name, command.symbols, new),)

    @answers(WatchlistWritten)
    def on_written(self, written: WatchlistWritten) -> Iterable[Effect]:
        if written.fault:
            self.state.record(facts.WatchlistRefused(written.name, written.fault))
            return ()
        return self._keep(Watchlist(written.name, written.symbols), is_filed=written.is_filed)

    @answers(WatchlistFilesSeen)
    def on_files(self, seen: WatchlistFilesSeen) -> Iterator[Effect]:
        """Take over the files' lists; a list whose file was deleted ends. A list without a file gets one.

        If its name is taken, it gets another name: nothing is lost.
        """
        kept = self.state.watchlists.state
        filed, before = set(kept.filed) if seen.has_folder else set(), {**kept.lists}
        said = {each.name for each in seen.lists}
        for name in sorted(filed - said - {*seen.unread}):
            self.state.record(facts.WatchlistKept(name, (), is_filed=True))
        for wanted in seen.lists:
            own = before.get(wanted.name)
            if own is not None and own != wanted.symbols and wanted.name not in filed:
                yield WriteWatchlist(self._free_name(wanted.name, said), own)
            if own != wanted.symbols or wanted.name not in filed:
                yield from self._take_file(wanted)
        for name, symbols in before.items():
            if name not in filed and name not in said and name not in seen.unread:
                yield WriteWatchlist(name, symbols)

    @follows(facts.CorporateActionApplied)
    def after_action(self, fact: facts.CorporateActionApplied) -> Iterator[Effect]:
        """Write each list that has the symbol with the one that its shares have now."""
        if fact.to is None:
            return
        for name, symbols in self.state.watchlists.state.lists.items():
            if fact.symbol in symbols:
                now = dict.fromkeys(fact.to if symbol == fact.symbol else symbol for symbol in symbols)
                yield from self.on_keep(KeepWatchlist(name, tuple(now)))

    def _take_file(self, wanted: Watchlist) -> Iterable[Effect]:
        if (fault := fault_of(wanted, lists_of(self.state))) is not None:
            self.state.record(facts.WatchlistRefused(wanted.name, f"its file is not taken: {fault}"))
            return ()
        return self._keep(wanted, is_filed=True)

    def _keep(self, wanted: Watchlist, *, is_filed: bool) -> Iterable[Effect]:
        before = self.state.watchlists.symbols
        self.state.record(facts.WatchlistKept(wanted.name, wanted.symbols, is_filed))
        return self.ask(symbol for symbol in wanted.symbols if symbol not in before)

    def _free_name(self, name: str, taken: Iterable[str]) -> str:
        others = {*taken, *lists_of(self.state)}
        return next(free for number in count(2) if (free := f"{name[: LONGEST_NAME - 3]}-{number}") not in others)

    def ask(self, symbols: Iterable[Symbol]) -> Iterator[Effect]:
        """Request today's session so far; outside a session, only the listing of the symbols."""
        wanted, at = tuple(dict.fromkeys(symbols)), self.state.at
        if not wanted:
            return
        session = self.state.calendar.session_on(self.state.calendar.trading_day(at))
        start = min(session.open, at) if isinstance(session, Session) else at
        yield LookUpSymbols(wanted, start, at)

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> Iterable[Effect]:
        return self.ask((*traded_symbols(self.state), *self.state.watchlists.symbols))

    @answers(SymbolsLookedUp)
    def on_looked_up(self, reply: SymbolsLookedUp) -> Iterable[Effect]:
        self.state.sightings.instruments.update({each.symbol: each for each in reply.instruments})
        if isinstance(reply.answer, NoAnswer):
            self._lacking |= set(reply.symbols)
            self._again_at = self.state.at + AGAIN
            return ()
        by_symbol: dict[Symbol, list[Bar]] = {}
        for bar in reply.answer:
            by_symbol.setdefault(bar.symbol, []).append(bar)
        for symbol, bars in by_symbol.items():
            self._take(symbol, bars)
        return ()

    @answers(CorporateActionsArrived)
    def on_corporate_actions(self, message: CorporateActionsArrived) -> Iterable[Effect]:
        for symbol in message.symbols:
            found = tuple(each for each in message.actions if each.symbol == symbol)
            self.state.sightings.corporate_actions[symbol] = found
        return ()

    @answers(EarningsFileSeen)
    def on_earnings(self, seen: EarningsFileSeen) -> Iterable[Effect]:
        by_symbol: dict[Symbol, tuple[EarningsDate, ...]] = {}
        for each in seen.earnings:
            by_symbol[each.symbol] = (*by_symbol.get(each.symbol, ()), each)
        self.state.sightings.earnings = by_symbol
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._again_at is not None:
            yield self._again_at

    def due(self) -> Iterable[Effect]:
        if self._again_at is None or self.state.at < self._again_at:
            return ()
        lacking, self._lacking, self._again_at = self._lacking, set(), None
        return self.ask(sorted(lacking))

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, symbol: Symbol, bars: list[Bar]) -> None:
        """Take the complete bars of today's session; count bars received meanwhile only once."""
        calendar, normaliser = self.state.calendar, Normaliser(self.state.calendar)
        today = calendar.trading_day(self.state.at)
        session = calendar.session_on(today)
        if not isinstance(session, Session):
            return
        sound = []
        for bar in bars:
            if bar.symbol == symbol and bar.start >= session.open and normaliser.judge(bar, self.state.at) is COMPLETE:
                normaliser.fold(bar)
                sound.append(bar)
        figures = self.state.sightings.day_figures.get(symbol)
        if figures is None or figures.day != today:
            figures = self.state.sightings.day_figures[symbol] = DayFigures(today, session.close)
        figures.take_earlier(sound)


class Alerting:
    def __init__(self, state: TradingState, watching: Watching) -> None:
        self.state = state
        self.watching = watching

    @answers(KeepAlert)
    def on_keep(self, command: KeepAlert) -> Iterable[Effect]:
        terms, kept = command.terms, self.state.alerts
        fault = alert_fault_of(
            terms, [each.terms for each in kept.state.kept.values()], self._figure(terms.kind, terms.symbol)
        )
        if terms.kind is AlertKind.NEWS and (why := self._why_no_news()):
            fault = why
        if SHARE.fullmatch(terms.symbol) is None:
            fault = f"{terms.symbol[:20]!r} is not how a share is written"
        if fault is not None:
            self.state.record(facts.AlertRefused(terms, fault))
            return ()
        self.state.record(facts.AlertKept(Alert(kept.state.last + 1, terms)))
        return self.watching.ask((terms.symbol,))

    @answers(DropAlert)
    def on_drop(self, command: DropAlert) -> Iterable[Effect]:
        """Drop an alert; one that rang or was dropped already changes nothing."""
        alert = self.state.alerts.state.kept.get(command.number)
        if alert is not None:
            self.state.record(facts.AlertDropped(alert))
        return ()

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> Iterable[Effect]:
        return self.watching.ask(self.state.alerts.symbols)

    @follows(facts.CorporateActionApplied)
    def after_action(self, fact: facts.CorporateActionApplied) -> None:
        """Drop price alerts on the day of a spin-off: nobody knows what the part is worth (MD-09)."""
        if fact.is_spin_off:
            for alert in list(self._on(fact.symbol, AlertKind.PRICE)):
                words = f"a part of {fact.symbol} was spun off, and nobody knows what it is worth"
                self.state.record(facts.AlertDropped(alert, words))

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(QuoteArrived)
    def on_quote(self, message: QuoteArrived) -> Iterable[Effect]:
        """Evaluate alerts only at believable quotes."""
        symbol = message.quote.symbol
        if self.state.alerts.of(symbol) and self.state.sightings.quotes.get(symbol) is message.quote:
            self._look(symbol)
        return ()

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> Iterable[Effect]:
        if self.state.alerts.of(message.bar.symbol):
            self._look(message.bar.symbol)
        return ()

    @answers(NewsArrived)
    def on_news(self, message: NewsArrived) -> Iterable[Effect]:
        """Take the headlines, and trigger by those since an alert was set, each article once for all alerts."""
        news = self.state.sightings.headlines
        if isinstance(message.found, str):
            news.fail(message.found)
            return ()
        news.take(message.found, self.state.at)
        kept = self.state.alerts.state
        for alert in [each for each in kept.kept.values() if each.terms.kind is AlertKind.NEWS]:
            since, last = kept.kept_at.get(alert.number, self.state.at), kept.news_at.get(alert.number)
            if last is not None and self.state.at - last < QUIET:
                continue
            told = set(kept.articles)
            found = news.view.of(alert.terms.symbol, self.state.at).headlines
            if new := [each for each in found if each.at > since and each.id not in told]:
                words = _news_in_words(new, self.state.calendar.venue)
                self.state.record(facts.AlertRang(alert, words, tuple(each.id for each in new)))
        return ()

    @follows(facts.OrderFilled)
    def after_fill(self, fact: facts.OrderFilled) -> None:
        fill, order = fact.fill, self.state.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        words = f"{order.request.side.value} {plain(fill.quantity)} filled at {priced(fill.price)}"
        for alert in self._on(order.request.symbol, AlertKind.FILL):
            self.state.record(facts.AlertRang(alert, words))

    @follows(facts.TradingHalted)
    def after_halt(self, fact: facts.TradingHalted) -> None:
        for alert in self._on(fact.halt.symbol, AlertKind.HALT):
            self.state.record(facts.AlertRang(alert, f"halted by its exchange: {fact.halt.reason}"))

    @follows(facts.TradingResumed)
    def after_resumption(self, fact: facts.TradingResumed) -> None:
        for alert in self._on(fact.symbol, AlertKind.HALT):
            self.state.record(facts.AlertRang(alert, f"trades again: {fact.reason}"))

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _why_no_news(self) -> str:
        if not self.state.control.settings.news.enabled:
            return OFF
        news = self.state.sightings.headlines.view
        return "" if news.is_asked_for else news.note

    def _on(self, symbol: Symbol, kind: AlertKind) -> Iterator[Alert]:
        return (alert for alert in self.state.alerts.of(symbol) if alert.terms.kind is kind)

    def _look(self, symbol: Symbol) -> None:
        for alert in self.state.alerts.of(symbol):
            figure = self._figure(alert.terms.kind, symbol)
            if figure is not None and alert.terms.rings_at(figure):
                said = what_is_seen(alert.terms, figure)
                if alert.terms.kind is AlertKind.VOLUME:
                    said += on_one_exchange(self.state.sightings.quotes.get(symbol))
                self.state.record(facts.AlertRang(alert, said))

    def _figure(self, kind: AlertKind, symbol: Symbol) -> Decimal | None:
        """Return the figure of an alert; None if nothing was seen yet, and for an event."""
        match kind:
            case AlertKind.PRICE:
                seen = seen_price(self.state, symbol)
                return None if seen is None else seen[1]
            case AlertKind.CHANGE:
                return change_of(self.state, symbol, self.state.at)
            case AlertKind.SPREAD:
                return spread_of(self.state, symbol)
            case AlertKind.VOLUME:
                return volume_of(self.state, symbol, self.state.at) or None
            case AlertKind.FILL | AlertKind.HALT | AlertKind.NEWS:
                return None


def _news_in_words(new: Sequence[Headline], venue: Venue) -> str:
    """As in `3 headlines, the last 10:31 › benzinga: A headline`; all behind the mark is foreign."""
    last = new[0]
    begin = "news" if len(new) == 1 else f"{len(new)} headlines, the last"
    named = f", names {last.symbols_named} symbols" if last.symbols_named > MANY_NAMED else ""
    return f"{begin} {venue.clock(last.at)}{named} {QUOTE} {source_and(last)}"
