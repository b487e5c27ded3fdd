"""Events of a broker that contradicts itself: each brings the desk into a state where it matters, and follows it.

Each is drawn often in some sessions and never in others, as the rougher events are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from random import Random

from core.brokers.simulated.order_book import BookedOrder
from core.messages.desk_commands import DetachDesk, LoseDesk
from core.messages.inputs import AcceptBroker, ClockRead
from core.model.codes import OwedReason
from core.model.order import ORDER_ID, OrderType, TimeInForce
from core.model.session import Session
from core.model.values import ZERO
from core.workflows.engine_start import EngineStart
from tests.simulation.contradictions import SAID, WORDS
from tests.simulation.desk_play import NOWHERE
from tests.simulation.rough import Arguments, Rough
from tests.simulation.surprises import Surprise
from tests.simulation.world import SPY, Trouble

APART = 12.0
"""Seconds after which a true answer for the books has come."""
WORD_OF_AN_END = 75.0
"""Seconds in which an order that nobody finds is given up."""


class Contradicting(Rough):
    """What such an event does; its methods are a player's."""

    # ── the books ────────────────────────────────────────────────────────────────────────────────────────────────

    def the_books_are_short(self, whats: str, gap: float, between: str, wait: float) -> None:
        """Positions or orders are empty or short in one answer, or in two that differ; what is held has its stop."""
        world = self.world
        self._hold(between == "fraction")
        for what in whats.split(", "):
            self._note(f"books with {what}")
            world.contradictions.lists.append(what)
            if between == "die":
                self._player().the_process_dies(0, "", 0, True, 0.1, 0)
            else:
                self._player().the_stream_is_gone(0.1)
            world.run(gap)
            if between in ("exit", "part", "move", "kill"):
                self._deed(between)
        world.contradictions.lists.clear()
        world.run(max(wait, APART))

    def _hold(self, is_fraction: bool = False) -> None:
        """Something is held, and its stop works there."""
        self._begin()
        if not self.world.engine.state.ledger.positions():
            self._deed("fraction" if is_fraction else "entry")
            self.world.bar(self.world.price)
        self.world.run(1.0)

    # ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def an_end_contradicts_its_figures(self, of: str, word: str, volume: int, deed: str, wait: float) -> None:
        """An order that is filled in part ends, and the broker calls it filled, or rejected."""
        world = self.world
        order = self._part_filled(of, volume)
        if order is None:
            return
        self._note(f"{of} called {word}")
        world.contradictions.end_as(order, word)
        world.run(3.0)
        if deed:
            self._deed(deed)
        world.run(wait)
        world.bar(world.price)

    def a_fill_comes_late(self, of: str, word: str, volume: int, seconds: float, deed: str) -> None:
        """An order is called ended, by whatever word, and fills afterwards, whole or in part."""
        world = self.world
        order = self._part_filled(of, volume) if of == "part" else self._waiting(of)
        if order is None:
            return
        self._note(f"{of} called {word} fills late")
        world.contradictions.call_ended(order, word)
        world.run(seconds)
        if deed:
            self._deed(deed)
        self._reach(order)
        world.bar(world.price, volume=volume)
        world.bar(world.price)
        world.contradictions.let_end(order)
        world.run(APART)

    def an_order_works_again(self, of: str, word: str, seconds: float, deed: str) -> None:
        """It is called expired, or cancelled, and works as before a while later."""
        world = self.world
        order = self._waiting(of)
        if order is None:
            return
        self._note(f"{of} called {word} works again")
        world.contradictions.call_ended(order, word)
        world.run(seconds)
        if deed:
            self._deed(deed)
        world.contradictions.call_working(order)
        world.run(APART)
        world.bar(world.price)

    def a_stop_does_not_trade(self, word: str, is_told: bool, deed: str, wait: float) -> None:
        """The broker calls a stop suspended, or done for the day, or says that its trade is guaranteed, and new again
        a while later.
        """
        world = self.world
        order = self._waiting("stop")
        if order is None:
            return
        self._note(f"stop {word}")
        called_at = world.wire.at
        world.contradictions.call_idle(order, word, is_told=is_told)
        self._player().the_stream_is_gone(0.1)
        world.run(APART)
        self._require_no_cover(order, word, called_at)
        if deed:
            self._deed(deed)
        world.run(wait)
        world.contradictions.call_active(order)
        world.run(APART)
        world.bar(world.price)

    def _require_no_cover(self, order: BookedOrder, word: str, called_at: datetime) -> None:
        """Once books are heard that say so, it covers nothing, and somebody is told; `stopped` covers."""
        state, calendar = self.world.engine.state, self.world.calendar
        known, heard_at = state.ledger.order(order.request.client_order_id), state.sightings.books_at
        asked_at = self.world.engine.the(EngineStart).reconciliation.times._asked_at
        is_heard = heard_at is not None and asked_at is not None and called_at < asked_at < heard_at
        is_open = isinstance(calendar.session_at(called_at), Session)
        is_heard &= (
            order.request.client_order_id not in self.world.surprises.pending
        )  # it is called pending_cancel then
        if known is None or not known.is_working or known.broker_order_id is None or not is_heard or not is_open:
            return
        position = state.ledger.position(known.request.symbol, known.strategy)
        if position is None or word == "stopped":
            self.world.auditor.require(known.idle is None, f"{known.id} is called {word}, and idle", "owed")
            return
        covers = known.id in {each.order for each in state.owed_stops.covered_by(position)}
        self.world.auditor.require(
            not covers, f"{known.id} is called {word}, and covers {known.request.symbol}", "owed"
        )
        owing = state.owed_stops.of(position)
        is_told = owing is None or not owing.needs_a_person or owing.is_told(state.why_owed(owing))
        is_told |= owing is not None and owing.why is OwedReason.LEGS_WAIT  # told a minute after; `debt_audit` looks
        is_told |= state.may_have_unknown_orders(known.request.symbol)  # told of those (EX-24)
        is_due = isinstance(calendar.session_at(state.at), Session)
        self.world.auditor.require(is_told or not is_due, f"{known.id} is called {word}, and nobody is told", "owed")

    def the_broker_forgets_an_order(self, of: str, is_gone: bool, deed: str, seconds: float) -> None:
        """No list has it, and look-ups and cancels of it are answered with 404: for good, or for a while."""
        world = self.world
        order = self._waiting(of)
        if order is None:
            return
        self._note(f"{of} {'gone' if is_gone else 'unseen'}")
        world.contradictions.forget(order, is_gone=is_gone)
        if deed:
            self._deed(deed)
        world.run(seconds)
        world.bar(world.price)
        if not is_gone:
            world.contradictions.remember(order)
            self._player().the_stream_is_gone(0.1)
        world.run(APART)

    def a_replacement_ends_alone(self, of: str, how: str, then: str, wait: float) -> None:
        """The broker takes a replacement and ends it, and the order that it was to replace works on."""
        world, player = self.world, self._player()
        self._waiting(of)
        self._note(f"{of}'s replacement {how}")
        world.contradictions.replaced.append(how)
        if of == "stop":
            player.a_stop_is_moved("-0.40", 0.5)
        else:
            player.an_entry_is_edited(0, "1", "-0.05", 0.5)
        world.run(wait)
        world.contradictions.replaced.clear()
        if then:
            self._deed(then)
        world.bar(world.price)

    # ── terms and words ──────────────────────────────────────────────────────────────────────────────────────────

    def terms_are_restated(self, of: str, term: str, by: str, is_told: bool, then: str) -> None:
        """The broker changes a term of an order that works."""
        world = self.world
        order = self._waiting(of)
        heard = order and world.engine.state.ledger.order(order.request.client_order_id)
        if order is None or heard is None or heard.broker_order_id is None:
            return
        if not world.contradictions.restate(order, term, by, is_told=is_told):
            return
        self._note(f"{of}'s {term} restated")
        if not is_told:
            self._player().the_stream_is_gone(0.1)
        world.run(APART)
        if then:
            self._deed(then)
        world.bar(world.price)

    def terms_change_unheard(self, of: str, term: str, by: str, dies: bool, then: str) -> None:
        """The broker changes a term of an order before anything was heard of it; its answer is lost."""
        world, player = self.world, self._player()
        self._begin()
        if of == "stop":
            self._hold()
        before = {order.request.client_order_id for order in world.contradictions.working()}
        is_gone, world.line.is_mute[0] = not dies, True
        world.line.waiting.append(Trouble("answer", "ReplaceOrder" if of == "stop" else "SubmitOrder", "lost"))
        if of == "stop":
            player.a_stop_is_moved("-0.40", 0.5)
            world.run(0.1)
        else:
            self._type_bracket("8" if of == "entry" else "2.5", "-0.60", TimeInForce.DAY, target=None)
        sent = [o for o in world.contradictions.working() if o.request.client_order_id not in before and not o.is_held]
        for order in sent[:1]:
            if world.contradictions.restate(order, term, by, is_told=False):
                self._note(f"{of}'s {term} changed unheard")
        world.line.is_mute[0] = False
        if is_gone:
            player.the_stream_is_gone(0.1)
        else:
            player.the_process_dies(0, "", 0, True, 0.1, 0)
        if then:
            self._deed(then)
        world.run(APART)
        world.bar(world.price - Decimal("0.60" if of != "stop" else "0"))

    def words_are_unknown(self, names: str, many: int, deeds: str, wait: float) -> None:
        """The next reports of orders have unknown words in these fields."""
        world = self.world
        self._begin()
        for deed in deeds.split(", "):
            self._note(f"unknown {names}")
            world.contradictions.words, world.contradictions.words_left = tuple(names.split(" ")), many
            self._deed(deed)
            world.run(1.0)
        world.run(wait)
        world.contradictions.words_left = 0
        world.bar(world.price)

    # ── requests that are not taken ──────────────────────────────────────────────────────────────────────────────

    def exits_are_not_taken(self, of: str, how: str, many: int, seconds: float, deeds: str, wait: float) -> None:
        """The next requests for stops, or exits, are answered with 429 or 500, before or after they were taken."""
        world = self.world
        self._begin()
        if of == "an exit":
            self._hold()
        world.surprises.waiting.extend([Surprise("order", how, seconds, of)] * many)
        for deed in deeds.split(", "):
            self._note(f"{of} answered with {how}")
            self._deed(deed)
            world.run(1.0)
        world.run(wait)
        world.surprises.waiting[:] = [one for one in world.surprises.waiting if one.of != of]
        world.bar(world.price)

    # ── clocks ───────────────────────────────────────────────────────────────────────────────────────────────────

    def a_clock_jumps(self, seconds: float, lasts: float, is_for_good: bool, deeds: str, move: str) -> None:
        """This machine's clock jumps; the broker's says so. It jumps back, or stays where it is and is followed."""
        world = self.world
        self._hold()
        if "signed" in deeds:
            self._player().an_exit_is_signed("open", "0.02", 1000, 0.35)
        self._note(f"a clock jumps {'forward' if seconds > 0 else 'back'}")
        world.surprises.met["a clock that jumped"] += 1
        jump = Decimal(str(seconds))
        world.contradictions.ahead = jump
        world.hear(ClockRead(jump, max(-jump, ZERO)))
        world.run(0.5)
        for deed in [deed for deed in deeds.split(", ") if deed != "signed"]:
            self._deed(deed)
        if move:
            world.bar(world.price + Decimal(move), seconds=lasts)
        world.run(lasts)
        world.contradictions.ahead = ZERO
        if not is_for_good:
            world.hear(ClockRead(-jump, ZERO))
        world.run(APART)
        world.bar(world.price)

    # ── nobody ───────────────────────────────────────────────────────────────────────────────────────────────────

    def nobody_comes(self, effect: str, move: str, is_lost: bool, wait: float) -> None:
        """All desks go with a signed exit open; a dead man's timer ends, and then the exit's rule speaks."""
        world, player = self.world, self._player()
        self._begin()
        player.an_exit_is_signed(effect, "0.02", 1000, 0.35)
        self._note("nobody comes")
        for number in sorted(world.engine.state.desks.state.attached):
            world.desk = number
            world.do(LoseDesk() if is_lost else DetachDesk())
        world.desk, world.is_away = NOWHERE if player.session.has_desks else world.desk, player.session.has_desks
        world.run(player.session.profile.dead_man * 3600 + 1)
        if world.auditor.story.halts:
            world.surprises.met["a dead man's timer"] += 1
        world.bar(world.price + Decimal(move))
        world.run(wait)
        world.is_away = False

    # ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────

    def the_folder_is_restored(self, ago: float, deeds: str, is_accepted: bool, then: str) -> None:
        """After some deeds the folder is put back as it was before; a person takes the broker's word, or not yet."""
        world, player = self.world, self._player()
        self._begin()
        world.run(1.0)
        for deed in deeds.split(", "):
            self._deed(deed)
            world.bar(world.price)
        self._note("the folder is restored")
        orders = {name for name in world.restore(ago) if ORDER_ID.fullmatch(name)}
        world.run(2.0)
        if not orders:
            return
        world.surprises.met["a folder restored"] += 1
        found = world.auditor.story.counts["UnknownOrdersFound"]
        is_listed = bool(orders & {report.client_order_id for report in world.exchange.orders(world.wire.at)})
        if is_listed and world.engine.state.control.state.is_reconciled and not found:
            world.auditor.require(
                False, f"an older folder trades on, and the account has {sorted(orders)}", "unrequested"
            )
        if then:
            self._deed(then)
        world.run(APART)
        if is_accepted:
            world.hear(AcceptBroker(world.surprises.accepted(world.wire.at)))
            player.the_desk_is_armed_again()
            self._deed("entry")
        world.bar(world.price)

    # ── what there is ────────────────────────────────────────────────────────────────────────────────────────────

    def _waiting(self, of: str) -> BookedOrder | None:
        """A stop that guards, or an entry that waits at its limit; made where there is none."""
        if of == "stop":
            self._hold()
        else:
            self._begin()
            if self._found(of) is None:
                self._type_bracket("8" if of == "entry" else "2.5", "-0.60", TimeInForce.DAY, target=None)
                self.world.run(0.5)
        return self._found(of)

    def _found(self, of: str) -> BookedOrder | None:
        working = [o for o in self.world.contradictions.working() if o.request.symbol == SPY and o.parent is None]
        if of == "stop":
            working = [o for o in self.world.contradictions.working() if not o.opens and o.request.type.is_stop]
            return next((o for o in working if not o.is_held and not o.oco_siblings), None)
        entries = [o for o in working if o.opens and o.request.type is OrderType.LIMIT]
        return next((o for o in entries if of == "entry" or not o.legs), None)

    def _part_filled(self, of: str, volume: int) -> BookedOrder | None:
        """An entry, a stop or an exit of which a part is filled."""
        world = self.world
        if of in ("entry", "part"):
            self._begin()
            self._type_bracket("8" if of == "entry" else "7.5", "0.00", TimeInForce.DAY, target=None)
            world.bar(world.price, volume=volume)
        else:
            self._hold()
            world.bar(world.price, volume=volume, seconds=0.02)
            if of == "exit":
                self._deed("exit")
                world.bar(world.price, volume=volume)
            else:
                world.bar(world.price - Decimal("1.20"), volume=volume)
        filled = [order for order in world.contradictions.working() if order.filled]
        return next((order for order in filled if of != "part" or not order.legs), None)

    def _reach(self, order: BookedOrder) -> None:
        """The price goes where the order fills."""
        price = order.request.limit_price or order.request.stop_price
        if price is not None and order.request.symbol == SPY:
            beyond = Decimal("-0.02") if order.request.side.value == "buy" else Decimal("-0.10")
            self.world.bar(price + beyond, seconds=0.5)


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────

