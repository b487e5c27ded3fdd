"""Settings of the exit rules (ST-09). Ratios are of the average entry price; zero turns a rule off."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.model.session import HOME
from core.settings.types import Ratio, SettingsTable

OF_NO_STRATEGY = frozenset({"manual", "broker"})
"""Owners of positions from manual orders, or taken over from the broker's books."""
Days = Annotated[int, Field(ge=0, le=3660)]


class ExitSettings(SettingsTable):
    """Exits for positions of strategies, beside the strategy's own (ST-09).

    A stop or a target that came with the entry stays as confirmed; `stop` and `profit_target` are for entries without
    one.
    """

    enabled: bool = True
    not_for: tuple[str, ...] = Field(("vwap",), description="strategies whose own rules rule alone")
    profit_target: Ratio = Field(Decimal("0.02"), description="gain at which the profit is taken; 0: none")
    stop: Ratio = Field(Decimal("0.01"), description="loss at which shares are sold that no stop covers; 0: none")
    trail: Ratio = Field(Decimal(0), description="behind the best price since the entry; 0: no trailing stop")
    trail_from: Ratio = Field(Decimal(0), description="gain that the best price must show before it trails")
    stale_days: Days = Field(5, description="days of the calendar; held longer, it must show stale_gain; 0: never")
    stale_gain: Ratio = Field(Decimal("0.02"), description="gain that keeps a position which is held for long")
    max_days: Days = Field(0, description="days of the calendar that anything is held at most; 0: no limit")
    flat_minutes: Annotated[int, Field(ge=0, le=HOME.session_minutes)] = Field(
        5, description="minutes before the close to be flat, where the strategy holds nothing over night"
    )
    by_hand: bool = Field(False, description="guard what was typed, or taken over from the broker, too")
    overnight: tuple[str, ...] = Field(
        (), description="strategies that hold over night, beside those whose table says so"
    )

    def of(self, strategy: str, *, is_stop_ours: bool) -> ExitSettings | None:
        """Return the terms for a strategy's positions; None if only its own rules apply.

        A stop that a manual ticket left to this desk is watched, even if everything else is off.
        """
        if self.guards(strategy):
            return self
        return ONLY_THE_STOP if is_stop_ours and strategy in OF_NO_STRATEGY else None

    def guards(self, strategy: str) -> bool:
        """Return whether the rules apply to this strategy's positions."""
        is_nobodys = strategy in OF_NO_STRATEGY and not self.by_hand
        return self.enabled and not is_nobodys and strategy not in self.not_for


ONLY_THE_STOP = ExitSettings(profit_target=Decimal(0), stop=Decimal(0), stale_days=0)
"""Only the stop that came with the entry."""
