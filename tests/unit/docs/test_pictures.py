"""The README's pictures show the desk as it is, in every viewer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("picture", sorted(DOCS.glob("*.svg")), ids=lambda path: path.name)
def test_no_viewer_drops_the_blanks_at_the_ends_of_a_text(picture: Path) -> None:
    """Without them `200.00` and `day` stand against each other, and so do `armed` and `0:59`"""
    texts = re.findall(r"<text [^>]*>", picture.read_text())
    assert texts
    assert all('xml:space="preserve"' in text for text in texts)
