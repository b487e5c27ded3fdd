"""Shocks as they are typed (AN-02)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.model.values import Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.shock_text import FactorMove, Kind, parsed
from tests.kit.rows import table


def move(symbol: str, kind: Kind, amount: str) -> FactorMove:
    return FactorMove(Symbol(symbol), kind, Decimal(amount))


@table(
    "text, moves",
    ("VIX to 40", [move("VIX", Kind.TO, "40")]),
    ("vix TO 40.5", [move("VIX", Kind.TO, "40.5")]),
    ("SPY -7 %", [move("SPY", Kind.BY_FRACTION, "-0.07")]),
    ("SPY −7%", [move("SPY", Kind.BY_FRACTION, "-0.07")]),
    ("oil +20 %", [move("USO", Kind.BY_FRACTION, "0.2")]),
    ("VIX + 15 points", [move("VIX", Kind.BY_POINTS, "15")]),
    (" SPY  to 300 ,BRK.B +1 %", [move("SPY", Kind.TO, "300"), move("BRK.B", Kind.BY_FRACTION, "0.01")]),
)
def test_shocks_are_read(text: str, moves: list[FactorMove]) -> None:
    """AN-02"""
    assert list(parsed(text).moves) == moves


@table(
    "text, named",
    ("", "''"),
    ("market crash", "'market crash'"),
    ("SPY 7 %", "'SPY 7 %'"),
    ("SPY -7", "'SPY -7'"),
    ("SPY -7,5 %", "'SPY -7'"),
    ("SPY -7 %,", "comma"),
    ("VIX to x", "'VIX to x'"),
    ("SPY +1.2.3 %", "'SPY +1.2.3 %'"),
    ("5PY -1 %", "'5PY'"),
    ("oil +1 %, USO -1 %", "USO is there twice"),
    ("VIX to 0", "200"),
    ("VIX to 201", "200"),
    ("SPY to -1", "above 0"),
    ("SPY -100 %", "-100 %"),
    ("SPY +1001 %", "1000 %"),
    ("SPY +5 points", "points"),
    ("SPY -1 %, " * 40, "SPY"),
)
def test_other_texts_are_refused(text: str, named: str) -> None:
    """AN-02: each error quotes what is wrong"""
    with pytest.raises(OperatorError) as refused:
        parsed(text)

    assert named in str(refused.value)
    assert "\n" not in str(refused.value)
