"""Settings of the regime: entries a day by the market's range, and the source of the VIX."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from core.settings.types import GrowingSettingsTable, Positive, Seconds, SettingsTable, Url


class FrequencySettings(SettingsTable):
    """Entries a day by SPY's range against its average (RK-12)."""

    enabled: bool = Field(True, description="false: entries_a_day whatever the range is")
    none_over: Positive = Field(Decimal("1.5"), description="of the average: no entry that day")
    one_more_under: Positive = Field(Decimal("0.8"), description="of the average: one entry more")


CBOE = "https://cdn.cboe.com/api/global/us_indices/daily_prices/VIX_History.csv"
"""The exchange's own file of every close of the VIX, public and without a key."""


Points = Annotated[Decimal, Field(gt=0, le=200)]


class RegimeSettings(GrowingSettingsTable):
    """The measure of the market (RK-19)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"vix_low", "vix_elevated", "vix_high"})

    vix_low: Points = Field(Decimal(15), description="points of the VIX; under them it is low")
    vix_elevated: Points = Field(Decimal(20), description="points from which it is elevated, and sizes shrink")
    vix_high: Points = Field(Decimal(30), description="points over which it is high, and sizes shrink further")
    vix_url: Url = Field(CBOE, description="a CSV with DATE and CLOSE; empty: the VIX is not asked for")
    connect_seconds: Seconds = Field(Decimal(3), description="until a connection stands")
    read_seconds: Seconds = Field(Decimal(5), description="until the next piece of the answer")
    answer_seconds: Seconds = Field(Decimal(15), description="until the whole answer has come")

    @model_validator(mode="after")
    def levels_rise(self) -> Self:
        if not self.vix_low <= self.vix_elevated <= self.vix_high:
            raise ValueError("regime.vix_low, vix_elevated and vix_high: none may be over the next")
        return self
