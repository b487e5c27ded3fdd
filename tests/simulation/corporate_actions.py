"""Announced corporate actions: what was told to the desk, and what each must come to, from executions alone (EX-25)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.brokers.simulated.order_book import BookedOrder
from core.messages.inputs import CorporateActionsArrived, Priority
from core.model.broker import Execution
from core.model.order import Side
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import ZERO, Symbol

if TYPE_CHECKING:
    from simulation.auditor import Act
    from simulation.world import Wire, World

ASKED_AFTER = timedelta(seconds=2)
"""From a start until the announcements have come."""
SPLITS = (ActionKind.SPLIT, ActionKind.REVERSE_SPLIT)


@dataclass
class Held:
    """Shares of one owner: signed quantity and cost, and what was gained since it was flat last, USD."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    gained: Decimal = ZERO
    trades: list[Decimal] = field(default_factory=list)
    """What each of its trades gained."""

    def change(self, signed: Decimal, price: Decimal) -> None:
        if self.quantity * signed < 0:
            closed = min(abs(signed), abs(self.quantity)) * (1 if signed > 0 else -1)
            cost = self.cost * -closed / self.quantity
            self.gained += -closed * price - cost
            self.cost -= cost
            self.quantity += closed
            signed -= closed
            if not self.quantity:
                self.trades.append(self.gained)
                self.gained = ZERO
        if signed:
            self.quantity += signed
            self.cost += signed * price


class CorporateActions:
    """What is announced of each symbol, and since when the desk could know it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: dict[Symbol, tuple[CorporateAction, ...]] = {}
        self.told_at: dict[Symbol, datetime] = {}
        self.contradicted: set[Symbol] = set()
        """Symbols of which something else is announced than the broker did."""
        self.hidden: set[Symbol] = set()
        """Symbols whose shares have come and are not listed yet."""
        self.taken_over: set[Symbol] = set()
        """Symbols of which a person took the broker's books over."""

    def tell(self, symbol: Symbol, *actions: CorporateAction) -> None:
        self.told[symbol], self.told_at[symbol] = actions, self.world.wire.at
        self.world.hear(CorporateActionsArrived((symbol,), actions))

    def tell_again(self, wire: Wire) -> None:
        """To a desk that has come up."""
        for symbol, actions in self.told.items():
            message = CorporateActionsArrived((symbol,), actions)
            wire._later(wire.at + ASKED_AFTER, Priority.BROKER, lambda message=message: wire.take(wire.at, message))

    def open(self) -> list[Act]:
        """Acts beside an announcement that the desk's books have not followed, and that no person took over.

        One that the books alone must show is not among them: nothing excuses that it is not followed.
        """
        followed = self.world.auditor.story
        left = list(self.world.acts)
        for act in followed.acts:
            if act in left:
                left.remove(act)
        return [act for act in left if act.at is not None and act.symbol not in followed.taken_over]

    def is_rename_told(self, symbol: Symbol, day: date, to: Symbol | None) -> bool:
        """Whether a rename of that day to that symbol was announced."""
        renames = (each for each in self.told.get(symbol, ()) if each.kind is ActionKind.RENAME)
        return any(to is not None and (each.ex_date, each.to) == (day, to) for each in renames)

    def is_split_told(self, symbol: Symbol, day: date, ratio: Decimal) -> bool:
        told = (each for each in self.told.get(symbol, ()) if each.kind in SPLITS and each.ex_date == day)
        return any(each.new_rate and each.old_rate and each.new_rate / each.old_rate == ratio for each in told)

    def is_paid_told(self, act: Act, day: date) -> bool:
        """Whether exactly what was paid had been announced, for a day that has come."""
        told = (each for each in self.told.get(act.symbol, ()) if each.ex_date <= day)
        is_paid = {ActionKind.REMOVAL: act.cash == ZERO}
        return any(is_paid.get(each.kind, each.cash == act.cash and each.to is None) for each in told)

    # ── what it must come to ─────────────────────────────────────────────────────────────────────────────────────

    def held(self, symbol: Symbol) -> dict[str, Held]:
        """Each owner's shares, by the exchange's executions."""
        owners: dict[str, Held] = {}
        self._count(owners, symbol, ())
        return owners

    def after(self, act: Act) -> dict[str, Held]:
        """Each owner's shares and trades since, at the cost of before but for a fraction that was paid in cash."""
        owners = {}
        for owner, held in act.held.items():
            if not held.quantity:
                continue
            if act.cash is not None:
                gained = held.gained + held.quantity * act.cash - held.cost
                owners[owner] = Held(trades=[gained])
                continue
            quantity = held.quantity * act.after / act.before
            exact = held.quantity * act.new / act.old
            owners[owner] = Held(quantity, held.cost * quantity / exact, held.gained)
        self._count(owners, act.to, act.executed)
        return owners

    def _count(self, owners: dict[str, Held], symbol: Symbol, but: Iterable[str]) -> None:
        known = set(but)
        for execution, order in self._executions(symbol):
            if execution.id in known:
                continue
            root = self.world.meter._root(order.request.client_order_id)
            held = owners.setdefault("" if root is None else root.strategy, Held())
            held.change(execution.quantity if order.side is Side.BUY else -execution.quantity, execution.price)

    def executed(self, symbol: Symbol) -> frozenset[str]:
        return frozenset(str(execution.id) for execution, _ in self._executions(symbol))

    def _executions(self, symbol: Symbol) -> list[tuple[Execution, BookedOrder]]:
        orders = (order for order in self.world.exchange._book.every() if order.symbol == symbol)
        pairs = [(execution, order) for order in orders for execution in order.executions]
        return sorted(pairs, key=lambda pair: pair[0].at)
