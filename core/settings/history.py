"""Read recorded settings of older versions from journals and state documents (SP-07).

A settings file is validated: an invalid value is refused, with its place. Settings in a journal were valid by the rules
of their day, and are never refused. They are converted to today's names first; values that today's rules would refuse
are kept and reported. docs/FORMATS.md describes how a settings key is renamed, or its default changed.
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

from core.settings.service import program_of
from core.settings.settings import Settings
from core.settings.strategies import UserStrategySettings
from core.settings.types import AmountSettings, HistoricalValue, KeyPath, SettingsTable

VERSION = 4
"""Version of settings written now.

It grows when a key is renamed, or changes its meaning or default; a new key needs none if its default is the behaviour
from before.
"""

Table = Mapping[str, Any]
Upgrade = Callable[[Table], Table]

SHOWN = 60
"""Characters of a value that are repeated."""
NAMED = 3
"""Settings that the start names; the log has all."""


# ── conversion to the next version ───────────────────────────────────────────────────────────────────────────────────


def renamed(old: str, new: str) -> Upgrade:
    """Rename or move a key or a table: `renamed("risk.entries", "risk.entries_a_day")`."""

    def upgrade(values: Table) -> Table:
        found = _found(values, old.split("."))
        return values if found is _ABSENT else _with(_without(values, old.split(".")), new.split("."), found)

    return upgrade


def defaulted(key: str, value: JsonValue) -> Upgrade:
    """Set the former default of a key in records that lack the key."""

    path = key.split(".")

    def upgrade(values: Table) -> Table:
        table = _found(values, path[:-1])
        is_odd = table is not _ABSENT and not isinstance(table, Mapping)
        return values if is_odd or _found(values, path) is not _ABSENT else _with(values, path, value)

    return upgrade


def each(*steps: Upgrade) -> Upgrade:
    """Combine all changes of one version, in order."""
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
    """Rename the keys of the basket's screen, formerly `plan` and `plan.sign`."""
    moved = values.get("keys")
    if not isinstance(moved, Mapping):
        return values
    keys = {BASKET_KEY.sub("basket", id) if isinstance(id, str) else id: key for id, key in moved.items()}
    return {**values, "keys": keys}


BASKET_KEY = re.compile(r"^plan(?=\.|$)")
RENAMED: Mapping[str, str] = {"staging.plan": "staging.basket", "exits.by_hand": "exits.manual"}
"""Old names that a settings file may still use, with the new ones."""

EARLIER: dict[int, Upgrade] = {
    1: each(*(renamed(old, new) for old, new in RENAMED.items()), _basket_keys),
    2: defaulted("risk.clock_steady_seconds", "60"),
    3: renamed("exits.by_hand", "exits.manual"),
}
"""By version: converts its settings to the next one's, by `renamed`, `defaulted`, or both by `each`."""


# ── read and written ─────────────────────────────────────────────────────────────────────────────────────────────────


