"""What an instrument says of itself: its kind, its steps, and what so many of it cost, make and risk."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.model.instrument import (
    ASKED,
    STOCK_TICKS,
    WHOLE_ONES,
    AssetClass,
    BrokerInstrument,
    Hours,
    Instrument,
    Ticks,
    share,
)
from core.model.values import Symbol, VenueId
from tests.kit.rows import table

SPY = Symbol("SPY")
A_CALL = Instrument(Symbol("SPY261218C00500000"), AssetClass.OPTION, Decimal(100), lots=WHOLE_ONES)


prices = st.decimals("0.0001", "5000", places=4)
quantities = st.decimals("-1000", "1000", places=3)


def test_a_bare_symbol_is_a_us_share() -> None:
    """MD-07"""
    spy = share(SPY)

    assert (spy.symbol, spy.asset_class, spy.multiplier) == (SPY, AssetClass.STOCK, 1)
    assert (spy.lots.step, spy.lots.has_fractions, spy.lots.least) == (Decimal("0.001"), True, 0)
    assert spy.venue == "XNYS"
    assert spy.is_share


@table(
    "other",
    A_CALL,
    Instrument(SPY, multiplier=Decimal(10)),
    Instrument(SPY, AssetClass.CRYPTO),
    Instrument(SPY, ticks=Ticks(((Decimal(0), Decimal("0.05")),))),
    Instrument(SPY, venue=VenueId("XLON")),
)
def test_other_instruments_are_no_share(other: Instrument) -> None:
    """MD-07: its symbol alone does not say what it is"""
    assert not other.is_share


def test_daily_broker_facts_are_no_identity() -> None:
    """MD-07"""
    told = BrokerInstrument(SPY, lots=WHOLE_ONES, is_tradable=False, attributes=("has_options",))

    assert told.terms == Instrument(SPY, lots=WHOLE_ONES)
    assert type(told.terms) is Instrument


def test_each_class_has_its_table() -> None:
    """MD-07, RK-20"""
    assert ASKED.keys() == set(AssetClass)
    assert {kind for kind, asked in ASKED.items() if asked.is_opened} == {AssetClass.STOCK, AssetClass.CRYPTO}
    assert {kind for kind, asked in ASKED.items() if asked.hours is Hours.ALL_DAY} == {AssetClass.CRYPTO}


@given(price=prices)
def test_shares_have_us_ticks(price: Decimal) -> None:
    """EX-11"""
    step = Decimal("0.01") if price >= 1 else Decimal("0.0001")

    assert STOCK_TICKS.at(price) == step
    assert STOCK_TICKS.rounded(price) == STOCK_TICKS.nearest(price)
    assert str(STOCK_TICKS.nearest(price)) == str(price.quantize(step, ROUND_HALF_UP))


def test_ticks_follow_the_price() -> None:
    """EX-11: as options' do, a cent under three dollars and five from there on"""
    ticks = Ticks(((Decimal(3), Decimal("0.05")), (Decimal(0), Decimal("0.01"))))

    assert [ticks.at(Decimal(price)) for price in ("2.99", "3", "12")] == [
        Decimal("0.01"),
        Decimal("0.05"),
        Decimal("0.05"),
    ]
    assert ticks.rounded(Decimal("3.075")) == Decimal("3.10")


@given(quantity=quantities, paid=prices, price=prices)
def test_money_counts_the_multiplier_once(quantity: Decimal, paid: Decimal, price: Decimal) -> None:
    """EX-08: a hundred times a share's"""
    spy = share(SPY)

    assert A_CALL.notional(quantity, price) == 100 * spy.notional(quantity, price)
    assert A_CALL.cost(quantity, price) == 100 * spy.cost(quantity, price)
    assert A_CALL.profit(quantity, paid, price) == 100 * spy.profit(quantity, paid, price)
    assert A_CALL.risk(quantity, abs(price - paid)) == 100 * spy.risk(quantity, abs(price - paid))


@given(quantity=quantities, price=prices)
def test_a_share_counts_to_the_last_digit(quantity: Decimal, price: Decimal) -> None:
    """EX-08: so that figures of before stay byte for byte what they were"""
    assert str(share(SPY).notional(quantity, price)) == str(quantity * price)


@given(quantity=quantities.filter(bool), price=prices)
def test_a_worths_price_is_its_origin(quantity: Decimal, price: Decimal) -> None:
    """EX-08"""
    assert A_CALL.price_of(quantity, A_CALL.notional(quantity, price)) == price
    assert str(share(SPY).price_of(quantity, quantity * price)) == str(quantity * price / quantity)


@table(
    "average is_long stop",
    ("100.0033", True, "100.01"),
    ("100.0033", False, "100.00"),
    ("99.60", True, "99.60"),
    ("0.51234", True, "0.5124"),
)
def test_a_stop_at_break_even_loses_nothing(average: str, is_long: bool, stop: str) -> None:
    """OP-06: on its step, above what was paid for what is held, below what was got for what is owed"""
    assert STOCK_TICKS.break_even(Decimal(average), is_long=is_long) == Decimal(stop)
