"""The shape of a fact: what a journal holds of it, by its fields, down to texts and numbers.

    .venv/bin/python -m tests.journals.shapes first

writes `kept/first-shapes.json`. A kept shape is compared with today's: it may only have grown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

from core.facts.registry import BY_TYPE
from core.trading_state.checkpoint import Shape, shape_of
from tests.journals.homes import KEPT


def shapes() -> dict[str, Shape]:
    """Of every fact, by the name and version that journals know."""
    return {f"{kind.name} {kind.version}": shape_of(made) for made, kind in BY_TYPE.items()}


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
    path = KEPT / f"{sys.argv[1]}-shapes.json"
    lines = (f"{json.dumps(name)}: {json.dumps(shape, sort_keys=True)}" for name, shape in sorted(shapes().items()))
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: {path.stat().st_size:,} bytes")
