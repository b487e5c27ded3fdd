"""Proposals, tickets, confirmations and authorizations: what stands, what is void, what permits what."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import TypeAdapter
from syrupy.assertion import SnapshotAssertion

from core.facts import (
    ApprovalRedeemed,
    AuthorizationEnded,
    ConfirmationReceived,
    ConfirmationRefused,
    DayStarted,
    EngineStarted,
    OrderApproved,
    OrderCreated,
    ProposalEnded,
    ProposalSkipped,
    ProposalStaged,
    TicketClosed,
    TicketOpened,
)
from core.model.codes import ProposalEnd
from core.model.order import Effect, OrderRequest, Side
from core.model.signal import ExitReason
from core.model.staging import (
    MANUAL,
    Approval,
    AuthorizationKind,
    CheckResult,
    NoStop,
    Proposal,
    Review,
    ReviewFigures,
    StandingAuthorization,
    StopPlan,
    Ticket,
    Verdict,
    digest_of_ticket,
)
from core.model.values import ClientOrderId, Digest, Money, Price, ProposalId, Quantity, TicketId
from core.staging import approvals
from core.staging.stage import Stage
from core.staging.stage_state import StageState
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, NewYorkHours
from tests.unit.core.execution.books import TEN, a_request, a_stop_plan

ACCOUNT = "paper"
NOTHING_SAID = Review(())
LAPSES = TEN + timedelta(seconds=5)
CLOSES = TEN + timedelta(hours=6)


def a_proposal(
    name: str = "entry", *, strategy: str = "vwap", exit_reason: ExitReason | None = None, staged_at: datetime = TEN
) -> Proposal:
    side = Side.SELL if exit_reason else Side.BUY
    order = a_request(name, side, "10", limit=None if exit_reason else "100")
    return Proposal(
        id=ProposalId(name), strategy=strategy, order=order,
        stop=NoStop("it closes") if exit_reason else a_stop_plan("99.70"), signal_time=TEN, staged_at=staged_at,
        expires_at=None if exit_reason else TEN + timedelta(seconds=90), reason="a dip", intended_price=None,
        reference=None, exit_reason=exit_reason,
    )  # fmt: skip


def a_ticket(proposal: Proposal, name: str = "ticket") -> Ticket:
    return Ticket(
        id=TicketId(name), proposal_id=proposal.id, account=ACCOUNT, order=proposal.order, stop=proposal.stop,
        cancels=(), digest=digest_of_ticket(ACCOUNT, proposal.order, proposal.stop, ()), opened_at=TEN,
        ends_at=TEN + timedelta(seconds=60), figures=ReviewFigures(None, None, None, None), review=NOTHING_SAID,
        price_at_opening=None,
    )  # fmt: skip


def an_approval(ticket: Ticket, **changes: object) -> Approval:
    approval = Approval(str(ticket.id), ticket.id, None, ticket.order.digest(ACCOUNT), LAPSES)
    return replace(approval, **changes)  # type: ignore[arg-type]


def a_authorization(ticket: Ticket, quantity: str = "10", stop: str = "99.70") -> StandingAuthorization:
    return StandingAuthorization(
        id=f"{ticket.id}-protective_stop", kind=AuthorizationKind.PROTECTIVE_STOP, ticket_id=ticket.id,
        ticket_digest=ticket.digest, parent=ticket.order.client_order_id, symbol=SPY, side=Side.SELL,
        quantity=Quantity(Decimal(quantity)), stop_price=Price(Decimal(stop)), ends_at=CLOSES,
    )  # fmt: skip


class Stagehand:
    """A stage, and short words for what is done on it."""

    def __init__(self) -> None:
        self.stage = Stage(NewYorkHours())
        self.at = TEN

    def fold(self, fact: object) -> None:
        """Fold it; what is indexed must then equal what a restored stage reads from the state."""
        self.stage.folds[type(fact)](self.at, fact)  # type: ignore[index,operator]
        restored = Stage(self.stage.calendar)
        restored.restore(self.stage.state)
        assert restored.undecided == self.stage.undecided
        assert [restored.authorizations(kind) for kind in AuthorizationKind] == [
            self.stage.authorizations(kind) for kind in AuthorizationKind
        ]

    def stages(self, proposal: Proposal) -> Proposal:
        self.fold(ProposalStaged(proposal, NOTHING_SAID))
        return proposal

    def opens(self, proposal: Proposal, name: str = "ticket") -> Ticket:
        ticket = a_ticket(proposal, name)
        self.fold(TicketOpened(ticket))
        return ticket

    def confirms(self, proposal: Proposal | None = None, *, with_stop: bool = True) -> Ticket:
        """The whole way to a turned key."""
        proposal = proposal or self.stages(a_proposal())
        ticket = self.opens(proposal)
        authorizations = (a_authorization(ticket),) if with_stop else ()
        self.fold(ConfirmationReceived(ticket.id, ticket.digest, an_approval(ticket), authorizations))
        return ticket

    def approves(self, ticket: Ticket) -> None:
        self.fold(OrderApproved(ticket.id, str(ticket.id), NOTHING_SAID, None, None, None, None))

    def redeems(self, ticket: Ticket) -> None:
        order = ticket.order
        self.fold(ApprovalRedeemed(an_approval(ticket), order.client_order_id, order.digest(ACCOUNT), order.quantity))

    def writes(self, order: OrderRequest) -> None:
        self.fold(OrderCreated(order, ProposalId("p"), "vwap", self.at, None, None, None, None, None, None))

    def why_not(
        self, ticket: Ticket, approval: Approval | None = None, order: OrderRequest | None = None
    ) -> str | None:
        return approvals.refusal_to_redeem(
            self.stage, approval or an_approval(ticket), (order or ticket.order).digest(ACCOUNT), self.at
        )


# ── what waits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_exits_come_first_and_older_before_younger() -> None:
    """OP-06"""
    hand = Stagehand()
    hand.stages(a_proposal("young-entry", staged_at=TEN + timedelta(seconds=5)))
    hand.stages(a_proposal("old-entry"))
    hand.stages(a_proposal("exit", exit_reason=ExitReason.STOP_LOSS, staged_at=TEN + timedelta(seconds=9)))

    assert [p.id for p in hand.stage.proposals()] == ["exit", "old-entry", "young-entry"]


def test_an_entry_waits_for_its_strategy_and_symbol() -> None:
    """ST-03"""
    hand = Stagehand()
    hand.stages(a_proposal())

    assert hand.stage.entry_waits(SPY, "vwap")
    assert not hand.stage.entry_waits(IBM, "vwap")
    assert not hand.stage.entry_waits(SPY, "momentum")


@table(
    "reason is_the_strategys",
    (ExitReason.MEAN_REVERSION, True),
    (ExitReason.FORCE_FLAT, True),
    (ExitReason.MANUAL, False),
    (ExitReason.KILL, False),
)
def test_a_close_by_hand_is_left_to_the_hand(reason: ExitReason, is_the_strategys: bool) -> None:
    """OP-06, OP-07"""
    hand = Stagehand()
    hand.stages(a_proposal("exit", exit_reason=reason))

    assert (hand.stage.exit_waiting(SPY, "vwap") is not None) is is_the_strategys
    assert not hand.stage.entry_waits(SPY, "vwap")


def test_only_manual_orders_are_numbered() -> None:
    """EX-04"""
    hand = Stagehand()
    hand.stages(a_proposal("one"))
    hand.stages(a_proposal("two", strategy=MANUAL))
    hand.stages(a_proposal("three", exit_reason=ExitReason.MANUAL))
    hand.stages(a_proposal("four", exit_reason=ExitReason.STOP_LOSS))
    hand.fold(ProposalSkipped("vwap", SPY, TEN, ("killed",)))

    assert (hand.stage.state.manual_orders, hand.stage.state.skipped) == (2, 1)


def test_every_ticket_has_a_name_of_its_own() -> None:
    """OP-02"""
    hand = Stagehand()
    proposal = hand.stages(a_proposal())
    names = []
    for _ in range(3):
        names.append(hand.stage.next_ticket_id())
        hand.opens(proposal, names[-1])
        hand.fold(TicketClosed(names[-1], "put away"))

    assert len(set(names)) == 3
    assert hand.stage.state.tickets == {}


def test_an_ended_proposal_takes_its_tickets(snapshot: SnapshotAssertion) -> None:
    """OP-07"""
    hand = Stagehand()
    ticket = hand.confirms()
    was_confirming = hand.stage.is_confirming(ticket.proposal_id)

    hand.fold(ProposalEnded(ticket.proposal_id, ProposalEnd.BLOCKED, "killed by key"))

    assert was_confirming
    assert not hand.stage.is_confirming(ticket.proposal_id)
    assert hand.stage.state.tickets == hand.stage.state.proposals == hand.stage.state.authorizations == {}
    assert hand.why_not(ticket) == snapshot


def test_a_sent_proposal_keeps_its_authorization() -> None:
    """OP-02, OP-06"""
    hand = Stagehand()
    ticket = hand.confirms()
    hand.approves(ticket)

    hand.fold(ProposalEnded(ticket.proposal_id, ProposalEnd.SENT, "confirmed"))

    assert len(hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)) == 1


# ── approvals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_confirmation_permits_its_own_order() -> None:
    """OP-02"""
    hand = Stagehand()

    assert hand.why_not(hand.confirms()) is None


def test_an_approval_is_good_once(snapshot: SnapshotAssertion) -> None:
    """OP-02"""
    hand = Stagehand()
    ticket = hand.confirms()

    hand.redeems(ticket)

    assert hand.why_not(ticket) == snapshot


@table("late permits", (0, True), (0.001, False))
def test_an_approval_lapses_after_five_seconds(late: float, permits: bool) -> None:
    """OP-02"""
    hand = Stagehand()
    ticket = hand.confirms()
    hand.at = LAPSES + timedelta(seconds=late)

    assert (hand.why_not(ticket) is None) is permits


def test_an_approval_permits_no_other_order(snapshot: SnapshotAssertion) -> None:
    """OP-02"""
    hand = Stagehand()
    ticket = hand.confirms()
    more = replace(ticket.order, quantity=Quantity(Decimal(11)))

    assert hand.why_not(ticket, order=more) == snapshot


@table("forgery", {"id": "another"}, {"lapses_at": LAPSES + timedelta(hours=1)}, {"ticket_id": TicketId("nobody's")})
def test_an_unconfirmed_approval_permits_nothing(forgery: dict[str, object]) -> None:
    """OP-02"""
    hand = Stagehand()
    ticket = hand.confirms()

    assert hand.why_not(ticket, an_approval(ticket, **forgery)) is not None


def test_a_refused_confirmation_permits_nothing(snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-03"""
    hand = Stagehand()
    ticket = hand.confirms()

    hand.fold(ConfirmationRefused(ticket.id, ("spread: too wide",)))

    assert hand.why_not(ticket) == snapshot
    assert hand.stage.state.authorizations == {}
    assert hand.stage.state.refusals[ticket.id] == ("spread: too wide",)


