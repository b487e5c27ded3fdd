"""Monte Carlo: paths of several days, drawn in blocks from recorded days, all of them or those of one regime.

The draw is the stationary bootstrap of D. N. Politis and J. P. Romano, "The Stationary Bootstrap", Journal of the
American Statistical Association 89 (1994): blocks of random length keep the runs of calm and of wild days. A regime's
days are of several episodes: a block lies within one, so it joins no days that were not neighbours. The seed is an
argument, so a run repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from core.model.sizing import DailyValue, VixLevel
from core.research.portfolio_risk.value_at_risk import Floats
from core.risk.regime import readings

PATHS = 10_000
MEAN_BLOCK = 10
"""Mean length of a block, in days. Our choice: the length of a path, so that most paths have one or two blocks."""
BEGINS = 1 / MEAN_BLOCK
"""The chance of each day that a block ends before it."""
FEW_DAYS, FEWEST_DAYS = 60, 10
"""Days of a regime below which its figures need a warning, and below which there are none."""


def simulated_profits(
    values: Floats, returns: Floats, *, days: int, seed: int, paths: int = PATHS, episodes: Episodes | None = None
) -> Floats:
    """Return the profit of each path, USD.

    Parameters
    ----------
    values
        Value of each position, USD, shape (positions,); quantities stay the same along a path.
    returns
        Recorded simple returns to draw from, shape (days, positions). Without `episodes` the days are taken as a
        circle: after the last one follows the first.
    episodes
        Of days that were not all neighbours: no block leaves its episode.
    """
    draw = np.random.default_rng(seed)
    count = len(returns)
    at = draw.integers(count, size=paths)
    growth = np.ones((paths, len(values)))
    for _ in range(days):
        growth *= 1 + returns[at]
        begins = draw.random(paths) < BEGINS
        if episodes is None:
            at = np.where(begins, draw.integers(count, size=paths), (at + 1) % count)
        else:
            at = np.where(begins | episodes.is_last[at], episodes.drawn(draw.random(paths)), at + 1)
    profits: Floats = (growth - 1) @ values
    return profits


class Episodes:
    """Runs of neighbouring days among all recorded ones.

    A block also ends with its episode, so the first day of an episode follows on no other: it is drawn that much more
    often as the begin of a block. Then each day is drawn equally often, as without episodes.

    Parameters
    ----------
    places
        The place of each day among all recorded days, rising.
    """

    def __init__(self, places: Sequence[int]) -> None:
        is_first = np.diff(np.asarray(places), prepend=-1) != 1
        is_first[:1] = True
        self.is_last = np.append(is_first[1:], True)
        self._drawn_up_to = np.cumsum(np.where(is_first, 1.0, BEGINS))

    def drawn(self, chances: Floats) -> npt.NDArray[np.intp]:
        """Return the first day of a block for each chance from 0 to 1."""
        found: npt.NDArray[np.intp] = np.searchsorted(self._drawn_up_to, chances * self._drawn_up_to[-1], side="right")
        return found


def regimes_before(days: Iterable[date], vix: Iterable[DailyValue]) -> list[VixLevel | None]:
    """Return the level of the last VIX close before each of these days, with the desk's hysteresis (RK-19).

    The day's own close is left out: it is high because of the day's loss. None before the first value.
    """
    known = iter(readings(vix))
    following = next(known, None)
    level: VixLevel | None = None
    found: list[VixLevel | None] = []
    for day in days:
        while following is not None and following.measured_on < day:
            level, following = following.level, next(known, None)
        found.append(level)
    return found
