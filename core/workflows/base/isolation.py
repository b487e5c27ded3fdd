"""Isolate independent steps: an exception in one halts entries and does not stop the others.

The facts and effects of that step up to the exception stay valid: the gateway lets no entry out while the desk is
halted (EX-14, EX-22). A failing disk is not isolated: its JournalError propagates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from core.facts import Halted
from core.messages.effects import Effect
from core.model.codes import HaltCause
from core.model.said_once import is_news
from core.ports import JournalError
from core.trading_state.state import TradingState


def apart(state: TradingState, act: Callable[[], Iterable[Effect] | None]) -> Iterator[Effect]:
    """Yield the effects of `act`, up to an exception."""
    try:
        yield from act() or ()
    except JournalError:
        raise
    except Exception as error:  # an unexpected error is reported, whatever it is
        halt_for(state, error)


def done_apart(state: TradingState, act: Callable[[], None]) -> None:
    """Run an act without effects in the same isolation."""
    deque(apart(state, act), maxlen=0)


def halt_for(state: TradingState, error: Exception) -> None:
    """Halt for an unexpected error; record it only if its reason differs from the current halt's."""
    state.sightings.faults += 1
    reason = f"{type(error).__name__}: {error}"
    if is_news(reason, state.control.halts.get(HaltCause.INVARIANT)):
        state.record(Halted(HaltCause.INVARIANT, reason))
