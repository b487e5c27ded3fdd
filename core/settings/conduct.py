"""How orders behave towards the broker and each other: messages, twins, orders that would meet (RK-24, RK-25)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.settings.types import Ratio, SettingsTable

LONGEST_TWIN = 3600
"""Seconds for which entries are remembered."""


class TwinSettings(SettingsTable):
    """Entries that are like one before them, and need the word TWIN (RK-25)."""

    enabled: bool = True
    seconds: Annotated[Decimal, Field(gt=0, le=LONGEST_TWIN)] = Field(
        Decimal(60), description="older ones are no twins"
    )
    quantity: Ratio = Field(Decimal("0.10"), description="a quantity that differs by no more is like it")
    price: Ratio = Field(Decimal("0.002"), description="a price that differs by no more is like it")


class SelfCrossSettings(SettingsTable):
    """Entries that would meet an order of one's own (RK-25)."""

    enabled: bool = True
