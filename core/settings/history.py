"""Settings as journals and state documents keep them, read as what they were (SP-07).

A settings file is judged: what cannot stand there is refused, with its place. What a journal holds did stand, under the
rules of its day, and is never refused. It is brought to today's names first; what today's rules would still not take is
kept and named. How a settings key is renamed, or its default changed, stands in docs/FORMATS.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache, reduce
from itertools import takewhile
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from core.settings.notify import program_of
from core.settings.settings import Settings
from core.settings.types import AmountSettings, HistoricalValue, KeyPath, SettingsTable
from core.settings.user_strategies import UserStrategySettings

VERSION = 3
"""Of the settings that are written now. It grows where a key is renamed, or means something else, or has another
default; a new key needs none, where its default says what was so before it was there."""

Table = Mapping[str, Any]
Upgrade = Callable[[Table], Table]

SHOWN = 60
"""Characters of a value that are repeated."""
NAMED = 3
"""Settings that the start names; the log has all."""


# ── how a version is brought to the next ─────────────────────────────────────────────────────────────────────────────


def renamed(old: str, new: str) -> Upgrade:
    """A key or a table is called otherwise, or stands elsewhere: `renamed("risk.entries", "risk.entries_a_day")`."""

    def upgrade(values: Table) -> Table:
        found = _found(values, old.split("."))
        return values if found is _ABSENT else _with(_without(values, old.split(".")), new.split("."), found)

    return upgrade


def defaulted(key: str, value: JsonValue) -> Upgrade:
    """The default of a key was this, and is another now: a record that lacks the key meant this."""

    path = key.split(".")

    def upgrade(values: Table) -> Table:
        table = _found(values, path[:-1])
        is_odd = table is not _ABSENT and not isinstance(table, Mapping)
        return values if is_odd or _found(values, path) is not _ABSENT else _with(values, path, value)

    return upgrade


def each(*steps: Upgrade) -> Upgrade:
    """All that one version changed, in order."""
    return lambda values: reduce(lambda table, step: step(table), steps, values)


_ABSENT = object()
COMMAND: KeyPath = ("notify", "command")


def _found(values: object, path: Iterable[str]) -> Any:
    for key in path:
        values = values.get(key, _ABSENT) if isinstance(values, Mapping) else _ABSENT
    return values


def _with(values: Table, path: list[str], value: object) -> Table:
    key, *rest = path
    inner = values.get(key)
    return {**values, key: _with(inner if isinstance(inner, Mapping) else {}, rest, value) if rest else value}


def _without(values: Table, path: list[str]) -> Table:
    key, *rest = path
    if rest:
        return {**values, key: _without(values[key], rest)}
    return {name: value for name, value in values.items() if name != key}


def _basket_keys(values: Table) -> Table:
    """The keys of the basket's screen were called `plan` and `plan.sign` before."""
    moved = values.get("keys")
    if not isinstance(moved, Mapping):
        return values
    keys = {BASKET_KEY.sub("basket", id) if isinstance(id, str) else id: key for id, key in moved.items()}
    return {**values, "keys": keys}


BASKET_KEY = re.compile(r"^plan(?=\.|$)")
RENAMED: Mapping[str, str] = {"staging.plan": "staging.basket"}
"""What a settings file may still call by its old name, and what to write instead."""

EARLIER: dict[int, Upgrade] = {
    1: each(*(renamed(old, new) for old, new in RENAMED.items()), _basket_keys),
    2: defaulted("risk.clock_steady_seconds", "60"),
}
"""By version: makes of its settings those of the next, by `renamed`, `defaulted`, or both by `each`."""


# ── read and written ─────────────────────────────────────────────────────────────────────────────────────────────────


def read(values: object, version: int) -> Settings:
    """The settings that a record of this version holds. `Settings.odd` says what today's rules would not take.

    Raises TypeError where it is no table at all, ValueError where a newer Keyturn wrote it.
    """
    if not isinstance(values, Mapping) or not isinstance(version, int):
        raise TypeError("it is no table")
    if version > VERSION:
        raise ValueError(f"settings of version {version}")
    table: Table = values
    for step in range(version, VERSION):
        table = EARLIER[step](table)
    table = _without_arguments(table)
    try:
        return Settings.model_validate(table)
    except ValidationError:
        return _with_what_is_odd(table)


def _with_what_is_odd(table: Table) -> Settings:
    unread: dict[KeyPath, JsonValue] = {}
    settings = _as_it_stands(Settings, table, (), unread)
    assert isinstance(settings, Settings)
    left = tuple(sorted(unread.items(), key=lambda item: item[0]))
    settings.note(HistoricalValue(unread=left))
    try:
        return Settings.model_validate(written(settings, "json"))
    except ValidationError as error:  # what is said of them is what will be said of their next record
        faults = error.errors(include_url=False)
        words = dict.fromkeys(_in_words(fault["loc"], fault, unread) for fault in faults)
        places = dict.fromkeys(_place(fault["loc"]) for fault in faults)
        settings.note(HistoricalValue(tuple(words), tuple(places), left))
        return settings


