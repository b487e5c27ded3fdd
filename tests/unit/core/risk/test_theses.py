"""Theses: what can be written, and what their trades say of them (AN-07)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.model.values import Money
from core.ports import OperatorError
from core.risk.theses import (
    EndedTrade,
    Measure,
    Status,
    Thesis,
    as_json,
    criterion_of,
    judged,
    lines_of,
    theses_of,
)
from tests.kit.rows import table

FIRST = date(2026, 1, 5)


def trades(*profits: str) -> list[EndedTrade]:
    """One a day."""
    return [EndedTrade(FIRST + timedelta(days=at), Money(Decimal(profit))) for at, profit in enumerate(profits)]


def a_thesis(*criteria: str, since: date | None = None) -> Thesis:
    return Thesis("trends", "Trends go on", "sma", tuple(criterion_of(each, "x") for each in criteria), since)


@table(
    "criterion, profits, value, is_met",
    ("win rate < 50 % over 4 trades", ("1", "0", "-1", "2"), "50", False),
    ("win rate < 50 % over 4 trades", ("1", "0", "-1", "0"), "25", True),
    ("profit factor < 1 over 3 trades", ("2", "-1", "-1"), "1", False),
    ("profit factor < 1 over 3 trades", ("1.99", "-1", "-1"), "0.995", True),
    ("profit < -5 USD over 2 trades", ("-3", "-2.01"), "-5.01", True),
    ("expectancy < 0.5 USD over 2 trades", ("0.5", "0.5"), "0.5", False),
    ("drawdown > 3 USD over 4 trades", ("1", "-2", "1", "-3"), "4", True),
    ("drawdown > 3 USD over 2 trades", ("-1", "-2"), "3", False),
)
def test_each_figure_is_as_defined(criterion: str, profits: tuple[str, ...], value: str, is_met: bool) -> None:
    """AN-07: a trade of zero is no win; a limit that is only reached is not met"""
    (evidence,) = judged(a_thesis(criterion), trades(*profits)).evidence

    assert evidence.value == Decimal(value)
    assert evidence.is_met is is_met


def test_without_a_loss_there_is_no_profit_factor() -> None:
    """AN-07: and it refutes nothing"""
    (evidence,) = judged(a_thesis("profit factor > 1 over 2 trades"), trades("1", "1")).evidence

    assert (evidence.value, evidence.is_met) == (None, False)


@table(
    "profits, status",
    ((), Status.PENDING),
    (("-1",) * 2, Status.PENDING),
    (("1",) * 3, Status.ACTIVE),
    (("-1",) * 3, Status.INVALIDATED),
    (("-1", "-1", "-1", "1", "1", "1"), Status.INVALIDATED),
)
def test_a_thesis_needs_its_trades_and_stays_refuted(profits: tuple[str, ...], status: Status) -> None:
    """AN-07: also when later trades are better"""
    assert judged(a_thesis("win rate < 50 % over 3 trades"), trades(*profits)).status is status


def test_the_evidence_is_of_the_first_trades_that_refuted_it() -> None:
    """AN-07"""
    verdict = judged(a_thesis("profit < 0 USD over 2 trades"), trades("1", "1", "-2", "1", "-3"))

    (evidence,) = verdict.evidence
    assert (evidence.value, evidence.first, evidence.last) == (-1, FIRST + timedelta(1), FIRST + timedelta(2))


def test_since_begins_anew() -> None:
    """AN-07: trades that ended before do not count"""
    found = judged(
        a_thesis("win rate < 50 % over 2 trades", since=FIRST + timedelta(2)), trades("-1", "-1", "1", "1", "1")
    )

    assert found.status is Status.ACTIVE


def test_one_refuted_criterion_is_enough() -> None:
    """AN-07: and it counts more than one that has too few trades"""
    found = judged(a_thesis("profit < 0 USD over 2 trades", "win rate < 50 % over 99 trades"), trades("-1", "-1"))

    assert found.status is Status.INVALIDATED
    assert [each.is_pending for each in found.evidence] == [False, True]


@table(
    "text",
    "win rate < 45 over 100 trades",
    "profit factor < 1 USD over 100 trades",
    "profit < 0 over 100 trades",
    "win rate = 45 % over 100 trades",
    "luck < 45 % over 100 trades",
    "win rate < 45 % over 0 trades",
    "win rate < 45 % over 1001 trades",
    "win rate < 45 % over ١٠ trades",
    "",
    12,
)
def test_a_criterion_that_cannot_be_read_is_refused(text: object) -> None:
    """AN-07: never guessed"""
    with pytest.raises(OperatorError):
        criterion_of(text, "theses.toml: trends.invalid_if")


@table(
    "entry, place",
    ({"strategy": "sma", "invalid_if": ["profit < 0 USD over 9 trades"]}, "trends.says"),
    ({"says": "x", "invalid_if": ["profit < 0 USD over 9 trades"]}, "trends.strategy"),
    ({"says": "x", "strategy": "sma"}, "trends.invalid_if"),
    ({"says": "x", "strategy": "sma", "invalid_if": []}, "trends.invalid_if"),
    ({"says": "x", "strategy": "sma", "invalid_if": ["y"]}, "trends.invalid_if"),
    ({"says": "x\x1b[2J", "strategy": "sma", "invalid_if": ["profit < 0 USD over 9 trades"]}, "trends.says"),
    ({"says": "x", "strategy": "sma", "invalid_if": ["profit < 0 USD over 9 trades"], "since": "2026"}, "trends.since"),
    ({"says": "x", "strategy": "sma", "invalid_if": ["profit < 0 USD over 9 trades"], "if": 1}, "trends.if"),
)
def test_a_bad_entry_is_named_with_its_place(entry: dict[str, object], place: str) -> None:
    """AN-07, MD-08"""
    with pytest.raises(OperatorError, match=f"theses.toml: {place}"):
        theses_of({"trends": entry}, "theses.toml", ["sma"])


def test_every_measure_can_be_written_and_shown() -> None:
    """AN-07: a criterion in its own words is read back as the same one"""
    units = {Measure.WIN_RATE: " %", Measure.PROFIT_FACTOR: ""}
    for measure in Measure:
        criterion = criterion_of(f"{measure} > 1.5{units.get(measure, ' USD')} over 2 trades", "x")
        assert criterion_of(criterion.in_words, "x") == criterion


def test_lines_and_json_have_every_thesis() -> None:
    """AN-07, SY-08: and the enabled strategies without one"""
    verdicts = [judged(a_thesis("profit < 0 USD over 2 trades"), trades("-1", "-1")), judged(a_thesis(), [])]

    lines, told = list(lines_of(verdicts, ["vwap"])), as_json(verdicts, ["vwap"])

    assert len([line for line in lines if line.startswith(("INVALIDATED", "ACTIVE"))]) == 2
    assert [row["status"] for row in told["theses"]] == ["INVALIDATED", "ACTIVE"]  # type: ignore[attr-defined]
    assert told["without_thesis"] == ["vwap"]
    assert any("vwap" in line for line in lines)
