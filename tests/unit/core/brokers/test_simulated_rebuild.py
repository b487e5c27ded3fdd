"""What must always hold on the simulated exchange: it outlives a crash unchanged, and its books always reconcile.

A world is a few minutes around an open, a close and the next open, with random bars, quotes and requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.brokers.simulated.log import DamagedRecordError, Record, rebuild
from core.model.bar import Bar, Feed, Quote
from core.model.broker import OrderUpdate
from core.model.order import OrderRequest, Side, TimeInForce
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, Floor, an_order, at

FRIDAY = date(2026, 11, 20)
MINUTES = [
    start + timedelta(minutes=n)
    for start, count in ((at("09:28"), 8), (at("15:56"), 6), (at("09:29", FRIDAY), 5))
    for n in range(count)
]
END = at("09:40", FRIDAY)
SYMBOLS = (SPY, SPY, IBM)


@dataclass(frozen=True)
class Cancel:
    client_order_id: ClientOrderId


@dataclass(frozen=True)
class Look:
    """A question, or only time that passes: neither may change what happens."""


@dataclass(frozen=True)
class World:
    rules: dict[str, object]
    bars: list[Bar]
    quotes: list[Quote]
    requests: list[tuple[datetime, OrderRequest | Cancel | Look]]


def world_of(chance: Random) -> World:
    """Any world, drawn from one seed: an example costs what the exchange does with it, not the drawing."""
    rules: dict[str, object] = {
        "cash": Decimal(chance.choice((5_000, 100_000))),
        "multiplier": Decimal(chance.choice((1, 2))),
        "slippage": Decimal(chance.choice(("0", "0.001"))),
        "fee_per_share": Decimal(chance.choice(("0", "0.005"))),
    }
    return World(rules, list(some_bars(chance)), some_quotes(chance), some_requests(chance))


def a_price(chance: Random) -> Price:
    return Price(Decimal(chance.randint(9_700, 10_300)) / 100)


def a_moment(chance: Random) -> datetime:
    return chance.choice(MINUTES) + timedelta(seconds=chance.choice((0, 5, 20, 33, 40, 59)))


def some_bars(chance: Random) -> Iterator[Bar]:
    for minute in MINUTES:
        for symbol in (SPY, IBM):
            if chance.random() < 0.25:
                continue
            low, first, second, high = sorted(a_price(chance) for _ in range(4))
            open_, close = chance.sample((first, second), 2)
            volume = Quantity(Decimal(chance.choice((0, 3, 40, 455, 10_000))))
            yield Bar(symbol, minute, open_, high, low, close, volume)


def some_quotes(chance: Random) -> list[Quote]:
    found = []
    for moment in sorted(a_moment(chance) for _ in range(chance.randint(0, 8))):
        bid, size = a_price(chance), Quantity(Decimal(chance.choice((0, 20, 500))))
        ask = Price(bid + Decimal("0.02"))
        found.append(Quote(chance.choice(SYMBOLS), moment, bid, size, ask, size, Feed.RECORDED))
    return found


def some_requests(chance: Random) -> list[tuple[datetime, OrderRequest | Cancel | Look]]:
    found: list[tuple[datetime, OrderRequest | Cancel | Look]] = []
    for _ in range(chance.randint(1, 25)):
        moment = a_moment(chance)
        name = f"order-{chance.randint(1, 30)}"
        match chance.choice(["order"] * 6 + ["replace"] * 2 + ["cancel", "look"]):
            case "order":
                found.append((moment, some_order(chance, name)))
            case "replace":
                found += [(moment, changed(chance, of, name)) for _, of in found[-1:] if isinstance(of, OrderRequest)]
            case "cancel":
                found.append((moment, Cancel(ClientOrderId(name))))
            case _:
                found.append((moment, Look()))
    return sorted(found, key=lambda item: item[0])


def some_order(chance: Random, name: str) -> OrderRequest:
    price = str(a_price(chance))
    return an_order(
        name, chance.choice(list(Side)), chance.choice(("1", "7", "60", "0.125", "300")),
        time_in_force=chance.choice(list(TimeInForce)), symbol=chance.choice(SYMBOLS),
        **chance.choice(({}, {"limit": price}, {"stop": price})),
    )  # fmt: skip


def changed(chance: Random, of: OrderRequest, name: str) -> OrderRequest:
    """Another quantity or price for an order that was asked for."""
    price = a_price(chance)
    return replace(
        of, client_order_id=ClientOrderId(name), quantity=chance.choice((of.quantity, Quantity(Decimal(3)))),
        limit_price=of.limit_price and price, stop_price=of.stop_price and price, replaces=of.client_order_id,
    )  # fmt: skip


worlds = st.randoms(use_true_random=True).map(world_of)
moments = st.randoms(use_true_random=True).map(a_moment)


def live(world: World, until: datetime, drive: Callable[[Floor, datetime], None]) -> Floor:
    """Run the world as the runtime does: bars, quotes, the walk and requests in their order; `drive` passes time."""
    floor = Floor(**world.rules)
    happenings: list[tuple[datetime, int, Bar | Quote | OrderRequest | Cancel | Look]] = [
        *((bar.start, 0, bar) for bar in world.bars),
        *((quote.at, 1, quote) for quote in world.quotes),
        *((moment, 2, request) for moment, request in world.requests),
    ]
    for moment, _, happening in sorted(happenings, key=lambda item: item[:2]):
        if moment > until:
            break
        drive(floor, moment)
        match happening:
            case Bar():
                floor.exchange.begin_bar(happening)
            case Quote():
                floor.exchange.take_quote(happening)
            case OrderRequest():
                ask = floor.exchange.replace if happening.replaces else floor.exchange.submit
                ask(moment, happening)
            case Cancel(name):
                floor.exchange.cancel(moment, name)
            case Look():
                floor.exchange.books(moment)
    floor.exchange.advance(until)
    return floor


def when_woken(floor: Floor, before: datetime) -> None:
    """The runtime's way: wake at `next_at`, never earlier."""
    while floor.exchange.next_at is not None and floor.exchange.next_at < before:
        floor.exchange.advance(floor.exchange.next_at)


