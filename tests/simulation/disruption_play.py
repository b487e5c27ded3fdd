"""Events of a broker whose books are not ordinary: fills taken back, slow cancels, a blocked account, lists that lag.

Each is drawn often in some sessions and never in others, as the rougher events are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random

from core.brokers.simulated.order_book import BookedOrder
from core.messages.commands import Halt, Kill
from core.model.broker import UpdateEvent
from core.model.session import Session
from core.model.values import ClientOrderId, Quantity, Symbol
from tests.kit.splits import Fate, becomes, splits
from tests.simulation.auditor import Act
from tests.simulation.bareness import REFUSED, UNHEARD_FILL, Owner
from tests.simulation.contradiction_play import APART, Contradicting
from tests.simulation.rough import Arguments
from tests.simulation.surprises import Surprise
from tests.simulation.world import SPY, Trouble

PROVEN = 90.0
"""Seconds in which a difference is corrected or told: a comparison, a minute, and the next one."""
UNHEARD = 8.0
"""Seconds from a fill of which nothing is heard to its stop: five, a look-up, and the stop's own way."""
LONGER = 5.0
"""Seconds by which a block is longer than what happens in it."""
A_MINUTES_REQUESTS = 200
TRADED, RENAMED = Symbol("BBB"), Symbol("BBX")
"""What corporate actions are of, as the price of SPY is that of the market; and its new name."""
LEAST = 4
"""Shares of which a whole one is left after each of the ratios."""


