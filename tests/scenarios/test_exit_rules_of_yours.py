"""Exit rules for positions that no strategy opened: off unless chosen, asked once, and never a second sale (ST-09)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core import facts
from core.execution.ledger_state import UNKNOWN_OWNER
from core.messages.commands import ChooseExitRules, Command, ProposeOrder
from core.model.codes import ProposalEnd
from core.model.holding import Health
from core.model.order import Effect, OrderType, Side, StopHolder
from core.model.signal import ExitReason
from core.model.staging import MANUAL
from core.model.values import Price, Quantity
from core.settings.history import read
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.strategy_signals import YOURS
from tests.scenarios.changes import confirms_now
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import House, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY

ROOM = {"window_start": "09:30", "window_end": "15:59", "max_notional": {"usd": "5000"}, "per_trade": {"usd": "100"}}


def taken_over(**exits: Any) -> House:
    """It is 10:08: 3 SPY were bought elsewhere at 100, and taken over; at 10:10 the price falls to 98.50."""
    bars = [*minutes("09:55", "10:09", "100"), *minutes("10:10", "10:40", "98.50")]
    house = House(bars, Settings.model_validate({"exits": exits}), cash=Decimal(5000)).opens().until("10:02")
    trades_elsewhere(house.exchange, house.line.at, Side.BUY, "3")
    house.until("10:08")
    assert house.held() == house.held_by_the_broker() == "3"
    return house


def chooses(*, is_watched: bool, strategy: str = UNKNOWN_OWNER) -> Command:
    return ChooseExitRules(SPY, strategy, is_watched)


def health(house: House) -> Health:
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    return row.health


def exits(house: House) -> list[ExitReason | None]:
    return [proposal.exit_reason for proposal in house.desk.stage.proposals()]


def test_what_was_taken_over_is_yours_until_chosen() -> None:
    """ST-09, OP-01"""
    house = taken_over()
    found = health(house)
    assert (found.choice.rules, found.choice.is_watched, found.choice.asks) == (YOURS, False, True)
    assert found.choice.offered == "stop, target, 5 d"

    house.until("10:20")

    assert exits(house) == []
    assert house.facts(facts.ProposalStaged) == []


def test_a_rule_that_was_chosen_proposes_and_the_key_sells_once() -> None:
    """ST-09, OP-01, EX-13"""
    house = taken_over()
    house.presses(chooses(is_watched=True))
    assert (health(house).choice.rules, health(house).choice.asks) == ("stop, target, 5 d", False)

    house.until("10:12")
    assert exits(house) == [ExitReason.STOP_LOSS]
    assert house.held() == "3"
    confirms_now(house)
    house.until("10:30")

    assert house.held() == house.held_by_the_broker() == "0"
    assert house.sent() == [("submit", "sell", "market", "3")]
    assert_can_be_rebuilt(house)


def test_a_no_is_recorded_and_asked_no_more() -> None:
    """ST-09, SP-05: over a restart too; the next that is taken over is asked of anew"""
    house = taken_over()
    house.presses(chooses(is_watched=False))
    house.presses(chooses(is_watched=False))
    assert house.facts(facts.ExitRulesChosen) == [facts.ExitRulesChosen(SPY, UNKNOWN_OWNER, is_watched=False)]

    house.restarted().until("10:15")
    assert (health(house).choice.asks, exits(house)) == (False, [])
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "3")
    house.until("10:20")
    assert house.held() == "0"
    trades_elsewhere(house.exchange, house.line.at, Side.BUY, "2")
    house.until("10:26")

    assert (house.held(), health(house).choice.asks) == ("2", True)


def test_watching_that_ends_withdraws_what_it_proposed() -> None:
    """ST-09"""
    house = taken_over()
    house.presses(chooses(is_watched=True))
    house.until("10:12")
    assert exits(house) == [ExitReason.STOP_LOSS]

    house.presses(chooses(is_watched=False))
    house.until("10:14")

    assert (exits(house), house.held()) == ([], "3")
    assert house.last(facts.ProposalEnded).end is ProposalEnd.WITHDRAWN


@pytest.mark.parametrize(
    ("terms", "is_watched"), [({"manual": True}, True), ({"enabled": False}, False), ({"not_for": ["broker"]}, False)]
)
def test_settings_that_leave_no_choice_ask_nothing(terms: dict[str, object], is_watched: bool) -> None:
    """ST-09, OP-06: the setting says it, or no rule could watch it"""
    found = health(taken_over(**terms))

    assert (found.choice.is_watched, found.choice.asks) == (is_watched, False)


def test_a_strategys_position_has_no_choice() -> None:
    """ST-09"""
    house = taken_over()

    house.presses(chooses(is_watched=True, strategy="vwap"))

    assert house.facts(facts.ExitRulesChosen) == []
    assert len(house.facts(facts.ProposalSkipped)) == 1


def guarded(then: str) -> House:
    """It is 10:07: 3 were bought by hand at 100 with a stop at 99 at the broker; rules watch too, a target at 102."""
    bars = [*minutes("09:55", "10:09", "100"), *minutes("10:10", "10:40", then)]
    settings = Settings.model_validate({"risk": ROOM, "exits": {"manual": True}})
    house = House(bars, settings, cash=Decimal(5000)).opens().until("10:05")
    house.presses(
        ProposeOrder(
            *(SPY, Effect.OPEN, Quantity(Decimal(3)), OrderType.LIMIT, Price(Decimal(100)), Price(Decimal(99))),
            StopHolder.BROKER,
        )
    )
    confirms_now(house)
    house.until("10:07")
    assert (house.held(), health(house).choice.rules) == ("3", "stop, target, 5 d")
    return house


def test_a_stop_at_the_broker_makes_way_for_the_rules_exit() -> None:
    """EX-13, EX-21: one sale"""
    house = guarded("102.50")
    house.until("10:12")
    assert exits(house) == [ExitReason.TAKE_PROFIT]

    confirms_now(house)
    house.until("10:30")

    assert house.held() == house.held_by_the_broker() == "0"
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.TAKE_PROFIT
    filled = [
        order for order in house.desk.ledger.state.orders.values() if order.only_reduces and order.filled_quantity
    ]
    assert [order.request.type for order in filled] == [OrderType.MARKET]


def test_a_stop_that_the_broker_fills_leaves_the_rules_nothing() -> None:
    """EX-13, ST-09: the rule's own stop is silent where the broker holds one"""
    house = guarded("98.90")

    house.until("10:30")

    assert house.held() == house.held_by_the_broker() == "0"
    assert exits(house) == []
    assert {fact.proposal.strategy for fact in house.facts(facts.ProposalStaged)} == {MANUAL}
    assert len(house.facts(facts.ProposalStaged)) == 1
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.STOP_LOSS


def test_the_setting_of_before_is_read_under_its_name() -> None:
    """SP-07"""
    assert read({"exits": {"by_hand": True}}, 3).exits.manual
    assert not read({"exits": {}}, 3).exits.manual
