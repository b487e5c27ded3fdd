"""Opposite signals of two strategies on one bar: no entry is staged, and an optional exit waits one bar (ST-07).

Protective exits are never delayed: a stop, a trailing stop, a time limit, the close of the day. Nor is an exit that was
delayed once, or is proposed already: a strategy that signals on every bar cannot block another's exit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.facts import SignalsOpposed
from core.model.bar import Bar
from core.model.signal import EntrySignal, ExitReason, ExitSignal

Signals = list[EntrySignal | ExitSignal]
WISHES = frozenset({ExitReason.TAKE_PROFIT, ExitReason.MEAN_REVERSION, ExitReason.SIGNAL})
"""Exit reasons that can wait for the next bar."""


def opposed(
    answers: Sequence[EntrySignal | ExitSignal], bar: Bar, may_wait: Callable[[ExitSignal], bool]
) -> SignalsOpposed | None:
    """Return the contradiction among the answers to one bar; None if there is none."""
    buyers = tuple(a.strategy for a in answers if isinstance(a, EntrySignal))
    exits = [a for a in answers if isinstance(a, ExitSignal)]
    if not buyers or not exits:
        return None
    leaving = tuple(a.strategy for a in exits if a.exit_reason not in WISHES or not may_wait(a))
    return SignalsOpposed(bar.symbol, bar.start, buyers, tuple(a.strategy for a in exits), leaving)


def kept(answers: Sequence[EntrySignal | ExitSignal], found: SignalsOpposed | None) -> Signals:
    """Return the answers that are staged."""
    if found is None:
        return list(answers)
    return [a for a in answers if isinstance(a, ExitSignal) and a.strategy in found.leaving]
