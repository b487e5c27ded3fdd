"""Keep or refuse alerts, evaluate them at every quote and minute, ring each once (MD-06).

Alerts decide nothing: they only notify.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from core.facts import (
    AlertDropped,
    AlertKept,
    AlertRang,
    AlertRefused,
    EngineStarted,
    OrderFilled,
    TradingHalted,
    TradingResumed,
)
from core.messages.commands import DropAlert, KeepAlert
from core.messages.effects import Effect
from core.messages.inputs import BarArrived, QuoteArrived
from core.model.alert import Alert, AlertKind, fault_of, what_is_seen
from core.model.values import Symbol, plain, priced
from core.model.watchlist import SHARE
from core.trading_state.seen_prices import change_of, seen_price, spread_of, volume_of
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers, follows
from core.workflows.operator.watching import Watching


class Alerting:
    def __init__(self, state: TradingState, watching: Watching) -> None:
        self.state = state
        self.watching = watching

    @answers(KeepAlert)
    def on_keep(self, command: KeepAlert) -> Iterable[Effect]:
        terms, kept = command.terms, self.state.alerts
        fault = fault_of(
            terms, [each.terms for each in kept.state.kept.values()], self._figure(terms.kind, terms.symbol)
        )
        if SHARE.fullmatch(terms.symbol) is None:
            fault = f"{terms.symbol[:20]!r} is not how a share is written"
        if fault is not None:
            self.state.record(AlertRefused(terms, fault))
            return ()
        self.state.record(AlertKept(Alert(kept.state.last + 1, terms)))
        return self.watching.ask((terms.symbol,))

    @answers(DropAlert)
    def on_drop(self, command: DropAlert) -> Iterable[Effect]:
        """Drop an alert; one that rang or was dropped already changes nothing."""
        alert = self.state.alerts.state.kept.get(command.number)
        if alert is not None:
            self.state.record(AlertDropped(alert))
        return ()

    @follows(EngineStarted)
    def after_start(self, _fact: EngineStarted) -> Iterable[Effect]:
        return self.watching.ask(self.state.alerts.symbols)

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

    @follows(OrderFilled)
    def after_fill(self, fact: OrderFilled) -> None:
        fill, order = fact.fill, self.state.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        words = f"{order.request.side.value} {plain(fill.quantity)} filled at {priced(fill.price)}"
        for alert in self._on(order.request.symbol, AlertKind.FILL):
            self.state.record(AlertRang(alert, words))

    @follows(TradingHalted)
    def after_halt(self, fact: TradingHalted) -> None:
        for alert in self._on(fact.halt.symbol, AlertKind.HALT):
            self.state.record(AlertRang(alert, f"halted by its exchange: {fact.halt.reason}"))

    @follows(TradingResumed)
    def after_resumption(self, fact: TradingResumed) -> None:
        for alert in self._on(fact.symbol, AlertKind.HALT):
            self.state.record(AlertRang(alert, f"trades again: {fact.reason}"))

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _on(self, symbol: Symbol, kind: AlertKind) -> Iterator[Alert]:
        return (alert for alert in self.state.alerts.of(symbol) if alert.terms.kind is kind)

    def _look(self, symbol: Symbol) -> None:
        for alert in self.state.alerts.of(symbol):
            figure = self._figure(alert.terms.kind, symbol)
            if figure is not None and alert.terms.rings_at(figure):
                self.state.record(AlertRang(alert, what_is_seen(alert.terms, figure)))

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
            case AlertKind.FILL | AlertKind.HALT:
                return None
