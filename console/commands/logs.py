"""The command `keyturn engine logs`: the log's lines, what it repeats, and the requests that it counts (SY-06)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from console.commands.assembly.tables import checked_folder
from console.commands.shared import Account, TablesFolder, counted, host_of, print_json, say, tell
from core.ports import OperatorError
from state.accounts import account_of

if TYPE_CHECKING:
    from state.files import AccountFolder
    from state.service_log.files import Line, LogReader
    from state.service_log.summary import Problem

NEWEST = 100
"""The default number of lines."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
NAMED = 5
"""The maximum of damaged lines that are named; more are only counted."""
AGES = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
AGE = re.compile(r"([0-9]{1,6})([smhd])")
SHOWN_BESIDE = ("order", "ticket", "request", "symbol")
SHOWN_DAYS = 7
DAY_WIDTH = 8


def logs(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing new ones as they arrive.")] = False,
    order: Annotated[
        str | None, typer.Option("--order", help="Only this order: its id, or the first characters.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="An age before the newest line, as 2h (s, m, h, d), or a UTC time.")
    ] = None,
    level: Annotated[
        str, typer.Option("--level", help="Least level: debug, info, warning, error or critical.")
    ] = "info",
    count: Annotated[
        int | None,
        typer.Option(
            "-n", "--count", min=0, help="Number of newest lines; default: 100, or all with --order or --since."
        ),
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count warnings and errors by kind and day instead.")
    ] = False,
    requests: Annotated[
        bool, typer.Option("--requests", help="Count the requests to broker and market data by endpoint instead.")
    ] = False,
    account: Account = None,
    csv: TablesFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; of lines the raw ones.")] = False,
) -> None:
    """Print the engine's log: facts, refusals, calls to the broker, errors.

    With --summary it prints each kind of warning and error with its count by UTC day and its newest words; with
    --requests each endpoint with its requests, those of its busiest minute, and how long they took. Both read all that
    is kept, or --since.

    Examples: keyturn engine logs -f, keyturn engine logs --since 2h, keyturn engine logs --since 7d --summary
    """
    from state.service_log.files import LogReader

    if (summary or requests) and (follow or count is not None or summary is requests):
        raise OperatorError("--summary and --requests count what is kept: name one of them, without -f and -n")
    checked_folder(csv)
    if csv is not None and not (summary or requests):
        raise OperatorError("--csv writes the tables of --summary or --requests; name one of them")
    folder = account_of(host_of(context).home, account)
    if not follow and not _is_there(folder):
        say(f"{folder.name}: nothing is logged yet; an engine without a desk writes it: `keyturn demo --headless`")
        return
    reader = LogReader(folder.log)
    if summary or requests:
        whole = _wanted(reader.lines(follow=False), folder, order, since, "debug")
        (_tell_problems if summary else _tell_requests)(whole, csv, as_json)
        _name_damaged(reader, 0)
        return
    wanted = _wanted(reader.lines(follow=False), folder, order, since, level)
    shown = NEWEST if count is None and order is None and since is None else count
    for line in wanted if shown is None else deque(wanted, maxlen=shown):
        _print(line, as_json)
    _name_damaged(reader, 0)
    if follow:
        _follow(reader, folder, order, level, as_json)


def _is_there(folder: AccountFolder) -> bool:
    from state.service_log.files import all_files

    return any(all_files(folder.log))


def _follow(reader: LogReader, folder: AccountFolder, order: str | None, level: str, as_json: bool) -> None:
    named = len(reader.damaged)
    for line in _wanted(reader.lines(follow=True), folder, order, None, level):
        _print(line, as_json)
        named = _name_damaged(reader, named)


def _wanted(
    lines: Iterable[Line], folder: AccountFolder, order: str | None, since: str | None, level: str
) -> Iterator[Line]:
    """Yield the selected lines. Raises `OperatorError`."""
    from state.service_log.files import OrderLines, whole_id
    from state.service_log.lines import LEVELS

    if level.lower() not in LEVELS:
        raise OperatorError(f"--level {level}: one of {', '.join(LEVELS)}")
    worst = LEVELS[LEVELS.index(level.lower()) :]
    of_order = OrderLines(whole_id(order, folder.log)) if order is not None else None
    begins = _beginning(since, folder) if since is not None else None
    for line in lines:
        is_its_own = of_order is None or of_order.has(line)
        is_in_time = begins is None or datetime.fromisoformat(line["at"]) >= begins
        if is_its_own and is_in_time and line["level"] in worst:
            yield line


def _beginning(since: str, folder: AccountFolder) -> datetime:
    """Return the start; an age counts from the newest line, because a demo has its own time. Raises `OperatorError`."""
    from state.service_log.files import LogReader

    if found := AGE.fullmatch(since):
        times = (datetime.fromisoformat(line["at"]) for line in LogReader(folder.log).lines(follow=False))
        newest = max(times, default=LONG_AGO)
        with suppress(OverflowError):
            return newest - timedelta(**{AGES[found[2]]: int(found[1])})
        return LONG_AGO
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        raise OperatorError(f"--since {since}: an age as 30m, 2h, 3d, or a time in UTC as 2026-01-05T14:30") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _print(line: Line, as_json: bool) -> None:
    if as_json:
        print_json(line, orjson.OPT_UTC_Z)
        return
    words, at = line["words"], datetime.fromisoformat(line["at"])
    beside = ", ".join(f"{name} {line[name]}" for name in SHOWN_BESIDE if line.get(name))
    when = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}Z"
    say(f"{when} {line['level']:<8} {line['event']}: {words}" + (f" ({beside})" if beside else ""))
    trace = line.get("traceback")
    for below in str(trace).splitlines() if trace else ():
        say(f"    {below}")