def test_a_second_keys_refusal_changes_nothing() -> None:
    """OP-02, OP-06"""
    hand = Stagehand()
    ticket = hand.confirms()
    hand.approves(ticket)

    hand.fold(ConfirmationRefused(ticket.id, ("there is no such ticket",)))

    assert hand.why_not(ticket) is None
    assert len(hand.stage.state.authorizations) == 1


def test_a_decided_confirmation_keeps_no_review() -> None:
    """SY-05: it was shown and recorded, and it is most of what a confirmation holds"""
    hand = Stagehand()
    tickets = []
    for name in ("approved", "refused"):
        proposal = hand.stages(a_proposal(name))
        review = Review((Verdict("spread", CheckResult.PASSES, "one cent"),))
        ticket = replace(a_ticket(proposal, f"{name}-ticket"), review=review)
        hand.fold(TicketOpened(ticket))
        hand.fold(ConfirmationReceived(ticket.id, ticket.digest, an_approval(ticket), ()))
        tickets.append(ticket)
    held = [confirmation.ticket for confirmation in hand.stage.state.confirmations.values()]

    hand.approves(tickets[0])
    hand.fold(ConfirmationRefused(tickets[1].id, ("spread: too wide",)))

    assert held == tickets
    assert [c.ticket for c in hand.stage.state.confirmations.values()] == [
        replace(ticket, review=NOTHING_SAID) for ticket in tickets
    ]


