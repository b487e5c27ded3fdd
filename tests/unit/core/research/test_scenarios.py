"""Recorded days and shocks, by position (AN-02)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from core.model.values import Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.betas import Beta, BetaSource
from core.research.portfolio_risk.scenario_file import RecordedDays
from core.research.portfolio_risk.scenarios import Scenario, shocked, windows, worst_path
from core.research.portfolio_risk.shock_text import parsed
from tests.kit.rows import table
from tests.unit.core.research.book import a_history, sessions, worth

DAYS = 450
NOISE = np.random.default_rng(11).normal(0, 0.01, (3, DAYS))
MARCH = RecordedDays("March 2020", date(2020, 3, 1), date(2020, 3, 31), {})


def test_betas_are_those_of_the_returns() -> None:
    """AN-02: IBM is made of twice SPY less half of USO"""
    spy, uso, _ = NOISE
    history = a_history({"SPY": spy, "USO": uso, "IBM": 2 * spy - uso / 2})

    found = shocked(parsed("SPY -7 %, oil +20 %"), history, [worth("IBM", "1000"), worth("USO", "-300")], [], None)

    assert [(part.symbol, round(part.profit, 6)) for part in found.parts] == [("IBM", -240.0), ("USO", -60.0)]
    assert found.parts[0].betas == pytest.approx({"SPY": 2.0, "USO": -0.5})
    assert found.parts[0].fit == pytest.approx(1.0)
    assert found.profit == pytest.approx(-300.0)


def test_the_vix_moves_positions_by_points() -> None:
    """AN-02: each point of the VIX takes 0.5 %"""
    vix = 20 + np.cumsum(np.r_[0.0, NOISE[0] * 5])
    history = a_history({"SPY": -0.005 * np.diff(vix)}, vix)
    now = float(vix[-1])

    to_40 = shocked(parsed("VIX to 40"), history, [worth("SPY", "1000")], [], now)
    by_points = shocked(parsed(f"VIX +{40 - now:.6f} points"), history, [worth("SPY", "1000")], [], now)

    assert to_40.profit == pytest.approx(-5 * (40 - now))
    assert by_points.profit == pytest.approx(to_40.profit, rel=1e-4)


def test_a_share_loses_its_whole_price_at_most() -> None:
    """AN-02"""
    history = a_history({"SPY": NOISE[0], "IBM": 3 * NOISE[0]})

    found = shocked(parsed("SPY -60 %"), history, [worth("IBM", "1000")], [], None)

    assert found.profit == pytest.approx(-1000)


def test_a_total_names_every_position_it_lacks() -> None:
    """AN-02: a symbol without a history moves by its own shock alone"""
    history, positions = a_history({"SPY": NOISE[0]}, missing="XYZ"), [worth("SPY", "1000")]

    own = shocked(parsed("XYZ -20 %"), history, positions, [worth("XYZ", "500")], None)

    assert (own.profit, list(own.without)) == (pytest.approx(-100), ["SPY"])


@table(
    "text, named",
    ("SPX -7 %", "SPX"),
    ("VIX to 40", "VIX"),
    ("SPY -7 %, TWIN +1 %", "TWIN"),
)
def test_a_shock_without_its_history_is_refused(text: str, named: str) -> None:
    """AN-02: SPX has no file, the VIX neither, and TWIN moves as SPY does"""
    history = a_history({"SPY": NOISE[0], "TWIN": NOISE[0], "IBM": NOISE[1]})

    with pytest.raises(OperatorError, match=named):
        shocked(parsed(text), history, [worth("IBM", "1000")], [], None)


def test_the_worst_run_is_the_portfolios_own() -> None:
    """AN-02: the short gains in SPY's worst days, so that other days are worse for both together"""
    days = sessions(DAYS + 1)[1:]
    spy, ibm = np.zeros(DAYS), np.zeros(DAYS)
    falls, rises = days.index(date(2020, 3, 4)), days.index(date(2020, 3, 24))
    spy[falls : falls + 3] = -0.05
    ibm[rises : rises + 2] = 0.1
    history = a_history({"SPY": spy, "IBM": ibm})

    def run(*positions: tuple[str, str]) -> tuple[object, ...]:
        found = worst_path(MARCH, history, [worth(*p) for p in positions])
        return found.first, found.last, None if found.profit is None else round(found.profit, 6)

    assert run(("SPY", "1000")) == (date(2020, 3, 4), date(2020, 3, 6), round(1000 * (0.95**3 - 1), 6))
    assert run(("SPY", "1000"), ("IBM", "-1000")) == (date(2020, 3, 24), date(2020, 3, 25), -210.0)


def test_a_run_has_ten_sessions_at_most() -> None:
    """AN-02: where every day of the month loses"""
    found = worst_path(MARCH, a_history({"SPY": [-0.01] * DAYS}), [worth("SPY", "1000")])

    assert found.profit == pytest.approx(1000 * (0.99**10 - 1))
    assert (len(found.path), found.lowest) == (10, 10)


def test_a_month_before_the_history_is_open() -> None:
    """AN-02"""
    found = worst_path(MARCH, a_history({"SPY": NOISE[0]}, first=date(2020, 3, 16)), [worth("SPY", "1000")])

    assert (found.profit, found.path, list(found.without)) == (None, (), ["SPY"])


