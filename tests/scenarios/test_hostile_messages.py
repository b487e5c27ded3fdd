"""Each field of quotes, bars, statuses, clock and order updates with values that cannot be: nothing goes blind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.brokers.alpaca import contract
from core.brokers.alpaca.fields import UnreadableFieldError
from core.brokers.alpaca.parsing import a_clock, an_unread_update, an_update
from core.execution.order import Order
from core.facts import (
    BrokerMessagesQuarantined,
    Fact,
    FillNotBelieved,
    MarketDataQuarantined,
    OrderFilled,
    OrderRestated,
    Source,
    UpdateIgnored,
)
from core.market.alpaca import parsing as market_contract
from core.market.alpaca.failure import Counts, Seen
from core.market.alpaca.minutes import Quotes, Timetable, quote_of
from core.market.alpaca.parsing import read_bar, read_quote
from core.market.alpaca.socket import StreamMessages
from core.market.alpaca.stream_failover import StreamFailover
from core.messages.effects import Effect, FetchBooks, LookUpOrder
from core.messages.inputs import BrokerUpdated, BrokerUpdateUnread
from core.model.api_contract import ApiFieldKind, ApiRecord
from core.model.bar import Feed, NoQuote
from core.model.broker import UnreadUpdate
from core.runtime.clock_guard import ClockGuard
from tests.scenarios.house import STEADY, House, a_typed_buy, minutes
from tests.unit.core.brokers.alpaca_door import an_order_json, an_update_json
from tests.unit.core.brokers.trading_floor import SPY

FUTURE, PAST = "2099-01-04T15:00:00Z", "1990-01-02T15:00:00Z"
HOSTILE = (
    FUTURE, PAST, float("nan"), float("inf"), 10**30, -5, 0, "", None, "\x1b[2J", [1], {"a": 1}, True,
)  # fmt: skip
"""Future, past, not a number, endless, huge, negative, zero, empty, absent, control characters, and wrong types."""
WALKED = (ApiFieldKind.MOMENT, ApiFieldKind.NUMBER, ApiFieldKind.TEXT)
PLAIN = frozenset({Seen.BARS, Seen.QUOTES, Seen.CONNECTIONS, Seen.POLLS, Seen.FILLS})


def hostile(record: ApiRecord) -> Iterator[tuple[str, object]]:
    """Each field of the record's own table, with each value."""
    for field in record.fields:
        if field.kind in WALKED:
            yield from ((field.name, value) for value in HOSTILE)


def streamed(record: ApiRecord) -> Iterator[tuple[str, object]]:
    """What names the message and its symbol too."""
    yield from hostile(record)
    yield from ((name, value) for name in ("T", "S") for value in HOSTILE)


