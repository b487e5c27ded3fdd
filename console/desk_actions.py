"""Actions of the keys for the whole desk: flatten, clear the breaker, reload the limits, open an exit."""

from __future__ import annotations

from console.arming import CUT_FOR, PASSES_AFTER
from console.follow_ups import FollowUps
from console.keymap import written
from console.order_actions import breaker_in_words
from console.screens.desk_control import TAKE, TakeByQuestion, TakeByWord, holds_key, may_act, taking_lines
from console.screens.dialog import DialogHost
from console.screens.leave import leaving_lines
from console.screens.limits import LOOSEN, ListsScreen, LoosenScreen, ReloadedScreen
from console.screens.question import ArmedQuestion
from core.messages.commands import ClearBreaker, ProposeFlattening
from core.messages.desk_commands import CompareActivities, ReloadLimits, StopEngine, TakeKey
from core.model.values import Symbol
from core.views.standing import BREAKER_OK


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
            self.behind.ask(LoosenScreen(reload, lambda: self._loosen(reload.digest)))
        else:
            self.behind.ask(ReloadedScreen(reload))

    def compare_activities(self) -> None:
        """Compare fees, dividends, transfers and fills of the broker's list with the journal (EX-09)."""
        self.behind.handle.send(CompareActivities())
        self.behind.say("asked; the log says what the broker lists and what differs")

    def _loosen(self, digest: str) -> None:
        if self.behind.view is not None:
            self.following.wait_for_word(self.behind.view, "settings")
        self.behind.handle.send(ReloadLimits(digest, LOOSEN))
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
