"""How many shares a risk in USD buys, and what the size says of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction as Exact
from math import floor, prod

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.model.sizing import UNKNOWN, LeftOut, MarketMeasure, Size, Term, Trend, VixLevel, VixReading, Volatility
from core.model.sizing_terms import KellyTerms, SizingTerms, TrendTerms
from core.model.values import Fraction, Money, Price, Symbol
from core.risk.sizing import (
    ALL,
    BINDING,
    BY_BUDGET,
    BY_LEAST,
    BY_NOTIONAL,
    BY_RISK,
    BY_STEP,
    NO_RISK,
    Conditions,
    Edge,
    Likeness,
    Throttle,
    WantedEntry,
    binding_cuts,
    size_of,
)
from tests.kit.rows import table
from tests.kit.texts import texts

STOP = Decimal("0.003")
STEP = Decimal("0.001")
NOTHING = Conditions()
FULL = Throttle(Fraction(Decimal(1)), "no loss limit is near")


def wanted(
    risk: str | None = "1.50",
    price: str = "166.76",
    notional: str | None = "50",
    step: str = "0.001",
    way: str | None = None,
    least: str = "0",
) -> WantedEntry:
    return WantedEntry(
        risk=None if risk is None else Money(Decimal(risk)), price=Price(Decimal(price)),
        way=Decimal(price) * STOP if way is None else Decimal(way),
        max_notional=None if notional is None else Money(Decimal(notional)), step=Decimal(step), least=Decimal(least),
    )  # fmt: skip


def throttled(factor: str) -> Throttle:
    return Throttle(Fraction(Decimal(factor)), "5.20 of 10.00 USD lost today")


def a_vix(level: VixLevel) -> VixReading:
    return VixReading(Decimal("23.40"), date(2026, 11, 18), level)


def held(symbol: str, correlation: str | None, *, is_long: bool = True, days: int = 60) -> Likeness:
    return Likeness(Symbol(symbol), is_long, None if correlation is None else Fraction(Decimal(correlation)), days)


def shares(size: Size) -> tuple[Decimal, str]:
    return size.quantity, size.limited_by


def named(size: Size, name: str) -> Term | LeftOut:
    return next(answer for answer in (*size.terms, *size.left_out) if answer.name == name)


# ── the fixed risk ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_notional_limits_a_small_account() -> None:
    """RK-02: 50 USD buy 0.2998 SPY at 166.76, rounded down."""
    assert shares(size_of(wanted(), NOTHING)) == (Decimal("0.299"), BY_NOTIONAL)


def test_risk_limits_a_wide_notional() -> None:
    """RK-02: 1.50 USD ÷ (166.76 × 0.003) = 2.998 shares."""
    assert shares(size_of(wanted(notional="5000"), NOTHING)) == (Decimal("2.998"), BY_RISK)


def test_whole_shares_are_rounded_down() -> None:
    """RK-02"""
    assert shares(size_of(wanted(notional="5000", step="1"), NOTHING)) == (Decimal(2), BY_RISK)


@table(
    "risk notional limited_by",
    (None, "50", NO_RISK),
    ("0", "50", NO_RISK),
    ("-1", "50", NO_RISK),
    ("1.50", None, BY_NOTIONAL),
    ("1.50", "0", BY_NOTIONAL),
    ("1.50", "0.10", f"{BY_NOTIONAL} {BY_STEP}"),
    ("0.0001", "50", f"{BY_RISK} {BY_STEP}"),
)
def test_an_unknown_limit_buys_nothing(risk: str | None, notional: str | None, limited_by: str) -> None:
    """RK-02"""
    assert shares(size_of(wanted(risk, notional=notional), NOTHING)) == (0, limited_by)


def test_without_data_the_fixed_risk_counts(snapshot: SnapshotAssertion) -> None:
    """RK-10"""
    size = size_of(wanted(notional="5000"), NOTHING)

    assert size.factor == 1
    assert size.quantity == Decimal("2.998")
    assert size.left_out == (
        LeftOut("ATR", snapshot),
        LeftOut("VIX", snapshot),
        LeftOut("throttle", snapshot),
        LeftOut("the risk budget", snapshot),
    )


# ── each term ────────────────────────────────────────────────────────────────────────────────────────────────────────


@table("atr factor quantity", ("0.20", "1", "3"), ("0.25", "1", "3"), ("0.50", "0.5", "1.5"), ("0.75", "0.33", "1"))
def test_a_stop_within_two_ranges_is_widened(atr: str, factor: str, quantity: str) -> None:
    """RK-10: a stop half a dollar away, a risk of 1.50 USD; a third is applied whole and shown as 0.33"""
    size = size_of(wanted(notional="5000", way="0.50"), replace(NOTHING, atr=Price(Decimal(atr))))

    term = named(size, "ATR")
    assert isinstance(term, Term)
    assert (term.shown, size.quantity) == (factor, Decimal(quantity))


@table("atr shown", ("0.3", "0.83"), ("0.25000001", "0.99"), ("100", "0.0025"), ("30", "0.0083"))
def test_a_factor_is_rounded_down_where_it_is_shown(atr: str, shown: str) -> None:
    """RK-10: a cut is never shown as none, and a part never as nothing"""
    size = size_of(wanted(notional="5000", way="0.50"), replace(NOTHING, atr=Price(Decimal(atr))))

    term = named(size, "ATR")
    assert isinstance(term, Term)
    assert (term.shown, term.cuts) == (shown, True)


@table("level factor", (VixLevel.LOW, "1"), (VixLevel.NORMAL, "1"), (VixLevel.ELEVATED, "0.7"), (VixLevel.HIGH, "0.5"))
def test_a_high_vix_lowers_the_risk(level: VixLevel, factor: str) -> None:
    """RK-10, RK-19"""
    size = size_of(wanted(notional="5000", way="0.50"), replace(NOTHING, vix=a_vix(level)))

    assert size.factor == Decimal(factor)
    assert size.quantity == 3 * Decimal(factor)


@table(
    "likeness factor",
    (held("QQQ", "0.71"), "0.5"),
    (held("QQQ", "0.70"), "1"),
    (held("QQQ", "-0.95"), "1"),
    (held("QQQ", "-0.95", is_long=False), "0.5"),
    (held("QQQ", "0.95", is_long=False), "1"),
)
def test_a_correlated_position_is_cut(likeness: Likeness, factor: str) -> None:
    """RK-10, RK-16: over 0.7; a short beside a long that moves with it takes risk away"""
    size = size_of(wanted(), replace(NOTHING, held=(held("GLD", "0.1"), likeness)))

    term = named(size, "correlation")
    assert isinstance(term, Term)
    assert term.factor == Decimal(factor)


def test_too_few_days_leave_correlation_out(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-16"""
    new = held("IWM", None, days=3)

    alone = size_of(wanted(), replace(NOTHING, held=(held("GLD", "0.1"), new)))
    beside_one_over = size_of(wanted(), replace(NOTHING, held=(held("QQQ", "0.9"), new)))

    assert named(alone, "correlation") == LeftOut("correlation", snapshot)
    assert named(beside_one_over, "correlation") == Term("correlation", Fraction(Decimal("0.5")), "0.90 with QQQ")


