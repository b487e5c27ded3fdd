"""Sessions from desks that come and go, and faults of the key that they must find."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.desk_faults import DESK_FAULTS
from tests.simulation.play import Played, play
from tests.simulation.sessions import session_with_desks

SEED = 20_131_008
SOME = 20


def test_from_desks_that_come_and_go_no_key_acts_that_was_not_its_holder_s(
    record_property: Callable[[str, object], None],
) -> None:
    """OP-13, RK-27, OP-01, OP-02"""
    played = Played()
    for number in range(SOME):
        played.add(play(session_with_desks(SEED, number)))

    assert played.failures == []
    assert not any((played.zeros.lost, played.zeros.doubled, played.zeros.differing))
    for what in ("desks lost", "hand-overs", "keys freed", "keys of desks tried", "commands refused", "confirmations"):
        assert played.reached[what] > SOME, what
        record_property(f"reached: {what}", played.reached[what])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", DESK_FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_the_key_is_found(
    fault: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """OP-13, RK-27"""
    fault(monkeypatch)

    for number in range(SOME):  # of which the test above finds nothing without it
        found = play(session_with_desks(SEED, number)).failures
        if found:
            break

    assert found, f"{SOME} sessions did not find it"
    words = found[0].words
    assert not any("Error" in word for word in words), words
    record_property(f"found: {fault.__name__}", f"{number + 1} sessions: {words[0]}")
