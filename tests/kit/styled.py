"""The desk's own look, for an app of a test that shows a part of it."""

from __future__ import annotations

from pathlib import Path

from textual.app import App

import console.desk
from console.themes import DEFAULT, theme_for

STYLES = Path(console.desk.__file__).with_name("desk.tcss")


class StyledApp(App[None]):
    """Shows what `compose` of the one that is made of it yields."""

    CSS_PATH = STYLES

    def __init__(self) -> None:
        super().__init__()
        theme = theme_for(DEFAULT, self.console.color_system)
        self.register_theme(theme)
        self.theme = theme.name
