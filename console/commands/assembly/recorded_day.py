"""A recorded day to replay: its runs, its records, and the account before them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from core.facts import DayStarted, EngineStarted, ProposalStaged, SettingsApplied, TicketOpened
from core.model.session import HOME
from core.ports import OperatorError, Recorded
from core.risk.day import word_of
from core.runtime.simulated_exchange import RecordedRun
from core.what_if.input_replayer import Known
from state.files import AccountFolder, JournalFolder
from state.journal import days_of, read
from state.journal_files import PLAIN, opened, segments
from state.past_days import records_of
from state.simulated_logs import read_runs

if TYPE_CHECKING:
    from core.settings.settings import Settings

SEQUENCE = re.compile(rb'\{"seq":(\d+),')


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """The runs that cover the day, the oldest first; empty for a modelled day.

    Attributes
    ----------
    records
        The journal's records from the first run's start to the day's end.
    ends
        The last instant that counts, UTC.
    """

    source: AccountFolder
    day: date
    runs: tuple[RecordedRun, ...]
    records: tuple[Recorded, ...]
    ends: datetime
    known: Known

    @property
    def of_day(self) -> list[Recorded]:
        return [record for record in self.records if HOME.day_of(record.at) == self.day]


def recorded_day(source: AccountFolder, day: date) -> RecordedDay:
    """Return the day. Raises `OperatorError` if the journal does not have it, or it cannot be replayed to its end."""
    if day not in days_of(source.journal):
        there = days_of(source.journal)
        span = f"; it goes from {there[0]} to {there[-1]}" if there else ""
        raise OperatorError(f"the journal has no record of {day}{span}")
    told = read_runs(source)
    runs = _runs_of(_of_this_journal(source, told), day)
    after = runs[0].started.sequence if runs else 0
    every = tuple(read(source.journal, after))
    if runs and source.runs.exists():  # read again, to include records that arrived meanwhile
        last = read_runs(source)[-1]
        runs = (*runs[:-1], last if last.started == runs[-1].started else runs[-1])
    records = tuple(each for each in every if HOME.day_of(each.at) <= day)
    opened = [r.fact.ticket for r in records if isinstance(r.fact, TicketOpened)]
    tickets, words = {each.id: each.proposal_id for each in opened}, {each.id: word_of(each.review) for each in opened}
    proposals = {r.fact.proposal.id: r.fact.proposal for r in records if isinstance(r.fact, ProposalStaged)}
    return RecordedDay(source, day, runs, records, _ends(day, runs, every), Known(day, tickets, words, proposals))


def _ends(day: date, runs: Sequence[RecordedRun], records: Sequence[Recorded]) -> datetime:
    """Return when the equity at its close was recorded.

    Otherwise the day's end, or the last record of an unfinished day.
    """
    told = (r.at for r in records if isinstance(r.fact, DayStarted) and r.fact.close_of == day and r.fact.day > day)
    if (at := next(told, None)) is not None and len(runs) == 1:
        return at + timedelta(seconds=1)
    ends = HOME.end_of(day) - timedelta(microseconds=1)
    is_over = HOME.day_of(records[-1].at) > day or (bool(runs) and runs[-1].left is not None)
    return ends if is_over else min(records[-1].at, ends)


def _of_this_journal(source: AccountFolder, runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """Return the runs in the journal, without those undone by a reset or a restore, or left before their start."""
    if not runs:
        return []
    told = records_of(source.journal, days_of(source.journal), (EngineStarted,))
    starts = {record.sequence: record.at for record in told}
    found = []
    for run, following in zip_longest(runs, runs[1:]):
        began = min((sequence for sequence in starts if sequence > run.started.sequence), default=None)
        is_its_own = following is None or (began is not None and began <= following.started.sequence)
        if began is not None and is_its_own and starts[began] == run.started.at:
            found.append(run)
    return found


def _runs_of(runs: Sequence[RecordedRun], day: date) -> tuple[RecordedRun, ...]:
    """Return the runs that cover the day. One that crashed cannot be replayed further: its end is unknown."""
    begun = [run for run in runs if HOME.day_of(run.started.at) <= day]
    later = [run.started.at for run in begun[1:]]
    found = [run for place, run in enumerate(begun) if place >= len(later) or HOME.day_of(later[place]) >= day]
    for run in found[:-1]:
        if run.left is None:
            raise OperatorError(
                f"the engine died in a run that began at {run.started.at:%Y-%m-%d %H:%M} UTC, and nobody knows where "
                "it stood: this day cannot be played again"
            )
    return tuple(found)


def settings_at(found: RecordedDay) -> Settings:
    """Return the settings at the day's start."""
    if found.runs:
        held = found.runs[0].started.settings
        for record in found.records:
            if isinstance(record.fact, SettingsApplied) and HOME.day_of(record.at) < found.day:
                held = record.fact.settings
        return held
    applied = [record for record in found.records if isinstance(record.fact, SettingsApplied)]
    before = [record for record in applied if HOME.day_of(record.at) < found.day] or applied[:1]
    if not before:
        raise OperatorError("the journal holds no settings: there is nothing to play the day by")
    last = before[-1].fact
    assert isinstance(last, SettingsApplied)
    return last.settings


def account_before(found: RecordedDay, place: Path) -> AccountFolder:
    """Return a copy of the account as it was before the day's first run."""
    kind = JournalFolder if isinstance(found.source, JournalFolder) else AccountFolder
    folder = kind(place / found.source.name)
    folder.path.mkdir(parents=True)
    folder.prepare()
    if not found.runs:
        return folder
    started = found.runs[0].started
    for path in segments(found.source.journal):
        if not _copied(path, folder.journal / f"{path.stem}{PLAIN}", started.sequence):
            break
    if found.source.exchange.exists():
        with found.source.exchange.open("rb") as lines, folder.exchange.open("wb") as copy:
            copy.writelines(line for _, line in zip(range(started.requests), lines, strict=False))
    return folder


def _copied(path: Path, target: Path, until: int) -> bool:
    """The lines of a segment up to that number; False where it has others."""
    with opened(path) as lines:
        first = SEQUENCE.match(lines.readline())
        if first is None or int(first.group(1)) > until:
            return False
    with opened(path) as lines, target.open("wb") as copy:
        for line in lines:
            number = SEQUENCE.match(line)
            if number is None or int(number.group(1)) > until:
                return False
            copy.write(line)
    return True
