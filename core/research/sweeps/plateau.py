"""Whether the best combination lies on a plateau: its neighbours in the grid, and a map of two parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from statistics import fmean

from core.model.lazy_dataclass import dataclass
from core.research.sweeps.space import Axis, Point

ISOLATED = 0.5
"""A gain whose neighbours' mean is below this fraction of it is an isolated peak."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """The best combination and its neighbours, those at most one step away on each ordered axis.

    Attributes
    ----------
    neighbours
        The number of neighbours with a figure; `mean` and `least` are theirs, None without one.
    is_peak
        Whether the figure is a gain that its neighbours do not share; None without a neighbour, and without a gain.
    edges
        The axes on whose first or last value it lies: a better one may be outside.
    """

    point: Point
    score: float
    neighbours: int
    mean: float | None
    least: float | None
    is_peak: bool | None
    edges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The mean score for each pair of values of two axes, over all values of the others; None where nothing has one.

    Attributes
    ----------
    cells
        A row for each value of `rows`, a column for each of `columns`.
    """

    rows: Axis
    columns: Axis
    cells: tuple[tuple[float | None, ...], ...]


def neighbours(axes: Sequence[Axis], point: Point) -> list[Point]:
    """Return the points at most one step away on each ordered axis, without the point; they may be outside the grid."""
    steps = [(-1, 0, 1) if axis.is_ordered else (0,) for axis in axes]
    around = (tuple(at + step for at, step in zip(point, moved, strict=True)) for moved in product(*steps))
    return [each for each in around if each != point]


def best_point(axes: Sequence[Axis], scores: Mapping[Point, float]) -> Point | None:
    """Return the point with the highest score; of equal ones that with the best neighbours, then the first."""
    if not scores:
        return None
    top = max(scores.values())
    equal = [point for point, score in scores.items() if score == top]
    if len(equal) == 1:
        return equal[0]
    return max(equal, key=lambda point: _mean(axes, scores, point))


def plateau_at(axes: Sequence[Axis], scores: Mapping[Point, float], point: Point) -> Plateau:
    around = [scores[each] for each in neighbours(axes, point) if each in scores]
    score, mean = scores[point], fmean(around) if around else None
    edges = tuple(
        axis.name
        for axis, at in zip(axes, point, strict=True)
        if axis.is_ordered and len(axis.values) > 1 and at in (0, len(axis.values) - 1)
    )
    is_peak = None if mean is None or score <= 0 else mean < ISOLATED * score
    return Plateau(point, score, len(around), mean, min(around, default=None), is_peak, edges)


def heat_map(axes: Sequence[Axis], scores: Mapping[Point, float], rows: int = 0, columns: int = 1) -> HeatMap:
    """Return the map of the axes with these indices."""
    found: dict[tuple[int, int], list[float]] = {}
    for point, score in scores.items():
        found.setdefault((point[rows], point[columns]), []).append(score)
    cells = tuple(
        tuple(
            fmean(here) if (here := found.get((row, column))) else None for column in range(len(axes[columns].values))
        )
        for row in range(len(axes[rows].values))
    )
    return HeatMap(axes[rows], axes[columns], cells)


def _mean(axes: Sequence[Axis], scores: Mapping[Point, float], point: Point) -> float:
    around = [scores[each] for each in neighbours(axes, point) if each in scores]
    return fmean(around) if around else float("-inf")
