"""Replay a day of a journal, unchanged and with changes (AN-06).

A recorded run on the simulated exchange is replayed from its start: first unchanged, which must write the same bytes,
then once for each change. For any other day its recorded bars are played on a simulated exchange, as a model; changed
replays are compared with its unchanged replay.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from console.commands.assembly.engines import open_engine
from console.commands.assembly.host import Host
from console.commands.assembly.past_day import (
    SEQUENCE,
    ModelledDay,
    RecordedDay,
    account_before,
    recorded_day,
    settings_at,
)
from console.commands.assembly.recordings import FILE_SEED, NoSwitch, fresh, measured, operator_by, played_by, recorded
from console.commands.assembly.simulated import demo_calendar, demo_parts, path_of
from core.facts import EngineStopped
from core.model.account import Mode
from core.model.values import Symbol
from core.ports import OperatorError, Recorded
from core.risk.shadow_trades import BLOCKED
from core.runtime.simulated_exchange import PlayedFile, RecordedRun, RunKind
from core.what_if.changes import Change, ChangeKind, change_of, found_in
from core.what_if.input_replayer import Changed, Taken
from core.what_if.outcome import Base, PlayedAgain, WhatIf, came_new, decided_of, fate_of, first_other, rows_of
from core.what_if.run_again import UNKNOWN, AsItWas, RunAgain
from state.accounts import Chosen
from state.files import AccountFolder
from state.journal import FileJournal, read, read_day
from state.journal_files import PLAIN, opened, segments
from state.past_days import explained
from state.settings_file import with_override
from state.simulated_logs import file_played

if TYPE_CHECKING:
    from core.post_mortem.post_mortem import PostMortem
    from core.settings.settings import Settings

DECIDED = ("risk", "strategies", "staging", "confirm", "execution", "orders", "exits", "attendance", "symbols")
"""Settings tables that a replay may change. A profile would change many of them, and an exchange keeps its rules."""
CONFIRMS_ALL = "its operator confirms all, and does so below: what was not there gets its key too"
A_SCRIPT = "its keys were pressed by a script, which presses them below at the same times"
Watch = Callable[[str], None]
"""Called with a description of each replay."""


def played_again(host: Host, source: AccountFolder, day: date, changes: Sequence[str], watch: Watch) -> PlayedAgain:
    """Replay the day unchanged, and with each change.

    Raises OperatorError: the day, a change or a file of that run is missing or cannot be used.
    """
    asked = [change_of(text) for text in changes]
    found = recorded_day(source, day)
    decided = decided_of(found.of_day)
    settings = settings_at(found)
    names = [str(each.proposal.id) for each in decided if each.end != BLOCKED]
    asked = [found_in(change, names, settings.strategies.names) for change in asked]
    for change in asked:
        _require_can_be_set(change, settings)
    with tempfile.TemporaryDirectory(prefix="keyturn-") as place:
        watch("as it was")
        base_folder = account_before(found, Path(place) / "base")
        known: dict[int, AsItWas] = {}
        if not found.runs:
            model = ModelledDay.of(host, found)
            model.play(base_folder, None)
            base = Base(is_exact=False, records=0, modelled=model.words)
        else:
            _play(host, found, base_folder, None, known)
            first = found.runs[0].started.sequence
            other = _first_other_line(found, base_folder)
            keys = {run.started.operator for run in found.runs}
            words = CONFIRMS_ALL if "confirm-all" in keys else A_SCRIPT if keys != {"none"} else ""
            base = Base(
                is_exact=other is None, records=found.records[-1].sequence - first, first_other=other, operator=words
            )
        was, _ = explained(base_folder.journal, day.isoformat())
        answers = []
        for number, change in enumerate(asked, 1):
            watch(change.words)
            answers.append(_answer(host, found, change, Path(place) / str(number), base_folder, was, known))
    beside = () if found.runs else rows_of(explained(source.journal, day.isoformat())[0], was)
    return PlayedAgain(day, base, decided, beside, tuple(answers))


def _require_can_be_set(change: Change, settings: Settings) -> None:
    if change.kind is not ChangeKind.SET:
        return
    table = change.name.partition("=")[0].partition(".")[0].strip()
    if table not in DECIDED:
        raise OperatorError(
            f"set:{change.name}: a day is played again with another limit or strategy, from {', '.join(DECIDED)}"
        )
    new = _with(settings, change)
    if more := [symbol for symbol in new.symbols if symbol not in settings.symbols]:
        raise OperatorError(f"set:{change.name}: nothing of {', '.join(more)} was played on that day")


def _with(settings: Settings, change: Change) -> Settings:
    key = change.name.partition("=")[0]
    return with_override(settings, Chosen(change.name, f"--change set:{key}"))


# ── the unchanged day ────────────────────────────────────────────────────────────────────────────────────────────────


def _first_other_line(found: RecordedDay, folder: AccountFolder) -> int | None:
    """Return the number of the first record whose bytes differ from the recorded ones."""
    for path in segments(found.source.journal):
        if date.fromisoformat(path.stem) > found.day:
            return None
        again = folder.journal / f"{path.stem}{PLAIN}"
        lines = again.read_bytes().splitlines() if again.exists() else []
        with opened(path) as recorded:
            before = recorded.read().splitlines()
        for place, line in enumerate(before):
            number = SEQUENCE.match(line)
            sequence = int(number.group(1)) if number is not None else 0
            if sequence > found.records[-1].sequence:  # a day that continues
                return None
            if place >= len(lines) or lines[place] != line:
                return sequence
    return None


def _play(
    host: Host, found: RecordedDay, folder: AccountFolder, changed: Changed | None, known: dict[int, AsItWas]
) -> Taken:
    """Replay the runs of the day, one after the other, in the copy. The unchanged replay notes the scripts' keys."""
    taken = Taken()
    for place, run in enumerate(found.runs):
        following = found.runs[place + 1].started.sequence if place + 1 < len(found.runs) else None
        with ExitStack() as stack:
            runtime = _runtime(host, found, folder, run, stack)
            was = known.get(place, UNKNOWN)
            said = runtime.again(run, found.known, changed, has_parted=taken.at is not None, was=was)
            runtime.run(found.ends)
            if changed is None:
                known[place] = runtime.was
            stopped = _stopped(found.records, run.started.sequence, following)
            if stopped is not None and runtime.at <= found.ends:
                runtime.stop(stopped.fact.reason)
        if stopped is not None:
            _write_between(folder, found.records, stopped.sequence, following)
        taken = Taken(taken.at or said.at, [*taken.refused, *said.refused], taken.unplaced + said.unplaced)
    return taken


