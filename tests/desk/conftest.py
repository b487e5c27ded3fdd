"""The exchange under the desk's stories."""

from __future__ import annotations

import pytest

from core.brokers.simulated.config import FIRST_EDITION
from tests.desk import desk_house
from tests.scenarios.house import House


@pytest.fixture
def a_tick_each_way_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange of accounts of before: a tick to either side of the last price, which fills limits all the same."""
    monkeypatch.setattr(desk_house, "RULES", {"edition": FIRST_EDITION})
    monkeypatch.setattr(House, "usual", {"edition": FIRST_EDITION})
