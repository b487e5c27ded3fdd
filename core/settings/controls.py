"""Pre-trade controls of an order, like a broker-dealer's, for one's own desk (RK-23).

The defaults limit nothing, because older journals had no such control. Every profile sets limits.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.settings.types import LARGEST_AMOUNT, Positive, Ratio, SettingsTable

ANY_PRICE = Decimal(1)
"""A band that refuses no price."""
ANY_SPREAD = Decimal(1000)
"""A multiple of the usual spread that refuses no market order."""


class CollarSettings(SettingsTable):
    """The price collar of entries (RK-23). 3 %, 10 spreads and 15 % are the requirement's own figures.

    5 % in five minutes is the band of the exchanges' own Limit Up-Limit Down plan for the most traded shares.
    """

    band: Ratio = Field(
        ANY_PRICE, description="an entry that would pay more than this over the middle of the quote; 1 refuses none"
    )
    spreads: Annotated[Decimal, Field(ge=1, le=ANY_SPREAD)] = Field(
        ANY_SPREAD, description="a market entry at more than so many usual spreads of its symbol; 1000 refuses none"
    )
    period_band: Ratio = Field(
        ANY_PRICE, description="an entry that would pay more than this over the price of then; 1 refuses none"
    )
    period_minutes: Annotated[int, Field(ge=1, le=30)] = Field(5, description="before now, when that price was")
    passive_band: Ratio = Field(
        Decimal("0.15"), description="a price that rests further away warns, where risk.collar.band is below 1"
    )

    @property
    def is_on(self) -> bool:
        """Whether it replaces `risk.price_band`."""
        return self.band < ANY_PRICE


ANY_QUANTITY = Decimal(LARGEST_AMOUNT)
"""A number of shares that limits no order."""
ALL_OF_IT = Decimal(1)
"""A part of the volume that limits no order."""


class OrderSizeSettings(SettingsTable):
    """The largest number of shares of an order (RK-23). 1 % of the average volume is the requirement's own figure."""

    shares: Positive = Field(ANY_QUANTITY, description="shares an order; 1000000000 limits nothing")
    of_volume: Ratio = Field(ALL_OF_IT, description="of the average volume of twenty days, an order; 1 limits nothing")
