"""What each order type is, and that every one of them has its words."""

from __future__ import annotations

import pytest

from core.model.order import TYPED, OrderType, Side
from core.views.order_text import WORDS


@pytest.mark.parametrize(
    ("kind", "takes_any_price"),
    [
        (OrderType.MARKET, True),
        (OrderType.STOP, True),
        (OrderType.TRAILING_STOP, True),
        (OrderType.LIMIT, False),
        (OrderType.STOP_LIMIT, False),
    ],
)
def test_a_stop_takes_any_price_like_a_market_order(kind: OrderType, takes_any_price: bool) -> None:
    """RK-17"""
    assert kind.has_limit is not takes_any_price


@pytest.mark.parametrize("kind", OrderType)
def test_an_order_waits_for_a_price_or_rests_at_its_own_or_goes_at_once(kind: OrderType) -> None:
    """EX-12"""
    assert [kind.waits, kind.rests, kind.goes_at_once].count(True) == 1


def test_a_stop_that_buys_stands_above_the_market_and_one_that_sells_below_it() -> None:
    """EX-12"""
    assert OrderType.STOP.waits_above(Side.BUY)
    assert not OrderType.STOP.waits_above(Side.SELL)


@pytest.mark.parametrize("kind", OrderType)
def test_every_type_has_its_words_and_names_its_prices_in_them(kind: OrderType) -> None:
    """OP-03: its terms and its ticket tell each price that it has, and no other; a column has room for one"""
    words = WORDS[kind]
    prices = {"{limit}": kind.has_limit, "{stop}": kind.has_stop, "{trail}": kind.trails}

    for text in (words.terms, words.ticket):
        assert {name for name in prices if name in text} == {name for name, is_there in prices.items() if is_there}
    assert words.column.count("{") == min(1, sum(prices.values()))
    assert words.column.count(" ") == words.column.count("{")


def test_every_type_is_typed_by_one_word_of_its_own() -> None:
    """OP-01"""
    assert sorted(TYPED.values(), key=list(OrderType).index) == list(OrderType)
    assert not [word for word in TYPED if " " in word or word != word.lower()]
