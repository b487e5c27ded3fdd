"""Sightings: everything of the world that a decision reads and that no fact holds.

They are in memory and nowhere else: a rebuild does not know them, a start begins without them, and two runs that fold
the same journal may differ in them. So a decision copies what it used into its fact. Who looks for what else moves the
desk looks here, and nowhere else; what a workflow asked for and waits for is its own, and asked anew by a start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from core.execution.departures import Departures
from core.execution.other_orders import OtherOrder
from core.market.day_figures import DayFigures
from core.messages.commands import SettingsFault
from core.messages.effects import Effect
from core.model.account import Account, NoAccount
from core.model.broker import ForeignPosition, OrderReport
from core.model.capabilities import EVERYTHING, Capabilities
from core.model.connection import Channel, ConnectionStatus
from core.model.corporate_action import CorporateAction
from core.model.desk import DeskNumber
from core.model.instrument import BrokerInstrument
from core.model.quote import Quote
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.risk.disk_failure import DiskFailure
from core.settings.changes import LimitChange
from core.settings.settings import Settings


@dataclass(slots=True)
class Sightings:
    """Of this run.

    Attributes
    ----------
    account
        The broker's last figures. Buying power, margin and losses are checked by them; the guards of losses trip by
        them; the day begins with them.
    quotes
        The last of each symbol that could be believed. Proposals are priced and reviewed by them until a ticket asks
        anew; what a leaving desk waits for.
    day_figures
        The day so far of each symbol that is told. Shown, and decides nothing.
    closes
        The last close before today of each symbol that is told, with its day. Shown, and decides nothing.
    corporate_actions
        What is announced of each symbol that was asked for. Shown, and decides nothing.
    looked_at
        What an operator typed an order for last, the newest at the end. Its figures are shown, and decide nothing.
    instruments
        What the broker says of each symbol. Tradability, lending and margin requirements are checked by it; rows of a
        basket are read by it.
    lamps
        How each line is. Entries wait for both (OP-04); the books are asked for when the stream of orders is back.
    departing
        What waits in our own queue, and when the rest left it. Doubt and every patience count by it; what is here is
        taken back and not asked for at the broker.
    books_at
        When the broker's books were told last. Where the stream of orders is not up, they show at the key that the
        broker is heard.
    books_are_wanted
        Somebody wants the broker's books; they are asked for at the end of the act.
    held_by_the_broker
        Its positions at the last comparison; None before one. A read-only desk closes by them; their symbols are
        followed.
    differing, apart, gone
        Symbols of which the books differ; by how much the broker had more, where both have any; of which it has none.
        No stop is sent for shares that differ, and what is beyond the broker's number is taken back, at a kill too.
    unread_positions
        Symbols of which the broker's row cannot be read: our books keep theirs, and nothing is sent anew for them.
    others, all_others
        Orders at the broker that are not this desk's: those that work as its listing tells them, and all, with what
        each may do. No entry goes where one holds the place, no sale where one holds the shares; a kill takes back what
        may open.
    foreign_positions
        What the account holds and this desk does not trade. It is shown, and decides nothing.
    done_for_day
        Exits that the broker called over for the day after its close: asked for again at the next open (EX-22).
    capabilities
        What its broker can do, as its registry says. No order goes that it cannot take.
    calls
        Requests by endpoint. They are shown, and decide nothing.
    held_queries
        Queries that wait for room in the minute, by their kind, each with the time since when. They are shown; the
        report of a basket waits for its own.
    limited_until
        When the broker takes requests again, by what it said last with a 429. No query and no exit whose stop is still
        in force begins before.
    settings_file, file_changes
        The file as it was read last, and what of it is not in force. What may be reloaded is decided by them.
    has_own_clock
        The desk's time is a clock of this machine beside the broker's: the broker's is asked.
    faults
        How often something raised that nobody foresaw. A deadline that raised waits, and a comparison that may not be
        whole does not pass.
    disk
        What holds although it could not be written: the halt, and a kill. All that a halt and a kill decide.
    links
        The desk at the end of each connection, by what that is called in this run. It decides nothing.
    heard_from
        When each desk said anything last. Whether its key is taken without the word.
    presses
        Halts and kills that were taken in. What ends a halt is armed anew at each; it decides nothing.
    key_at
        When anybody at a desk said anything last that no desk says by itself. A dead man's timer counts by it.
    """

    account: Account | NoAccount = field(default_factory=lambda: NoAccount("the broker has not said yet"))
    quotes: dict[Symbol, Quote] = field(default_factory=dict)
    day_figures: dict[Symbol, DayFigures] = field(default_factory=dict)
    closes: dict[Symbol, tuple[date, Price]] = field(default_factory=dict)
    corporate_actions: dict[Symbol, tuple[CorporateAction, ...]] = field(default_factory=dict)
    looked_at: dict[Symbol, None] = field(default_factory=dict)
    instruments: dict[Symbol, BrokerInstrument] = field(default_factory=dict)
    lamps: dict[Channel, ConnectionStatus] = field(default_factory=dict)
    departing: Departures = field(default_factory=Departures)
    books_at: datetime | None = None
    books_are_wanted: bool = False
    held_by_the_broker: dict[Symbol, Quantity] | None = None
    differing: frozenset[Symbol] = frozenset()
    apart: dict[Symbol, Quantity] = field(default_factory=dict)
    gone: frozenset[Symbol] = frozenset()
    unread_positions: frozenset[Symbol] = frozenset()
    others: tuple[OrderReport, ...] = ()
    all_others: tuple[OtherOrder, ...] = ()
    foreign_positions: tuple[ForeignPosition, ...] = ()
    done_for_day: set[ClientOrderId] = field(default_factory=set)
    capabilities: Capabilities = EVERYTHING
    calls: tuple[tuple[str, int], ...] = ()
    held_queries: dict[type[Effect], datetime] = field(default_factory=dict)
    limited_until: datetime | None = None
    settings_file: Settings | SettingsFault | None = None
    file_changes: tuple[LimitChange, ...] = ()
    has_own_clock: bool = False
    faults: int = 0
    disk: DiskFailure = field(default_factory=DiskFailure)
    links: dict[str, DeskNumber] = field(default_factory=dict)
    heard_from: dict[DeskNumber, datetime] = field(default_factory=dict)
    presses: int = 0
    key_at: datetime | None = None
