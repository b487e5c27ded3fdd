"""`keyturn engine`: the engine as a service. One file a subcommand."""

from __future__ import annotations

import typer

from console.commands.engine.logs import logs

commands = typer.Typer(help="The engine as a service.", no_args_is_help=True, rich_markup_mode=None)
commands.command()(logs)
