"""What a strategy is judged by at night, and what the judgement may be (ST-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from core.model.values import Fraction


class SuspensionCause(Enum):
    """Why the desk itself keeps a strategy from opening anything."""

    RETIRED = "retired"
    REGIME = "regime"
    WEEK = "weekly loss"
    VIX = "VIX"


@dataclass(frozen=True, slots=True)
class NoFigure:
    """A figure that cannot be worked out, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class EvaluationFigures:
    """A strategy's closed trades of the last while (see `core.risk.evaluation.figures` for the formulas).

    Attributes
    ----------
    since
        The first day that counts.
    win_rate
        A fraction.
    losses_in_a_row
        Up to its last trade, however long ago they began.
    failed
        Trades beside them whose first exit failed: no trading result (EX-18).
    """

    since: date
    trades: int
    wins: int
    losses_in_a_row: int
    win_rate: Fraction | NoFigure
    sharpe: Decimal | NoFigure
    profit_factor: Decimal | NoFigure
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One strategy's night: its figures, and what came of them in words."""

    strategy: str
    figures: EvaluationFigures
    verdict: str
