"""Settings of the sizing terms (RK-10, RK-11, RK-16, RK-21).

If no requirement names a figure, the docstring of its table gives the source.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from core.settings.types import GrowingSettingsTable, Positive, Ratio, SettingsTable, Trades


class AtrSettings(SettingsTable):
    """Two average ranges are a usual distance of a stop; 14 bars is Wilder's own figure."""

    enabled: bool = True
    multiple: Positive = Field(Decimal(2), description="average ranges; a nearer stop is sized as if it stood there")
    bars: Annotated[int, Field(ge=2, le=1000)] = Field(14, description="one-minute bars that it is averaged over")


class VixSettings(SettingsTable):
    """The ratio of the middle of the normal range, 17.5, to the middle of the elevated range, 25, and to 35."""

    enabled: bool = True
    elevated: Ratio = Field(Decimal("0.7"), description="factor where VIX is elevated")
    high: Ratio = Field(Decimal("0.5"), description="factor where VIX is high")

    @model_validator(mode="after")
    def fear_makes_nothing_larger(self) -> Self:
        if self.high > self.elevated:
            raise ValueError(
                "risk.sizing.vix.high exceeds risk.sizing.vix.elevated; a size must not rise with the VIX; change one"
            )
        return self


class TrendSettings(SettingsTable):
    """Half the risk against SPY's trend or in a volatile market: as much as a high VIX leaves."""

    enabled: bool = False
    against: Ratio = Field(Decimal("0.5"), description="factor of an entry against the trend")
    volatile: Ratio = Field(Decimal("0.5"), description="factor where SPY's range is wild")


class CorrelationSettings(SettingsTable):
    """Two positions that move together have one risk: half of it each. Twenty days are a month of trading."""

    enabled: bool = True
    limit: Ratio = Field(Decimal("0.7"), description="a higher correlation with a position cuts (RK-16)")
    factor: Ratio = Field(Decimal("0.5"), description="factor where it does")
    days: Annotated[int, Field(ge=3, le=60)] = Field(20, description="daily returns in common; fewer are not judged")


class ThrottleSettings(SettingsTable):
    """After a part of a loss limit the risk of a trade is less (RK-11)."""

    daily_part: Ratio = Field(Decimal("0.5"), description="of the daily limit, lost")
    daily_factor: Ratio = Field(Decimal("0.5"), description="factor from there on")
    weekly_part: Ratio = Field(Decimal("0.6"), description="of the weekly limit, lost")
    weekly_factor: Ratio = Field(Decimal("0.25"), description="factor from there on")


class KellySettings(SettingsTable):
    """Thirty trades are the fewest with a useful mean; the last hundred describe the current strategy."""

    enabled: bool = False
    fraction: Ratio = Field(Decimal("0.5"), description="of what Kelly's formula allows: half-Kelly")
    trade_limit: Trades = Field(30, description="closed trades of the strategy; fewer are not judged")


class SizingSettings(GrowingSettingsTable):
    """The terms that scale the risk of a trade, and the bound of all of them together."""

    LATER: ClassVar[frozenset[str]] = frozenset({"trend"})

    atr: AtrSettings = AtrSettings()
    vix: VixSettings = VixSettings()
    trend: TrendSettings = TrendSettings()
    correlation: CorrelationSettings = CorrelationSettings()
    throttle: ThrottleSettings = ThrottleSettings()
    kelly: KellySettings = KellySettings()
    budget: Ratio = Field(Decimal("0.15"), description="of equity, lost if every stop fills (RK-21)")
    raise_to_minimum: bool = Field(
        False, description="a size under the smallest order becomes it where every limit allows (RK-18)"
    )
