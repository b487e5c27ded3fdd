"""The terminals that pictures are taken in."""

from __future__ import annotations

import pytest

SMALL, USUAL, WIDE = (80, 24), (120, 40), (200, 60)
TOO_SMALL = (60, 20)

at_both_sizes = pytest.mark.parametrize("size", [SMALL, USUAL], ids=lambda size: f"{size[0]}x{size[1]}")
"""For every pane and every dialog; what else one of them can say is pictured where there is the least room for it."""