class Disrupting(Contradicting):
    """What such an event does; its methods are a player's."""

    # ── fills that are taken back or corrected ───────────────────────────────────────────────────────────────────

    def a_fill_is_taken_back(self, of: str, part: str, told: str, dies: bool, then: str, wait: float) -> None:
        """The broker takes shares of a fill back, and says so in its stream, its books, or its activities alone."""
        world = self.world
        order = self._filled(of)
        if order is None:
            return
        self._note(f"{of} taken back, told by {told}")
        world.surprises.met[f"a fill of {of} taken back"] += 1
        shares = {"whole": order.filled, "half": (order.filled / 2).to_integral_value(), "one": Decimal(1)}[part]
        world.disruptions.take_back(order, min(max(shares, Decimal(1)), order.filled), told)
        self._is_followed(dies, then, wait)

    def a_fill_is_corrected(self, of: str, by: str, told: str, dies: bool, then: str, wait: float) -> None:
        """The price of a fill was another."""
        order = self._filled(of)
        if order is None:
            return
        self._note(f"{of} corrected, told by {told}")
        self.world.surprises.met[f"a fill of {of} corrected"] += 1
        self.world.disruptions.correct(order, Decimal(by), told)
        self._is_followed(dies, then, wait)

    def _filled(self, of: str) -> BookedOrder | None:
        """An order of ours that is filled whole: an entry whose shares are held, their stop, or an exit."""
        world, began = self.world, self.world.wire.at
        self._begin()
        self._deed("fraction" if of == "fraction" else "entry")
        world.bar(world.price)
        if of == "stop":
            self._deed("fall")
        elif of == "exit":
            self._deed("exit")
            world.bar(world.price)
        orders = [o for o in world.exchange._book.every() if o.symbol == SPY and o.executions]
        filled = [o for o in orders if not o.remaining and o.opens is (of in ("entry", "fraction"))]
        its = [o for o in filled if o.opens or o.request.type.is_stop is (of == "stop")]
        ours = [o for o in its if o.request.client_order_id not in world.foreign]
        is_new = bool(ours) and ours[-1].executions[-1].at >= began
        return ours[-1] if is_new and not ours[-1].is_working else None

    def _is_followed(self, dies: bool, then: str, wait: float) -> None:
        self.world.run(0.5)
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        if then:
            self._deed(then)
        self.world.run(wait)
        self.world.bar(self.world.price)

    # ── cancels and replacements that stay pending ───────────────────────────────────────────────────────────────

    def a_cancel_stays_pending(self, deed: str, lasts: str, dies: bool, then: str) -> None:
        """Minutes, or until the next open: it was sent after the close. Then the broker carries it out."""
        world = self.world
        self._hold()
        if lasts == "night":
            self._after_the_close()
        until = world.calendar.next_session(world.clock).open + timedelta(seconds=2)
        seconds = (until - world.clock).total_seconds() if lasts == "night" else float(lasts)
        self._note(f"a {deed} pending, {'over night' if lasts == 'night' else 'minutes'}")
        to = "replacement" if deed == "move" else "cancel"
        world.surprises.waiting.append(Surprise(to, "pending", seconds))
        self._deed(deed)
        world.run(1.0)
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        if then:
            self._deed(then)
        world.surprises.waiting[:] = [one for one in world.surprises.waiting if one.to != to]
        if lasts == "night":
            world.run_until(until + timedelta(seconds=1))
        else:
            world.run(seconds)
        world.run(APART)
        world.bar(world.price)

    def _after_the_close(self) -> None:
        session = self.world.calendar.session_at(self.world.clock)
        if isinstance(session, Session):
            self.world.run_until(session.close + timedelta(minutes=30))

    # ── corporate actions ────────────────────────────────────────────────────────────────────────────────────────

    def shares_are_split(self, new: int, old: int, fate: str, is_for_days: bool, dies: bool, then: str) -> None:
        """Of a symbol that is held with its stop, before a session opens; the books show it at once."""
        world = self.world
        if self._has_acted(TRADED) or TRADED not in world.symbols or not self._holds_another(is_for_days):
            return
        self._note(f"split {new} for {old}, orders {fate}")
        before = world.exchange._ledger.quantity(TRADED)
        its = [order.request.client_order_id for order in world.exchange._book.working.get(TRADED, ())]
        world.contradictions.restated |= set(its) if Fate(fate) in (Fate.ADJUSTED, Fate.QUANTITY) else set()
        splits(world.exchange, world.wire.at, TRADED, new, old, Fate(fate))
        if Fate(fate) is Fate.ADJUSTED:
            world.disruptions.adjusted |= {its_id: world.exchange._book.find(its_id).request for its_id in its}
        self._acted(TRADED, before, (new, old), dies, then)

    def shares_are_renamed(self, new: int, old: int, fate: str, is_for_days: bool, dies: bool, then: str) -> None:
        """They are shares of another symbol when the next session opens; a ratio other than one is a merger's."""
        world = self.world
        if self._has_acted(TRADED) or TRADED not in world.symbols or not self._holds_another(is_for_days):
            return
        self._note(f"renamed {new} for {old}, orders {fate}")
        before = world.exchange._ledger.quantity(TRADED)
        becomes(world.exchange, world.wire.at, TRADED, RENAMED, Fate(fate), new, old)
        self._acted(RENAMED, before, (new, old), dies, then)

    def _has_acted(self, symbol: Symbol) -> bool:
        return symbol in self.world.actions.told or any(act.symbol == symbol for act in self.world.acts)

    def _holds_another(self, is_for_days: bool) -> bool:
        """Whether it is held by the desk and at the broker alike, and nothing of it is under way.

        Its stop ended with the day, or one that lasts was signed after the close.
        """
        world = self.world
        self._begin()
        if not world.engine.state.ledger.positions_in(TRADED):
            self._player().an_order_is_typed("open", "8", "", "1.00", "broker", TRADED)
            world.bar(world.price)
        session = world.calendar.session_at(world.clock)
        if isinstance(session, Session):
            world.run_until(session.close + timedelta(minutes=30))
        if is_for_days:
            self._guard(self._player())
        world.run_until(world.calendar.next_session(world.clock).open - timedelta(minutes=15))
        world.run(APART)
        ledger, theirs = world.engine.state.ledger, world.exchange._ledger.quantity(TRADED)
        is_whole = theirs == theirs.to_integral_value()
        is_half_left = any(order.remaining for order in world.exchange._book.working.get(TRADED, ()) if order.opens)
        return abs(theirs) >= LEAST and is_whole and ledger.net_quantity(TRADED) == theirs and not is_half_left

    def _acted(self, to: Symbol, before: Quantity, ratio: tuple[int, int], dies: bool, then: str) -> None:
        world = self.world
        world.acts.append(Act(TRADED, to, before, world.exchange._ledger.quantity(to), *ratio))
        world.meter.give_up(TRADED)
        world.meter.give_up(to)
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        if then:
            self._deed(then)
        world.run(2 * APART)
        world.bar(world.price)
        world.bar(world.price)

    # ── a blocked account ────────────────────────────────────────────────────────────────────────────────────────

    def trading_is_blocked(self, is_shown: bool, heard: float, seconds: float, deeds: str, dies: bool) -> None:
        """The broker refuses every order for a while, and says so in the account's figures or not; cancels pass.

        In peace no stop makes way for a sale that the figures say is refused, and what is owed comes back by itself.
        """
        world = self.world
        self._hold("fraction" in deeds)
        is_peace, before = self._is_peace(), set(world.meter.bare)
        working, leaving = self._stops_that_work()
        self._note(f"account blocked{', shown' if is_shown else ''}")
        world.surprises.blocked_until = world.clock + timedelta(seconds=seconds + heard + LONGER)
        world.disruptions.shows_block = is_shown
        world.run(heard)
        for deed in deeds.split(", "):
            self._deed(deed)
            world.run(1.0)
        if is_peace and is_shown and deeds in ("exit", "part", "flatten"):
            gone = self._shares_of(leaving | set(filter(self._is_over, working)))
            for owner in world.meter.bare.keys() - before:
                words = f"the stop of {owner[0]} of {owner[1]} made way for a sale that the account's block refuses"
                world.auditor.require(world.meter.shares(owner) <= gone[owner], words, "owed")
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        world.run(seconds)
        world.surprises.blocked_until, world.disruptions.shows_block = None, False
        world.run(APART)
        if is_peace and is_shown and self._is_peace():
            for owner in world.meter.bare.keys() - before:
                words = f"the stop of {owner[0]} of {owner[1]} did not come back after a block: "
                cause = world.meter.cause_of(owner)
                world.auditor.require(cause != REFUSED, words + cause, "owed")
        world.bar(world.price)

    def _stops_that_work(self) -> tuple[set[ClientOrderId], set[ClientOrderId]]:
        """Stops that work, and those of them that the desk has asked the broker to end."""
        auditor = self.world.auditor
        working = {
            order_id
            for order_id, seen in auditor.story.orders.items()
            if seen.order.effect.only_reduces and seen.order.type.is_stop and seen.status.is_working
        }
        return working, working & auditor.cancels.asked_for.keys()

    def _is_over(self, order_id: ClientOrderId) -> bool:
        """Whether it ended with its session, and nobody asked for that."""
        booked = self.world.exchange._book.find(order_id)
        has_expired = booked is not None and not booked.is_working and booked.last_event is UpdateEvent.EXPIRED
        return has_expired and order_id not in self.world.auditor.cancels.asked_for

    def _shares_of(self, stops: set[ClientOrderId]) -> Counter[Owner]:
        """What they had not sold."""
        shares = Counter[Owner]()
        for order_id in stops:
            seen = self.world.auditor.story.orders[order_id]
            shares[seen.order.symbol, seen.strategy] += seen.order.quantity - seen.filled
        return shares

    # ── lists and frames ─────────────────────────────────────────────────────────────────────────────────────────

    def positions_lag(self, deed: str, seconds: float, dies: bool) -> None:
        """The list of positions does not show what was just traded; the orders do."""
        world = self.world
        self._hold(deed == "part")
        self._note(f"positions lag after {deed}")
        world.disruptions.positions_lag(seconds + LONGER)
        self._deed(deed)
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        else:
            self._player().the_stream_is_gone(0.1)
        world.run(seconds)
        world.disruptions.positions_follow()
        world.run(PROVEN)
        world.bar(world.price)

    def rows_are_odd(self, kind: str, many: int, frames: int, deeds: str, wait: float) -> None:
        """The next answers for the books, and the next frames, have one odd row each; in peace all else is used."""
        world = self.world
        self._hold("fraction" in deeds)
        is_peace = self._is_peace()
        self._note(f"odd rows: {kind}")
        world.odd_rows.kinds.add(kind)
        world.odd_rows.kind, world.odd_rows.books_left, world.odd_rows.frames_left = kind, many, frames
        self._player().the_stream_is_gone(0.1)
        for deed in deeds.split(", "):
            self._deed(deed)
            world.run(1.0)
            if is_peace and kind != "sides":  # a position whose side cannot be read is not known
                self._require_agreement(kind)
        world.run(wait)
        world.odd_rows.end()
        self._player().the_stream_is_gone(0.1)
        world.run(APART)
        world.bar(world.price)

    def _require_agreement(self, kind: str) -> None:
        """The desk has counted every fill, and trades on."""
        world, desk = self.world, self.world.engine.state
        if not self._is_peace(but_reconciled=True):
            return
        for symbol in world.symbols:
            ours, true = desk.ledger.net_quantity(symbol), world.exchange._ledger.quantity(symbol)
            words = f"{symbol} is {ours} here and {true} at the exchange, with rows that are odd: {kind}"
            world.auditor.require(ours == true, words)
        words = f"the books are not used for rows that are odd: {kind}"
        world.auditor.require(desk.control.state.is_reconciled, words)

    def a_fill_is_not_heard(self, deed: str) -> None:
        """Its frame is lost on a stream that is well; in peace what it owes is in force a few seconds later."""
        world = self.world
        self._begin()
        if deed in ("part", "exit"):
            self._hold()
        is_peace, begun = self._is_peace(), world.wire.at
        self._note(f"fill of {deed} unheard")
        world.line.waiting.append(Trouble("update", "fill", "lost"))
        self._deed(deed)
        world.run(UNHEARD)
        if is_peace and self._is_peace() and isinstance(world.calendar.session_at(world.clock), Session):
            for owner, stretch in world.meter.bare.items():
                words = f"{owner[0]} of {owner[1]} is bare since {stretch.began:%H:%M:%S}: nobody asked for its fill"
                is_old = world.wire.at - stretch.began > timedelta(seconds=UNHEARD - 1)
                by_another = stretch.began < begun or world.meter.cause_of(owner) != UNHEARD_FILL
                world.auditor.require(by_another or not is_old, words, "owed")
        world.bar(world.price)

    def _is_peace(self, *, but_reconciled: bool = False) -> bool:
        """Whether nothing else disturbs what follows."""
        world, control = self.world, self.world.engine.state.control
        is_peace = not world.line.waiting and not world.surprises.waiting and not world.surprises.skew
        is_peace &= control.killed_by is None and not control.halts and world.fuse.left is None
        is_peace &= world.surprises.blocked_until is None and not world.foreign
        return is_peace and (but_reconciled or control.state.is_reconciled)

    # ── orders of others, and a kill ─────────────────────────────────────────────────────────────────────────────

    def orders_of_others_are_killed(self, many: int, wait: float, dies: bool) -> None:
        """A kill takes all of them back, as fast as the broker's limit allows, and never faster."""
        world, player = self.world, self._player()
        self._begin()
        world.limit_requests(A_MINUTES_REQUESTS)
        world.disruptions.others_place(many)
        player.the_stream_is_gone(0.1)
        world.run(wait)
        self._note(f"{'hundreds' if many > 100 else 'some'} of others killed")
        restarts, began = world.restarts, world.clock
        world.do(Halt("key"), Kill("key"))
        world.run(1.0)
        if dies:
            player.the_process_dies(0, "", 0, True, 0.1, 0)
        world.run(30.0 + 60.0 * many / 100)
        if world.restarts == restarts + dies and world.surprises.blocked_until is None:
            left = world.disruptions.external_working
            world.auditor.require(not left, f"{left} of {many} orders of others work long after a kill", "owed")
        most = world.disruptions.most_in_a_minute(began)
        if not dies:
            words = f"{most} requests in a minute after a kill with {many} orders of others"
            world.auditor.require(most <= A_MINUTES_REQUESTS, words)
        world.limit_requests(None)
        player.the_desk_is_armed_again()
        world.bar(world.price)


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────

