"""Age and health of a holding: its figures and its light against a plain recomputation, and the notice of a red one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from core import facts
from core.facts import PositionCorrected
from core.messages.commands import ProposeOrder, RequestCancel
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.bar import Feed, Quote, TradingHalt
from core.model.codes import IdleCode, OwedReason
from core.model.holding import Concern, Health, Light, RulesChoice
from core.model.notice import NoticeKind, Severity
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.position import Position, moved
from core.model.values import Price, Quantity
from core.risk.price_history import AverageVolume
from core.settings.settings import Settings
from core.trading_state.owed_stops import Owing
from core.views import PositionRow
from core.views.builders.desk import ViewBuilder
from core.views.export import public, row_of
from core.workflows.holding_health import guards_of, health_of
from tests.scenarios.changes import confirms_now
from tests.scenarios.house import (
    RARELY,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
)
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

CENT = Decimal("0.01")
ROOM = {"window_start": "09:30", "window_end": "15:59", "max_notional": {"usd": "5000"}, "per_trade": {"usd": "100"}}
DRAWS = 200


def guarded_at_the_broker() -> House:
    """0.502 of VWAP at 99.60, their stop at 99.30 at the broker."""
    return a_house_in_a_position(("10:06", "10:40", STEADY))


def watched_here() -> House:
    """0.1 bought by hand at 99.60, with a stop at 97 that this desk watches."""
    terms = Settings.model_validate({"risk": ROOM, "notify": settings().notify}).model_copy(update=RARELY)
    house = House([*minutes("09:55", "10:09", "99.60"), *minutes("10:10", "10:40", "96.90")], terms).opens()
    house.until("10:05").presses(replace(a_typed_buy(stop="97"), stop_holder=StopHolder.DESK))
    confirms_now(house)
    return house.until("10:06:30")


def sold_short() -> House:
    """3 sold short by hand at 99.60, with a stop at 101 at the broker."""
    terms = Settings.model_validate({"risk": ROOM}).model_copy(update=RARELY)
    house = House(minutes("09:55", "10:40", "99.60"), terms, cash=Decimal(5000), multiplier=Decimal(2)).opens()
    house.until("10:05").presses(
        ProposeOrder(
            *(SPY, Effect.SHORT, Quantity(Decimal(3)), OrderType.LIMIT, Price(Decimal("99.60")), Price(Decimal(101))),
            StopHolder.BROKER,
        )
    )
    confirms_now(house)
    return house.until("10:06:30")


def taken_over(shares: str = "0.3") -> House:
    """Shares that the broker's books have, and nobody here bought."""
    house = House(minutes("09:55", "10:40", "99.60"), settings().model_copy(update=RARELY)).opens().until("10:05")
    corrects(house, shares)
    return house


def corrects(house: House, shares: str) -> None:
    house.engine.state.at, paid = house.line.at, Price(Decimal("99.60"))
    house.engine.state.record(
        PositionCorrected(SPY, Quantity(Decimal(shares)), paid if shares != "0" else None, f"the broker has {shares}")
    )


def of(house: House) -> Health:
    state, at, (position,) = house.desk, house.line.at, house.desk.ledger.positions()
    return health_of(state, position, at, guards_of(state, position, at))


def row(house: House) -> PositionRow:
    (found,) = ViewBuilder(house.engine).draw(house.line.at).positions
    return found


@dataclass(frozen=True)
class Drawn:
    """What one draw sets: the bar's close, the quote and its age in seconds, the volume, the rules and the days."""

    close: Decimal | None
    bar_age: int
    bid: Decimal | None
    ask: Decimal
    quote_age: int
    volume: Decimal | None
    sessions: int
    rules: dict[str, object]
    days: int


