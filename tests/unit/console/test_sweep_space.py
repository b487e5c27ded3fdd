"""The values of `--grid` and the studies, and which combinations the settings reject."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.commands.assembly.combined_settings import CombinedSettings
from console.commands.assembly.sweep_space import STUDIES, SpaceSettings, axis_of, space_of
from core.ports import OperatorError
from core.research.sweeps.space import Axis, Space
from core.settings.settings import Settings
from core.settings.strategies import HOUSE_NAMES
from state.files import Home
from state.settings_file import load_settings
from tests.kit.rows import cases, table

LEAST = "strategies.vwap.adaptive.least"
MOST = "strategies.vwap.adaptive.most"


def labels(axis: Axis) -> list[str]:
    return [value.label for value in axis.values]


def space_settings(tmp_path: Path, *grids: str) -> SpaceSettings:
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})

    def settings_of(overrides: tuple[str, ...]) -> Settings:
        return load_settings(home, {}, overrides)

    return SpaceSettings(Space(tuple(map(axis_of, grids))), settings_of)


@table(
    "text, values, is_ordered",
    ("k=5:20:5", ["5", "10", "15", "20"], True),
    ("k=0.1:0.35:0.1", ["0.1", "0.2", "0.3"], True),
    ("k=-1:1:1", ["-1", "0", "1"], True),
    ("k=3,1,2.50,2.5", ["3", "1", "2.5"], True),
    ("k=true,false", ["true", "false"], False),
    ("k=[[5,15]],[[10,30]]", ["[[5, 15]]", "[[10, 30]]"], False),
    ("k=broker,desk", ["broker", "desk"], False),
    ("k=10:00,10:30", ["10:00", "10:30"], False),
    (" k = 7 ", ["7"], True),
)
def test_the_values_of_an_axis(text: str, values: list[str], is_ordered: bool) -> None:
    """AN-05: exact steps, the last value included where a step meets it, equal values once"""
    axis = axis_of(text)

    assert (axis.name, labels(axis), axis.is_ordered) == ("k", values, is_ordered)


@table("text", "k", "k=", "=1:2:1", "k=1:2:0", "k=1:2:-1", "k=2:1:1", "k=0:1:0.000001", "k=,")
def test_a_bad_axis_is_one_line(text: str) -> None:
    """AN-05"""
    with pytest.raises(OperatorError, match="--grid") as raised:
        axis_of(text)
    assert "\n" not in str(raised.value)


def test_the_studies() -> None:
    """AN-05: 49 runs of entry and stop, 13 half-hours, fixed and adaptive"""
    sizes = {name: space_of((), name).size for name in STUDIES}

    assert sizes == {"entry-stop": 49, "half-hours": 13, "adaptive": 2}
    (half_hours,) = space_of((), "half-hours").axes
    assert half_hours.values[0].overrides[:2] == ('risk.window_start="09:30"', 'risk.window_end="09:59"')
    assert half_hours.values[-1].overrides[:2] == ('risk.window_start="15:30"', 'risk.window_end="15:59"')
    (of_own,) = space_of((), "half-hours", "dips").axes
    lifted = {f"strategies.{name}.limits.windows=[]" for name in (*HOUSE_NAMES, "dips")}
    assert set(of_own.values[0].overrides[2:]) == lifted


def test_a_study_of_no_name_is_refused() -> None:
    """AN-05"""
    with pytest.raises(OperatorError, match="entry-stop"):
        space_of((), "none")
    with pytest.raises(OperatorError, match="--grid"):
        space_of((), None)


@cases(
    "grid said",
    ("strategies.vwap.stop_fracton=0.1", "stop_fracton"),
    ("strategies.vwap.stop_fraction=0.1,2", "= 2"),
    ("strategies.vwap.stop_fraction=a,b", "stop_fraction"),
    ("strategies.vwap=1", "--grid strategies.vwap"),
)
def test_a_bad_key_or_value_is_named(tmp_path: Path, grid: str, said: str) -> None:
    """AN-05: before anything runs"""
    with pytest.raises(OperatorError) as raised:
        space_settings(tmp_path, grid).require_values()

    assert "--grid" in str(raised.value)
    assert said in str(raised.value)


def test_values_that_do_not_fit_are_rejected(tmp_path: Path) -> None:
    """AN-05: such a combination does not end the sweep, and names its reason"""
    found = space_settings(tmp_path, f"{LEAST}=0.002,0.007", f"{MOST}=0.005,0.008")
    found.require_values()

    settings = found.checked([(0, 0), (0, 1), (1, 0), (1, 1)])

    assert list(settings) == [(0, 0), (0, 1), (1, 1)]
    assert list(found.rejected) == [(1, 0)]
    assert LEAST in found.rejected[1, 0]


def test_equal_settings_are_run_once(tmp_path: Path) -> None:
    """AN-05: two ways to write the same"""
    found = space_settings(tmp_path, "symbols=['SPY'],['SPY'],['IBM']", "profile=micro")
    found.require_values()

    assert len(found.checked([(0, 0), (1, 0), (0, 0)])) == 2
    assert found.checked([(0, 0), (1, 0)]) == {}


@table(
    "grids, is_combined",
    (("strategies.vwap.entry_deviation=0.002,0.003", "risk.entries_a_day=1,5"), True),
    (("exchange.slippage=0,0.001", "exits.enabled=true,false"), True),
    ((f"{LEAST}=0.002,0.005", f"{MOST}=0.003,0.006"), True),
    (("risk.entries_a_day=1,5", "risk.window_end='11:00','15:00'", "exits.max_days=0,9"), True),
    (("profile=micro,swing", "risk.entries_a_day=1,5"), False),
    (("strategies.own.mine.enabled=false", "risk.entries_a_day=1,5"), False),
)
def test_combined_values_are_those_of_the_layers(tmp_path: Path, grids: tuple[str, ...], is_combined: bool) -> None:
    """AN-05: and two values that change the same setting are left to the layers"""
    layered, combined = space_settings(tmp_path, *grids), space_settings(tmp_path, *grids)
    points = Space(tuple(map(axis_of, grids))).grid()
    combined.require_values()

    expected = layered.checked(points)
    assert combined.checked(points) == expected
    assert combined.rejected == layered.rejected
    made = CombinedSettings(load_settings(Home.of({"KEYTURN_HOME": str(tmp_path)}), {}, ()), alone(tmp_path, grids))
    assert {made.settings_of(point) is not None for point in expected} == {is_combined}


def alone(tmp_path: Path, grids: tuple[str, ...]) -> tuple[dict[int, Settings], ...]:
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    axes = map(axis_of, grids)
    return tuple({n: load_settings(home, {}, value.overrides) for n, value in enumerate(axis.values)} for axis in axes)
