"""The looser direction of each setting, or why it has none: read by a reload of limits and by a start (RK-13).

The type of a field says it (`core/settings/types.py`). A looser value waits for the word LOOSEN, at a start too. Under
`risk` each change of a field that says nothing counts as looser. Every other one says it, or its table says why not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import get_args

from pydantic import BaseModel

from core.settings.settings import Settings
from core.settings.strategies import StrategiesSettings
from core.settings.types import Direction, KeyPath, Looser

LIMITS = "risk"
"""A running engine takes over this whole table; of others only the settings that have a direction."""
OWN: KeyPath = ("strategies", "own")
"""The tables of the user's strategies in the settings."""


def _in_fields(table: type[BaseModel], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Looser]]:
    """Yield each setting and each table whose field says which of its values are looser."""
    for name, field in table.model_fields.items():
        yield from (((*path, name), looser) for looser in field.metadata if isinstance(looser, Looser))
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _in_fields(kind, (*path, name))


LOOSER: Mapping[KeyPath, Looser] = dict(_in_fields(Settings))
"""By the whole key; those of every strategy of the user's are under `OWN`."""
_BESIDE = (path for path, looser in LOOSER.items() if path[0] != LIMITS and looser.direction is not Direction.NONE)
BESIDE_RISK: Mapping[str, tuple[KeyPath, ...]] = {
    table: tuple(path[1:] for path in paths) for table, paths in groupby(_BESIDE, key=itemgetter(0))
}
"""The limits of other tables, by table; the rest of these tables is read at a start alone."""


def is_of_own(path: KeyPath) -> bool:
    """Whether it stands in the table of a strategy of the user's."""
    match path:
        case ("strategies", name, _, *_):
            return name not in StrategiesSettings.model_fields
    return False


def looser_of(path: KeyPath) -> Looser:
    """Return what a setting's field, or the nearest table around it, says. Raises KeyError if none says anything."""
    key = (*OWN, *path[2:]) if is_of_own(path) else path
    for length in range(len(key), 0, -1):
        if looser := LOOSER.get(key[:length]):
            return looser
    raise KeyError(".".join(path))
