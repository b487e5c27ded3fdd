"""The whole house for a story: the real engine, the simulated exchange and the virtual runtime, played by the clock.

A story moves the clock with `until`, presses keys with the methods that are named like them, and asks what the journal
says. Only the line to the exchange can be troubled: it loses, delays or alters what passes, as a real one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar, TypeVar

import orjson

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.execution.order import Order
from core.facts import BarClosed, Fact
from core.messages.command_ports import CommandPort, PortKind, addressed
from core.messages.commands import Command, OpenTicket, ProposeOrder
from core.messages.desk_commands import AttachDesk
from core.messages.effects import Effect, LookUpOrder, ReplaceOrder, SubmitOrder
from core.messages.inputs import (
    AcceptBroker,
    AccountFetched,
    BarArrived,
    BooksFetched,
    BrokerUpdated,
    FiguresFetched,
    Input,
    LookUpAnswered,
    Start,
    SubmissionAnswered,
)
from core.model.account import Account, Mode
from core.model.bar import Bar
from core.model.broker import BrokerBooks, NoAnswer, NotFound, OrderUpdate, Refused
from core.model.codes import RefusalKind
from core.model.desk import DeskNumber, PaintProof, Seat
from core.model.instrument import BrokerInstrument
from core.model.order import Effect as OrderEffect
from core.model.order import OrderType, StopHolder
from core.model.session import Calendar
from core.model.staging import Proposal, Ticket
from core.model.values import Price, Quantity, Symbol, plain
from core.ports import Checkpoint, Journal, JournalWriteError, NoCheckpoint, Recorded
from core.runtime.feed import bar_item
from core.runtime.inbox import Link
from core.runtime.pending_requests import no_answer
from core.runtime.runtime import Runtime
from core.runtime.scripted_operator import turn_of
from core.runtime.virtual import VirtualRuntime
from core.settings.orders import ReconciliationSettings
from core.settings.settings import Settings
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.strategies.memory import StrategyMemory
from core.trading_state.checkpoint import checkpoint_of, rebuild, states
from core.trading_state.state import TradingState
from state.codec import decode
from state.journal import MemoryJournal
from tests.scenarios.before_codes import OlderJournal
from tests.unit.core.brokers.trading_floor import NEW_YORK, SPY, STORIES, THURSDAY, NewYorkHours, Notebook, a_bar, at

F = TypeVar("F", bound=Fact)
BROKEN = NoAnswer("the connection broke")
BLOCKED = "trading is blocked on the account"
NO_ORDERS = Refused(RefusalKind.FORBIDDEN, "account is blocked from trading", "40310000")


RARELY = {"reconciliation": ReconciliationSettings(every_seconds=Decimal(600), again_seconds=Decimal(600))}
HOURS = timedelta(hours=3)
"""Where no settings say how often, a story of more hours compares the books every ten minutes."""


@dataclass
class Switch:
    """The latch outside the journal, held in memory (OP-08)."""

    door: str | None = None

    def is_on(self) -> str | None:
        return self.door

    def latch(self, by: str) -> None:
        self.door = "file"

    def release(self) -> None:
        self.door = None


decoded = lru_cache(maxsize=20_000)(decode)
"""A line is decoded once, however often its journal is read: no record ever changes."""


class Disk(MemoryJournal):
    """A journal whose disk can fill up: then neither a line nor a sync goes through."""

    is_full = False

    def records(self, after: int = 0) -> Iterator[Recorded]:
        return map(decoded, self.lines[after:])

    def sync(self) -> None:
        if self.is_full:
            raise JournalWriteError("no space left on the device; free some and start again")
        super().sync()


class Line(VirtualRuntime):
    """The virtual runtime with a line that can be troubled.

    Attributes
    ----------
    is_deaf
        What the exchange streams is lost.
    finds_nothing
        Every look-up is answered that there is no such order, whether there is or not.
    tamper
        What becomes of an effect between the engine and the gateway.
    heard
        Every message that reached the engine.
    refuses_orders, shown_block
        Every order is refused; why the account accepts none, as its figures say, which may be later or never.
    """

    is_deaf = False
    finds_nothing = False
    refuses_orders = False
    shown_block = ""

    def __init__(self, *args: object, **terms: object) -> None:
        super().__init__(*args, **terms)  # type: ignore[arg-type]
        self.tamper: Callable[[Effect], Effect] = lambda effect: effect
        self.heard: list[Input] = []
        self._broken: list[tuple[type[Effect], bool]] = []
        self._refused: list[Refused] = []

    def breaks_at(self, kind: type[Effect], *, arrives: bool, times: int = 1) -> None:
        """The next requests of a kind bring no answer, whether or not they arrive."""
        self._broken += [(kind, arrives)] * times

    def mends(self) -> None:
        """From here on every request is answered again."""
        self._broken.clear()

    def blocks_the_account(self) -> None:
        """From here on every order is refused, and the account's figures say so."""
        self.refuses_orders, self.shown_block = True, BLOCKED

    def unblocks_the_account(self) -> None:
        self.refuses_orders, self.shown_block = False, ""

    def refuses_the_next_order(self, message: str) -> None:
        """The broker states a refusal of its own (EX-06)."""
        self._refused.append(Refused(RefusalKind.FORBIDDEN, message, "40310000"))

    def take(self, at: datetime, message: Input) -> None:
        self.heard.append(message)
        super().take(at, message)

    def ask(self, effect: Effect) -> Input:
        if isinstance(effect, SubmitOrder | ReplaceOrder) and self._refused:
            return SubmissionAnswered(effect.order.client_order_id, self._refused.pop(0))
        if isinstance(effect, SubmitOrder | ReplaceOrder) and self.refuses_orders:
            return SubmissionAnswered(effect.order.client_order_id, NO_ORDERS)
        for number, (kind, arrives) in enumerate(self._broken):
            if isinstance(effect, kind):
                del self._broken[number]
                if arrives:
                    super().ask(effect)
                return no_answer(effect, BROKEN.reason)
        if self.finds_nothing and isinstance(effect, LookUpOrder):
            return LookUpAnswered(effect.client_order_id, NotFound())
        return self._with_the_block(super().ask(effect))

    def _with_the_block(self, answer: Input) -> Input:
        """The answer, with the account as its figures show it."""
        if isinstance(answer, AccountFetched) and isinstance(answer.answer, Account):
            return replace(answer, answer=replace(answer.answer, blocked_because=self.shown_block))
        if isinstance(answer, FiguresFetched | BooksFetched) and not isinstance(answer.answer, NoAnswer):
            account = answer.answer.account
            if isinstance(account, Account):
                shown = replace(account, blocked_because=self.shown_block)
                return replace(answer, answer=replace(answer.answer, account=shown))
        return answer

    def _perform(self, effect: Effect) -> None:
        super()._perform(self.tamper(effect))

    def _pass_updates_on(self) -> None:
        if self.is_deaf:
            self.exchange.take_updates()
        super()._pass_updates_on()


