"""`keyturn status`: what a running engine is doing, read from its folder."""

from __future__ import annotations

import typer

from console.commands.shared import Account, AsJson, composition_of, print_json, say

NOT_HEALTHY = ("halted", "killed", "read-only")
STOPPED = 3


def status(context: typer.Context, account: Account = None, as_json: AsJson = False) -> None:
    """Say what the engine is doing. Exit code 0 healthy, 1 halted or killed, 3 not running.

    Example: keyturn status --json
    """
    found = composition_of(context).status(account)
    if as_json:
        print_json(found)
    else:
        age = found["heartbeat_age"]
        say(
            f"{found['state']}"
            + (f", process {found['pid']}" if found["pid"] else "")
            + (f", heartbeat {age} s ago" if age is not None else "")
            + f", {found['mode']}; {found['positions']} positions, {found['orders_working']} orders working, "
            f"{found['orders_sent']} sent, {found['proposals_waiting']} proposals waiting"
        )
        if isinstance(bare := found["uncovered"], tuple) and bare:
            say(f"UNCOVERED {', '.join(bare)}; in Positions m gives a stop, c closes")
    if found["state"] == "stopped":
        raise typer.Exit(STOPPED)
    if found["state"] in NOT_HEALTHY:
        raise typer.Exit(1)
