"""What a key on a row asks of the engine: decline, close, move a stop, override, pause; of orders see `order_actions`.

Each says on the last line what it did; none of them sends an order: what opens, closes or replaces is staged, and gets
a ticket.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from console.baskets import BasketFollower
from console.follow_ups import FollowUps
from console.keymap import written
from console.order_actions import OrderActions
from console.proposal_outcome import is_close_of, is_guard
from console.screens.close import HALF, CloseScreen, part_of
from console.screens.decline import DeclineScreen
from console.screens.dialog_host import DialogHost
from console.screens.key_holder import may_act
from console.screens.move_stop import MoveStopScreen
from console.screens.override import OVERRIDE, OverrideScreen
from console.screens.question import WIDTH, ArmedQuestion
from console.strategy_review import ask_to_reinstate, decide_promotion
from console.watch_actions import WatchActions
from core.messages.commands import (
    Decline,
    MoveStop,
    OverrideProtection,
    PauseStrategy,
    ProposeClose,
    RefuseSymbol,
    ResumeStrategy,
    TakeBackExits,
    TightenStop,
)
from core.model.order import StopHolder
from core.model.values import Price, ProposalId, Quantity, plain
from core.risk.protections.base import GLOBAL
from core.views import DeskView, PositionRow, ProtectionRow
from widgets import format as f
from widgets.orders import OTHER
from widgets.positions import FOREIGN
from widgets.protections import guard_of
from widgets.ticket import wrapped

NOT_SELECTED = "no row is selected; the arrows select one"
EVERYBODYS = frozenset({"cancel", "cancel entries", "cancel all entries", "why", "all", "fewer"})
"""Acts of a desk that does not hold the key: of a cancel its own rule decides."""


class RowActions:
    """The acts of the panes, by the name that a pane asks for."""

    def __init__(self, behind: DialogHost, following: FollowUps, baskets: BasketFollower) -> None:
        self.behind = behind
        self.following = following
        self.baskets = baskets
        orders, watchlists = OrderActions(behind, following), WatchActions(behind)
        self._acts: dict[str, Callable[[DeskView, str], None]] = {
            "decline": self._decline,
            "refuse symbol": self._refuse_symbol,
            "close": self._close,
            "close half": self._close_half,
            "close symbol": self._close_symbol,
            "move stop": self._move_stop,
            "break even": self._to_break_even,
            "reverse": self._reverse,
            "attended": self._take_back,
            "cancel": orders.cancel,
            "cancel entries": orders.cancel_entries_of_symbol,
            "cancel all entries": orders.cancel_all_entries,
            "edit": orders.edit,
            "why": orders.why,
            "warning": orders.confirm_warning,
            "all": orders.say_all,
            "fewer": lambda _view, _key: self.behind.say("refusals are hidden again"),
            "override": self._override,
            "pause": self._pause,
            "more": lambda view, key: decide_promotion(self.behind, self.following, view, key, is_adopted=True),
            "add symbol": watchlists.add,
            "edit list": watchlists.edit,
            "alert": watchlists.ring,
            "list symbol": watchlists.put_on_list,
            "no more": lambda view, key: decide_promotion(self.behind, self.following, view, key, is_adopted=False),
        }

    def do(self, what: str, key: str | None) -> None:
        """`what` on the row with that key; nothing where the row is gone, and without an engine there are no rows."""
        view = self.behind.view
        if view is None:
            return
        if key is None:
            self.behind.say(NOT_SELECTED)
        elif key.startswith(OTHER):
            self.behind.say("not this desk's order: cancel it at the broker")
        elif key.startswith(FOREIGN):
            self.behind.say("this desk does not trade it: close it at the broker")
        elif what in EVERYBODYS or may_act(self.behind):
            self._acts[what](view, key)

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

    def _close_symbol(self, view: DeskView, key: str) -> None:
        """What is held of it; several strategies may hold it, and then their rows say which."""
        held = [row for row in view.positions if row.symbol == key]
        if not held:
            self.behind.say(f"nothing of {key} is held")
        elif len(held) > 1 or held[0].key.startswith(FOREIGN):
            self.behind.say(f"{len(held)} positions in {key}: {written('pane.positions')} has them", "warning")
        else:
            self._close(view, held[0].key)

    def _close_half(self, view: DeskView, key: str) -> None:
        """As `c` with `50%`; the ticket of an exit that waits already is not it, and is not opened for it (OP-04)."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if self._waiting_exit(view, held) is not None:
            self.behind.say(f"an exit of {held.symbol} waits already: {written('position.close')} opens it", "warning")
            return
        half = part_of(view, held, HALF)
        if not half:
            self.behind.say(f"half of {plain(abs(held.quantity))} {held.symbol} is nothing that can be sold alone")
            return
        self._stage_close(held, half)

    def _stage_close(self, held: PositionRow, shares: Quantity | None) -> None:
        self.following.wait_for_ticket(held.symbol, held.strategy, is_close_of(shares))
        self.behind.handle.send(ProposeClose(held.symbol, quantity=shares, strategy=held.strategy))

    def _waiting_exit(self, view: DeskView, held: PositionRow) -> ProposalId | None:
        mine = (r for r in view.proposals if r.is_urgent and (r.symbol, r.strategy) == (held.symbol, held.strategy))
        row = next(mine, None)
        return row.id if row is not None else None

    def _move_stop(self, view: DeskView, key: str) -> None:
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if held.doubt and held.holder is not StopHolder.BROKER and not held.unprotected:
            why = f"the {held.doubt} of {held.symbol} is in doubt: the broker is asked; wait a minute"
            self.behind.say(why, "warning")
            return
        if held.idle and held.holder is not StopHolder.BROKER:
            why = f"the {held.idle} of {held.symbol} does not trade at the broker; c closes, d in Orders cancels it"
            self.behind.say(why, "warning")
            return
        if held.at_limit and held.holder is not StopHolder.BROKER and not held.unprotected:
            why = f"an exit of {held.symbol} waits at its limit and holds the shares; d in Orders takes it back"
            self.behind.say(why, "warning")
            return
        if held.is_closing and held.holder is not StopHolder.BROKER and not held.unprotected:
            self.behind.say(f"an exit of {held.symbol} is on its way; no share of it is left to guard", "warning")
            return
        stage, tighten = partial(self._stage_stop, held), partial(self._tighten, held)
        self.behind.ask(MoveStopScreen(self.behind, held, stage, tighten))

    def _stage_stop(self, held: PositionRow, price: Price) -> None:
        self.following.wait_for_ticket(held.symbol, held.strategy, is_guard)
        self.behind.handle.send(MoveStop(held.symbol, held.strategy, price))

    def _to_break_even(self, view: DeskView, key: str) -> None:
        """As `m` with `0`, but no stop goes farther, and none is made: the engine says where its books have it."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is not None:
            self._tighten(held, None)

    def _tighten(self, held: PositionRow, price: Price | None) -> None:
        self.following.wait_for_ticket(held.symbol, held.strategy, is_guard)
        self.behind.handle.send(TightenStop(held.symbol, held.strategy, price))

    def _reverse(self, view: DeskView, key: str) -> None:
        held = next((row for row in view.positions if row.key == key), None)
        if held is not None:
            self.baskets.reverse(held)

    def _take_back(self, view: DeskView, key: str) -> None:
        """It only tightens: it asks nothing (OP-06)."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if held.unattended_until is None and held.exit_waits_since is None:
            self.behind.say(f"each exit of {held.symbol} needs your key already")
            return
        self.behind.handle.send(TakeBackExits(held.symbol, held.strategy))
        self.behind.say(f"asked: each exit of {held.symbol} needs your key again; its stop stays")

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
