"""`keyturn kill`: the kill switch from another terminal (OP-08)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, host_of, say
from state.accounts import account_of
from state.running_engine import holder


def kill(
    context: typer.Context,
    account: Account = None,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Also stage a close of each position; each needs a confirmation.")
    ] = False,
) -> None:
    """Halt everything that could open a position, until REARM is typed at the desk.

    Example: keyturn kill --flatten
    """
    say(killed(host_of(context), account, flatten))


def killed(host: Host, account: str | None, flatten: bool) -> str:
    """Latch the switch of an account, and describe the effect. Raises `OperatorError`, OSError."""
    from state.kill_switch import FileKillSwitch

    folder = account_of(host.home, account)  # no repairs first: a kill waits for nothing
    switch = FileKillSwitch(folder, host.environ)
    try:
        switch.latch("command", flatten=flatten)
    except OSError as error:
        if switch.is_on() is None:
            raise
        return f"{folder.name}: killed; that it was by command could not be written: {error.strerror}"
    if holder(folder) is None:
        return f"{folder.name}: no engine runs; it will start killed"
    plan = " the basket that flattens waits at the desk, p opens it there;" if flatten else ""
    return f"{folder.name}: killed;{plan} `keyturn status` shows what still works"
