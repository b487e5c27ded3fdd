"""A service whose home is not there yet waits, names it, and writes nothing (SY-10)."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from console.commands.assembly.host import own_program
from tests.real.waiting import LIMIT


def test_a_home_that_is_not_unlocked_is_waited_for(tmp_path: Path) -> None:
    home, expected, said = tmp_path / "home", tmp_path / "home" / "state", tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(said))
        manager.settimeout(LIMIT)
        environ = {
            **os.environ, "KEYTURN_HOME": str(home), "KEYTURN_EXPECTS": str(expected), "NOTIFY_SOCKET": str(said),
        }  # fmt: skip
        with subprocess.Popen(
            own_program("engine", "watch"), env=environ, stdout=subprocess.PIPE, text=True
        ) as service:
            told = manager.recv(4096).decode().splitlines()
            was_written = home.exists()
            expected.mkdir(parents=True)
            printed = service.communicate(timeout=LIMIT)[0]

    assert told[0] == "EXTEND_TIMEOUT_USEC=30000000"
    assert str(expected) in told[1]
    assert (was_written, service.returncode) == (False, 75)
    assert [line.split(": ")[0] for line in printed.splitlines()] == [f"waits for {expected}"]
    assert [*expected.iterdir()] == []


def test_a_home_that_is_there_is_not_waited_for(tmp_path: Path) -> None:
    """It goes on at once, to what it has to say about its options."""
    environ = {**os.environ, "KEYTURN_HOME": str(tmp_path), "KEYTURN_EXPECTS": str(tmp_path)}
    done = subprocess.run(
        own_program("engine", "watch", "--", "--account", "nobody"),
        env=environ, capture_output=True, text=True, check=False, timeout=LIMIT,
    )  # fmt: skip

    assert done.returncode != 75
    assert "waits for" not in done.stdout
