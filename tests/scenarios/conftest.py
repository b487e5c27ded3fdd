"""Whatever a story told, its journal alone must tell it again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from zlib import crc32

import pytest

from core.brokers.simulated.config import FIRST_EDITION
from core.messages.inputs import ClockFetched
from core.model.broker import NoAnswer
from core.runtime.virtual_time import ExchangeAnswers
from tests.kit.timeline import Timeline, installed

pytest.register_assert_rewrite("tests.scenarios.reports", "tests.scenarios.weeks")

from tests.scenarios.backtests import bars, days, keyturn, minutes, year  # noqa: E402, F401
from tests.scenarios.house import House, assert_can_be_rebuilt  # noqa: E402


@pytest.fixture(autouse=True)
def stories_can_be_rebuilt_from_their_journals(request: pytest.FixtureRequest) -> Iterator[None]:
    """SP-03, of one story in six, always the same ones. Where the disk failed, the journal rightly lags behind."""
    House.built.clear()
    yield
    for house in House.built:
        if crc32(request.node.nodeid.encode()) % 6 == 0 and house.engine.disk_trouble is None:
            assert_can_be_rebuilt(house)


@pytest.fixture
def a_tick_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange as it is in use: derived quotes stand a tick to either side of the last price."""
    monkeypatch.setattr(House, "usual", {})


@pytest.fixture
def a_whole_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day begins at 09:30."""
    monkeypatch.setattr(House, "begins", "09:30")


@pytest.fixture
def a_bar_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange of accounts of before: a bar gives its volume as it begins, and prices of long ago are paid."""
    monkeypatch.setattr(House, "usual", {"edition": FIRST_EDITION})


@pytest.fixture
def timeline() -> Iterator[Timeline]:
    """Threads of the test run in virtual time."""
    with installed(Timeline()) as line:
        yield line


@pytest.fixture
def differing(monkeypatch: pytest.MonkeyPatch) -> dict[str, Decimal]:
    """By how much this machine's clock is ahead of the broker's, seconds; without it the broker does not say."""
    off: dict[str, Decimal] = {}
    answer = ExchangeAnswers.answer

    def with_clock(self: ExchangeAnswers, effect: object, at: object) -> object:
        told = answer(self, effect, at)  # type: ignore[arg-type]
        if not isinstance(told, ClockFetched):
            return told
        return ClockFetched(told.answer, off["by"], off["by"] == 0) if off else ClockFetched(NoAnswer("not now"))

    monkeypatch.setattr(ExchangeAnswers, "answer", with_clock)
    return off