class _Stopped(NamedTuple):
    sequence: int
    fact: EngineStopped


def _stopped(records: Sequence[Recorded], after: int, until: int | None) -> _Stopped | None:
    """Return the clean stop of the run between these records, if any."""
    for record in records:
        if isinstance(record.fact, EngineStopped) and after < record.sequence <= (until or record.sequence):
            return _Stopped(record.sequence, record.fact)
    return None


def _write_between(folder: AccountFolder, records: Sequence[Recorded], after: int, until: int | None) -> None:
    """Copy the records written while no engine ran, such as by a restore."""
    found = [record for record in records if after < record.sequence <= (until or record.sequence)]
    if found:
        with closing(FileJournal(folder)) as journal:
            for record in found:
                journal.append(record.at, record.fact)


def _runtime(host: Host, found: RecordedDay, folder: AccountFolder, run: RecordedRun, stack: ExitStack) -> RunAgain:
    made = _replay if run.started.kind is RunKind.REPLAY else _demo
    return made(host, found, folder, run, stack)


def _demo(host: Host, found: RecordedDay, folder: AccountFolder, run: RecordedRun, stack: ExitStack) -> RunAgain:
    from core.brokers.simulated.log import time_of
    from core.runtime import demo
    from core.runtime.demo_market import MARKETS
    from core.runtime.virtual_time import Pace
    from core.strategies.questions import missed_in
    from state.simulated_logs import ExchangeLogFile

    started = run.started
    calendar = demo_calendar()
    log = stack.enter_context(closing(ExchangeLogFile(folder)))
    records = list(log.records())
    market = demo.demo_market(records, usual=MARKETS[started.stage])
    engine, _ = open_engine(host, folder, calendar, Mode.PAPER, stack, settings=started.settings)
    last = max([engine.state.at, *(time_of(record) for record in records[-1:])])
    started = replace(started, at=max(started.at, last))  # a changed run may have waited longer for its last answers
    for file in (started.vix, started.market, *started.strategies):
        _require_same(file)
    if started.settings.strategies.own:
        engine.state.orchestrator.knows_who_missed(missed_in(read(found.source.journal)))
    parts = demo_parts(started, market, engine, log, records, calendar)
    return RunAgain(**{**parts, "pace": Pace(None)}, switch=NoSwitch(), keeper=ListsAsThen())


