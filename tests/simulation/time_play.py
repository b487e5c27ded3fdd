"""Events of time and of margin: sessions that are announced, a machine that slept, orders at a close, margin in steps.

Each is drawn often in some sessions and never in others, as the rougher events are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from core.messages.commands import OpenTicket, ProposeClose, ProposeOrder
from core.messages.inputs import AcceptBroker, ClockFetched, ClockRead, SessionsFetched
from core.model.account import Account
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, StopHolder
from core.model.position import Position
from core.model.session import AnnouncedDay, NoSession, Session
from core.model.values import Price, Quantity
from core.trading_state.notifications import MARGIN
from core.workflows.session_watch import AHEAD, AT_THE_EDGE
from core.workflows.strategy_signals import ExitRules
from tests.kit.announced_days import announces
from tests.simulation.contradiction_play import APART
from tests.simulation.disruption_play import Disrupting
from tests.simulation.rough import Arguments
from tests.simulation.world import SPY

EACH = 61.0
"""Seconds from one word of the broker's clock to the next: it leads to one reading of the sessions in a minute."""
SHORTLY = 10.0
"""Seconds in which a larger deficit is told while a warning is in effect: the account is asked every four."""
LONGEST_SAID = 62.0
"""Seconds until a deficit is told of which no warning was in effect: a comparison of the books each minute."""


