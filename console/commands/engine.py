"""The commands `keyturn engine` and `keyturn relay`: an engine as a service, and a remote desk (SY-02)."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.engine_process import (
    known_account,
    restarted,
    run_service,
    running_account,
    start_service,
    stop_service,
    what_stays_open,
)
from console.commands.assembly.host import Host, own_program
from console.commands.logs import logs
from console.commands.shared import Account, host_of, say
from console.commands.status import status
from core.ports import OperatorError
from state.accounts import account_of
from state.running_engine import holder, last_account
from state.watchdog.presence import MEGABYTE, Limits

if TYPE_CHECKING:
    from core.settings.service import NotifySettings, WatchdogSettings
    from state.files import AccountFolder


def restart(context: typer.Context) -> None:
    """Stop the engine and start it again, such as after an upgrade. Desks stay open, and attach again automatically.

    The watchdog does it, if one runs: a service stays under its manager.

    Example: keyturn engine restart
    """
    host = host_of(context)
    folder, pid, ran = restarted(host)
    word = "runs again" if ran else "was not running, and runs now"
    say(f"{folder.name}: the engine {word}, process {pid}")


def run(context: typer.Context) -> None:
    """Run the engine here until a signal ends it; desks attach with `keyturn`. Exit code 0 after a clean stop.

    Example: keyturn engine run
    """
    run_service(host_of(context))


def start(context: typer.Context) -> None:
    """Start the engine of the configured account and wait until desks can attach, however long its journal takes.

    Example: keyturn engine start && keyturn
    """
    host = host_of(context)
    attaches, ends = f"`{host.program}` attaches a desk", f"`{host.program} engine stop` ends it"
    running = running_account(host)
    if running is not None:
        say(f"{running.name}: its engine runs already; {attaches}")
        return
    folder, pid, is_ours = start_service(host, lambda words: say(words, err=True))
    if not is_ours:
        say(f"{folder.name}: its engine runs already, process {pid}, by another start; {attaches}")
        return
    say(f"{folder.name}: the engine runs, process {pid}; {attaches}, {ends}")


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


def watch(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="OPTION", help="Options for `keyturn engine run`, after `--`.")
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            "--memory", min=64, help="Restart the engine when its process uses more MB; else watchdog.memory_mb."
        ),
    ] = None,
) -> None:
    """Run the engine in the foreground under a watchdog, which restarts one that hangs, leaks, gets no data or dies.

    After three restarts in ten minutes the engine stays down, and its next start is halted. Exit code 0 if the engine
    was stopped, its own if that is 1 or 2, 69 if it stays down.

    Example: keyturn engine watch --memory 768
    """
    host = host_of(context)
    _wait_for_the_home(host)
    limits = limits_of(_settings_or_defaults(host))
    if memory is not None:
        limits = replace(limits, memory_bytes=memory * MEGABYTE)
    raise typer.Exit(watched(host, own_program("engine", "run", *(words or ())), limits))


def _wait_for_the_home(host: Host) -> None:
    """Wait for the folder that the service was installed with; under a manager, be started again then (SY-10).

    The manager's own view of the disk may be that of before.
    """
    from state.service_units import EXPECTS
    from state.watchdog.engine_process import AGAIN, NotifySocket, waited_for

    notify, expected = NotifySocket(host.environ), host.environ.get(EXPECTS, "")
    if expected and waited_for(Path(expected), notify, say, time.sleep) and notify.has_manager:
        raise typer.Exit(AGAIN)


def limits_of(terms: WatchdogSettings) -> Limits:
    """The watchdog's limits as the settings give them."""
    return Limits(
        silent_seconds=float(terms.silent_seconds),
        memory_bytes=terms.memory_mb * MEGABYTE,
        growth_bytes_a_day=terms.growth_mb_a_day * MEGABYTE,
        data_silent_seconds=float(terms.data_silent_seconds),
        restarts=terms.restarts,
        within_seconds=float(terms.within_seconds),
    )


def _settings_or_defaults(host: Host) -> WatchdogSettings:
    """Wrong settings are told by the engine, which does not start with them; its watchdog goes by the defaults."""
    from console.commands.assembly.settings import settings_of
    from core.settings.service import WatchdogSettings as Terms

    try:
        return settings_of(host).watchdog
    except OperatorError:
        return Terms()


def watched(host: Host, command: Sequence[str], limits: Limits) -> int:
    """Watch over the process of `command` until it is not restarted any more; return the exit status."""
    from state.credentials import find_address
    from state.watchdog.alerts import HeldTerms, OwedAlerts, Push
    from state.watchdog.watchdog import Watchdog

    home = host.home
    terms = HeldTerms(
        lambda: _told_by(host), home.watchdog_terms, lambda channel: find_address(host.environ, channel), host.environ
    )
    push = Push(terms, OwedAlerts(home.watchdog_owed))
    return Watchdog(command, home, host.environ, limits, account=lambda: _meant(host), push=push).run()


def _told_by(host: Host) -> NotifySettings | None:
    """Return the current notification settings; a demo's alerts are not sent unless enabled. Raises `OperatorError`."""
    from console.commands.assembly.settings import is_simulated, settings_of

    settings = settings_of(host)
    if not settings.notify.in_force or (is_simulated(settings) and not settings.notify.in_demo):
        return None
    return settings.notify


def _meant(host: Host) -> AccountFolder | None:
    with suppress(OperatorError, OSError):
        return known_account(host)
    return None


commands = typer.Typer(
    help="Run the engine in the background, independent of desks and their connections.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for command in (start, stop, restart, status, logs, run, watch):
    commands.command()(command)


def relay(
    context: typer.Context,
    no_start: Annotated[bool, typer.Option("--no-start", help="Do not start an engine if none runs.")] = False,
) -> None:
    """Bridge a desk on another machine to this machine's engine, over stdin and stdout; started through SSH.

    It starts an engine if none runs, except with --no-start, which a desk passes when it attaches again.

    Example: ssh server keyturn relay
    """
    from console.commands.assembly.attach import STARTED, EngineNearby
    from console.commands.assembly.relay_bridge import RelayBridge
    from core.ports import OperatorError
    from core.protocol.codec import FrameError

    nearby = EngineNearby(host_of(context), may_start=not no_start)
    bridge = RelayBridge(0, 1, nearby.connect, lambda: STARTED if nearby.has_started else "")
    try:
        bridge.run()
    except FrameError as error:
        raise OperatorError(f"relay: {error}") from None
    except (BrokenPipeError, ConnectionError):
        return