class House:
    """One desk, one exchange, one journal, from `opens` on.

    `bars` are what the market does; `rules` are the exchange's (`cash`, `participation` …), over those of its story.
    """

    built: ClassVar[list[House]] = []
    usual: ClassVar[dict[str, object]] = STORIES
    begins: ClassVar[str] = "09:45"
    """When its day begins: VWAP needs twenty minutes before the dip at 10:05; few stories need more."""
    drawer: Drawer | None = None
    """Where a restart finds documents; None folds the whole journal."""

    def __init__(
        self,
        bars: Iterable[Bar],
        settings: Settings | None = None,
        calendar: Calendar | None = None,
        kinds: StrategyKinds = OF_THE_HOUSE,
        instruments: Mapping[Symbol, BrokerInstrument] | None = None,
        **rules: object,
    ) -> None:
        House.built.append(self)
        self.bars = sorted(bars, key=lambda bar: bar.start)
        self.calendar = calendar or NewYorkHours()
        self.table = deepcopy(self.calendar)
        self.settings = settings or Settings()
        if self.bars[-1].end - self.bars[0].start > HOURS and "reconciliation" not in self.settings.model_fields_set:
            self.settings = self.settings.model_copy(update=RARELY)
        self.kinds = kinds
        self.journal = Disk()
        self.switch = Switch()
        self.port = CommandPort(PortKind.SCRIPT)
        self.notebook = Notebook()
        config = ExchangeConfig(**{**self.usual, **rules})  # type: ignore[arg-type]
        self.exchange = SimulatedExchange(config, self.calendar, self.notebook, instruments)
        self.proved: tuple[list[bytes], dict[str, object]] | None = None
        """The journal and the documents of which `assert_can_be_rebuilt` was asked last."""
        self._take_up(self.bars[0].start)

    def _take_up(self, start: datetime) -> None:
        self.engine = Engine("house", Mode.PAPER, self.calendar, self.journal, self.kinds)
        self.desk = self.engine.state
        rebuild(self.desk, self.drawer)
        self.engine.apply(start, self.settings, "house")
        feed = (bar_item(BarArrived(bar, "the story")) for bar in self.bars if bar.end > start)
        self.engine.ports.admit(self.port.known)
        self.line = Line(self.engine, self.exchange, feed, start=start, switch=self.switch)
        self.line._by_script = self.port.through  # for an operator that comes later

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def opens(self) -> House:
        """The program starts."""
        self.line.take(self.line.at, Start())
        return self

    def until(self, clock: str, day: date = THURSDAY) -> House:
        """Everything up to a New York time happens."""
        return self.until_moment(at(clock, day))

    def until_moment(self, moment: datetime) -> House:
        while self.line.step(moment):
            pass
        self.line.at = max(self.line.at, moment)
        return self

    def restarted(self) -> House:
        """The program is gone without a word, with all that was on the line, and started again."""
        self._take_up(self.line.at)
        return self.opens()

    def is_off_until(self, moment: datetime) -> House:
        """The program does not run; the market and the broker go on, and nobody hears of it."""
        market, exchange = self.line._feed, self.exchange
        items = [self.line._next] if self.line._next else []
        for at_, _, message in (*items, *market):
            while exchange.next_at is not None and exchange.next_at < min(at_, moment):
                exchange.advance(exchange.next_at)
            if at_ > moment:
                break
            exchange.begin_bar(message.bar, message.lasts)
        exchange.advance(moment)
        exchange.take_updates()
        self.line.at = moment
        return self

    def loses_the_journal_after(self, sequence: int) -> None:
        """What was not synced when the machine went down is gone."""
        kept = [record for record in self.journal.records() if record.sequence <= sequence]
        self.journal = Disk()
        for record in kept:
            self.journal.append(record.at, record.fact)

    def slows_down(self, seconds: float) -> None:
        """Every request takes this long to arrive."""
        self.line.link = Link(timedelta(seconds=seconds), timeout=timedelta(seconds=seconds + 8))

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def presses(self, command: Command) -> None:
        self.line.obey(self.port.through(command, self.desk.account_name))

    def attaches(
        self, user: str, returning: DeskNumber | None = None, terminal: str = "/dev/pts/3", *, by_itself: bool = False
    ) -> DeskNumber:
        """A desk at a terminal of that user's; its number."""
        link, seat = f"{user} {len(self.line.heard)}", Seat(terminal, user, "10.0.0.7")
        self.presses(AttachDesk(seat, link, returning, by_itself=by_itself or returning is not None))
        number = self.line.desk_of(link)
        assert number is not None
        return number

    def presses_at(self, desk: DeskNumber, command: Command) -> None:
        """As whoever serves the desks stamps it."""
        self.line.obey(self.port.through(command, self.desk.account_name, desk))

    def confirms_at_desk(self, desk: DeskNumber, ticket: Ticket | None = None, hold: int | None = None) -> None:
        seen = ticket or self.ticket
        key = turn_of(seen)
        self.presses_at(desk, replace(key, hold=hold or self.desk.desks.hold, proof=PaintProof.ANSWERED))

    def accepts(self, picture: BrokerBooks) -> None:
        """The operator takes the broker's word."""
        self.line.take(self.line.at, AcceptBroker(picture))

    def opens_ticket(self) -> None:
        self.presses(OpenTicket(self.proposal.id))

    def confirms(self) -> None:
        """Behind the word that the ticket asks for, if it asks for one."""
        self.presses(turn_of(self.ticket))

    def confirms_at(self, clock: str) -> None:
        """Opens the first proposal's ticket a second earlier and turns the key at `clock`."""
        self.until_moment(at(clock) - timedelta(seconds=1))
        self.opens_ticket()
        self.until(clock)
        self.confirms()

    # ── what there is ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def proposal(self) -> Proposal:
        """The first exit; where none waits, what is first."""
        waiting = self.desk.stage.proposals()
        return next((proposal for proposal in waiting if proposal.is_exit), waiting[0])

    @property
    def ticket(self) -> Ticket:
        (ticket,) = self.desk.stage.state.tickets.values()
        return ticket

    @property
    def entry(self) -> Order:
        return next(o for o in self.desk.ledger.state.orders.values() if not o.only_reduces)

    @property
    def stops(self) -> list[Order]:
        return [o for o in self.desk.ledger.state.orders.values() if o.is_protective]

    @property
    def sale(self) -> Order:
        return next(o for o in self.desk.ledger.state.orders.values() if o.only_reduces and not o.is_protective)

    def held(self, symbol: Symbol = SPY) -> str:
        return plain(self.desk.ledger.net_quantity(symbol))

    def held_by_the_broker(self, symbol: Symbol = SPY) -> str:
        positions = {p.symbol: p.quantity for p in self.exchange.books(self.line.at).positions}
        return plain(positions.get(symbol, Decimal(0)))

    def requests(self) -> list[str]:
        """What reached the exchange: `submit sell stop 0.502`, `replace sell stop 0.502`, `cancel`."""
        return [
            "cancel" if r["request"] == "cancel" else f"{r['request']} {r['side']} {r['type']} {r['quantity']}"
            for r in self.notebook.records
        ]

    def sent(self) -> list[tuple[str, ...]]:
        """What reached the exchange: `("submit", "sell", "stop", "0.502")`, `("replace", …)`, `("cancel",)`."""
        return [tuple(request.split()) for request in self.requests()]

    def facts(self, kind: type[F]) -> list[F]:
        return [r.fact for r in self.journal.records() if isinstance(r.fact, kind)]

    def last(self, kind: type[F]) -> F:
        return self.facts(kind)[-1]

    def told(self) -> list[str]:
        """The names of all facts in order, the bars left out."""
        return [type(r.fact).__name__ for r in self.journal.records() if not isinstance(r.fact, BarClosed)]

    def updates(self) -> list[OrderUpdate]:
        """What the exchange streamed and the desk heard."""
        return [m.update for m in self.line.heard if isinstance(m, BrokerUpdated)]


