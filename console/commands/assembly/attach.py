"""Attach a desk to an engine: in another process, started if none runs, or on another machine.

Keys, arming and paint proof are local; the account's files are remote.
"""

from __future__ import annotations

import socket
import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from console.client.access import LinkBrokenError
from console.commands.assembly.engine_process import known_account, running_account, start_service
from console.commands.assembly.host import Host, own_program
from console.commands.assembly.settings import display_of, is_simulated, settings_of
from core.ports import OperatorError
from state.kill_switch import HaltRequest  # loaded with the desk: when it is needed, another release may be installed

if TYPE_CHECKING:
    from core.settings.settings import Settings
    from state.files import AccountFolder


TIMEOUT = 2.0
"""Time-out for a connection to the engine, in seconds."""
STARTED = "no engine ran: it was started, and goes on when this desk is left"


class EngineNearby:
    """Finds the engine of this machine, and starts it at most once."""

    def __init__(self, host: Host, *, may_start: bool = True) -> None:
        self._host = host
        self._may_start = may_start
        self.has_started = False
        self._failed = ""

    def connect(self) -> socket.socket:
        """Connect to the engine. Raises `OperatorError`."""
        from state.engine_socket import NoEngineError, connected

        folder = running_account(self._host)
        if folder is None and self._may_start:
            self._may_start = False
            try:
                started = start_service(self._host)
            except OperatorError as error:
                self._failed = str(error)
                raise
            folder, self.has_started = started.folder, started.is_ours
        if folder is None:
            # Raise `LinkBrokenError`, which a desk shows unchanged, if a halt is left for the next start.
            account = known_account(self._host)
            asked = HaltRequest(account).asked_by() if account is not None else None
            if asked is not None:
                raise LinkBrokenError(
                    f"the engine stays down: {asked}; `{self._host.program} engine start` starts it, halted"
                )
            raise NoEngineError(
                self._failed or f"the engine is not there; `{self._host.program} engine start` starts it"
            )
        self._failed = ""
        connection = connected(folder.engine_socket, TIMEOUT)
        self._may_start = False
        return connection

    def folder(self) -> AccountFolder:
        """Return its account's folder. Raises `OperatorError` while that is unknown."""
        folder = known_account(self._host)
        if folder is None:
            raise OperatorError("the broker has not said yet which account this is; wait until the desk is attached")
        return folder


def attach(host: Host) -> None:
    """Open a desk on the engine of the configured account."""
    from importlib.metadata import version

    from console.client.access import a_seat
    from console.client.remote import RemoteEngine
    from console.run import run_desk
    from state.desk_files import DeskFiles
    from state.host_info import release

    settings = settings_of(host)
    if is_first_start(host, settings):
        choose_profile(host)
    nearby = EngineNearby(host)
    files = DeskFiles(host.home, nearby.folder, is_real=not is_simulated(settings), program=own_program)
    handle = RemoteEngine(lambda _role: nearby.connect(), a_seat(), release(version("keyturn")))
    run_desk(handle, files, display_of(host))


PROFILES = {
    "micro": "200 USD: SPY, one entry a day, at most 50 USD an order and 1.50 USD of loss a trade",
    "swing": "100,000 USD on margin: ten entries a day, 8 % of equity an order at most",
    "freqtrade": "as micro, with the protections of that project",
}
"""The profiles, as described at the first start at a broker."""
QUESTION = "First start here. Which profile? It sets every limit that you do not set yourself."


def is_first_start(host: Host, settings: Settings) -> bool:
    """Whether no profile is set, and no engine has run on the account of these keys."""
    from state.credentials import KnownAccounts
    from state.files import tables_of

    if is_simulated(settings) or "KEYTURN_PROFILE" in host.environ or KnownAccounts(host.home).path.exists():
        return False
    if "profile" in tables_of(host.home.settings, "settings", OperatorError):
        return False
    with suppress(OperatorError):
        return known_account(host) is None
    return False


def choose_profile(host: Host, ask: Callable[[str], str] = input, say: Callable[[str], None] = print) -> str:
    """Ask for a profile, and write it as the first line of the settings file. Raises `OperatorError`."""
    from state.files import make_folder, replace_file

    say(QUESTION)
    for name, words in PROFILES.items():
        say(f"  {name:<10} {words}")
    chosen = ""
    while chosen not in PROFILES:
        try:
            chosen = ask("micro, swing or freqtrade [micro]: ").strip().lower() or "micro"
        except EOFError:
            raise OperatorError("no profile was chosen; set KEYTURN_PROFILE or write it into the settings") from None
    path = host.home.settings
    before = path.read_bytes().removeprefix(BOM_UTF8) if path.exists() else b""
    make_folder(path.parent)
    replace_file(path, f'profile = "{chosen}"\n'.encode() + before)
    say(f"{path}: profile = {chosen}; `keyturn settings example` shows every limit")
    return chosen


def attach_elsewhere(host: Host, destination: str) -> None:
    """Open a desk on the engine of `destination`, a name for ssh. Raises `OperatorError`."""
    from importlib.metadata import version

    from console.client.access import a_seat
    from console.client.remote import RemoteEngine
    from console.client.ssh_link import VARIABLE, SshLink
    from console.run import run_desk
    from state.desk_files import DeskFiles
    from state.host_info import release

    def folder() -> AccountFolder:
        raise OperatorError(f"the account's files are on {destination}; `ssh {destination} keyturn journal` reads them")

    display = display_of(host)
    link = SshLink(destination, host.environ.get(VARIABLE, ""), _show)
    ours = release(version("keyturn"))
    handle = RemoteEngine(link.connect, a_seat(), ours, on_leave=link.give_up, place=destination)
    files = DeskFiles(host.home, folder, is_real=True, program=own_program)
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
