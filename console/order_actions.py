"""Actions of keys on an order, and the texts of questions about the broker."""

from __future__ import annotations

from datetime import datetime

from console.follow_ups import FollowUps, order_in_words
from console.keymap import written
from console.screens.desk_control import may_act
from console.screens.dialog import DialogHost
from console.screens.edit import EditOrderScreen
from console.screens.question import WIDTH, ArmedQuestion
from console.screens.reading import WhyScreen
from core.messages.commands import ConfirmWarning, EditOrder, RequestCancel
from core.model.account import Channel, ConnectionState
from core.model.values import ClientOrderId, Price, Quantity
from core.views import WARNED, DeskView, OrderRow, RowMark
from core.views.rows import replacement_of
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, TextLine
from widgets.orders import LEGS, REFUSAL
from widgets.ticket import wrapped


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
    lamp = next((lamp for lamp in view.status.lamps if lamp.line is Channel.BROKER), None)
    if lamp is not None:
        how = "the broker answers" if lamp.state is ConnectionState.UP else f"the broker is {lamp.state.value.upper()}"
        lines += wrapped("now    ", f"{how}, for {f.span(now - lamp.since)}", WIDTH)
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
            if (instead := replacement_of(view.orders, order)) is not None:
                self.following.mark(instead.id)
                self.behind.say(
                    f"replaced: {order_in_words(instead)} works; {written('pane.orders')} selects it", "warning"
                )
                return
            working = any(row.parent == order.id and row.status.is_working for row in view.orders)
            below = "; ↓ selects what works under it" if working else ""
            self.behind.say(f"this order is {short_ids(order.state_in_words)} already{below}")
            return
        if order.effect.only_reduces and not may_act(self.behind):
            return
        name = order_in_words(order)
        if not order.is_protective and not order.is_paired:
            self._send_cancel(order.id, name)
            return
        then = Cell(f"{order.symbol} would have NO STOP at the broker.", "warning")
        if order.goes_back_in_words:
            then = Cell(f"The stop before it goes back: {', '.join(order.goes_back_in_words)}.")
        lines = [(Cell(name, "strong"),), (then,)]
        self.behind.ask(
            ArmedQuestion(
                self.behind,
                "Cancel this pair?" if order.is_paired else "Cancel this stop?",
                lines,
                "cancel it",
                lambda: self._send_cancel(order.id, name),
            )
        )

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
