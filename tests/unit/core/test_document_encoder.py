"""Rows of a document are encoded when they changed, and only then; the text is that of an encoding from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.execution.latency import LatenciesState
from core.execution.ledger_state import LedgerState
from core.staging.stage_state import StageState
from core.trading_state.document_encoder import DocumentEncoder


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
class Open:
    """No row to compare: its list may change in place."""

    seen: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Within:
    fixed: list[Fixed] = field(default_factory=list)


@dataclass(slots=True)
class Sheet:
    rows: dict[str, Row] = field(default_factory=dict)
    fixed: list[Fixed] = field(default_factory=list)
    pairs: list[tuple[datetime, Decimal]] = field(default_factory=list)
    open: dict[str, Open] = field(default_factory=dict)
    within: Within = field(default_factory=Within)
    count: int = 0


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADAPTER = TypeAdapter(Sheet)


def encoder(kind: Any = Sheet) -> DocumentEncoder:
    return DocumentEncoder(kind, TypeAdapter(kind))


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
    sheet.pairs = [*sheet.pairs[-2:], (NOON, Decimal(len(name)))]
    sheet.within.fixed.insert(0, Fixed(NOON))


def opens(sheet: Sheet, name: str) -> None:
    sheet.open.setdefault(name, Open()).seen.append(len(sheet.open))
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


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (LedgerState, {"orders", "trades", "positions"}),
        (StageState, {"confirmations", "proposals", "tickets"}),
        (LatenciesState, {"orders"}),
    ],
)
def test_rows_of_a_busy_day_are_compared(kind: type, names: set[str]) -> None:
    """SP-02: none of them has a field that changes in place"""
    assert names <= encoder(kind)._parts.keys()