class Market:
    """A house whose market is Alpaca's stream and polls, message by message."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.house = House(minutes("09:30", "09:31")).opens().until("09:40")
        self.counts = Counts()
        silence, begun = timedelta(seconds=20), self.now
        calendar = self.house.calendar
        self.switch = StreamFailover(Timetable(calendar), silence, lambda: 0.0, {}, self.counts, begun)
        self.quotes = Quotes(Feed.IEX, self.counts)
        self.stream = StreamMessages(
            self.switch, self.quotes, self.counts, lambda: self.now, self.hear, lambda: None, lambda: None
        )
        monkeypatch.setattr("core.market.alpaca.socket.asyncio.get_running_loop", lambda: self)
        self.switch.opened(begun)

    @property
    def now(self) -> datetime:
        return self.house.line.at

    def call_later(self, _seconds: float, act: Callable[[], None]) -> None:
        act()

    def hear(self, heard: Any) -> None:
        self.house.line.take(self.now, heard)

    def passes(self, span: timedelta) -> None:
        self.house.until_moment(self.now + span)
        for minute in self.switch.due(self.now):
            self.hear(minute)

    def says(self, kind: str, **fields: object) -> None:
        self.stream.take([{"T": kind, "S": "SPY", **fields}], {"SPY"})

    def polls_quote(self, **fields: object) -> None:
        for sighting in self.quotes.found([read_quote(SPY, fields, "poll", Feed.IEX)], self.now):
            self.hear(sighting)

    def polled(self, **fields: object) -> None:
        for minute in self.switch.found_beside([read_bar(SPY, fields, "poll")], self.now):
            self.hear(minute)

    def noted(self) -> int:
        """What was counted as odd, or shown as left out."""
        odd = sum(self.counts.seen(what) for what in Seen if what not in PLAIN)
        return odd + len(self.house.facts(MarketDataQuarantined))


def a_quote(now: datetime) -> dict[str, object]:
    return {"t": now, "bp": 99.5, "bs": 1, "ap": 99.6, "as": 2}


def a_bar(now: datetime) -> dict[str, object]:
    start = now.replace(second=0) - timedelta(minutes=1)
    return {"t": start, "o": 100, "h": 101, "l": 99, "c": 100, "v": 500}


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    return Market(monkeypatch)


@pytest.mark.parametrize("way", ["stream", "poll"])
def test_no_quote_field_blinds_a_symbol(market: Market, way: str) -> None:
    """MD-03: each field with each value; the next good quote counts, and what was odd is counted or shown."""
    is_streamed = way == "stream"
    told = (lambda **fields: market.says("q", **fields)) if is_streamed else market.polls_quote
    for name, value in (streamed if is_streamed else hostile)(market_contract.QUOTE):
        market.passes(timedelta(seconds=1))
        before, good = market.noted(), a_quote(market.now)
        told(**{**good, name: value})
        seen = market.house.desk.sightings.quotes.get(SPY)
        is_used = seen is not None and seen.at == good["t"]
        market.passes(timedelta(seconds=1))
        told(**a_quote(market.now))

        assert market.house.desk.sightings.quotes[SPY].at == market.now, (name, value)
        assert is_used or market.noted() > before, (name, value)


def test_a_hostile_quote_confirms_nothing() -> None:
    """OP-03, MD-03: the quote that is asked for at a key is sound and of no future, or none at all"""
    now = datetime(2026, 11, 19, 17, tzinfo=UTC)
    for name, value in hostile(market_contract.QUOTE):
        quote = quote_of([read_quote(SPY, {**a_quote(now), name: value}, "asked", Feed.IEX)], SPY, now)

        assert isinstance(quote, NoQuote) or (quote.at <= now and 0 < quote.bid <= quote.ask), (name, value)


@pytest.mark.parametrize("way", ["stream", "poll"])
def test_no_bar_field_blinds_a_symbol(market: Market, way: str) -> None:
    """MD-03: by stream and by poll."""
    told = (lambda **fields: market.says("b", **fields)) if way == "stream" else market.polled
    market.passes(timedelta(minutes=1))
    told(**a_bar(market.now))
    market.passes(timedelta(minutes=1))
    for name, value in (streamed if way == "stream" else hostile)(market_contract.BAR):
        before, good = market.noted(), a_bar(market.now)
        told(**{**good, name: value})
        is_used = market.house.desk.normaliser.state.last_starts[SPY] == good["t"]
        market.passes(timedelta(minutes=1))
        told(**(after := a_bar(market.now)))
        market.passes(timedelta(seconds=6))  # the stream's bars wait so long for one that it left out
        market.passes(timedelta(seconds=54))

        assert market.house.desk.normaliser.state.last_starts[SPY] == after["t"], (name, value)
        assert is_used or market.noted() > before, (name, value)


def test_no_status_field_halts_for_good(market: Market) -> None:
    """MD-06: whatever is told of a halt, the end of it is heard."""
    halted = market.house.desk.normaliser.state.halted
    for name, value in streamed(market_contract.STATUS):
        market.passes(timedelta(seconds=1))
        before = market.noted()
        halt = {"t": market.now, "sc": "H", "sm": "Trading Halt", "rm": "News"}
        market.says("s", **{**halt, name: value})
        is_used = SPY in halted
        market.passes(timedelta(seconds=1))
        market.says("s", t=market.now, sc="T", sm="Resumed", rm="")

        assert SPY not in halted, (name, value)
        assert is_used or market.noted() > before, (name, value)


@pytest.mark.parametrize("time", [FUTURE, PAST])
def test_a_resumption_of_another_time_ends_no_halt(market: Market, time: str) -> None:
    """MD-06"""
    market.says("s", t=market.now, sc="H", sm="Trading Halt", rm="News")
    market.says("s", t=time, sc="T", sm="Resumed", rm="")

    assert SPY in market.house.desk.normaliser.state.halted


def test_no_clock_answer_moves_the_desk_for_good() -> None:
    """EX-23: one answer; a later one that is right ends the doubt, and the desk's time is right."""
    noon, far = datetime(2026, 11, 19, 17, tzinfo=UTC), []
    for value in (value for name, value in hostile(contract.CLOCK) if name == "timestamp"):
        passed = [0.0]
        guard = ClockGuard(lambda: noon + timedelta(seconds=passed[0]), lambda: passed[0], noon)  # noqa: B023
        with suppress(UnreadableFieldError):
            far.append(guard.hear(a_clock({"timestamp": value}).at, 0.0, 0.0).is_near)
        passed[0] = 5.0
        found = guard.hear(noon + timedelta(seconds=5), 5.0, 5.0)

        assert found.is_near, value
        assert guard.read() == noon + timedelta(seconds=5), value
    assert far == [False, False]


def entry_json(order: Order) -> dict[str, Any]:
    return an_order_json(
        id=order.broker_order_id, client_order_id=order.id, qty=str(order.request.quantity), side="buy", type="limit",
        order_type="limit", limit_price=str(order.request.limit_price), status="filled", time_in_force="day",
        filled_qty=str(order.request.quantity), filled_avg_price="99.60", order_class="", legs=None,
        submitted_at=order.created_at.isoformat(), created_at=order.created_at.isoformat(),
    )  # fmt: skip


