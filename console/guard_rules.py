"""Which stop or target can be asked for a position now: the engine's rules, as far as the screen shows their reasons.

A key that would be refused is refused before its dialog opens (EX-12).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from console.keymap import written
from console.proposal_outcome import waits_for_price
from core.model.order import StopHolder
from core.views import DeskView, OrderRow, PositionRow, ProposalRow
from core.views.rows import RowMark


class Guard(Enum):
    """What a key asks for."""

    STOP = auto()
    BREAK_EVEN = auto()
    TRAIL = auto()
    TARGET = auto()

    @property
    def replaces(self) -> bool:
        """Whether it replaces each stop and target; otherwise it moves stops."""
        return self in (Guard.TRAIL, Guard.TARGET)


def waiting_exit(view: DeskView, held: PositionRow) -> ProposalRow | None:
    """Return a waiting exit that would sell at once; a waiting trailing stop or target is replaced by a close."""
    return next((row for row in _exits(view, held) if not waits_for_price(row)), None)


def why_not(view: DeskView, held: PositionRow, what: Guard) -> str:
    """Return why it cannot be staged now and what to do; empty if it can be."""
    return (
        _unsettled(held)
        or (_beside_an_exit(view, held) if what.replaces else _at_its_limit(held))
        or _beside_an_entry(view, held)
        or (_beside_a_trail(held, what) if trails(view, held) else "")
        or (_of_a_fraction(held, what) if what.replaces else "")
    )


def trails(view: DeskView, held: PositionRow) -> bool:
    """Return whether a trailing stop of the position works at the broker."""
    return any(order.type.trails and order.is_protective for order in _working(view, held))


def _unsettled(held: PositionRow) -> str:
    if held.holder is StopHolder.BROKER:
        return ""
    if held.doubt and not held.unprotected:
        return f"the {held.doubt} of {held.symbol} is in doubt: the broker is asked; wait a minute"
    if held.idle:
        return f"the {held.idle} of {held.symbol} does not trade at the broker; c closes, d in Orders cancels it"
    if held.is_closing and not held.unprotected:
        return f"an exit of {held.symbol} is on its way; no share of it is left to guard"
    return ""


def _beside_an_exit(view: DeskView, held: PositionRow) -> str:
    exits = [row for row in _exits(view, held) if not row.is_guard]
    if any(not waits_for_price(row) for row in exits):
        opens = written("position.close")
        return f"an exit of {held.symbol} waits: {opens} opens it; confirm or decline it first"
    if any(row.is_confirming for row in exits):
        return f"an exit of {held.symbol} was confirmed already: wait for the broker's answer"
    return ""


def _at_its_limit(held: PositionRow) -> str:
    if held.at_limit and held.holder is not StopHolder.BROKER and not held.unprotected:
        return f"an exit of {held.symbol} waits at its limit and holds the shares; d in Orders takes it back"
    return ""


def _beside_an_entry(view: DeskView, held: PositionRow) -> str:
    """Why it waits for an entry that is filled in part: the broker's stop is to come."""
    filled = {order.id for order in view.orders if order.filled_quantity}
    legs = (order for order in _of_it(view, held) if RowMark.HELD in order.marks)
    if any(leg.parent in filled for leg in legs):
        return f"the stop of {held.symbol} waits for its entry to fill: d in Orders cancels the rest of that, or wait"
    return ""


def _beside_a_trail(held: PositionRow, what: Guard) -> str:
    if what is Guard.TRAIL:
        return ""
    cancels = f"{written('order.cancel')} in Orders cancels it"
    stop, target = written("position.stop"), written("position.target")
    if what is Guard.TARGET:
        return f"no target beside a trailing stop at the broker: {cancels}, then {stop} and {target} set both"
    return f"a trailing stop moves by itself: {cancels}, then {stop} sets another"


def _of_a_fraction(held: PositionRow, what: Guard) -> str:
    """The broker holds a fraction neither in a trailing stop nor in a pair."""
    if not held.quantity % 1 or held.is_closing or held.at_limit:
        return ""
    if what is Guard.TRAIL:
        return f"{held.symbol} is no whole number of shares: the broker trails whole shares alone; m moves its stop"
    if held.holder is StopHolder.BROKER:
        return f"{held.symbol} is no whole number of shares: the broker takes no target beside a stop for a fraction"
    return ""


def _exits(view: DeskView, held: PositionRow) -> Iterator[ProposalRow]:
    mine = (held.symbol, held.strategy)
    return (row for row in view.proposals if row.is_urgent and (row.symbol, row.strategy) == mine)


def _of_it(view: DeskView, held: PositionRow) -> Iterator[OrderRow]:
    mine = (held.symbol, held.strategy)
    return (row for row in view.orders if row.status.is_working and (row.symbol, row.strategy) == mine)


def _working(view: DeskView, held: PositionRow) -> Iterator[OrderRow]:
    is_none = {RowMark.HELD, RowMark.TO_REPLACE}
    return (order for order in _of_it(view, held) if is_none.isdisjoint(order.marks))
