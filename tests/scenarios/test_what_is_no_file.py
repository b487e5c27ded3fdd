"""A pipe, a socket or a device in the place of a file: refused by name and at once, and nothing is lost by it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.runtime.virtual import VirtualRuntime
from state.folders import AccountFolder, Home
from tests.kit.waiting import PATIENCE
from tests.scenarios.backtests import Keyturn


@pytest.fixture(autouse=True)
def nothing_is_waited_for() -> Iterator[None]:
    """What hangs fails instead."""

    def fails(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, fails)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def demo(tmp_path: Path, stack: ExitStack) -> VirtualRuntime:
    environ = {"KEYTURN_HOME": str(tmp_path / "home")}
    runtime = demo_runtime(Host.of(environ), DemoOptions(), stack)
    runtime.pace.speed = None
    return runtime


def folder(tmp_path: Path) -> AccountFolder:
    return Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo")


def an_account_that_ran(tmp_path: Path) -> AccountFolder:
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        for _ in range(60):
            runtime.step()
        runtime.stop("left")
    return folder(tmp_path)


def replaced(path: Path, make: Callable[[Path], object] = os.mkfifo) -> None:
    """Something else in the place of a file; the file lies beside."""
    if path.exists():
        path.rename(path.with_name(f"{path.name}.aside"))
    make(path)


PIPE = "it is a pipe (FIFO) and no regular file; move it away"


def files(tmp_path: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted((tmp_path / "home").rglob("*")) if p.is_file() and p.name != "lock"}


@pytest.mark.parametrize("words", [("journal", "verify"), ("journal", "tail"), ("journal", "why", "ab"), ("latency",)])
def test_a_segment_that_is_a_pipe_is_named(keyturn: Keyturn, tmp_path: Path, words: tuple[str, ...]) -> None:
    """SP-01"""
    account = an_account_that_ran(tmp_path)
    (segment,) = account.journal.glob("*.jsonl")
    replaced(segment)

    answer = keyturn(*words)

    assert (answer.code, answer.err) == (2, f"keyturn: {segment}: {PIPE}\n")


@pytest.mark.parametrize("name", ["exchange", "lock", "segment", "settings", "ready"])
def test_a_start_names_it_and_loses_nothing(keyturn: Keyturn, tmp_path: Path, name: str) -> None:
    """SP-01, SP-04, OP-10, OP-08"""
    account = an_account_that_ran(tmp_path)
    place = {
        "exchange": account.exchange,
        "lock": account.lock,
        "segment": next(account.journal.glob("*.jsonl")),
        "settings": tmp_path / "home" / "settings.toml",
        "ready": account.path / ".kill_switch_ready",
    }[name]
    replaced(place)
    before = files(tmp_path)

    answer = keyturn("demo", "--headless")

    assert (answer.code, answer.err) == (2, f"keyturn: {place}: {PIPE}\n")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "FILE", "--headless"),
        ("replay", "FILE", "--headless", "--symbol", "SPY"),
        ("backtest", "FILE"),
        ("basket", "FILE", "--check"),
        ("regime", "--vix", "FILE"),
        ("regime", "--bars", "FILE", "--vix", "FILE"),
        ("protections", "check", "--trades", "FILE", "--at", "2026-11-20T15:00:00Z"),
        ("state", "restore", "FILE"),
        ("strategies", "check", "FILE"),
    ],
)
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_no_command_waits_for_what_it_is_given(
    keyturn: Keyturn, tmp_path: Path, words: tuple[str, ...], kind: str
) -> None:
    """SP-06, OP-05, AN-04, RK-19, ST-01"""
    path = tmp_path / ("odd.py" if words[0] == "strategies" else "SPY_odd.csv")
    server = socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        server.bind(str(path))
    else:
        path.symlink_to("/dev/zero")

    answer = keyturn(*(path if word == "FILE" else word for word in words))

    assert answer.code == (1 if words[0] == "strategies" else 2)
    told = answer.err or answer.out
    assert path.name in told
    assert "no regular file" in told or "no file of text" in told
    assert answer.err.count("\n") <= 1


def test_a_script_of_keys_that_is_a_pipe_is_named(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-01"""
    path = tmp_path / "keys.txt"
    os.mkfifo(path)

    answer = keyturn("demo", "--headless", "--operator", path)

    assert (answer.code, answer.err) == (
        2,
        f"keyturn: --operator: {path} cannot be read: {PIPE}; name a script of keys, `none` or `confirm-all`\n",
    )


