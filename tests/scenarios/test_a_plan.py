"""A plan: many orders, signed once; what reduces goes first, the buys wait for it, and the broker has the last word."""

from __future__ import annotations

from core.model.values import Symbol
from tests.scenarios.house import assert_can_be_rebuilt
from tests.scenarios.plans import (
    a_buy,
    a_house_that_holds,
    a_sale,
    marks,
    opens,
    runs_out,
    signs,
    words,
)


def test_a_sell_and_a_buy_that_needs_its_cash_go_out_in_that_order_on_one_key() -> None:
    """OP-05, EX-10, OP-02"""
    house = a_house_that_holds("AAA", "BBB", "CCC", quantity="130")
    before = len(house.requests())
    opens(house, a_buy("GGG", "120"), a_sale("AAA"))
    marks(house)

    signs(house)
    report = runs_out(house)

    assert house.requests()[before:] == ["cancel", "submit sell market 130", "submit buy market 120"]
    assert (house.held(Symbol("AAA")), house.held(Symbol("GGG"))) == ("0", "120")
    assert [line.reason for line in report.lines] == ["", ""]
    assert report.is_of_the_broker
    assert_can_be_rebuilt(house)
    print("\n".join(words(house)))
