"""A desk on an engine of another machine: attached, cut off and back, and what it says of every way that fails."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from console.client.ssh_link import SshLink
from core.facts import ConfirmationReceived, DeskAttached, DeskLost, KeyFreed
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.desk import EngineLoading
from tests.kit.served import Served, served
from tests.kit.simulated_runtime import runtime
from tests.kit.through_ssh import DENIED, SERVER, StandIn, Through, through
from tests.kit.waiting import TIMEOUT, until
from tests.real.tools import is_running
from tests.scenarios.test_socket_desks import Told, holds, key_on, with_a_ticket

SILENT = "exec sleep 1000"
FIRST_FAILURES = (
    (DENIED, "Permission denied (publickey).; ssh needs you"),
    ("echo 'sh: 1: keyturn: not found' >&2; exit 127", "finds no program `keyturn` (sh: 1: keyturn: not found)"),
    ("echo Welcome", "It said: Welcome"),
    ("exit 3", "ssh ended with status 3, without a word"),
    ("kill -TERM $$", "ssh was ended by SIGTERM"),
    ("printf 'keyturn relay 99\\n'; exec sleep 1000", "install the same Keyturn on both machines"),
)


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime()


@pytest.fixture
def told(engine: VirtualRuntime) -> Told:
    return Told(engine)


@pytest.fixture
def there(engine: VirtualRuntime, told: Told) -> Iterator[Served]:
    begins = engine.pace.free_until
    assert begins is not None
    with served(engine) as found:
        until(lambda: engine.at >= begins)
        yield found


@pytest.fixture
def ssh(tmp_path: Path, there: Served) -> StandIn:
    program = StandIn(tmp_path / "ssh")
    program.reaches(there)
    return program


def has_a_picture(way: Through) -> None:
    until(lambda: isinstance(way.desk.view, DeskView))


def kills_ssh(way: Through) -> None:
    process = way.link.process
    assert process is not None
    os.kill(process, signal.SIGKILL)


def is_gone(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


def says(way: Through, words: str) -> Callable[[], bool]:
    return lambda: words in (way.desk.link.trouble or "")


# ── attached ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_desk_over_ssh_leaves_no_process(ssh: StandIn, there: Served, engine: VirtualRuntime, told: Told) -> None:
    """SY-01: a ticket is opened and its key turned, and what the relay tells of its engine is said once."""
    with through(ssh) as way:
        until(lambda: isinstance(way.desk.view, DeskView) and holds(way.desk))
        seen = with_a_ticket(engine, way.desk)
        way.desk.send(key_on(seen, 1))
        until(lambda: told.of(ConfirmationReceived))
        assert list(way.desk.unsaid) == ["the engine was started"]
        assert ssh.calls() == [f"{SERVER} keyturn relay"]
        process = way.link.process
        assert process is not None
        way.desk.leave("left", on_purpose=True)
        assert way.desk.ended.wait(TIMEOUT)
    assert is_gone(process)
    until(lambda: told.of(KeyFreed))
    assert told.of(DeskLost) == []


def test_a_press_line_is_opened_again(ssh: StandIn, engine: VirtualRuntime, told: Told) -> None:
    """OP-07"""
    with through(ssh) as way:
        has_a_picture(way)
        line = way.desk._conversation._line  # type: ignore[union-attr]
        first = line.connection
        assert first is not None
        first.shutdown(socket.SHUT_RDWR)
        until(lambda: line.connection not in (None, first))
        way.desk.press_kill()
        until(lambda: engine.latch.presses == 1 and not line.is_owed)
        assert way.desk.link.trouble is None
        assert told.of(DeskLost) == []
        assert len(ssh.calls()) == 1


# ── cut ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_killed_ssh_is_replaced(ssh: StandIn, there: Served, engine: VirtualRuntime, told: Told) -> None:
    """SY-01, OP-13: meanwhile its picture stays, nothing is asked; OP-07: what is pressed arrives first."""
    with through(ssh) as way:
        until(lambda: isinstance(way.desk.view, DeskView) and holds(way.desk))
        ssh.does("echo 'no route to host' >&2; exit 255")
        kills_ssh(way)
        until(says(way, f"the link to {SERVER} broke: "))
        until(says(way, "no route to host; tried again in"))
        way.desk.press_kill()
        assert isinstance(way.desk.view, DeskView)
        assert way.desk.link.doubt is not None
        assert engine.latch.presses == 0
        ssh.reaches(there)
        until(lambda: engine.latch.presses == 1)
        until(lambda: way.desk.link.trouble is None and holds(way.desk))
        assert way.desk.desk == 1
    assert [(fact.desk, fact.is_back) for fact in told.of(DeskAttached)] == [(1, False), (1, True)]


def test_a_silent_ssh_is_replaced(ssh: StandIn, there: Served) -> None:
    """SY-01"""
    with through(ssh, timeout=1.5) as way:
        has_a_picture(way)
        ssh.does(SILENT)
        first = way.link.process
        kills_ssh(way)
        until(lambda: way.link.process not in (None, first))
        silent = way.link.process
        assert silent is not None
        until(says(way, f"{SERVER} says nothing"))
        assert is_gone(silent)


def test_output_of_a_login_shell_is_named(ssh: StandIn, there: Served) -> None:
    """SY-01, SY-06: control characters of the other side are harmless."""
    with through(ssh) as way:
        has_a_picture(way)
        ssh.reaches(there, before="echo 'Welcome to the server'")
        kills_ssh(way)
        until(says(way, "does its shell print something at a login? It said: Welcome to the server"))
        ssh.does(DENIED)
        until(says(way, "Permission denied (publickey).; ssh needs you: leave, and attach again with"))
        ssh.does("printf 'evil \\033[2J words\\n' >&2; exit 255")
        until(says(way, "words"))
        assert "\x1b" not in (way.desk.link.trouble or "")
        ssh.path.unlink()
        until(says(way, "cannot be started: No such file"))
        ssh.reaches(there)
        until(lambda: way.desk.link.trouble is None)


def test_a_desk_without_a_link_is_left_at_once(ssh: StandIn, there: Served) -> None:
    """SY-01: whatever ssh is doing."""
    with through(ssh) as way:
        has_a_picture(way)
        ssh.does(SILENT)
        kills_ssh(way)
        until(lambda: len(ssh.calls()) == 2)
        way.desk.leave("left", on_purpose=True)
        assert way.desk.ended.wait(TIMEOUT)
        silent = way.link.process
        way.link.close()
        assert silent is None or is_gone(silent)


# ── not attached ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unreached_engine_is_reported(ssh: StandIn, there: Served) -> None:
    """SY-01: the desk waits for it."""
    there.path.unlink()
    with through(ssh) as way:
        until(says(way, "no engine runs here"))
        assert isinstance(way.desk.view, EngineLoading)
        assert "no engine runs here" in way.desk.view.what


def test_a_first_ssh_that_fails_is_an_error(ssh: StandIn) -> None:
    """SY-01: before the desk is painted."""
    for calls, (does, words) in enumerate(FIRST_FAILURES, 1):
        ssh.does(does)
        with pytest.raises(OperatorError) as refused, through(ssh):
            pass
        assert words in str(refused.value), does
        assert len(ssh.calls()) == calls


def test_two_ctrl_c_leave_no_ssh(tmp_path: Path) -> None:
    """SY-01: the second arrives while ssh is being ended."""
    program = StandIn(tmp_path / "ssh")
    program.does("cat > /dev/null\nkill -INT $PPID\nexec sleep 1000.75")
    link = SshLink(SERVER, str(program.path), lambda line: None)

    def press() -> None:
        until(lambda: any(thread.name == "ssh link" for thread in threading.enumerate()))
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker of the test run ignores it
    try:
        person = threading.Thread(target=press)
        person.start()
        with pytest.raises(KeyboardInterrupt):
            link.begin(lambda words: None)
        person.join()
        process = link.process
        assert process is not None
        link.close()
        assert not is_running(process)
    finally:
        signal.signal(signal.SIGINT, before)
