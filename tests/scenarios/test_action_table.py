"""Each kind of corporate action, each fate of the stop, each way to know of it, with the desk up or down (EX-25).

What must come is worked out here, in plain arithmetic from ten shares at 100 USD with a stop at 90; nothing of the
product's own rescaling is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from enum import Enum
from itertools import product

import pytest

from core.facts import NotificationDue, ReconciliationFailed, TradeClosed
from core.messages.desk_commands import CompareActivities
from core.messages.inputs import CorporateActionsArrived
from core.model.codes import ReadOnlyCode
from core.model.notice import Severity
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import Money, Price, Quantity, Symbol, plain
from tests.kit.splits import Fate, becomes, splits
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_splits import FRIDAY, MONDAY, SHOWN_AT, is_signed_for_days, terms
from tests.unit.core.brokers.trading_floor import SPY, at

NEW = Symbol("NEWCO")
SHARES, AVERAGE, STOP = Decimal(10), Decimal(100), Decimal(90)
NONE, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True)
class Kind:
    """One kind: `new` shares for `old` ones, under their symbol or another, and `cash` USD a share of before.

    `cost` is the part of the source's cost that a spin-off takes.
    """

    name: str
    kind: ActionKind
    new: int = 1
    old: int = 1
    cash: Decimal | None = None
    to: Symbol | None = None
    cost: Decimal = NONE
    is_known_from_books: bool = True

    @property
    def ratio(self) -> Decimal:
        return Decimal(self.new) / self.old

    @property
    def announcement(self) -> CorporateAction:
        has_rates = self.new != self.old
        rates = (Decimal(self.old), Decimal(self.new)) if has_rates else (None, None)
        return CorporateAction(SPY, self.kind, FRIDAY, self.cash, *rates, to=self.to)


A, M = ActionKind, ActionKind.MERGER
KINDS = (
    Kind("2 for 1", A.SPLIT, 2),
    Kind("1 for 10", A.REVERSE_SPLIT, 1, 10),
    Kind("3 for 2", A.SPLIT, 3, 2),
    Kind("rename", A.RENAME, to=NEW),
    Kind("merger 3 for 4", M, 3, 4, to=NEW, is_known_from_books=False),
    Kind("merger 1 for 2 and cash", M, 1, 2, Decimal(10), NEW, is_known_from_books=False),
    Kind("merger for cash", M, cash=Decimal("104.5"), is_known_from_books=False),
    Kind("removal", A.REMOVAL, is_known_from_books=False),
    Kind("spin-off 1 for 4", A.SPIN_OFF, 1, 4, to=NEW, cost=Decimal(120), is_known_from_books=False),
    Kind("special dividend", A.SPECIAL_DIVIDEND, cash=Decimal(6), is_known_from_books=False),
)


class Known(Enum):
    """From where the desk knows of it."""

    DAYS_BEFORE = "announced days before"
    MORNING = "announced after the books show it"
    BOOKS = "from the books alone"
    ACTIVITY = "an activity two sessions later"

    @property
    def is_announced(self) -> bool:
        return self in (Known.DAYS_BEFORE, Known.MORNING)


@dataclass(frozen=True)
class Cell:
    kind: Kind
    fate: Fate | None
    """None: the stop ended with its day."""
    known: Known
    is_up: bool

    @property
    def name(self) -> str:
        fate = "ended" if self.fate is None else self.fate.value
        return f"{self.kind.name}, {fate}, {self.known.value}, {'up' if self.is_up else 'down'}"


def cells() -> Iterator[Cell]:
    """Each cell that a broker can bring about: it adjusts orders that keep their symbol only."""
    for kind, fate, known, is_up in product(KINDS, [*Fate, None], Known, [True, False]):
        can_adjust = kind.kind in (A.SPLIT, A.REVERSE_SPLIT) or (
            fate is Fate.ADJUSTED and kind.kind is A.SPECIAL_DIVIDEND
        )
        if can_adjust or fate not in (Fate.ADJUSTED, Fate.QUANTITY):
            yield Cell(kind, fate, known, is_up)


CELLS = tuple(cells())


# ── what must come ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Expected:
    """Positions with their cost, the result, the stops that work at the broker, and those that wait for a key.

    `is_for_a_person` leaves the books and the stops as they are, read-only and with a notice.
    """

    held: dict[Symbol, tuple[Decimal, Decimal]] = field(default_factory=dict)
    result: Decimal | None = None
    working: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    is_for_a_person: bool = False
    owner_of_new: str = "manual"


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def a_stop(shares: Decimal, price: Decimal) -> tuple[str]:
    return (f"{plain(shares)} at {plain(cents(price))}",)


def expected(cell: Cell) -> Expected:
    kind, fate = cell.kind, cell.fate
    is_seen = kind.is_known_from_books or cell.known.is_announced
    its_stop = a_stop(SHARES, STOP)
    rests = fate in (Fate.SURVIVE, Fate.ADJUSTED, Fate.QUANTITY)
    as_before = {SPY: (SHARES, SHARES * AVERAGE)}
    if kind.kind is A.SPECIAL_DIVIDEND:
        lowered = a_stop(SHARES, STOP - (kind.cash or NONE))
        if fate is Fate.ADJUSTED:
            return Expected(as_before, working=lowered)
        if rests:
            return Expected(as_before, working=its_stop)
        if not is_seen:
            return Expected(as_before, waiting=() if fate is Fate.CANCELLED else its_stop)
        return Expected(as_before, waiting=lowered)
    if kind.kind is A.SPIN_OFF:
        stops = {"working": its_stop} if rests else {"waiting": its_stop}
        came = (SHARES * kind.ratio).to_integral_value(ROUND_DOWN)
        if not is_seen:
            stops = {} if fate is Fate.CANCELLED else stops  # as a person at the broker may: told, and no ticket
            return Expected({**as_before, NEW: (came, kind.cost)}, **stops, owner_of_new="broker")
        return Expected({SPY: (SHARES, SHARES * AVERAGE - kind.cost), NEW: (came, kind.cost)}, **stops)
    if kind.kind is A.REMOVAL or (kind.kind is M and kind.to is None):
        if is_seen:
            return Expected(result=SHARES * ((kind.cash or NONE) - AVERAGE))
        return Expected(as_before, working=its_stop, is_for_a_person=True) if rests else Expected()
    if not is_seen:
        return Expected(as_before, working=its_stop if rests else (), is_for_a_person=True)
    exact, paid = SHARES * kind.ratio, (kind.cash or NONE) * SHARES
    shares = exact.to_integral_value(ROUND_DOWN)
    held = {kind.to or SPY: (shares, cents((SHARES * AVERAGE - paid) * shares / exact))}
    stop = a_stop(shares, (STOP - (kind.cash or NONE)) / kind.ratio)
    return Expected(held, working=stop) if fate is Fate.ADJUSTED else Expected(held, waiting=stop)


# ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def a_house(kind: Kind) -> House:
    """Ten were bought on Thursday at 100; the market pays on Friday what the action makes of that."""
    new = cents((AVERAGE - (kind.cash or NONE)) / kind.ratio) if kind.to and not kind.cost else Decimal(60)
    stays = kind.to is not None or kind.kind in (A.REMOVAL, M)
    after = AVERAGE - (kind.cash or NONE) if kind.kind is A.SPECIAL_DIVIDEND else cents(AVERAGE / kind.ratio)
    spy = str(AVERAGE if stays else after)
    bars = [*minutes("15:40", "15:59", "100")]
    for day, last in ((FRIDAY, "09:45"), (MONDAY, "09:50")):
        bars += minutes("09:30", last, spy, day=day)
        bars += minutes("09:30", last, str(new), day=day, symbol=NEW) if kind.to is not None else ()
    house = with_receivers(House(bars, terms(), cash=Decimal(5000)), Receivers()).opens().until("15:50")
    house.presses(a_typed_buy(str(SHARES), limit=None, stop=str(STOP)))
    confirms_now(house)
    return house.until("16:02")


def happens(house: House, cell: Cell) -> None:
    """At the broker, before the open."""
    kind, fate, exchange = cell.kind, cell.fate or Fate.SURVIVE, house.exchange
    ledger, shares = exchange._ledger, SHARES
    if kind.kind in (A.SPLIT, A.REVERSE_SPLIT):
        splits(exchange, SHOWN_AT, SPY, kind.new, kind.old, fate)
        return
    if kind.to is not None and not kind.cost:
        becomes(exchange, SHOWN_AT, SPY, NEW, fate, kind.new, kind.old)
        if kind.cash is not None:
            ledger.cash += kind.cash * shares
            ledger._holdings[NEW].cost -= kind.cash * shares
        return
    exchange.advance(SHOWN_AT)
    if kind.cost:
        came = (shares * kind.ratio).to_integral_value(ROUND_DOWN)
        ledger._receive(SHOWN_AT, NEW, came, kind.cost / came)
        ledger._holdings[SPY].cost -= kind.cost if cell.known.is_announced else NONE
    elif kind.kind is not A.SPECIAL_DIVIDEND:
        ledger._holdings.pop(SPY)
        ledger.cash += (kind.cash or NONE) * shares
    for booked in list(exchange._book.working.get(SPY, ())):
        if fate is Fate.CANCELLED:
            exchange.cancel(SHOWN_AT, booked.request.client_order_id)
        elif fate is Fate.ADJUSTED:
            booked.request = replace(booked.request, stop_price=Price(STOP - (kind.cash or NONE)))
            exchange._book._has_changed(booked)


def is_announced(house: House, kind: Kind) -> None:
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (kind.announcement,)))


def lists_activities(house: House, kind: Kind) -> None:
    """As Alpaca does: a row of the shares that go, one of those that come, one of the cash."""
    day, tell = house.exchange._calendar.trading_day(house.line.at), house.exchange._ledger._activities._tell
    goes = kind.kind not in (A.SPIN_OFF, A.SPECIAL_DIVIDEND)
    if kind.kind in (A.SPLIT, A.REVERSE_SPLIT):
        came = (SHARES * kind.ratio).to_integral_value(ROUND_DOWN) - SHARES
        tell(Activity(ActivityId(""), day, ActivityKind.SPLIT, symbol=SPY, quantity=Quantity(came), words="SPLIT"))
        return
    rows = [(SPY, -SHARES)] if goes else []
    rows += [(kind.to, (SHARES * kind.ratio).to_integral_value(ROUND_DOWN))] if kind.to is not None else []
    for symbol, quantity in rows:
        tell(Activity(ActivityId(""), day, ActivityKind.OTHER, symbol=symbol, quantity=Quantity(quantity), words="NC"))
    if kind.cash:
        paid = Money(kind.cash * SHARES)
        tell(Activity(ActivityId(""), day, ActivityKind.OTHER, amount=paid, symbol=SPY, words="MA"))


def stops(house: House) -> tuple[str, ...]:
    found = [o.request for every in house.exchange._book.working.values() for o in every if o.request.stop_price]
    return tuple(f"{plain(each.quantity)} at {plain(each.stop_price or NONE)}" for each in found)


def played(cell: Cell) -> House:
    house = a_house(cell.kind)
    if cell.fate is not None:
        is_signed_for_days(house)
    if cell.known is Known.DAYS_BEFORE:
        is_announced(house, cell.kind)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2) if cell.is_up else SHOWN_AT)
    if not cell.is_up:
        happens(house, cell)
    house.restarted()
    if cell.known is Known.DAYS_BEFORE:
        is_announced(house, cell.kind)
    if cell.is_up:
        house.until_moment(SHOWN_AT)
        happens(house, cell)
    passes(house, 2)
    if cell.known is Known.MORNING:
        is_announced(house, cell.kind)
    return house.until_moment(SHOWN_AT + timedelta(minutes=4))


def differs(house: House, cell: Cell) -> list[str]:
    """Return what is not as it must be."""
    want, found = expected(cell), []
    held = {p.symbol: (p.quantity, cents(p.cost)) for p in house.desk.ledger.positions()}
    owners = {p.symbol: p.strategy for p in house.desk.ledger.positions()}
    trades = [cents(fact.trade.profit) for fact in house.facts(TradeClosed)]
    told = [f.notice for f in house.facts(NotificationDue) if f.notice.at >= at("16:00")]
    is_read_only = not house.desk.control.state.is_reconciled
    for name, is_there, due in (
        ("positions", held, {s: (q, cents(c)) for s, (q, c) in want.held.items()}),
        ("owners", owners, {s: want.owner_of_new if s == NEW else "manual" for s in want.held}),
        ("results", trades, [] if want.result is None else [cents(want.result)]),
        ("stops at the broker", stops(house), want.working),
        ("stops that wait", waiting(house) if not want.is_for_a_person else [], list(want.waiting)),
        ("read-only", is_read_only, want.is_for_a_person),
    ):
        if is_there != due:
            found.append(f"{name}: {is_there}, and not {due}")
    if is_read_only and house.last(ReconciliationFailed).code is not ReadOnlyCode.UNPROVEN:
        found.append("read-only for another reason")
    is_due = want.is_for_a_person or bool(want.waiting) or held != {SPY: (SHARES, SHARES * AVERAGE)}
    if is_due and not any(notice.severity is not Severity.INFO for notice in told):
        found.append("nobody was told")
    return found


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_each_cell(cell: Cell) -> None:
    house = played(cell)

    assert differs(house, cell) == []
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("fate", [Fate.SURVIVE, None])
def test_an_activity_later_counts_once(kind: Kind, fate: Fate | None) -> None:
    """On Monday the broker lists what it did on Friday: shares, cost and stops stay, and so does who decides."""
    cell = Cell(kind, fate, Known.ACTIVITY, is_up=True)
    house = played(cell).until("09:44", FRIDAY)
    house.is_off_until(at("09:18", MONDAY))
    house.restarted().until("09:34", MONDAY)
    before = {p.symbol: (p.quantity, p.cost) for p in house.desk.ledger.positions()}, stops(house)
    lists_activities(house, kind)
    house.presses(CompareActivities())
    passes(house, 150)

    assert ({p.symbol: (p.quantity, p.cost) for p in house.desk.ledger.positions()}, stops(house)) == before
    assert house.desk.control.state.is_reconciled is not expected(cell).is_for_a_person
    assert_can_be_rebuilt(house)
