"""A signed plan, order by order: what reduces first, then the wait, then what opens, then the report (EX-10).

A flattening takes the working entries back before its first sale, and waits a little until they are gone: an entry that
filled behind its sale would leave what nobody meant to hold.

Each order takes the way of a ticket: at its turn it is opened and confirmed by the mandate that the plan's key gave,
and checked again on a clock, an account and a quote fetched for it. Of what opens one is on that way at a time, and the
next has its turn when the broker has answered to it: no order waits in the line behind another, and each sees what
those before it left. What reduces waits for no other symbol's answer (EX-22). A halt, a kill or a restart stops what
has not gone; a flattening, which only reduces, goes on through a halt and a kill. After a time-out no buy leaves by
itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.desk import Desk
from core.effects import Effect, FetchFigures
from core.execution.effect_now import effect_now, working_entries
from core.execution.order import Order
from core.facts import (
    ConfirmationReceived,
    ConfirmationRefused,
    PlanEnded,
    PlanMoved,
    PlanOrderSkipped,
    PlanTurnBegun,
    ProposalEnded,
    ProposalStaged,
    TicketOpened,
)
from core.inputs import AnswerPlan, LeavePlan, PictureFetched
from core.model.account import Account
from core.model.broker import BrokerPicture
from core.model.codes import CancelCode, PlanStop, ProposalEnd
from core.model.order import OrderRequest, OrderStatus
from core.model.plan import PlanEnd, PlanPhase, PlanReport, PlanSource, ReportLine, SignedOrder, Standing
from core.model.staging import MandateKind, Ticket
from core.model.values import NO_SHARES, Money, Quantity, Symbol, plain
from core.staging.plans import PlanRun
from core.telling import order_in_words
from core.workflows.cancelling import Cancelling
from core.workflows.comparing import Comparing
from core.workflows.confirming import Confirming
from core.workflows.contract import answers
from core.workflows.filling import look_up

GONE = "it has left Proposals since the signing: sent, declined, or its time was over"
IN_HAND = "its own ticket is being confirmed"
EDITED = "it is another order by now than the one that was signed"
HAS_ORDER = "it has its order already"
STOPS_CHANGED = "the stops at the broker are others than at the signing; close it on a ticket of its own"
NOT_GONE = "the plan was stopped before it went"
FLATTENED = "flattened by the operator"
BY_OPERATOR = "stopped by the operator"
UNANSWERED = "nobody said in time whether the buys should go; none of them went"
TIME_OVER = "the time for which it was signed is over"
ALL_OUT = "every order has had its turn; waiting for the fills"
STILL_CLEARING = "its stop makes way; it goes when that is gone, and Orders shows it then"
ASKS_BROKER = "the broker is asked for the report"
SIDE_BY_SIDE = 4
"""Sales that are checked on fresh figures at once: more would be many requests in one instant (EX-17)."""
FEW = 3
"""Orders up to which each is asked for by itself; more are asked for at once, in the broker's books (EX-17)."""


