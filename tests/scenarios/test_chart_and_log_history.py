"""The chart of a watched symbol, and the log of the day: also what was before the desk looked or began."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.event_text import in_words
from core.event_text.orders import signed
from core.messages.commands import Decline
from core.model.desk import DeskNumber
from core.model.order import Side
from core.model.position import Trade
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Money, Price, ProposalId, Quantity, Symbol
from core.ports import JournalDamagedError, Recorded
from core.views import ChartView
from core.views.builders import event_log as log_room
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_house_with_a_proposal, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, a_bar, at

pytestmark = pytest.mark.usefixtures("a_whole_morning")

FRIDAY = date(2026, 11, 20)


def the_chart(house: House, pictures: ViewBuilder, symbol: Symbol = SPY) -> ChartView:
    pictures.watched = symbol
    chart = pictures.draw(house.line.at).chart
    assert chart is not None
    return chart


def texts(pictures: ViewBuilder, house: House) -> list[str]:
    return [row.text for row in pictures.draw(house.line.at).log]


def test_what_was_typed_and_refused_is_the_operators_own() -> None:
    """OP-12: what strategies and exits were refused is counted apart from it; a signal has the time of its bar"""
    log, now, bar = log_room.EventLog(lambda _fact: None), at("10:06"), at("10:05")
    told = (
        (facts.CommandGiven(DeskNumber(1), "TrailStop"), None),
        (facts.ProposalSkipped("vwap", SPY, now, ("an exit waits",)), True),
        (facts.ProposalSkipped("vwap", SPY, bar, ("TOO_LATE",)), False),
        (facts.EditRefused(ProposalId("1"), ("over",)), True),
        (facts.CommandRefused("Decline", "no control", desk=DeskNumber(2)), True),
        (facts.SubmissionBlocked(ClientOrderId("1"), "halted"), False),
    )
    for number, (fact, is_own) in enumerate(told):
        log.hear(number, now, fact)
        assert is_own is None or log.refusals[-1].is_own is is_own, fact
    log.hear(9, at("10:07"), facts.ProposalSkipped("vwap", SPY, at("10:07"), ("an exit of it is in doubt",)))
    assert not log.refusals[-1].is_own


def test_a_chart_has_the_sessions_bars_and_vwap() -> None:
    """ST-02: the last point is what the strategy measures."""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:10:30")

    chart = the_chart(house, ViewBuilder(house.engine))

    assert [bar.start for bar in chart.bars] == [bar.start for bar in house.bars if bar.end <= house.line.at]
    assert (chart.bars[35].low, chart.bars[35].close) == (Decimal("99.60"), Decimal("99.60"))
    assert chart.bars[0].reference == Decimal(100)
    vwap = house.desk.orchestrator.runners[SPY][0].memory.state.vwap
    assert vwap is not None
    assert chart.bars[-1].reference == vwap.quantize(Decimal("0.0001"))


def test_a_watched_chart_gains_each_closed_bar() -> None:
    """MD-03"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:00:30")
    pictures = ViewBuilder(house.engine)
    before = the_chart(house, pictures)

    after = the_chart(house.until("10:06:30"), pictures)

    assert (len(before.bars), len(after.bars)) == (30, 36)


def test_without_a_watched_symbol_no_bars_are_kept() -> None:
    """The hot path of a desk whose chart nobody looks at has no listener on it."""
    house = House(minutes("09:30", "10:30")).opens().until("09:40")
    pictures = ViewBuilder(house.engine)

    without = pictures.draw(house.line.at).chart

    assert without is None
    assert house.desk._bar_listeners == []


