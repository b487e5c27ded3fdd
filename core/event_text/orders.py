"""Render orders and the broker's activities as text."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from core import facts
from core.event_text.lines import EventTexts, command_in_words, listed, told
from core.model.account import Channel
from core.model.basket import BasketLine
from core.model.codes import EndCode, IdleCode, RefusalKind
from core.model.desk import KeyTurn
from core.model.draft import FactResult
from core.model.order import Elsewhere
from core.model.order_terms import OWED, order_in_words, purpose_in_words, with_legs_in_words
from core.model.recommendation import Recommendation, TradeIdea
from core.model.rescaling import ratio_in_words
from core.model.session import HOME
from core.model.staging import AT_THE_KEY, AuthorizationKind, StopPlan
from core.model.text_sanitizer import foreign
from core.model.values import CENT, SHORT_ID, ZERO, plain, priced
from core.risk.gate import usd

# ── proposals, tickets and baskets ───────────────────────────────────────────────────────────────────────────────────
# Render proposals, tickets, authorizations, baskets and advice as text.

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
    by = "permission" if fact.approval.authorization_id else "approval"
    return f"{by} {fact.approval.id} used for {fact.client_order_id}"


def _quote(bid: Decimal | None, ask: Decimal | None) -> str:
    return "" if bid is None or ask is None else f", quote {priced(bid)} × {priced(ask)}"


def _authorization(fact: AuthorizationFact) -> str:
    permitted = _permitted(fact.authorization_id)
    if isinstance(fact, facts.AuthorizationProlonged):
        return f"{permitted} waits for a stop in doubt, until {HOME.clock(fact.ends_at)} at the most"
    return f"{permitted} has ended: {fact.reason}"


def _permitted(authorization_id: str) -> str:
    """Return `the close that ticket 3f9a02 permits`; an id of another form stays as it is."""
    ticket, _, kind = authorization_id.rpartition("-")
    what = PERMITTED.get(kind.partition(".")[0])
    return f"permission {authorization_id}" if what is None or not ticket else f"{what} {ticket} permits"


def _released(fact: facts.ExitReleased) -> str:
    return (
        f"exit {fact.proposal_id} goes out unattended, {plain(fact.quantity)}, by {_permitted(fact.authorization_id)}"
    )


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
    facts.DraftReceived: "draft",
    facts.DraftRejected: "draft",
    facts.DraftEnded: "draft",
    facts.DraftNotStaged: "draft",
    facts.DraftDiffered: "draft",
    facts.DraftReviewed: "draft",
    facts.DaySummarised: "advice",
    facts.AgentOverstepped: CRITICAL,
}


def in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.AdviceGiven():
            idea = "" if fact.idea is None else f"; {idea_in_words(fact.idea)}"
            return f"{fact.adviser}: {foreign(fact.text)}{idea}"
        case facts.AdviserFailed():
            return f"{fact.adviser} failed: {fact.reason}; trading goes on without it"
        case facts.AdviserPaused():
            return f"{fact.adviser} is asked no more: {fact.reason}"
        case facts.AdviserOverstepped():
            return f"adviser {fact.adviser} tried to {foreign(fact.attempt)}; it was refused, nothing was done"
        case facts.RecommendationAdopted():
            told = fact.recommendation
            return f"draft {fact.number} adopted for {told.strategy} on {told.symbol}, by {HOME.told(told.expires_at)}"
        case facts.RecommendationDropped():
            return f"the draft for {fact.strategy} on {fact.symbol} is over: {fact.reason}"
        case facts.AdoptionRefused():
            return f"advice {fact.number} is not adopted: {'; '.join(fact.reasons)}"
        case facts.DraftReceived():
            draft = fact.draft
            false = sum(one.result is FactResult.DIFFERS for one in draft.facts)
            found = f"; {false} of {len(draft.facts)} facts differ" if false else ""
            return f"{draft.agent} drafts {draft.in_words}: {foreign(draft.reason)}{found}"
        case facts.DraftRejected():
            what = f" ({foreign(fact.text)})" if fact.text else ""
            return f"a draft of {fact.agent}{what} is rejected: {foreign('; '.join(fact.reasons))}"
        case facts.DraftEnded():
            by = f" by {fact.user} at {fact.terminal}" if fact.user else ""
            reason = f": {foreign(fact.reason)}" if fact.reason else ""
            return f"draft {fact.number} {fact.end.value}{by}{reason}"
        case facts.DraftNotStaged():
            return f"draft {fact.number} is not staged: {'; '.join(fact.reasons)}"
        case facts.DraftDiffered():
            stated = ", ".join(f"{one.fact.symbol} {one.fact.field}".strip() for one in fact.differing)
            return f"draft {fact.number} differs at its ticket: {stated}"
        case facts.DraftReviewed():
            stated = ", ".join(f"{one.fact.symbol} {one.fact.field}".strip() for one in fact.differing)
            return f"draft {fact.number}, ticket {fact.ticket_id}: confirmed although it differs: {stated}"
        case facts.DaySummarised():
            return f"{fact.agent} summarised {fact.day}: `keyturn report --day {fact.day}` shows it"
        case facts.AgentOverstepped():
            return f"agent {fact.agent} tried to {foreign(fact.attempt)}; it was refused, nothing was done"
    return type(fact).__name__


def idea_in_words(idea: TradeIdea | Recommendation) -> str:
    """Return `momentum: 3 SPY at 100.50, stop 100, target 102`."""
    whose = f"{idea.strategy}: " if idea.strategy else ""
    prices = f"at {priced(idea.entry)}, stop {priced(idea.stop)}, target {priced(idea.target)}"
    return f"{whose}{plain(idea.quantity)} {idea.symbol} {prices}"


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────

BookFact = facts.OrderCreated | facts.OrdersRecalled | facts.LegResized | facts.ContingentOrdersMissing
BrokersActFact = facts.OrderRestated | facts.OrderRevived | facts.OrderIdled | facts.OrderTradesAgain
StateFact = (
    facts.OrderStateChanged
    | facts.OrderStateUnknown
    | facts.OrderNotFound
    | facts.UpdateIgnored
    | facts.BrokerMessagesQuarantined
)
SendFact = facts.OrderSent | facts.SubmissionBlocked | facts.OrderKept | facts.KeptOrderReleased
WarningFact = facts.BrokerWarned | facts.WarningConfirmed
PermissionFact = facts.PermissionReturned | facts.StopAskedFor | facts.StopCut | facts.StopOwed | facts.StopInForce
CancelFact = facts.CancelRequested | facts.CancelFailed | facts.CancelDropped | facts.OtherTakenBack
FillFact = facts.OrderFilled | facts.FillReversed | facts.FillNotBelieved
PositionFact = facts.PositionChanged | facts.PositionCorrected | facts.ExitRulesChosen


def _book(fact: BookFact) -> str:
    match fact:
        case facts.OrderCreated():
            is_made = fact.role is not None and fact.order.replaces is None
            made = f", made by the broker with {fact.parent}" if is_made else ""
            if fact.role is Elsewhere.CLOSED:
                made = ", CLOSED ELSEWHERE: an external order at the broker filled"
            order = f"{with_legs_in_words(fact.order)} {purpose_in_words(fact.order)}"
            if fact.again_of is not None:
                made = f", sent again for {fact.again_of}: the broker has another order with that id"
            return f"{fact.order.client_order_id} PENDING, {order}{made}"
        case facts.OrdersRecalled():
            names = ", ".join(past.id for past in fact.orders)
            return f"{names} ended before, and the broker tells something new: taken up again as it was"
        case facts.LegResized():
            return f"{fact.client_order_id} is for {plain(fact.quantity)} by now: its pair filled in part"
        case facts.ContingentOrdersMissing():
            return f"{fact.client_order_id} has no legs at the broker: its stop is sent on its own"


def _brokers_act(fact: BrokersActFact) -> str:
    """Return `ab12 the BROKER CHANGED its stop price: 510.84 → 498.00`."""
    match fact:
        case facts.OrderRevived():
            return f"{fact.client_order_id} works at the broker again after its end: it guards its shares again"
        case facts.OrderIdled(code=IdleCode.UNFILLED):
            return f"{fact.client_order_id} has not FILLED at the market in time: it covers nothing"
        case facts.OrderIdled(code=IdleCode.LEAVING):
            return f"{fact.client_order_id} is LEAVING at the broker ({fact.word}): it covers nothing"
        case facts.OrderIdled():
            return f"{fact.client_order_id} does NOT TRADE at the broker ({fact.word}): it covers nothing"
        case facts.OrderTradesAgain():
            return f"{fact.client_order_id} can trade again ({fact.word})"
        case facts.OrderRestated():
            return f"{fact.client_order_id} the BROKER CHANGED its terms: {fact.before.in_words(fact.after)}"


def _state(fact: StateFact) -> str:
    match fact:
        case facts.OrderStateChanged():
            if fact.code is EndCode.REPLACED:
                return f"{fact.client_order_id} {fact.before.value} → {fact.reason} ({fact.source.value})"
            why = f", {fact.reason}" if fact.reason else ""
            return f"{fact.client_order_id} {fact.before.value} → {fact.after.value} ({fact.source.value}){why}"
        case facts.OrderStateUnknown():
            return f"{fact.client_order_id} in doubt: {fact.reason}; looked up, not sent again"
        case facts.OrderNotFound():
            return f"{fact.client_order_id} not found by the broker"
        case facts.UpdateIgnored():
            return f"{fact.client_order_id} update ignored: {fact.reason}"
        case facts.BrokerMessagesQuarantined(line=Channel.TRADES, count=1):
            return f"an order update that names no order: {fact.reason}; the books are compared"
        case facts.BrokerMessagesQuarantined(line=Channel.TRADES):
            return f"{fact.count} order updates that name no order, the last: {fact.reason}; the books are compared"
        case facts.BrokerMessagesQuarantined():
            return f"an answer of the broker is odd, the rest of it is used: {fact.reason}"


def _send(fact: SendFact) -> str:
    match fact:
        case facts.OrderSent():
            form = f"%H:%M:%S.{fact.sent_at.microsecond // 1000:03}"
            return f"{fact.client_order_id} was sent at {HOME.told(fact.sent_at, form)}"
        case facts.SubmissionBlocked():
            return f"{fact.client_order_id} blocked: {fact.reason}"
        case facts.OrderKept() if fact.was_refused:
            return f"{fact.client_order_id} was refused while the account was blocked: it is sent again"
        case facts.OrderKept() if fact.is_absent:
            return f"{fact.client_order_id} never arrived: it is sent again by its own permission"
        case facts.OrderKept() if fact.again_at is not None:
            again = HOME.told(fact.again_at, "%H:%M:%S")
            return f"{fact.client_order_id} the broker takes no requests for now; sent again at {again}"
        case facts.OrderKept():
            return f"{fact.client_order_id} was not sent before the desk left; the next start sends it or asks for it"
        case facts.KeptOrderReleased():
            return f"{fact.client_order_id} is sent now: the broker has not got it"


def _warning(fact: WarningFact) -> str:
    if isinstance(fact, facts.BrokerWarned):
        return f"{fact.client_order_id} the broker WARNS:" + listed(fact.warnings, " ")
    return f"{fact.client_order_id} the broker's warning was confirmed"


def _permission(fact: PermissionFact) -> str:
    match fact:
        case facts.PermissionReturned():
            return f"{fact.client_order_id} never left: the ticket permits {plain(fact.quantity)} again"
        case facts.StopAskedFor():
            return f"a stop for {plain(fact.quantity)} of {fact.client_order_id} is asked for on its own ticket"
        case facts.StopOwed():
            since = HOME.told(fact.since, "%H:%M:%S")
            return (
                f"{plain(fact.quantity)} {fact.symbol} of {fact.strategy} owed a stop since {since}: {OWED[fact.why]}"
            )
        case facts.StopInForce():
            seconds = plain(round(Decimal((fact.until - fact.since).total_seconds()), 1))
            return f"{fact.symbol} of {fact.strategy} is owed no stop any more, after {seconds} s ({OWED[fact.why]})"
        case facts.StopCut():
            return f"{fact.client_order_id} was made less; a stop for {plain(fact.owed)} of it is owed"


def _cancel(fact: CancelFact) -> str:
    match fact:
        case facts.CancelRequested():
            return f"{fact.client_order_id} cancel asked for: {fact.reason}"
        case facts.CancelFailed():
            if fact.refusal is RefusalKind.NOT_WORKING:
                return f"{fact.client_order_id} had ended before its cancel: {fact.reason}"
            return f"{fact.client_order_id} cancel failed: {fact.reason}"
        case facts.CancelDropped():
            return f"{fact.client_order_id} goes on working: {fact.reason}"
        case facts.OtherTakenBack():
            return f"{fact.order}, which is not this desk's, is taken back: {fact.reason}"


def _fill(fact: FillFact) -> str:
    if isinstance(fact, facts.FillNotBelieved):
        return f"{fact.client_order_id}: NOT COUNTED, {fact.reason}; the broker's books are asked"
    if isinstance(fact, facts.FillReversed):
        what = f"TOOK BACK {plain(fact.quantity)} {fact.symbol} of its fills"
        back = f"{fact.client_order_id}: the BROKER {what if fact.quantity else 'CORRECTED the price of its fills'}"
        trade = "" if fact.undone is None else ", its trade is open again"
        return f"{back}, {cents(fact.cost)} USD; result {signed(fact.realised)} USD{trade}"
    late, fill = ", late" if fact.is_late else "", fact.fill
    what = f"{fill.client_order_id} filled {plain(fill.quantity)} at {priced(fill.price)}"
    derived = ", derived from the broker's totals" if fill.is_derived else ""
    return f"{what} ({fact.source.value}){derived}{late}"


def _position(fact: PositionFact) -> str:
    if isinstance(fact, facts.PositionCorrected):
        return f"position corrected: {fact.reason}"
    if isinstance(fact, facts.ExitRulesChosen):
        do = "watch" if fact.is_watched else "do not watch"
        return f"the exit rules {do} {fact.symbol} of {fact.strategy}: chosen by the operator"
    average = "" if fact.average_price is None else f" at {fact.average_price:.2f} on average"
    return f"{fact.symbol} position of {fact.strategy} is {plain(fact.quantity)}{average}"


def _trade(fact: facts.TradeClosed) -> str:
    trade = fact.trade
    meant = "" if trade.meant is None else f" of an exit before, closed by {trade.meant.value}"
    what = f"{plain(trade.quantity)} from {cents(trade.entry_price)} to {cents(trade.exit_price)}"
    fees = f" after fees of {cents(trade.fees)} USD" if trade.fees else ""
    slip = trade.slippage
    filled = f"price improvement {signed(-slip)} USD" if slip < 0 else f"slippage {signed(slip)} USD"
    made = f"profit {signed(trade.profit)} USD{fees}, {filled}"
    return f"{trade.symbol} {trade.exit_reason.value}{meant}: {what}, {made}"


def cents(amount: Decimal) -> Decimal:
    """Return an amount to the cent, halves away from zero, as the desk shows it."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def signed(amount: Decimal) -> str:
    """Return an amount to the cent with its sign; one that rounds to zero has none."""
    shown = cents(amount)
    if not shown:
        return "0.00"
    return f"{'+' if shown > 0 else '−'}{abs(shown):,.2f}"


