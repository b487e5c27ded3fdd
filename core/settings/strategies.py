"""Strategy settings: one table each, for built-in and user strategies."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from core.model.values import exact_percent, plain
from core.settings.house_strategies import (
    BreakoutSettings,
    MeanReversionSettings,
    MomentumSettings,
    SmaSettings,
    TradePlanSettings,
    VwapSettings,
)
from core.settings.types import GrowingSettingsTable
from core.settings.user_strategies import OWN_NAME, UserStrategySettings, sorted_out

HOUSE_NAMES = ("vwap", "momentum", "breakout", "mean_reversion", "sma")
"""The built-in strategies, by the name of their table."""


class StrategiesSettings(GrowingSettingsTable):
    """The strategies: built-in ones and your own, each with a table of its name."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"momentum", "breakout", "mean_reversion", "sma", "own", "folder", "slow_milliseconds", "faults"}
    )

    folder: str = Field("", description="where your own strategies are; empty is `strategies` beside this file")
    slow_milliseconds: Annotated[Decimal, Field(gt=0, le=60_000)] = Field(
        Decimal(50), description="a strategy that takes longer for a bar is shown (ST-07)"
    )
    faults: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, description="bars in a row on which a strategy raised or was too slow, after which it is paused"
    )
    vwap: VwapSettings = VwapSettings()
    momentum: MomentumSettings = MomentumSettings()
    breakout: BreakoutSettings = BreakoutSettings()
    mean_reversion: MeanReversionSettings = MeanReversionSettings()
    sma: SmaSettings = SmaSettings()
    own: dict[str, UserStrategySettings] = Field({}, description="the tables of your own strategies")

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Treat unknown tables as those of user strategies."""
        return sorted_out(values, frozenset(cls.model_fields))

    @field_validator("own")
    @classmethod
    def each_has_a_name(cls, own: dict[str, UserStrategySettings]) -> dict[str, UserStrategySettings]:
        for name in own:
            if not OWN_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a strategy: small letters, digits and _, at most 24")
        return own

    @property
    def names(self) -> tuple[str, ...]:
        """Every strategy that has a table: built-in ones first, then the user's by name."""
        return (*HOUSE_NAMES, *sorted(self.own))

    def of(self, name: str) -> VwapSettings | TradePlanSettings | UserStrategySettings:
        """Return the table of a strategy; a disabled one if there is none."""
        if name not in HOUSE_NAMES:
            return self.own.get(name) or UserStrategySettings()
        table: VwapSettings | TradePlanSettings = getattr(self, name)
        return table

    @model_validator(mode="after")
    def nobody_gets_more_than_there_is(self) -> Self:
        shares = {name: self.of(name).allocation for name in self.names if self.of(name).enabled}
        given = {name: share for name, share in shares.items() if share is not None}
        if (total := sum(given.values(), Decimal(0))) > 1:
            named = " and ".join(f"strategies.{name}.allocation {plain(share)}" for name, share in given.items())
            raise ValueError(f"{named} are {exact_percent(total)} of equity together; lower one to fit into 100 %")
        return self
