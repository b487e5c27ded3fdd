"""What a key on a row, or one for the whole desk, asks of the engine: decline, close, cancel, pause, flatten.

Each says on the last line what it did; none of them sends an order: what opens, closes or replaces is staged, and gets
a ticket.
"""

from __future__ import annotations

from collections.abc import Callable

from console.broker_text import breaker_in_words, fate_of
from console.follow_ups import FollowUps
from console.keymap import written
from console.screens.close import CloseScreen
from console.screens.decline import DeclineScreen
from console.screens.dialog_host import DialogHost
from console.screens.edit_order import EditOrderScreen
from console.screens.limits import LOOSEN, LoosenScreen, ReloadedScreen
from console.screens.move_stop import MoveStopScreen
from console.screens.override import OVERRIDE, OverrideScreen
from console.screens.question import WIDTH, ArmedQuestion
from console.screens.why import WhyScreen
from console.strategy_review import ask_to_reinstate, decide_promotion
from core.messages.commands import (
    ClearBreaker,
    ConfirmWarning,
    Decline,
    EditOrder,
    MoveStop,
    OverrideProtection,
    PauseStrategy,
    ProposeClose,
    ProposeFlattening,
    RefuseSymbol,
    ReloadLimits,
    RequestCancel,
    ResumeStrategy,
    TakeBackExits,
)
from core.model.order import StopHolder
from core.model.values import ClientOrderId, Price, ProposalId, Quantity, Symbol
from core.risk.protections.base import GLOBAL
from core.views import WARNED, DeskView, OrderRow, PositionRow, ProtectionRow
from widgets import format as f
from widgets.lines import Cell
from widgets.orders import OTHER, REFUSAL
from widgets.positions import FOREIGN
from widgets.protections import guard_of
from widgets.ticket import wrapped


