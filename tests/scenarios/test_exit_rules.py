"""Days on which the exit rules speak: beside what the broker holds, and never against it (ST-09, EX-13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.execution.stop_coverage import unprotected_in_words
from core.messages.commands import Decline, ProposeOrder
from core.model.account import Mode
from core.model.codes import ProposalEnd, UnprotectedKind
from core.model.order import Effect, OrderType, StopHolder
from core.model.signal import ExitReason
from core.model.sizing import NoMarket, Regime, RegimeLabels, VixLevel, VixReading
from core.model.values import Price, Quantity, plain
from core.settings.settings import Settings
from core.trading_state.checkpoint import states
from core.trading_state.state import TradingState
from core.workflows.staging.ticket_checks import listed_exits
from state.journal import MemoryJournal
from tests.scenarios.changes import confirms_now
from tests.scenarios.exchange_requests import BUY, CANCEL, LIMIT, MARKET, SELL, STOP, sent, submit
from tests.scenarios.house import RARELY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

FLAT = "99.60 99.60 99.60 99.60"
ROOM = {"window_start": "09:30", "window_end": "15:59", "max_notional": {"usd": "5000"}, "per_trade": {"usd": "100"}}


def with_rules(**rules: Any) -> Settings:
    """The operator's own positions are guarded too, so that a story can open one with a key."""
    return Settings.model_validate({"risk": ROOM, "exits": {"manual": True, **rules}})


def of_days(**rules: Any) -> Settings:
    return with_rules(**rules).model_copy(update=RARELY)


def a_house(*then: tuple[str, str, str], buys: ProposeOrder | None = None, **rules: Any) -> House:
    """It is 10:02: 0.1 SPY were bought at 99.60 by hand, and the desk itself holds the stop."""
    bars = minutes("09:55", "10:01", FLAT)
    for first, last, prices in then:
        bars += minutes(first, last, prices)
    house = House(bars, with_rules(**rules)).opens().until("10:00:30")
    house.presses(buys or held_by_the_desk())
    confirms_now(house)
    house.until("10:02")
    return house


def held_by_the_desk(stop: str = "97.00") -> ProposeOrder:
    return ProposeOrder(
        symbol=SPY,
        effect=Effect.OPEN,
        quantity=Quantity(Decimal("0.1")),
        type=OrderType.LIMIT,
        limit_price=Price(Decimal("99.60")),
        stop_price=Price(Decimal(stop)),
        stop_holder=StopHolder.DESK,
    )


def exits(house: House) -> list[tuple[str, str]]:
    return [
        (p.exit_reason.value, plain(p.order.quantity))
        for p in house.desk.stage.proposals()
        if p.exit_reason is not None
    ]


@pytest.mark.parametrize(
    ("prices", "reason", "reference"),
    [("101.60 101.60 101.60 101.60", "TAKE_PROFIT", "101.59"), ("96.90 96.90 96.90 96.90", "STOP_LOSS", "97")],
)
def test_a_rule_proposes_and_the_key_sells(prices: str, reason: str, reference: str) -> None:
    """ST-09, EX-18, OP-01: with its reason, and the intended price beside the real one."""
    house = a_house(("10:02", "10:10", prices))

    house.until("10:04")
    assert exits(house) == [(reason, "0.1")]
    assert house.held() == "0.1"
    assert house.proposal.expires_at is None
    confirms_now(house)
    house.until("10:05")

    trade = house.last(facts.TradeClosed).trade
    assert trade.exit_reason.value == reason
    assert trade.intended_exit == Price(Decimal(prices.split()[3]))
    assert plain(house.last(facts.ProposalStaged).proposal.reference or Decimal(0)) == reference


def test_a_trailing_stop_follows_the_best_price() -> None:
    """ST-09, OP-06"""
    house = a_house(
        ("10:02", "10:03", "100 101 100 101"),
        ("10:04", "10:05", "100 100 99.98 99.98"),
        ("10:06", "10:09", "101 101 101 101"),
        trail="0.01",
        profit_target=0,
    )

    house.until("10:05")
    assert exits(house) == [("TRAILING_STOP", "0.1")]
    house.until("10:06")
    assert exits(house) == [("TRAILING_STOP", "0.1")]
    house.until("10:07")

    assert exits(house) == []
    assert house.last(facts.ProposalEnded).end is ProposalEnd.WITHDRAWN


