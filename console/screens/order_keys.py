"""Keys in the fields of a new order: choices, prices, ticks, sizes and presets.

The key table assigns the keys; this module says in which field each works and which characters are text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from textual import events

from console.keymap import KeyScope, reachable, written
from console.order_form.draft import CHOICES
from console.order_form.prices import Taken
from console.screens.field_acts import FieldActs

PRICES = frozenset({"limit", "trigger", "stop", "target"})
WAYS_OF_A_STOP = frozenset({"stop", "target"})
"""Prices that may also be entered as a distance."""
EDITS = frozenset({"backspace", "delete", "home", "end"})
TEN = 10
HELP = "? is for the desk: Esc keeps the draft, then ? helps"
TEXT: Mapping[str, str] = {
    "quantity": "$.,-",
    "limit": ".,",
    "trigger": ".,",
    "stop": ".,%",
    "target": ".,%",
    "trail": "$.,%- ",
    "ttl": "smh- ",
}
"""Characters other than digits that may start a text in a field; a field that is missing here accepts all."""


class OrderKeys:
    """The keys of one form; each action returns whether it applies to that field."""

    def __init__(self, acts: FieldActs) -> None:
        self.acts = acts
        form = self.form = acts.form
        self._acts: dict[str, Callable[[str], bool]] = {
            "form.symbol": lambda _field: self._to_symbol(),
            "form.choose": lambda field: self._choose(field, 1),
            "form.choose_back": lambda field: self._choose(field, -1),
            **{f"form.{which.value}": self._taking(which) for which in Taken},
            "form.tick_up": lambda field: self._tick(field, 1),
            "form.tick_down": lambda field: self._tick(field, -1),
            "form.page_up": lambda field: not form.is_read_in_pages() and self._tick(field, TEN),
            "form.page_down": lambda field: not form.is_read_in_pages() and self._tick(field, -TEN),
            "form.way": self._way,
            "form.all": lambda _field: self._size("1"),
            "form.half": lambda _field: self._size("0.5"),
            "form.quarter": lambda _field: self._size("0.25"),
            **{f"form.preset_{number}": self._presetting(number) for number in range(1, 5)},
            "form.keep": lambda _field: self._keep_preset(),
            "form.clear": self._clear,
        }

    def act(self, field: str, event: events.Key) -> bool:
        """Handle a key; return whether it had an action there."""
        line = next((key for key in reachable(KeyScope.ORDER_FORM) if event.key in key.keys.split(",")), None)
        if line is not None and (act := self._acts.get(line.id)) is not None and act(field):
            return True
        if field not in CHOICES:
            return False
        if event.is_printable and event.character:
            self.acts.letter(field, event.character.lower())
            return True
        return event.key in EDITS

    def may_type(self, field: str, character: str) -> bool:
        """Return whether a character may be typed.

        A letter that cannot start a number is ignored, so that a misdirected key does not replace a number. After a
        number it is kept and refused with it, because dropping it would change the number.
        """
        others = TEXT.get(field)
        if others is None or (character.isascii() and character.isdigit()) or character.lower() in others:
            return True
        if self._is_behind_a_number(field):
            return True
        self.form.noted(HELP if character == "?" else f"{character} is no part of a number; / takes another symbol")
        return False

    def _is_behind_a_number(self, field: str) -> bool:
        return bool(self.form.texts()[field]) and not self.form.has_all_selected(field)

    def _to_symbol(self) -> bool:
        self.form.search_symbol()
        return True

    def _choose(self, field: str, step: int) -> bool:
        if field not in CHOICES:
            return False
        self.acts.move_choice(field, step)
        return True

    def _taking(self, which: Taken) -> Callable[[str], bool]:
        def take(field: str) -> bool:
            is_unit = which is Taken.ASK and field in WAYS_OF_A_STOP and self._is_behind_a_number(field)
            if field not in PRICES or is_unit:
                return False
            self.acts.take_price(field, which)
            return True

        return take

    def _tick(self, field: str, steps: int) -> bool:
        if field not in PRICES:
            return False
        self.acts.tick(field, steps)
        return True

    def _way(self, field: str) -> bool:
        if field != "quantity":
            return False
        self.acts.next_way()
        return True

    def _size(self, part: str) -> bool:
        self.acts.size_by(Decimal(part))
        return True

    def _presetting(self, number: int) -> Callable[[str], bool]:
        def take(_field: str) -> bool:
            self.acts.take_preset(number - 1)
            return True

        return take

    def _keep_preset(self) -> bool:
        self.acts.keep_preset()
        return True

    def _clear(self, field: str) -> bool:
        """Clear the line; where nothing is typed, or on a choice, the whole form."""
        if field in CHOICES or not self.form.texts()[field]:
            self.form.clear()
        else:
            self.acts.clear(field)
        return True


def keys_of(field: str) -> str:
    """Return the keys of that field, for the form's last line."""
    if field in CHOICES:
        own = f"{written('form.choose')} {written('form.choose_back')} or its first letter"
    elif field in PRICES:
        takes = " ".join(written(f"form.{which.value}") for which in Taken)
        ticks = f"{written('form.tick_up')} {written('form.tick_down')} tick"
        own = f"{takes} bid ask mid last  {ticks}  {written('form.page_up')} {written('form.page_down')} ten"
    elif field == "quantity":
        own = f"{written('form.way')} another size  {written('form.symbol')} symbol  {presets_in_words()} presets"
    else:
        own = f"{presets_in_words()} presets"
    return f"{written('form.stage')} stages  {own}"


def presets_in_words() -> str:
    return f"{written('form.preset_1')}–{written('form.preset_4')}"
