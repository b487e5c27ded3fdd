"""The guide of the first start: its pages, and the tour at the desk.

Two lines above the last line describe a step; they advance once the desk shows that it was done.

Test at the first start on a broker's account whether the kill chord arrives; some terminals capture it (OP-07).
Only the desk in control asks, because it can resume. The chord works as always: it halts, and the kill screen opens
over this one. If it arrived, that is remembered; if not, the screen names the keys and commands with the same effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen

from console.keymap import KILL_KEY_OF_ANY_LAYOUT, KeyScope, bindings_for, confirming_key, written
from console.screens.desk_control import LeaveScreen
from console.screens.dialog import Dialog
from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from console.screens.reading import DetailScreen
from console.screens.ticket import TicketScreen
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect
from core.views import DeskView
from widgets.lines import Cell, Lines, TextLine
from widgets.pane import put_note, put_title
from widgets.ticket_text import wrapped

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
            f"{written('kill')} halts everything at once, from everywhere. Press it, then U on the screen that comes: "
            "it resumes."
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


WIDTH = 70


class GuideScreen(Dialog):
    """`closed` is called once it was read; `tour` if a tour is requested."""

    PLACE = KeyScope.GUIDE
    BINDINGS = bindings_for(PLACE)

    def __init__(self, closed: Callable[[], None], tour: Callable[[], None]) -> None:
        super().__init__()
        self.closed = closed
        self.tour = tour
        self.body = Lines([*guide_lines()])

    def compose(self) -> ComposeResult:
        box = Vertical(id="guide")
        put_title(box, "Welcome to Keyturn")
        put_note(box, f"{written('guide.tour')}: a tour of eight steps  {written('guide.back')}: to the desk")
        with box:
            yield self.body

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        """Name the keys again: another layout of the keyboard may have another kill key."""
        self.body.show([*guide_lines()])

    def action_back(self) -> None:
        self.dismiss()
        self.closed()

    def action_tour(self) -> None:
        self.action_back()
        self.tour()


def guide_lines() -> Iterator[TextLine]:
    head = "Strategies propose, you turn the key. Nothing is sent before that."
    yield (Cell(head, "strong"),)
    yield ()
    for id, does in (
        ("grid.open", "opens what is selected: a proposal opens its ticket"),
        ("exit.urgent", "opens the most urgent exit, from anywhere"),
        ("order.new", "writes an order of your own; it becomes a proposal first"),
        ("help", "what this pane shows, and every key that works in it"),
        ("commands", "finds every command by its name, this page among them"),
    ):
        yield (Cell(f" {written(id):<8}", "strong"), Cell(does))
    yield ()
    buys, sells = confirming_key(Effect.OPEN), confirming_key(Effect.CLOSE)
    confirm = (
        f"read the ticket. When its last line says `armed`, one capital letter sends it: {buys} buys, {sells} sells "
        "what you hold. Enter, space and y send nothing, ever."
    )
    yield from wrapped("To confirm   ", confirm, WIDTH)
    yield ()
    stop = (
        f"{written('kill')} halts at once, from everywhere. Then K cancels entries and blocks new ones, F stages the "
        "close of what you hold, U resumes, Esc looks around, still halted."
    )
    yield from wrapped("To stop all  ", stop, WIDTH)
    yield ()
    yield (Cell("To leave     ", "muted"), Cell(f"{written('leave')} says first what that means for each position."))


class ChordScreen(Dialog):
    """`received` is called once, when the chord arrives."""

    PLACE = KeyScope.GUIDE
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)

    def __init__(self, received: Callable[[], None]) -> None:
        super().__init__()
        self.received = received
        self.was_heard = False
        self.body = Lines(id="chord-body")

    def compose(self) -> ComposeResult:
        box = Vertical(id="chord")
        put_title(box, "Does the kill chord arrive?")
        put_note(box, f"{written('guide.back')}: to the desk")
        with box:
            yield self.body

    def on_mount(self) -> None:
        self.body.show(trial_lines(was_heard=False))

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        """Ask for the key that arrives from this keyboard; its layout may have changed."""
        if not self.was_heard:
            self.body.show(trial_lines(was_heard=False))

    def hear_chord(self) -> None:
        """Called when the driver's input thread has recognised the chord."""
        if self.was_heard:
            return
        self.was_heard = True
        self.body.show(trial_lines(was_heard=True))
        self.received()

    def action_back(self) -> None:
        self.dismiss()


def trial_lines(*, was_heard: bool) -> list[TextLine]:
    key = written("kill")
    if was_heard:
        words = f"{key} received. It halts from everywhere, at any moment. This is not asked again."
        return wrapped("", words, WIDTH, "strong")
    ask = f"Press {key} now. It halts the engine, for all who are attached; U on the screen that opens lets it go on."
    does_the_same = "F10 does the same here, and" if key != KILL_KEY_OF_ANY_LAYOUT else "the same does"
    otherwise = (
        f"If nothing happens, this terminal keeps the chord for itself: {does_the_same} `keyturn kill` in another "
        "terminal. Until it has come once, it is asked again at each start."
    )
    return [*wrapped("", ask, WIDTH, "strong"), (), *wrapped("", otherwise, WIDTH)]
