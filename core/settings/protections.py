"""Settings of every protection. Where freqtrade has one of the same name, its figures have the same meaning here.

`FREQTRADE` are its defaults (its documentation, "Protections"), as a separate profile.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.settings.types import (
    GrowingSettingsTable,
    LessIsLooser,
    Minutes,
    MoreIsLooser,
    Positive,
    Ratio,
    SettingsTable,
    Trades,
)

A_DAY, A_WEEK = 1440, 7 * 1440
Returns = Annotated[int, Field(ge=2, le=1440)]
"""A number of one-minute returns."""


class ProtectionSettings(SettingsTable):
    enabled: LessIsLooser[bool] = True


class StopLossGuardSettings(ProtectionSettings):
    """Recent stop-outs (RK-05)."""

    per: Literal["symbol", "global", "both"] = Field("symbol", description="what a row of stop-outs shuts")
    per_side: bool = Field(False, description="long and short are counted, and shut, apart")
    consecutive: bool = Field(True, description="a trade that ended otherwise restarts the count")
    trade_limit: MoreIsLooser[Trades] = Field(3, description="stop-outs that trip it")
    required_profit: LessIsLooser[Decimal] = Field(
        Decimal(0), description="a stopped trade that made this ratio does not count"
    )
    lookback_minutes: Minutes = Field(A_WEEK, description="older trades count no more")
    stop_minutes: LessIsLooser[Minutes] = Field(30, description="shut after the last one that counted")


class CooldownSettings(ProtectionSettings):
    """A pause after a trade in its symbol (RK-06)."""

    loss: MoreIsLooser[Ratio] = Field(
        Decimal("0.005"), description="a loss of this ratio, or more, pauses; 0: every trade does"
    )
    stop_minutes: LessIsLooser[Minutes] = Field(15, description="shut after the trade")


class LowProfitSettings(ProtectionSettings):
    """A symbol with too little profit (RK-08)."""

    trade_limit: MoreIsLooser[Trades] = Field(3, description="fewer trades are not judged")
    required_profit: LessIsLooser[Decimal] = Field(
        Decimal("-0.01"), description="a lower sum of their profit ratios trips it"
    )
    per_side: bool = Field(False, description="long and short are judged, and shut, apart")
    lookback_minutes: Minutes = Field(A_DAY, description="older trades count no more")
    stop_minutes: LessIsLooser[Minutes] = Field(60, description="shut after the last one that counted")


class LossStreakSettings(ProtectionSettings):
    """Losses of a strategy in a row."""

    trade_limit: MoreIsLooser[Trades] = Field(5, description="losses in a row that trip it")
    stop_minutes: LessIsLooser[Minutes] = Field(120, description="shut after the last of them")


class MaxDrawdownSettings(ProtectionSettings):
    """A fall of the balance within the window (RK-04)."""

    method: Literal["current", "within"] = Field(
        "current",
        description="of the balance, from peak to now; or freqtrade's: the largest fall within, in ratios",
    )
    limit: MoreIsLooser[Ratio] = Field(Decimal("0.15"), description="a larger fall trips it")
    trade_limit: MoreIsLooser[Trades] = Field(1, description="fewer trades are not judged")
    lookback_minutes: Minutes = Field(A_WEEK, description="older trades count no more")
    stop_minutes: LessIsLooser[Minutes] = Field(A_DAY, description="shut after the last one that counted")


class VolatilityHaltSettings(ProtectionSettings):
    """Too volatile minutes (RK-08)."""

    limit: MoreIsLooser[Ratio] = Field(
        Decimal("0.006"), description="a larger standard deviation of one-minute returns halts"
    )
    times_median: MoreIsLooser[Annotated[Decimal, Field(gt=0, le=1000)]] = Field(
        Decimal(4), description="so many times the symbol's own median halts too"
    )
    returns: Returns = Field(30, description="the last ones, of which it is measured")
    at_least: Returns = Field(20, description="fewer are not judged, nor is a session of fewer part of the median")
    days: Annotated[int, Field(ge=1, le=250)] = Field(20, description="sessions of the median; fewer make none")
    market: str = Field("SPY", description="the symbol whose halt is everything's")
    stop_minutes: LessIsLooser[Minutes] = Field(30, description="halted from the end of the minute that tripped it")

    @model_validator(mode="after")
    def there_can_be_enough(self) -> Self:
        if self.at_least > self.returns:
            raise ValueError("at_least is more than returns, so that nothing would ever be judged; lower it")
        return self


class EquityCurveSettings(ProtectionSettings):
    """A strategy whose last trades lost on average (RK-13)."""

    trades: Trades = Field(20, description="the last ones, whose mean must be above zero; fewer are not judged")
    disabled_after: MoreIsLooser[Trades] = Field(
        20, description="results below in a row, after which the strategy is disabled"
    )


class RepeatedExecutionSettings(ProtectionSettings):
    """Too fast repetitions, until the operator lets them continue (RK-24)."""

    fills: MoreIsLooser[Trades] = Field(5, description="filled entries of a strategy in a symbol that trip it")
    renewals: MoreIsLooser[Trades] = Field(5, description="renewals of its stop that trip it")
    minutes: LessIsLooser[Minutes] = Field(10, description="older ones count no more")


class DayTradesSettings(ProtectionSettings):
    """The pattern-day-trader rule, for brokers that still count (RK-15); its figures are those of FINRA's old rule."""

    enabled: LessIsLooser[bool] = Field(
        False, description="only for a broker that still counts day trades; Alpaca does not"
    )
    trade_limit: MoreIsLooser[Annotated[int, Field(ge=2, le=1000)]] = Field(
        4, description="day trades that must not be made"
    )
    days: LessIsLooser[Annotated[int, Field(ge=1, le=60)]] = Field(
        5, description="business days that count, the trade's own included"
    )
    equity: LessIsLooser[Positive] = Field(
        Decimal(25_000), description="USD at the day's start from which nothing is counted"
    )


