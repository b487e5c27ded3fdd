"""Lists that share a number of lines: shown in full if they fit, otherwise cut with a count of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped


@dataclass(frozen=True, slots=True)
class Listed:
    """A list under one label.

    Attributes
    ----------
    count
        Number of items.
    groups
        Lines that stay together, each with the number of items that they name; at least as many as fit.
    elsewhere
        The pane with the complete list, as in `Orders lists them`.
    """

    label: str
    count: int
    groups: Sequence[tuple[Sequence[TextLine], int]]
    elsewhere: str
    tone: Tone = ""

    @property
    def height(self) -> int:
        """Number of lines of all groups."""
        return sum(len(lines) for lines, _ in self.groups)

    def in_room(self, room: int) -> list[TextLine]:
        """Return all lines, or as many as fit with a last line that counts the rest."""
        if self.height <= room and sum(named for _, named in self.groups) == self.count:
            return [line for lines, _ in self.groups for line in lines]
        shown: list[TextLine] = []
        left = self.count
        for lines, named in self.groups:
            if len(shown) + len(lines) >= room:
                break
            shown += lines
            left -= named
        label = Cell(" " * len(self.label) if shown else self.label, "muted")
        words = f"and {left} more, {self.elsewhere}" if shown else f"{left}, {self.elsewhere}"
        return [*shown, (label, Cell(words, self.tone))]


def one_each(label: str, texts: Sequence[str], width: int, elsewhere: str, most: int, tone: Tone = "") -> Listed:
    """Repeat the label before each text; at most `most` + 1 texts are prepared."""
    groups = [(wrapped(label, text, width, tone), 1) for text in islice(texts, most + 1)]
    return Listed(label, len(texts), groups, elsewhere, tone)


def side_by_side(label: str, texts: Sequence[str], width: int, elsewhere: str) -> Listed:
    """Place the texts side by side under one label, separated by commas; no text is split."""
    rows: list[tuple[str, int]] = []
    room = width - len(label) - 1
    for text in texts:
        row, named = rows[-1] if rows else ("", 0)
        if rows and len(row) + 2 + len(text) <= room:
            rows[-1] = (f"{row}, {text}", named + 1)
        else:
            rows.append((text, 1))
    ends = [*("," for _ in rows[1:]), ""]
    labels = [label, *(" " * len(label) for _ in rows[1:])]
    groups = [
        ([(Cell(begin, "muted"), Cell(f"{row}{end}"))], named)
        for begin, (row, named), end in zip(labels, rows, ends, strict=False)
    ]
    return Listed(label, len(texts), groups, elsewhere)


def sharing(lists: Iterable[Listed], room: int) -> list[TextLine]:
    """Return the lists one below the other in `room` lines; a list leaves unused lines of its share to the others."""
    shown = [each for each in lists if each.count]
    shares: dict[str, int] = {}
    for number, each in enumerate(sorted(shown, key=lambda each: each.height)):
        shares[each.label] = min(each.height, max(1, room // (len(shown) - number)))
        room -= shares[each.label]
    return [line for each in shown for line in each.in_room(shares[each.label])]
