"""Compute a ticket's figures, check it at its confirmation beside the gate, create its authorizations (OP-03, OP-04).

For a reducing order each of these only warns. A passed check is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.order import Order, nearest_first
from core.exit_rules import in_words
from core.model.account import Account, Channel, ConnectionState
from core.model.bar import NoQuote, Quote
from core.model.broker import FreshFigures, NoAnswer
from core.model.order import Effect, OrderRequest, OrderType, Side, StopHolder, Terms
from core.model.session import NoSession, Session
from core.model.staging import (
    FIGURES,
    LINK,
    PRICE,
    Approval,
    AuthorizationKind,
    CheckResult,
    ListedExit,
    Proposal,
    Review,
    ReviewFigures,
    StandingAuthorization,
    StopPlan,
    Ticket,
    Verdict,
)
from core.model.values import ZERO, ClientOrderId, Fraction, Money, Price, Quantity, rounded_down
from core.risk.checks.funds import free_for, margin_effect
from core.risk.checks.other_orders import crossed_by_exit
from core.risk.gate import ReviewContext, warned, without_equity
from core.risk.margin import MarginEffect
from core.settings.orders import StagingSettings
from core.staging.resting_entries import target_of
from core.staging.time_in_force import end_of_session, end_of_stops
from core.strategies.mean_reversion import MeanReversionStrategy
from core.strategies.vwap_mean_reversion import VwapStrategy
from core.trading_state.state import TradingState
from core.workflows.orders.sale_chains import SaleChains
from core.workflows.staging.proposal_intake import candidate_of

# ── figures of a ticket ──────────────────────────────────────────────────────────────────────────────────────────────
# The figures of a ticket in money, and the exits that it would open (OP-03, OP-06, EX-21, RK-25).
#
# The desk watches them and the operator confirms each; those that the broker holds are part of the order itself.

AVERAGES = {VwapStrategy.name: "VWAP", MeanReversionStrategy.name: "average"}
"""Strategies that exit at the average of their signal, and the name of that average."""
OPENING = frozenset({Effect.OPEN, Effect.SHORT, Effect.ADD})


def watched_exits(state: TradingState, proposal: Proposal) -> tuple[ListedExit, ...]:
    """Return all exits that `u` authorizes: a stop held by this desk, and the exits beside it."""
    stop = proposal.stop
    is_ours = isinstance(stop, StopPlan) and stop.holder is StopHolder.DESK
    held = (ListedExit("stop", stop.price),) if is_ours and isinstance(stop, StopPlan) else ()
    return (*held, *listed_exits(state, proposal)) if proposal.order.effect in OPENING else ()


def listed_exits(state: TradingState, proposal: Proposal) -> tuple[ListedExit, ...]:
    """Return the exits: targets first, nearest leading, then those without a price."""
    if proposal.order.effect not in OPENING or proposal.order.replaces is not None:
        return ()
    targets = sorted(_targets(state, proposal), key=lambda exit: exit.price or Decimal(0))
    if proposal.order.side is Side.SELL:
        targets.reverse()
    return (*targets, *_others(state, proposal))


def signed_in_words(state: TradingState) -> Iterator[str]:
    """Yield `SPY until 16:00 London` for each position whose exits need no key (OP-06)."""
    for position in state.ledger.positions():
        use = state.stage.signed_exits(position.entry_order, state.at)
        if use is not None:
            yield f"{position.symbol} until {state.calendar.venue.told(use.authorization.ends_at)}"


def _targets(state: TradingState, proposal: Proposal) -> Iterator[ListedExit]:
    terms = state.control.settings.exits
    if proposal.strategy in AVERAGES and proposal.reference is not None and proposal.target_price is None:
        target = proposal.order.instrument.ticks.nearest(proposal.reference)
        yield ListedExit(f"target {AVERAGES[proposal.strategy]}", target)
    if proposal.target_price is not None:
        if target_of(proposal.order) is None:
            yield ListedExit("target", proposal.target_price)
        return
    price = _off(proposal, terms.profit_target)
    if price is not None and _is_guarded(state, proposal) and terms.profit_target:
        yield ListedExit("target", price)


def _others(state: TradingState, proposal: Proposal) -> Iterator[ListedExit]:
    settings, strategy = state.control.settings, proposal.strategy
    terms = settings.exits
    is_guarded = _is_guarded(state, proposal)
    if is_guarded:
        yield from (ListedExit(words, None) for words in in_words(terms))
    runner = state.orchestrator.roster.runner(strategy, proposal.symbol)
    if runner is not None and strategy not in AVERAGES:
        yield ListedExit("when its signal turns", None)
    day = state.calendar.session_on(state.calendar.trading_day(state.at))
    is_flat = not settings.holds_overnight(strategy) and (runner is not None or is_guarded)
    if is_flat and isinstance(day, Session):
        minutes = settings.flat_minutes(strategy) if runner is not None else terms.flat_minutes
        flat = state.calendar.venue.told(day.close - timedelta(minutes=minutes))
        yield ListedExit(f"flat from the bar of {flat}", None)


def _is_guarded(state: TradingState, proposal: Proposal) -> bool:
    """Whether the exit rules will watch what it opens, by the choice for a position that it adds to."""
    held = state.ledger.position(proposal.symbol, proposal.strategy)
    is_watched = None if held is None else state.exits.mark(held).is_watched
    return state.control.settings.exits.guards(proposal.strategy, is_watched=is_watched)


def _off(proposal: Proposal, gain: Decimal) -> Price | None:
    paid = proposal.order.limit_price or proposal.intended_price
    if paid is None:
        return None
    order = proposal.order
    return order.instrument.ticks.nearest(paid * (1 + gain if order.side is Side.BUY else 1 - gain))


def figures_of(proposal: Proposal, price: Price | None, context: ReviewContext) -> ReviewFigures:
    """Return the ticket's figures in money; an unknown figure is None."""
    order = proposal.order
    cost = order.cost(price) if price is not None else None
    worst = worst_loss_of(proposal, context)
    account = context.account if isinstance(context.account, Account) else None
    share = Fraction(cost / account.equity) if cost is not None and account and account.equity > 0 else None
    after = None
    if cost is not None and account and not proposal.only_reduces:
        after = Money(free_for(order, context.ledger, account) - _taken(proposal, cost, account, context))
    return ReviewFigures(cost, worst, share, after)