class Running:
    def __init__(self, desk: Desk, confirming: Confirming, comparing: Comparing, cancelling: Cancelling) -> None:
        self.desk = desk
        self.cancelling = cancelling
        self.plans = desk.plans
        self.confirming = confirming
        self.comparing = comparing
        self._polled_at: datetime | None = None
        self._picture: BrokerPicture | None = None
        self._asked_at: datetime | None = None
        self._asks_again = False

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @answers(AnswerPlan)
    def on_answer(self, command: AnswerPlan) -> Iterator[Effect]:
        run = self.plans.running
        if run is None or run.id != command.plan_id or run.phase is not PlanPhase.ASKING:
            return
        if command.goes_on:
            self._move(run, PlanPhase.BUYING, "the operator goes on: the buys that still fit")
        else:
            yield from self._stop(run, BY_OPERATOR, PlanStop.OPERATOR)

    @answers(LeavePlan)
    def on_leave(self, command: LeavePlan) -> Iterator[Effect]:
        run = self.plans.running
        if run is not None and run.id == command.plan_id:
            yield from self._stop(run, BY_OPERATOR, PlanStop.OPERATOR)

    @answers(PictureFetched)
    def on_picture(self, reply: PictureFetched) -> Iterable[Effect]:
        """The broker's books: what the report is made of, once it was asked for, and of no earlier instant."""
        picture, run = reply.answer, self.plans.running
        if not isinstance(picture, BrokerPicture):
            return ()
        is_of_now = self._asked_at is None or picture.account.at >= self._asked_at
        if run is not None and run.phase is PlanPhase.REPORTING and is_of_now:
            self._picture = picture
        return ()

    # ── each step ────────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self, _asked: list[Effect]) -> Iterator[Effect]:
        """Whatever happened: what follows from it for the plan that runs."""
        while (run := self.plans.running) is not None:
            before = (run.phase, len(run.tickets), len(run.refusals))
            if run.halted and run.phase is not PlanPhase.REPORTING:
                yield from self._stop(run, run.halted, run.halted_by)
            elif run.phase is PlanPhase.TAKING_BACK:
                yield from self._take_back(run)
            elif run.phase is PlanPhase.SELLING:
                yield from self._sell(run)
            elif run.phase is PlanPhase.WAITING:
                self._wait(run)
            elif run.phase is PlanPhase.ASKING:
                yield from self._wait_for_the_word(run)
            elif run.phase is PlanPhase.BUYING:
                yield from self._buy(run)
            elif run.phase is PlanPhase.SETTLING:
                yield from self._settle(run)
            else:
                yield from self._report(run)
            if self.plans.running is None or before == (run.phase, len(run.tickets), len(run.refusals)):
                return

    def _take_back(self, run: PlanRun) -> Iterator[Effect]:
        """Asked for at once, all of them; what does not answer in time holds no sale back."""
        for order_id in run.taken_back:
            order = self.desk.ledger.order(order_id)
            if order is not None and order.is_working and not order.is_cancelling:
                yield from self.cancelling.cancel(order, FLATTENED, CancelCode.FLATTENED)
        left = self.plans.entries_left(run)
        if not left:
            self._move(run, PlanPhase.SELLING, "the entries are gone")
        elif self._since(run) >= self._seconds("entries_seconds"):
            self._move(run, PlanPhase.SELLING, f"{len(left)} entries are not gone yet; they are asked for again")

    def _sell(self, run: PlanRun) -> Iterator[Effect]:
        following = self._following_sale(run)
        if following is not None:
            yield from self._take_turn(run, following)
        elif self._have_all_gone(run, run.sells()):
            self._move(run, PlanPhase.WAITING, "every sell has had its turn; the buys wait for their fills")

    def _wait(self, run: PlanRun) -> None:
        """The buys begin by themselves only where every sell is filled."""
        open_ = self._unsettled(run, run.sells())
        late = self._since(run) >= self._seconds("sells_seconds")
        if open_ and not late:
            return
        if not run.buys():
            self._move(run, PlanPhase.SETTLING, "no buys follow")
            return
        if not open_ and not (failed := self._not_filled(run)):
            before = "every sell is filled" if run.sells() else "nothing is sold before"
            self._move(run, PlanPhase.BUYING, f"{before}: the buys, against fresh buying power")
            return
        names = ", ".join(self._in_words(order) for order in open_ or failed)
        waited = (
            f"not filled in {plain(self.desk.control.settings.staging.plan.sells_seconds)} s" if open_ else "not filled"
        )
        self._move(run, PlanPhase.ASKING, f"{names} {waited}: go on with the buys that still fit, or stop?")

    def _wait_for_the_word(self, run: PlanRun) -> Iterator[Effect]:
        if run.permitted_until is not None and self.desk.at >= run.permitted_until:
            yield from self._stop(run, UNANSWERED, PlanStop.UNANSWERED)

    def _buy(self, run: PlanRun) -> Iterator[Effect]:
        """A buy of which nobody knows holds the others back, and after a while the plan asks (EX-06, EX-10)."""
        doubted = self._doubted(run)
        if doubted and self.desk.at >= self._asks_at(run, doubted):
            names = ", ".join(self._in_words(order) for order in doubted)
            self._move(run, PlanPhase.ASKING, f"{names} in doubt: go on with the buys that still fit, or stop?")
            return
        following = self._following(run, run.buys())
        if following is not None:
            yield from self._take_turn(run, following)
        elif self._have_all_gone(run, run.buys()):
            self._move(run, PlanPhase.SETTLING, ALL_OUT)

    def _settle(self, run: PlanRun) -> Iterator[Effect]:
        is_late = self._since(run) >= self._seconds("buys_seconds")
        if is_late or not self._unsettled(run, run.orders):
            yield from self._ask_for_report(run, ASKS_BROKER)

    def _stop(self, run: PlanRun, reason: str, stop: PlanStop | None) -> Iterator[Effect]:
        """Nothing more of it goes; what is on its way is seen to its end by the report."""
        for signed in run.orders:
            standing, told = self.plans.standing(run, signed), (f"{NOT_GONE}: {reason}",)
            ticket_id = run.tickets.get(signed.proposal.id)
            if standing is Standing.CHECKING and ticket_id is not None:
                self.desk.record(ConfirmationRefused(ticket_id, told))
            elif standing is Standing.WAITING or (
                standing is Standing.REFUSED and signed.proposal.id not in run.refusals
            ):
                self.desk.record(PlanOrderSkipped(run.id, signed.proposal.id, told))
        yield from self._ask_for_report(run, f"stopped: {reason}", stop)

    def _ask_for_report(self, run: PlanRun, reason: str, stop: PlanStop | None = None) -> Iterator[Effect]:
        self._move(run, PlanPhase.REPORTING, reason, stop)
        yield from self._ask()

    def _ask(self) -> Iterator[Effect]:
        self._picture, self._asked_at, self._asks_again = None, self.desk.at, False
        yield from self.comparing.ask()

    def _report(self, run: PlanRun) -> Iterator[Effect]:
        """What a stop or a kill takes back is waited for, and the broker asked again when it is gone (EX-10)."""
        is_late = self._since(run) >= self._seconds("report_seconds")
        if not is_late and self._is_on_its_way_out(run):
            self._asks_again = True
            return
        if not is_late and self._asks_again:
            yield from self._ask()
        if self._picture is None and not is_late:
            return
        for signed in run.orders:
            if run.plan.source is PlanSource.FILE and signed.proposal.id in self.desk.stage.state.proposals:
                self.desk.record(ProposalEnded(signed.proposal.id, ProposalEnd.WITHDRAWN, "its plan is over"))
        end = PlanEnd.STOPPED if run.stop is not None or run.halted else PlanEnd.DONE
        self.desk.record(PlanEnded(run.id, end, self.plans.in_sum(run), self._figures(run)))

    # ── one order ────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_turn(self, run: PlanRun, signed: SignedOrder) -> Iterator[Effect]:
        """Opened, and confirmed by the mandate that was signed for exactly this order (OP-02)."""
        proposal = signed.proposal
        refusal = self._refusal(run, signed)
        ticket = None if refusal else self._ticket(run, signed)
        if refusal is None and ticket is None:
            refusal = STOPS_CHANGED
        if refusal is not None or ticket is None:
            self.desk.record(PlanOrderSkipped(run.id, proposal.id, (refusal or STOPS_CHANGED,)))
            return
        use = next(
            use
            for use in self.desk.stage.mandates(MandateKind.PLAN, signed.order_id)
            if use.mandate.ticket_id == run.id
        )
        permitted = self.desk.stage.permit(use, proposal.order, self.desk.account_name, self.desk.at)
        if isinstance(permitted, str):
            self.desk.record(PlanOrderSkipped(run.id, proposal.id, (permitted,)))
            return
        approval = replace(permitted, id=str(ticket.id), ticket_id=ticket.id)
        if proposal.id not in self.desk.stage.state.proposals:
            self.desk.record(ProposalStaged(proposal, signed.review))
        self.desk.record(PlanTurnBegun(run.id, proposal.id, ticket.id))
        self.desk.record(TicketOpened(ticket))
        self.desk.record(ConfirmationReceived(ticket.id, ticket.digest, approval, self.confirming.mandates(ticket)))
        yield FetchFigures(proposal.id, ticket.id, proposal.symbol)

    def _refusal(self, run: PlanRun, signed: SignedOrder) -> str | None:
        stage, proposal = self.desk.stage, signed.proposal
        waiting = stage.state.proposals.get(proposal.id)
        if run.permitted_until is None or self.desk.at >= run.permitted_until:
            return TIME_OVER
        if self.desk.ledger.has(signed.order_id):
            return HAS_ORDER
        if waiting is None and run.plan.source is not PlanSource.FILE:
            return GONE
        if stage.is_confirming(proposal.id):
            return IN_HAND
        if waiting is not None and waiting.order != proposal.order:
            return EDITED
        return None

    def _ticket(self, run: PlanRun, signed: SignedOrder) -> Ticket | None:
        """Exactly what was signed, at the price of the signing; None where it is not that any more."""
        ticket = self.confirming.ticket(signed.proposal, None)
        if ticket.digest != signed.digest(self.desk.account_name):
            return None
        return replace(ticket, price_at_opening=signed.touch or ticket.price_at_opening)

    # ── where they stand ─────────────────────────────────────────────────────────────────────────────────────────

    def _following(self, run: PlanRun, orders: tuple[SignedOrder, ...]) -> SignedOrder | None:
        """The next whose turn it is; None while one is being checked, or something that it would wait behind has no
        answer yet, or where none is left."""
        following = next((o for o in orders if self.plans.standing(run, o) is Standing.WAITING), None)
        if following is None or self._is_in_hand(run, orders) or self._is_lane_busy(following.proposal.order):
            return None
        return following

    def _following_sale(self, run: PlanRun) -> SignedOrder | None:
        """The next that waits for nothing of its own symbol: another's request may hang (EX-22)."""
        standings = [(order, self.plans.standing(run, order)) for order in run.sells()]
        if [standing for _, standing in standings].count(Standing.CHECKING) >= SIDE_BY_SIDE:
            return None
        for order, standing in standings:
            beside = tuple(other for other, _ in standings if other.proposal.symbol == order.proposal.symbol)
            is_free = standing is Standing.WAITING and not self._is_in_hand(run, beside)
            if is_free and not self._is_lane_busy(order.proposal.order):
                return order
        return None

    def _is_in_hand(self, run: PlanRun, orders: tuple[SignedOrder, ...]) -> bool:
        doubted = self._doubted(run)
        return any(
            self.plans.standing(run, order).holds_the_turn or self._waits_for_answer(run, order) or order in doubted
            for order in orders
        )

    def _have_all_gone(self, run: PlanRun, orders: tuple[SignedOrder, ...]) -> bool:
        are_left = any(self.plans.standing(run, order) is Standing.WAITING for order in orders)
        return not are_left and not self._is_in_hand(run, orders)

    def _is_lane_busy(self, order: OrderRequest) -> bool:
        """What opens waits for each request that is on its way, what reduces for exits of its symbol alone (EX-22)."""
        asked = [o for o in self.desk.ledger.working() if o.status is OrderStatus.PENDING and o.kept is None]
        if order.effect.only_reduces:
            asked = [o for o in asked if o.only_reduces and o.request.symbol == order.symbol]
        return any(o.in_doubt_since is None for o in asked)

    def _waits_for_answer(self, run: PlanRun, signed: SignedOrder) -> bool:
        """The stream has told of it, and its own answer has not come yet; not for longer than an answer may take."""
        order = self.desk.ledger.order(signed.order_id)
        if order is None or signed.order_id in run.answered or signed.proposal.id in run.refusals:
            return False
        is_told = order.status is not OrderStatus.PENDING and order.status is not OrderStatus.REJECTED
        return is_told and self.desk.at < self._answer_due(order)

    def _answer_due(self, order: Order) -> datetime:
        return self.desk.departing.left_at(order) + self._patience()

    def _doubted(self, run: PlanRun) -> list[SignedOrder]:
        """The buys that are looked up, and of which the operator was not asked yet."""
        found = [order for order in run.buys() if self.plans.standing(run, order) is Standing.IN_DOUBT]
        return [order for order in found if self._asks_at(run, [order]) >= (run.phase_since or self.desk.at)]

    def _asks_at(self, run: PlanRun, doubted: list[SignedOrder]) -> datetime:
        orders = [order for signed in doubted if (order := self.desk.ledger.order(signed.order_id)) is not None]
        return min(order.in_doubt_since or self.desk.departing.left_at(order) for order in orders) + self._patience()

    def _unsettled(self, run: PlanRun, orders: tuple[SignedOrder, ...]) -> list[SignedOrder]:
        return [order for order in orders if not self.plans.standing(run, order).is_over]

    def _not_filled(self, run: PlanRun) -> list[SignedOrder]:
        return [order for order in run.sells() if self.plans.standing(run, order) is not Standing.FILLED]

    def _in_words(self, signed: SignedOrder) -> str:
        order = self.desk.ledger.order(signed.order_id)
        left = order.remaining if order is not None else signed.proposal.order.quantity
        request = signed.proposal.order
        return f"{request.side.value.upper()} {plain(left)} {request.symbol}"

    # ── the report ───────────────────────────────────────────────────────────────────────────────────────────────

    def _is_on_its_way_out(self, run: PlanRun) -> bool:
        """Whether the broker was asked to cancel an order of it, or has not answered for one yet."""
        ids = (*(signed.order_id for signed in run.orders), *run.taken_back)
        orders = (order for order_id in ids if (order := self.desk.ledger.order(order_id)) is not None)
        return any(o.is_cancelling or (o.status is OrderStatus.PENDING and o.in_doubt_since is None) for o in orders)

    def _figures(self, run: PlanRun) -> PlanReport:
        account = self._picture.account if self._picture is not None else self.desk.account
        return PlanReport(
            lines=tuple(self._line(run, signed) for signed in run.orders),
            positions=self._positions(run),
            power_before=run.power_before,
            power_after=Money(account.buying_power) if isinstance(account, Account) else None,
            is_of_the_broker=self._picture is not None,
            left=self._left(run),
        )

    def _left(self, run: PlanRun) -> tuple[str, ...]:
        """What a flattening leaves: positions by the broker's books where it answered, and entries that still work."""
        if run.plan.source is not PlanSource.FLATTEN:
            return ()
        if self._picture is not None:
            held = {position.symbol: position.quantity for position in self._picture.positions}
        else:
            held = {p.symbol: self.desk.ledger.net_quantity(p.symbol) for p in self.desk.ledger.positions()}
        positions = [f"{symbol} {plain(quantity)} held" for symbol, quantity in held.items() if quantity]
        entries = [
            (order_in_words(o.request), effect_now(self.desk.ledger, o)) for o in working_entries(self.desk.ledger)
        ]
        return (*positions, *(f"{words} still works and would {effect.value}" for words, effect in entries))

    def _positions(self, run: PlanRun) -> tuple[tuple[Symbol, Quantity], ...]:
        if self._picture is None:
            return ()
        held = {position.symbol: position.quantity for position in self._picture.positions}
        symbols = dict.fromkeys(signed.proposal.symbol for signed in run.orders)
        return tuple((symbol, held.get(symbol, NO_SHARES)) for symbol in symbols)

    def _line(self, run: PlanRun, signed: SignedOrder) -> ReportLine:
        request = signed.proposal.order
        order: Order | None = self.desk.ledger.order(signed.order_id)
        told = "; ".join(run.refusals.get(signed.proposal.id, ()))
        if self.plans.standing(run, signed) is Standing.CLEARING:
            told = STILL_CLEARING
        return ReportLine(
            proposal_id=signed.proposal.id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            filled=order.filled_quantity if order is not None else NO_SHARES,
            expected=signed.price,
            average=order.average_price if order is not None else None,
            status=order.status if order is not None else None,
            reason=order.reason if order is not None and order.reason and not told else told,
        )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        run = self.plans.running
        if run is None or run.phase_since is None:
            return
        limits = {
            PlanPhase.TAKING_BACK: "entries_seconds",
            PlanPhase.WAITING: "sells_seconds",
            PlanPhase.SETTLING: "buys_seconds",
            PlanPhase.REPORTING: "report_seconds",
        }
        if run.phase in (PlanPhase.SELLING, PlanPhase.BUYING):
            yield from self._turn_due(run)
        if run.phase in limits:
            yield run.phase_since + self._seconds(limits[run.phase])
        if run.phase is PlanPhase.WAITING:
            yield self._next_poll(run)
        if run.phase is PlanPhase.ASKING and run.permitted_until is not None:
            yield run.permitted_until

    def _turn_due(self, run: PlanRun) -> Iterator[datetime]:
        """When the turn goes on although an answer is missing, or the plan asks."""
        for signed in run.orders:
            order = self.desk.ledger.order(signed.order_id)
            if order is not None and self._waits_for_answer(run, signed):
                yield self._answer_due(order)
        if run.phase is PlanPhase.BUYING and (doubted := self._doubted(run)):
            yield self._asks_at(run, doubted)

    def due(self) -> Iterator[Effect]:
        """The fallback of the stream: sells that are not filled are asked for (EX-10)."""
        run = self.plans.running
        if run is None or run.phase is not PlanPhase.WAITING or self.desk.at < self._next_poll(run):
            return
        self._polled_at = self.desk.at
        found = (self.desk.ledger.order(signed.order_id) for signed in self._unsettled(run, run.sells()))
        orders = [o for o in found if o is not None and not self.desk.departing.is_here(o)]
        if len(orders) > FEW:
            self.desk.books_are_wanted = True
        else:
            for order in orders:
                yield look_up(order)

    def _next_poll(self, run: PlanRun) -> datetime:
        since = run.phase_since or self.desk.at
        last = since if self._polled_at is None else max(since, self._polled_at)
        return last + self._seconds("poll_seconds")

    def _since(self, run: PlanRun) -> timedelta:
        return self.desk.at - (run.phase_since or self.desk.at)

    def _move(self, run: PlanRun, phase: PlanPhase, reason: str, stop: PlanStop | None = None) -> None:
        self.desk.record(PlanMoved(run.id, phase, reason, stop))

    def _patience(self) -> timedelta:
        """How long one answer may take (EX-06)."""
        return timedelta(seconds=float(self.desk.control.settings.execution.answer_seconds))

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.desk.control.settings.staging.plan, name)))
