"""The terms of what is measured over the whole account: margin and portfolio, typed."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.setting_types import Amount, Part, Ratio


class MarginSettings(Part):
    """How near to maintenance a margin account may come (RK-14); a cash account knows no such distance.

    The distances are ours: an account that is lent twice its equity, at a requirement of 0.3, stands at 0.40; a fall of
    all it holds by a sixth brings it to 0.25, by a quarter to 0.10.
    """

    warn_at: tuple[Ratio, ...] = Field(
        (Decimal("0.25"), Decimal("0.10")), description="distances to maintenance that warn, as shares of equity"
    )
    refuse_at: Ratio = Field(
        Decimal(0), description="an entry that would leave less is refused; 0: one under maintenance"
    )


class PortfolioSettings(Part):
    """What all positions together may be (RK-16). Where nothing is given nothing is limited.

    In `swing` half of what may be borrowed stays unused, and a tenth of equity stays free: figures of ours.
    """

    max_exposure: Annotated[Decimal, Field(gt=0, le=10)] | None = Field(
        None, description="value of all positions, long and short, as a multiple of equity"
    )
    reserve: Amount | None = Field(None, description="buying power that entries leave free")
