"""`keyturn status`: what a running engine is doing, read from its folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import typer

from console.commands.shared import Account, AsJson, composition_of, counted, print_json, say
from core.model.codes import BareKind

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
            + f", {found['mode']}; {counted(found['positions'], 'position')}, "
            f"{counted(found['orders_working'], 'order')} working, {found['orders_sent']} sent, "
            f"{counted(found['proposals_waiting'], 'proposal')} waiting"
        )
        bare, kinds = found["uncovered"], found["uncovered_kinds"]
        if isinstance(bare, tuple) and isinstance(kinds, tuple):
            for line in _uncovered(bare, kinds):
                say(line)
        if isinstance(signed := found["unattended"], tuple) and signed:
            say(f"UNATTENDED {', '.join(signed)}: exits go out without a key; u in Positions takes that back")
    if found["state"] == "stopped":
        raise typer.Exit(STOPPED)
    if found["state"] in NOT_HEALTHY:
        raise typer.Exit(1)


def _uncovered(bare: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[str]:
    """What no stop guards, each with the desk's own words for what to do; an older desk that runs says no kinds."""
    told = tuple(zip_longest(kinds, bare))
    doubted = [words for kind, words in told if kind == BareKind.IN_DOUBT]
    limited = [words for kind, words in told if kind == BareKind.AT_LIMIT]
    open_ = [words for kind, words in told if kind in (BareKind.NO_STOP, None)]
    if open_:
        yield f"UNCOVERED {', '.join(open_)} at the broker; m in Positions gives one, c closes"
    if limited:
        yield f"UNCOVERED {', '.join(limited)}; d in Orders: its stop returns"
    if doubted:
        yield f"UNCOVERED {', '.join(doubted)}: the broker is asked; Orders shows it"
