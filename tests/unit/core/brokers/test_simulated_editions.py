"""An account keeps the rules that it was opened under: what filled its orders then fills them again in a rebuild."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.brokers.simulated.config import EDITION, FIRST_EDITION, INTENT_EDITION, ExchangeConfig
from core.brokers.simulated.log import fault_in, rebuild
from core.model.bar import Bar
from core.model.broker import Accepted, Refused
from core.model.order import OrderClass, Side
from core.ports import OperatorError
from core.runtime.simulated_exchange import edition_of, opening_record
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import Floor, a_bar, a_stop_leg, a_target_leg, an_order, at

BARS = (a_bar("10:00", "100"), a_bar("10:01", "100 102 98 100", volume=400), a_bar("10:02", "100 101 99.50 100"))


def a_story(edition: int) -> Floor:
    """A limit at the last price, and a bracket that is bought and sold by one bar."""
    floor = Floor(edition=edition)
    floor.bars(BARS[0])
    floor.buys("10:00:05", "10", "at the last", limit="100.00")
    legs = (a_stop_leg("95.00"), a_target_leg("101.00"))
    floor.buys("10:00:06", "40", "both", limit="99.00", order_class=OrderClass.BRACKET, legs=legs)
    floor.bars(*BARS[1:])
    floor.exchange.advance(at("10:03"))
    return floor


def test_an_account_of_before_fills_as_it_did() -> None:
    """EX-20, AN-04: in the middle, at both ends of a bar, and all that a bar has at once."""
    floor = a_story(FIRST_EDITION)

    assert floor.fills("10:03", "at the last") == [("10", "100")]
    assert floor.report("10:03", "at the last").executions[0].at == at("10:00:05")
    assert floor.fills("10:03", "both") == [("40", "99")]
    assert floor.fills("10:03", "leg-sim-000004") == [("40", "101")]


def test_an_account_of_today_does_not() -> None:
    """AN-04"""
    floor = a_story(EDITION)

    assert floor.report("10:03", "at the last").executions[0].at == at("10:01:20")
    assert floor.fills("10:03", "leg-sim-000004") == []


@table("edition paid", (FIRST_EDITION, "20.01"), (EDITION, "20.02"))
def test_slippage_is_rounded_as_its_edition_does(edition: int, paid: str) -> None:
    """EX-20, AN-04"""
    floor = Floor(edition=edition, slippage=Decimal("0.0002"))
    floor.bars(a_bar("10:00", "20"))

    floor.buys("10:00:05", "10")

    assert floor.fills("10:00:10", "buy") == [("10", paid)]


@table("edition sold", (FIRST_EDITION, [("10", "103.99")]), (EDITION, []))
def test_each_edition_trails_its_entry_bar_its_way(edition: int, sold: list[tuple[str, str]]) -> None:
    """EX-20, AN-04"""
    floor = Floor(edition=edition)
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:30", "10", limit="96.00")
    floor.bars(a_bar("10:01", "100 105 95 95.50"))

    floor.sells("10:01:25", "10", trail="1.00")

    assert floor.fills("10:01:59", "sell") == sold


@table("edition bought", (FIRST_EDITION, [("10", "100.01")]), (EDITION, []))
def test_each_edition_trades_a_stale_price_its_way(edition: int, bought: list[tuple[str, str]]) -> None:
    """EX-20, AN-04"""
    floor = Floor(edition=edition)
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:30:00", "10")

    assert floor.fills("10:31:00", "buy") == bought


@table("edition answer", (FIRST_EDITION, Accepted), (EDITION, Refused))
def test_each_edition_reserves_a_low_short_its_way(edition: int, answer: type) -> None:
    """EX-20, RK-14: it is sold at 99.99, and 40 shares of that are more than 2,000 USD."""
    floor = Floor(edition=edition, cash=Decimal(1_000), multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))

    assert isinstance(floor.sells("10:00:05", "40", limit="50.00"), answer)


@table("edition answer", (INTENT_EDITION - 1, Accepted), (EDITION, Refused))
def test_each_edition_takes_a_close_of_nothing_its_way(edition: int, answer: type) -> None:
    """EX-20, EX-11: on margin it opened a short position"""
    floor = Floor(edition=edition, multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))

    assert isinstance(floor.exchange.submit(at("10:00:05"), an_order("close", Side.SELL, "10")), answer)


@table("edition", FIRST_EDITION, EDITION)
def test_each_edition_is_rebuilt_from_its_log(edition: int) -> None:
    """EX-20"""
    floor = a_story(edition)
    bars: list[Bar] = list(BARS)

    again = Floor(edition=edition)
    rebuild(again.exchange, bars, (), floor.notebook.records, at("10:03"))

    assert again.exchange.orders(at("10:03")) == floor.exchange.orders(at("10:03"))


def test_an_opening_without_an_edition_is_the_first() -> None:
    """EX-20"""
    opening = opening_record(ExchangeConfig(), ["SPY"], at("10:00"))
    before = {name: value for name, value in opening.items() if name != "edition"}

    assert edition_of([opening]) == edition_of([]) == EDITION
    assert edition_of([before]) == FIRST_EDITION
    assert opening_record(ExchangeConfig(edition=FIRST_EDITION), ["SPY"], at("10:00")) == before


def test_an_unknown_edition_is_refused(snapshot: SnapshotAssertion) -> None:
    """EX-20, SP-05: a newer keyturn opened it."""
    opening = {**opening_record(ExchangeConfig(), ["SPY"], at("10:00")), "edition": "9"}

    with pytest.raises(OperatorError, match="edition 9"):
        edition_of([opening])
    assert fault_in({**opening, "edition": "new"}) == snapshot


def test_the_first_edition_knows_no_mirror() -> None:
    """MD-05: while nothing is held the low comes first; that is why it is no longer the rule."""
    floor = Floor(edition=FIRST_EDITION, multiplier=Decimal(4))
    floor.bars(BARS[0])
    floor.sells("10:00:05", "10", "short", stop="99.00")
    floor.bars(replace(BARS[1]))

    assert floor.report("10:01:59", "short").executions[0].at == at("10:01:20")
