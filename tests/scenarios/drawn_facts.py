"""Drafts with drawn facts on a moving market with fills, and a record of its own of what was true when (OP-14).

Before each draft an agent looks at every part of the desk, and may wait up to ten minutes. Its facts are figures that
it was told at one of its looks. In every second draft one is moved by a drawn distance, from a tick to 5 %, to what no
look of the seconds before shows. The record has the answers that agents are given, from one second to the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from core.messages.commands import ProposeClose
from core.messages.inputs import DraftWithdrawn, QuoteArrived
from core.model.bar import Bar, Feed, Quote
from core.model.draft import CheckedFact, DraftFact, DraftTerms, FactResult
from core.model.fact_fields import ALIASES, OLD_AFTER, TERMS, Ages, Unit, field_named
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType
from core.model.values import CENT, Price, Quantity, number_in
from core.protocol.agent_frames import Part, Read
from core.runtime.service.agent_reading import AgentView, Reader
from core.runtime.service.agent_socket import AgentFeed
from core.settings.settings import Settings
from tests.scenarios.changes import passes
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.scenarios.test_drafts import CLAUDE, drafts
from tests.unit.core.brokers.trading_floor import SPY

WINDOW = timedelta(seconds=2)
"""A figure of so long before counts as told."""
KEPT = timedelta(minutes=10)
FACTS = 6
A_TRADE = 12
"""Drafts between two trades of the operator."""
SOURCES = {Part.POSITIONS: "list_positions", Part.ORDERS: "list_orders", Part.QUOTE: "get_quote", Part.BARS: "get_bars"}


SETTINGS: Mapping[str, Any] = {
    "strategies": {"vwap": {"enabled": False}},
    "risk": {
        "per_trade": {"usd": "20"}, "max_notional": {"usd": "4000"}, "entries_a_day": 500, "window_end": "15:55",
        "daily_loss": {"usd": "5000"}, "weekly_loss": {"usd": "5000"},
        "protections": {
            "loss_streak": {"trade_limit": 500}, "low_profit": {"trade_limit": 500},
            "stop_loss_guard": {"trade_limit": 500},
        },
    },
    "agents": {CLAUDE: {"per_hour": 1000, "most_value": "100000", "minutes": 5}},
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One figure of one answer; `at` is its own time, if the tool tells it."""

    symbol: str
    field: str
    source: str
    value: Decimal
    at: datetime | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        return self.symbol, self.field, self.source


@dataclass(frozen=True)
class Answers:
    """Every figure that the tools told at one time."""

    at: datetime
    figures: tuple[Told, ...]

    def of(self, place: tuple[str, str, str]) -> list[Told]:
        return [told for told in self.figures if told.place == place]


@dataclass
class Count:
    """What came of the facts of some drafts."""

    drafts: int = 0
    facts: int = 0
    false: int = 0
    results: Counter[FactResult] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    aged: list[str] = field(default_factory=list)
    """Facts whose age was judged wrongly."""

    def add(self, other: Count) -> None:
        self.drafts, self.facts, self.false = (
            self.drafts + other.drafts,
            self.facts + other.facts,
            self.false + other.false,
        )
        self.results += other.results
        self.fields += other.fields
        for mine, its in zip(self._lists, other._lists, strict=True):
            mine.extend(its)

    @property
    def _lists(self) -> tuple[list[str], ...]:
        return self.missed, self.accused, self.unknown, self.aged

    @property
    def is_right(self) -> bool:
        return not any(self._lists)


# ── the market and the desk ──────────────────────────────────────────────────────────────────────────────────────────


def a_market(chance: Random) -> list[Bar]:
    """A day's random walk, about 0.06 % a minute, from 99.70."""
    price, bars = Decimal("99.70"), []
    for number, bar in enumerate(minutes("09:45", "15:50", "99.70")):
        if number > 18:
            price = STOCK_TICKS.nearest(price * (1 + Decimal(str(round(chance.gauss(0, 0.0006), 6)))))
        volume = Quantity(Decimal(chance.randrange(500, 9000)))
        bars.append(replace(bar, open=price, high=price + CENT, low=price - CENT, close=price, volume=volume))
    return bars