def worst_loss_of(proposal: Proposal, context: ReviewContext) -> Money | None:
    """Return the loss at its stop, USD; None without a stop or a known price."""
    farthest = candidate_of(proposal).farthest(context.quote)
    if not isinstance(proposal.stop, StopPlan) or farthest is None:
        return None
    return proposal.order.risk(proposal.stop.way_from(farthest))


def _taken(proposal: Proposal, cost: Money, account: Account, context: ReviewContext) -> Money:
    """Return its use of buying power, as the margin check counts it; margin may need more than its cost."""
    effect = margin_effect(candidate_of(proposal), context, account) if account.lends else None
    return effect.used if isinstance(effect, MarginEffect) else cost


def in_the_way(
    state: TradingState, proposal: Proposal, quote: Quote | NoQuote | None = None
) -> tuple[ClientOrderId, ...]:
    """Return the orders that block this exit: those that reserve its shares (EX-21), and entries that it would cross.

    Crossing is judged by this quote, or else by the last one known.
    """
    holding = holds_its_shares(state, proposal)
    if not proposal.is_exit or not state.control.settings.risk.self_cross.enabled:
        return holding
    if quote is None:
        quote = state.figures_for(state.at, proposal.symbol, None).quote_of_now
    is_closed = isinstance(state.calendar.session_at(state.at), NoSession)
    crossed = crossed_by_exit(
        proposal.order,
        state.ledger,
        quote,
        refuses_wash_trades=state.sightings.capabilities.refuses_wash_trades,
        waits_for_the_open=is_closed and not proposal.order.extended_hours,
    )
    return (*holding, *(order.id for order in crossed if order.id not in holding))


