"""The rows of a file of bars or quotes in about thirty bytes each (MD-05).

A figure is held as the integer and the power of ten of its text, so that the same Decimal is made of it again, with the
same digits, each time it is read. What does not fit, and a row that cannot be read, is held as it is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice, repeat
from operator import mul
from typing import Generic, TypeVar

from core.model.lazy_dataclass import dataclass
from core.model.values import number_in

LARGEST = (1 << 63) - 1
SHORT = 18
"""Digits of a number that is surely not above it."""
POWERS = {power: Decimal((0, (1,), power)) for power in range(-128, 128)}
KNOWN = 1 << 13
"""Texts whose numbers are remembered: prices of an hour or a day repeat."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that is neither a bar nor a quote: its place (file name and line), and why."""

    place: str
    reason: str


Figure = tuple[Decimal, int, int, bool]
"""A number, the integer and the power of ten whose product it is, and whether both are small enough to be packed."""


@lru_cache(KNOWN)
def figure_in(text: str) -> Figure | None:
    """Parse a number in a text from outside as `number_in` does, without surrounding blanks; None if it is none."""
    whole, _, part = text.partition(".")
    digits = whole + part
    if digits.isdigit() and digits.isascii() and len(digits) <= SHORT:
        return Decimal(text), int(digits), -len(part), True
    number = number_in(text.strip())
    if number is None:
        return None
    sign, parts, power = number.as_tuple()
    assert isinstance(power, int)
    integer = int("".join(map(str, parts)))
    fits = integer <= LARGEST and power in POWERS and (not sign or integer > 0)
    return number, -integer if sign else integer, power, fits


class PackedRows(Sequence[Item | BrokenRow], Generic[Item]):
    """Rows in the order in which they are added.

    Parameters
    ----------
    make
        Returns the item of a time and its figures.
    many
        The number of figures of a row.
    """

    def __init__(self, make: Callable[..., Item], many: int) -> None:
        self._make, self._many = make, many
        self._seconds, self._integers, self._powers = array("I"), array("i"), array("b")
        self._kept: list[Item | BrokenRow] = []
        self._kept_at: list[int] = []

    def add(self, at: datetime, figures: Sequence[Figure]) -> None:
        """Add a row; `at` is UTC."""
        numbers, integers, powers, fit = zip(*figures, strict=True)
        if at.microsecond or not all(fit):
            self.keep(self._make(at, *numbers))
            return
        held = len(self._integers)
        try:
            self._integers.extend(integers)
        except OverflowError:
            self._integers = array("q", [*self._integers[:held], *integers])
        self._powers.extend(powers)
        self._seconds.append(int(at.timestamp()))

    def keep(self, row: Item | BrokenRow) -> None:
        """Add a row as it is."""
        self._kept_at.append(len(self))
        self._kept.append(row)

    def __len__(self) -> int:
        return len(self._seconds) + len(self._kept)

    def __iter__(self) -> Iterator[Item | BrokenRow]:
        times = map(datetime.fromtimestamp, self._seconds, repeat(UTC))
        figures = map(mul, map(Decimal, self._integers), map(POWERS.__getitem__, self._powers))
        packed = map(self._make, times, *repeat(figures, self._many))
        done = 0
        for number, row in zip(self._kept_at, self._kept, strict=True):
            yield from islice(packed, number - done)
            yield row
            done = number + 1
        yield from packed

    def __getitem__(self, number: int) -> Item | BrokenRow:  # type: ignore[override]
        number = range(len(self))[number]
        before = bisect_left(self._kept_at, number)
        if before < len(self._kept_at) and self._kept_at[before] == number:
            return self._kept[before]
        at = number - before
        places = range(at * self._many, (at + 1) * self._many)
        figures = (self._integers[place] * POWERS[self._powers[place]] for place in places)
        return self._make(datetime.fromtimestamp(self._seconds[at], UTC), *figures)
