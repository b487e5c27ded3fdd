"""Alpaca as the live runtime's broker: every request of the port; each ends in time and none raises.

An order is one POST, a replacement one PATCH, and neither is ever repeated. Queries and cancels are, for at most 15
seconds in all. `answers` separates refusals by Alpaca itself from everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from core.brokers.alpaca.books import AlpacaActivities, AlpacaBooks
from core.brokers.alpaca.contract import SHARES
from core.brokers.alpaca.fields import UnparsedMessages, UnreadableFieldError, rows
from core.brokers.alpaca.http_client import (
    NOTHING_READ,
    CallCounter,
    NoAnswerError,
    Questions,
    RequestStatus,
    StatedRefusalError,
    Wire,
    as_no_answer,
)
from core.brokers.alpaca.keys import checked
from core.brokers.alpaca.order_format import a_replacement, a_submission, is_foreign
from core.brokers.alpaca.parsing import (
    a_clock,
    a_session,
    an_account,
    an_activity,
    an_instrument,
    an_order,
    listed_assets,
    submitted_at,
)
from core.brokers.alpaca.refusal_codes import (
    OK,
    TOO_MANY_REQUESTS,
    Stated,
    as_shown,
    is_missing,
    missing_or,
    refusal,
    speaks_of_its_id,
)
from core.brokers.alpaca.retries import BUDGET, NoReply, Timeouts
from core.brokers.port import BrokerAccount
from core.io.http_requests import Reply
from core.io.wall_clock import elapsed, utc_now
from core.model.account import Account, ConnectionStatus, Mode
from core.model.api_contract import Keys, Redaction
from core.model.broker import (
    Accepted,
    BrokerBooks,
    BrokerClock,
    CancelTaken,
    Execution,
    NoAnswer,
    NotFound,
    OrderReport,
    Refused,
)
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest, OrderStatus
from core.model.reconciliation import DropCopy
from core.model.reference_data import ListedAsset
from core.model.session import Session
from core.model.values import ZERO, BrokerOrderId, ClientOrderId, Symbol
from core.settings.orders import AlpacaSettings

AN_ASSET_KEEPS = 900.0
"""Seconds for which an asset's properties are cached (EX-17)."""
MAY_BE_THE_SECOND = frozenset({403, 409, 422})
"""Refusals that a duplicate of a request may get: its id, its money or its shares are taken."""
LOOK_SECONDS = 5.0
"""Seconds for the look-up of a refused order, because other orders wait behind it."""
ON_ITS_WAY_OUT = frozenset({"pending_cancel"})
FILLS_AT_MOST = 100
"""Of one page of activities, for a look-up."""
FILLS_SECONDS = 5.0
"""Seconds in which a look-up requests them: its answer is more important."""
NOTHING_SENT = "nothing was sent: the replacement does not say what it replaces"


