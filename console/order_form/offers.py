"""Which fields of a new order the desk filled, and which the operator did: what he typed is never filled over.

A field that the desk filled follows the quote until the first key. From then on the quote moves none: only what the
operator changes sizes the quantity anew, and another symbol, side or type asks for another limit. One that stood empty,
because no quote was known, is filled when there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from console.order_form.choices import BUY, LIMIT
from console.order_form.prefill import FILLED, Filled, Usual, prefilled
from console.order_form.presets import Preset
from console.order_form.sizes import WAYS, Way
from core.views import DeskView

DEFAULTS: Mapping[str, str] = {"effect": BUY, "type": LIMIT, "lasts": "day", "holder": "broker"}
"""What stands in a new order whatever the market does."""
ASKS_QUOTE = frozenset({"symbol", "effect", "type"})
"""Another text in one of these is another order: its limit is asked for anew."""


class Offers:
    """One form's.

    Attributes
    ----------
    way
        How the quantity is sized while nobody typed one.
    follows
        Whether no key was pressed yet.
    """

    def __init__(self, preset: Preset, typed: Collection[str] = (), way: Way = Way.RISK) -> None:
        self.preset = preset
        self.way = way
        self.follows = True
        self._typed = set(typed)
        self._filled: dict[str, Filled] = {name: Filled(DEFAULTS.get(name, "")) for name in FILLED}

    def note(self, texts: Mapping[str, str]) -> None:
        """What stands in a field and was not put there is the operator's, however it came."""
        self._typed |= {name for name in FILLED if texts[name] != self._filled[name].text}

    def take_over(self, field: str) -> None:
        """The operator said that it is what he wants."""
        self._typed.add(field)

    def give_back(self, *fields: str) -> None:
        """The desk fills them again."""
        self._typed -= set(fields)

    def is_typed(self, field: str) -> bool:
        return field in self._typed

    def of(self, field: str) -> Filled | None:
        """What was put into it; None where it is the operator's, or never filled."""
        return None if field in self._typed else self._filled.get(field)

    def next_way(self) -> None:
        self.way = WAYS[(WAYS.index(self.way) + 1) % len(WAYS)]
        self.give_back("quantity")

    def wants_quote(self, texts: Mapping[str, str]) -> bool:
        """Whether a new picture may fill it."""
        is_empty = not texts["limit"] and not self.is_typed("limit") and texts["type"] == LIMIT
        return self.follows or is_empty

    def fill(self, texts: Mapping[str, str], view: DeskView, now: datetime, *, asks_quote: bool) -> dict[str, str]:
        """The texts that are another now, by field."""
        self.note(texts)
        free = [name for name in FILLED if name not in self._typed]
        filled = prefilled(texts, free, Usual(self.way, self.preset), view, now, asks_quote=asks_quote)
        self._filled |= filled
        return {name: offer.text for name, offer in filled.items() if offer.text != texts[name]}
