"""One test over a table of rows: as `pytest.mark.parametrize`, without a test of its own for each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., None])


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
