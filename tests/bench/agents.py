"""`make bench-agents`: the key's path and the handling of bars, beside an agent that asks ten times a second.

The agent is a process of its own, which stands still in every second block and asks in the others, so that both see the
same machine. Key: bought and sold at the loopback exchange, from the confirming key to the order's request, without the
journal's syncs and the fetching of fresh figures (OP-03). Bars: the house of `make bench`, on the wall and in processor
seconds of the engine's thread.

Arguments: rounds of a purchase and a sale, and bars.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from console.client.agents import AgentClient
from console.client.handle import EngineHandle
from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.engine_process import service_agents
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.brokers.alpaca.connection import ALPACA
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.model.account import Mode
from core.protocol.agent_frames import Part
from core.runtime.live import LiveRuntime
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.service.agent_socket import AgentService
from core.runtime.simulated_exchange import config_of, link_of
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from state.credentials import find_keys
from state.engine_socket import connected, listening
from state.journal import MemoryJournal
from tests.bench.house import NoLog, NoSwitch, fed
from tests.bench.wire import AT_ONCE, Operator, Watch, an_exchange, unlimited
from tests.real.waiting import pause

AGENT, TIMEOUT = "poller", 10.0
ROUNDS, BARS = 520, 290_000
A_SECOND = 10
AN_ACCOUNT = 130
"""Rounds of one account."""
BLOCK = 5
"""Rounds in which it asks, or stands still."""
BLOCK_OF_BARS = 2_500
WARM_UP = 10
"""Blocks of bars, and rounds, that do not count."""
DRAWN = 1000
"""Samples of a bootstrap."""
ASKED = (Part.DESK, Part.POSITIONS, Part.ORDERS)
AGENTS = "[agents.poller]\nsymbols = ['SPY']\n"


@dataclass
class Compared:
    """Figures of the blocks without it and with it."""

    without: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    def add(self, asks: bool, *figures: float) -> None:
        (self.beside if asks else self.without).extend(figures)

    def show(self, name: str) -> None:
        """Means and medians, and their differences with the standard error.

        That of the medians is by bootstrap: a few syncs of the disk that take long change a mean by several per cent.
        """
        print(f"  {name}, {len(self.without)} times without and {len(self.beside)} beside it")
        self._line("mean", statistics.mean)
        self._line("median", statistics.median)

    def _line(self, what: str, of: Callable[[Sequence[float]], float]) -> None:
        alone, beside = of(self.without), of(self.beside)
        chance = Random(1)
        drawn = [
            of(chance.choices(self.beside, k=len(self.beside))) / of(chance.choices(self.without, k=len(self.without)))
            for _ in range(DRAWN)
        ]
        error = statistics.stdev(drawn)
        print(f"    {what:<8} {alone * 1000:.3f} and {beside * 1000:.3f} ms, {beside / alone - 1:+.1%} ± {error:.1%}")


class Poller:
    """The agent's process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.calls = 0

    def asks(self, asks: bool) -> None:
        self._process.send_signal(signal.SIGCONT if asks else signal.SIGSTOP)


