"""Writes the table of the facts' forms into docs/verify_record.py, from the classes of the facts.

.venv/bin/python docs/record_forms.py          writes the table
.venv/bin/python docs/record_forms.py --check  exits 1 where the table is not what it would write
"""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints

from core.facts import registry
from core.facts.registry import BY_TYPE, FactKind
from core.model.staging import Proposal
from core.settings.settings import Settings
from docs.pages import written
from state.proof.parts import EITHER, MADE_OF_SYMBOLS, SHOWN, SYMBOLS

PAGE = Path(__file__).resolve().with_name("verify_record.py")
BEGINS, ENDS = "# ── the forms of the facts", "# ── the end of the forms"
WIDTH = 118

SIMPLE: Mapping[type, str] = {
    str: "text",
    int: "number",
    bool: "flag",
    Decimal: "amount",
    datetime: "time",
    date: "day",
    time: "clock",
    Settings: "settings",
}
IDENTIFIERS = frozenset({"Digest", "TicketId", "VenueId"})
"""Types of texts that the desk makes of letters, digits and a few signs."""
ADDED: Mapping[object, tuple[str, ...]] = {
    registry.order_state_changed: ("code",),
    registry.cancel_requested: ("code",),
    registry.submission_blocked: ("code",),
    registry.refused_by_checks: ("checks",),
    registry.protection_tripped: ("limit",),
    registry.reconciliation_failed: ("code",),
    registry.authorization_ended: ("code",),
    registry.plan_moved: ("stop",),
    registry.proposed: (),
    registry.authorized: (),
}
"""The fields that an older version lacks although they have no default, by the step that adds them."""
ADDED_INSIDE = frozenset({(Proposal, "guard")})
"""The same of a class inside of facts."""
PART_KEYS = {"symbols": SYMBOLS | MADE_OF_SYMBOLS, "texts": EITHER, "skeleton": SHOWN}
"""Keys whose values a split puts into a part, or leaves in the skeleton where they are names."""


class Forms:
    """Collects the classes and enumerations that the facts hold."""

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.enumerations: dict[str, str] = {}
        self._made: dict[str, type] = {}

    def of_fact(self, kind: FactKind) -> str:
        added = {name for step in kind.upgrades.values() for name in ADDED[step]}
        return f"{kind.version} {self._fields(kind.made, added)}".strip()

    def _fields(self, made: type, added: set[str]) -> str:
        hints = get_type_hints(made, include_extras=True)
        return " ".join(
            f"{each.name}{'=' if _is_optional(made, each, added) else ':'}{self._form(hints[each.name])}"
            for each in dataclasses.fields(made)
        )

    def _form(self, hint: Any) -> str:
        if isinstance(hint, NewType):
            return hint.__name__ if hint.__name__ in IDENTIFIERS else self._form(hint.__supertype__)
        if get_origin(hint) is Annotated:
            return self._form(get_args(hint)[0])
        if get_origin(hint) in (Union, UnionType):
            others = [each for each in get_args(hint) if each is not NoneType]
            is_none = "?" if len(others) < len(get_args(hint)) else ""
            return is_none + "|".join(dict.fromkeys(map(self._form, others)))
        if get_origin(hint) is tuple:
            inner, *rest = get_args(hint)
            if rest == [Ellipsis]:
                return "*" + self._form(inner)
            return "&" + ",".join(map(self._form, (inner, *rest)))
        if get_origin(hint) is dict:
            return ">" + self._form(get_args(hint)[1])
        if hint in SIMPLE:
            return SIMPLE[hint]
        return self._named(hint)

    def _named(self, made: type) -> str:
        name = made.__name__
        if self._made.setdefault(name, made) is not made:  # two classes have this name
            name = f"{name}_of_{made.__module__.rpartition('.')[2]}"
        if issubclass(made, Enum):
            self.enumerations[name] = " | ".join(str(each.value) for each in made)
            assert all(isinstance(each.value, str) for each in made), name
        elif name not in self.classes:
            self.classes[name] = ""
            self.classes[name] = self._fields(made, {field for of, field in ADDED_INSIDE if of is made})
        return name


def _is_optional(made: type, each: Any, added: set[str]) -> bool:
    has_default = each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING
    return has_default or each.name in added


def _table(name: str, rows: Mapping[str, str], *, is_sorted: bool = True) -> Iterator[str]:
    yield f'{name} = table_of("""'
    for key in sorted(rows) if is_sorted else rows:
        yield from textwrap.wrap(
            f"{key} {rows[key]}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    yield '""")'


def page(text: str) -> str:
    """Return the verifier with its table made again."""
    forms = Forms()
    facts = {kind.name: forms.of_fact(kind) for kind in BY_TYPE.values()}
    aliases = {alias: kind.name for kind in BY_TYPE.values() for alias in kind.aliases}
    before, _, rest = text.partition(BEGINS)
    words, _, after = rest.partition(ENDS)
    heading = "\n".join(line for number, line in enumerate(words.split("\n")) if number == 0 or line.startswith("#"))
    tables = [
        *_table("FACTS", facts),
        *_table("EARLIER_NAMES", aliases),
        *_table("CLASSES", forms.classes),
        *_table("ENUMERATIONS", forms.enumerations),
        *_table("PARTS_OF_KEYS", {part: " ".join(sorted(keys)) for part, keys in PART_KEYS.items()}),
    ]
    return before + BEGINS + heading + "\n\n" + "\n".join(tables) + "\n\n" + ENDS + after


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