def test_a_chart_is_the_same_after_a_restart() -> None:
    """SP-03, OP-06"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))

    before = the_chart(house, ViewBuilder(house.engine))
    house.restarted().until("10:06:40")
    after = the_chart(house, ViewBuilder(house.engine))

    assert before == after
    assert [(fill.side, fill.price) for fill in after.fills] == [(Side.BUY, Decimal("99.60"))]
    assert (after.entries, after.stops) == ((Decimal("99.60"),), (Decimal("99.30"),))
    assert len(after.bars) == 36


def test_each_symbol_has_its_own_chart() -> None:
    """MD-01"""
    house = House([*minutes("09:30", "09:40", "100"), a_bar("09:30", "50", symbol=IBM)]).opens().until("09:35:30")
    pictures = ViewBuilder(house.engine)

    spy, ibm, none = (the_chart(house, pictures, symbol) for symbol in (SPY, IBM, Symbol("QQQ")))

    assert (len(spy.bars), len(ibm.bars), none.bars) == (5, 1, ())
    assert ibm.bars[0].close == Decimal(50)


def test_a_new_day_begins_a_new_chart() -> None:
    """RK-03"""
    house = House(minutes("15:50", "15:59") + minutes("09:30", "09:35", day=FRIDAY)).opens()
    pictures = ViewBuilder(house.engine)
    thursday = the_chart(house.until("16:05"), pictures)
    before_the_open = the_chart(house.until("09:00", FRIDAY), pictures)

    friday = the_chart(house.until("09:33:30", FRIDAY), pictures)

    assert [len(chart.bars) for chart in (thursday, before_the_open, friday)] == [10, 0, 3]
    assert friday.bars[0].start == at("09:30", FRIDAY)


def test_the_log_reaches_back_before_a_restart(snapshot: SnapshotAssertion) -> None:
    """SP-01"""
    house = a_house_with_a_proposal()
    first = ViewBuilder(house.engine)
    house.presses(Decline(house.proposal.id, "too soon"))
    before = texts(first, house)

    house.restarted()
    second = ViewBuilder(house.engine)
    view = second.draw(house.line.at)

    assert [row.text for row in view.log][: len(before)] == before
    assert before == snapshot
    assert [row.sequence for row in view.log] == sorted({row.sequence for row in view.log})
    assert (view.staged, view.refusals, view.endings) == (0, (), ())


def test_the_log_recalls_only_its_own_day_and_no_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-01"""
    house = House(a_day(("10:06", "15:59", STEADY)) + minutes("09:30", "09:40", day=FRIDAY)).opens()
    house.until("09:35", FRIDAY)
    friday = house.restarted()

    told = ViewBuilder(friday.engine).draw(friday.line.at).log
    monkeypatch.setattr(log_room, "ROWS", 1)
    (last,) = ViewBuilder(friday.engine).draw(friday.line.at).log

    assert [row.text.partition(" ")[0] for row in told] == ["day", "engine"]
    assert all(row.at >= at("09:30", FRIDAY) for row in told)
    assert last == told[-1]


def test_an_unreadable_journal_loses_only_the_past(
    monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """SP-06"""
    house = House(minutes("09:30", "10:30")).opens().until("09:40")

    def unreadable() -> Iterator[Recorded]:
        raise JournalDamagedError("2026-11-19.jsonl: it is no record")

    monkeypatch.setattr(house.journal, "backwards", unreadable)
    pictures = ViewBuilder(house.engine)
    first = the_chart(house, pictures)
    later = the_chart(house.until("09:43:30"), pictures)

    assert (first.bars, len(later.bars)) == ((), 3)
    notes = pictures.draw(house.line.at).status.notes
    assert notes == snapshot
    assert house.desk.control.refusal() is None


def a_trade(profit: str, slippage: str) -> Trade:
    price, no_id = Price(Decimal("99.60")), ClientOrderId("")
    return Trade(
        SPY, "vwap", no_id, no_id, at("10:06"), price, Quantity(Decimal("0.1")), at("10:07"), price,
        ExitReason.STOP_LOSS, price, price, None, Money(Decimal(profit)), Money(Decimal(slippage)),
    )  # fmt: skip


def test_money_that_rounds_to_zero_has_no_sign(snapshot: SnapshotAssertion) -> None:
    """EX-18"""
    trades = (("-0.001", "0.004"), ("-0.005", "0.005"), ("0.156", "-1234.5"))

    assert [in_words(facts.TradeClosed(a_trade(*figures))) for figures in trades] == snapshot
    assert signed(Decimal(0)) == "0.00"
