"""A basket in trouble: answers that are late or lost, a kill, and an engine that dies at each record (EX-06, EX-20)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Kill
from core.messages.effects import CancelOrder, Effect, LookUpOrder, SubmitOrder
from core.messages.inputs import Input
from core.model.basket import BasketEnd, BasketOrderState, BasketPhase
from core.model.codes import BasketStop
from core.model.order import OrderStatus
from core.model.values import Symbol, plain
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from core.workflows.basket_execution import STILL_CLEARING
from tests.scenarios.house import House
from tests.scenarios.plans import (
    BOUGHT,
    SETTINGS,
    a_buy,
    a_floor,
    a_house_that_holds,
    a_sale,
    answers,
    marks,
    opens,
    passes,
    runs_out,
    signs,
    the_plan,
)
from tests.scenarios.test_baskets import a_rebalance, counts, standings


def test_sale_in_doubt_holds_back_the_buys() -> None:
    """EX-06, EX-10: its answer was lost; the look-up finds it."""
    house = a_rebalance()
    marks(house)
    house.line.breaks_at(SubmitOrder, arrives=True)
    signs(house)

    runs_out(house, seconds=300)

    assert house.sent().count(("submit", "sell", "market", "120")) == 3
    assert counts(house) == {"FILLED": 7}


def test_poll_finds_the_fills_of_a_deaf_stream() -> None:
    """EX-10: the fallback of 2 s."""
    house = a_rebalance()
    marks(house)
    house.line.is_deaf = True
    signs(house)

    runs_out(house, seconds=300)

    assert standings(house)[:3] == [BasketOrderState.FILLED] * 3
    assert standings(house).count(BasketOrderState.FILLED) >= 6


class SlowToAnswer(Link):
    """The broker acts at once and tells it on the stream; its answer to a submission takes three seconds."""

    def bring(self, effect: Effect, answer: Input) -> Sequence[tuple[timedelta, Input]]:
        is_submission = isinstance(effect, SubmitOrder)
        return [
            (timedelta(seconds=3) if is_submission else delay, told) for delay, told in super().bring(effect, answer)
        ]


def test_each_turn_waits_for_the_answer_before_it() -> None:
    """EX-10, OP-02: in a line of one an order would wait behind it and lapse there."""
    house = a_floor()
    opens(house, *(a_buy(symbol, "1.5") for symbol in BOUGHT[:4]))
    marks(house)
    signs(house)
    house.line.link = SlowToAnswer(timedelta(milliseconds=20))

    runs_out(house)

    assert standings(house) == [BasketOrderState.FILLED] * 4
    signed = {order.order_id for order in the_plan(house).orders}
    on_the_wire: set[str] = set()
    for fact in (record.fact for record in house.journal.records()):
        if isinstance(fact, facts.BasketTurnBegun):
            assert not on_the_wire
        elif isinstance(fact, facts.OrderCreated):
            on_the_wire |= {fact.order.client_order_id} & signed
        elif isinstance(fact, facts.OrderSent):
            on_the_wire.discard(fact.client_order_id)
    assert {fact.approval.lapses_at for fact in house.facts(facts.ApprovalRedeemed)[::2]} == {
        the_plan(house).permitted_until
    }


def test_buy_in_doubt_makes_the_basket_ask(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-10: nobody knows what buying power is left."""
    house = a_floor()
    opens(house, *(a_buy(symbol, "10") for symbol in BOUGHT[:3]))
    marks(house)
    signs(house)
    house.line.is_deaf = True
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=True, times=1000)
    passes(house, 5)
    assert counts(house) == {"IN_DOUBT": 1, "WAITING": 2}

    passes(house, 5)
    assert the_plan(house).phase is BasketPhase.ASKING
    assert the_plan(house).phase_reason == snapshot
    assert len(the_plan(house).tickets) == 1
    answers(house, goes_on=True)
    passes(house, 5)

    assert len(the_plan(house).tickets) == 3


def a_plan_whose_buy_works() -> House:
    """One buy rests at 95, far below the market; the basket waits for its fill, five seconds long."""
    house = a_floor()
    house.slows_down(0.3)
    opens(house, a_buy("GGG", limit="95", stop="94"), a_buy("HHH"))
    marks(house)
    signs(house)
    while the_plan(house).phase is not BasketPhase.SETTLING:
        passes(house, 0.1)
    return house


def test_report_after_a_kill_waits_for_the_cancels() -> None:
    """OP-05, OP-07, EX-10: the broker is asked again when what was taken back is gone"""
    house = a_plan_whose_buy_works()
    house.line.breaks_at(CancelOrder, arrives=False)
    house.presses(Kill("key"))

    report = runs_out(house)

    (gone,) = [line for line in report.lines if line.symbol == "GGG"]
    assert gone.status is OrderStatus.CANCELLED
    assert counts(house) == {"FILLED": 1, "ENDED": 1}
    assert the_plan(house).stop is BasketStop.KILLED
    assert report.is_of_the_broker
    assert report.power_after == house.exchange.account(house.line.at).buying_power


