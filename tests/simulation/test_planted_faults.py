"""Each planted fault is found by the shortest session, or by the first random days, known to find it."""

from __future__ import annotations

import pytest

from tests.simulation import order_faults
from tests.simulation.kept_sessions import FAULTS, RANDOM_DAYS, finds, session_for
from tests.simulation.machine import a_run
from tests.simulation.shrink import goes_wrong

USUAL = ("any_key_replaces", "nothing_is_refused", "the_digest_is_not_compared")
"""Of those that random days find; `make soak` has the others."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_session_finds_the_planted_fault(fault: str) -> None:
    """OP-02, OP-05 to OP-07, OP-13, EX-04 to EX-06, EX-10, EX-13, EX-20 to EX-22, RK-23 to RK-27, SP-01"""
    session = session_for(fault)

    assert finds(fault, session)
    assert not goes_wrong(session)


@pytest.mark.parametrize("fault", USUAL)
def test_random_days_find_the_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-02, EX-05, EX-13, EX-20, RK-01, RK-09, SP-01"""
    days_find(fault, monkeypatch)


def days_find(fault: str, patch: pytest.MonkeyPatch) -> None:
    seed, days = RANDOM_DAYS[fault]
    getattr(order_faults, fault)(patch)
    with pytest.raises(AssertionError):
        a_run(days, seed, shrinks=False)
