"""Render proposals, tickets, authorizations, baskets and advice as text."""

from __future__ import annotations

from decimal import Decimal

from core import facts
from core.event_text.lines import EventTexts, command_in_words, listed, told
from core.model.basket import BasketLine
from core.model.desk import KeyTurn
from core.model.order_terms import order_in_words, purpose_in_words
from core.model.recommendation import TradeIdea
from core.model.session import HOME
from core.model.staging import AT_THE_KEY, AuthorizationKind, StopPlan
from core.model.values import SHORT_ID, plain, priced

ProposalFact = (
    facts.ProposalStaged | facts.ProposalSkipped | facts.ProposalEdited | facts.EditRefused | facts.ProposalEnded
)
TicketFact = (
    facts.TicketOpened
    | facts.TicketClosed
    | facts.ConfirmationReceived
    | facts.TwinConfirmed
    | facts.ConfirmationRefused
)
ApprovalFact = facts.OrderApproved | facts.ApprovalRedeemed
AuthorizationFact = facts.AuthorizationProlonged | facts.AuthorizationEnded
DraftFact = facts.BasketOpened | facts.BasketMarked | facts.BasketSigned | facts.BasketRefused
TurnFact = facts.BasketTurnBegun | facts.BasketOrderSkipped | facts.BasketPhaseChanged | facts.BasketEnded
PERMITTED = {
    AuthorizationKind.PROTECTIVE_STOP.value: "the stop that ticket",
    AuthorizationKind.CLOSE.value: "the close that ticket",
    AuthorizationKind.RESTORE_STOP.value: "the stop put back that ticket",
    AuthorizationKind.EXITS.value: "the exits that ticket",
    AuthorizationKind.BASKET.value: "the order that basket",
}
"""Text by the end of an authorization's id, which begins with the id of its ticket or basket."""


def _proposal(fact: ProposalFact) -> str:
    match fact:
        case facts.ProposalStaged():
            proposal, order = fact.proposal, fact.proposal.order
            return f"{proposal.strategy}: {order_in_words(order)} {purpose_in_words(order)}, {proposal.reason}"
        case facts.ProposalSkipped():
            return f"{fact.strategy}: {fact.symbol} not staged:" + listed(fact.reasons, " ")
        case facts.ProposalEdited():
            return f"proposal {fact.proposal.id} is now {order_in_words(fact.proposal.order)}"
        case facts.EditRefused():
            return f"proposal {fact.proposal_id} not edited:" + listed(fact.reasons, " ")
        case facts.ProposalEnded():
            return f"proposal {fact.proposal_id} {fact.end.with_reason(fact.reason)}"


def _ticket(fact: TicketFact) -> str:
    match fact:
        case facts.TicketOpened():
            ticket, review = fact.ticket, fact.ticket.review
            stop = f", stop {_stop(ticket.stop)}" if isinstance(ticket.stop, StopPlan) else ""
            return (
                f"ticket {ticket.id}: {order_in_words(ticket.order)} {purpose_in_words(ticket.order)}{stop}; "
                f"{len(review.verdicts) - len(review.warnings) - len(review.refusals)} checks pass, "
                f"{len(review.warnings)} warn, {len(review.refusals)} refuse; digest {ticket.digest[:16]}"
            )
        case facts.TicketClosed():
            return f"ticket {fact.ticket_id} closed: {fact.reason}"
        case facts.ConfirmationReceived():
            return f"ticket {fact.ticket_id} confirmed{_turned(fact.turn)}, digest {fact.digest[:16]}"
        case facts.TwinConfirmed():
            return f"ticket {fact.ticket_id}: TWIN was typed, it is like {fact.like[:SHORT_ID]}"
        case facts.ConfirmationRefused():
            return f"ticket {fact.ticket_id} refused:" + listed(fact.reasons, " ")


def _turned(turn: KeyTurn | None) -> str:
    return "" if turn is None else f" at desk {turn.desk}, hold {turn.hold}"


def _stop(stop: StopPlan) -> str:
    return priced(stop.price) if stop.behind is None else f"{priced(stop.behind)} behind its fill"


def _command(fact: facts.CommandRefused) -> str:
    of = "" if fact.desk is None else f"desk {fact.desk}: "
    return f"{of}{command_in_words(fact.command)} refused: {fact.reason}"


def _approval(fact: ApprovalFact) -> str:
    if isinstance(fact, facts.OrderApproved):
        is_fresh = fact.equity is not None or fact.bid is not None
        figures = "on fresh figures" if is_fresh else "without fresh figures: the broker gave none in time"
        warned = tuple(f"{v.check}: {v.reason}" for v in fact.review.warnings if v.check in AT_THE_KEY)
        return f"ticket {fact.ticket_id} approved {figures}{_quote(fact.bid, fact.ask)}{listed(warned, '; warns: ')}"
    old = fact.approval.less_of
    if old is not None:
        return f"what was signed with {old} permits {plain(fact.quantity)} of it, used for {fact.client_order_id}"
    by = "permission" if fact.approval.mandate_id else "approval"
    return f"{by} {fact.approval.id} used for {fact.client_order_id}"


def _quote(bid: Decimal | None, ask: Decimal | None) -> str:
    return "" if bid is None or ask is None else f", quote {priced(bid)} × {priced(ask)}"


