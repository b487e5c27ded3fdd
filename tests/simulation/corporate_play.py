"""Events of announced corporate actions: splits, renames, mergers, removals; true, contradicted, late, or never come.

Each is drawn often in some sessions and never in others, as the rougher events are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from core.brokers.simulated.account import Holding
from core.messages.inputs import AcceptBroker
from core.model.reference_data import ActionKind, CorporateAction
from core.model.session import Session
from core.model.values import Quantity, Symbol
from core.trading_state.notifications import READ_ONLY
from tests.kit.splits import Fate, becomes, pays_out, splits
from tests.simulation.auditor import Act
from tests.simulation.contradiction_play import APART
from tests.simulation.disruption_play import LEAST, PROVEN
from tests.simulation.rough import Arguments
from tests.simulation.surprises import Planned
from tests.simulation.time_play import Timing
from tests.simulation.world import BBB, CCC

NAMES = {CCC: Symbol("CCX"), BBB: Symbol("BBX")}
"""What announced actions are of, and the names that the shares get."""
ANOTHER = Symbol("OTHER")
"""A symbol that is announced, and that nothing becomes."""
OFF = 40.0
"""Seconds in which no desk runs."""


class Announcing(Timing):
    """What such an event does; its methods are a player's."""

    def an_action_is_announced(
        self, kind: str, new: int, old: int, cash: str, fate: str, word: str, when: str, days: int,
        effect: str, quantity: str, is_for_days: bool, is_down: bool, dies: bool, gap: float, then: str,
    ) -> None:  # fmt: skip
        """Of a symbol that is held with its stop, before a session opens.

        `word` is `true`, `false` (the broker does something else), `unheard` (nothing is announced) or `empty` (the
        broker does nothing); `when` is `evening`, `before` or `late` (after the books).
        Shares under another symbol are listed `gap` seconds after those that are gone.
        """
        world = self.world
        acted = {act.symbol for act in world.acts}
        symbol = next((s for s in NAMES if s in world.symbols and s not in acted and s not in world.actions.told), None)
        if symbol is None or not self._holds_one(symbol, effect, quantity):
            return
        day = world.calendar.next_session(world.clock).day + timedelta(days=days)
        told = self._announcement(symbol, kind, new, old, Decimal(cash), day, is_true=word != "false")
        if when == "evening" and word != "unheard":
            world.actions.tell(symbol, told)
        if is_for_days:
            self._guard(self._player())
        if not self._is_held_before_the_open(symbol):
            return
        if word == "false" and self._is_as_told(symbol, told, Fraction(new, old)):
            return
        self._note(f"{kind} {word}, told {when}, orders {fate}, desk {'down' if is_down else 'up'}")
        world.surprises.met[f"an announced action: {kind}, {word}"] += 1
        if word == "false":
            world.actions.contradicted.add(symbol)
        if when == "before" and word != "unheard":
            world.actions.tell(symbol, told)
        before = world.exchange._ledger.quantity(symbol)
        if word != "empty":
            self._broker_acts(symbol, kind, new, old, Decimal(cash), Fate(fate), gap, is_down=is_down)
        if dies:
            self._player().the_process_dies(0, "", 0, True, 0.1, 0)
        if then and then != "guard":
            self._deed(then)
        world.run(2 * APART)
        if when == "late":
            world.run(PROVEN)
            if word != "unheard":
                world.actions.tell(symbol, told)
        self._is_in_session()
        world.bar(world.price)
        if gap:
            world.run(gap)
        is_peace = self._is_peace(but_reconciled=True) and not self._is_under_way()
        world.run(PROVEN)
        if is_peace and self._is_peace(but_reconciled=True) and not self._is_under_way():
            self._require_sense(symbol, word, before)
        if then == "guard":
            self._guard(self._player())
            world.bar(world.price)
        if world.actions.open():
            world.actions.taken_over.add(symbol)
            world.hear(AcceptBroker(world.surprises.accepted(world.wire.at)))
            self._player().the_desk_is_armed_again()
            world.run(APART)
        world.bar(world.price)

    def _is_as_told(self, symbol: Symbol, told: CorporateAction, ratio: Fraction) -> bool:
        """Whether another ratio is announced, and gives as many whole shares: the books cannot tell them apart."""
        if told.new_rate is None or told.old_rate is None or told.to is not None:
            return False
        before = Fraction(self.world.exchange._ledger.quantity(symbol))
        return int(before * ratio) == int(before * Fraction(told.new_rate) / Fraction(told.old_rate))

    def _announcement(
        self, symbol: Symbol, kind: str, new: int, old: int, cash: Decimal, day: date, *, is_true: bool
    ) -> CorporateAction:
        """Of what the broker does; or of something near that it does not."""
        name, rates = NAMES[symbol], (Decimal(old), Decimal(new))
        match kind:
            case "split":
                of = ActionKind.SPLIT if new > old else ActionKind.REVERSE_SPLIT
                rates = rates if is_true else (rates[0], rates[1] + 1 if new > old else rates[1] + rates[1] * 2)
                return CorporateAction(symbol, of, day, None, *rates)
            case "rename":
                return CorporateAction(symbol, ActionKind.RENAME, day, to=name if is_true else ANOTHER)
            case "merger" if is_true:
                return CorporateAction(symbol, ActionKind.MERGER, day, None, *rates, to=name)
            case "merger":
                return CorporateAction(symbol, ActionKind.MERGER, day, Decimal(3), *rates, to=ANOTHER)  # and cash
            case "cash" if is_true:
                return CorporateAction(symbol, ActionKind.MERGER, day, cash)
            case "removal" if is_true:
                return CorporateAction(symbol, ActionKind.REMOVAL, day)
        return CorporateAction(symbol, ActionKind.RENAME, day, to=name)

    def _holds_one(self, symbol: Symbol, effect: str, quantity: str) -> bool:
        """Until the evening: its stop ended with the day, or is signed anew then."""
        world = self.world
        self._begin()
        if not world.engine.state.ledger.positions_in(symbol):
            self._is_in_session()
            if effect == "short":  # a cash account sells nothing short, and nobody a part of a share
                effect = effect if self._player().session.profile.is_margin else "open"
                quantity = str(int(Decimal(quantity)))
            self._player().an_order_is_typed(effect, quantity, "", "1.00", "broker", symbol)
            world.bar(world.price)
        session = world.calendar.session_at(world.clock)
        if isinstance(session, Session):
            world.run_until(session.close + timedelta(minutes=30))
        return bool(world.exchange._ledger.quantity(symbol))

    def _is_in_session(self) -> None:
        world = self.world
        if not isinstance(world.calendar.session_at(world.clock), Session):
            world.run_until(world.calendar.next_session(world.clock).open)
            world.bar(world.price)

    def _is_held_before_the_open(self, symbol: Symbol) -> bool:
        """Whether the desk and the broker have as much of it, and nothing of it is under way."""
        world = self.world
        world.run_until(world.calendar.next_session(world.clock).open - timedelta(minutes=15))
        world.run(APART)
        ledger, theirs = world.engine.state.ledger, world.exchange._ledger.quantity(symbol)
        is_half_left = any(order.remaining for order in world.exchange._book.working.get(symbol, ()) if order.opens)
        owners = {held.strategy: held.quantity for held in ledger.positions_in(symbol)}
        counted = {owner: held.quantity for owner, held in world.actions.held(symbol).items() if held.quantity}
        is_whole = abs(theirs) >= LEAST or theirs != theirs.to_integral_value()
        return (
            bool(theirs)
            and is_whole
            and owners == counted
            and ledger.net_quantity(symbol) == theirs
            and not is_half_left
        )

    def _broker_acts(
        self, symbol: Symbol, kind: str, new: int, old: int, cash: Decimal, fate: Fate, gap: float, *, is_down: bool
    ) -> None:
        """Now, or while no desk runs."""
        world = self.world
        if not is_down:
            self._does(symbol, kind, new, old, cash, fate, gap, world.wire.at)
            world.wire._pass_updates_on()
            return
        at = world.wire.at + timedelta(seconds=OFF / 2)
        world.planned.append(Planned(at, lambda then: self._does(symbol, kind, new, old, cash, fate, gap, then)))
        self._player().the_process_dies(0, "", 0, True, OFF, 0)

    def _does(
        self, symbol: Symbol, kind: str, new: int, old: int, cash: Decimal, fate: Fate, gap: float, at: datetime
    ) -> None:
        world = self.world
        exchange, actions = world.exchange, world.actions
        before = exchange._ledger.quantity(symbol)
        is_seen = kind != "split" or before != before.to_integral_value() or int(before * new / old) != before
        if not before or not is_seen:
            return  # a split whose fraction is paid in cash may leave as many shares
        held, named = (
            actions.held(symbol),
            frozenset(o for s, o in world.meter.named if s == symbol and world.meter.named[s, o]),
        )
        to = NAMES[symbol] if kind in ("rename", "merger") else symbol
        executed = actions.executed(to)
        its = [order.request.client_order_id for order in exchange._book.working.get(symbol, ())]
        if kind == "split":
            world.contradictions.restated |= set(its) if fate in (Fate.ADJUSTED, Fate.QUANTITY) else set()
            splits(exchange, at, symbol, new, old, fate)
            if fate is Fate.ADJUSTED:
                world.disruptions.adjusted |= {its_id: exchange._book.find(its_id).request for its_id in its}
        elif kind in ("rename", "merger"):
            new, old = (1, 1) if kind == "rename" else (new, old)
            becomes(exchange, at, symbol, to, fate, new, old)
        else:
            pays_out(exchange, at, symbol, cash, fate)
        is_paid = kind in ("cash", "removal")
        after = Quantity(Decimal(0)) if is_paid else exchange._ledger.quantity(to)
        paid = cash if is_paid else None
        world.acts.append(Act(symbol, to, before, after, new, old, at, paid, held, executed, named))
        world.meter.give_up(symbol)
        world.meter.give_up(to)
        if gap and to != symbol and to in exchange._ledger._holdings:
            listed_later = exchange._ledger._holdings.pop(to)
            world.actions.hidden.add(to)
            world.plan(Planned(at + timedelta(seconds=gap), lambda _then: self._is_listed(to, listed_later)))

    def _is_listed(self, symbol: Symbol, holding: Holding) -> None:
        self.world.exchange._ledger._holdings[symbol] = holding
        self.world.actions.hidden.discard(symbol)

    def _is_under_way(self) -> bool:
        """Whether an order in doubt, or a cancel that waits, may explain what differs."""
        world = self.world
        working = list(world.engine.state.ledger.working())
        is_open = any(order.in_doubt_since or order.broker_order_id is None for order in working)
        return is_open or bool(world.surprises.pending) or bool(world.contradictions.hidden) or world.is_restored

    def _require_sense(self, symbol: Symbol, word: str, before: Quantity) -> None:
        """What was announced and done is followed; of what contradicts, a person is told."""
        world = self.world
        require, state = world.auditor.require, world.engine.state
        world.surprises.met["an announced action judged in peace"] += 1
        open_acts = [act for act in world.actions.open() if act.symbol == symbol]
        is_told = not state.control.state.is_reconciled and READ_ONLY in state.notifications.state.matters
        day = world.calendar.trading_day(world.clock)
        is_early = any(act.cash is not None and not world.actions.is_paid_told(act, day) for act in open_acts)
        is_early |= any(
            each.ex_date > day for each in world.actions.told.get(symbol, ()) if each.split_ratio is not None
        )
        match word:
            case "true" if not is_early:
                words = f"what was announced of {symbol} was done, and is not followed: {world.actions.told[symbol]}"
                require(not open_acts, words)
            case "empty":
                ours = state.ledger.net_quantity(symbol)
                true = world.exchange._ledger.quantity(symbol)
                require(ours == true, f"{symbol} is {ours} here and {true} at the exchange, and nothing was done")
                require(state.control.state.is_reconciled, f"an announcement of {symbol} alone made the desk read-only")
            case _ if open_acts:
                require(is_told, f"{symbol} is not what was announced, and nobody was told", "unnoticed")


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────

