"""Keys in the fields of a new order: choices, prices, ticks, sizes and presets.

The key table assigns the keys; this module says in which field each works and which characters are text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol

from textual import events
from textual.widgets import Input

from console.keymap import KeyScope, reachable, written
from console.order_form.draft import CHOICES, lettered, moved, number_in, one_of
from console.order_form.prefill import KEYS, SHIPPED, Offers, Preset, fault_in, preset
from console.order_form.prices import Taken, price_of, ticked
from console.order_form.reading import read_draft
from console.screens.dialog import DialogHost
from console.screens.form import FieldsScreen, TextField
from core.model.instrument import capitals
from core.model.values import Price, plain, priced
from widgets.lines import Cell, TextLine


class KeepPresetScreen(FieldsScreen):
    """`act` saves it under that key. The preset there is named before it is overwritten."""

    def __init__(self, behind: DialogHost, stop: str, target: str, act: Callable[[int, Preset], None]) -> None:
        fields = [
            TextField("Name", "as you call it", takes_any_script=True),
            TextField("Key", " ".join(KEYS), KEYS[-1]),
        ]
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
            lines.append((Cell(f"replaces {self.behind.forms.presets.each[number].words}", "muted"),))
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


class Fields(Protocol):
    """The form, as the actions need it."""

    behind: DialogHost
    offers: Offers
    was_edited: bool

    @property
    def inputs(self) -> Mapping[str, Input]: ...
    def texts(self) -> dict[str, str]: ...
    def put(self, field: str, text: str) -> None: ...
    def fill(self, *, asks_quote: bool) -> None: ...
    def answered(self, text: str, label: str = "") -> None: ...
    def noted(self, text: str) -> None: ...
    def search_symbol(self) -> None: ...
    def go_to(self, field: str) -> None: ...
    def has_all_selected(self, field: str) -> bool: ...
    def is_read_in_pages(self) -> bool: ...
    def clear(self) -> None: ...
    def open_help(self) -> None: ...


class FieldActs:
    """The actions of one form. None of them stages anything."""

    def __init__(self, form: Fields) -> None:
        self.form = form
        self._letters = ""

    def begin_word(self) -> None:
        """Let the next letter start a word."""
        self._letters = ""

    def letter(self, field: str, letter: str) -> None:
        found = lettered(field, self.form.inputs[field].value, self._letters, letter)
        if found is None:
            self.form.noted(f"{letter} begins none of {one_of(CHOICES[field])}")
            return
        word, self._letters = found
        self._choose(field, word)

    def move_choice(self, field: str, step: int) -> None:
        self._letters = ""
        self._choose(field, moved(field, self.form.inputs[field].value, step))

    def _choose(self, field: str, word: str) -> None:
        self.form.offers.take_over(field)
        self.form.put(field, word)

    def take_price(self, field: str, which: Taken) -> None:
        view = self.form.behind.view
        if view is None:
            return
        draft = read_draft(self.form.texts(), view)
        if draft.symbol is None:
            self.form.answered("a price needs its symbol")
            return
        price = price_of(which, draft.symbol, self.form.behind.engine_now(), buys=draft.buys)
        if isinstance(price, str):
            self.form.answered(price)
        else:
            self._set_price(field, price)

    def tick(self, field: str, steps: int) -> None:
        view = self.form.behind.view
        if view is None:
            return
        draft = read_draft(self.form.texts(), view)
        price: Price | None = getattr(draft, field)
        if price is None:
            number = number_in(self.form.inputs[field].value)
            price = None if number is None else Price(number)
        if price is None:
            self.form.answered(
                f"no price to move: {' '.join(written(f'form.{each.value}') for each in Taken)} take one"
            )
            return
        self._set_price(field, ticked(price, steps, draft.instrument.ticks))

    def _set_price(self, field: str, price: Price) -> None:
        self.form.offers.take_over(field)
        self.form.put(field, priced(price))

    def clear(self, field: str) -> None:
        self.form.offers.take_over(field)
        self.form.put(field, "")
        self.form.answered(f"{written('form.clear')} once more: the form as it opens")

    def next_way(self) -> None:
        self.form.was_edited = True
        self.form.offers.next_way()
        self.form.fill(asks_quote=False)
        offer = self.form.offers.of("quantity")
        self.form.answered(offer.words if offer is not None else "")

    def size_by(self, part: Decimal) -> None:
        """Fill in a quantity by size, and say how it was calculated."""
        view = self.form.behind.view
        if view is None:
            return
        size = preset(read_draft(self.form.texts(), view), part, view)
        if size.quantity is not None:
            self.form.offers.take_over("quantity")
            self.form.put("quantity", plain(size.quantity))
        self.form.answered(size.words)

    def take_preset(self, number: int) -> None:
        """Replace stop and target by those of a preset."""
        view = self.form.behind.view
        if view is None:
            return
        if not read_draft(self.form.texts(), view).opens:
            self.form.answered("a preset is for what opens")
            return
        self.form.offers.preset = self.form.behind.forms.presets.each[number]
        self.form.offers.give_back("stop", "target")
        self.form.was_edited = True
        self.form.fill(asks_quote=False)
        self.form.answered(self.form.offers.preset.words)

    def keep_preset(self) -> None:
        """Keep stop and target as a preset; only distances from the entry apply to other orders, prices do not."""
        stop, target = (self.form.inputs[name].value.strip() for name in ("stop", "target"))
        if fault := fault_in(Preset("name", stop, target)):
            self.form.answered(f"a preset {fault}")
        else:
            self.form.behind.ask(KeepPresetScreen(self.form.behind, stop, target, self.form.behind.keep_preset))


PRICES = frozenset({"limit", "trigger", "stop", "target"})
WAYS_OF_A_STOP = frozenset({"stop", "target"})
"""Prices that may also be entered as a distance."""
EDITS = frozenset({"backspace", "delete", "home", "end"})
TEN = 10
HELP = "?"
"""Opens the help over the form where it cannot be part of a text; the form stays as it is."""
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
        if event.character == HELP:
            self.form.open_help()
            return True
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
        if character == HELP:
            self.form.open_help()
        else:
            self.form.noted(f"{character} is no part of a number; / changes the symbol")
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
        """Clear the line; where nothing is typed, the whole form. A choice is never empty: it stays."""
        if field in CHOICES:
            self.form.answered(f"a choice stays; {written('form.clear')} on an empty line resets the form")
        elif not self.form.texts()[field]:
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
