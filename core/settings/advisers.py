"""Settings of the advisers: each is off by default (OP-09)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.settings.types import SettingsTable

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
