"""Restart the running engine, through its watchdog if there is one (SY-02).

A watchdog started by a service manager stays in place: its sandbox, limits and keys apply to the new engine too.
"""

from __future__ import annotations

from console.commands.assembly.engine_process import (
    awaited,
    is_listening,
    known_account,
    start_service,
    stop_service,
    what_it_does,
)
from console.commands.assembly.host import Host
from core.ports import OperatorError
from state.files import AccountFolder
from state.running_engine import holder
from state.watchdog.presence import ask_to_restart, last_said, watchdog_of


def restarted(host: Host) -> tuple[AccountFolder, int, bool]:
    """Return the account, its new engine's process number, and whether one ran before.

    Raises `OperatorError`, OSError.
    """
    folder = known_account(host)
    before = None if folder is None else holder(folder)
    watchdog = None if folder is None else watchdog_of(folder)
    if folder is not None and watchdog is not None:
        ask_to_restart(watchdog)
        return folder, _another(folder, watchdog, before), True
    if folder is not None and before is not None:
        stop_service(folder)
    started = start_service(host)
    return started.folder, started.pid, before is not None


def _another(folder: AccountFolder, watchdog: int, before: int | None) -> int:
    """Return the process number of the new engine once it listens; the watchdog ends if none comes up."""

    def look() -> int | None:
        pid = holder(folder)
        return pid if pid and pid != before and is_listening(folder) else None

    pid = awaited(look, lambda: watchdog_of(folder) == watchdog, lambda: what_it_does(folder))
    if pid is not None:
        return pid
    said = last_said(folder).removeprefix("keyturn: ")
    raise OperatorError(said or f"the new engine ended at once; {folder.watchdog_log} has its words")
