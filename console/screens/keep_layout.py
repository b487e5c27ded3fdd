"""Save the current panes as a named layout, which `L` restores; `drop NAME` deletes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.layouts import ColumnOfPanes, DeskLayout, fault_of, in_words
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from widgets.lines import Cell, TextLine

DROP = "drop "


class KeepLayoutScreen(FieldsScreen):
    """`keep` is called with a name, `drop` with a name in `own`.

    An existing layout is named before it is overwritten.
    """

    NEEDS_KEY = False

    def __init__(
        self,
        behind: DialogHost,
        layout: DeskLayout,
        shown: tuple[ColumnOfPanes, ...],
        own: Mapping[str, DeskLayout],
        acts: tuple[Callable[[str], None], Callable[[str], None]],
    ) -> None:
        fields = [TextField("Name", "as you call it")]
        super().__init__(behind, "Keep this layout", fields, "keeps it")
        self.kept, self.shown, self.own = layout, shown, own
        self.keep, self.drop = acts
        self._over = ""
        """The layout whose overwriting was announced."""

    def preview(self) -> list[TextLine]:
        name = self._typed()
        own = f"{', '.join(self.own)}; drop NAME takes one back" if self.own else "none yet"
        yours: list[TextLine] = [(Cell(f"Yours: {own}", "muted"),)]
        if name.startswith(DROP):
            word = name.removeprefix(DROP)
            said = f"Enter removes the layout {word}" if word in self.own else f"there is no layout {word} of yours"
            return [(Cell(said, "warning"),), *yours]
        over = f", in the place of {in_words(self.own[name], self.own[name].two)}" if name in self.own else ""
        return [(Cell("Enter keeps ", "muted"), Cell(in_words(self.kept, self.shown), "strong"), Cell(over)), *yours]

    def accept(self) -> None:
        name = self._typed()
        if name.startswith(DROP) and name.removeprefix(DROP) in self.own:
            self.dismiss()
            self.drop(name.removeprefix(DROP))
        elif name.startswith(DROP):
            self.refuse("the name of one of yours stands behind drop")
        elif fault := fault_of(name):
            self.refuse(f"a layout {fault}" if not fault.startswith(name or " ") else fault)
        elif name in self.own and self._over != name:
            self._over = name
            self.refuse(f"{name} is yours already: Enter again writes over it")
        else:
            self.dismiss()
            self.keep(name)

    def _changed(self) -> None:
        self._over = ""
        super()._changed()

    def _typed(self) -> str:
        return self.fields[0].text.strip().lower()
