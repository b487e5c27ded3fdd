"""Seconds in which a position was bare although its ticket named a stop, by the exchange's own books, and why (EX-22).

Bare are shares of which a ticket said that the broker holds their stop, while the exchange works no stop and no exit at
the market for them. Each stretch of it has its causes; one that has none is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.brokers.simulated.order_book import BookedOrder
from core.messages.effects import CancelOrder
from core.model.broker import OrderUpdate
from core.model.codes import BlockCode, EndCode
from core.model.order import OrderStatus, Side, StopHolder
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.staging import AuthorizationKind
from core.model.values import ZERO, ClientOrderId, Symbol
from core.workflows.engine_start import EngineStart

if TYPE_CHECKING:
    from simulation.auditor import Seen
    from simulation.world import World

Owner = tuple[Symbol, str]
ALLOWED = 2.0
"""Seconds that may pass without a cause: a request and its answer, a comparison that is due."""
EXACT = 6
"""Digits of a second that the clock has: a sum of floats has more, and 40 parts of 2 s are no more than 2 s."""
A_WORD = timedelta(seconds=5)
"""In which a fill that was told is counted."""
DOWN = "the desk was down"
NO_TIME = "no time of a session passed"
NO_CAUSE = "no cause"
NEVER_SENT = "the stop was kept when the desk was left"
WRITTEN_ONLY = "the stop was written down and never asked for"
FREE = (NO_CAUSE, NEVER_SENT, WRITTEN_ONLY)
"""What a desk that does as it says never comes to for longer than that."""


@dataclass(slots=True)
class Stretch:
    """One stretch of time in which shares of an owner were bare."""

    owner: Owner
    began: datetime
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def seconds(self) -> float:
        return sum(self.causes.values())

    @property
    def awake(self) -> float:
        """Seconds of it in which a desk ran."""
        return sum(seconds for cause, seconds in self.causes.items() if cause not in (DOWN, ENDED_WHILE_DOWN))

    @property
    def cause(self) -> str:
        """What most of it was due to."""
        return max(self.causes, key=lambda cause: self.causes[cause], default=NO_TIME)


class Meter:
    """Follows the exchange's fills and orders; asks of each bare stretch why it goes on.

    Attributes
    ----------
    held
        By owner, from the exchange's executions alone.
    named
        Shares of those of which a ticket said that the broker holds their stop.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: Counter[Owner] = Counter()
        self.named: Counter[Owner] = Counter()
        self.bare: dict[Owner, Stretch] = {}
        self.done: list[Stretch] = []
        self.is_up = True
        self._at = world.clock
        self._causes: dict[Owner, str] = {}
        self._opened: dict[Owner, datetime] = {}
        self._unknown: set[Symbol] = set()

    def hear(self, updates: list[OrderUpdate], at: datetime) -> None:
        """The exchange tells something, heard or not."""
        touched: set[Symbol] = set()
        for update in updates:
            symbol = update.report.symbol
            touched.add(symbol)
            if update.execution is not None and update.report.client_order_id in self.world.foreign:
                self.give_up(symbol)
            elif update.execution is not None and symbol not in self._unknown:
                self._count(update)
        if touched:
            self.look(at)
            for owner in [o for o in {*self.held, *self.bare} if o[0] in touched - self._unknown]:
                self._judge(owner, at)

    def give_up(self, symbol: Symbol) -> None:
        """Somebody else traded it, or its shares became others: whose are which is not known, until there are none."""
        self._unknown.add(symbol)
        for owner in [o for o in {*self.held, *self.bare} if o[0] == symbol]:
            self.held[owner] = self.named[owner] = ZERO
            self.bare.pop(owner, None)
            self._causes.pop(owner, None)

    def _take_up(self) -> None:
        """What nobody holds any more, by the exchange's books and by the desk's, is known again: none has shares of it.

        An exit may have sold shares of another owner, where the broker had fewer than the desk. Shares that are listed
        later under another symbol are held meanwhile.
        """
        owners = [owner for owner in self.bare if not self.world.exchange._ledger.quantity(owner[0])]
        if not self.is_up or not (self._unknown or owners):
            return
        ours = {position.symbol for position in self.world.engine.state.ledger.positions()}
        held = {s for s in self._unknown if s in ours or self.world.exchange._ledger.quantity(s)}
        self._unknown &= held | self.world.actions.hidden
        for symbol in {owner[0] for owner in owners} - ours:
            for owner in [o for o in self.held if o[0] == symbol]:
                self.held[owner] = self.named[owner] = ZERO
                self._judge(owner, self._at)

    def _count(self, update: OrderUpdate) -> None:
        entry = self._root(update.report.client_order_id)
        if entry is None or update.execution is None:
            return
        owner = entry.order.symbol, entry.strategy
        quantity = update.execution.quantity
        before = self.held[owner]
        after = self.held[owner] = before + (quantity if update.report.side is Side.BUY else -quantity)
        if not before:
            self._opened[owner] = update.at
        if abs(after) > abs(before) and entry.names_stop and not entry.order.effect.only_reduces:
            self.named[owner] += quantity
        if abs(after) < abs(before):
            self.named[owner] = max(self.named[owner] - self._named_of(entry, abs(before), quantity), ZERO)
        self.named[owner] = min(self.named[owner], abs(after)) if before * after >= 0 else ZERO

    def take_back(self, order_id: str, shares: Decimal, at: datetime) -> None:
        """The broker takes shares of an execution back: what it bought is not held, what it sold is held again."""
        seen = self._root(order_id)
        booked = self.world.exchange._book.find(ClientOrderId(order_id))
        if seen is None or booked is None or booked.symbol in self._unknown:
            return
        self.look(at)
        owner = seen.order.symbol, seen.strategy
        before = self.held[owner]
        after = self.held[owner] = before + (shares if booked.side is Side.SELL else -shares)
        if not before:
            self._opened[owner] = at
        if not booked.opens and booked.request.type.is_stop:
            self.named[owner] += shares
        elif booked.opens and seen.names_stop:
            self.named[owner] -= self._named_of_taken_back(owner, shares)
        self.named[owner] = min(self.named[owner], abs(after)) if before * after >= 0 else ZERO
        self._judge(owner, at)

    def _named_of_taken_back(self, owner: Owner, shares: Decimal) -> Decimal:
        """Shares with a named stop among those of an entry's that the broker takes back: none that exits sold before.

        Entries that name a stop had bought all those that are held, and those that were sold.
        """
        bought = shares
        for order_id, seen in self.world.auditor.story.orders.items():
            is_its_own = (seen.order.symbol, seen.strategy) == owner and not seen.order.effect.only_reduces
            booked = self.world.exchange._book.find(order_id)
            if is_its_own and seen.names_stop and booked is not None and self._bought_what_is_held(seen):
                bought += booked.filled
        sold = max(bought - self.named[owner], ZERO)
        return min(max(shares - sold, ZERO), self.named[owner])

    def _named_of(self, entry: Seen, held: Decimal, quantity: Decimal) -> Decimal:
        """Shares with a named stop among those that an exit sold: a stop sells its own, any other exit those last, none
        that the desk did not know of when it wrote it, and none that another exit is to sell, or was by then.
        """
        if entry.order.type.is_stop or entry.role is not None:
            return quantity
        owner = entry.order.symbol, entry.strategy
        if entry.is_of_a_stop and (uncovered := self.shares(owner)) > 0:
            return min(quantity, uncovered)
        others = held - self.named[owner] - self._unknown_to(entry)
        sales = {*entry.beside, *(sale.order.client_order_id for sale in self._sales(owner) if sale is not entry)}
        others -= sum((self._unsold(order_id) for order_id in sales), ZERO)
        return max(quantity - max(others, ZERO), ZERO)

    def _unknown_to(self, sale: Seen) -> Decimal:
        """Shares without a named stop whose fills the desk had not heard of at the key of a sale, or at its record."""
        bought = ZERO
        for order_id, seen in self.world.auditor.story.orders.items():
            is_its_own = (seen.order.symbol, seen.strategy) == (sale.order.symbol, sale.strategy)
            booked = self.world.exchange._book.find(order_id)
            if is_its_own and not seen.names_stop and not seen.order.effect.only_reduces and booked is not None:
                bought += booked.filled - sale.knew.get(order_id, ZERO)
        return bought

    def _unsold(self, order_id: str) -> Decimal:
        """What a sale was out for and did not sell, whether or not it came there."""
        booked = self.world.exchange._book.find(order_id)
        return self.world.auditor.story.orders[order_id].order.quantity - (booked.filled if booked else ZERO)

    def _sales(self, owner: Owner) -> Iterator[Seen]:
        """Exits that are written and not over, but for stops and legs."""
        for seen in self.world.auditor.story.orders.values():
            if seen.is_sale and seen.status.is_working and (seen.order.symbol, seen.strategy) == owner:
                yield seen

    def _root(self, order_id: str) -> Seen | None:
        """The order, or of a leg that has no name here yet the order that it was made with."""
        found = self.world.auditor.story.orders.get(order_id)
        if found is not None:
            return found
        booked = self.world.exchange._book.find(order_id)
        while booked is not None and booked.parent is not None:
            booked = booked.parent
            if (seen := self.world.auditor.story.orders.get(booked.request.client_order_id)) is not None:
                return seen
        return None

    def shares(self, owner: Owner) -> Decimal:
        """Its bare shares; not positive where there are none."""
        return self.named[owner] - sum((self._guards(order) for order in self._exits(owner)), ZERO)

    def _judge(self, owner: Owner, at: datetime) -> None:
        bare = self.shares(owner)
        if bare > 0 and owner not in self.bare:
            self.bare[owner] = Stretch(owner, at)
            self._causes[owner] = self._cause(owner)
        elif bare <= 0 and owner in self.bare:
            self.done.append(self.bare.pop(owner))
            self._causes.pop(owner, None)

    def _exits(self, owner: Owner) -> Iterator[BookedOrder]:
        side = Side.SELL if self.held[owner] > 0 else Side.BUY
        for order in self.world.exchange._book.working.get(owner[0], ()):
            root = self._root(order.request.client_order_id)
            if order.side is side and not order.opens and root is not None and root.strategy == owner[1]:
                yield order

    def _guards(self, order: BookedOrder) -> Decimal:
        """A stop, or what goes at the market; a limit guards nothing, a target leaves it to its stop."""
        return order.remaining if order.takes_any_price or order.request.type.is_stop else ZERO

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, at: datetime) -> None:
        """Time passed: it is due to what was the cause when it began to."""
        if self.bare and at > self._at:
            for begins, seconds in self._in_sessions(self._at, at):
                for owner, stretch in self.bare.items():
                    cause = self._causes[owner]
                    is_over = cause == DOWN and self._is_of_another_day(owner, begins)
                    due_to = ENDED_WHILE_DOWN if is_over else cause
                    stretch.causes[due_to] = round(stretch.causes[due_to] + seconds, EXACT)
            self._at = at
            self._causes = {owner: self._cause(owner) for owner in self.bare}
        self._at = max(self._at, at)
        self._take_up()

    def _in_sessions(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
        """The parts of it in sessions, and their seconds: a closed market passes no stop."""
        calendar, at = self.world.calendar, start
        while at < end:
            session = calendar.session_at(at)
            if isinstance(session, Session):
                yield at, (min(end, session.close) - at).total_seconds()
                at = session.close
            else:
                at = max(at + timedelta(microseconds=1), calendar.next_session(at).open)

    def end(self) -> None:
        self.done += self.bare.values()
        self.bare = {}
        for stretch in self.done:
            for cause in FREE:
                if stretch.causes[cause] > ALLOWED:
                    self.world.auditor.wrong.append(
                        f"{stretch.owner[0]} of {stretch.owner[1]} was bare for {stretch.causes[cause]:g} s"
                        f" from {stretch.began:%H:%M:%S}: {cause}"
                    )

    def cause_of(self, owner: Owner) -> str:
        """Why its shares are bare, as of the last look."""
        return self._causes.get(owner, NO_TIME)

    # ── why ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def down(self, at: datetime) -> None:
        """No desk runs from here on."""
        self.look(at)
        self.is_up = False
        self._causes = {owner: self._cause(owner) for owner in self.bare}

    def up(self, at: datetime) -> None:
        self.look(at)
        self.is_up = True
        self._causes = {owner: self._cause(owner) for owner in self.bare}

    def _cause(self, owner: Owner) -> str:
        if not self.is_up:
            return ENDED_WHILE_DOWN if self._is_of_another_day(owner, self._at) else DOWN
        world, story = self.world, self.world.auditor.story
        stops = [o for o in story.orders.values() if self._is_its_stop(o, owner)]
        pending = [stop for stop in stops if stop.status is OrderStatus.PENDING]
        for stop in pending:
            if (found := self._of_request(stop)) is not None:
                return found
        if world.engine.state.control.naked_at is not None:
            return "the operator wanted no stop"
        if not world.engine.state.control.state.is_reconciled or self._waits_for_books():
            return "the broker had not answered for its books"
        if (found := self._of_entries(owner)) is not None:
            return found
        if (found := self._of_exits(owner)) is not None:
            return found
        if self._exit_waits(owner):
            return PASSED
        found = self._of_asked(owner, stops) or self._of_stops(stops)
        if found == NO_CAUSE and self._proposed(owner) >= self.shares(owner):
            if self._has_lost_entries(owner):
                return WHOSE
            if world.contradictions.restated & {stop.order.client_order_id for stop in stops}:
                return CUT_FOR_ANOTHER
            return WAITS_FOR_KEY
        if found == NO_CAUSE and world.disruptions.is_upset(owner[0]):
            return REVERSED
        return ENDED if found == NO_CAUSE and self._is_of_another_day(owner, self._at) else found

    def _waits_for_books(self) -> bool:
        """A question for them is out, was lost or failed: what an exception dropped is sent by what they say."""
        asking = self.world.engine.the(EngineStart).reconciliation
        return bool(asking._unanswered) or asking.times._is_waiting

    def _has_lost_entries(self, owner: Owner) -> bool:
        """Whether the broker did not have some of its entries: which of them filled is known to nobody."""
        orders = self.world.auditor.story.orders.values()
        entries = (o for o in orders if (o.order.symbol, o.strategy) == owner and not o.order.effect.only_reduces)
        return sum(entry.code in (EndCode.NEVER_ARRIVED, EndCode.LOST_THERE) for entry in entries) > 1

    def _is_of_another_day(self, owner: Owner, at: datetime) -> bool:
        """What a ticket permits ends with its session."""
        day = self.world.calendar.trading_day
        return day(self._opened.get(owner, at)) < day(at)

    def _is_its_stop(self, seen: Seen, owner: Owner) -> bool:
        is_stop = seen.order.effect.only_reduces and seen.order.type.is_stop
        return is_stop and (seen.order.symbol, seen.strategy) == owner

    def _made_with(self, stop: Seen) -> list[Seen]:
        """The other leg of the same order."""
        orders = self.world.auditor.story.orders.values()
        return [o for o in orders if o.role is not None and o.parent == stop.parent and o is not stop and stop.role]

    def _of_request(self, stop: Seen) -> str | None:
        """A stop that was written down and has no answer."""
        order_id, lanes = stop.order.client_order_id, self.world.wire.watch
        if lanes.has_not_left(order_id):
            return "the stop waited for another exit of its symbol"
        if (trouble := self.world.line.troubled.get(order_id)) is not None:
            return f"the stop's {trouble}"
        if order_id in self.world.ever_left:
            return "the stop was on its way"
        if order_id not in self.world.left_behind:
            return DIED_BEFORE if stop.sequence < self.world.auditor.story.started else WRITTEN_ONLY
        return NEVER_SENT if self.world.engine.state.control.state.is_reconciled else None

    def _of_entries(self, owner: Owner) -> str | None:
        story = self.world.auditor.story
        entries = [
            o
            for o in story.orders.values()
            if not o.order.effect.only_reduces and (o.order.symbol, o.strategy) == owner
        ]
        known = story.positions[f"{owner[0]}/{owner[1]}"]
        if known != self.held[owner]:
            untold = [o for o in story.orders.values() if self._is_behind(o, owner)]
            if {o.order.client_order_id for o in untold} & self.world.disruptions.taken_back.keys():
                return UNTOLD_REVERSAL
            troubled = {self.world.line.troubled.get(o.order.client_order_id) for o in untold if o.status.is_working}
            is_lost = any(o.order.client_order_id in self.world.line.untold for o in untold)
            if is_lost or troubled - {None}:
                return UNHEARD_FILL
            is_long_ago = self._at - self._filled_at(untold) > A_WORD
            return NO_CAUSE if is_long_ago else "the word of the fill was on its way"
        if any(o.order.legs and o.filled and o.status.is_working for o in entries):
            return LEGS_WAIT
        return next((cause for o in entries if (cause := self._of_late_entry(o)) is not None), None)

    def _is_behind(self, seen: Seen, owner: Owner) -> bool:
        """Whether the desk has not counted all that one of its orders filled."""
        booked = self.world.exchange._book.find(seen.order.client_order_id)
        is_its = (seen.order.symbol, seen.strategy) == owner
        return is_its and booked is not None and booked.filled != seen.filled

    def _is_of_what_is_held(self, stop: Seen) -> bool:
        """Whether it was written since the position was opened, or made with an entry that filled since."""
        if stop.at >= self._opened.get((stop.order.symbol, stop.strategy), stop.at):
            return True
        entry = self.world.auditor.story.orders.get(stop.parent or "")
        return stop.role is not None and entry is not None and self._bought_what_is_held(entry)

    def _bought_what_is_held(self, entry: Seen) -> bool:
        """Whether it filled since the position was opened."""
        booked = self.world.exchange._book.find(entry.order.client_order_id)
        opened = self._opened.get((entry.order.symbol, entry.strategy), entry.at)
        return booked is not None and bool(booked.executions) and booked.executions[-1].at >= opened

    def _is_of_an_unfilled_entry(self, stop: Seen) -> bool:
        entry = self.world.exchange._book.find(stop.parent) if stop.parent is not None else None
        return stop.role is not None and entry is not None and not entry.filled

    def _filled_at(self, entries: list[Seen]) -> datetime:
        """When the exchange filled any of them last; a desk that has just come up hears of it then."""
        book, down = self.world.exchange._book, self.world.auditor.story.down
        booked = (book.find(seen.order.client_order_id) for seen in entries)
        at = [order.executions[-1].at for order in booked if order is not None and order.executions]
        return max([*at, *([down[1]] if down else [])], default=self._at)

    def _of_late_entry(self, entry: Seen) -> str | None:
        """Given up, and there after all: until it is taken back the broker holds its legs, as long as that goes on."""
        world, order_id = self.world, entry.order.client_order_id
        booked = world.exchange._book.find(order_id)
        is_there = booked is not None and booked.is_working and booked.filled > 0
        if not is_there or not entry.order.legs or not entry.status.is_terminal:
            return None
        if any(isinstance(sent, CancelOrder) and sent.client_order_id == order_id for _, sent in world.wire.in_the_air):
            return "an entry that came late was being taken back, and its legs with it"
        until = world.surprises.pending.get(order_id)
        is_pending = until is not None and self._at < until
        return "the broker took its time to take back an entry that came late" if is_pending else None

    def _of_exits(self, owner: Owner) -> str | None:
        world = self.world
        for use in world.engine.state.stage.authorizations(AuthorizationKind.CLOSE):
            signed = world.engine.state.stage.state.confirmations.get(use.authorization.ticket_id)
            if use.is_unused and signed is not None and (signed.proposal.symbol, signed.proposal.strategy) == owner:
                return "its stop made way for an exit"
        for seen in world.auditor.story.orders.values():
            if (seen.order.symbol, seen.strategy) != owner or not seen.order.effect.only_reduces:
                continue
            if seen.order.type.is_stop or not seen.status.is_working:
                continue
            until = world.surprises.pending.get(seen.order.client_order_id)
            if until is not None and self._at < until:
                return "the broker took its time to take back an exit of the same shares"
            is_sent = seen.status is OrderStatus.PENDING
            if seen.role is None:
                return "its exit was on its way" if is_sent else "its exit waits at a limit"
        return None

    def waits_for_a_key(self, owner: Owner) -> bool:
        """Whether a stop for its shares is proposed: who is to be told is told of it."""
        return self._proposed(owner) > 0

    def _proposed(self, owner: Owner) -> Decimal:
        """Shares for which a stop is proposed."""
        waiting = self.world.engine.state.stage.state.proposals.values()
        of_it = (p for p in waiting if p.guard is not None and (p.symbol, p.strategy) == owner)
        return sum((p.order.quantity for p in of_it), ZERO)

    def _exit_waits(self, owner: Owner) -> bool:
        """Whether the exit of a stop that the market has passed is proposed, or was until a moment ago: the market came
        back, and a stop is asked for with the next books.
        """
        ended = self.world.auditor.story.exits_of_stops.get(owner)
        if ended is not None and self._at - ended <= A_WORD:
            return True
        waiting = self.world.engine.state.stage.state.proposals.values()
        return any(
            p.exit_reason is ExitReason.STOP_LOSS and p.is_exit and (p.symbol, p.strategy) == owner for p in waiting
        )

    def _of_asked(self, owner: Owner, stops: list[Seen]) -> str | None:
        """A stop that was asked for: no later one was written, but for other entries, or it is still proposed."""
        world, story = self.world, self.world.auditor.story
        is_proposed = self._proposed(owner) >= self.shares(owner)
        for order_id, sequence in story.asked_for.items():
            entry = story.orders.get(order_id)
            if entry is None or (entry.order.symbol, entry.strategy) != owner or not self._bought_what_is_held(entry):
                continue
            last = max((stop.sequence for stop in stops if stop.parent in (None, order_id)), default=0)
            since = [stop for stop in stops if stop.sequence > sequence]
            if not is_proposed and self._taken_back(since) >= self.shares(owner):
                continue  # one stop for the shares of several entries, which the operator cancelled
            if (is_proposed or sequence >= last) and story.declined.get(owner, 0) <= sequence:
                return MORE_THAN_SIGNED if order_id in world.contradictions.restated else NEVER_WRITTEN
        return None

    def _is_guarded_otherwise(self, stop: Seen) -> bool:
        """Whether the stops of its entry sold or guard all that it bought, but for what a person took back since.

        A stop for more than its entry bought was to guard the shares of others too.
        """
        book, story = self.world.exchange._book, self.world.auditor.story
        entry = book.find(stop.parent) if stop.parent is not None else None
        guarded = ZERO
        for order_id, seen in story.orders.items():
            booked = book.find(order_id)
            if booked is None or seen.parent != stop.parent or not seen.order.type.is_stop:
                continue
            is_taken_back = order_id in story.taken_away and self._cancelled_at(order_id) > stop.sequence
            guarded += booked.filled + (booked.remaining if booked.is_working or is_taken_back else ZERO)
        return entry is not None and ZERO < entry.filled <= guarded and stop.order.quantity <= entry.filled

    def _taken_back(self, stops: list[Seen]) -> Decimal:
        """Shares of what is held whose stops the operator took back."""
        held = [stop for stop in stops if stop.order.client_order_id in self.world.auditor.story.taken_away]
        return sum((stop.order.quantity - stop.filled for stop in held if self._is_of_what_is_held(stop)), ZERO)

    def _cancelled_at(self, order_id: str) -> int:
        """The record of its cancel."""
        return self.world.auditor.cancels.asked_for.get(order_id, 0)

    def _of_stops(self, stops: list[Seen]) -> str:
        """How the newest of its stops ended."""
        world, story = self.world, self.world.auditor.story
        last_of_all = NO_CAUSE
        for stop in sorted(stops, key=lambda stop: stop.sequence)[::-1]:
            order_id = stop.order.client_order_id
            booked = world.exchange._book.find(order_id)
            if story.declined.get((stop.order.symbol, stop.strategy), 0) > stop.sequence:
                return "the operator declined another stop"
            is_made_less = order_id in world.contradictions.made_less and self._is_of_what_is_held(stop)
            if is_made_less and not self._is_guarded_otherwise(stop):
                return MADE_LESS
            if booked is not None and booked.filled and not booked.remaining:
                continue  # it sold its own shares: those that are bare had another
            if self._is_of_an_unfilled_entry(stop):
                continue  # nobody holds shares that it was to guard
            if order_id in world.meddled:
                return "somebody took the stop away at the broker"
            if order_id in story.taken_away:
                return TAKEN_BACK
            if {o.order.client_order_id for o in self._made_with(stop)} & {*story.taken_away, *world.meddled}:
                return "its target was taken back, and the broker ends both"
            its_pair = {o.order.client_order_id for o in self._made_with(stop)}
            if stop.status is OrderStatus.CANCELLED and not its_pair.isdisjoint(world.contradictions.ended):
                return PAIR_ENDED
            is_called = stop.status is OrderStatus.CANCELLED and world.contradictions.ended.get(order_id) == "canceled"
            last_of_all = CALLED_CANCELLED if is_called else last_of_all
            if stop.status.is_terminal and not self._is_of_what_is_held(stop):
                continue  # it guarded what was held before
            replaced = story.orders.get(stop.order.replaces or "")
            if stop.status.is_terminal and replaced is not None and replaced.code is not EndCode.REPLACED:
                continue  # the one before stands, or ended by itself
            is_refused = stop.status is OrderStatus.REJECTED or stop.blocked is not None
            is_absent = stop.code in (EndCode.LOST_THERE, EndCode.NEVER_ARRIVED)
            if (is_refused or is_absent) and self._is_guarded_otherwise(stop):
                continue  # its shares are not bare
            if stop.status is OrderStatus.REJECTED:
                owner = stop.order.symbol, stop.strategy
                return TAKEN_BACK if self.shares(owner) <= self._taken_back(stops) else REFUSED
            if stop.code in (EndCode.FILLED_SHORT, EndCode.REJECTED_LATER):
                return ENDED_SHORT
            if stop.status is OrderStatus.EXPIRED:
                return ENDED
            if stop.code is EndCode.NEVER_ARRIVED and order_id in world.left_behind and order_id not in world.ever_left:
                return NEVER_SENT
            if stop.blocked in (BlockCode.LEFT, BlockCode.LIMITED, BlockCode.LOST):
                return PERMITTED_NO_MORE
            if stop.code is EndCode.LOST_THERE:
                return LOST
            if stop.code is EndCode.NEVER_ARRIVED:
                return NEVER_ARRIVED
            if stop.blocked is BlockCode.LAPSED:
                return NO_CAUSE
            if stop.status.is_working and order_id in world.contradictions.denied:
                return DENIED
            if stop.status.is_working and booked is not None and not booked.is_working:
                return "nobody had told of the stop's end"
        return last_of_all


UNHEARD_FILL = "nobody had told of the fill: its word was lost or late"
UNTOLD_REVERSAL = "the desk had not counted yet that the broker took a fill back"
REVERSED = "the broker took the fill of an exit back; a person gives another stop"
TAKEN_BACK = "the operator took the stop back"
DENIED = "the broker did not know the stop when it was looked up"
CALLED_CANCELLED = "the broker called the stop cancelled; a person gives another"
LOST = "the broker knew the stop no more; a new one waits for its key"
REFUSED = "the broker refused the stop"
MADE_LESS = "the broker made the stop less"
PAIR_ENDED = "the broker called its target ended, and ended both; a new stop waits for its key"
ENDED_SHORT = "the broker ended the stop before it had sold all"
PERMITTED_NO_MORE = "it was kept when the desk was left, and is permitted no more; a new stop waits for its key"
NEVER_ARRIVED = "the stop never reached the broker; a new one waits for its key"
WHOSE = "one of several lost entries filled; a stop waits for its key"
PASSED = "the market had passed its stop; its exit waits for a key"
NEVER_WRITTEN = "its record was made to fail twice; a new stop waits for its key"
WAITS_FOR_KEY = "a stop for all of it waits for its key"
CUT_FOR_ANOTHER = "a stop was cut for one that the broker made more; a stop for the rest waits for its key"
MORE_THAN_SIGNED = "the broker made the entry more than was signed; a stop for the rest waits for its key"
ENDED_WHILE_DOWN = "what was signed was over with its day, and the desk was down"
ENDED = "what was signed was over with its day; a new stop waits for its key"
LEGS_WAIT = "its legs wait until the entry is filled whole"
DIED_BEFORE = "the desk died between the stop's record and its sending"
NEEDS_A_PERSON = frozenset(
    {
        NO_CAUSE, DENIED, CALLED_CANCELLED, LOST, REFUSED, MADE_LESS, ENDED_SHORT, PERMITTED_NO_MORE, NEVER_ARRIVED,
        NEVER_WRITTEN, MORE_THAN_SIGNED, CUT_FOR_ANOTHER, WAITS_FOR_KEY, PASSED, ENDED, WHOSE, PAIR_ENDED,
        REVERSED,
    }
)  # fmt: skip
"""What ends by a key alone, or by nothing that anybody knows of."""


def names_stop(holder: StopHolder | None) -> bool:
    """Whether a ticket said that the broker holds the stop."""
    return holder is StopHolder.BROKER


def told(stretches: list[Stretch]) -> tuple[float, float, float]:
    """p50, p99 and the longest of them, in seconds."""
    return middle_high_longest([stretch.seconds for stretch in stretches])


def middle_high_longest(seconds: list[float]) -> tuple[float, float, float]:
    lengths = sorted(seconds) or [0.0]
    return lengths[len(lengths) // 2], lengths[min(len(lengths) - 1, len(lengths) * 99 // 100)], lengths[-1]
