"""`Ctrl+E` in a new order: save its stop and target as a named preset with a key."""

from __future__ import annotations

from collections.abc import Callable

from console.order_form.presets import KEYS, SHIPPED, Preset, fault_in
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.model.symbols import capitals
from widgets.lines import Cell, TextLine


class KeepPresetScreen(FieldsScreen):
    """`act` saves it under that key. The preset there is named before it is overwritten."""

    def __init__(self, behind: DialogHost, stop: str, target: str, act: Callable[[int, Preset], None]) -> None:
        fields = [TextField("Name", "as you call it"), TextField("Key", " ".join(KEYS), KEYS[-1])]
        super().__init__(behind, "Keep stop and target as a preset", fields, "keeps it")
        self.stop = stop
        self.target = target
        self.act = act
        self._over: Preset | None = None
        """The operator's preset whose overwriting was announced."""

    def preview(self) -> list[TextLine]:
        lines: list[TextLine] = [(Cell("Enter keeps ", "muted"), Cell(self._preset().words, "strong"))]
        number = self._number()
        if number is not None:
            lines.append((Cell(f"in the place of {self.behind.forms.presets.each[number].words}", "muted"),))
        return lines

    def _preset(self) -> Preset:
        return Preset(self.fields[0].text.strip(), self.stop, self.target)

    def _number(self) -> int | None:
        key = capitals(self.fields[1].text.strip())
        return KEYS.index(key) if key in KEYS else None

    def accept(self) -> None:
        number, preset = self._number(), self._preset()
        if fault := fault_in(preset):
            self.refuse(f"a preset {fault}")
        elif number is None:
            self.refuse(f"its key is one of {', '.join(KEYS)}")
        elif (there := self.behind.forms.presets.each[number]) not in (SHIPPED[number], preset, self._over):
            self._over = there
            self.refuse(f"{KEYS[number]} is {there.words} already: Enter again writes over it")
        else:
            self.dismiss()
            self.act(number, preset)
