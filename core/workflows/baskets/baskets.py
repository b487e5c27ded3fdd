"""Handle a basket until it is signed: open it with a dry run, mark orders, sign once, or close it (OP-05)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.execution.excess_exits import working_entries
from core.facts import BasketEnded, BasketMarked, BasketOpened, BasketRefused, BasketSigned
from core.messages.command_ports import LATE
from core.messages.commands import LeaveBasket, MarkInBasket, OpenBasket, ReversePosition, SignBasket
from core.messages.effects import Effect, FetchFigures
from core.model.account import Account, Mode
from core.model.basket import (
    Basket,
    BasketEnd,
    BasketLine,
    BasketSource,
    SignedOrder,
    SkippedRow,
    digest_of_basket,
    holds_as_typed,
)
from core.model.order import digest_of
from core.model.staging import AuthorizationKind, StandingAuthorization
from core.model.values import ZERO, ClientOrderId, Digest, Money, ProposalId, TicketId
from core.risk.gate import Gate
from core.staging.baskets import BasketRun
from core.trading_state.state import TradingState
from core.workflows.baskets.basket_dry_run import BasketDryRun, DryRunResult
from core.workflows.baskets.basket_rows import BasketRows, Reversal
from core.workflows.operator.desk_rights import turn_of
from core.workflows.staging.tickets import NOBODY
from core.workflows.workflow import answers

NOTHING_WAITS = "nothing waits in Proposals that a basket could hold"
NOTHING_HELD = "nothing is held and no entry works: there is nothing to flatten"
NO_ROWS = "no row of it became an order"
RUNS = "a basket runs already; wait for its end, or stop it on its screen"
NO_PLAN = "there is no such basket any more; open it again"
TIME_OVER = "the basket expired; open it again"
CHANGED = "the basket changed before the key came; read it again and sign it"
NOT_TYPED = "real money: what its entries cost in all is typed in whole dollars before the key"
NOT_PRICED = "no price of one of its entries is known, and so not what they cost; wait for a quote, or leave it out"
NONE_MARKED = "no order that would go is marked; space marks the selected one"


class BasketDrafts:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate
        self.rows = BasketRows(state)
        self.reversal = Reversal(state)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(OpenBasket)
    def on_open(self, command: OpenBasket) -> Iterator[Effect]:
        """Open a basket with a dry run of every order, then request fresh quotes for the next dry run."""
        plan_id = self._next_id()
        if self.state.plans.running is not None:
            self._refuse(command, plan_id, RUNS)
            return
        wanted, skipped = self._lines(command, plan_id)
        takes_back = command.source is BasketSource.FLATTEN and bool(working_entries(self.state.ledger))
        if not wanted and not takes_back:
            nothing = {BasketSource.PROPOSALS: NOTHING_WAITS, BasketSource.FLATTEN: NOTHING_HELD}
            reasons = tuple(f"{row.place}: {row.reason}" for row in skipped)
            self._refuse(command, plan_id, nothing.get(command.source, NO_ROWS), *reasons)
            return
        ordered = [line for line in wanted if line.proposal.only_reduces]
        ordered += [line for line in wanted if not line.proposal.only_reduces]
        tried = dry_run(self.state, self.gate, command.source).try_all(ordered)
        yield from self._open(command, plan_id, tried, skipped)

    @answers(ReversePosition)
    def on_reverse(self, command: ReversePosition) -> Iterator[Effect]:
        """Open a reversal with both orders or none: if a check refuses either, no basket opens."""
        plan_id, opening = self._next_id(), OpenBasket(BasketSource.REVERSAL)
        lines = RUNS if self.state.plans.running is not None else self.reversal.lines(command, plan_id)
        if isinstance(lines, str):
            self._refuse(opening, plan_id, lines)
            return
        tried = dry_run(self.state, self.gate, BasketSource.REVERSAL).try_all(lines)
        if refusals := [refusal for line in tried for refusal in line.refusals]:
            self._refuse(opening, plan_id, *refusals)
            return
        yield from self._open(opening, plan_id, tried, ())

    def _open(
        self, command: OpenBasket, plan_id: TicketId, tried: list[DryRunResult], skipped: tuple[SkippedRow, ...]
    ) -> Iterator[Effect]:
        self.put_aside("another basket was opened")
        lines = tuple(BasketLine(t.proposal, t.refusals) for t in tried)
        at = self.state.at
        ends_at = at + self._seconds("life_seconds")
        plan = Basket(plan_id, command.source, command.name, lines, skipped, at, ends_at, command.request)
        marked = tuple(line.proposal.id for line in lines) if command.source is BasketSource.FLATTEN else ()
        self.state.record(BasketOpened(plan, marked))
        for number, symbol in enumerate(dict.fromkeys(line.proposal.symbol for line in lines)):
            yield FetchFigures(NOBODY, None, symbol, is_quote_alone=number > 0)

    def _next_id(self) -> TicketId:
        return TicketId(digest_of("plan", str(self.state.plans.state.opened + 1))[:16])

    def _refuse(self, command: OpenBasket, plan_id: TicketId, *reasons: str) -> None:
        self.state.record(BasketRefused(plan_id, reasons, command.name, command.request))

    def _lines(self, command: OpenBasket, plan_id: TicketId) -> tuple[tuple[BasketLine, ...], tuple[SkippedRow, ...]]:
        if command.source is BasketSource.FILE:
            return self.rows.lines(command, plan_id)
        waiting = [p for p in self.state.stage.proposals() if p.order.replaces is None and not p.is_guard]
        if command.source is BasketSource.FLATTEN:
            waiting = [p for p in waiting if p.is_exit]
        free = [p for p in waiting if not self.state.stage.is_confirming(p.id)]
        return tuple(BasketLine(proposal) for proposal in free), command.skipped

    # ── marking ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(MarkInBasket)
    def on_mark(self, command: MarkInBasket) -> Iterable[Effect]:
        run = self.state.plans.open_plan(command.plan_id)
        if run is None:
            return ()
        entries = {ProposalId(order.id) for order in working_entries(self.state.ledger)}
        if any(line.proposal.id == command.proposal_id for line in run.plan.lines):
            is_marked = command.proposal_id in run.marked
        elif run.plan.source is BasketSource.FLATTEN and command.proposal_id in entries:
            is_marked = ClientOrderId(command.proposal_id) not in run.spared
        else:
            return ()
        if is_marked is not command.is_marked:
            self.state.record(BasketMarked(run.id, command.proposal_id, command.is_marked))
        return ()

    @answers(LeaveBasket)
    def on_leave(self, command: LeaveBasket) -> Iterable[Effect]:
        if self.state.plans.open_plan(command.plan_id) is not None:
            self.put_aside("closed by the operator")
        return ()

    def put_aside(self, reason: str) -> None:
        """Close the basket that waits for its signature, if there is one."""
        run = self.state.plans.run
        if run is not None and run.is_open:
            self.state.record(BasketEnded(run.id, BasketEnd.LEFT, reason, None))

    # ── signing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(SignBasket)
    def on_sign(self, command: SignBasket) -> Iterable[Effect]:
        """Sign the basket as painted. Nothing is sent yet: each order is checked again at its turn."""
        run = self.state.plans.open_plan(command.plan_id)
        if run is None:
            self.state.record(BasketRefused(command.plan_id, (NO_PLAN,)))
            return ()
        tried = rehearsed(self.state, self.gate, run)
        going = [t for t in tried if t.fits and t.proposal.id in run.marked]
        if refusal := self._refusal(run, going, command):
            self.state.record(BasketRefused(run.id, (refusal,)))
            return ()
        orders = tuple(t.signed() for t in going)
        ends_at = self.state.at + self._seconds("run_seconds")
        account = self.state.sightings.account
        terminal, user, turn = turn_of(self.state, command)
        self.state.record(
            BasketSigned(
                plan_id=run.id,
                digest=command.digest,
                orders=orders,
                left_out=tuple((t.proposal.id, _why_left_out(t, run)) for t in tried if t not in going),
                mandates=tuple(
                    self._mandate(run, number, order, command.digest, ends_at)
                    for number, order in enumerate(orders, start=1)
                ),
                ends_at=ends_at,
                buying_power=account.buying_power if isinstance(account, Account) else None,
                taken_back=taken_back(self.state, run, going),
                worth=command.worth,
                terminal=terminal,
                user=user,
                turn=turn,
            )
        )
        return ()

    def _refusal(self, run: BasketRun, going: list[DryRunResult], command: SignBasket) -> str | None:
        if command.came_late:
            return LATE
        if self.state.at >= run.plan.ends_at:
            return TIME_OVER
        if not going and not taken_back(self.state, run, going):
            return NONE_MARKED
        if command.digest != digest_now(self.state, run, going):
            return CHANGED
        return self._untyped(going, command.worth) if self.state.mode is Mode.LIVE else None

    def _untyped(self, going: list[DryRunResult], typed: Money | None) -> str | None:
        """Return why the typed amount does not sign entries with real money; a key alone never does (OP-05)."""
        costs = [t.cost for t in going if not t.proposal.only_reduces]
        if not costs:
            return None
        if None in costs:
            return NOT_PRICED
        worth = Money(sum((cost for cost in costs if cost is not None), ZERO))
        if typed is None:
            return NOT_TYPED
        return None if holds_as_typed(typed, worth) else f"its entries cost {worth:,.2f} USD by now; read it again"

    def _mandate(
        self, run: BasketRun, number: int, signed: SignedOrder, digest: Digest, ends_at: datetime
    ) -> StandingAuthorization:
        order = signed.proposal.order
        return StandingAuthorization(
            id=f"{run.id}-{AuthorizationKind.BASKET.value}.{number}",
            kind=AuthorizationKind.BASKET,
            ticket_id=run.id,
            ticket_digest=digest,
            parent=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            stop_price=order.stop_price,
            ends_at=ends_at,
            terms=order.terms,
        )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        run = self.state.plans.run
        if run is not None and run.is_open:
            yield run.plan.ends_at

    def due(self) -> Iterable[Effect]:
        run = self.state.plans.run
        if run is not None and run.is_open and self.state.at >= run.plan.ends_at:
            self.state.record(BasketEnded(run.id, BasketEnd.LAPSED, "its time was over before it was signed", None))
        return ()

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.state.control.settings.staging.basket, name)))


def rehearsed(state: TradingState, gate: Gate, run: BasketRun) -> list[DryRunResult]:
    """Return the dry run of each order of an open basket as it stands now.

    A marked order is tried with the effects of the marked orders before it, an unmarked one with those of every order
    before it: it shows whether it would pass if all of them were marked.
    """
    lines = [line for line in run.plan.lines if _is_still_there(state, run, line)]
    whole = dry_run(state, gate, run.plan.source).try_all(lines)
    marked = dry_run(state, gate, run.plan.source).try_all(lines, run.marked)
    return [m if m.proposal.id in run.marked else w for m, w in zip(marked, whole, strict=True)]


def dry_run(state: TradingState, gate: Gate, source: BasketSource) -> BasketDryRun:
    """Return a dry run for this source: a reversal's entry depends on its close, a flattening cancels entries."""
    return BasketDryRun(state, gate, source)


