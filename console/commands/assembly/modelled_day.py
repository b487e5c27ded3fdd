"""A day without recorded inputs, as a model: its bars on a simulated exchange (AN-06)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.commands.assembly.engines import strategy_kinds
from console.commands.assembly.host import Host
from console.commands.assembly.recorded_day import RecordedDay, settings_at
from console.commands.assembly.recordings import FILE_SEED, Recording, fresh, played_by
from core.brokers.simulated.market import DERIVED_SIZE
from core.facts import (
    BarClosed,
    ConfirmationReceived,
    DayStarted,
    InstallationNamed,
    OrderApproved,
    OrderCreated,
    OrderSent,
    ProposalEnded,
    ProposalStaged,
    SettingsApplied,
    TicketOpened,
)
from core.messages.command_ports import addressed
from core.messages.commands import Command, Confirm, Decline, OpenTicket
from core.model.bar import Feed, Quote
from core.model.codes import ProposalEnd
from core.model.staging import MANUAL
from core.model.values import AccountId, ClientOrderId, Symbol, TicketId, plain
from core.ports import OperatorError, Recorded
from core.runtime.simulated_exchange import HeardFromOutside, RecordedRun, RunKind, RunStarted
from core.settings.settings import Settings
from core.what_if.input_replayer import Changed, Taken
from core.what_if.run_again import RunAgain
from state.accounts import Chosen
from state.files import AccountFolder, JournalFolder
from state.journal import FileJournal
from state.settings_file import with_override

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
        from core.market.calendar import load_calendar
        from core.messages.inputs import BarArrived, QuoteArrived
        from core.runtime.feed import bar_item, quote_item

        bars = [record for record in found.of_day if isinstance(record.fact, BarClosed)]
        if not bars:
            raise OperatorError(f"no bar of {found.day} was recorded: there is nothing to play")
        messages = (BarArrived(r.fact.bar, f"record {r.sequence}") for r in bars if isinstance(r.fact, BarClosed))
        feed = sorted(map(bar_item, messages), key=lambda item: item[0])
        quotes = [quote_item(QuoteArrived(quote)) for quote in _quotes_of(found.of_day)]
        equity = next((r.fact.equity for r in found.of_day if isinstance(r.fact, DayStarted)), None)
        settings = settings_at(found)
        laid_over = (*UNATTENDED, *(() if equity is None else (f"exchange.cash={equity:f}",)))
        for override in laid_over:
            settings = with_override(settings, Chosen(override))
        calendar = load_calendar(found.day - timedelta(days=7), found.day + timedelta(days=7))
        names = [r.fact.name for r in found.records if isinstance(r.fact, InstallationNamed)]
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
            run = RecordedRun(_started_as(recording), tuple(_keys_of(self.found.of_day, engine.state.account_name)))
            taken = runtime.again(run, self.found.known, changed, has_parted=True)
            runtime.run(self.found.ends)
        return taken


def _started_as(recording: Recording) -> RunStarted:
    return RunStarted(RunKind.REPLAY, recording.first, 0, 0, recording.settings, "", 0, None, "none")


def _keys_of(records: Sequence[Recorded], account: AccountId) -> list[HeardFromOutside]:
    """Return the recorded decisions on strategies' proposals."""

    def heard(at: datetime, said: Command) -> HeardFromOutside:
        return HeardFromOutside(0, at, addressed(said, account))

    proposals = {r.fact.proposal.id: r.fact.proposal for r in records if isinstance(r.fact, ProposalStaged)}
    tickets = {r.fact.ticket.id: r.fact.ticket for r in records if isinstance(r.fact, TicketOpened)}
    found: list[HeardFromOutside] = []
    for record in records:
        match record.fact:
            case ConfirmationReceived(ticket_id=ticket_id, digest=digest) if ticket_id in tickets:
                ticket = tickets[ticket_id]
                of = proposals.get(ticket.proposal_id)
                if of is None or of.strategy == MANUAL:
                    continue
                opened = max(of.staged_at, record.at - timedelta(seconds=1))
                confirm = Confirm(ticket_id, digest, ticket.order.effect, ticket.order.replaces)
                found += [heard(opened, OpenTicket(of.id)), heard(record.at, confirm)]
            case ProposalEnded(proposal_id=proposal_id, end=ProposalEnd.DECLINED) if proposal_id in proposals:
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
            case ProposalStaged(proposal=proposal, bid=bid, ask=ask):
                symbol = proposal.symbol
            case TicketOpened(ticket=ticket, bid=bid, ask=ask):
                symbol = of_ticket[ticket.id] = ticket.order.symbol
            case OrderApproved(ticket_id=ticket_id, bid=bid, ask=ask):
                symbol = of_ticket.get(ticket_id)
            case OrderCreated(order=order):
                of_order[order.client_order_id] = order.symbol
                continue
            case OrderSent(client_order_id=order_id, bid=bid, ask=ask):
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
    begins = next((r.sequence for r in of_day if isinstance(r.fact, BarClosed)), 0)
    reloaded = any(isinstance(r.fact, SettingsApplied) and r.sequence > begins for r in of_day)
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
