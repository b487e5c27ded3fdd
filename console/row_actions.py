"""Actions of keys on a row: proposals, drafts, positions, watchlists, strategies (MD-06); orders: `desk_actions`.

Each reports its effect on the last line. None sends an order: an order that opens, closes or replaces is staged and
gets a ticket. The decision about a nightly evaluation is asked with its figures, and answered by another key than the
one that asked it: resume a strategy, adopt or decline more capital (RK-26, ST-10).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from console.desk_actions import BasketFollower, OrderActions
from console.follow_ups import FollowUps
from console.keymap import written
from console.proposal_outcome import Guard, is_close_of, is_guard, waiting_exit, waits_for_price, why_not
from console.screens.desk_control import may_act
from console.screens.dialog import WIDTH, ArmedQuestion, DialogHost
from console.screens.draft import DraftScreen, draft_in_words
from console.screens.edit import DECLINED, DeclineScreen, declining
from console.screens.exit_rules import ExitRulesQuestion
from console.screens.form import FieldsScreen
from console.screens.limits import OVERRIDE, ListsScreen, OverrideScreen, WordScreen
from console.screens.position_exits import HALF, CloseScreen, MoveStopScreen, TargetScreen, Trail, TrailScreen, part_of
from console.screens.reading import ShocksScreen
from console.screens.watchlist import AddSymbolScreen, AlertScreen, WatchlistScreen
from core.messages import commands
from core.messages.commands import AdoptDraft, DeclineDraft
from core.messages.desk_commands import DecidePause, KeepWatchlist
from core.model.instrument import HELD, MAIN
from core.model.signal import RESUME
from core.model.values import Price, ProposalId, Quantity, Symbol, plain
from core.risk.protections.protection import GLOBAL
from core.views import DeskView, DraftRow, PositionRow, ProposalRow, ProtectionRow, StrategyRow
from widgets import format as f
from widgets.orders import OTHER
from widgets.positions import FOREIGN
from widgets.proposals import key_of_draft
from widgets.protections import guard_of
from widgets.ticket_text import wrapped

NO_STRATEGY = "an agent drafted it; `keyturn agents pause {}` takes no more of its drafts"


class DraftActions:
    def __init__(self, behind: DialogHost, following: FollowUps) -> None:
        self.behind = behind
        self.following = following

    def open(self, view: DeskView, key: str) -> None:
        """Show all of it; any desk may read."""
        row = drafted(view, key)
        if row is not None and not self.behind.is_too_small:
            self.behind.ask(DraftScreen(self.behind, row, self._adopt, self._ask_to_decline))

    def decline(self, view: DeskView, key: str) -> None:
        row = drafted(view, key)
        if row is not None:
            self._ask_to_decline(row)

    def say_no_strategy(self, view: DeskView, key: str) -> None:
        row = drafted(view, key)
        if row is not None:
            self.behind.say(NO_STRATEGY.format(row.agent))

    def _adopt(self, row: DraftRow) -> None:
        """Make it a proposal; its ticket opens once it is staged."""

        def is_it(made: ProposalRow) -> bool:
            return made.agent == row.agent and made.quantity <= row.quantity

        self.following.wait_for_ticket(row.symbol, None, is_it)
        self.behind.handle.send(AdoptDraft(row.number, row.digest))

    def _ask_to_decline(self, row: DraftRow) -> None:
        if may_act(self.behind):
            what = f"draft of {row.agent}: {draft_in_words(row)}"
            key = key_of_draft(row)
            self.behind.ask(
                DeclineScreen(
                    self.behind,
                    what,
                    lambda view: drafted(view, key) is not None,
                    lambda reason: self._decline(row, reason),
                )
            )

    def _decline(self, row: DraftRow, reason: str) -> None:
        self.behind.handle.send(DeclineDraft(row.number, row.digest, "" if reason == DECLINED else reason))
        self.behind.step_off("proposals", key_of_draft(row))
        self.behind.say(declining(reason))


def drafted(view: DeskView, key: str) -> DraftRow | None:
    """Return the draft of a row's key; None if the key is of no draft, or it waits no more."""
    return next((row for row in view.drafts if key_of_draft(row) == key), None)


