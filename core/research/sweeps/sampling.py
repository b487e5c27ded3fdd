"""A sampler that learns from the runs so far: Optuna's tree-structured Parzen estimator (the extra `research`).

Combinations are asked for in batches of a fixed size, and told in their order: the same seed gives the same ones on any
number of cores, and after a resume.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.ports import OperatorError
from core.research.sweeps.space import Point, Space

BATCH = 8
"""Combinations that are run before the next ones are chosen."""


def sampled_by_optuna(
    space: Space, count: int, seed: int, scores_of: Callable[[Sequence[Point]], Mapping[Point, float]]
) -> list[Point]:
    """Return the combinations that the sampler chose, in their order, each once.

    Parameters
    ----------
    count
        The number of choices; one that was made before is not run again.
    scores_of
        Runs combinations and returns their scores; those that have none are missing.

    Raises
    ------
    OperatorError
        Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise OperatorError("--sampler optuna: it is not installed; run: pip install 'keyturn[research]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    found: dict[Point, None] = {}
    for begun in range(0, count, BATCH):
        trials = [study.ask() for _ in range(min(BATCH, count - begun))]
        points = [_chosen(space, trial) for trial in trials]
        scores = scores_of(points)
        for trial, point in zip(trials, points, strict=True):
            if point in scores:
                study.tell(trial, scores[point])
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
        found |= dict.fromkeys(points)
    return list(found)


def _chosen(space: Space, trial: Any) -> Point:
    return tuple(
        trial.suggest_int(axis.name, 0, len(axis.values) - 1)
        if axis.is_ordered
        else trial.suggest_categorical(axis.name, range(len(axis.values)))
        for axis in space.axes
    )
