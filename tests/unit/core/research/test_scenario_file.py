"""Files of scenarios: their three forms, what is refused with its key, and those built in (AN-02)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from core.ports import OperatorError
from core.research.portfolio_risk.scenario_file import BUILT_IN, RecordedDays, Stress, scenario_of, without_repeats
from core.research.portfolio_risk.shock_text import Shock
from state.files import tables_of, toml_of
from tests.data import days_of
from tests.kit.rows import table

DAYS = """name = "Black Monday"
first = 1987-10-16
last = 1987-10-20
[index]
1987-10-19 = -20.47
1987-10-16 = -5.16
"""


def test_a_file_has_one_of_three_forms() -> None:
    """AN-02"""
    days = scenario_of(toml_of(DAYS), "x.toml")
    shock = scenario_of(toml_of('name = "oil"\nshock = "oil +20 %"'), "x.toml")
    stress = scenario_of(toml_of('name = "panic"\ncorrelation = 0.95\nvolatility = 4'), "x.toml")

    assert days == RecordedDays(
        "Black Monday",
        date(1987, 10, 16),
        date(1987, 10, 20),
        {date(1987, 10, 16): -0.0516, date(1987, 10, 19): -0.2047},
    )
    assert isinstance(shock, Shock)
    assert (shock.name, [move.factor for move in shock.moves]) == ("oil", ["USO"])
    assert stress == Stress("panic", 0.95, 1.0, 4.0)


@table(
    "text, key",
    ("", "missing"),
    ('name = "x"', "missing"),
    ('name = "x"\nfirst = 2020-03-01', "last is missing"),
    ('name = "x"\nfirst = 2020-03-01\nlast = 2020-03-31\nshock = "SPY -7 %"', "'shock'"),
    ('name = "x"\nfrist = 2020-03-01\nlast = 2020-03-31', "frist"),
    ('name = ""\nshock = "SPY -7 %"', "name"),
    ('name = "a\\u001b[31m"\nshock = "SPY -7 %"', "name"),
    ('name = "x"\nshock = "SPY crashes"', "shock"),
    ('name = "x"\nshock = 7', "shock"),
    ('name = "x"\nfirst = "2020-03-01"\nlast = 2020-03-31', "first"),
    ('name = "x"\nfirst = 2020-03-01T00:00:00\nlast = 2020-03-31', "first"),
    ('name = "x"\nfirst = 2020-04-01\nlast = 2020-03-31', "last"),
    ('name = "x"\ncorrelation = 1.5\nvolatility = 2', "correlation"),
    ('name = "x"\ncorrelation = 0.9', "volatility"),
    ('name = "x"\ncorrelation = 0.9\nvolatility = 0.5', "volatility"),
    ('name = "x"\ncorrelation = 0.9\nvolatility = nan', "volatility"),
    ('name = "x"\ncorrelation = true\nvolatility = 2', "correlation"),
    ('name = "x"\ncorrelation = 0.9\nvolatility = 2\nway = 2', "way"),
    (DAYS.replace("-20.47", '"-20 %"'), "index: 1987-10-19"),
    (DAYS.replace("-20.47", "-100.5"), "index: 1987-10-19"),
    (DAYS.replace("1987-10-19 =", "monday ="), "monday"),
    (DAYS.replace("1987-10-19 =", "1987-10-26 ="), "1987-10-26"),
)
def test_a_fault_is_named_with_its_key(text: str, key: str) -> None:
    """AN-02: in one line that begins with the file"""
    with pytest.raises(OperatorError) as refused:
        scenario_of(toml_of(text), "scenarios/x.toml")

    assert str(refused.value).startswith("scenarios/x.toml: ")
    assert key in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_scenarios_of_one_name_are_refused() -> None:
    """AN-02"""
    oil = scenario_of(toml_of('name = "oil"\nshock = "oil +20 %"'), "a.toml")

    with pytest.raises(OperatorError, match=r"b\.toml: name: oil .*a\.toml"):
        without_repeats([("a.toml", oil), ("b.toml", oil)])


def built_in() -> Mapping[str, object]:
    return {path.stem: scenario_of(tables_of(path, "x", OperatorError), path.name) for path in BUILT_IN.glob("*.toml")}


def spy() -> pd.Series:
    closes = pd.read_csv(Path(days_of("SPY")), index_col="date", parse_dates=True)["close"]
    return closes.pct_change().dropna()


@pytest.mark.parametrize("name", ["october-2008", "august-2015", "march-2020"])
def test_the_built_in_days_are_those_of_spy(name: str) -> None:
    """AN-02: every session, to a ten thousandth of a percent"""
    found, returns = built_in()[name], spy()
    assert isinstance(found, RecordedDays)

    recorded = returns[str(found.first)[:7]]

    assert list(found.index) == [day.date() for day in recorded.index]
    assert list(found.index.values()) == pytest.approx(recorded.tolist(), abs=6e-7)


def test_a_stress_has_the_volatility_of_a_crisis() -> None:
    """AN-02: SPY's deviation in October 2008 and August 2015, over that of the 250 days before"""
    found, returns = built_in(), spy()

    def rise(month: str) -> float:
        before = returns[returns.index < f"{month}-01"].tail(250)
        return round(float(returns[month].std() / before.std()), 1)

    factors = {name: each.volatility for name, each in found.items() if isinstance(each, Stress)}
    assert factors == {"stress-full": rise("2008-10"), "stress-apart": rise("2008-10"), "stress-half": rise("2015-08")}