class Day:
    """One desk, its market, and the agent's looks."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.house = House(a_market(self.chance), Settings.model_validate(SETTINGS), cash=Decimal(10_000)).opens()
        self.house.until("10:05")
        self.house.answers = []  # type: ignore[attr-defined]
        self.house.line.answer_agent = self.house.answers.append  # type: ignore[attr-defined]
        self.looks: list[list[Answers]] = []
        self._views: list[AgentView] = []
        self._seconds = 0.0
        self.house.line.wall = lambda: self._seconds
        self._feed = AgentFeed(self.house.line, lambda: True, self._views.append, lambda: self._seconds)
        self.house.until("10:12")

    @property
    def at(self) -> datetime:
        return self.house.line.at

    def goes_on(self, seconds: float) -> None:
        """The market moves: a quote every few seconds."""
        ends = self.at + timedelta(seconds=seconds)
        while self.at < ends:
            step = timedelta(seconds=self.chance.choice((0.4, 1.1, 2.3, 4.7)), microseconds=self.chance.randrange(999))
            self.house.until_moment(min(self.at + step, ends))
            self._quotes()

    def _quotes(self) -> None:
        last = self.house.desk.price_history.state.closes[SPY][-1][1]
        bid = STOCK_TICKS.nearest(last + CENT * self.chance.randrange(-6, 6))
        ask = Price(bid + CENT * self.chance.choice((1, 1, 2, 4)))
        sizes = (Quantity(Decimal(100 * self.chance.randrange(1, 60))) for _ in range(2))
        at = self.at - timedelta(milliseconds=self.chance.choice((0, 0, 3, 80)), microseconds=0)
        newest = self.house.desk.sightings.quotes.get(SPY)
        if newest is not None and at <= newest.at:
            return
        quote = Quote(SPY, at, bid, next(sizes), ask, next(sizes), Feed.SIP)
        self.house.line.take(self.at, QuoteArrived(quote))

    def looks_around(self) -> None:
        """Look at every part for some seconds, after each change; the last look is the one of now."""
        look = [self._answers()]
        for _ in range(3):
            self.house.until_moment(self.at + timedelta(seconds=0.7, microseconds=self.chance.randrange(1, 999)))
            if self.chance.random() < 0.5:
                self._quotes()
            look.append(self._answers())
        self.looks.append(look)
        self.looks = [each for each in self.looks if self.at - each[-1].at <= KEPT]

    def looks_until_still(self) -> None:
        """Look until nothing is recorded between the last look and the draft."""
        journal, seen = self.house.desk.journal, -1
        while seen != journal.sequence:
            self.looks_around()
            seen = journal.sequence
            passes(self.house, 0.05)

    def _answers(self) -> Answers:
        self._seconds += 2
        self._feed.look()
        return Answers(self.at, tuple(figures_in(Reader(CLAUDE, self._views.pop()))))

    def trades(self, number: int) -> None:
        """The operator buys, or closes what is held."""
        house = self.house
        held = house.desk.ledger.positions_in(SPY)
        last = house.desk.last_price(SPY)
        assert last is not None
        if not held or number % 3:
            limit, stop = STOCK_TICKS.nearest(last[1] + CENT * 40), STOCK_TICKS.nearest(last[1] - 5)
            house.presses(a_typed_buy(str(self.chance.randrange(1, 4)), str(limit), str(stop)))
        else:
            house.presses(ProposeClose(SPY))
        proposals = house.desk.stage.proposals()
        if proposals:
            house.opens_ticket()
            passes(house, 1)
            house.confirms()


def figures_in(reader: Reader) -> Iterator[Told]:
    """Every number in the answers of the tools, by the name under which it is told, and what follows of a quote."""
    for part in (Part.DESK, Part.POSITIONS, Part.ORDERS, Part.QUOTE, Part.PROTECTIONS, Part.LIMITS):
        told = reader.part(part, Read(1, (part,), SPY)).value
        for row in told if isinstance(told, list) else [told]:
            yield from _numbers_in(row, part)
    told = reader.part(Part.BARS, Read(1, (Part.BARS,), SPY)).value
    if told:
        close = Decimal(told[-1]["close"])
        yield Told(SPY, "close", "get_bars", close, datetime.fromisoformat(told[-1]["minute"]))
    symbols = Counter(order.symbol for order in reader.view.orders if order.status.is_working)
    yield Told("", "open_orders", "list_orders", Decimal(symbols.total()))
    yield Told(SPY, "open_orders", "list_orders", Decimal(symbols[SPY]))


def _numbers_in(row: Mapping[str, Any], part: Part) -> Iterator[Told]:
    symbol, source = row.get("symbol", ""), SOURCES.get(part, "")
    times = {"bid": "at", "ask": "at", "bid_size": "at", "ask_size": "at", "last": "last_at"}
    if part is Part.PROTECTIONS:
        if row.get("used") is not None:
            name = "".join(letter if letter.isalnum() else "_" for letter in row["name"].lower())
            yield Told("", name, "get_protections", Decimal(row["used"]))
        return
    for name, value in row.items():
        values = value if isinstance(value, list) else [value]
        own = row.get(times.get(name, ""))
        for each in values:
            if isinstance(each, bool) or not isinstance(each, str | int) or number_in(str(each)) is None:
                continue
            at = datetime.fromisoformat(own) if own and part is Part.QUOTE else None
            yield Told(symbol, name, source, Decimal(each), at)
    if part is Part.QUOTE and row["bid"] is not None:
        bid, ask, at = Decimal(row["bid"]), Decimal(row["ask"]), datetime.fromisoformat(row["at"])
        yield Told(symbol, "mid", source, (bid + ask) / 2, at)
        yield Told(symbol, "spread", source, ask - bid, at)
        yield Told(symbol, "price", source, bid, at)
        yield Told(symbol, "price", source, ask, at)


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Drawn:
    """A fact, and what the agent saw of it."""

    fact: DraftFact
    told: Told
    look: list[Answers]
    seen_at: datetime
    is_false: bool = False

    def __str__(self) -> str:
        return f"{self.told.source} {self.told.symbol} {self.fact.field} {self.fact.value}, told {self.told.value}"


def drawn(day: Day, *, is_false: bool) -> Drawn:
    """A figure of one of the looks, by one of its names, as it was told or moved."""
    chance = day.chance
    while True:
        is_now = chance.random() < 0.4
        look = day.looks[-1] if is_now else chance.choice(day.looks)
        answers = look[-1]
        places = sorted({told.place for told in answers.figures})
        told = chance.choice(answers.of(chance.choice(places)))
        at = answers.at
        if told.at is not None and (told.field == "close" or chance.random() < 0.5):
            at = told.at
        if told.at is not None and at - told.at > timedelta(minutes=5):
            continue
        unit = unit_of(told.field)
        value = told.value
        source = told.source if chance.random() < 0.8 else ""
        if is_false:
            value = moved(chance, told, unit)
            if is_told_too(value, told, look, source):
                continue
        aliases = [told.field, *(alias for alias, known in ALIASES.items() if known.value == told.field)]
        stated = None if look is day.looks[-1] and at == answers.at and chance.random() < 0.5 else at
        fact = DraftFact(told.symbol, chance.choice(aliases), value, stated, source)
        return Drawn(fact, told, look, at, is_false)


def unit_of(name: str) -> Unit:
    known = field_named(name)
    return Unit.FRACTION if known is None else TERMS[known].unit


def moved(chance: Random, told: Told, unit: Unit) -> Decimal:
    """The value moved by a drawn distance: a tick, a cent or one share at least, 5 % at most."""
    part = Decimal(str(round(10 ** chance.uniform(-5, -1.3), 7)))
    least = {Unit.PRICE: CENT, Unit.MONEY: CENT, Unit.FRACTION: Decimal("0.0002"), Unit.MULTIPLE: Decimal("0.011")}
    step = least.get(unit, Decimal(1))
    away = max(step, (abs(told.value) * part / step).to_integral_value() * step)
    return told.value + chance.choice((-1, 1)) * away


ROUNDING = {Unit.PRICE: CENT / 2, Unit.MONEY: CENT / 2, Unit.FRACTION: Decimal("0.00005"), Unit.MULTIPLE: CENT / 2}


def is_of(one: Told, told: Told, source: str) -> bool:
    """Whether it is another figure of this name; a fact without a source may be of any tool."""
    return (one.field, one.symbol) == (told.field, told.symbol) and (not source or one.source == told.source)


def is_told_too(value: Decimal, told: Told, look: list[Answers], source: str) -> bool:
    """Whether the moved value was told in the seconds before, or at its time in another row."""
    rounding = Decimal("0.0001") if told.field == "spread" else ROUNDING.get(unit_of(told.field), Decimal(0))
    for answers in look:
        if told.field == "price":
            bids = [one.value for one in answers.figures if one.field in ("bid", "ask", "last") and one.symbol]
            if bids and (min(bids) <= value <= max(bids) or any(abs(value - one) <= rounding for one in bids)):
                return True
        same = [one for one in answers.figures if is_of(one, told, source)]
        if told.source != "get_bars" and any(abs(one.value - value) <= rounding for one in same):
            return True
    return told.field == "close" and any(abs(value - close) <= rounding for close in closes_by(look))


def closes_by(look: list[Answers]) -> list[Decimal]:
    return [one.value for answers in look for one in answers.figures if one.field == "close"]


def judge(day: Day, count: Count, one: Drawn, checked: CheckedFact) -> None:
    """Count a fact, and compare its result with what the looks say."""
    drafted_at = day.at
    count.facts += 1
    count.results[checked.result] += 1
    count.fields[one.told.field] += 1
    words = f"{one}, {(drafted_at - one.seen_at).total_seconds():.1f} s old: {checked.result.value}"
    words += f" {checked.ours} {checked.why}"
    if one.is_false:
        count.false += 1
        if checked.result is not FactResult.DIFFERS:
            (count.unknown if checked.result is FactResult.UNKNOWN else count.missed).append(words)
        return
    if checked.result is FactResult.DIFFERS:
        count.accused.append(words)
    elif checked.result is FactResult.UNKNOWN:
        count.unknown.append(words)
    elif (checked.result is FactResult.OLD) != is_old(day, one, drafted_at):
        count.aged.append(words)


def is_old(day: Day, one: Drawn, drafted_at: datetime) -> bool:
    """By the looks alone: by seconds, by a change, or after a minute and a change."""
    known = field_named(one.told.field)
    ages = Ages.IN_A_MINUTE if known is None else TERMS[known].ages
    age = drafted_at - one.seen_at
    if ages is Ages.IN_SECONDS:
        return one.fact.at is not None and age > OLD_AFTER[ages]
    if ages is Ages.NEVER:
        return False
    now = day.looks[-1][-1]
    same = [told for told in now.figures if is_of(told, one.told, one.fact.source)]
    rounding = ROUNDING.get(unit_of(one.told.field), Decimal(0))
    has_changed = not any(abs(told.value - one.told.value) <= rounding for told in same)
    return has_changed and (ages is Ages.BY_CHANGE or age > OLD_AFTER[ages])


def play(seed: int, many: int) -> Count:
    """Play a day with so many drafts; half of them have one false fact."""
    day, count = Day(seed), Count()
    day.looks_around()
    for number in range(many):
        if number % A_TRADE == 0:
            day.trades(number // A_TRADE)
        day.goes_on(day.chance.choice((2, 8, 30, 60)))
        day.looks_until_still()
        last = day.house.desk.last_price(SPY)
        assert last is not None
        limit = STOCK_TICKS.nearest(last[1] - 1)
        order = DraftTerms(SPY, Effect.OPEN, Quantity(Decimal(1)), OrderType.LIMIT, limit, Price(limit - 2))
        facts = [drawn(day, is_false=bool(number % 2) and place == 0) for place in range(FACTS)]
        day.chance.shuffle(facts)
        answer = drafts(day.house, order, key=str(number), stated=tuple(one.fact for one in facts))
        assert answer.code is None, answer.reasons
        count.drafts += 1
        for one, checked in zip(facts, answer.facts, strict=True):
            judge(day, count, one, checked)
        day.house.line.take(day.at, DraftWithdrawn(CLAUDE, str(number), 1))
    return count
