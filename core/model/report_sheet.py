"""The report of a day or a week as its notice carries it, and its renderings as text and HTML (SY-03, AN-06).

Its figures are those of `keyturn report`, already in words. A sheet is bounded in size, because the journal records it.
Like every notice it carries nothing that acts. An agent's words come last, and each of their lines has a mark that no
line of the desk has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.model.lazy_dataclass import dataclass
from core.model.notification_sanitizer import harmless
from core.model.text_sanitizer import QUOTE, foreign

MOST_SECTIONS, MOST_ROWS = 13, 12
LONGEST_CELL = 240
"""Characters of one cell of a row."""
LONGEST_WORDS = 1_500
"""Characters that an agent may write; a longer text is left out."""
WIDTH = 72
"""Columns of a line of an agent's words."""
READ_AT_ONCE = 200
"""Characters of an agent's words that are made harmless together."""
MOST_TEXT = 3_600
"""Bytes of a report's text. The server of ntfy makes an attachment of a message over 4,096."""
CUT = "… cut here; the desk has the rest"


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading: a name, which may be empty, and what is said of it."""

    name: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReportSheet:
    """The report of a day or a week.

    Attributes
    ----------
    head
        The line that says most; the words of its notice.
    agent, words
        The agent that summarised it, and its lines; empty without one.
    """

    title: str
    head: str
    sections: tuple[Section, ...] = ()
    agent: str = ""
    words: tuple[str, ...] = ()


def section_of(name: str, rows: Iterable[tuple[str, str]]) -> Section:
    """Return a section with harmless cells; rows beyond `MOST_ROWS` are counted."""
    found = [(_cell(each), _cell(said)) for each, said in rows]
    if (more := len(found) - MOST_ROWS) > 0:
        found[MOST_ROWS - 1 :] = [("", f"and {more + 1} more")]
    return Section(name, tuple(found))


def sheet_in(data: Mapping[str, Any]) -> ReportSheet:
    """Parse a sheet. Raises KeyError, TypeError or ValueError if it is none or too large."""
    sections = tuple(
        Section(_bounded(each["name"]), tuple((_bounded(name), _bounded(said)) for name, said in each["rows"]))
        for each in data["sections"]
    )
    if len(sections) > MOST_SECTIONS or any(len(each.rows) > MOST_ROWS for each in sections):
        raise ValueError("it has more rows than a sheet may have")
    return ReportSheet(_bounded(data["title"]), harmless(data["head"]), sections)


def words_of(text: str) -> tuple[str, ...]:
    """Return an agent's text as harmless lines, without those that say nothing; empty if none is left.

    Raises ValueError if it is too long.
    """
    if len(text) > LONGEST_WORDS:
        raise ValueError(f"it wrote {len(text):,} characters; {LONGEST_WORDS:,} at most")
    lines = [line for each in text.splitlines() for line in _lines_of_words(each)]
    return tuple(lines)


def _lines_of_words(text: str) -> Iterator[str]:
    from textwrap import wrap

    for piece in wrap(foreign(text), READ_AT_ONCE):
        yield from (safe for line in wrap(harmless(piece), WIDTH) if any(map(str.isalnum, safe := harmless(line))))


def _cell(text: str) -> str:
    return at_a_blank(harmless(text), LONGEST_CELL)


def _bounded(text: str) -> str:
    if len(text) > LONGEST_CELL:
        raise ValueError("a cell is longer than a sheet's may be")
    return str(text)


def lines_of(sheet: ReportSheet) -> Iterator[str]:
    """Yield the lines below the head, an agent's words last."""
    for section in sheet.sections:
        yield f"{section.name}:"
        yield from (f"- {name}: {said}" if name else f"- {said}" for name, said in section.rows)
    if sheet.words:
        yield f"{written_by(sheet)}:"
        yield from (f"{QUOTE} {line}" for line in sheet.words)


def written_by(sheet: ReportSheet) -> str:
    return f"the agent {sheet.agent} writes, in its own words; no figure here is the desk's"


def html_of(sheet: ReportSheet, heads: Iterable[str]) -> str:
    """Return the page for a mail, without a link, a picture or a script; `heads` are its first lines.

    It has lists and no tables: the plain part that a mail has beside it is made from them.
    """
    from html import escape

    parts = [f"<h2>{escape(sheet.title)}</h2>", *(f"<p><b>{escape(head)}</b></p>" for head in heads)]
    for section in sheet.sections:
        rows = (f"<b>{escape(name)}</b>: {escape(said)}" if name else escape(said) for name, said in section.rows)
        listed = "".join(f"<li>{row}</li>" for row in rows)
        parts.append(f"<h3>{escape(section.name)}</h3><ul>{listed}</ul>")
    if sheet.words:
        said = "".join(f"<p>{QUOTE} {escape(line)}</p>" for line in sheet.words)
        style = "border-left:4px solid #888;padding-left:12px;color:#555"
        parts.append(f'<hr><h3>{escape(written_by(sheet))}:</h3><div style="{style}">{said}</div>')
    return f'<html><body style="font-family:sans-serif">{"".join(parts)}</body></html>'


def fitted(text: str, most: int) -> str:
    """Return a text of at most so many bytes: its first whole lines, and a last one that says that it is cut.

    A first line that is longer is cut at a blank, so never inside of a figure.
    """
    if len(text.encode()) <= most:
        return text
    first, *rest = text.split("\n")
    room = most - len(f"\n{CUT}".encode())
    if len(first.encode()) > room:
        while first and len(first.encode()) > most - len("…".encode()):
            first = first.rpartition(" ")[0]
        return f"{first}…"
    kept, used = [first], len(first.encode())
    for line in rest:
        used += len(f"\n{line}".encode())
        if used > room:
            break
        kept.append(line)
    return "\n".join([*kept, CUT])


def at_a_blank(text: str, most: int) -> str:
    """Return at most so many characters of a line, cut at a blank."""
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]}…"
