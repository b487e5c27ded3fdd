"""Settings of many combinations from those of each value alone (AN-05).

Reading every layer of the settings again takes ten times as long, and a sweep has ten thousand combinations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from core.research.sweeps.space import Point

if TYPE_CHECKING:
    from core.settings.settings import Settings
    from core.settings.types import SettingsTable

Path = tuple[str, ...]
Values = dict[Path, object]


class CombinedSettings:
    """Combines values that change different settings; `settings_of` leaves every other combination to the layers.

    Parameters
    ----------
    base
        The settings without any value of an axis.
    alone
        For each axis, the settings with each of its values alone, by its index; those that are valid.
    """

    def __init__(self, base: Settings, alone: tuple[Mapping[int, Settings], ...]) -> None:
        self._settings, before = base, values_of(base)
        wholes = [{number: values_of(settings) for number, settings in axis.items()} for axis in alone]
        changed = [
            {path for values in whole.values() for path, value in values.items() if value != before.get(path)}
            for whole in wholes
        ]
        self._parts: list[dict[int, Values]] = [
            {number: {path: values[path] for path in paths if path in values} for number, values in whole.items()}
            for whole, paths in zip(wholes, changed, strict=True)
        ]
        every = (base, *(settings for axis in alone for settings in axis.values()))
        self._is_possible = (
            all(values.keys() == before.keys() for whole in wholes for values in whole.values())
            and all(one.isdisjoint(other) for one, other in combinations(changed, 2))
            and all(_is_in_tables(base, path) for paths in changed for path in paths)
            and not any(settings.strategies.own for settings in every)
        )

    def settings_of(self, point: Point) -> Settings | None:
        """Return the settings of a combination; None where only the layers can tell, as of invalid ones."""
        from pydantic import ValidationError

        from core.settings.settings import Settings

        if not self._is_possible or any(index not in part for part, index in zip(self._parts, point, strict=True)):
            return None
        changes: Values = {}
        for part, index in zip(self._parts, point, strict=True):
            changes |= part[index]
        try:
            return Settings.model_validate(merged(self._settings, changes))
        except ValidationError:
            return None


def values_of(settings: Settings) -> Values:
    """Return every setting by its path."""
    from core.settings.types import WHOLE

    return dict(_flat(settings.model_dump(context=WHOLE), ()))


def _flat(table: Mapping[str, object], before: Path) -> Iterator[tuple[Path, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*before, name))
        else:
            yield (*before, name), value


def _is_in_tables(settings: Settings, path: Path) -> bool:
    """Return whether every part of a path but the last is a table, and none a list of names."""
    from core.settings.types import SettingsTable

    table: object = settings
    for name in path[:-1]:
        table = getattr(table, name, None)
        if not isinstance(table, SettingsTable):
            return False
    return True


def merged(table: SettingsTable, changes: Values) -> dict[str, object]:
    """Return the values of a table after some changes, by their paths; tables without a change are shared."""
    values: dict[str, object] = {name: getattr(table, name) for name in type(table).model_fields}
    parts: dict[str, Values] = {}
    for (name, *rest), value in changes.items():
        if rest:
            parts.setdefault(name, {})[tuple(rest)] = value
        else:
            values[name] = value
    for name, part in parts.items():
        values[name] = merged(getattr(table, name), part)
    return values