TREND = replace(
    NOTHING, settings=SizingTerms(trend=TrendTerms(enabled=True, against=Decimal("0.6"), volatile=Decimal("0.5")))
)


def a_market(trend: Trend | None, volatility: Volatility | None) -> MarketMeasure:
    return MarketMeasure(Symbol("SPY"), date(2026, 11, 18), trend, volatility, None, None)


@table(
    "trend volatility long short",
    (Trend.UP, Volatility.USUAL, "1", "0.6"),
    (Trend.DOWN, Volatility.CALM, "0.6", "1"),
    (Trend.SIDEWAYS, Volatility.USUAL, "1", "1"),
    (Trend.SIDEWAYS, Volatility.WILD, "0.5", "0.5"),
    (Trend.UP, Volatility.WILD, "0.5", "0.3"),
    (Trend.DOWN, Volatility.WILD, "0.3", "0.5"),
)
def test_risk_is_less_against_the_trend(trend: Trend, volatility: Volatility, long: str, short: str) -> None:
    """RK-10, RK-19"""
    conditions = replace(TREND, market=a_market(trend, volatility))

    terms = [named(size_of(replace(wanted(), is_long=way), conditions), "trend") for way in (True, False)]

    assert [term.factor for term in terms if isinstance(term, Term)] == [Decimal(long), Decimal(short)]


