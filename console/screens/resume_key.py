"""`U` on the kill screen takes back the key's halt: entries pass again. It is armed as a ticket's key (OP-04)."""

from __future__ import annotations

from textual import _time

from console.arming import OPENS_AFTER, Arming, ShownTicket
from console.keymap import written
from console.painted import Painted, ask_whether_drawn
from console.screens.dialog import Dialog
from console.screens.dialog_host import DialogHost
from console.screens.key_holder import holds_key
from console.terminal.kill_port import DeskKillPort
from core.messages.commands import Resume
from widgets.lines import Cell


class ResumeKey:
    """One kill screen's.

    Attributes
    ----------
    since
        When it was turned, by the console's clock; None where nothing is awaited of it.
    """

    def __init__(self, screen: Dialog, behind: DialogHost, door: DeskKillPort) -> None:
        self.arming = Arming(behind.keyboard)
        self.painted = Painted(self.arming, lambda: behind.link, behind.now)
        self.since: float | None = None
        self._screen = screen
        self._behind = behind
        self._door = door
        self._chord_at = door.pressed_at
        self._was_early = False

    @property
    def is_of_use(self) -> bool:
        """Whether there is something that it would take back."""
        view = self._behind.view
        return view is not None and view.status.killed_by is None and any(halt.is_of_key for halt in view.status.halts)

    @property
    def acts(self) -> bool:
        """Whether it would, at this desk: one without the key resumes nothing."""
        return self.is_of_use and holds_key(self._behind)

    def does(self) -> str:
        """In words."""
        view = self._behind.view
        others = [halt.cause.value for halt in view.status.halts if not halt.is_of_key] if view else []
        return f"take back the key's halt; stays halted: {', '.join(others)}" if others else "resume"

    def _shown(self) -> ShownTicket:
        """Another press, of whichever desk, is another halt: the key is armed anew."""
        view = self._behind.view
        return ShownTicket(f"halted {view.status.presses if view is not None else 0}", self.does())

    def state(self) -> Cell:
        """Whether it would count now."""
        key = written("kill.resume")
        if self.arming.is_turning() or self.since is not None:
            return Cell("resuming…", "strong")
        if doubt := self._behind.link.doubt:
            return Cell(doubt, "warning")
        left = self.arming.seconds_left(self._shown(), key, OPENS_AFTER, self._behind.now())
        if left == 0:
            self._was_early = False
            return Cell("armed ", "strong")
        seconds = f"{OPENS_AFTER if left is None else left + 0.05:.1f} s"
        if self._was_early:
            return Cell(f"too early: press {key} in {seconds}", "warning")
        return Cell(f"armed in {seconds}", "muted")

    def ask_whether_drawn(self) -> None:
        """After the next frame: that frame holds what it would do."""
        if self.acts:
            ask_whether_drawn(self._screen, self.painted, self._shown())

    def hear(self, character: str | None, at: float) -> None:
        """A key by its character, a click or a paste (None), at that instant of the console's clock."""
        self._see_chord()
        is_before_chord = at < self._behind.now() - (_time.get_time() - self._door.pressed_at)
        if character != written("kill.resume") or is_before_chord or not self.acts:
            self.arming.hear(character, at)
        elif not self.arming.turn(self._shown(), character, OPENS_AFTER, at):
            self._was_early = True

    def _see_chord(self) -> None:
        """A chord that the input thread has read ends what was armed, also before the screen is told of it."""
        self.painted.see_whether_it_ran()
        if self._door.pressed_at != self._chord_at:
            self._chord_at = self._door.pressed_at
            self.painted.forget()

    def follow(self) -> bool:
        """Follows the silence; sends, once, when the key stayed alone. False where it is of no use now."""
        self._see_chord()
        if not self._screen.is_active or not self.acts:
            self.painted.forget()
            return False
        if self.painted.look():
            self._screen.refresh()
        if self.arming.take(self._shown(), self._behind.now()):
            self.since = self._behind.now()
            self._behind.handle.send(Resume())
        return True

    def forget(self) -> None:
        """It must be painted anew, and what was turned is awaited no more."""
        self.since = None
        self.painted.forget()
