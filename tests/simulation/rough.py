"""The rougher part of a session: requests that hang, a desk that is left, old positions, brackets filled in part.

Each is drawn often in some sessions and never in others, and is counted with the state in which it met the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from core.execution.order import Order
from core.execution.stop_coverage import unprotected_in_words
from core.facts import Fact, OrderCreated
from core.messages.commands import Decline, EditOrder, Kill, ProposeClose, ProposeOrder, RequestCancel, Resume
from core.model.codes import MADE_WAY, CancelCode
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, LegRole, OrderStatus, OrderType, StopHolder, TimeInForce
from core.model.values import Fraction, Price, Quantity
from core.workflows.orders.unsent_orders import InterruptedOrders
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.staging.unattended_exits import ExitResizing
from tests.simulation.auditor import MADE_TO_RAISE
from tests.simulation.reckoning import loose_exits
from tests.simulation.world import SPY, Trouble, World

if TYPE_CHECKING:
    from simulation.play import Player

BETWEEN_DEEDS = 0.5
"""Seconds: what was asked for before has filled by then, where nothing hangs."""
HANGS = {
    "it never arrives": ("request", "lost"),
    "it arrives late": ("request", "late"),
    "its answer hangs": ("answer", "late"),
    "its answer trickles": ("answer", "trickling"),
    "its answer is lost": ("answer", "lost"),
}
"""How a request hangs: what the line does to what."""


def state_of(world: World) -> str:
    """In what state an event meets the desk, the rarest first."""
    desk, wire = world.engine.state, world.wire
    working = list(desk.ledger.working())
    control = desk.control
    if any(True for _ in wire.lanes.waiting()):
        return "a request waits in its lane"
    if any(order.in_doubt_since for order in working):
        return "an order in doubt"
    if any(order.status is OrderStatus.PENDING for order in working):
        return "an order without an answer"
    if control.killed_by is not None:
        return "killed"
    if control.halts or not control.state.is_reconciled:
        return "halted or read-only"
    if not desk.ledger.positions():
        return "an entry works" if working else "flat"
    if any(order.only_reduces and not order.stands_by for order in working):
        return "an exit under way"
    return "held, shares bare" if unprotected_in_words(desk.ledger) else "held and covered"


class Rough:
    """What a rougher event does; its methods are a player's."""

    world: World
    _moods: Random

    def _player(self) -> Player:
        return self  # type: ignore[return-value]

    def _begin(self) -> None:
        """Mostly the desk is armed by then, and often flat: what is killed or full meets nothing of what follows."""
        if self._moods.random() < ARMED:
            self.world.rearm()
            self.world.do(Resume(everything=True))
        if self._moods.random() < FLAT and self.world.engine.state.ledger.positions():
            self._player().all_is_flattened()
            self.world.bar(self.world.price)

    def _note(self, event: str) -> None:
        self.world.drawn[f"{event}: {state_of(self.world)}"] += 1

    # ── hung requests ────────────────────────────────────────────────────────────────────────────────────────────

    def a_request_hangs(self, of: str, how: str, seconds: float, twice: bool, deeds: str, wait: float) -> None:
        """The next request of a kind hangs; meanwhile other things are asked for, one after the other."""
        self._begin()
        to, fate = HANGS[how]
        trouble = Trouble(to, of, fate, seconds)
        self.world.line.waiting.extend([trouble] * (2 if twice else 1))
        for deed in deeds.split(", "):
            self._note(f"{of} hangs")
            self._deed(deed)
            self.world.run(BETWEEN_DEEDS)
        self.world.run(wait)

    def _deed(self, deed: str) -> None:
        player = self._player()
        deeds: dict[str, Callable[[], object]] = {
            "entry": lambda: self._enter(player, "8"),
            "another": lambda: player.an_order_is_typed("open", "3", "", "1.00", "broker", "BBB"),
            "fraction": lambda: self._enter(player, "2.5"),
            "bare": lambda: player.an_order_is_typed("open", "8", "", "1.00", "you", "SPY"),
            "exit": lambda: player.a_close_is_confirmed("1"),
            "part": lambda: player.a_close_is_confirmed("0.5"),
            "cancel": lambda: player.an_order_is_cancelled(0),
            "move": lambda: player.a_stop_is_moved("-0.40", 0.5),
            "bar": lambda: self.world.bar(self.world.price + Decimal("0.02")),
            "fall": lambda: self.world.bar(self.world.price - Decimal("1.20")),
            "kill": lambda: player.the_kill_key("re-arm", 0.0),
            "flatten": player.all_is_flattened,
            "ticket": lambda: player.a_ticket_is_opened(0),
        }
        deeds[deed]()

    def _enter(self, player: Player, quantity: str) -> None:
        player.an_order_is_typed("open", quantity, "", "1.00", "broker", "SPY")

    # ── leaving, and keys between an answer and what follows it ──────────────────────────────────────────────────

    def the_desk_is_left(
        self, places: int, named: str, down: float, deed: str, slow: float, exit_hangs: bool = False
    ) -> None:
        """Now, or at one of the next places between two steps of it; started anew after a while.

        An entry's answer that is slow comes while the desk leaves, after its fill. Behind an exit that hangs waits the
        stop of what is left, and is kept.
        """
        self._begin()
        world = self.world
        self._note("left" if not places else "to be left")
        if slow:
            world.line.waiting.append(Trouble("answer", "an entry", "late", slow))
        if exit_hangs:
            self._hang_an_exit()
        if places:
            world.fuse.light(places, named, lambda: self._leaves(named, down))
        if deed:
            self._deed(deed)
        if not places:
            world.leave(down)
        world.run(1.0 if places else 0.05)

    def _hang_an_exit(self) -> None:
        """Of a part of what is held: the stop of the rest waits behind it in its lane."""
        if not self.world.engine.state.ledger.positions():
            self._deed("fraction")
            self.world.run(BETWEEN_DEEDS)
        self.world.line.waiting.append(Trouble("answer", "an exit", "late", 30.0))
        self._deed("part")

    def _leaves(self, named: str, down: float) -> None:
        self._note(f"left at {named or 'any place'}")
        self.world.leave(down)

    def a_kill_comes_between(self, places: int, named: str, is_naked: bool, deed: str) -> None:
        """The kill key between an answer and what follows it."""
        self._begin()
        self.world.fuse.light(places, named, lambda: self._kills(named, is_naked=is_naked))
        self._deed(deed)

    def _kills(self, named: str, *, is_naked: bool) -> None:
        self._note(f"killed at {named or 'any place'}")
        self.world.wire.send(Kill("key", naked=is_naked))

    def a_press_is_interrupted(self, command: str, deed: str) -> None:
        """Between the latch that a kill's press shuts and its queueing the engine obeys another command."""
        self._begin()
        world, wire = self.world, self.world.wire
        self._note("a press was interrupted")
        self._deed(deed)
        working, account = list(world.engine.state.ledger.working()), world.engine.state.account_name
        if wire is not world.wire or not wire.is_running:
            return

        def between() -> None:
            if command == "cancel" and working:
                wire.obey(world.port.through(RequestCancel(working[0].id), account))
            else:
                wire.obey(world.port.through(ProposeClose(SPY, Fraction(Decimal(1))), account))
            if wire.latch.shut() is None:
                world.auditor.wrong.append("a kill was pressed, and the latch was open after another command")

        world._survives(lambda: self._press_the_kill(between))
        world.run(0.5)

    def _press_the_kill(self, between: Callable[[], object]) -> None:
        wire = self.world.wire
        wire._commands.between = between  # type: ignore[attr-defined]
        wire.send(Kill("key"))

    # ── what raises ──────────────────────────────────────────────────────────────────────────────────────────────

    def a_deadline_raises(self, deeds: str, of: str, seconds: float) -> None:
        """Whatever is due of the proposals raises for a while; meanwhile a request is lost, and is to be asked for."""
        self._begin()
        world = self.world
        proposing = world.engine.the(Proposals)
        proposing.due = _raises  # type: ignore[method-assign]
        world.line.waiting.append(Trouble("request", of, "lost"))
        for deed in deeds.split(", "):
            self._note("a deadline raises")
            self._deed(deed)
            world.run(BETWEEN_DEEDS)
        world.run(seconds)
        proposing.__dict__.pop("due", None)

    def a_follow_up_raises(self, deed: str, wait: float, where: str = "written") -> None:
        """Once, in the act that writes an order which only reduces: after it was written, or after it was permitted."""
        if where == "permitted":
            self._no_exit_is_written(deed, wait)
            return
        self._begin()
        self._note("a follow-up raises")
        engine = self.world.engine
        trimming, unwritten = engine.the(ExitResizing), engine.the(InterruptedOrders)

        def raises_once(_asked: object) -> None:
            written = [engine.state.ledger.order(order_id) for order_id in unwritten._written]
            if any(order is not None and order.only_reduces for order in written):
                trimming.__dict__.pop("settle", None)
                _raises()

        trimming.settle = raises_once  # type: ignore[method-assign, assignment]
        for each in deed.split(", "):
            self._deed(each)
            self.world.run(BETWEEN_DEEDS)
        trimming.__dict__.pop("settle", None)
        self.world.run(wait)

    def _no_exit_is_written(self, deed: str, wait: float) -> None:
        self._begin()
        self._note("a record raises")
        desk = self.world.engine.state
        record = desk.record

        def raises_once(fact: Fact) -> None:
            if isinstance(fact, OrderCreated) and fact.order.effect.only_reduces and fact.role is None:
                desk.__dict__.pop("record", None)
                _raises()
            record(fact)

        desk.record = raises_once  # type: ignore[method-assign]
        for each in deed.split(", "):
            self._deed(each)
            self.world.run(BETWEEN_DEEDS)
        desk.__dict__.pop("record", None)
        self.world.run(wait)

    # ── old positions ────────────────────────────────────────────────────────────────────────────────────────────

    def days_pass(self, days: int, is_left: bool, close: str) -> None:
        """The desk is off, for longer than what the broker lists reaches back where it is for over a week.

        Often a minute trades as it goes: what fills in it is listed no more when the desk comes back.
        """
        world = self.world
        self._note("a week passed" if days > 7 else "a night passed")
        if self._moods.random() < GOES_IN_A_BAR:
            world.bar(close, seconds=0.02)
        opens = world.calendar.next_session(world.clock + timedelta(days=days)).open
        down = (opens - world.clock).total_seconds() + 60.0
        if is_left:
            world.leave(down)
            world.run(0.05)
        else:
            world.restart(down=down)
        world.run(1.0)
        world.bar(close)
        world.bar(close)

    def a_position_grows_old(self, deeds: str, days: int, part: str) -> None:
        """Held over nights with a stop that lasts; parts of it closed before and after its parent was forgotten."""
        self._begin()
        world, player = self.world, self._player()
        if not world.engine.state.ledger.positions():
            self._buy_for_days(player)
        for deed in deeds.split(", "):
            self._note(f"grown old: {deed}")
            match deed:
                case "night":
                    self.days_pass(1, True, "100.00")
                    self._guard(player)
                case "week":
                    self.days_pass(days, True, "100.00")
                    self._guard(player)
                case "part":
                    world.do(*(Decline(p.id, "") for p in player._proposals() if p.only_reduces and not p.is_guard))
                    player.a_close_is_confirmed(part)
                    world.bar(world.price)

    def _buy_for_days(self, player: Player) -> None:
        """By a strategy that holds over night, where it may; else by hand."""
        if self._player().session.profile.is_wide:
            player.a_strategy_is_advised(True)
            for close in ("100.10", "100.20", "100.30", "100.40"):
                self.world.bar(close)
                player.everything_is_confirmed()
        if not self.world.engine.state.ledger.positions():
            self._type_bracket("8", None, TimeInForce.GTC)
            self.world.bar(self.world.price)

    def _guard(self, player: Player) -> None:
        """Stops that ended with their day are signed anew."""
        for proposal in [p for p in player._proposals() if p.is_guard]:
            player._read_and_confirm(proposal)

    # ── brackets ─────────────────────────────────────────────────────────────────────────────────────────────────

    def a_bracket_is_traded(
        self, effect: str, quantity: str, is_limit: bool, ways: str, volume: int, wait: float
    ) -> None:
        """An entry with stop and target; then the price goes to either, with little volume."""
        self._begin()
        self._note("a bracket")
        self._type_bracket(quantity, "0.00" if is_limit else None, TimeInForce.DAY, effect)
        self.world.bar(self.world.price)
        sign = -1 if effect == "short" else 1
        entered = self.world.price
        for way in ways.split(", "):
            self._note(f"a bracket's {way}")
            away = {"target": "0.62", "stop": "-1.02", "back": "0"}[way]
            self.world.bar(entered + sign * Decimal(away), volume=volume if way != "back" else 1000)
            self._nothing_is_loose()
        self.world.run(wait)

    def _nothing_is_loose(self) -> None:
        """In peace no exit works for more than is held for longer than the broker has to follow by itself.

        Where the request for less of it is in doubt, as after a crash, that has to be over first (EX-06).
        """
        world = self.world
        state, surprises = world.engine.state.control.state, world.surprises
        world.run(PEACE)
        down = world.auditor.story.down
        if down is not None and world.clock - down[1] < timedelta(seconds=PEACE):
            world.run(PEACE)  # it has just come up
        is_peace = not world.line.waiting and not surprises.waiting and not surprises.skew
        is_peace &= not any(order.status is OrderStatus.PENDING for order in world.engine.state.ledger.working())
        if is_peace and state.is_reconciled and not world.foreign and surprises.blocked_until is None:
            world.auditor.wrong += loose_exits(world)

    def _type_bracket(
        self, quantity: str, limit: str | None, lasts: TimeInForce, effect: str = "open", target: str | None = "0.60"
    ) -> None:
        sign, price = (-1 if effect == "short" else 1), self.world.price
        self.world.do(
            ProposeOrder(
                symbol=SPY,
                effect=Effect(effect),
                quantity=Quantity(Decimal(quantity)),
                type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                limit_price=None if limit is None else Price(STOCK_TICKS.nearest(price + sign * Decimal(limit))),
                stop_price=Price(STOCK_TICKS.nearest(price - sign)),
                stop_holder=StopHolder.BROKER,
                time_in_force=lasts,
                target_price=None if target is None else Price(STOCK_TICKS.nearest(price + sign * Decimal(target))),
            )
        )
        self._player()._confirm_newest()

    def a_half_filled_bracket_is_edited(
        self, quantity: str, volume: int, more: str, away: str, has_target: bool, between: str
    ) -> None:
        """A limit entry with legs of which a part is filled gets another quantity or price."""
        self._begin()
        world, player = self.world, self._player()
        self._type_bracket(quantity, "0.00", TimeInForce.DAY, target="0.60" if has_target else None)
        world.bar(world.price, volume=volume)
        halves = [o for o in world.engine.state.ledger.working_entries() if o.request.legs and o.filled_quantity]
        self._note("a half-filled bracket edited" if halves else "a bracket edited, not half filled")
        for order in halves[:1] or world.engine.state.ledger.working_entries()[:1]:
            limit = order.request.limit_price
            if limit is None:
                continue
            moved = Price(STOCK_TICKS.nearest(limit + Decimal(away)))
            world.do(EditOrder(order.id, Quantity(order.request.quantity + Decimal(more)), moved, None))
            if between:
                self._deed(between)
            player._confirm_changes(0.5)
        world.bar(world.price, volume=volume)
        world.bar(world.price, volume=1000)
        if halves and halves[0].request.leg(LegRole.TARGET) is not None and between in ("", "bar"):
            self._its_target_stands(halves[0])

    def _its_target_stands(self, entry: Order) -> None:
        """What was signed for an entry stands for what it filled, whatever became of the order itself."""
        world = self.world
        ledger, book = world.engine.state.ledger, world.exchange._book
        world.run(PEACE)
        line = [entry, *([replacement] if (replacement := ledger.chains.replacement(entry)) is not None else [])]
        names = {order.id for order in line} | {leg.id for order in line for leg in ledger.legs.of(order.id)}
        touched = {o.id for o in ledger.state.orders.values() if o.id in names and (o.cancel_reason or o.only_reduces)}
        legs = [leg for order in line for leg in ledger.legs.of(order.id)]
        if any(leg.role is LegRole.TARGET and leg.is_working for leg in legs):
            return  # it waits with its entry until that is filled whole
        if any(order.cancel_code in MADE_WAY | {CancelCode.UNATTENDED} for order in line):
            return  # it made way for a close of what it had filled; or nobody attended, as if it were taken back
        is_over = not world.calendar.session_on(world.calendar.trading_day(entry.created_at)).holds(world.clock)
        if is_over or touched & {*world.meddled, *world.auditor.story.taken_away} or world.foreign:
            return
        closed = any(order.filled for name in names if (order := book.find(name)) is not None and not order.opens)
        is_held = ledger.position(entry.request.symbol, entry.strategy) is not None
        exits = [o for o in book.working.get(entry.request.symbol, ()) if not o.opens]
        if is_held and not closed and not any(o.request.limit_price is not None for o in exits):
            world.auditor.wrong.append(f"entry {entry.id} was signed with a target, and none works after its edit")


