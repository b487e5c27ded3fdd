"""The slice of the regime: the last measurement, as the whole desk sees it (RK-19).

Only a recorded measurement changes it. An old measurement stays, with its day, until there is a newer one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from core.facts import RegimeMeasured
from core.model.regime import UNKNOWN, Regime
from core.risk.regime.frequency import Allowance, entries_allowed
from core.settings.risk import RiskSettings


@dataclass(slots=True)
class RegimeState:
    regime: Regime = UNKNOWN


class RegimeBook:
    name = "regime"

    def __init__(self, settings: Callable[[], RiskSettings]) -> None:
        self.settings = settings
        self.state = RegimeState()
        self.folds = {RegimeMeasured: self._measured}

    def restore(self, state: RegimeState) -> None:
        self.state = state

    @property
    def regime(self) -> Regime:
        return self.state.regime

    def allowance(self, day: date) -> Allowance:
        """Return the entries that a strategy may have on this trading day (RK-12)."""
        risk = self.settings()
        return entries_allowed(risk.entries_a_day, self.regime.market, day, risk.frequency)

    def _measured(self, _at: datetime, fact: RegimeMeasured) -> None:
        self.state.regime = fact.regime
