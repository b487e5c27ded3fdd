"""`keyturn status`: what a running engine is doing, read from its folder."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from console.commands.shared import Account, AsJson, composition_of, counted, print_json, say

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
        if isinstance(bare := found["uncovered"], tuple):
            for line in _uncovered(bare):
                say(line)
        if isinstance(signed := found["unattended"], tuple) and signed:
            say(f"UNATTENDED {', '.join(signed)}: exits go out without a key; u in Positions takes that back")
    if found["state"] == "stopped":
        raise typer.Exit(STOPPED)
    if found["state"] in NOT_HEALTHY:
        raise typer.Exit(1)


def _uncovered(bare: tuple[str, ...]) -> Iterator[str]:
    """What no stop guards, each with the desk's own words for what to do."""
    doubted = [words for words in bare if words.endswith("in doubt")]
    limited = [words for words in bare if words.endswith("at its limit, no stop")]
    open_ = [words for words in bare if words not in (*doubted, *limited)]
    if open_:
        yield f"UNCOVERED {', '.join(open_)} at the broker; m in Positions gives one, c closes"
    if limited:
        yield f"UNCOVERED {', '.join(limited)}; d in Orders: its stop returns"
    if doubted:
        yield f"UNCOVERED {', '.join(doubted)}: the broker is asked; Orders shows it"