def _authorization(fact: AuthorizationFact) -> str:
    if isinstance(fact, facts.AuthorizationProlonged):
        return f"{_permitted(fact.mandate_id)} waits for a stop in doubt, until {HOME.clock(fact.ends_at)} at the most"
    return f"{_permitted(fact.mandate_id)} has ended: {fact.reason}"


def _permitted(mandate_id: str) -> str:
    """Return `the close that ticket 3f9a02 permits`; an id of another form stays as it is."""
    ticket, _, kind = mandate_id.rpartition("-")
    what = PERMITTED.get(kind.partition(".")[0])
    return f"permission {mandate_id}" if what is None or not ticket else f"{what} {ticket} permits"


def _released(fact: facts.ExitReleased) -> str:
    return f"exit {fact.proposal_id} goes out unattended, {plain(fact.quantity)}, by {_permitted(fact.mandate_id)}"


def _draft(fact: DraftFact) -> str:
    match fact:
        case facts.BasketOpened():
            plan = fact.plan
            left = "; ".join(f"{row.place}: {row.reason}" for row in plan.skipped)
            out = f"; left out: {left}" if left else ""
            name = f"{plan.source.value} {plan.name}".strip()
            against = "; ".join(words for line in plan.lines if (words := _against(line)))
            skipped = f"; rejected: {against}" if against else ""
            return f"basket {plan.id} opened of {name}: {len(plan.lines)} orders{out}{skipped}"
        case facts.BasketMarked():
            return f"basket {fact.plan_id}: proposal {fact.proposal_id} {'marked' if fact.is_marked else 'not marked'}"
        case facts.BasketSigned():
            left = "; ".join(f"{proposal} left out: {'; '.join(reasons)}" for proposal, reasons in fact.left_out)
            out = f"; {left}" if left else ""
            entries = f"{len(fact.taken_back)} entries taken back, " if fact.taken_back else ""
            signed = f"SIGNED{_turned(fact.turn)}, {entries}{len(fact.orders)} orders, digest {fact.digest[:16]}"
            return f"basket {fact.plan_id} {signed}{out}"
        case facts.BasketRefused():
            name = f" {fact.name}" if fact.name else ""
            return f"basket{name} not opened or signed:" + listed(fact.reasons, " ")


def _against(line: BasketLine) -> str:
    """Return `BUY 120 GGG market (buying power: …)`; empty if the dry run refused nothing."""
    return f"{order_in_words(line.proposal.order)} ({'; '.join(line.refusals)})" if line.refusals else ""


def _turn(fact: TurnFact) -> str:
    match fact:
        case facts.BasketTurnBegun():
            return f"basket {fact.plan_id}: the turn of proposal {fact.proposal_id}, ticket {fact.ticket_id}"
        case facts.BasketOrderSkipped():
            return f"basket {fact.plan_id}: proposal {fact.proposal_id} not sent:" + listed(fact.reasons, " ")
        case facts.BasketPhaseChanged():
            return f"basket {fact.plan_id} {fact.phase.value}: {fact.reason}"
        case facts.BasketEnded():
            return f"basket {fact.plan_id} {fact.end.value}: {fact.reason}"


STAGING: EventTexts = {
    **told("proposal", _proposal, ProposalFact),
    **told("ticket", _ticket, TicketFact),
    **told("CRITICAL", _command, facts.CommandRefused),
    **told("ticket", _approval, ApprovalFact),
    **told("ticket", _authorization, AuthorizationFact),
    **told("desk", _released, facts.ExitReleased),
    **told("basket", _draft, DraftFact),
    **told("basket", _turn, TurnFact),
}


CRITICAL = "CRITICAL"
"""The log's word for an adviser's attempt to trade."""

KINDS: dict[type, str] = {
    facts.AdviceGiven: "advice",
    facts.AdviserFailed: "adviser",
    facts.AdviserPaused: "adviser",
    facts.AdviserOverstepped: CRITICAL,
    facts.RecommendationAdopted: "advice",
    facts.RecommendationDropped: "advice",
    facts.AdoptionRefused: "advice",
}


def in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.AdviceGiven():
            idea = "" if fact.idea is None else f"; {idea_in_words(fact.idea)}"
            return f"{fact.adviser}: {fact.text}{idea}"
        case facts.AdviserFailed():
            return f"{fact.adviser} failed: {fact.reason}; trading goes on without it"
        case facts.AdviserPaused():
            return f"{fact.adviser} is asked no more: {fact.reason}"
        case facts.AdviserOverstepped():
            return f"adviser {fact.adviser} tried to {fact.attempt}; it was refused, nothing was done"
        case facts.RecommendationAdopted():
            told = fact.recommendation
            return f"advice {fact.number} adopted for {told.strategy} on {told.symbol}, by {HOME.told(told.expires_at)}"
        case facts.RecommendationDropped():
            return f"the advice for {fact.strategy} on {fact.symbol} is over: {fact.reason}"
        case facts.AdoptionRefused():
            return f"advice {fact.number} is not adopted: {'; '.join(fact.reasons)}"
    return type(fact).__name__


def idea_in_words(idea: TradeIdea) -> str:
    """Return `momentum: 3 SPY at 100.50, stop 100, target 102`."""
    whose = f"{idea.strategy}: " if idea.strategy else ""
    prices = f"at {priced(idea.entry)}, stop {priced(idea.stop)}, target {priced(idea.target)}"
    return f"{whose}{plain(idea.quantity)} {idea.symbol} {prices}"