THEN = ("", "", "", "exit", "part", "bar", "move", "kill", "cancel")


def short_books(chance: Random) -> Arguments:
    kinds = ("positions empty", "positions short", "orders empty", "orders short", "both empty")
    whats = chance.choice((*kinds, "positions empty, positions short", "positions short, positions empty"))
    between = chance.choice(("", "", "", "fraction", "die", "exit", "part", "move", "kill"))
    return whats, chance.choice((3.0, 12.0)), between, chance.choice((12.0, 75.0))


def a_contradicting_end(chance: Random) -> Arguments:
    return (
        chance.choice(("entry", "entry", "stop", "exit")),
        chance.choice(("filled", "filled", "rejected")),
        chance.choice((20, 30, 60)),
        chance.choice(THEN),
        chance.choice((3.0, 75.0)),
    )


def a_late_fill(chance: Random) -> Arguments:
    return (
        chance.choice(("entry", "entry", "fraction", "part", "stop")),
        chance.choice(tuple(SAID)),
        chance.choice((20, 30, 1000)),
        chance.choice((0.5, 10.0, 75.0)),
        chance.choice(("", "", "", "exit", "bar")),
    )


def a_revival(chance: Random) -> Arguments:
    return (
        chance.choice(("stop", "stop", "fraction", "entry")),
        chance.choice(("expired", "expired", "canceled")),
        chance.choice((1.0, 30.0, 130.0)),
        chance.choice(("", "", "", "exit", "part", "bar", "fall")),
    )


