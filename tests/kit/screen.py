"""What stands on a screen, without a picture of it: the one place that asks Textual's compositor, which is private.

Its public way, `App.export_screenshot`, gives an SVG: a tenth of a second for each look.
"""

from __future__ import annotations

from typing import Any

from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.app import App


def whole(app: App[Any]) -> LayoutUpdate:
    """The screen as it is seen, drawn anew with those beneath it: what `export_screenshot` is made from."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    return update


def lines_of(app: App[Any]) -> list[list[Segment]]:
    """Its text with the styles, line by line."""
    return [[segment for strip in line for segment in strip if not segment.control] for line in whole(app).strips]


def text_of(app: App[Any]) -> str:
    """The characters alone, without the blanks at the ends of lines."""
    return "\n".join("".join(strip.text for strip in line).rstrip() for line in whole(app).strips)
