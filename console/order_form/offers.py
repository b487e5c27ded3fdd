"""Track which fields of a new order the desk filled in and which the operator typed; typed text is never replaced.

Until the first key, fields that the desk filled in follow the quote. Afterwards the quote changes none of them: only
the operator's changes resize the quantity, and another symbol, side or type asks for another limit. A field that was
empty because no quote was known is filled when one arrives.
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
"""Values of a new order that do not depend on the market."""
ASKS_QUOTE = frozenset({"symbol", "effect", "type"})
"""Fields whose change asks for a new limit."""


class Offers:
    """The filled fields of one form.

    Attributes
    ----------
    way
        The sizing of a quantity that was not typed.
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
        """Count every text that the desk did not fill in as typed."""
        self._typed |= {name for name in FILLED if texts[name] != self._filled[name].text}

    def take_over(self, field: str) -> None:
        """Count the field as typed."""
        self._typed.add(field)

    def give_back(self, *fields: str) -> None:
        """Let the desk fill these fields again."""
        self._typed -= set(fields)

    def is_typed(self, field: str) -> bool:
        return field in self._typed

    def of(self, field: str) -> Filled | None:
        """Return the desk's value; None if the field was typed or never filled."""
        return None if field in self._typed else self._filled.get(field)

    def next_way(self) -> None:
        self.way = WAYS[(WAYS.index(self.way) + 1) % len(WAYS)]
        self.give_back("quantity")

    def wants_quote(self, texts: Mapping[str, str]) -> bool:
        """Return whether a new view may fill in the order."""
        is_empty = not texts["limit"] and not self.is_typed("limit") and texts["type"] == LIMIT
        return self.follows or is_empty

    def fill(self, texts: Mapping[str, str], view: DeskView, now: datetime, *, asks_quote: bool) -> dict[str, str]:
        """Return the changed texts by field."""
        self.note(texts)
        free = [name for name in FILLED if name not in self._typed]
        filled = prefilled(texts, free, Usual(self.way, self.preset), view, now, asks_quote=asks_quote)
        self._filled |= filled
        return {name: offer.text for name, offer in filled.items() if offer.text != texts[name]}
