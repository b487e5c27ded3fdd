"""The subcommands of `keyturn engine`."""

from __future__ import annotations

import typer

from console.commands.engine.logs import logs
from console.commands.engine.restart import restart
from console.commands.engine.run import run
from console.commands.engine.start import start
from console.commands.engine.stop import stop
from console.commands.engine.watch import watch
from console.commands.status import status

commands = typer.Typer(
    help="Run the engine in the background, independent of desks and their connections.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for command in (start, stop, restart, status, logs, run, watch):
    commands.command()(command)
