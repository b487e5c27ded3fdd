"""What came from outside stands in a page as text, and does nothing there."""

from __future__ import annotations

import json
import unicodedata
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics import presentation
from core.analytics.presentation import escaped, value_of
from core.model.text_sanitizer import HARMFUL, harmless, harmless_json

CHARACTERS = [*map(chr, range(0x250)), *"\u200b\u202e\u2066\ufeff\ufffe\ue000日🚀\U000e0001\U0010ffff", "\ud800"]
"""One of each category at the least, whose own tables are slow to build."""


def test_an_attestation_has_no_control_character() -> None:
    """SY-06: neither those of the terminal nor those that turn the direction of reading."""
    words = "\x1b[31mred\x07 \u202ereversed\u2066 <b>bold</b>\x9b2J\x00"
    row = dict.fromkeys(presentation.HEAD, words)

    page = presentation.attestation_page([row], [True], [words])

    assert not [c for c in page if c != "\n" and unicodedata.category(c) in HARMFUL]
    assert "&lt;b&gt;bold" in page


@settings(max_examples=30)
@given(st.text(st.sampled_from(CHARACTERS)))
def test_escaped_text_is_the_terminals_text(text: str) -> None:
    """SY-06: the page shows what the terminal shows."""
    shown = escaped(text)

    assert unescape(shown) == harmless(text)
    assert not [c for c in shown if c in "<>\"'" or unicodedata.category(c) in HARMFUL]


@settings(max_examples=30)
@given(st.text(st.sampled_from([c for c in CHARACTERS if unicodedata.category(c) != "Cs"])))
def test_json_has_no_harmful_character(text: str) -> None:
    """SY-06: also of those that one escape is too short for."""
    written = harmless_json(json.dumps({"words": text}, ensure_ascii=False))

    assert json.loads(written) == {"words": text}
    assert not [c for c in written if unicodedata.category(c) in HARMFUL]


def test_a_rounded_zero_has_no_sign() -> None:
    """AN-04"""
    assert [value_of(-0.004, "money"), value_of(-0.00004, "percent"), value_of(-0.005001, "money")] == [
        "0.00",
        "0.00 %",
        "-0.01",
    ]
