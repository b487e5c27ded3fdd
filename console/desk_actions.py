"""Actions of keys on the desk as a whole, on an order and on a basket.

A basket that this desk did not request, for example one from a file, is announced and never takes the focus, because a
key meant for another place could mark one of its orders. A basket that asks is opened once nobody is typing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual import _time

from console.arming import CUT_FOR, PASSES_AFTER, REDUCES_AFTER
from console.follow_ups import FollowUps, order_in_words
from console.keymap import written
from console.proposal_outcome import NO_ANSWER_YET, TIMEOUT, last_refusal
from console.screens.basket import BasketScreen
from console.screens.desk_control import (
    TAKE,
    TakeByQuestion,
    TakeByWord,
    holds_key,
    leaving_lines,
    may_act,
    taking_lines,
)
from console.screens.dialog import WIDTH, ArmedQuestion, DialogHost
from console.screens.edit import EditOrderScreen
from console.screens.limits import LOOSEN, ListsScreen, LoosenScreen, ReloadedScreen
from console.screens.reading import WhyScreen
from console.screens.touch import TouchScreen
from core.messages.commands import (
    ClearBreaker,
    ConfirmWarning,
    EditOrder,
    OpenBasket,
    ProposeFlattening,
    RequestCancel,
    ReversePosition,
)
from core.messages.desk_commands import CompareActivities, ReloadLimits, StopEngine, TakeKey
from core.model.account import Channel, ConnectionState
from core.model.basket import BasketEnd, BasketOrderState, BasketPhase, BasketSource
from core.model.order import LegRole
from core.model.touch import loosen_message
from core.model.values import ClientOrderId, Price, Quantity, Symbol, TicketId, plain
from core.views import WARNED, BasketView, DeskView, OrderRow, PositionRow, ReloadView, RowMark
from core.views.desk_status import BREAKER_OK
from core.views.rows import replacement_of
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, TextLine
from widgets.orders import LEGS, REFUSAL
from widgets.ticket_text import wrapped


def fate_of(order: OrderRow) -> str:
    """Return what happens to an order whose warning is not confirmed."""
    if order.taken_back_at is not None:
        return f"Unless you let it stand, it is cancelled at {f.clock(order.taken_back_at)} {f.PLACE}."
    if order.status.is_working:
        return "It only reduces, and stands either way: your key says that you have read this."
    return "It has ended, and what it filled stays: your key confirms that you have read this."


def breaker_in_words(view: DeskView, now: datetime) -> list[TextLine]:
    """Return why the breaker is open, whether the broker answers now, and what clearing it allows."""
    why = view.wire.breaker_reason or f"{view.wire.breaker}: one entry is let through"
    lines = wrapped("", f"It is {why}.", WIDTH, "warning")
    connection = next((connection for connection in view.status.connections if connection.line is Channel.BROKER), None)
    if connection is not None:
        how = (
            "the broker answers"
            if connection.state is ConnectionState.UP
            else f"the broker is {connection.state.value.upper()}"
        )
        lines += wrapped("now    ", f"{how}, for {f.span(now - connection.since)}", WIDTH)
    return [*lines, (), *wrapped("", "Cleared, entries may leave at once. Exits and cancels always may.", WIDTH)]


def _waits_for_entry(view: DeskView, leg: OrderRow) -> bool:
    return RowMark.HELD in leg.marks and any(row.id == leg.parent and row.is_entry for row in view.orders)


class OrderActions:
    """The actions of the orders pane."""

    def __init__(self, behind: DialogHost, following: FollowUps) -> None:
        self.behind = behind
        self.following = following

    def say_all(self, view: DeskView, _key: str) -> None:
        count = len(view.refusals)
        self.behind.say(f"{count} refused, at the end of the list" if count else "nothing was refused so far")

    def _order(self, view: DeskView, key: str) -> OrderRow | None:
        if key.startswith(REFUSAL):
            self.behind.say(f"this was refused and never became an order; {written('grid.open')} tells why")
        if key.startswith(LEGS):
            self.behind.say(f"these wait for their entry: {written('grid.open')} gives each its row, for its own keys")
        return next((row for row in view.orders if row.id == key), None)

    def cancel(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is None:
            return
        if not order.status.is_working:
            self._say_ended(view, order)
            return
        if order.effect.only_reduces and not may_act(self.behind):
            return
        name = order_in_words(order)
        if not order.is_protective and not order.is_paired:
            if self._is_unseen():
                key = written("order.cancel")
                self.behind.say(f"{name} is selected only now: {key} again cancels it", "warning")
                return
            self._send_cancel(order.id, name)
            if order.filled_quantity and any(leg.role is LegRole.STOP for leg in order.legs):
                filled = f"{plain(order.filled_quantity)} {order.symbol}"
                self.behind.say(f"asked to cancel the rest of {name}; the stop of the {filled} that filled follows")
            return
        then = Cell(f"{order.symbol} would have NO STOP at the broker.", "warning")
        if order.goes_back_in_words:
            then = Cell(f"The stop before it goes back: {', '.join(order.goes_back_in_words)}.")
        lines = [(Cell(name, "strong"),), (then,)]

        def cancel_as_shown() -> None:
            """Cancel it unless it ended, was replaced or changed while the question was open."""
            now, view, again = self._order_of(order.id), self.behind.view, written("order.cancel")
            if now is None or view is None:
                self._send_cancel(order.id, name)
            elif not now.status.is_working:
                self._say_ended(view, now)
            elif order_in_words(now) != name:
                self.behind.say(f"not cancelled: it changed to {order_in_words(now)}; {again} asks again", "warning")
            elif now.goes_back_in_words != order.goes_back_in_words:
                self.behind.say(f"not cancelled: the stop that would go back changed; {again} asks again", "warning")
            else:
                self._send_cancel(order.id, name)

        self.behind.ask(
            ArmedQuestion(
                self.behind,
                "Cancel this pair?" if order.is_paired else "Cancel this stop?",
                lines,
                "cancel it",
                cancel_as_shown,
            )
        )

    def _say_ended(self, view: DeskView, order: OrderRow) -> None:
        """Say how it ended; if another order replaced it, which one works, and mark that."""
        if (instead := replacement_of(view.orders, order)) is not None:
            self.following.mark(instead.id)
            self.behind.say(
                f"replaced: {order_in_words(instead)} works; {written('pane.orders')} selects it", "warning"
            )
            return
        working = any(row.parent == order.id and row.status.is_working for row in view.orders)
        below = "; ↓ selects what works under it" if working else ""
        self.behind.say(f"this order is {short_ids(order.state_in_words)} already{below}")

    def _is_unseen(self) -> bool:
        """Whether the desk moved the selection or showed the pane just before the key: it may mean another (OP-04)."""
        pressed_at = _time.get_time() - (self.behind.now() - self.behind.keyboard.heard_at)
        return pressed_at < self.following.orders.led_at + REDUCES_AFTER

    def _send_cancel(self, order_id: ClientOrderId, name: str) -> None:
        self.behind.handle.send(RequestCancel(order_id))
        self.behind.say(f"asked to cancel {name}")

    def cancel_entries_of_symbol(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is not None:
            self.following.cancels.ask_for_symbol(view, order.symbol)

    def cancel_all_entries(self, view: DeskView, _key: str) -> None:
        self.following.cancels.ask_for_all(view)

    def edit(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is None:
            return
        if not order.status.is_working:
            self.behind.say(f"this order is {short_ids(order.state_in_words)} already")
        elif order.is_protective and _waits_for_entry(view, order):
            self.behind.say(
                f"its entry is not filled: {written('order.cancel')} there cancels both, then {written('order.new')} "
                "enters them with another stop",
                "warning",
            )
        elif order.is_protective:
            self.behind.say(f"a stop moves by {written('position.stop')} in Positions", "warning")
        elif order.effect.only_reduces:
            self.behind.say("an exit is not edited: cancel it, and close again", "warning")
        else:
            self._ask_for_terms(order)

    def _ask_for_terms(self, order: OrderRow) -> None:
        def stage(quantity: Quantity, limit: Price | None) -> None:
            self.following.wait_for_ticket(order.symbol, order.strategy, lambda row: row.replaces == order.id, dialog)
            self.behind.handle.send(EditOrder(order.id, quantity, limit, order.stop_price))

        dialog = EditOrderScreen(self.behind, order, stage)
        self.behind.ask(dialog)

    def confirm_warning(self, view: DeskView, key: str) -> None:
        """Confirm a warning after it was shown in full, by its own key (OP-11)."""
        order = self._order(view, key)
        if order is None:
            return
        if WARNED not in order.marks:
            self.behind.say("the broker has warned of nothing here that waits for you")
            return
        lines = [line for words in order.warnings for line in wrapped("", words, WIDTH, "warning")]
        lines += [(), *wrapped("", fate_of(order), WIDTH)]

        def confirm() -> None:
            now = self._order_of(order.id)
            if now is None or WARNED not in now.marks:
                self.behind.say(f"too late: {order_in_words(order)} was cancelled, or confirmed before", "warning")
                return
            self.behind.handle.send(ConfirmWarning(order.id, order.warnings))
            self.behind.say(f"asked: {order_in_words(order)} stands as the broker took it")

        title = f"The broker warns of {order_in_words(order)}"
        self.behind.ask(ArmedQuestion(self.behind, title, lines, "let it stand", confirm))

    def _order_of(self, order_id: ClientOrderId) -> OrderRow | None:
        """Return the current state of the order, because the view changes while a question is open."""
        view = self.behind.view
        return next((row for row in view.orders if row.id == order_id), None) if view is not None else None

    def why(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is not None:
            self.behind.ask(WhyScreen(order.id, order_in_words(order), self.behind.surroundings.why))


class DeskActions:
    """Actions for the whole desk. None sends an order: a close is staged and gets a ticket."""

    def __init__(self, behind: DialogHost, following: FollowUps) -> None:
        self.behind = behind
        self.following = following

    def flatten(self) -> None:
        """Stage a close of each position.

        Several closes, and working entries, go on one basket in the next view and are confirmed together (OP-05,
        OP-07). A key that may be the rest of a cut sequence is ignored (OP-04).
        """
        view = self.behind.view
        if view is None:
            return
        if self.behind.keyboard.may_be_a_rest:
            key, waits = written("flatten"), PASSES_AFTER if self.behind.link.paint_is_proved else CUT_FOR
            self.behind.say(f"Ignored: possible escape sequence within {waits:g} s of Esc. Press {key} again")
            return
        entries = view.kill.entries_working
        if not view.positions and not entries:
            self.behind.say("nothing is held and no entry works: there is nothing to flatten")
            return
        exits = {(row.symbol, row.strategy) for row in view.proposals if row.is_urgent and not row.agent}
        waiting = [row.symbol for row in view.positions if (row.symbol, row.strategy) in exits]
        if len(waiting) == len(view.positions) and (len(waiting) > 1 or entries):
            self.following.sign_closes()
            return
        if len(waiting) == len(view.positions):
            opens = f"{written('exit.urgent')} opens it"
            self.behind.say(f"an exit of {', '.join(waiting)} waits already: {opens}", "strong")
            return
        self.following.wait_for_closes(view)
        self.behind.handle.send(ProposeFlattening())
        self.behind.say("staging…")

    def clear_breaker(self) -> None:
        """Allow entries again although the broker has not shown that it answers (EX-15)."""
        view = self.behind.view
        if view is None:
            return
        if view.wire.breaker == BREAKER_OK:
            self.behind.say("breaker OK: entries pass it")
            return

        def clear() -> None:
            self.behind.handle.send(ClearBreaker())
            self.behind.say("asked: entries pass the breaker again")

        lines = breaker_in_words(view, self.behind.engine_now())
        self.behind.ask(ArmedQuestion(self.behind, "Clear the breaker of entries?", lines, "clear it", clear))

    def reload_limits(self) -> None:
        """Show the changed limits of the settings file: tighter ones apply at once, looser ones need a word (RK-13)."""
        view = self.behind.view
        if view is None:
            return
        reload = view.reload
        if reload.fault:
            self.behind.say(f"not reloaded, the limits are as they were: {reload.fault}", "warning")
            return
        if not reload.digest:
            self.behind.say("the settings file says what the desk trades by: there is nothing to reload")
            return
        self.following.wait_for_word(view, "settings")
        self.behind.handle.send(ReloadLimits(reload.digest))
        if reload.looser:
            self.behind.ask(LoosenScreen(reload, lambda: self._loosen(reload)))
        else:
            self.behind.ask(ReloadedScreen(reload))

    def compare_activities(self) -> None:
        """Compare fees, dividends, transfers and fills of the broker's list with the journal (EX-09)."""
        self.behind.handle.send(CompareActivities())
        self.behind.say("asked; the log says what the broker lists and what differs")

    def _loosen(self, reload: ReloadView) -> None:
        view = self.behind.view
        if view is None or not reload.needs_touch:
            self._ask_to_loosen(ReloadLimits(reload.digest, LOOSEN))
            return
        message = loosen_message(view.account, view.touch.nonce, reload.digest)
        self.behind.ask(
            TouchScreen(
                self.behind,
                "Loosen the limits",
                "The looser confirm.touch needs the touch of an enrolled security key.",
                message,
                lambda found: self._ask_to_loosen(ReloadLimits(reload.digest, LOOSEN, touch=found)),
            )
        )

    def _ask_to_loosen(self, command: ReloadLimits) -> None:
        if self.behind.view is not None:
            self.following.wait_for_word(self.behind.view, "settings")
        self.behind.handle.send(command)
        self.behind.say("asked for the looser limits; the log says what the engine answers", "warning")

    def lists(self, symbol: Symbol | None) -> None:
        """Open the lists of the symbol in the chart, which a new order would start with."""
        if symbol is None:
            self.behind.say("no symbol is selected; the arrows in Watch select one")
        else:
            self.behind.ask(ListsScreen(self.behind, symbol))

    def take_key(self) -> None:
        """Take control: by a word if the holder is active or may return, by a question if the holder is idle."""
        view = self.behind.view
        if view is None:
            return
        key = view.status.key
        if holds_key(self.behind):
            self.behind.say("this desk holds the key")
            return

        def take(word: str = "") -> None:
            if self.behind.view is not None:
                self.following.wait_for_word(self.behind.view, "key")
            self.behind.handle.send(TakeKey(word, key.hold))
            self.behind.say("asked for the key")

        if key.takes_word:
            self.behind.ask(TakeByWord(key, taking_lines(key, self.behind), lambda: take(TAKE)))
        elif key.holder is None:
            take()
        else:
            self.behind.ask(TakeByQuestion(self.behind, taking_lines(key, self.behind), take))

    def stop_engine(self) -> None:
        """Stop the engine, after saying what stays open."""
        view = self.behind.view
        if view is None or not may_act(self.behind):
            return
        if not self.behind.handle.goes_on:
            self.behind.say(f"the engine ends with this desk: {written('leave')} leaves")
            return

        def stop() -> None:
            self.behind.handle.send(StopEngine())
            self.behind.say("asked the engine to stop", "warning")

        self.behind.ask(ArmedQuestion(self.behind, "Stop the engine?", leaving_lines(view), "stop it", stop))

    def open_urgent_exit(self) -> None:
        view = self.behind.view
        exits = [row for row in view.proposals if row.is_urgent] if view is not None else []
        if exits:
            self.behind.open_ticket(exits[0].id)
        else:
            self.behind.say(f"no exit waits; {written('position.close')} on a position asks for one")


