"""The screen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core.settings.types import SettingsTable


class DisplaySettings(SettingsTable):
    """The screen."""

    theme: Literal["keyturn", "light", "colour-blind", "high-contrast"] = Field(
        "keyturn", description="dark; light; blue and yellow alone, for the colour-blind; black and white with 7:1"
    )
    frames: Annotated[int, Field(ge=1, le=10)] = Field(10, description="a second, at most")
