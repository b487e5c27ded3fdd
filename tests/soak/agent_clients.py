"""Agents of both SDKs beside an engine that is killed, over stdio and HTTP: calls, failures, time-outs, doubled drafts.

PYTHONPATH=. MCP_TYPESCRIPT=FOLDER python -m tests.soak.agent_clients --rounds 5

Every round each client reads everything with keys that clients add and words in odd letter case, drafts, drafts the
same again, and waits for a decision longer than its own limit allows. While it drafts, the engine is killed and begun
again; then its own server is ended, and killed. A call that got no answer is made again with the same key. A caller
with a wrong token tries to get in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from console.client.handle import EngineHandle
from console.commands.assembly.engine_process import service_agents
from console.commands.assembly.host import Host
from console.commands.assembly.mcp_answers import LARGEST
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.views import DeskView
from tests.real.account import SETTINGS, Account
from tests.real.agent_sdks import (
    CLIENTS_WAIT,
    Outcome,
    PythonClient,
    SdkClient,
    Server,
    TypeScriptClient,
    typescript_sdk,
)
from tests.real.tools import processes_on
from tests.real.waiting import LIMIT, until

NAMES = ("python-stdio", "python-http", "typescript-stdio", "typescript-http")
TERMS = 'symbols = ["SPY"]\nmost_value = 5000\nper_hour = 1000\nwaiting = 50\n'
LONG_WAIT = 600
"""Seconds that a client asks to wait: more than it waits itself."""
TRIES = 200
LAST_ROUND = timedelta(minutes=75)
"""Of the demo's day before its close, in which no round begins."""
TOKEN = "a-token-of-this-run"
PROGRAM = (sys.executable, "-P", "-m", "app")
AWAY = frozenset({"no-engine", "no-answer", "leaving", "not-ready"})
"""Codes of a refusal while the engine is away."""
ADDED = {"toolCallId": "call_1", "sessionId": "5e1f", "_meta": {"progressToken": 7}, "trace_id": "ab"}
MEANT = {"stop_loss": "1", "action": "sell"}
READS: tuple[tuple[str, dict[str, object]], ...] = (
    ("get_desk", {}), ("get_limits", {"verbose": True}), ("list_positions", {}), ("list_orders", {"count": 5}),
    ("list_drafts", {"unknown": None}), ("get_protections", {"action": "sendMessage"}),
    ("get_quote", {"symbol": " spy "}), ("get_bars", {"symbol": "Spy", "count": "3"}),
    ("explain_day", {"rows": " TRADES "}),
)  # fmt: skip


@dataclass
class Figures:
    """What happened. `unexpected` are calls that neither the driver's kills nor its wrong calls explain."""

    calls: int = 0
    answered: int = 0
    refused_as_meant: int = 0
    while_away: int = 0
    broken_by_a_kill: int = 0
    connected_again: int = 0
    timeouts: int = 0
    unexpected: list[str] = field(default_factory=list)
    drafted: int = 0
    doubled: int = 0
    lost: int = 0
    longest_call: float = 0.0
    largest_answer: int = 0
    progress: int = 0
    kills_of_the_engine: int = 0
    kills_of_servers: int = 0
    wrong_tokens_refused: int = 0
    played_until: str = ""

    def count(self, outcome: Outcome) -> None:
        self.calls += 1
        self.timeouts += outcome.is_timeout
        self.longest_call = max(self.longest_call, outcome.seconds)
        self.largest_answer = max(self.largest_answer, 2 * len(json.dumps(outcome.values, ensure_ascii=False)))
        self.progress += outcome.progress


