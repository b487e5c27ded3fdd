"""The clock of the desk's tests, and the exchange under its stories."""

from __future__ import annotations

import pytest

from core.brokers.simulated.config import FIRST_EDITION
from tests.desk import desk_house
from tests.kit.screen import drawn_on_demand
from tests.kit.style_cache import remembered
from tests.kit.virtual_time import VirtualLoop, patched
from tests.scenarios.house import House


def pytest_asyncio_loop_factories() -> dict[str, type[VirtualLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def _in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch)
    drawn_on_demand(monkeypatch)
    remembered(monkeypatch)


@pytest.fixture
def a_tick_each_way_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange of accounts of before: a tick to either side of the last price, which fills limits all the same."""
    monkeypatch.setattr(desk_house, "RULES", {"edition": FIRST_EDITION})
    monkeypatch.setattr(House, "usual", {"edition": FIRST_EDITION})
