"""Discovered states: the features of a day, both methods on days of known states, the forward algorithm (AN-07)."""

from __future__ import annotations

import math
import sys
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hmmlearn.hmm import GaussianHMM
from sklearn.cluster import KMeans

from core.model.sizing import DailyValue
from core.model.values import Symbol
from core.ports import OperatorError
from core.research.regimes.models import (
    Feature,
    beliefs,
    features_of,
    fit_hidden_markov,
    fit_k_means,
    require_enough,
)
from core.research.regimes.saved_model import model_in, saved_of
from core.research.regimes.study import study_of

FIRST = date(2020, 1, 1)
BLOCK = 150
"""Days of each block of one deviation."""
DEVIATIONS = (0.004, 0.03, 0.004, 0.03)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(count)]


def closes_of(returns: list[float]) -> dict[date, float]:
    return dict(zip(days(len(returns) + 1), 100 * np.exp(np.cumsum([0.0, *returns])), strict=True))


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    """Four blocks of days, calm and wild in turn, with a VIX that fits."""
    draw = np.random.default_rng(7)
    closes = closes_of([float(draw.normal(0, each)) for each in DEVIATIONS for _ in range(BLOCK)])
    levels = [
        1000 * each + float(draw.normal(0, 0.5)) + 10 for each in (*DEVIATIONS, DEVIATIONS[-1]) for _ in range(BLOCK)
    ]
    vix = [DailyValue(day, Decimal(repr(level))) for day, level in zip(closes, levels, strict=False)]
    found = features_of(closes, vix)
    found.attrs |= {"closes": closes, "vix": vix}
    return found


def test_features_of_a_day_are_as_defined() -> None:
    """AN-07: the first complete day has the mean of 50 closes, its own included, and 21 returns"""
    returns = [0.01 if number % 2 else -0.01 for number in range(60)]
    closes = closes_of(returns)
    vix = [DailyValue(day, Decimal(20)) for day in closes]

    row = features_of(closes, vix).iloc[0]

    day, prices = days(61)[49], list(closes.values())[:50]
    assert row.name == day
    deviation = np.std(returns[28:49], ddof=1)
    assert row[Feature.VOLATILITY] == pytest.approx(math.log(deviation * math.sqrt(252)), abs=1e-12)
    assert row[Feature.TREND] == pytest.approx(math.log(prices[-1] / (sum(prices) / 50)), abs=1e-12)
    assert row[Feature.VIX] == pytest.approx(math.log(20), abs=1e-12)


def test_a_day_has_no_feature_of_a_later_day() -> None:
    """AN-07"""
    draw = np.random.default_rng(3)
    returns = [float(each) for each in draw.normal(0, 0.01, 120)]

    pd.testing.assert_frame_equal(
        features_of(closes_of(returns), ()).iloc[:40], features_of(closes_of(returns[:88]), ())
    )


