"""The ledger's state with its index: legs, chains of replacements, and the shares that working exits claim (EX-13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from datetime import date, datetime
from typing import TypeVar

from core.execution.entry_groups import EntryGroup
from core.execution.order import Order
from core.model.codes import BY_A_PERSON, MADE_WAY, EndCode
from core.model.lazy_dataclass import dataclass
from core.model.order import LegRole, OrderStatus, Side
from core.model.position import AnyTrade, Position
from core.model.staging import Approval
from core.model.values import NO_MONEY, NO_SHARES, ZERO, ClientOrderId, ExecutionId, Money, Quantity, Symbol

UNKNOWN_OWNER = "broker"
"""Strategy name of a position taken over from the broker's books that has no owner."""


Key = TypeVar("Key")
Orders = dict[ClientOrderId, Order]


def position_key(symbol: Symbol, strategy: str) -> str:
    return f"{symbol}/{strategy}"


@dataclass(frozen=True, slots=True)
class TakenOff:
    """Shares that a correction removed from a position, as it was before; `quantity` is below zero for a short."""

    position: Position
    quantity: Quantity
    at: datetime


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Shares that corrections added to a position; below zero for a short. Those sold since count on."""

    quantity: Quantity
    at: datetime


@dataclass(frozen=True, slots=True)
class EndedPosition:
    """A position that its last exit fill closed, before and after that fill, with its trade."""

    before: Position
    after: Position
    trade: AnyTrade
    at: datetime


@dataclass(frozen=True, slots=True)
class UntoldTrade:
    """A trade that a fill ended and that is not recorded yet, and what that fill realised, USD."""

    trade: AnyTrade
    realised: Money


@dataclass(slots=True)
class LedgerState:
    """The ledger's state.

    `positions` is keyed `SYMBOL/strategy`; flat ones are not kept. Orders that ended before today leave once nothing
    depends on them, and after a week in any case; those that never arrived are kept longer. `forgotten` is the number
    of those that left, with the sum of all of them: the index of past orders has them whole, and no id is used again.
    `closed_by` is what each strategy realised of `closed_profit`, on `closed_day`. `trades` has those of today, `ended`
    the last one of each position among them, in case the broker takes its exit back; that of shares that were paid out
    for a week. `taken_off` and `taken_in` are the shares that corrections
    removed and added today. `untold` has the trades that are over and not recorded: a crash may come between. For an
    order not recorded yet, `permits` has its approval, and `redeemed` the stop that it reduces.
    """

    orders: dict[ClientOrderId, Order] = field(default_factory=dict)
    forgotten: int = 0
    forgotten_sum: str = ""
    executions: dict[ExecutionId, ClientOrderId] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    trades: list[AnyTrade] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    entries_day: date | None = None
    closed_profit: Money = NO_MONEY
    closed_by: dict[str, Money] = field(default_factory=dict)
    closed_day: date | None = None
    redeemed: dict[ClientOrderId, ClientOrderId] = field(default_factory=dict)
    permits: dict[ClientOrderId, Approval] = field(default_factory=dict)
    orders_sent: int = 0
    updates_ignored: int = 0
    taken_off: dict[str, TakenOff] = field(default_factory=dict)
    taken_in: dict[str, TakenIn] = field(default_factory=dict)
    ended: dict[str, EndedPosition] = field(default_factory=dict)
    untold: list[UntoldTrade] = field(default_factory=list)

    def position(self, symbol: Symbol, strategy: str) -> Position | None:
        return self.positions.get(position_key(symbol, strategy))

    def positions_in(self, symbol: Symbol) -> tuple[Position, ...]:
        return tuple(p for p in self.positions.values() if p.symbol == symbol)


class LedgerIndex:
    """The state with its indexes: the order sequence, legs by parent, reduced stops, and the working orders.

    Attributes
    ----------
    working, entries, reducing
        The working orders; those that open or add; those that only reduce.
    on_side, exits, groups
        Working orders by symbol and side; those that only reduce by owner; those that open or add in groups.
    replacing, owned
        Orders by the one that they were sent to replace; all orders by symbol and strategy.
    pending
        Orders that the broker has not answered for.
    with_legs
        Orders whose tickets have legs, by symbol.
    warned
        Working orders with a warning that waits.
    """

    def __init__(self) -> None:
        self.restore(LedgerState())

    def restore(self, state: LedgerState) -> None:
        """Restore a saved state and rebuild the indexes."""
        self.state = state
        self.working: Orders = {}
        self.entries: Orders = {}
        self.reducing: Orders = {}
        self.pending: Orders = {}
        self.warned: Orders = {}
        self.cut: Orders = {}
        self.on_side: dict[tuple[Symbol, Side], Orders] = {}
        self.exits: dict[tuple[Symbol, str], Orders] = {}
        self.groups: dict[tuple[Symbol, Side, str], EntryGroup] = {}
        self.places: dict[ClientOrderId, int] = {}
        self.legs: dict[ClientOrderId, Orders] = {}
        self.replacing: dict[ClientOrderId, Orders] = {}
        self.owned: dict[tuple[Symbol, str], Orders] = {}
        self.with_legs: dict[Symbol, Orders] = {}
        for order in state.orders.values():
            self.enter(order)

    @property
    def orders(self) -> Orders:
        """Return the orders, oldest first."""
        return self.state.orders

    def enter(self, order: Order) -> None:
        """Index an order: its place in the sequence, its parent if it is a leg, and what it is now."""
        self.places[order.id] = next(reversed(self.places.values()), 0) + 1
        if order.role is not None and order.parent is not None:
            self.legs.setdefault(order.parent, {})[order.id] = order
        for before in (order.request.replaces, order.again_of):
            if before is not None:
                _put(self.replacing, before, order, belongs=True)
        _put(self.owned, (order.request.symbol, order.strategy), order, belongs=True)
        if order.request.legs:
            _put(self.with_legs, order.request.symbol, order, belongs=True)
        self.note(order)
        if order.again_of is not None and order.again_of in self.state.orders:
            self.note(self.state.orders[order.again_of])

    def _is_sent_again(self, order: Order) -> bool:
        """Whether another order with a new id stands for it, also if a crash kept its own end from being recorded."""
        return any(one.again_of == order.id for one in self.replacing.get(order.id, {}).values())

    def leave(self, order: Order) -> None:
        del self.state.orders[order.id], self.places[order.id]
        self.cut.pop(order.id, None)
        if order.role is not None and order.parent is not None:
            _put(self.legs, order.parent, order, belongs=False)
        for before in (order.request.replaces, order.again_of):
            if before is not None:
                _put(self.replacing, before, order, belongs=False)
        _put(self.owned, (order.request.symbol, order.strategy), order, belongs=False)
        _put(self.with_legs, order.request.symbol, order, belongs=False)

    def note(self, order: Order) -> None:
        """Index an order as it is now: after each change of its status, quantities, warning or replacement."""
        request, is_working, reduces = order.request, order.is_working, order.only_reduces
        is_back = is_working and order.id not in self.working and self._is_older_than_working(order)
        _keep(self.cut, order, belongs=order.is_cut)
        _keep(self.working, order, belongs=is_working)
        _keep(self.pending, order, belongs=order.status is OrderStatus.PENDING)
        _keep(self.warned, order, belongs=is_working and order.warned_at is not None)
        _put(self.on_side, (request.symbol, request.side), order, belongs=is_working)
        if reduces:
            _keep(self.reducing, order, belongs=is_working)
            has_claim = is_working and not self._is_sent_again(order)
            _put(self.exits, (request.symbol, order.strategy), order, belongs=has_claim)
        else:
            self._note_entry(order)
        if is_back:  # as a start from a checkpoint orders them
            its = self.on_side[request.symbol, request.side], self.exits.get((request.symbol, order.strategy), {})
            for members in (self.working, self.reducing, *its):
                self._sort(members)

    def _is_older_than_working(self, order: Order) -> bool:
        newest = next(reversed(self.working), None)
        return newest is not None and self.places[order.id] < self.places[newest]

    def _sort(self, members: Orders) -> None:
        in_order = sorted(members.values(), key=lambda order: self.places[order.id])
        members.clear()
        members.update((order.id, order) for order in in_order)

    def _note_entry(self, order: Order) -> None:
        _keep(self.entries, order, belongs=order.is_working)
        key = (order.request.symbol, order.request.side, order.strategy)
        group = self.groups.get(key)
        if order.is_working:
            group = group or self.groups.setdefault(key, EntryGroup(*key))
            group.note(order)
        elif group is not None:
            group.drop(order.id)
            if not group.orders:
                del self.groups[key]


def _keep(members: Orders, order: Order, *, belongs: bool) -> None:
    if belongs:
        members[order.id] = order
    else:
        members.pop(order.id, None)


def _put(groups: dict[Key, Orders], key: Key, order: Order, *, belongs: bool) -> None:
    """Keep an order in its group; no empty group is kept."""
    if belongs:
        groups.setdefault(key, {})[order.id] = order
    elif (its := groups.get(key)) is not None:
        its.pop(order.id, None)
        if not its:
            del groups[key]


class Legs:
    """Orders that the broker created with another, and their replacements."""

    def __init__(self, index: LedgerIndex) -> None:
        self.index = index

    def of(self, parent: ClientOrderId) -> tuple[Order, ...]:
        """Return the legs that the broker created with an order, and their replacements."""
        return tuple(self.index.legs.get(parent, {}).values())

    def are_expected(self, order: Order) -> bool:
        """Whether the broker holds, or held, legs of it that it has not named yet."""
        is_moot = order.is_bare or order.status is OrderStatus.PENDING
        if not order.request.legs or is_moot or (order.status.is_terminal and not order.filled_quantity):
            return False
        return not self.of(order.id)

    def lack_some(self, order: Order) -> bool:
        """Whether only some of the legs on its ticket are known, as after a crash between two."""
        known = {leg.role for leg in self.of(order.id)}
        return bool(known) and not known.issuperset(leg.role for leg in order.request.legs)

    def parents_of_unnamed(self, symbol: Symbol) -> tuple[Order, ...]:
        """Return the orders of a symbol whose legs the broker may have created and has not named yet."""
        return tuple(
            o
            for o in self.index.with_legs.get(symbol, {}).values()
            if self.are_expected(o) or o.status is OrderStatus.PENDING
        )

    def is_held(self, order: Order) -> bool:
        """Whether it is a leg whose entry is not filled: it protects nothing and reserves no shares.

        An entry that the broker calls filled has activated its legs, whatever its filled quantity, and whatever of it
        was taken back since.
        """
        parent = self._made_with(order)
        if parent is None or parent.status is OrderStatus.FILLED or parent.end_code is EndCode.FILLED_SHORT:
            return False
        return not parent.only_reduces and parent.remaining > 0

    def left_to_legs(self, symbol: Symbol, strategy: str, but: Order | None = None) -> Quantity:
        """Return the shares of entries that their own legs are to protect.

        If another stop reserved them, the broker would refuse those legs (EX-13).
        """
        entries = (
            o
            for o in self.index.with_legs.get(symbol, {}).values()
            if o.strategy == strategy
            and not o.only_reduces
            and not o.is_bare
            and o is not but
            and (o.is_working or self.are_expected(o))
        )
        return Quantity(sum((entry.filled_quantity for entry in entries), ZERO))

    def is_orphan(self, leg: Order) -> bool:
        """Whether a leg has nothing to wait for: its entry ended unfilled, or its sibling is filled."""
        parent = self._made_with(leg)
        is_cut_off = self.is_held(leg) and parent is not None and parent.status.is_terminal
        return is_cut_off or any(sibling.status is OrderStatus.FILLED for sibling in self.oco_siblings(leg))

    def oco_siblings(self, order: Order) -> tuple[Order, ...]:
        """Return the other orders of its pair: a fill or cancel of one makes the broker cancel the other."""
        if not order.is_target and order.role is None:
            return ()
        pair = list(self.of(order.id if order.role is None else order.parent or order.id))
        parent = self._made_with(order)
        if parent is not None and parent.is_target:
            pair.append(parent)
        return tuple(o for o in pair if o is not order)

    def _made_with(self, leg: Order) -> Order | None:
        return self.index.orders.get(leg.parent) if leg.role is not None and leg.parent is not None else None

    def leaves_it_to_its_stop(self, order: Order) -> bool:
        """Whether a target's shares are claimed by its stop; an OCO claims them itself until its stop is known."""
        return order.is_target and (order.role is LegRole.TARGET or bool(self.of(order.id)))


