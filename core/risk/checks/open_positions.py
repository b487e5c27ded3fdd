"""No more positions than the profile allows, and one direction per symbol; working orders count (EX-08).

Only one strategy at a time may hold a symbol, unless the settings allow several. An operator may always trade a symbol
that a strategy holds; the ticket names that position.
"""

from __future__ import annotations

from core.execution.ledger import Ledger
from core.execution.other_orders import in_the_way_of
from core.model.order import Side
from core.model.reconciliation import NO_SYMBOL, DifferenceKind
from core.model.staging import Verdict, unsaid
from core.model.values import Symbol, plain
from core.risk.checks.verdicts import passed, refused, warned
from core.risk.gate import Candidate, ReviewContext


class OpenPositionsCheck:
    """Shuts an entry in one more symbol, or against a held position; ends when a position is closed."""

    name = "open positions"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            held = in_the_way_of(candidate.order, state.others, state.ledger)
            return warned(self.name, held) if held else passed(self.name, "closes one")
        symbol = candidate.order.symbol
        if unreadable := _unreadable(state, symbol):
            return refused(self.name, unreadable)
        taken = places_taken(state.ledger)
        others = sorted([owner for s, owner in taken if s == symbol and owner != candidate.strategy])
        if others and not candidate.is_manual and not state.settings.risk.several_strategies_a_symbol:
            return refused(
                self.name, f"another strategy holds {symbol} or has an order in it; close or cancel that first"
            )
        if opposed := _opposed(candidate, state):
            return refused(self.name, opposed)
        limit = state.settings.risk.max_open_positions
        joins = candidate.is_manual and bool(others)  # the symbol already counts
        if not joins and len(taken) + ((symbol, candidate.strategy) not in taken) > limit:
            return refused(self.name, f"FULL, max_open_positions exceeded: {len(taken)} of {limit}; close one first")
        if others:
            return warned(self.name, f"it meets {' and '.join(_met(state.ledger, symbol, owner) for owner in others)}")
        places = len(taken)
        return unsaid(self.name, lambda: f"{places} of {limit} before it")


def _met(ledger: Ledger, symbol: Symbol, owner: str) -> str:
    """Describe the position or order that is there already, as in `the position of vwap, 47 long`."""
    held = ledger.position(symbol, owner)
    if held is None or not held.quantity:
        return f"an order of {owner}"
    return f"the position of {owner}, {plain(abs(held.quantity))} {'long' if held.quantity > 0 else 'short'}"


def places_taken(ledger: Ledger) -> set[tuple[Symbol, str]]:
    """Return symbol and strategy of each open or coming position."""
    taken = {(p.symbol, p.strategy) for p in ledger.positions()}
    taken.update([(o.request.symbol, o.strategy) for o in ledger.working_entries()])
    return taken


def _unreadable(state: ReviewContext, symbol: Symbol) -> str | None:
    """Return the reason if an order or position that may be in this symbol cannot be read (EX-09)."""
    for found in state.control.state.differences:
        if found.kind is DifferenceKind.UNREADABLE_POSITION:
            return f"the broker's row of {found.symbol} cannot be read: nobody knows what is held; look at the broker"
        if found.kind is DifferenceKind.UNREADABLE_ORDER and found.symbol in (symbol, NO_SYMBOL):
            where = "may be in" if found.symbol == NO_SYMBOL else "is in"
            whose = "an order of ours" if found.hides_what_is_held else "somebody's order"
            return f"{whose} {where} {symbol} and cannot be read ({found.broker}); cancel it at the broker"
    return None


def _opposed(candidate: Candidate, state: ReviewContext) -> str | None:
    """Return the reason if the entry opposes a held position, which it would close, or a working entry."""
    symbol, side = candidate.order.symbol, candidate.order.side
    held = state.ledger.net_quantity(symbol)
    if held and (held > 0) is (side is Side.SELL):
        return f"{symbol} is held {'long' if held > 0 else 'short'}; close it first"
    if any(order.request.side is not side for order in state.ledger.working_entries(symbol)):
        return f"an order that opens {symbol} the other way is working; cancel it first"
    return None
