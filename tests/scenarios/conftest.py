"""Whatever a story told, its journal alone must tell it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.scenarios.weeks")

from tests.scenarios.backtests import bars, days, keyturn, minutes  # noqa: E402, F401
from tests.scenarios.house import House, assert_can_be_rebuilt  # noqa: E402


@pytest.fixture(autouse=True)
def every_story_can_be_rebuilt_from_its_journal() -> Iterator[None]:
    """SP-03. Where the disk failed, the journal rightly lags behind."""
    House.built.clear()
    yield
    for house in House.built:
        if house.engine.disk_trouble is None:
            assert_can_be_rebuilt(house)
