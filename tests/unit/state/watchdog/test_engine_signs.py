"""What is to be seen of an engine from outside, and what the watchdog writes down."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from state.files import AccountFolder, Home
from state.running_engine import EngineLock, Heartbeat, Status
from state.watchdog.judge import EngineSigns, cpu_of, resident_of
from state.watchdog.presence import LARGEST_LOG, WatchdogLog
from tests.kit.rows import cases

STATUS = Status("on", os.getpid(), "paper", 0, 0, 0, 0, 5, "paper")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home.of({"KEYTURN_HOME": str(tmp_path)})
    for name in ("another", "paper"):
        found.account(name).prepare()
    return found


def test_the_lock_tells_the_account(home: Home) -> None:
    """SY-02: whatever another account's heartbeat says."""
    Heartbeat(home.account("another")).beat(STATUS)
    signs = EngineSigns(home)
    signs.begin(os.getpid())
    assert (signs.look(1.0).beat, signs.folder) == (None, None)

    with EngineLock(home.account("paper")):
        Heartbeat(home.account("paper")).beat(STATUS)
        seen = signs.look(2.0)

    assert signs.folder == home.account("paper")
    assert (seen.at, seen.odd, seen.status) == (2.0, None, STATUS)
    assert seen.beat == home.account("paper").heartbeat.stat().st_mtime_ns


@cases(
    "make odd",
    (os.mkfifo, "no regular file"),
    (os.mkdir, "a folder"),
    (lambda path: path.symlink_to("/dev/zero"), "a link"),
)
def test_what_is_no_file_is_named_and_not_opened(home: Home, make: Callable[[Path], object], odd: str) -> None:
    """SY-02"""
    folder = home.account("paper")
    signs = EngineSigns(home)
    signs.begin(os.getpid())
    with EngineLock(folder):
        make(folder.heartbeat)
        seen = signs.look(1.0)

    assert (seen.beat, seen.status) == (None, None)
    assert seen.odd == f"{folder.heartbeat} is {odd}"


def test_a_folder_that_takes_no_file_is_known(home: Home) -> None:
    """SY-02, SP-06: and a probe of one that does leaves nothing behind."""
    folder: AccountFolder = home.account("paper")
    signs = EngineSigns(home)
    assert signs.disk_refuses() is None
    signs.begin(os.getpid())
    with EngineLock(folder):
        signs.look(1.0)
    before = sorted(folder.path.iterdir())
    assert signs.disk_refuses() is None
    assert sorted(folder.path.iterdir()) == before

    shutil.rmtree(folder.path)
    assert signs.disk_refuses() == os.strerror(errno.ENOENT)


def test_memory_is_that_of_the_process() -> None:
    """SY-02"""
    page = b"\1" * mmap.PAGESIZE
    before = resident_of(os.getpid())
    with mmap.mmap(-1, 15_000 * len(page)) as ballast:  # pages that nothing had before: a freed list's would not count
        for _ in range(15_000):
            ballast.write(page)
        after = resident_of(os.getpid())
        size = len(ballast)

    assert before is not None
    assert after is not None
    assert after - before > 0.8 * size
    assert resident_of(2**22 + 1) is None


def test_log_lines_wait_for_their_account(home: Home) -> None:
    """SY-02, SY-06: no word of a broken engine writes a line or a control character of its own."""
    folder, shown = home.account("paper"), list[str]()
    log = WatchdogLog(shown.append)
    log.say("before\x1b[2J it")
    log.is_of(folder)
    log.alert("after")

    kept = folder.watchdog_log.read_text().splitlines()
    assert shown == ["keyturn watchdog: before [2J it", "keyturn watchdog: ALERT after"]
    assert [line.split("Z ", 1)[1] for line in kept] == ["before [2J it", "ALERT after"]


def test_a_log_that_has_grown_is_put_aside(home: Home) -> None:
    """SY-02"""
    folder = home.account("paper")
    folder.watchdog_log.write_bytes(b"x" * (LARGEST_LOG + 1))
    log = WatchdogLog(lambda _: None)
    log.is_of(folder)

    log.say("a new one")

    assert folder.watchdog_log.stat().st_size < 100
    assert (folder.logs / "watchdog.log.1").stat().st_size > LARGEST_LOG


def test_an_unwritable_log_is_still_shown(home: Home) -> None:
    """SY-02, SP-06"""
    folder, shown = home.account("paper"), list[str]()
    os.mkfifo(folder.watchdog_log)
    log = WatchdogLog(shown.append)
    log.is_of(folder)

    log.say("words")
    folder.watchdog_log.unlink()
    log.say("more")

    assert len(shown) == 2
    assert [line.split("Z ", 1)[1] for line in folder.watchdog_log.read_text().splitlines()] == ["words", "more"]


def test_processor_time_is_that_of_the_process() -> None:
    """SY-02: as the kernel counts it for the process itself; nothing is known of one that is gone"""
    before = cpu_of(os.getpid())
    own = os.times()
    after = cpu_of(os.getpid())

    assert before is not None
    assert after is not None
    assert before <= own.user + own.system + 0.02
    assert own.user + own.system <= after + 0.02
    assert cpu_of(2**22 + 1) is None


def test_processor_time_of_ps_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SY-02: macOS has no /proc"""
    monkeypatch.setattr("state.watchdog.judge.PROC", tmp_path / "none")
    for said, seconds in (("0:01.50", 1.5), ("12:01.50", 721.5), ("1:02:03", 3723.0), ("", None), ("ps: no", None)):
        monkeypatch.setattr("state.watchdog.judge._ps", lambda *_, said=said: said)
        assert cpu_of(1) == seconds
