"""`make bench-lanes`: an exit and a kill's cancel while other requests hang, beside the same desk at rest.

On the real way to the loopback exchange, which runs in a process of its own. Each round closes three shares, one after
the other, and kills a resting entry: once with nothing else on its way, and once while six look-ups, three cancels and
one entry get no answer. The two take turns, so that a machine that is shared is as busy for both.
Measured: from the confirming key to the exit's request in the socket, as a whole and without the syncs and the fetching
of fresh figures in it (OP-03); and from the kill to its cancel's request.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any

from console.client.handle import EngineHandle
from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.brokers.alpaca.connection import ALPACA
from core.execution.gateway import Lane, LaneKind, lane_of
from core.messages.commands import Kill, OpenTicket, ProposeClose, ProposeOrder, Rearm
from core.messages.effects import CancelOrder, Effect, LookUpOrder
from core.model.account import Mode
from core.model.desk import PaintProof
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.staging import MANUAL
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity, Symbol
from core.runtime.live import LiveRuntime
from core.runtime.pending_requests import RequestExecutor
from core.runtime.scripted_operator import turn_of
from core.settings.settings import Settings
from core.views import DeskView
from core.workflows.operator.kill_switch import REARM
from state.credentials import find_keys
from tests.bench.wire import AT_ONCE, Span, an_exchange, within
from tests.real.waiting import pause

SPY, IBM, ONE = Symbol("SPY"), Symbol("IBM"), Quantity(Decimal(1))
LOOK_UPS, CANCELS, EXITS = 6, 3, 3
ROUNDS = 50
HANGS = 5
"""Seconds without an answer; a round takes less."""
MORE = {
    "KEYTURN_ALPACA__READ_SECONDS": "60",
    "KEYTURN_RISK__MAX_OPEN_POSITIONS": "9",
    "KEYTURN_RISK__ENTRIES_A_DAY": "1000",
    "KEYTURN_RISK__MESSAGES__ENABLED": "false",
    "KEYTURN_RISK__TWINS__ENABLED": "false",
    "KEYTURN_SYMBOLS": '["SPY","IBM"]',
}
FAR = Price(Decimal(300))


class Watch:
    """Instants of the process, taken where bytes pass."""

    def __init__(self) -> None:
        self.sent: dict[str, list[float]] = {"POST": [], "DELETE": [], "GET": []}
        self.syncs: list[Span] = []
        self.fetched: list[Span] = []

    @contextmanager
    def looks(self) -> Iterator[None]:
        put, sync, fetch = http.client.HTTPConnection.putrequest, os.fsync, RequestExecutor._figures

        def request(connection: Any, method: str, url: str, *rest: Any, **terms: Any) -> None:
            put(connection, method, url, *rest, **terms)
            if "/v2/orders" in url:
                self.sent[method].append(time.monotonic())

        def timed_sync(descriptor: int) -> None:
            began = time.monotonic()
            sync(descriptor)
            self.syncs.append((began, time.monotonic()))

        def timed_fetch(asking: RequestExecutor, symbol: Symbol, settings: Settings) -> Any:
            began = time.monotonic()
            found = fetch(asking, symbol, settings)
            self.fetched.append((began, time.monotonic()))
            return found

        http.client.HTTPConnection.putrequest = request  # type: ignore[method-assign,assignment]
        os.fsync = timed_sync  # type: ignore[assignment]
        RequestExecutor._figures = timed_fetch  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            http.client.HTTPConnection.putrequest = put  # type: ignore[method-assign]
            os.fsync = sync
            RequestExecutor._figures = fetch  # type: ignore[method-assign]


@dataclass
class Hung:
    """Requests that get no answer, in the lanes in which the desk's own would be."""

    url: str
    runtime: LiveRuntime
    watch: Watch
    alive: dict[str, int] = field(default_factory=lambda: {"order": 0, "cancel": 0, "submit": 0})
    names: Iterator[int] = field(default_factory=count)

    def begin(self) -> None:
        """All of them on the wire."""
        for kind, wanted, method in (("order", LOOK_UPS, "GET"), ("cancel", CANCELS, "DELETE"), ("submit", 1, "POST")):
            tell(self.url, kind, wanted)
            before = len(self.watch.sent[method])
            for _ in range(wanted):
                self._send(kind)
            while len(self.watch.sent[method]) < before + wanted:
                pause(0.001)

    def end(self) -> None:
        while any(self.alive.values()):
            pause(0.01)

    def _send(self, kind: str) -> None:
        asking, name = self.runtime.sending.asking, ClientOrderId(f"hung-{next(self.names)}")
        order = OrderRequest(name, SPY, Side.BUY, OrderEffect.OPEN, ONE, OrderType.LIMIT, limit_price=FAR)
        effect: Effect = LookUpOrder(name) if kind == "order" else CancelOrder(name, BrokerOrderId(name))
        lane = Lane(LaneKind.ENTRIES) if kind == "submit" else lane_of(effect)
        settings = self.runtime.engine.state.control.settings

        def act() -> None:
            try:
                asking.broker.submit(order) if kind == "submit" else asking.ask(effect, settings)
            finally:
                self.alive[kind] -= 1

        self.alive[kind] += 1
        self.runtime.sending.queue(lane, act)


