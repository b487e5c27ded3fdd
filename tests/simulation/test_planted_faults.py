"""Each planted fault is found by the shortest session known to find it, and that session is right without it."""

from __future__ import annotations

import pytest

from tests.simulation.kept_sessions import FAULTS, finds, session_for
from tests.simulation.shrink import goes_wrong


@pytest.mark.parametrize("fault", FAULTS)
def test_a_session_finds_the_planted_fault(fault: str) -> None:
    """OP-01, OP-02, OP-05 to OP-07, OP-13, EX-04 to EX-06, EX-10, EX-13, EX-20 to EX-22, RK-09, RK-23 to RK-27, SP-01"""
    session = session_for(fault)

    assert finds(fault, session)
    assert not goes_wrong(session)