class ProtectionsSettings(GrowingSettingsTable):
    """Protections that block entries after losing trades, or in a volatile market. They never block exits (RK-22)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"repeated_execution"})

    stop_loss_guard: StopLossGuardSettings = StopLossGuardSettings()
    cooldown: CooldownSettings = CooldownSettings()
    low_profit: LowProfitSettings = LowProfitSettings()
    loss_streak: LossStreakSettings = LossStreakSettings()
    max_drawdown: MaxDrawdownSettings = MaxDrawdownSettings()
    volatility_halt: VolatilityHaltSettings = VolatilityHaltSettings()
    equity_curve: EquityCurveSettings = EquityCurveSettings()
    repeated_execution: RepeatedExecutionSettings = RepeatedExecutionSettings()
    day_trades: DayTradesSettings = DayTradesSettings()
    override_minutes: MoreIsLooser[Minutes] = Field(30, description="an override passes what tripped, and no longer")
    loss_override_minutes: LessIsLooser[Minutes] = Field(
        60, description="an overridden loss of the account stays shut (RK-06)"
    )


FREQTRADE: dict[str, object] = {
    "stop_loss_guard": {
        "per": "both",
        "consecutive": False,
        "trade_limit": 10,
        "lookback_minutes": 60,
        "stop_minutes": 60,
    },
    "cooldown": {"loss": "0", "stop_minutes": 60},
    "low_profit": {"trade_limit": 1, "required_profit": "0", "lookback_minutes": 60, "stop_minutes": 60},
    "loss_streak": {"enabled": False},
    "volatility_halt": {"enabled": False},
    "equity_curve": {"enabled": False},
    "max_drawdown": {"method": "within", "limit": "0", "trade_limit": 1, "lookback_minutes": 60, "stop_minutes": 60},
}
"""The profile `freqtrade`: the defaults of its code; protections that it lacks are off."""