def test_a_restart_keeps_the_mark_and_the_entry() -> None:
    """SP-05, ST-09: a desk that dies anywhere trails by the same price."""
    house = a_house(
        ("10:02", "10:05", "100 101 100 101"),
        ("10:06", "10:08", "100.50 100.50 99.98 99.98"),
        trail="0.01",
        profit_target=0,
    )
    house.until("10:06:30")
    opened = house.desk.ledger.positions()[0].opened_at
    marks = states(house.desk)["exits"].marks
    assert plain(marks["SPY/manual"].best) == "101"

    first = house.facts(facts.OrderFilled)[0].fill
    whole = list(house.journal.records())
    filled_at = next(r.sequence for r in whole if isinstance(r.fact, facts.OrderFilled))
    best = Decimal("99.60")
    for record in whole:
        if (
            isinstance(record.fact, facts.BarClosed)
            and record.sequence > filled_at
            and record.fact.bar.start > first.at
        ):
            best = max(best, record.fact.bar.high)
        if record.sequence < filled_at:
            continue
        desk = TradingState("house", Mode.PAPER, house.calendar, MemoryJournal())
        for kept in whole[: record.sequence]:
            desk.fold(kept.at, kept.fact)
        mark = desk.exits.mark(desk.ledger.positions()[0])
        assert (mark.best, mark.opened_at) == (best, opened)

    house = house.restarted()
    house.until("10:08")
    assert exits(house) == [("TRAILING_STOP", "0.1")]


def test_a_lost_leg_leaves_its_shares_to_the_rule(snapshot: SnapshotAssertion) -> None:
    """EX-13: somebody cancels the stop at the broker; that is named, and the desk watches the same price."""
    house = a_house(
        ("10:02", "10:05", "98.01 98.01 98.01 98.01"),
        ("10:06", "10:12", "97.90 97.90 97.90 97.90"),
        buys=a_typed_buy(stop="98.00"),
    )
    (stop,) = house.stops
    house.until("10:05")
    assert (stop.is_working, unprotected_in_words(house.desk.ledger), exits(house)) == (True, (), [])

    house.exchange.cancel(house.line.at, stop.id)
    house.until("10:06")
    assert (stop.is_working, exits(house)) == (False, [])
    assert unprotected_in_words(house.desk.ledger) == ((UnprotectedKind.NO_STOP, snapshot),)
    house.until("10:08")

    assert exits(house) == [("STOP_LOSS", "0.1")]


def test_entry_terms_outlive_their_order() -> None:
    """ST-09, SP-05: the books keep an order for a week, and a position for its life."""
    bars = minutes("09:30", "10:05", FLAT) + minutes("09:30", "09:40", FLAT, day=THURSDAY + timedelta(days=11))
    house = House(bars, of_days(stale_days=0)).opens().until("10:00:30")
    house.presses(held_by_the_desk())
    confirms_now(house)
    house.until("09:35", THURSDAY + timedelta(days=11))

    (position,) = house.desk.ledger.positions()

    assert house.desk.ledger.order(position.entry_order) is None
    assert house.desk.exits.mark(position).stop == Decimal("97.00")


def test_an_exit_cancels_the_stop_and_sells_once() -> None:
    """EX-21, EX-13, ST-09"""
    house = a_house(("10:02", "10:12", "101.60 101.60 101.60 101.60"), buys=a_typed_buy())

    house.until("10:04")
    assert exits(house) == [("TAKE_PROFIT", "0.1")]
    confirms_now(house)
    house.until("10:06")

    assert sent(house) == [submit(BUY, LIMIT, "0.1"), submit(SELL, STOP, "0.1"), CANCEL, submit(SELL, MARKET, "0.1")]
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.TAKE_PROFIT


def test_a_stale_position_is_offered_for_sale(snapshot: SnapshotAssertion) -> None:
    """ST-09: days of the calendar, from the entry that the journal keeps."""
    bars = minutes("09:55", "10:05", FLAT)
    for days in (1, 4, 5, 6):
        bars += minutes("09:30", "09:32", FLAT, day=THURSDAY + timedelta(days=days))
    house = House(bars, of_days()).opens().until("10:00:30")
    house.presses(held_by_the_desk())
    confirms_now(house)
    house.until("10:02")
    for days in (1, 4, 5):
        house.until("09:33", THURSDAY + timedelta(days=days))
        house = house.restarted()
        assert exits(house) == []

    house.until("09:32", THURSDAY + timedelta(days=6))

    assert exits(house) == [("TIME_EXIT", "0.1")]
    assert house.proposal.reason == snapshot


def test_vwap_is_left_to_its_own_rules() -> None:
    """ST-02: nothing of what it does is changed by the rules' defaults."""
    house = a_house_in_a_position(("10:06", "10:07", "99.60 99.61 99.58 99.60"), ("10:08", "10:20", "99.40"))
    house.until("10:15")
    assert exits(house) == []

    house = a_house_in_a_position(("10:06", "10:07", "99.60 99.61 99.58 99.60"), ("10:08", "10:20", "102"))
    house.until("10:10")
    assert exits(house) == [("MEAN_REVERSION", "0.502")]


