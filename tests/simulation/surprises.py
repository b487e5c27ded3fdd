"""What a broker does that no line can be blamed for: refusals, answers that hide an order, words that nobody knows.

Each surprise waits for the next request or report that it fits. It stands between the wire and the simulated exchange,
so that the exchange's own books stay the truth that is compared with at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.brokers.simulated.log import ReplaceRequest, SubmitRequest, encoded
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import (
    BooksFetched,
    CancelAnswered,
    ClockFetched,
    FiguresFetched,
    Input,
    LookUpAnswered,
    SubmissionAnswered,
)
from core.model.broker import (
    Accepted,
    BrokerBooks,
    Execution,
    FreshFigures,
    NoAnswer,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
    UpdateEvent,
)
from core.model.codes import RefusalKind
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side
from core.model.values import ClientOrderId, Quantity, Symbol
from tests.simulation.contradictions import Contradictions
from tests.simulation.lane_watch import role_of

if TYPE_CHECKING:
    from simulation.disruptions import Disruptions

REFUSALS: dict[str, Refused] = {
    "buying power": Refused(RefusalKind.FORBIDDEN, "insufficient buying power", "40310000"),
    "wash trade": Refused(RefusalKind.FORBIDDEN, "potential wash trade detected. use complex orders", "40310000"),
    "day trades": Refused(
        RefusalKind.PATTERN_DAY_TRADER, "trade denied due to pattern day trading protection", "40310100"
    ),
    "not tradable": Refused(RefusalKind.UNPROCESSABLE, "asset is not tradable", "42210000"),
    "unauthorised": Refused(RefusalKind.UNAUTHORISED, "request is not authorized", "40110000"),
    "too many": Refused(RefusalKind.RATE_LIMITED, "too many requests", "42910000"),
    "429": Refused(RefusalKind.RATE_LIMITED, "Too Many Requests"),
}
BLOCKED = Refused(RefusalKind.FORBIDDEN, "account is blocked from trading", "40310000")
UNKNOWN_ORDER = Refused(RefusalKind.NO_SUCH_ORDER, "order not found", "40410000")
DUPLICATE = NoAnswer("the broker has this id already")
BUSY = Refused(RefusalKind.UNPROCESSABLE, 'order is already in "pending_cancel" state', "42210000")
UNKNOWN = "under_review"


@dataclass(frozen=True, slots=True)
class Surprise:
    """What the broker does with the next thing of a kind.

    Attributes
    ----------
    to
        `order`, `replacement`, `cancel`, `report` or `legs`.
    what
        For an order a key of `REFUSALS`, `500` (before taking it), `504`, `duplicate` (both after taking it) or
        `rejected` (after saying yes);
        for a cancel `pending` or `refused`; for a replacement `pending`; for a report `unknown status`; for a report
        with legs `left out`.
    seconds
        How long a cancel or a replacement stays pending; how long the broker asks to wait where it takes no request.
    of
        The role of the order that it is for: `an entry`, `a stop`, `an exit`; empty for any.
    """

    to: str
    what: str
    seconds: float = 0.0
    of: str = ""


@dataclass(slots=True)
class Planned:
    """What the broker does on its own at a time, once."""

    at: datetime
    act: Callable[[datetime], object]
    is_done: bool = False

    def happen(self, at: datetime) -> None:
        if not self.is_done:
            self.is_done = True
            self.act(at)


@dataclass
class Surprises:
    """The broker's moods.

    Attributes
    ----------
    is_terse
        Reports list no executions, as Alpaca's do; an update still brings its own.
    skew
        How far the broker's clock is ahead of the desk's.
    told
        Every update that the exchange ever had to tell, heard or not.
    """

    world: Any
    is_terse: bool = False
    skew: timedelta = timedelta(0)
    blocked_until: datetime | None = None
    waiting: list[Surprise] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    told: list[OrderUpdate] = field(default_factory=list)
    pending: dict[str, datetime] = field(default_factory=dict)
    _terse: dict[str, tuple[OrderReport, OrderReport]] = field(default_factory=dict)

    def end(self) -> None:
        """From here on the broker behaves."""
        self.waiting.clear()
        self._contradictions.end()
        self._disruptions.end()
        self.world.odd_rows.end()
        self.blocked_until = None
        self.skew = timedelta(0)

    @property
    def _contradictions(self) -> Contradictions:
        return self.world.contradictions

    @property
    def _disruptions(self) -> Disruptions:
        return self.world.disruptions

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, effect: Effect, at: datetime, ask: Callable[[Effect], Input]) -> Input:
        """What the broker answers, having acted or not."""
        match effect:
            case SubmitOrder() | ReplaceOrder():
                return self._of_order(effect, at, ask)
            case CancelOrder():
                return self._of_cancel(effect, at, ask)
        answer = self._disruptions.answer(ask(effect), at)
        if isinstance(answer, LookUpAnswered) and isinstance(answer.answer, OrderReport):
            is_known = self._contradictions.knows(answer.client_order_id, at)
            return LookUpAnswered(answer.client_order_id, self._said(answer.answer) if is_known else NotFound())
        if isinstance(answer, BooksFetched) and not isinstance(answer.answer, NoAnswer):
            books = self._contradictions.books(answer.answer)
            orders = tuple(self._said(report) for report in books.orders)
            return self.world.odd_rows.books(replace(books, orders=orders), at)
        if isinstance(answer, ClockFetched) and self._contradictions.ahead:
            self.met["a clock that differs"] += 1
            return ClockFetched(answer.answer, self._contradictions.ahead, is_near=False)
        if isinstance(answer, FiguresFetched) and isinstance(answer.answer, FreshFigures) and self.skew:
            told = answer.answer.broker_time
            if isinstance(told, NoAnswer):
                return answer
            self.met["clock skew"] += 1
            figures = replace(answer.answer, broker_time=told + self.skew)
            return FiguresFetched(answer.proposal_id, answer.ticket_id, figures)
        return answer

    def _of_order(self, effect: SubmitOrder | ReplaceOrder, at: datetime, ask: Callable[[Effect], Input]) -> Input:
        order_id = effect.order.client_order_id
        if self.blocked_until is not None and at < self.blocked_until:
            return self._refused(effect, at, "account blocked", BLOCKED)
        if isinstance(effect, ReplaceOrder) and (late := self._of_pending_replacement(effect, at)):
            return late
        surprise = self._next("order", role_of(effect))
        if isinstance(effect, ReplaceOrder) and surprise is None and (lie := self._of_replacement(effect, at)):
            return lie
        if surprise is None:
            return self._as_said(ask(effect))
        if surprise.what in REFUSALS:
            refusal = replace(REFUSALS[surprise.what], wait_seconds=surprise.seconds or None)
            return self._refused(effect, at, surprise.what, refusal)
        if surprise.what == "500":
            self.met["order 500"] += 1
            return SubmissionAnswered(order_id, NoAnswer("500 Internal Server Error"))
        answer = ask(effect)
        assert isinstance(answer, SubmissionAnswered)
        if not isinstance(answer.answer, Accepted):
            return answer
        self.met[f"order {surprise.what}"] += 1
        if surprise.what == "rejected":
            self._reject(order_id, at)
        elif surprise.what == "504":
            return SubmissionAnswered(order_id, NoAnswer("504 Gateway Timeout"))
        elif surprise.what == "duplicate":
            return SubmissionAnswered(order_id, DUPLICATE)
        return self._as_said(answer)

    def _of_replacement(self, effect: ReplaceOrder, at: datetime) -> Input | None:
        """Of an order that the broker knows no more, or one that ends while the order works that it was to replace."""
        lies = self._contradictions
        if not lies.knows(effect.order.replaces or ""):
            return self._refused(effect, at, "order not found", UNKNOWN_ORDER)
        return lies.answer_replacement(effect, at, lies.replaced.pop(0)) if lies.replaced else None

    def _of_pending_replacement(self, effect: ReplaceOrder, at: datetime) -> Input | None:
        """Taken, and carried out later."""
        surprise = self._next("replacement", role_of(effect))
        if surprise is None:
            return None
        answer = self._disruptions.replace_later(effect, at, at + timedelta(seconds=surprise.seconds))
        self.met["replacement pending"] += answer is not None
        return answer

    def _refused(self, effect: SubmitOrder | ReplaceOrder, at: datetime, what: str, answer: Refused) -> Input:
        """The exchange never hears of it, and whoever counts what was sent does."""
        self.met[f"refused: {what}"] += 1
        if answer.kind is RefusalKind.RATE_LIMITED:
            return SubmissionAnswered(effect.order.client_order_id, answer)  # it may be sent again, as it is
        request = SubmitRequest if isinstance(effect, SubmitOrder) else ReplaceRequest
        self.world.auditor.arrives(encoded(request(at, effect.order)))
        return SubmissionAnswered(effect.order.client_order_id, answer)

    def _reject(self, order_id: ClientOrderId, at: datetime) -> None:
        """Taken by the broker, and turned down by the venue."""
        book = self.world.exchange._book
        order = book.find(order_id)
        if order is not None and order.is_working and not order.filled:
            book.end(order, UpdateEvent.REJECTED, at)

    def _of_cancel(self, effect: CancelOrder, at: datetime, ask: Callable[[Effect], Input]) -> Input:
        order_id = effect.client_order_id
        if self.holds_the_cancel_of(order_id, at) or order_id in self._disruptions.replacing:
            return CancelAnswered(order_id, BUSY)
        if not self._contradictions.knows(order_id):
            return CancelAnswered(order_id, NotFound())
        found = self.world.exchange._book.find(order_id)
        surprise = self._next("cancel") if found is not None and found.is_working else None
        if surprise is None:
            return self._as_said(ask(effect))
        self.met[f"cancel {surprise.what}"] += 1
        if surprise.what == "refused":
            return CancelAnswered(order_id, Refused(RefusalKind.UNPROCESSABLE, "order is not cancelable", "42210000"))
        until = self.pending[order_id] = at + timedelta(seconds=surprise.seconds)
        exchange = self.world.exchange
        self.world.plan(Planned(until, lambda then: exchange.cancel(then, order_id)))
        return CancelAnswered(order_id, Accepted(self._said(exchange.order(at, order_id))))

    def holds_the_cancel_of(self, order_id: str, at: datetime) -> bool:
        """Whether it was asked to cancel it, said yes, and has not done it yet."""
        until = self.pending.get(order_id)
        return until is not None and at < until

    def _as_said(self, answer: Input) -> Input:
        if isinstance(answer, SubmissionAnswered | CancelAnswered) and isinstance(answer.answer, Accepted):
            return type(answer)(answer.client_order_id, Accepted(self._said(answer.answer.report)))
        return answer

    # ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────

    def as_told(self, update: OrderUpdate) -> OrderUpdate:
        """An update in the broker's words and by its clock."""
        execution = update.execution and self._by_its_clock(update.execution)
        return replace(update, at=update.at + self.skew, report=self._said(update.report), execution=execution)

    def accepted(self, at: datetime) -> BrokerBooks:
        """Its books as a person takes them over: each order as it is told, with no list short and no row odd."""
        picture = self.world.exchange.books(at)
        known = [report for report in picture.orders if self._contradictions.knows(report.client_order_id)]
        said = (self._told(self._contradictions.stands(self._disruptions.said(report))) for report in known)
        return replace(picture, orders=tuple(map(self._in_cancel, said)))

    def _told(self, report: OrderReport) -> OrderReport:
        """With its executions or without, and by its clock."""
        if self.is_terse:
            return self._without_executions(report)
        if self.skew:
            return replace(report, executions=tuple(self._by_its_clock(one) for one in report.executions))
        return report

    def _is_in_cancel(self, report: OrderReport) -> bool:
        return report.client_order_id in self.pending and report.status is not None and report.status.is_working

    def _in_cancel(self, report: OrderReport) -> OrderReport:
        return replace(report, raw_status="pending_cancel") if self._is_in_cancel(report) else report

    def _said(self, report: OrderReport) -> OrderReport:
        report = self._told(self._contradictions.said(self._disruptions.said(report)))
        if self._is_in_cancel(report):
            return self._in_cancel(report)
        if report.legs and self._next("legs"):
            self.met["legs left out"] += 1
            report = replace(report, legs=(), hides_legs=True)
        if self._next("report"):
            self.met["unknown status"] += 1
            return replace(report, status=None, raw_status=UNKNOWN)
        return report

    def _without_executions(self, report: OrderReport) -> OrderReport:
        """The same object for the same report, so that a comparison may skip what has not changed."""
        if not report.executions:
            return report
        before, terse = self._terse.get(report.client_order_id, (None, report))
        if before is not report:
            terse = replace(report, executions=())
            self._terse[report.client_order_id] = report, terse
        return terse

    def _by_its_clock(self, execution: Execution) -> Execution:
        return replace(execution, at=execution.at + self.skew)

    def _next(self, to: str, of: str = "") -> Surprise | None:
        found = next((one for one in self.waiting if one.to == to and one.of in ("", of)), None)
        if found is not None:
            self.waiting.remove(found)
        return found

    # ── somebody else ────────────────────────────────────────────────────────────────────────────────────────────

    def take_away(self, order_id: ClientOrderId) -> None:
        """One of our orders is cancelled at the broker's own page."""
        at = self.world.wire.at
        if isinstance(self.world.exchange.cancel(at, order_id), Accepted):
            self.met["cancelled elsewhere"] += 1
            self.world.meddled.add(order_id)
        self.world.wire._pass_updates_on()

    def close_elsewhere(self, symbol: Symbol) -> bool:
        """What is held of a symbol is sold at the broker's own page, its orders out of the way first."""
        world, exchange, at = self.world, self.world.exchange, self.world.wire.at
        held = exchange._ledger.quantity(symbol)
        if not held:
            return False
        for order in list(exchange._book.working.get(symbol, ())):
            self.take_away(order.request.client_order_id)
        order_id = ClientOrderId(f"elsewhere-{len(world.foreign) + 1}")
        world.foreign.add(order_id)
        side = Side.SELL if held > 0 else Side.BUY
        effect = OrderEffect.CLOSE if held > 0 else OrderEffect.COVER
        order = OrderRequest(order_id, symbol, side, effect, Quantity(abs(Decimal(held))), OrderType.MARKET)
        answer = exchange.submit(at, order)
        world.wire._pass_updates_on()
        if not isinstance(answer, Accepted):
            world.foreign.discard(order_id)
            return False
        self.met["closed elsewhere"] += 1
        return True

    def replay(self, pick: int) -> None:
        """The stream tells something again that it told before."""
        if self.told:
            self.met["update replayed"] += 1
            self.world.wire.replay(self.as_told(self.told[-1 - pick % len(self.told)]))