def _raises() -> None:
    raise RuntimeError(MADE_TO_RAISE)


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────

Arguments = tuple[str | int | float | bool, ...]
BETWEEN = (
    "", "", "SubmissionAnswered", "SubmissionAnswered", "BrokerUpdated", "BrokerUpdated", "CancelAnswered",
    "LookUpAnswered", "FiguresFetched", "OrderFilled", "OrderFilled", "OrderCreated", "PositionChanged",
    "SubmitOrder left", "CancelOrder left", "BooksFetched",
)  # fmt: skip
"""Words in the names of the places where the desk is left or killed."""
LENGTHS = (1.0, 3.0, 7.0, 9.0, 15.0, 30.0, 60.0, 120.0)


def a_hang(chance: Random) -> Arguments:
    deeds = chance.choice(
        (
            "entry, exit", "entry, another, part", "entry, another, exit", "another, fraction, exit",
            "exit", "fraction, bar, exit", "entry, another, move", "entry, move, cancel", "cancel, exit",
            "entry, kill", "another, entry, fall", "fraction, another", "part, part", "entry, flatten",
            "ticket, ticket, exit", "entry, part, another, exit", "fraction", "fraction, fall",
            "fraction, part", "entry, part, part", "bare, part, part, part", "bare, part, exit",
            "fraction, bare, part, exit",
        )
    )  # fmt: skip
    return (
        chance.choice(("an entry", "an entry", "an entry", "an exit", "a stop", "a stop", "a cancel", "a question")),
        chance.choice(tuple(HANGS)),
        chance.choice(LENGTHS),
        chance.random() < 0.4,
        deeds,
        chance.choice((0.5, 3.0, 10.0, 90.0)),
    )


