"""Extract the chain of one order from the journal, from the bar to the end of its trade (`journal why`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core import facts
from core.model.signal import EntrySignal, ExitSignal
from core.model.staging import Proposal
from core.ports import OperatorError, Recorded


def chain_of(order_id: str, records: Iterable[Recorded]) -> Iterator[Recorded]:
    """Yield every record of an order, in order; a unique beginning of its id suffices.

    Raises
    ------
    OperatorError
        No order, or more than one, has this id.
    """
    journal = list(records)
    orders = {r.fact.order.client_order_id: r.fact for r in journal if isinstance(r.fact, facts.OrderCreated)}
    proposals = {r.fact.proposal.id for r in journal if isinstance(r.fact, facts.ProposalStaged)}
    found = sorted(i for i in {*orders, *proposals} if order_id and i.startswith(order_id))
    if len(found) != 1:
        what = "no order" if not found else f"{len(found)} orders"
        raise OperatorError(f"{what} with an id that begins with {order_id!r}; `keyturn journal tail` shows them")
    created = orders.get(found[0])  # type: ignore[call-overload]
    proposal = created.proposal_id if created else found[0]
    kin = (created.parent, created.order.replaces) if created else ()
    wanted = {found[0], *(str(order) for order in kin if order)}
    yield from _chain(journal, wanted, str(proposal))


def _chain(journal: list[Recorded], wanted: set[str], proposal_id: str) -> Iterator[Recorded]:
    staged = next(
        (r for r in journal if isinstance(r.fact, facts.ProposalStaged) and r.fact.proposal.id == proposal_id), None
    )
    tickets = {
        r.fact.ticket.id
        for r in journal
        if isinstance(r.fact, facts.TicketOpened) and r.fact.ticket.proposal_id == proposal_id
    }
    proposal = staged.fact.proposal if staged and isinstance(staged.fact, facts.ProposalStaged) else None
    subjects = {*wanted, *tickets, proposal_id}
    after_fill = False
    for record in journal:
        fact = record.fact
        if isinstance(fact, facts.BarClosed):
            if proposal is not None and (fact.bar.symbol, fact.bar.start) == (proposal.symbol, proposal.signal_time):
                yield record
            continue
        if isinstance(fact, facts.SignalRaised):
            if proposal is not None and _is_made_of(proposal, fact.signal):
                yield record
            continue
        belongs = subject_of(fact) in subjects or _is_signed_by(fact, proposal_id)
        follows = after_fill and isinstance(fact, facts.PositionChanged | facts.TradeClosed)
        if isinstance(fact, facts.TradeClosed):
            follows = follows or bool({fact.trade.entry_order, fact.trade.exit_order} & wanted)
        if belongs or follows:
            yield record
        if not isinstance(fact, facts.OrderStateChanged):
            after_fill = (belongs and isinstance(fact, facts.OrderFilled)) or (
                follows and isinstance(fact, facts.PositionChanged)
            )


def _is_made_of(proposal: Proposal, signal: EntrySignal | ExitSignal) -> bool:
    said = (signal.strategy, signal.symbol, signal.bar_start)
    is_exit = isinstance(signal, ExitSignal)
    return said == (proposal.strategy, proposal.symbol, proposal.signal_time) and is_exit == bool(proposal.exit_reason)


def _is_signed_by(fact: facts.Fact, proposal_id: str) -> bool:
    """Whether this is the signing of the basket that contained it (OP-05)."""
    return isinstance(fact, facts.BasketSigned) and any(order.proposal.id == proposal_id for order in fact.orders)


def subject_of(fact: facts.Fact) -> str | None:
    """Return the subject of a fact: an order, a ticket or a proposal."""
    match fact:
        case facts.ProposalStaged() | facts.ProposalEdited():
            return fact.proposal.id
        case (
            facts.ProposalEnded()
            | facts.EditRefused()
            | facts.ExitReleased()
            | facts.BasketTurnBegun()
            | facts.BasketOrderSkipped()
        ):
            return fact.proposal_id
        case facts.TicketOpened():
            return fact.ticket.id
        case facts.TicketClosed() | facts.ConfirmationReceived() | facts.ConfirmationRefused() | facts.OrderApproved():
            return fact.ticket_id
        case facts.AuthorizationEnded() | facts.AuthorizationProlonged():
            return fact.authorization_id.partition("-")[0]
        case facts.ApprovalRedeemed():
            return fact.client_order_id
        case facts.OrderCreated():
            return fact.order.client_order_id
        case facts.OrderFilled():
            return fact.fill.client_order_id
        case (
            facts.OrderStateChanged()
            | facts.OrderStateUnknown()
            | facts.OrderNotFound()
            | facts.SubmissionBlocked()
            | facts.OrderKept()
            | facts.KeptOrderReleased()
            | facts.PermissionReturned()
            | facts.StopAskedFor()
            | facts.StopCut()
            | facts.OrderSent()
            | facts.BrokerWarned()
            | facts.WarningConfirmed()
            | facts.CancelRequested()
            | facts.CancelDropped()
            | facts.CancelFailed()
            | facts.UpdateIgnored()
            | facts.FillNotBelieved()
            | facts.FillReversed()
            | facts.LegResized()
            | facts.OrderRestated()
            | facts.OrderRevived()
            | facts.OrderIdled()
            | facts.OrderTradesAgain()
            | facts.ContingentOrdersMissing()
        ):
            return fact.client_order_id
    return None