def an_idle_stop(chance: Random) -> Arguments:
    return (
        chance.choice(("suspended", "suspended", "calculated", "done_for_day", "stopped")),
        chance.random() < 0.5,
        chance.choice(("", "", "exit", "exit", "part", "move", "fall", "kill", "cancel")),
        chance.choice((3.0, 30.0, 75.0)),
    )


def a_forgotten_order(chance: Random) -> Arguments:
    return (
        chance.choice(("stop", "stop", "fraction", "entry")),
        chance.random() < 0.6,
        chance.choice(("", "exit", "fall", "part", "cancel", "kill", "move")),
        chance.choice((5.0, 30.0, 130.0)),
    )


def a_lone_replacement(chance: Random) -> Arguments:
    return (
        chance.choice(("stop", "stop", "entry")),
        chance.choice(("canceled", "expired", "rejected")),
        chance.choice(("", "part", "exit", "move", "fall")),
        chance.choice((0.5, 10.0, 75.0)),
    )


def a_restatement(chance: Random) -> Arguments:
    term = chance.choice(("quantity", "quantity", "stop", "limit", "time in force"))
    return (
        chance.choice(("stop", "stop", "entry")),
        term,
        chance.choice(("2", "4", "2", "-2") if term != "quantity" else ("2", "4")),
        chance.random() < 0.5,
        chance.choice(("", "fall", "exit", "part", "move", "cancel")),
    )


