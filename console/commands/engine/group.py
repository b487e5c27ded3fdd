"""The subcommands of `keyturn engine`."""

from __future__ import annotations

import typer

from console.commands.engine import watch

commands = typer.Typer(help="The engine as a service.", no_args_is_help=True, rich_markup_mode=None)


@commands.callback()
def engine() -> None:
    """The engine as a service: it trades without a terminal."""


commands.command(name="watch")(watch.watch)
