"""`keyturn engine stop`: end the engine, and list the positions and orders left without it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from console.commands.assembly.engine_process import stop_service, what_stays_open
from console.commands.shared import Account, host_of, say
from core.ports import OperatorError
from state.accounts import account_of
from state.running_engine import holder, last_account

NOT_RUNNING = 3

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def stop(context: typer.Context, account: Account = None, yes: Yes = False) -> None:
    """Stop the engine: strategies and the stops that it watches end with it; stops at the broker stay.

    Exit code 0 stopped, 1 left running, 3 none ran.

    Example: keyturn engine stop --yes
    """
    host = host_of(context)
    home = host.home
    if account is None and last_account(home) is None:
        say(f"no engine ran here yet; `{host.program} engine start` starts one")
        raise typer.Exit(NOT_RUNNING)
    folder = account_of(home, account)
    if holder(folder) is None:
        say(f"{folder.name}: no engine runs; `{host.program} engine start` starts one")
        raise typer.Exit(NOT_RUNNING)
    for line in what_stays_open(folder):
        say(line)
    if not yes:
        if not sys.stdin.isatty():
            raise OperatorError("this asks before it stops anything; say --yes where nobody can answer")
        if not typer.confirm(f"Stop the engine of {folder.name}?"):
            raise typer.Exit(1)
    stop_service(folder)
    say(f"{folder.name}: stopped; its journal is closed")
