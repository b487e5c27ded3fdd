"""A screen as text that a person can read and git can compare: its characters, then the style of each run of them."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.desk import Desk


def picture(desk: Desk) -> str:
    """Every line of the screen, a blank line, the styles by letter, and under each other the runs of every line."""
    lines = _lines(desk)
    letters: dict[str, str] = {}
    runs = [_runs(line, letters) for line in lines]
    text = ["".join(segment.text for segment in line).rstrip() for line in lines]
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    return "\n".join([*text, "", *legend, "", *runs, ""])


def words(desk: Desk) -> str:
    """The characters alone."""
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in _lines(desk))


def _lines(desk: Desk) -> list[list[Segment]]:
    update = desk.screen._compositor.render_update(full=True, screen_stack=desk._background_screens)
    lines: list[list[Strip]] = getattr(update, "strips", [])
    return [[segment for strip in line for segment in strip if not segment.control] for line in lines]


def _runs(line: list[Segment], letters: dict[str, str]) -> str:
    """`a12 b3 a65`: the letter of a style and for how many cells it holds."""
    counted: list[tuple[str, int]] = []
    for segment in line:
        style = _named(segment.style)
        letter = letters.setdefault(style, _letter(len(letters)))
        if counted and counted[-1][0] == letter:
            letter, before = counted.pop()
        else:
            before = 0
        counted.append((letter, before + segment.cell_length))
    return " ".join(f"{letter}{cells}" for letter, cells in counted if cells)


def _named(style: Style | None) -> str:
    """Without what Textual keeps in a style for itself."""
    return str(style.without_color + Style(color=style.color, bgcolor=style.bgcolor)) if style else "none"


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"{chr(ord('a') + number // 26 - 1)}{chr(ord('a') + number % 26)}"
