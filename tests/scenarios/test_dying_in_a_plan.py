"""The engine dies at each record of a basket that runs: at the next start nothing is doubled, and nothing that was not
sent is sent by itself (EX-20, OP-02, EX-10).
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from core.facts import BasketEnded, BasketSigned, CancelRequested, OrderCreated
from core.model.basket import BasketEnd, BasketPhase
from core.model.values import Symbol, plain
from core.views.builders.desk import ViewBuilder
from core.workflows.baskets.basket_reporting import STILL_CLEARING
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.plans import a_buy, a_house_that_holds, a_sale, marks, opens, passes, signs, the_plan

HELD, WANTED = ("AAA", "BBB"), ("GGG", "HHH")
PARTS = 6
"""The records are played in so many parts, so that a failure is found early."""


def a_signed_plan() -> House:
    """Two sales, whose stops make way for them, and two buys that need their cash."""
    house = a_house_that_holds("AAA", "BBB", "CCC", quantity="130")
    opens(house, *(a_sale(symbol) for symbol in HELD), *(a_buy(symbol, "110") for symbol in WANTED))
    marks(house)
    signs(house)
    return house


def records_of_a_whole_plan() -> range:
    """From its signing to its end."""
    house = a_signed_plan()
    first = next(r.sequence for r in reversed([*house.journal.records()]) if isinstance(r.fact, BasketSigned))
    passes(house, 60)
    last = next(r.sequence for r in reversed([*house.journal.records()]) if isinstance(r.fact, BasketEnded))
    assert house.last(BasketEnded).end is BasketEnd.DONE
    return range(first, last + 1)


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
    """After the restart and two minutes."""
    after = sent(house)
    for symbol in WANTED:
        assert after[f"buy {symbol}"] == before[f"buy {symbol}"], "a buy left by itself after the restart"
        assert after[f"buy {symbol}"] <= 1
    late = [f.order for f in house.facts(OrderCreated)[created:] if not f.order.effect.only_reduces]
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
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("late", [0.0, 0.12])
def test_a_crash_at_each_record_doubles_nothing_and_sends_nothing_more(part: int, late: float) -> None:
    """EX-20, OP-02"""
    for sequence in [*records_of_a_whole_plan()][part::PARTS]:
        house = dies_at(sequence, late)
        created = len(house.facts(OrderCreated))
        house.restarted()
        before = sent(house)

        passes(house, 120)

        check(house, before, created)


def test_a_restarted_plan_says_what_went_and_what_did_not() -> None:
    """EX-10, EX-20"""
    house = a_signed_plan()
    while the_plan(house).phase is not BasketPhase.BUYING:
        passes(house, 0.05)
    house.restarted()
    passes(house, 30)

    run = the_plan(house)
    assert run.end is BasketEnd.STOPPED
    assert "the desk was stopped while the basket ran" in run.end_reason
    assert run.report is not None
    assert run.report.is_of_the_broker
    assert [line.filled for line in run.report.lines[:2]] == [130, 130]


def test_a_report_before_the_stop_has_made_way_says_what_the_sale_waits_for() -> None:
    """EX-10, EX-20: it was confirmed before the desk was stopped, and goes when its stop is gone"""
    house = a_signed_plan()
    while not house.facts(CancelRequested):
        assert house.line.step(house.line.at + timedelta(seconds=60))
    house.restarted()
    while the_plan(house).phase is not BasketPhase.OVER:
        assert house.line.step(house.line.at + timedelta(seconds=60))

    report = the_plan(house).report
    assert report is not None
    assert (report.lines[0].status, report.lines[0].reason) == (None, STILL_CLEARING)
    passes(house, 5)
    assert house.held(Symbol("AAA")) == house.held_by_the_broker(Symbol("AAA")) == "0"


def test_an_unsigned_plan_is_gone_after_a_restart_and_signs_nothing() -> None:
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
