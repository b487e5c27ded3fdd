"""Limits on entries (RK)."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.model.session import HOME
from core.settings.conduct import MessageSettings, SelfCrossSettings, TwinSettings
from core.settings.controls import CollarSettings, OrderSizeSettings
from core.settings.portfolio import MarginSettings, PortfolioSettings, SessionSettings
from core.settings.protections import ProtectionsSettings
from core.settings.regime import FrequencySettings
from core.settings.size_factors import SizingSettings
from core.settings.types import (
    LARGEST_AMOUNT,
    AmountSettings,
    GrowingSettingsTable,
    NotNegative,
    Ratio,
    Seconds,
    TimeOfDay,
)

DAILY, WEEKLY = "daily_loss", "weekly_loss"
"""The settings of the two loss limits, and the names of their protections."""


class RiskSettings(GrowingSettingsTable):
    """Limits on entries (RK)."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "several_strategies_a_symbol",
            *("collar", "order_size", "max_day_value", "sectors"),
            *("messages", "self_cross", "twins"),
        }
    )

    per_trade: AmountSettings = Field(
        AmountSettings(usd=Decimal("1.50"), of_equity=None), description="loss at the stop (RK-02)"
    )
    min_notional: NotNegative = Field(Decimal(1), description="smallest order, USD")
    max_notional: AmountSettings = Field(AmountSettings(usd=Decimal(50), of_equity=None), description="largest order")
    max_day_value: AmountSettings = Field(
        AmountSettings(usd=Decimal(LARGEST_AMOUNT), of_equity=None),
        description="all entries of a day; 1000000000 USD limit nothing (RK-23)",
    )
    max_open_positions: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="positions at a time (EX-08)")
    several_strategies_a_symbol: bool = Field(
        False, description="true: strategies may hold a symbol side by side, each with its own position (EX-08)"
    )
    daily_loss: AmountSettings = Field(
        AmountSettings(usd=Decimal(10), of_equity=None), description="blocks entries for the day (RK-03)"
    )
    weekly_loss: AmountSettings = Field(
        AmountSettings(usd=Decimal(25), of_equity=None), description="blocks entries for the week (RK-03)"
    )
    entries_a_day: Annotated[int, Field(ge=0, le=10_000)] = Field(1, description="entries a day and strategy")
    window_start: TimeOfDay = Field(time(10, 0), description=f"first bar start for an entry, {HOME.name} (RK-07)")
    window_end: TimeOfDay = Field(time(11, 30), description=f"last bar start for an entry, {HOME.name}, included")
    on_missing_equity: Literal["refuse", "allow"] = Field(
        "refuse",
        description="entries without an account value; allow: every check that needs it lets them pass, and says so",
    )
    spread_limit: Ratio = Field(Decimal("0.002"), description="of mid (RK-17)")
    spread_of_stop_limit: Ratio = Field(Decimal("0.20"), description="of the way to the stop (RK-17)")
    quote_age_seconds: Seconds = Field(Decimal(15), description="older blocks a market entry (RK-17)")
    quote_age_seconds_iex: Seconds = Field(Decimal(60), description="the same on the IEX feed")
    price_band: Ratio = Field(
        Decimal("0.05"), description="a limit further from the quote warns; risk.collar takes its place (EX-11)"
    )
    clock_skew_seconds: Seconds = Field(Decimal(1), description="more between desk and broker warns")
    clock_wrong_seconds: Seconds = Field(Decimal(15), description="more between desk and broker refuses entries")
    clock_jump_seconds: Seconds = Field(Decimal(2), description="a jump of this machine's clock that shuts entries")
    clock_steady_seconds: Seconds = Field(
        Decimal(2), description="without another jump, after which they pass again once the broker's clock agrees"
    )
    collar: CollarSettings = CollarSettings()
    order_size: OrderSizeSettings = OrderSizeSettings()
    margin: MarginSettings = MarginSettings()
    portfolio: PortfolioSettings = PortfolioSettings()
    session: SessionSettings = SessionSettings()
    messages: MessageSettings = MessageSettings()
    twins: TwinSettings = TwinSettings()
    self_cross: SelfCrossSettings = SelfCrossSettings()
    protections: ProtectionsSettings = ProtectionsSettings()
    frequency: FrequencySettings = FrequencySettings()
    sizing: SizingSettings = SizingSettings()
    sectors: dict[str, str] = Field({}, description="the sector of each symbol, out of sectors.toml (RK-23)")

    @model_validator(mode="after")
    def some_order_is_neither_too_small_nor_too_large(self) -> Self:
        if self.max_notional.usd is not None and self.min_notional > self.max_notional.usd:
            raise ValueError(
                "risk.min_notional exceeds risk.max_notional, so that no order passes; change one of the two"
            )
        return self
