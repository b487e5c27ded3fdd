"""Some accidents in every run of the tests; `make soak PART=accidents N=100000` plays many more."""

from collections import Counter

import pytest

from tests.accidents.kinds import KINDS
from tests.accidents.play import A_DESK, Played, play_desk
from tests.accidents.two_desks import TWO

SEED = 20_260_105
A_RUN = 5


@pytest.mark.parametrize(("desk", "deliberate"), [(3, 0.3), (5, 0.5)])
def test_only_deliberate_presses_confirm(desk: int, deliberate: float) -> None:
    """OP-04, OP-13: accidents over the real desk and engine, once with the engine behind a socket"""
    played = play_desk(SEED, desk * A_DESK, A_RUN, deliberate=deliberate)
    assert not [failure for failure in played.failures if failure.words]
    assert played.many >= A_RUN // 2
    assert played.deliberate >= 1
    assert played.confirmed == played.deliberate


def test_the_same_seed_plays_the_same_accidents() -> None:
    first, again = (figures(play_desk(SEED, 6 * A_DESK, 2)) for _ in range(2))
    assert first == again


def figures(played: Played) -> tuple[Counter[str], int, int, float]:
    assert set(played.accidents) <= {*KINDS, *TWO}
    return played.accidents, played.deliberate, played.confirmed, round(played.seconds, 6)