def test_report_after_a_kill_names_working_orders() -> None:
    """OP-05, OP-07: it is waited for ten seconds, and then said"""
    house = a_plan_whose_buy_works()
    house.line.breaks_at(CancelOrder, arrives=False, times=99)
    house.presses(Kill("key"))
    killed_at = house.line.at

    runs_out(house)

    assert house.line.at - killed_at >= timedelta(seconds=10)
    assert counts(house) == {"FILLED": 1, "WORKING": 1}


HELD, WANTED = ("AAA", "BBB"), ("GGG", "HHH")
FEWER = SETTINGS.model_copy(update={"symbols": tuple(map(Symbol, (*HELD, *WANTED)))})


def a_signed_plan() -> House:
    """Two sales, whose stops make way for them, and two buys that need their cash; other symbols have no bars."""
    house = a_house_that_holds("AAA", "BBB", quantity="180", settings=FEWER)
    opens(house, *(a_sale(symbol) for symbol in HELD), *(a_buy(symbol, "170") for symbol in WANTED))
    marks(house)
    signs(house)
    return house


def dies_at(sequence: int, late: float) -> House:
    """As soon as that record is written; what is on the wire `late` seconds after it arrives all the same."""
    house = a_signed_plan()
    end = house.line.at + timedelta(seconds=60)
    while house.journal.sequence < sequence:
        assert house.line.step(end)
    if late:
        passes(house, late)
    else:
        house.loses_the_journal_after(sequence)
    return house


def sent(house: House) -> Counter[str]:
    """Submissions by symbol and side, as they reached the exchange."""
    return Counter(f"{r['side']} {r['symbol']}" for r in house.notebook.records if r["request"] == "submit")


def check(house: House, before: Counter[str], created: int) -> None:
    """After the restart and a minute."""
    after = sent(house)
    for symbol in WANTED:
        assert after[f"buy {symbol}"] == before[f"buy {symbol}"], "a buy left by itself after the restart"
        assert after[f"buy {symbol}"] <= 1
    late = [f.order for f in house.facts(facts.OrderCreated)[created:] if not f.order.effect.only_reduces]
    assert late == []
    run = the_plan(house)
    assert run.phase is BasketPhase.OVER
    for position in house.desk.ledger.positions():
        symbol = position.symbol
        assert house.held(symbol) == house.held_by_the_broker(symbol)
    for symbol in (*HELD, *WANTED):
        assert house.held(Symbol(symbol)) == house.held_by_the_broker(Symbol(symbol))
    rows = ViewBuilder(house.engine).draw(house.line.at).positions
    assert all(plain(row.covered) == plain(abs(row.quantity)) for row in rows), "a share is left without its stop"


@pytest.mark.parametrize("late", [0.0, 0.12])
def test_crash_at_a_record_doubles_and_sends_nothing(late: float) -> None:
    """EX-20, OP-02: at the first record of each kind, and at every fortieth."""
    house = a_signed_plan()
    passes(house, 60)
    assert house.last(facts.BasketEnded).end is BasketEnd.DONE
    kinds = {record.sequence: type(record.fact) for record in house.journal.records()}
    signed = max(sequence for sequence, kind in kinds.items() if kind is facts.BasketSigned)
    ran = [sequence for sequence in kinds if sequence >= signed]
    first = {kind: sequence for sequence, kind in reversed(kinds.items()) if sequence >= signed}
    for sequence in ran[3::40] if late else sorted({*first.values(), *ran[::40]}):
        house = dies_at(sequence, late)
        created = len(house.facts(facts.OrderCreated))
        house.restarted()
        before = sent(house)

        passes(house, 70)

        check(house, before, created)


def test_restarted_basket_reports_what_went() -> None:
    """EX-10, EX-20"""
    house = a_signed_plan()
    while the_plan(house).phase is not BasketPhase.BUYING:
        passes(house, 0.05)
    house.restarted()
    passes(house, 30)

    run = the_plan(house)
    assert run.end is BasketEnd.STOPPED
    assert run.stop is BasketStop.RESTARTED
    assert run.report is not None
    assert run.report.is_of_the_broker
    assert [line.filled for line in run.report.lines[:2]] == [180, 180]


def test_report_says_what_a_sale_waits_for() -> None:
    """EX-10, EX-20: it was confirmed before the desk was stopped, and goes when its stop is gone"""
    house = a_signed_plan()
    while not house.facts(facts.CancelRequested):
        assert house.line.step(house.line.at + timedelta(seconds=60))
    house.restarted()
    while the_plan(house).phase is not BasketPhase.OVER:
        assert house.line.step(house.line.at + timedelta(seconds=60))

    report = the_plan(house).report
    assert report is not None
    assert (report.lines[0].status, report.lines[0].reason) == (None, STILL_CLEARING)
    passes(house, 5)
    assert house.held(Symbol("AAA")) == house.held_by_the_broker(Symbol("AAA")) == "0"


def test_unsigned_basket_is_gone_after_a_restart() -> None:
    """EX-20, OP-05"""
    house = a_house_that_holds("AAA", quantity="130")
    opens(house, a_sale("AAA"))
    marks(house)
    house.restarted()
    passes(house, 5)

    assert the_plan(house).end is BasketEnd.LEFT
    signs(house)
    passes(house, 5)
    assert house.held(Symbol("AAA")) == "130"