TOLD = ("event", "event", "books", "books", "activities")
THEN = ("", "", "", "exit", "part", "fall", "move", "kill", "entry", "cancel")


def a_reversal(chance: Random) -> Arguments:
    return (
        chance.choice(("entry", "entry", "fraction", "stop", "stop", "exit")),
        chance.choice(("whole", "whole", "half", "one")),
        chance.choice(TOLD),
        chance.random() < 0.25,
        chance.choice(THEN),
        chance.choice((3.0, 30.0, PROVEN, 200.0)),
    )


def a_correction(chance: Random) -> Arguments:
    return (
        chance.choice(("entry", "fraction", "stop", "exit")),
        chance.choice(("-0.50", "-0.02", "0.02", "1.00")),
        chance.choice(TOLD),
        chance.random() < 0.25,
        chance.choice(THEN),
        chance.choice((3.0, PROVEN)),
    )


def a_pending_cancel(chance: Random) -> Arguments:
    return (
        chance.choice(("exit", "exit", "part", "cancel", "move", "move")),
        chance.choice(("90", "90", "420", "420", "420", "night")),
        chance.random() < 0.3,
        chance.choice(("", "", "fall", "kill", "exit", "bar", "move", "flatten")),
    )


def a_blocked_account(chance: Random) -> Arguments:
    return (
        chance.random() < 0.7,
        chance.choice((0.1, 6.0, 65.0)),
        chance.choice((20.0, 120.0, 300.0)),
        chance.choice(("exit", "exit", "part", "fraction", "entry, part", "move", "cancel", "exit, kill", "flatten")),
        chance.random() < 0.2,
    )