def holds_its_shares(state: TradingState, proposal: Proposal) -> tuple[ClientOrderId, ...]:
    """Return our stops and targets that reserve its shares (EX-21), and partly filled entries with legs."""
    if not proposal.is_exit:
        return ()
    ledger = state.ledger
    exits = ledger.exits.working(proposal.symbol, proposal.strategy)
    entries = ledger.working_entries(proposal.symbol, proposal.strategy)
    return (
        *(order.id for order in exits if order.stands_by and not ledger.legs.is_held(order)),
        *(order.id for order in entries if order.request.legs and order.filled_quantity),
    )


def is_as_shown(state: TradingState, proposal: Proposal, cancels: tuple[ClientOrderId, ...]) -> bool:
    """Whether the orders that reserve its shares are those that the ticket names.

    An entry that it would only cross, and that has ended or is new, does not require another confirmation.
    """
    now = holds_its_shares(state, proposal)
    orders = ((order_id, state.ledger.order(order_id)) for order_id in cancels)
    shown = [order_id for order_id, order in orders if order is None or _holds_shares(order)]
    return set(now) <= set(cancels) and set(shown) <= set(now)


def _holds_shares(order: Order) -> bool:
    return order.only_reduces or bool(order.request.legs and order.filled_quantity)


# ── the checks ───────────────────────────────────────────────────────────────────────────────────────────────────────

NO_FIGURES = "the broker's clock, account and quote did not come in time; open the proposal again"
NO_PRICE_SHOWN = "no price was known when the ticket opened; open it again"
LINKS = {Channel.DATA: "market data", Channel.TRADES: "order updates"}


def reviewed(review: Review, *found: Verdict) -> Review:
    """Return the gate's verdicts with these appended."""
    return Review((*review.verdicts, *found))


def verdicts_at_the_key(
    state: TradingState, ticket: Ticket, proposal: Proposal, fresh: FreshFigures | None, context: ReviewContext
) -> tuple[Verdict, ...]:
    """Return verdicts that refuse an entry at its confirmation, or warn of an exit."""
    found = (
        *missing_figures(fresh, context),
        *silent_links(state, context.at),
        *price_moved(ticket, proposal, context, state.control.settings.staging),
    )
    return tuple(map(_warning, found)) if proposal.only_reduces else found


def verdicts_meanwhile(
    state: TradingState, ticket: Ticket, proposal: Proposal, context: ReviewContext
) -> tuple[Verdict, ...]:
    """Return the same for an open ticket on the last known data: it only warns, as the confirmation fetches again."""
    found = (
        *silent_links(state, context.at),
        *price_moved(ticket, proposal, context, state.control.settings.staging),
    )
    return tuple(map(_warning, found))


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def missing_figures(fresh: FreshFigures | None, context: ReviewContext) -> Iterator[Verdict]:
    """Yield a refusal for each of clock, account and quote that did not come for this confirmation (OP-03).

    Only the account may be missing, if the settings allow a missing value everywhere (RK-03).
    """
    if fresh is None:
        yield _refused(FIGURES, NO_FIGURES)
        return
    if isinstance(fresh.broker_time, NoAnswer):
        yield _refused(FIGURES, f"the broker's clock did not come: {fresh.broker_time.reason}; open it again")
    if not isinstance(fresh.account, Account):
        missing = f"the account's figures did not come: {fresh.account.reason}"
        yield without_equity(FIGURES, missing, context)
    if not isinstance(fresh.quote, Quote):
        yield _refused(FIGURES, f"no quote came: {fresh.quote.reason}; open it again")


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def silent_links(state: TradingState, at: datetime) -> Iterator[Verdict]:
    """Yield links without any message, a pong included, for too long; one with polling instead only warns.

    A link that is unknown, or is up but does not report pongs, cannot be silent: so is the simulated exchange's, unless
    it is configured (OP-04).
    """
    timeout = timedelta(seconds=float(state.control.settings.confirm.silent_seconds))
    for line, name in LINKS.items():
        connection = state.sightings.connections.get(line)
        if connection is None or (connection.state is ConnectionState.UP and connection.heard_at is None):
            continue
        heard = [
            connection.heard_at,
            state.sightings.books_at if line is Channel.TRADES and connection.state is not ConnectionState.UP else None,
        ]
        last = max((moment for moment in heard if moment is not None), default=None)
        if last is None:
            yield _refused(LINK, f"{name}: nothing came yet; open it again when they do")
        elif at - last > timeout:
            yield _refused(LINK, f"{name}: nothing came for {_seconds(at - last)}; open it again when they do")
        elif connection.state is not ConnectionState.UP:
            yield warned(LINK, f"{name}: no stream, asked for instead; the last answer is {_seconds(at - last)} old")


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"


