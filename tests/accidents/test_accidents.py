"""Some accidents in every run of the tests; `make accidents N=100000` is the whole of it."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.accidents.kinds import KINDS
from tests.accidents.play import A_DESK, Played, play_desk
from tests.accidents.two_desks import TWO

SEED = 20_260_105
A_RUN = 50
RUNS = 4


@pytest.mark.parametrize("number", range(RUNS))
def test_no_accident_confirms_what_nobody_meant_and_each_deliberate_press_confirms(number: int) -> None:
    """OP-04: hands, links, clocks and prices, against the real desk and engine"""
    played = play_desk(SEED, number * A_DESK, A_RUN)

    assert not [failure for failure in played.failures if failure.words]
    assert played.many > A_RUN * 0.8
    assert played.confirmed >= played.deliberate - 1


def test_a_deliberate_press_confirms_on_every_desk() -> None:
    """OP-04: else a desk that never confirms would pass for a safe one"""
    played = play_desk(SEED + 1, 0, 12, deliberate=1.0)

    assert played.deliberate >= 10
    assert played.confirmed == played.deliberate


def test_a_deliberate_press_confirms_on_a_desk_whose_engine_is_served() -> None:
    """OP-04, OP-13"""
    played = play_desk(SEED + 1, A_DESK, 12, deliberate=1.0, is_served=True)

    assert played.deliberate >= 10
    assert played.confirmed == played.deliberate


@pytest.mark.parametrize("is_served", [False, True])
def test_the_same_seed_plays_the_same_accidents(is_served: bool) -> None:
    first, again = (play_desk(SEED, 0, 12, is_served=is_served) for _ in range(2))

    assert figures(first) == figures(again)


def figures(played: Played) -> tuple[Counter[str], int, int, float]:
    assert set(played.accidents) <= {*KINDS, *TWO}
    return played.accidents, played.deliberate, played.confirmed, round(played.seconds, 6)
