"""Parts of a document are encoded when they changed, and only then; the text is that of an encoding from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from core.execution.ledger import Ledger
from core.model.counted_changes import CountsChanges, changes_of
from core.settings.settings import Settings
from core.staging.stage import Stage
from core.trading_state.checkpoint import CheckpointEncoder, documents_of, in_full
from core.trading_state.document_encoder import encoder_of, is_immutable
from tests.scenarios.house import a_house_in_a_position


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Fixed:
    at: datetime
    price: Decimal | None = None


@dataclass(slots=True)
class Row(CountsChanges):
    name: str
    filled: Decimal = Decimal(0)
    fixed: Fixed | None = None


@dataclass(slots=True)
class Unnoticed:
    name: str


@dataclass(slots=True)
class Part:
    prices: list[Decimal] = field(default_factory=list)
    last: Fixed | None = None


@dataclass(slots=True)
class Sheet:
    rows: dict[str, Row] = field(default_factory=dict)
    fixed: list[Fixed] = field(default_factory=list)
    open: dict[str, list[int]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    halts: dict[Colour, int] = field(default_factory=dict)
    unnoticed: dict[str, Unnoticed] = field(default_factory=dict)
    pair: tuple[int, ...] = ()
    count: int = 0


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADAPTER = TypeAdapter(Sheet)


class SheetEncoder:
    def __init__(self) -> None:
        self.encoder = encoder_of(Sheet, ("rows", "fixed"))

    def encode(self, sheet: Sheet) -> bytes:
        pieces: list[bytes] = []
        self.encoder.encode(sheet, pieces)
        return b"".join(pieces)


def adds(sheet: Sheet, name: str) -> None:
    sheet.rows[name] = Row(name)


def fills(sheet: Sheet, name: str) -> None:
    if name in sheet.rows:
        sheet.rows[name].filled += 1


def restates(sheet: Sheet, name: str) -> None:
    if name in sheet.rows:
        sheet.rows[name].fixed = Fixed(NOON, Decimal(len(sheet.rows)))


def exchanges(sheet: Sheet, name: str) -> None:
    """Another row in the place of an equal one, with as many changes, and with more digits"""
    if name in sheet.rows:
        sheet.rows[name] = Row(name, Decimal("0.00"))


def removes(sheet: Sheet, name: str) -> None:
    sheet.rows.pop(name, None)
    sheet.parts.pop(name, None)


def lists(sheet: Sheet, name: str) -> None:
    sheet.fixed.append(Fixed(NOON, Decimal(len(name))))
    sheet.fixed = sheet.fixed[-3:]


def turns(sheet: Sheet, name: str) -> None:
    sheet.fixed.reverse()
    sheet.rows = dict(reversed(sheet.rows.items()))


def opens(sheet: Sheet, name: str) -> None:
    sheet.open.setdefault(name, []).append(len(sheet.open))
    sheet.halts[Colour.RED] = sheet.count = sheet.count + 1
    sheet.unnoticed.setdefault(name, Unnoticed("")).name += name


def parts(sheet: Sheet, name: str) -> None:
    part = sheet.parts.setdefault(name, Part())
    part.prices.append(Decimal("1.0"))
    part.last, sheet.pair = Fixed(NOON), (*sheet.pair, 1)


def restates_in_place(sheet: Sheet, name: str) -> None:
    """An equal price with other digits, in the place of the first one"""
    if name in sheet.parts:
        sheet.parts[name].prices[0] = Decimal("1.00")


CHANGES = st.tuples(
    st.sampled_from([adds, fills, restates, exchanges, removes, lists, turns, opens, parts, restates_in_place]),
    st.sampled_from(["a", "b", 'é"', "d"]),
)


@given(st.lists(st.lists(CHANGES, max_size=4), max_size=8))
def test_text_is_that_of_a_new_encoder(rounds: list[list[tuple[Callable[[Sheet, str], None], str]]]) -> None:
    """SP-02: whatever changed between two checkpoints, and after a start; and it is read as it was"""
    sheet, kept = Sheet(), SheetEncoder()
    for changes in rounds:
        for change, name in changes:
            change(sheet, name)
        text = kept.encode(sheet)
        assert text == SheetEncoder().encode(sheet)
        assert ADAPTER.validate_python(orjson.loads(text)) == sheet
        again, started = ADAPTER.validate_python(orjson.loads(text)), SheetEncoder()
        started.encoder.recall(again, orjson.loads(text))
        assert started.encode(again) == text
        for change, name in changes:
            change(again, name)
        assert started.encode(again) == SheetEncoder().encode(again)


def test_rows_that_can_change_unnoticed_are_refused() -> None:
    """SP-02: a desk then does not start with a table whose changes it would miss"""
    with pytest.raises(TypeError):
        encoder_of(Sheet, ("unnoticed",))
    assert not is_immutable(Row)
    assert not is_immutable(dict[str, int])
    assert is_immutable(Fixed)


def test_an_error_leaves_what_was_known() -> None:
    """SP-02: the next encoding has every change, also those of a broken-off one"""
    sheet, kept = Sheet({"a": Row("a"), "b": Row("b")}), SheetEncoder()
    kept.encode(sheet)
    sheet.rows["a"].filled, sheet.rows["b"].name = Decimal(7), "\ud800"
    with pytest.raises(PydanticSerializationError):
        kept.encode(sheet)

    sheet.rows["b"].name = "b"

    assert kept.encode(sheet) == SheetEncoder().encode(sheet)


@pytest.mark.parametrize(
    "restore",
    [
        lambda sheet: sheet.rows.update(c=Row("c")),
        lambda sheet: sheet.rows.pop("a"),
        lambda sheet: setattr(sheet.rows["a"], "filled", Decimal(7)),
        lambda sheet: setattr(sheet, "rows", {"b": sheet.rows["a"], "a": sheet.rows["b"]}),
        lambda sheet: sheet.parts.update(b=Part()),
        lambda sheet: sheet.parts["a"].prices.insert(0, Decimal(1)),
        lambda sheet: sheet.fixed.clear(),
    ],
)
def test_what_a_restore_changes_is_encoded(restore: Callable[[Sheet], object]) -> None:
    """SP-02, SP-03: what was read is the text of that alone"""
    sheet = Sheet({"a": Row("a"), "b": Row("b")}, [Fixed(NOON)], parts={"a": Part([Decimal(2)])})
    read = orjson.loads(SheetEncoder().encode(sheet))
    loaded, kept = ADAPTER.validate_python(read), SheetEncoder()
    kept.encoder.recall(loaded, read)

    restore(loaded)

    assert kept.encode(loaded) == SheetEncoder().encode(loaded)


def test_settings_are_encoded_again_after_a_start() -> None:
    """SY-06, SP-07: those of an older version were upgraded as they were read"""
    encoder, settings = encoder_of(Settings), Settings()
    encoder.recall(settings, {"version": 1, "old": "words"})
    pieces: list[bytes] = []

    encoder.encode(settings, pieces)

    assert Settings.model_validate_json(b"".join(pieces)) == settings


def test_a_change_counts_after_the_creation() -> None:
    row = Row("a", Decimal(1))
    before = changes_of([row])

    row.filled = Decimal(1)

    assert changes_of([row]) == [before[0] + 1]


def without_order(documents: dict[str, Any]) -> dict[str, Any]:
    """The documents with their only set sorted: it is written in the order of its hashes."""
    stage = documents[Stage.name]
    return {**documents, Stage.name: {**stage, "used": sorted(stage["used"])}}


def test_settings_are_written_with_their_defaults() -> None:
    """SP-07, RK-13: another default of a later version changes no limit that was kept"""
    house = a_house_in_a_position()
    kept = orjson.loads(orjson.dumps(CheckpointEncoder(house.desk).encode().documents))

    whole = documents_of(house.desk)

    assert kept["control"] == whole["control"]
    assert kept[Ledger.name] != whole[Ledger.name] == in_full(kept)[Ledger.name]
    assert kept.keys() == whole.keys()
    assert without_order(in_full(kept)) == without_order(whole)


def test_a_restored_desk_encodes_what_it_was_restored_from() -> None:
    """SP-02, SP-03"""
    house = a_house_in_a_position()
    encoder = CheckpointEncoder(house.desk)
    text = orjson.dumps(encoder.documents())
    started = CheckpointEncoder(house.desk)

    started.recall(started.kept(), orjson.loads(text))

    assert orjson.dumps(started.documents()) == text
