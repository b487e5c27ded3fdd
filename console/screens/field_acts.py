"""Actions of the keys in a new order's fields: choices, market prices, ticks, sizes, presets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from textual.widgets import Input

from console.keymap import written
from console.order_form.draft import CHOICES, lettered, moved, number_in, one_of
from console.order_form.prefill import Offers, preset
from console.order_form.presets import Preset, fault_in
from console.order_form.prices import Taken, price_of, ticked
from console.order_form.reading import read_draft
from console.screens.dialog_host import DialogHost
from console.screens.keep_preset import KeepPresetScreen
from core.model.values import Price, plain, priced


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
