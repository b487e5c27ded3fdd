"""Rows that are built again only when one of the values that they are built from has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

Values = ParamSpec("Values")
Row = TypeVar("Row")


class KeptRows(Generic[Values, Row]):
    """The rows of this view and of the last one, by their first value.

    Parameters
    ----------
    build
        Builds a row from its values alone, so that equal values give an equal row. All values are immutable.
    """

    def __init__(self, build: Callable[Values, Row]) -> None:
        self._build = build
        self._before: dict[Any, tuple[tuple[Any, ...], dict[str, Any], Row]] = {}
        self._kept: dict[Any, tuple[tuple[Any, ...], dict[str, Any], Row]] = {}

    def begin(self) -> None:
        """Begin a view: forget the rows that the last one did not ask for."""
        self._before, self._kept = self._kept, {}

    def row(self, *values: Values.args, **named: Values.kwargs) -> Row:
        """Return the row of these values; the first one, without a name, is its key."""
        known = self._before.get(values[0])
        if known is None or known[0] != values or known[1] != named:
            known = (values, named, self._build(*values, **named))
        self._kept[values[0]] = known
        return known[2]
