"""Hostile programs at the socket of agents reach nothing but the inbox, and hinder no honest one (OP-09).

`make soak PART=agents N=5000` plays more of them.
"""

from __future__ import annotations

import pytest

from tests.soak.hostile_agents import A_CHUNK, planted, play

MANY = 60


def test_hostile_sessions_reach_nothing() -> None:
    """OP-09, OP-15: only drafts, texts and refusals; honest agents are answered, and their drafts confirmed"""
    sessions, told, confirmed = 0, 0, 0
    for first in range(0, MANY, A_CHUNK):
        played = play(5, first, min(A_CHUNK, MANY - first))
        assert played.failures == []
        sessions, told = sessions + played.sessions, told + played.told
        confirmed += played.confirmed

    assert (sessions, told) == (MANY, MANY)
    assert confirmed > MANY / 10


@pytest.mark.parametrize("fault", ["desk", "touch", "waiting", "file", "others"])
def test_a_planted_fault_is_found(fault: str) -> None:
    """OP-09, OP-15: a desk's frame that is taken; an order without a touch; calls that wait without a bound;
    entries that a change of agents blocks; the limits of another agent"""
    with planted(fault):
        assert play(5, 0, A_CHUNK).failures
