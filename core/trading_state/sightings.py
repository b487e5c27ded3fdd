"""Sightings: all inputs of decisions that are not in facts.

They are only in memory: a rebuild does not have them, a start begins without them, and two runs that fold the same
journal may differ in them. So a decision copies the values that it used into its fact. All inputs outside the facts are
here and nowhere else; a workflow's own pending requests are its own, and are repeated after a start.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime, timedelta

from core.agents.figure_record import FigureRecord
from core.execution.external_orders import OtherOrder
from core.execution.latency import Departures
from core.market.normaliser import DayFigures
from core.messages.desk_commands import SettingsFault
from core.messages.effects import Effect
from core.model.account import Account, Channel, ConnectionStatus, NoAccount
from core.model.bar import Quote
from core.model.broker import EVERYTHING, Capabilities, ForeignPosition, OrderReport
from core.model.desk import DeskNumber
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.news import EarningsDate, NewsBook
from core.model.reference_data import CorporateAction
from core.model.thesis import Thesis
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity, Symbol
from core.risk.trading_status import DiskFailure
from core.settings.changes import LimitChange
from core.settings.settings import Settings


@dataclass(slots=True)
class Sightings:
    """The sightings of this run.

    Attributes
    ----------
    account
        The broker's last figures. Buying power, margin and losses are checked by them; loss guards trip by them; the
        day begins with them.
    quotes
        The last valid quote of each symbol. Proposals are priced and reviewed by them until a ticket fetches fresh
        ones; a leaving desk uses them to find the fills to wait for.
    figures
        The figures of the last minutes that agents were told. The facts of drafts are compared with them; the result is
        copied into the draft's fact.
    day_figures
        The day so far of each received symbol. Displayed only.
    closes
        The last close before today of each received symbol, with its day. Displayed only.
    corporate_actions
        The announced actions of each requested symbol. Displayed only.
    headlines
        Those of followed symbols. Displayed only, and notified of.
    earnings
        The dates of the operator's file as last read, by symbol. Displayed only.
    looked_at
        The symbols for which the operator last typed an order, the newest at the end. Their figures are displayed only.
    instruments
        The broker's data on each symbol. Tradability, lending and margin requirements are checked by it; rows of a
        basket are interpreted by it.
    unlisted
        The last few symbols that the broker itself said it does not list. An order in one is refused at once.
    connections
        The status of each connection. Entries wait for both (OP-04); the books are requested when the order stream is
        back.
    departing
        The orders in our own queue, and when the others left it. Doubt and all time-outs count from then; a queued
        order is withdrawn here, not looked up at the broker.
    books_at
        The time of the last copy of the broker's books. While the order stream is down, they prove at a confirmation
        that the broker is reachable.
    books_were_answered
        Whether the first request of this run for them was answered, also by a failure. Until then nothing is sent by an
        authorization: the folder may be older than its account (EX-24).
    books_are_wanted
        Whether the broker's books will be requested at the end of the act.
    deadline_moved
        Whether a workflow moved a deadline in this act without a record or a request.
    held_by_the_broker
        Its positions at the last comparison; None before one. A read-only desk closes by them; their symbols are
        followed.
    unaccepted
        The symbols of orders that a folder older than its account does not know and that work or have filled, until a
        person accepts them (EX-24): no exit is sent there automatically, because one may rest or have sold already.
        None before the first books.
    differing, apart, gone
        Symbols whose books differ; the broker's surplus if both have a position; symbols of which the broker has none.
        No stop is sent for differing shares, and orders beyond the broker's quantity are cancelled, also at a kill.
    splitting
        Symbols of which the broker's books show a split that is not proven, and since when: open tickets were closed,
        signed exits wait for a key, and shares without a stop are told a minute later (EX-25).
    disputed
        Symbols of which the broker said that it took fills back or corrected them, until its books show it: nothing
        opens there.
    apart_once
        The same surplus by a single reading, which is no evidence yet: named, and believed at a kill alone.
    unread_positions
        Symbols whose row at the broker cannot be read: our books are kept, and no new order is sent for them.
    others, all_others
        Orders at the broker that are not this desk's: the working ones of its listing, and all with their possible
        effects. No exit is sent where they reserve its shares; a kill cancels those that may open positions.
    asked_by_kill
        The orders of which a kill requested a cancel since it began, in this run: ours by their client order id, others
        by the broker's. They are counted on the kill screen.
    foreign_positions
        Positions of the account that this desk does not trade. Displayed only.
    done_for_day
        Exits that the broker ended for the day after its close: requested again at the next open (EX-22).
    trails
        The current price of each trailing stop, by the broker's last report and the bars since. Display only.
    guessed_trails
        Those of which the broker has named no price, and no bar has moved it since. Display only.
    capabilities
        The broker's capabilities by its registry. Orders that it cannot take are not sent.
    calls
        Requests by endpoint. Displayed only.
    held_queries
        Queries that wait for the rate limit, by kind, with the time since when. They are displayed; the report of a
        basket waits for its own.
    limited_until
        When the broker accepts requests again, by its last 429. No query, and no exit whose stop is still in force,
        starts before.
    settings_file, file_changes
        The file as last read, and its changes that are not in force. They decide what may be reloaded.
    theses
        The theses of the file as last read; the night is checked by them.
    has_own_clock
        Whether the desk's time is this machine's clock, compared with the broker's, which is then requested.
    has_frictions
        Whether the simulated exchange has any. Displayed only.
    clock_ahead
        By how much the desk's time is at most ahead of the broker's, as last measured: an order that the broker
        accepted earlier than so much before ours was recorded is another one (EX-24).
    faults
        The number of unexpected exceptions. A deadline that raised waits, and a comparison that may be incomplete does
        not pass.
    disk
        A halt and a kill that could not be recorded but are in force. Only halts and kills depend on it.
    links
        The desk of each connection, by the connection's name in this run. Decides nothing.
    heard_from
        The time of each desk's last message. Decides whether its control may be taken without typing the word.
    presses
        The number of halts and kills processed. Another one disarms the key that ends a halt. Decides nothing.
    key_at
        The time of the last message of a person at any desk. The dead man's timer counts from it.
    """

    account: Account | NoAccount = field(default_factory=lambda: NoAccount("the broker has not said yet"))
    quotes: dict[Symbol, Quote] = field(default_factory=dict)
    figures: FigureRecord = field(default_factory=FigureRecord)
    day_figures: dict[Symbol, DayFigures] = field(default_factory=dict)
    closes: dict[Symbol, tuple[date, Price]] = field(default_factory=dict)
    corporate_actions: dict[Symbol, tuple[CorporateAction, ...]] = field(default_factory=dict)
    headlines: NewsBook = field(default_factory=NewsBook)
    earnings: dict[Symbol, tuple[EarningsDate, ...]] = field(default_factory=dict)
    looked_at: dict[Symbol, None] = field(default_factory=dict)
    instruments: dict[Symbol, BrokerInstrument] = field(default_factory=dict)
    unlisted: dict[Symbol, NoInstrument] = field(default_factory=dict)
    connections: dict[Channel, ConnectionStatus] = field(default_factory=dict)
    departing: Departures = field(default_factory=Departures)
    books_at: datetime | None = None
    books_were_answered: bool = False
    books_are_wanted: bool = False
    deadline_moved: bool = False
    held_by_the_broker: dict[Symbol, Quantity] | None = None
    splitting: dict[Symbol, datetime] = field(default_factory=dict)
    differing: frozenset[Symbol] = frozenset()
    unaccepted: frozenset[Symbol] | None = None
    apart: dict[Symbol, Quantity] = field(default_factory=dict)
    gone: frozenset[Symbol] = frozenset()
    disputed: frozenset[Symbol] = frozenset()
    apart_once: dict[Symbol, Quantity] = field(default_factory=dict)
    unread_positions: frozenset[Symbol] = frozenset()
    others: tuple[OrderReport, ...] = ()
    all_others: tuple[OtherOrder, ...] = ()
    asked_by_kill: set[ClientOrderId | BrokerOrderId] = field(default_factory=set)
    foreign_positions: tuple[ForeignPosition, ...] = ()
    done_for_day: set[ClientOrderId] = field(default_factory=set)
    trails: dict[ClientOrderId, Price] = field(default_factory=dict)
    guessed_trails: set[ClientOrderId] = field(default_factory=set)
    capabilities: Capabilities = EVERYTHING
    calls: tuple[tuple[str, int], ...] = ()
    held_queries: dict[type[Effect], datetime] = field(default_factory=dict)
    limited_until: datetime | None = None
    settings_file: Settings | SettingsFault | None = None
    file_changes: tuple[LimitChange, ...] = ()
    theses: tuple[Thesis, ...] = ()
    has_own_clock: bool = False
    has_frictions: bool = False
    clock_ahead: timedelta = timedelta(0)
    faults: int = 0
    disk: DiskFailure = field(default_factory=DiskFailure)
    links: dict[str, DeskNumber] = field(default_factory=dict)
    heard_from: dict[DeskNumber, datetime] = field(default_factory=dict)
    presses: int = 0
    key_at: datetime | None = None
