"""The terms of what is measured over the whole account, margin and portfolio, and of the hours of a day; typed."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.settings.types import GrowingSettingsTable, NotNegative, Ratio, SettingsTable

ANY_DEFICITS = 1000
"""So many days with a deficit are not counted."""


class MarginSettings(GrowingSettingsTable):
    """How near to maintenance a margin account may come (RK-14); a cash account knows no such distance.

    The distances are ours: an account that is lent twice its equity, at a requirement of 0.3, stands at 0.40; a fall of
    all it holds by a sixth brings it to 0.25, by a quarter to 0.10.

    Since 2026-06-04 a margin deficit within the day is a call, and one that is not met brings a freeze of 90 days
    (FINRA 4210, SR-FINRA-2025-017). That the third day with one within 90 ends borrowing here is a figure of ours.
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
"""An exposure that limits nothing: no account is lent so much."""


Multiple = Annotated[Decimal, Field(gt=0, le=UNLIMITED)]
"""Of equity."""


class PortfolioSettings(GrowingSettingsTable):
    """What all positions together may be, and those of a symbol and of a sector (RK-16, RK-23).

    As it stands nothing is limited; every profile says how much is.
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
    """Limits of their own for hours in which books are thin and no stop acts (RK-20); the half is a figure of ours."""

    part: Ratio = Field(Decimal("0.5"), description="of risk.per_trade and of risk.max_notional")
    spread_limit: Ratio = Field(Decimal("0.002"), description="of mid; a wider one refuses limit orders too")


class SessionSettings(SettingsTable):
    """Which hours entries may have (RK-20): with `include_extended` a limit order that is typed in extended hours acts
    in them, within their limits. Strategies enter in the regular session alone. No crypto is traded yet: its limits
    are read, and wait.
    """

    policy: Literal["regular_only", "include_extended"] = Field(
        "regular_only", description="which hours typed entries may have; strategies enter in regular hours alone"
    )
    extended: HoursSettings = HoursSettings()
    crypto: HoursSettings = HoursSettings()
