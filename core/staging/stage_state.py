"""The state of the stage, resting entries, how long a confirmation is kept, and the mark for extended hours.

Mark manual orders to act before the open and after the close (RK-20).
Only a simple limit order for the day is marked, and only if it is typed in extended hours: an exit under either policy,
because exits are never blocked; an entry if the settings include those hours. Strategies propose in the regular session
alone, and their orders are never marked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.model.order import WITH_STOP, Leg, LegRole, OrderClass, OrderRequest, Side, StopHolder, TimeInForce
from core.model.session import Calendar
from core.model.staging import (
    Approval,
    AuthorizationKind,
    NoStop,
    Proposal,
    Review,
    StandingAuthorization,
    StopPlan,
    Ticket,
)
from core.model.values import NO_SHARES, ClientOrderId, Price, ProposalId, Quantity, TicketId
from core.settings.risk import SessionSettings

if TYPE_CHECKING:
    from core.settings.settings import Settings

# ── resting entries ──────────────────────────────────────────────────────────────────────────────────────────────────
# Entries: with their stop in one request, waiting at the broker, and marked for extended hours (OP-06).
#
# A stop entry buys above the market or sells short below it. The broker accepts no legs with one, so its stop follows
# each fill, and it is for the day alone. The fill price of a trailing entry is unknown: its stop trails from the fill
# on.

LONGEST_TTL = 86_400
"""Seconds: an order that should work longer has no time to live."""
NOT_FOR_THE_DAY = "a stop entry is for the day: its own stop follows its fill, while this desk runs"
NO_TTL = f"an order's own time is whole seconds, from 1 to {LONGEST_TTL}"
NO_MARKET = "no price of it is known yet, by which its stop could follow its fill; wait for a quote"
NOT_HELD = "the stop of a trailing entry follows its fill, and only the broker can hold that"
WRONG_SIDE = "its stop is on the wrong side of where it would trade"
TRIGGER_ALONE = f"a {WITH_STOP} entry, and only these, has a trigger"


def aimed_at(order: OrderRequest, market: Decimal | None) -> Price | None:
    """Return the price at which an entry would trade, USD: its limit, its trigger, or its trail from `market`."""
    if order.limit_price is not None:
        return order.limit_price
    if order.type.has_stop:
        return order.stop_price
    if not order.type.trails:
        return None if market is None else Price(market)
    if market is None:
        return None
    behind = order.trail_price if order.trail_price is not None else market * (order.trail_fraction or 0)
    return order.instrument.ticks.nearest(market + behind if order.side is Side.BUY else market - behind)


@dataclass(frozen=True, slots=True)
class Reach:
    """The lowest and the highest price at which an entry would fill in the current market, USD a share."""

    least: Price
    most: Price


def reach_of(side: Side, limit: Price | None, met: Price | None) -> Reach | None:
    """Return the reach; a limit bounds one side, and on the other it fills at the market's price if that is better.

    Parameters
    ----------
    met
        The market's price now, or the trigger; None if unknown. Then a buy may cost its limit, and the proceeds of a
        sale are unknown.
    """
    if limit is None:
        return None if met is None else Reach(met, met)
    if side is Side.BUY:
        return Reach(min(limit, met) if met else limit, limit)
    return None if met is None else Reach(limit, max(limit, met))


def refusal_of(order: OrderRequest, ttl_seconds: int | None) -> str | None:
    """Return why no entry may have these terms, manual or not."""
    if (order.stop_price is not None) is not order.type.has_stop:
        return TRIGGER_ALONE
    if order.type.waits and order.time_in_force is not TimeInForce.DAY:
        return NOT_FOR_THE_DAY
    if ttl_seconds is not None and not 1 <= ttl_seconds <= LONGEST_TTL:
        return NO_TTL
    return None


def stop_for(order: OrderRequest, stop: StopPlan | NoStop, market: Decimal | None) -> StopPlan | NoStop | str:
    """Return the stop as the broker will have it, or the text of why it can have none."""
    if not order.type.trails or isinstance(stop, NoStop):
        return stop
    aimed = aimed_at(order, market)
    if aimed is None:
        return NO_MARKET
    if stop.holder is not StopHolder.BROKER:
        return NOT_HELD
    way = aimed - stop.price if order.side is Side.BUY else stop.price - aimed
    return StopPlan(stop.price, stop.holder, order.instrument.ticks.nearest(way)) if way > 0 else WRONG_SIDE


def time_to_live(proposal: Proposal, settings: Settings) -> timedelta | None:
    """Return how long an entry may work at the broker: its own time, else the settings' for limits (EX-07)."""
    if proposal.only_reduces:
        return None
    if proposal.ttl_seconds is not None:
        return timedelta(seconds=proposal.ttl_seconds)
    seconds = settings.orders.ttl_seconds if proposal.order.type.rests else Decimal(0)
    return timedelta(seconds=float(seconds)) if seconds else None