def a_leave(chance: Random) -> Arguments:
    places = chance.choice((0, 1, 1, 1, 2, 3))
    return (
        places,
        chance.choice(BETWEEN) if places else "",
        chance.choice((1.0, 5.0, 60.0)),
        chance.choice(("", "fraction", "fraction", "fraction", "entry", "exit", "part", "move")),
        chance.choice((0.0, 0.0, 0.4, 1.0, 1.3)),
        chance.random() < 0.3,
    )


def a_kill_between(chance: Random) -> Arguments:
    return (
        chance.choice((1, 1, 2, 3)),
        chance.choice(BETWEEN),
        chance.random() < 0.1,
        chance.choice(("fraction", "fraction", "entry", "exit", "part", "move", "another")),
    )


def an_interrupted_press(chance: Random) -> Arguments:
    return chance.choice(("cancel", "close")), chance.choice(("bar", "ticket", "entry", "fraction"))


def a_deadline_that_raises(chance: Random) -> Arguments:
    deeds = chance.choice(("fraction", "fraction", "fraction, part", "entry, part", "bare, exit", "entry, cancel"))
    return deeds, chance.choice(("an entry", "a stop", "an exit", "a cancel")), chance.choice((5.0, 30.0, 90.0))


def a_follow_up_that_raises(chance: Random) -> Arguments:
    deed, where = chance.choice(
        (("fraction", "written"), ("fraction", "permitted"), ("fraction, part", "written"), ("bare, part", "permitted"))
    )
    return deed, chance.choice((0.5, 15.0)), where


