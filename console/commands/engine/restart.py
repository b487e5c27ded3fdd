"""`keyturn engine restart`: another engine in the place of the one that runs; desks that are attached wait for it."""

from __future__ import annotations

import typer

from console.commands.assembly.engine_process import running_account, start_service, stop_service
from console.commands.shared import host_of, say


def restart(context: typer.Context) -> None:
    """Stop the engine and start it again, as after an upgrade. Desks stay open, and are attached again by themselves.

    Example: keyturn engine restart
    """
    host = host_of(context)
    running = running_account(host)
    if running is not None:
        stop_service(running)
    folder, pid = start_service(host)
    word = "runs again" if running is not None else "was not running, and runs now"
    say(f"{folder.name}: the engine {word}, process {pid}")
