"""Create the authorizations of a confirmation: one order by digest, and those listed on the ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.order import nearest_first
from core.model.order import OrderType, StopHolder, Terms
from core.model.staging import Approval, AuthorizationKind, StandingAuthorization, StopPlan, Ticket
from core.model.values import ZERO, Quantity
from core.staging.authorization_expiry import end_of_session, end_of_stops
from core.trading_state.state import TradingState

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
            mandate_id=None,
            order_digest=ticket.order.digest(ticket.account),
            lapses_at=self.state.at + life,
        )

    def mandates(self, ticket: Ticket) -> tuple[StandingAuthorization, ...]:
        """Return the authorizations listed beyond the ticket's own order, each with its own end."""
        if isinstance(ticket.stop, StopPlan) and ticket.stop.holder is StopHolder.BROKER:
            guard: Terms = OrderType.STOP, None, ticket.stop.price, None, None
            if ticket.stop.behind is not None:
                guard = OrderType.TRAILING_STOP, None, None, ticket.stop.behind, None
            protective = self._mandate(ticket, AuthorizationKind.PROTECTIVE_STOP, guard, self._end_of_stops(ticket))
            return (protective, *self._signed_exits(ticket))
        if not ticket.cancels:
            return self._signed_exits(ticket)
        life = timedelta(seconds=float(self.state.control.settings.staging.close_seconds))
        return (
            self._mandate(ticket, AuthorizationKind.CLOSE, ticket.order.terms, self.state.at + life),
            *self._stops_to_put_back(ticket),
        )

    def _signed_exits(self, ticket: Ticket) -> tuple[StandingAuthorization, ...]:
        if not ticket.unattended:
            return ()
        ends_at = end_of_session(self.state.calendar, ticket.order, self.state.at)
        return (self._mandate(ticket, AuthorizationKind.EXITS, AT_THE_MARKET, ends_at),)

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
            mandate = self._mandate(ticket, AuthorizationKind.RESTORE_STOP, terms, self._end_of_stops(ticket))
            name = mandate.id if number == 1 else f"{mandate.id}.{number}"
            yield replace(mandate, id=name, quantity=Quantity(quantity))

    def _mandate(
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
