"""Dry run of a basket: every order against every check, with the effects of the orders before it (OP-05).

It works on a copy of the ledger. A sale frees its value and a position slot; a buy reserves its cost like a working
order. Nothing is recorded and the desk's state does not change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import replace
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.execution.order import nearest_first
from core.facts import OrderCreated
from core.model.account import Account, NoAccount
from core.model.bar import Feed, NoQuote, Quote
from core.model.basket import BasketLine, BasketSource, SignedOrder
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus, Side
from core.model.position import moved
from core.model.staging import Proposal, Review, StopPlan
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Digest, Money, Price, ProposalId, Quantity, Symbol, plain
from core.risk.checks.funds import free_for
from core.risk.gate import Gate, ReviewContext
from core.risk.margin import Unknown, requirement_of
from core.risk.recent_entries import TWIN
from core.trading_state.state import TradingState
from core.workflows.draft_review import refusal_of_facts
from core.workflows.staging.proposal_intake import candidate_of, left_to_close
from core.workflows.staging.ticket_checks import holds_its_shares, in_the_way, touch_of, worst_loss_of

NOT_FLAT = "the other way begins where nothing of it is held: its close is not marked, or not filled"
TWICE = "the basket has an order for this position before it; one order a position and basket"


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The dry run's result for one order.

    Attributes
    ----------
    refusals
        Reasons against it, with figures; empty if it passes.
    price
        The price at which it would trade now, or its limit, USD; None if neither is known.
    cost
        Its cost, or the amount that a reducing order frees, USD.
    worst_loss
        The loss of an entry at its stop, USD; None without a stop or price, or if the order only reduces.
    power_after
        Buying power after it, USD; for an order that is refused, the buying power without it.
    """

    line: BasketLine
    cancels: tuple[ClientOrderId, ...]
    review: Review
    refusals: tuple[str, ...]
    price: Price | None
    touch: Price | None
    cost: Money | None
    worst_loss: Money | None
    power_after: Money | None

    @property
    def proposal(self) -> Proposal:
        return self.line.proposal

    @property
    def fits(self) -> bool:
        return not self.refusals

    def signed(self) -> SignedOrder:
        return SignedOrder(self.proposal, self.cancels, self.review, self.price, self.touch, self.power_after)

    def digest(self, account: str) -> Digest:
        return self.signed().digest(account)


