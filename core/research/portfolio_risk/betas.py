"""The beta by which a position without a history of its own is moved with the index (AN-02).

It is measured on the position's own days, or the operator names it, or it is assumed. A moved position has no noise of
its own, so its figures are a lower bound. Every output marks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import numpy as np
import pandas as pd

from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol

INDEX = Symbol("SPY")
"""The index: the fund of it whose daily file is read."""
LEAST_DAYS = 60
"""Days that a position and the index need in common for a measured beta, a quarter. Our choice."""
OWN_PART = 2 / 3
"""The part of a measured beta; the rest is 1. M. Blume, "Betas and Their Regression Tendencies", Journal of Finance 30
(1975)."""
ASSUMED = 1.0
"""The beta of a position without enough days: that of the whole market."""
MOST_BETA = 5
"""Bound of a measured beta, either way; that of a named one too."""


class BetaSource(Enum):
    OWN = "own returns"
    NAMED = "betas.toml"
    ASSUMED = "assumed"
    INDEX = "the index itself"


@dataclass(frozen=True, slots=True)
class Beta:
    """A position's return for a return of the index; `days` is the number behind a measured one."""

    value: float
    source: BetaSource
    days: int = 0

    @property
    def in_words(self) -> str:
        if self.source is BetaSource.OWN:
            return f"{self.value:.2f} of {self.days:,} days"
        return f"{self.value:.2f} {'of ' if self.source is BetaSource.NAMED else ''}{self.source.value}"


def beta_of(symbol: Symbol, own: pd.Series | None, index: pd.Series, named: Mapping[Symbol, float]) -> Beta:
    """Return the named beta, or else that of all common days shrunk by a third towards 1, or else 1.

    Parameters
    ----------
    own, index
        Returns by day; None where the position has no file.
    """
    if symbol in named:
        return Beta(named[symbol], BetaSource.NAMED)
    if symbol == INDEX:
        return Beta(1.0, BetaSource.INDEX)
    both = pd.DataFrame() if own is None else pd.concat([own, index], axis=1, join="inner").dropna()
    variance = float(both.iloc[:, 1].var()) if len(both) >= LEAST_DAYS else 0.0
    if not variance:
        return Beta(ASSUMED, BetaSource.ASSUMED)
    measured = OWN_PART * float(both.iloc[:, 0].cov(both.iloc[:, 1])) / variance + (1 - OWN_PART)
    return Beta(float(np.clip(measured, -MOST_BETA, MOST_BETA)), BetaSource.OWN, len(both))
