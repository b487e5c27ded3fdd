"""A busy demo in a process of its own, killed by the kernel, and what its next start finds.

Every other kill falls between an order's record and the answer to it, as a rule; the others fall after a random number
of records. `SIGKILLS=50` runs the full number; without it a few are enough to notice a break.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

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
from state.files import Home
from state.journal import FileJournal, read
from state.journal_files import segments
from state.running_engine import holder
from tests.real.demo import ran
from tests.real.waiting import until
from tests.scenarios.house import to

KILLS = int(os.environ.get("SIGKILLS", "2"))
SEED = int(os.environ.get("SEED", "2013"))
LOOKS = 50_000
BUSY = DemoOptions(speed=300.0, operator="confirm-all")


def test_a_killed_demo_loses_no_order_and_sends_none_twice(
    tmp_path: Path, record_property: Callable[[str, object], None], request: pytest.FixtureRequest
) -> None:
    """EX-20, EX-06, EX-09, OP-07, SP-03, SP-05"""
    record_property("seed", SEED)
    running = ExitStack()
    request.addfinalizer(running.close)
    chance = random.Random(SEED)
    environ = {**os.environ, "KEYTURN_HOME": str(tmp_path)}
    folder = Home.of(environ).account("demo")
    between_pending_and_answer = 0
    for number in range(KILLS):
        process = started(environ)
        running.callback(process.kill)
        wait_until_it_trades(environ, process)
        wait_for_records(folder.journal, chance.randrange(400), process)
        is_killed_too = number % 5 == 4
        if is_killed_too:
            ran(tmp_path, "kill")
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


def wait_until_it_trades(environ: dict[str, str], process: subprocess.Popen[bytes]) -> None:
    """The heartbeat says `on`, and at least one order went out in this account's life."""
    folder = Home.of(environ).account("demo").path

    def trades() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        status = status_of(Host.of(environ), "demo") if folder.is_dir() else {"state": "no account yet"}
        return status["state"] == "on" and status["pid"] == process.pid and bool(status["orders_sent"])

    until(trades, "it trades")


def wait_for_records(journal: Path, many: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many more were written, or the days of the demo are over."""
    begun = size_of(journal)
    until(lambda: size_of(journal) >= begun + many * 200 or process.poll() is not None, "it goes on")


def size_of(journal: Path) -> int:
    return sum(path.stat().st_size for path in segments(journal))


def stop_between_intent_and_answer(process: subprocess.Popen[bytes], journal: Path) -> None:
    """Stopped there as a rule; after many looks wherever it is. At ×300 the stretch is a third of a millisecond."""
    for _ in range(LOOKS):
        segment = segments(journal)[-1]
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
    theirs = {p.symbol: p.quantity for p in exchange.books(runtime.at).positions}
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
