"""Whether this desk has control, and the message if it does not. The engine decides; this module reports it (OP-13)."""

from __future__ import annotations

from console.keymap import written
from console.screens.dialog_host import DialogHost
from core.model.desk import PaintProof
from core.views import DeskView, KeyView


def holds_key(desk: DialogHost) -> bool:
    """Return whether this desk may open positions and loosen limits."""
    view = desk.view
    return view is None or view.status.key.is_held_by(desk.handle.desk)


def may_act(desk: DialogHost) -> bool:
    """Return the same, and show the reason if not."""
    if holds_key(desk):
        return True
    if desk.view is not None:
        desk.say(f"{holder_in_words(desk.view)}; {written('key.take')} takes it", "warning")
    return False


def holder_in_words(view: DeskView) -> str:
    """Format `eve on pts/3 from 10.0.0.7 holds the key`."""
    return f"{_who(view.status.key)} holds the key"


def _who(key: KeyView) -> str:
    return "nobody" if key.holder is None else key.holder.seat.in_words


def proof_of(desk: DialogHost) -> PaintProof:
    """Return how this desk knows that a ticket is on the screen."""
    return PaintProof.ANSWERED if desk.link.paint_is_proved is True else PaintProof.TIMED


class KeyWatch:
    """Closes dialogs that need control on a desk that has lost it, and says who has it.

    A dialog beneath another one is closed once the upper one is gone; until then its keys have no effect.
    """

    def __init__(self, desk: DialogHost) -> None:
        self._desk = desk
        self._held: bool | None = None
        self._lost = ""

    def look(self, view: DeskView) -> None:
        """Take a new view."""
        holds, held_before = holds_key(self._desk), self._held
        self._held = holds
        if holds:
            self._lost = ""
            if held_before is False:
                self._desk.say("this desk holds the key", "strong")
            return
        if held_before:
            self._lost = f"{holder_in_words(view)} now: what was open here is closed"

    def takes_away(self, needs_key: bool) -> bool:
        """Return whether to close the top dialog; once none is left to close, say who took control."""
        if self._held is not False:
            return False
        if not needs_key and self._lost:
            self._desk.say(self._lost, "warning")
            self._lost = ""
        return needs_key
