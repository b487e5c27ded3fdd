"""Any value of a class that crosses, by the types of its fields; and whether two are the very same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, get_args

from hypothesis import strategies as st

from core.protocol.codec import encode
from core.protocol.shapes import BY_KIND, Hint, Shape, bare, is_shaped, is_union, kinds_of, origin_of

MOST = 2
"""Members of a tuple."""

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=6),
    bytes: st.binary(max_size=6),
    Decimal: st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,9})?(E[+-]?[0-9])?", fullmatch=True).map(Decimal),
    datetime: st.datetimes().map(lambda at: at.replace(tzinfo=UTC, fold=0)),
    date: st.dates(),
    timedelta: st.timedeltas(),
}


@cache
def anything_of(hint: Hint) -> st.SearchStrategy[Any]:
    hint = bare(hint)
    if hint in LEAVES:
        return LEAVES[hint]
    if is_union(hint):
        return st.one_of(*(anything_of(part) for part in get_args(hint)))
    if origin_of(hint) is tuple:
        parts = get_args(hint)
        if parts[-1] is Ellipsis:
            return st.lists(anything_of(parts[0]), max_size=MOST).map(tuple)
        return st.tuples(*map(anything_of, parts))
    if is_shaped(hint):
        return st.one_of(*(a_value_of(BY_KIND[kind]) for kind in kinds_of(hint)))
    assert issubclass(hint, Enum)
    return st.sampled_from(hint)


def a_value_of(shape: Shape) -> st.SearchStrategy[Any]:
    if shape.is_table:
        return st.builds(shape.kind)
    return st.tuples(*(st.deferred(lambda hint=hint: anything_of(hint)) for hint in shape.hints)).map(
        lambda values: shape.make(*values)
    )


def is_the_same(one: Any, other: Any) -> bool:
    """Equal to the last digit and type, which equality alone does not say of numbers."""
    return type(one) is type(other) and one == other and repr(one) == repr(other) and encode(one) == encode(other)
