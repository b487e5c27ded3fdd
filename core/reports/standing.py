"""The state at the end of a day: positions with their stops, orders, and matters that need attention."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.execution import cover
from core.execution.cover import PastCover
from core.facts import (
    BreakerClosed,
    BreakerOpened,
    Fact,
    Halted,
    Killed,
    OrderCreated,
    OrderFilled,
    OrderIdled,
    OrderStateChanged,
    OrderStateUnknown,
    OrderTradesAgain,
    ProposalEdited,
    ProposalEnded,
    ProposalStaged,
    ProtectionExpired,
    ProtectionOverridden,
    ProtectionTripped,
    Rearmed,
    ReconciliationFailed,
    ReconciliationPassed,
    RegimeMeasured,
    Resumed,
)
from core.model.codes import HaltCause
from core.model.order import AnyOrder, StopHolder
from core.model.sizing import UNKNOWN, Regime
from core.model.staging import Proposal
from core.model.values import NO_SHARES, ClientOrderId, Price, ProposalId, Quantity, Symbol
from core.ports import Recorded
from core.post_mortem.days import Books, Standing
from core.post_mortem.stories import Key

FOLDED: tuple[type[Fact], ...] = (
    *(kind for kind in cover.FOLDED if kind is not OrderCreated),
    BreakerClosed,
    BreakerOpened,
    Halted,
    Killed,
    ProtectionExpired,
    ProtectionOverridden,
    ProtectionTripped,
    Rearmed,
    ReconciliationFailed,
    ReconciliationPassed,
    RegimeMeasured,
    Resumed,
)
"""Facts to read from all earlier days, besides those that explain a day."""
STAGED: tuple[type[Fact], ...] = (ProposalStaged, ProposalEdited, ProposalEnded)
"""Facts to read from the last earlier days: a strategy repeats a proposal that waits longer."""


@dataclass(frozen=True, slots=True)
class Held:
    """A position.

    Attributes
    ----------
    last
        Its close, or its last price during the day, USD.
    stop
        The nearest of its stops, USD; None without one.
    covered
        The quantity with a stop at the broker, by the rules of the ledger.
    """

    symbol: Symbol
    strategy: str
    standing: Standing
    last: Price | None
    stop: Price | None
    holder: StopHolder
    covered: Quantity


@dataclass(frozen=True, slots=True)
class StillStands:
    """The state at the end of the last day.

    Attributes
    ----------
    orders
        Working orders, without protective stops of positions and legs of unfilled orders.
    exits
        Proposals that would close or protect a position, and wait for a key.
    doubts
        Orders whose existence at the broker is unknown.
    shut
        What keeps the desk from opening, in words.
    entries
        Proposals to open that wait for a key.
    regime
        The market regime, as last measured.
    """

    held: tuple[Held, ...]
    orders: tuple[AnyOrder, ...]
    exits: tuple[Proposal, ...]
    doubts: tuple[AnyOrder, ...]
    shut: tuple[str, ...]
    entries: tuple[Proposal, ...] = ()
    regime: Regime = UNKNOWN

    @property
    def is_empty(self) -> bool:
        return not (self.held or self.orders or self.exits or self.doubts or self.shut or self.entries)


def still_stands(
    before: Iterable[Recorded], records: Iterable[Recorded], closes: Mapping[Symbol, Price]
) -> StillStands:
    """Return the state after all these records, the oldest first.

    Parameters
    ----------
    before
        `FOLDED`, `STAGED`, created orders and changed positions.
    closes
        Closes of the last day, USD.
    """
    found = _Found(Books(), closes)
    end = None
    for record in (*before, *records):
        found.take(record)
        end = record.at
    return found.at_the_end(end)


@dataclass(slots=True)
class _Found:
    books: Books
    closes: Mapping[Symbol, Price]
    entries: dict[ClientOrderId, Quantity] = field(default_factory=dict)
    working: dict[ClientOrderId, OrderCreated] = field(default_factory=dict)
    stops: dict[Key, tuple[Price, StopHolder]] = field(default_factory=dict)
    doubts: set[ClientOrderId] = field(default_factory=set)
    orders: PastCover = field(default_factory=PastCover)
    filled: defaultdict[ClientOrderId, Quantity] = field(default_factory=lambda: defaultdict(lambda: NO_SHARES))
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    halts: dict[HaltCause, str] = field(default_factory=dict)
    shut: dict[str, str] = field(default_factory=dict)
    tripped: dict[tuple[str, str], ProtectionTripped] = field(default_factory=dict)
    regime: Regime = UNKNOWN

    def take(self, record: Recorded) -> None:
        self.books.take(record)
        self.orders.take(record.at, record.fact)
        match record.fact:
            case OrderCreated() as created:
                self._created(created)
            case OrderStateChanged() as changed:
                self.doubts.discard(changed.client_order_id)
                if changed.after.is_terminal:
                    self.working.pop(changed.client_order_id, None)
            case OrderFilled(fill=fill):
                self.doubts.discard(fill.client_order_id)
                self.filled[fill.client_order_id] = Quantity(self.filled[fill.client_order_id] + fill.quantity)
            case OrderStateUnknown(client_order_id=order):
                self.doubts.add(order)
            case OrderIdled(client_order_id=order) | OrderTradesAgain(client_order_id=order):
                self.doubts.discard(order)
            case ProposalStaged(proposal=proposal) | ProposalEdited(proposal=proposal):
                self.proposals[proposal.id] = proposal
            case ProposalEnded(proposal_id=name):
                self.proposals.pop(name, None)
            case _:
                self._status(record.fact)

    def _created(self, created: OrderCreated) -> None:
        order = created.order
        self.working[order.client_order_id] = created
        self.proposals.pop(created.proposal_id, None)
        if not order.effect.only_reduces:
            self.entries[order.client_order_id] = order.quantity
        if created.stop is not None and not order.effect.only_reduces:
            self.stops[order.symbol, created.strategy] = (created.stop.price, created.stop.holder)

    def _status(self, fact: Fact) -> None:
        match fact:
            case Halted(cause=cause, reason=reason):
                self.halts[cause] = reason
            case Resumed(cause=cause):
                self.halts.pop(cause, None)
            case Killed(by=by):
                self.shut["killed"] = f"killed by {by}"
            case Rearmed():
                self.shut.pop("killed", None)
            case ReconciliationFailed(reasons=reasons):
                self.shut["read-only"] = f"read-only: {'; '.join(reasons)}"
            case ReconciliationPassed():
                self.shut.pop("read-only", None)
            case BreakerOpened(reason=reason):
                self.shut["breaker"] = f"the breaker is open: {reason}"
            case BreakerClosed():
                self.shut.pop("breaker", None)
            case RegimeMeasured(regime=regime):
                self.regime = regime
            case ProtectionTripped() as tripped:
                self.tripped[tripped.name, tripped.scope] = tripped
            case ProtectionExpired() | ProtectionOverridden():
                self.tripped.pop((fact.name, fact.scope), None)

    def at_the_end(self, end: datetime | None) -> StillStands:
        held = tuple(
            self._held(key, standing) for key, standing in sorted(self.books.standing.items()) if standing.quantity
        )
        guarded = {(each.symbol, each.strategy) for each in held}
        protections = (
            f"{each.name.replace('_', ' ')} shuts {each.scope}: {each.reason}"
            for each in self.tripped.values()
            if each.until is None or (end is not None and each.until > end)
        )
        return StillStands(
            held,
            tuple(
                created.order
                for name, created in self.working.items()
                if name not in self.doubts
                and not self._waits_for_its_entry(created)
                and not (_is_stop(created) and (created.order.symbol, created.strategy) in guarded)
            ),
            tuple(each for each in self.proposals.values() if each.only_reduces),
            tuple(created.order for name, created in self.working.items() if name in self.doubts),
            (*(f"halted: {reason}" for reason in self.halts.values()), *self.shut.values(), *protections),
            tuple(each for each in self.proposals.values() if not each.only_reduces),
            self.regime,
        )

    def _waits_for_its_entry(self, created: OrderCreated) -> bool:
        """Whether a leg's entry is unfilled: it protects nothing, and ends with the entry."""
        if created.role is None or created.parent not in self.entries:
            return False
        return self.filled[created.parent] < self.entries[created.parent]

    def _held(self, key: Key, standing: Standing) -> Held:
        guards, last = self.orders.guards(*key), self.closes.get(key[0])
        covered = Quantity(min(self.orders.exits.covered(*key), abs(standing.quantity)))
        if guards:
            prices = [order.request.stop_price for order in guards if order.request.stop_price is not None]
            nearest = (max if standing.quantity > 0 else min)(prices, default=None)
            return Held(*key, standing, last, nearest, StopHolder.BROKER, covered)
        planned = self.stops.get(key)
        if planned is not None and planned[1] is StopHolder.DESK:
            return Held(*key, standing, last, planned[0], StopHolder.DESK, covered)
        return Held(*key, standing, last, None, StopHolder.YOU, covered)


def _is_stop(created: OrderCreated) -> bool:
    return created.order.effect.only_reduces and created.order.type.is_stop