def read(values: object, version: int) -> Settings:
    """Read the settings of a record of this version. `Settings.odd` holds the values that today's rules would refuse.

    Raises TypeError if it is no table, ValueError if a newer Keyturn wrote it.
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
        unread: dict[KeyPath, JsonValue] = {}
        settings = _as_it_stands(Settings, table, (), unread)
        assert isinstance(settings, Settings)
        left = tuple(sorted(unread.items(), key=lambda item: item[0]))
        settings.note(HistoricalValue(unread=left))
        try:
            return Settings.model_validate(written(settings, "json"))
        except ValidationError as error:  # the same text as for their next record
            faults = error.errors(include_url=False)
            words = dict.fromkeys(_in_words(fault["loc"], fault, unread) for fault in faults)
            places = dict.fromkeys(_place(fault["loc"]) for fault in faults)
            settings.note(HistoricalValue(tuple(words), tuple(places), left))
            return settings


def written(settings: Settings, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
    """Return the settings as recorded, with unread values in their places."""
    values = as_recorded(settings).model_dump(mode=mode, warnings=False)
    for path, value in settings.odd.unread:
        table = values
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return values


def as_recorded(settings: Settings) -> Settings:
    """Remove the arguments of programs, which may be secrets (SY-06); only the settings file has them."""
    notify, report = settings.notify, settings.report
    if all(program_of(command) == command for command in (notify.command, report.agent.command)):
        return settings
    agent = report.agent.model_copy(update={"command": program_of(report.agent.command)})
    return settings.model_copy(
        update={
            "notify": notify.model_copy(update={"command": program_of(notify.command)}),
            "report": report.model_copy(update={"agent": agent}),
        }
    )


def _without_arguments(table: Table) -> Table:
    """Remove the arguments from an older record."""
    command = _found(table, COMMAND)
    if not isinstance(command, Sequence) or isinstance(command, str):
        return table if command is _ABSENT else _without(table, [*COMMAND])
    return _with(table, [*COMMAND], list(program_of(command)))


def restated(settings: Settings) -> Settings:
    """Return the settings as they will be read from their record."""
    return read(written(settings, "json"), VERSION)


def put_down(settings: Settings) -> dict[str, Any]:
    """Return the settings for a state document, with their version, which such a document does not have per part."""
    return {"version": VERSION, "settings": written(settings, "json")}


def taken_up(kept: object) -> Settings:
    """Read the settings of a state document; without a version they are of the first.

    Raises ValueError if they are no settings, or a newer Keyturn wrote them.
    """
    if isinstance(kept, Settings):
        return kept
    has_version = isinstance(kept, Mapping) and kept.keys() == {"version", "settings"}
    try:
        return read(kept["settings"], kept["version"]) if has_version else read(kept, 1)  # type: ignore[index]
    except TypeError as error:
        raise ValueError(str(error)) from error


def as_they_were(odd: HistoricalValue) -> str:
    """Format the values that today's rules refuse, in one line for the start's report."""
    more = f"; and {len(odd.words) - NAMED} more" if len(odd.words) > NAMED else ""
    return f"the journal's settings are of another Keyturn, read as they were: {'; '.join(odd.words[:NAMED])}{more}"


# ── values that today's rules refuse ─────────────────────────────────────────────────────────────────────────────────


def _as_it_stands(model: type[BaseModel], values: Table, path: KeyPath, unread: dict[KeyPath, JsonValue]) -> BaseModel:
    """Build a table without validation: unreadable and unknown values go into `unread`."""
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
    """Read a key's value; absent if it has the wrong type."""
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
    """Read an amount: exactly one of the two keys."""
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
    """Return the readers of a key: with its range, then without any."""
    field = model.model_fields[name]
    kind: Any = field.annotation
    judged = kind
    for rule in field.metadata:
        judged = Annotated[judged, rule]
    return TypeAdapter(judged), TypeAdapter(_bare(kind))


_PLAIN = TypeAdapter[Any](Decimal)


def _bare(kind: Any) -> Any:
    """Return a type without its ranges: any text in place of a choice of texts."""
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
    """Return the key, without the index in its list."""
    return tuple(str(part) for part in takewhile(lambda part: isinstance(part, str), found))


def _in_words(place: tuple[int | str, ...], fault: Any, unread: Mapping[KeyPath, JsonValue]) -> str:
    """As in `risk.entries_a_day = 20000: must be less than or equal to 10000`."""
    path = tuple(str(part) for part in place)
    key = ".".join(part for part in path if part != "own")
    if fault["type"] == "extra_forbidden":
        return f"{key}: there is no such setting any more"
    said = re.sub(r"^(Input|String) should", "must", fault["msg"].removeprefix("Value error, "))
    if isinstance(fault["input"], Mapping):
        return said if not key or "." in said else f"{key}: {said}"
    is_lost = any(path[: len(lost)] == lost for lost in unread)
    return f"{key} = {str(fault['input'])[:SHOWN]}: {said}{'; its default stands' if is_lost else ''}"