# ── the price ────────────────────────────────────────────────────────────────────────────────────────────────────────


def price_moved(
    ticket: Ticket, proposal: Proposal, context: ReviewContext, terms: StagingSettings
) -> Iterator[Verdict]:
    """Yield a verdict if an entry's price moved while its ticket was read.

    A limit still protects the operator: there it warns with both prices. An order at any price is reviewed again.
    """
    if proposal.only_reduces or proposal.order.type.waits:  # it rests until the market reaches it
        return
    before, now = ticket.price_at_opening, touch_of(proposal.order.side, context)
    takes_any = not proposal.order.type.has_limit
    if before is None or now is None:
        if before is None and now is not None and takes_any:
            yield _refused(PRICE, NO_PRICE_SHOWN)
        return
    against = now - before if proposal.order.side is Side.BUY else before - now
    allowed = allowed_move(proposal, before, terms)
    if against <= allowed:
        return
    most = rounded_down(allowed, proposal.order.instrument.ticks.at(before))
    went = f"moved {against} USD since review, from {before} to {now} (limit {most})"
    if takes_any:
        yield _refused(PRICE, f"{went}; open it again")
    else:
        yield Verdict(PRICE, CheckResult.WARNS, f"{went}; your limit {proposal.order.limit_price} still holds")


def allowed_move(proposal: Proposal, price: Price, terms: StagingSettings) -> Decimal:
    """Return the allowed move in USD: a part of the distance to the stop, else of the price; at least two ticks."""
    aimed = proposal.order.limit_price or price
    if isinstance(proposal.stop, StopPlan):
        part = terms.move_of_stop * abs(aimed - proposal.stop.price)
    else:
        part = terms.move * price
    return max(part, 2 * proposal.order.instrument.ticks.at(price))


def touch_of(side: Side, context: ReviewContext) -> Price | None:
    """Return the price at which the order would trade now: the ask for a buy, the bid for a sale."""
    if not isinstance(context.quote, Quote):
        return None
    return context.quote.ask if side is Side.BUY else context.quote.bid


def aimed_at_sending(order: OrderRequest, aimed: Price | None, context: ReviewContext) -> Price | None:
    """Return the price that a fill is compared with: what was aimed at, or the quote's at the key where that is better.

    A limit beyond the quote trades at the quote: its distance to the limit is no gain.
    """
    touch = touch_of(order.side, context)
    if aimed is None or touch is None or order.type is not OrderType.LIMIT:
        return touch if aimed is None else aimed
    return min(aimed, touch) if order.side is Side.BUY else max(aimed, touch)


def _refused(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.REFUSES, reason)


def _warning(verdict: Verdict) -> Verdict:
    return replace(verdict, standing=CheckResult.WARNS) if verdict.standing is CheckResult.REFUSES else verdict


AT_THE_MARKET: Terms = OrderType.MARKET, None, None, None, None


