"""The real `keyturn --host` on a pty and the real `keyturn relay` behind it; a script stands in the place of ssh.

`test_ssh.py` does the same over a real sshd.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.files import Home
from tests.kit.through_ssh import SERVER, StandIn
from tests.real.demo import PROGRAM, mark_guide_as_read, ran
from tests.real.terminal import Pty
from tests.real.tools import command_of, is_running, relays_on
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

    def stops_engine(self) -> None:
        ran(self.there, "engine", "stop", "--yes")


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
        assert desk.leaves() == 0
    until(lambda: not relays_on(elsewhere.there), "the relay is gone")
    assert {path.name for path in elsewhere.here.rglob("*") if path.is_file()} == {"guide-read", "chord-received"}
    status = ran(elsewhere.there, "engine", "status")
    assert status.returncode == 0, status


def test_ctrl_c_gives_up_a_silent_ssh(elsewhere: Elsewhere) -> None:
    """SY-01: what ssh says until then stands on the terminal, and it is gone with the program."""
    asks = "Is this the host?"
    elsewhere.ssh.does(f"echo '{asks}' >&2\nexec sleep 1000.25")
    with elsewhere.desk() as desk:
        desk.until_it_shows(asks)
        desk.presses(b"\x03", lambda: not desk.is_alive())
        assert desk.ended() != 0
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*") if b"1000.25" in command_of(int(path.name))]
    until(lambda: not any(map(is_running, pids)), "it is gone")
