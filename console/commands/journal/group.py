"""The subcommands of `keyturn journal`."""

from __future__ import annotations

import typer

from console.commands.journal.proof import export, head, key, sign
from console.commands.journal.records import compress, explain, tail, verify, why
from console.commands.journal.stamp import stamp

commands = typer.Typer(help="Read, prove and explain the journal.", no_args_is_help=True, rich_markup_mode=None)
for command in (tail, explain, verify, compress, why, key, sign, head, stamp, export):
    commands.command()(command)
