"""What the keys for a stop or target say if the engine would stage none now, and what to do about it (EX-12).

The engine decides, and publishes why with each position: a key is refused before its dialog opens.
"""

from __future__ import annotations

from enum import Enum, auto

from console.keymap import written
from core.model.staging import GuardRefusal
from core.views import PositionRow


class Guard(Enum):
    """What a key asks for."""

    STOP = auto()
    BREAK_EVEN = auto()
    TRAIL = auto()
    TARGET = auto()


def why_not(held: PositionRow, what: Guard) -> str:
    """Return why it cannot be staged now and what to do; empty if it can be."""
    refusal = {Guard.TRAIL: held.trail_refusal, Guard.TARGET: held.target_refusal}.get(what, held.move_refusal)
    symbol = held.symbol
    match refusal:
        case None:
            return ""
        case GuardRefusal.ENTRY_FILLS:
            return f"the stop of {symbol} waits for its entry to fill: d in Orders cancels the rest of that, or wait"
        case GuardRefusal.TRAILS:
            return _beside_a_trail(what)
        case GuardRefusal.UNANSWERED | GuardRefusal.EXIT_IN_DOUBT:
            kind = "stop" if refusal is GuardRefusal.UNANSWERED else "exit"
            return f"the {held.doubt or kind} of {symbol} is in doubt: the broker is asked; wait a minute"
        case GuardRefusal.EXIT_IDLE:
            return (
                f"the {held.idle or 'exit'} of {symbol} does not trade at the broker; c closes, d in Orders cancels it"
            )
        case GuardRefusal.EXIT_WORKS:
            return f"an exit of {symbol} is on its way; no share of it is left to guard"
        case GuardRefusal.EXIT_AT_LIMIT:
            return f"an exit of {symbol} waits at its limit and holds the shares; d in Orders takes it back"
        case GuardRefusal.EXIT_WAITS:
            return f"an exit of {symbol} waits: {written('position.close')} opens it; confirm or decline it first"
        case GuardRefusal.EXIT_CONFIRMED:
            return f"an exit of {symbol} was confirmed already: wait for the broker's answer"
        case GuardRefusal.FRACTION if what is Guard.TRAIL:
            return f"{symbol} is no whole number of shares: the broker trails whole shares alone; m moves its stop"
        case GuardRefusal.FRACTION:
            return f"{symbol} is no whole number of shares: the broker takes no target beside a stop for a fraction"


def _beside_a_trail(what: Guard) -> str:
    cancels = f"{written('order.cancel')} in Orders cancels it"
    stop, target = written("position.stop"), written("position.target")
    if what is Guard.TARGET:
        return f"no target beside a trailing stop at the broker: {cancels}, then {stop} and {target} set both"
    return f"a trailing stop moves by itself: {cancels}, then {stop} sets another"
