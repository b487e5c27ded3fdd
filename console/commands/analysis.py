"""Commands that explain results: explain, whatif, report, activities, measures, latency (AN-03, AN-06, SY-03,
AN-01, EX-16).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.assembly.tables import checked_folder
from console.commands.notify import channels_of, deliver, delivery_as_json, delivery_in_words
from console.commands.shared import (
    Account,
    AsJson,
    JournalDir,
    PageFile,
    TablesFolder,
    cents,
    checked_page,
    counted,
    host_of,
    say,
    tell,
    write_page,
)
from core.model.delivery import DeliveryCode
from core.model.notice import USUAL, NoticeKind
from core.model.notification_sanitizer import harmless
from core.model.report_sheet import lines_of as lines_below
from core.model.session import HOME
from core.ports import OperatorError
from core.what_if.changes import HOW
from state.accounts import journal_of

if TYPE_CHECKING:
    from core.analytics.equity import EquityDay
    from core.reports.report import Report
    from core.runtime.notifier.message import Message
    from core.settings.service import NotifySettings


def explain(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[TRADE|DAY|FROM..TO]",
            help="An order id or its first characters, a day, or a range; default: the last day of the journal.",
        ),
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    html: PageFile = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Explain the result of a trade, a day or some days: each part in USD, and the amount that no record explains.

    A trade is told by the order that closed it. Its result is split into what the signal made and what was lost on the
    way: confirmation delay, spread, slippage, fees. Works while the engine runs, on any day of the journal.

    Example: keyturn explain 2026-11-19 --html thursday.html
    """
    from core.post_mortem.page import as_json as told
    from core.post_mortem.page import lines_of, page
    from state.past_days import explained

    folder = journal_of(host_of(context).home, account, journal_dir).journal
    checked_page(html)
    checked_folder(csv)
    found, is_trade = explained(folder, what)
    if html is not None:
        write_page(html, page(found))
    tell(as_json, lambda: told(found), lines_of(found, is_whole=is_trade), html, csv=csv)


