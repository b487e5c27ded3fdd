"""The differences of two values by path, and the new value built from the old one and the differences.

A path is a list of indices: of a field in its class, of a member in its tuple. Rows are identified by their first
field: a row that only moved is not sent again. Unchanged parts stay the same objects, so that a renderer can detect
them by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import groupby
from operator import attrgetter, is_
from types import NoneType
from typing import Any, TypeAlias, TypeVar, cast, get_args

import msgspec

from core.model.lazy_dataclass import dataclass
from core.protocol.codec import (
    FrameError,
    Hint,
    Shape,
    bare,
    decoding,
    is_plain,
    is_union,
    origin_of,
    packed,
    shape_of,
    written,
)

T = TypeVar("T")
Path: TypeAlias = tuple[int, ...]
Run: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Put:
    """Replace the value at the path."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Arrange:
    """Rearrange the members of the tuple at the path, before the following changes within them.

    Each run is an index in the old tuple, the number of members from there on, and the number of `fresh` ones after
    them. No member of the old tuple is used twice.
    """

    path: Path
    runs: tuple[Run, ...]
    fresh: tuple[Any, ...]


Change: TypeAlias = Put | Arrange


# ── between two values ───────────────────────────────────────────────────────────────────────────────────────────────


def changes(old: T, new: T) -> tuple[Change, ...]:
    """Return the changes from one value to the other, in the order of application; empty if they are identical.

    The comparison is exact: 1.0 differs from 1.00, and a member of an enumeration from its value.
    """
    found: list[Change] = []
    _compare(old, new, (), found)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """How two values of a class are compared.

    Attributes
    ----------
    sure
        For each field, whether equality implies identity of representation: true for texts and times, not for numbers.
    unsure
        The indices of the other fields.
    is_flat
        No field has parts: values are compared at once, and sent as a whole if most of it changed.
    """

    shape: Shape
    sure: tuple[bool, ...]
    unsure: tuple[int, ...]
    is_flat: bool


def _plan_of(kind: type) -> Plan | None:
    shape = shape_of(kind)
    if shape is None:
        return None
    sure = tuple(map(_is_sure, shape.hints))
    flat = all(is_plain(hint) and origin_of(hint) is not tuple for hint in shape.hints)
    return Plan(shape, sure, tuple(place for place, is_sure in enumerate(sure) if not is_sure), flat)


_plan: Callable[[Any], Plan | None] = cache(_plan_of)


def _is_sure(hint: Hint) -> bool:
    hint = bare(hint)
    parts = [bare(part) for part in get_args(hint) if part not in (Ellipsis, NoneType)]
    if is_union(hint):
        return len(parts) == 1 and _is_sure(parts[0])
    if origin_of(hint) is tuple:
        return all(map(_is_sure, parts))
    return hint in (bool, int, str, bytes, date, datetime, time, timedelta) or issubclass(hint, Enum)


def _compare(old: Any, new: Any, path: Path, found: list[Change]) -> None:
    kind = type(new)
    if kind is tuple and type(old) is tuple:
        if len(old) == len(new):
            if all(map(is_, old, new)):
                return
            began = len(found)
            if _compare_pairs(old, new, path, found):
                return
            del found[began:]
        arranged = _arrangement(old, new, path)
        if not arranged.runs:
            found.append(Put(path, new))
            return
        found.append(arranged)
        _compare_pairs(_arranged(old, arranged), new, path, found)
    elif (plan := _plan(kind)) is None:
        if not _is_same(old, new):
            found.append(Put(path, new))
    elif plan is not _plan(type(old)):
        found.append(Put(path, new))
    else:
        _compare_fields(plan, plan.shape.values(old), plan.shape.values(new), path, new, found)


def _is_same(old: Any, new: Any) -> bool:
    """Whether two values without parts are identical."""
    if type(old) is not type(new):
        return False
    if type(old) is Decimal:
        return not old.compare_total(new)
    return bool(old == new) and (type(old) is not float or repr(old) == repr(new))


