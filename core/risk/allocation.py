"""The slice of the strategies' capital: which share of equity each has today, and what it has taken of it (ST-08).

A share that is changed holds from the next trading day on: what is open today was sized by today's. A strategy that had
none gets its own at once, within what the others leave of the account. One without a share uses what is everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.execution.ledger import Ledger
from core.facts import DayStarted, SettingsApplied
from core.model.order import OrderRequest
from core.model.values import ZERO, Money, Symbol
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Share:
    """Of equity, and of that share the most that one position may cost; both 0 to 1."""

    allocation: Decimal
    position_part: Decimal


@dataclass(slots=True)
class AllocationsState:
    """By strategy: what holds today, and what the settings say."""

    today: dict[str, Share] = field(default_factory=dict)
    wanted: dict[str, Share] = field(default_factory=dict)


class Allocations:
    """Folds settings and days."""

    def __init__(self) -> None:
        self.state = AllocationsState()
        self.folds = {SettingsApplied: self._applied, DayStarted: self._day_started}

    def of(self, strategy: str) -> Share | None:
        """What it has today; None where it shares with everybody."""
        return self.state.today.get(strategy)

    def from_tomorrow(self, strategy: str) -> Share | None:
        """What it will have from the next trading day on, where that is another share; else None."""
        wanted = self.state.wanted.get(strategy)
        return None if wanted == self.of(strategy) else wanted

    def _applied(self, _at: object, fact: SettingsApplied) -> None:
        state = self.state
        state.wanted = shares_of(fact.settings)
        left = 1 - sum((share.allocation for share in state.today.values()), ZERO)
        for name, share in state.wanted.items():
            if name not in state.today:
                given = min(share.allocation, max(left, ZERO))
                state.today[name] = Share(given, share.position_part)
                left -= given

    def _day_started(self, _at: object, _fact: DayStarted) -> None:
        self.state.today = dict(self.state.wanted)


def shares_of(settings: Settings) -> dict[str, Share]:
    """Of the strategies that are on and have one."""
    tables = ((name, settings.strategies.of(name)) for name in settings.strategies.names)
    return {
        name: Share(table.allocation, table.position_part)
        for name, table in tables
        if table.enabled and table.allocation is not None
    }


@dataclass(frozen=True, slots=True)
class Capital:
    """USD: what a strategy has, what it has taken, and both for one symbol alone."""

    allocated: Money
    taken: Money
    of_a_position: Money
    in_symbol: Money

    @property
    def left(self) -> Money:
        """What a further entry in the symbol may cost; never below zero."""
        return Money(max(min(self.allocated - self.taken, self.of_a_position - self.in_symbol), ZERO))


def capital_of(
    share: Share, strategy: str, symbol: Symbol, ledger: Ledger, equity: Decimal, but: OrderRequest | None = None
) -> Capital:
    """Positions at what was paid for them, entries that work at their limits; `but` and what that replaces left out."""
    taken, in_symbol = ZERO, ZERO
    for held_in, cost in _costs(strategy, ledger, but):
        taken += cost
        in_symbol += cost if held_in == symbol else ZERO
    allocated = share.allocation * equity
    return Capital(Money(allocated), Money(taken), Money(allocated * share.position_part), Money(in_symbol))


def _costs(strategy: str, ledger: Ledger, but: OrderRequest | None) -> list[tuple[Symbol, Decimal]]:
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = [(p.symbol, abs(p.quantity) * p.average_price) for p in ledger.positions() if p.strategy == strategy]
    coming = [
        (order.request.symbol, order.remaining * (order.request.limit_price or order.intended_price or ZERO))
        for order in ledger.working_entries(strategy=strategy)
        if order.id not in left_out
    ]
    return [*held, *coming]