def a_lag(chance: Random) -> Arguments:
    return (
        chance.choice(("exit", "exit", "part", "entry", "another", "fall")),
        chance.choice((2.0, 5.0, 8.0)),
        (chance.random() < 0.2),
    )


def an_unheard_fill(chance: Random) -> Arguments:
    return (chance.choice(("fraction", "fraction", "part", "exit", "entry")),)


def orders_of_others(chance: Random) -> Arguments:
    return chance.choice((3, 12, 12, 40, 40, 120, 300)), chance.choice((0.5, 3.0)), chance.random() < 0.2


def some_odd_rows(chance: Random) -> Arguments:
    return (
        chance.choice(("unsorted", "unsorted", "case", "case", "sides", "null", "twice")),
        chance.choice((1, 2, 6)),
        chance.choice((1, 3, 12)),
        chance.choice(("entry", "fraction", "exit", "part", "entry, part", "fraction, move", "fall", "kill", "cancel")),
        chance.choice((3.0, 30.0, 75.0)),
    )


def a_corporate_action(chance: Random) -> Arguments:
    return (
        *chance.choice(((2, 1), (3, 2), (1, 4), (1, 2))),
        chance.choice([fate.value for fate in Fate]),
        chance.random() < 0.6,
        chance.random() < 0.3,
        chance.choice(("", "", "exit", "kill", "flatten", "bar", "move")),
    )


def another_symbol(chance: Random) -> Arguments:
    return (
        *chance.choice(((1, 1), (1, 1), (2, 1), (1, 4))),
        chance.choice((Fate.SURVIVE.value, Fate.CANCELLED.value)),
        chance.random() < 0.6,
        chance.random() < 0.3,
        chance.choice(("", "", "exit", "kill", "flatten", "bar", "move")),
    )


DISRUPTING: dict[str, tuple[int, Callable[[Random], Arguments]]] = {
    "a_fill_is_taken_back": (2, a_reversal),
    "a_fill_is_corrected": (1, a_correction),
    "a_cancel_stays_pending": (1, a_pending_cancel),
    "trading_is_blocked": (2, a_blocked_account),
    "positions_lag": (2, a_lag),
    "a_fill_is_not_heard": (2, an_unheard_fill),
    "rows_are_odd": (2, some_odd_rows),
    "orders_of_others_are_killed": (1, orders_of_others),
    "shares_are_split": (2, a_corporate_action),
    "shares_are_renamed": (2, another_symbol),
}
"""How often at most each is drawn in a session that has it, and what its arguments are drawn from."""
