"""A past day to replay: its recorded inputs, or a model of a day without them (AN-06)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path

from console.commands.assembly.engines import strategy_kinds
from console.commands.assembly.host import Host
from console.commands.assembly.recordings import FILE_SEED, Recording, fresh, played_by
from core import facts
from core.brokers.simulated.market import DERIVED_SIZE
from core.messages.command_ports import addressed
from core.messages.commands import Command, Confirm, Decline, OpenTicket
from core.model.bar import Feed, Quote
from core.model.codes import ProposalEnd
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.staging import MANUAL
from core.model.values import AccountId, ClientOrderId, Symbol, TicketId, plain
from core.ports import OperatorError, Recorded
from core.risk.recent_entries import word_of
from core.runtime.simulated_exchange import HeardFromOutside, RecordedRun, RunKind, RunStarted
from core.settings.settings import Settings
from core.what_if.input_replayer import Changed, Known, Taken
from core.what_if.run_again import RunAgain
from state.accounts import Chosen
from state.files import AccountFolder, JournalFolder
from state.journal import FileJournal, days_of, read
from state.journal_files import PLAIN, opened, segments
from state.past_days import announced_calendar, records_of
from state.settings_file import with_override
from state.simulated_logs import read_runs

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
    # The runs that cover the day. One that crashed cannot be replayed further: its end is unknown.
    begun = [run for run in _of_this_journal(source, told) if HOME.day_of(run.started.at) <= day]
    later = [run.started.at for run in begun[1:]]
    found = [run for place, run in enumerate(begun) if place >= len(later) or HOME.day_of(later[place]) >= day]
    for run in found[:-1]:
        if run.left is None:
            raise OperatorError(
                f"the engine died in a run that began at {run.started.at:%Y-%m-%d %H:%M} UTC, and nobody knows where "
                "it stood: this day cannot be played again"
            )
    runs = tuple(found)
    after = runs[0].started.sequence if runs else 0
    every = tuple(read(source.journal, after))
    if runs and source.runs.exists():  # read again, to include records that arrived meanwhile
        last = read_runs(source)[-1]
        runs = (*runs[:-1], last if last.started == runs[-1].started else runs[-1])
    records = tuple(each for each in every if HOME.day_of(each.at) <= day)
    opened = [r.fact.ticket for r in records if isinstance(r.fact, facts.TicketOpened)]
    tickets, words = {each.id: each.proposal_id for each in opened}, {each.id: word_of(each.review) for each in opened}
    proposals = {r.fact.proposal.id: r.fact.proposal for r in records if isinstance(r.fact, facts.ProposalStaged)}
    return RecordedDay(source, day, runs, records, _ends(day, runs, every), Known(day, tickets, words, proposals))


def _ends(day: date, runs: Sequence[RecordedRun], records: Sequence[Recorded]) -> datetime:
    """Return when the equity at its close was recorded.

    Otherwise the day's end, or the last record of an unfinished day.
    """
    told = (
        r.at for r in records if isinstance(r.fact, facts.DayStarted) and r.fact.close_of == day and r.fact.day > day
    )
    if (at := next(told, None)) is not None and len(runs) == 1:
        return at + timedelta(seconds=1)
    ends = HOME.end_of(day) - timedelta(microseconds=1)
    is_over = HOME.day_of(records[-1].at) > day or (bool(runs) and runs[-1].left is not None)
    return ends if is_over else min(records[-1].at, ends)


def _of_this_journal(source: AccountFolder, runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """Return the runs in the journal, without those undone by a reset or a restore, or left before their start."""
    if not runs:
        return []
    told = records_of(source.journal, days_of(source.journal), (facts.EngineStarted,))
    starts = {record.sequence: record.at for record in told}
    found = []
    for run, following in zip_longest(runs, runs[1:]):
        began = min((sequence for sequence in starts if sequence > run.started.sequence), default=None)
        is_its_own = following is None or (began is not None and began <= following.started.sequence)
        if began is not None and is_its_own and starts[began] == run.started.at:
            found.append(run)
    return found


def settings_at(found: RecordedDay) -> Settings:
    """Return the settings at the day's start."""
    if found.runs:
        held = found.runs[0].started.settings
        for record in found.records:
            if isinstance(record.fact, facts.SettingsApplied) and HOME.day_of(record.at) < found.day:
                held = record.fact.settings
        return held
    applied = [record for record in found.records if isinstance(record.fact, facts.SettingsApplied)]
    before = [record for record in applied if HOME.day_of(record.at) < found.day] or applied[:1]
    if not before:
        raise OperatorError("the journal holds no settings: there is nothing to play the day by")
    last = before[-1].fact
    assert isinstance(last, facts.SettingsApplied)
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


REPLAYED = "replay"
"""The account name of a folder with only a journal; its orders' identifiers derive from it."""
UNATTENDED = ("reconciliation.every_seconds=0", "evaluation.enabled=false")
"""Without reconciliation and evaluation: no one else moves the books, and no strategy is retired."""


