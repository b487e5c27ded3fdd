"""Four hundred drafts, half with one false fact: each false one is found, and no true one is accused (OP-14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from core.messages.inputs import DraftWithdrawn
from core.model.bar import ONE_MINUTE, Bar
from core.model.draft import DraftFact, DraftTerms, FactResult
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType
from core.model.values import CENT, Price, Quantity
from tests.kit.drafts import adopts
from tests.scenarios.changes import passes
from tests.scenarios.house import House, minutes
from tests.scenarios.test_drafts import CLAUDE, a_house, drafts, terms
from tests.unit.core.brokers.trading_floor import SPY

DRAFTS = 400
KINDS = ("price", "position", "time", "average_price", "stop_distance")
FALSE_BY = Decimal("0.006")
"""A false price is this part away at least: three times the tolerance of a price."""


def a_market(seed: int) -> list[Bar]:
    """A day's random walk, about 0.06 % a minute, from 99.70; quotes are a cent around each close."""
    chance, price, bars = Random(seed), Decimal("99.70"), []
    for number, bar in enumerate(minutes("09:45", "15:40", "99.70")):
        if number > 24:
            price = STOCK_TICKS.nearest(price * (1 + Decimal(str(round(chance.gauss(0, 0.0006), 6)))))
        bars.append(replace(bar, open=price, high=price + CENT, low=price - CENT, close=price))
    return bars


@dataclass(frozen=True, slots=True)
class Stated:
    facts: tuple[DraftFact, ...]
    order: DraftTerms
    false: str
    """The kind of the false fact; empty if all are true."""


def stated_at(house: House, chance: Random, number: int) -> Stated:
    """True facts as the desk tells them now and of an earlier minute; in every second draft one is false."""
    at, position = house.line.at, house.desk.ledger.positions_in(SPY)[0]
    last = house.desk.last_price(SPY)
    assert last is not None
    price, ago = last[1], chance.randrange(2, 40)
    closes = house.desk.price_history.state.closes[SPY]
    then_start, then = closes[-1 - ago]
    limit = STOCK_TICKS.nearest(price - 1)
    order = DraftTerms(SPY, Effect.ADD, Quantity(Decimal(1)), OrderType.LIMIT, limit, Price(limit - 2))
    values = {
        "price": (price, at),
        "time": (then, then_start + ONE_MINUTE),
        "position": (position.quantity, None),
        "average_price": (position.average_price, None),
        "stop_distance": (Decimal(2) / limit, None),
    }
    false = KINDS[number // 2 % len(KINDS)] if number % 2 else ""
    away = 1 + chance.choice((-1, 1)) * (FALSE_BY + Decimal(str(round(chance.random() * 0.05, 4))))
    if false == "time":  # a price of the past, said to be one of tomorrow
        values["time"] = (then, at + timedelta(minutes=chance.randrange(1, 2000)))
    elif false == "position":
        values["position"] = (position.quantity + chance.choice((-2, -1, 1, 7)), None)
    elif false:
        values[false] = (Decimal(values[false][0]) * away, values[false][1])
    names = {kind: "price" if kind == "time" else kind for kind in KINDS}
    facts = tuple(DraftFact(SPY, names[kind], Decimal(values[kind][0]), values[kind][1], "seen") for kind in KINDS)
    return Stated(facts, order, false)


def test_each_false_fact_is_found_and_no_true_one_accused() -> None:
    """OP-14: price, position, time, average and distance of the stop"""
    house = a_house(bars=a_market(7), per_hour=1000, most_value="100000", minutes=5)
    drafts(house, terms(limit="99.80", stop="90.00", quantity="1"))
    house.presses(adopts(house.desk, 1))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:50")
    chance, found, accused, missed = Random(11), 0, [], []
    for number in range(DRAFTS):
        passes(house, chance.randrange(1, 40))
        stated = stated_at(house, chance, number)
        answer = drafts(house, stated.order, key=str(number), stated=stated.facts)
        assert answer.code is None, answer.reasons
        house.line.take(house.line.at, DraftWithdrawn(CLAUDE, str(number), 1))
        differ = [kind for kind, one in zip(KINDS, answer.facts, strict=True) if one.result is FactResult.DIFFERS]
        found += differ == [stated.false]
        accused += [kind for kind in differ if kind != stated.false]
        missed += [stated.false] if stated.false and stated.false not in differ else []

    assert (found, accused, missed) == (DRAFTS // 2, [], [])
