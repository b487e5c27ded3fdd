"""`keyturn engine restart`: restart the running engine; attached desks wait for it."""

from __future__ import annotations

import typer

from console.commands.assembly.restarts import restarted
from console.commands.shared import host_of, say


def restart(context: typer.Context) -> None:
    """Stop the engine and start it again, such as after an upgrade. Desks stay open, and attach again automatically.

    The watchdog does it, if one runs: a service stays under its manager.

    Example: keyturn engine restart
    """
    host = host_of(context)
    folder, pid, ran = restarted(host)
    word = "runs again" if ran else "was not running, and runs now"
    say(f"{folder.name}: the engine {word}, process {pid}")