ORDERS: EventTexts = {
    **told("order", _book, BookFact),
    **told("order", _brokers_act, BrokersActFact),
    **told("order", _state, StateFact),
    **told("order", _send, SendFact),
    **told("order", _warning, WarningFact),
    **told("order", _permission, PermissionFact),
    **told("order", _cancel, CancelFact),
    **told("fill", _fill, FillFact),
    **told("position", _position, PositionFact),
    **told("trade", _trade, facts.TradeClosed),
}


ActivityFact = (
    facts.CashMoved
    | facts.SharesMoved
    | facts.CorporateActionApplied
    | facts.ActivityQuarantined
    | facts.ActivitiesCompared
)


def _activity(fact: ActivityFact) -> str:
    match fact:
        case facts.CashMoved():
            symbol = "" if fact.symbol is None else f" {fact.symbol}"
            return f"{fact.kind.value}{symbol} {fact.amount:+} USD of {fact.day} ({fact.words}; {fact.activity_id})"
        case facts.SharesMoved():
            at = "" if fact.price is None else f" at {plain(fact.price)}"
            shares = f"{fact.symbol} {plain(fact.quantity)} shares{at}"
            return f"{shares} moved on {fact.day} ({fact.words}; {fact.activity_id}); the books are compared"
        case facts.CorporateActionApplied(is_spin_off=True):
            what = f"a part of {fact.symbol} is spun off on {fact.day}: its prices of before are not those of today"
            return f"{what}; its strategies begin again"
        case facts.CorporateActionApplied(is_dividend=True) if (fact.cash or ZERO) < ZERO:
            less = f"{plain(-(fact.cash or ZERO))} USD a share less than was announced"
            return f"the special dividend of {fact.symbol} of {fact.day} is {less}: earlier prices count with it again"
        case facts.CorporateActionApplied(is_dividend=True):
            paid = f"{fact.symbol} pays a special dividend of {plain(fact.cash or ZERO)} USD a share"
            return f"{paid} to holders of before {fact.day}: earlier prices count less it"
        case facts.CorporateActionApplied(evidence=facts.ActionEvidence.ANNOUNCED, to=str()):
            return f"{fact.symbol} has the symbol {fact.to} from {fact.day} on, as announced: alerts and lists follow"
        case facts.CorporateActionApplied(evidence=facts.ActionEvidence.ANNOUNCED):
            what = f"{fact.symbol} is split {ratio_in_words(fact.ratio)} on {fact.day}, as announced"
            return f"{what}: earlier prices count per new share"
        case facts.CorporateActionApplied(to=str()):
            before, after = plain(fact.quantity_before), plain(fact.quantity_after)
            what = f"{before} {fact.symbol} became {after} {fact.to} on {fact.day}"
            beside = f", with {plain(fact.cash)} USD for each share of before" if fact.cash else ""
            return f"{what}, at the same cost{beside}{_moved_by(fact)}"
        case facts.CorporateActionApplied(is_paid_out=True):
            left = "without value" if not fact.cash else f"for {plain(fact.cash)} USD a share"
            return f"{plain(fact.quantity_before)} {fact.symbol} left {left} on {fact.day}, as announced"
        case facts.CorporateActionApplied():
            what = f"{fact.symbol} split of {fact.day}: {plain(fact.quantity_before)} became"
            return f"{what} {plain(fact.quantity_after)} at the same cost{_moved_by(fact)}"
        case facts.ActivityQuarantined():
            return f"an activity of the broker's cannot be read and counts nowhere: {fact.reason}"
        case facts.ActivitiesCompared():
            figures = f"equity {usd(fact.equity)}, cash {usd(fact.cash)}"
            words = tuple(difference.in_words for difference in fact.differences)
            if not words:
                return f"the broker's activities agree with the journal; {figures}"
            return "the broker's activities differ from the journal:" + listed(words, " ")


def _moved_by(fact: facts.CorporateActionApplied) -> str:
    if fact.owners:
        return ", by the broker's books" if fact.evidence is facts.ActionEvidence.BOOKS else ""
    if fact.ours is None or fact.ours == fact.quantity_after:
        return ", which our books had already"
    return f"; our books have {plain(fact.ours)}, which is neither"


ACTIVITIES: EventTexts = told("broker", _activity, ActivityFact)
