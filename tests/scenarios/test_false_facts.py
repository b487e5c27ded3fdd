"""Drafts with drawn facts of every figure that a tool returns: each false one is found, no true one accused (OP-14)."""

from __future__ import annotations

from core.model.draft import FactResult
from tests.scenarios.drawn_facts import play
from tests.soak.drawn_drafts import planted

DRAFTS = 400
FOUND_WITHIN = 60
"""Drafts within which a planted fault shows."""


def test_each_false_fact_is_found_and_no_true_one_accused() -> None:
    """OP-14: moved by a tick to 5 %, at ages of up to ten minutes, on a moving market with fills"""
    count = play(7, DRAFTS)

    assert (count.missed, count.accused, count.unknown, count.aged) == ([], [], [], [])
    assert (count.drafts, count.false) == (DRAFTS, DRAFTS // 2)
    assert count.results[FactResult.DIFFERS] == count.false
    assert count.results[FactResult.OLD] > DRAFTS // 2
    assert len(count.fields) > 50


def test_a_tolerance_that_is_too_wide_is_found() -> None:
    """OP-14"""
    with planted("wide"):
        assert play(7, FOUND_WITHIN).missed


def test_a_comparison_with_the_figures_of_now_is_found() -> None:
    """OP-14"""
    with planted("now"):
        count = play(7, FOUND_WITHIN)
    assert count.accused
