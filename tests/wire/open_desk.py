"""An open desk of the real composition at the loopback exchange, and what a test tells it and reads from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.brokers.alpaca.connection import ALPACA
from core.facts import Fact
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Command, Confirm, OpenTicket, ProposeClose, ProposeOrder
from core.model.account import Mode
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, Price, ProposalId, Quantity, Symbol
from core.runtime.live import LiveRuntime
from core.views import DeskView
from state.credentials import find_keys
from state.journal import FileJournal, read
from tests.kit.waiting import until
from tests.wire.exchange.clocks import RunningClock
from tests.wire.exchange.server import MORNING, LoopbackExchange

SPY, IBM, KO, XOM = SYMBOLS = tuple(map(Symbol, ("SPY", "IBM", "KO", "XOM")))
TIMEOUT = 120.0
"""Seconds; only a failure takes as long."""
LOOSE = {"KEYTURN_RISK__PER_TRADE__OF_EQUITY": "0.1", "KEYTURN_RISK__MAX_NOTIONAL__OF_EQUITY": "0.2"}
SOON = {
    "KEYTURN_RECONCILIATION__AGAIN_SECONDS": "2", "KEYTURN_EXECUTION__LOOK_UP_LONGEST_SECONDS": "2",
    "KEYTURN_EXECUTION__NOT_FOUND_SECONDS": "10",
}  # fmt: skip
"""Books that differ are looked at again, and an order that nobody finds is given up, in seconds instead of a minute."""
TODAY = MORNING.date()


def a_market(**more: Any) -> LoopbackExchange:
    """A seeded market that goes on with the time of the test, and remembers nothing before its day."""
    return LoopbackExchange(**({"clock": RunningClock(), "since": TODAY} | more))


def environ(exchange: LoopbackExchange, home: Path, **more: str) -> dict[str, str]:
    return {
        "KEYTURN_HOME": str(home), "APCA_API_KEY_ID": exchange.keys.id, "APCA_API_SECRET_KEY": exchange.keys.secret,
        "KEYTURN_PROFILE": "swing", "KEYTURN_RISK__WINDOW_START": "00:00", "KEYTURN_REGIME__VIX_URL": "",
        "KEYTURN_RISK__WINDOW_END": "23:59", "KEYTURN_ALPACA__TRADING_URL": exchange.trading_url,
        "KEYTURN_ALPACA__DATA_URL": exchange.data_url, "KEYTURN_ALPACA__TRADE_STREAM_URL": exchange.trade_stream_url,
        "KEYTURN_ALPACA__DATA_STREAM_URL": exchange.data_stream_url, **more,
    }  # fmt: skip


def a_buy_of_two() -> ProposeOrder:
    stop, quantity = Price(Decimal(400)), Quantity(Decimal(2))
    return ProposeOrder(SPY, Effect.OPEN, quantity, OrderType.MARKET, None, stop, StopHolder.BROKER)


def two_shares_are_bought(desk: Open) -> None:
    """With their stop, in one request."""
    desk.sends(a_buy_of_two())
    confirm_the_first(desk)


def says(view: DeskView, words: str) -> bool:
    """Whether the log does."""
    return any(words in line.text for line in view.log)


def confirm_the_first(desk: Open) -> None:
    proposal = desk.waits(lambda view: view.proposals, "the proposal").proposals[0]
    desk.sends(OpenTicket(proposal.id))
    ticket = desk.waits(lambda view: view.tickets, "the ticket").tickets[0].ticket
    desk.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect))


def asked_itself(market: LoopbackExchange) -> bool:
    """Whether an order was asked for by the broker's own id."""
    return bool(market.received("GET", "/v2/orders/"))


class Open:
    """An engine of the real composition, in a thread of its own; `view` is its newest picture."""

    def __init__(self, runtime: LiveRuntime) -> None:
        self.runtime = runtime
        self.port = CommandPort(PortKind.CONSOLE, "/dev/pts/7", "lena")
        runtime.admit(self.port.known)
        self.view: DeskView | None = None
        runtime.on_beat(self._look)
        runtime.rest_while(lambda: True)

    def _look(self) -> None:
        if self.view is None or self.runtime.has_changed():
            self.view = self.runtime.view()

    def sends(self, command: Command) -> None:
        """As the console would: through its door, for the account of its picture."""
        self.runtime.send(self.port.through(command, self.runtime.engine.state.account_name))

    def waits(self, holds: Callable[[DeskView], object], what: str, seconds: float = 20.0) -> DeskView:
        """The newest picture, as soon as this holds of it."""
        until(lambda: self.view is not None and holds(self.view), what, seconds)
        assert self.view is not None
        return self.view