def test_an_engine_that_runs_goes_on_and_says_what_it_found(tmp_path: Path) -> None:
    """SP-06, OP-05, RK-13: a basket's request, the settings and the heartbeat under a running engine."""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        account = folder(tmp_path)
        os.mkfifo(account.plan_request)
        replaced(account.heartbeat)
        os.mkfifo(tmp_path / "home" / "settings.toml")
        later = count(time.monotonic() + 10, 2)
        runtime.keeper.watch.now = lambda: next(later)  # type: ignore[union-attr]

        for _ in range(4):
            runtime.beat()
            runtime.step()

        notes = runtime.engine.notes
        assert notes.count(f"a basket could not be taken: plan.request: {PIPE}; mend the folder") == 1
        found = runtime.engine.state.control.state.settings_file
        assert found is not None
        assert f"settings.toml: {PIPE}" in str(found)
        assert runtime.is_running


def test_an_engine_beside_a_pipe_still_hears_that_it_should_end(tmp_path: Path) -> None:
    """SY-01: its thread is never caught in a file."""
    home = tmp_path / "home"
    environ = {**os.environ, "KEYTURN_HOME": str(home)}
    desk = subprocess.Popen([sys.executable, "-m", "app", "demo", "--headless"], env=environ, stderr=subprocess.PIPE)
    try:
        while not (home / "state" / "demo" / "heartbeat").exists():
            assert desk.poll() is None
            os.sched_yield()
        os.mkfifo(home / "state" / "demo" / "plan.request")
        os.mkfifo(home / "settings.toml")

        desk.send_signal(signal.SIGTERM)

        assert desk.wait(PATIENCE) == 0
    finally:
        desk.kill()
        desk.communicate()


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: path.write_bytes(b"\xff\x00" * 9), lambda path: path.symlink_to(path)]
)
def test_a_strange_heartbeat_keeps_nobody_from_a_kill(
    keyturn: Keyturn, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """OP-08, SY-02"""
    account = an_account_that_ran(tmp_path)
    replaced(account.heartbeat, make)

    answer = keyturn("kill")

    assert (answer.code, answer.out) == (0, "demo: no engine runs; it will start killed\n")
    assert account.kill_switch.read_text() == "command\n"
    assert keyturn("status").code == 3


def test_a_strange_heartbeat_of_an_engine_that_runs_is_halted_not_starting(keyturn: Keyturn, tmp_path: Path) -> None:
    """SY-02"""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        replaced(folder(tmp_path).heartbeat, os.mkdir)

        status, kill = keyturn("status"), keyturn("kill")

    assert status.code == 1
    assert status.out.startswith(f"halted, process {os.getpid()}")
    assert (kill.code, kill.out) == (0, "demo: killed; `keyturn status` shows what still works\n")


@pytest.mark.parametrize("name", ["lock", "exchange"])
def test_a_folder_in_a_files_place_is_told_with_what_to_do(keyturn: Keyturn, tmp_path: Path, name: str) -> None:
    """SP-04, EX-20"""
    place: Path = getattr(an_account_that_ran(tmp_path), name)
    replaced(place, os.mkdir)

    answer = keyturn("demo", "--headless")

    said = f"keyturn: {place}: Is a directory; a file belongs there, move the folder away\n"
    assert (answer.code, answer.err) == (2, said)


def test_a_journal_that_is_a_file_is_not_backed_up_as_none(keyturn: Keyturn, tmp_path: Path) -> None:
    """SP-04: an archive without it would look like one with it."""
    account = an_account_that_ran(tmp_path)
    replaced(account.journal, lambda path: path.write_text("x"))

    answer = keyturn("state", "backup", tmp_path)

    assert answer.code == 2
    assert answer.err == f"keyturn: {account.journal} is no folder: the journal is not there; put it back\n"
    assert not list(tmp_path.glob("*.tar.gz"))


@pytest.mark.parametrize("name", ["lock", "kill_switch"])
def test_a_strange_lock_or_switch_keeps_nobody_from_a_kill(keyturn: Keyturn, tmp_path: Path, name: str) -> None:
    """OP-08: that something is there in the switch's place is the latch, whatever it is."""
    account = an_account_that_ran(tmp_path)
    replaced(getattr(account, name))

    answer = keyturn("kill")

    assert (answer.code, answer.err) == (0, "")
    assert os.path.lexists(account.kill_switch)