class Timing(Disrupting):
    """What such an event does; its methods are a player's."""

    # ── announced sessions ───────────────────────────────────────────────────────────────────────────────────────

    def sessions_are_announced(self, what: str, minutes: int, told: str, dies: bool, then: str, dip: str) -> None:
        """The broker announces an early close of today, or a closed or short day ahead; nothing is held beyond it.

        It is read from its calendar, found by its clock, or known at a start alone.
        """
        world = self.world
        self._begin()
        if dip:
            self._player().a_dip_is_bought(dip, 0.5, 1000)
            world.bar(world.price)
        self._hold()
        day = self._announced_day(what, minutes)
        if day is None:
            return
        self._note(f"{what} announced, known by {told}")
        world.surprises.met[f"a day announced: {what}"] += 1
        before = world.calendar.session_on(day.day)
        announces(world.exchange, world.wire.at, [day])
        is_late = self._is_late(before, day)
        if told == "read":
            today = world.calendar.trading_day(world.clock)
            world.hear(SessionsFetched(world.exchange.sessions(today, today + AHEAD)))
        elif told == "clock":
            # One answer leads to no second reading within a minute; at an open or a close none is judged.
            self._hear_the_clock(4 if is_late else 3)
        if dies or told == "start":
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        world.run(1.0)
        if then:
            self._deed(then)
        if world.calendar.trading_day(world.clock) == day.day and day.session is None and told != "clock":
            is_late = self._is_late(before, day)
            self._hear_the_clock(4 if is_late else 2)  # before its open the broker's clock decides, heard each minute
        known = world.engine.state.calendar.session_on(day.day)
        is_known = known == day.session if day.session is not None else isinstance(known, NoSession)
        if is_late:
            is_known |= isinstance(known, Session) and known.close <= world.clock
        if told != "clock" or self._contradicts(day):
            world.auditor.require(is_known, f"{day.day} was announced, and the desk has {known}")
        if day.session is not None and day.session.holds(world.clock):
            self._comes_to_its_close(day.session)

    def _announced_day(self, what: str, minutes: int) -> AnnouncedDay | None:
        world = self.world
        now = world.calendar.session_at(world.clock)
        if what == "early":
            close = (world.clock + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
            is_early = isinstance(now, Session) and close < now.close
            return AnnouncedDay(now.day, replace(now, close=close)) if is_early else None  # type: ignore[union-attr]
        following = world.calendar.next_session(world.clock)
        if what == "closed":
            return AnnouncedDay(following.day, None)
        return AnnouncedDay(following.day, replace(following, close=following.open + timedelta(minutes=minutes + 60)))

    def _hear_the_clock(self, times: int) -> None:
        world = self.world
        for _ in range(times):
            world.hear(ClockFetched(world.wire.at, hours=world.exchange.hours(world.wire.at)))
            world.run(EACH)

    def _is_late(self, before: Session | NoSession, day: AnnouncedDay) -> bool:
        """Whether a day is closed so shortly before its open that its session begins here, and ends soon after it.

        The clock that is heard now may lead to no reading, and the next one is at the open, where none is judged.
        """
        is_open_next = isinstance(before, Session) and day.session is None
        return is_open_next and before.open - self.world.wire.at - timedelta(seconds=EACH) < AT_THE_EDGE

    def _contradicts(self, day: AnnouncedDay) -> bool:
        """Whether the clock alone tells it: today's close, or the next open and its close while none is running."""
        world = self.world
        return world.calendar.trading_day(world.clock) == day.day or day.session is None

    def _comes_to_its_close(self, session: Session) -> None:
        """A minute before it every position that is flat by the close has an exit, and after it nothing trades."""
        world = self.world
        while world.clock < session.close - timedelta(minutes=1):
            world.bar(world.price)
        world.run_until(session.close - timedelta(seconds=1))
        state = world.engine.state
        is_waiting = state.control.is_clock_in_doubt or not state.control.state.is_reconciled
        for position in () if is_waiting else self._without_an_exit(session):
            words = f"{position.symbol} of {position.strategy} has no exit before an announced close"
            world.auditor.require(False, words, "held_over")
        world.run_until(session.close + timedelta(seconds=30))

    def _without_an_exit(self, session: Session) -> Iterator[Position]:
        state = self.world.engine.state
        rules = ExitRules(state)
        for position in state.ledger.positions():
            runner = state.orchestrator.roster.runner(position.strategy, position.symbol)
            flat_from = rules.flat_from(position, session)
            if runner is None and flat_from is None:
                continue
            exits = state.ledger.exits.working(position.symbol, position.strategy)
            is_new = position.opened_at > session.close - timedelta(minutes=6)
            if is_new or any(not order.stands_by for order in exits):
                continue
            if state.stage.exit_waiting(position.symbol, position.strategy) is None:
                yield position

    # ── sleep ────────────────────────────────────────────────────────────────────────────────────────────────────

    def a_key_is_turned_after_sleep(self, seconds: float, deed: str, think: float) -> None:
        """The machine sleeps with a ticket open; its key is turned as soon as it is awake. Nothing is sent by it."""
        world = self.world
        self._hold()
        player = self._player()
        world.do(ProposeClose(SPY) if deed == "exit" else self._an_entry())
        proposals = player._proposals()
        if not proposals:
            return
        newest = max(proposals, key=lambda proposal: proposal.staged_at)
        world.do(OpenTicket(newest.id))
        world.run(0.5)
        tickets = [ticket for ticket in player._tickets() if ticket.proposal_id == newest.id]
        if not tickets:
            return
        ticket = tickets[-1]
        self._note(f"slept with {deed} open")
        world.surprises.met["a machine that slept"] += 1
        jump = Decimal(str(seconds))
        world.contradictions.ahead = -jump
        world.hear(ClockRead(jump, jump))
        world.run(think)
        player._press(ticket)
        world.run(2.0)
        is_sent = ticket.proposal_id in world.auditor.story.orders
        words = f"{ticket.proposal_id} was sent by a ticket that was open over a sleep"
        world.auditor.require(not is_sent, words, "unrequested")
        world.contradictions.ahead = Decimal(0)
        world.run(APART)
        world.bar(world.price)

    def _an_entry(self) -> ProposeOrder:
        stop = STOCK_TICKS.nearest(self.world.price - 1)
        eight = Quantity(Decimal(8))
        return ProposeOrder(SPY, Effect.OPEN, eight, OrderType.MARKET, None, Price(stop), StopHolder.BROKER)

    # ── margin ───────────────────────────────────────────────────────────────────────────────────────────────────

    def maintenance_rises(self, start: str, by: str, steps: int, multiplier: str, dies: bool) -> None:
        """Maintenance rises step by step over the equity, and the multiplier falls; each larger deficit is told."""
        world = self.world
        self._hold()
        self._note("maintenance rises")
        world.surprises.met["maintenance that rose"] += 1
        part = Decimal(start)
        for number in range(steps):
            world.disruptions.maintenance, world.disruptions.multiplier = part, Decimal(multiplier)
            if dies and number == steps // 2:
                self._player().the_process_dies(0, "", 0, True, 0.1, 0)
            is_warned = world.engine.state.margin.state.limit is not None
            world.run(SHORTLY if is_warned else LONGEST_SAID)
            self._is_told_of_deficit(part)
            part *= Decimal(by)
        world.disruptions.maintenance = world.disruptions.multiplier = None
        world.run(LONGEST_SAID)
        world.bar(world.price)

    def _is_told_of_deficit(self, part: Decimal) -> None:
        """A person knows of this deficit, or of one that was not clearly smaller."""
        world = self.world
        state, warned = world.engine.state, world.engine.state.margin.state.warned
        if part <= Decimal("1.05") or not isinstance(world.calendar.session_at(world.clock), Session):
            return
        account = state.sightings.account
        deficit = (part - 1) * account.equity if isinstance(account, Account) else Decimal(0)
        told = Decimal(0) if warned is None else warned.deficit
        is_told = told * Decimal("1.3") >= deficit and MARGIN in state.notifications.state.matters
        words = f"maintenance is {part} of the equity, and a deficit of {told} was told"
        world.auditor.require(is_told or not state.control.state.is_reconciled, words, "deficits")

    # ── an old folder ────────────────────────────────────────────────────────────────────────────────────────────

    def a_folder_of_weeks_ago_is_restored(self, days: int, deed: str, is_accepted: bool, then: str) -> None:
        """What was traded since has left the broker's list of seven days: the first id that it refuses proves it."""
        world, player = self.world, self._player()
        player.the_desk_is_armed_again()
        player.all_is_flattened()
        world.bar(world.price)
        since = world.clock
        world.run(2.0)
        for old in ("entry", "exit"):
            self._deed(old)
            world.bar(world.price)
        player.days_pass(days, True, str(world.price))
        self._note("a folder of weeks ago")
        orders = world.restore((world.clock - since).total_seconds() - 1.0)
        world.run(2.0)
        if not orders:
            return
        world.surprises.met["a folder of weeks ago"] += 1
        self._deed(deed)
        world.run(APART)
        if is_accepted:
            world.hear(AcceptBroker(world.surprises.accepted(world.wire.at)))
            player.the_desk_is_armed_again()
        self._deed(then)
        world.run(APART)
        world.bar(world.price)

    # ── the end of a session ─────────────────────────────────────────────────────────────────────────────────────

    def orders_come_at_the_close(self, left: float, deed: str, after: str, dies: bool) -> None:
        """In the last seconds of a session, and in the evening after it."""
        world = self.world
        self._begin()
        session = world.calendar.session_at(world.clock)
        if not isinstance(session, Session):
            return
        world.run_until(session.close - timedelta(seconds=120))
        world.bar(world.price)
        world.run_until(session.close - timedelta(seconds=left))
        self._note(f"{deed} at the close")
        world.surprises.met["an order in the last seconds"] += 1
        self._deed(deed)
        world.run(left + 5.0)
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        for late in filter(None, after.split(", ")):
            self._deed(late)
            world.run(60.0)
        world.bar(world.price)
        world.bar(world.price)


def some_announced_sessions(chance: Random) -> Arguments:
    return (
        chance.choice(("early", "early", "early", "closed", "short")),
        chance.choice((7, 12, 20, 45)),
        chance.choice(("read", "read", "clock", "start")),
        chance.random() < 0.25,
        chance.choice(("", "", "entry", "exit", "part", "fall", "move", "ticket")),
        chance.choice(("", "", "-0.15", "-0.40")),
    )


def a_sleep(chance: Random) -> Arguments:
    return (
        chance.choice((60.0, 600.0, 7200.0)),
        chance.choice(("exit", "exit", "entry")),
        chance.choice((0.0, 0.3, 3.0)),
    )


def rising_maintenance(chance: Random) -> Arguments:
    return (
        chance.choice(("0.80", "0.95", "1.10")),
        chance.choice(("1.05", "1.10", "1.40")),
        chance.choice((3, 6, 9)),
        chance.choice(("4", "2", "1")),
        chance.random() < 0.25,
    )


def an_order_at_the_close(chance: Random) -> Arguments:
    return (
        chance.choice((0.2, 2.0, 20.0)),
        chance.choice(("entry", "fraction", "exit", "part", "move", "cancel")),
        chance.choice(("", "exit", "exit, cancel", "flatten", "move", "part")),
        chance.random() < 0.25,
    )


def a_folder_of_weeks_ago(chance: Random) -> Arguments:
    deed, then = (
        chance.choice(("entry", "entry", "fraction", "another")),
        chance.choice(("exit", "exit", "part", "entry")),
    )
    return chance.choice((1, 9, 9, 20)), deed, chance.random() < 0.6, then


TIMING: dict[str, tuple[int, Callable[[Random], Arguments]]] = {
    "sessions_are_announced": (1, some_announced_sessions),
    "a_key_is_turned_after_sleep": (2, a_sleep),
    "maintenance_rises": (1, rising_maintenance),
    "orders_come_at_the_close": (1, an_order_at_the_close),
    "a_folder_of_weeks_ago_is_restored": (1, a_folder_of_weeks_ago),
}
"""How often at most each is drawn in a session that has it, and what its arguments are drawn from."""
