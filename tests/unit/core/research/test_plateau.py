"""The best combination and its neighbours, the map, and the combinations of a space."""

from __future__ import annotations

import pytest

from core.ports import OperatorError
from core.research.sweeps.plateau import best_point, heat_map, plateau_at
from core.research.sweeps.space import Axis, AxisValue, Point, Space


def an_axis(name: str, *labels: str, is_ordered: bool = True) -> Axis:
    return Axis(name, tuple(AxisValue(label, (f"{name}={label}",)) for label in labels), is_ordered)


AXES = (an_axis("a", "1", "2", "3"), an_axis("b", "1", "2", "3"))


def scores(*rows: tuple[float, float, float]) -> dict[Point, float]:
    return {(row, column): cell for row, cells in enumerate(rows) for column, cell in enumerate(cells)}


def test_a_shared_gain_is_a_plateau() -> None:
    """AN-05"""
    found = plateau_at(AXES, scores((1, 2, 1), (2, 3, 2), (1, 2, 1)), (1, 1))

    assert (found.neighbours, found.mean, found.least) == (8, 1.5, 1)
    assert found.is_peak is False
    assert found.edges == ()


def test_a_gain_alone_is_a_peak() -> None:
    """AN-05: in a corner it has three neighbours, and lies on two edges"""
    found = plateau_at(AXES, scores((3, 1, 0), (1, 1, 0), (0, 0, 0)), (0, 0))

    assert (found.neighbours, found.is_peak, found.edges) == (3, True, ("a", "b"))


def test_a_loss_and_a_lone_run_are_no_peak() -> None:
    """AN-05"""
    assert plateau_at(AXES, scores((-3, -9, -9), (-9, -9, -9), (-9, -9, -9)), (0, 0)).is_peak is None
    alone = plateau_at(AXES, {(1, 1): 5.0}, (1, 1))
    assert (alone.neighbours, alone.mean, alone.is_peak) == (0, None, None)


def test_words_have_no_neighbours() -> None:
    """AN-05"""
    axes = (an_axis("kind", "x", "y", is_ordered=False), an_axis("b", "1", "2"))

    found = plateau_at(axes, {(0, 0): 2.0, (0, 1): 2.0, (1, 0): 9.0}, (0, 0))

    assert (found.neighbours, found.mean) == (1, 2)


def test_of_equal_runs_one_on_a_plateau_is_best() -> None:
    """AN-05"""
    assert best_point(AXES, scores((3, 0, 0), (0, 1, 2), (0, 2, 3))) == (2, 2)
    assert best_point(AXES, {}) is None


def test_a_map_has_the_mean_over_other_axes() -> None:
    """AN-05"""
    axes = (*AXES, an_axis("c", "1", "2"))

    found = heat_map(axes, {(0, 1, 0): 1.0, (0, 1, 1): 3.0, (2, 2, 0): 7.0})

    assert found.cells == ((None, 2, None), (None, None, None), (None, None, 7))


def test_a_sample_repeats_by_its_seed() -> None:
    """AN-05: different combinations, in the order of the grid"""
    space = Space(AXES)
    drawn = space.sampled(5, seed=3)

    assert drawn == space.sampled(5, seed=3) != space.sampled(5, seed=4)
    assert drawn == sorted(set(drawn))
    assert space.sampled(99, seed=1) == space.grid()
    assert space.overrides((2, 0)) == ("a=3", "b=1")


def test_too_many_combinations_are_refused() -> None:
    """AN-05"""
    wide = an_axis("a", *map(str, range(200)))

    with pytest.raises(OperatorError, match="40,000"):
        Space((wide, an_axis("b", *map(str, range(200))))).grid()
    with pytest.raises(OperatorError, match="10,000"):
        Space((wide,)).sampled(10_001, seed=1)
    with pytest.raises(OperatorError, match="twice"):
        Space((wide, wide))
