"""`keyturn engine logs`: the engine's log in order across rotations, and new lines as they come."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from console.commands.shared import Account, counted, host_of, print_json, say
from core.ports import OperatorError
from state.accounts import account_of

if TYPE_CHECKING:
    from state.files import AccountFolder
    from state.service_log.files import Line, LogReader

NEWEST = 100
"""The default number of lines."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
NAMED = 5
"""The maximum of damaged lines that are named; more are only counted."""
AGES = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
AGE = re.compile(r"([0-9]{1,6})([smhd])")
SHOWN_BESIDE = ("order", "ticket", "request", "symbol")


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
    account: Account = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the raw JSON lines of the log.")] = False,
) -> None:
    """Print the engine's log: facts, refusals, calls to the broker, errors.

    Examples: keyturn engine logs -f, keyturn engine logs --order b41db81a, keyturn engine logs --since 2h
    """
    from state.service_log.files import LogReader

    folder = account_of(host_of(context).home, account)
    if not follow and not _is_there(folder):
        say(f"{folder.name}: nothing is logged yet; an engine without a desk writes it: `keyturn demo --headless`")
        return
    reader = LogReader(folder.log)
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
