"""Taking up the journal, comparing with the broker, and only then trading (EX-09). Also a clean stop.

What a start does with each half-done step:

| left behind | what the start does |
| --- | --- |
| an open ticket, a turned key without its order | void; the operator opens it again |
| an order in PENDING | in doubt: looked up by its own id, never sent again |
| an order that is being replaced | as it was, until the broker's word on both says more |
| a cancel without its end | asked for again |
| a fill without its stop | the stop goes out under the ticket's mandate |
| an entry whose legs are not named yet | the broker's books name them, or its look-up |
| a closing without its sale | goes on, or puts the stop back when its time is over |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from core.desk import Desk
from core.effects import Effect, FetchPicture, SubmitOrder
from core.facts import (
    DayStarted,
    EngineStarted,
    EngineStopped,
    PositionCorrected,
    ReconciliationFailed,
    ReconciliationPassed,
    Source,
    SubmissionBlocked,
)
from core.inputs import AccountFetched, LampChanged, PictureFetched, Start, Stop
from core.model.account import Account
from core.model.broker import BrokerPicture, BrokerPosition, NoAnswer, OrderReport
from core.model.connection import Line, LineState
from core.model.order import OrderStatus
from core.model.session import Session
from core.model.values import ZERO, Price, Quantity, Symbol, plain
from core.workflows.cancelling import Cancelling
from core.workflows.closing import Closing
from core.workflows.doubting import Doubting
from core.workflows.filling import Filling, is_ours
from core.workflows.protecting import Protecting

NOTHING_HELD = "the broker's books show nothing to close"


class ReconciliationError(Exception):
    """Our books and the broker's differ by more than may be corrected without a person."""


