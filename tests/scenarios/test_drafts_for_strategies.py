"""A draft that the operator adopts for a strategy: it evaluates it unchanged, once; without one it waits (ST-04)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import DropRecommendation
from core.messages.effects import AnswerAgent
from core.messages.inputs import AgentSaid, DraftSubmitted
from core.model.bar import Bar
from core.model.draft import DraftAnswer, DraftFact, DraftRefusal, DraftRequest, DraftTerms, DraftWord
from core.model.order import Effect, OrderType
from core.model.values import CENT, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.kit.drafts import adopts
from tests.scenarios.changes import passes
from tests.scenarios.house import House, minutes
from tests.unit.core.brokers.trading_floor import SPY

SHORT = {
    "momentum": {"bars": 2, "strength_bars": 2, "volume_bars": 2, "range_bars": 2},
    "breakout": {"bars": 2, "volume_bars": 2, "range_bars": 2, "counted_bars": 2},
    "mean_reversion": {"bars": 2, "range_bars": 2},
}
STRATEGIES = [*SHORT]


def a_house(strategy: str, *, requires: bool = True, minutes_: int = 60, **risk: object) -> House:
    settings = Settings.model_validate(
        {
            "strategies": {
                "vwap": {"enabled": False},
                strategy: {"enabled": True, "requires_recommendation": requires, **SHORT[strategy]},
            },
            "agents": {"oracle": {"minutes": minutes_, "symbols": ["SPY", "IBM"]}},
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


def drafts(
    house: House,
    strategy: str,
    quantity: str = "0.25",
    symbol: str = "SPY",
    key: str = "one",
    entry: str = "100.20",
    stated: tuple[DraftFact, ...] = (),
) -> DraftAnswer:
    """An agent drafts it; the desk's answer."""
    prices = (Price(Decimal(entry) + Decimal(away)) for away in ("0", "-1.10", "2.00"))
    terms = DraftTerms(
        Symbol(symbol), Effect.OPEN, Quantity(Decimal(quantity)), OrderType.LIMIT, *prices,
        strategy=strategy,
    )  # fmt: skip
    answers: list[AnswerAgent] = []
    house.line.answer_agent = answers.append
    house.line.take(house.line.at, DraftSubmitted("oracle", DraftRequest(key, terms, "it is about to rise", stated), 1))
    return answers[-1].answer


