"""`keyturn doctor`: what works between this desk and the exchange, and how to mend what does not."""

from __future__ import annotations

from dataclasses import asdict

import typer

from console.commands.shared import AsJson, composition_of, print_json, say


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at keys, network, clock, market data, disk and terminal; nothing is sent. Exit code 1 when one fails.

    Example: keyturn doctor --json
    """
    found = []
    for finding in composition_of(context).doctor():
        found.append(finding)
        if not as_json:
            say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name:<16} {finding.detail}")
            if finding.remedy:
                say(f"      {'':<16} → {finding.remedy}")
    if as_json:
        print_json([asdict(finding) for finding in found])
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)
