"""Retention of confirmations: while the order may fill, or a stop of it may be staged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from core.model.calendar import Calendar
from core.model.staging import AuthorizationKind
from core.model.values import ClientOrderId, TicketId
from core.staging.stage_state import LESS, STOPS, AuthorizationUse, Confirmation, StageState

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