def _compare_fields(
    plan: Plan, before: tuple[Any, ...], after: tuple[Any, ...], path: Path, new: Any, found: list[Change]
) -> None:
    if plan.is_flat and before == after and _are_the_same(plan.unsure, [before], [after]):
        return
    began = len(found)
    for place, (was, now) in enumerate(zip(before, after, strict=True)):
        if was is not now and not (plan.sure[place] and was == now):
            _compare(was, now, (*path, place), found)
    if plan.is_flat and 2 * (len(found) - began) > len(before):
        found[began:] = [Put(path, new)]


def _are_the_same(places: tuple[int, ...], befores: list[tuple[Any, ...]], afters: list[tuple[Any, ...]]) -> bool:
    """Whether equal values at these indices are also identical."""
    return all(
        before[place] is after[place] or _is_same(before[place], after[place])
        for place in places
        for before, after in zip(befores, afters, strict=True)
    )


def _compare_pairs(old: tuple[Any, ...], new: tuple[Any, ...], path: Path, found: list[Change]) -> bool:
    """Compare the members at equal indices; return False if their keys differ."""
    kinds = {*map(type, old), *map(type, new)}
    plan = _plan(kinds.pop()) if len(kinds) == 1 else None
    if plan is not None and plan.is_flat:
        return _compare_rows(plan, old, new, path, found)
    for place, (was, now) in enumerate(zip(old, new, strict=True)):
        if was is now:
            continue
        if _key(was) != _key(now):
            return False
        _compare(was, now, (*path, place), found)
    return True


def _compare_rows(plan: Plan, old: tuple[Any, ...], new: tuple[Any, ...], path: Path, found: list[Change]) -> bool:
    """The same for rows of one flat class, which are usually all unchanged."""
    befores, afters = list(map(plan.shape.values, old)), list(map(plan.shape.values, new))
    if befores == afters and _are_the_same(plan.unsure, befores, afters):
        return True
    for place, (before, after) in enumerate(zip(befores, afters, strict=True)):
        if before[0] != after[0]:
            return False
        _compare_fields(plan, before, after, (*path, place), new[place], found)
    return True


def _arrangement(old: tuple[Any, ...], new: tuple[Any, ...], path: Path) -> Arrange:
    """Return the rearrangement by the members' keys, with one run for adjacent old members; empty if none is kept."""
    runs: list[list[int]] = []
    fresh: list[Any] = []
    for member, place in zip(new, _places(old, new), strict=True):
        if place is None:
            fresh.append(member)
            if not runs:
                runs.append([0, 0, 0])
            runs[-1][2] += 1
        elif runs and not runs[-1][2] and runs[-1][0] + runs[-1][1] == place:
            runs[-1][1] += 1
        else:
            runs.append([place, 1, 0])
    is_anew = len(fresh) == len(new)
    return Arrange(path, () if is_anew else tuple((start, count, then) for start, count, then in runs), tuple(fresh))


def _places(old: tuple[Any, ...], new: tuple[Any, ...]) -> list[int | None]:
    """Return the old index of each new member, first by identity, then by key."""
    by_identity = {id(member): place for place, member in enumerate(old)}
    places = [by_identity.pop(id(member), None) for member in new]
    if None in places:
        kept = set(places)
        by_key = {_key(member): place for place, member in enumerate(old) if place not in kept}
        for at, member in enumerate(new):
            if places[at] is None:
                places[at] = by_key.pop(_key(member), None)
    return places


def _key(member: Any) -> Any:
    """Return the value that identifies a row among its neighbours."""
    kind = type(member)
    if kind is tuple:
        return _key(member[0]) if member else ()
    first = _first(kind)
    return member if first is None else _key(first(member))


def _first_of(kind: type) -> Callable[[Any], Any] | None:
    shape = shape_of(kind)
    return attrgetter(shape.names[0]) if shape is not None and shape.names else None


_first: Callable[[Any], Callable[[Any], Any] | None] = cache(_first_of)


# ── to a value ───────────────────────────────────────────────────────────────────────────────────────────────────────


def apply(old: T, changed: Sequence[Change]) -> T:
    """Apply changes to a value. Raises `FrameError` if they do not fit it."""
    return cast(T, _Applying(lambda value, _hint: value).to(old, type(old), changed, 0))


def encode_changes(changed: Sequence[Change]) -> bytes:
    """Encode changes. Raises `FrameError` for types outside the protocol."""
    return packed([_row(change) for change in changed])