class Starting:
    def __init__(
        self,
        desk: Desk,
        filling: Filling,
        doubting: Doubting,
        cancelling: Cancelling,
        protecting: Protecting,
        closing: Closing,
    ) -> None:
        self.desk = desk
        self.filling = filling
        self.doubting = doubting
        self.cancelling = cancelling
        self.protecting = protecting
        self.closing = closing
        self.ask_again_at: datetime | None = None

    def on_start(self, _command: Start) -> Iterator[Effect]:
        self.desk.record(EngineStarted())
        yield from self._ask()

    def on_stop(self, command: Stop) -> Iterable[Effect]:
        self.desk.record(EngineStopped(command.reason))
        return ()

    def on_account(self, reply: AccountFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, Account):
            self._see(reply.answer)
        return ()

    def on_lamp(self, message: LampChanged) -> Iterable[Effect]:
        """Nothing is replayed after a gap of the order stream: where it is back, the broker's books are asked for."""
        lamp = message.lamp
        before = self.desk.lamps.get(lamp.line)
        self.desk.lamps[lamp.line] = lamp
        is_back = before is not None and lamp.state is LineState.UP and before.state is not LineState.UP
        return (FetchPicture(),) if is_back and lamp.line is Line.TRADES else ()

    def on_picture(self, reply: PictureFetched) -> Iterator[Effect]:
        if isinstance(reply.answer, NoAnswer):
            self._fail((f"the broker cannot be reached: {reply.answer.reason}",))
            self.ask_again_at = self.desk.at + self._pause()
            return
        picture = reply.answer
        self.ask_again_at = None
        self.desk.instruments.update({i.symbol: i for i in picture.instruments})
        self._see(picture.account)
        follows = list(self._compare_orders(picture))
        differing = self._differing(picture)
        if any(self._may_be_explained(symbol, picture) for symbol in differing):
            self.ask_again_at = self.desk.at + self._pause()
            self._say_what_is_open(differing)
        else:
            try:
                corrections = self._correct_all(differing, picture)
            except ReconciliationError as error:
                self._fail((str(error),))
                yield from follows
                return
            if corrections or not self.desk.control.state.is_reconciled:
                self.desk.record(ReconciliationPassed(corrections))
            for symbol in differing:
                follows = [effect for effect in follows if not self._calls_off(effect, symbol)]
                yield from self.protecting.after_correction(symbol)
        yield from follows
        yield from self.protecting.resume()
        yield from self.closing.go_on()

    def _calls_off(self, effect: Effect, symbol: Symbol) -> bool:
        """Whether this is an exit that our books called for before they were corrected, with nothing left to close."""
        order = self.desk.ledger.order(effect.order.client_order_id) if isinstance(effect, SubmitOrder) else None
        if order is None or order.request.symbol != symbol or not self.protecting.is_loose(order):
            return False
        self.desk.record(SubmissionBlocked(order.id, NOTHING_HELD))
        self.desk.record(self.filling.change(order, OrderStatus.CANCELLED, Source.DESK, None, NOTHING_HELD))
        return True

    # ── the comparison ───────────────────────────────────────────────────────────────────────────────────────────

    def _compare_orders(self, picture: BrokerPicture) -> Iterator[Effect]:
        """1. Orders that we know: take in what we missed. 2. Ours that are not there, or half asked: look them up."""
        reports = {report.client_order_id: report for report in _with_their_legs(picture)}
        for order in list(self.desk.ledger.state.orders.values()):
            report = reports.get(order.id)
            if report is not None and is_ours(order, report):
                is_alive = report.status is not None and report.status.is_working  # given up here, and there after all
                is_news = order.is_working or is_alive or report.filled_quantity > order.filled_quantity
                if is_news or self.desk.ledger.expects_legs(order):
                    yield from self.filling.absorb(order, report, Source.RECONCILIATION)
            elif order.is_working and order.id not in self.doubting.next_look_up:
                if order.status is OrderStatus.PENDING and self.desk.at - order.created_at < self._grace():
                    continue
                yield from self.doubting.ask(order)
            if order.is_cancelling and order.id not in self.doubting.next_look_up:
                yield from self.cancelling.cancel(order, order.reason)

    def _grace(self) -> timedelta:
        """An order that this very run has just sent may not be on the broker's books yet; an older run's must be."""
        if not self.desk.control.state.is_reconciled:
            return timedelta(0)
        return timedelta(seconds=float(self.desk.control.settings.execution.answer_seconds))

    def _differing(self, picture: BrokerPicture) -> list[Symbol]:
        """3. Symbols whose net quantity here is not the broker's."""
        broker = {p.symbol: p for p in picture.positions}
        symbols = sorted({*broker, *(p.symbol for p in self.desk.ledger.positions())})
        return [s for s in symbols if self.desk.ledger.net_quantity(s) != _quantity(broker.get(s))]

    def _may_be_explained(self, symbol: Symbol, picture: BrokerPicture) -> bool:
        """Whether the next comparison decides: an order is in doubt, or we heard of fills that the picture is too old
        to show.
        """
        shown = {report.client_order_id: report.filled_quantity for report in _with_their_legs(picture)}
        for order in self.desk.ledger.state.orders.values():
            if order.request.symbol != symbol:
                continue
            if order.is_working and order.in_doubt_since is not None:
                return True
            is_recent = order.ended_at is None or order.ended_at >= picture.account.at
            if (order.id in shown or is_recent) and order.filled_quantity > shown.get(order.id, ZERO):
                return True
        return False

    def _correct_all(self, differing: list[Symbol], picture: BrokerPicture) -> tuple[str, ...]:
        """4. Within the limits the broker is right.

        Raises
        ------
        ReconciliationError
            More positions missing, or a larger drift, than the settings allow.
        """
        broker = {p.symbol: p for p in picture.positions}
        missing = [s for s in differing if not self.desk.ledger.net_quantity(s) or not _quantity(broker.get(s))]
        limits = self.desk.control.settings.reconciliation
        if len(missing) > limits.max_missing:
            raise ReconciliationError(f"{len(missing)} positions are on one side only: {', '.join(missing)}")
        for symbol in differing:
            ours, true = self.desk.ledger.net_quantity(symbol), _quantity(broker.get(symbol))
            if ours and true and abs(ours - true) > limits.max_drift * abs(true):
                apart = f"over {plain(limits.max_drift * 100)} % apart"
                raise ReconciliationError(f"{symbol}: the broker has {true}, our books {ours}, {apart}")
        return tuple(self._correct(symbol, broker.get(symbol)) for symbol in differing)

    def _correct(self, symbol: Symbol, theirs: BrokerPosition | None) -> str:
        ours, true = self.desk.ledger.net_quantity(symbol), _quantity(theirs)
        reason = f"{symbol}: the broker has {true}, our books had {ours}"
        price: Price | None = theirs.average_price if theirs else None
        self.desk.record(PositionCorrected(symbol, true, price, reason))
        return reason

    def _say_what_is_open(self, differing: list[Symbol]) -> None:
        """Before the first agreement the desk says what it waits for; later it trades on meanwhile."""
        named = ", ".join(differing)
        reason = f"{named}: the broker's books and ours differ, and an order on its way may explain it; asked again"
        if not self.desk.control.state.is_reconciled and self.desk.control.state.read_only_because != (reason,):
            self._fail((reason,))

    def _fail(self, reasons: tuple[str, ...]) -> None:
        self.desk.record(ReconciliationFailed(reasons))

    def _see(self, account: Account) -> None:
        """Keep the figures; the first of a session's day is what its loss is measured against (RK-03)."""
        self.desk.account = account
        day = self.desk.calendar.trading_day(self.desk.at)
        session = self.desk.calendar.session_on(day)
        if isinstance(session, Session) and self.desk.opening.opening_equity(day) is None:
            self.desk.record(DayStarted(day, account.equity))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self.ask_again_at is not None:
            yield self.ask_again_at

    def due(self) -> Iterator[Effect]:
        if self.ask_again_at is not None and self.desk.at >= self.ask_again_at:
            yield from self._ask()

    def _ask(self) -> Iterator[Effect]:
        """Ask for the broker's books, and again where nothing comes."""
        self.ask_again_at = self.desk.at + self._pause()
        yield FetchPicture()

    def _pause(self) -> timedelta:
        return timedelta(seconds=float(self.desk.control.settings.reconciliation.again_seconds))


def _with_their_legs(picture: BrokerPicture) -> Iterator[OrderReport]:
    """Every order of the broker's books, whether it lists legs apart or under their parents alone."""
    for report in picture.orders:
        yield from report.legs
    yield from picture.orders


def _quantity(position: BrokerPosition | None) -> Quantity:
    return position.quantity if position else Quantity(Decimal(0))
