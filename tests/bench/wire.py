"""`make bench-wire`: orders on the real way to the loopback exchange, which runs in a process of its own.

Each round buys a share and sells it again, both confirmed. Measured besides what `keyturn latency` prints: from the
confirming key to its request in the socket, without the syncs of the journal between them and without the round trips
that fetch clock, account and quote afresh (OP-03); and from the order update in the socket to a picture that shows the
fill.
"""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.client.handle import EngineHandle
from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.brokers.alpaca.connection import ALPACA
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.messages.commands import OpenTicket, ProposeClose, ProposeOrder
from core.model.account import Mode
from core.model.desk import PaintProof
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.values import Price, Quantity, Symbol
from core.runtime.live import LiveRuntime
from core.runtime.pending_requests import RequestExecutor
from core.runtime.scripted_operator import turn_of
from core.settings.settings import Settings
from core.views import DeskView
from state.credentials import find_keys
from tests.real.waiting import pause

SPY = Symbol("SPY")
ROUNDS = 100
EXPORT = re.compile(r"export (\w+)=(\S+)")
AT_ONCE = {
    "KEYTURN_PROFILE": "swing",
    "KEYTURN_RISK__WINDOW_START": "00:00",
    "KEYTURN_RISK__WINDOW_END": "23:59",
    "KEYTURN_RISK__ENTRIES_A_DAY": "10000",
    "KEYTURN_RISK__MAX_DAY_VALUE__USD": "1000000000",
    "KEYTURN_RISK__MESSAGES__ENABLED": "false",
    "KEYTURN_RISK__PROTECTIONS__LOSS_STREAK__ENABLED": "false",  # each round loses its spread
    "KEYTURN_RISK__PROTECTIONS__LOW_PROFIT__ENABLED": "false",
    "KEYTURN_RISK__PROTECTIONS__MAX_DRAWDOWN__ENABLED": "false",
    "KEYTURN_RISK__PROTECTIONS__COOLDOWN__ENABLED": "false",
    "KEYTURN_RISK__PROTECTIONS__REPEATED_EXECUTION__ENABLED": "false",  # and buys the same
}


Span = tuple[float, float]


class Watch:
    """Instants of the process, taken where bytes pass."""

    def __init__(self) -> None:
        self.requests: list[float] = []
        self.syncs: list[Span] = []
        self.fetched: list[Span] = []
        self.told: dict[str, float] = {}

    @contextmanager
    def looks(self) -> Iterator[None]:
        put, sync, take = http.client.HTTPConnection.putrequest, os.fsync, AlpacaOrderStream._take
        fetch = RequestExecutor._figures

        def request(connection: Any, method: str, url: str, *rest: Any, **terms: Any) -> None:
            put(connection, method, url, *rest, **terms)
            if method == "POST" and url.endswith("/v2/orders"):
                self.requests.append(time.monotonic())

        def timed_sync(descriptor: int) -> None:
            began = time.monotonic()
            sync(descriptor)
            self.syncs.append((began, time.monotonic()))

        def timed_fetch(asking: RequestExecutor, symbol: Symbol, settings: Settings) -> Any:
            began = time.monotonic()
            found = fetch(asking, symbol, settings)
            self.fetched.append((began, time.monotonic()))
            return found

        def heard(stream: Any, message: dict[str, Any], raw: Any, hear: Any) -> None:
            data = message.get("data", {})
            if data.get("event") == "fill":
                self.told.setdefault(data["order"]["client_order_id"], time.monotonic())
            take(stream, message, raw, hear)

        http.client.HTTPConnection.putrequest = request  # type: ignore[method-assign,assignment]
        os.fsync = timed_sync  # type: ignore[assignment]
        AlpacaOrderStream._take = heard  # type: ignore[method-assign]
        RequestExecutor._figures = timed_fetch  # type: ignore[method-assign]
        try:
            yield
        finally:
            http.client.HTTPConnection.putrequest = put  # type: ignore[method-assign]
            os.fsync = sync
            AlpacaOrderStream._take = take  # type: ignore[method-assign]
            RequestExecutor._figures = fetch  # type: ignore[method-assign]


def within(spans: Sequence[Span], began: float, ended: float) -> float:
    """Seconds of these that lie between two instants; none of them overlap."""
    return sum(max(0.0, min(end, ended) - max(start, began)) for start, end in spans)


@dataclass(frozen=True, slots=True)
class Way:
    """Of one entry, from the confirming key to its request, in seconds."""

    whole: float
    syncs: float
    fetching: float

    @property
    def ours(self) -> float:
        return self.whole - self.syncs - self.fetching


