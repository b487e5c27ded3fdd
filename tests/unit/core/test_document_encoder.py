"""Rows of a document are encoded when they changed, and only then; the text is that of an encoding from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.execution.latency import Latencies, LatenciesState
from core.execution.ledger import Ledger
from core.execution.ledger_state import LedgerState
from core.staging.stage import Stage
from core.staging.stage_state import StageState
from core.trading_state.checkpoint import TABLES, CheckpointEncoder, documents_of, in_full
from core.trading_state.document_encoder import DocumentEncoder, is_frozen
from tests.scenarios.house import a_house_in_a_position

STATES = {LedgerState: Ledger.name, StageState: Stage.name, LatenciesState: Latencies.name}
ATOMS = (str, int, bool, Decimal, datetime, date, NoneType, Enum)


@dataclass(frozen=True, slots=True)
class Fixed:
    at: datetime
    price: Decimal | None = None


@dataclass(slots=True)
class Row:
    name: str
    filled: Decimal = Decimal(0)
    fixed: Fixed | None = None


@dataclass(slots=True)
class Sheet:
    rows: dict[str, Row] = field(default_factory=dict)
    fixed: list[Fixed] = field(default_factory=list)
    open: dict[str, list[int]] = field(default_factory=dict)
    count: int = 0


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADAPTER = TypeAdapter(Sheet)


def encoder() -> DocumentEncoder:
    return DocumentEncoder(Sheet, ADAPTER, ("rows", "fixed"))


def adds(sheet: Sheet, name: str) -> None:
    sheet.rows[name] = Row(name)


def fills(sheet: Sheet, name: str) -> None:
    if name in sheet.rows:
        sheet.rows[name].filled += 1


def restates(sheet: Sheet, name: str) -> None:
    if name in sheet.rows:
        sheet.rows[name].fixed = Fixed(NOON, Decimal(len(sheet.rows)))


def removes(sheet: Sheet, name: str) -> None:
    sheet.rows.pop(name, None)


def lists(sheet: Sheet, name: str) -> None:
    sheet.fixed.append(Fixed(NOON, Decimal(len(name))))
    sheet.fixed = sheet.fixed[-2:]


def opens(sheet: Sheet, name: str) -> None:
    sheet.open.setdefault(name, []).append(len(sheet.open))
    sheet.count += 1


CHANGES = st.tuples(
    st.sampled_from([adds, fills, restates, removes, lists, opens]), st.sampled_from(["a", "b", 'é"', "d"])
)


@given(st.lists(st.lists(CHANGES, max_size=4), max_size=8))
def test_text_is_that_of_a_new_encoder(rounds: list[list[tuple[Callable[[Sheet, str], None], str]]]) -> None:
    """SP-02: whatever changed between two checkpoints; and it is read as it was"""
    sheet, kept = Sheet(), encoder()
    for changes in rounds:
        for change, name in changes:
            change(sheet, name)
        text = kept.encode(sheet)
        assert text == encoder().encode(sheet)
        assert ADAPTER.validate_python(orjson.loads(text)) == sheet


def test_settings_are_written_with_their_defaults() -> None:
    """SP-07, RK-13: another default of a later version changes no limit that was kept"""
    house = a_house_in_a_position()
    kept = orjson.loads(orjson.dumps(CheckpointEncoder(house.desk).encode().documents))

    whole = documents_of(house.desk)

    assert kept["control"] == whole["control"]
    assert kept[Ledger.name] != whole[Ledger.name] == in_full(kept)[Ledger.name]


@pytest.mark.parametrize(("state", "name"), [(state, name) for state in STATES for name in TABLES[STATES[state]]])
def test_rows_have_no_field_that_changes_in_place(state: type, name: str) -> None:
    """SP-02: a comparison of fields would miss it"""
    row = get_args(get_type_hints(state)[name])[-1]

    assert is_frozen(row) or not changing_fields(row)
    assert is_immutable(row) or not is_frozen(row)


def changing_fields(row: Any) -> list[str]:
    hints = get_type_hints(row)
    return [each.name for each in fields(row) if not is_immutable(hints[each.name])]


def is_immutable(kind: Any) -> bool:
    while (base := getattr(kind, "__supertype__", None)) is not None:
        kind = base
    if get_origin(kind) is Annotated:
        return is_immutable(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType, tuple, frozenset):
        return all(arg is Ellipsis or is_immutable(arg) for arg in get_args(kind))
    if is_dataclass(kind):
        return is_frozen(kind) and not changing_fields(kind)
    return isinstance(kind, type) and issubclass(kind, ATOMS)
