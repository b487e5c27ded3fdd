"""Tolerances between the broker's books and ours (EX-09)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.settings.types import Delay, Ratio, Seconds, SettingsTable


class ReconciliationSettings(SettingsTable):
    """How far the broker's books may differ from ours before the operator must decide (EX-09)."""

    max_missing: Annotated[int, Field(ge=0)] = Field(3, description="positions that one side alone may have")
    max_drift: Ratio = Field(Decimal("0.05"), description="of a quantity")
    split_tolerance: Ratio = Field(Decimal("0.01"), description="of quantity and price, for a split to be named")
    every_seconds: Delay = Field(Decimal(60), description="between comparisons while the market trades; 0 is never")
    poll_seconds: Seconds = Field(Decimal(5), description="between them while orders work and their stream is silent")
    again_seconds: Seconds = Field(
        Decimal(10), description="until the broker is asked again after no or no clear answer"
    )
    apart_seconds: Seconds = Field(Decimal(2), description="least time between two questions")
    max_unanswered: Annotated[int, Field(ge=1)] = Field(3, description="in a row that make a reconciled desk read-only")
