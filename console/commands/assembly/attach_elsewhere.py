"""Attach a local desk to the engine of another machine.

Keys, arming and paint proof are local; the account's files are remote.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from console.commands.assembly.host import Host
from console.commands.assembly.settings import display_of
from core.ports import OperatorError

if TYPE_CHECKING:
    from state.files import AccountFolder


def attach_elsewhere(host: Host, destination: str) -> None:
    """Open a desk on the engine of `destination`, a name for ssh. Raises `OperatorError`."""
    from importlib.metadata import version

    from console.client.remote import RemoteEngine
    from console.client.seat import a_seat
    from console.client.ssh_command import VARIABLE
    from console.client.ssh_link import SshLink
    from console.run import run_desk
    from state.desk_files import DeskFiles
    from state.release import release

    def folder() -> AccountFolder:
        raise OperatorError(f"the account's files are on {destination}; `ssh {destination} keyturn journal` reads them")

    display = display_of(host)
    link = SshLink(destination, host.environ.get(VARIABLE, ""), _show)
    ours = release(version("keyturn"))
    handle = RemoteEngine(link.connect, a_seat(), ours, on_leave=link.give_up, place=destination)
    files = DeskFiles(host.home, folder, is_real=True)
    try:
        _show(f"keyturn: connecting to {destination}; Ctrl+C gives up")
        link.begin(handle.unsaid.append)
        run_desk(handle, files, display)
    finally:
        link.close()


def _show(line: str) -> None:
    """Print a line, already made harmless, before the desk takes over the terminal."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
