"""The desk: its account, its screen, its advisers, and its absence (OP-09, RK-27)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.model.account import Mode
from core.settings.types import GrowingSettingsTable, Seconds, SettingsTable

NAME = r"^[a-z][a-z0-9_-]{0,30}$"


class AccountSettings(GrowingSettingsTable):
    """The account, its broker and its data source."""

    LATER: ClassVar[frozenset[str]] = frozenset({"data"})

    mode: Mode = Field(Mode.PAPER, description="paper or live; live also needs KEYTURN_ALLOW_LIVE=1")
    broker: Annotated[str, Field(pattern=NAME)] = Field("alpaca", description="where orders go: alpaca or simulated")
    data: Annotated[str, Field(pattern=f"^$|{NAME}")] = Field(
        "", description="where prices come from: alpaca; empty is the broker's own source"
    )


class DisplaySettings(GrowingSettingsTable):
    """The screen."""

    LATER: ClassVar[frozenset[str]] = frozenset({"bell_seconds"})

    theme: Literal["keyturn", "light", "colour-blind", "high-contrast"] = Field(
        "keyturn", description="dark; light; blue and yellow alone, for the colour-blind; black and white with 7:1"
    )
    frames: Annotated[int, Field(ge=1, le=10)] = Field(10, description="a second, at most")
    bell_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        30, description="after which the bell rings again for an exit that waits and for shares owed a stop (OP-06)"
    )


Spell = Annotated[int, Field(ge=5, le=86_400)]


class WatchmanSettings(SettingsTable):
    """The watchman: reads the log and the positions."""

    enabled: bool = False
    refusals: Annotated[int, Field(ge=2, le=500)] = Field(5, description="of one reason in the log, before it says so")


class AdvisersSettings(SettingsTable):
    """Advisers: how often they are asked, and their limits. They only give advice; nothing of it is sent."""

    every_seconds: Spell = Field(60, description="between two questions")
    answer_seconds: Annotated[int, Field(ge=1, le=600)] = Field(10, description="no answer in this time is a failure")
    most: Annotated[int, Field(ge=1, le=20)] = Field(3, description="advices of one answer; more are a failure")
    failures: Annotated[int, Field(ge=1, le=100)] = Field(3, description="after which it rests until a start")
    watchman: WatchmanSettings = WatchmanSettings()

    @property
    def enabled(self) -> tuple[str, ...]:
        """The names of the enabled advisers."""
        return ("watchman",) if self.watchman.enabled else ()


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