class WatchActions:
    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind

    def add(self, view: DeskView, name: str) -> None:
        """Add to the list that is shown, or to the main list while the list of what is held is shown."""
        mine = MAIN if name == HELD else name
        self.behind.ask(AddSymbolScreen(self.behind, mine, _symbols_of(view, mine)))

    def edit(self, view: DeskView, name: str) -> None:
        if name == HELD:
            self.behind.say(
                f"{HELD} is what is held, ordered and proposed; {written('watch.list_after')} is the next list"
            )
            return
        self.behind.ask(WatchlistScreen(self.behind, name, _symbols_of(view, name)))

    def remove(self, view: DeskView, key: str) -> None:
        """Remove one symbol from its list. The last one stays: an empty list would be removed."""
        name, _, symbol = key.partition(" ")
        left = tuple(each for each in _symbols_of(view, name) if each != symbol)
        if name == HELD:
            self.behind.say(f"{symbol} is listed while it is held, ordered or proposed")
        elif not left:
            self.behind.say(f"{symbol} is the last one of {name}; {written('watch.edit')} removes the list", "warning")
        else:
            self.behind.handle.send(KeepWatchlist(name, left))
            self.behind.step_off("watch", symbol)
            self.behind.say(f"removing {symbol} from {name}; {written('watch.add')} adds it again")

    def ring(self, _view: DeskView, symbol: str) -> None:
        self.behind.ask(AlertScreen(self.behind, Symbol(symbol)))

    def put_on_list(self, _view: DeskView, symbol: str) -> None:
        """Open the lists of the selected symbol."""
        if symbol:
            self.behind.ask(ListsScreen(self.behind, Symbol(symbol)))


def _symbols_of(view: DeskView, name: str) -> tuple[Symbol, ...]:
    return next((each.symbols for each in view.watch.lists if each.name == name), ())


def ask_to_reinstate(behind: DialogHost, row: StrategyRow) -> None:
    """Resume a retired or regime-paused strategy, which starts a new record; an invalidated thesis needs the word."""
    name, word = row.strategy.upper(), RESUME if row.needs_word else ""
    why = "; ".join(words for label, words in row.evaluation if label == "shut")
    text = f"{name} {why}. Resumed, it proposes entries again on every symbol, and is judged by its new trades."

    def resume() -> None:
        behind.handle.send(commands.ReinstateStrategy(row.strategy, word))
        behind.say(f"asked {name} to go on: it proposes entries again", "warning")

    title, lines = f"Resume {name}?", wrapped("", text, WIDTH)
    if word:
        behind.ask(WordScreen(title, lines, word, "to resume it", resume))
    else:
        behind.ask(ArmedQuestion(behind, title, lines, "resume it", resume))


def decide_proposed(behind: DialogHost, following: FollowUps, view: DeskView, key: str, *, is_adopted: bool) -> None:
    """Ask about a strategy's proposed pause, or else its larger allocation, and show the engine's answer on the last
    line; adopting more than is available is rejected (ST-08).
    """
    row = next((row for row in view.strategies if row.key == key), None)
    if row is None:
        return
    name = row.strategy.upper()
    if not row.proposed and not row.proposed_pause:
        behind.say(f"nothing more is proposed for {name}: a night proposes it by its figures")
        return
    is_pause = bool(row.proposed_pause)
    kind = DecidePause if is_pause else commands.DecidePromotion
    what = "pause" if is_pause else "allocation"
    does = "adopt it" if is_adopted else "decline it"

    def decide() -> None:
        following.wait_for_word(behind.view or view, "strategy")
        behind.handle.send(kind(row.strategy, is_adopted))
        behind.say(f"asked to {does.removesuffix(' it')} the {what} that is proposed for {name}")

    title = f"{'Adopt' if is_adopted else 'Decline'} {'a pause of' if is_pause else 'more for'} {name}?"
    text = f"{row.proposed}."
    if is_pause:
        effect = f"Paused, it proposes no entries until you type {RESUME}; its exits go on."
        text = f"{row.proposed_pause}. {effect if is_adopted else 'Without the pause it goes on.'}"
    behind.ask(ArmedQuestion(behind, title, wrapped("", text, WIDTH), does, decide))


