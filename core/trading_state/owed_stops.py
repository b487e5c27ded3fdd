"""The slice of missing stops: the cover of shares whose ticket named a stop, or why there is none (EX-22).

It also includes shares whose market exit does not fill, with any ticket. It is derived from the ledger's orders after
each fact that may change it, and records the beginning. Everything that reports unprotected shares reads it: notices,
the bell, panes, banners, reports. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core import facts
from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.execution.order import Order
from core.execution.stop_coverage import CoveredBy, in_force
from core.model.codes import BY_A_PERSON, NEEDS_NOBODY, UNDER_WAY, IdleCode, OwedReason, ProposalEnd
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus
from core.model.position import Position
from core.model.rescaling import Rescaling
from core.model.staging import AuthorizationKind
from core.model.values import NO_SHARES, ZERO, Quantity, Symbol
from core.risk.trading_status import TradingStatus
from core.staging.stage import Stage
from core.staging.stage_state import AuthorizationUse
from core.trading_state.account_block import AccountBlock
from core.trading_state.splits import OF_ONE_SPLIT

NOTIFIED_LATE = frozenset({OwedReason.LEAVING, OwedReason.LEGS_WAIT})
"""Reasons that are notified late or only in a session: what follows one of them has a delay of its own."""
SHORTEST = timedelta(seconds=1)
"""A shorter period is the normal transmission time of a stop, and is not recorded."""
MAY_CHANGE_IT = (
    facts.OrderStateUnknown, facts.OrderKept, facts.KeptOrderReleased, facts.CancelRequested, facts.CancelDropped,
    facts.LegResized, facts.OrderRestated, facts.OrderRevived, facts.OrdersRecalled,
    facts.ContingentOrdersMissing, facts.ProposalStaged,
    facts.AuthorizationEnded, facts.Rearmed, facts.DayStarted, facts.OrderIdled, facts.OrderTradesAgain,
    facts.ConfirmationRefused, facts.EngineStarted, facts.AccountBlocked, facts.AccountUnblocked,
)  # fmt: skip


@dataclass(slots=True)
class Owing:
    """Shares of one position that lack a due stop.

    Attributes
    ----------
    quantity, most
        The current number, and the maximum since the beginning.
    told
        The reason last notified to a person, or None.
    needed_since
        Since when a person is needed, if later than the beginning; otherwise None.
    """

    symbol: Symbol
    strategy: str
    since: datetime
    quantity: Quantity
    why: OwedReason
    most: Quantity
    told: OwedReason | None = None
    needed_since: datetime | None = None

    @property
    def needs_a_person(self) -> bool:
        return self.why not in NEEDS_NOBODY

    def is_told(self, why: OwedReason) -> bool:
        """Whether a person was notified of this reason."""
        return self.told is why or (self.told in UNDER_WAY and why in UNDER_WAY)


@dataclass(slots=True)
class OwedStopsState:
    """By position: the shares whose ticket named a stop, and those of them without one.

    `over` has the ended periods that are still to be recorded, with their end; `naked_at` is when NAKED was typed last:
    earlier stops are not due any more. `first` has, by the ticket of a close, the shares that it still sells before
    those with a stop: those held at its key whose tickets named none. `split_at` has, by symbol, when a split was taken
    from the broker's books.
    """

    named: dict[str, Quantity] = field(default_factory=dict)
    naked_at: datetime | None = None
    owed: dict[str, Owing] = field(default_factory=dict)
    over: list[tuple[Owing, datetime]] = field(default_factory=list)
    first: dict[str, Quantity] = field(default_factory=dict)
    split_at: dict[Symbol, datetime] = field(default_factory=dict)


class OwedStops:
    """Its facts are folded after those of the ledger, the stage and the account's block."""

    name = "owed_stops"

    def __init__(self, ledger: Ledger, stage: Stage, control: TradingStatus, block: AccountBlock) -> None:
        self._ledger, self._stage, self._control, self._block = ledger, stage, control, block
        self.state = OwedStopsState()
        self.folds: Mapping[Any, Any] = {
            **dict.fromkeys(MAY_CHANGE_IT, self._looked),
            facts.ConfirmationReceived: self._signed,
            facts.OrderCreated: self._created,
            facts.OrderFilled: self._filled,
            facts.FillReversed: self._reversed,
            facts.OrderStateChanged: self._changed,
            facts.PositionCorrected: self._corrected,
            facts.CorporateActionApplied: self._split,
            facts.ProposalEnded: self._proposal_ended,
            facts.Killed: self._killed,
            facts.StopOwed: self._told,
            facts.StopInForce: self._recorded,
        }

    def restore(self, state: OwedStopsState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def of(self, position: Position) -> Owing | None:
        """The missing stop of a position; None if each share whose ticket named a stop has one in force."""
        return self.state.owed.get(position_key(position.symbol, position.strategy))

    def covered_by(self, position: Position) -> tuple[CoveredBy, ...]:
        return in_force(self._ledger, position)

    def waiting_entries(self, position: Position) -> tuple[Order, ...]:
        """Return the working entries with legs, which the broker activates once the entry is filled whole."""
        entries = self._ledger.working_entries(position.symbol, position.strategy)
        return tuple(entry for entry in entries if entry.request.legs and not entry.is_bare and entry.filled_quantity)

    def all(self) -> tuple[Owing, ...]:
        return tuple(self.state.owed.values())

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        """Note a confirmed stop: from then on its shares must have it, also if the broker refuses it."""
        order = self._ledger.order(fact.order.client_order_id)
        if order is not None and order.is_protective and not self._ledger.legs.is_held(order):
            self._name_guarded(order)
        self._look(at)

    def _filled(self, at: datetime, fact: facts.OrderFilled) -> None:
        order = self._ledger.order(fact.fill.client_order_id)
        if order is not None:
            self._count(order, fact.fill.quantity)
        self._look(at)

    def _reversed(self, at: datetime, fact: facts.FillReversed) -> None:
        """Count a fill back: an entry's shares need no stop, and an exit's need the one that they had.

        So do shares that no entry opened: those of a trade that was over.
        """
        order, key = self._ledger.order(fact.client_order_id), position_key(fact.symbol, fact.strategy)
        named = self.state.named.get(key, NO_SHARES)
        if order is not None and not order.only_reduces and order.wants_broker_stop:
            self._name(key, named - fact.quantity)
        elif order is not None and order.only_reduces and (order.is_protective or self._had_a_stop(key)):
            self._name(key, named + fact.quantity)
        position = self._ledger.state.positions.get(key)
        if fact.quantity and position is not None and not position.entry_order:
            self._name(key, Quantity(abs(position.quantity)))
        self._look(at)

    def _had_a_stop(self, key: str) -> bool:
        """Whether the ticket of the position's entry named a stop at the broker.

        Of one that has left memory: whether a stop of the position ended.
        """
        position = self._ledger.state.positions.get(key)
        entry = None if position is None else self._ledger.order(position.entry_order)
        if position is None or entry is not None:
            return entry is not None and entry.wants_broker_stop
        return self._ledger.exits.last_stop(position) is not None

    def _changed(self, at: datetime, fact: facts.OrderStateChanged) -> None:
        """Note a change of a stop.

        Shares of one that the broker accepted must have it; those of one that a person cancelled must not, or its pair.
        """
        order = self._ledger.order(fact.client_order_id)
        if order is not None and order.is_protective:
            key = position_key(order.request.symbol, order.strategy)
            named = self.state.named.get(key, NO_SHARES)
            its_pair = (o for o in self._ledger.legs.oco_siblings(order) if o.role is None)
            ended_by = {order.cancel_code, *(sale.cancel_code for sale in its_pair)}
            if fact.after.is_terminal and not ended_by.isdisjoint(BY_A_PERSON):
                self._name(key, named - order.remaining)
            elif fact.after is OrderStatus.SUBMITTED:
                self._name_guarded(order)
        self._look(at)

    def _corrected(self, at: datetime, fact: facts.PositionCorrected) -> None:
        """Note a split that the books show, and what a lost order may have bought.

        It is owed its ticket's stop; a leg is there already.
        """
        if ratios := {share.strategy: share.ratio for share in fact.owners if share.ratio is not None}:
            self.state.split_at[fact.symbol] = at
            self._multiply(fact.symbol, ratios, Decimal(1))
        entries = (o for o in self._ledger.lost_today(fact.symbol, at) if not o.only_reduces and not o.request.legs)
        lost = [entry for entry in entries if entry.wants_broker_stop]
        for share in fact.owners:
            bought = sum((o.remaining for o in lost if o.strategy == share.strategy), ZERO)
            key = position_key(fact.symbol, share.strategy)
            self._name(key, max(self.state.named.get(key, NO_SHARES), min(abs(share.quantity), bought)))
        self._look(at)

    def _split(self, at: datetime, fact: facts.CorporateActionApplied) -> None:
        """Count it, unless the books showed it before, or do not show it yet.

        Where they had the fewer shares of a reverse split that they did not name, all was cut with them.
        """
        for owner in fact.owners:
            before, now = (position_key(symbol, owner.strategy) for symbol in (fact.symbol, fact.symbol_now))
            if (owing := self.state.owed.pop(before, None)) is not None:  # what was told named other shares
                owing.symbol, owing.told, owing.needed_since = fact.symbol_now, None, at
                self.state.owed[now] = owing
            if fact.to is not None and (named := self.state.named.pop(before, None)) is not None:
                self._name(now, named)
        counted_at = self.state.split_at.pop(fact.symbol, None)
        if fact.owners and fact.to is None and fact.evidence is not facts.ActionEvidence.ACTIVITY:
            self.state.split_at[fact.symbol] = at
        was_counted = counted_at is not None and at - counted_at <= OF_ONE_SPLIT
        is_there = self._ledger.net_quantity(fact.symbol) == fact.quantity_after and fact.ratio > 1 and not was_counted
        if fact.owners or is_there:
            ratios = {owner.strategy: owner.ratio for owner in fact.owners if owner.ratio is not None}
            self._multiply(fact.symbol_now, ratios, fact.ratio)
        self._look(at)

    def _multiply(self, symbol: Symbol, ratios: Mapping[str, Decimal], of_others: Decimal) -> None:
        """Count new shares for old ones, of those that are to have a stop and of those that a close sells first.

        `ratios` are by strategy: the shares of several are rounded to what the broker has.
        """
        for key, named in self.state.named.items():
            position = self._ledger.state.positions.get(key)
            if position is not None and position.symbol == symbol:
                self._name(key, _now(named, ratios.get(position.strategy, of_others)))
        for use in self._stage.authorizations(AuthorizationKind.CLOSE):
            ticket_id, its = use.authorization.ticket_id, self._owner_of(use)
            if its is not None and its[0] == symbol and ticket_id in self.state.first:
                self.state.first[ticket_id] = _now(self.state.first[ticket_id], ratios.get(its[1], of_others))

    def _name_guarded(self, stop: Order) -> None:
        key = position_key(stop.request.symbol, stop.strategy)
        self._name(key, max(self.state.named.get(key, NO_SHARES), self._guarded(stop)))

    def _guarded(self, order: Order) -> Decimal:
        working = self._ledger.exits.working(order.request.symbol, order.strategy)
        return sum((self._ledger.exits.claim(exit) for exit in working if exit.is_protective), ZERO)

    def _with_a_stop(self, sale: Order) -> Decimal:
        """Return the shares of working stops and of those that wait for a key; zero for a stop and a target."""
        if sale.is_protective or sale.is_target:
            return ZERO
        its = sale.request.symbol, sale.strategy
        owed = [p for p in self._stage.state.proposals.values() if p.is_owed and (p.symbol, p.strategy) == its]
        return self._guarded(sale) + sum((proposal.order.quantity for proposal in owed), ZERO)

    def _signed(self, at: datetime, fact: facts.ConfirmationReceived) -> None:
        """Note how many shares a close sells first: those held at its key that are to have no stop."""
        for signed in fact.authorizations:
            its = self._stage.state.confirmations.get(fact.ticket_id)
            if signed.kind is AuthorizationKind.CLOSE and its is not None:
                key = position_key(its.proposal.symbol, its.proposal.strategy)
                position = self._ledger.state.positions.get(key)
                held = abs(position.quantity) if position is not None else ZERO
                self.state.first[fact.ticket_id] = Quantity(max(held - self.state.named.get(key, NO_SHARES), ZERO))
        self._look(at)

    def _named_that_it_sells(self, sale: Order, filled: Quantity) -> Decimal | None:
        """Return how many of these shares of a close are to have a stop: it sells the others of its key first.

        None for a stop, a target, and an exit for which no stop was cancelled.
        """
        if sale.is_protective or sale.is_target:
            return None
        its = sale.request.symbol, sale.strategy
        found: Decimal | None = None
        for close in reversed(self._stage.authorizations(AuthorizationKind.CLOSE)):
            signed = self._stage.state.confirmations.get(close.authorization.ticket_id)
            if signed is None or (signed.proposal.symbol, signed.proposal.strategy) != its:
                continue
            ticket, first = signed.ticket, self.state.first.get(close.authorization.ticket_id)
            names = {ticket.order.client_order_id, *ticket.cancels}
            if first is None or sale not in self._ledger.lines.grown(names):
                continue
            taken = min(first, filled)
            self.state.first[close.authorization.ticket_id] = Quantity(first - taken)
            if found is None and signed.is_decided:
                found = filled - taken
        return found

    def _restoring(self) -> Iterable[AuthorizationUse]:
        return self._stage.authorizations(AuthorizationKind.RESTORE_STOP)

    def _owner_of(self, use: AuthorizationUse) -> tuple[Symbol, str] | None:
        signed = self._stage.state.confirmations.get(use.authorization.ticket_id)
        return (signed.proposal.symbol, signed.proposal.strategy) if signed is not None else None

    def _proposal_ended(self, at: datetime, fact: facts.ProposalEnded) -> None:
        """Note a declined stop: its shares must not have one any more."""
        ended = self._stage.ended
        if fact.end is ProposalEnd.DECLINED and ended is not None and ended.id == fact.proposal_id and ended.is_owed:
            key = position_key(ended.symbol, ended.strategy)
            self._name(key, self.state.named.get(key, NO_SHARES) - ended.order.quantity)
        self._look(at)

    def _killed(self, at: datetime, fact: facts.Killed) -> None:
        if fact.naked:
            self.state.naked_at = at
        self._look(at)

    def _looked(self, at: datetime, _fact: object) -> None:
        self._look(at)

    def _told(self, _at: datetime, fact: facts.StopOwed) -> None:
        owing = self.state.owed.get(position_key(fact.symbol, fact.strategy))
        if owing is not None:
            owing.told = fact.why

    def _recorded(self, _at: datetime, fact: facts.StopInForce) -> None:
        its = (fact.symbol, fact.strategy, fact.since)
        self.state.over = [each for each in self.state.over if (each[0].symbol, each[0].strategy, each[0].since) != its]

    # ── implementation ───────────────────────────────────────────────────────────────────────────────────────────

    def _count(self, order: Order, filled: Quantity) -> None:
        """Count a fill.

        An entry adds shares with a stop; an exit first sells those that were to have none, then those without a working
        stop or one that waits for a key, which are for the rest. What was bought after the key of a close is not sold
        by it.
        """
        key = position_key(order.request.symbol, order.strategy)
        named = self.state.named.get(key, NO_SHARES)
        if order.only_reduces:
            of_them = self._named_that_it_sells(order, filled)
            sold = self._named_among(order, filled, named) if of_them is None else of_them
            self._name(key, max(named - sold, min(named, self._with_a_stop(order))))
        elif order.wants_broker_stop:
            self._name(key, named + filled)

    def _named_among(self, order: Order, filled: Quantity, named: Quantity) -> Decimal:
        """Return how many of these shares were to have a stop: of an exit, those beyond the ones that were not."""
        position = self._ledger.state.positions.get(position_key(order.request.symbol, order.strategy))
        if order.is_protective or order.is_target or position is None:
            return filled
        others = max(abs(position.quantity) + filled - named, ZERO)
        return max(filled - others, ZERO)

    def _name(self, key: str, shares: Decimal) -> None:
        self.state.named[key] = Quantity(max(shares, ZERO))

    def _look(self, at: datetime) -> None:
        positions = self._ledger.state.positions
        if self.state.first:
            waiting = {use.authorization.ticket_id for use in self._stage.authorizations(AuthorizationKind.CLOSE)}
            for ticket_id in self.state.first.keys() - waiting:
                del self.state.first[ticket_id]
        for key in [key for key in self.state.named if key not in positions]:
            del self.state.named[key]
        for key in [key for key in self.state.owed if key not in positions]:
            self._end(key, at)
        unfilled = self._unfilled()
        for key in dict.fromkeys((*self.state.named, *unfilled)):
            if (position := positions.get(key)) is None:
                continue
            held = Quantity(abs(position.quantity))
            named = min(self.state.named.get(key, NO_SHARES), held)
            if key in self.state.named:
                self.state.named[key] = named
            covered = sum((each.quantity for each in in_force(self._ledger, position)), ZERO)
            covered += self._taken_away(position)
            resting = min(unfilled.get(key, ZERO), held - covered)
            self._note(key, position, Quantity(max(named - covered, resting, ZERO)), at)
        for key in [key for key in self.state.owed if key not in self.state.named and key not in unfilled]:
            self._end(key, at)

    def _taken_away(self, position: Position) -> Decimal:
        """Return the shares of stops that a person cancelled, which the broker has not carried out yet."""
        exits = self._ledger.exits
        working = exits.working(position.symbol, position.strategy)
        leaving = (o for o in working if o.is_leaving and o.is_protective and o.cancel_code in BY_A_PERSON)
        return sum(map(exits.claim, leaving), ZERO)

    def _unfilled(self) -> dict[str, Decimal]:
        """Return, by position, the shares of market exits that did not fill in time."""
        found: dict[str, Decimal] = {}
        for order in self._ledger.working_exits():
            if order.idle is IdleCode.UNFILLED:
                key = position_key(order.request.symbol, order.strategy)
                found[key] = found.get(key, ZERO) + self._ledger.exits.claim(order)
        return found

    def _note(self, key: str, position: Position, quantity: Quantity, at: datetime) -> None:
        owing = self.state.owed.get(key)
        if not quantity:
            self._end(key, at)
            return
        why = self._why(position, quantity)
        if why is OwedReason.LEGS_WAIT:  # an exit at a limit was chosen on its own ticket
            quantity = Quantity(quantity - min(self._at_limit(position), quantity))
        if owing is None:
            self.state.owed[key] = Owing(position.symbol, position.strategy, at, quantity, why, quantity)
        else:
            is_over = owing.why in NOTIFIED_LATE and why is not owing.why
            if why not in NEEDS_NOBODY and (is_over or not owing.needs_a_person):
                owing.needed_since = at
            if why in NEEDS_NOBODY:
                owing.told = None  # the next loss is another
            if why is OwedReason.LEGS_WAIT and owing.told is why and quantity > owing.quantity:
                owing.told, owing.needed_since = None, at  # more of it filled since
            owing.quantity, owing.why, owing.most = quantity, why, max(owing.most, quantity)

    def _end(self, key: str, at: datetime) -> None:
        owing = self.state.owed.pop(key, None)
        if owing is not None and (at - owing.since >= SHORTEST or owing.told is not None):
            self.state.over.append((owing, at))

    def _why(self, position: Position, quantity: Quantity) -> OwedReason:
        """Return the first reason that applies to these shares, from work in progress to no action at all."""
        exits = self._ledger.exits.working(position.symbol, position.strategy)
        if any(order.kept is not None for order in exits):
            return OwedReason.KEPT
        if any(self._ledger.chains.is_in_doubt(order) for order in exits):
            return OwedReason.IN_DOUBT
        if any(order.status is OrderStatus.PENDING for order in exits):
            return OwedReason.ON_ITS_WAY
        if any(order.is_before_split and order.is_protective for order in exits):
            return OwedReason.BEFORE_SPLIT
        codes = {order.idle for order in exits if order.idle is not None and self._ledger.exits.claim(order) > 0}
        if codes:
            is_leaving = codes == {IdleCode.LEAVING}
            why = OwedReason.LEAVING if is_leaving else OwedReason.NOT_TRADING
            return OwedReason.UNFILLED if IdleCode.UNFILLED in codes else why
        its_orders = self._ledger.lines.owned(position.symbol, position.strategy)
        if self._block.is_on and any(o.is_protective and self._block.explains(o) for o in its_orders):
            return OwedReason.BLOCKED
        if any(p.is_owed and _is_of(p.symbol, p.strategy, position) for p in self._stage.state.proposals.values()):
            return OwedReason.WAITS_FOR_KEY
        at_limit = self._at_limit(position)
        for_legs = sum((entry.filled_quantity for entry in self.waiting_entries(position)), ZERO)
        if at_limit + for_legs >= quantity:
            if at_limit >= quantity:
                return OwedReason.AT_LIMIT
            return OwedReason.LEGS_WAIT if self._control.state.naked_at is None else OwedReason.NAKED
        is_pair = any(order.is_target and order.role is None for order in exits)
        if self._is_closing(position, is_resting=is_pair or at_limit > 0):
            return OwedReason.CLOSING
        if any(p.is_guard and _is_of(p.symbol, p.strategy, position) for p in self._stage.state.proposals.values()):
            return OwedReason.WAITS_FOR_KEY
        if self._control.state.naked_at is not None:
            return OwedReason.NAKED
        last, naked_at = self._ledger.exits.last_stop(position), self.state.naked_at
        stops = [order for order in (last, *exits) if order is not None and order.is_protective]
        if stops and naked_at is not None and max(order.created_at for order in stops) <= naked_at:
            return OwedReason.NAKED
        is_taken = last is not None and last.is_taken_elsewhere and not last.is_before_split
        return OwedReason.TAKEN_ELSEWHERE if is_taken else OwedReason.DUE

    def _at_limit(self, position: Position) -> Decimal:
        """Return the shares of exits that rest at their limit."""
        exits = self._ledger.exits.working(position.symbol, position.strategy)
        return sum((self._ledger.exits.claim(order) for order in exits if order.waits_at_limit), ZERO)

    def _is_closing(self, position: Position, *, is_resting: bool) -> bool:
        """Whether a close is in progress, or stops that made way for one will be restored by its authorization.

        Beside a sale that rests at a limit or as a pair they are back already.
        """
        closes = (use for use in self._stage.authorizations(AuthorizationKind.CLOSE) if use.is_unused)
        its = position.symbol, position.strategy
        return any(self._owner_of(use) == its for use in (*closes, *(() if is_resting else self._restoring())))


def _is_of(symbol: Symbol, strategy: str, position: Position) -> bool:
    return (symbol, strategy) == (position.symbol, position.strategy)


def _now(shares: Quantity, ratio: Decimal) -> Quantity:
    return Rescaling(ratio).shares(shares)