def test_an_unknown_tickets_refusal_is_counted() -> None:
    """OP-02"""
    hand = Stagehand()

    hand.fold(ConfirmationRefused(TicketId("nobody's"), ("there is no such ticket",)))

    assert (hand.stage.state.refused, hand.stage.state.confirmations) == (1, {})


def test_a_restart_voids_tickets_and_keys(snapshot: SnapshotAssertion) -> None:
    """OP-02, EX-20"""
    hand = Stagehand()
    sent = hand.confirms()
    hand.approves(sent)
    hand.redeems(sent)
    waiting = hand.stages(a_proposal("second"))
    undecided = hand.opens(waiting, "second-ticket")
    hand.fold(ConfirmationReceived(undecided.id, undecided.digest, an_approval(undecided), ()))

    hand.fold(EngineStarted())

    assert hand.stage.state.tickets == {}
    assert hand.why_not(undecided) == snapshot
    assert not hand.stage.state.confirmations[sent.id].is_void
    assert set(hand.stage.state.proposals) == {"entry", "second"}
    assert len(hand.stage.state.authorizations) == 1


# ── authorizations ────────────────────────────────────────────────────────────────────────────────────────────────────


def a_stop(quantity: str = "4", **changes: object) -> OrderRequest:
    order = a_request("stop", Side.SELL, quantity, stop="99.70")
    return replace(order, **changes)  # type: ignore[arg-type]


