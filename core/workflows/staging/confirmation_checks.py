"""Check a ticket at its confirmation beside the gate: fresh figures, live links and an unmoved price (OP-03, OP-04).

For a reducing order each of these only warns. A passed check is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.account import Account
from core.model.broker import FreshFigures, NoAnswer
from core.model.connection import Channel, ConnectionState
from core.model.order import Side
from core.model.quote import Quote
from core.model.staging import FIGURES, LINK, PRICE, CheckResult, Proposal, Review, StopPlan, Ticket, Verdict
from core.model.values import Price, rounded_down
from core.risk.checks.verdicts import warned, without_equity
from core.risk.gate import ReviewContext
from core.settings.staging import StagingSettings
from core.trading_state.state import TradingState

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
    patience = timedelta(seconds=float(state.control.settings.confirm.silent_seconds))
    for line, name in LINKS.items():
        lamp = state.sightings.lamps.get(line)
        if lamp is None or (lamp.state is ConnectionState.UP and lamp.heard_at is None):
            continue
        heard = [
            lamp.heard_at,
            state.sightings.books_at if line is Channel.TRADES and lamp.state is not ConnectionState.UP else None,
        ]
        last = max((moment for moment in heard if moment is not None), default=None)
        if last is None:
            yield _refused(LINK, f"{name}: nothing came yet; open it again when they do")
        elif at - last > patience:
            yield _refused(LINK, f"{name}: nothing came for {_seconds(at - last)}; open it again when they do")
        elif lamp.state is not ConnectionState.UP:
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


def _refused(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.REFUSES, reason)


def _warning(verdict: Verdict) -> Verdict:
    return replace(verdict, standing=CheckResult.WARNS) if verdict.standing is CheckResult.REFUSES else verdict
