"""Taking a desk up from its documents: sound ones shorten the way, and no other does harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from syrupy.assertion import SnapshotAssertion

from core.ports import Checkpoint, JournalDamagedError, NoCheckpoint
from core.trading_state.checkpoint import CheckpointEncoder, rebuild, states
from core.trading_state.state import TradingState
from tests.kit.rows import cases
from tests.scenarios.house import Drawer, House, a_house_in_a_position, rebuilt, running


def a_kept_desk() -> tuple[House, Drawer]:
    """A desk in a position, whose documents were written on the way."""
    house = a_house_in_a_position()
    drawer = Drawer()
    drawer.save(CheckpointEncoder(house.desk).encode())
    assert isinstance(drawer.kept, Checkpoint)
    drawer.kept = replace(drawer.kept, documents=orjson.loads(orjson.dumps(drawer.kept.documents)))
    house.until("10:08")
    return house, drawer


def taken_up(house: House, drawer: Drawer | None) -> tuple[TradingState, tuple[str, ...]]:
    desk = TradingState("house", house.desk.mode, house.desk.calendar, house.desk.journal)
    return desk, rebuild(desk, drawer)


def test_documents_and_journal_equal_the_journal() -> None:
    """SP-02, SP-03"""
    house, drawer = a_kept_desk()

    assert states(rebuilt(house.desk, drawer)) == states(rebuilt(house.desk)) == states(house.desk)
    assert running(rebuilt(house.desk, drawer)) == running(rebuilt(house.desk)) == running(house.desk)


def test_only_the_later_journal_is_read() -> None:
    """SP-02"""
    house, drawer = a_kept_desk()
    house.journal.lines[1] = b"damaged beyond reading"

    desk, notes = taken_up(house, drawer)

    assert notes == ()
    assert states(desk) == states(house.desk)


def test_refused_documents_still_know_the_end() -> None:
    """SP-07, SP-02: records that were on the disk are missed, whoever wrote the documents"""
    house, drawer = a_kept_desk()
    drawer.kept = NoCheckpoint("of an older Keyturn", house.journal.sequence)
    assert states(taken_up(house, drawer)[0]) == states(house.desk)

    drawer.kept = NoCheckpoint("of an older Keyturn", house.journal.sequence + 1)
    with pytest.raises(JournalDamagedError, match="its end is lost"):
        taken_up(house, drawer)


@pytest.mark.parametrize("parts", [("runners",), ("reasons", "runners"), ()])
def test_a_place_that_the_documents_lack_starts(parts: tuple[str, ...]) -> None:
    """SP-02, SP-03: settings may place strategies of which an older run knew nothing"""
    house, drawer = a_kept_desk()
    assert isinstance(drawer.kept, Checkpoint)
    documents: Any = drawer.kept.documents
    documents["memories"].clear()
    for part in parts:
        documents["strategies"].get(part, {}).clear()
    desk = TradingState("house", house.desk.mode, house.desk.calendar, house.desk.journal)
    encoder = CheckpointEncoder(desk)

    assert rebuild(desk, drawer, encoder) == ()
    assert orjson.dumps(encoder.documents()) == orjson.dumps(CheckpointEncoder(desk).documents())


def test_a_document_is_a_copy() -> None:
    """SP-02: what lives on after a checkpoint does not reach back into it."""
    house = a_house_in_a_position()
    drawer = Drawer()
    drawer.save(CheckpointEncoder(house.desk).encode())
    assert isinstance(drawer.kept, Checkpoint)
    before = orjson.dumps(drawer.kept.documents)

    house.until("10:10")

    assert orjson.dumps(drawer.kept.documents) == before


def _without_orders(kept: Checkpoint) -> Checkpoint:
    return replace(kept, documents={n: d for n, d in kept.documents.items() if n != "orders"})


def _of_an_older_program(kept: Checkpoint) -> Checkpoint:
    return replace(kept, shape="of slices with other fields")


def _garbled(kept: Checkpoint) -> Checkpoint:
    return replace(kept, documents={**kept.documents, "day": {"day": "no day at all"}})


def _ahead(kept: Checkpoint) -> Checkpoint:
    return replace(kept, sequence=kept.sequence + 1_000_000)


def test_documents_ahead_of_the_journal_stop_the_start() -> None:
    """SP-01"""
    house, drawer = a_kept_desk()
    assert isinstance(drawer.kept, Checkpoint)
    drawer.kept = _ahead(drawer.kept)

    with pytest.raises(JournalDamagedError, match="its end is lost"):
        taken_up(house, drawer)


@cases(
    "damage words",
    (_without_orders, "the state documents do not fit"),
    (_garbled, "the state documents do not fit"),
    (_of_an_older_program, "the state documents are of an older Keyturn"),
)
def test_unfitting_documents_read_more_journal(
    damage: Callable[[Checkpoint], Checkpoint], words: str, snapshot: SnapshotAssertion
) -> None:
    """SP-02"""
    house, drawer = a_kept_desk()
    assert isinstance(drawer.kept, Checkpoint)
    drawer.kept = damage(drawer.kept)

    desk, (note,) = taken_up(house, drawer)

    assert note.startswith(words)
    assert note == snapshot
    assert states(desk) == states(house.desk)


def test_without_documents_the_journal_is_enough() -> None:
    """SP-03"""
    house, _ = a_kept_desk()

    for drawer in (None, Drawer()):
        desk, notes = taken_up(house, drawer)
        assert (states(desk), notes) == (states(house.desk), ())
