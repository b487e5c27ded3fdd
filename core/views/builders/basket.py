"""Build the view of a basket: a dry run while it is open, the ledger while it runs and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.excess_exits import effect_now, working_entries
from core.execution.ledger_state import position_key
from core.execution.order import Order
from core.model.account import Account
from core.model.basket import BasketOrderState, BasketSource, SignedOrder
from core.model.instrument import named
from core.model.order_terms import order_in_words
from core.model.staging import Proposal, Review, StopPlan
from core.model.values import ZERO, Money, ProposalId, Quantity, plain
from core.risk.gate import Gate
from core.staging.baskets import BasketRun
from core.trading_state.state import TradingState
from core.views import BasketRowView, BasketView
from core.views.builders.displaced_orders import (
    cancelled_in_words,
    lost_in_words,
    orders_in_the_way,
    put_back_in_words,
    quantity_after,
)
from core.workflows.baskets.basket_dry_run import DryRunResult
from core.workflows.baskets.baskets import digest_now, rehearsed, taken_back
from core.workflows.orders.request_room import held_exits

TAKEN_BACK = "it works and could open: it is cancelled before anything is sold"
TAKEN_BACK_ALREADY = "it is being cancelled already"
TRIED_ANEW = timedelta(milliseconds=500)
"""Maximum age of a dry run while nothing is recorded: each one copies the ledger."""


class BasketViewBuilder:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate
        self._tried: tuple[int, datetime, list[DryRunResult]] | None = None

    def draw(self, at: datetime) -> BasketView | None:
        run = self.state.plans.run
        if run is None:
            return None
        return self._open(run, at) if run.is_open else self._signed(run)

    def _open(self, run: BasketRun, at: datetime) -> BasketView:
        tried = self._rehearsed(run, at)
        going = [t for t in tried if t.fits and t.proposal.id in run.marked]
        account = self.state.sightings.account
        entries = taken_back(self.state, run, going)
        return self._view(
            run,
            (*self._entry_rows(run), *(self._tried_row(t, run) for t in tried)),
            power_now=account.buying_power if isinstance(account, Account) else None,
            digest=digest_now(self.state, run, going) if going or entries else None,
            left=self._left(run, going),
        )

    def _entry_rows(self, run: BasketRun) -> Iterator[BasketRowView]:
        """Yield the working entries that a flattening cancels first."""
        if run.plan.source is BasketSource.FLATTEN:
            for order in working_entries(self.state.ledger):
                yield self._entry_row(order, is_marked=order.id not in run.spared, standing=None)

    def _entry_row(self, order: Order, *, is_marked: bool, standing: BasketOrderState | None) -> BasketRowView:
        request = order.request
        return BasketRowView(
            proposal_id=ProposalId(order.id),
            strategy=order.strategy,
            symbol=request.symbol,
            side=request.side,
            effect=effect_now(self.state.ledger, order),
            quantity=request.quantity,
            type=request.type,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            trigger_price=request.stop_price,
            trail=(request.trail_price, request.trail_fraction),
            is_marked=is_marked,
            cost=None,
            power_after=None,
            refusals=(),
            warnings=(),
            reason=TAKEN_BACK_ALREADY if order.is_cancelling else TAKEN_BACK,
            standing=standing,
            status=order.status,
            filled=order.filled_quantity,
            average=order.average_price,
            is_taken_back=True,
        )

    def _left(self, run: BasketRun, going: list[DryRunResult]) -> tuple[str, ...]:
        """Return the remains of a flattening: positions not fully closed by it, and spared entries."""
        if run.plan.source is not BasketSource.FLATTEN:
            return ()
        closed: dict[str, Decimal] = {}
        for tried in going:
            key = position_key(tried.proposal.symbol, tried.proposal.strategy)
            closed[key] = closed.get(key, ZERO) + tried.proposal.order.quantity
        held = {position_key(p.symbol, p.strategy): p for p in self.state.ledger.positions()}
        left = {key: abs(p.quantity) - closed.get(key, ZERO) for key, p in held.items()}
        positions = [f"{plain(shares)} {held[key].symbol}" for key, shares in left.items() if shares > 0]
        spared = [o for o in working_entries(self.state.ledger) if o.id in run.spared]
        return (*positions, *(f"the entry {order_in_words(o.request)}" for o in spared))

    def _rehearsed(self, run: BasketRun, at: datetime) -> list[DryRunResult]:
        sequence = self.state.journal.sequence
        if self._tried is not None and self._tried[0] == sequence and at - self._tried[1] < TRIED_ANEW:
            return self._tried[2]
        tried = rehearsed(self.state, self.gate, run)
        self._tried = (sequence, at, tried)
        return tried

    def _signed(self, run: BasketRun) -> BasketView:
        signed = {order.proposal.id for order in run.orders}
        left = [line.proposal for line in run.plan.lines if line.proposal.id not in signed]
        entries = [order for order_id in run.taken_back if (order := self.state.ledger.order(order_id)) is not None]
        rows = (
            *(self._entry_row(o, is_marked=True, standing=self.state.plans.standings.of_entry(o.id)) for o in entries),
            *(self._signed_row(run, order) for order in run.orders),
            *(_left_row(proposal, run.left_out.get(proposal.id, ()), run) for proposal in left),
        )
        return self._view(run, rows, power_now=run.power_before, digest=None)

    def _signed_row(self, run: BasketRun, signed: SignedOrder) -> BasketRowView:
        proposal = signed.proposal
        order = self.state.ledger.order(signed.order_id)
        price = signed.price
        return _row(
            proposal,
            signed.review,
            is_marked=True,
            cost=proposal.order.cost(price) if price is not None else None,
            power_after=run.powers.get(proposal.id, signed.power_after),
            refusals=run.refusals.get(proposal.id, ()),
            standing=self.state.plans.standings.of(run, signed),
            status=order.status if order is not None else None,
            filled=order.filled_quantity if order is not None else None,
            average=order.average_price if order is not None else None,
            expected=price,
            exit_waits_since=next((h.since for h in held_exits(self.state) if h.proposal.id == proposal.id), None),
        )

    def _tried_row(self, tried: DryRunResult, run: BasketRun) -> BasketRowView:
        proposal = tried.proposal
        in_the_way = orders_in_the_way(self.state, tried.cancels)
        left = Quantity(abs(quantity_after(self.state, proposal.order, proposal.strategy)))
        return _row(
            proposal,
            tried.review,
            is_marked=proposal.id in run.marked,
            cost=tried.cost,
            power_after=tried.power_after,
            refusals=tried.refusals,
            cancels=cancelled_in_words(in_the_way),
            put_back=put_back_in_words(self.state, in_the_way, left),
            lost=lost_in_words(in_the_way),
            left=left,
            worst_loss=tried.worst_loss,
            expected=tried.price,
        )

    def _view(
        self,
        run: BasketRun,
        rows: tuple[BasketRowView, ...],
        *,
        power_now: Money | None,
        digest: object,
        left: tuple[str, ...] = (),
    ) -> BasketView:
        plan = run.plan
        return BasketView(
            id=run.id,
            source=plan.source,
            name=plan.name,
            phase=run.phase,
            phase_since=run.phase_since or plan.opened_at,
            phase_reason=run.phase_reason,
            ends_at=plan.ends_at,
            permitted_until=run.permitted_until,
            digest=digest,  # type: ignore[arg-type]
            rows=rows,
            skipped=plan.skipped,
            power_now=power_now,
            hold=self.state.desks.hold,
            events=tuple(run.events),
            refused_because=run.refused_because,
            end=run.end,
            end_reason=self.state.plans.standings.in_sum(run) if run.report is not None else run.end_reason,
            report=run.report,
            left=left,
        )


def _left_row(proposal: Proposal, reasons: tuple[str, ...], run: BasketRun) -> BasketRowView:
    """Return the row of an order that was not signed."""
    is_marked = proposal.id in run.marked
    return _row(proposal, Review(()), is_marked=is_marked, cost=None, power_after=None, refusals=reasons)


def _row(proposal: Proposal, review: Review, **figures: object) -> BasketRowView:
    order = proposal.order
    return BasketRowView(
        proposal_id=proposal.id,
        strategy=proposal.strategy,
        symbol=order.symbol,
        side=order.side,
        effect=order.effect,
        quantity=order.quantity,
        type=order.type,
        limit_price=order.limit_price,
        stop_price=proposal.stop.price if isinstance(proposal.stop, StopPlan) else order.stop_price,
        stop_holder=proposal.stop.holder if isinstance(proposal.stop, StopPlan) else None,
        warnings=tuple(f"{v.check}: {v.reason}" for v in review.warnings),
        reason=proposal.reason,
        trigger_price=None if proposal.only_reduces else order.stop_price,
        trail=(order.trail_price, order.trail_fraction),
        trails_behind=proposal.stop.behind if isinstance(proposal.stop, StopPlan) else None,
        traded=named(order.instrument),
        **figures,  # type: ignore[arg-type]
    )