class BasketDryRun:
    """One dry run: the ledger as it would be after the orders tried so far.

    In a reversal the entry takes the position slot that the first order left, and no other. A flattening cancels
    entries before its sales, so they do not block a sale.
    """

    def __init__(self, state: TradingState, gate: Gate, source: BasketSource = BasketSource.FILE) -> None:
        self.is_reversal = source is BasketSource.REVERSAL
        self.is_flattening = source is BasketSource.FLATTEN
        self.in_the_way = holds_its_shares if source is BasketSource.FLATTEN else in_the_way
        self.state = state
        self.gate = gate
        self.ledger = copied(state.ledger)
        self.account = state.sightings.account
        self._places: set[str] = set()

    def try_all(self, lines: Sequence[BasketLine], taken: Collection[ProposalId] | None = None) -> list[DryRunResult]:
        """Try each order in turn. Only orders in `taken` affect later ones; None means all of them."""
        found = []
        for line in lines:
            tried = self.attempt(line)
            found.append(tried)
            if tried.fits and (taken is None or line.proposal.id in taken):
                found[-1] = self._take(tried)
        return found

    def attempt(self, line: BasketLine) -> DryRunResult:
        """Run every check on the order as things stand, without applying its effect."""
        proposal = line.proposal
        context = self._context(proposal)
        review = self.gate.review(candidate_of(proposal), context)
        refusals = (*self._refusals(proposal), *(f"{v.check}: {v.reason}" for v in review.refusals), *_twins(review))
        price = candidate_of(proposal).price(context.quote)
        touch = touch_of(proposal.order.side, context)
        cost = proposal.order.cost(price) if price is not None else None
        lost = None if proposal.only_reduces else worst_loss_of(proposal, context)
        cancels = self.in_the_way(self.state, proposal)
        return DryRunResult(line, cancels, review, refusals, price, touch, cost, lost, self.power())

    def power(self) -> Money | None:
        """Return the buying power that an order may still use, USD."""
        return Money(free_for(None, self.ledger, self.account)) if isinstance(self.account, Account) else None

    # ── the effect of an order ───────────────────────────────────────────────────────────────────────────────────

    def _take(self, tried: DryRunResult) -> DryRunResult:
        """Apply the order: an exit as if it were filled, an entry as if it were working."""
        proposal = tried.proposal
        self._places.add(position_key(proposal.symbol, proposal.strategy))
        if proposal.only_reduces:
            self._leave(proposal, tried.cancels, tried.price)
        else:
            self._enter(proposal, tried.price)
        return replace(tried, power_after=self.power())

    def _enter(self, proposal: Proposal, price: Price | None) -> None:
        created = OrderCreated(
            order=proposal.order,
            proposal_id=proposal.id,
            strategy=proposal.strategy,
            signal_time=proposal.signal_time,
            stop=proposal.stop if isinstance(proposal.stop, StopPlan) else None,
            parent=None,
            exit_reason=None,
            intended_price=proposal.intended_price or price,
            reference=proposal.reference,
            expires_at=None,
            counted_at=price,
        )
        self.ledger.folds[OrderCreated](self.state.at, created)

    def _leave(self, proposal: Proposal, cancels: tuple[ClientOrderId, ...], price: Price | None) -> None:
        key, order = position_key(proposal.symbol, proposal.strategy), proposal.order
        held = self.ledger.state.positions[key]
        signed = order.quantity if order.side is Side.BUY else -order.quantity
        paid = price or held.average_price
        after = moved(held, Quantity(signed), paid, None)
        if after.quantity:
            self.ledger.state.positions[key] = after
        else:
            del self.ledger.state.positions[key]
        self._make_way(cancels, Quantity(abs(after.quantity)))
        self._free(order.symbol, held.instrument.cost(order.quantity, paid), order.side)

    def _make_way(self, cancels: tuple[ClientOrderId, ...], left: Quantity) -> None:
        """Cancel the position's own stops; the rest of the position keeps them, the nearest first (EX-21)."""
        stops = [order for order_id in cancels if (order := self.ledger.order(order_id)) is not None]
        for stop in nearest_first(stops):
            kept = min(stop.remaining, left) if stop.is_protective else Quantity(ZERO)
            left = Quantity(left - kept)
            if kept > 0:
                stop.request = replace(stop.request, quantity=Quantity(stop.filled_quantity + kept))
            else:
                stop.status = OrderStatus.CANCELLED
        self.ledger.restore(self.ledger.state)

    def _free(self, symbol: Symbol, worth: Money, side: Side) -> None:
        """Free the proceeds: in a margin account at once and at most their value, in a cash account after settlement.

        To cover a short uses cash and frees its margin.
        """
        account = self.account
        if isinstance(account, NoAccount):
            return
        cash = worth if side is Side.SELL else Money(-worth)
        if not account.lends:
            self.account = replace(
                account, cash=Money(account.cash + cash), unsettled=Money(account.unsettled + max(cash, ZERO))
            )
            return
        night, kept = account.overnight_buying_power, account.maintenance_margin
        self.account = replace(
            account,
            cash=Money(account.cash + cash),
            buying_power=Money(account.buying_power + worth),
            maintenance_margin=None if kept is None else Money(max(kept - worth * self._required(symbol, side), ZERO)),
            overnight_buying_power=None if night is None else Money(night + worth),
        )

    def _required(self, symbol: Symbol, side: Side) -> Decimal:
        """Return the maintenance rate of the closed position; zero if the broker does not report it."""
        held = requirement_of(self.state.instrument(symbol), side.opposite)
        return ZERO if isinstance(held, Unknown) else held

    # ── refusals beside the gate ─────────────────────────────────────────────────────────────────────────────────────

    def _refusals(self, proposal: Proposal) -> tuple[str, ...]:
        if self.is_reversal and not proposal.only_reduces:
            if self.ledger.positions_in(proposal.symbol):
                return (NOT_FLAT,)
        elif position_key(proposal.symbol, proposal.strategy) in self._places:
            return (TWICE,)
        if self.state.ledger.has(proposal.order.client_order_id):
            return ("it has its order already",)
        if not self.is_flattening and (differs := refusal_of_facts(self.state, proposal)) is not None:
            return (f"{differs}; its own ticket reviews it",)
        if not proposal.only_reduces:
            return ()
        if refusal := self.state.read_only_refusal(proposal.order):
            return (refusal,)
        left = left_to_close(self.state, proposal.symbol, proposal.strategy, proposal.order.side)
        if proposal.order.quantity > left:
            return (f"only {plain(left)} are left to close",)
        return ()

    def _context(self, proposal: Proposal) -> ReviewContext:
        context = self.state.figures_for(self.state.at, proposal.symbol, None)
        quote = self._by_the_last_price(proposal.symbol) if isinstance(context.quote, NoQuote) else context.quote
        return replace(context, ledger=self.ledger, account=self.account, quote=quote)

    def _by_the_last_price(self, symbol: Symbol) -> Quote | NoQuote:
        """Return a quote made of the last price with that price's age, for use until a real quote arrives."""
        last = self.state.last_price(symbol)
        if last is None:
            return NoQuote("none seen yet; asked at its turn")
        return Quote(symbol, last[0], last[1], NO_SHARES, last[1], NO_SHARES, Feed.DERIVED)


def _twins(review: Review) -> list[str]:
    """Refuse an order that needs a typed confirmation: a basket cannot take one, open it alone (RK-25)."""
    return [
        f"{v.check}: {v.reason}; a basket takes no word, open it by itself" for v in review.warnings if v.check == TWIN
    ]


def copied(ledger: Ledger) -> Ledger:
    """Return a copy of the ledger whose changes affect nothing else."""
    trial = Ledger(ledger.calendar)
    trial.book.opened = list(ledger.book.opened)
    state = ledger.state
    trial.restore(
        replace(
            state,
            orders={order_id: copy(order) for order_id, order in state.orders.items()},
            positions=dict(state.positions),
            executions={},
            trades=list(state.trades),
            entries=dict(state.entries),
            closed_by=dict(state.closed_by),
        )
    )
    return trial
