"""Minutes in which nothing happens are cheap, and cost nothing of what is written."""

from __future__ import annotations

from datetime import timedelta

from core.facts import ProtectionExpired
from core.settings.settings import Settings
from tests.scenarios.house import House, minutes


def test_bars_at_once_equal_bars_one_by_one() -> None:
    """SP-01, RK-06: the halt of 10:05 ends at 10:36, in the middle of them."""
    settings = Settings.model_validate(
        {"reconciliation": {"every_seconds": 0}, "strategies": {"vwap": {"symbols": []}}}
    )
    bars = minutes("09:30", "10:04") + minutes("10:05", "11:00", "96")

    at_once = House(bars, settings)
    at_once.line.run()
    one_by_one = House(bars, settings).opens()
    one_by_one.until_moment(bars[-1].end + timedelta(hours=2))

    assert at_once.facts(ProtectionExpired) == [ProtectionExpired("volatility_halt", "global")]
    assert at_once.journal.lines == one_by_one.journal.lines


def test_an_idle_comparison_syncs_no_disk() -> None:
    """EX-09, SP-02: asked once a minute, and no bar is lost that its source would not tell again."""
    house = House(minutes("09:30", "10:30")).opens().until("10:05")
    before = house.journal.syncs, house.engine.next_deadline

    house.until("10:20")

    assert house.journal.syncs == before[0]
    assert house.engine.next_deadline != before[1]
