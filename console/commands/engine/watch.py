"""`keyturn engine watch`: the engine under a watchdog, in the foreground. Service managers call it (SY-02)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.engine_process import known_account
from console.commands.assembly.host import Host
from console.commands.assembly.own_program import own_program
from console.commands.shared import host_of
from core.ports import OperatorError
from state.watchdog.presence import MEGABYTE, Limits

if TYPE_CHECKING:
    from core.settings.service import NotifySettings, WatchdogSettings
    from state.files import AccountFolder


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
    limits = limits_of(_settings_or_defaults(host))
    if memory is not None:
        limits = replace(limits, memory_bytes=memory * MEGABYTE)
    raise typer.Exit(watched(host, own_program("engine", "run", *(words or ())), limits))


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