class TicketAuthorizations:
    """The approval and authorizations signed with a ticket."""

    def __init__(self, state: TradingState) -> None:
        self.state = state

    def approval(self, ticket: Ticket) -> Approval:
        life = timedelta(seconds=float(self.state.control.settings.staging.approval_seconds))
        return Approval(
            id=str(ticket.id),
            ticket_id=ticket.id,
            authorization_id=None,
            order_digest=ticket.order.digest(ticket.account),
            lapses_at=self.state.at + life,
        )

    def authorizations(self, ticket: Ticket) -> tuple[StandingAuthorization, ...]:
        """Return the authorizations listed beyond the ticket's own order, each with its own end."""
        if isinstance(ticket.stop, StopPlan) and ticket.stop.holder is StopHolder.BROKER:
            guard: Terms = OrderType.STOP, None, ticket.stop.price, None, None
            if ticket.stop.behind is not None:
                guard = OrderType.TRAILING_STOP, None, None, ticket.stop.behind, None
            protective = self._authorization(
                ticket, AuthorizationKind.PROTECTIVE_STOP, guard, self._end_of_stops(ticket)
            )
            return (protective, *self._signed_exits(ticket))
        if not ticket.cancels:
            return self._signed_exits(ticket)
        life = timedelta(seconds=float(self.state.control.settings.staging.close_seconds))
        close = self._authorization(ticket, AuthorizationKind.CLOSE, ticket.order.terms, self.state.at + life)
        strategy = self.state.stage.state.proposals[ticket.proposal_id].strategy
        held = SaleChains(self.state).held_at_the_key(ticket, strategy)
        return tuple(replace(each, held=held) for each in (close, *self._stops_to_put_back(ticket)))

    def _signed_exits(self, ticket: Ticket) -> tuple[StandingAuthorization, ...]:
        if not ticket.unattended:
            return ()
        ends_at = end_of_session(self.state.calendar, ticket.order, self.state.at)
        return (self._authorization(ticket, AuthorizationKind.EXITS, AT_THE_MARKET, ends_at),)

    def _stops_to_put_back(self, ticket: Ticket) -> Iterator[StandingAuthorization]:
        """Yield one authorization per set of terms of the cancelled stops; the used terms show at the restore.

        The nearest comes first: the rest of a partial sale is protected where it loses least (the ticket says so).
        """
        signed: dict[Terms, Decimal] = {}
        stops = [o for order_id in ticket.cancels if (o := self.state.ledger.order(order_id)) is not None]
        for stop in nearest_first(o for o in stops if o.is_protective):
            terms = stop.request.terms
            signed[terms] = signed.get(terms, ZERO) + stop.remaining
        for number, (terms, quantity) in enumerate(signed.items(), start=1):
            authorization = self._authorization(
                ticket, AuthorizationKind.RESTORE_STOP, terms, self._end_of_stops(ticket)
            )
            name = authorization.id if number == 1 else f"{authorization.id}.{number}"
            yield replace(authorization, id=name, quantity=Quantity(quantity))

    def _authorization(
        self, ticket: Ticket, kind: AuthorizationKind, terms: Terms, ends_at: datetime
    ) -> StandingAuthorization:
        is_of_entry = kind in (AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.EXITS)
        side = ticket.order.side.opposite if is_of_entry else ticket.order.side
        return StandingAuthorization(
            id=f"{ticket.id}-{kind.value}",
            kind=kind,
            ticket_id=ticket.id,
            ticket_digest=ticket.digest,
            parent=ticket.order.client_order_id,
            symbol=ticket.order.symbol,
            side=side,
            quantity=ticket.order.quantity,
            stop_price=terms[2],
            ends_at=ends_at,
            terms=terms,
        )

    def _end_of_stops(self, ticket: Ticket) -> datetime:
        """Return the end that the ticket named when it was opened."""
        return end_of_stops(self.state.calendar, ticket.order, ticket.opened_at)