def tell(url: str, kind: str, times: int) -> None:
    body = json.dumps({"fault": "hang", "of": kind, "times": times, "seconds": HANGS}).encode()
    request = urllib.request.Request(f"{url}/faults", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        answer.read()


class Operator:
    """Confirms as soon as there is something to confirm."""

    def __init__(self, handle: EngineHandle, watch: Watch) -> None:
        self.handle = handle
        self.watch = watch
        self.prices = count(1)

    @property
    def view(self) -> DeskView | None:
        return self.handle.view if isinstance(self.handle.view, DeskView) else None

    def waits(self, holds: Callable[[DeskView], object], what: str) -> DeskView:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.view is not None and holds(self.view):
                return self.view
            pause(0.001)
        log = [row.text for row in self.view.log[-3:]] if self.view is not None else []
        raise SystemExit(f"{what}: not in 120 s; the log ends with {log}")

    def buys(self) -> None:
        terms = (OrderType.MARKET, None, Price(Decimal(400)), StopHolder.DESK)
        self._turn(ProposeOrder(SPY, OrderEffect.OPEN, Quantity(Decimal(EXITS)), *terms))
        self.waits(lambda view: view.positions and not view.tickets, "a position")

    def closes(self) -> tuple[float, float]:
        """Seconds from the key to the request: whole, and beyond syncs and figures."""
        before = len(self.watch.sent["POST"])
        held = self._held()
        pressed = self._turn(ProposeClose(SPY, quantity=ONE))
        sent = self._request("POST", before)
        self.waits(lambda view: self._held() == held - 1 and not view.tickets, "a share less")
        spent = within(self.watch.syncs, pressed, sent) + within(self.watch.fetched, pressed, sent)
        return sent - pressed, sent - pressed - spent

    def _held(self) -> Decimal:
        return sum((row.quantity for row in self.view.positions), Decimal(0)) if self.view is not None else Decimal(0)

    def rests(self) -> None:
        terms = (OrderType.LIMIT, Price(FAR + next(self.prices) / Decimal(100)), Price(Decimal(200)), StopHolder.DESK)
        self._turn(ProposeOrder(IBM, OrderEffect.OPEN, Quantity(Decimal(2)), *terms))
        self.waits(lambda view: any(row.status is OrderStatus.SUBMITTED for row in view.orders), "an entry that rests")

    def kills(self) -> float:
        """Seconds from the kill to its cancel's request."""
        before = len(self.watch.sent["DELETE"])
        pressed = time.monotonic()
        self.handle.send(Kill("key"))
        sent = self._request("DELETE", before)
        self.waits(lambda view: not any(row.status.is_working for row in view.orders), "it is gone")
        self.handle.send(Rearm(REARM))
        self.waits(lambda view: view.status.word == "on", "armed again")
        return sent - pressed

    def _turn(self, command: ProposeOrder | ProposeClose) -> float:
        """When the key was turned."""
        self.handle.send(command)
        view = self.waits(lambda view: [p for p in view.proposals if p.strategy == MANUAL], "the proposal")
        proposal = next(p for p in view.proposals if p.strategy == MANUAL)
        self.handle.send(OpenTicket(proposal.id))
        view = self.waits(lambda view: view.tickets, "the ticket")
        ticket = view.tickets[0].ticket
        pressed = time.monotonic()
        hold = view.tickets[0].hold
        self.handle.send(replace(turn_of(ticket), hold=hold, proof=PaintProof.TIMED))
        return pressed

    def _request(self, method: str, before: int) -> float:
        self.waits(lambda _view: len(self.watch.sent[method]) > before, f"the {method}")
        return self.watch.sent[method][before]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, an_exchange("--symbols", "SPY,IBM") as told:
        keyturn = Host.of({**told, **AT_ONCE, **MORE, "KEYTURN_HOME": place})
        url = told["KEYTURN_ALPACA__TRADING_URL"].rsplit("/v2", 1)[0]
        watch = Watch()
        with watch.looks():
            play(keyturn, watch, url, rounds)


def play(keyturn: Host, watch: Watch, url: str, rounds: int) -> None:
    settings, keys = settings_of(keyturn), find_keys(keyturn.environ, Mode.PAPER, ALPACA.keys)
    made: list[LiveRuntime] = []

    def build(stack: Any) -> LiveRuntime:
        made.append(live_runtime(keyturn, settings, Mode.PAPER, keys, stack))
        return made[0]

    handle = EngineHandle(build)
    operator = Operator(handle, watch)
    handle.start()
    operator.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree")
    operator.waits(lambda _view: {SPY, IBM} <= set(made[0].engine.state.sightings.instruments), "what trades is known")
    hung = Hung(url, made[0], watch)
    kinds = {"at rest": False, "while ten requests hang": True}
    exits: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    cancels: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds):
        for name, is_hung in kinds.items():
            operator.buys()
            operator.rests()
            if is_hung:
                hung.begin()
            exits[name] += [operator.closes() for _ in range(EXITS)]
            cancels[name].append(operator.kills())
            hung.end()
        sys.stderr.write(f"\r{number + 1} of {rounds} rounds ")
    sys.stderr.write("\n")
    for name in kinds:
        show(name, exits[name], cancels[name])
    handle.close("measured", 8)


def show(name: str, exits: Sequence[tuple[float, float]], cancels: Sequence[float]) -> None:
    print(f"{name}, load {os.getloadavg()[0]:.2f}")
    line("the key to the exit's request", [whole for whole, _ in exits])
    line("beyond syncs and figures", [ours for _, ours in exits])
    line("the kill to its cancel", cancels)


def line(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(len(ordered) - 1, len(ordered) * p // 100)] * 1000 for p in (50, 99))
    print(f"  {name:<30} {len(ordered):>4}  p50 {p50:.2f} ms  p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
