"""What stands on a screen, without a picture of it: the one place that asks Textual's compositor, which is private.

Its public way, `App.export_screenshot`, gives an SVG: a tenth of a second for each look. A screen that nobody watches
is drawn when a test looks, and not each time that something changes (`drawn_on_demand`).
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import pytest
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.app import App
from textual.screen import Screen

from console.desk import DeskApp

_changes: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
_texts: WeakKeyDictionary[App[Any], tuple[object, str]] = WeakKeyDictionary()
_refresh, _lay_out = Screen._compositor_refresh, Screen._refresh_layout


def whole(app: App[Any], *, simplify: bool = False) -> LayoutUpdate:
    """The screen as it is seen, drawn anew with those beneath it: what `export_screenshot` is made from."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens, simplify=simplify)
    assert isinstance(update, LayoutUpdate)
    return update


def lines_of(app: App[Any]) -> list[list[Segment]]:
    """Its text with the styles, line by line."""
    return [[segment for strip in line for segment in strip if not segment.control] for line in whole(app).strips]


def text_of(app: App[Any]) -> str:
    """The characters alone, without the blanks at the ends of lines."""
    state = (_changes.get(app), app.screen, app.size)
    known = _texts.get(app)
    if known is not None and known[0] == state and state[0] is not None and not _is_behind(app.screen):
        return known[1]
    text = "\n".join("".join(strip.text for strip in line).rstrip() for line in whole(app).strips)
    _texts[app] = (state, text)
    return text


def _is_behind(screen: Screen[Any]) -> bool:
    waits = screen._layout_required or screen._scroll_required or screen._repaint_required
    return bool(waits or screen._dirty_widgets)


def drawn_on_demand(patch: pytest.MonkeyPatch) -> None:
    """The screens of a desk only count their changes, but where a test gave it a `_display` of its own."""
    patch.setattr(Screen, "_compositor_refresh", _refresh_later)
    patch.setattr(Screen, "_refresh_layout", _count_layout)


def _count(app: App[Any]) -> None:
    _changes[app] = _changes.get(app, 0) + 1


def _count_layout(screen: Screen[Any], *arguments: Any, **terms: Any) -> None:
    _count(screen.app)
    _lay_out(screen, *arguments, **terms)


def _refresh_later(screen: Screen[Any]) -> None:
    app = screen.app
    _count(app)
    if screen is not app.screen or type(app)._display is not DeskApp._display:
        _refresh(screen)
        return
    _ = screen._compositor.full_map  # as drawing does: one first asked for after a change hides what was resized by it
    screen._dirty_widgets.clear()
    screen._compositor._dirty_regions.clear()
    app._update_mouse_over(screen)
