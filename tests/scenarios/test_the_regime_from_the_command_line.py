"""`keyturn regime`: what it says out of files, out of the source, and where neither says anything."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.scenarios.backtests import Keyturn
from tests.unit.core.market.vix.source import Source
from tests.unit.core.risk.regime.seasons import bars, file_of

NEW_YORK = ZoneInfo("America/New_York")
VIX = "date,open,high,low,close\n2020-02-21,17,18,16,17.08\n2020-02-24,22,26,21,25.03\n2020-02-27,37,40,30,39.16\n"


@pytest.fixture(autouse=True)
def nobody_is_asked_for_the_vix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_REGIME__VIX_URL", "")


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


def test_the_changes_come_first_and_then_how_it_stands(keyturn: Keyturn, vix: Path, spy: Path) -> None:
    """RK-19, RK-12"""
    answer = keyturn("regime", "--vix", vix, "--bars", spy)

    assert answer.code == 0
    assert answer.lines == [
        "2020-02-21 vix unknown → normal at 17.08",
        "2020-02-24 vix normal → elevated at 25.03",
        "2020-02-27 vix elevated → high at 39.16",
        "2024-03-04 volatility unknown → usual at 1.00",
        "2024-04-04 volatility usual → wild at 1.56",
        "VIX 39.16 of 2020-02-27, high",
        "SPY of 2024-04-09: trend not known yet, volatility wild, range 1.81 × its average",
        "entries a day and strategy: 0, SPY's range is 1.81 × its average, over 1.5: none today",
    ]


def test_a_day_may_be_named_as_the_last_and_another_as_the_first_of_the_changes(keyturn: Keyturn, vix: Path) -> None:
    """RK-19"""
    answer = keyturn("regime", "--vix", vix, "--since", "2020-02-22", "--until", "2020-02-26")

    assert answer.lines[:2] == ["2020-02-24 vix normal → elevated at 25.03", "VIX 25.03 of 2020-02-24, elevated"]


def test_a_script_reads_the_same_as_json(keyturn: Keyturn, vix: Path, spy: Path) -> None:
    """RK-19, RK-12"""
    found = json.loads(keyturn("regime", "--vix", vix, "--bars", spy, "--since", "2024-04-01", "--json").out)

    assert found["vix"] == {
        "value": "39.16", "level": "high", "measured_on": "2020-02-27", "age_days": None, "failure": None,
    }  # fmt: skip
    assert (found["market"]["symbol"], found["market"]["volatility"], found["market"]["trend"]) == (
        "SPY", "wild", "unknown",
    )  # fmt: skip
    assert found["entries_a_day"]["allowed"] == 0
    assert found["changes"] == [
        {"day": "2024-04-04", "what": "volatility", "from": "usual", "to": "wild", "measure": "1.56"}
    ]


def test_without_a_file_the_source_of_the_settings_is_asked_once_for_many_calls(
    keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RK-19: each call is a process; what one has learnt the next one reads."""
    with Source("DATE,CLOSE\n02/27/2020,39.16\n") as source:
        monkeypatch.setenv("KEYTURN_REGIME__VIX_URL", source.url)

        answers = [keyturn("regime") for _ in range(3)]

        age = (datetime.now(NEW_YORK).date() - date(2020, 2, 27)).days
        assert {answer.lines[0] for answer in answers} == {f"VIX 39.16 of 2020-02-27, high, {age} d ago"}
        assert len(source.asked) == 1


def test_a_source_that_fails_says_so_and_invents_nothing(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """RK-19"""
    with Source(status=503) as source:
        monkeypatch.setenv("KEYTURN_REGIME__VIX_URL", source.url)

        answer = keyturn("regime")

    assert answer.code == 1
    assert answer.lines[0] == "VIX unknown: 127.0.0.1 answered 503"
    assert sum("503" in line for line in answer.lines) == 1, "once"


def test_where_nobody_is_asked_it_says_so(keyturn: Keyturn) -> None:
    """RK-19"""
    assert keyturn("regime").lines[0] == "VIX unknown: regime.vix_url is empty; nobody is asked"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--vix", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--since", "yesterday"], "--since yesterday: is no day such as 2020-02-24"),
        (["--set", "regime.vix_url=\"http://example.org\""], "plain http only on this machine"),
    ],
)  # fmt: skip
def test_what_it_cannot_use_is_one_line_that_says_what_to_do(keyturn: Keyturn, words: list[str], error: str) -> None:
    """RK-19"""
    answer = keyturn("regime", *words)

    assert (answer.code, len(answer.err.splitlines())) == (2, 1)
    assert error in answer.err


def test_the_recorded_spring_of_2020_from_the_command_line(keyturn: Keyturn) -> None:
    """RK-19, RK-12"""
    days = ("--since", "2020-02-24", "--until", "2020-03-31")
    found = json.loads(keyturn("regime", "--vix", file_of("VIX"), "--bars", file_of("SPY"), *days, "--json").out)

    assert (found["vix"]["value"], found["vix"]["level"]) == ("53.54", "high")
    assert (found["market"]["trend"], found["market"]["volatility"]) == ("sideways", "wild")
    assert (found["market"]["atr_ratio"], found["entries_a_day"]["allowed"]) == ("1.96", 0)
    assert [change["to"] for change in found["changes"]] == ["elevated", "wild", "sideways", "high"]
