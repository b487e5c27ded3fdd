"""Minutes in which nothing happens are cheap, and cost nothing of what is written."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from core.facts import ProtectionExpired
from core.model.bar import Bar
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from tests.data import MARKET, minutes_of
from tests.scenarios.backtests import Keyturn
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


def test_leave_ends_between_two_of_them() -> None:
    """SY-01"""
    bars = minutes("09:30", "11:00")
    house = House(bars, Settings.model_validate({"reconciliation": {"every_seconds": 0}}))
    heard = list[Bar]()

    def hear(bar: Bar) -> None:
        heard.append(bar)
        if len(heard) == 20:
            house.line.leave()

    house.line.engine.state.add_bar_listener(hear)
    house.line.run()

    assert len(heard) == 20


def with_quotes(folder: Path) -> tuple[object, ...]:
    """Two recorded days of SPY with its quotes, their first two hours, as `replay` takes them."""
    files = []
    for path in (minutes_of("SPY"), MARKET / "SPY_quotes_1min_2013-10-07_to_2013-10-10.csv"):
        header, *lines = path.read_text().splitlines()
        kept = [line for line in lines if line < "2013-10-09" and "13:00" < line[11:16] < "15:30"]
        files.append(folder / path.name)
        files[-1].write_text("\n".join([header, *kept]) + "\n")
    played = ("--headless", "--operator", "confirm-all", "--json", "--profile", "swing")
    return ("replay", files[0], "--quotes", files[1], *played)


@pytest.mark.parametrize("symbols", [1, 2], ids=["one symbol with quotes", "a second one with few bars"])
def test_each_speed_writes_the_same_journal(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, symbols: int
) -> None:
    """MD-05: as fast as it can, and event by event as at any other speed: what is told at one instant has one order."""
    words = with_quotes(tmp_path)
    if symbols > 1:
        few = [
            line
            for number, line in enumerate(minutes_of("IBM").read_text().splitlines())
            if number % 7 == 0 or number % 11 == 0
        ]
        (tmp_path / "IBM_few.csv").write_text("\n".join(line for line in few if line < "2013-10-08" or "t" in line))
        words = (*words[:2], tmp_path / "IBM_few.csv", "--symbol", "SPY", "--symbol", "IBM", *words[4:])
    at_once = keyturn(*words)
    monkeypatch.setattr(VirtualRuntime, "_play_quiet_bars", lambda _self, _until: None)
    one_by_one = keyturn(*words)

    assert at_once.code == one_by_one.code == 0, at_once.err
    assert at_once.json["bars"] > 200
    assert at_once.json == one_by_one.json


def test_a_change_with_quotes_differs_no_earlier(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, MD-05: the second day is changed; the first is the same, record by record."""
    folder = tmp_path / "journal"
    assert keyturn(*with_quotes(tmp_path), "--journal-dir", folder).code == 0

    words = ("2013-10-08", "--journal-dir", folder, "--json", "--change", "set:risk.max_open_positions=1")
    found = keyturn("whatif", *words).json

    assert found["base"]["is_exact"] is True
    first = json.loads((folder / "2013-10-08.jsonl").read_text().splitlines()[0])["seq"]
    assert found["changes"][0]["first_other"]["record"] == first


def test_an_idle_comparison_syncs_no_disk() -> None:
    """EX-09, SP-02: asked once a minute, and no bar is lost that its source would not tell again."""
    house = House(minutes("09:30", "10:30")).opens().until("10:05")
    before = house.journal.syncs, house.engine.next_deadline

    house.until("10:20")

    assert house.journal.syncs == before[0]
    assert house.engine.next_deadline != before[1]