def not_at_all(floor: Floor, before: datetime) -> None:
    """Nobody wakes it: the next event or request has to do."""


def rebuilt(world: World, records: Iterable[Record], until: datetime) -> Floor:
    floor = Floor(**world.rules)
    rebuild(floor.exchange, world.bars, world.quotes, records, until)
    return floor


def everything(floor: Floor, moment: datetime) -> tuple[object, list[OrderUpdate]]:
    return floor.exchange.books(moment), floor.exchange.take_updates()


@settings(max_examples=24)
@given(worlds, moments)
def test_a_rebuilt_exchange_equals_the_original(world: World, crash: datetime) -> None:
    """MD-05, EX-05"""
    one = live(world, crash, when_woken)

    other = rebuilt(world, one.notebook.records, crash)

    assert other.exchange.last_at == one.exchange.last_at
    assert other.exchange.next_at == one.exchange.next_at
    assert everything(other, crash) == everything(one, crash)


@settings(max_examples=24)
@given(worlds)
def test_wake_ups_change_nothing(world: World) -> None:
    """MD-05"""
    woken, left_alone = live(world, END, when_woken), live(world, END, not_at_all)

    assert everything(woken, END) == everything(left_alone, END)


@settings(max_examples=24)
@given(worlds)
def test_cash_and_positions_reconcile_with_fills(world: World) -> None:
    """EX-05, EX-08"""
    floor = live(world, END, when_woken)
    picture, updates = floor.exchange.books(END), floor.exchange.take_updates()

    cash = floor.config.cash
    shares: dict[Symbol, Decimal] = {}
    for update in updates:
        if update.execution is None:
            continue
        execution, report = update.execution, update.report
        signed = execution.quantity if report.side is Side.BUY else -execution.quantity
        cash -= signed * execution.price + floor.config.fee_per_share * execution.quantity
        shares[report.symbol] = shares.get(report.symbol, Decimal(0)) + signed
    assert picture.account.cash == cash
    assert {p.symbol: p.quantity for p in picture.positions} == {s: q for s, q in shares.items() if q}


@settings(max_examples=24)
@given(worlds)
def test_no_order_overfills_or_beats_its_limit(world: World) -> None:
    """EX-05, EX-12"""
    floor = live(world, END, when_woken)

    ids = [u.execution.id for u in floor.exchange.take_updates() if u.execution is not None]
    assert len(ids) == len(set(ids))
    for report in floor.exchange.orders(END):
        assert report.filled_quantity == sum(e.quantity for e in report.executions) <= report.quantity
        limit = report.limit_price
        if limit is not None and report.side is Side.BUY:
            assert all(execution.price <= limit for execution in report.executions)
        elif limit is not None:
            assert all(execution.price >= limit for execution in report.executions)


@settings(max_examples=24)
@given(worlds)
def test_a_cash_account_is_never_short(world: World) -> None:
    """EX-11, EX-05"""
    floor = live(world, END, when_woken)

    if not floor.config.is_margin:
        assert all(p.quantity > 0 for p in floor.exchange.books(END).positions)
    taken: dict[tuple[Symbol, datetime], Decimal] = {}
    for update in floor.exchange.take_updates():
        if update.execution is not None:
            key = (update.report.symbol, update.execution.at.replace(second=0))
            taken[key] = taken.get(key, Decimal(0)) + update.execution.quantity
    for bar in world.bars:
        most = max(floor.config.participation * bar.volume, Decimal(1) if bar.volume else Decimal(0))
        assert taken.get((bar.symbol, bar.start), Decimal(0)) <= most


@table(
    "record",
    {"request": "submit", "at": "2026-11-19T15:00:00+00:00"},
    {"request": "hello", "at": "2026-11-19T15:00:00+00:00"},
)
def test_a_damaged_record_is_refused(record: Record) -> None:
    """SP-01"""
    with pytest.raises(DamagedRecordError):
        rebuild(Floor().exchange, [], [], [{"client_order_id": None, **record}], at("10:00"))
