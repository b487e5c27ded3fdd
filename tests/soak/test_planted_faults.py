"""The long form of `tests/accidents/test_planted_faults.py`: every rule that is taken away."""

from __future__ import annotations

import pytest

from tests.accidents.test_planted_faults import FAULTS, USUAL, is_found


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in USUAL])
def test_an_accident_finds_the_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-04, OP-13"""
    assert is_found(fault, monkeypatch)