class ReplacementChains:
    """Uses the orders' own marks: which order each replaces, its pending replacement, and its replacement."""

    def __init__(self, index: LedgerIndex) -> None:
        self.index = index

    def predecessor(self, order: Order) -> Order | None:
        """Return the order that this one was sent to replace, working or not."""
        return self.index.orders.get(order.request.replaces) if order.request.replaces is not None else None

    def replaced(self, order: Order) -> Order | None:
        """Return the working order that this one was sent to replace; None if that has ended, or it replaces none."""
        old = self.predecessor(order)
        return old if old is not None and old.is_working else None

    def is_forestalled(self, order: Order) -> bool:
        """Whether the order that it was to replace ended otherwise: no broker accepts it any more."""
        old = self.predecessor(order)
        return old is not None and old.status.is_terminal and not old.made_way

    def replacement(self, order: Order) -> Order | None:
        """Return the working order that was sent to replace this one, or one of its replacements."""
        following = order.replacement or order.replaced_by
        while following is not None and (found := self.index.orders.get(following)) is not None:
            if found.is_working:
                return found
            following = found.replacement or found.replaced_by
        return None

    def is_in_doubt(self, order: Order) -> bool:
        """Whether nobody knows that the broker has it: it has no answer, or the broker does not know it any more.

        The first not if the broker reports the old one as replaced.
        """
        if order.in_doubt_since is None or not order.is_working:
            return False
        old = self.predecessor(order)
        return order.status is not OrderStatus.PENDING or old is None or not old.made_way

    def has_filled_on(self, day: date, order: Order) -> bool:
        """Whether it or another order of its chain was filled on a day, at least in part.

        The broker's report on the older order may come later than on its replacement.
        """
        return any(o.last_filled_on == day for o in (order, *self.line(order)))

    def line(self, order: Order) -> Iterator[Order]:
        """Yield every order before and after this one in its chain, working or not."""
        before = self.predecessor(order)
        while before is not None:
            yield before
            before = self.predecessor(before)
        following = order.replacement or order.replaced_by
        while following is not None and (after := self.index.orders.get(following)) is not None:
            yield after
            following = after.replacement or after.replaced_by