@dataclass(frozen=True, slots=True)
class ModelledDay:
    """The day's recorded bars on a simulated exchange, and the recorded decisions on strategies' proposals."""

    found: RecordedDay
    recording: Recording
    installation: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, host: Host, found: RecordedDay) -> ModelledDay:
        """Prepare the model. Raises `OperatorError` if the day has no bars."""
        from core.messages.inputs import BarArrived, QuoteArrived
        from core.runtime.feed import bar_item, quote_item

        bars = [record for record in found.of_day if isinstance(record.fact, facts.BarClosed)]
        if not bars:
            raise OperatorError(f"no bar of {found.day} was recorded: there is nothing to play")
        messages = (BarArrived(r.fact.bar, f"record {r.sequence}") for r in bars if isinstance(r.fact, facts.BarClosed))
        feed = sorted(map(bar_item, messages), key=lambda item: item[0])
        quotes = [quote_item(QuoteArrived(quote)) for quote in _quotes_of(found.of_day)]
        equity = next((r.fact.equity for r in found.of_day if isinstance(r.fact, facts.DayStarted)), None)
        settings = settings_at(found)
        laid_over = (*UNATTENDED, *(() if equity is None else (f"exchange.cash={equity:f}",)))
        for override in laid_over:
            settings = with_override(settings, Chosen(override))
        week = timedelta(days=7)
        calendar = announced_calendar(found.source.journal, found.day - week, found.day + week)
        names = [r.fact.name for r in found.records if isinstance(r.fact, facts.InstallationNamed)]
        first, last = feed[0][0], feed[-1][0]
        kinds = strategy_kinds(host, settings, is_played=True)
        recording = Recording(settings, kinds, calendar, [feed, quotes], first, last, (first,), is_daily=False)
        words = tuple(_modelled(found, settings, len(quotes)))
        return cls(found, recording, names[-1] if names else "what-if", words)

    def play(self, folder: AccountFolder, changed: Changed | None) -> Taken:
        from core.runtime.virtual_time import Pace

        recording = self.recording
        with closing(FileJournal(folder)) as journal:
            source = self.found.source
            account = REPLAYED if isinstance(source, JournalFolder) else source.name
            engine, exchange = fresh(
                recording, journal, seed=FILE_SEED, account=account, installation=self.installation
            )
            runtime = played_by(RunAgain, recording, engine, exchange, None, pace=Pace(None))
            started = RunStarted(RunKind.REPLAY, recording.first, 0, 0, recording.settings, "", 0, None, "none")
            run = RecordedRun(started, tuple(_keys_of(self.found.of_day, engine.state.account_name)))
            taken = runtime.again(run, self.found.known, changed, has_parted=True)
            runtime.run(self.found.ends)
        return taken


def _keys_of(records: Sequence[Recorded], account: AccountId) -> list[HeardFromOutside]:

    def heard(at: datetime, said: Command) -> HeardFromOutside:
        return HeardFromOutside(0, at, addressed(said, account))

    proposals = {r.fact.proposal.id: r.fact.proposal for r in records if isinstance(r.fact, facts.ProposalStaged)}
    tickets = {r.fact.ticket.id: r.fact.ticket for r in records if isinstance(r.fact, facts.TicketOpened)}
    found: list[HeardFromOutside] = []
    for record in records:
        match record.fact:
            case facts.ConfirmationReceived(ticket_id=ticket_id, digest=digest) if ticket_id in tickets:
                ticket = tickets[ticket_id]
                of = proposals.get(ticket.proposal_id)
                if of is None or of.strategy == MANUAL:
                    continue
                opened = max(of.staged_at, record.at - timedelta(seconds=1))
                confirm = Confirm(ticket_id, digest, ticket.order.effect, ticket.order.replaces)
                found += [heard(opened, OpenTicket(of.id)), heard(record.at, confirm)]
            case facts.ProposalEnded(proposal_id=proposal_id, end=ProposalEnd.DECLINED) if proposal_id in proposals:
                found.append(heard(record.at, Decline(proposal_id, "")))
    return sorted(found, key=lambda each: each.at)


def _quotes_of(records: Sequence[Recorded]) -> list[Quote]:
    """Return the quotes recorded with proposals, tickets, keys and orders (AN-03), at their record's time."""
    of_ticket: dict[TicketId, Symbol] = {}
    of_order: dict[ClientOrderId, Symbol] = {}
    found: list[Quote] = []
    for record in records:
        symbol: Symbol | None = None
        match record.fact:
            case facts.ProposalStaged(proposal=proposal, bid=bid, ask=ask):
                symbol = proposal.symbol
            case facts.TicketOpened(ticket=ticket, bid=bid, ask=ask):
                symbol = of_ticket[ticket.id] = ticket.order.symbol
            case facts.OrderApproved(ticket_id=ticket_id, bid=bid, ask=ask):
                symbol = of_ticket.get(ticket_id)
            case facts.OrderCreated(order=order):
                of_order[order.client_order_id] = order.symbol
                continue
            case facts.OrderSent(client_order_id=order_id, bid=bid, ask=ask):
                symbol = of_order.get(order_id)
            case _:
                continue
        if symbol is not None and bid is not None and ask is not None:
            found.append(Quote(symbol, record.at, bid, DERIVED_SIZE, ask, DERIVED_SIZE, Feed.RECORDED))
    return found


def _modelled(found: RecordedDay, settings: Settings, quotes: int) -> list[str]:
    """Describe the assumptions and omissions of the model."""
    of_day = found.of_day
    spread = plain(settings.exchange.half_spread_ticks * 2)
    begins = next((r.sequence for r in of_day if isinstance(r.fact, facts.BarClosed)), 0)
    reloaded = any(isinstance(r.fact, facts.SettingsApplied) and r.sequence > begins for r in of_day)
    words = [
        "bars: as recorded",
        f"quotes: the {quotes} that were recorded with proposals, tickets and orders; between them the spread of the "
        f"last one, {spread} ticks at least, about each bar's way",
        "answers and fills: the simulated exchange's, at once, by the settings of `exchange`",
        "keys: as turned on strategies' proposals; what only reduces and had no key gets one after a second",
        "strategies begin with the day's first bar, and the account with its equity, in cash, and no position",
    ]
    left = "left out: what a person typed, edited, moved, cancelled, paused or halted, and what was held over night"
    return [*words, left + ("; settings that changed on the day" if reloaded else "")]