def is_adopted(house: House, strategy: str, **parts: Any) -> None:
    number = drafts(house, strategy, **parts).number
    assert number is not None
    house.presses(adopts(house.desk, number))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_adopted_draft_is_staged_unchanged(strategy: str, snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    house = a_house(strategy)
    number = drafts(house, strategy).number
    assert number is not None
    house.until("09:55:30")
    assert not house.facts(facts.ProposalStaged), "a draft alone moves nothing"
    assert house.desk.orchestrator.no_trade()["NO_RECOMMENDATION"] > 0

    house.presses(adopts(house.desk, number))
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
    known = house.desk.drafts.outcome(number)
    assert known is not None
    assert known.word is DraftWord.GIVEN


def test_an_adopted_draft_is_confirmed_and_fills() -> None:
    """ST-04, OP-01"""
    house = a_house("momentum")
    is_adopted(house, "momentum")
    house.until("09:51:30")

    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("09:53")

    assert house.held() == "0.25"


def test_an_adopted_draft_precedes_own_signals() -> None:
    """ST-04"""
    house = a_house("momentum", requires=False)
    is_adopted(house, "momentum")

    house.until("09:51:30")

    assert house.last(facts.ProposalStaged).proposal.order.quantity == Decimal("0.25")


def test_a_draft_over_a_cap_is_refused_not_cut() -> None:
    """RK-10: with the size that would pass"""
    house = a_house("momentum")

    answer = drafts(house, "momentum", quantity="0.9")

    assert (answer.number, answer.code) == (None, DraftRefusal.CHECKS)
    assert any("0.499" in reason for reason in answer.reasons), answer.reasons


def test_an_adopted_draft_survives_a_restart_and_expires(snapshot: SnapshotAssertion) -> None:
    """ST-04, SP-03"""
    house = a_house("momentum", minutes_=20)
    is_adopted(house, "momentum", entry="97.00")
    house.restarted()
    assert house.desk.advice.recommendation("momentum", SPY) is not None

    house.until("10:10:29")
    assert not house.facts(facts.RecommendationDropped)
    house.until("10:10:30")

    assert house.last(facts.RecommendationDropped).reason == snapshot


@pytest.mark.parametrize("field", ["price", "position"])
def test_a_false_fact_reaches_no_strategy(field: str) -> None:
    """OP-14, ST-04: the ticket of a strategy's proposal names no draft, so nothing on it would disarm its key"""
    house = a_house("momentum")
    stated = (DraftFact("SPY", field, Decimal(7), None, "get_quote"),)
    is_adopted(house, "momentum", stated=stated)

    house.until("09:55:30")

    assert not house.facts(facts.RecommendationAdopted)
    assert not house.facts(facts.ProposalStaged)
    assert len(house.facts(facts.DraftNotStaged)) == 1
    assert [one.draft.number for one in house.desk.drafts.waiting] == [1]


def test_a_dropped_draft_is_not_staged(snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    house = a_house("momentum")
    is_adopted(house, "momentum")
    (row,) = ViewBuilder(house.engine).draw(house.line.at).advice.rows
    assert row.adopted is not None
    house.presses(DropRecommendation("momentum", SPY))

    house.until("09:55:30")

    assert house.last(facts.RecommendationDropped).reason == snapshot
    assert not house.facts(facts.ProposalStaged)


def test_a_draft_for_no_such_strategy_is_rejected(snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    refused = {}
    for strategy, symbol in (("vwap", "SPY"), ("breakout", "SPY"), ("momentum", "IBM"), ("oracle", "SPY")):
        answer = drafts(a_house("momentum"), strategy, symbol=symbol)
        assert (answer.number, answer.code) == (None, DraftRefusal.CHECKS)
        refused[f"{strategy} on {symbol}"] = answer.reasons
    assert refused == snapshot


def test_a_second_draft_for_a_strategy_waits_for_the_first(snapshot: SnapshotAssertion) -> None:
    """ST-04: beside one that waits it is rejected; one drafted before the first was adopted is not adopted."""
    house = a_house("momentum")
    first, second = drafts(house, "momentum"), drafts(house, "momentum", key="two")
    assert first.number is not None
    assert second.number is not None
    house.presses(adopts(house.desk, first.number))
    house.presses(adopts(house.desk, second.number))

    third = drafts(house, "momentum", key="three")

    assert (third.number, third.reasons) == (None, house.last(facts.DraftNotStaged).reasons)
    assert third.reasons == snapshot
    assert len(house.facts(facts.RecommendationAdopted)) == 1
    house.presses(DropRecommendation("momentum", SPY))
    house.presses(adopts(house.desk, second.number))
    assert len(house.facts(facts.RecommendationAdopted)) == 2


def test_a_text_is_listed_once_and_moves_nothing() -> None:
    """OP-09"""
    house = a_house("momentum")
    before = len(list(house.journal.records()))

    for agent in ("oracle", "oracle", "stranger"):
        house.line.take(house.line.at, AgentSaid(agent, "look at SPY"))

    assert [fact.adviser for fact in house.facts(facts.AdviceGiven)] == ["oracle"]
    assert len(list(house.journal.records())) == before + 1
    (row,) = ViewBuilder(house.engine).draw(house.line.at).advice.rows
    assert (row.agent, row.text, row.adopted) == ("oracle", "look at SPY", None)
    passes(house, 61 * 60)
    assert not ViewBuilder(house.engine).draw(house.line.at).advice.rows
