"""The traded account and its broker."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from core.model.account import Mode
from core.settings.types import GrowingSettingsTable

NAME = r"^[a-z][a-z0-9_-]{0,30}$"


class AccountSettings(GrowingSettingsTable):
    """The account, its broker and its data source."""

    LATER: ClassVar[frozenset[str]] = frozenset({"data"})

    mode: Mode = Field(Mode.PAPER, description="paper or live; live also needs KEYTURN_ALLOW_LIVE=1")
    broker: Annotated[str, Field(pattern=NAME)] = Field("alpaca", description="where orders go: alpaca or simulated")
    data: Annotated[str, Field(pattern=f"^$|{NAME}")] = Field(
        "", description="where prices come from: alpaca; empty is the broker's own source"
    )
