"""The sampler that learns, and its error where the extra `research` is not installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import pytest

from core.ports import OperatorError
from core.research.sweeps.sampling import BATCH, sampled_by_optuna
from core.research.sweeps.space import Axis, AxisValue, Point, Space

VALUES = tuple(AxisValue(str(number), ()) for number in range(40))
SPACE = Space((Axis("a", VALUES, is_ordered=True), Axis("b", VALUES[:2], is_ordered=False)))


def sampled(count: int, seed: int) -> tuple[list[Point], list[int]]:
    """Return the choices and the sizes of the batches; near (30, 1) is best, and below 5 nothing has a score."""
    sizes: list[int] = []

    def scores_of(points: Sequence[Point]) -> Mapping[Point, float]:
        sizes.append(len(points))
        return {(a, b): 10.0 * b - abs(a - 30) for a, b in points if a >= 5}

    return sampled_by_optuna(SPACE, count, seed, scores_of), sizes


def test_without_optuna_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-05"""
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(OperatorError, match=r"keyturn\[research\]"):
        sampled(8, seed=1)


def test_optuna_repeats_and_learns() -> None:
    """AN-05: in batches of a fixed size, so that the number of cores is no matter"""
    points, sizes = sampled(42, seed=1)

    assert (points, sizes) == sampled(42, seed=1)
    assert points[:BATCH] != sampled(BATCH, seed=2)[0]
    assert sizes == [BATCH] * 5 + [2]
    later = points[len(points) // 2 :]
    assert sum(abs(a - 30) < 8 and b == 1 for a, b in later) > len(later) / 2
