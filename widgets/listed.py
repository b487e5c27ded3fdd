"""Lists that share a room: each is shown in full where all fit; else what is not shown is counted, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from widgets.grid_picture import Tone
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped


@dataclass(frozen=True, slots=True)
class Listed:
    """What stands under one label.

    Attributes
    ----------
    count
        How many things there are.
    groups
        Lines that stay together, each with the number of things that they name; at least as many as have room.
    elsewhere
        Where all of them are, as in `Orders lists them`.
    """

    label: str
    count: int
    groups: Sequence[tuple[Sequence[TextLine], int]]
    elsewhere: str
    tone: Tone = ""

    @property
    def height(self) -> int:
        """Lines of all that is to be shown."""
        return sum(len(lines) for lines, _ in self.groups)

    def in_room(self, room: int) -> list[TextLine]:
        """All of it, or as much as leaves a line for the number of the others."""
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
    """Every text under the label again; no more of them are made ready than `most` lines can show."""
    groups = [(wrapped(label, text, width, tone), 1) for text in islice(texts, most + 1)]
    return Listed(label, len(texts), groups, elsewhere, tone)


def side_by_side(label: str, texts: Sequence[str], width: int, elsewhere: str) -> Listed:
    """The texts one after the other, with commas, under one label; none of them is torn apart."""
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
    """The lists under each other in so many lines; who needs less than its share leaves the rest to the others."""
    shown = [each for each in lists if each.count]
    shares: dict[str, int] = {}
    for number, each in enumerate(sorted(shown, key=lambda each: each.height)):
        shares[each.label] = min(each.height, max(1, room // (len(shown) - number)))
        room -= shares[each.label]
    return [line for each in shown for line in each.in_room(shares[each.label])]