def with_legs(order: OrderRequest, stop: StopPlan | NoStop, target: Price | None = None) -> OrderRequest:
    """Add the legs to an entry: a stop alone is an OTO, a stop and a target a bracket.

    Fractions, which the broker refuses there, IOC orders, and orders in extended hours have no legs: their stop follows
    each fill.
    """
    simple = replace(order, order_class=OrderClass.SIMPLE, legs=())
    if not isinstance(stop, StopPlan) or stop.holder is not StopHolder.BROKER or not can_have_legs(order):
        return simple
    guard = Leg(LegRole.STOP, stop_price=stop.price)
    if target is None:
        return replace(simple, order_class=OrderClass.OTO, legs=(guard,))
    return replace(simple, order_class=OrderClass.BRACKET, legs=(guard, Leg(LegRole.TARGET, limit_price=target)))


def can_have_legs(order: OrderRequest) -> bool:
    is_whole = order.quantity.is_finite() and order.quantity == order.quantity.to_integral_value()
    return (
        is_whole
        and not order.type.waits
        and order.time_in_force is not TimeInForce.IOC
        and not order.effect.only_reduces
        and not order.extended_hours
    )


def target_of(order: OrderRequest) -> Price | None:
    """Return the price at which the broker takes the profit; None if it holds no target."""
    leg = order.leg(LegRole.TARGET)
    return None if leg is None else leg.limit_price


# ── the state ────────────────────────────────────────────────────────────────────────────────────────────────────────

LESS = "less-"
"""Prefix of an approval's id for a smaller quantity than confirmed."""
STOPS = frozenset({AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.RESTORE_STOP})
"""Authorizations for the shares themselves: they last a session longer than their order."""


@dataclass(slots=True)
class Confirmation:
    """A confirmation. Its approval is void as soon as the confirmation was refused.

    `is_told`: the block of its order was reported, once; other authorizations of it stay, such as a stop to restore
    (EX-21). `hold` is the control period of its confirmation; None without a desk. `twin_of` is the entry that it is
    like, if the word for that was typed (RK-25).
    """

    ticket: Ticket
    proposal: Proposal
    approval: Approval
    received_at: datetime
    is_decided: bool = False
    is_void: bool = False
    is_told: bool = False
    hold: int | None = None
    twin_of: ClientOrderId | None = None


@dataclass(slots=True)
class AuthorizationUse:
    """An authorization and its released quantity; `releases` only numbers its approvals, so that no id is reused.

    `returned` are the orders whose permission was returned: after a crash that may be recorded twice. `exits` are the
    orders that it released without a key.
    """

    mandate: StandingAuthorization
    released: Quantity = NO_SHARES
    releases: int = 0
    returned: tuple[ClientOrderId, ...] = ()
    exits: tuple[ClientOrderId, ...] = ()

    @property
    def is_unused(self) -> bool:
        return self.released == 0


@dataclass(slots=True)
class StageState:
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    reviews: dict[ProposalId, Review] = field(default_factory=dict)
    tickets: dict[TicketId, Ticket] = field(default_factory=dict)
    confirmations: dict[TicketId, Confirmation] = field(default_factory=dict)
    mandates: dict[str, AuthorizationUse] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    redeemed: dict[ClientOrderId, tuple[str, Quantity]] = field(default_factory=dict)
    """The authorization and the quantity of orders that are not recorded yet."""
    less: dict[str, datetime] = field(default_factory=dict)
    """Used approvals of a smaller quantity, with their expiry."""
    refusals: dict[TicketId, tuple[str, ...]] = field(default_factory=dict)
    tickets_opened: int = 0
    manual_orders: int = 0
    changes: int = 0
    skipped: int = 0
    confirmed: int = 0
    refused: int = 0


