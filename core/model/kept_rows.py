"""Rows that are built again only when one of the values that they are built from has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

Values = ParamSpec("Values")
Row = TypeVar("Row")


class KeptRows(Generic[Row]):
    """The rows of the last view, by their first value."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[tuple[Any, ...], dict[str, Any], Row]] = {}

    def begin(self, build: Callable[Values, Row]) -> Callable[Values, Row]:
        """Begin a view; the rows that it does not ask for are forgotten.

        Parameters
        ----------
        build
            Builds a row from its values alone, so that equal values give an equal row: the same function in each view.
            All values are immutable; the first one, without a name, is the row's key.

        Returns
        -------
        Callable
            Takes the values of `build` and returns the row, of the last view if its values are equal.
        """
        before, self._kept = self._kept, {}
        kept = self._kept

        def row(*values: Values.args, **named: Values.kwargs) -> Row:
            known = before.get(values[0])
            if known is None or known[0] != values or known[1] != named:
                known = (values, named, build(*values, **named))
            kept[values[0]] = known
            return known[2]

        return row
