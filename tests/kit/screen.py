"""What stands on a screen, without a picture of it: the one place that asks Textual's compositor, which is private.

Its public way, `App.export_screenshot`, gives an SVG: a tenth of a second for each look. A screen that nobody watches
is drawn when a test looks, and not each time that something changes (`drawn_on_demand`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, ref

import pytest
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual._context import visible_screen_stack
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen

from console.desk import DeskApp


@dataclass
class Read:
    """The text of a screen as it was read, and the lines of it that changed since."""

    state: tuple[Any, ...]
    lines: list[str]
    changed: set[int] = field(default_factory=set)
    text: str = ""


_changes: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
_read: WeakKeyDictionary[App[Any], Read] = WeakKeyDictionary()
_refresh, _lay_out = Screen._compositor_refresh, Screen._refresh_layout


def whole(app: App[Any], *, simplify: bool = False) -> LayoutUpdate:
    """The screen as it is seen, drawn anew with those beneath it: what `export_screenshot` is made from."""
    _read.pop(app, None)
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens, simplify=simplify)
    assert isinstance(update, LayoutUpdate)
    return update


def lines_of(app: App[Any]) -> list[list[Segment]]:
    """Its text with the styles, line by line."""
    return [[segment for strip in line for segment in strip if not segment.control] for line in whole(app).strips]


def text_of(app: App[Any]) -> str:
    """The characters alone, without the blanks at the ends of lines."""
    state = (ref(app.screen), app.size, _changes.get(app))
    read = _read.get(app)
    if read is None or read.state[:2] != state[:2] or _is_behind(app.screen):
        lines = ["".join(strip.text for strip in line).rstrip() for line in whole(app).strips]
        read = _read[app] = Read(state, lines, text="\n".join(lines))
    elif read.state != state:
        _read_again(app, read)
        read.state = state
    return read.text


def _read_again(app: App[Any], read: Read) -> None:
    """The lines that changed, as they are drawn now."""
    lines = {y for y in read.changed if 0 <= y < len(read.lines)}
    read.changed.clear()
    if not lines:
        return
    visible_screen_stack.set(app._background_screens)
    first, end = min(lines), max(lines) + 1
    region = Region(0, first, app.size.width, end - first)
    chops = app.screen._compositor._render_chops(region, lines.__contains__)
    for y in lines:
        read.lines[y] = "".join(strip.text for strip in chops[y].values()).rstrip()
    read.text = "\n".join(read.lines)


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
        _read.pop(app, None)
        _refresh(screen)
        return
    if app in _read:
        _read[app].changed.update(y for region in screen._compositor._dirty_regions for y in region.line_range)
    _ = screen._compositor.full_map  # as drawing does: one first asked for after a change hides what was resized by it
    screen._dirty_widgets.clear()
    screen._compositor._dirty_regions.clear()
    app._update_mouse_over(screen)