class AlpacaBroker:
    """Implements `core.brokers.port.AccountBroker`.

    Raises
    ------
    AccountRefusedError
        The keys are missing, damaged, or of the other kind.
    """

    def __init__(
        self,
        keys: Keys,
        mode: Mode,
        settings: AlpacaSettings,
        *,
        now: Callable[[], datetime] = utc_now,
        timeout: Timeouts | None = None,
    ) -> None:
        self._now = now
        self._counter = CallCounter()
        self._timeout = timeout or Timeouts()
        self.hide = Redaction(keys.secret, keys.key_id)
        self.unread = UnparsedMessages(self.hide)
        self._line = RequestStatus(mode, now, self.unread)
        wire = Wire(checked(keys, mode), mode, settings, self._counter)
        self._questions = Questions(wire, self._timeout, self._line, self.unread, mode)
        self._books = AlpacaBooks(self._questions, self._figures, now)
        self._activities = AlpacaActivities(self._questions, self._figures)
        self._assets: dict[Symbol, tuple[float, BrokerInstrument]] = {}
        self._own: str | None = None
        self._lock = threading.Lock()
        self._asking: dict[Symbol, threading.Event] = {}

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────

    @as_shown
    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        reply = self._questions.send_once("POST", "/orders", "POST /orders", a_submission(order))
        answer = self._outcome(reply, order.client_order_id)
        return self._refused_submission(answer, order.client_order_id) if isinstance(answer, Stated) else answer

    @as_shown
    def replace(self, order: OrderRequest, broker_order_id: BrokerOrderId | None) -> Accepted | Refused | NoAnswer:
        """Replace an order. Alpaca needs the old order's broker id; if unknown, it is looked up first."""
        if broker_order_id is None and order.replaces is None:
            return NoAnswer(NOTHING_SENT)
        try:
            old = broker_order_id or self._id_of(ClientOrderId(order.replaces or ""), None)
        except StatedRefusalError as error:
            return error.stated.refused
        except NOTHING_READ as error:
            return as_no_answer(error)
        path = f"/orders/{_in_path(old)}"
        reply = self._questions.send_once("PATCH", path, "PATCH /orders/{id}", a_replacement(order))
        answer = self._outcome(reply, order.client_order_id)
        return self._refused_replacement(answer, order.client_order_id) if isinstance(answer, Stated) else answer

    @as_shown
    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | CancelTaken | Refused | NotFound | NoAnswer:
        """Cancel an order, repeated until Alpaca answers.

        Its success answer has no body: the order's state comes over the stream, or the caller looks it up when there is
        room.
        """
        ends = self._timeout.until()
        try:
            order_id = broker_order_id or self._id_of(client_order_id, ends)
            path = f"/orders/{_in_path(order_id)}"
            reply = self._questions.ask("DELETE", path, "DELETE /orders/{id}", None, ends)
            if isinstance(reply, Reply) and reply.status in OK:
                return CancelTaken()
            self._questions.read(reply, lambda raw: raw, "DELETE /orders/{id}")
        except StatedRefusalError as error:
            return self._refused_cancel(error.stated, broker_order_id, ends)
        except NOTHING_READ as error:
            return as_no_answer(error)
        return NoAnswer("Alpaca has not answered the cancel")

    @as_shown
    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound | NoAnswer:
        """Look up an order by our own id; if expected legs are missing, request the order by the broker's id."""
        return self._looked_up(client_order_id, None, with_legs=with_legs)

    def _looked_up(
        self, client_order_id: ClientOrderId, ends: float | None, *, with_legs: bool = False
    ) -> OrderReport | NotFound | NoAnswer:
        try:
            report, since = self._find(client_order_id, ends, with_legs=with_legs)
        except StatedRefusalError as error:
            return NotFound() if is_missing(error.stated) else as_no_answer(error)
        except NOTHING_READ as error:
            return as_no_answer(error)
        return self._with_executions(report, since)

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────

    @as_shown
    def time(self, *, is_once: bool = False) -> BrokerClock | NoAnswer:
        read = lambda raw: a_clock(raw, self._questions.set_aside)  # noqa: E731 - the parser with its notes
        try:
            return self._questions.get("/clock", "GET /clock", read, is_once=is_once)
        except NOTHING_READ as error:
            return as_no_answer(error)

    @as_shown
    def account(self) -> Account | NoAnswer:
        try:
            return self._figures()
        except NOTHING_READ as error:
            return as_no_answer(error)

    @as_shown
    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        """Return an instrument, cached for 15 minutes; a failure is not cached.

        Concurrent callers share one request.
        """
        with self._lock:
            known, asked = self._assets.get(symbol), self._asking.get(symbol)
            if known is not None and elapsed() < known[0]:
                return known[1]
            if asked is None:
                self._asking[symbol] = asking = threading.Event()
        if asked is not None:
            asked.wait(BUDGET)
            with self._lock:
                told = self._assets.get(symbol)
            return self._asset(symbol) if told is None or told is known else told[1]
        try:
            return self._asset(symbol)
        finally:
            with self._lock:
                del self._asking[symbol]
            asking.set()

    def _asset(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        try:
            asset = self._questions.get(f"/assets/{_in_path(symbol)}", "GET /assets/{symbol}", an_instrument)
        except StatedRefusalError as error:
            if is_missing(error.stated):
                return NoInstrument(f"Alpaca does not list {symbol}", unlisted=symbol)
            return NoInstrument(as_no_answer(error).reason)
        except NOTHING_READ as error:
            return NoInstrument(as_no_answer(error).reason)
        with self._lock:
            self._assets[symbol] = (elapsed() + AN_ASSET_KEEPS, asset)
        return asset

    @as_shown
    def books(self) -> BrokerBooks | NoAnswer:
        try:
            return self._books.books()
        except NOTHING_READ as error:
            return as_no_answer(error)

    @as_shown
    def activities(self, since: date) -> DropCopy | NoAnswer:
        try:
            return self._activities.since(since)
        except NOTHING_READ as error:
            return as_no_answer(error)

    @as_shown
    def sessions(self, first: date, last: date) -> tuple[Session | date, ...] | NoAnswer:
        """Return Alpaca's own calendar, both days included; of a day whose times cannot be read, the day alone."""
        query = {"start": first.isoformat(), "end": last.isoformat()}
        try:
            return self._questions.get("/calendar", "GET /calendar", self._all_sessions, query)
        except NOTHING_READ as error:
            return as_no_answer(error)

    @as_shown
    def assets(self) -> tuple[ListedAsset, ...] | NoAnswer:
        """Return every active, tradable share: about ten thousand rows."""
        query = {"status": "active", "asset_class": SHARES}
        self._questions.count_beyond()
        try:
            read = lambda raw: listed_assets(raw, self._questions.set_aside)  # noqa: E731 - the parser with its notes
            return self._questions.get("/assets", "GET /assets", read, query)
        except NOTHING_READ as error:
            return as_no_answer(error)

    # ── start and status ─────────────────────────────────────────────────────────────────────────────────────────

    @as_shown
    def standing(self) -> BrokerAccount | NoAnswer:
        """Read the account at a start.

        Raises
        ------
        AccountRefusedError
            Alpaca does not accept the keys.
        """
        self._questions.count_beyond()
        try:
            account = self._figures()
        except (NoAnswerError, StatedRefusalError) as error:
            return as_no_answer(error)
        return BrokerAccount(account, account.blocked_because)

    def keep_to(self, name: str) -> None:
        self._own = name

    def show_on(self, show: Callable[[ConnectionStatus], None]) -> None:
        """Report each change of the connection to Alpaca: `Channel.BROKER`."""
        self._line.show_on(show)

    def calls(self) -> CallCounter:
        return self._counter

    def close(self) -> None:
        """Stop waiting and repeating from here on."""
        self._timeout.leave()
        self._questions.wire.hang_up()

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _outcome(self, reply: Reply | NoReply, client_order_id: ClientOrderId) -> Accepted | Stated | NoAnswer:
        """Parse the result of an order; an answer about another order is none."""
        if isinstance(reply, Reply) and (stated := refusal(reply)) is not None:
            return stated
        try:
            report = self._questions.read(reply, an_order, "the answer to an order")
        except NOTHING_READ as error:
            return as_no_answer(error)
        if report.client_order_id != client_order_id:
            return NoAnswer(f"Alpaca answered about another order, {report.client_order_id}")
        return Accepted(report)

    def _refused_submission(self, stated: Stated, client_order_id: ClientOrderId) -> Refused | NoAnswer:
        """Check a refusal: a server in between may send the order twice, so that one is accepted and the other refused
        (EX-06).
        """
        if stated.status not in MAY_BE_THE_SECOND:
            return stated.refused
        self._questions.count_beyond()
        try:
            self._find(client_order_id, self._timeout.until(LOOK_SECONDS))
        except StatedRefusalError as error:
            if is_missing(error.stated) and not speaks_of_its_id(stated):
                return stated.refused
            return NoAnswer(f"Alpaca refused it ({stated.message}), and may have it")
        except NOTHING_READ:
            return NoAnswer(f"Alpaca refused it ({stated.message}), and may have it")
        return NoAnswer(f"Alpaca refused it ({stated.message}), and has an order with its id")

    def _refused_replacement(self, stated: Stated, client_order_id: ClientOrderId) -> Accepted | Refused | NoAnswer:
        """Check a refused replacement: after an error it may still have been done, so look for it.

        Its queue waits meanwhile, so the look-up is short. If Alpaca accepts no requests there is no look-up.
        """
        if stated.code == TOO_MANY_REQUESTS:
            return stated.refused
        self._questions.count_beyond()
        found = self._looked_up(client_order_id, self._timeout.until(LOOK_SECONDS))
        if isinstance(found, OrderReport) and speaks_of_its_id(stated):
            return NoAnswer(f"Alpaca refused it ({stated.message}), and has an order with its id")
        if isinstance(found, OrderReport):
            return Accepted(found)
        if isinstance(found, NotFound) and speaks_of_its_id(stated):
            return NoAnswer(f"Alpaca refused it ({stated.message}), and may have it")
        return stated.refused if isinstance(found, NotFound) else found

    def _refused_cancel(
        self, stated: Stated, broker_order_id: BrokerOrderId | None, ends: float
    ) -> Accepted | Refused | NotFound | NoAnswer:
        """Check a refused cancel: an earlier cancel may have succeeded although its answer was lost."""
        answer = missing_or(stated)
        if isinstance(answer, NotFound) or broker_order_id is None:
            return answer
        self._questions.count_beyond()
        try:
            # The order; None if it is of a kind that this desk never sends.
            path = f"/orders/{_in_path(broker_order_id)}"
            report = self._questions.get(path, "GET /orders/{id}", _of_any_kind, {"nested": "true"}, ends)
        except NOTHING_READ:
            return answer
        if report is None:
            return answer
        is_done = report.status is OrderStatus.CANCELLED or report.raw_status in ON_ITS_WAY_OUT
        return Accepted(report) if is_done else answer

    def _id_of(self, client_order_id: ClientOrderId, ends: float | None) -> BrokerOrderId:
        self._questions.count_beyond()
        return self._find(client_order_id, ends)[0].broker_order_id

    def _find(
        self, client_order_id: ClientOrderId, ends: float | None = None, *, with_legs: bool = False
    ) -> tuple[OrderReport, datetime]:
        report, since = self._questions.get(
            "/orders:by_client_order_id",
            "GET /orders:by_client_order_id",
            lambda raw: (an_order(raw), submitted_at(raw)),
            {"client_order_id": client_order_id, "nested": "true"},
            ends,
        )
        if report.client_order_id != client_order_id:
            raise NoAnswerError(NoAnswer(f"Alpaca answered about another order, {report.client_order_id}"))
        if not report.hides_legs and (report.legs or not with_legs):
            return report, since
        self._questions.count_beyond()
        return self._report_of(report.broker_order_id, ends), since

    def _report_of(self, order_id: BrokerOrderId, ends: float | None) -> OrderReport:
        path = f"/orders/{_in_path(order_id)}"
        return self._questions.get(path, "GET /orders/{id}", an_order, {"nested": "true"}, ends)

    def _with_executions(self, report: OrderReport, since: datetime) -> OrderReport:
        """Add the order's fills with the stream's ids; none if they are incomplete (EX-05)."""
        if report.filled_quantity == ZERO:
            return report
        query = {
            "after": (since - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "direction": "asc",
            "page_size": FILLS_AT_MOST,
        }
        endpoint, ends = "/account/activities/FILL", self._timeout.until(FILLS_SECONDS)
        self._questions.count_beyond()
        try:
            fills = self._questions.get(endpoint, f"GET {endpoint}", self._all_fills, query, ends)
        except NOTHING_READ:
            return report
        ours = tuple(execution for order_id, execution in fills if order_id == report.broker_order_id)
        if sum((execution.quantity for execution in ours), ZERO) != report.filled_quantity:
            return report
        return replace(report, executions=ours)

    def _figures(self) -> Account:
        at = self._now()
        account = self._questions.get("/account", "GET /account", lambda raw: self._account(raw, at))
        account = replace(account, blocked_because=self.hide(account.blocked_because))
        self._line.say_blocked(account.blocked_because)
        if self._own not in (account.name, None):
            words = f"the keys are of account {account.name} by now, and this folder is that of {self._own}"
            raise NoAnswerError(NoAnswer(words, is_other_account=True))
        return account

    def _account(self, raw: Any, at: datetime) -> Account:
        return an_account(raw, at, self._questions.set_aside)

    def _all_fills(self, raw: Any) -> list[tuple[BrokerOrderId, Execution]]:
        """Return the readable ones: if one of an order is missing, the sum of its fills shows it."""
        fills = list[tuple[BrokerOrderId, Execution]]()
        for row in rows(raw, "the fills"):
            try:
                fills.append(an_activity(row))
            except UnreadableFieldError as error:
                self._questions.set_aside(f"GET /account/activities/FILL: {error}", row)
        return fills

    def _all_sessions(self, raw: Any) -> tuple[Session | date, ...]:
        return tuple(a_session(row, self._questions.set_aside) for row in rows(raw, "the calendar"))


def _of_any_kind(raw: Any) -> OrderReport | None:
    return None if is_foreign(raw) else an_order(raw)


def _in_path(name: str) -> str:
    return quote(name, safe="")
