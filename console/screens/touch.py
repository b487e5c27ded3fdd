"""Ask for the touch of a security key where no ticket does it: the looser settings of `confirm.touch` (OP-15)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import WIDTH, DialogHost, Question
from console.touch_wait import TouchWait
from core.model.touch import TouchSignature
from widgets.lines import Cell, TextLine
from widgets.ticket_text import wrapped


class TouchScreen(Question):
    """Waits for the signature over `message`; `act` gets it, and Esc gives up."""

    PLACE = KeyScope.QUESTION
    NEEDS_KEY = True
    BINDINGS = bindings_for(KeyScope.QUESTION)

    def __init__(
        self, behind: DialogHost, title: str, why: str, message: bytes, act: Callable[[TouchSignature], None]
    ) -> None:
        self.behind = behind
        self.message = message
        self.act = act
        super().__init__(title, wrapped("", why, WIDTH))
        self.touch = TouchWait(self, behind.new_agent, lambda text: behind.say(text, "warning"))

    def on_mount(self) -> None:
        super().on_mount()
        view = self.behind.view
        self.touch.begin(view.touch.keys if view is not None else (), self.message, self._touched, self._leave)

    def on_unmount(self) -> None:
        self.touch.give_up()

    def acting_keys(self) -> Collection[str]:
        return ("question.back",)

    def key_line(self) -> TextLine:
        return (Cell(" touch your security key ", "strong"), Cell(f"it blinks   {written('question.back')}  gives up"))

    def _touched(self, found: TouchSignature) -> None:
        self.dismiss()
        self.act(found)

    def _leave(self) -> None:
        self.dismiss()

    def action_answer(self) -> None:
        """No key that can be typed answers it."""