def _name_damaged(reader: LogReader, named: int) -> int:
    """Report unreadable lines on standard error, so that the output can be piped."""
    new = reader.damaged[named:]
    if new:
        places = "; ".join(islice(new, NAMED))
        more = f"; and {len(new) - NAMED} more" if len(new) > NAMED else ""
        say(f"{counted(len(new), 'damaged line')} left out: {places}{more}", err=True)
    return len(reader.damaged)


def _tell_problems(lines: Iterable[Line], csv: Path | None, as_json: bool) -> None:
    from state.service_log.summary import problems

    found = problems(lines)
    days = sorted({day for kind in found for day in kind.by_day})
    shown = days[-SHOWN_DAYS:]
    older = len(days) > len(shown)
    head = "".join(f"{day:%d %b}".rjust(DAY_WIDTH) for day in shown)
    rows = [f"{'':<8} {'before' if older else '':>6}{head}  kind: the newest words"]
    for kind in found:
        before = sum(kind.by_day[day] for day in days if day not in shown)
        counts = "".join(str(kind.by_day[day] or "·").rjust(DAY_WIDTH) for day in shown)
        rows.append(f"{kind.level:<8} {before or '' if older else '':>6}{counts}  {kind.event}: {kind.words}")
    if not found:
        rows = ["no warning and no error in what is kept"]
    tell(as_json, lambda: {"problems": [_figures_of(kind) for kind in found]}, rows, csv=csv)


def _figures_of(kind: Problem) -> dict[str, object]:
    days = {day.isoformat(): many for day, many in sorted(kind.by_day.items())}
    return {
        "level": kind.level, "event": kind.event, "count": kind.by_day.total(), "first": kind.first,
        "last": kind.last, "days": days, "words": kind.words,
    }  # fmt: skip


def _tell_requests(lines: Iterable[Line], csv: Path | None, as_json: bool) -> None:
    from state.service_log.summary import requests

    found = [each.in_figures() for each in requests(lines)]
    rows = [f"{'endpoint':<18}requests  mean/min  most/min  busiest minute     median ms  slowest"]
    for each in found:
        outcomes = each["outcomes"]
        assert isinstance(outcomes, dict)
        others = ", ".join(f"{many} {name.replace('_', ' ')}" for name, many in outcomes.items() if name != "answered")
        figures = f"{each['requests']:>8,}{each['a_minute']:>10}{each['most_a_minute']:>10}"
        took = f"{each['median_ms']:>10,}{each['slowest_ms']:>9,}"
        row = f"{each['endpoint']:<18}{figures}  {each['busiest_minute']:%Y-%m-%d %H:%MZ}{took}  {others}"
        rows.append(row.rstrip())
    if not found:
        rows = ["no request in what is kept: the simulated exchange is asked within the engine"]
    tell(as_json, lambda: {"requests": found}, rows, csv=csv)