A_WEEK = timedelta(days=7)
"""The ledger keeps whole orders for the same time."""
A_MONTH = timedelta(days=30)
"""Retention of an order that never arrived: a sale that is in doubt when the desk stops is one."""


class TicketRetention:
    """Forgets confirmations with nothing left to permit."""

    def __init__(self, calendar: Calendar, is_working: Callable[[ClientOrderId], bool]) -> None:
        self.calendar = calendar
        self.is_working = is_working

    def over(self, state: StageState, at: datetime) -> set[TicketId]:
        """Return the tickets of confirmations of earlier days that have nothing left to permit."""
        day_of = self.calendar.trading_day
        day = day_of(at)
        before = {id_: c for id_, c in state.confirmations.items() if day_of(c.received_at) < day}
        its: dict[TicketId, list[AuthorizationUse]] = {}
        for use in state.mandates.values() if before else ():
            its.setdefault(use.mandate.ticket_id, []).append(use)
        return {id_ for id_, c in before.items() if not self._may_owe(c, its.get(id_, []), at)}

    def forget_older_than_a_day(self, state: StageState, at: datetime) -> None:
        """Forget confirmations of earlier days whose orders have ended, unless a stop of theirs is still valid."""
        old = self.over(state, at)
        if not old:
            return
        names = tuple(old)
        state.confirmations = {id_: c for id_, c in state.confirmations.items() if id_ not in old}
        state.used = {used for used in state.used if not used.startswith(names)}
        state.refusals = {id_: reasons for id_, reasons in state.refusals.items() if id_ not in old}
        state.mandates = {id_: use for id_, use in state.mandates.items() if use.mandate.ticket_id not in old}

    def begin_day(self, state: StageState, at: datetime) -> None:
        """Forget expired smaller permissions, which have no ticket and are refused by their time.

        Refusals stay while their ticket or its confirmation does.
        """
        self.forget_older_than_a_day(state, at)
        state.less = {id_: lapses_at for id_, lapses_at in state.less.items() if at <= lapses_at}
        state.used = {id_ for id_ in state.used if not id_.startswith(LESS)}  # from older journals
        known = state.tickets.keys() | state.confirmations.keys()
        state.refusals = {id_: reasons for id_, reasons in state.refusals.items() if id_ in known}

    def _may_owe(self, confirmation: Confirmation, its: list[AuthorizationUse], at: datetime) -> bool:
        """Return whether its order may fill yet, or a stop of it may be staged."""
        if self.is_working(confirmation.ticket.order.client_order_id):
            return True
        stops = [use for use in its if use.mandate.kind in STOPS]
        if any(at <= use.mandate.ends_at for use in stops):
            return True
        is_to_go_back = any(
            use.mandate.kind is AuthorizationKind.RESTORE_STOP for use in stops
        )  # it ends after its sale
        is_owed = any(use.released < use.mandate.quantity for use in stops)  # it is staged on a ticket, once
        age = at - confirmation.received_at
        return (is_owed and age <= A_WEEK) or (is_to_go_back and age <= A_MONTH)


def marked_for(at: datetime, order: OrderRequest, calendar: Calendar, settings: SessionSettings) -> OrderRequest:
    """Return the order typed at `at` (UTC), marked if it may act in the current extended hours."""
    if calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is None or not can_act(order):
        return order
    is_wanted = order.effect.only_reduces or settings.policy == "include_extended"
    return replace(order, extended_hours=True) if is_wanted else order


def can_act(order: OrderRequest) -> bool:
    """Return whether the broker accepts such an order outside the regular session, and this desk sends it there."""
    is_simple = order.order_class is OrderClass.SIMPLE
    return order.type.rests and order.time_in_force is TimeInForce.DAY and is_simple
