"""The commands `keyturn status` and `keyturn kill`: an account from another terminal (OP-08)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, AsJson, counted, host_of, print_json, say
from core.model.codes import DeskState, UnprotectedKind
from state.accounts import account_of
from state.running_engine import holder, last_account

STOPPED = 3
STALE_SECONDS = 5.0
"""A heartbeat comes fifty times a second."""
TOLD_APART = (UnprotectedKind.IN_DOUBT, UnprotectedKind.AT_LIMIT, UnprotectedKind.IDLE)
"""Every other kind, also one of a later release, is told as unprotected."""


def status(context: typer.Context, account: Account = None, as_json: AsJson = False) -> None:
    """Print the engine's state. Exit code 0 healthy, 1 starting, halted, killed, read-only, silent, 3 not running.

    Example: keyturn status --json
    """
    found = status_of(host_of(context), account)
    if as_json:
        print_json(found)
    else:
        age, costs = found["heartbeat_age"], " with frictions" if found["frictions"] else ""
        say(
            f"{found['state']}"
            + (f", process {found['pid']}" if found["pid"] else "")
            + (f", heartbeat {age} s ago" if age is not None else "")
            + f", {found['mode']}{costs}; {counted(found['positions'], 'position')}, "
            f"{counted(found['orders_working'], 'order')} working, {found['orders_sent']} sent, "
            f"{counted(found['proposals_waiting'], 'proposal')} waiting"
        )
        for line in _blocked(found["blocked"]):
            say(line)
        if found["equity"] is not None:
            day = "" if found["day_change"] is None else f", day {Decimal(str(found['day_change'])):+,.2f}"
            say(f"equity {Decimal(str(found['equity'])):,.2f} USD{day}; the broker said so at {found['equity_at']}")
        unprotected, kinds = found["uncovered"], found["uncovered_kinds"]
        if isinstance(unprotected, tuple) and isinstance(kinds, tuple):
            for line in _uncovered(unprotected, kinds):
                say(line)
        if isinstance(signed := found["unattended"], tuple) and signed:
            say(f"UNATTENDED {', '.join(signed)}: exits go out without a key; u in Positions takes that back")
        if isinstance(desks := found["desks"], tuple) and desks:
            say(f"{counted(len(desks), 'desk')}: {', '.join(desks)}; the key: {found['key'] or 'nobody'}")
        if found["killed_by"] and found["state"] == "stopped":
            say(f"the next start is killed: {found['killed_by']}; type REARM in its kill screen to trade again")
        if found["halt_request"]:
            say(f"the next start is halted: {found['halt_request']}; U resumes it there")
    if code := exit_code(found["state"]):
        raise typer.Exit(code)


def exit_code(state: object) -> int:
    """Return the exit code; only an engine that may trade is healthy, also with unknown states of later versions."""
    if state == DeskState.ON:
        return 0
    return STOPPED if state == "stopped" else 1


def _blocked(found: object) -> Iterator[str]:
    """Yield a line for each thing that blocks entries."""
    for block in found if isinstance(found, list) else ():
        what = f"entries of {block['only']}" if block["only"] else "ENTRIES"
        yield f"{what} blocked by {block['by']}: {block['why']}"


def _uncovered(unprotected: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[str]:
    """Yield a line for unprotected shares of each kind, with a remedy; an older running desk gives no kinds."""
    told = tuple(zip_longest(kinds[: len(unprotected)], unprotected))
    doubted = [words for kind, words in told if kind == UnprotectedKind.IN_DOUBT]
    limited = [words for kind, words in told if kind == UnprotectedKind.AT_LIMIT]
    idle = [words for kind, words in told if kind == UnprotectedKind.IDLE]
    open_ = [words for kind, words in told if kind not in TOLD_APART]
    if open_:
        yield f"UNCOVERED {', '.join(open_)} at the broker; m in Positions gives one, c closes"
    if idle:
        yield f"UNCOVERED {', '.join(idle)}: it covers nothing now; c closes, d in Orders cancels it"
    if limited:
        yield f"UNCOVERED {', '.join(limited)}; d in Orders: its stop returns"
    if doubted:
        yield f"UNCOVERED {', '.join(doubted)}: the broker is asked; Orders shows it"


def status_of(host: Host, account: str | None, now: float | None = None) -> dict[str, object]:
    """Return the engine's state from its folder alone; it may run meanwhile. `now` is in seconds since 1970."""
    from state import running_engine
    from state.kill_switch import FileKillSwitch, HaltRequest

    names = ("state", "pid", "heartbeat_age", "mode", "positions", "orders_working", "orders_sent")
    empty: dict[str, object] = dict.fromkeys((*names, "proposals_waiting", "journal_sequence"), 0)
    empty["uncovered"] = empty["unattended"] = empty["uncovered_kinds"] = empty["desks"] = ()
    empty["key"], empty["frictions"] = "", False
    empty["equity"] = empty["equity_at"] = empty["day_change"] = None
    folder = account_of(host.home, account) if account else last_account(host.home)
    empty["entries_enabled"], empty["blocked"] = False, []
    empty["halt_request"] = HaltRequest(folder).asked_by() if folder else None
    empty["killed_by"] = FileKillSwitch(folder, host.environ).latched_by() if folder else None
    pid = holder(folder) if folder else None
    beaten = running_engine.read_heartbeat(folder, now) if folder else None
    if folder is None or (beaten is None and pid is None):
        return {**empty, "state": "stopped", "pid": None, "heartbeat_age": None, "mode": "paper", "account": None}
    if beaten is None:
        word = "halted" if os.path.lexists(folder.heartbeat) else "starting"  # it cannot report its state, or not yet
        return {**empty, "state": word, "pid": pid, "heartbeat_age": None, "mode": "paper"}
    status, age = beaten
    word = status.state if pid is not None else "stopped"
    if pid is not None and status.pid != pid:
        word = "starting"  # the heartbeat is the previous engine's
    elif pid is not None and age > STALE_SECONDS:
        word = "silent"
    return {
        "state": word,
        "pid": pid,
        "heartbeat_age": round(age, 3),
        "mode": status.mode,
        "frictions": status.has_frictions,
        "positions": status.positions,
        "orders_working": status.orders_working,
        "orders_sent": status.orders_sent,
        "proposals_waiting": status.proposals_waiting,
        "journal_sequence": status.journal_sequence,
        "account": folder.name,
        "uncovered": status.uncovered,
        "unattended": status.unattended,
        "uncovered_kinds": status.uncovered_kinds,
        "halt_request": empty["halt_request"],
        "killed_by": empty["killed_by"],
        "desks": status.desks,
        "key": status.key,
        "equity": status.equity,
        "equity_at": status.equity_at,
        "day_change": status.day_change,
        "entries_enabled": word == DeskState.ON and not any(block.only == "" for block in status.blocked),
        "blocked": [{"by": block.by, "why": block.why, "only": block.only} for block in status.blocked] if pid else [],
    }


def kill(
    context: typer.Context,
    account: Account = None,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Also stage a close of each position; each needs a confirmation.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the journal and the kill screen show it.")
    ] = "",
) -> None:
    """Halt everything that could open a position, until REARM is typed at the desk.

    Example: keyturn kill --flatten --reason "the quotes of SPY look wrong"
    """
    say(killed(host_of(context), account, flatten, reason))


def killed(host: Host, account: str | None, flatten: bool, reason: str = "") -> str:
    """Latch the switch of an account, and describe the effect. Raises `OperatorError`, OSError."""
    from state.kill_switch import FileKillSwitch

    folder = account_of(host.home, account)  # no repairs first: a kill waits for nothing
    switch = FileKillSwitch(folder, host.environ)
    try:
        switch.latch("command", flatten=flatten, reason=reason)
    except OSError as error:
        if switch.is_on() is None:
            raise
        return f"{folder.name}: killed; that it was by command could not be written: {error.strerror}"
    if holder(folder) is None:
        return f"{folder.name}: no engine runs; it will start killed"
    plan = " the basket that flattens waits at the desk, p opens it there;" if flatten else ""
    return f"{folder.name}: killed;{plan} `keyturn status` shows what still works"
