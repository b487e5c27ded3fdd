"""Plain text plots of a series: columns of block characters with a scale, for any terminal or mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = len(BLOCKS) - 1
"""Steps of one character."""


def plotted(
    values: Sequence[float], width: int, height: int, label: Callable[[float], str], *, hangs: bool = False
) -> list[str]:
    """Return the lines of a plot, its scale at the left; no line is wider than `width`. Empty without values.

    A column shows the last value of its part of the series. `hangs` draws from the top down, for drawdowns: 0 is then
    the top.
    """
    if not values or height < 1:
        return []
    low, high = (0.0, max(values)) if hangs else (min(values), max(values))
    marks = [label(high), *[""] * (height - 2), label(low)] if height > 1 else [label(high)]
    if hangs:
        marks.reverse()
    margin = max(map(len, marks)) + 2
    columns = sampled(values, max(width - margin, 1))
    span = (high - low) or 1.0
    fills = [round((value - low) / span * height * EIGHTHS) for value in columns]
    if not hangs:
        fills = [max(fill, 1) for fill in fills]
    rows = [[_block(fill - row * EIGHTHS, hangs=hangs) for fill in fills] for row in range(height)]
    if not hangs:
        rows.reverse()
    return [f"{mark:>{margin - 2}} ┤{''.join(row)}" for mark, row in zip(marks, rows, strict=True)]


def _block(fill: int, *, hangs: bool) -> str:
    """Return the character of a column filled by this many eighths; from the top only whole and half blocks exist."""
    eighths = min(max(fill, 0), EIGHTHS)
    if not hangs:
        return BLOCKS[eighths]
    return " ▔▀█"[0 if eighths == 0 else 1 if eighths < EIGHTHS // 2 else 2 if eighths < EIGHTHS else 3]


def sampled(values: Sequence[float], many: int) -> list[float]:
    """Return at most this many values: the last of each part, including the very last."""
    if len(values) <= many:
        return list(values)
    return [values[(number + 1) * len(values) // many - 1] for number in range(many)]
