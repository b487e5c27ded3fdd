"""`keyturn doctor`: the connections between this desk and the exchange, with a remedy for each failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from console.commands.assembly.at_a_broker import calendar_of, keys_of_source, mode_of, real_broker, source_of
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.shared import AsJson, host_of, print_json, say
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.runtime.doctor import Finding


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check keys, network, clock, market data, disk and terminal; no order is sent. Exit code 1 if a check fails.

    Example: keyturn doctor --json
    """
    found = []
    for finding in findings(host_of(context)):
        found.append(finding)
        if not as_json:
            say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name:<16} {finding.detail}")
            if finding.remedy:
                say(f"      {'':<16} → {finding.remedy}")
    if as_json:
        print_json([asdict(finding) for finding in found])
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)


def findings(host: Host) -> Iterator[Finding]:
    """Yield each finding on this desk's connections as soon as it is known."""
    from core.io.wall_clock import utc_now
    from core.model.values import Symbol
    from core.runtime.doctor import Doctor, Finding, Places
    from state.credentials import find_keys
    from state.host_info import look_around

    yield from look_around(host.home, host.environ)
    try:
        settings = settings_of(host)
        mode = mode_of(host, settings)
        kind = real_broker(settings)
        source = source_of(settings, kind)
        keys = find_keys(host.environ, mode, kind.keys)
        keys_of_data = keys_of_source(host, source, kind, keys, mode)
    except OperatorError as error:
        yield Finding("settings and keys", False, str(error), "fix that first; the rest needs them")
        return
    yield Finding("settings and keys", True, f"{mode.value} keys, {', '.join(settings.symbols)}", "")
    symbols = tuple(Symbol(text) for text in settings.symbols)
    connected = kind.connect(settings, mode, keys)
    broker = connected.broker
    market = source.make(settings, keys_of_data, symbols, calendar_of(broker), {})
    promised = (*kind.contract(), *source.contract())
    places = Places(kind.title, kind.reached_by, source.reached_by)
    yield from Doctor(broker, connected.orders, market, symbols, mode, utc_now, promised, places).look()
    broker.close()
