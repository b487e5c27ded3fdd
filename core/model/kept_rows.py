"""Rows that are built again only when one of the values that they are built from has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


class KeptRows(Generic[Row]):
    """The rows of the last call, by their first value.

    Parameters
    ----------
    build
        Builds a row from its values alone, so that equal values give an equal row. All values are immutable.
    """

    def __init__(self, build: Callable[..., Row]) -> None:
        self._build = build
        self._kept: dict[Any, tuple[tuple[Any, ...], Row]] = {}

    def rows(self, values: Iterable[tuple[Any, ...]]) -> tuple[Row, ...]:
        """Return a row of each; the first value is its key. Rows that are not asked for are forgotten."""
        before, kept, rows = self._kept, dict[Any, tuple[tuple[Any, ...], Row]](), list[Row]()
        for each in values:
            known = before.get(each[0])
            if known is None or known[0] != each:
                known = (each, self._build(*each))
            kept[each[0]] = known
            rows.append(known[1])
        self._kept = kept
        return tuple(rows)
