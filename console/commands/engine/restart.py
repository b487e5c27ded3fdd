"""`keyturn engine restart`: another engine in the place of the one that runs; desks that are attached wait for it."""

from __future__ import annotations

import typer

from console.commands.assembly.restarts import restarted
from console.commands.shared import host_of, say


def restart(context: typer.Context) -> None:
    """Stop the engine and start it again, as after an upgrade. Desks stay open, and are attached again by themselves.

    Its watchdog does it, where one runs: a service stays the manager's.

    Example: keyturn engine restart
    """
    host = host_of(context)
    folder, pid, ran = restarted(host)
    word = "runs again" if ran else "was not running, and runs now"
    say(f"{folder.name}: the engine {word}, process {pid}")
