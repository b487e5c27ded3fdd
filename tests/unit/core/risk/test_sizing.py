"""How many shares a risk in USD buys."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.values import Money, Price, Quantity
from core.risk.sizing import BY_NOTIONAL, BY_RISK, BY_STEP, NO_RISK, Size, quantity_for

STOP = Decimal("0.003")
STEP = Decimal("0.001")


def size(risk: str | None, price: str, notional: str | None, step: str = "0.001") -> Size:
    return quantity_for(
        None if risk is None else Money(Decimal(risk)),
        Price(Decimal(price)),
        STOP,
        None if notional is None else Money(Decimal(notional)),
        Decimal(step),
    )


def sized(quantity: str, limited_by: str) -> Size:
    return Size(Quantity(Decimal(quantity)), limited_by)


def test_the_notional_limits_a_small_account() -> None:
    """RK-02: 50 USD buy 0.2998 SPY at 166.76, rounded down."""
    assert size("1.50", "166.76", "50") == sized("0.299", BY_NOTIONAL)


def test_the_risk_limits_where_the_notional_is_wide() -> None:
    """RK-02: 1.50 USD ÷ (166.76 × 0.003) = 2.998 shares."""
    assert size("1.50", "166.76", "5000") == sized("2.998", BY_RISK)


def test_whole_shares_are_rounded_down_and_never_up() -> None:
    """RK-02"""
    assert size("1.50", "166.76", "5000", step="1") == sized("2", BY_RISK)


@pytest.mark.parametrize(
    ("risk", "notional", "limited_by"),
    [
        (None, "50", NO_RISK),
        ("0", "50", NO_RISK),
        ("-1", "50", NO_RISK),
        ("1.50", None, BY_NOTIONAL),
        ("1.50", "0", BY_NOTIONAL),
        ("1.50", "0.10", f"{BY_NOTIONAL} {BY_STEP}"),
        ("0.0001", "50", f"{BY_RISK} {BY_STEP}"),
    ],
)
def test_an_unknown_or_too_small_limit_buys_nothing_and_says_which(
    risk: str | None, notional: str | None, limited_by: str
) -> None:
    """RK-02"""
    assert size(risk, "166.76", notional) == sized("0", limited_by)


def cents(lowest: str, highest: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(lowest), Decimal(highest), places=places)


@given(
    risk=cents("0.01", "100000"),
    price=cents("0.0001", "999999", places=4),
    stop_fraction=cents("0.0001", "0.5", places=4),
    max_notional=cents("0.01", "10000000"),
    step=st.sampled_from([Decimal("0.000000001"), STEP, Decimal("0.003"), Decimal(1), Decimal(100)]),
)
def test_no_size_risks_or_costs_more_than_allowed_and_none_is_smaller_than_it_must_be(
    risk: Decimal, price: Decimal, stop_fraction: Decimal, max_notional: Decimal, step: Decimal
) -> None:
    """RK-02"""
    result = quantity_for(Money(risk), Price(price), stop_fraction, Money(max_notional), step)
    quantity, share = Fraction(result.quantity), Fraction(price)

    def is_allowed(shares: Fraction) -> bool:
        return shares * share * Fraction(stop_fraction) <= Fraction(risk) and shares * share <= Fraction(max_notional)

    assert quantity % Fraction(step) == 0
    assert is_allowed(quantity)
    assert not is_allowed(quantity + Fraction(step))
