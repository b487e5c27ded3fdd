"""Load the settings from the operator's sources, and show an example of their file (OP-10).

Tables are merged key by key, by pydantic-settings; an amount in another unit replaces the lower one. A fault is
reported in one line: place, key, value, and the allowed values. Only values that a setting was given are printed.

A test loads it for every profile and compares the result with the profile, so that it stays current.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import time
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Protocol, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.ports import OperatorError
from core.settings.entry_windows import EntryWindow
from core.settings.history import RENAMED
from core.settings.settings import PROFILES, Settings
from core.settings.strategies import HOUSE_NAMES, StrategiesSettings, UserStrategySettings, is_of_the_user
from core.settings.types import WHOLE, AmountSettings
from state.accounts import Chosen
from state.credentials import VARIABLE
from state.files import Home, KeyPath, TomlError, UnreadableTomlError, odd_value, tables_of, toml_of
from state.home_files import NAME, read_sectors

PREFIX = "KEYTURN_"
OTHER_VARIABLES = frozenset(
    {
        "KEYTURN_EXPECTS",
        "KEYTURN_HOME",
        "KEYTURN_KILL",
        "KEYTURN_ALLOW_LIVE",
        "KEYTURN_MCP_TOKEN",
        "KEYTURN_SSH",
        "KEYTURN_RECORD_KEY",
    }
)

LONGEST_SHOWN = 60
"""The maximum length of a wrong value repeated in an error."""

NOTIFY = "notify"
"""A table whose wrong values are never repeated: they may be a channel's secret address (SY-03)."""
MODE: KeyPath = ("account", "mode")
SECTORS: KeyPath = ("risk", "sectors")
NOTHING_KNOWN: Mapping[KeyPath, Sequence[str]] = {}


class SettingsKeyFault(Protocol):
    """A fault in a line of `[keys]`."""

    @property
    def id(self) -> str: ...
    @property
    def words(self) -> str: ...


class SettingsError(OperatorError):
    """An invalid setting; the message is one line for the operator."""


class ConflictingSettingsError(SettingsError):
    """Values that are valid one by one, and do not fit each other."""


@dataclass(frozen=True, slots=True)
class SettingsLayer:
    """One source of settings: its values as nested tables, and the name of each key in that source."""

    values: dict[str, object] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)
    name: str = ""

    def place(self, path: KeyPath) -> str:
        """Return the place of a key: `settings.toml: risk.daily_loss.usd`, or the variable or option that set it."""
        for length in range(len(path), 0, -1):
            if found := self.places.get(path[:length]):
                return found
        for longer, found in self.places.items():
            if longer[: len(path)] == path:
                return found
        return f"{self.name}: {'.'.join(path)}"


def load_settings(
    home: Home,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    fault_in_keys: Callable[[Mapping[str, str]], SettingsKeyFault | None] = lambda _changes: None,
    known: Mapping[KeyPath, Sequence[str]] = NOTHING_KNOWN,
    stage: Mapping[str, object] | None = None,
) -> Settings:
    """Return the merged settings. Raises `SettingsError`.

    Only the console knows the valid entries of `[keys]`: `fault_in_keys` checks them. `known` lists registered names
    for the settings that choose one. A `stage` overlays its own profile, below the operator's settings; it is ignored
    under another profile.
    """
    file = SettingsLayer(tables_of(home.settings, "settings", SettingsError), name=home.settings.name)
    layers = [file, _environment_layer(environ), _override_layer(overrides)]
    for layer in layers:
        if odd := odd_value(layer.values):
            raise SettingsError(f"{layer.place(odd[0])}: {odd[1]}")
        if isinstance(moved := layer.values.get("keys"), dict):
            layer.values["keys"] = dict(_dotted(moved))
        _check_keys(Settings, _less_own(home, layers, layer), (), layer)
    _leave_the_mode_to_the_file(layers)
    layers[:0] = [*_lowest(layers, stage or {}), _sectors_layer(home, layers)]
    try:
        settings = _layered(layers)
    except ValidationError as error:
        raise _fault(error)(_words(error, layers)) from None
    if fault := fault_in_keys(settings.keys):
        place = _owner(layers, ("keys", fault.id)).place(("keys", fault.id))
        raise SettingsError(f"{place} = {_shown(settings.keys[fault.id])}: {fault.words}")
    for path, names in known.items():
        _require_known(settings, path, names, layers)
    return settings


