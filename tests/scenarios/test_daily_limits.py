"""What the day allows: the loss, the number of positions, the money that is reserved, the window."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import ProposeClose
from core.messages.inputs import MarketDataBroken, QuoteArrived
from core.model.order import Effect
from core.model.signal import ExitReason
from core.model.values import plain
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from tests.scenarios.house import FALL, RARELY, STEADY, House, a_day, a_house_in_a_position, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, a_quote

FRIDAY = date(2026, 11, 20)


def micro(**risk: object) -> Settings:
    return Settings(risk=RiskSettings(**risk))  # type: ignore[arg-type]


def dollars(amount: str) -> AmountSettings:
    return AmountSettings(usd=Decimal(amount), of_equity=None)


@pytest.mark.usefixtures("a_tick_each_way")
def test_the_daily_loss_shuts_the_new_york_day(snapshot: SnapshotAssertion) -> None:
    """RK-03, SP-05: the stop costs 0.502 × 0.31 = 0.156 USD."""
    settings = micro(daily_loss=dollars("0.15"), entries_a_day=5)
    bars = a_day(("10:06", "10:06", STEADY), ("10:07", "10:40", FALL)) + minutes("09:30", "10:40", "99.60", FRIDAY)
    house = House(bars, settings).opens()
    house.confirms_at("10:06:02")
    house.until("10:20")
    assert house.facts(facts.TradeClosed)

    house.presses(a_typed_buy(limit="99.20", stop="99.00"))
    same_day = house.last(facts.ProposalSkipped).reasons
    house.restarted().until("10:21")
    house.presses(a_typed_buy(limit="99.20", stop="99.00"))
    after_a_restart = house.last(facts.ProposalSkipped).reasons
    house.until("10:06", FRIDAY)
    house.presses(a_typed_buy())

    assert (same_day, after_a_restart) == (after_a_restart, snapshot)
    assert [d.day.day for d in house.facts(facts.DayStarted)] == [19, 20]
    assert len(house.desk.stage.proposals()) == 1


def test_a_losing_strategy_is_shut_for_the_day() -> None:
    """ST-02, RK-03"""
    settings = micro(daily_loss=dollars("0.15"), entries_a_day=5)
    house = House(a_day(("10:06", "10:06", STEADY), ("10:07", "10:40", FALL)), settings).opens()
    house.confirms_at("10:06:02")

    house.until("10:30")

    assert house.desk.orchestrator.no_trade()["DAY_DISABLED"] > 10


def test_a_loss_that_is_only_on_paper_counts(snapshot: SnapshotAssertion) -> None:
    """RK-03"""
    settings = micro(daily_loss=dollars("0.10"), max_open_positions=3)
    house = a_house_in_a_position(("10:06", "10:06", STEADY), ("10:07", "10:30", "99.35"), settings=settings)

    house.until("10:08:30")
    house.presses(a_typed_buy(limit="99.30", stop="99.10"))

    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_the_daily_loss_blocks_an_open_ticket(snapshot: SnapshotAssertion) -> None:
    """RK-03, OP-03: everything is checked again on fresh figures."""
    risk = RiskSettings(daily_loss=dollars("0.10"), max_open_positions=3)
    settings = Settings(symbols=("SPY", "IBM"), risk=risk)
    bars = a_day(("10:06", "10:06", "99.60"), ("10:07", "10:30", "99.35"))
    house = House(bars + minutes("09:30", "10:30", "99.60", symbol=IBM), settings).opens()
    house.confirms_at("10:06:02")
    house.until("10:06:50")
    house.presses(replace(a_typed_buy(), symbol=IBM))
    house.opens_ticket()
    house.until("10:06:55")
    at_the_ticket = house.ticket.review.passes

    house.until("10:07:01")
    house.confirms()
    house.until("10:07:02")

    assert at_the_ticket
    assert house.last(facts.ConfirmationRefused).reasons == snapshot


@pytest.mark.parametrize("places", [1, 3])
def test_a_strategys_symbol_warns_the_operator(places: int, snapshot: SnapshotAssertion) -> None:
    """EX-08: it stages, with a warning; both positions stay their own, with a stop each"""
    house = a_house_in_a_position(settings=micro(max_open_positions=places, per_trade=dollars("5")))

    house.presses(a_typed_buy())
    warnings = [f"{v.check}: {v.reason}" for v in house.last(facts.ProposalStaged).review.warnings]
    house.confirms_at("10:06:40")
    house.until("10:08")

    assert warnings == snapshot
    held = {p.strategy: plain(p.quantity) for p in house.desk.ledger.positions_in(SPY)}
    assert held == {"vwap": "0.502", "manual": "0.1"}
    assert house.held_by_the_broker() == "0.602"
    assert sorted((s.strategy, plain(s.remaining)) for s in house.stops) == [("manual", "0.1"), ("vwap", "0.502")]


def test_a_manual_sale_closes_the_manual_position() -> None:
    """EX-08"""
    house = a_house_in_a_position(settings=micro(max_open_positions=1, per_trade=dollars("5")))
    house.presses(a_typed_buy())
    house.confirms_at("10:06:40")
    house.until("10:08")

    house.presses(replace(a_typed_buy(limit=None, stop=None), effect=Effect.CLOSE))

    assert (house.proposal.strategy, house.proposal.order.quantity) == ("manual", Decimal("0.1"))


def test_pending_orders_count_as_positions(snapshot: SnapshotAssertion) -> None:
    """EX-08"""
    settings = Settings(symbols=("SPY", "IBM"))
    house = House(minutes("09:55", "10:30", "99.60"), settings).opens().until("10:06")
    house.presses(a_typed_buy(limit="99.50", stop="99.30"))
    house.confirms_at("10:06:02")
    house.until("10:06:05")

    house.presses(replace(a_typed_buy(), symbol=IBM))

    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_money_in_flight_is_not_spent_twice(snapshot: SnapshotAssertion) -> None:
    """OP-03"""
    settings = micro(max_open_positions=5, entries_a_day=5, max_notional=dollars("200"), per_trade=dollars("10"))
    house = House(minutes("09:55", "10:30", "99.60"), settings).opens().until("10:06")
    house.presses(a_typed_buy("1.5", limit="99.50", stop="99.30"))
    house.confirms_at("10:06:02")
    house.slows_down(1)
    house.until("10:06:03")

    house.presses(a_typed_buy("1.5", limit="99.50", stop="99.30"))

    (reason,) = house.last(facts.ProposalSkipped).reasons
    assert reason == snapshot


def test_a_close_needs_no_window() -> None:
    """RK-07"""
    house = a_house_in_a_position(("10:06", "15:59", STEADY)).until("13:00")

    house.presses(ProposeClose(SPY))
    house.confirms_at("13:00:05")
    house.until("13:00:20")

    assert house.held() == "0"


def test_a_closed_market_opens_nothing(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    house = House(minutes("09:55", "10:30", "99.60")).opens().until("18:00")

    house.presses(a_typed_buy())

    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_bad_market_data_is_quarantined() -> None:
    """MD-03"""
    house = House(minutes("09:55", "10:30", "99.60")).opens().until("10:06")

    house.line.take(house.line.at, QuoteArrived(a_quote("10:06", "99.70", "99.60")))
    house.line.take(house.line.at, MarketDataBroken("bars.csv:7", "no number: 'abc'"))
    house.line.take(house.line.at, QuoteArrived(a_quote("10:06", "99.59", "99.61")))

    assert [q.place for q in house.facts(facts.MarketDataQuarantined)] == ["quote", "bars.csv:7"]
    assert house.desk.sightings.quotes[SPY].bid == Decimal("99.59")
    assert house.facts(facts.ProposalStaged) == []
    assert house.facts(facts.ConfirmationRefused) == []


@pytest.mark.usefixtures("a_bar_at_once")
def test_the_clock_stages_the_exit_without_a_bar() -> None:
    """ST-02, OP-06: flat by the close is a promise of the clock, not of a bar."""
    then = (("10:06", "10:30", STEADY), ("15:30", "15:40", STEADY), ("15:59", "15:59", STEADY))
    house = a_house_in_a_position(*then, settings=Settings(**RARELY))

    house.until("15:56")
    assert house.facts(facts.ProposalStaged)[1:] == []
    house.until("15:57:30")

    staged = house.last(facts.ProposalStaged).proposal
    assert (staged.exit_reason, staged.order.quantity) == (ExitReason.FORCE_FLAT, Decimal("0.502"))
    assert staged.expires_at is None
    house.confirms_at("15:57:40")
    house.until("15:58:30")
    assert house.held() == "0"
