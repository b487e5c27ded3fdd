"""Frames without their letters. A picture is what an accident costs most; whether one left, was skipped or arrived is
what matters, and that is the same. Some desks draw all of theirs, and are read from the far terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from textual._compositor import Compositor, CompositorUpdate

BYTES = 200
"""Of a frame in which a clock ticks."""


class BlankUpdate(CompositorUpdate):
    def __rich_console__(self, _console: Console, _options: Any) -> Iterator[Any]:
        yield ""

    def render_segments(self, _console: Console) -> str:
        return " " * BYTES


@contextmanager
def blank_frames(are_wanted: bool) -> Iterator[None]:
    """As often as the real ones: there is one whenever anything changed."""
    real = Compositor.render_update

    def render_update(compositor: Compositor, *_arguments: Any, **_terms: Any) -> BlankUpdate | None:
        changed = bool(compositor._dirty_regions)
        compositor._dirty_regions.clear()
        return BlankUpdate() if changed else None

    if are_wanted:
        Compositor.render_update = render_update  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Compositor.render_update = real  # type: ignore[method-assign]