def test_a_stop_replaces_a_waiting_exit() -> None:
    """EX-18, OP-06: what is sold at the stop is not told as a target that was reached."""
    house = a_house(("10:02", "10:03", "101.60 101.60 101.60 101.60"), ("10:04", "10:08", "96.90 96.90 96.90 96.90"))
    house.until("10:04")
    assert exits(house) == [("TAKE_PROFIT", "0.1")]

    house.until("10:05")

    assert exits(house) == [("STOP_LOSS", "0.1")]
    assert len(house.desk.stage.proposals()) == 1


def test_an_exit_on_an_open_ticket_stays() -> None:
    """OP-04: its ticket stays, and is for what it says."""
    house = a_house(("10:02", "10:03", "101.60 101.60 101.60 101.60"), ("10:04", "10:08", "96.90 96.90 96.90 96.90"))
    house.until("10:04")
    house.opens_ticket()
    house.until("10:04:59")
    waiting = house.ticket.proposal_id

    house.until("10:05")

    assert house.ticket.proposal_id == waiting


def test_a_declined_exit_is_proposed_again() -> None:
    """OP-06: what still holds is said again."""
    house = a_house(("10:02", "10:10", "96.90 96.90 96.90 96.90"))
    house.until("10:04")
    house.presses(Decline(house.proposal.id, "not yet"))
    assert exits(house) == []

    house.until("10:05")

    assert exits(house) == [("STOP_LOSS", "0.1")]


def test_a_trade_keeps_the_regime_of_its_entry() -> None:
    """EX-18, RK-19: what is measured later is no part of it."""
    wild = Regime(VixReading(Decimal(35), THURSDAY, VixLevel.HIGH), NoMarket("there are no daily bars yet"))
    calm = Regime(VixReading(Decimal(12), THURSDAY, VixLevel.LOW), NoMarket("there are no daily bars yet"))
    bars = [*minutes("09:55", "10:01", FLAT), *minutes("10:02", "10:10", "101.60 101.60 101.60 101.60")]
    house = House(bars, with_rules()).opens().until("10:00:30")
    house.desk.record(facts.RegimeMeasured(calm))
    house.presses(held_by_the_desk())
    confirms_now(house)
    house.until("10:03:30")
    house.desk.record(facts.RegimeMeasured(wild))
    confirms_now(house)
    house.until("10:06")

    trade = house.last(facts.TradeClosed).trade

    assert trade.regime == RegimeLabels(VixLevel.LOW, None, None)


def test_no_rule_speaks_where_they_are_off() -> None:
    """ST-09"""
    house = a_house(("10:02", "10:10", "120 120 120 120"), enabled=False)
    house.until("10:08")
    assert exits(house) == []


def test_corrected_books_drop_entry_prices() -> None:
    """EX-09, ST-09: after a split they are of other shares, and would sell at once."""
    house = a_house(("10:02", "10:10", "49.80 49.80 49.80 49.80"), profit_target=0)
    house.desk.record(facts.PositionCorrected(SPY, Quantity(Decimal("0.2")), Price(Decimal("49.80")), "a split"))

    mark = house.desk.exits.mark(house.desk.ledger.positions()[0])

    assert (mark.best, mark.stop, mark.target) == (Decimal("49.80"), None, None)


@pytest.mark.parametrize(
    ("strategy", "target", "listed"),
    [
        ("vwap", None, [("target VWAP", "99.98"), ("flat from the bar of 15:55 New York", None)]),
        (
            "mean_reversion",
            None,
            [
                ("target average", "99.98"),
                ("target", "101.59"),
                ("after 5 days unless 2 % up", None),
                ("flat from the bar of 15:55 New York", None),
            ],
        ),
        (
            "breakout",
            "103.00",
            [
                ("target", "103.00"),
                ("after 5 days unless 2 % up", None),
                ("when its signal turns", None),
                ("flat from the bar of 15:55 New York", None),
            ],
        ),
    ],
)
def test_a_ticket_lists_its_strategys_exits(
    strategy: str, target: str | None, listed: list[tuple[str, str | None]]
) -> None:
    """OP-03, OP-06: a level that was broken is no target, and only VWAP's is called VWAP."""
    on = {"mean_reversion": {"enabled": True}, "breakout": {"enabled": True}}
    house = a_house_with_a_proposal(settings=Settings.model_validate({"strategies": on}))
    price = None if target is None else Price(Decimal(target))
    proposal = replace(house.proposal, strategy=strategy, target_price=price)

    found = [(e.words, None if e.price is None else str(e.price)) for e in listed_exits(house.desk, proposal)]

    assert found == listed
    assert listed_exits(house.desk, replace(proposal, order=replace(proposal.order, effect=Effect.CLOSE))) == ()
