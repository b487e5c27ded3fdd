"""How the screen is drawn: what the settings say of it, and the theme that was chosen at the desk.

A chosen theme is kept in a file of its own and applies at the next start, unless an option or the environment names
another.
"""

from __future__ import annotations

import tomllib
from typing import NamedTuple, Protocol

from console.bell import AGAIN_AFTER
from console.theme import DEFAULT, PALETTES

FRAMES = 10
"""Frames a second, unless the settings say fewer."""
FOLDER, FILE = "display", "theme.toml"
"""Where the chosen theme is kept, beside the settings."""


class DisplayTerms(Protocol):
    """The settings of the screen, without their class: it imports pydantic, which no first paint needs."""

    @property
    def theme(self) -> str: ...
    @property
    def frames(self) -> float: ...
    @property
    def bell_seconds(self) -> float: ...


class Display(NamedTuple):
    """What the screen is without settings."""

    theme: str = DEFAULT
    frames: float = FRAMES
    bell_seconds: float = AGAIN_AFTER


def after(theme: str) -> str:
    """Return the theme after that one."""
    names = [*PALETTES]
    return names[(names.index(theme) + 1) % len(names)]


def file_of(theme: str) -> str:
    """Return the text of the file that keeps the theme."""
    return f'theme = "{theme}"\n'


def theme_in(text: str) -> str | None:
    """Return the theme that is kept; None if it is unreadable or there is no such theme."""
    try:
        theme = tomllib.loads(text).get("theme")
    except tomllib.TOMLDecodeError:
        return None
    return theme if isinstance(theme, str) and theme in PALETTES else None
