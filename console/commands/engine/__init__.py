"""`keyturn engine`: the engine as a service, one subcommand a file."""

from __future__ import annotations

import typer

from console.commands.engine import restart, run, start, stop
from console.commands.status import status

commands = typer.Typer(
    help="The engine as a service: it goes on when the desk is left, or its link is cut.", no_args_is_help=True
)
commands.command(name="start")(start.start)
commands.command(name="stop")(stop.stop)
commands.command(name="restart")(restart.restart)
commands.command(name="status")(status)
commands.command(name="run")(run.run)
