"""Tables of rows: as one test (`each`, `table`), or as a test for each row where they need fixtures anew (`cases`)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., None])


def cases(names: str, *rows: Any) -> pytest.MarkDecorator:
    """`pytest.mark.parametrize`, with the names in one text and the rows one after the other."""
    return pytest.mark.parametrize(tuple(names.split()) if " " in names else names, rows)


def each(names: str | tuple[str, ...], rows: Iterable[Any]) -> Callable[[Test], Test]:
    """Call the test for each row; a failure names the row that it is of. `names` are those of the row's parts."""
    return table(names, *rows)


def table(names: str | tuple[str, ...], *rows: Any) -> Callable[[Test], Test]:
    """As `each`, with the rows written out one after the other."""
    titles = tuple(names.replace(",", " ").split()) if isinstance(names, str) else names
    every_row = [row if len(titles) > 1 else (row,) for row in rows]

    def over(test: Test) -> Test:
        @wraps(test)
        def every(*arguments: Any, **fixtures: Any) -> None:
            for row in every_row:
                terms = dict(zip(titles, row, strict=True))
                try:
                    test(*arguments, **fixtures, **terms)
                except BaseException as error:
                    error.add_note(f"row: {terms}")
                    raise

        shape = inspect.signature(test)
        rest = [one for name, one in shape.parameters.items() if name not in titles]
        every.__signature__ = shape.replace(parameters=rest)  # type: ignore[attr-defined]
        del every.__wrapped__  # type: ignore[attr-defined]
        return every  # type: ignore[return-value]

    return over
