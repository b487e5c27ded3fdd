"""`keyturn measures`: the performance of a desk from its journal: equity, trades by group, margin (AN-01)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from console.commands.assembly.tables_folder import checked_folder, write_tables
from console.commands.shared import (
    Account,
    AsJson,
    JournalDir,
    TablesFolder,
    checked_page,
    host_of,
    print_json,
    say,
    write_page,
)
from state.accounts import journal_of


def measures(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(metavar="[DAY|FROM..TO]", help="A day or a range; default: the whole journal."),
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a self-contained HTML page.")] = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure the performance of a desk: daily equity, trades by group, margin in use over time.

    Trades are grouped by strategy, regime, symbol, half-hour and holding time. A measure with too few days is left out.
    Works while the engine runs; only the journal is read.

    Example: keyturn measures 2026-10-01..2026-12-31 --html quarter.html
    """
    from core.analytics.measures_page import as_json as told
    from core.analytics.measures_page import lines_of, page
    from core.views.export import tables_of
    from state.past_reports import measured

    folder = journal_of(host_of(context).home, account, journal_dir).journal
    checked_page(html)
    checked_folder(csv)
    found = measured(folder, what)
    if html is not None:
        write_page(html, page(found))
    if csv is not None:
        write_tables(csv, dict(tables_of(told(found))))
    if as_json:
        print_json(told(found), orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
        return
    for line in lines_of(found):
        say(line)
    for written in (html, csv):
        if written is not None:
            say(f"written: {written}")