def test_an_unknown_trend_is_left_out(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-19"""
    few = replace(TREND, market=a_market(None, None))

    assert [named(size_of(wanted(), each), "trend") for each in (TREND, few)] == snapshot
    assert "trend" not in [term.name for term in size_of(wanted(), NOTHING).terms]


KELLY = replace(NOTHING, settings=SizingTerms(kelly=KellyTerms(enabled=True)), equity=Decimal(100))


@table(
    "edge factor",
    # half of 0.5 − 0.5 ÷ 2 is an eighth of 100 USD: more than the risk, which stays
    (Edge(40, 20, Decimal("0.40"), Decimal("0.20")), "1"),
    # half of 0.525 − 0.475 ÷ 1 is 2.5 USD of 100; half of 0.51 … is less than the risk of 5
    (Edge(40, 21, Decimal("0.21"), Decimal("0.19")), "0.5"),
    (Edge(40, 10, Decimal("0.10"), Decimal("0.30")), "0"),
    (Edge(40, 40, Decimal("0.40"), Decimal(0)), "1"),
    (Edge(40, 0, Decimal(0), Decimal("0.40")), "0"),
)
def test_half_kelly_bounds_the_risk(edge: Edge, factor: str) -> None:
    """RK-10: of 100 USD, beside a fixed risk of 5"""
    size = size_of(wanted("5", notional="5000"), replace(KELLY, edge=edge))

    term = named(size, "half-Kelly")
    assert isinstance(term, Term)
    assert term.factor == Decimal(factor)


def test_half_kelly_is_off_by_default(snapshot: SnapshotAssertion) -> None:
    """RK-10"""
    few = replace(KELLY, edge=Edge(29, 0, Decimal(0), Decimal(1)))

    assert named(size_of(wanted(), few), "half-Kelly") == LeftOut("half-Kelly", snapshot)
    assert "half-Kelly" not in [term.name for term in size_of(wanted(), NOTHING).terms]


# ── caps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_remaining_risk_budget_caps_the_size() -> None:
    """RK-21: 15 % of 200 USD are 30; 29.50 are at the stops already, so 0.50 is left for stops half a dollar away"""
    size = size_of(
        wanted(notional="5000", way="0.50"), replace(NOTHING, equity=Decimal(200), open_losses=Decimal("29.50"))
    )

    assert shares(size) == (Decimal(1), BY_BUDGET)
    spent = size_of(wanted(), replace(NOTHING, equity=Decimal(200), open_losses=Decimal(31)))
    assert shares(spent) == (0, f"{BY_BUDGET} {BY_STEP}")


RAISES = SizingTerms(raise_to_minimum=True)


def test_raising_to_the_minimum_needs_a_setting() -> None:
    """RK-18: noise makes it 0.75 shares of 100 USD; the smallest order is 100, and a whole share risks 1 of 1.50"""
    order = wanted(price="100", notional="500", way="1", least="100")
    noisy = replace(NOTHING, atr=Price(Decimal(1)))

    assert shares(size_of(order, noisy)) == (Decimal("0.75"), BY_RISK)
    assert shares(size_of(order, replace(noisy, settings=RAISES))) == (Decimal(1), BY_LEAST)


def test_a_raised_size_stays_within_the_limits() -> None:
    """RK-18: the throttle is a limit, and so is the budget; half of 1.50 USD is under the 1 USD of a whole share"""
    order = wanted(price="100", notional="500", way="1", least="100")
    raises = replace(NOTHING, settings=RAISES, equity=Decimal(200))

    assert size_of(order, replace(raises, throttle=throttled("0.5"))).quantity == Decimal("0.75")
    assert size_of(order, replace(raises, open_losses=Decimal("29.50"))).quantity == Decimal("0.5")
    assert size_of(replace(order, max_notional=Money(Decimal(99))), raises).quantity == Decimal("0.99")


def test_only_common_limits_are_binding() -> None:
    """RK-10, RK-11"""
    conditions = replace(NOTHING, atr=Price(Decimal(1)), throttle=throttled("0.25"), vix=a_vix(VixLevel.NORMAL))

    assert [str(term) for term in binding_cuts(wanted(), conditions)] == ["0.25 throttle"]


# ── what must always hold ────────────────────────────────────────────────────────────────────────────────────────────


def cents(lowest: str, highest: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(lowest), Decimal(highest), places=places)


WANTED = st.builds(
    WantedEntry, risk=cents("0.01", "100000"), price=cents("0.0001", "999999", places=4),
    way=cents("0.0001", "99999", places=4), max_notional=cents("0.01", "10000000"),
    step=st.sampled_from([Decimal("0.000000001"), STEP, Decimal("0.003"), Decimal(1), Decimal(100)]),
    is_long=st.booleans(), least=cents("0", "1000"),
)  # fmt: skip
LIKENESS = st.builds(
    Likeness, st.just(Symbol("QQQ")), st.booleans(), st.none() | cents("-1", "1"), st.integers(0, 60)
)  # fmt: skip
EDGE = st.builds(Edge, st.integers(31, 60), st.integers(1, 30), cents("0.01", "1"), cents("0.01", "1"))
CONDITIONS = st.builds(
    Conditions,
    settings=st.builds(SizingTerms, kelly=st.builds(KellyTerms, enabled=st.booleans()), raise_to_minimum=st.booleans()),
    atr=st.none() | cents("0.0001", "100", places=4),
    vix=st.just(UNKNOWN.vix) | st.builds(a_vix, st.sampled_from(VixLevel)),
    held=st.lists(LIKENESS, max_size=3).map(tuple),
    throttle=st.none() | st.builds(Throttle, st.sampled_from([Decimal("0.25"), Decimal("0.5"), Decimal(1)]), texts()),
    edge=EDGE,
    equity=st.none() | cents("1", "1000000"),
    open_losses=cents("0", "10000"),
)


def most_by(order: WantedEntry, conditions: Conditions, factor: Decimal) -> list[Exact]:
    """Shares that the risk times `factor`, the largest order and the budget allow, exactly."""
    assert order.risk is not None
    assert order.max_notional is not None
    way, left = Exact(order.way), conditions.budget_left
    limits = [Exact(order.risk) * Exact(factor) / way, Exact(order.max_notional) / Exact(order.price)]
    return limits if left is None else [*limits, max(Exact(left), Exact(0)) / way]


@settings(max_examples=24)
@given(order=WANTED, conditions=CONDITIONS)
def test_no_size_exceeds_its_limits(order: WantedEntry, conditions: Conditions) -> None:
    """RK-02, RK-10, RK-18, RK-21: raised to a minimum or not"""
    size = size_of(order, conditions)

    binding = prod((term.factor for term in binding_cuts(order, conditions)), start=Decimal(1))
    assert Exact(size.quantity) % Exact(order.step) == 0
    assert all(Exact(size.quantity) <= limit for limit in most_by(order, conditions, binding))


@settings(max_examples=24)
@given(order=WANTED, conditions=CONDITIONS)
def test_the_factors_as_told_make_the_size(order: WantedEntry, conditions: Conditions) -> None:
    """RK-10: whoever reads the terms can work the size out again"""
    size = size_of(order, conditions)
    assume(size.limited_by != BY_LEAST)

    factor = prod((term.factor for term in size.terms), start=Decimal(1))
    assert factor == size.factor
    again = floor(min(most_by(order, conditions, factor)) / Exact(order.step))
    assert Exact(size.quantity) == again * Exact(order.step)


@settings(max_examples=24)
@given(order=WANTED, conditions=CONDITIONS, more=cents("0", "1000"))
def test_a_larger_risk_never_buys_less(order: WantedEntry, conditions: Conditions, more: Decimal) -> None:
    """RK-10: Kelly's bound aside, which is rounded down as a part of the risk"""
    assert order.risk is not None
    scales = [scale for scale in ALL if scale.name != "half-Kelly"]

    smaller = size_of(order, conditions, scales)
    larger = size_of(replace(order, risk=Money(order.risk + more)), conditions, scales)

    assert larger.quantity >= smaller.quantity


@settings(max_examples=24)
@given(order=WANTED, conditions=CONDITIONS)
def test_every_term_is_told_once(order: WantedEntry, conditions: Conditions) -> None:
    """RK-10"""
    size = size_of(order, conditions)

    names = [answer.name for answer in (*size.terms, *size.left_out) if answer.name != BY_BUDGET]
    assert len(set(names)) == len(names) == len(ALL) - (not conditions.settings.kelly.enabled) - 1
    assert all(0 <= term.factor <= 1 for term in size.terms)
    assert size.quantity == 0 or size.quantity <= size_of(order, conditions, BINDING).quantity
