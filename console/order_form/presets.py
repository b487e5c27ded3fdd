"""Presets for stop and target: four keys, each a name, a stop and perhaps a target, typed as in the form.

Shipped ones stand here; those of the operator's file take the place of theirs, key by key. What is wrong in the file is
named, and its preset is left as it was shipped; the others hold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.order_form.distances import Measure, distance_in
from console.order_form.numbers import WHOLE

FILE = "presets.toml"
LONGEST_NAME = 20
LARGEST = 10_000
"""Characters of a file that is read."""


@dataclass(frozen=True, slots=True)
class Preset:
    """`stop` and `target` as they are typed; a target may be empty."""

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
"""By their keys; the first one fills a new order. An ATR is that of minutes."""
KEYS = ("F5", "F6", "F7", "F8")


@dataclass(frozen=True, slots=True)
class Presets:
    """`faults`: what of the file is not taken, each with its place."""

    each: tuple[Preset, ...] = SHIPPED
    faults: Sequence[str] = ()


class _WrongError(Exception):
    """What is wrong with one preset."""


def presets_in(text: str) -> Presets:
    """`[F5]` with `name`, `stop` and perhaps `target`."""
    if len(text) > LARGEST:
        return Presets(faults=(f"{FILE}: longer than {LARGEST} characters; the shipped presets hold",))
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Presets(faults=(f"{FILE}: {str(error)[:80]}; the shipped presets hold",))
    each, faults = list(SHIPPED), []
    for key, table in tables.items():
        try:
            if key not in KEYS:
                raise _WrongError("there is no such key; a preset is F5, F6, F7 or F8")
            each[KEYS.index(key)] = _preset(table)
        except _WrongError as wrong:
            faults.append(f"{FILE}: {key[:LONGEST_NAME]}: {wrong}")
    return Presets(tuple(each), tuple(faults))


def _preset(table: object) -> Preset:
    if not isinstance(table, Mapping):
        raise _WrongError("must be a table with name, stop and perhaps target")
    if unknown := sorted(set(table) - {"name", "stop", "target"}):
        raise _WrongError(f"there is no {unknown[0][:LONGEST_NAME]}; it has name, stop and target")
    name, stop, target = (table.get(key, "") for key in ("name", "stop", "target"))
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise _WrongError(f"needs a name, {LONGEST_NAME} characters at most")
    stops = distance_in(stop) if isinstance(stop, str) else None
    if stops is None or stops.measure is Measure.R or _is_whole(stop):
        raise _WrongError("needs a stop, as 1% or 5atr")
    if target != "" and (not isinstance(target, str) or distance_in(target) is None or _is_whole(target)):
        raise _WrongError("has a wrong target; write it as 2%, 10atr or 2r, or leave it out")
    return Preset(name.strip(), stop, target)


def _is_whole(text: str) -> bool:
    """Whether it is all of the price."""
    distance = distance_in(text)
    return distance is not None and distance.measure is Measure.PERCENT and distance.count >= WHOLE
