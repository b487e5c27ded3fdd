"""`U` on the kill screen ends the key's halt, so that entries pass again. It is armed like a ticket's key (OP-04)."""

from __future__ import annotations

from textual import _time

from console.arming import OPENS_AFTER, Arming, ShownTicket
from console.keymap import written
from console.painted import Painted, ask_whether_drawn
from console.screens.dialog import Dialog
from console.screens.dialog_host import DialogHost
from console.screens.key_holder import holds_key
from console.terminal.driver import DeskKillPort
from core.messages.commands import Resume
from widgets.lines import Cell


class ResumeKey:
    """The resume key of one kill screen.

    Attributes
    ----------
    since
        The time of the confirmed press, by the console's clock; None while nothing is pending.
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
        """Whether there is a halt that it would end."""
        view = self._behind.view
        return view is not None and view.status.killed_by is None and any(halt.is_of_key for halt in view.status.halts)

    @property
    def acts(self) -> bool:
        """Whether it would act on this desk; a desk without control resumes nothing."""
        return self.is_of_use and holds_key(self._behind)

    def does(self) -> str:
        """Describe its effect."""
        view = self._behind.view
        others = [halt.cause.value for halt in view.status.halts if not halt.is_of_key] if view else []
        return f"take back the key's halt; stays halted: {', '.join(others)}" if others else "resume"

    def _shown(self) -> ShownTicket:
        """Return the content to arm; a further press on any desk is another halt, so the key is armed again."""
        view = self._behind.view
        return ShownTicket(f"halted {view.status.presses if view is not None else 0}", self.does())

    def state(self) -> Cell:
        """Return the state of the key in words."""
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
        """Check after the next frame that its effect was drawn."""
        if self.acts:
            ask_whether_drawn(self._screen, self.painted, self._shown())

    def hear(self, character: str | None, at: float) -> None:
        """Handle a key by its character, or a click or paste (None); `at` is an instant of the console's clock."""
        self._see_chord()
        is_before_chord = at < self._behind.now() - (_time.get_time() - self._door.pressed_at)
        if character != written("kill.resume") or is_before_chord or not self.acts:
            self.arming.hear(character, at)
        elif not self.arming.turn(self._shown(), character, OPENS_AFTER, at):
            self._was_early = True

    def _see_chord(self) -> None:
        """Disarm on a chord read by the input thread, even before the screen is notified."""
        self.painted.see_whether_it_ran()
        if self._door.pressed_at != self._chord_at:
            self._chord_at = self._door.pressed_at
            self.painted.forget()

    def follow(self) -> bool:
        """Follow the confirmation delay and send once if no other key followed; return False without a halt to end."""
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
        """Disarm, and stop waiting for the pending result."""
        self.since = None
        self.painted.forget()
