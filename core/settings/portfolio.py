"""Limits of the whole account (margin and portfolio), and of the hours of a day."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.settings.types import GrowingSettingsTable, NotNegative, Ratio, SettingsTable

ANY_DEFICITS = 1000
"""A number of deficit days that means they are not counted."""


class MarginSettings(GrowingSettingsTable):
    """The distance to maintenance that a margin account must keep (RK-14); a cash account has none.

    The distances are our choice: an account with twice its equity in positions, at a requirement of 0.3, is at 0.40; a
    fall of all its holdings by a sixth brings it to 0.25, by a quarter to 0.10.

    Since 2026-06-04 a margin deficit within the day is a call, and an unmet one brings a freeze of 90 days (FINRA 4210,
    SR-FINRA-2025-017). That the third day with one within 90 ends borrowing here is our choice.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"deficit_limit", "deficit_days"})

    warn_at: tuple[Ratio, ...] = Field(
        (Decimal("0.25"), Decimal("0.10")), description="distances to maintenance that warn, as shares of equity"
    )
    refuse_at: Ratio = Field(
        Decimal(0), description="an entry that would leave less is refused; 0: one under maintenance"
    )
    holds_overnight: bool = Field(
        False, description="true: an entry over the night's buying power is refused; false: it warns"
    )
    deficit_limit: Annotated[int, Field(ge=1, le=ANY_DEFICITS)] = Field(
        ANY_DEFICITS, description="days with a margin deficit at which nothing more is borrowed; 1000 counts none"
    )
    deficit_days: Annotated[int, Field(ge=1, le=366)] = Field(90, description="days in which they count")

    @property
    def counts_deficits(self) -> bool:
        return self.deficit_limit < ANY_DEFICITS


UNLIMITED = Decimal(10)
"""An exposure that limits nothing: no account can borrow so much."""


Multiple = Annotated[Decimal, Field(gt=0, le=UNLIMITED)]
"""Of equity."""


class PortfolioSettings(GrowingSettingsTable):
    """The largest exposure of all positions, of a symbol and of a sector (RK-16, RK-23).

    The defaults limit nothing; every profile sets limits.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"symbol_exposure", "sector_exposure"})

    max_exposure: Multiple = Field(
        UNLIMITED, description="value of all positions, long and short, as a multiple of equity; 10 limits nothing"
    )
    reserve: NotNegative = Field(Decimal(0), description="USD; entries leave as much buying power free")

    symbol_exposure: Multiple = Field(
        UNLIMITED, description="value of one symbol, as a multiple of equity; 10 limits nothing"
    )
    sector_exposure: Multiple = Field(
        UNLIMITED, description="value of one sector of sectors.toml, as a multiple of equity; 10 limits nothing"
    )

    @property
    def limits_concentration(self) -> bool:
        return self.symbol_exposure < UNLIMITED or self.sector_exposure < UNLIMITED

    @property
    def limits_nothing(self) -> bool:
        return self.max_exposure == UNLIMITED and not self.reserve


class HoursSettings(SettingsTable):
    """Separate limits for hours with thin books and inactive stops (RK-20); the half is our choice."""

    part: Ratio = Field(Decimal("0.5"), description="of risk.per_trade and of risk.max_notional")
    spread_limit: Ratio = Field(Decimal("0.002"), description="of mid; a wider one refuses limit orders too")


class SessionSettings(SettingsTable):
    """Hours in which entries are allowed (RK-20).

    With `include_extended` a limit order typed in extended hours acts in them, within their limits. Strategies enter in
    the regular session alone. No crypto is traded yet: its limits have no effect.
    """

    policy: Literal["regular_only", "include_extended"] = Field(
        "regular_only", description="which hours typed entries may have; strategies enter in regular hours alone"
    )
    extended: HoursSettings = HoursSettings()
    crypto: HoursSettings = HoursSettings()
