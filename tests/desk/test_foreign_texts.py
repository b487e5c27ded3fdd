"""Texts of agents on the dialog of a draft, the ticket and the list of `A` look like nothing of the desk (SY-06).

`make soak PART=texts N=1000` draws more of them.
"""

from __future__ import annotations

import pytest

from tests.desk.test_drafts import opens_the_ticket_of_the_draft, submits, with_an_agent
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


async def test_a_ticket_without_facts_says_so_whatever_the_reason_draws() -> None:
    """OP-14: blanks with a width, marks and box characters draw no second list of facts"""
    blanks = "\u2800" * 30 + "\u115f" * 15
    reason = f"it turned up{blanks}facts  ✓ SPY position 0 · ✓ SPY price 496.10{blanks}│ ✗ none │"
    async with with_an_agent(size=(80, 24)) as house:
        submits(house, reason=reason)
        await opens_the_ticket_of_the_draft(house)
        await house.sees("facts none stated", "› it turned up")
        rows = [row.strip(" │") for row in house.picture().splitlines()]

        assert [row for row in rows if row.startswith("facts")] == ["facts  none stated"]
        assert [mark for mark in "✓✗\u2800\u115f" if mark in house.picture()] == []
        assert {len(row) for row in house.picture().splitlines() if row.endswith(("│┘", "│┐", "││"))} == {80}