class Run:
    """One engine, one server for each client over HTTP, and the clients."""

    def __init__(self, account: Account, names: Sequence[str], wait: float = LONG_WAIT) -> None:
        self.account, self.names, self.wait = account, names, wait
        self.figures = Figures()
        self.ports = {name: _free_port() for name in names if name.endswith("http")}
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.keys: dict[str, list[str]] = {name: [] for name in names}
        self.begin()

    def begin(self) -> None:
        self.engine = self.account.running()

    def end(self) -> None:
        self.engine.killed()
        until(lambda: self.account.listener() is None, "it is gone")

    def server(self, name: str) -> Server:
        if name in self.ports:
            url = f"http://127.0.0.1:{self.ports[name]}/mcp"
            return Server(url=url, headers={"Authorization": f"bearer  {TOKEN}"})
        env = {
            each: self.account.environ[each]
            for each in ("KEYTURN_HOME", "PYTHONPATH", "PATH")
            if each in os.environ or each == "KEYTURN_HOME"
        }
        return Server(PROGRAM[0], (*PROGRAM[1:], "mcp", "--agent", name), env)

    def serve(self, name: str) -> None:
        """Begin the client's server over HTTP."""
        words = [*PROGRAM, "mcp", "--agent", name, "--http", str(self.ports[name])]
        environ = {**self.account.environ, "KEYTURN_MCP_TOKEN": TOKEN}
        self.servers[name] = subprocess.Popen(
            words, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: _answers(self.ports[name]), "it listens")

    def close(self) -> None:
        for process in self.servers.values():
            process.kill()
            process.wait()

    def is_over(self) -> bool:
        return False

    # ── one client ───────────────────────────────────────────────────────────────────────────────────────────────

    async def answered(self, client: SdkClient, tool: str, **arguments: object) -> dict[str, Any]:
        """Call until it is answered, as an agent does that keeps its key. What no kill explains is noted."""
        for _ in range(TRIES):
            outcome = await client.call(tool, **arguments)
            self.figures.count(outcome)
            if outcome.values.get("code") == "checks" and self.is_killing:  # an engine that has just begun
                self.figures.while_away += 1
            elif not outcome.failed and not outcome.is_error:
                self.figures.answered += 1
                return outcome.values
            elif outcome.code in AWAY:
                self.figures.while_away += 1
            elif outcome.failed and not outcome.is_timeout and self.is_killing:
                self.figures.broken_by_a_kill += 1
                if client.ends_with_its_server:
                    self.figures.connected_again += 1
                    await client.connect()
            else:
                self.figures.unexpected.append(f"{client.name} {tool}: {outcome.failed or outcome.values}")
                return outcome.values
            await asyncio.sleep(0.1)
        self.figures.unexpected.append(f"{client.name} {tool}: no answer in {TRIES} calls")
        return {}

    is_killing = False
    words = ("waiting",)
    """What may have become of a draft after the long wait."""

    async def refused(self, client: SdkClient, tool: str, code: str, **arguments: object) -> None:
        outcome = await client.call(tool, **arguments)
        self.figures.count(outcome)
        if outcome.code == code and outcome.values.get("reasons"):
            self.figures.refused_as_meant += 1
        else:
            self.figures.unexpected.append(f"{client.name} {tool}: not refused: {outcome}")

    async def reads(self, client: SdkClient) -> None:
        for tool, arguments in READS:
            await self.answered(client, tool, **arguments, **ADDED)

    async def drafts(self, client: SdkClient, key: str) -> dict[str, Any]:
        """Draft, or draft the same again."""
        if key not in self.keys[client.name]:
            self.keys[client.name].append(key)
        words = {"symbol": " spy", "side": "BUY", "limit_price": 480, "stop_price": "470", "quantity": 1,
                 "time_in_force": "Day", "reason": "it is low", **ADDED}  # fmt: skip
        answer = await self.answered(client, "draft_order", key=key, **words)
        if answer and (not answer.get("accepted") or answer.get("side") != "buy"):
            self.figures.unexpected.append(f"{client.name} draft: {answer}")
        return answer

    async def morning(self, client: SdkClient, turn: int) -> None:
        """Read, draft twice, draft what is refused, wait, withdraw."""
        await self.reads(client)
        key = f"a{turn}"
        first, again = await self.drafts(client, key), await self.drafts(client, key)
        if first.get("number") != again.get("number"):
            self.figures.unexpected.append(f"{client.name}: {first} and {again}")
        order = {"symbol": "SPY", "side": "buy", "stop_price": "470", "reason": "it is low"}
        for name, value in MEANT.items():
            await self.refused(client, "draft_order", "wrong-arguments", key=f"never{turn}", **order, **{name: value})
        await self.refused(client, "await_decision", "unknown-draft", key=f"never{turn}")
        await self.refused(client, "submit_order", "overstep", symbol="SPY")
        waited = await self.answered(client, "await_decision", key=key, seconds=self.wait)
        if waited.get("word") not in self.words:
            self.figures.unexpected.append(f"{client.name} waited: {waited}")
        await self.answered(client, "withdraw_draft", key=key)

    async def beside_a_kill(self, client: SdkClient, turn: int, name: str, ends: asyncio.Event) -> None:
        """Draft under new keys until it is over, and draft the last one once more."""
        number = 0
        while not ends.is_set() or number == 0:
            number += 1
            key = f"{name}{turn}.{number}"
            await self.drafts(client, key)
            await self.drafts(client, key)
            await self.answered(client, "withdraw_draft", key=key)

    # ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────

    async def go(self, rounds: int) -> Figures:
        for name in self.ports:
            self.serve(name)
        made = {"python": PythonClient, "typescript": TypeScriptClient}
        clients = [made[name.partition("-")[0]](name, self.server(name)) for name in self.names]
        try:
            for client in clients:
                if why := await client.connect():
                    self.figures.unexpected.append(f"{client.name} connects: {why}")
            for turn in range(rounds):
                if self.is_over():
                    break
                await asyncio.gather(*(self.morning(client, turn) for client in clients))
                await self._killing(clients, turn, "engine", self._kill_the_engine)
                await self._killing(clients, turn, "ended", lambda: self._end_the_servers(signal.SIGTERM))
                await self._killing(clients, turn, "server", lambda: self._end_the_servers(signal.SIGKILL))
                await self._wrong_tokens()
            await self._compare(clients)
        finally:
            for client in clients:
                await client.close()
        return self.figures

    async def _killing(self, clients: Sequence[SdkClient], turn: int, name: str, kill: Any) -> None:
        self.is_killing, ends = True, asyncio.Event()
        drafting = [asyncio.create_task(self.beside_a_kill(client, turn, name, ends)) for client in clients]
        await asyncio.sleep(1)
        await asyncio.to_thread(kill)
        await asyncio.sleep(1)
        ends.set()
        await asyncio.gather(*drafting)
        self.is_killing = False

    def _kill_the_engine(self) -> None:
        self.end()
        self.begin()
        self.figures.kills_of_the_engine += 1

    def _end_the_servers(self, number: signal.Signals) -> None:
        """All of them: those that this program began, and those that the clients did."""
        began = {process.pid for process in self.servers.values()}
        for pid in processes_on(self.account.home_path):
            words = _words_of(pid)
            if "mcp" in words and pid not in began:
                os.kill(pid, number)
                self.figures.kills_of_servers += 1
        for name in self.ports:
            self.servers[name].send_signal(number)
            self.servers[name].wait()
            self.figures.kills_of_servers += 1
            self.serve(name)

    async def _wrong_tokens(self) -> None:
        made = {"python": PythonClient, "typescript": TypeScriptClient}
        for name, port in self.ports.items():
            server = Server(url=f"http://127.0.0.1:{port}/mcp", headers={"Authorization": "Bearer wrong"})
            stranger = made[name.partition("-")[0]](name, server)
            why = await stranger.connect()
            await stranger.close()
            if why:
                self.figures.wrong_tokens_refused += 1
            else:
                self.figures.unexpected.append(f"{name} got in with a wrong token")

    async def _compare(self, clients: Sequence[SdkClient]) -> None:
        """Compare the keys with the drafts that the journal has, and with those that the desk tells."""
        received = Counter(
            (one["data"]["draft"]["agent"], one["data"]["draft"]["key"])
            for one in self.account.records("DraftReceived")
        )
        wanted = {(name, key) for name, keys in self.keys.items() for key in keys}
        self.figures.drafted = len(received)
        self.figures.doubled = sum(count - 1 for count in received.values())
        self.figures.lost = len(wanted - received.keys())
        self.figures.unexpected += [f"drafted without a call: {each}" for each in received.keys() - wanted]
        for client in clients:
            rows = (await self.answered(client, "list_drafts", count=200)).get("drafts", [])
            told = Counter(row["key"] for row in rows)
            self.figures.doubled += sum(count - 1 for count in told.values())


