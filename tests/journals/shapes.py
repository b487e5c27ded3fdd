"""The shape of a fact: what a journal holds of it, by its fields, down to texts and numbers.

    .venv/bin/python -m tests.journals.shapes first

writes `kept/first-shapes.json`. A kept shape is compared with today's: it may only have grown.

    .venv/bin/python -m tests.journals.shapes documents

writes `kept/documents-VERSION.json`, the shape of every slice's state, for the version of the state documents.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from core.facts.registry import BY_TYPE
from core.model.account import Mode
from core.settings.settings import Settings
from core.trading_state.checkpoint import adapters
from core.trading_state.state import TradingState
from state.documents import VERSION
from state.journal import MemoryJournal
from tests.journals.homes import ACCOUNT, CALENDAR, KEPT

Shape = Any
"""A text for what has no parts; `{"a": …, "b?": …}` for fields, those with a default marked; lists for the rest."""


def shape_of(kind: Any, within: tuple[Any, ...] = ()) -> Shape:
    """Of a type; `within` are those around it, which are not told again."""
    kind = getattr(kind, "__supertype__", kind)
    if kind in within:
        return f"as the {within.index(kind) + 1}. around it"
    if kind is Settings:
        return "settings"  # whose history is their own
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ["one of", *sorted(str(member.value) for member in kind)]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            field.name + ("?" if _has_default(field) else ""): shape_of(hints[field.name], (*within, kind))
            for field in fields(kind)
        }
    if get_origin(kind) is Annotated:
        return shape_of(get_args(kind)[0], within)
    if args := [arg for arg in get_args(kind) if arg is not Ellipsis]:
        name = getattr(get_origin(kind), "__name__", str(get_origin(kind)))
        return [name.replace("UnionType", "Union"), *(shape_of(arg, within) for arg in args)]
    return "None" if kind is type(None) else str(getattr(kind, "__name__", kind))


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def shapes() -> dict[str, Shape]:
    """Of every fact, by the name and version that journals know."""
    return {f"{kind.name} {kind.version}": shape_of(made) for made, kind in BY_TYPE.items()}


def state_shapes() -> dict[str, Shape]:
    """Of every slice's state, by the name of its document."""
    desk = TradingState(ACCOUNT, Mode.PAPER, CALENDAR, MemoryJournal())
    return {name: shape_of(adapter._type) for name, adapter in adapters(desk).items()}


def losses(then: Shape, now: Shape, place: str = "") -> Iterator[str]:
    """Where today's shape is no longer what was kept, in words; nothing where it only grew."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        yield from _of_fields(then, now, place)
    elif _is_choice(then) and _is_choice(now):
        yield from (f"{place}: {value!r} is none of them any more" for value in then[1:] if value not in now)
    elif isinstance(then, list) and isinstance(now, list) and then[0] == now[0] == "Union":
        yield from (f"{place}: it is never {part} any more" for part in then if not _fits(part, now, place))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (part, other) in enumerate(zip(then, now, strict=True)):
            yield from losses(part, other, f"{place}[{number}]" if number else place)
    elif isinstance(now, list) and now[0] == "Union" and _fits(then, now, place):
        return
    elif then != now:
        yield f"{place} was {then} and is {now}"


def _of_fields(then: Mapping[str, Shape], now: Mapping[str, Shape], place: str) -> Iterator[str]:
    had = {name.removesuffix("?"): name for name in then}
    has = {name.removesuffix("?"): name for name in now}
    for name, marked in had.items():
        if name not in has:
            yield f"{place}.{name} is gone"
            continue
        if marked.endswith("?") and not has[name].endswith("?"):
            yield f"{place}.{name} has no default any more"
        yield from losses(then[marked], now[has[name]], f"{place}.{name}")
    for name, marked in has.items():
        if name not in had and not marked.endswith("?"):
            yield f"{place}.{name} is new and has no default"


def _is_choice(shape: Shape) -> bool:
    return isinstance(shape, list) and shape[0] == "one of"


def _fits(part: Shape, now: list[Shape], place: str) -> bool:
    return any(not list(losses(part, other, place)) for other in now)


if __name__ == "__main__":
    of_states = sys.argv[1] == "documents"
    path = KEPT / (f"documents-{VERSION}.json" if of_states else f"{sys.argv[1]}-shapes.json")
    found = state_shapes() if of_states else shapes()
    lines = (f"{json.dumps(name)}: {json.dumps(shape, sort_keys=True)}" for name, shape in sorted(found.items()))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: {path.stat().st_size:,} bytes")