RATES = {
    "split": ((2, 1), (3, 2), (1, 4), (7, 5), (1, 2), (23, 21)),
    "rename": ((1, 1),),
    "merger": ((3, 4), (7, 10), (2, 1), (37, 100), (113, 100), (1, 2)),
    "cash": ((1, 1),),
    "removal": ((1, 1),),
}


def an_announced_action(chance: Random) -> Arguments:
    kind = chance.choice(("split", "split", "rename", "merger", "merger", "cash", "cash", "removal"))
    fates = [fate.value for fate in Fate] if kind == "split" else [Fate.SURVIVE.value, Fate.CANCELLED.value]
    return (
        kind,
        *chance.choice(RATES[kind]),
        chance.choice(("48.75", "61.30", "12")) if kind == "cash" else "0",
        chance.choice(fates),
        chance.choice(("true", "true", "true", "true", "false", "unheard", "empty")),
        chance.choice(("evening", "before", "before", "late")),
        chance.choice((0, 0, 0, -1, -3, 1)),
        chance.choice(("open", "open", "short")),
        chance.choice(("8", "8", "7.5", "12")),
        chance.random() < 0.6,
        chance.random() < 0.4,
        chance.random() < 0.2,
        chance.choice((0.0, 0.0, 0.0, 70.0, 400.0)) if kind in ("rename", "merger") else 0.0,
        chance.choice(("", "", "guard", "guard", "exit", "kill", "flatten", "bar", "move")),
    )


ANNOUNCING: dict[str, tuple[int, Callable[[Random], Arguments]]] = {"an_action_is_announced": (2, an_announced_action)}
"""How often at most each is drawn in a session that has it, and what its arguments are drawn from."""
