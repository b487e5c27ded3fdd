"""What does not depend on each other is done apart: one that raises halts what opens, and takes nothing else with it.

What it had recorded and asked for until then stands: the gateway lets nothing out that opens while the desk is halted
(EX-14, EX-22). A disk that fails is no fault of one of them, and goes through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from core.desk import Desk
from core.effects import Effect
from core.facts import Halted
from core.model.codes import HaltCause
from core.ports import JournalError
from core.said import is_news


def apart(desk: Desk, act: Callable[[], Iterable[Effect] | None]) -> Iterator[Effect]:
    """The effects of `act`, up to where it raises."""
    try:
        yield from act() or ()
    except JournalError:
        raise
    except Exception as error:  # what was not foreseen is said, whatever it is
        halt_for(desk, error)


def done_apart(desk: Desk, act: Callable[[], None]) -> None:
    """The same of what asks for nothing."""
    deque(apart(desk, act), maxlen=0)


def halt_for(desk: Desk, error: Exception) -> None:
    """Said once while it stands, however often it comes again."""
    desk.sightings.faults += 1
    reason = f"{type(error).__name__}: {error}"
    if is_news(reason, desk.control.halts.get(HaltCause.INVARIANT)):
        desk.record(Halted(HaltCause.INVARIANT, reason))