class Operator:
    """Confirms as soon as there is something to confirm, and notes when a picture shows the fill."""

    def __init__(self, handle: EngineHandle, watch: Watch) -> None:
        self.handle = handle
        self.watch = watch
        self.shown: dict[str, float] = {}
        self.ways: list[Way] = []
        handle.start(self._look)

    @property
    def view(self) -> DeskView | None:
        return self.handle.view if isinstance(self.handle.view, DeskView) else None

    def _look(self) -> None:
        now = time.monotonic()
        for row in self.view.orders if self.view is not None else ():
            if row.status is OrderStatus.FILLED:
                self.shown.setdefault(row.id, now)

    def waits(self, holds: Callable[[DeskView], object], what: str) -> DeskView:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.view is not None and holds(self.view):
                return self.view
            pause(0.001)
        log = [row.text for row in self.view.log[-3:]] if self.view is not None else []
        raise SystemExit(f"{what}: not in 30 s; the log ends with {log}")

    def buys(self) -> None:
        self.handle.send(
            ProposeOrder(
                SPY, Effect.OPEN, Quantity(Decimal(1)), OrderType.MARKET, None, Price(Decimal(400)), StopHolder.BROKER
            )
        )
        self._confirms()
        self.waits(lambda view: view.positions and view.positions[0].covered, "a covered position")

    def sells(self) -> None:
        self.handle.send(ProposeClose(SPY))
        self._confirms()
        self.waits(lambda view: not view.positions and not view.tickets, "no position")

    def _confirms(self) -> None:
        proposal = self.waits(lambda view: view.proposals, "the proposal").proposals[0]
        self.handle.send(OpenTicket(proposal.id))
        view = self.waits(lambda view: view.tickets, "the ticket")
        ticket = view.tickets[0].ticket
        before = len(self.watch.requests)
        pressed = time.monotonic()
        hold = view.tickets[0].hold
        self.handle.send(replace(turn_of(ticket), hold=hold, proof=PaintProof.TIMED))
        self.waits(lambda _view: len(self.watch.requests) > before, "the request")
        sent = self.watch.requests[before]
        if ticket.order.effect is Effect.OPEN:  # a close first waits for the broker to take its stop out of the way
            syncs, fetched = self.watch.syncs, self.watch.fetched
            self.ways.append(Way(sent - pressed, within(syncs, pressed, sent), within(fetched, pressed, sent)))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as place, an_exchange() as told:
        keyturn = Host.of({**told, **AT_ONCE, "KEYTURN_HOME": place})
        watch = Watch()
        with watch.looks():
            operator = play(keyturn, watch, rounds)
        show(operator, watch)
        print()
        table = subprocess.run(
            [Path(sys.executable).parent / "keyturn", "latency"],
            env={**os.environ, **told, "KEYTURN_HOME": place},
            capture_output=True,
            text=True,
            check=True,
        )
        print(table.stdout, end="")


@contextmanager
def an_exchange(*words: str) -> Iterator[dict[str, str]]:
    """Its environment; open, in real time, without a limit of requests."""
    command = [sys.executable, "-m", "tests.wire.exchange.run", "--port", "0", "--market-time", "10:05", "--limit", "0"]
    command += words
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        told: dict[str, str] = {}
        for line in process.stdout:
            if (found := EXPORT.match(line)) is not None:
                told[found[1]] = found[2]
            elif told and line.startswith("curl"):
                break
        # it tells each request; a pipe that nobody reads fills, and the exchange would stand still
        threading.Thread(target=deque, args=(process.stdout, 0), daemon=True).start()
        try:
            yield told
        finally:
            process.kill()


def play(keyturn: Host, watch: Watch, rounds: int) -> Operator:
    settings, keys = settings_of(keyturn), find_keys(keyturn.environ, Mode.PAPER, ALPACA.keys)
    handle = EngineHandle(lambda stack: unlimited(live_runtime(keyturn, settings, Mode.PAPER, keys, stack)))
    operator = Operator(handle, watch)
    operator.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree")
    for number in range(rounds):
        operator.buys()
        operator.sells()
        sys.stderr.write(f"\r{number + 1} of {rounds} rounds ")
    sys.stderr.write("\n")
    handle.close("measured", 8)
    return operator


def unlimited(runtime: LiveRuntime) -> LiveRuntime:
    """Return it without the broker's limit of requests, which a hundred rounds reach in their first minute."""
    runtime.engine.state.sightings.capabilities = replace(ALPACA.capabilities, messages_a_minute=None)
    return runtime


def show(operator: Operator, watch: Watch) -> None:
    print(f"{len(operator.shown)} orders filled, load {os.getloadavg()[0]:.2f}")
    line("confirmation to its request", [way.whole for way in operator.ways])
    line("of it, the journal's syncs", [way.syncs for way in operator.ways])
    line("of it, clock, account, quote", [way.fetching for way in operator.ways])
    line("beyond both", [way.ours for way in operator.ways])
    line("fill's update to a picture", [at - watch.told[id] for id, at in operator.shown.items() if id in watch.told])


def line(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    found = {p: ordered[min(len(ordered) - 1, len(ordered) * p // 100)] * 1000 for p in (50, 90, 95, 99)}
    print(f"  {name:<28} {len(ordered):>5}  " + "  ".join(f"p{p} {value:.2f} ms" for p, value in found.items()))


if __name__ == "__main__":
    main()
