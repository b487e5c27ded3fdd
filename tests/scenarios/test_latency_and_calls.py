"""Latencies, counts and calls: what the operator sees of the way to the broker (EX-11, EX-16, EX-17)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.details import link_in_words, wire
from core.execution.latency import latency_report, percentile
from core.facts import OrderFilled, OrderSent, ProposalSkipped, ProposalStaged
from core.market.alpaca.failure import Seen
from core.messages.commands import Kill
from core.messages.effects import CancelOrder, Effect, FetchAccount, SubmitOrder
from core.messages.inputs import (
    AccountFetched,
    BooksFetched,
    BrokerUpdated,
    CallsCounted,
    ConnectionChanged,
    LookUpAnswered,
)
from core.model.account import Account, Channel, ConnectionState, ConnectionStatus
from core.model.bar import Bar
from core.model.broker import Capabilities, Execution, OrderReport, OrderUpdate, UpdateEvent
from core.model.order import OrderStatus, StopHolder
from core.model.signal import EntrySignal, ExitReason, ExitSignal
from core.model.values import ExecutionId, Price, Quantity, Symbol
from core.runtime.call_record import counted
from core.settings.settings import Settings
from core.strategies.base import Context
from core.strategies.trade_plan import fault_in
from core.strategies.vwap_mean_reversion import VwapStrategy
from tests.scenarios.house import (
    DIP,
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
)
from tests.scenarios.test_limited_queries import leaving
from tests.unit.core.brokers.trading_floor import IBM, SPY, a_bar, at

WIDE = Settings.model_validate({"risk": {"max_notional": {"usd": 90000}, "per_trade": {"usd": 90000}}})


def spans(house: House) -> dict[str, timedelta]:
    return {span.name: span.percentiles[0] for span in house.line.view().wire.spans}


def detail(house: House) -> str:
    lines = wire(house.line.view(), "", house.line.at) or []
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def measured(house: House) -> dict[str, tuple[int, float]]:
    """The number of each span from a fill to its stop, and its median in seconds."""
    found = house.line.view().wire.spans
    return {
        s.name: (s.orders, s.percentiles[0].total_seconds()) for s in found if "stop" in s.name or "target" in s.name
    }


def test_every_part_of_an_orders_way_is_measured(snapshot: SnapshotAssertion) -> None:
    """EX-16: staged as its bar ended at 10:06:00, confirmed at 10:06:02, its figures fetched within 0.1 s."""
    house = a_house_in_a_position()

    seconds = [span / timedelta(seconds=1) for name, span in spans(house).items() if "stop" not in name]
    assert seconds == [0, 2, 0.1, 0.1, 0.1, 0, 0.3]
    assert list(spans(house)) == snapshot


def test_a_stop_is_measured_from_the_fill_it_is_for() -> None:
    """EX-16, EX-22: sent by its authorization as the fill is heard, 0.1 s after it, and acknowledged 0.1 s later"""
    house = a_house_in_a_position()

    assert len(house.facts(OrderSent)) == 2
    assert measured(house) == {
        "fill to stop sent": (1, 0.1),
        "stop sent to acknowledged": (1, 0.1),
        "fill to stop in force": (1, 0.2),
    }
    assert {span.orders for span in house.line.view().wire.spans} == {1}


def test_a_lost_stop_counts_until_the_broker_has_it() -> None:
    """EX-16, EX-22: its request is lost, and it is looked up after its time-out"""
    house = a_house_with_a_proposal(("10:06", "10:20", STEADY))
    house.confirms_at("10:06:02")
    house.line.tamper = lambda effect: _broken_stop(house, effect)
    house.until("10:12")
    (stop,) = [stop for stop in house.stops if stop.is_working]
    filled = next(r.fact.fill.at for r in house.journal.records() if isinstance(r.fact, OrderFilled))
    assert stop.submitted_at is not None

    took = measured(house)["fill to stop in force"]

    assert took == (1, (stop.submitted_at - filled).total_seconds())
    assert took[1] > 1


def _broken_stop(house: House, effect: Effect) -> Effect:
    """The first stop does not arrive."""
    if isinstance(effect, SubmitOrder) and effect.order.type.is_stop and not house.line._broken:
        house.line.tamper = lambda later: later
        house.line.breaks_at(SubmitOrder, arrives=False)
    return effect


@pytest.mark.usefixtures("a_bar_at_once")
def test_each_part_of_an_entry_has_its_own_fill_to_stop() -> None:
    """EX-16: two parts a minute apart; no stop is measured from the first fill of another"""
    house = a_house_with_a_proposal(participation=Decimal("0.000002"))
    house.confirms_at("10:06:02")
    house.until("10:07:29")

    assert measured(house)["fill to stop in force"] == (2, 0.2)
    assert house.line.view().wire.spans[-1].percentiles[-1] == timedelta(seconds=0.2)


def test_a_leg_is_in_force_when_its_entry_has_filled() -> None:
    """EX-16: it was acknowledged with its entry, which filled in three parts over 0.9 s; nothing was sent for it"""
    house = House(minutes("09:55", "10:30", "99.60"), WIDE, cash=Decimal(50000)).opens().until("10:06:30")
    house.presses(replace(a_typed_buy("3", "98.00", "97.70"), target_price=Price(Decimal(101))))
    house.opens_ticket()
    house.until("10:06:31")
    house.confirms()
    house.until("10:06:35")

    fills_in_parts(house, 3)
    house.until("10:06:40")

    assert measured(house) == {"fill to stop in force": (1, 0.9), "fill to target in force": (1, 0.9)}


def test_the_journal_alone_has_the_same_latencies() -> None:
    """EX-16: `keyturn latency`."""
    house = a_house_in_a_position()

    told = latency_report(house.journal.records(), house.calendar.trading_day, None)

    assert (told["orders"], told["stops"]) == (1, 1)
    (sent,) = [span for span in told["spans"] if span["name"] == "confirmed to sent"]  # type: ignore[attr-defined]
    assert sent == {"name": "confirmed to sent", "orders": 1, "p50": 100.0, "p90": 100.0, "p95": 100.0, "p99": 100.0}
    entry, stop = told["timings"]  # type: ignore[misc]
    assert (entry["confirmed"], entry["sent"]) == ("2026-11-19T15:06:02Z", "2026-11-19T15:06:02.100000Z")
    assert (stop["as"], stop["confirmed"]) == ("stop", None)
    assert (stop["entry_fill"], stop["sent"]) == ("2026-11-19T15:06:02.200000Z", entry["first_fill"])
    assert stop["in_force"] == stop["acknowledged"]


def test_a_day_without_an_order_has_no_latency() -> None:
    """EX-16"""
    house = a_house_in_a_position()

    told = latency_report(house.journal.records(), house.calendar.trading_day, at("09:30").date().replace(day=1))

    assert (told["orders"], told["spans"]) == (0, [])


def test_a_percentile_is_a_figure_that_was_measured() -> None:
    """EX-16: nearest rank."""
    hundred = [timedelta(seconds=n) for n in range(1, 101)]

    for percent in (50, 90, 95, 99):
        assert percentile(hundred, percent) == timedelta(seconds=percent)
        assert percentile(hundred[:1], percent) == hundred[0]


def test_latencies_are_shown_with_their_units() -> None:
    """EX-16"""
    house = a_house_in_a_position()

    assert "confirmed to sent" in detail(house)
    assert "100.0 ms" in detail(house)
    assert [link_in_words(timedelta(seconds=s)) for s in (0.0024, 1.2, 125)] == ["2.4 ms", "1.20 s", "2:05"]


def test_what_was_left_out_is_shown_with_its_count() -> None:
    """MD-03: where the calls are"""
    house = a_house_in_a_position()
    connection = ConnectionStatus(Channel.DATA, ConnectionState.UP, house.line.at, odd=((Seen.LATE.value, 12),))
    house.line.take(house.line.at, ConnectionChanged(connection))

    assert re.search(rf"left out +12  data: {Seen.LATE.value}", detail(house))


def test_invalid_and_rejected_orders_count_apart() -> None:
    """EX-11"""
    house = a_house_with_a_proposal()
    house.presses(a_typed_buy(quantity="0.0001"))
    assert house.last(ProposalSkipped).checks[0] == "quantity"
    house.line.refuses_the_next_order("insufficient buying power")
    house.confirms_at("10:06:02")
    house.until("10:06:05")

    wire = house.line.view().wire

    assert (wire.sent, wire.invalid, wire.rejected) == (1, 1, 1)


def test_a_limit_of_the_trader_is_no_broker_rule(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    house = House(minutes("09:30", "10:30", "99.60")).opens().until("09:40")

    house.presses(a_typed_buy())

    assert house.last(ProposalSkipped).checks == ("entry window",)
    assert house.last(ProposalSkipped).reasons == snapshot
    assert house.line.view().wire.invalid == 0


def test_the_most_frequent_calls_come_first() -> None:
    """EX-17"""
    house = a_house_with_a_proposal()

    house.line.take(house.line.at, CallsCounted((("GET /account", 3), ("GET /orders", 12))))

    assert house.line.view().wire.calls == (("GET /orders", 12), ("GET /account", 3))
    assert "12  GET /orders" in detail(house)


class Counting:
    """An adapter that counts."""

    def __init__(self) -> None:
        self.sent = {"GET /account": 2}
        self.beyond = 1

    def calls(self) -> Counting:
        return self


def test_counting_adapters_are_summed() -> None:
    """EX-17"""
    assert counted(Counting(), object(), Counting()) == CallsCounted((("GET /account", 4),), 2)


def test_bars_of_one_minute_ask_for_the_account_once() -> None:
    """EX-17: once a cycle."""
    bars = [*a_day(("10:06", "10:20", STEADY)), *minutes("09:30", "10:20", "50", symbol=IBM)]
    house = House(bars, Settings(symbols=("SPY", "IBM")), cash=Decimal(200)).opens().until("10:06")
    house.confirms_at("10:06:02")
    house.until("10:10:30")
    before = accounts(house)

    house.until("10:15:30")

    assert house.held() != "0"
    assert accounts(house) - before == 5


def fills_in_parts(house: House, parts: int) -> None:
    """The entry fills in so many equal parts within a second, each reported alone."""
    house.line.is_deaf = True
    order, request = house.entry, house.entry.request
    report = house.exchange.order(house.line.at, order.id)
    assert isinstance(report, OrderReport)
    for number in range(1, parts + 1):
        at, price = house.line.at, Price(Decimal("99.60"))
        part, filled = Quantity(request.quantity / parts), Quantity(request.quantity * number / parts)
        execution = Execution(ExecutionId(f"part {number}"), at, part, price)
        status = OrderStatus.FILLED if number == parts else OrderStatus.PARTIALLY_FILLED
        update = replace(report, status=status, filled_quantity=filled, average_price=price)
        house.line.take(at, BrokerUpdated(OrderUpdate(UpdateEvent.PARTIAL_FILL, at, update, execution)))
        house.until_moment(at + timedelta(seconds=0.9 / (parts - 1)))


@pytest.mark.parametrize("limit", [None, 200], ids=["unlimited", "limited"])
def test_twenty_fills_in_a_second_ask_the_account_twice(limit: int | None) -> None:
    """EX-17: for the first fill at once, and once after the last one"""
    house = a_house_with_entries(1)
    house.desk.sightings.capabilities = Capabilities(messages_a_minute=limit)
    house.until_moment(house.line.at + timedelta(seconds=5))
    before = accounts(house)

    fills_in_parts(house, 20)
    last_fill = house.line.at
    house.until_moment(house.line.at + timedelta(seconds=2))

    assert house.held() == "0.1"
    assert accounts(house) - before == 2
    account = house.desk.sightings.account
    assert isinstance(account, Account)
    assert account.at >= last_fill - timedelta(seconds=0.1)


def test_a_fill_while_the_account_is_awaited_asks_after_it() -> None:
    """EX-17: one request at a time; an answer that began before the fill does not count for it"""
    house = a_house_with_entries(1)
    house.until_moment(house.line.at + timedelta(seconds=5))
    house.slows_down(3)
    begun, left = house.line.at, leaving(house)

    fills_in_parts(house, 20)
    house.until_moment(begun + timedelta(seconds=15))

    assert [seconds for seconds, effect in left if effect is FetchAccount] == [0, 3]


def accounts(house: House) -> int:
    return sum(isinstance(message, AccountFetched) for message in house.line.heard)


def look_ups(house: House) -> int:
    return sum(isinstance(message, LookUpAnswered) for message in house.line.heard)


def books(house: House) -> int:
    return sum(isinstance(message, BooksFetched) for message in house.line.heard)


def a_house_with_entries(count: int) -> House:
    """Typed buys far below the market: they work and do not fill."""
    settings = Settings.model_validate({"risk": {"entries_a_day": count}})
    house = House(minutes("09:55", "10:30", "99.60"), settings).opens().until("10:06:30")
    for _ in range(count):
        house.presses(a_typed_buy(limit="98.00", stop="97.70"))
        house.opens_ticket()
        house.until_moment(house.line.at + timedelta(seconds=1))
        house.confirms()
        house.until_moment(house.line.at + timedelta(seconds=1))
    return house


def test_many_lost_cancels_are_looked_up_at_once() -> None:
    """EX-17, EX-06: one question, and not one an order."""
    house = a_house_with_entries(4)
    house.line.is_deaf = True
    house.line.breaks_at(CancelOrder, arrives=False, times=4)
    before = (look_ups(house), books(house))

    house.presses(Kill("key"))
    house.until_moment(house.line.at + timedelta(seconds=20))

    assert all(not order.is_working for order in house.desk.ledger.state.orders.values())
    assert look_ups(house) - before[0] <= 8
    assert books(house) > before[1]


def test_without_the_stream_working_orders_are_polled() -> None:
    """EX-17: one batched poll as the fallback."""
    house = a_house_with_entries(1)
    connection = ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, since=house.line.at)
    house.line.take(house.line.at, ConnectionChanged(connection))
    before = (look_ups(house), books(house))

    house.until_moment(house.line.at + timedelta(seconds=60))

    assert (look_ups(house) - before[0], books(house) - before[1]) == (0, 12)


def test_without_the_stream_an_idle_desk_is_not_polled() -> None:
    """EX-17"""
    house = a_house_with_entries(0)
    connection = ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, since=house.line.at)
    house.line.take(house.line.at, ConnectionChanged(connection))
    before = books(house)

    house.until_moment(house.line.at + timedelta(seconds=60))

    assert books(house) - before == 1


START = at("10:05")


def an_entry(**changes: object) -> EntrySignal:
    price = Price(Decimal("99.60"))
    sound = EntrySignal(
        "vwap", SPY, START, price, Price(Decimal("99.30")), StopHolder.BROKER, Quantity(Decimal(1)), price, "a dip"
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


def an_exit(quantity: str) -> ExitSignal:
    price = Price(Decimal("99.60"))
    return ExitSignal("vwap", SPY, START, Quantity(Decimal(quantity)), ExitReason.STOP_LOSS, price, price, "a fall")


def test_a_malformed_signal_is_named(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    sound = (an_entry(), an_exit("0.5"))
    malformed = (
        an_entry(quantity=Decimal("NaN")),
        an_entry(quantity=Decimal(0)),
        an_entry(limit_price=Decimal("-1")),
        an_entry(limit_price=99.6),
        an_entry(stop_price=Decimal("99.60")),
        an_entry(symbol=IBM),
        an_entry(strategy="another"),
        an_entry(bar_start=START + timedelta(minutes=1)),
        an_exit("0.6"),
        "BUY!",
    )

    def fault(signal: object) -> str | None:
        return fault_in(signal, "vwap", a_bar("10:05", DIP), Quantity(Decimal("0.5")))

    assert [fault(signal) for signal in sound] == [None, None]
    assert [fault(signal) for signal in malformed] == snapshot


@pytest.mark.usefixtures("a_whole_morning")
def test_a_malformed_signal_never_becomes_a_proposal(
    monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """EX-11, ST-07"""

    def raves(_self: object, bar: Bar, _context: Context) -> EntrySignal:
        return an_entry(bar_start=bar.start, quantity=Quantity(Decimal("Infinity")))

    monkeypatch.setattr(VwapStrategy, "on_bar", raves)
    house = House(a_day()).opens().until("10:06")
    House.built.remove(house)  # who rebuilds it has the sound strategy again

    runner = house.desk.orchestrator.roster.runner("vwap", Symbol("SPY"))
    assert runner is not None
    assert house.facts(ProposalStaged) == []
    assert runner.memory.last_answer == snapshot
    assert runner.reasons()["MALFORMED"] == 36