def _is_still_there(state: TradingState, run: BasketRun, line: BasketLine) -> bool:
    """Whether the proposal of the line is still active and unchanged."""
    if run.plan.source.brings_its_orders:
        return True
    waiting = state.stage.state.proposals.get(line.proposal.id)
    return waiting is not None and waiting.order == line.proposal.order


def digest_now(state: TradingState, run: BasketRun, going: Iterable[DryRunResult]) -> Digest:
    """Return the digest that `P` would sign now."""
    orders = list(going)
    digests = tuple(t.digest(state.account_name) for t in orders)
    return digest_of_basket(state.account_name, run.id, digests, taken_back(state, run, orders))


def taken_back(state: TradingState, run: BasketRun, going: Iterable[DryRunResult]) -> tuple[ClientOrderId, ...]:
    """Return the working entries that a flattening cancels first.

    A partly filled entry with legs is cancelled at the turn of the sale of its shares instead (EX-21).
    """
    if run.plan.source is not BasketSource.FLATTEN:
        return ()
    in_turn = {order_id for tried in going for order_id in tried.cancels}
    return tuple(o.id for o in working_entries(state.ledger) if o.id not in run.spared and o.id not in in_turn)


def _why_left_out(tried: DryRunResult, run: BasketRun) -> tuple[str, ...]:
    return tried.refusals if tried.proposal.id in run.marked else ("not marked",)
