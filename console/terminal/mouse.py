"""Where the mouse is asked for.

GNU screen (4.9), once a program asks it for the mouse, holds every Escape back until the next key and sends the two as
one: neither arrives as what it is. There the desk does without the mouse, because Esc is the way out of every dialog.
"""

from __future__ import annotations

from collections.abc import Mapping


def may_ask_for_mouse(environ: Mapping[str, str]) -> bool:
    """False inside GNU screen, and where only the terminal's name is left of it, as behind ssh."""
    if environ.get("STY"):
        return False
    return "TMUX" in environ or not environ.get("TERM", "").startswith("screen")
