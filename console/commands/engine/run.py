"""`keyturn engine run`: the engine of the account in this process, for a service manager."""

from __future__ import annotations

import typer

from console.commands.assembly.engine_process import run_service
from console.commands.shared import host_of


def run(context: typer.Context) -> None:
    """Run the engine here until a signal ends it; desks attach with `keyturn`. Exit code 0 after a clean stop.

    Example: keyturn engine run
    """
    run_service(host_of(context))
