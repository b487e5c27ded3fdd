"""A pipe, a socket or a device in the place of a file: refused by name and at once, and nothing is lost by it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.settings import display_of
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.files.regular_file import OddFileError
from core.runtime.virtual import VirtualRuntime
from state.files import AccountFolder, Home
from state.proof.heads import read_heads
from state.simulated_logs import file_played
from tests.scenarios.backtests import Keyturn


@pytest.fixture(autouse=True)
def nothing_is_waited_for() -> Iterator[None]:
    """What hangs fails instead."""

    def fails(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, fails)
    signal.alarm(300)
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


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose demo ran and was left; never changed."""
    home = tmp_path_factory.mktemp("ran")
    with ExitStack() as stack:
        runtime = demo(home, stack)
        for _ in range(60):
            runtime.step()
        runtime.stop("left")
    return home / "home"


@pytest.fixture
def ran(template: Path, tmp_path: Path) -> AccountFolder:
    """The account of a copy of that home."""
    shutil.copytree(template, tmp_path / "home")
    return folder(tmp_path)


def replaced(path: Path, make: Callable[[Path], object] = os.mkfifo) -> None:
    """Something else in the place of a file; the file lies beside."""
    if path.exists():
        path.rename(path.with_name(f"{path.name}.aside"))
    make(path)


PIPE = "it is a pipe (FIFO) and no regular file; move it away"


def files(tmp_path: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted((tmp_path / "home").rglob("*")) if p.is_file() and p.name != "lock"}


def test_a_segment_that_is_a_pipe_is_named(keyturn: Keyturn, ran: AccountFolder) -> None:
    """SP-01"""
    (segment,) = ran.journal.glob("*.jsonl")
    replaced(segment)

    for words in (("journal", "verify"), ("journal", "tail"), ("journal", "why", "ab"), ("latency",)):
        answer = keyturn(*words)
        assert (answer.code, answer.err) == (2, f"keyturn: {segment}: {PIPE}\n"), words


@pytest.mark.parametrize("name", ["exchange", "lock", "segment", "settings", "ready"])
def test_a_start_names_the_pipe_and_loses_nothing(
    keyturn: Keyturn, tmp_path: Path, ran: AccountFolder, name: str
) -> None:
    """SP-01, SP-04, OP-10, OP-08"""
    place = {
        "exchange": ran.exchange,
        "lock": ran.lock,
        "segment": next(ran.journal.glob("*.jsonl")),
        "settings": tmp_path / "home" / "settings.toml",
        "ready": ran.path / ".kill_switch_ready",
    }[name]
    replaced(place)
    before = files(tmp_path)

    answer = keyturn("demo", "--headless")

    assert (answer.code, answer.err) == (2, f"keyturn: {place}: {PIPE}\n")
    assert files(tmp_path) == before


COMMANDS = (
    ("replay", "FILE", "--headless"),
    ("replay", "FILE", "--headless", "--symbol", "SPY"),
    ("backtest", "FILE"),
    ("basket", "FILE", "--check"),
    ("regime", "--vix", "FILE"),
    ("regime", "--bars", "FILE", "--vix", "FILE"),
    ("protections", "check", "--trades", "FILE", "--at", "2026-11-20T15:00:00Z"),
    ("state", "restore", "FILE"),
    ("strategies", "check", "FILE"),
)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_no_command_waits_for_an_odd_file(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, snapshot: SnapshotAssertion
) -> None:
    """SP-06, OP-05, AN-04, RK-19, ST-01"""
    monkeypatch.chdir(tmp_path)
    paths = [Path(name) for name in ("odd.py", "SPY_odd.csv")]
    with ExitStack() as stack:
        for path in paths:
            if kind == "pipe":
                os.mkfifo(path)
            elif kind == "socket":
                stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
            else:
                path.symlink_to("/dev/zero")
        answers = [
            keyturn(*(paths[words[0] != "strategies"] if word == "FILE" else word for word in words))
            for words in COMMANDS
        ]

    assert [answer.code for answer in answers] == [2] * 8 + [1]
    assert [answer.err.replace(str(tmp_path), "") or answer.out for answer in answers] == snapshot


