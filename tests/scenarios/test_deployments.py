"""An amount deployed by a basket: shares by the engine's own ATR, and every check on each (RK-18)."""

from __future__ import annotations

from decimal import Decimal

from core import facts
from core.messages.commands import BasketRow, OpenBasket
from core.model.basket import BasketSource, Deployment, DeploymentWeight
from core.model.order import Effect as OrderEffect
from core.model.values import Money, Symbol
from core.settings.settings import Settings
from core.staging.deployment import NO_ATR
from tests.scenarios.house import House, minutes
from tests.scenarios.plans import SETTINGS, a_buy, row, the_plan
from tests.scenarios.plans import passes as waits

CALM, WILD, YOUNG = "100 100.20 99.80 100", "100 100.60 99.40 100", "100"
"""True ranges of 0.4 and 1.2 % a minute."""


def a_floor(settings: Settings = SETTINGS) -> House:
    """10:00; AAA is calm, BBB is three times as wild, and CCC trades for three minutes only."""
    bars = [
        bar
        for symbol, first, prices in (("AAA", "09:31", CALM), ("BBB", "09:31", WILD), ("CCC", "09:57", YOUNG))
        for bar in minutes(first, "10:15", prices, symbol=Symbol(symbol))
    ]
    return House(bars, settings=settings, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:00")


def deploys(house: House, amount: str, weight: DeploymentWeight, *rows: BasketRow) -> None:
    deploy = Deployment(Money(Decimal(amount)), weight)
    house.presses(OpenBasket(BasketSource.FILE, "rows.csv", rows, deploy=deploy))
    waits(house, 1)


def quantities(house: House) -> dict[str, Decimal]:
    return {line.proposal.symbol: line.proposal.order.quantity for line in the_plan(house).plan.lines}


def test_a_deployment_by_risk_buys_more_of_the_calm() -> None:
    """RK-18: 8,000 USD at a limit of 100: 60 and 20 shares; a sized row takes nothing of it"""
    house = a_floor()

    deploys(
        house,
        "8000",
        DeploymentWeight.RISK,
        a_buy("AAA", None, limit="100"),
        a_buy("BBB", None, limit="100"),
        a_buy("CCC", "5", limit="100"),
    )

    assert quantities(house) == {"AAA": 60, "BBB": 20, "CCC": 5}
    assert all(line.refusals == () for line in the_plan(house).plan.lines)
    assert "ATR" in the_plan(house).plan.lines[0].proposal.reason


def test_an_equal_deployment_divides_by_rows() -> None:
    """RK-18: at the ask where there is no limit, so that both cost no more than the amount"""
    house = a_floor()

    deploys(house, "8000", DeploymentWeight.EQUAL, a_buy("AAA", None, stop="98"), a_buy("BBB", None, limit="100"))

    found = quantities(house)
    quote = house.desk.sightings.quotes[Symbol("AAA")]
    assert found["BBB"] == 40
    assert found["AAA"] * quote.ask <= 4000
    assert 4000 - found["AAA"] * quote.ask < 1


def test_a_symbol_without_atr_is_skipped_with_its_reason() -> None:
    """RK-18: in the recorded basket; its equal share of a third stays undeployed"""
    house = a_floor()

    deploys(
        house, "9000", DeploymentWeight.RISK, *(a_buy(symbol, None, limit="100") for symbol in ("AAA", "BBB", "CCC"))
    )

    assert quantities(house) == {"AAA": 45, "BBB": 15}
    (skipped,) = house.last(facts.BasketOpened).plan.skipped
    assert (skipped.place, skipped.reason) == ("CCC row", NO_ATR)


def test_a_share_over_a_limit_is_refused_and_not_shared_out() -> None:
    """RK-18: 6,000 USD of AAA are over the largest order of 5,000; BBB gets no more for that"""
    dump = SETTINGS.model_dump(mode="json")
    house = a_floor(Settings.model_validate({**dump, "risk": {**dump["risk"], "max_notional": {"usd": "5000"}}}))

    deploys(house, "8000", DeploymentWeight.RISK, *(a_buy(symbol, None, limit="100") for symbol in ("AAA", "BBB")))

    refused, passed = house.last(facts.BasketOpened).plan.lines
    assert (refused.proposal.symbol, refused.proposal.order.quantity) == ("AAA", 60)
    assert [refusal.split(":")[0] for refusal in refused.refusals] == ["notional"]
    assert (passed.proposal.order.quantity, passed.refusals) == (20, ())


def test_a_share_is_not_raised_to_the_smallest_order() -> None:
    """RK-18: two raised ones would be more than the amount"""
    dump = SETTINGS.model_dump(mode="json")
    risk = {**dump["risk"], "min_notional": "1500", "sizing": {**dump["risk"]["sizing"], "raise_to_minimum": True}}
    house = a_floor(Settings.model_validate({**dump, "risk": risk}))

    deploys(house, "2000", DeploymentWeight.EQUAL, *(a_buy(symbol, None, limit="100") for symbol in ("AAA", "BBB")))

    lines = house.last(facts.BasketOpened).plan.lines
    assert [line.proposal.order.quantity for line in lines] == [10, 10]
    assert all(line.refusals for line in lines)


def test_a_row_without_size_and_deployment_is_skipped() -> None:
    """RK-18: no command of a file has one, and another sender gets no order of any size"""
    house = a_floor()

    house.presses(
        OpenBasket(BasketSource.FILE, "rows.csv", (a_buy("AAA", "5"), row("BBB", OrderEffect.OPEN, stop="98")))
    )

    assert quantities(house) == {"AAA": 5}
    assert [skipped.place for skipped in the_plan(house).plan.skipped] == ["BBB row"]