class RowActions:
    """The acts of the panes, by the name that a pane asks for."""

    def __init__(self, behind: DialogHost, following: FollowUps) -> None:
        self.behind = behind
        self.following = following
        self._acts: dict[str, Callable[[DeskView, str], None]] = {
            "decline": self._decline,
            "refuse symbol": self._refuse_symbol,
            "close": self._close,
            "move stop": self._move_stop,
            "attended": self._take_back,
            "cancel": self._cancel,
            "edit": self._edit,
            "why": self._why,
            "warning": self._confirm_warning,
            "all": self._say_all,
            "fewer": lambda _view, _key: self.behind.say("refusals are hidden again"),
            "override": self._override,
            "pause": self._pause,
            "more": lambda view, key: decide_promotion(self.behind, self.following, view, key, is_adopted=True),
            "no more": lambda view, key: decide_promotion(self.behind, self.following, view, key, is_adopted=False),
        }

    def do(self, what: str, key: str | None) -> None:
        """`what` on the row with that key; nothing where the row is gone, and without an engine there are no rows."""
        view = self.behind.view
        if view is None:
            return
        if key is None:
            self.behind.say("no row is selected; the arrows select one")
        elif key.startswith(OTHER):
            self.behind.say("not this desk's order: cancel it at the broker")
        elif key.startswith(FOREIGN):
            self.behind.say("this desk does not trade it: close it at the broker")
        else:
            self._acts[what](view, key)

    def flatten(self) -> None:
        """Stages a close of each position; several, and the entries that work, are put on one plan, one picture later,
        and signed once (OP-05, OP-07). No key that may be the rest of one that came cut does it (OP-04).
        """
        view = self.behind.view
        if view is None:
            return
        if self.behind.keyboard.may_be_a_rest:
            self.behind.say(f"{written('flatten')} came right behind an Esc, and may be its rest: press it again")
            return
        entries = view.kill.entries_working
        if not view.positions and not entries:
            self.behind.say("nothing is held and no entry works: there is nothing to flatten")
            return
        exits = {(row.symbol, row.strategy) for row in view.proposals if row.is_urgent}
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
        """Entries may leave again although the broker has not shown that it answers (EX-15)."""
        view = self.behind.view
        if view is None:
            return
        if view.wire.breaker == "closed":
            self.behind.say("the breaker is closed: entries pass it")
            return

        def clear() -> None:
            self.behind.handle.send(ClearBreaker())
            self.behind.say("asked: entries pass the breaker again")

        lines = breaker_in_words(view, self.behind.engine_now())
        self.behind.ask(ArmedQuestion(self.behind, "Clear the breaker of entries?", lines, "clear it", clear))

    def reload_limits(self) -> None:
        """Shows what the settings file says otherwise: tighter limits hold at once, looser take a word (RK-13)."""
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
            self.behind.ask(LoosenScreen(reload, lambda: self._loosen(reload.digest)))
        else:
            self.behind.ask(ReloadedScreen(reload))

    def _loosen(self, digest: str) -> None:
        if self.behind.view is not None:
            self.following.wait_for_word(self.behind.view, "settings")
        self.behind.handle.send(ReloadLimits(digest, LOOSEN))
        self.behind.say("asked for the looser limits; the log says what the engine answers", "warning")

    def open_urgent_exit(self) -> None:
        view = self.behind.view
        exits = [row for row in view.proposals if row.is_urgent] if view is not None else []
        if exits:
            self.behind.open_ticket(exits[0].id)
        else:
            self.behind.say(f"no exit waits; {written('position.close')} on a position asks for one")

    # ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────

    def _decline(self, view: DeskView, key: str) -> None:
        row = next((row for row in view.proposals if row.id == key), None)
        if row is not None:
            self.behind.ask(DeclineScreen(self.behind, row, lambda reason: self._send_decline(row.id, reason)))

    def _send_decline(self, proposal_id: ProposalId, reason: str) -> None:
        self.behind.handle.send(Decline(proposal_id, reason))
        self.behind.say(f"declining: {reason}")

    def _refuse_symbol(self, view: DeskView, key: str) -> None:
        row = next((row for row in view.proposals if row.id == key), None)
        if row is None:
            return
        symbol = row.symbol
        text = f"No entry in {symbol} is staged until the next trading day. Exits go on."

        def refuse() -> None:
            self.behind.handle.send(RefuseSymbol(symbol, "refused by the operator"))
            self.behind.say(f"asked: no more {symbol} today")

        lines = wrapped("", text, WIDTH)
        self.behind.ask(ArmedQuestion(self.behind, f"Not {symbol} today?", lines, f"no {symbol} today", refuse))

    # ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

    def _close(self, view: DeskView, key: str) -> None:
        """An exit that waits already is the one to confirm."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        waiting = self._waiting_exit(view, held)
        if waiting is not None:
            self.behind.open_ticket(waiting)
            return
        self.behind.ask(CloseScreen(self.behind, held, lambda shares: self._stage_close(held, shares)))

    def _stage_close(self, held: PositionRow, shares: Quantity | None) -> None:
        self._await_ticket(held.symbol, held.strategy)
        self.behind.handle.send(ProposeClose(held.symbol, quantity=shares, strategy=held.strategy))

    def _waiting_exit(self, view: DeskView, held: PositionRow) -> ProposalId | None:
        mine = (r for r in view.proposals if r.is_urgent and (r.symbol, r.strategy) == (held.symbol, held.strategy))
        row = next(mine, None)
        return row.id if row is not None else None

    def _move_stop(self, view: DeskView, key: str) -> None:
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if held.doubt and held.holder is not StopHolder.BROKER and not held.bare:
            why = f"the {held.doubt} of {held.symbol} is in doubt: the broker is asked; wait a minute"
            self.behind.say(why, "warning")
            return
        if held.at_limit and held.holder is not StopHolder.BROKER and not held.bare:
            why = f"an exit of {held.symbol} waits at its limit and holds the shares; d in Orders takes it back"
            self.behind.say(why, "warning")
            return
        if held.is_closing and held.holder is not StopHolder.BROKER and not held.bare:
            self.behind.say(f"an exit of {held.symbol} is on its way; no share of it is left to guard", "warning")
            return
        self.behind.ask(MoveStopScreen(self.behind, held, lambda price: self._stage_stop(held, price)))

    def _stage_stop(self, held: PositionRow, price: Price) -> None:
        self._await_ticket(held.symbol, held.strategy)
        self.behind.handle.send(MoveStop(held.symbol, held.strategy, price))

    def _take_back(self, view: DeskView, key: str) -> None:
        """It only tightens: it asks nothing (OP-06)."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if held.unattended_until is None:
            self.behind.say(f"each exit of {held.symbol} needs your key already")
            return
        self.behind.handle.send(TakeBackExits(held.symbol, held.strategy))
        self.behind.say(f"asked: each exit of {held.symbol} needs your key again; its stop stays")

    def _await_ticket(self, symbol: Symbol, strategy: str) -> None:
        """Its ticket opens when it is staged; a refusal stands on the last line."""
        view = self.behind.view
        if view is not None:
            self.following.wait_for_proposal(view, symbol, strategy)
            self.behind.say("staging…")

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _say_all(self, view: DeskView, _key: str) -> None:
        count = len(view.refusals)
        self.behind.say(f"{count} refused, at the end of the list" if count else "nothing was refused so far")

    def _order(self, view: DeskView, key: str) -> OrderRow | None:
        if key.startswith(REFUSAL):
            self.behind.say(f"this was refused and never became an order; {written('grid.open')} tells why")
        return next((row for row in view.orders if row.id == key), None)

    def _cancel(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is None:
            return
        if not order.status.is_working:
            self.behind.say(f"this order is {order.status.value} already")
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

    def _edit(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is None:
            return
        if not order.status.is_working:
            self.behind.say(f"this order is {order.status.value} already")
        elif order.is_protective:
            self.behind.say(f"a stop moves by {written('position.stop')} in Positions", "warning")
        elif order.effect.only_reduces:
            self.behind.say("an exit is not edited: cancel it, and close again", "warning")
        else:
            self.behind.ask(
                EditOrderScreen(self.behind, order, lambda shares, limit: self._stage_edit(order, shares, limit))
            )

    def _stage_edit(self, order: OrderRow, quantity: Quantity, limit: Price | None) -> None:
        self._await_ticket(order.symbol, order.strategy)
        self.behind.handle.send(EditOrder(order.id, quantity, limit, order.stop_price))

    def _confirm_warning(self, view: DeskView, key: str) -> None:
        """Read in full, and confirmed by a key of its own (OP-11)."""
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
        """As it is now; the picture under a question is another by the time that it is answered."""
        view = self.behind.view
        return next((row for row in view.orders if row.id == order_id), None) if view is not None else None

    def _why(self, view: DeskView, key: str) -> None:
        order = self._order(view, key)
        if order is not None:
            self.behind.ask(WhyScreen(order.id, order_in_words(order), self.behind.surroundings.why))

    # ── protections ──────────────────────────────────────────────────────────────────────────────────────────────

    def _override(self, view: DeskView, key: str) -> None:
        row = next((row for row in view.protections if row.key == guard_of(key)), None)
        if row is not None and row.overridden is not None:
            now, word = self.behind.engine_now(), row.overridden
            begins = f"from {f.minute_of_week(word.begins, now)} " if row.is_tripped else ""
            self.behind.say(f"{row.name} is overridden {begins}until {f.minute_of_week(word.until, now)} {f.PLACE}")
        elif row is None or not row.is_tripped:
            self.behind.say("nothing is shut there: there is nothing to override")
        elif not row.override:
            self.behind.say(f"{row.name} is not overridden: {row.reason}")
        else:
            self.behind.ask(OverrideScreen(row, lambda: self._send_override(row)))

    def _send_override(self, row: ProtectionRow) -> None:
        name, _, scope = row.key.partition("/")
        self.behind.handle.send(OverrideProtection(name, scope or GLOBAL, OVERRIDE))
        self.behind.say(f"asked: {row.name} is overridden", "warning")

    # ── strategies ───────────────────────────────────────────────────────────────────────────────────────────────

    def _pause(self, view: DeskView, key: str) -> None:
        row = next((row for row in view.strategies if row.key == key), None)
        if row is None:
            return
        name = f"{row.strategy.upper()} on {row.symbol}"
        if row.may_be_resumed and not row.is_paused:
            ask_to_reinstate(self.behind, row)
        elif row.is_paused:
            self.behind.handle.send(ResumeStrategy(row.strategy, row.symbol))
            self.behind.say(f"asked {name} to go on: it proposes entries again")
        else:
            self.behind.handle.send(PauseStrategy(row.strategy, row.symbol))
            self.behind.say(f"asked {name} to pause: it opens nothing, its exits go on")


def order_in_words(order: OrderRow) -> str:
    """`BUY 47 SPY limit 166.76`."""
    what = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol}"
    trail = f.trail(order.trail_price, order.trail_fraction)
    return f"{what} {f.terms(order.type, order.limit_price, order.stop_price, trail)}"