def an_unheard_change(chance: Random) -> Arguments:
    """Of what, which term, by how much, whether the process dies, and what is done then."""
    return (
        chance.choice(("entry", "fraction", "stop")),
        chance.choice(("quantity", "limit", "stop", "time in force")),
        chance.choice(("2", "4", "-2")),
        chance.random() < 0.6,
        chance.choice(("", "", "exit", "part", "fall")),
    )


def some_unknown_words(chance: Random) -> Arguments:
    return (
        chance.choice((*WORDS, "side", "type time_in_force", "status type time_in_force order_class side")),
        chance.choice((1, 2, 4, 12)),
        chance.choice(("entry", "fraction", "entry, part", "entry, exit", "fraction, move", "entry, fall")),
        chance.choice((3.0, 75.0)),
    )


def a_jump(chance: Random) -> Arguments:
    """Seconds, how long, for good or not, what is done meanwhile, and where the price goes."""
    seconds = chance.choice((1.0, 3.0, 60.0, 3_600.0, 16_200.0, 172_800.0, 2_592_000.0))
    return (
        chance.choice((seconds, -seconds)),
        chance.choice((1.0, 8.0, 60.0)),
        chance.random() < 0.4,
        chance.choice(("signed", "signed", "entry", "fraction", "exit", "signed, part", "move", "kill", "ticket")),
        chance.choice(("", "0.60", "0.60", "-1.20")),
    )


