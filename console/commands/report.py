"""`keyturn report`: the report of a day or a week, printed or sent as a message (AN-06, SY-03)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from console.commands.assembly.deliveries import channels_of, deliver, delivery_as_json, delivery_in_words
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
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
from core.model.notice import USUAL, DeliveryCode, NoticeKind
from core.ports import OperatorError
from state.accounts import journal_of

if TYPE_CHECKING:
    from core.settings.service import NotifySettings

SEVERITY = USUAL[NoticeKind.REPORT]


def report(
    context: typer.Context,
    day: Annotated[
        str | None, typer.Option("--day", help="A trading day, as 2026-11-19; default: the last one of the journal.")
    ] = None,
    week: Annotated[
        str | None,
        typer.Option("--week", help="The trading week that contains this day."),
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a self-contained HTML page.")] = None,
    csv: TablesFolder = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send the first lines now to the channels that the rules select for reports.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the report of a day or a week: the trades and their reasons, profit by strategy and cause, missed trades.

    It also covers the controls that acted or nearly did, the quality of data and connections, and the open positions
    and orders. Amounts are those of `keyturn explain`. Works on any day of the journal, while the engine runs. With
    --send the exit code is 1 if no channel took it.

    Example: keyturn report --day 2026-11-19 --html thursday.html
    """
    from core.reports.report_formats import as_json as told
    from core.reports.report_formats import page
    from core.reports.report_text import lines_of, subject_of, text_of
    from core.views.export import tables_of
    from state.past_reports import reported

    host = host_of(context)
    checked_page(html)
    checked_folder(csv)
    folder = journal_of(host.home, account, journal_dir)
    desk = "" if journal_dir is not None else folder.name  # a folder of segments belongs to no account
    to = _receivers(host, desk) if send else None
    found = reported(folder.journal, day, week)
    if html is not None:
        write_page(html, page(found))
    if csv is not None:
        write_tables(csv, dict(tables_of(told(found))))
    ends = {} if to is None else deliver(host, *to, subject_of(found, desk), text_of(found), SEVERITY)
    if as_json:
        sent = {name: delivery_as_json(end) for name, end in ends.items()}
        print_json({**told(found), **({"sent": sent} if send else {})}, orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
    else:
        for line in lines_of(found):
            say(line)
        for written in (html, csv):
            if written is not None:
                say(f"written: {written}")
        for name, end in ends.items():
            say(f"{name}: {delivery_in_words(end)}")
    if send and not any(end.code is DeliveryCode.DELIVERED for end in ends.values()):
        raise typer.Exit(1)


def _receivers(host: Host, account: str) -> tuple[NotifySettings, tuple[str, ...]]:
    """Return the receivers, before anything is read. Raises `OperatorError` if no rule matches."""
    terms = settings_of(host).notify
    channels = channels_of(terms, NoticeKind.REPORT, SEVERITY, None, account)
    if not channels:
        raise OperatorError("--send: no rule tells anybody of report: add one under [notify.rules]")
    return terms, channels