def _require_known(settings: Settings, path: KeyPath, names: Sequence[str], layers: Sequence[SettingsLayer]) -> None:
    """Check that the value is one of these names. Raises `SettingsError` with its source."""
    value = getattr(getattr(settings, path[0]), path[1])
    if value not in names:
        *others, last = [f"'{name}'" for name in names if name]
        one_of = f"{', '.join(others)} or {last}" if others else last
        raise SettingsError(f"{_owner(layers, path).place(path)} = {_shown(value)}: must be {one_of}")


def _leave_the_mode_to_the_file(layers: Sequence[SettingsLayer]) -> None:
    """Accept the mode from the file only (OP-10).

    The two gates to real money need two places, so that variables open one at most.
    """
    file, *others = layers
    for layer in others:
        if _found(layer.values, MODE) is not None:
            raise SettingsError(f"{layer.place(MODE)}: the mode is taken from {file.name} alone; write it there")


def _sectors_layer(home: Home, layers: Sequence[SettingsLayer]) -> SettingsLayer:
    """Return the sectors of `sectors.toml`, their only source. Raises `SettingsError`, `SectorsError`."""
    for layer in layers:
        if _found(layer.values, SECTORS) is not None:
            raise SettingsError(f"{layer.place(SECTORS)}: the sectors are taken from {NAME} alone; write them there")
    found = read_sectors(sectors_file(home))
    return SettingsLayer({"risk": {"sectors": found}} if found else {}, name=NAME)


def sectors_file(home: Home) -> Path:
    """Return the path of the sectors file, beside the settings."""
    return home.settings.parent / NAME


def _dotted(table: Mapping[str, object], path: KeyPath = ()) -> Iterator[tuple[str, object]]:
    """Yield dotted names; `order.new = "N"` is equal with and without quotation marks around its name."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def strategies_folder(home: Home, chosen: str) -> Path:
    """Return the folder of the user's strategies; a relative path is beside the settings file."""
    return home.settings.parent / Path(chosen or "strategies").expanduser()


def _less_own(home: Home, layers: Sequence[SettingsLayer], layer: SettingsLayer) -> dict[str, object]:
    """Return a layer's values without the tables of user strategies, after checking the keys that the desk reads."""
    tables = layer.values.get("strategies")
    if not isinstance(tables, dict):
        return layer.values
    folder = strategies_folder(home, str(_set_last(layers, ("strategies", "folder")) or ""))
    files = {path.stem for path in folder.glob("*.py")}
    known = StrategiesSettings.model_fields
    own = {
        name: table
        for name, table in tables.items()
        if name not in known and isinstance(table, dict) and is_of_the_user(name, files, HOUSE_NAMES)
    }
    for name, table in own.items():
        read = {key: value for key, value in table.items() if key in UserStrategySettings.model_fields}
        _check_keys(UserStrategySettings, read, ("strategies", name), layer)
    return {**layer.values, "strategies": {name: table for name, table in tables.items() if name not in own}}


def _set_last(layers: Sequence[SettingsLayer], path: KeyPath) -> object:
    """Return the value in the highest layer that sets a key; None if no layer does."""
    values = (_found(layer.values, path) for layer in reversed(layers))
    return next((value for value in values if value is not None), None)


def _found(values: object, path: KeyPath) -> object:
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


# ── layers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lowest(layers: Sequence[SettingsLayer], stage: Mapping[str, object]) -> list[SettingsLayer]:
    """Return the profile, and the stage if it belongs to that profile."""
    usual = stage.get("profile", "micro")
    profile, chosen = _profile_layer(layers, usual)
    if not stage or chosen != usual:
        return [profile]
    return [profile, SettingsLayer(_less_symbols(layers, stage), name="stage")]


def _less_symbols(layers: Sequence[SettingsLayer], stage: Mapping[str, object]) -> dict[str, object]:
    """Return the stage; if the operator left out some of its symbols, its strategies use all configured symbols."""
    strategies, named = stage.get("strategies"), _set_last(layers, ("symbols",))
    if not isinstance(strategies, dict) or not isinstance(named, list | tuple):
        return dict(stage)
    if all(symbol in named for table in strategies.values() for symbol in table.get("symbols", ())):
        return dict(stage)
    less = {name: {k: v for k, v in table.items() if k != "symbols"} for name, table in strategies.items()}
    return {**stage, "strategies": less}