@table(
    "order late reason",
    (a_stop("4"), 0, None),
    (a_stop("10"), 0, None),
    (a_stop("10.001"), 0, "permitted 10 more, not 10.001"),
    (a_stop(symbol=IBM), 0, "permitted another order"),
    (a_stop(side=Side.BUY), 0, "permitted another order"),
    (a_stop(stop_price=Price(Decimal("98"))), 0, "permitted another order"),
    (a_stop(), 1, "ended at"),
)
def test_an_authorization_permits_what_was_signed(order: OrderRequest, late: int, reason: str | None) -> None:
    """OP-02, OP-06"""
    hand = Stagehand()
    hand.approves(hand.confirms())
    (use,) = hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)

    permit = approvals.permit(hand.stage, use, order, ACCOUNT, CLOSES + timedelta(seconds=late))

    if reason is None:
        assert isinstance(permit, Approval)
        assert approvals.refusal_to_redeem(hand.stage, permit, order.digest(ACCOUNT), CLOSES) is None
    else:
        assert isinstance(permit, str)
        assert reason in permit


def test_releases_count_against_an_authorization(snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-06"""
    hand = Stagehand()
    hand.approves(hand.confirms())
    (use,) = hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)
    first = approvals.permit(hand.stage, use, a_stop("4"), ACCOUNT, TEN)
    assert isinstance(first, Approval)

    hand.fold(ApprovalRedeemed(first, ClientOrderId("stop"), first.order_digest, Quantity(Decimal(4))))
    hand.writes(a_stop("4"))
    second = approvals.permit(hand.stage, use, a_stop("6"), ACCOUNT, TEN)
    too_much = approvals.permit(hand.stage, use, a_stop("7"), ACCOUNT, TEN)

    assert isinstance(second, Approval)
    assert second.id != first.id
    assert too_much == snapshot


def test_an_orders_record_uses_up_its_permission() -> None:
    """OP-02, EX-20, EX-22: what was redeemed and not written down counts for nothing, whatever is written beside it"""
    hand = Stagehand()
    hand.approves(hand.confirms())
    (use,) = hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)
    first = approvals.permit(hand.stage, use, a_stop("4"), ACCOUNT, TEN)
    assert isinstance(first, Approval)

    hand.fold(ApprovalRedeemed(first, ClientOrderId("lost"), first.order_digest, Quantity(Decimal(4))))
    hand.writes(a_request("another", Side.BUY, "1"))
    whole = approvals.permit(hand.stage, use, a_stop("10"), ACCOUNT, TEN)

    assert isinstance(whole, Approval)
    assert (use.released, whole.id) == (0, f"{use.authorization.id}-2")
    hand.fold(EngineStarted())
    assert hand.stage.state.redeemed == {}


def test_a_document_of_before_is_read() -> None:
    """SP-02: of one whose permission was being used nothing is taken up"""
    state = TypeAdapter(StageState).validate_python({"redeeming": None, "used": ["a"]})

    assert (state.used, state.redeemed) == ({"a"}, {})


def test_an_ended_authorization_is_gone() -> None:
    """OP-02"""
    hand = Stagehand()
    ticket = hand.confirms()

    hand.fold(AuthorizationEnded(f"{ticket.id}-protective_stop", "closed"))
    hand.fold(AuthorizationEnded("nobody's", "closed"))

    assert hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP) == ()


def test_authorizations_are_found_by_their_parent() -> None:
    """EX-21"""
    hand = Stagehand()
    ticket = hand.confirms()

    assert len(hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, ticket.order.client_order_id)) == 1
    assert hand.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, ClientOrderId("another")) == ()
    assert hand.stage.authorizations(AuthorizationKind.CLOSE, ticket.order.client_order_id) == ()


def test_an_ended_authorization_is_forgotten() -> None:
    """OP-02, EX-22: a stop that nothing permits any more is asked for on a ticket, for a week."""
    hand = Stagehand()
    ticket = hand.confirms()
    hand.approves(ticket)
    hand.fold(ApprovalRedeemed(an_approval(ticket), ClientOrderId("x"), Digest("d"), Quantity(Decimal(1))))
    hand.fold(ConfirmationRefused(ticket.id, ("again",)))
    state = hand.stage.state
    hand.at = TEN + timedelta(days=5)
    hand.stages(a_proposal("later"))
    assert list(state.confirmations) == [ticket.id]

    hand.at = TEN + timedelta(days=8)
    hand.stages(a_proposal("much later"))

    assert (state.confirmations, state.authorizations, state.used, state.refusals) == ({}, {}, set(), {})


def test_a_lapsed_part_of_an_authorization_is_forgotten() -> None:
    """OP-02: it has no ticket to be forgotten with, and a desk that runs for months does not grow."""
    hand = Stagehand()
    hand.stage.state.used.add("less-of-an-older-journal")
    for day in range(60):
        hand.at = TEN + timedelta(days=day)
        hand.fold(DayStarted(hand.at.date(), Money(Decimal(1000))))
        lapses_at = hand.at + timedelta(days=1)
        less = Approval(f"less-{day}", TicketId(""), None, Digest("d"), lapses_at, less_of=ClientOrderId("more"))
        assert approvals.refusal_to_redeem(hand.stage, less, Digest("d"), hand.at) is None
        hand.fold(ApprovalRedeemed(less, ClientOrderId(f"o-{day}"), Digest("d"), Quantity(Decimal(1))))
        assert "was used already" in str(approvals.refusal_to_redeem(hand.stage, less, Digest("d"), hand.at))

    assert (len(hand.stage.state.less), hand.stage.state.used) == (2, set())


# ── digests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@table(
    "other",
    digest_of_ticket("live", a_request(limit="100"), a_stop_plan(), ()),
    digest_of_ticket(ACCOUNT, a_request(limit="100.01"), a_stop_plan(), ()),
    digest_of_ticket(ACCOUNT, a_request(limit="100", effect=Effect.ADD), a_stop_plan(), ()),
    digest_of_ticket(ACCOUNT, a_request(limit="100"), a_stop_plan("98"), ()),
    digest_of_ticket(ACCOUNT, a_request(limit="100"), NoStop("none"), ()),
    digest_of_ticket(ACCOUNT, a_request(limit="100"), a_stop_plan(), (ClientOrderId("stop"),)),
)
def test_whatever_is_shown_is_signed(other: Digest) -> None:
    """OP-02"""
    assert other != digest_of_ticket(ACCOUNT, a_request(limit="100"), a_stop_plan(), ())


def test_the_reason_for_a_stop_is_not_sent() -> None:
    """OP-02"""
    one = digest_of_ticket(ACCOUNT, a_request(), NoStop("it closes"), ())

    assert one == digest_of_ticket(ACCOUNT, a_request(), NoStop("none was typed"), ())
    assert isinstance(a_stop_plan(), StopPlan)
