"""An entry never trades against one's own order, nor is sent if the broker would take it as a wash trade (RK-25)."""

from __future__ import annotations

from core.execution.cover import unreserved_of
from core.execution.ledger import Ledger
from core.model.position import Position
from core.model.quote import NoQuote
from core.model.staging import Verdict
from core.risk.checks.verdicts import refused, unmeasured
from core.risk.gate import Candidate, ReviewContext
from core.risk.self_cross import (
    crossed_by_entry,
    in_the_way_of_stop,
    is_simple,
    is_wash_trade,
    name_of,
    sends_its_stop,
    whose_stop_it_bars,
)

NOT_WHILE_IT_WORKS = "no part of a share is added while it works; take whole shares, or close first"


class SelfCrossCheck:
    """Shuts an entry that one's own resting order would meet; ends when that order is gone, or with another price."""

    name = "self-cross"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None for exits: they first cancel the crossing entry, and their ticket names it.

        `risk.self_cross` turns the check off.
        """
        if candidate.only_reduces or not state.settings.risk.self_cross.enabled:
            return None
        keeps_apart = state.capabilities.refuses_wash_trades
        own = crossed_by_entry(candidate.order, state.ledger, state.quote, refuses_wash_trades=keeps_apart)
        if own is None:
            return _of_stops(self.name, candidate, state) if keeps_apart else None
        if keeps_apart and own.is_protective and is_wash_trade(candidate.order, own):
            return refused(self.name, f"the position's stop stands there, {name_of(own)}: {NOT_WHILE_IT_WORKS}")
        if own.only_reduces and candidate.order.type.goes_at_once and isinstance(state.quote, NoQuote):
            return unmeasured(self.name, f"no quote, and your own {name_of(own)} rests", is_fresh=state.is_fresh)
        return refused(self.name, f"it would meet your own {name_of(own)}; cancel that first")


def _of_stops(check: str, candidate: Candidate, state: ReviewContext) -> Verdict | None:
    """Where the broker refuses opposite orders, refuse an entry that would block a stop that is due now or later."""
    order, ledger = candidate.order, state.ledger
    barring = in_the_way_of_stop(order, candidate.stop, ledger)
    if barring is not None:
        why = f"the broker would refuse its stop while your own {name_of(barring)} rests"
        return refused(check, f"{why}; cancel that first")
    barred = whose_stop_it_bars(order, ledger)
    if barred is not None:
        why = f"the broker would refuse the stop of your own {name_of(barred)} while this rests"
        return refused(check, f"{why}; wait until that is filled, or cancel it")
    if is_simple(order) and any(_lacks_its_stop(p, ledger) for p in ledger.positions() if p.symbol == order.symbol):
        return refused(
            check, f"a stop of {order.symbol} is still owed, and the broker would refuse it while this rests"
        )
    return None


def _lacks_its_stop(position: Position, ledger: Ledger) -> bool:
    """Return whether a stop that should be at the broker is missing: some held shares have no exit."""
    last, symbol, strategy = ledger.exits.last_stop(position), position.symbol, position.strategy
    entry = ledger.order(position.entry_order)
    is_signed = entry is not None and sends_its_stop(entry.request, entry.stop)
    free = unreserved_of(ledger, position) - ledger.legs.left_to_legs(symbol, strategy)
    return free > 0 and (is_signed or last is not None)
