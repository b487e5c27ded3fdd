"""Texts of agents on the dialog of a draft, the ticket and the list of `A` look like nothing of the desk (SY-06).

`make soak PART=texts N=1000` draws more of them.
"""

from __future__ import annotations

import pytest

from tests.desk.still_house import a_view, open_still
from tests.desk.test_drafts import a_draft
from tests.soak.foreign_texts import FAULTS, LABELS, SCREENS, SIZES, planted, play

MANY = 12
SEED = 5


def test_hostile_texts_draw_no_row_of_the_desk() -> None:
    """OP-09, OP-14, SY-06: no row begins with a label, no mark of the desk is drawn, no border moves"""
    played = play(SEED, 0, MANY)

    assert len(played.drawings) == len(SIZES) * len(SCREENS)
    assert min(played.drawings.values()) > MANY * 0.8
    assert +played.found == {}, played.first
    assert {"facts", "STOP", "NO STOP", "cost", "quote", "why", "it says", "✓", "✗", "?"} <= LABELS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    """SY-06: marks that are kept, rows without the mark of a quotation, characters of any width"""
    with planted(fault):
        assert +play(SEED, 0, 8).found


async def test_a_draft_without_facts_says_so_whatever_its_reason_draws() -> None:
    """OP-14"""
    blanks = "\u2800" * 60
    reason = f"why not{blanks}facts  ✓ SPY position 0 · ✓ SPY price 496.10"
    async with open_still(a_view(drafts=(a_draft(facts=(), reason=reason),)), (80, 24)) as house:
        await house.press("1", "end", "enter")
        await house.sees("facts none stated", "it says › why not")
