"""`make bench-notify`: an exit beside a flood of events, without notifications and with them.

On the real way to the loopback exchange, which runs in a process of its own. A share of a third symbol is halted and
trades again all the time, an alert on it rings each time: `RATE` events a second. Three desks take turns: no flood; the
flood, and nobody is told; the flood, and every event goes to a receiver that takes it, one that hangs and one that says
500, as fast as channels may. The receivers are a process of their own. Measured: from the confirming key to the exit's
request in the socket, as a whole and without the syncs and the fetching of fresh figures in it. Then what one event
costs the engine's thread, in virtual time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from console.client.handle import EngineHandle
from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.brokers.alpaca.connection import ALPACA
from core.facts import NotificationBegun, NotificationDue, NotificationSent, NotificationSuppressed
from core.messages.desk_commands import KeepAlert
from core.messages.inputs import Priority, TradingHaltHeard
from core.model.account import Mode
from core.model.alert import AlertKind, AlertTerms
from core.model.values import Symbol
from core.runtime.live import LiveRuntime
from core.settings.settings import Settings
from state.credentials import find_keys
from state.journal import read
from tests.bench.lanes import EXITS, IBM, MORE, SPY, Operator, Watch, line
from tests.bench.wire import AT_ONCE, an_exchange
from tests.scenarios.house import House, minutes
from tests.scenarios.receivers import Receivers

QQQ = Symbol("QQQ")
RATE = 200
"""Events a second: more than an account of thirty positions has in a crash."""
ROUNDS = 30
RULES = """
[notify]
seconds = 2
[notify.channels.works]
a_minute = 60
[notify.channels.hangs]
a_minute = 60
[notify.channels.fails]
a_minute = 60
[notify.rules.all]
channels = ["works", "hangs", "fails"]
[notify.quiet]
"""
BURST = 10_000


class Desk:
    """One of the three."""

    def __init__(self, stack: ExitStack, name: str, watch: Watch, rules: str, web: str, rate: int) -> None:
        self.name, self.rate = name, rate
        place = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        told = stack.enter_context(an_exchange("--symbols", "SPY,IBM"))
        addresses = {
            "KEYTURN_CHANNEL_WORKS": f"{web}/works",
            "KEYTURN_CHANNEL_HANGS": f"{web}/hang",
            "KEYTURN_CHANNEL_FAILS": f"{web}/500",
        }
        self.host = Host.of({**told, **AT_ONCE, **MORE, **addresses, "KEYTURN_HOME": place})
        self.host.home.settings.parent.mkdir(parents=True, exist_ok=True)
        Path(self.host.home.settings).write_text(rules)
        self.made: list[LiveRuntime] = []
        handle = EngineHandle(self._build)
        self.operator = Operator(handle, watch)
        handle.start()
        stack.callback(lambda: handle.close("measured", 8))
        self.operator.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree")
        known = self.runtime.engine.state.sightings.instruments
        self.operator.waits(lambda _view: {SPY, IBM} <= set(known), "what trades is known")
        handle.send(KeepAlert(AlertTerms(QQQ, AlertKind.HALT)))
        self.exits: list[tuple[float, float]] = []

    def _build(self, stack: Any) -> LiveRuntime:
        settings, keys = settings_of(self.host), find_keys(self.host.environ, Mode.PAPER, ALPACA.keys)
        self.made.append(live_runtime(self.host, settings, Mode.PAPER, keys, stack))
        return self.made[0]

    @property
    def runtime(self) -> LiveRuntime:
        return self.made[0]

    def round(self) -> None:
        with self.flooded():
            self.operator.buys()
            self.exits += [self.operator.closes() for _ in range(EXITS)]

    @contextmanager
    def flooded(self) -> Iterator[None]:
        ends = threading.Event()

        def flood() -> None:
            is_halted = True
            while not ends.wait(1 / self.rate):
                status = TradingHaltHeard(QQQ, is_halted, self.runtime.clock(), "a bench")
                self.runtime.inbox.put(Priority.MARKET, status)
                is_halted = not is_halted

        thread = threading.Thread(target=flood, daemon=True)
        if self.rate:
            thread.start()
        try:
            yield
        finally:
            ends.set()
            if self.rate:
                thread.join()


@contextmanager
def receivers() -> Iterator[str]:
    """The address of a web server in a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "tests.wire.receivers"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"json://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    watch = Watch()
    with watch.looks(), ExitStack() as stack:
        web = stack.enter_context(receivers())
        desks = [
            Desk(stack, "no flood", watch, "", web, 0),
            Desk(stack, f"{RATE} events a second, nobody is told", watch, "", web, RATE),
            Desk(stack, f"{RATE} events a second, all told to three receivers", watch, RULES, web, RATE),
        ]
        for number in range(rounds):
            for desk in desks:
                desk.round()
            sys.stderr.write(f"\r{number + 1} of {rounds} rounds ")
        sys.stderr.write("\n")
        for desk in desks:
            print(desk.name)
            line("the key to the exit's request", [whole for whole, _ in desk.exits])
            line("beyond syncs and figures", [ours for _, ours in desk.exits])
        told = desks[-1].runtime.engine.state.account_name
        kinds = (NotificationDue, NotificationSuppressed, NotificationBegun, NotificationSent)
        facts = [type(r.fact) for r in read(desks[-1].host.home.account(told).journal)]
        print("  " + ", ".join(f"{facts.count(kind)} {kind.__name__}" for kind in kinds))
    for name, rules in (("nobody is told", {}), ("told to one receiver", {"all": {"channels": ["phone"]}})):
        print(f"{BURST:,} events in a burst, {name}: {burst(rules) * 1e6:.0f} µs each")


def burst(rules: dict[str, object]) -> float:
    """Seconds of the engine's thread for one event."""
    settings = Settings.model_validate({"symbols": ["SPY"], "notify": {"channels": {"phone": {}}, "rules": rules}})
    house = House(minutes("09:30", "10:10"), settings)
    house.line._notifier = Receivers()
    house.opens().until("10:00")
    house.presses(KeepAlert(AlertTerms(QQQ, AlertKind.HALT)))
    begun = time.perf_counter()
    for number in range(BURST):
        house.line.take(house.line.at, TradingHaltHeard(QQQ, number % 2 == 0, house.line.at, "a bench"))
    return (time.perf_counter() - begun) / BURST


if __name__ == "__main__":
    main()
