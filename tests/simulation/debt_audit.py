"""What is owed to a person who is not looking: a stop in force, or an urgent notice; a sale, or what to do instead.

Shares whose ticket named a stop may be bare for many causes (`bareness.py`). Where the cause ends by a person alone,
one has to be told within seconds (EX-22); a close that ends without a sale says so too (EX-21).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core import facts
from core.execution.ledger_state import position_key
from core.model.codes import FAILED_CLOSES, AuthorizationCode, ProposalEnd
from core.model.notice import NoticeKind
from core.model.order import OrderStatus
from core.model.position import Fill
from core.model.session import Session
from core.model.staging import AuthorizationKind, StandingAuthorization
from core.model.values import ZERO
from core.trading_state.notifications import READ_ONLY
from core.workflows.operator.notification_delivery import EXIT, STOP
from core.workflows.protection.owed_stops import LEGS_TOLD_AFTER
from tests.simulation.bareness import LEGS_WAIT, NEEDS_A_PERSON, REVERSED, Owner

if TYPE_CHECKING:
    from simulation.auditor import Auditor

IN_FORCE = (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED)
AT_MOST = timedelta(seconds=5)
"""From when shares are bare until somebody is told, or a stop guards them."""
NEVER = datetime.min.replace(tzinfo=UTC)
BY_A_PERSON = frozenset(
    {
        AuthorizationCode.SOLD,
        AuthorizationCode.CANCELLED,
        AuthorizationCode.DISPLACED,
        AuthorizationCode.DECLINED,
        AuthorizationCode.TAKEN_BACK,
    }
)
"""Ends of a close that somebody chose, and its sale."""


class DebtAudit:
    """`bare_since` is since when an owner's shares are bare and nobody was told why.

    `legs_wait_since` is since when they wait for an entry to be filled whole, and nobody was told.
    `unwanted` has the shares for which a person took the stop back, declined one or typed NAKED.
    """

    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.bare_since: dict[Owner, datetime] = {}
        self.legs_wait_since: dict[Owner, datetime] = {}
        self.closes: dict[str, StandingAuthorization] = {}
        self.unwanted: Counter[Owner] = Counter()
        self._turned: dict[str, list[StandingAuthorization]] = {}
        self.fills: Counter[str] = Counter()
        self._untold: list[tuple[datetime, StandingAuthorization, str]] = []
        self._told_of: dict[str, datetime] = {}
        """When a person was told urgently to look at a symbol at the broker."""

    def hear(self, at: datetime, fact: facts.Fact) -> None:
        match fact:
            case facts.NotificationDue() if fact.notice.kind is NoticeKind.EXIT_WAITING:
                self._untold = [one for one in self._untold if one[1].symbol != fact.notice.symbol]
            case facts.NotificationDue() if fact.notice.kind is NoticeKind.HALT and fact.notice.symbol is not None:
                self._told_of[fact.notice.symbol] = at
            case facts.ConfirmationReceived():
                closes = [
                    authorization
                    for authorization in fact.authorizations
                    if authorization.kind is AuthorizationKind.CLOSE
                ]
                self._turned[fact.ticket_id] = closes
            case facts.OrderApproved():
                self.closes |= {
                    authorization.id: authorization for authorization in self._turned.pop(fact.ticket_id, ())
                }
            case facts.OrderFilled():
                self.fills[fact.fill.client_order_id] += 1
                self._filled(fact.fill)
            case facts.OrderStateChanged():
                self._changed(fact.client_order_id)
            case facts.ProposalEnded() if fact.end is ProposalEnd.DECLINED:
                proposal = self.auditor.story.proposals[fact.proposal_id]
                if proposal.is_guard:
                    self.unwanted[proposal.symbol, proposal.strategy] += proposal.order.quantity
            case facts.Killed() if fact.naked:
                for owner in self._owners():
                    self.unwanted[owner] = self._unguarded(owner)
            case facts.AuthorizationEnded() if fact.authorization_id in self.closes:
                self._ended_without_a_word(at, fact)
            case facts.EngineStarted():
                self.bare_since, self.legs_wait_since = {}, {}
                self._untold = [(at + AT_MOST, *one[1:]) for one in self._untold]  # a crash took its notice: told anew

    # ── closes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _ended_without_a_word(self, at: datetime, fact: facts.AuthorizationEnded) -> None:
        close = self.closes.pop(fact.authorization_id)
        if fact.code in BY_A_PERSON or self._sold_something(close):
            return
        if fact.code is AuthorizationCode.NOTHING_LEFT and self._is_nothing_left(close):
            return
        if fact.code in FAILED_CLOSES:
            self._untold.append((at, close, fact.reason))
            return
        self._say(
            f"a close of {close.symbol} ended without a sale and without a word: {fact.code.value}, {fact.reason}"
        )

    def _sold_something(self, close: StandingAuthorization) -> bool:
        return self.fills[close.parent] > 0

    def _is_nothing_left(self, close: StandingAuthorization) -> bool:
        """Flat, or other sales of it are out."""
        story = self.auditor.story
        strategy = story.proposals[story.tickets[close.ticket_id].proposal_id].strategy
        if not story.positions[f"{close.symbol}/{strategy}"]:
            return True
        others = (o for o in story.orders.values() if (o.order.symbol, o.strategy) == (close.symbol, strategy))
        return any(o.is_sale and (o.status.is_working or o.filled) for o in others)

    def _say(self, words: str) -> None:
        self.auditor.require(False, words, "unsold")

    # ── stops ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _owners(self) -> set[Owner]:
        story = self.auditor.story
        moved = {(act.to, seen.strategy) for act in story.acts for seen in story.orders.values()}
        return moved | {(seen.order.symbol, seen.strategy) for seen in story.orders.values()}

    def _unguarded(self, owner: Owner) -> Decimal:
        """Shares of it that no working stop guards; a leg guards what its entry bought."""
        orders, guarded = self.auditor.story.orders, ZERO
        for seen in orders.values():
            is_of_today = seen.order.client_order_id not in self.auditor.story.of_before
            its = (seen.order.symbol, seen.strategy) == owner and seen.order.type.is_stop and is_of_today
            if its and seen.order.effect.only_reduces and seen.status in IN_FORCE:
                entry = orders.get(seen.parent or "") if seen.role is not None else None
                left = seen.order.quantity - seen.filled
                guarded += left if entry is None else min(left, entry.filled)
        return max(abs(self.auditor.story.positions[position_key(*owner)]) - guarded, ZERO)

    def _filled(self, fill: Fill) -> None:
        """What was signed before NAKED was typed has no stop either."""
        seen = self.auditor.story.orders[fill.client_order_id]
        owner = seen.order.symbol, seen.strategy
        if not seen.order.effect.only_reduces and seen.sequence < self.auditor.story.naked_since:
            self.unwanted[owner] += fill.quantity
        self.unwanted[owner] = min(self.unwanted[owner], self._unguarded(owner))

    def _changed(self, order_id: str) -> None:
        """A stop that a person cancelled has gone, or another guards the shares."""
        story = self.auditor.story
        seen = story.orders[order_id]
        if not (seen.order.type.is_stop and seen.order.effect.only_reduces):
            return
        owner = seen.order.symbol, seen.strategy
        if seen.status is OrderStatus.CANCELLED and order_id in story.taken_away:
            self.unwanted[owner] += seen.order.quantity - seen.filled
        self.unwanted[owner] = min(self.unwanted[owner], self._unguarded(owner))

    def look(self, at: datetime) -> None:
        """Between two inputs of the engine."""
        if not (self._untold or self.bare_since or self.legs_wait_since or self.auditor.world.meter.bare):
            return
        for until, _, reason in self._untold:
            if at > until:
                self._say(f"a close ended without a sale, and nobody was told: {reason}")
        self._untold = [one for one in self._untold if at <= one[0]]
        owed = dict(self._owed(at))
        self.bare_since = {owner: self.bare_since.get(owner, at) for owner in owed}
        for owner, since in list(self.bare_since.items()):
            if at - since > AT_MOST:
                symbol, strategy = owner
                words = (
                    f"{symbol} of {strategy} is owed a stop since {since:%H:%M:%S}, and nobody was told: {owed[owner]}"
                )
                self.auditor.require(False, words, "owed")
                del self.bare_since[owner]
        self.legs_wait_since = {owner: self.legs_wait_since.get(owner, at) for owner in self._waiting_legs(at)}
        for (symbol, strategy), since in self.legs_wait_since.items():
            words = f"{symbol} of {strategy} waits for its entry since {since:%H:%M:%S}, and nobody was told"
            self.auditor.require(at - since <= LEGS_TOLD_AFTER + AT_MOST, words, "owed")

    def _waiting_legs(self, at: datetime) -> Iterator[Owner]:
        """Whose shares have a stop only once their entry is filled whole, and nobody was told of; in a session."""
        world = self.auditor.world
        if not world.meter.bare or not isinstance(world.calendar.session_at(at), Session):
            return
        state = world.engine.state
        for owner in world.meter.bare:
            matters = {f"{STOP} {owner[1]} {owner[0]}", f"{EXIT} {owner[1]} {owner[0]}", READ_ONLY}
            is_told = not matters.isdisjoint(state.notifications.state.matters)
            is_told |= state.may_have_unknown_orders(owner[0])  # told of those (EX-24)
            position = state.ledger.position(*owner)
            owing = None if position is None else state.owed_stops.of(position)
            is_due = owing is not None and owing.needs_a_person and world.meter.shares(owner) > self.unwanted[owner]
            if world.meter.cause_of(owner) == LEGS_WAIT and is_due and not is_told:
                yield owner

    def _owed(self, at: datetime) -> Iterator[tuple[Owner, str]]:
        """Whose shares are bare by a cause that a person alone ends, and nobody was told of; in a session."""
        meter = self.auditor.world.meter
        if not meter.bare or not isinstance(self.auditor.world.calendar.session_at(at), Session):
            return
        told = self.auditor.world.engine.state.notifications.state.matters.keys()
        for owner in meter.bare:
            cause = meter.cause_of(owner)
            matters = (f"{STOP} {owner[1]} {owner[0]}", f"{EXIT} {owner[1]} {owner[0]}", READ_ONLY)
            is_wanted = meter.shares(owner) > self.unwanted[owner]
            is_told = cause == REVERSED and self._told_of.get(owner[0], NEVER) >= meter.bare[owner].began
            if is_told:
                continue
            if cause in NEEDS_A_PERSON and is_wanted and told.isdisjoint(matters):
                yield owner, cause

    def hanging(self) -> list[str]:
        """Closes that wait for nothing: long over, never sold, and never ended."""
        at, story = self.auditor.world.wire.at, self.auditor.story
        return [
            f"a close of {close.symbol} neither sold nor ended, and its time was over at {close.ends_at:%H:%M:%S}"
            for close in self.closes.values()
            if close.id in story.authorizations
            and close.ticket_id not in story.refused  # a key that the desk died under is void
            and not self._is_out(close)
            and at > story.authorizations[close.id].ends_at + timedelta(minutes=2)
        ]

    def _is_out(self, close: StandingAuthorization) -> bool:
        sale = self.auditor.story.orders.get(close.parent)
        return sale is not None and (sale.status is not OrderStatus.PENDING or bool(sale.filled))