def whatif(
    context: typer.Context,
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", help="A day, as 2026-11-19.")],
    change: Annotated[
        list[str] | None, typer.Option("--change", help=f"A change, tried separately; repeatable: {HOW}.")
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Replay a day with one change, and print its result.

    A day of a demo or a replay is first replayed unchanged, which must write the same bytes as then. A day at a broker
    is modelled from its recorded bars, and the assumptions are listed. Without --change its proposals are listed.

    Example: keyturn whatif 2026-01-05 --change decline=8b1f0c2a --change set:risk.daily_loss.usd=50
    """
    from console.commands.assembly.day_replay import played_again
    from core.what_if.outcome import as_json as told
    from core.what_if.outcome import lines_of

    checked_folder(csv)
    host = host_of(context)
    source = journal_of(host.home, account, journal_dir)
    found = played_again(host, source, day.date(), change or (), lambda words: say(f"playing: {words}", err=True))
    tell(as_json, lambda: told(found), lines_of(found), csv=csv)


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
    html: PageFile = None,
    csv: TablesFolder = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it now, as the engine does, to the channels of the rules for reports.")
    ] = False,
    notice: Annotated[
        bool, typer.Option("--notice", help="Print what the engine sends after the close, without an agent's words.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the report of a day or a week: the trades and their reasons, profit by strategy and cause, missed trades.

    It also covers the controls that acted or nearly did, the quality of data and connections, and the open positions
    and orders. Amounts are those of `keyturn explain`. Works on any day of the journal, while the engine runs. With
    --send the exit code is 1 if no channel took it.

    Example: keyturn report --day 2026-11-19 --html thursday.html
    """
    from core.reports.notice_sheet import sheet_of
    from core.reports.report_formats import as_json as told
    from core.reports.report_formats import page
    from core.reports.report_text import lines_of
    from state.past_days import reported

    host = host_of(context)
    checked_page(html)
    checked_folder(csv)
    folder = journal_of(host.home, account, journal_dir)
    desk = "" if journal_dir is not None else folder.name  # a folder of segments belongs to no account
    to = _receivers(host, desk) if send else None
    found = reported(folder.journal, day, week)
    if html is not None:
        write_page(html, page(found))
    if notice:
        sheet = sheet_of(found)
        tell(as_json, lambda: asdict(sheet), (sheet.title, sheet.head, *lines_below(sheet)), csv=csv)
        return
    ends = {} if to is None else deliver(host, *to, _message(found, desk))
    sent = {"sent": {name: delivery_as_json(end) for name, end in ends.items()}} if send else {}
    tell(as_json, lambda: {**told(found), **sent}, lines_of(found), html, csv=csv)
    for name, end in ends.items() if not as_json else ():
        say(f"{name}: {delivery_in_words(end)}")
    if send and not any(end.code is DeliveryCode.DELIVERED for end in ends.values()):
        raise typer.Exit(1)


def _message(found: Report, desk: str) -> Message:
    from core.model.report_sheet import MOST_TEXT, fitted, html_of
    from core.reports.notice_sheet import sheet_of
    from core.runtime.notifier.message import Message

    sheet = sheet_of(found)
    title = harmless(f"{f'Keyturn {desk}'.strip()}: {sheet.title}")
    text = fitted("\n".join((sheet.head, *lines_below(sheet))), MOST_TEXT)
    return Message(title, text, html=html_of(sheet, [sheet.head]))


def _receivers(host: Host, account: str) -> tuple[NotifySettings, tuple[str, ...]]:
    """Return the receivers, before anything is read. Raises `OperatorError` if no rule matches."""
    terms = settings_of(host).notify
    channels = channels_of(terms, NoticeKind.REPORT, SEVERITY, None, account)
    if not channels:
        raise OperatorError("--send: no rule tells anybody of report: add one under [notify.rules]")
    return terms, channels


NOTHING = "no list of the broker's activities is in the journal for these days"


def activities(
    context: typer.Context,
    account: Account = None,
    journal_dir: JournalDir = None,
    day: Annotated[str | None, typer.Option("--day", help="One trading day, as 2026-11-20.")] = None,
    days: Annotated[str | None, typer.Option("--range", help="A range of days, as 2026-11-01..2026-11-30.")] = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print the broker's activities recorded in the journal, with each day's change of equity explained to the cent.

    Without a day, the last one. Works while the engine runs; the broker is not asked.

    Example: keyturn activities --range 2026-11-01..2026-11-30
    """
    checked_folder(csv)
    first, last = _asked(day, days)
    told: dict[str, str] = {}
    found = _days(journal_of(host_of(context).home, account, journal_dir).journal, told)
    shown = found[-1:] if first is None or last is None else [one for one in found if first <= one.day <= last]
    lines = (line for one in shown for line in _in_lines(one, told)) if shown else (NOTHING,)
    tell(as_json, lambda: [_as_json(one, told) for one in shown], lines, csv=csv)


def _asked(day: str | None, days: str | None) -> tuple[date, date] | tuple[None, None]:
    if day is not None and days is not None:
        raise OperatorError("--day and --range: one of them, not both")
    if day is not None:
        return _day("--day", day), _day("--day", day)
    if days is None:
        return None, None
    first, dots, last = days.partition("..")
    if not dots:
        raise OperatorError(f"--range {days}: two days with .. between them, such as 2026-11-01..2026-11-30")
    return _day("--range", first), _day("--range", last)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"{option} {text}: is no day such as 2026-11-20") from None


def _days(journal: Path, told: dict[str, str]) -> list[EquityDay]:
    """Return all days; each activity goes into `told` by its id, as the text of the log."""
    from core.analytics.equity import equity_days
    from core.event_text import in_words
    from core.facts import CashMoved, Fact
    from state.journal import read
    from state.journal_files import segments
    from state.past_days import announced_calendar

    paths = segments(journal)
    if not paths:
        return []
    calendar = announced_calendar(journal, date.fromisoformat(paths[0].stem), date.fromisoformat(paths[-1].stem))

    def records() -> Iterator[tuple[datetime, Fact]]:
        for record in read(journal):
            if isinstance(record.fact, CashMoved):
                told[record.fact.activity_id] = in_words(record.fact)
            yield record.at, record.fact

    return list(equity_days(records(), calendar))


def _as_json(day: EquityDay, told: dict[str, str]) -> dict[str, object]:
    return {
        "day": day.day.isoformat(),
        "since": day.since.isoformat(),
        "until": day.until.isoformat(),
        "parts": [{"name": part.name, "usd": cents(part.amount)} for part in day.change.parts],
        "rest": cents(day.change.rest),
        "closing": cents(day.change.closing),
        "activities": [{"id": name, "words": told.get(name, "")} for name in day.activities],
        "differences": [difference.in_words for difference in day.differences],
    }


def _in_lines(day: EquityDay, told: dict[str, str]) -> Iterator[str]:
    yield f"{day.day}"
    for part in day.change.parts:
        yield f"  {part.name:<44} {cents(part.amount):>14} USD"
    rest = "" if day.change.is_explained else "  NOT EXPLAINED"
    yield f"  {'rest':<44} {cents(day.change.rest):>14} USD{rest}"
    yield f"  {'closing equity':<44} {cents(day.change.closing):>14} USD"
    yield from (f"  {told[name]}" for name in day.activities if name in told)
    yield from (f"  {difference.in_words}" for difference in day.differences)


def measures(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(metavar="[DAY|FROM..TO]", help="A day or a range; default: the whole journal."),
    ] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    html: PageFile = None,
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
    from state.past_days import measured
    from state.regime_files import NO_MODEL, by_found_regimes

    home = host_of(context).home
    folder = journal_of(home, account, journal_dir).journal
    checked_page(html)
    checked_folder(csv)
    found = measured(folder, what)
    if html is not None:
        write_page(html, page(found))
    regimes = by_found_regimes(home, folder, what)
    result = {**told(found), "found_regimes": [row for each in regimes for row in each.as_json()]}
    lines = [line for each in regimes for line in ("", *each.lines())] or ["", NO_MODEL]
    tell(as_json, lambda: result, [*lines_of(found), *lines], html, csv=csv)


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
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print p50, p90, p95 and p99 of each step of an order, and from an entry's fill to its stop.

    Works while the engine runs.

    Example: keyturn latency --json
    """
    from core.execution.latency import latency_report
    from state.journal import read

    checked_folder(csv)
    folder = journal_of(host_of(context).home, account, journal_dir)
    found = latency_report(read(folder.journal), HOME.day_of, day.date() if day else None)
    spans = found["spans"]
    assert isinstance(spans, list)
    lines = [f"{found['day'] or 'no day'}: {counted(found['orders'], 'order')}, {counted(found['stops'], 'stop')}"]
    for span in spans:
        figures = "  ".join(f"{name} {whole(span[name])} ms" for name in ("p50", "p90", "p95", "p99"))
        lines.append(f"  {span['name']:<28} {span['orders']:>5}  {figures}")
    tell(as_json, lambda: found, lines, csv=csv)


def whole(milliseconds: object) -> str:
    """Format whole milliseconds, half away from zero; a dash if not measured."""
    if milliseconds is None:
        return "–"
    return f"{Decimal(str(milliseconds)).quantize(Decimal(1), ROUND_HALF_UP):,}"
