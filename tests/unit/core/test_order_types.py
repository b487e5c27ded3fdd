"""What each order type is, and that every one of them has its words."""

from __future__ import annotations

from core.model.order import TYPED, OrderType, Side
from core.model.order_terms import WORDS
from tests.kit.rows import table


@table(
    "kind takes_any_price",
    (OrderType.MARKET, True),
    (OrderType.STOP, True),
    (OrderType.TRAILING_STOP, True),
    (OrderType.LIMIT, False),
    (OrderType.STOP_LIMIT, False),
)
def test_a_stop_takes_any_price(kind: OrderType, takes_any_price: bool) -> None:
    """RK-17"""
    assert kind.has_limit is not takes_any_price


@table("kind", *OrderType)
def test_types_wait_rest_or_go_at_once(kind: OrderType) -> None:
    """EX-12"""
    assert [kind.waits, kind.rests, kind.goes_at_once].count(True) == 1


def test_only_an_exit_at_its_limit_waits_unprotected() -> None:
    """EX-13"""
    assert [kind for kind in OrderType if kind.waits_unprotected] == [OrderType.LIMIT]


def test_a_stop_is_on_its_side_of_the_market() -> None:
    """EX-12"""
    assert OrderType.STOP.waits_above(Side.BUY)
    assert not OrderType.STOP.waits_above(Side.SELL)


@table("kind", *OrderType)
def test_every_type_names_its_prices(kind: OrderType) -> None:
    """OP-03: its terms and its ticket tell each price that it has, and no other; a column has room for one"""
    words = WORDS[kind]
    prices = {"{limit}": kind.has_limit, "{stop}": kind.has_stop, "{trail}": kind.trails}

    for text in (words.terms, words.ticket):
        assert {name for name in prices if name in text} == {name for name, is_there in prices.items() if is_there}
    assert words.column.count("{") == min(1, sum(prices.values()))
    assert words.column.count(" ") == words.column.count("{")


def test_every_type_has_one_typed_word() -> None:
    """OP-01"""
    assert sorted(TYPED.values(), key=list(OrderType).index) == list(OrderType)
    assert not [word for word in TYPED if " " in word or word != word.lower()]
