"""JSON in which every character that would do something in a terminal is escaped: the same JSON (SY-06)."""

from __future__ import annotations

import re

_HARMFUL = re.compile(r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""JSON itself escapes the control characters below the blank; these it leaves to us."""


def harmless_json(text: str) -> str:
    """The JSON with what is left of them escaped."""
    return _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
