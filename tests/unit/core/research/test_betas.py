"""Where the beta of a position without a history is from (AN-02)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from core.model.values import Price, Symbol
from core.research.portfolio_risk.betas import LEAST_DAYS, Beta, BetaSource
from core.research.portfolio_risk.history import Closes, History, history_of
from core.research.portfolio_risk.report import assess
from tests.kit.rows import table
from tests.unit.core.research.book import a_history, held, sessions

SPY, IBM = Symbol("SPY"), Symbol("IBM")
NOISE = np.random.default_rng(3).normal(0, 0.01, 400)


def a_young(symbol: Symbol, days: int, times: float) -> History:
    """A history of SPY, and a file of so many returns that are a multiple of those of SPY."""
    read = []
    for name, moves in ((SPY, NOISE), (symbol, times * NOISE[400 - days :])):
        closes = 50 * np.cumprod([1.0, *(1 + moves)])
        read.append(Closes(name, tuple(sessions(401)[400 - len(moves) :]), tuple(closes), Price(Decimal(100))))
    return history_of(read, (), {})


@table(
    "days, times, expected",
    (LEAST_DAYS, 2.5, Beta(pytest.approx(2.0), BetaSource.OWN, LEAST_DAYS)),  # type: ignore[arg-type]
    (LEAST_DAYS - 1, 2.5, Beta(1.0, BetaSource.ASSUMED)),
    (120, -2.0, Beta(pytest.approx(-1.0), BetaSource.OWN, 120)),  # type: ignore[arg-type]
    (120, 9.0, Beta(5.0, BetaSource.OWN, 120)),
)
def test_a_measured_beta_is_shrunk_by_a_third(days: int, times: float, expected: Beta) -> None:
    """AN-02: towards 1, from 60 common days on, 5 at the most"""
    assert a_young(IBM, days, times).beta(IBM) == expected


def test_a_named_beta_comes_first() -> None:
    """AN-02"""
    history = replace(a_young(IBM, 120, 2.0), named={IBM: 0.5})

    assert (history.beta(IBM), history.beta(SPY).source) == (Beta(0.5, BetaSource.NAMED), BetaSource.INDEX)


def test_a_young_share_moves_with_the_index_in_every_figure() -> None:
    """AN-02: with beta 2 and the value of SPY it doubles each loss of SPY, and is marked with its reason"""
    young = replace(a_young(IBM, 100, 1.0), named={IBM: 2.0})
    alone = assess([held("SPY", "30")], young, [], seed=1)

    found = assess([held("SPY", "10"), held("IBM", "10")], young, [], seed=1)

    assert [each.var for each in found.estimates] == pytest.approx([each.var for each in alone.estimates], rel=0.02)
    assert found.left_out == ()
    assert found.proxies[IBM].beta.value == 2.0
    assert "101 days" in found.proxies[IBM].reason
    assert found.correlations[0, 1] == pytest.approx(1)


def test_without_the_index_a_position_stays_out() -> None:
    """AN-02: nothing is left to move it by; without a price nothing has a value"""
    no_index = assess([held("QQQ", "10"), held("XYZ", "7", "12")], a_history({"QQQ": NOISE}, missing="XYZ"), [], seed=1)
    no_price = assess([held("SPY", "10"), held("XYZ", "7")], a_history({"SPY": NOISE}, missing="XYZ"), [], seed=1)

    for found in (no_index, no_price):
        assert ([each.symbol for each in found.left_out], found.proxies.get(Symbol("XYZ")) is None) == (
            ["XYZ"],
            found is no_index,
        )
    assert "SPY" in no_index.left_out[0].reason
