"""A fitted model in a file, and the states that it gives to days after those that it was fitted on (AN-07).

The file is JSON: names, days and numbers, and nothing that runs. A label of a day is of that day and those before it,
by figures that no later day can change. The days of the fit get no label: their own future is in the figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.model.sizing import DailyValue
from core.ports import OperatorError
from core.research.regimes.models import Feature, StateModel, features_of
from core.research.regimes.study import RegimeStudy

VERSION: Literal[1] = 1
PLACES = 6
"""Decimals of a feature in the fingerprint: a split rescales closes, and changes later ones."""
WHOLE = 1e-6
"""Tolerance of a sum of probabilities."""
METHODS = {"k-means": "k-means", "hidden-markov": "hidden Markov model"}
"""The methods by their names on the command line."""

Row = tuple[float, ...]
Positive = Annotated[float, Field(gt=0)]


class SavedModel(BaseModel):
    """The content of a file.

    Attributes
    ----------
    file
        Name of the market's file that it was fitted on.
    first, last, days
        The days of the fit.
    data
        SHA-256 of these days and their features.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1]
    method: str
    market: str
    file: str
    features: tuple[Feature, ...]
    first: date
    last: date
    days: Annotated[int, Field(gt=0)]
    seed: int
    data: str
    mean: Row
    deviation: tuple[Positive, ...]
    start: Row
    moves: tuple[Row, ...]
    means: tuple[Row, ...]
    variances: tuple[tuple[Positive, ...], ...]

    @model_validator(mode="after")
    def figures_fit_together(self) -> Self:
        states, features = len(self.start), len(self.features)
        shapes = (
            (features, {len(self.mean), len(self.deviation), *map(len, self.means), *map(len, self.variances)}),
            (states, {len(self.moves), len(self.means), len(self.variances), *map(len, self.moves)}),
        )
        if any(found != {wanted} for wanted, found in shapes):
            raise ValueError("its figures are not of the same states and features")
        for chances in (self.start, *self.moves):
            if min(chances) < 0 or abs(sum(chances) - 1) > WHOLE:
                raise ValueError("its probabilities do not add up to 1")
        return self

    @property
    def states(self) -> int:
        return len(self.start)

    @property
    def in_words(self) -> str:
        return f"{self.states} states by {self.method}, fitted on {self.first} to {self.last}"

    def labels(self, closes: Mapping[date, float], vix: Sequence[DailyValue]) -> tuple[dict[date, int], bool]:
        """Return the state of each day after the fit, and whether the days of the fit are as they were.

        Raises `OperatorError` if the model needs the VIX, and there is none.
        """
        has_vix = Feature.VIX in self.features
        if has_vix and not vix:
            raise OperatorError("it was fitted with the VIX; `keyturn bars VIX --days` fetches it, or name --vix FILE")
        features = features_of(closes, vix if has_vix else ())
        is_same = fingerprint(features[[self.first <= day <= self.last for day in features.index]]) == self.data
        fresh = features[[day > self.last for day in features.index]]
        found = self._model().labels(fresh)
        return dict(zip(fresh.index, map(int, found), strict=True)), is_same

    def _model(self) -> StateModel:
        figures = (self.mean, self.deviation, self.start, self.moves, self.means, self.variances)
        return StateModel(tuple(map(str, self.features)), *(np.array(each, dtype=float) for each in figures))


def saved_of(study: RegimeStudy, method: str, file: str) -> SavedModel:
    """Return the model of one of `METHODS`, ready for the day after the study's last one."""
    labelling = next(each for each in study.labellings if each.method == METHODS[method])
    model, days = labelling.model.after(study.features), list(study.features.index)
    return SavedModel(
        version=VERSION,
        method=labelling.method,
        market=study.market,
        file=file,
        features=tuple(map(Feature, model.features)),
        first=days[0],
        last=days[-1],
        days=len(days),
        seed=study.seed,
        data=fingerprint(study.features),
        mean=tuple(model.mean.tolist()),
        deviation=tuple(model.deviation.tolist()),
        start=tuple(model.start.tolist()),
        moves=tuple(map(tuple, model.moves.tolist())),
        means=tuple(map(tuple, model.means.tolist())),
        variances=tuple(map(tuple, model.variances.tolist())),
    )


def model_in(text: bytes) -> SavedModel:
    """Parse a file. Raises `OperatorError`."""
    try:
        return SavedModel.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = ".".join(map(str, found["loc"]))
        words = found["msg"].removeprefix("Value error, ")
        raise OperatorError(f"{f'{place}: ' if place else ''}{words}; save the model again") from None


def fingerprint(features: pd.DataFrame) -> str:
    """Return the SHA-256 of days and features."""
    rows = (f"{day},{','.join(f'{value:.{PLACES}f}' for value in row)}" for day, *row in features.itertuples())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
