"""The capital of each strategy: its share of equity, raises, and how much of it is in use (ST-08).

A changed share applies from the next trading day, because today's positions were sized by today's share. A strategy
that had no share gets its own at once, as far as the other shares leave room. A strategy without a share uses the
common capital.

An allocation that the operator adopted from a nightly proposal (ST-10) is such a change: it overrides the settings
until the configured figure changes, and never takes another strategy's share.
"""

from __future__ import annotations

from dataclasses import field, replace
from decimal import Decimal

from core.execution.ledger import Ledger
from core.facts import DayStarted, PromotionDecided, SettingsApplied
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.values import ZERO, Fraction, Money, Symbol, exact_percent
from core.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Share:
    """An allocation as a share of equity, and the largest part of it that one position may cost; both 0 to 1."""

    allocation: Decimal
    position_part: Decimal


@dataclass(frozen=True, slots=True)
class Raise:
    """An adopted raise: the configured allocation at that time and the adopted one, both as shares of equity."""

    of: Decimal
    to: Decimal


@dataclass(slots=True)
class AllocationsState:
    """Per strategy: today's share, the share from the next day on, and adopted raises."""

    today: dict[str, Share] = field(default_factory=dict)
    wanted: dict[str, Share] = field(default_factory=dict)
    raised: dict[str, Raise] = field(default_factory=dict)


class Allocations:
    """Folds settings, trading days and adopted raises."""

    name = "allocations"

    def __init__(self) -> None:
        self.state = AllocationsState()
        self.folds = {
            SettingsApplied: self._applied,
            DayStarted: self._day_started,
            PromotionDecided: self._decided,
        }

    def restore(self, state: AllocationsState) -> None:
        self.state = state

    def of(self, strategy: str) -> Share | None:
        """Return the strategy's share of today; None if it uses the common capital."""
        return self.state.today.get(strategy)

    def from_tomorrow(self, strategy: str) -> Share | None:
        """Return the share from the next trading day on if it differs from today's, else None."""
        wanted = self.state.wanted.get(strategy)
        return None if wanted == self.of(strategy) else wanted

    def raised(self, strategy: str) -> Raise | None:
        """Return the adopted raise that is or will be in force, if any."""
        return self.state.raised.get(strategy) if strategy in self.state.wanted else None

    def grown(self, strategy: str, step: Decimal) -> Fraction | None:
        """Return the allocation raised by `step` of itself, as a share of equity; None if the strategy has none."""
        share = self.state.wanted.get(strategy)
        return None if share is None else Fraction(share.allocation * (1 + step))

    def refusal_to_grow(self, strategy: str, step: Decimal) -> str | None:
        """Explain why the allocation cannot grow by `step` of itself: together they may not exceed equity."""
        to = self.grown(strategy, step)
        if to is None:
            return "it has no allocation of its own that could grow"
        others = sum((share.allocation for name, share in self.state.wanted.items() if name != strategy), ZERO)
        if others + to <= 1:
            return None
        return (
            f"with {exact_percent(to)} for it the allocations would be {exact_percent(others + to)} of equity "
            "together; lower another one first"
        )

    def _applied(self, _at: object, fact: SettingsApplied) -> None:
        state, named = self.state, shares_of(fact.settings)
        state.raised = {
            name: raised
            for name, raised in state.raised.items()
            if name not in named or named[name].allocation == raised.of
        }
        state.wanted = with_raises(named, state.raised)
        left = 1 - sum((share.allocation for share in state.today.values()), ZERO)
        for name, share in state.wanted.items():
            if name not in state.today:
                given = min(share.allocation, max(left, ZERO))
                state.today[name] = Share(given, share.position_part)
                left -= given

    def _day_started(self, _at: object, _fact: DayStarted) -> None:
        self.state.today = dict(self.state.wanted)

    def _decided(self, _at: object, fact: PromotionDecided) -> None:
        """Change tomorrow's share; today's stays."""
        state, share = self.state, self.state.wanted.get(fact.strategy)
        if share is None or fact.allocation is None:
            return
        before = state.raised.get(fact.strategy)
        state.raised[fact.strategy] = Raise(share.allocation if before is None else before.of, fact.allocation)
        state.wanted = {**state.wanted, fact.strategy: replace(share, allocation=fact.allocation)}


def shares_of(settings: Settings) -> dict[str, Share]:
    """Return the shares of all enabled strategies that have an allocation."""
    tables = ((name, settings.strategies.of(name)) for name in settings.strategies.names)
    return {
        name: Share(table.allocation, table.position_part)
        for name, table in tables
        if table.enabled and table.allocation is not None
    }


def with_raises(named: dict[str, Share], raised: dict[str, Raise]) -> dict[str, Share]:
    """Apply adopted raises to the settings' shares, oldest first, as far as the settings leave room."""
    left = 1 - sum((share.allocation for share in named.values()), ZERO)
    shares = dict(named)
    for name, adopted in raised.items():
        if (share := named.get(name)) is not None:
            more = min(adopted.to - adopted.of, left)
            shares[name] = replace(share, allocation=share.allocation + more)
            left -= more
    return shares


@dataclass(frozen=True, slots=True)
class Capital:
    """A strategy's allocated and used capital in USD, and both for one symbol."""

    allocated: Money
    taken: Money
    of_a_position: Money
    in_symbol: Money

    @property
    def left(self) -> Money:
        """The most that another entry in the symbol may cost; never below zero."""
        return Money(max(min(self.allocated - self.taken, self.of_a_position - self.in_symbol), ZERO))


def capital_of(
    share: Share, strategy: str, symbol: Symbol, ledger: Ledger, equity: Decimal, but: OrderRequest | None = None
) -> Capital:
    """Sum positions at cost and working entries at their limits; leave out `but` and the order it replaces."""
    taken, in_symbol = ZERO, ZERO
    for held_in, cost in _costs(strategy, ledger, but):
        taken += cost
        in_symbol += cost if held_in == symbol else ZERO
    allocated = share.allocation * equity
    return Capital(Money(allocated), Money(taken), Money(allocated * share.position_part), Money(in_symbol))


def _costs(strategy: str, ledger: Ledger, but: OrderRequest | None) -> list[tuple[Symbol, Decimal]]:
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = [
        (p.symbol, p.instrument.cost(abs(p.quantity), p.average_price))
        for p in ledger.positions()
        if p.strategy == strategy
    ]
    coming = [(group.symbol, group.cost(left_out)) for group in ledger.entry_groups(strategy=strategy)]
    return [*held, *coming]