def _row(change: Change) -> list[Any]:
    if isinstance(change, Put):
        return [_PUT, change.path, written(change.value)]
    return [_ARRANGE, change.path, change.runs, written(change.fresh)]


def apply_changes(old: T, data: bytes | msgspec.Raw, kind: Hint) -> T:
    """Decode changes and apply them to a value of that type. Raises only `FrameError`."""
    try:
        rows = _rows.decode(data)
        told = [
            Put(row.path, row.value) if isinstance(row, _Put) else Arrange(row.path, row.runs, row.fresh)
            for row in rows
        ]
        return cast(T, _Applying(lambda value, hint: decoding(hint)(value)).to(old, kind, told, 0))
    except FrameError:
        raise
    except Exception as error:  # the peer is untrusted, and a class may reject values with any exception
        raise FrameError(f"no changes of this picture: {type(error).__name__}: {error}") from error


_PUT, _ARRANGE = 0, 1


class _Put(msgspec.Struct, array_like=True, tag_field="change", tag=_PUT, forbid_unknown_fields=True):
    path: Path
    value: msgspec.Raw


class _Arrange(msgspec.Struct, array_like=True, tag_field="change", tag=_ARRANGE, forbid_unknown_fields=True):
    path: Path
    runs: tuple[Run, ...]
    fresh: tuple[msgspec.Raw, ...]


_rows = msgspec.msgpack.Decoder(tuple[_Put | _Arrange, ...])


class _Applying:
    """Applies changes; `read` builds the value of a change for the type of its place."""

    def __init__(self, read: Callable[[Any, Hint], Any]) -> None:
        self._read = read

    def to(self, value: Any, hint: Hint, changed: Sequence[Change], depth: int) -> Any:
        """Apply changes at this value or below it, `depth` steps from the root."""
        for change in changed:
            if len(change.path) == depth:
                value = self._changed(value, hint, change)
        below = [change for change in changed if len(change.path) > depth]
        return self._within(value, hint, below, depth) if below else value

    def _changed(self, value: Any, hint: Hint, change: Change) -> Any:
        if isinstance(change, Put):
            return self._read(change.value, hint)
        if type(value) is not tuple:
            raise FrameError(f"the members of a {type(value).__name__} at {change.path}")
        made = _arranged(value, change)
        # The indices of the fresh members in the new tuple.
        runs = change.runs
        fresh: list[int] = []
        at = 0
        for _, count, then in runs:
            fresh += range(at + count, at + count + then)
            at += count + then
        members = list(made)
        for place in fresh:
            members[place] = self._read(members[place], _hint_of_member(hint, place))
        return tuple(members)

    def _within(self, value: Any, hint: Hint, below: Sequence[Change], depth: int) -> Any:
        shape = shape_of(type(value))
        if shape is None and type(value) is not tuple:
            raise FrameError(f"a part of a {type(value).__name__} at {below[0].path[:depth]}")
        parts = list(value if shape is None else shape.values(value))
        for place, there in groupby(below, key=lambda change: change.path[depth]):
            if not 0 <= place < len(parts):
                raise FrameError(f"no place {place} at {below[0].path[:depth]}")
            kind = _hint_of_member(hint, place) if shape is None else shape.hints[place]
            parts[place] = self.to(parts[place], kind, list(there), depth + 1)
        return tuple(parts) if shape is None else shape.make(*parts)


def _arranged(old: tuple[Any, ...], change: Arrange) -> tuple[Any, ...]:
    made: list[Any] = []
    told = 0
    for start, count, then in change.runs:
        if min(start, count, then) < 0 or start + count > len(old) or told + then > len(change.fresh):
            raise FrameError(f"members that are not there at {change.path}")
        made += old[start : start + count]
        made += change.fresh[told : told + then]
        told += then
    if sum(count for _, count, _ in change.runs) > len(old) or told != len(change.fresh):
        raise FrameError(f"more members than there are at {change.path}")
    return tuple(made)


def _hint_of_member(hint: Hint, place: int) -> Hint:
    """Return the type at an index of a tuple."""
    hint = bare(hint)
    if is_union(hint):
        hint = next((bare(part) for part in get_args(hint) if origin_of(part) is tuple), None)
    parts = get_args(hint)
    if not parts:
        return hint
    return parts[0] if parts[-1] is Ellipsis else parts[place]
