"""The parameter space of a sweep: axes with values, and the combinations to run. It knows no setting's type."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from random import Random

from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError

MOST = 10_000
"""The maximum number of combinations of one sweep."""

Point = tuple[int, ...]
"""One combination: for each axis the index of its value."""


@dataclass(frozen=True, slots=True)
class AxisValue:
    """A value of an axis: its label in tables, and the settings it stands for, each KEY=VALUE in TOML."""

    label: str
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of the space.

    Attributes
    ----------
    name
        The dotted key, or a name where one value sets several keys.
    is_ordered
        Whether values beside each other are neighbours; false for words and for true and false.
    """

    name: str
    values: tuple[AxisValue, ...]
    is_ordered: bool

    @property
    def short_name(self) -> str:
        """Return the last part of the key."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Space:
    """The product of the axes.

    Raises
    ------
    OperatorError
        Two axes have the same name.
    """

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        names = [axis.name for axis in self.axes]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise OperatorError(f"--grid {twice}: it is given twice; write all its values in one")

    @property
    def size(self) -> int:
        return prod(len(axis.values) for axis in self.axes)

    def grid(self) -> list[Point]:
        """Return every combination, the last axis changing first. Raises `OperatorError` above `MOST`."""
        if self.size > MOST:
            raise OperatorError(
                f"{self.size:,} combinations, at most {MOST:,} are run; take larger steps, or --random N"
            )
        return list(product(*(range(len(axis.values)) for axis in self.axes)))

    def sampled(self, count: int, seed: int) -> list[Point]:
        """Return `count` different combinations, equally likely, in the order of the grid; all if there are fewer.

        Raises `OperatorError` above `MOST`.
        """
        if count > MOST:
            raise OperatorError(f"--random {count}: at most {MOST:,} are run; take a smaller number")
        chosen = Random(seed).sample(range(self.size), min(count, self.size))
        return [self._point(number) for number in sorted(chosen)]

    def overrides(self, point: Point) -> tuple[str, ...]:
        """Return the settings of a combination, each KEY=VALUE in TOML."""
        return tuple(text for value in self._values(point) for text in value.overrides)

    def labels(self, point: Point) -> tuple[str, ...]:
        return tuple(value.label for value in self._values(point))

    def _values(self, point: Point) -> Iterator[AxisValue]:
        return (axis.values[index] for axis, index in zip(self.axes, point, strict=True))

    def _point(self, number: int) -> Point:
        """Return the combination at this place of the grid."""
        indices: list[int] = []
        for axis in reversed(self.axes):
            number, index = divmod(number, len(axis.values))
            indices.append(index)
        return tuple(reversed(indices))