def drawn(random: Random) -> Drawn:
    cents = random.choice((9650, 9699, 9700, 9725, 9929, 9930, 9931, 9935, 9940, 9960, 10020, 10400))
    close = None if random.random() < 0.1 else Decimal(cents) / 100
    bid = None if random.random() < 0.3 else Decimal(cents + random.randint(-5, 5)) / 100
    return Drawn(
        close=close,
        bar_age=random.choice((30, 90, 91, 600)),
        bid=bid,
        ask=(bid or Decimal(1)) + Decimal(random.choice((0, 1, 2, 15, 40))) / 100,
        quote_age=random.choice((0, 5, 15, 16, 3600)),
        volume=random.choice((None, Decimal(0), Decimal(1), Decimal("5.02"), Decimal(3), Decimal(1_000_000))),
        sessions=random.choice((1, 19, 20)),
        rules={
            "manual": random.random() < 0.5,
            "enabled": random.random() < 0.8,
            "not_for": random.choice(((), ("vwap",))),
            "stop": random.choice(("0", "0.01")),
            "profit_target": random.choice(("0", "0.02")),
            "max_days": random.choice((0, 2, 5)),
            "stale_days": random.choice((0, 3)),
        },
        days=random.choice((0, 1, 2, 3, 6, 7)),
    )


def sets(house: House, position: Position, one: Drawn) -> None:
    """Put the readings of a draw in the place of those of the day."""
    state, now = house.desk, house.line.at
    symbol = position.symbol
    state.sightings.day_figures.clear()
    state.orchestrator.state.marks.pop(symbol, None)
    state.normaliser.state.last_starts.pop(symbol, None)
    state.sightings.quotes.pop(symbol, None)
    state.volumes.state.by_symbol.clear()
    if one.close is not None:
        state.orchestrator.state.marks[symbol] = Price(one.close)
        state.normaliser.state.last_starts[symbol] = now - timedelta(seconds=one.bar_age + 60)
    if one.bid is not None:
        hundred, seen = Quantity(Decimal(100)), now - timedelta(seconds=one.quote_age)
        quote = Quote(symbol, seen, Price(one.bid), hundred, Price(one.ask), hundred, Feed.SIP)
        state.sightings.quotes[symbol] = quote
    if one.volume is not None:
        state.volumes.state.by_symbol[symbol] = AverageVolume(Quantity(one.volume), one.sessions, THURSDAY)
    exits = type(state.control.settings.exits).model_validate(one.rules)
    state.control.state.settings = state.control.settings.model_copy(update={"exits": exits})
    opened = replace(position, opened_at=position.opened_at - timedelta(days=one.days))
    state.ledger.state.positions[f"{symbol}/{position.strategy}"] = opened


@dataclass(frozen=True)
class Case:
    """A holding at 99.60: the stop of its entry, who holds it, and whether it must be flat by the close."""

    quantity: Decimal
    stop: Decimal | None
    at_broker: bool
    is_vwap: bool
    is_bought_here: bool


def expected(case: Case, one: Drawn) -> Health:
    """The same, from the figures of the draw alone."""
    paid, terms, side = Decimal("99.60"), one.rules, 1 if case.quantity > 0 else -1
    seen = [(-one.bar_age, 0, one.close)] if one.close is not None else []
    if one.bid is not None:
        seen.append((-one.quote_age, 1, (one.bid + one.ask) / 2))
    age, _, last = max(seen, default=(None, 0, None))
    rules = terms["enabled"] and (not terms["not_for"] if case.is_vwap else terms["manual"])
    only_stop = not rules and case.stop is not None and not case.at_broker
    acting = case.stop
    way = None if last is None or acting is None else side * (last - acting)
    risk = None if case.stop is None else side * (paid - case.stop)
    gain = Decimal(str(terms["profit_target"]))
    target = (paid * (1 + side * gain)).quantize(CENT, ROUND_HALF_UP) if rules and gain else None
    up = None if last is None or target is None else side * (target - last)
    limits = [terms["max_days"]] if rules and terms["max_days"] else []
    price = paid if last is None else last
    if rules and terms["stale_days"] and side * (price - paid) / paid < Decimal("0.02"):
        limits.append(terms["stale_days"])
    left = min(limits) + 1 - one.days if limits else None  # type: ignore[type-var, operator]
    to_leave = abs(case.quantity) / one.volume * 10 if one.volume and one.sessions == 20 else None
    is_now = one.bid is not None and one.quote_age <= 15
    spread = (one.ask - one.bid) / ((one.ask + one.bid) / 2) if is_now and one.bid is not None else None

    found = set()
    if not case.at_broker:
        watched = (rules and (case.stop is not None or terms["stop"] != "0")) or only_stop
        found.add(Concern.NEEDS_KEY if watched else Concern.NO_STOP)
    if way is not None and last is not None:
        near = way / risk < Decimal("0.25") if risk else way / last < Decimal("0.005")
        found |= {Concern.AT_STOP} if way <= 0 else {Concern.NEAR_STOP} if near else set()
    if (left is not None and left <= 0) or (case.is_vwap and one.days):
        found.add(Concern.PAST_TIME)
    if left == 1:
        found.add(Concern.NEAR_TIME)
    if age is None or age < -90:
        found.add(Concern.NO_PRICE)
    if spread is not None and spread > Decimal("0.002"):
        found.add(Concern.WIDE_SPREAD)
    if to_leave is not None and to_leave > 1:
        found.add(Concern.SLOW_TO_LEAVE)
    return Health(
        concerns=tuple(sorted(found, key=list(Concern).index)),
        days_held=one.days if case.is_bought_here else None,
        days_here=one.days,
        way_to_stop=None if way is None else way / last,  # type: ignore[arg-type, operator]
        way_to_stop_in_r=None if way is None or not risk else way / risk,
        target=target,  # type: ignore[arg-type]
        way_to_target=None if up is None else up / last,  # type: ignore[arg-type, operator]
        way_to_target_in_r=None if up is None or not risk else up / risk,
        days_to_time_rule=left,  # type: ignore[arg-type]
        days_to_leave=to_leave,
        spread=spread,  # type: ignore[arg-type]
        choice=RulesChoice("", is_watched=None if case.is_vwap else bool(rules)),
    )


