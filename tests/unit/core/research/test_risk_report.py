"""The report as a whole: totals, what they lack, and the width of its lines (AN-02)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from core.files.csv_files import TableError
from core.ports import OperatorError
from core.research.portfolio_risk.portfolio import netted, read_positions
from core.research.portfolio_risk.report import MONTE_CARLO, OF_THE_REGIME, RiskReport, assess
from core.research.portfolio_risk.report_text import as_json, lines_of
from core.research.portfolio_risk.scenario_file import RecordedDays, Stress
from core.research.portfolio_risk.shock_text import parsed
from tests.kit.rows import table
from tests.unit.core.research.book import a_history, held

NOISE = np.random.default_rng(4).standard_t(4, (3, 600)) / 100
SCENARIOS = [
    RecordedDays("March 2020", date(2020, 3, 1), date(2020, 3, 31), {}),
    RecordedDays("August 2015", date(2015, 8, 1), date(2015, 8, 31), {date(2015, 8, 24): -0.04}),
    RecordedDays("October 2008", date(2008, 10, 1), date(2008, 10, 31), {}),
    Stress("crisis", 0.9, 1.0, 3.0),
]
VIX = np.r_[np.full(560, 18.0), np.full(41, 35.0)]


def a_report(*positions: tuple[str, str, str | None], seed: int = 1) -> RiskReport:
    history = a_history({"SPY": NOISE[0], "IBM": NOISE[0] + NOISE[1], "EEM": NOISE[2]}, VIX, missing="XYZ")
    return assess([held(*each) for each in positions], history, [parsed("SPY -7 %")], SCENARIOS, seed=seed)


def test_every_total_is_the_sum_of_its_positions() -> None:
    """AN-02: the largest loss first, in scenarios and in their positions"""
    found = a_report(("SPY", "10", "400"), ("IBM", "-5", "100"), ("XYZ", "7", "12.5"))

    assert (found.gross, found.net) == (4587.5, 3587.5)
    losses = [each.profit for each in found.scenarios if each.profit is not None]
    assert losses == sorted(losses)
    for each in found.scenarios:
        assert ("XYZ" in each.proxies) == (each.profit is not None)
        if each.profit is not None:
            assert each.profit == pytest.approx(sum(part.profit for part in each.parts))
            assert [part.profit for part in each.parts] == sorted(part.profit for part in each.parts)


def test_a_short_is_the_mirror_of_a_long() -> None:
    """AN-02: the normal figures but for the mean, and every shock"""
    long, short = a_report(("SPY", "10", "400")), a_report(("SPY", "-10", "400"))
    mean = float(NOISE[0][-500:].mean()) * 4000

    first, second = (next(e.var for e in each.estimates if e.method == "normal") for each in (long, short))
    assert first + mean == pytest.approx(second - mean)
    shocks = [next(s.profit for s in each.scenarios if s.name.startswith("shock")) for each in (long, short)]
    assert shocks == pytest.approx([-280, 280])


def test_the_regime_draws_from_its_own_days() -> None:
    """AN-02: 40 days began with the VIX over 30, fewer than the 60 of a warning; a seed repeats"""
    found, again, other = (a_report(("SPY", "10", "400"), seed=seed) for seed in (1, 1, 2))

    assert found.regime is not None
    assert (found.regime.level.value, found.regime.days, found.regime.is_few) == ("high", 40, True)
    samples = {each.method: each.samples for each in found.estimates}
    assert (samples[MONTE_CARLO], samples[OF_THE_REGIME]) == (600, 40)
    assert found.estimates == again.estimates
    assert found.estimates != other.estimates


def test_an_old_vix_is_no_regime() -> None:
    """AN-02: no figure is drawn by a regime of ten days ago"""
    history = a_history({"SPY": NOISE[0]}, VIX[:-10])

    found = assess([held("SPY", "10")], history, [], seed=1)

    assert found.regime is None
    assert OF_THE_REGIME not in {each.method for each in found.estimates}
    with pytest.raises(OperatorError, match="VIX"):
        assess([held("SPY", "10")], history, [parsed("VIX to 40")], seed=1)


def test_lines_fit_80_columns_and_json_has_all() -> None:
    """AN-02, SY-08"""
    found = a_report(("SPY", "10", "400"), ("IBM", "-123456.789", "98765.4321"), ("EEM", "3", "50"), ("XYZ", "7", "12"))

    lines, told = list(lines_of(found)), as_json(found)

    assert max(map(len, lines)) <= 80
    marked = [row["symbol"] for row in told["positions"] if row["proxy_beta"] is not None]  # type: ignore[attr-defined]
    assert marked == ["XYZ"]
    assert len(told["estimates"]) == 16  # type: ignore[arg-type]
    assert len(told["backtests"]) == 6  # type: ignore[arg-type]


def test_nothing_with_a_history_is_an_error() -> None:
    """AN-02: a total of nothing would read as no risk"""
    with pytest.raises(OperatorError, match="XYZ"):
        assess([held("XYZ", "7", "12.5")], a_history({"EEM": NOISE[2]}, missing="XYZ"), [], seed=1)


def test_a_shock_of_a_file_that_cannot_be_applied_is_named() -> None:
    """AN-02: a typed one is refused; the others are computed"""
    history = a_history({"SPY": NOISE[0]})

    found = assess([held("SPY", "10")], history, [], [parsed("VIX to 40", "x.toml: shock", "panic")], seed=1)

    assert [(each.name, each.profit, "x.toml" in each.reason) for each in found.scenarios] == [("panic", None, True)]


def test_positions_of_strategies_are_added() -> None:
    """AN-02"""
    found = netted([held("SPY", "10", "400"), held("SPY", "-4"), held("IBM", "3"), held("IBM", "-3")])

    assert [(each.symbol, each.quantity, each.price) for each in found] == [("SPY", Decimal(6), Decimal(400))]


@table(
    "text, place",
    ("symbol,qty\nSPY,1\n", ":1: "),
    ("symbol,quantity\nSPY,0\n", ":2: "),
    ("symbol,quantity\nSPY,1\nspy,2\n", ":3: "),
    ("symbol,quantity\nSPY,nan\n", ":2: "),
    ("symbol,quantity,price\nSPY,1,0\n", ":2: "),
    ("symbol,quantity\nSPY\n", ":2: "),
    ("symbol,quantity\nS PY,1\n", ":2: "),
    ("symbol,quantity\nVIX,1\n", ":2: "),
)
def test_a_bad_position_is_refused_with_its_row(
    tmp_path_factory: pytest.TempPathFactory, text: str, place: str
) -> None:
    """AN-02"""
    path = tmp_path_factory.mktemp("book") / "book.csv"
    path.write_text(text)

    with pytest.raises(TableError, match=place):
        read_positions(path)


def test_a_file_of_positions_is_read(tmp_path: Path) -> None:
    """AN-02"""
    path = tmp_path / "book.csv"
    path.write_text("symbol,quantity,price\nspy,10,\nIBM,-2.5,98.7\n")

    assert read_positions(path) == (held("SPY", "10"), held("IBM", "-2.5", "98.7"))
    path.write_text("symbol,quantity\n")
    assert read_positions(path) == ()
