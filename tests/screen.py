"""What stands on a screen, without a picture of it: the one place that asks Textual's compositor, which is private.

Its only public way, `App.export_screenshot`, gives an SVG: a tenth of a second for each look, and no styles.
"""

from __future__ import annotations

from typing import Any

from rich.segment import Segment
from textual.app import App


def lines_of(app: App[Any]) -> list[list[Segment]]:
    """Every line as it is seen, with the screens beneath: what `export_screenshot` is made from."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    strips = getattr(update, "strips", [])
    return [[segment for strip in line for segment in strip if not segment.control] for line in strips]


def text_of(app: App[Any]) -> str:
    """The characters alone, without the blanks at the ends of lines."""
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines_of(app))