def _profile_layer(layers: Sequence[SettingsLayer], usual: object) -> tuple[SettingsLayer, str]:
    chosen = usual
    for layer in layers:
        chosen = layer.values.get("profile", chosen)
    if not isinstance(chosen, str) or chosen not in PROFILES:
        place = _owner(layers, ("profile",)).place(("profile",))
        raise SettingsError(f"{place} = {_shown(chosen)}: must be one of {', '.join(PROFILES)}")
    return SettingsLayer(PROFILES[chosen], name=f"profile {chosen}"), chosen


def _environment_layer(environ: Mapping[str, str]) -> SettingsLayer:
    layer = SettingsLayer(name="environment")
    for variable in variables_in(environ):
        path = path_of_variable(variable)
        layer.places[path] = f"environment: {variable}"
        _put(layer, path, _value(environ[variable], layer.places[path]))
    return layer


def variables_in(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that are settings: no gate, folder, or address of a channel."""
    ours = (name for name in sorted(environ) if name.startswith(PREFIX))
    return [name for name in ours if name not in OTHER_VARIABLES and not name.startswith(VARIABLE)]


def path_of_variable(name: str) -> KeyPath:
    """Return the key of a variable: `KEYTURN_RISK__ENTRIES_A_DAY` is `risk.entries_a_day`."""
    return tuple(name.removeprefix(PREFIX).lower().split("__"))


def path_of_override(override: str) -> KeyPath:
    return tuple(override.partition("=")[0].strip().split("."))


def _override_layer(overrides: Sequence[str]) -> SettingsLayer:
    layer = SettingsLayer(name="--set")
    for override in overrides:
        _key, equals, text = override.partition("=")
        path = path_of_override(override)
        if not equals or not all(path):
            raise SettingsError(f"--set {override}: write it as key=value, as in --set risk.max_open_positions=1")
        layer.places[path] = override.option if isinstance(override, Chosen) else f"--set {'.'.join(path)}"
        _put(layer, path, _value(text.strip(), layer.places[path]))
    return layer


def with_override(settings: Settings, override: Chosen) -> Settings:
    """Return these settings with one KEY=VALUE in TOML over them. Raises `SettingsError` with its name."""
    layer = _override_layer([override])
    _check_keys(Settings, layer.values, (), layer)
    try:
        return Settings.model_validate(_over(settings.model_dump(context=WHOLE), layer.values))
    except ValidationError as error:
        raise SettingsError(_words(error, [layer])) from None


def _over(values: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge one table over another, key by key; an amount in USD replaces a fraction of equity."""
    if values.keys() == AmountSettings.model_fields.keys():
        return dict(above)
    laid = {
        key: _over(values[key], value) if isinstance(value, dict) and isinstance(values.get(key), dict) else value
        for key, value in above.items()
    }
    return {**values, **laid}


def _put(layer: SettingsLayer, path: KeyPath, value: object) -> None:
    table = layer.values
    for depth, key in enumerate(path[:-1], 1):
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            raise SettingsError(
                f"{layer.place(path)}: {layer.place(path[:depth])} has set it whole already; give one of the two"
            )
        table = inner
    value_there = table.get(path[-1])
    if isinstance(value_there, dict) and not isinstance(value, dict):
        raise SettingsError(f"{layer.place(path)}: a key inside it is set as well; give one of the two")
    table[path[-1]] = value_there | value if isinstance(value_there, dict) and isinstance(value, dict) else value


def _value(text: str, place: str) -> object:
    """Parse a TOML value with exact numbers; text that is no TOML is a string.

    Raises `SettingsError` with the place.
    """
    try:
        table = toml_of(f"value = {text}")
    except UnreadableTomlError as error:
        raise SettingsError(f"{place}: {str(error).removeprefix('line 1: ')}") from None
    except TomlError:
        return text
    return table["value"] if len(table) == 1 else text


# ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _LayerSource(InitSettingsSource):
    """One layer for pydantic-settings, without amounts that a higher layer gives in another unit."""

    def __call__(self) -> dict[str, Any]:
        return _less(Settings, super().__call__(), self.current_state)


@cache
def _layered_class() -> type[BaseSettings]:
    """Return the class that merges layers. It is built once: building it takes longer than merging with it."""

    class Layered(Settings, BaseSettings):  # type: ignore[misc]  # both configurations forbid what is unknown
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            assert isinstance(init_settings, InitSettingsSource)
            layers = init_settings.init_kwargs["layers"]
            return tuple(_LayerSource(settings_cls, layer.values) for layer in reversed(layers))

    return Layered


def _layered(layers: Sequence[SettingsLayer]) -> Settings:
    """Merge the layers, the last one the highest. Raises ValidationError."""
    return Settings.model_validate(_layered_class()(layers=layers).model_dump())


def _less(model: type[BaseModel], values: Mapping[str, object], above: Mapping[str, Any]) -> dict[str, object]:
    """Return `values` without amounts that `above` sets too."""
    kept: dict[str, object] = {}
    for key, value in values.items():
        inner = _table(model, key)
        if inner is AmountSettings and key in above:
            continue
        higher = above.get(key)
        is_table = inner is not None and isinstance(value, dict) and isinstance(higher, Mapping)
        kept[key] = _less(inner, value, higher) if is_table else value  # type: ignore[arg-type]
    return kept


def _table(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """Return the model of a key that is a table."""
    known = model.model_fields.get(key)
    annotation = None if known is None else known.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _check_keys(model: type[BaseModel], values: Mapping[str, object], path: KeyPath, layer: SettingsLayer) -> None:
    """Refuse unknown keys, and values of a type that pydantic would coerce."""
    for key, value in values.items():
        here = (*path, key)
        if key not in model.model_fields:
            raise SettingsError(f"{layer.place(here)}: there is no such setting{_suggestion(here, layer)}")
        inner = _table(model, key)
        if inner is not None and isinstance(value, dict):
            _check_keys(inner, value, here, layer)
        elif inner is not None:
            inside = ", ".join(inner.model_fields)
            raise SettingsError(f"{layer.place(here)}{_equals(here, value)}: must be a table of {inside}")
        elif bent := _bent(model.model_fields[key].annotation, value):
            raise SettingsError(f"{layer.place(here)}{_equals(here, value)}: {bent}")


def _equals(path: KeyPath, value: object) -> str:
    """Return the value for a message, unless it may be secret."""
    return "" if path[0] == NOTIFY else f" = {_shown(value)}"


def _bent(annotation: object, value: object) -> str | None:
    if isinstance(value, bool) and annotation is not bool:
        return "must not be true or false"
    if annotation is bool and not isinstance(value, bool):
        return "must be true or false"
    if get_origin(annotation) is tuple and not isinstance(value, list):
        example = '["10:00-11:30"]' if EntryWindow in get_args(annotation) else '["SPY", "IBM"]'
        return f"must be a list, as in {example}"
    return None


def _suggestion(path: KeyPath, layer: SettingsLayer) -> str:
    wanted = ".".join(path)
    if new := RENAMED.get(wanted):
        return f"; it is called {_called(new, layer)} now: write that"
    known = list(_keys(Settings))
    beside = {key.rpartition(".")[2]: key for key in known if key.rpartition(".")[0] == ".".join(path[:-1])}
    if len(path) > 1 and (same := get_close_matches(path[-1], beside, 1, 0.7)):
        return f"; did you mean {_called(beside[same[0]], layer)}?"
    near = get_close_matches(wanted, known, 1, 0.6) or [
        key for key in known if get_close_matches(path[-1], [key.rpartition(".")[2]], 1, 0.8)
    ]
    if not near:
        return ""
    return f"; did you mean {_called(near[0], layer)}?"


def _called(key: str, layer: SettingsLayer) -> str:
    """Return a key in the spelling of that layer."""
    return PREFIX + key.upper().replace(".", "__") if layer.name == "environment" else key


def _keys(model: type[BaseModel], path: KeyPath = ()) -> Iterator[str]:
    """Yield every key that can be set, dotted, including tables."""
    for key in model.model_fields:
        yield ".".join((*path, key))
        inner = _table(model, key)
        if inner is not None:
            yield from _keys(inner, (*path, key))


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fault(error: ValidationError) -> type[SettingsError]:
    """Return the error for the first fault: of a table, its keys conflict; of a key, its value is invalid."""
    first = error.errors(include_url=False)[0]
    is_of_a_table = first["type"] == "value_error" and isinstance(first["input"], Mapping)
    return ConflictingSettingsError if is_of_a_table else SettingsError


def _words(error: ValidationError, layers: Sequence[SettingsLayer]) -> str:
    """Return the first fault in one line, with its place."""
    first = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"])
    match path:
        case ("strategies", "own", _, *_):  # in the operator's spelling
            path = ("strategies", *path[2:])
    allowed = _allowed(first["type"], first["msg"])
    if not path:
        return f"settings: {allowed}"
    if isinstance(first["input"], Mapping) and (named := _first_set(allowed, layers)):
        return f"{named}: {allowed}"
    keys = tuple(part for part in path if not part.isdigit())
    place = _owner(layers, keys).place(keys)
    return f"{place}{_equals(path, first['input'])}: {allowed}"


def _first_set(message: str, layers: Sequence[SettingsLayer]) -> str | None:
    """Return the place of the key in a message that was set by the highest layer; None without one."""
    keys = [tuple(key.split(".")) for key in _DOTTED.findall(message)]
    set_by = [(layers.index(_owner(layers, key)), key) for key in keys]
    if not set_by:
        return None
    level, key = max(set_by, key=lambda found: found[0])
    return layers[level].place(key)


def _allowed(kind: str, message: str) -> str:
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "literal_error":
        return "must be " + message.removeprefix("Input should be ")
    return re.sub(r"^(Input|String) should", "must", message)


def _owner(layers: Sequence[SettingsLayer], path: KeyPath) -> SettingsLayer:
    """Return the highest layer that sets this key, or a part of it."""
    for layer in reversed(layers):
        value: object = layer.values
        for key in path:
            value = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
        if value is not _ABSENT:
            return layer
    return layers[0]


_ABSENT = object()
_DOTTED = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)+")


def _shown(value: object) -> str:
    """Format a value as in TOML, on one line and at most half a line long."""
    if isinstance(value, Mapping):
        text = "{ " + ", ".join(f"{key} = {_shown(inner)}" for key, inner in value.items()) + " }"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(_shown, value)) + "]"
    elif isinstance(value, str):
        text = f'"{value.encode("unicode_escape").decode()}"'
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


