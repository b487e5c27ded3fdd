"""Two engines for one account, started in the same instant: one serves, the other says so and ends."""

from __future__ import annotations

import pytest

from state.lock import holder
from tests.real.account import House


@pytest.mark.parametrize("many", [2, 4])
def test_of_engines_started_in_the_same_instant_one_serves_and_each_other_says_who(house: House, many: int) -> None:
    """SP-04, SY-01"""
    engines = [house.engine() for _ in range(many)]
    house.until(lambda: sum(each.process.poll() is None for each in engines) == 1, "all but one have ended")

    (winner,) = [each for each in engines if each.process.poll() is None]
    winner.until_it_listens()
    for each in engines:
        if each is not winner:
            assert each.process.returncode == 2
            (line,) = each.said().splitlines()
            assert line.startswith("keyturn: an engine already runs on account 'demo' (")
            assert "`keyturn engine stop`" in line

    desk = house.desk()
    desk.until_attached()
    assert house.count("EngineStarted") == 1
    assert winner.stopped() == 0
    assert holder(house.folder) is None
    assert house.journal_is_whole()