@contextmanager
def opened(keyturn: Host) -> Iterator[Open]:
    settings = settings_of(keyturn)
    with ExitStack() as stack:
        runtime = live_runtime(
            keyturn, settings, Mode.PAPER, find_keys(keyturn.environ, Mode.PAPER, ALPACA.keys), stack
        )
        desk = Open(runtime)
        thread = threading.Thread(target=runtime.run, daemon=True)
        thread.start()
        yield desk
        runtime.leave()
        thread.join(60)
        assert not thread.is_alive()
        runtime.stop("left")


def written(desk: Open) -> list[Fact]:
    """What its journal holds, of a desk that has left: while it is open only its engine's thread touches the file."""
    journal = desk.runtime.engine.state.journal
    assert isinstance(journal, FileJournal)
    return [record.fact for record in read(journal.folder)]


@contextmanager
def a_desk(market: LoopbackExchange, home: Path, **more: str) -> Iterator[Open]:
    with started(market, home, **more) as desk:
        seen, listed = desk.runtime.engine.state.sightings, market.tape.symbols
        waits(desk, lambda view: view.status.word == "on" and all(s in seen.instruments for s in listed), "the books")
        waits(desk, lambda _: all(symbol in seen.quotes for symbol in listed), "a quote: without one no key counts")
        yield desk


@contextmanager
def started(market: LoopbackExchange, home: Path, **more: str) -> Iterator[Open]:
    """Not waited for: what the engine does by itself needs neither each instrument nor a quote."""
    symbols = ",".join(f'"{symbol}"' for symbol in market.tape.symbols)
    with opened(Host.of(environ(market, home, KEYTURN_SYMBOLS=f"[{symbols}]", **LOOSE, **more))) as desk:
        yield desk


def waits(desk: Open, holds: Callable[[DeskView], object], what: str) -> DeskView:
    """The first picture of which it holds; where none comes, what the log ends with."""
    try:
        return desk.waits(holds, what, TIMEOUT)
    except AssertionError as error:
        log = [row.text for row in desk.view.log[-5:]] if desk.view else []
        raise AssertionError(f"{error}; the log ends with {log}") from None


def turn(desk: Open, command: ProposeOrder | ProposeClose) -> ClientOrderId:
    """Stage it, open its ticket and turn the key; the order's own name."""
    known = {p.id for p in desk.view.proposals} if desk.view else set()

    def new(view: DeskView) -> list[ProposalId]:
        ours = (p for p in view.proposals if (p.symbol, p.strategy) == (command.symbol, MANUAL))
        return [p.id for p in ours if p.id not in known]

    desk.sends(command)
    (proposal,) = new(waits(desk, new, "the proposal"))
    desk.sends(OpenTicket(proposal))
    view = waits(desk, lambda view: any(t.ticket.proposal_id == proposal for t in view.tickets), "the ticket")
    (ticket,) = [t.ticket for t in view.tickets if t.ticket.proposal_id == proposal]
    desk.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    return ticket.order.client_order_id


def a_buy(symbol: Symbol, shares: str, holder: StopHolder = StopHolder.DESK, limit: str | None = None) -> ProposeOrder:
    stop = Price(Decimal(400 if symbol == SPY and limit is None else 1))
    price = None if limit is None else Price(Decimal(limit))
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return ProposeOrder(symbol, Effect.OPEN, Quantity(Decimal(shares)), kind, price, stop, holder)


def is_held(symbol: Symbol) -> Callable[[DeskView], bool]:
    return lambda view: any(row.symbol == symbol for row in view.positions)


def status_of(desk: Open, order_id: ClientOrderId) -> OrderStatus | None:
    order = desk.runtime.engine.state.ledger.order(order_id)
    return None if order is None else order.status


def eventually(holds: Callable[[], object], what: str) -> None:
    until(holds, what, TIMEOUT)


def posts(market: LoopbackExchange) -> int:
    return len(market.received("POST", "/v2/orders"))
