"""Conduct of orders: message rates, twins, and orders that would cross (RK-24, RK-25)."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from core.settings.types import Ratio, SettingsTable

LONGEST_TWIN = 3600
"""Seconds for which entries are remembered."""
SHORTEST_TWIN = 1
"""No one confirms twice within less, so that nothing would be a twin."""


MOST_MESSAGES = 1_000_000
Messages = Annotated[int, Field(ge=1, le=MOST_MESSAGES)]


class MessageSettings(SettingsTable):
    """Messages to the broker; entries leave a reserve for reducing orders (RK-24).

    Messages are submissions, replacements and cancels.
    """

    enabled: bool = True
    per_second: Messages = Field(50, description="messages to the broker")
    per_minute: Messages = Field(180, description="the same; no more than the broker takes, which at Alpaca is 200")
    per_day: Messages = Field(10_000, description="the same of a trading day")
    reserve: Annotated[Decimal, Field(ge=0, le=Decimal("0.9"))] = Field(
        Decimal("0.25"), description="of each, kept for exits and cancels; it leaves entries one at least"
    )

    @model_validator(mode="after")
    def entries_may_use_one(self) -> Self:
        """Refuse a limit that is all reserve, which would refuse every entry for good."""
        for name in ("per_second", "per_minute", "per_day"):
            if beside_the_reserve(getattr(self, name), self.reserve) < 1:
                least = int((1 / (1 - self.reserve)).to_integral_value(ROUND_CEILING))
                raise ValueError(
                    f"{name} leaves entries no message beside the reserve; give it {least} or more, or reserve less"
                )
        return self


def beside_the_reserve(limit: int, reserve: Decimal) -> int:
    """Return the part of a limit that is not reserved for exits and cancels."""
    return limit - int((limit * reserve).to_integral_value(ROUND_CEILING))


class TwinSettings(SettingsTable):
    """Entries like a recent one, which need the word TWIN (RK-25)."""

    enabled: bool = True
    seconds: Annotated[Decimal, Field(gt=0, le=LONGEST_TWIN)] = Field(
        Decimal(60), description="older ones are no twins; less than 1 counts as off"
    )
    quantity: Ratio = Field(Decimal("0.10"), description="a quantity that differs by no more is like it")
    price: Ratio = Field(Decimal("0.002"), description="a price that differs by no more is like it")


class SelfCrossSettings(SettingsTable):
    """Entries that would meet an order of one's own (RK-25)."""

    enabled: bool = True
