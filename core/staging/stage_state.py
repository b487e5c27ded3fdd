"""The state of the stage, and how long a confirmation is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from datetime import datetime, timedelta
from itertools import takewhile

from core.model.counted_changes import CountsChanges
from core.model.lazy_dataclass import dataclass
from core.model.rescaling import SAME, Rescaling
from core.model.session import Calendar
from core.model.staging import Approval, AuthorizationKind, Proposal, Review, StandingAuthorization, Ticket
from core.model.values import NO_SHARES, ClientOrderId, ProposalId, Quantity, Symbol, TicketId

LESS = "less-"
"""Prefix of an approval's id for a smaller quantity than confirmed."""
STOPS = frozenset({AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.RESTORE_STOP})
"""Authorizations for the shares themselves: they last a session longer than their order."""


@dataclass(slots=True)
class Confirmation(CountsChanges):
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

    def drop_review(self) -> None:
        """Forget the review that the ticket showed: it is recorded, and most of a confirmation that may stay a week."""
        self.ticket = replace(self.ticket, review=Review(()))


@dataclass(slots=True)
class AuthorizationUse:
    """An authorization and its released quantity; `releases` only numbers its approvals, so that no id is reused.

    `returned` are the orders whose permission was returned: after a crash that may be recorded twice. `exits` are the
    orders that it released without a key. `rescaling` is what one share at its key is today, and
    `signed_for` the symbol on its ticket where the shares became shares of another.
    """

    authorization: StandingAuthorization
    released: Quantity = NO_SHARES
    releases: int = 0
    returned: tuple[ClientOrderId, ...] = ()
    exits: tuple[ClientOrderId, ...] = ()
    rescaling: Rescaling = SAME
    signed_for: Symbol | None = None

    @property
    def is_of_before(self) -> bool:
        """Whether its ticket named shares from before a corporate action: a stop of today needs a key (EX-25)."""
        return self.rescaling != SAME or self.signed_for is not None

    @property
    def is_unused(self) -> bool:
        return self.released == 0


@dataclass(slots=True)
class StageState:
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    reviews: dict[ProposalId, Review] = field(default_factory=dict)
    tickets: dict[TicketId, Ticket] = field(default_factory=dict)
    confirmations: dict[TicketId, Confirmation] = field(default_factory=dict)
    authorizations: dict[str, AuthorizationUse] = field(default_factory=dict)
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
    forgot_at: datetime | None = None


A_WEEK = timedelta(days=7)
"""The ledger keeps whole orders for the same time."""
A_MONTH = timedelta(days=30)
"""Retention of an order that never arrived: a sale that is in doubt when the desk stops is one."""


KEPT_TODAY = timedelta(hours=1)
"""Retention of a confirmation of today with nothing left to permit. Baskets refer to theirs for some minutes."""
OFTEN = timedelta(minutes=10)


class TicketRetention:
    """Forgets confirmations with nothing left to permit."""

    def __init__(self, calendar: Calendar, is_working: Callable[[ClientOrderId], bool]) -> None:
        self.calendar = calendar
        self.is_working = is_working

    def over(self, state: StageState, at: datetime) -> set[TicketId]:
        """Return the tickets of confirmations of earlier days that have nothing left to permit."""
        day_of = self.calendar.trading_day
        day = day_of(at)
        before = dict(takewhile(lambda each: day_of(each[1].received_at) < day, state.confirmations.items()))
        its: dict[TicketId, list[AuthorizationUse]] = {}
        for use in state.authorizations.values() if before else ():
            its.setdefault(use.authorization.ticket_id, []).append(use)
        return {id_ for id_, c in before.items() if not self._may_owe(c, its.get(id_, []), at)}

    def forget(self, state: StageState, at: datetime) -> bool:
        """Forget confirmations with nothing left to permit, of earlier days and of today; at most once in ten minutes.

        Returns whether there were any.
        """
        day_of = self.calendar.trading_day
        if state.forgot_at is not None and at - state.forgot_at < OFTEN and day_of(at) == day_of(state.forgot_at):
            return False
        state.forgot_at = at
        old = self.over(state, at) | self._over_today(state, at)
        if not old:
            return False
        names = tuple(old)
        state.confirmations = {id_: c for id_, c in state.confirmations.items() if id_ not in old}
        state.used = {used for used in state.used if not used.startswith(names)}
        state.refusals = {id_: reasons for id_, reasons in state.refusals.items() if id_ not in old}
        state.authorizations = {
            id_: use for id_, use in state.authorizations.items() if use.authorization.ticket_id not in old
        }
        return True

    def _over_today(self, state: StageState, at: datetime) -> set[TicketId]:
        """Return the tickets of decided confirmations that have ended and whose authorizations have all ended.

        A stop's stays for the day: the stop may be sent again on it after the broker lost it (EX-22).
        """
        permitted = {use.authorization.ticket_id for use in state.authorizations.values()}
        aged = takewhile(lambda each: at - each[1].received_at >= KEPT_TODAY, state.confirmations.items())
        return {
            id_
            for id_, confirmation in aged
            if id_ not in permitted
            and (confirmation.is_decided or confirmation.is_void)
            and not confirmation.ticket.order.type.is_stop
            and not self.is_working(confirmation.ticket.order.client_order_id)
        }

    def begin_day(self, state: StageState, at: datetime) -> None:
        """Forget expired smaller permissions, which have no ticket and are refused by their time.

        Refusals stay while their ticket or its confirmation does.
        """
        state.forgot_at = None
        self.forget(state, at)
        state.less = {id_: lapses_at for id_, lapses_at in state.less.items() if at <= lapses_at}
        state.used = {id_ for id_ in state.used if not id_.startswith(LESS)}  # from older journals
        known = state.tickets.keys() | state.confirmations.keys()
        state.refusals = {id_: reasons for id_, reasons in state.refusals.items() if id_ in known}

    def _may_owe(self, confirmation: Confirmation, its: list[AuthorizationUse], at: datetime) -> bool:
        """Return whether its order may fill yet, or a stop of it may be staged."""
        if self.is_working(confirmation.ticket.order.client_order_id):
            return True
        stops = [use for use in its if use.authorization.kind in STOPS]
        if any(at <= use.authorization.ends_at for use in stops):
            return True
        is_to_go_back = any(
            use.authorization.kind is AuthorizationKind.RESTORE_STOP for use in stops
        )  # it ends after its sale
        is_owed = any(use.released < use.authorization.quantity for use in stops)  # it is staged on a ticket, once
        age = at - confirmation.received_at
        return (is_owed and age <= A_WEEK) or (is_to_go_back and age <= A_MONTH)
