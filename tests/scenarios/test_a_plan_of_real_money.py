"""A basket with entries on a live account takes more than `P`: what they cost, typed in whole dollars (OP-05)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import BasketRefused, BasketSigned
from core.messages.commands import BasketRow, SignBasket
from core.model.account import Mode
from core.model.basket import holds_as_typed, whole_dollars
from core.model.values import Money
from core.settings.service import AccountSettings
from core.workflows.baskets import NOT_PRICED, NOT_TYPED, BasketDrafts, digest_now, rehearsed
from tests.scenarios.house import House
from tests.scenarios.plans import SETTINGS, a_buy, a_floor, a_sale, marks, opens, the_plan
from tests.scenarios.plans import a_house_that_holds as one_that_holds


def of_real_money(house: House) -> House:
    house.desk.mode = Mode.LIVE
    return house


def a_live_floor(*rows: BasketRow) -> House:
    """Two buys that cost 15,002 USD in all, at an ask of 100.01."""
    settings = SETTINGS.model_copy(update={"account": AccountSettings(mode=Mode.LIVE)})
    house = of_real_money(a_floor(settings))
    opens(house, *(rows or (a_buy("AAA", "100"), a_buy("BBB", "50"))))
    marks(house)
    return house


def signs_with(house: House, typed: str | None) -> None:
    run = the_plan(house)
    going = [t for t in rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run) if t.fits]
    worth = None if typed is None else Money(Decimal(typed))
    house.presses(SignBasket(run.id, digest_now(house.desk, run, going), worth))


def test_the_key_alone_signs_no_entries_with_real_money() -> None:
    """OP-05"""
    house = a_live_floor()

    signs_with(house, None)

    assert house.last(BasketRefused).reasons == (NOT_TYPED,)
    assert house.facts(BasketSigned) == []


@pytest.mark.parametrize(
    ("typed", "is_signed"), [("15000", True), ("1500", False), ("150000", False), ("15700", False)]
)
def test_what_its_entries_cost_signs_it_and_no_other_figure_does(typed: str, is_signed: bool) -> None:
    """OP-05"""
    house = a_live_floor()
    view = house.line.picture().plan
    assert view is not None
    assert view.worth is not None
    assert whole_dollars(view.worth)[:2] == "15"

    signs_with(house, typed)

    assert bool(house.facts(BasketSigned)) is is_signed
    if is_signed:
        assert house.last(BasketSigned).worth == Decimal(typed)
    else:
        assert "read it again" in house.last(BasketRefused).reasons[0]


def test_without_a_price_of_each_entry_it_is_not_signed() -> None:
    """OP-05: nobody can say what it costs."""
    house = a_live_floor()
    view, run = house.line.picture().plan, the_plan(house)
    assert view is not None
    unpriced = replace(view, rows=(replace(view.rows[0], cost=None), *view.rows[1:]))
    first, *others = rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run)

    assert unpriced.worth is None
    assert (
        house.engine.the(BasketDrafts)._untyped([replace(first, cost=None), *others], Money(Decimal(15000)))
        == NOT_PRICED
    )


def test_a_plan_that_only_reduces_needs_no_figure() -> None:
    """OP-05, RK-22"""
    house = of_real_money(one_that_holds("AAA", quantity="60"))
    opens(house, a_sale("AAA"))
    marks(house)

    signs_with(house, None)

    assert house.facts(BasketSigned)


def test_on_paper_the_key_signs_alone() -> None:
    """OP-05"""
    house = a_floor()
    opens(house, a_buy("AAA", "10"))
    marks(house)

    signs_with(house, None)

    assert house.last(BasketSigned).worth is None


@pytest.mark.parametrize(
    ("typed", "worth", "holds"), [("1", "0.4", True), ("100", "102", True), ("100", "102.1", False)]
)
def test_a_figure_holds_within_two_hundredths_and_a_dollar(typed: str, worth: str, holds: bool) -> None:
    """OP-05"""
    assert holds_as_typed(Decimal(typed), Money(Decimal(worth))) is holds


@pytest.mark.parametrize(
    ("worth", "figure"), [("0.4", "0"), ("0.5", "1"), ("15001.50", "15002"), ("999999.49", "999999")]
)
def test_the_figure_is_rounded_as_it_is_spoken(worth: str, figure: str) -> None:
    """OP-05"""
    assert whole_dollars(Money(Decimal(worth))) == figure
