"""What does not depend on each other is done apart: one that raises halts what opens, and takes nothing else with it.

What it had recorded and asked for until then stands: the gateway lets nothing out that opens while the desk is halted
(EX-14, EX-22). A disk that fails is no fault of one of them, and goes through.
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
    """The effects of `act`, up to where it raises."""
    try:
        yield from act() or ()
    except JournalError:
        raise
    except Exception as error:  # what was not foreseen is said, whatever it is
        halt_for(state, error)


def done_apart(state: TradingState, act: Callable[[], None]) -> None:
    """The same of what asks for nothing."""
    deque(apart(state, act), maxlen=0)


def halt_for(state: TradingState, error: Exception) -> None:
    """Said once while it stands, however often it comes again."""
    state.sightings.faults += 1
    reason = f"{type(error).__name__}: {error}"
    if is_news(reason, state.control.halts.get(HaltCause.INVARIANT)):
        state.record(Halted(HaltCause.INVARIANT, reason))
