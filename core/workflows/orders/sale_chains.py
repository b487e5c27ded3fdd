"""Group all orders by which one close, and its replacements, sell the same shares: the line of a sale (EX-21).

A sale may be reduced or moved by a replacement; an OCO pair has two selling orders; and a waiting sale is cancelled for
the next close. The stop that was cancelled for the first sale is restored when none of them works any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from core.execution.order import Order
from core.facts import CancelDropped
from core.messages.effects import CancelOrder, Effect
from core.model.codes import MADE_WAY
from core.model.order import OrderStatus
from core.model.staging import AuthorizationKind, StandingAuthorization, Ticket
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol
from core.staging.sale_lines import bought_later, guarded, sold, staying
from core.staging.stage_state import AuthorizationUse
from core.trading_state.state import TradingState

GIVEN_UP = "the close that it was to make way for was given up"
"""Reason for not repeating a cancel."""


class SaleChains:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def ticket(self, use: AuthorizationUse) -> Ticket | None:
        confirmation = self.state.stage.state.confirmations.get(use.authorization.ticket_id)
        return confirmation.ticket if confirmation and confirmation.is_decided else None

    def line(self, use: AuthorizationUse) -> list[Order]:
        """Return the sale, its pair, their replacements, and the same of each later close."""
        return self._line(use)[0]

    def followers(self, use: AuthorizationUse) -> list[AuthorizationUse]:
        """Return the closes for which its sale was cancelled, and in turn the closes after those."""
        return self._line(use)[1]

    def is_over(self, use: AuthorizationUse) -> bool:
        """Whether nothing of it works or waits any more (a crash may have come between that and its stop)."""
        sale = self.state.ledger.order(use.authorization.parent)
        if sale is None:
            # Whether the sale was never sent and will not be.
            sale_waits = any(
                close.is_unused
                for close in self.state.stage.authorizations(AuthorizationKind.CLOSE, use.authorization.parent)
            )
            return not sale_waits and not self.state.ledger.has(use.authorization.parent)
        if sale.is_working:
            return False
        orders, followers = self._line(use)
        if any(self._works(order) for order in orders) or any(close.is_unused for close in followers):
            return False
        unseen = [stop for stop in self.state.ledger.exits.cut_stops() if stop.owed is None]
        return not any(stop in orders for stop in unseen)  # the own stop of a pair that was too large is restored first

    def is_working(self, use: AuthorizationUse) -> bool:
        """Whether an order of its line works."""
        return any(map(self._works, self.line(use)))

    def owed_at_most(self, use: AuthorizationUse) -> Decimal:
        """Return the shares for which the stop was signed that have none yet and that the line has not sold, nor is to.

        Several stops of one sale are counted together: what is sold is subtracted once, first from the shares that had
        no stop, as its ticket says. Sales of the later closes count too, from what was held at the last key.
        """
        return self._owed(use, is_over=not self.is_working(use))

    def owed_if_cancelled(self, use: AuthorizationUse) -> Decimal:
        """Return the same for the case that nothing of the line works any more."""
        return self._owed(use, is_over=True)

    def _owed(self, use: AuthorizationUse, *, is_over: bool) -> Decimal:
        orders, followers = self._line(use)
        uses = self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP, use.authorization.parent)
        signed = sum((self._signed(one) for one in uses), ZERO)
        signed -= sum((one.released for one in (*uses, *self._of_the_same_shares(orders, followers))), ZERO)
        last = max((use, *followers), key=self._signed_at)
        ticket = self.ticket(last)
        if ticket is not None:
            lines, restores = self.state.ledger.lines, self._restores(self.owner(use), ticket)
            its, key = (ticket.order.symbol, self.owner(use)), self._signed_at(last)
            position = self.state.ledger.position(*its)
            now = abs(position.quantity) if position is not None else ZERO
            now -= bought_later(lines, *its, key)
            stays = staying(lines, last, ticket, restores, now) - guarded(lines, restores, key)
        else:
            stays = signed - sum((order.filled_quantity for order in orders), ZERO)
        selling = ZERO if is_over or ticket is None else self._unsold_of(ticket)
        return min(signed, stays - selling, self._signed(use) - use.released)

    def _unsold_of(self, ticket: Ticket) -> Decimal:
        """Return the shares that its sale is for and has not sold."""
        done = sum((order.filled_quantity for order in self.own(ticket.order.client_order_id)), ZERO)
        return max(ticket.order.quantity - done, ZERO)

    def held_at_the_key(self, ticket: Ticket, strategy: str) -> Quantity:
        """Return the shares of its position now, with what is counted as sold for its ticket by now."""
        position = self.state.ledger.position(ticket.order.symbol, strategy)
        before = sold(self.state.ledger.lines, ticket, self._restores(strategy, ticket))
        return Quantity((abs(position.quantity) if position is not None else ZERO) + before)

    def _restores(self, strategy: str, ticket: Ticket) -> list[AuthorizationUse]:
        """Return the authorizations that restore the stops of a ticket's position."""
        uses = self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP)
        return [u for u in uses if (u.authorization.symbol, self.owner(u)) == (ticket.order.symbol, strategy)]

    def _signed_at(self, use: AuthorizationUse) -> datetime:
        return self.state.stage.state.confirmations[use.authorization.ticket_id].received_at

    def is_waited_for(self, order: Order) -> bool:
        """Whether to repeat a cancel that the broker did not accept: not if no close waits for it any more.

        The stop keeps working then; cancelled needlessly, it might be refused when it is to be restored.
        """
        closes = self.state.stage.authorizations(AuthorizationKind.CLOSE)
        waiting = (self.ticket(use) for use in closes if use.is_unused and self.state.at < use.authorization.ends_at)
        is_for_a_close = order.cancel_code in MADE_WAY and order.stands_by
        if not is_for_a_close or any(ticket is not None and order.id in ticket.cancels for ticket in waiting):
            return True
        return any(
            order in self.in_the_way(use) for use in self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP)
        )

    def cancel_again(self, order: Order) -> Iterator[Effect]:
        """Repeat the cancel of an order that works in spite of it, unless the reason for it was given up."""
        if self.is_waited_for(order):
            yield CancelOrder(order.id, order.broker_order_id)
        else:
            self.state.record(CancelDropped(order.id, GIVEN_UP))

    def has_forgotten(self, use: AuthorizationUse) -> bool:
        """Whether the ledger no longer knows any order cancelled for it, as after a week without a desk."""
        cancels = self._cancels(use)
        return bool(cancels) and all(self.state.ledger.order(order_id) is None for order_id in cancels)

    def _signed(self, use: AuthorizationUse) -> Decimal:
        if self.has_forgotten(use):
            return use.authorization.quantity
        return min(use.authorization.quantity, _unsold(self.to_go_back(use)))

    def to_go_back(self, use: AuthorizationUse) -> list[Order]:
        """Return the stops at this price that were cancelled for this close and for no later confirmed one."""
        since = self.state.stage.state.confirmations[use.authorization.ticket_id].received_at
        turned = self.state.stage.state.confirmations.values()
        later = [c for c in turned if c.is_decided and not c.is_void and c.received_at > since]
        named = {order_id for confirmation in later for order_id in confirmation.ticket.cancels}
        return [stop for stop in self.made_way(use) if stop.id not in named and _has_made_way(stop)]

    def in_the_way(self, use: AuthorizationUse) -> list[Order]:
        """Return the targets that reserve the shares of a stop to be restored: their pair's stop is gone."""
        pairs = {stop.parent for stop in self.to_go_back(use)}
        return [order for order in self.stops(use) if order.is_target and order.is_working and order.parent in pairs]

    def may_end_yet(self, stop: Order) -> bool:
        """Whether a cancel of the stop may still take effect, including one that was dropped here."""
        return stop.is_working and (stop.is_cancelling or stop.may_end_by_a_dropped_cancel(self.state.at))

    def kept_back(self, symbol: Symbol, strategy: str) -> Decimal:
        """Return the shares that a stop may not reserve: a close is to sell them, beyond those of the close's stops."""
        closes = self.closes_under_way(symbol, strategy)
        return sum((max(use.authorization.quantity - self._held(use), ZERO) for use in closes), ZERO)

    def closes_under_way(self, symbol: Symbol, strategy: str) -> list[AuthorizationUse]:
        """Return the closes that wait for their stops; not a confirmed one that is not decided yet."""
        waiting = (
            use
            for use in self.state.stage.authorizations(AuthorizationKind.CLOSE)
            if use.is_unused and self.ticket(use)
        )
        return [use for use in waiting if (use.authorization.symbol, self.owner(use)) == (symbol, strategy)]

    def _held(self, use: AuthorizationUse) -> Decimal:
        return sum((stop.remaining for stop in self.stops(use) if stop.is_working), ZERO)

    def owner(self, use: AuthorizationUse) -> str:
        return self.state.stage.state.confirmations[use.authorization.ticket_id].proposal.strategy

    def stops(self, use: AuthorizationUse) -> list[Order]:
        """Return the orders that the ticket cancels, if the ledger knows them."""
        return [order for order_id in self._cancels(use) if (order := self.state.ledger.order(order_id)) is not None]

    def _cancels(self, use: AuthorizationUse) -> tuple[ClientOrderId, ...]:
        ticket = self.ticket(use)
        return ticket.cancels if ticket is not None else ()

    def _of_the_same_shares(self, orders: list[Order], followers: list[AuthorizationUse]) -> list[AuthorizationUse]:
        """Return the restore authorizations of later closes for stops of this line: those of a pair."""
        parents = {close.authorization.parent for close in followers}
        rests = (
            use
            for use in self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP)
            if use.authorization.parent in parents
        )
        return [use for use in rests if any(stop in orders for stop in self.made_way(use))]

    def made_way(self, use: AuthorizationUse) -> list[Order]:
        """Return the stops at this price that were cancelled for it and not replaced by another signed one.

        If there is none, those whose terms the broker changed after they were signed (EX-13).
        """
        gone, cancels = self.stops(use), self._cancels(use)
        refused = {o.id for o in gone if o.status is OrderStatus.REJECTED and o.request.replaces in cancels}
        standing = [o for o in gone if o.id not in refused]
        followed = {o.request.replaces for o in standing}
        last = [o for o in standing if o.id not in followed]
        return [o for o in last if _is_signed(o, use.authorization)] or [o for o in last if self._is_changed(o, use)]

    def _is_changed(self, stop: Order, use: AuthorizationUse) -> bool:
        """Whether the broker changed the terms of this stop, so that its close names no such stop."""
        signed = self.state.stage.authorizations(AuthorizationKind.RESTORE_STOP, use.authorization.parent)
        is_named = any(_is_signed(stop, one.authorization) for one in signed)
        return stop.is_protective and stop.terms_before is not None and not is_named

    def own(self, parent: ClientOrderId) -> list[Order]:
        """Return the sale, its pair and their replacements, without later closes."""
        return self.state.ledger.lines.grown({parent})

    def _line(self, use: AuthorizationUse) -> tuple[list[Order], list[AuthorizationUse]]:
        names = {use.authorization.parent}
        waiting, followers = list(self.state.stage.authorizations(AuthorizationKind.CLOSE)), list[AuthorizationUse]()
        while True:
            orders = self.state.ledger.lines.grown(names)
            following = [close for close in waiting if self._takes_the_place(close, names)]
            if not following:
                return orders, followers
            followers += following
            names |= {close.authorization.parent for close in following}
            waiting = [close for close in waiting if close not in following]

    def _takes_the_place(self, close: AuthorizationUse, names: set[ClientOrderId]) -> bool:
        ticket = self.ticket(close)
        return ticket is not None and not names.isdisjoint(ticket.cancels)

    def _works(self, order: Order) -> bool:
        """Whether it works. A replacement of an order that ended otherwise does not: no broker accepts it."""
        return order.is_working and not self.state.ledger.chains.is_forestalled(order)


def _has_made_way(stop: Order) -> bool:
    """Whether the stop ended for the close. Not if it works, expired, or was cancelled by the operator or a kill.

    A stop whose cancel was dropped and did not take effect was cancelled by somebody else with access to the account.
    """
    if stop.is_working or stop.status is OrderStatus.EXPIRED:
        return False
    if stop.cancel_requested_at is not None:
        return stop.cancel_code in MADE_WAY
    return stop.let_go_at is None


def _unsold(stops: list[Order]) -> Decimal:
    """Return the quantity that the cancelled stops had not sold."""
    return sum((stop.remaining for stop in stops), ZERO)


def _is_signed(stop: Order, authorization: StandingAuthorization) -> bool:
    """Whether this is the stop signed to be restored, by its type and prices."""
    request = stop.request
    return (
        request.stop_price == authorization.stop_price
        if authorization.terms is None
        else request.terms == authorization.terms
    )
