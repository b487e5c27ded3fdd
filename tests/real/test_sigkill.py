"""A busy demo in a process of its own, killed by the kernel, and what its next start finds.

Every other kill falls between an order's record and the answer to it, as a rule; the others fall at random instants.
`SIGKILLS=50` runs the full number; without it a few are enough to notice a break.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.commands.status import status_of
from core.execution.past_orders import PastInMemory
from core.facts import OrderCreated, OrderStateChanged
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Rearm
from core.model.account import Mode
from core.model.order import OrderStatus
from core.runtime.virtual import VirtualRuntime
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from state.folders import Home
from state.journal import FileJournal, read
from state.journal_segments import segments
from state.lock import holder
from tests.scenarios.house import to

KILLS = int(os.environ.get("SIGKILLS", "4"))
SEED = int(os.environ.get("SEED", "2013"))
BUSY = DemoOptions(speed=300.0, operator="confirm-all")


def test_a_desk_killed_at_any_instant_finds_every_order_again_and_sends_none_twice(tmp_path: Path) -> None:
    """EX-20, EX-06, EX-09, OP-07, SP-03, SP-05"""
    chance = random.Random(SEED)
    environ = {**os.environ, "KEYTURN_HOME": str(tmp_path)}
    folder = Home.of(environ).account("demo")
    between_pending_and_answer = 0
    for number in range(KILLS):
        process = started(environ)
        wait_until_it_trades(environ, process)
        time.sleep(chance.uniform(0.2, 1.6))
        is_killed_too = number % 5 == 4
        if is_killed_too:
            keyturn(environ, "kill")
        if number % 2 and not is_killed_too:
            stop_between_intent_and_answer(process, folder.journal)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert holder(folder) is None
        between_pending_and_answer += has_pending(folder.journal)
        with ExitStack() as stack:
            runtime = demo_runtime(Host.of(environ), BUSY, stack)
            runtime.operator = None
            door = CommandPort(PortKind.SCRIPT)
            runtime.admit(door.known)
            runtime.pace.speed = None
            quiet(runtime)
            assert_books_agree(runtime)
            assert_state_is_the_fold_of_the_journal(runtime)
            assert (runtime.engine.state.control.killed_by is not None) is is_killed_too
            despite = tuple(order.id for order in runtime.engine.state.ledger.working())
            runtime.obey(door.through(to(runtime, Rearm("REARM", despite))))
            runtime.stop("checked")
    assert_nothing_was_sent_twice(folder.exchange)
    print(f"\nkills {KILLS}, seed {SEED}, between PENDING and its answer: {between_pending_and_answer}")
    assert between_pending_and_answer >= KILLS // 5


def started(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    keyturn_demo = [sys.executable, "-m", "app", "demo", "--headless", "--speed", "300", "--operator", "confirm-all"]
    return subprocess.Popen(keyturn_demo, env=environ, stderr=subprocess.PIPE)


def keyturn(environ: dict[str, str], *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "app", *words], env=environ, capture_output=True, text=True, check=False
    ).stdout


def wait_until_it_trades(environ: dict[str, str], process: subprocess.Popen[bytes]) -> None:
    """The heartbeat says `on`, and at least one order went out in this account's life."""
    until = time.monotonic() + 30
    status: dict[str, object] = {"state": "no account yet"}
    folder = Home.of(environ).account("demo").path
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        if folder.is_dir():
            status = status_of(Host.of(environ), "demo")
        if status["state"] == "on" and status["pid"] == process.pid and status["orders_sent"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"not trading within 30 s: {status}")


def stop_between_intent_and_answer(process: subprocess.Popen[bytes], journal: Path) -> None:
    """Stopped there as a rule; after ten seconds wherever it is. At ×300 the stretch is a third of a millisecond."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        segment = segments(journal)[-1]
        for _ in range(200):
            if not is_answer_owed(segment):
                continue
            process.send_signal(signal.SIGSTOP)
            if is_answer_owed(segment):
                return
            process.send_signal(signal.SIGCONT)


def is_answer_owed(segment: Path, tail: int = 8_192) -> bool:
    """Whether the last order that was recorded has no answer yet, as the end of the segment has it."""
    with segment.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - tail))
        end = file.read()
    created = end.rpartition(b'"fact":"OrderCreated"')
    return bool(created[1]) and b'"fact":"OrderStateChanged"' not in created[2]


def has_pending(journal: Path) -> bool:
    """Whether the crash fell between an intent and the broker's word on it."""
    pending: set[str] = set()
    for record in read(journal):
        if isinstance(record.fact, OrderCreated):
            pending.add(record.fact.order.client_order_id)
        elif isinstance(record.fact, OrderStateChanged):
            pending.discard(record.fact.client_order_id)
    return bool(pending)


def quiet(runtime: VirtualRuntime) -> None:
    """The start as it is, and two minutes of market after it, in which nobody presses a key."""
    runtime.run(until=runtime.at + timedelta(minutes=2))
    while runtime._heap:
        runtime.step()


def assert_books_agree(runtime: VirtualRuntime) -> None:
    desk, exchange = runtime.engine.state, runtime.exchange
    theirs = {p.symbol: p.quantity for p in exchange.picture(runtime.at).positions}
    ours = {p.symbol: desk.ledger.net_quantity(p.symbol) for p in desk.ledger.positions()}
    assert ours == theirs
    for report in exchange.orders(runtime.at):
        order = desk.ledger.order(report.client_order_id) or desk.ledger.retention.forgotten(report.client_order_id)
        assert order is not None, f"the desk does not know {report}"
        assert (order.status, order.filled_quantity) == (report.status, report.filled_quantity)
    known = {report.client_order_id for report in exchange.orders(runtime.at)}
    for order in desk.ledger.state.orders.values():
        never_there = order.status in (OrderStatus.CANCELLED, OrderStatus.REJECTED) and not order.filled_quantity
        assert order.id in known or never_there, f"{order} is on our books alone"


def assert_state_is_the_fold_of_the_journal(runtime: VirtualRuntime) -> None:
    desk = runtime.engine.state
    desk.journal.flush()
    other = TradingState(desk.account_name, Mode.PAPER, desk.calendar, ReadOnly(desk.journal))  # type: ignore[arg-type]
    checkpoint.rebuild(other, None)
    assert checkpoint.states(other) == checkpoint.states(desk)


class ReadOnly:
    """The same journal, for reading."""

    def __init__(self, journal: FileJournal) -> None:
        self.folder = journal.folder
        self.sequence = journal.sequence
        self.last_at = journal.last_at
        self.past = PastInMemory()

    def records(self, after: int = 0):  # type: ignore[no-untyped-def]
        return read(self.folder, after)


def assert_nothing_was_sent_twice(log: Path) -> None:
    records = [json.loads(line) for line in log.read_text().splitlines()]
    sent = [record["client_order_id"] for record in records if record["request"] in ("submit", "replace")]
    assert len(sent) == len(set(sent))
    print(f"orders at the exchange: {len(sent)}", end="")
