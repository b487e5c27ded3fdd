"""The equity curve beside a plain rescan of a strategy's results, at every step; and what it says meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from syrupy.assertion import SnapshotAssertion

from core.execution.ledger_state import UNKNOWN_OWNER
from core.model.signal import ExitReason
from core.model.staging import MANUAL
from core.model.values import Fraction, Symbol
from core.risk.protections.closed_trades import ClosedTrade, Direction
from core.risk.protections.drawdown import EquityCurve, EquityCurveState
from core.settings.protections import EquityCurveSettings
from tests.kit.rows import table

BEGINS = datetime(2026, 10, 26, 14, 30, tzinfo=UTC)
STATE = TypeAdapter(EquityCurveState)


def results(*thousandths: int, strategy: str = "vwap", is_shadow: bool = False) -> list[ClosedTrade]:
    return [
        ClosedTrade(
            Symbol("SPY"), Direction.LONG, BEGINS, BEGINS + timedelta(minutes=number),
            Fraction(Decimal(ratio) / 1000), ExitReason.MANUAL, strategy=strategy, is_shadow=is_shadow,
        )
        for number, ratio in enumerate(thousandths)
    ]  # fmt: skip


def a_curve(**terms: object) -> EquityCurve:
    chosen = EquityCurveSettings.model_validate(terms)
    return EquityCurve(lambda: chosen)


def after(curve: EquityCurve, trades: list[ClosedTrade]) -> EquityCurve:
    for trade in trades:
        curve.take(trade)
    return curve


@settings(max_examples=24)
@given(st.lists(st.integers(-9, 9), max_size=30), st.lists(st.integers(-9, 9), max_size=3))
def test_a_foreseen_answer_is_the_later_one(before: list[int], then: list[int]) -> None:
    """RK-13"""
    curve, ended = after(a_curve(trades=5), results(*before)), results(*then, is_shadow=True)
    was = STATE.dump_json(curve.state)

    foreseen = curve.after(ended)

    assert STATE.dump_json(curve.state) == was
    assert foreseen.state == after(curve, ended).state


def said(curve: EquityCurve) -> tuple[bool, Decimal | None, str]:
    (answer,) = curve.answers(BEGINS)
    assert answer.until is None
    return answer.is_tripped, answer.measure, answer.reason


def shut_by_a_rescan(ratios: list[int], reviews: list[int], terms: EquityCurveSettings) -> tuple[bool, bool]:
    """Whether a strategy is shut after these results, and whether it is disabled.

    `reviews` are the numbers of results after which the operator resumed it.
    """
    below, is_disabled, is_down = 0, False, False
    for number in range(terms.trades, len(ratios) + 1):
        is_down = sum(ratios[number - terms.trades : number]) <= 0
        below = below + 1 if is_down else 0
        is_disabled = is_disabled or below >= terms.disabled_after
        if number in reviews and is_disabled:
            is_disabled, below = False, 0
    return is_down or is_disabled, is_disabled


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["vwap", "sma"]), st.integers(-9, 9), st.booleans()), max_size=60),
    st.lists(st.integers(0, 59), max_size=4),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(0, 59),
)
def test_the_curve_equals_a_rescan(
    found: list[tuple[str, int, bool]], reviews: list[int], trades: int, disabled_after: int, restart: int
) -> None:
    """RK-13, RK-09"""
    terms = EquityCurveSettings(trades=trades, disabled_after=disabled_after)
    curve = EquityCurve(lambda: terms)
    seen: dict[str, list[int]] = {"vwap": [], "sma": []}
    resumed: dict[str, list[int]] = {"vwap": [], "sma": []}
    for number, (strategy, ratio, is_shadow) in enumerate(found):
        if number == restart:
            kept = STATE.dump_json(curve.state)
            curve = EquityCurve(lambda: terms)
            curve.state = STATE.validate_json(kept)
        after(curve, results(ratio, strategy=strategy, is_shadow=is_shadow))
        seen[strategy].append(ratio)
        if number in reviews:
            curve.resume(BEGINS, strategy)
            resumed[strategy].append(len(seen[strategy]))
        for name, of_it in seen.items():
            is_shut, is_disabled = shut_by_a_rescan(of_it, resumed[name], terms)
            assert (curve.is_shut(name), name in curve.disabled()) == (is_shut, is_disabled), name


def test_fewer_than_twenty_results_are_not_judged(snapshot: SnapshotAssertion) -> None:
    """RK-13, RK-01"""
    curve = a_curve()

    nothing = said(curve)
    early = said(after(curve, results(*[-1] * 19)))
    late = said(after(curve, results(-1)))

    assert nothing == (False, None, snapshot)
    assert early == (False, None, snapshot)
    assert late == (
        True, Decimal("-0.001"), snapshot,
    )  # fmt: skip


def test_a_measure_counts_the_results_until_there_are_enough() -> None:
    """RK-13, RK-01"""
    curve, told = a_curve(), []
    for many in (0, 19, 1):
        (measure,) = after(curve, results(*[-1] * many)).measures(BEGINS)
        told.append((measure.scope.strategy, measure.figure, measure.progress))

    assert told == [
        (None, None, "0 of 20 trades"), ("vwap", None, "19 of 20 trades"), ("vwap", Decimal("-0.001"), ""),
    ]  # fmt: skip


def test_a_mean_of_zero_is_not_positive() -> None:
    """RK-13"""
    assert after(a_curve(), results(*[1, -1] * 10)).is_shut("vwap")


def test_shadow_trades_lift_the_lock(snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    curve = after(a_curve(), results(*[-1] * 20))

    after(curve, results(*[2] * 6, is_shadow=True))
    halfway = said(curve)
    after(curve, results(2, is_shadow=True))

    assert halfway[0]
    assert halfway[2] == snapshot
    assert said(curve) == (False, Decimal("0.00005"), snapshot)


def test_twenty_results_below_disable_a_strategy(snapshot: SnapshotAssertion) -> None:
    """RK-13: loosening is the operator's, even where the curve has recovered meanwhile."""
    curve = after(a_curve(), results(*[-1] * 38))
    before = list(curve.disabled())
    after(curve, results(-1))
    disabled = said(curve)
    after(curve, results(*[9] * 20, is_shadow=True))
    recovered = said(curve)
    curve.resume(BEGINS, "vwap")

    assert before == []
    assert disabled[2] == snapshot
    assert recovered[0]
    assert not said(curve)[0]


def test_a_resumed_strategy_gets_twenty_more_results() -> None:
    """RK-13"""
    curve = after(a_curve(), results(*[-1] * 39))
    curve.resume(BEGINS, "vwap")

    assert curve.is_shut("vwap")
    assert list(after(curve, results(*[-1] * 19)).disabled()) == []
    assert list(after(curve, results(-1)).disabled()) == ["vwap"]


@table("nobody", MANUAL, UNKNOWN_OWNER)
def test_what_is_no_strategys_has_no_curve(nobody: str) -> None:
    """RK-13: a person's own orders are not a strategy that could be disabled."""
    assert not after(a_curve(), results(*[-1] * 50, strategy=nobody)).is_shut(nobody)
