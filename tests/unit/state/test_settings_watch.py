"""A settings file that changes under a running engine is seen, whole, once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.messages.desk_commands import SettingsFault, SettingsFileSeen
from core.settings.settings import Settings
from state.files import Home
from state.housekeeping import SettingsWatch
from state.settings_file import load_settings, sectors_file


@dataclass
class Clock:
    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Watched:
    home: Home
    watch: SettingsWatch
    clock: Clock

    def looks(self, seconds: float = 1.0) -> Settings | SettingsFault | None:
        self.clock.at += seconds
        seen = self.watch.look()
        return None if seen is None else seen.answer

    def writes(self, text: str) -> None:
        self.home.settings.write_text(text)


@pytest.fixture
def watched(tmp_path) -> Watched:
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    clock = Clock()
    beside = (sectors_file(home),)
    return Watched(home, SettingsWatch(home.settings, lambda: load_settings(home, {}), clock, beside=beside), clock)


def test_changes_of_the_sectors_file_are_seen(watched: Watched, snapshot) -> None:
    """RK-13, RK-23: and that it is not there is no fault"""
    watched.looks()
    path = sectors_file(watched.home)
    seen = []
    for text in ('XOM = "energy"', 'XOM = "oil and gas"', "XOM = 1", None):
        path.unlink() if text is None else path.write_text(text)
        assert watched.looks() is None
        seen.append(watched.looks())

    first, second, third, fourth = seen
    assert isinstance(first, Settings)
    assert isinstance(second, Settings)
    assert isinstance(fourth, Settings)
    assert [each.risk.sectors for each in (first, second, fourth)] == [{"XOM": "energy"}, {"XOM": "oil and gas"}, {}]
    assert third == snapshot


def test_an_unchanged_file_is_read_once(watched: Watched) -> None:
    """RK-13: it may have changed between the settings and the engine."""
    assert isinstance(watched.watch.look(), SettingsFileSeen)
    assert [watched.looks() for _ in range(5)] == [None] * 5


def test_a_change_is_read_once_it_is_stable(watched: Watched) -> None:
    """RK-13"""
    watched.looks()
    watched.writes("[risk]\nentries_a_day = 2")

    assert watched.looks() is None
    seen = watched.looks()
    assert isinstance(seen, Settings)
    assert seen.risk.entries_a_day == 2
    assert watched.looks() is None


def test_an_unfinished_file_is_waited_for(watched: Watched) -> None:
    """RK-13"""
    watched.looks()
    watched.writes("[risk]\nentries_a_day")
    assert watched.looks() is None
    watched.writes("[risk]\nentries_a_day = 3")
    assert watched.looks() is None

    seen = watched.looks()
    assert isinstance(seen, Settings)
    assert seen.risk.entries_a_day == 3


def test_between_looks_there_is_a_second(watched: Watched) -> None:
    """RK-13"""
    watched.looks()
    watched.writes("[risk]\nentries_a_day = 2")

    assert [watched.looks(0.02) for _ in range(40)] == [None] * 40


def test_a_wrong_file_is_placed(watched: Watched, snapshot) -> None:
    """RK-13"""
    watched.looks()
    watched.writes("[risk]\ndaily_los = { usd = 5 }")
    watched.looks()

    assert watched.looks() == snapshot


def test_a_deleted_file_is_missing(watched: Watched) -> None:
    """RK-13: what it said is no wish of anybody to trade by the defaults."""
    watched.writes("[risk]\nentries_a_day = 2")
    watched.looks()
    watched.home.settings.unlink()

    assert watched.looks() is None
    assert watched.looks() == SettingsFault("settings.toml is missing")