def some_days(chance: Random) -> Arguments:
    return chance.choice((1, 1, 8, 9, 15)), chance.random() < 0.7, chance.choice(("100.00", "99.50", "101.00"))


def an_old_position(chance: Random) -> Arguments:
    deeds = chance.choice(
        (
            "night, part, week, part", "night, part, part, week, part", "part, night, week, part, part",
            "part, week, part, part", "part, week, part, week, part", "night, part, week, part, week, part",
        )
    )  # fmt: skip
    return deeds, chance.choice((8, 9, 12)), chance.choice(("0.5", "0.3"))


def a_bracket(chance: Random) -> Arguments:
    return (
        chance.choice(("open", "open", "short")),
        chance.choice(("6", "6", "8", "3")),
        chance.random() < 0.4,
        chance.choice(
            ("target, stop", "target, back, stop", "stop, back, target", "target, stop, stop", "target", "stop, target")
        ),
        chance.choice((30, 30, 60, 20)),
        chance.choice((0.5, 5.0, 61.0)),
    )


def a_half_filled_bracket(chance: Random) -> Arguments:
    return (
        chance.choice(("8", "8", "20", "6")),
        chance.choice((30, 30, 20, 60)),
        chance.choice(("-2", "2", "4", "0", "-1")),
        chance.choice(("0", "-0.02", "-0.30", "0.05")),
        chance.random() < 0.6,
        chance.choice(("", "", "", "bar", "part", "cancel", "fall")),
    )


ROUGH: dict[str, tuple[int, Callable[[Random], Arguments]]] = {
    "a_request_hangs": (6, a_hang),
    "the_desk_is_left": (4, a_leave),
    "a_kill_comes_between": (3, a_kill_between),
    "a_press_is_interrupted": (2, an_interrupted_press),
    "a_deadline_raises": (1, a_deadline_that_raises),
    "a_follow_up_raises": (2, a_follow_up_that_raises),
    "days_pass": (1, some_days),
    "a_position_grows_old": (1, an_old_position),
    "a_bracket_is_traded": (3, a_bracket),
    "a_half_filled_bracket_is_edited": (3, a_half_filled_bracket),
}
"""How often at most each is drawn in a session that has it, and what its arguments are drawn from."""
PEACE = 15.0
"""Seconds in which exits come to fit what is held."""
ARMED = 0.85
"""Of rougher events, those before which the desk is armed."""
GOES_IN_A_BAR = 0.5
"""Of days that pass, those before which a minute has just begun to trade."""
FLAT = 0.4
"""Of them, those before which everything is flattened."""
HAS_IT = 0.35
"""Of sessions, those that have one of these events at all."""
