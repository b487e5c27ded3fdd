"""Hostile texts of agents, drawn: no row of them looks like one of the desk's own, and no border moves (OP-09, SY-06).

Each text goes the way of an agent's: through the parser of drafts and the rows of the view, to the dialog of a draft,
the ticket and the list of `A`, at two sizes. Cells are counted by another library than the desk's. The desk's labels
are read from its code, its marks from what the same screens draw of a plain text.

`make soak PART=texts N=1000` draws that many; `ARGS='--plant marks'` draws with a fault planted.
"""

from __future__ import annotations

import ast
import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import pytest
from wcwidth import wcwidth

from console.screens import advice as advice_screen
from console.screens import draft as draft_screen
from core.model.text_sanitizer import harmless
from core.protocol import agent_drafts
from core.protocol.agent_drafts import draft_of, text_of
from core.protocol.agent_frames import LONGEST_REASON, LONGEST_TEXT, SubmitDraft, Terms
from core.views import AdviceRow, AdviceView, DraftRow, TicketView
from core.views.builders import drafts as draft_rows
from tests.kit.screen import drawn_on_demand
from tests.kit.screen import text_of as screen_of
from tests.kit.virtual_time import VirtualLoop, patched
from tests.snapshots.day import full
from tests.snapshots.drafted import ADOPTED, FACTS, FALSE, with_draft
from tests.snapshots.still import Still, still_desk
from tests.snapshots.tickets import numbered, opens_the_first, with_ticket
from tests.soak.chunks import Chunks, Play
from widgets import lines, ticket_text
from widgets.draft_text import MARKS, NO_FACTS

SIZES = ((80, 24), (150, 45))
SCREENS = ("draft", "ticket", "texts")
A_CHUNK = 50
ROOT = Path(__file__).parents[2]
LABELLED = (
    "console/screens/draft.py",
    "console/screens/advice.py",
    "console/ticket_status.py",
    "widgets/ticket_text.py",
)
DRAWING = frozenset({"wrapped", "quoted", "field", "_figure", "_usd", "Cell"})
"""Functions whose first argument is a label or the beginning of a row."""
SHORTEST = 3
"""Characters of a label: a shorter one begins many words."""
CORNERS = ("╭╮╰╯", "┌┐└┘")
EDGES = "│"
PLAIN = "it is low"


