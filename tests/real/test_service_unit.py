"""The unit that `keyturn service install` writes, run by a systemd user manager."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.tools import needs
from tests.real.user_manager import MANAGER

NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
MAY_BE_DENIED = {"ProtectKernelTunables", "ProtectKernelLogs"}
"""Directives that a container's kernel may deny even to root."""


def has_a_manager() -> bool:
    """Whether this machine has systemd, and lets this user make a mount namespace."""
    if not Path(MANAGER).exists() or os.geteuid() != 0:
        return False
    return subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode == 0


@needs("unshare", "systemd-run")
@pytest.mark.skipif(not has_a_manager(), reason="needs root, systemd and mount namespaces")
def test_the_service_runs_under_a_user_manager(tmp_path: Path) -> None:
    """SY-02: the watchdog restarts the engine, systemd the watchdog; a stop is clean, and a running one stays"""
    answer = subprocess.run(
        [*NAMESPACES, sys.executable, "-m", "tests.real.user_manager", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout.splitlines()[-1])
    assert set(found.pop("denied")) <= MAY_BE_DENIED
    assert found == {
        "installed": 0,
        "started": 0,
        "after the engine died": "0",
        "engines": 3,
        "status text": "on",
        "refused": 2,
        "stopped": 0,
        "end": ["dead", "success", "0"],
        "removed": 0,
        "left": False,
    }
