"""The picture of a plan: tried anew while it waits for its key, by the books while it runs and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.desk import Desk
from core.model.account import Account
from core.model.plan import SignedOrder
from core.model.staging import Proposal, Review, StopPlan
from core.model.values import Money, Quantity
from core.pictures.making_way import (
    cancelled_in_words,
    lost_in_words,
    orders_in_the_way,
    put_back_in_words,
    quantity_after,
)
from core.risk.gate import Gate
from core.staging.plans import PlanRun
from core.views import PlanRowView, PlanView
from core.workflows.confirming import worst_loss_of
from core.workflows.planning import digest_now, rehearsed
from core.workflows.rehearsing import Rehearsed

TRIED_ANEW = timedelta(milliseconds=500)
"""How long a dry run may be shown while nothing is recorded: each copies the books."""


class PlanPicture:
    def __init__(self, desk: Desk, gate: Gate) -> None:
        self.desk = desk
        self.gate = gate
        self._tried: tuple[int, datetime, list[Rehearsed]] | None = None

    def draw(self, at: datetime) -> PlanView | None:
        run = self.desk.plans.run
        if run is None:
            return None
        return self._open(run, at) if run.is_open else self._signed(run)

    def _open(self, run: PlanRun, at: datetime) -> PlanView:
        tried = self._rehearsed(run, at)
        going = [t for t in tried if t.fits and t.proposal.id in run.marked]
        account = self.desk.account
        return self._view(
            run,
            tuple(self._tried_row(t, run) for t in tried),
            power_now=account.buying_power if isinstance(account, Account) else None,
            digest=digest_now(self.desk, run, going) if going else None,
        )

    def _rehearsed(self, run: PlanRun, at: datetime) -> list[Rehearsed]:
        sequence = self.desk.journal.sequence
        if self._tried is not None and self._tried[0] == sequence and at - self._tried[1] < TRIED_ANEW:
            return self._tried[2]
        tried = rehearsed(self.desk, self.gate, run)
        self._tried = (sequence, at, tried)
        return tried

    def _signed(self, run: PlanRun) -> PlanView:
        signed = {order.proposal.id for order in run.orders}
        left = [line.proposal for line in run.plan.lines if line.proposal.id not in signed]
        rows = (
            *(self._signed_row(run, order) for order in run.orders),
            *(_left_row(proposal, run.left_out.get(proposal.id, ()), run) for proposal in left),
        )
        return self._view(run, rows, power_now=run.power_before, digest=None)

    def _signed_row(self, run: PlanRun, signed: SignedOrder) -> PlanRowView:
        proposal = signed.proposal
        order = self.desk.ledger.order(signed.order_id)
        price = signed.price
        return _row(
            proposal,
            signed.review,
            is_marked=True,
            cost=Money(price * proposal.order.quantity) if price is not None else None,
            power_after=run.powers.get(proposal.id, signed.power_after),
            refusals=run.refusals.get(proposal.id, ()),
            standing=self.desk.plans.standing(run, signed),
            status=order.status if order is not None else None,
            filled=order.filled_quantity if order is not None else None,
            average=order.average_price if order is not None else None,
            expected=price,
        )

    def _tried_row(self, tried: Rehearsed, run: PlanRun) -> PlanRowView:
        proposal = tried.proposal
        in_the_way = orders_in_the_way(self.desk, tried.cancels)
        left = Quantity(abs(quantity_after(self.desk, proposal.order, proposal.strategy)))
        return _row(
            proposal,
            tried.review,
            is_marked=proposal.id in run.marked,
            cost=tried.cost,
            power_after=tried.power_after,
            refusals=tried.refusals,
            cancels=cancelled_in_words(in_the_way),
            put_back=put_back_in_words(self.desk, in_the_way, left),
            lost=lost_in_words(in_the_way),
            left=left,
            worst_loss=None if proposal.only_reduces else worst_loss_of(proposal, tried.price),
            expected=tried.price,
        )

    def _view(
        self, run: PlanRun, rows: tuple[PlanRowView, ...], *, power_now: Money | None, digest: object
    ) -> PlanView:
        plan = run.plan
        return PlanView(
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
            events=tuple(run.events),
            refused_because=run.refused_because,
            end=run.end,
            end_reason=self.desk.plans.in_sum(run) if run.report is not None else run.end_reason,
            report=run.report,
        )


def _left_row(proposal: Proposal, reasons: tuple[str, ...], run: PlanRun) -> PlanRowView:
    """What was not signed."""
    is_marked = proposal.id in run.marked
    return _row(proposal, Review(()), is_marked=is_marked, cost=None, power_after=None, refusals=reasons)


def _row(proposal: Proposal, review: Review, **figures: object) -> PlanRowView:
    order = proposal.order
    return PlanRowView(
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
        **figures,  # type: ignore[arg-type]
    )
