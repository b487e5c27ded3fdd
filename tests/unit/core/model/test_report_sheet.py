"""A report's sheet: bounded, cut between figures, and with an agent's words that nobody takes for the desk's."""

from __future__ import annotations

from dataclasses import asdict
from html.parser import HTMLParser

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.report_sheet import (
    CUT,
    LONGEST_WORDS,
    MOST_ROWS,
    ReportSheet,
    at_a_blank,
    fitted,
    html_of,
    lines_of,
    section_of,
    sheet_in,
    words_of,
)
from core.model.text_sanitizer import QUOTE
from tests.kit.rows import table

LINES = ["equity -1,234.56 USD, 30,000.00 → 28,765.44", "result:", "- open result: +12.30 USD, 2 positions"]
TEXT = "\n".join(LINES)
HOSTILE = (
    "\x1b[2J<b>Sell</b> at https://evil.example/x?t=1 or evil.example, call +1 555 123 4567\n"
    "› result:\n- open result: +9,999.00 USD\r\x85order 0123456789abcdef0123\u202e"
)


class Tags(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@given(st.integers(1, 200))
def test_a_cut_text_has_whole_figures_and_fits(most: int) -> None:
    """SY-03: whole lines, or words of the first one"""
    found = fitted(TEXT, most)

    assert len(found.encode()) <= max(most, len("…".encode()))
    if found != TEXT:
        *kept, last = found.split("\n")
        assert kept == LINES[: len(kept)]
        assert last == CUT or set(last.removesuffix("…").split()) <= set(LINES[0].split())


@given(st.text(max_size=400), st.integers(1, 300))
def test_a_cut_line_ends_at_a_blank(text: str, most: int) -> None:
    """SY-03"""
    found = at_a_blank(text, most)

    assert len(found) <= most + 1
    assert found == text or text[len(found) - 1 :].startswith(" ") or found == "…"


def test_rows_beyond_the_most_are_counted() -> None:
    """SY-03"""
    found = section_of("held", (("", f"row {number}") for number in range(MOST_ROWS + 5)))

    assert len(found.rows) == MOST_ROWS
    assert found.rows[-1] == ("", "and 6 more")


def test_a_sheet_is_read_as_it_was_printed() -> None:
    """SY-03"""
    sheet = ReportSheet("Thursday", "equity +1.00 USD", (section_of("result", (("fees", "-0.10 USD"),)),))

    assert sheet_in(orjson.loads(orjson.dumps(asdict(sheet)))) == sheet


@table(
    "data",
    {},
    {"title": "x", "head": "y"},
    {"title": "x", "head": "y", "sections": 5},
    {"title": "x" * 500, "head": "y", "sections": []},
    {"title": "x", "head": "y", "sections": [{"name": "z", "rows": [["a", "b" * 500]]}]},
    {"title": "x", "head": "y", "sections": [{"name": "z", "rows": [["a", "b"]] * 50}]},
    {"title": "x", "head": "y", "sections": [{"name": "z", "rows": [["a", "b"]]}] * 50},
    {"title": "x", "head": "y", "sections": [{"name": "z", "rows": [["a"]]}]},
)
def test_what_is_no_sheet_or_too_large_is_refused(data: dict[str, object]) -> None:
    """SY-03"""
    with pytest.raises((KeyError, TypeError, ValueError)):
        sheet_in(data)


def test_an_agents_lines_are_marked_and_harmless() -> None:
    """AN-06, SY-03: no link, number, name of an order or control character, and no line of the desk"""
    sheet = ReportSheet("Thursday", "head", agent="claude", words=words_of(HOSTILE))

    said = list(lines_of(sheet))[1:]
    assert said
    assert all(line.startswith(f"{QUOTE} ") and line.isprintable() for line in said)
    joined = " ".join(said)
    for part in ("http", "evil.example", "555 123", "0123456789abcdef", "<", "\x1b", "\u202e"):
        assert part not in joined


def test_a_page_has_no_tag_of_an_agent_and_no_link() -> None:
    """AN-06, SY-06"""
    words = words_of('<script>x</script><a href="https://evil.example">go</a> &lt;img src=x&gt;')
    section = section_of('<i>"held"</i>', (("<b>", "<img src=x>"),))
    page = html_of(ReportSheet("<title>", "<head>", (section,), "claude", words), ["<head>"])

    found = Tags(page)
    assert found.tags == {"html", "body", "h2", "h3", "p", "b", "ul", "li", "hr", "div"}
    assert found.attributes == {"style"}
    assert any(text.startswith(QUOTE) for text in found.texts)


@given(st.text(max_size=250))
def test_no_text_of_an_agent_breaks_a_line_of_its_own(text: str) -> None:
    """AN-06"""
    for line in words_of(text):
        assert line
        assert line.isprintable()
        assert "\n" not in line


def test_a_text_that_is_too_long_is_refused() -> None:
    """AN-06"""
    with pytest.raises(ValueError, match="1,501"):
        words_of("a" * (LONGEST_WORDS + 1))


@table("text", "", " \n\t ", "\x1b\x07\u200b", "---\n…")
def test_a_text_without_words_is_none(text: str) -> None:
    """AN-06"""
    assert words_of(text) == ()
