"""The screen."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.settings.types import GrowingSettingsTable


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
