"""What goes wrong at the exchange now and then: off by default, and the same every time for the same seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.brokers.simulated.exchange import SimulatedExchange, rebuild
from core.model.broker import Accepted, Refused, UpdateEvent
from core.model.order import Side
from core.model.session import Session
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, Floor, NewYorkHours, Notebook, a_bar, an_order, at

BY_SIZE = {"slippage": Decimal("0.0002"), "slippage_by_size": Decimal("0.0008"), "half_spread_ticks": Decimal(0)}


@table("quantity price", ("1", "1000.21"), ("500", "1000.6"), ("1000", "1001"))
def test_slippage_grows_with_order_size(quantity: str, price: str) -> None:
    """AN-04: a tenth of the bar's 10,000 shares is all that may be taken of it, a quarter of that as it begins.

    A part of a cent is a whole one: 1,000.2008 is paid as 1,000.21.
    """
    floor = Floor(**BY_SIZE, cash=Decimal(10_000_000))
    floor.bars(a_bar("10:00", "1000", volume=10_000))

    floor.buys("10:00:05", quantity)

    fills = floor.fills("10:00:59", "buy")
    assert sum(Decimal(shares) for shares, _ in fills) == Decimal(quantity)
    assert {paid for _, paid in fills} == {price}


def test_an_order_beyond_the_bar_slips_the_most() -> None:
    """AN-04"""
    floor = Floor(**BY_SIZE, cash=Decimal(10_000_000))
    floor.bars(a_bar("10:00", "1000", volume=10_000))

    floor.buys("10:00:05", "3000")

    assert floor.fills("10:00:10", "buy") == [("250", "1001")]


def test_a_partial_fill_is_reproducible() -> None:
    """AN-04, EX-05"""

    def fills(seed: str) -> list[tuple[str, str]]:
        floor = Floor(partial_fills=Decimal("0.5"), seed=seed)
        for minute in range(5):
            floor.bars(a_bar(f"10:0{minute}", "100"))
            if not minute:
                floor.buys("10:00:05", "10")
            floor.exchange.advance(at(f"10:0{minute}:59"))
        return floor.fills("10:05", "buy")

    assert all(sum(Decimal(quantity) for quantity, _ in fills(str(seed))) == 10 for seed in range(20))
    assert {len(fills(str(seed))) for seed in range(20)} > {1}
    assert fills("7") == fills("7")


def test_random_refusals_are_stated(snapshot: SnapshotAssertion) -> None:
    """AN-04, EX-06: a stated refusal."""
    floor = Floor(rejections=Decimal("0.3"), seed="1")
    floor.bars(a_bar("10:00", "100"))

    answers = [floor.buys("10:00:05", "1", name=f"buy {number}") for number in range(200)]

    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert 40 <= len(refused) <= 80
    assert {answer.message for answer in refused} == snapshot


def test_nothing_trades_in_a_halt() -> None:
    """AN-04"""
    floor = Floor(halts=Decimal(1), halt_minutes=5)
    session = NewYorkHours().session_on(THURSDAY)
    assert isinstance(session, Session)
    minutes = [session.open + timedelta(minutes=number) for number in range(390)]
    halted = [minute for minute in minutes if floor.exchange._matching._frictions.is_halted(SPY, session, minute)]
    assert len(halted) == 5
    bar, order = replace(a_bar("10:00", "100"), start=halted[0]), an_order("buy", Side.BUY, "10")
    floor.exchange.begin_bar(bar)

    floor.exchange.submit(halted[0] + timedelta(seconds=5), order)
    floor.exchange.advance(halted[-1] + timedelta(seconds=59))
    floor.updates()
    over = halted[-1] + timedelta(minutes=1)
    floor.exchange.begin_bar(replace(bar, start=over))
    floor.exchange.advance(over + timedelta(seconds=1))

    assert [(update.event, update.at) for update in floor.exchange.take_updates()] == [(UpdateEvent.FILL, over)]


def test_overnight_loans_cost_12_percent_a_year() -> None:
    """AN-04: 10,000 USD lent from Thursday to Monday, four nights, is 13.33 and a cent for interest on interest."""
    floor = Floor(
        cash=Decimal(10_000), multiplier=Decimal(2), margin_interest=Decimal("0.12"), half_spread_ticks=Decimal(0)
    )
    floor.bars(a_bar("10:00", "100", volume=100_000))
    floor.buys("10:00:05", "200")
    floor.exchange.advance(at("10:00:10"))
    monday = THURSDAY + timedelta(days=4)

    account = floor.exchange.account(at("10:00", monday))

    assert account.cash == Decimal(-10_000) - floor.exchange.interest
    assert floor.exchange.interest == Decimal("13.34")


def test_asking_often_changes_no_charge() -> None:
    """AN-04"""

    def interest(*days: int) -> Decimal:
        floor = Floor(cash=Decimal(100), multiplier=Decimal(4), margin_interest=Decimal("0.9"))
        floor.bars(a_bar("10:00", "1", volume=100_000))
        floor.buys("10:00:05", "300")
        for day in days:
            floor.exchange.account(at("10:00", THURSDAY + timedelta(days=day)))
        return floor.exchange.interest

    assert interest(40) == interest(*range(1, 41)) > 0


def test_a_cash_account_owes_no_interest() -> None:
    """AN-04"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    answers = [floor.buys("10:00:05", "1", name=f"buy {number}") for number in range(100)]

    assert all(isinstance(answer, Accepted) for answer in answers)
    floor.exchange.account(at("10:00", THURSDAY + timedelta(days=30)))
    assert floor.exchange.interest == 0


def test_a_rebuild_repeats_the_frictions() -> None:
    """AN-04, EX-20"""
    floor = Floor(partial_fills=Decimal("0.5"), rejections=Decimal("0.3"), halts=Decimal("0.5"), seed="3")
    bars = [a_bar(f"10:{minute:02}", "100 101 99 100", volume=500) for minute in range(30)]
    for number, bar in enumerate(bars):
        floor.bars(bar)
        floor.buys(f"10:{number:02}:05", "9", name=f"buy {number}")
    until = at("10:40")
    floor.exchange.advance(until)

    again = SimulatedExchange(floor.config, NewYorkHours(), Notebook())
    rebuild(again, bars, (), floor.notebook.records, until)

    assert again.orders(until) == floor.exchange.orders(until)
    assert 0 < len(again.orders(until)) < len(bars)


def test_a_session_bar_is_walked_open_to_close() -> None:
    """MD-05: its low after a third of the session, its high after two thirds."""
    floor = Floor()
    lasts = timedelta(hours=6, minutes=30)
    floor.exchange.begin_bar(a_bar("09:30", "100 110 90 105", volume=1_000_000), lasts)
    floor.buys("09:30:01", "10", limit="95")
    floor.exchange.advance(at("16:00"))
    (bought,) = floor.report("16:00", "buy").executions
    friday = THURSDAY + timedelta(days=1)
    floor.exchange.submit(at("09:00", friday), an_order("sell", Side.SELL, "10", limit="108"))

    floor.exchange.begin_bar(a_bar("09:30", "100 110 90 105", volume=1_000_000, day=friday), lasts)

    (sold,) = floor.report("16:00", "sell", friday).executions
    assert (bought.at, sold.at) == (at("11:40"), at("13:50", friday))
