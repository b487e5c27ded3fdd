"""A desk that was started with `--set`, and now without: it says just that, and never that a file has changed."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Confirm, OpenTicket
from core.messages.inputs import Start
from core.model.values import Symbol
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from tests.scenarios.house import to

DOOR = CommandPort(PortKind.SCRIPT)
TIGHT = "risk.daily_loss.usd=5"


def demo(home: Path, stack: ExitStack, *overrides: str, **variables: str) -> VirtualRuntime:
    environ = {"KEYTURN_HOME": str(home), **variables}
    runtime = demo_runtime(Host.of(environ), DemoOptions(profile="micro", overrides=overrides), stack)
    runtime.pace.speed = None
    runtime.admit(DOOR.known)
    later = count(10**9, 2)  # beyond any reading of the clock that the engine began with
    runtime.keeper.watch.now = lambda: next(later)  # type: ignore[union-attr]
    return runtime


def why_entries_are_shut(runtime: VirtualRuntime) -> str | None:
    """After the engine has looked at its settings file."""
    if runtime.engine.state.control.state.settings_file is None:
        runtime.take(runtime.at, Start())
    for _ in range(4):
        runtime.beat()
        runtime.step()
    return runtime.engine.state.control.state.settings_file


def started(home: Path, *overrides: str, **variables: str) -> str | None:
    with ExitStack() as stack:
        runtime = demo(home, stack, *overrides, **variables)
        said = why_entries_are_shut(runtime)
        runtime.stop("left")
    return said


def test_a_missing_set_option_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10"""
    assert started(tmp_path, TIGHT) is None

    assert [started(tmp_path), started(tmp_path)] == snapshot
    assert started(tmp_path, TIGHT) is None


def test_a_changed_file_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13: also beside a `--set` that was left out."""
    started(tmp_path, TIGHT)
    (tmp_path / "settings.toml").write_text("risk.weekly_loss.usd = 90\n")

    assert started(tmp_path) == snapshot


def test_a_later_file_change_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    started(tmp_path, TIGHT)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        first = why_entries_are_shut(runtime)
        (tmp_path / "settings.toml").write_text("risk.daily_loss.usd = 50\n")
        then = why_entries_are_shut(runtime)

    assert [first, then] == snapshot


def test_a_new_variable_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10"""
    started(tmp_path)

    assert [started(tmp_path, KEYTURN_RISK__ENTRIES_A_DAY="20") for _ in range(2)] == snapshot
    assert started(tmp_path) is None


def test_a_missing_variable_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10: for as long as that makes the difference."""
    started(tmp_path, KEYTURN_RISK__DAILY_LOSS__USD="5")

    assert [started(tmp_path) for _ in range(2)] == snapshot
    assert started(tmp_path, KEYTURN_RISK__DAILY_LOSS__USD="5") is None


def test_an_idle_missing_variable_is_forgotten(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13: a file that changes later is said to have."""
    started(tmp_path, KEYTURN_RISK__ENTRIES_A_DAY="1")
    assert started(tmp_path) is None
    (tmp_path / "settings.toml").write_text("risk.entries_a_day = 9\n")

    assert started(tmp_path) == snapshot


def test_a_new_set_option_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10: it goes over a variable."""
    started(tmp_path)

    assert started(tmp_path, "risk.entries_a_day=9", KEYTURN_RISK__ENTRIES_A_DAY="20") == snapshot


def test_a_changed_file_and_variable_are_both_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    started(tmp_path)
    (tmp_path / "settings.toml").write_text("risk.max_open_positions = 9\n")

    assert started(tmp_path, KEYTURN_RISK__ENTRIES_A_DAY="20") == snapshot


def test_no_value_of_a_variable_is_remembered(tmp_path: Path) -> None:
    """SY-06: the environment may hold what no file should."""
    started(tmp_path, KEYTURN_REGIME__VIX_URL="https://example.org/vix?token=hush")

    kept = (tmp_path / "state" / "demo" / "started-with.json").read_text()

    assert "KEYTURN_REGIME__VIX_URL" in kept
    assert "hush" not in kept


def test_a_held_symbol_left_out_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-10: it can no longer be looked at."""
    both, one = 'symbols=["QQQ", "SPY"]', 'symbols=["QQQ"]'
    started(tmp_path, one)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack, both)
        runtime.take(runtime.at, Start())
        desk = runtime.engine.state
        opened: set[str] = set()
        while desk.ledger.net_quantity(Symbol("SPY")) == 0:
            assert runtime.step()
            for proposal in desk.stage.proposals():
                if proposal.id not in opened and proposal.order.symbol == "SPY":
                    opened.add(proposal.id)
                    runtime.obey(to(runtime, OpenTicket(proposal.id)))
            for ticket in list(desk.stage.state.tickets.values()):
                key = Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces)
                runtime.obey(DOOR.through(to(runtime, key)))
        runtime.stop("left")

    with pytest.raises(OperatorError) as raised, ExitStack() as stack:
        demo(tmp_path, stack)

    assert str(raised.value) == snapshot


def test_a_damaged_memory_is_passed_over(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-06: nothing rests on it."""
    said = []
    for number, content in enumerate((b"", b"null", b"[1]", b"\xff", b'{"set": 1, "variables": [2]}')):
        home = tmp_path / str(number)
        started(home, TIGHT)
        (home / "state" / "demo" / "started-with.json").write_bytes(content)
        said.append(started(home))

    assert (set(said), said[0]) == ({said[0]}, snapshot)