CASES = {
    "at the broker": (guarded_at_the_broker, Case(Decimal("0.502"), Decimal("99.30"), True, True, True)),
    "this desk": (watched_here, Case(Decimal("0.1"), Decimal(97), False, False, True)),
    "taken over": (taken_over, Case(Decimal("0.3"), None, False, False, False)),
    "taken over short": (lambda: taken_over("-3"), Case(Decimal(-3), None, False, False, False)),
    "sold short": (sold_short, Case(Decimal(-3), Decimal(101), True, False, True)),
}


@pytest.mark.parametrize("name", CASES)
def test_drawn_figures_and_lights_are_those_of_a_recomputation(name: str) -> None:
    """OT-06"""
    make, case = CASES[name]
    house, random = make(), Random(name)
    (position,) = house.desk.ledger.positions()
    lights = set()
    for _ in range(DRAWS):
        one = drawn(random)
        sets(house, position, one)
        found, plainly = of(house), expected(case, one)
        assert replace(found, flat_from=None, choice=plainly.choice) == plainly, one
        assert (found.flat_from is not None) is case.is_vwap
        assert found.choice.is_watched is plainly.choice.is_watched
        reds = {"AT_STOP", "PAST_TIME", "NO_STOP"} & {concern.name for concern in plainly.concerns}
        assert found.light is (Light.RED if reds else Light.AMBER if plainly.concerns else Light.GREEN)
        lights.add(found.light)
    assert lights == ({*Light} if case.at_broker else {Light.AMBER, Light.RED})
    House.built.clear()  # what was drawn is in no journal


def halts(house: House) -> None:
    house.desk.normaliser.state.halted[SPY] = TradingHalt(SPY, house.line.at, "news")


def loses_sight(house: House) -> None:
    house.desk.sightings.unread_positions = frozenset({SPY})


def doubts(house: House) -> None:
    house.stops[0].in_doubt_since = house.line.at


def rests(house: House) -> None:
    house.stops[0].idle = IdleCode.BROKER_WORD


def loses_the_broker(house: House) -> None:
    house.desk.sightings.connections[Channel.TRADES] = ConnectionStatus(
        Channel.TRADES, ConnectionState.DOWN, house.line.at
    )


def owes(house: House) -> None:
    house.stops[0].status = OrderStatus.CANCELLED
    (position,) = house.desk.ledger.positions()
    missing = Owing(SPY, position.strategy, house.line.at, position.quantity, OwedReason.DUE, position.quantity)
    house.desk.owed_stops.state.owed[f"{SPY}/{position.strategy}"] = replace(missing, told=OwedReason.DUE)


