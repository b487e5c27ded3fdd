"""An advice that the operator adopted: its strategy weighs it as it is, once; without one it waits (ST-04)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import (
    AdoptionRefused,
    AdviceGiven,
    OrderCreated,
    ProposalSkipped,
    ProposalStaged,
    RecommendationAdopted,
    RecommendationDropped,
)
from core.messages.commands import AdoptAdvice, DropRecommendation
from core.messages.inputs import FromAdviser
from core.model.advice import Advice, TradeIdea
from core.model.bar import Bar
from core.model.values import CENT, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import passes
from tests.scenarios.house import House, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY

SHORT = {
    "momentum": {"bars": 2, "strength_bars": 2, "volume_bars": 2, "range_bars": 2},
    "breakout": {"bars": 2, "volume_bars": 2, "range_bars": 2, "counted_bars": 2},
    "mean_reversion": {"bars": 2, "range_bars": 2},
}
STRATEGIES = [*SHORT]


def a_house(strategy: str, *, requires: bool = True, **risk: object) -> House:
    settings = Settings.model_validate(
        {
            "strategies": {
                "vwap": {"enabled": False},
                strategy: {"enabled": True, "requires_recommendation": requires, **SHORT[strategy]},
            },
            "risk": {"window_start": "09:30", "window_end": "15:45", **risk},
        }
    )
    return House(a_drift(DRIFT[strategy]), settings).opens().until("09:50:30")


DRIFT = {"momentum": Decimal("0.01"), "breakout": Decimal(0), "mean_reversion": Decimal("-0.01")}
"""What speaks for each and is no setup of its own: USD a minute."""


def a_drift(step: Decimal) -> list[Bar]:
    """An hour from 09:30 that begins at 100 USD."""
    bars = []
    for number, bar in enumerate(minutes("09:30", "10:30")):
        close = (100 + step * number).quantize(CENT)
        bars.append(replace(bar, open=close, high=close + CENT, low=close - CENT, close=close))
    return bars


def is_advised(house: House, strategy: str, quantity: str = "0.25", minutes_: int = 60, symbol: str = "SPY") -> int:
    """An adviser says it; its number."""
    entry, stop, target = (Price(Decimal(text)) for text in ("100.20", "99.10", "102.20"))
    idea = TradeIdea(strategy, Symbol(symbol), entry, stop, target, Quantity(Decimal(quantity)))
    advice = Advice("it is about to rise", idea, timedelta(minutes=minutes_))
    house.line.take(house.line.at, FromAdviser("oracle", (advice,)))
    return house.last(AdviceGiven).number


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_an_adopted_advice_it_waits_and_with_one_it_takes_it_unchanged(strategy: str) -> None:
    """ST-04"""
    house = a_house(strategy)
    number = is_advised(house, strategy)
    house.until("09:55:30")
    assert not house.facts(ProposalStaged), "an advice alone moves nothing"
    assert house.desk.orchestrator.no_trade()["NO_RECOMMENDATION"] > 0

    house.presses(AdoptAdvice(number))
    house.until("09:56:30")

    (staged,) = house.facts(ProposalStaged)
    order, stop = staged.proposal.order, staged.proposal.stop
    assert (order.quantity, order.limit_price, stop.price) == (  # type: ignore[union-attr]
        Decimal("0.25"),
        Decimal("100.20"),
        Decimal("99.10"),
    )
    assert staged.proposal.reason == "recommended by oracle, adopted by the operator"
    assert house.last(RecommendationDropped).reason == "its proposal waits for your key"
    assert not house.facts(OrderCreated), "it waits for a key like any other"
    assert_can_be_rebuilt(house)


def test_it_has_a_ticket_like_any_other_and_fills() -> None:
    """ST-04, OP-01"""
    house = a_house("momentum")
    house.presses(AdoptAdvice(is_advised(house, "momentum")))
    house.until("09:51:30")

    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("09:53")

    assert house.held() == "0.25"


def test_one_that_needs_no_advice_takes_an_adopted_one_before_its_own() -> None:
    """ST-04"""
    house = a_house("momentum", requires=False)
    house.presses(AdoptAdvice(is_advised(house, "momentum")))

    house.until("09:51:30")

    assert house.last(ProposalStaged).proposal.order.quantity == Decimal("0.25")


def test_what_is_over_a_cap_is_refused_with_the_size_that_would_pass_and_never_cut() -> None:
    """RK-10"""
    house = a_house("momentum")
    house.presses(AdoptAdvice(is_advised(house, "momentum", quantity="0.9")))

    house.until("09:55:30")

    assert not house.facts(ProposalStaged)
    (skipped,) = house.facts(ProposalSkipped)
    assert any("0.499" in reason for reason in skipped.reasons), skipped.reasons
    assert house.last(RecommendationDropped).reason == "its proposal was refused, the log says why"


def test_it_outlives_a_restart_and_ends_at_its_time() -> None:
    """ST-04, SP-03"""
    house = a_house("momentum", max_open_positions=1, window_start="10:20")
    number = is_advised(house, "momentum", minutes_=20)
    house.presses(AdoptAdvice(number))
    house.restarted()
    assert house.desk.advice.recommendation("momentum", SPY) is not None

    house.until("10:10:29")
    assert not house.facts(RecommendationDropped)
    house.until("10:10:30")

    assert house.last(RecommendationDropped).reason == "its time is over"
    house.until("10:25")
    assert not house.facts(ProposalStaged)
    assert_can_be_rebuilt(house)


def test_taken_back_it_is_gone_before_the_next_bar() -> None:
    """ST-04"""
    house = a_house("momentum")
    house.presses(AdoptAdvice(is_advised(house, "momentum")))
    house.presses(DropRecommendation("momentum", SPY))

    house.until("09:55:30")

    assert house.last(RecommendationDropped).reason == "taken back by the operator"
    assert not house.facts(ProposalStaged)


@pytest.mark.parametrize(
    ("strategy", "symbol", "words"),
    [
        ("vwap", "SPY", "vwap takes no recommendation; n makes it an order of your own"),
        ("breakout", "SPY", "no strategy breakout runs on SPY; n makes it an order of your own"),
        ("momentum", "IBM", "no strategy momentum runs on IBM; n makes it an order of your own"),
        ("", "SPY", "it names no strategy; n makes it an order of your own"),
    ],
)
def test_what_no_strategy_takes_is_not_adopted_and_says_why(strategy: str, symbol: str, words: str) -> None:
    """ST-04"""
    house = a_house("momentum")
    number = is_advised(house, strategy, symbol=symbol)

    house.presses(AdoptAdvice(number))

    assert house.last(AdoptionRefused).reasons == (words,)
    (row,) = ViewBuilder(house.engine).draw(house.line.at).advice.rows
    assert (row.takes_it, row.why_not) == (False, words)


def test_one_waits_at_a_time_and_one_that_is_over_is_not_adopted() -> None:
    """ST-04"""
    house = a_house("momentum", window_start="10:20")
    first = is_advised(house, "momentum")
    idea = house.last(AdviceGiven).idea
    short = Advice("and soon", idea, timedelta(minutes=1))
    house.line.take(house.line.at, FromAdviser("other", (Advice("mine too", idea), short)))
    second, third = (given.number for given in house.facts(AdviceGiven)[1:])
    house.presses(AdoptAdvice(first))

    house.presses(AdoptAdvice(second))
    assert "has one that waits already" in house.last(AdoptionRefused).reasons[0]
    house.presses(AdoptAdvice(99))
    assert house.last(AdoptionRefused).reasons == ("it is no longer on the desk",)
    house.presses(DropRecommendation("momentum", SPY))
    passes(house, 120)
    house.presses(AdoptAdvice(third))
    assert house.last(AdoptionRefused).reasons == ("its time is over",)

    assert len(house.facts(RecommendationAdopted)) == 1
