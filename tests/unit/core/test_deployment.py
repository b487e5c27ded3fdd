"""An amount shared among entries, equally or by 1 ÷ ATR % (RK-18)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.model.basket import Deployment, DeploymentWeight
from core.model.values import Money, Price, Symbol
from core.staging.deployment import NO_ATR, NO_PRICE, NO_RANGE, Share, shares_of

A, B, C = (Symbol(name) for name in ("AAA", "BBB", "CCC"))
Known = Mapping[Symbol, str | None]


def of(known: Known) -> Callable[[Symbol], Price | None]:
    def price(symbol: Symbol) -> Price | None:
        text = known.get(symbol)
        return None if text is None else Price(Decimal(text))

    return price


def amounts(amount: str, weight: DeploymentWeight, prices: Known, ranges: Known, *symbols: Symbol) -> list[object]:
    found = shares_of(Deployment(Money(Decimal(amount)), weight), symbols, of(prices), of(ranges))
    return [each.amount if isinstance(each, Share) else each for each in found]


def test_the_calmer_share_gets_more() -> None:
    """RK-18: by hand: 1 % and 3 % of ATR: weights of 3 and 1"""
    found = amounts("8000", DeploymentWeight.RISK, {A: "100", B: "50"}, {A: "1", B: "1.5"}, A, B)

    assert found == [Decimal("6000.00"), Decimal("2000.00")]


def test_equal_shares_are_rounded_down_to_cents() -> None:
    """RK-18"""
    assert amounts("100", DeploymentWeight.EQUAL, {}, {}, A, B, C) == [Decimal("33.33")] * 3


def test_an_entry_without_atr_leaves_its_share_undeployed() -> None:
    """RK-18: no weight is invented, and the others do not get what it does not take"""
    prices: Known = {A: "100", B: "100", C: None}

    assert amounts("9000", DeploymentWeight.RISK, prices, {A: "1", B: None, C: "1"}, A, B, C) == [
        Decimal("3000.00"),
        NO_ATR,
        NO_PRICE,
    ]
    assert amounts("9000", DeploymentWeight.RISK, {A: "100"}, {A: "0"}, A) == [NO_RANGE]


NUMBERS = st.decimals("0.0001", "5000", allow_nan=False, allow_infinity=False, places=4).map(str)


@given(
    st.lists(st.tuples(st.sampled_from((A, B, C)), st.none() | NUMBERS, st.none() | NUMBERS), max_size=8),
    NUMBERS,
    st.sampled_from(DeploymentWeight),
)
def test_shares_never_add_up_to_more(
    rows: list[tuple[Symbol, str | None, str | None]], amount: str, weight: DeploymentWeight
) -> None:
    """RK-18: also where a symbol is bought by one row and sold short by another"""
    symbols = [symbol for symbol, _, _ in rows]
    prices, ranges = {s: price for s, price, _ in rows}, {s: atr for s, _, atr in rows}

    found = [each for each in amounts(amount, weight, prices, ranges, *symbols) if isinstance(each, Decimal)]

    assert sum(found, Decimal(0)) <= Decimal(amount)
    assert all(each >= 0 for each in found)
