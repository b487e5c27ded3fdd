"""Without an attached desk: resting entries, and the dead man's timer of a live account (RK-27)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.settings.types import GrowingSettingsTable, Seconds


class AttendanceSettings(GrowingSettingsTable):
    """While no desk is attached. Proposals are then only followed as shadows; confirmed exits continue."""

    LATER: ClassVar[frozenset[str]] = frozenset({"key_seconds"})

    entries: Literal["keep", "cancel"] = Field("keep", description="entries that rest while no desk is attached")
    cancel_minutes: Annotated[Decimal, Field(gt=0, le=1440)] = Field(
        Decimal(30), description="minutes that an entry may rest without a desk, where entries are cancelled"
    )
    dead_man_hours: Annotated[Decimal, Field(ge=0, le=720)] = Field(
        Decimal(0), description="hours without a key on a live account after which entries are halted; 0 is never"
    )
    key_seconds: Seconds = Field(
        Decimal(60), description="for which a desk keeps control after its connection was lost, disarmed (OP-13)"
    )
