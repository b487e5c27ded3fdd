"""The memory of a strategy of the user's: what fits is kept, what does not is named, and looking costs little."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from core.runtime.strategy_host.pipe_messages import ITEMS_A_BAR, Memory
from core.strategies.trade_plan import UnfitError
from tests.kit.rows import table


@dataclass(slots=True)
class Level:
    price: Decimal = Decimal(1)


@dataclass(slots=True)
class Remembered:
    """Of every kind that a strategy may keep."""

    closes: deque[Decimal] = field(default_factory=deque)
    levels: dict[date, Level] = field(default_factory=dict)
    at: datetime | None = None
    seen: set[int] = field(default_factory=set)


def a_memory(state: Remembered) -> Memory:
    return Memory(Remembered, TypeAdapter(Remembered), state)


def test_what_fits_comes_back_as_it_was() -> None:
    """ST-01"""
    state = Remembered(deque([Decimal("99.5")]), {date(2026, 1, 5): Level()}, datetime(2026, 1, 5, tzinfo=UTC), {3})
    memory = a_memory(Remembered())

    memory.look_at(state)

    assert memory.last_sound() == state


@table(
    "name value words",
    ("closes", deque(["high"]), "its state.closes.0 is 'high': "),
    ("closes", deque([lambda: None]), "its state.closes.0 is a function: "),
    ("levels", {date(2026, 1, 5): 3}, "its state.levels.2026-01-05 is 3: "),
    ("at", "noon", "its state.at is 'noon': "),
)
def test_an_oversized_memory_is_named(name: str, value: Any, words: str) -> None:
    """ST-01"""
    state = Remembered(deque([Decimal("99.5")]))
    memory = a_memory(state)
    setattr(state, name, value)

    with pytest.raises(UnfitError) as said:
        memory.look_at(state)

    assert str(said.value).startswith(words)
    assert memory.last_sound() == Remembered(deque([Decimal("99.5")]))


def test_large_memories_are_checked_less_often() -> None:
    """ST-01: what looking costs does not grow with it."""
    state = Remembered(deque([Decimal(1)] * ITEMS_A_BAR * 3))
    memory = a_memory(state)
    memory.look_at(state)
    state.seen.add("odd")  # type: ignore[arg-type]

    for _ in range(3):
        memory.look_at(state)

    with pytest.raises(UnfitError, match=r"state\.seen"):
        memory.look_at(state)
