"""Pipes in the place of files beside a real engine: its thread is never caught in one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.real.waiting import LIMIT, until


def test_an_engine_beside_a_pipe_ends_when_asked(tmp_path: Path) -> None:
    """SY-01"""
    home = tmp_path / "home"
    environ = {**os.environ, "KEYTURN_HOME": str(home)}
    desk = subprocess.Popen([sys.executable, "-m", "app", "demo", "--headless"], env=environ, stderr=subprocess.PIPE)
    try:
        until((home / "state" / "demo" / "heartbeat").exists, "a heartbeat")
        os.mkfifo(home / "state" / "demo" / "plan.request")
        os.mkfifo(home / "settings.toml")

        desk.send_signal(signal.SIGTERM)

        assert desk.wait(LIMIT) == 0
    finally:
        desk.kill()
        desk.communicate()
