"""The tour: eight steps on the real desk, done by the operator. It presses no key and captures none.

Two lines above the last line describe a step; they advance once the desk shows that it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.screen import Screen

from console.keymap import confirming_key, written
from console.screens.kill import KillScreen
from console.screens.leave import LeaveScreen
from console.screens.new_order import NewOrderScreen
from console.screens.reading import DetailScreen
from console.screens.ticket import TicketScreen
from core.model.order import Effect
from core.views import DeskView
from widgets.lines import Cell, Lines, TextLine
from widgets.ticket import wrapped

ROWS = 2
"""Lines of a step, at every width."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The desk in one frame: its screens, the focused pane, the view."""

    stack: Sequence[Screen[object]]
    holder: str
    view: DeskView

    def has(self, kind: type[Screen[None]]) -> bool:
        return any(isinstance(screen, kind) for screen in self.stack)

    @property
    def entries(self) -> int:
        """Number of today's orders that opened or added."""
        return sum(not order.effect.only_reduces for order in self.view.orders)


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    `words` is called when drawing, because keys may be remapped; `is_done` also gets the state at its begin.
    """

    words: Callable[[], str]
    is_done: Callable[[Sight, Sight], bool]
    then_closed: bool = False


def _opened(kind: type[Screen[None]]) -> Callable[[Sight, Sight], bool]:
    return lambda sight, _begin: sight.has(kind)


STEPS = (
    Step(
        lambda: (
            f"The first lines say PAPER or LIVE, and whether ENTRIES are ON. Press {written('pane.positions')}: what "
            "you hold, and who holds its stop."
        ),
        lambda sight, _begin: sight.holder == "positions",
    ),
    Step(
        lambda: f"{written('grid.open')} opens what is known of the selected row. Read it, and come back with Esc.",
        _opened(DetailScreen),
        then_closed=True,
    ),
    Step(
        lambda: (
            f"Strategies only propose. Press {written('pane.proposals')}, select a BUY, {written('grid.open')}: its "
            "ticket opens. None there? One comes soon."
        ),
        _opened(TicketScreen),
    ),
    Step(
        lambda: (
            f"Read what is sent, its cost, its stop. When its last line says armed, {confirming_key(Effect.OPEN)} "
            "buys. Too late? Open another."
        ),
        lambda sight, begin: sight.entries > begin.entries,
    ),
    Step(
        lambda: (
            f"{written('order.new')} writes an order of your own for the selected share. Look around; Esc keeps what "
            "you typed."
        ),
        _opened(NewOrderScreen),
        then_closed=True,
    ),
    Step(
        lambda: (
            f"To close: {written('pane.positions')}, then {written('position.close')} Enter. Its ticket comes, "
            f"and {confirming_key(Effect.CLOSE)} would sell. Esc puts it aside."
        ),
        lambda sight, _begin: any(row.effect.only_reduces for row in sight.view.proposals),
        then_closed=True,
    ),
    Step(
        lambda: (
            "Ctrl+K halts everything at once, from everywhere. Press it, then U on the screen that comes: it resumes."
        ),
        _opened(KillScreen),
        then_closed=True,
    ),
    Step(
        lambda: f"{written('leave')} says what leaving means for each position. Press it, and Esc to stay.",
        _opened(LeaveScreen),
        then_closed=True,
    ),
)
THE_END = "That was all. ? says every key that works in a pane. This goes with the next pane that you choose."


class Tour:
    """The operator's position on the tour; nothing is shown before it starts."""

    def __init__(self, line: Lines) -> None:
        self.line = line
        self.line.display = False
        self._number: int | None = None
        self._begin: Sight | None = None
        self._is_seen = False

    def toggle(self) -> None:
        """Start or end it."""
        self._number, self._begin, self._is_seen = (0 if self._number is None else None), None, False

    def look(self, sight: Sight, width: int) -> None:
        """Take a new frame; show the current step."""
        self.line.display = self._number is not None
        if self._number is None:
            return
        self._begin = self._begin or sight
        if self._is_step_done(sight, self._begin):
            self._number, self._begin, self._is_seen = self._number + 1, sight, False
        if self._number > len(STEPS):
            self.toggle()
            return
        self.line.show(self._lines(width))

    def _is_step_done(self, sight: Sight, begin: Sight) -> bool:
        if self._number == len(STEPS):
            return sight.holder != begin.holder
        step = STEPS[self._number or 0]
        self._is_seen = self._is_seen or step.is_done(sight, begin)
        return self._is_seen and (not step.then_closed or len(sight.stack) == 1)

    def _lines(self, width: int) -> list[TextLine]:
        number = self._number or 0
        is_over = number == len(STEPS)
        head = "TOUR  " if is_over else f"TOUR {number + 1} of {len(STEPS)}  "
        said = wrapped(head, THE_END if is_over else STEPS[number].words(), width, "strong")[:ROWS]
        return [*said, *[(Cell(""),)] * (ROWS - len(said))]