def a_fall(returns: dict[date, float]) -> np.ndarray:
    """The returns of a series that moves on these days alone."""
    moves = np.zeros(DAYS)
    for at, day in enumerate(sessions(DAYS + 1)[1:]):
        moves[at] = returns.get(day, 0.0)
    return moves


def test_a_path_goes_on_behind_its_lowest_point() -> None:
    """AN-02: by hand: -100, then +90 of 900, then -99 of 990, at 891 the lowest; then half of it is won back"""
    spy = a_fall({date(2020, 3, 10): -0.1, date(2020, 3, 11): 0.1, date(2020, 3, 12): -0.1, date(2020, 3, 13): 0.5})

    found = worst_path(MARCH, a_history({"SPY": spy}), [worth("SPY", "1000")])

    assert [round(day.profit, 6) for day in found.path[:4]] == [-100, 90, -99, 445.5]
    assert [round(day.total, 6) for day in found.path[:4]] == [-100, -10, -109, 336.5]
    assert (found.first, found.last, found.lowest) == (date(2020, 3, 10), date(2020, 3, 12), 3)
    assert (found.profit, found.path[-1].total) == (pytest.approx(-109), pytest.approx(336.5))
    assert [day.day for day in found.path] == [day for day in sessions(DAYS) if day >= date(2020, 3, 10)][:10]


def test_a_position_without_the_days_moves_by_beta() -> None:
    """AN-02: IBM began after them with twice the moves of SPY: its beta is 2 × 2/3 + 1/3"""
    spy = a_fall({date(2020, 3, 10): -0.1}) + NOISE[0] * (np.arange(DAYS) > 200)
    history = a_history({"SPY": spy})
    later = a_history({"SPY": spy[200:], "IBM": 2 * spy[200:]}, first=sessions(DAYS)[200])
    both = replace(history, closes=history.closes.join(later.closes[["IBM"]]))

    found = worst_path(MARCH, both, [worth("SPY", "1000"), worth("IBM", "1000")])

    own, by_beta = sorted(found.parts, key=lambda part: part.proxy is not None)
    assert (own.symbol, own.proxy, own.move) == ("SPY", None, pytest.approx(-0.1))
    assert by_beta.proxy == Beta(pytest.approx(5 / 3), BetaSource.OWN, 250)
    assert (by_beta.symbol, by_beta.move) == ("IBM", pytest.approx(-1 / 6))
    assert list(found.proxies) == ["IBM"]


def test_days_before_every_file_are_those_of_the_scenario() -> None:
    """AN-02: by the betas alone; a short gains, and nobody loses more than all"""
    crash = RecordedDays(
        "1987", date(1987, 10, 16), date(1987, 10, 20), {date(1987, 10, 16): -0.05, date(1987, 10, 19): -0.2}
    )
    history = replace(a_history({"SPY": NOISE[0]}, missing="IBM"), named={Symbol("SPY"): 1.0, Symbol("IBM"): 5.0})
    history = history.with_proxies([Symbol("IBM")])

    found = worst_path(crash, history, [worth("SPY", "1000"), worth("IBM", "-100")])

    assert {part.symbol: part.move for part in found.parts} == {
        "SPY": pytest.approx(0.95 * 0.8 - 1),
        "IBM": pytest.approx(-1),
    }
    assert found.profit == pytest.approx(-240 + 100)
    assert list(found.proxies) == ["SPY", "IBM"]


def test_a_shock_moves_a_proxy_by_its_beta() -> None:
    """AN-02: through that of the index, where the index is no factor itself; its fit is none of its own"""
    spy = NOISE[0]
    history = replace(a_history({"SPY": spy, "USO": 2 * spy}, missing="IBM"), named={Symbol("IBM"): 1.5})
    history = history.with_proxies([Symbol("IBM")])

    by_spy, by_uso = (
        shocked(parsed(text), history, [worth("IBM", "1000")], [], None) for text in ("SPY -10 %", "USO -10 %")
    )

    assert (by_spy.profit, by_uso.profit) == (pytest.approx(-150), pytest.approx(-75))
    assert (by_spy.parts[0].fit, by_spy.parts[0].days, list(by_spy.proxies)) == (None, 0, ["IBM"])


def test_days_without_a_session_have_no_path() -> None:
    """AN-02: a weekend"""
    days = RecordedDays("weekend", date(2020, 3, 14), date(2020, 3, 15), {})

    found: Scenario = worst_path(days, a_history({"SPY": NOISE[0]}), [worth("SPY", "1000")])

    assert (found.profit, found.path) == (None, ())


def test_windows_lead_over_no_missing_day() -> None:
    """AN-02"""
    returns = a_history({"SPY": NOISE[0]}).returns(["SPY"])  # type: ignore[list-item]
    days = list(returns.index)
    short = returns.drop(index=days[100])

    assert len(windows(returns, days, 10)) == DAYS - 9
    assert len(windows(short, days, 10)) == DAYS - 1 - 9 - 9
    assert windows(returns, days, 10)[0, 0] == pytest.approx(np.prod(1 + NOISE[0][:10]) - 1)
