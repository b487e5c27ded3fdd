"""The program with its output closed or on a full disk: one line, and the right name in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.real.waiting import LIMIT, until


def keyturn(home: Path, words: str, redirected: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m app {words} {redirected}'],
        env={**os.environ, "KEYTURN_HOME": str(home), "APCA_API_KEY_ID": "", "APCA_API_SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


def test_a_closed_or_full_output_ends_in_one_line(tmp_path: Path) -> None:
    """SY-07, SP-06: a full output is no disk of ours; a disk that is full is named by its file."""
    for words, code, redirected in (
        ("doctor", 1, ">&-"),
        ("doctor --json", 1, ">&- <&- 2>&-"),
        ("demo", 2, "<&-"),
        ("demo", 2, "2>&-"),
    ):
        ended = keyturn(tmp_path, words, redirected)
        assert ended.returncode == code, (words, redirected)
        assert "unexpected" not in ended.stderr, (words, redirected)

    ended = keyturn(tmp_path, "status", ">/dev/full")
    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, line.partition(":")[0]) == (2, "keyturn")
    assert os.strerror(28) in line
    assert str(tmp_path) not in line

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
        timeout=LIMIT,
    )
    assert (ended.returncode, ended.stderr) == (2, f"keyturn: {tmp_path}/state/demo/lock: File too large\n")


def test_closed_outputs_and_pipes_stop_no_engine(tmp_path: Path) -> None:
    """SP-01, SY-01: no file of it gets the number of an output; pipes in the place of files never catch its thread."""
    environ = {**os.environ, "KEYTURN_HOME": str(tmp_path)}
    desk = subprocess.Popen(["sh", "-c", f'exec "{sys.executable}" -m app demo --headless >&- 2>&-'], env=environ)

    def beats() -> bool:
        assert desk.poll() is None
        return (tmp_path / "state" / "demo" / "heartbeat").exists()

    try:
        until(beats)
        at = {name: os.readlink(f"/proc/{desk.pid}/fd/{name}") for name in ("1", "2")}
        os.mkfifo(tmp_path / "state" / "demo" / "plan.request")
        os.mkfifo(tmp_path / "settings.toml")
        desk.send_signal(signal.SIGTERM)
        assert desk.wait(LIMIT) == 0
    finally:
        desk.kill()

    assert at == {"1": os.devnull, "2": os.devnull}
    (tmp_path / "settings.toml").unlink()
    assert keyturn(tmp_path, "journal verify").returncode == 0
