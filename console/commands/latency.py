"""`keyturn latency`: the latency of a day's orders by step, from the journal (EX-16)."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

import typer

from console.commands.shared import Account, AsJson, JournalDir, counted, host_of, print_json, say
from core.model.session import HOME
from state.accounts import journal_of


def latency(
    context: typer.Context,
    account: Account = None,
    journal_dir: JournalDir = None,
    day: Annotated[
        datetime | None,
        typer.Option(
            "--day", formats=["%Y-%m-%d"], help=f"A day on the {HOME.name} clock; default: the last one with an order."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print p50, p90, p95 and p99 of each step of an order. Works while the engine runs.

    Example: keyturn latency --json
    """
    from core.execution.latency import latency_report
    from state.journal import read

    folder = journal_of(host_of(context).home, account, journal_dir)
    found = latency_report(read(folder.journal), HOME.day_of, day.date() if day else None)
    if as_json:
        print_json(found)
        return
    spans = found["spans"]
    assert isinstance(spans, list)
    say(f"{found['day'] or 'no day'}: {counted(found['orders'], 'order')}")
    for span in spans:
        figures = "  ".join(f"{name} {whole(span[name])} ms" for name in ("p50", "p90", "p95", "p99"))
        say(f"  {span['name']:<28} {span['orders']:>5}  {figures}")


def whole(milliseconds: object) -> str:
    """Format whole milliseconds, half away from zero; a dash if not measured."""
    if milliseconds is None:
        return "–"
    return f"{Decimal(str(milliseconds)).quantize(Decimal(1), ROUND_HALF_UP):,}"