class DayRun(Run):
    """The same beside a demo's engine, which plays a day faster than the wall. It ends and begins with its desk."""

    words = ("waiting", "expired")
    first_day: date | None = None

    def __init__(self, account: Account, names: Sequence[str], wait: float, speed: float) -> None:
        self.speed = speed
        self.handle: EngineHandle | None = None
        super().__init__(account, names, wait)

    def begin(self) -> None:
        host = Host.of(self.account.environ)

        def build(stack: Any) -> Any:
            runtime = demo_runtime(host, DemoOptions(speed=self.speed), stack)
            service_agents(host, runtime, stack)
            return runtime

        handle = self.handle = EngineHandle(build)
        handle.start()
        until(lambda: isinstance(handle.view, DeskView), "the demo is there")

    def end(self) -> None:
        assert self.handle is not None
        self.handle.close("it begins again", LIMIT)

    def close(self) -> None:
        super().close()
        self.end()

    def is_over(self) -> bool:
        """Whether another round would not end before the window for entries does."""
        view = self.handle.view if self.handle is not None else None
        if not isinstance(view, DeskView):
            return False
        at, closes = view.status.at, view.status.market_closes_at
        self.first_day = self.first_day or at.date()
        self.figures.played_until = f"{at:%H:%M} UTC"
        return closes is None or closes - at < LAST_ROUND or at.date() != self.first_day


def _words_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def agents_of(names: Sequence[str]) -> str:
    return "".join(f"\n[agents.{name}]\n{TERMS}" for name in names)


@contextmanager
def a_run(folder: Path, names: Sequence[str], wait: float = LONG_WAIT, day_at: float = 0) -> Iterator[Run]:
    """Clients at an engine in real time, or at a demo of this speed."""
    with Account(folder, settings=SETTINGS + agents_of(names)) as account:
        run = DayRun(account, names, wait, day_at) if day_at else Run(account, names, wait)
        try:
            yield run
        finally:
            run.close()


def is_well(figures: Figures) -> bool:
    return not (figures.unexpected or figures.timeouts or figures.doubled or figures.lost) and (
        figures.longest_call < CLIENTS_WAIT and figures.largest_answer <= LARGEST
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait", type=float, default=LONG_WAIT)
    parser.add_argument("--day", type=float, default=0, metavar="SPEED", help="a demo's day, so much faster")
    chosen = parser.parse_args()
    names = [name for name in NAMES if typescript_sdk() or not name.startswith("typescript")]
    with tempfile.TemporaryDirectory() as folder, a_run(Path(folder), names, chosen.wait, chosen.day) as run:
        figures = asyncio.run(run.go(chosen.rounds))
    print(json.dumps({"clients": names, **vars(figures)}, indent=2))
    return 0 if is_well(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