NOT_SELECTED = "no row is selected; the arrows select one"
EVERYBODYS = frozenset({"cancel", "cancel entries", "cancel all entries", "why", "all", "fewer", "read draft"})
"""Actions allowed on a desk without control; cancels have their own rule."""


class RowActions:
    """The actions of the panes, by name."""

    def __init__(self, behind: DialogHost, following: FollowUps, baskets: BasketFollower) -> None:
        self.behind = behind
        self.following = following
        self.baskets = baskets
        self.drafts = DraftActions(behind, following)
        orders, watchlists = OrderActions(behind, following), WatchActions(behind)
        self._acts: dict[str, Callable[[DeskView, str], None]] = {
            "read draft": self.drafts.open,
            "decline": self._decline,
            "refuse symbol": self._refuse_symbol,
            "pause its strategy": self._pause_of,
            "close": self._close,
            "close half": self._close_half,
            "close symbol": self._close_symbol,
            "move stop": self._move_stop,
            "break even": self._to_break_even,
            "trail": self._trail,
            "target": self._target,
            "reverse": self._reverse,
            "attended": self._take_back,
            "exit rules": self._choose_rules,
            "risk": self._risk,
            "cancel": orders.cancel,
            "cancel entries": orders.cancel_entries_of_symbol,
            "cancel all entries": orders.cancel_all_entries,
            "edit": orders.edit,
            "why": orders.why,
            "warning": orders.confirm_warning,
            "all": orders.say_all,
            "fewer": lambda _view, _key: self.behind.say("refusals are hidden again"),
            "override": self._override,
            "pause": self._pause_all,
            "pause here": self._pause,
            "more": lambda view, key: decide_proposed(self.behind, self.following, view, key, is_adopted=True),
            "add symbol": watchlists.add,
            "edit list": watchlists.edit,
            "alert": watchlists.ring,
            "list symbol": watchlists.put_on_list,
            "remove symbol": watchlists.remove,
            "no more": lambda view, key: decide_proposed(self.behind, self.following, view, key, is_adopted=False),
        }

    def do(self, what: str, key: str | None) -> None:
        """Run an action on the row with that key; nothing happens if the row is gone or there is no engine."""
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
            act = partial(self._send_decline, row.id)
            self.behind.ask(DeclineScreen.of_proposal(self.behind, row, act))
        else:
            self.drafts.decline(view, key)

    def _send_decline(self, proposal_id: ProposalId, reason: str) -> None:
        self.behind.handle.send(commands.Decline(proposal_id, reason))
        self.behind.step_off("proposals", proposal_id)
        self.behind.say(declining(reason))

    def _refuse_symbol(self, view: DeskView, key: str) -> None:
        row = next((row for row in view.proposals if row.id == key), None) or drafted(view, key)
        if row is None:
            return
        symbol = row.symbol
        text = f"No entry in {symbol} is staged until the next trading day. Exits go on."

        def refuse() -> None:
            self.behind.handle.send(commands.RefuseSymbol(symbol, "refused by the operator"))
            self.behind.say(f"asked: no more {symbol} today")

        lines = wrapped("", text, WIDTH)
        self.behind.ask(ArmedQuestion(self.behind, f"Not {symbol} today?", lines, f"no {symbol} today", refuse))

    # ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

    def _close(self, view: DeskView, key: str) -> None:
        """Open the close dialog, or the ticket of an exit that waits already."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        waiting = waiting_exit(view, held)
        if waiting is not None:
            self.behind.open_ticket(waiting.id)
            return
        dialog = CloseScreen(self.behind, held, lambda shares: self._stage_close(held, shares, dialog))
        self.behind.ask(dialog)

    def _close_symbol(self, view: DeskView, key: str) -> None:
        """Close the position of the symbol; if several strategies hold it, ask to choose a row."""
        held = [row for row in view.positions if row.symbol == key]
        if not held:
            self.behind.say(f"nothing of {key} is held")
        elif len(held) > 1 or held[0].key.startswith(FOREIGN):
            self.behind.say(f"{len(held)} positions in {key}: {written('pane.positions')} has them", "warning")
        else:
            self._close(view, held[0].key)

    def _close_half(self, view: DeskView, key: str) -> None:
        """Stage a close of half, as `c` with `50%`; the ticket of a waiting exit is not opened for it (OP-04)."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if waiting_exit(view, held) is not None:
            self.behind.say(f"an exit of {held.symbol} waits already: {written('position.close')} opens it", "warning")
            return
        half = part_of(view, held, HALF)
        if not half:
            self.behind.say(f"half of {plain(abs(held.quantity))} {held.symbol} is nothing that can be sold alone")
            return
        self._stage_close(held, half)

    def _stage_close(self, held: PositionRow, shares: Quantity | None, dialog: FieldsScreen | None = None) -> None:
        self.following.wait_for_ticket(held.symbol, held.strategy, is_close_of(shares), dialog)
        self.behind.handle.send(commands.ProposeClose(held.symbol, quantity=shares, strategy=held.strategy))

    def _move_stop(self, view: DeskView, key: str) -> None:
        held = self._guardable(view, key, Guard.STOP)
        if held is None:
            return

        def stage(price: Price) -> None:
            self.following.wait_for_ticket(held.symbol, held.strategy, is_guard, dialog)
            self.behind.handle.send(commands.MoveStop(held.symbol, held.strategy, price))

        dialog = MoveStopScreen(self.behind, held, stage, lambda price: self._tighten(held, price, dialog))
        self.behind.ask(dialog)

    def _to_break_even(self, view: DeskView, key: str) -> None:
        """Move the stop to break-even, as `m` with `0`, but never away from the market and never a new one.

        The engine takes break-even from its books.
        """
        held = self._guardable(view, key, Guard.BREAK_EVEN)
        if held is not None:
            self._tighten(held, None)

    def _tighten(self, held: PositionRow, price: Price | None, dialog: FieldsScreen | None = None) -> None:
        self.following.wait_for_ticket(held.symbol, held.strategy, is_guard, dialog)
        self.behind.handle.send(commands.TightenStop(held.symbol, held.strategy, price))

    def _trail(self, view: DeskView, key: str) -> None:
        held = self._guardable(view, key, Guard.TRAIL)
        if held is None:
            return

        def stage(trail: Trail) -> None:
            self.following.wait_for_ticket(held.symbol, held.strategy, waits_for_price, dialog)
            self.behind.handle.send(commands.TrailStop(held.symbol, held.strategy, trail.price, trail.fraction))

        dialog = TrailScreen(self.behind, held, stage)
        self.behind.ask(dialog)

    def _target(self, view: DeskView, key: str) -> None:
        held = self._guardable(view, key, Guard.TARGET)
        if held is None:
            return

        def stage(target: Price) -> None:
            self.following.wait_for_ticket(held.symbol, held.strategy, waits_for_price, dialog)
            self.behind.handle.send(commands.SetTarget(held.symbol, held.strategy, target))

        dialog = TargetScreen(self.behind, held, stage)
        self.behind.ask(dialog)

    def _guardable(self, view: DeskView, key: str, what: Guard) -> PositionRow | None:
        """Return the position if that can be asked for it; else say why not, before its dialog opens."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is not None and (why := why_not(held, what)):
            self.behind.say(why, "warning")
            return None
        return held

    def _reverse(self, view: DeskView, key: str) -> None:
        held = next((row for row in view.positions if row.key == key), None)
        if held is not None:
            self.baskets.reverse(held)

    def _risk(self, view: DeskView, _key: str) -> None:
        """Ask for shocks to all positions, not to the selected one alone."""
        self.behind.ask(ShocksScreen(self.behind, view.positions))

    def _take_back(self, view: DeskView, key: str) -> None:
        """Revoke the authorization of exits. No question is needed, because it only tightens (OP-06)."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        is_unsent = held.exit_waits_since is not None or held.exit_late_since is not None
        if held.unattended_until is None and not is_unsent:
            self.behind.say(f"each exit of {held.symbol} needs your key already")
            return
        self.behind.handle.send(commands.TakeBackExits(held.symbol, held.strategy))
        stop = "stays" if held.exit_late_since is None else "stays, or comes back if its cancel takes effect"
        self.behind.say(f"asked: each exit of {held.symbol} needs your key again; its stop {stop}")

    def _choose_rules(self, view: DeskView, key: str) -> None:
        """Ask whether the exit rules watch a position that no strategy opened."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        if held.health.choice.is_watched is None:
            self.behind.say(f"{held.strategy} opened it, and its settings say which exit rules watch it")
        elif not held.health.choice.is_watched and not held.health.choice.offered:
            self.behind.say("no exit rule can watch it: see exits.enabled and exits.not_for in the settings")
        else:
            self.behind.ask(ExitRulesQuestion(self.behind, held))

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
        self.behind.handle.send(commands.OverrideProtection(name, scope or GLOBAL, OVERRIDE))
        self.behind.say(f"asked: {row.name} is overridden", "warning")

    def _pause_of(self, view: DeskView, key: str) -> None:
        """Pause or resume the strategy of a proposal, on its symbol alone; the proposal itself stays."""
        made = next((row for row in view.proposals if row.id == key), None)
        if made is None:
            self.drafts.say_no_strategy(view, key)
            return
        pair = made.strategy, made.symbol
        row = next((row for row in view.strategies if (row.strategy, row.symbol) == pair), None)
        if row is not None:
            self._pause(view, row.key)
        else:
            self.behind.say("no strategy of this desk proposed it on that symbol: there is nothing to pause")

    # ── strategies ───────────────────────────────────────────────────────────────────────────────────────────────

    def _pause_all(self, view: DeskView, key: str) -> None:
        """Pause the strategy on all its symbols; if all are paused, resume all. A retired one needs a question."""
        row = next((row for row in view.strategies if row.key == key), None)
        if row is None:
            return
        each = [
            one for one in view.strategies if one.strategy == row.strategy and not one.is_off and not one.is_missing
        ]
        if len(each) < 2 or (row.may_be_resumed and not row.is_paused):  # noqa: PLR2004 - one symbol is not several
            self._pause(view, key)
            return
        running = [one for one in each if not one.is_paused]
        count = len(running or each)
        name, many = row.strategy.upper(), f"{count} symbol{'s' if count > 1 else ''}"
        for one in running:
            self.behind.handle.send(commands.PauseStrategy(one.strategy, one.symbol))
        if running:
            here = written("strategy.pause_here")
            alone = f"; {here} is for one symbol" if count > 1 else ""
            self.behind.say(f"asked {name} to pause on {many}: its exits go on{alone}")
            return
        for one in each:
            self.behind.handle.send(commands.ResumeStrategy(one.strategy, one.symbol))
        self.behind.say(f"asked {name} to go on with {many}: {_effect_of(row)}")

    def _pause(self, view: DeskView, key: str) -> None:
        row = next((row for row in view.strategies if row.key == key), None)
        if row is None:
            return
        name = f"{row.strategy.upper()} on {row.symbol}"
        if row.may_be_resumed and not row.is_paused:
            ask_to_reinstate(self.behind, row)
        elif row.is_paused:
            self.behind.handle.send(commands.ResumeStrategy(row.strategy, row.symbol))
            self.behind.say(f"asked {name} to go on: {_effect_of(row)}")
        else:
            self.behind.handle.send(commands.PauseStrategy(row.strategy, row.symbol))
            self.behind.say(f"asked {name} to pause: no entries, its exits go on")


def _effect_of(row: StrategyRow) -> str:
    """Return the effect of ending the operator's own pause."""
    if row.shut:
        return f"it stays shut, {written('grid.open')} says why"
    return "it proposes entries again"
