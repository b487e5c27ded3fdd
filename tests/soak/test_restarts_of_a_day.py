"""The long form of `test_restore_and_reset.py`: days with twenty restarts, and the stress desk for hours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from console.commands.assembly.simulated import DemoOptions
from core.facts import TradeClosed
from tests.scenarios.house import assert_can_be_rebuilt
from tests.scenarios.test_restore_and_reset import a_wandering_day, played, traded
from tests.scenarios.test_stress_desk import shape, the_stress_desk


@pytest.mark.parametrize("seed", range(3))
def test_twenty_restarts_in_a_day_change_nothing(seed: int) -> None:
    """SP-05, ST-01, EX-20: signals, tickets, orders, fills, stops and trades, and when each was."""
    bars = a_wandering_day(Random(f"the market {seed}"), last="15:59")
    running = played(bars, until="16:05")

    stopped = played(bars, Random(f"the restarts {seed}").sample(range(5, 380), 20), until="16:05")

    assert traded(stopped) == traded(running)
    assert len(running.facts(TradeClosed)) > 3
    assert_can_be_rebuilt(stopped)


def test_three_hours_later_the_stress_desk_is_the_same(tmp_path: Path) -> None:
    """MD-05"""
    with the_stress_desk(tmp_path, DemoOptions(speed=600)) as runtime:
        before = shape(runtime.view())

        runtime.run(until=runtime.at + timedelta(hours=3))

        assert shape(runtime.view()) == before
        assert runtime.view().refusals == ()
