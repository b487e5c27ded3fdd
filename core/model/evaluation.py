"""The nightly evaluation of a strategy: its figures, and the possible results (ST-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from core.model.values import Fraction


class SuspensionCause(Enum):
    """Why the desk itself blocks a strategy's entries."""

    RETIRED = "retired"
    REGIME = "regime"
    WEEK = "weekly loss"
    VIX = "VIX"


@dataclass(frozen=True, slots=True)
class NoFigure:
    """A figure that cannot be computed, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class EvaluationFigures:
    """Figures of a strategy's recent closed trades (see `core.risk.evaluation.figures` for the formulas).

    Attributes
    ----------
    since
        The first day that counts.
    win_rate
        A fraction.
    sharpe
        Annualized; in records of version 3 on, none of fewer than 63 sessions (AN-01).
    losses_in_a_row
        Up to its last trade, however long ago they began.
    failed
        Further trades whose first exit failed: no trading result (EX-18).
    daily_sharpe
        The same of a session, not annualized: what is judged. None in records of earlier versions.
    """

    since: date
    trades: int
    wins: int
    losses_in_a_row: int
    win_rate: Fraction | NoFigure
    sharpe: Decimal | NoFigure
    profit_factor: Decimal | NoFigure
    failed: int = 0
    daily_sharpe: Decimal | NoFigure | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One strategy's nightly evaluation: its figures, and the verdict as text."""

    strategy: str
    figures: EvaluationFigures
    verdict: str