class OrderLines:
    """Orders with all that followed from them: their legs and replacements."""

    def __init__(self, index: LedgerIndex) -> None:
        self.index = index

    def grown(self, names: set[ClientOrderId], *, only_reducing: bool = False) -> list[Order]:
        """Return the orders of these names, their legs and replacements, oldest first.

        Their names are added to `names`. With `only_reducing`, no other orders count, nor what followed from them.
        """
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            for order in (*self.index.replacing.get(name, {}).values(), *self.index.legs.get(name, {}).values()):
                if order.id not in names and (order.only_reduces or not only_reducing):
                    names.add(order.id)
                    waiting.append(order.id)
        found = (self.index.orders.get(name) for name in names)
        known = [one for one in found if one is not None and (one.only_reduces or not only_reducing)]
        return sorted(known, key=lambda one: self.index.places[one.id])

    def owned(self, symbol: Symbol, strategy: str) -> Iterable[Order]:
        """Return all orders of a strategy in a symbol, oldest first."""
        return self.index.owned.get((symbol, strategy), {}).values()


class ExitClaims:
    """The working exits of a position, and the shares that each claims."""

    def __init__(self, index: LedgerIndex, chains: ReplacementChains, legs: Legs) -> None:
        self.index, self.chains, self.legs = index, chains, legs

    def working(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return working orders that reduce this position, including its stops."""
        return tuple(self.index.exits.get((symbol, strategy), {}).values())

    def reserved(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the shares of working exits, also in doubt: no second order is sent for them (EX-06, EX-13)."""
        return Quantity(sum((self.claim(o) for o in self.working(symbol, strategy)), ZERO))

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the shares that may be shown as covered (EX-13).

        Orders in doubt, exits that rest at their limit, exits that the broker does not trade now, orders from before a
        split, and orders that never left this desk cover nothing.
        """
        known = (o for o in self.working(symbol, strategy) if not self.chains.is_in_doubt(o) and o.kept is None)
        exits = [o for o in known if not o.is_before_split]
        return Quantity(sum((self.claim(o) for o in exits if not o.waits_at_limit and o.idle is None), ZERO))

    def at_limit(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the shares of exits that rest at their limit, without a stop."""
        exits = self.working(symbol, strategy)
        return Quantity(sum((self.claim(o) for o in exits if o.waits_at_limit and o.idle is None), ZERO))

    def idle(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return exits that the broker holds and does not trade now."""
        return tuple(o for o in self.working(symbol, strategy) if o.idle is not None)

    def guarded(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the reserved shares without exits at their limit and idle exits that wait for a price (EX-13, EX-22).

        No further exit needs to watch these shares.
        """
        if (symbol, strategy) not in self.index.exits:
            return NO_SHARES
        idle = sum((self.claim(o) for o in self.idle(symbol, strategy) if o.stands_by), ZERO)
        return Quantity(self.reserved(symbol, strategy) - self.at_limit(symbol, strategy) - idle)

    def doubted(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return stops and other exits that may be at the broker but are not confirmed by it."""
        return tuple(o for o in self.working(symbol, strategy) if self.chains.is_in_doubt(o) and self.claim(o) > 0)

    def claim(self, order: Order) -> Quantity:
        """Return the shares that an order still claims; none while the order that it replaces works.

        None either for a replacement of an order that has ended: no broker accepts it. None for a held leg or a target:
        its stop claims the same shares (EX-13).
        """
        is_lost = order.status is OrderStatus.PENDING and self.chains.is_forestalled(order)
        is_idle = (
            is_lost or self.chains.replaced(order) or self.legs.is_held(order) or self.legs.leaves_it_to_its_stop(order)
        )
        return NO_SHARES if is_idle else order.remaining

    def has_bracket_order(self, symbol: Symbol, strategy: str) -> bool:
        """Whether legs of the position work at the broker: nothing else does their job (EX-13)."""
        exits = self.working(symbol, strategy)
        return any((o.role is not None or o.is_target) and not self.legs.is_held(o) for o in exits)

    def cut_stops(self) -> tuple[Order, ...]:
        """Return stops that ended as too large, of positions that are still held: they may be owed shares."""
        return tuple(order for order in self.index.cut.values() if order.is_cut and self._is_of_what_is_held(order))

    def last_stop(self, position: Position, *, is_sold: bool = False) -> Order | None:
        """Return the stop that ended last with shares unsold, or that sold all (`is_sold`); None without one.

        One that came back since it was cancelled for another order of its shares is passed over if another ended too.
        One after which a key gave another stop is none, nor one that a person cancelled: it stays away.
        """
        its = [o for o in self.index.owned.get((position.symbol, position.strategy), {}).values() if o.is_protective]
        latest = {o.request.terms: o for o in sorted(its, key=lambda o: o.created_at)}

        def is_back(stop: Order) -> bool:
            last = latest[stop.request.terms]
            return stop.cancel_code in MADE_WAY and last is not stop and last.created_at >= _ended_at(stop)

        by_key = max((o.created_at for o in its if str(o.proposal_id) == o.id and not o.request.replaces), default=None)
        ended = [o for o in its if not o.is_working and not o.made_way and o.cancel_code not in BY_A_PERSON]
        ended = [o for o in ended if bool(o.remaining) is not is_sold and self._is_of_what_is_held(o)]
        ended = [o for o in ended if by_key is None or by_key <= _ended_at(o)]
        return max([o for o in ended if not is_back(o)] or ended, key=_ended_at, default=None)

    def in_its_place(self, stop: Order) -> Order:
        """Return what a stop that made way was put back as, and moved to since; itself if it was not put back."""
        if stop.cancel_code not in MADE_WAY:
            return stop
        its = self.index.owned.get((stop.request.symbol, stop.strategy), {}).values()
        back = [o for o in its if o.is_protective and o.request.terms == stop.request.terms and o is not stop]
        last = max((o for o in back if o.created_at >= _ended_at(stop)), key=lambda o: o.created_at, default=stop)
        while last.replaced_by is not None and (moved := self.index.orders.get(last.replaced_by)) is not None:
            last = moved
        return last

    def _is_of_what_is_held(self, stop: Order) -> bool:
        held = self.index.state.position(stop.request.symbol, stop.strategy)
        if held is None or (held.quantity > 0) is not (stop.request.side is Side.SELL):
            return False
        return (stop.ended_at or stop.created_at) >= min(held.began, held.opened_at)


def _ended_at(stop: Order) -> datetime:
    return stop.ended_at or stop.created_at
