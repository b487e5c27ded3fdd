"""An advice that the operator adopted: its strategy weighs it as it is, once; without one it waits (ST-04)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import AdoptAdvice, DropRecommendation
from core.messages.inputs import FromAdviser
from core.model.bar import Bar
from core.model.recommendation import Advice, TradeIdea
from core.model.values import CENT, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import passes
from tests.scenarios.house import House, minutes
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
    return house.last(facts.AdviceGiven).number


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_adopted_advice_is_staged_unchanged(strategy: str, snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    house = a_house(strategy)
    number = is_advised(house, strategy)
    house.until("09:55:30")
    assert not house.facts(facts.ProposalStaged), "an advice alone moves nothing"
    assert house.desk.orchestrator.no_trade()["NO_RECOMMENDATION"] > 0

    house.presses(AdoptAdvice(number))
    house.until("09:56:30")

    (staged,) = house.facts(facts.ProposalStaged)
    order, stop = staged.proposal.order, staged.proposal.stop
    assert (order.quantity, order.limit_price, stop.price) == (  # type: ignore[union-attr]
        Decimal("0.25"),
        Decimal("100.20"),
        Decimal("99.10"),
    )
    assert [staged.proposal.reason, house.last(facts.RecommendationDropped).reason] == snapshot
    assert not house.facts(facts.OrderCreated), "it waits for a key like any other"


def test_adopted_advice_is_confirmed_and_fills() -> None:
    """ST-04, OP-01"""
    house = a_house("momentum")
    house.presses(AdoptAdvice(is_advised(house, "momentum")))
    house.until("09:51:30")

    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("09:53")

    assert house.held() == "0.25"


def test_adopted_advice_precedes_own_signals() -> None:
    """ST-04"""
    house = a_house("momentum", requires=False)
    house.presses(AdoptAdvice(is_advised(house, "momentum")))

    house.until("09:51:30")

    assert house.last(facts.ProposalStaged).proposal.order.quantity == Decimal("0.25")


def test_advice_over_a_cap_is_refused_not_cut(snapshot: SnapshotAssertion) -> None:
    """RK-10"""
    house = a_house("momentum")
    house.presses(AdoptAdvice(is_advised(house, "momentum", quantity="0.9")))

    house.until("09:55:30")

    assert not house.facts(facts.ProposalStaged)
    (skipped,) = house.facts(facts.ProposalSkipped)
    assert any("0.499" in reason for reason in skipped.reasons), skipped.reasons
    assert house.last(facts.RecommendationDropped).reason == snapshot


def test_adopted_advice_survives_a_restart_and_expires(snapshot: SnapshotAssertion) -> None:
    """ST-04, SP-03"""
    house = a_house("momentum", max_open_positions=1, window_start="10:20")
    number = is_advised(house, "momentum", minutes_=20)
    house.presses(AdoptAdvice(number))
    house.restarted()
    assert house.desk.advice.recommendation("momentum", SPY) is not None

    house.until("10:10:29")
    assert not house.facts(facts.RecommendationDropped)
    house.until("10:10:30")

    assert house.last(facts.RecommendationDropped).reason == snapshot
    house.until("10:25")
    assert not house.facts(facts.ProposalStaged)


def test_dropped_advice_is_not_staged(snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    house = a_house("momentum")
    house.presses(AdoptAdvice(is_advised(house, "momentum")))
    house.presses(DropRecommendation("momentum", SPY))

    house.until("09:55:30")

    assert house.last(facts.RecommendationDropped).reason == snapshot
    assert not house.facts(facts.ProposalStaged)


def test_advice_for_no_strategy_is_not_adopted(snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    refused = {}
    for strategy, symbol in (("vwap", "SPY"), ("breakout", "SPY"), ("momentum", "IBM"), ("", "SPY")):
        house = a_house("momentum")
        number = is_advised(house, strategy, symbol=symbol)

        house.presses(AdoptAdvice(number))

        reasons = house.last(facts.AdoptionRefused).reasons
        (row,) = ViewBuilder(house.engine).draw(house.line.at).advice.rows
        assert (row.takes_it, (row.why_not,)) == (False, reasons), strategy
        refused[f"{strategy} on {symbol}"] = reasons
    assert refused == snapshot


def test_second_or_expired_advice_is_not_adopted(snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    house = a_house("momentum", window_start="10:20")
    first = is_advised(house, "momentum")
    idea = house.last(facts.AdviceGiven).idea
    short = Advice("and soon", idea, timedelta(minutes=1))
    house.line.take(house.line.at, FromAdviser("other", (Advice("mine too", idea), short)))
    second, third = (given.number for given in house.facts(facts.AdviceGiven)[1:])
    house.presses(AdoptAdvice(first))

    house.presses(AdoptAdvice(second))
    house.presses(AdoptAdvice(99))
    house.presses(DropRecommendation("momentum", SPY))
    passes(house, 120)
    house.presses(AdoptAdvice(third))

    assert [fact.reasons for fact in house.facts(facts.AdoptionRefused)] == snapshot
    assert len(house.facts(facts.RecommendationAdopted)) == 1