@pytest.mark.parametrize(
    ("happens", "concern", "light"),
    [
        (halts, Concern.HALTED, Light.AMBER),
        (loses_sight, Concern.UNREAD, Light.RED),
        (doubts, Concern.IN_DOUBT, Light.AMBER),
        (rests, Concern.STOP_RESTS, Light.AMBER),
        (loses_the_broker, Concern.AS_LAST_SEEN, Light.AMBER),
        (owes, Concern.OWED, Light.RED),
    ],
)
def test_what_the_broker_says_of_it_sets_the_light(
    happens: Callable[[House], None], concern: Concern, light: Light
) -> None:
    """OT-06, EX-13, EX-22"""
    house = guarded_at_the_broker()

    happens(house)

    assert concern in of(house).concerns
    assert of(house).light is light
    House.built.clear()  # what happened is in no journal


def test_a_stop_that_is_sent_or_cancelled_is_not_green_until_the_answer() -> None:
    """OT-06, EX-13: the broker may not have it yet, or not any more"""
    house = a_house_with_a_proposal(("10:06", "10:40", STEADY)).until("10:06:01")
    house.opens_ticket()
    house.until("10:06:02").confirms()
    house.slows_down(4)

    sent = of(house.until("10:06:12"))
    assert [stop.status for stop in house.stops] == [OrderStatus.PENDING]
    answered = of(house.until("10:06:20"))
    house.presses(RequestCancel(house.stops[0].id))
    leaving = of(house.until("10:06:22"))

    assert (sent.light, sent.concerns) == (Light.AMBER, (Concern.UNDER_WAY,))
    assert (answered.light, answered.concerns) == (Light.GREEN, ())
    assert (leaving.light, leaving.concerns) == (Light.AMBER, (Concern.UNDER_WAY,))
    assert of(house.until("10:06:30")).light is Light.RED


def test_shares_added_or_sold_in_part_keep_the_first_day() -> None:
    """OT-06: until it is flat"""
    (position,) = guarded_at_the_broker().desk.ledger.positions()
    more = moved(position, Quantity(Decimal(3)), Price(Decimal(101)), None)
    fewer = moved(more, Quantity(Decimal("-1.5")), Price(Decimal(102)), None)

    assert {each.opened_at for each in (position, more, fewer)} == {position.opened_at}


def test_a_day_strategy_is_to_be_flat_today() -> None:
    """OT-06, ST-09"""
    house = guarded_at_the_broker()

    found = of(house)

    assert (found.light, found.concerns) == (Light.GREEN, ())
    assert found.flat_from == at("15:55")
    assert found.days_to_time_rule is None


def test_a_red_light_is_told_once_until_it_ends() -> None:
    """OT-06, SY-03: again only of the next holding"""
    house, receivers = taken_over(), Receivers()
    with_receivers(house, receivers).until("10:15")
    assert of(house).concerns == (Concern.NO_STOP,)
    (told,) = house.facts(facts.NotificationDue)
    assert (told.notice.kind, told.notice.severity) == (NoticeKind.STOP, Severity.WARNING)
    assert told.matter in house.desk.notifications.state.matters

    corrects(house, "0")
    house.until("10:16:30")
    assert house.desk.notifications.state.matters == {}
    corrects(house, "0.2")
    house.until("10:25")

    assert len(house.facts(facts.NotificationDue)) == 2
    assert len(receivers.heard) == 2


def test_an_exit_that_waits_is_the_only_notice() -> None:
    """OT-06, SY-03: the price is at a stop that this desk watches, and its exit waits for a key"""
    house = watched_here()

    with_receivers(house, Receivers()).until("10:20")

    assert of(house).light is Light.RED
    kinds = [fact.notice.kind for fact in house.facts(facts.NotificationDue)]
    assert kinds.count(NoticeKind.EXIT_WAITING) == 1
    assert NoticeKind.STOP not in kinds


def test_every_figure_of_the_health_is_exported() -> None:
    """OT-06, SY-08: unknown stays unknown"""
    cells = row_of(row(taken_over()))

    assert (cells["light"], cells["concerns"]) == ("red", ["no stop in force"])
    assert (cells["days_held"], cells["days_here"]) == (None, 0)
    assert (cells["way_to_stop"], cells["days_to_leave"]) == (None, None)
    names = [field.name for part in (Health, RulesChoice) for field in fields(part) if field.name != "choice"]
    assert set(map(public, names)) <= cells.keys()