class ListsAsThen:
    """The account's watchlists have files, which a replay does not touch."""

    has_lists = True

    def look(self, runtime: object) -> None:
        """Do nothing: the recorded inputs include the changes of the files."""

    def close(self, runtime: object) -> None:
        """Do nothing."""

    def keep_list(self, _name: str, _symbols: Sequence[Symbol]) -> str:
        return ""


def _replay(host: Host, found: RecordedDay, folder: AccountFolder, run: RecordedRun, stack: ExitStack) -> RunAgain:
    from core.runtime.virtual_time import Pace
    from core.strategies.questions import missed_in

    started = run.started
    files, quotes = started.files, started.quotes
    for file in (*files, *quotes, started.vix, started.market, *started.strategies):
        _require_same(file)
    paths, quoted = [Path(file.path) for file in files], [Path(file.path) for file in quotes]
    recording = recorded(host, paths, quoted, (), lambda _host, _overrides: started.settings, (), started.zone)
    recording = measured(recording, path_of(started.vix), path_of(started.market))
    journal = stack.enter_context(closing(FileJournal(folder)))
    engine, exchange = fresh(recording, journal, seed=FILE_SEED)
    if recording.settings.strategies.own:
        engine.state.orchestrator.knows_who_missed(missed_in(read(found.source.journal)))
    operator = operator_by(started.operator, engine, recording.first)
    return played_by(RunAgain, recording, engine, exchange, operator, pace=Pace(None))


def _require_same(file: PlayedFile | None) -> None:
    """Check that a played file exists and is unchanged. Raises `OperatorError`."""
    if file is None:
        return
    try:
        now = file_played(Path(file.path))
    except OSError as error:
        raise OperatorError(f"{file.path} was played on that day and cannot be read: {error.strerror}") from None
    if now.digest != file.digest:
        raise OperatorError(f"{file.path} is not what was played on that day: put that one back")


# ── with a change ────────────────────────────────────────────────────────────────────────────────────────────────────


def _answer(
    host: Host,
    found: RecordedDay,
    change: Change,
    place: Path,
    base: AccountFolder,
    was: PostMortem,
    known: dict[int, AsItWas],
) -> WhatIf:
    changed = Changed(change, None)
    if change.kind is ChangeKind.SET:
        changed = Changed(change, lambda held: _with(held, change))
    folder = account_before(found, place)
    runs = bool(found.runs)
    taken = _play(host, found, folder, changed, known) if runs else ModelledDay.of(host, found).play(folder, changed)
    now, _ = explained(folder.journal, found.day.isoformat())
    of_day = list(read_day(folder.journal, found.day))
    after = found.runs[0].started.sequence if found.runs else 0
    return WhatIf(
        change.words,
        taken.at,
        tuple(dict.fromkeys(taken.refused)),
        taken.unplaced,
        first_other(tuple(read(base.journal, after)), tuple(read(folder.journal, after))),
        rows_of(was, now),
        was,
        now,
        fate_of(change, of_day),
        came_new(decided_of(list(read_day(base.journal, found.day))), decided_of(of_day)),
    )
