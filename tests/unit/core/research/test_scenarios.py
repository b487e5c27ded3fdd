"""Recorded months and typed shocks, by position (AN-02)."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from core.ports import OperatorError
from core.research.portfolio_risk.scenarios import shocked, windows, worst_run
from core.research.portfolio_risk.shock_text import parsed
from tests.kit.rows import table
from tests.unit.core.research.book import a_history, sessions, worth

DAYS = 450
NOISE = np.random.default_rng(11).normal(0, 0.01, (3, DAYS))


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
    other = worst_run("March 2020", date(2020, 3, 1), date(2020, 3, 31), a_history({"SPY": NOISE[0][:300]}), positions)

    assert (own.profit, list(own.without)) == (pytest.approx(-100), ["SPY"])
    assert other.profit is not None
    assert other.first is not None
    assert other.first.month == 3


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
        found = worst_run("March 2020", date(2020, 3, 1), date(2020, 3, 31), history, [worth(*p) for p in positions])
        return found.first, found.last, None if found.profit is None else round(found.profit, 6)

    assert run(("SPY", "1000")) == (date(2020, 3, 4), date(2020, 3, 6), round(1000 * (0.95**3 - 1), 6))
    assert run(("SPY", "1000"), ("IBM", "-1000")) == (date(2020, 3, 24), date(2020, 3, 25), -210.0)


def test_a_run_has_ten_sessions_at_most() -> None:
    """AN-02: where every day of the month loses"""
    found = worst_run(
        "March 2020", date(2020, 3, 1), date(2020, 3, 31), a_history({"SPY": [-0.01] * DAYS}), [worth("SPY", "1000")]
    )

    assert found.profit == pytest.approx(1000 * (0.99**10 - 1))


def test_a_month_before_the_history_is_open() -> None:
    """AN-02"""
    found = worst_run("March 2020", date(2020, 3, 1), date(2020, 3, 31), a_history({"SPY": NOISE[0]}, first=date(2020, 3, 16)), [worth("SPY", "1000")])  # fmt: skip  # noqa: E501

    assert (found.profit, list(found.without)) == (None, ["SPY"])


def test_windows_lead_over_no_missing_day() -> None:
    """AN-02"""
    returns = a_history({"SPY": NOISE[0]}).returns(["SPY"])  # type: ignore[list-item]
    days = list(returns.index)
    short = returns.drop(index=days[100])

    assert len(windows(returns, days, 10)) == DAYS - 9
    assert len(windows(short, days, 10)) == DAYS - 1 - 9 - 9
    assert windows(returns, days, 10)[0, 0] == pytest.approx(np.prod(1 + NOISE[0][:10]) - 1)