def labels() -> frozenset[str]:
    """The texts with which the desk begins a row of these screens, as its code has them."""
    found: set[str] = set(MARKS.values())
    for name in LABELLED:
        tree = ast.parse((ROOT / name).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DRAWING and node.args:
                found.update(_beginnings(node.args[0]))
            elif isinstance(node, ast.Assign):
                found.update(_beginnings(node.value))
    return frozenset(text for each in found if len(text := each.strip()) >= SHORTEST or text in MARKS.values())


def _beginnings(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield text
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _beginnings(part)
        case ast.Dict(values=parts):
            for part in parts:
                yield from _beginnings(part)
        case ast.IfExp(body=one, orelse=other):
            yield from _beginnings(one)
            yield from _beginnings(other)


LABELS = labels()


# ── hostile texts ────────────────────────────────────────────────────────────────────────────────────────────────────

BLANKS = "\u2800\u115f\u1160\u3164\uffa0\u00a0\u3000\u2003\u200b\u1680 \t"
BOXES = "│┃─━┌┐└┘╭╮╰╯├┤┼▏▕█▌░▁▇▲▼●○◆▸▹"
SIGNS = "✓✗✔✘☑☒✅❌·•…–—×→←≤≥≈›‹?!"
WIDE = "表示中文字漢字일본어ｆａｃｔｓＳＴＯＰ"
COMBINING = "a\u0301\u0302\u0489e\u20dd\u0334o\ufe0f1\ufe0f\u20e3\u034f"
TURNED = "\u202e\u202d\u2066\u2067\u2069\u200f\u061cאבגدهו١٢٣"
EMOJI = ("👩\u200d👩\u200d👧", "🇺🇸", "👍🏽", "❤\ufe0f", "☎\ufe0e", "🏴\U000e0067\U000e0062\U000e007f", "💥")
ESCAPES = ("\x1b[2J", "\x1b[31m", "\x1b]0;title\x07", "\x1bP", "\x9b1A", "\r", "\n", "\x00", "\x7f", "\x08" * 9)
OTHERS = "".join(
    map(chr, (*range(0xA1, 0x250), *range(0x2010, 0x2070), *range(0x2190, 0x2600), *range(0x2700, 0x27C0)))
)


def a_text(chance: random.Random, most: int) -> str:
    """A few pieces, each of one kind; often as many blanks as lead to the next row, and then a row of the desk."""
    pieces: list[str] = []
    while len("".join(pieces)) < most and (not pieces or chance.random() < 0.9):
        pieces.append(chance.choice(KINDS)(chance))
    return "".join(pieces)[:most] or PLAIN


def _some(signs: Sequence[str], longest: int) -> Callable[[random.Random], str]:
    return lambda chance: "".join(chance.choice(signs) for _ in range(chance.randrange(1, longest)))


def _a_row(chance: random.Random) -> str:
    """A row of the desk behind enough of one blank, or of a word, to begin the next row with it."""
    way = chance.choice((chance.choice(BLANKS), "x", "表"))
    label = chance.choice(sorted(LABELS))
    words = chance.choice(("✓ SPY price 510.20", "SPY position 0", "12.00 USD", NO_FACTS, "39 ok"))
    return f"{way * chance.randrange(0, 90)}{chance.choice(' │·')}{label} {words} "


def _a_long_word(chance: random.Random) -> str:
    return chance.choice("xW表é") * chance.randrange(60, 300)


KINDS: Sequence[Callable[[random.Random], str]] = (
    _a_row, _a_row, _a_row, _a_row, _a_long_word, _some(BLANKS, 90), _some(BOXES, 40), _some(SIGNS, 20),
    _some(WIDE, 60), _some(COMBINING, 30), _some(TURNED, 20), _some(EMOJI, 8), _some(ESCAPES, 4), _some(OTHERS, 40),
    _some(("it ", "is ", "low ", "facts ", "why "), 20),
)  # fmt: skip


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Drawn:
    """What is compared of one screen.

    Attributes
    ----------
    begins
        How many rows begin with each label.
    marks
        How often each character beside ASCII, letters and the replacement stands in it.
    moved
        Rows whose cells are not those of the terminal, or whose borders are not below those of the first row.
    """

    begins: Counter[str]
    marks: Counter[str]
    moved: int


def drawn(picture: str, width: int) -> Drawn:
    rows = picture.splitlines()
    box, moved = _innermost(rows, width)
    begins = Counter(label for row in box for label in LABELS if _begins(row, label))
    marks = Counter(sign for row in box for sign in row if not sign.isascii() and not sign.isalnum())
    return Drawn(begins, marks, moved)


def _begins(row: str, label: str) -> bool:
    text = row.strip(f" {EDGES}")
    return text == label or text.startswith((f"{label} ", f"{label}:"))


def _innermost(rows: Sequence[str], width: int) -> tuple[list[str], int]:
    """Return the rows of the dialog, and how many of all rows have a border that moved."""
    placed = [_by_cell(row) for row in rows]
    moved = sum(len(cells) > width for cells in placed)
    corners = next(
        (kind, y, cells.index(kind[0]), len(cells) - 1 - cells[::-1].index(kind[1]))
        for kind in CORNERS
        for y, cells in enumerate(placed)
        if kind[0] in cells and kind[1] in cells
    )
    kind, top, left, right = corners
    inside: list[str] = []
    for cells in placed[top + 1 :]:
        at = [cells[x] if x < len(cells) else "" for x in (left, right)]
        if at == [kind[2], kind[3]]:
            return inside, moved
        moved += at != [EDGES, EDGES]
        inside.append("".join(cells[left + 1 : right]))
    return inside, moved + 1


def _by_cell(row: str) -> list[str]:
    """Return the character of each cell; a wide one has a second, empty cell."""
    cells: list[str] = []
    for character in row:
        many = wcwidth(character)
        if many <= 0 and cells:
            cells[-1] += character if many == 0 else "\0\0"
        cells += [character, ""][:many] if many > 0 else []
    return cells


class Screens:
    """The three screens on one desk of a size; each shows one text after the other."""

    def __init__(self, still: Still, width: int) -> None:
        self.still, self.width = still, width

    async def opens(self, screen: str) -> None:
        await (opens_the_first(self.still) if screen == "ticket" else self.still.press(*KEYS[screen]))

    async def shows(self, screen: str, text: str) -> Drawn:
        if screen == "texts":
            row = AdviceRow("1", "claude", FALSE.drafted_at, text, FALSE.expires_at)
            await self.still.shows_next(replace(self.still.view, advice=AdviceView((row,), ("claude",))))
        elif screen == "draft":
            await self.still.shows_next(replace(self.still.view, drafts=(a_row(text),)))
        else:
            tickets = tuple(told_by(each, text) for each in self.still.view.tickets)
            await self.still.shows_next(replace(self.still.view, tickets=tickets))
        return drawn(screen_of(self.still.desk), self.width)


KEYS = {"draft": ("1", "end", "enter"), "texts": ("A",)}


def a_row(text: str) -> DraftRow:
    shown = draft_rows.shortened(text, draft_rows.REASON)
    return replace(FALSE, reason=shown, facts=() if len(text) % 2 else FACTS)


def told_by(ticket: TicketView, text: str) -> TicketView:
    assert ticket.draft is not None
    shown = draft_rows.shortened(text, draft_rows.BRIEF)
    return replace(ticket, draft=replace(ticket.draft, reason=shown, facts=()))


def taken(raw: str) -> str:
    """The reason as the parser of drafts takes it."""
    terms = Terms("SPY", "buy", "1", "limit", "510.20", "505")
    return draft_of(SubmitDraft(1, "a", terms, raw)).reason


# ── the play ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Played:
    """How many drawings were compared, and what was found in them."""

    drawings: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    first: str = ""

    def add(self, other: Played) -> None:
        self.drawings += other.drawings
        self.found.update(other.found)
        self.first = self.first or other.first


def play(seed: int, first: int, many: int) -> Played:
    with pytest.MonkeyPatch.context() as patching, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        patched(patching)
        drawn_on_demand(patching)
        return runner.run(_play(seed, range(first, first + many)))


async def _play(seed: int, numbers: range) -> Played:
    played = Played()
    view = full(proposals=(ADOPTED,), drafts=(FALSE,))
    for width, height in SIZES:
        for screen in SCREENS:
            answer = with_ticket(numbered(with_draft))
            shown = replace(view, proposals=()) if screen == "draft" else view
            async with still_desk(shown, (width, height), answer) as still:
                screens = Screens(still, width)
                await screens.opens(screen)
                plain = {odd: await screens.shows(screen, PLAIN + "." * odd) for odd in (0, 1)}
                for number in numbers:
                    chance = random.Random(f"{seed}:{number}")
                    raw = a_text(chance, LONGEST_TEXT if screen == "texts" else LONGEST_REASON)
                    try:
                        text = text_of(raw) if screen == "texts" else taken(raw)
                    except agent_drafts.TermsError:
                        continue  # refused, and so drawn nowhere
                    _compare(
                        played,
                        f"{screen} {width}×{height}",
                        plain[(len(text) + 1) % 2],
                        raw,
                        await screens.shows(screen, text),
                    )
    return played


def _compare(played: Played, place: str, plain: Drawn, raw: str, found: Drawn) -> None:
    quotes = ticket_text.QUOTED.strip()
    marks = {sign for sign in found.marks - plain.marks if sign not in (quotes, "\ufffd", "…") and sign in OWN}
    faults = {
        "rows that begin with a label": sum((found.begins - plain.begins).values()),
        "marks of the desk": len(marks),
        "borders that moved": found.moved,
    }
    played.drawings[place] += 1
    for words, many in faults.items():
        played.found[words] += many
        if many and not played.first:
            played.first = f"{place}: {words}: {raw!r}"


def _own() -> frozenset[str]:
    """Every sign beside ASCII that is no letter in a text of the desk's code."""
    found: set[str] = set()
    for folder in ("console", "widgets"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            texts = (each.value for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Constant))
            found.update(sign for text in texts if isinstance(text, str) for sign in text)
    return frozenset(sign for sign in (*found, *BOXES) if not sign.isascii() and not sign.isalnum())


OWN = _own()
"""The desk's marks."""


# ── planted faults ───────────────────────────────────────────────────────────────────────────────────────────────────

FAULTS = ("marks", "quotes", "widths")


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Keep the desk's marks in a text, draw its rows like the desk's own, or draw characters of any width."""
    if name == "marks":
        with (
            patch.object(agent_drafts, "foreign", lambda text: harmless(" ".join(text.split()))),
            patch.object(draft_rows, "shortened", lambda text, most: text[:most]),
        ):
            yield
    elif name == "quotes":
        with (
            patch.object(draft_screen, "quoted", ticket_text.wrapped),
            patch.object(ticket_text, "quoted", ticket_text.wrapped),
            patch.object(advice_screen, "quoted", ticket_text.wrapped),
        ):
            yield
    else:
        with (
            patch.object(agent_drafts, "foreign", lambda text: " ".join(text.split())),
            patch.object(draft_rows, "shortened", lambda text, most: text[:most]),
            patch.object(lines, "harmless", lambda text: text),
        ):
            yield


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Draw them and print the table; 1 where something was found. With a fault planted: 0 where it is found."""
    begun, played = time.monotonic(), Played()
    every = chunks(play, A_CHUNK)
    if plant is not None:
        with planted(plant):
            played.add(play(every.seed, 0, A_CHUNK))
    else:
        for chunk in every.results(cores):
            played.add(chunk)
    for place, many in sorted(played.drawings.items()):
        print(f"  {place:<28} {many:>8,}")
    for words, many in played.found.items():
        print(f"  {words:<28} {many:>8,}")
    print(f"  {played.first or 'nothing was found'}, {time.monotonic() - begun:,.0f} s")
    return int(bool(played.first) is (plant is None))