def written(settings: Settings, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
    """The settings as a record holds them: with what was not read of them in its place."""
    values = as_recorded(settings).model_dump(mode=mode, warnings=False)
    for path, value in settings.odd.unread:
        table = values
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return values


def as_recorded(settings: Settings) -> Settings:
    """Without what is for the settings file alone: the arguments of `notify.command` may be secrets (SY-06)."""
    command = program_of(settings.notify.command)
    if command == settings.notify.command:
        return settings
    return settings.model_copy(update={"notify": settings.notify.model_copy(update={"command": command})})


def _without_arguments(table: Table) -> Table:
    """The same, of a record of before that was so."""
    command = _found(table, COMMAND)
    if not isinstance(command, Sequence) or isinstance(command, str):
        return table if command is _ABSENT else _without(table, [*COMMAND])
    return _with(table, [*COMMAND], list(program_of(command)))


def restated(settings: Settings) -> Settings:
    """The same, as it will be read from its record."""
    return read(written(settings, "json"), VERSION)


def put_down(settings: Settings) -> dict[str, Any]:
    """The settings as a state document holds them: with their version, which a document has not for each part."""
    return {"version": VERSION, "settings": written(settings, "json")}


def taken_up(kept: object) -> Settings:
    """The settings of a state document; those of before they had a version are of the first.

    Raises ValueError where they are none, or a newer Keyturn wrote them.
    """
    if isinstance(kept, Settings):
        return kept
    has_version = isinstance(kept, Mapping) and kept.keys() == {"version", "settings"}
    try:
        return read(kept["settings"], kept["version"]) if has_version else read(kept, 1)  # type: ignore[index]
    except TypeError as error:
        raise ValueError(str(error)) from error


def as_they_were(odd: HistoricalValue) -> str:
    """What the operator is told at a start, in one line."""
    more = f"; and {len(odd.words) - NAMED} more" if len(odd.words) > NAMED else ""
    return f"the journal's settings are of another Keyturn, read as they were: {'; '.join(odd.words[:NAMED])}{more}"


# ── what today's rules would not take ────────────────────────────────────────────────────────────────────────────────


def _as_it_stands(model: type[BaseModel], values: Table, path: KeyPath, unread: dict[KeyPath, JsonValue]) -> BaseModel:
    """A table without anybody's judgement: what cannot be read, and what nobody knows, goes into `unread`."""
    if issubclass(model, SettingsTable):
        values = model.as_fields(values)
    fields = {}
    for name, field in model.model_fields.items():
        fields[name] = field.get_default(call_default_factory=True)
        if name in values:
            value = _value(model, name, field, values[name], (*path, name), unread)
            if value is _ABSENT:
                unread[*path, name] = values[name]
            else:
                fields[name] = value
    unread.update({(*path, name): value for name, value in values.items() if name not in fields})
    return model.model_construct(**fields)


def _value(
    model: type[BaseModel], name: str, field: FieldInfo, raw: object, path: KeyPath, unread: dict[KeyPath, JsonValue]
) -> object:
    """What a key holds; absent where it is nothing of the kind."""
    inner = field.annotation
    if inner is AmountSettings:
        return _amount(raw)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return _as_it_stands(inner, raw, path, unread) if isinstance(raw, Mapping) else _ABSENT
    if inner == dict[str, UserStrategySettings]:
        if not isinstance(raw, Mapping) or not all(isinstance(value, Mapping) for value in raw.values()):
            return _ABSENT
        return {key: _as_it_stands(UserStrategySettings, value, (*path, key), unread) for key, value in raw.items()}
    return _first_read(_readers(model, name), raw)


def _amount(raw: object) -> object:
    """One of the two; both or none are no amount."""
    if not isinstance(raw, Mapping):
        return _ABSENT
    given: dict[str, Any] = {
        key: _first_read((_PLAIN,), raw[key]) for key in AmountSettings.model_fields if raw.get(key) is not None
    }
    if len(given) != 1 or _ABSENT in given.values() or raw.keys() - AmountSettings.model_fields.keys():
        return _ABSENT
    return AmountSettings.model_construct(None, **given)


def _first_read(readers: Iterable[TypeAdapter[Any]], raw: object) -> object:
    for reader in readers:
        try:
            return reader.validate_python(raw)
        except ValidationError:
            continue
    return _ABSENT


@cache
def _readers(model: type[BaseModel], name: str) -> tuple[TypeAdapter[Any], ...]:
    """Of a key: with its range, then without any."""
    field = model.model_fields[name]
    kind: Any = field.annotation
    judged = kind
    for rule in field.metadata:
        judged = Annotated[judged, rule]
    return TypeAdapter(judged), TypeAdapter(_bare(kind))


_PLAIN = TypeAdapter[Any](Decimal)


def _bare(kind: Any) -> Any:
    """A type without its ranges: any text where a choice of texts stood."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bare(args[0])
    if origin is Literal:
        return reduce(or_, {type(value) for value in args})
    if origin in (Union, UnionType):
        return reduce(or_, map(_bare, args))
    if origin is None:
        return kind
    return origin[tuple(arg if arg is Ellipsis else _bare(arg) for arg in args)]


def _place(found: tuple[int | str, ...]) -> KeyPath:
    """The key, without the number of what stands in its list."""
    return tuple(str(part) for part in takewhile(lambda part: isinstance(part, str), found))


def _in_words(place: tuple[int | str, ...], fault: Any, unread: Mapping[KeyPath, JsonValue]) -> str:
    """`risk.entries_a_day = 20000: must be less than or equal to 10000`."""
    path = tuple(str(part) for part in place)
    key = ".".join(part for part in path if part != "own")
    if fault["type"] == "extra_forbidden":
        return f"{key}: there is no such setting any more"
    said = re.sub(r"^(Input|String) should", "must", fault["msg"].removeprefix("Value error, "))
    if isinstance(fault["input"], Mapping):
        return said if not key or "." in said else f"{key}: {said}"
    is_lost = any(path[: len(lost)] == lost for lost in unread)
    return f"{key} = {str(fault['input'])[:SHOWN]}: {said}{'; its default stands' if is_lost else ''}"
