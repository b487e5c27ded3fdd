"""Each rule that is taken away is found by the accident that is known to find it, within a few tries."""

from __future__ import annotations

import pytest

from tests.accidents import planted
from tests.accidents.play import A_DESK, play_desk

TRIES = 4
FAULTS = {
}
"""The rule, the accident that shows its loss, the seed, and the number of the desk."""


@pytest.mark.parametrize("fault", FAULTS)
def test_an_accident_finds_the_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-04, OP-13"""
    kind, seed, desk, is_served = FAULTS[fault]
    getattr(planted, fault)(monkeypatch)

    played = play_desk(seed, desk * A_DESK, TRIES, kinds=(kind,), deliberate=0.0, is_served=is_served)

    assert [failure for failure in played.failures if failure.words]
