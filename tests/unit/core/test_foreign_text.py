"""What stays of a text that the desk did not write: its letters, and nothing that the desk draws (SY-06)."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from core.model.text_sanitizer import QUOTE, REPLACEMENT, cells, foreign, shortened
from tests.kit.rows import table
from tests.soak.foreign_texts import OWN
from widgets.lines import in_rows

EVERY = tuple(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0x20100), *range(0xE0000, 0xE0200))))
"""The first two planes, and tags; what is left are ideographs, private and unassigned characters."""
KEPT = tuple(sign for sign in EVERY if foreign(f"a{sign}") == f"a{sign}")


def test_no_mark_of_the_desk_stays() -> None:
    """SY-06: a new one in the code of console or widgets is among them"""
    assert {"✓", "✗", "│", "─", "·", "…", "▸", "▲", "█", QUOTE} <= OWN | {QUOTE}
    assert sorted(OWN & set(foreign("".join(OWN)))) == [REPLACEMENT]


def test_what_stays_has_the_cells_of_a_terminal() -> None:
    """SY-06: and never joins what stands beside it into another width"""
    assert len(KEPT) > 50_000
    assert [sign for sign in KEPT if not cells(sign) == cell_len(sign) == wcwidth(sign)] == []
    assert [sign for sign in KEPT if cell_len(f"a{sign}1") != 2 + cells(sign)] == []


def test_what_stays_is_read_from_left_to_right() -> None:
    """SY-06: a terminal that turns a text around takes the figures beside it along"""
    assert {unicodedata.bidirectional(sign) for sign in KEPT} & {"R", "AL", "AN", "RLO", "LRO", "RLE", "RLI"} == set()


@table(
    "text kept",
    ("it is low; 3.5 % of 510.20 (USD)", "it is low; 3.5 % of 510.20 (USD)"),
    ("Ich kaufe für 5 €: été, niño, Žižek", "Ich kaufe für 5 €: été, niño, Žižek"),
    ("価格は、低い。", "価格は、低い。"),
    ("“low” – it’s 2 × ≥ 3 … now → up", '"low" - it\'s 2 x >= 3 ... now -> up'),
    ("a\t\n b\u00a0\u3000 c", "a b c"),
    ("a\u2800b\u115fc\u1160d\u3164e\uffa0f", "a�b�c�d�e�f"),
    ("✓ ✗ │ ▸ 🚀 ❤\ufe0f", "� � � � � ��"),
    ("\x1b[2Jאב", "�[2J��"),
    ("", ""),
)
def test_a_text_keeps_its_writing(text: str, kept: str) -> None:
    """SY-06"""
    assert foreign(text) == kept


@given(st.text())
def test_a_text_that_was_taken_stays(text: str) -> None:
    """SY-06: also where it is taken again"""
    assert foreign(foreign(text)) == foreign(text)
    assert foreign(text).isprintable()


@given(st.text(), st.integers(1, 60))
def test_a_shortened_text_fits(text: str, most: int) -> None:
    """SY-06"""
    assert cell_len(shortened(text, most)) <= most


@given(st.text(st.sampled_from("ab 表示é\u0301日-")), st.integers(2, 40))
def test_rows_are_as_wide_as_they_may_be_and_lose_nothing(text: str, width: int) -> None:
    """SY-06: at any width of its characters"""
    rows = in_rows(text, width)

    assert all(cell_len(row) <= width for row in rows)
    assert "".join("".join(rows).split()) == "".join(text.split())


@table(
    "text kept",
    ("a ǀ b ㅣ c 丨 d 〡 e ⵏ f", "a | b | c | d | e | f"),
    ("a ᐧ b ꞏ c", "a * b * c"),
    ("a ᐃ b ᐱ c ᐯ d", "a ^ b ^ c v d"),
    ("ᐳ price ᐅ 500 ᐸ", "> price > 500 <"),
)
def test_a_letter_that_looks_like_a_mark_becomes_ascii(text: str, kept: str) -> None:
    """SY-06: borders, points and arrows of other scripts"""
    assert foreign(text) == kept