def house_with_an_entry() -> House:
    """Its entry is at the broker, and its updates are lost."""
    house = House(minutes("10:00", "10:05", STEADY)).opens().until("10:03:01")
    house.line.is_deaf = True
    house.presses(a_typed_buy())
    house.opens_ticket()
    house.until("10:03:05")
    house.confirms()
    return house.until("10:03:06")


def hostile_updates(order: Order, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    size = str(order.request.quantity)
    told = {"timestamp": now.isoformat(), "execution_id": "one", "qty": size, "price": "99.60"}
    good = an_update_json("fill", **told) | {"order": entry_json(order)}
    for name, value in hostile(contract.UPDATE):
        yield f"{name} {value!r}", good | {name: value}
    for name, value in hostile(contract.ORDER):
        yield f"order.{name} {value!r}", good | {"order": good["order"] | {name: value}}


def heard(order: Order, now: datetime) -> dict[BrokerUpdated | BrokerUpdateUnread, str]:
    """What the stream makes of them, each once."""
    found: dict[BrokerUpdated | BrokerUpdateUnread, str] = {}
    for title, raw in hostile_updates(order, now):
        try:
            found.setdefault(BrokerUpdated(an_update(raw)), title)
        except UnreadableFieldError:
            found.setdefault(BrokerUpdateUnread(an_unread_update(raw, "a field")), title)
    return found


def shown_of(house: House) -> list[Fact]:
    return [*house.facts(UpdateIgnored), *house.facts(OrderRestated), *house.facts(FillNotBelieved)]


def test_no_update_field_hides_an_order() -> None:
    """EX-05, RK-12: the broker's next word fills the order, its day counts it, and no day of the future does."""
    first = house_with_an_entry()
    order, now = first.entry, first.line.at
    told = {"timestamp": now.isoformat(), "execution_id": "one", "qty": "0.1", "price": "99.60"}
    good = an_update(an_update_json("fill", **told) | {"order": entry_json(order)})
    updates = heard(order, now)
    for update, title in updates.items():
        house, asked = house_with_an_entry(), list[Effect]()
        house.line.tamper = lambda effect, asked=asked: asked.append(effect) or effect  # type: ignore[misc]
        house.line.take(now, update)
        is_looked_up = any(isinstance(effect, LookUpOrder) for effect in asked)
        house.line.take(now, BrokerUpdated(good))
        ledger = house.desk.ledger
        House.built.remove(house)  # of so many the first alone is rebuilt

        assert house.held() == "0.1", title
        assert ledger.state.entries_day == house.calendar.trading_day(now), title
        assert ledger.state.entries == {"manual": 1}, title
        assert update == BrokerUpdated(good) or is_looked_up or shown_of(house), title
        assert is_looked_up or isinstance(update, BrokerUpdated), title
    assert len(updates) > 20


def test_a_fill_that_cannot_be_read_is_looked_up() -> None:
    """EX-05, OP-06: one odd field, and the look-up counts its shares before the books are compared again"""
    house = house_with_an_entry()
    raw = an_update_json("fill") | {"order": entry_json(house.entry) | {"extended_hours": None}}
    house.line.take(house.line.at, BrokerUpdateUnread(an_unread_update(raw, "extended_hours is missing")))
    house.until("10:03:08")

    assert house_with_an_entry().until("10:03:08").held() == "0"
    assert house.held() == "0.1"
    assert [fill.source for fill in house.facts(OrderFilled)] == [Source.LOOK_UP]


def test_a_message_of_no_order_asks_for_the_books() -> None:
    """EX-05, EX-09: it may have told of a fill, or of an order that is not ours"""
    house = house_with_an_entry()
    for order in (7, entry_json(house.entry) | {"client_order_id": "other", "id": "other"}):
        house.line.take(house.line.at, BrokerUpdateUnread(an_unread_update({"order": order}, "order is unreadable")))
    house.until("10:03:08")

    assert house.held() == "0.1"
    assert [told.client_order_id for told in house.facts(UpdateIgnored)] == ["other"]
    assert [told.count for told in house.facts(BrokerMessagesQuarantined)] == [1]


def test_many_messages_of_no_order_are_one_comparison_a_minute() -> None:
    """EX-26, RK-24: each of them is counted, and the number is recorded once a minute"""
    house, asked = house_with_an_entry(), list[Effect]()
    house.until("10:03:30")
    house.line.tamper = lambda effect: asked.append(effect) or effect  # type: ignore[func-returns-value]
    begun = house.line.at
    for second in range(119):
        house.until_moment(begun + timedelta(seconds=second))
        for _ in range(2):
            house.line.take(house.line.at, BrokerUpdateUnread(UnreadUpdate("a trade update: not an object but None")))
    house.until_moment(begun + timedelta(seconds=121))

    counts = [told.count for told in house.facts(BrokerMessagesQuarantined)]
    assert (counts, sum(counts)) == ([1, 119, 118], 238)
    assert house.facts(UpdateIgnored) == []
    assert sum(isinstance(effect, FetchBooks) for effect in asked) <= 3 + 2, "one each minute, and those of the clock"
