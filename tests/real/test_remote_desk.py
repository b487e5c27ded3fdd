"""The real `keyturn --host` on a pty and the real `keyturn relay` behind it; a script stands in the place of ssh.

`test_ssh.py` does the same over a real sshd.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from state.folders import Home
from tests.kit.through_ssh import SERVER, StandIn
from tests.real.demo import PROGRAM, mark_guide_as_read
from tests.real.terminal import Pty
from tests.real.waiting import until


class Elsewhere:
    """Two homes: of this machine, and of the one that the script reaches."""

    def __init__(self, folder: Path) -> None:
        self.here, self.there = folder / "here", folder / "there"
        mark_guide_as_read(self.here)
        Home.of({"KEYTURN_HOME": str(self.here)}).chord.touch(0o600)
        self.there.mkdir(mode=0o700)
        (self.there / "settings.toml").write_text('profile = "micro"\n[account]\nbroker = "simulated"\n')
        self.ssh = StandIn(folder / "ssh")
        self.reaches()

    def reaches(self) -> None:
        program = shlex.quote(str(Path(PROGRAM).parent))
        self.ssh.does(
            f'unset KEYTURN_SSH; export KEYTURN_HOME={shlex.quote(str(self.there))}\nshift; exec {program}/"$@"'
        )

    def desk(self) -> Pty:
        variables = {"KEYTURN_HOME": str(self.here), "KEYTURN_SSH": str(self.ssh.path)}
        return Pty([PROGRAM, "--host", SERVER], variables, (140, 44))

    def processes(self) -> list[bytes]:
        """Of the relay, and of what stands in ssh's place."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (process / "cmdline").read_bytes()
                if f"KEYTURN_HOME={self.there}".encode() in (process / "environ").read_bytes() and b"relay" in words:
                    found.append(words)
        return found

    def stops_engine(self) -> None:
        environment = {**os.environ, "KEYTURN_HOME": str(self.there)}
        subprocess.run([PROGRAM, "engine", "stop", "--yes"], env=environment, capture_output=True, check=False)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    found = Elsewhere(tmp_path)
    yield found
    found.stops_engine()


def test_a_remote_desk_keeps_no_file_here(elsewhere: Elsewhere) -> None:
    """SY-01: what needs the account's files says where they are."""
    with elsewhere.desk() as desk:
        desk.until(lambda: desk.shows("ENTRIES ON") and desk.shows(f"demo on {SERVER}"))
        desk.presses(b"6o", lambda: desk.shows(f"the account's files are on {SERVER}"))
        desk.presses(b"q", lambda: desk.shows("Leave?"))
        desk.presses(b"y", lambda: not desk.is_alive())
        assert desk.ended() == 0
    until(lambda: elsewhere.processes() == [], "the relay is gone")
    assert {path.name for path in elsewhere.here.rglob("*") if path.is_file()} == {"guide-read", "chord-received"}
    environment = {**os.environ, "KEYTURN_HOME": str(elsewhere.there)}
    status = subprocess.run([PROGRAM, "engine", "status"], env=environment, capture_output=True, text=True, check=False)
    assert status.returncode == 0, status


def test_ctrl_c_gives_up_a_silent_ssh(elsewhere: Elsewhere) -> None:
    """SY-01: what ssh says until then stands on the terminal, and it is gone with the program."""
    asks = "Is this the host?"
    elsewhere.ssh.does(f"echo '{asks}' >&2\nexec sleep 1000.25")
    with elsewhere.desk() as desk:
        desk.until_it_shows(asks)
        desk.presses(b"\x03", lambda: not desk.is_alive())
        assert desk.ended() != 0
    until(lambda: not any(b"1000.25" in _words(path) for path in Path("/proc").glob("[0-9]*/cmdline")), "it is gone")


def _words(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""