def test_both_methods_find_the_blocks(features: pd.DataFrame) -> None:
    """AN-07: away from the borders, where a volatility of 21 days has days of both; 1 is the calm one"""
    inside = [day for number, day in enumerate(days(len(DEVIATIONS) * BLOCK + 1)) if number % BLOCK > 60]
    expected = {day: 1 + (number // BLOCK) % 2 for number, day in enumerate(days(len(DEVIATIONS) * BLOCK + 1))}

    for found in (fit(features, 2, 1).labels(features) for fit in (fit_k_means, fit_hidden_markov)):
        assert {found[day] == expected[day] for day in inside if day in found.index} == {True}


def test_a_seed_repeats_its_states(features: pd.DataFrame) -> None:
    """AN-07"""
    for fit in (fit_k_means, fit_hidden_markov):
        first, second = fit(features, 3, 5), fit(features, 3, 5)
        pd.testing.assert_series_equal(first.labels(features), second.labels(features))


def test_a_label_does_not_depend_on_later_days() -> None:
    """AN-07: the forward algorithm by hand: a wild day alone is not enough, two in a row are"""
    start, moves = np.array([0.5, 0.5]), np.array([[0.95, 0.05], [0.05, 0.95]])
    means, variances = np.array([[0.0], [3.0]]), np.ones((2, 1))
    rows = np.array([[0.0], [2.0], [2.5], [3.0]])

    found = beliefs(rows, start, moves, means, variances).argmax(axis=1)

    belief, expected = start, []
    for number, (value,) in enumerate(rows):
        prior = belief if number == 0 else belief @ moves
        joint = prior * np.exp(-((value - means[:, 0]) ** 2) / 2)
        belief = joint / joint.sum()
        expected.append(int(belief.argmax()))
    assert found.tolist() == expected == [0, 0, 1, 1]
    assert beliefs(rows[:3], start, moves, means, variances).argmax(axis=1).tolist() == expected[:3]


def test_an_impossible_day_keeps_the_expected_state() -> None:
    """AN-07: no state that can follow explains it, which is no division by zero"""
    means = np.array([[0.0], [100.0]])

    found = beliefs(np.array([[0.0], [100.0], [0.0]]), np.array([1.0, 0.0]), np.eye(2), means, np.ones((2, 1)))

    assert found.argmax(axis=1).tolist() == [0, 0, 0]


def test_states_are_numbered_by_their_volatility(features: pd.DataFrame) -> None:
    """AN-07"""
    for fit in (fit_k_means, fit_hidden_markov):
        labels = fit(features, 3, 1).labels(features)
        assert features[str(Feature.VOLATILITY)].groupby(labels).mean().is_monotonic_increasing
        assert sorted(labels.unique()) == [1, 2, 3]


def test_k_means_gives_each_day_its_nearest_centre(features: pd.DataFrame) -> None:
    """AN-07: as scikit-learn does, whatever its numbers"""
    rows = (features - features.mean()) / features.std()
    theirs = KMeans(3, n_init=10, max_iter=500, random_state=1).fit_predict(rows.to_numpy())

    ours = fit_k_means(features, 3, 1).labels(features)

    assert len(set(zip(theirs.tolist(), ours.tolist(), strict=True))) == 3


def test_days_are_labelled_in_parts_as_at_once(features: pd.DataFrame) -> None:
    """AN-07: the model goes on after the days that it has seen"""
    for fit in (fit_k_means, fit_hidden_markov):
        model = fit(features, 3, 1)
        whole = model.labels(features)
        for cut in (1, 77, 300):
            rest = model.after(features.iloc[:cut]).labels(features.iloc[cut:])
            pd.testing.assert_series_equal(rest, whole.iloc[cut:])
            begun = model.after(features.iloc[:cut])
            assert begun.after(features.iloc[cut:]).start == pytest.approx(model.after(features).start, abs=1e-12)


def test_a_saved_model_labels_only_days_after_its_fit(features: pd.DataFrame) -> None:
    """AN-07: from the belief of hmmlearn's own forward algorithm; the text of a model gives the same again"""
    closes, vix = features.attrs["closes"], features.attrs["vix"]
    cut = 400
    known = {day: close for day, close in closes.items() if day <= features.index[cut - 1]}
    study = study_of(Symbol("SPY"), known, [], vix[: len(known)], [], lambda at: at.date(), states=2, seed=1)

    saved = saved_of(study, "hidden-markov", "SPY_daily.csv")

    labels, is_same = model_in(saved.model_dump_json().encode()).labels(closes, vix)
    assert (list(labels), is_same) == (list(features.index[cut:]), True)
    theirs = GaussianHMM(2, covariance_type="diag")
    fitted = study.labellings[1].model
    theirs.startprob_, theirs.transmat_ = fitted.start, fitted.moves
    theirs.means_, theirs.covars_ = fitted.means, fitted.variances
    rows = ((study.features - fitted.mean) / fitted.deviation).to_numpy()
    assert saved.start == pytest.approx(theirs.predict_proba(rows)[-1] @ fitted.moves, abs=1e-9)


def test_too_few_days_are_refused(features: pd.DataFrame) -> None:
    """AN-07"""
    with pytest.raises(OperatorError, match="300"):
        require_enough(features.iloc[:299], 3)


def test_a_constant_feature_is_refused(features: pd.DataFrame) -> None:
    """AN-07: it could not be scaled"""
    with pytest.raises(OperatorError, match="vix"):
        require_enough(features.assign(vix=1.0), 2)


def test_a_missing_library_says_how_to_install_it(features: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-07"""
    for module, fit in (("sklearn.cluster", fit_k_means), ("hmmlearn.hmm", fit_hidden_markov)):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(OperatorError, match="pip install"):
            fit(features, 2, 1)