def an_absence(chance: Random) -> Arguments:
    """Side, where the price goes, whether the links die, and how long after."""
    effect = chance.choice(("open", "open", "short"))
    move = chance.choice(("0.60", "2.00", "-0.60")) if effect == "open" else chance.choice(("-0.60", "-2.00", "0.60"))
    return effect, move, chance.random() < 0.5, chance.choice((3.0, 61.0, 200.0))


def an_older_folder(chance: Random) -> Arguments:
    return (
        chance.choice((60.0, 130.0, 200.0, 3_600.0)),
        chance.choice(("entry", "fraction", "entry, exit", "entry, part", "fraction, another", "entry, move")),
        chance.random() < 0.6,
        chance.choice(("", "entry", "exit", "fraction", "kill")),
    )


def exits_not_taken(chance: Random) -> Arguments:
    of = chance.choice(("a stop", "an exit"))
    deeds = ("exit", "part", "part, part", "flatten") if of == "an exit" else ("fraction", "entry", "fraction, part")
    return (
        of,
        chance.choice(("429", "too many", "500", "504")),
        chance.choice((1, 1, 2, 3)),
        chance.choice((0.0, 1.0, 12.0, 20.0, 60.0)),
        chance.choice(deeds),
        chance.choice((3.0, 30.0, 130.0)),
    )


CONTRADICTING: dict[str, tuple[int, Callable[[Random], Arguments]]] = {
    "the_books_are_short": (3, short_books),
    "an_end_contradicts_its_figures": (3, a_contradicting_end),
    "a_fill_comes_late": (3, a_late_fill),
    "an_order_works_again": (2, a_revival),
    "the_broker_forgets_an_order": (2, a_forgotten_order),
    "a_replacement_ends_alone": (2, a_lone_replacement),
    "terms_are_restated": (3, a_restatement),
    "words_are_unknown": (3, some_unknown_words),
    "exits_are_not_taken": (3, exits_not_taken),
    "a_clock_jumps": (2, a_jump),
    "nobody_comes": (2, an_absence),
    "the_folder_is_restored": (1, an_older_folder),
    "a_stop_does_not_trade": (2, an_idle_stop),
    "terms_change_unheard": (2, an_unheard_change),
}
"""How often at most each is drawn in a session that has it, and what its arguments are drawn from."""