LEFT_OUT = ("own", "sectors")
"""Tables of user strategies, whose names only the user knows, and tables with a separate file."""


def example_settings(profile: str) -> str:
    """Return a settings.toml that lists all values of a profile. Raises KeyError for an unknown profile."""
    settings = Settings.model_validate({**PROFILES[profile], "profile": profile})
    head = (
        f"# Keyturn's settings, profile {profile}. Every key may be left out: the profile then gives its value.\n"
        f"# Ratios are fractions (0.003 is 0.3 %), money is USD, times of day are {HOME.name}'s.\n"
        "# A variable KEYTURN_RISK__DAILY_LOSS__USD or --set risk.daily_loss.usd=5 goes over what stands here.\n"
    )
    return head + "\n" + "\n".join(_lines(settings, ())) + "\n"


def _lines(table: BaseModel, path: tuple[str, ...]) -> Iterator[str]:
    inner: list[tuple[str, BaseModel]] = []
    for key, setting in type(table).model_fields.items():
        value = getattr(table, key)
        if isinstance(value, BaseModel) and not isinstance(value, AmountSettings):
            inner.append((key, value))
            continue
        if key in LEFT_OUT:
            continue
        if setting.description:
            yield f"# {setting.description}"
        yield f"# {key} is not set" if value is None else f"{key} = {written(value)}"
    for key, value in inner:
        yield ""
        summary = (type(value).__doc__ or "").partition("\n")[0]
        yield f"# {summary}"
        yield f"[{'.'.join((*path, key))}]"
        yield from _lines(value, (*path, key))


def written(value: object) -> str:
    """A value as a settings file has it; None is `not set`."""
    match value:
        case AmountSettings(usd=Decimal() as usd):
            return f"{{ usd = {usd:f} }}"
        case AmountSettings(of_equity=share):
            return f"{{ of_equity = {share:f} }}"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case time():
            return f'"{value.isoformat("seconds" if value.second else "minutes")}"'
        case Enum():
            return f'"{value.value}"'
        case EntryWindow():
            return f'"{value}"'
        case tuple():
            return "[" + ", ".join(map(written, value)) + "]"
        case None:
            return "not set"
        case str():
            return f'"{value}"'
        case _:
            return str(value)
