"""`keyturn activities`: the broker's account activities, and each day's change of equity (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.shared import Account, AsJson, JournalDir, cents, host_of, print_json, say
from core.ports import OperatorError
from state.accounts import journal_of

if TYPE_CHECKING:
    from core.analytics.equity import EquityDay

NOTHING = "no list of the broker's activities is in the journal for these days"


def activities(
    context: typer.Context,
    account: Account = None,
    journal_dir: JournalDir = None,
    day: Annotated[str | None, typer.Option("--day", help="One trading day, as 2026-11-20.")] = None,
    days: Annotated[str | None, typer.Option("--range", help="A range of days, as 2026-11-01..2026-11-30.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the broker's activities recorded in the journal, with each day's change of equity explained to the cent.

    Without a day, the last one. Works while the engine runs; the broker is not asked.

    Example: keyturn activities --range 2026-11-01..2026-11-30
    """
    first, last = _asked(day, days)
    told: dict[str, str] = {}
    found = _days(journal_of(host_of(context).home, account, journal_dir).journal, told)
    shown = found[-1:] if first is None or last is None else [one for one in found if first <= one.day <= last]
    if as_json:
        print_json([_as_json(one, told) for one in shown])
        return
    if not shown:
        say(NOTHING)
    for one in shown:
        for line in _in_lines(one, told):
            say(line)


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
    from core.market.calendar import load_calendar
    from state.journal import read
    from state.journal_files import segments

    paths = segments(journal)
    if not paths:
        return []
    calendar = load_calendar(date.fromisoformat(paths[0].stem), date.fromisoformat(paths[-1].stem))

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