# ── what the market does ─────────────────────────────────────────────────────────────────────────────────────────────


def minutes(
    first: str, last: str, prices: str = "100", day: date = THURSDAY, symbol: Symbol = SPY, every: int = 1
) -> list[Bar]:
    """The same bar for every minute from `first` to `last`, both included; or for every tenth, where nobody looks."""
    return list(_minutes(first, last, prices, day, symbol, every))


@lru_cache(maxsize=4096)
def _minutes(first: str, last: str, prices: str, day: date, symbol: Symbol, every: int) -> tuple[Bar, ...]:
    start, end = at(first, day), at(last, day)
    count = int((end - start).total_seconds() // 60)
    clocks = [f"{(start + timedelta(minutes=n)).astimezone(NEW_YORK):%H:%M}" for n in range(0, count + 1, every)]
    return tuple(a_bar(clock, prices, symbol=symbol, day=day) for clock in clocks)


DIP = "100 100 99.60 99.60"
"""Closes 0.4 % below the morning's VWAP of 100: VWAP buys at 99.60 with its stop at 99.30, 0.502 shares."""
STEADY = "99.60 99.61 99.58 99.60"
FALL = "99.55 99.55 99.20 99.25"
"""Goes through the stop at 99.30."""
RECOVERY = "99.60 100.20 99.60 100.20"
"""Closes above VWAP."""


def a_day(*then: tuple[str, str, str], dip_at: str = "10:05", begins: str | None = None) -> list[Bar]:
    """A flat morning, a dip at 10:05, and what is told then: (first, last, prices) of minutes.

    To the end of a day its last 20 minutes are told, and between 10:30 and those every tenth.
    """
    hour, minute = dip_at.split(":")
    before = f"{hour}:{int(minute) - 1:02d}" if minute != "00" else f"{int(hour) - 1}:59"
    bars = [*minutes(begins or House.begins, before), a_bar(dip_at, DIP)]
    for first, last, prices in then:
        if last == "15:59" and first < "10:30":
            bars += [*minutes(first, "10:29", prices), *minutes("10:30", "15:39", prices, every=10)]
            bars += minutes("15:40", last, prices)
        else:
            bars += minutes(first, last, prices)
    return bars


def a_house_with_a_proposal(*then: tuple[str, str, str], begins: str | None = None, **terms: object) -> House:
    """It is 10:06, the dip's proposal has just been staged, and the price stays where it is unless told."""
    house = House(a_day(*(then or (("10:06", "10:30", STEADY),)), begins=begins), **terms)  # type: ignore[arg-type]
    return house.opens().until("10:06")


def a_house_in_a_position(*then: tuple[str, str, str], **terms: object) -> House:
    """It is 10:06:30: the entry is filled and its stop is at the broker."""
    house = a_house_with_a_proposal(*then, **terms)
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    assert (house.held(), len(house.stops)) == ("0.502", 1)
    return house


def a_typed_buy(quantity: str = "0.1", limit: str | None = "99.60", stop: str | None = "99.30") -> ProposeOrder:
    return ProposeOrder(
        symbol=SPY,
        effect=OrderEffect.OPEN,
        quantity=Quantity(Decimal(quantity)),
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit_price=Price(Decimal(limit)) if limit else None,
        stop_price=Price(Decimal(stop)) if stop else None,
        stop_holder=StopHolder.BROKER,
    )


def to(runtime: Runtime, command: Command) -> Command:
    """The command, for the account of this desk."""
    return addressed(command, runtime.engine.state.account_name)


# ── rebuilding ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Drawer:
    """State documents in memory."""

    kept: Checkpoint | NoCheckpoint = field(default_factory=lambda: NoCheckpoint("nothing yet"))

    def load(self) -> Checkpoint | NoCheckpoint:
        return self.kept

    def save(self, checkpoint: Checkpoint) -> None:
        self.kept = replace(checkpoint, documents=orjson.loads(orjson.dumps(checkpoint.documents)))


def rebuilt(
    desk: TradingState, drawer: Drawer | None = None, journal: Journal | None = None, table: Calendar | None = None
) -> TradingState:
    """The same desk from its journal, and from a checkpoint where there is one; `table` is what its calendar was."""
    table = table or desk.calendar
    again = TradingState(desk.account_name, desk.mode, table, journal or desk.journal, desk.orchestrator.kinds)
    assert rebuild(again, drawer) == ()
    return again


def assert_can_be_rebuilt(house: House) -> None:
    """The state is a fold of the journal, also when taken up from documents half-way (SP-03); and so it was before what
    a decision reads stood in codes (SP-07). What was asserted already, and has not changed since, is not again.
    """
    kept, journal = checkpoint_of(house.desk), house.desk.journal
    now = (journal.lines.copy(), kept.documents) if isinstance(journal, MemoryJournal) else None
    if now is not None and house.proved == now:
        return
    live = states(house.desk)
    remembered = running(house.desk)
    again = rebuilt(house.desk, table=house.table)
    assert states(again) == live
    assert running(again) == remembered
    again = rebuilt(house.desk, Drawer(kept), table=house.table)
    assert states(again) == live
    assert running(again) == remembered
    if isinstance(journal, MemoryJournal):
        _assert_it_was_so_without_codes(house, journal)
    house.proved = now


def _assert_it_was_so_without_codes(house: House, journal: MemoryJournal) -> None:
    """Where the older records are read as today's, what they make was compared already."""
    older = OlderJournal(journal)
    if not older.reads_as(journal):
        assert states(rebuilt(house.desk, None, older, house.table)) == states(house.desk)


def running(desk: TradingState) -> dict[str, StrategyMemory]:
    """What the strategies remember that run."""
    return {r.key: r.memory for runners in desk.orchestrator.runners.values() for r in runners}