class BasketFollower:
    """Waits for at most one basket."""

    def __init__(self, behind: DialogHost, ring: Callable[[], None]) -> None:
        self.behind = behind
        self.ring = ring
        self._asked: tuple[int, float] | None = None
        self._known: TicketId | None = None
        self._phase: BasketPhase | None = None
        self._has_looked = False
        self._is_owed_an_answer = False
        """It asks but was not opened yet, because somebody was typing or a dialog was open."""

    def open(self) -> None:
        """Open the current basket; if it has ended, request one for the waiting proposals."""
        view = self.behind.view
        if view is None:
            return
        plan = view.plan
        if plan is not None and (plan.phase is not BasketPhase.OVER or not view.proposals):
            self._show(plan)
        else:
            self.ask_for(BasketSource.PROPOSALS)

    def sign_closes(self) -> None:
        self.ask_for(BasketSource.FLATTEN)

    def ask_for(self, source: BasketSource) -> None:
        view = self.behind.view
        if view is not None:
            self._asked = (last_refusal(view), self.behind.now())
            self.behind.handle.send(OpenBasket(source))
            self.behind.say("trying every order against every check…")

    def reverse(self, held: PositionRow) -> None:
        """Request a basket that closes the position and opens the same quantity on the other side."""
        view = self.behind.view
        if view is not None:
            self._asked = (last_refusal(view), self.behind.now())
            self.behind.handle.send(ReversePosition(held.symbol, held.strategy, held.quantity))
            self.behind.say("trying both orders against every check…")

    def look(self, view: DeskView, may_open: bool, is_typing: bool) -> None:
        """Take a new view; a dialog is never covered unasked."""
        plan = view.plan
        if plan is not None:
            self._look_at(plan, may_open, is_typing)
        self._has_looked = True
        if self._asked is None:
            return
        sequence, since = self._asked
        refused = [row.text for row in view.refusals if row.sequence > sequence and row.kind == "basket"]
        if refused or self.behind.now() - since > TIMEOUT:
            self._asked = None
            self.behind.say(refused[-1] if refused else NO_ANSWER_YET, "warning")

    def _look_at(self, plan: BasketView, may_open: bool, is_typing: bool) -> None:
        is_new, phase_before = plan.id != self._known, self._phase
        self._known, self._phase = plan.id, plan.phase
        is_asked_for = self._asked is not None and plan.source is not BasketSource.FILE
        is_in_the_way = plan.source is BasketSource.REVERSAL and not may_open
        if is_new and plan.is_open and is_asked_for and not is_in_the_way:
            self._asked = None
            self._show(plan)
        elif is_new and plan.is_open:
            self._asked = None if is_asked_for else self._asked
            self.ring()
            self._announce(f"the basket {plan.name or plan.source.value} waits for its marks and its key")
        elif phase_before is not plan.phase and plan.phase is BasketPhase.ASKING:
            self.ring()
            self._is_owed_an_answer = True
            in_doubt = any(
                row.standing is BasketOrderState.IN_DOUBT and not row.effect.only_reduces and not row.is_taken_back
                for row in plan.rows
            )
            self._announce(f"the basket ASKS: {'a buy is in doubt' if in_doubt else 'a sell is not filled'}")
        elif self._has_looked and phase_before is not plan.phase and plan.phase is BasketPhase.OVER:
            end = plan.end.value if plan.end is not None else "over"
            is_told = plan.source is BasketSource.FLATTEN and plan.end is BasketEnd.LEFT
            if may_open and not is_told:  # its screen said what becomes of the closes
                self.behind.say(f"basket {end}: {plan.end_reason}; {written('basket')} shows it", "strong")

        is_ours = holds_key(self.behind)
        if plan.phase is BasketPhase.ASKING and self._is_owed_an_answer and may_open and not is_typing and is_ours:
            self._show(plan)

    def _show(self, plan: BasketView) -> None:
        self._is_owed_an_answer = False
        self.behind.ask(BasketScreen(self.behind, plan.id))

    def _announce(self, words: str) -> None:
        self.behind.say(f"{words}; {written('basket')} opens it", "warning")


def waits(plan: BasketView | None) -> bool:
    """Return whether the basket needs the operator: to confirm it or to answer its question."""
    return plan is not None and (plan.is_open or plan.phase is BasketPhase.ASKING)
