"""Presets of stop and target: four keys, each with a name, a stop and an optional target, as typed in the form.

The operator's files replace the shipped presets, one file for each key: `presets/F5.toml`. An invalid file is reported
and its key keeps the shipped preset; other keys are not affected.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.order_form.draft import WHOLE, Measure, distance_in, one_of

FOLDER = "presets"
LONGEST_NAME = 20


@dataclass(frozen=True, slots=True)
class Preset:
    """`stop` and `target` as typed; the target may be empty."""

    name: str
    stop: str
    target: str = ""

    @property
    def words(self) -> str:
        return f"{self.name}: stop {self.stop}" + (f", target {self.target}" if self.target else ", no target")


SHIPPED: tuple[Preset, ...] = (
    Preset("1 %", "1%"),
    Preset("2 %, 2R", "2%", "2r"),
    Preset("5 ATR, 2R", "5atr", "2r"),
    Preset("10 ATR, 3R", "10atr", "3r"),
)
"""In the order of `KEYS`; the first fills in a new order. The ATR is that of minutes."""
KEYS = ("F5", "F6", "F7", "F8")


@dataclass(frozen=True, slots=True)
class Presets:
    """The presets; `faults` lists rejected entries with their place."""

    each: tuple[Preset, ...] = SHIPPED
    faults: Sequence[str] = ()


class _WrongError(Exception):
    """The error of one preset."""


def presets_in(files: Mapping[str, str | None]) -> Presets:
    """Parse preset files by name; None is an unreadable file. Each has `name`, `stop` and perhaps `target`."""
    each, faults = list(SHIPPED), []
    for file, text in sorted(files.items()):
        key = file.removesuffix(".toml")
        try:
            if key not in KEYS:
                raise _WrongError(f"there is no such preset; it is {one_of([f'{key}.toml' for key in KEYS])}")
            each[KEYS.index(key)] = preset_in(text)
        except _WrongError as wrong:
            faults.append(f"{FOLDER}/{file[:LONGEST_NAME]}: {wrong}")
    return Presets(tuple(each), tuple(faults))


def preset_in(text: str | None) -> Preset:
    """Parse a preset. Raises `_WrongError`."""
    if text is None:
        raise _WrongError("cannot be read")
    try:
        return _preset(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _WrongError(str(error)[:80]) from None


def fault_in(preset: Preset) -> str:
    """Return why the preset is invalid; empty if it is valid."""
    try:
        _preset({"name": preset.name, "stop": preset.stop, "target": preset.target})
    except _WrongError as wrong:
        return str(wrong)
    return ""


def file_of(preset: Preset) -> str:
    """Return the text of its file; no value needs escaping in TOML."""
    target = f'target = "{preset.target}"\n' if preset.target else ""
    return f"name = '{preset.name}'\nstop = \"{preset.stop}\"\n{target}"


def _preset(table: Mapping[str, object]) -> Preset:
    if unknown := sorted(set(table) - {"name", "stop", "target"}):
        raise _WrongError(f"there is no {unknown[0][:LONGEST_NAME]}; it has name, stop and target")
    name, stop, target = (table.get(key, "") for key in ("name", "stop", "target"))
    is_name = isinstance(name, str) and name.strip() and name.isprintable() and "'" not in name
    if not isinstance(name, str) or not is_name or len(name) > LONGEST_NAME:
        raise _WrongError(f"needs a name, {LONGEST_NAME} characters at most, without '")
    way = distance_in(stop) if isinstance(stop, str) else None
    if not isinstance(stop, str) or way is None or way.measure is Measure.R or _is_whole(stop):
        raise _WrongError("needs a stop, as 1% or 5atr")
    if not isinstance(target, str) or (target and (distance_in(target) is None or _is_whole(target))):
        raise _WrongError("has a wrong target; write it as 2%, 10atr or 2r, or leave it out")
    return Preset(name.strip(), stop, target)


def _is_whole(text: str) -> bool:
    """Return whether the distance is all of the price or more."""
    distance = distance_in(text)
    return distance is not None and distance.measure is Measure.PERCENT and distance.count >= WHOLE
