"""What begins first: begun last, a long file would keep a worker busy while the others are done. No example has a time
to keep: the machine has other work.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

HERE = Path(__file__).parent
FIRST = ("simulation", "accidents", "terminal", "wire", "desk")
"""Rooms whose single tests take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    room = item.path.relative_to(HERE).parts[0]
    return FIRST.index(room) if room in FIRST else len(FIRST)
