"""`keyturn regime`: what it says out of files, out of the source, and where neither says anything."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.scenarios.backtests import Keyturn
from tests.unit.core.market.vix.source import Source
from tests.unit.core.risk.regime.seasons import bars

VIX = "date,open,high,low,close\n2020-02-21,17,18,16,17.08\n2020-02-24,22,26,21,25.03\n2020-02-27,37,40,30,39.16\n"


@pytest.fixture(autouse=True)
def nobody_is_asked_for_the_vix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_REGIME__VIX_URL", "")
    monkeypatch.setenv("KEYTURN_REGIME__VIX_NOW_URL", "")


@pytest.fixture
def vix(tmp_path: Path) -> Path:
    path = tmp_path / "VIX_daily.csv"
    path.write_text(VIX)
    return path


@pytest.fixture
def spy(tmp_path: Path) -> Path:
    """Ninety quiet days, then ten that are three times as wide."""
    path = tmp_path / "SPY_daily.csv"
    days = [*bars([100] * 90), *bars([100] * 10, span=6)]
    first = bars([100] * 100)
    rows = [f"{at.day},{bar.high},{bar.low},{bar.close}" for at, bar in zip(first, days, strict=True)]
    path.write_text("\n".join(["date,high,low,close", *rows]) + "\n")
    return path


def test_changes_come_first_and_then_the_current_regime(
    keyturn: Keyturn, vix: Path, spy: Path, snapshot: SnapshotAssertion
) -> None:
    """RK-19, RK-12"""
    answer = keyturn("regime", "--vix", vix, "--bars", spy)

    assert answer.code == 0
    assert answer.out == snapshot


def test_since_and_until_bound_the_changes(keyturn: Keyturn, vix: Path, snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    answer = keyturn("regime", "--vix", vix, "--since", "2020-02-22", "--until", "2020-02-26")

    assert answer.out == snapshot


def test_json_has_the_same_figures(keyturn: Keyturn, vix: Path, spy: Path) -> None:
    """RK-19, RK-12"""
    found = json.loads(keyturn("regime", "--vix", vix, "--bars", spy, "--since", "2024-04-01", "--json").out)

    assert found["vix"] == {
        "value": "39.16", "level": "high", "measured_on": "2020-02-27", "measured_at": None,
        "age_days": None, "age_minutes": None, "failure": None,
    }  # fmt: skip
    assert (found["market"]["symbol"], found["market"]["volatility"], found["market"]["trend"]) == (
        "SPY", "wild", "unknown",
    )  # fmt: skip
    market = {name: Decimal(found["market"][name]) for name in ("atr", "atr_average", "atr_ratio")}
    assert round(market["atr"] / market["atr_average"], 2) == market["atr_ratio"] == Decimal("1.81")
    assert found["entries_a_day"]["allowed"] == 0
    assert found["changes"] == [
        {"day": "2024-04-04", "what": "volatility", "from": "usual", "to": "wild", "measure": "1.56"}
    ]


def test_the_source_is_asked_once_for_many_calls(
    keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """RK-19: each call is a process; what one has learnt the next one reads."""
    with Source("DATE,CLOSE\n02/27/2020,39.16\n") as source:
        monkeypatch.setenv("KEYTURN_REGIME__VIX_URL", source.url)

        answers = [keyturn("regime") for _ in range(3)]

        assert {re.sub(r"\d+ d ago", "N d ago", answer.out) for answer in answers} == snapshot
        assert len(source.asked) == 1


def test_a_failing_source_is_reported(
    keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """RK-19"""
    with Source(status=503) as source:
        monkeypatch.setenv("KEYTURN_REGIME__VIX_URL", source.url)

        answer = keyturn("regime")

    assert answer.code == 1
    assert answer.lines[0] == snapshot
    assert sum("503" in line for line in answer.lines) == 1, "once"


def test_an_empty_source_is_reported(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    assert keyturn("regime").out == snapshot


def test_a_wrong_option_is_one_line(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    wrong = (("--vix", "nowhere.csv"), ("--since", "yesterday"), ("--set", 'regime.vix_url="http://example.org"'))

    answers = [keyturn("regime", *words) for words in wrong]

    assert [(answer.code, len(answer.err.splitlines())) for answer in answers] == [(2, 1)] * 3
    assert [answer.err for answer in answers] == snapshot
