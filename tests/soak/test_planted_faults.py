"""The long form of `test_planted_faults.py` in tests/accidents and tests/simulation: every fault."""

from __future__ import annotations

import pytest

from tests.accidents.test_planted_faults import FAULTS, USUAL, is_found
from tests.simulation import test_planted_faults as of_days
from tests.simulation.kept_sessions import RANDOM_DAYS


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in USUAL])
def test_an_accident_finds_the_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-04, OP-13"""
    assert is_found(fault, monkeypatch)


@pytest.mark.parametrize("fault", [fault for fault in RANDOM_DAYS if fault not in of_days.USUAL])
def test_random_days_find_the_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-02, EX-05, EX-13, EX-20, RK-01, RK-09, SP-01"""
    of_days.days_find(fault, monkeypatch)