@contextmanager
def a_poller(path: Path) -> Iterator[Poller]:
    """Stopped at first."""
    command = [sys.executable, "-m", "tests.bench.agents", "poll", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it asked once
        poller = Poller(process)
        poller.asks(False)
        try:
            yield poller
        finally:
            process.kill()


def poll(path: Path) -> None:
    """Ask for the desk, the positions and the orders, until it is killed."""
    client = AgentClient(lambda: connected(path, TIMEOUT), AGENT)
    next_at = time.monotonic()
    while True:
        client.read(ASKED)
        print("asked", flush=True) if client._calls == 1 else None
        next_at += 1 / A_SECOND
        pause(max(0.0, next_at - time.monotonic()))


def keys(rounds: int) -> None:
    """An account for each hundred or so of them: many in one are more than a day's limits and one's own books allow."""
    compared = Compared()
    for first in range(0, rounds, AN_ACCOUNT):
        _keys(compared, min(AN_ACCOUNT, rounds - first))
    compared.show("key to the request, beyond syncs and figures")


def _keys(compared: Compared, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place, an_exchange() as told:
        host = Host.of({**told, **AT_ONCE, "KEYTURN_HOME": place})
        host.home.settings.write_text(AGENTS)
        host.home.settings.chmod(0o600)
        settings, watch = settings_of(host), Watch()
        found = find_keys(host.environ, Mode.PAPER, ALPACA.keys)

        def build(stack: ExitStack) -> LiveRuntime:
            runtime = unlimited(live_runtime(host, settings, Mode.PAPER, found, stack))
            service_agents(host, runtime, stack)
            return runtime

        with watch.looks():
            handle = EngineHandle(build)
            operator = Operator(handle, watch)
            view = operator.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree")
            with a_poller(host.home.account(view.status.account).agents_socket) as poller:
                for number in range(rounds):
                    asks = number // BLOCK % 2 == 1
                    poller.asks(asks)
                    before = len(operator.ways)
                    operator.buys()
                    operator.sells()
                    if number >= WARM_UP:
                        compared.add(asks, *(way.ours for way in operator.ways[before:]))
                    sys.stderr.write(f"\r{number + 1} of {rounds} rounds ")
            handle.close("measured", 8)
    sys.stderr.write("\n")


def bars(many: int) -> None:
    calendar, _, feed = fed(many)
    settings = Settings.model_validate(
        {"symbols": ["SPY"], "exchange": {"cash": "1000000"}, "agents": {AGENT: {"symbols": ["SPY"]}}}
    )
    engine = Engine("bench", Mode.PAPER, calendar, MemoryJournal())
    engine.apply(feed[0][0], settings, "bench")
    exchange = SimulatedExchange(config_of(settings, "bench", "7"), calendar, NoLog())
    operator = ConfirmAll(engine.state)
    runtime = VirtualRuntime(
        engine, exchange, feed, start=feed[0][0], switch=NoSwitch(), link=link_of(settings), operator=operator
    )
    wall, worked = Compared(), Compared()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        path = Path(place) / "agents.sock"
        agents = AgentService(runtime, stack.enter_context(listening(path)))
        stack.callback(agents.end)
        agents.begin()
        poller = stack.enter_context(_of_a_running(runtime, path))
        for number, first in enumerate(range(BLOCK_OF_BARS, many, BLOCK_OF_BARS)):
            asks = number % 2 == 1
            poller.asks(asks)
            began, processor = time.perf_counter(), time.thread_time()
            runtime.play(until=feed[first][0])
            if number >= WARM_UP:
                wall.add(asks, (time.perf_counter() - began) / BLOCK_OF_BARS)
                worked.add(asks, (time.thread_time() - processor) / BLOCK_OF_BARS)
    wall.show("a bar, on the wall")
    worked.show("a bar, processor of the engine's thread")


@contextmanager
def _of_a_running(runtime: VirtualRuntime, path: Path) -> Iterator[Poller]:
    """A poller needs its first answer before it stands still; the engine's first view is drawn for it."""
    import threading

    stop = threading.Event()

    def beats() -> None:
        while not stop.is_set():
            runtime.beat()
            pause(0.01)

    beating = threading.Thread(target=beats)
    beating.start()
    with a_poller(path) as poller:
        stop.set()
        beating.join()
        yield poller


def main() -> None:
    if sys.argv[1:2] == ["poll"]:
        poll(Path(sys.argv[2]))
    rounds, many = (int(word) for word in (*sys.argv[1:], *(ROUNDS, BARS)[len(sys.argv) - 1 :]))
    print(f"an agent that asks {A_SECOND} times a second, load {os.getloadavg()[0]:.2f}", flush=True)
    keys(rounds)
    bars(many)


if __name__ == "__main__":
    main()
