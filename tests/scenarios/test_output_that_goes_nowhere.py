"""The program with its output closed or on a full disk: one line, and the right name in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.waiting import PATIENCE


def keyturn(home: Path, words: str, redirected: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m app {words} {redirected}'],
        env={**os.environ, "KEYTURN_HOME": str(home), "APCA_API_KEY_ID": "", "APCA_API_SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code", "redirected"),
    [("doctor", 1, ">&-"), ("doctor --json", 1, ">&- <&- 2>&-"), ("demo", 2, "<&-"), ("demo", 2, "2>&-")],
)
def test_a_closed_output_changes_nothing_else(tmp_path: Path, words: str, code: int, redirected: str) -> None:
    """SY-07"""
    ended = keyturn(tmp_path, words, redirected)

    assert ended.returncode == code
    assert "unexpected" not in ended.stderr


def test_what_is_opened_first_never_stands_where_others_print(tmp_path: Path) -> None:
    """SP-01: with its output closed a program's first file would get that number."""
    environ = {**os.environ, "KEYTURN_HOME": str(tmp_path)}
    desk = subprocess.Popen(["sh", "-c", f'exec "{sys.executable}" -m app demo --headless >&- 2>&-'], env=environ)
    try:
        while not (tmp_path / "state" / "demo" / "heartbeat").exists():
            assert desk.poll() is None
            os.sched_yield()
        at = {name: os.readlink(f"/proc/{desk.pid}/fd/{name}") for name in ("1", "2")}
        desk.send_signal(signal.SIGTERM)
        assert desk.wait(PATIENCE) == 0
    finally:
        desk.kill()

    assert at == {"1": "/dev/null", "2": "/dev/null"}
    assert keyturn(tmp_path, "journal verify").returncode == 0


@pytest.mark.parametrize("words", ["status", "status --json"])
def test_a_full_output_is_said_and_is_no_disk_of_ours(tmp_path: Path, words: str) -> None:
    """SY-07"""
    ended = keyturn(tmp_path, words, ">/dev/full")

    assert ended.returncode == 2
    said = "keyturn: the output cannot be written: No space left on device; free some room, or print elsewhere\n"
    assert ended.stderr == said


def test_a_disk_that_is_full_is_named_by_its_file(tmp_path: Path) -> None:
    """SP-06: a limit on the size of a file is a full disk's error at the real write."""
    program = (
        "import resource, signal, sys, app; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); sys.argv = ['keyturn', *sys.argv[1:]]; app.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "demo", "--headless"],
        env={**os.environ, "KEYTURN_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (2, f"keyturn: {tmp_path}/state/demo/lock: File too large\n")