def test_a_script_of_keys_that_is_a_pipe_is_named(
    keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """OP-01"""
    path = tmp_path / "keys.txt"
    os.mkfifo(path)

    answer = keyturn("demo", "--headless", "--operator", path)

    assert answer.code == 2
    assert answer.err.replace(str(path), "keys.txt") == snapshot


def test_no_reader_opens_a_pipe(ran: AccountFolder, tmp_path: Path) -> None:
    """SP-06, SP-08: the look of the screen before it is painted, the signed heads, a file that was played"""
    home = tmp_path / "home"
    for path in (home / "settings.toml", ran.heads, tmp_path / "played.csv"):
        replaced(path)

    assert display_of(Host.of({"KEYTURN_HOME": str(home)})) is None
    with pytest.raises(OddFileError):
        read_heads(ran.heads)
    with pytest.raises(OddFileError):
        file_played(tmp_path / "played.csv")


def test_a_running_engine_goes_on_and_names_a_pipe(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-06, OP-05, RK-13: a basket's request, the settings and the heartbeat under a running engine."""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        account = folder(tmp_path)
        os.mkfifo(account.plan_request)
        replaced(account.heartbeat)
        os.mkfifo(tmp_path / "home" / "settings.toml")
        later = count(1e9, 2)
        runtime.keeper.watch.now = lambda: next(later)  # type: ignore[union-attr]

        for _ in range(4):
            runtime.beat()
            runtime.step()

        notes = runtime.engine.notes
        assert [note for note in notes if "plan.request" in note] == snapshot
        found = runtime.engine.state.control.state.settings_file
        assert found is not None
        assert f"settings.toml: {PIPE}" in str(found)
        assert runtime.is_running


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, os.mkdir, lambda path: path.write_bytes(b"\xff\x00" * 9), lambda path: path.symlink_to(path)],
    ids=["pipe", "folder", "no text", "loop"],
)
def test_an_odd_heartbeat_prevents_no_kill(
    keyturn: Keyturn, ran: AccountFolder, make: Callable[[Path], object], snapshot: SnapshotAssertion
) -> None:
    """OP-08, SY-02"""
    replaced(ran.heartbeat, make)

    answer = keyturn("kill")

    assert (answer.code, answer.out) == (0, snapshot)
    assert ran.kill_switch.read_text() == "command\n"
    assert keyturn("status").code == 3


def test_an_odd_heartbeat_of_a_live_engine_is_halted(
    keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-02"""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        replaced(folder(tmp_path).heartbeat, os.mkdir)

        status, kill = keyturn("status"), keyturn("kill")

    assert status.code == 1
    assert status.out.startswith(f"halted, process {os.getpid()}")
    assert (kill.code, kill.out) == (0, snapshot)


@pytest.mark.parametrize("name", ["lock", "exchange"])
def test_a_folder_in_place_of_a_file_is_named(
    keyturn: Keyturn, ran: AccountFolder, name: str, snapshot: SnapshotAssertion
) -> None:
    """SP-04, EX-20"""
    place: Path = getattr(ran, name)
    replaced(place, os.mkdir)

    answer = keyturn("demo", "--headless")

    assert (answer.code, answer.err.replace(str(place), "PLACE")) == (2, snapshot)


def test_a_journal_that_is_a_file_is_not_backed_up(
    keyturn: Keyturn, tmp_path: Path, ran: AccountFolder, snapshot: SnapshotAssertion
) -> None:
    """SP-04: an archive without it would look like one with it."""
    replaced(ran.journal, lambda path: path.write_text("x"))

    answer = keyturn("state", "backup", tmp_path)

    assert (answer.code, answer.err.replace(str(ran.journal), "JOURNAL")) == (2, snapshot)
    assert not list(tmp_path.glob("*.tar.gz"))


@pytest.mark.parametrize("name", ["lock", "kill_switch"])
def test_an_odd_lock_or_switch_prevents_no_kill(keyturn: Keyturn, ran: AccountFolder, name: str) -> None:
    """OP-08: that something is there in the switch's place is the latch, whatever it is."""
    replaced(getattr(ran, name))

    answer = keyturn("kill")

    assert (answer.code, answer.err) == (0, "")
    assert os.path.lexists(ran.kill_switch)
