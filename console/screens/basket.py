"""The basket: a list of orders, each marked by a key, confirmed together; then their progress (OP-05, EX-10).

`P` is armed like a ticket's key (OP-04): it counts after exactly these orders were on the screen for a moment without
input. So does `O`, which lets the buys proceed after a sell was not filled. One key stops at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from textual.app import ComposeResult
from textual.containers import Vertical

from console.arming import OPENS_AFTER, REDUCES_AFTER, ShownTicket
from console.keymap import KeyScope, bindings_for, written
from console.screens.desk_control import holds_key, proof_of
from console.screens.dialog import WIDTH, ArmedDialog, ArmedKey, ArmedQuestion, DialogHost
from console.ticket_status import Spelling, TypedWord
from console.touch_wait import TouchWait
from core.messages.commands import AnswerBasket, Decline, LeaveBasket, MarkInBasket, SignBasket
from core.model.account import Mode
from core.model.basket import TYPED_HOLDS, BasketOrderState, BasketPhase, BasketSource, whole_dollars
from core.model.signal import ExitReason
from core.model.touch import TouchSignature, basket_message
from core.model.values import Digest, Money, ProposalId, TicketId
from core.views import BasketRowView, BasketView, DeskView, ProposalRow
from widgets import format as f
from widgets.basket import detail_lines, event_lines, head_lines, order_lines, report_lines, title_of
from widgets.lines import Cell, Lines, TextLine, joined, spread
from widgets.pane import put_title
from widgets.ticket_text import exit_lines, wrapped

EVENTS = 5
"""Least lines of events while it runs."""


class BasketText:
    """The text of one basket screen.

    Attributes
    ----------
    selected
        The order that the operator selected, or the latest one with activity.
    """

    def __init__(self) -> None:
        self.selected: ProposalId | None = None
        self._moved_in: BasketPhase | None = None

    def take(self, plan: BasketView) -> None:
        """Take a new view; if the selected order is gone, the first is selected."""
        rows = [row.proposal_id for row in plan.rows]
        if self.selected not in rows:
            self.selected = rows[0] if rows else None

    def row(self, plan: BasketView) -> BasketRowView | None:
        """Return the selected row."""
        return next((row for row in plan.rows if row.proposal_id == self.selected), None)

    def move(self, plan: BasketView, step: int) -> bool:
        """Move the selection at the operator's request; return whether there is a row."""
        rows = [row.proposal_id for row in plan.rows]
        if self.selected not in rows:
            return False
        self.selected = rows[max(0, min(len(rows) - 1, rows.index(self.selected) + step))]
        self._moved_in = plan.phase
        return True

    def lines(self, plan: BasketView, now: datetime, width: int, room: int) -> list[TextLine]:
        """Return at most `room` lines; the others are counted."""
        lines = self._lines(plan, now, width, room)
        if len(lines) <= room:
            return lines
        more = f"… {len(lines) - room + 1} lines more: a taller terminal shows them"
        return [*lines[: room - 1], (Cell(more, "warning"),)]

    def _lines(self, plan: BasketView, now: datetime, width: int, room: int) -> list[TextLine]:
        if not plan.is_open:
            self.selected = self._followed(plan)
        head = [*head_lines(plan, now, width), *report_lines(plan, width)]
        below = detail_lines(self.row(plan), width)
        if plan.is_open:
            below = below[: max(1, room // 3)]
            return [*head, *order_lines(plan, self.selected, width, room - len(head) - len(below)), *below]
        wanted = len(plan.rows) + 2
        left = room - len(head)
        listed = order_lines(plan, self.selected, width, max(4, min(wanted, left - EVENTS)))
        below = below[:2] if plan.phase is BasketPhase.OVER else []
        return [*head, *listed, *below, *event_lines(plan, now, width, left - len(listed) - len(below))]

    def _followed(self, plan: BasketView) -> ProposalId | None:
        """Return the order with activity or an error, until the operator moves the selection in this phase."""
        if self._moved_in is plan.phase:
            return self.selected
        signed = [row for row in plan.rows if row.standing is not None]
        busy = [row for row in signed if not row.standing.is_over and row.standing is not BasketOrderState.WAITING]  # type: ignore[union-attr]
        wrong = [row for row in signed if row.standing in (BasketOrderState.REFUSED, BasketOrderState.ENDED)]
        found = [*busy, *wrong] if plan.phase in (BasketPhase.OVER, BasketPhase.ASKING) else busy
        return found[0].proposal_id if found else self.selected


TICK = 0.05
AROUND = 3
"""Lines for the frame and the keys."""
LEAST = 4
"""Least lines of text."""
WIDEST = 116
SIGN, GO_ON, STOP, BACK = "basket.sign", "basket.go_on", "basket.stop", "basket.back"
HELP = "basket.help"
MARK, DECLINE = "basket.mark", "basket.decline"
FLATTENS = (ExitReason.MANUAL, ExitReason.KILL)
"""Why a close is staged that a flattening asks for."""
MARKS_ASKED = 2
"""Marks from which leaving the basket asks first: each is a key of its own."""


class BasketScreen(ArmedDialog):
    PLACE = KeyScope.BASKET
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)

    def __init__(self, behind: DialogHost, plan_id: TicketId) -> None:
        super().__init__()
        self.behind = behind
        self.plan_id = plan_id
        self.armed = ArmedKey(self, behind)
        self.box = Vertical(id="basket")
        self.body = Lines(id="basket-body")
        self.keys = Lines(id="basket-keys")
        self.text = BasketText()
        self.spelling = Spelling()
        self._typed_for: Digest | None = None
        self._is_unpriced = False
        self._sent: ShownTicket | None = None
        self.touch = TouchWait(self, behind.new_agent, lambda text: behind.say(text, "warning"))
        self._touching: ShownTicket | None = None

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body
            yield self.keys

    def on_mount(self) -> None:
        self._redraw()
        self.set_interval(TICK, self.tick)

    def on_resize(self) -> None:
        super().on_resize()
        self._redraw()

    def clock_in_words(self, now: datetime) -> str:
        plan = self.plan
        if plan is None or not plan.is_open:
            return "" if plan is None else plan.phase.value
        return f"it expires in {f.countdown(plan.ends_at, now)}"

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def plan(self) -> BasketView | None:
        """The engine's view of this basket; None after another basket replaced it."""
        view = self.behind.view
        plan = view.plan if view is not None else None
        return plan if plan is not None and plan.id == self.plan_id else None

    def update_view(self, view: DeskView, now: datetime) -> None:
        plan = self.plan
        if plan is None:
            if self.is_current:
                self.dismiss()
                self.behind.say("another basket has taken its place")
            return
        if plan.refused_because or plan.runs:
            self._sent = None
        self.text.take(plan)
        self._ask_for_the_word(view, plan)
        self._draw(view, plan, now)

    def _ask_for_the_word(self, view: DeskView, plan: BasketView) -> None:
        """On a live account ask for the total cost of the entries, in whole dollars, to be typed (OP-05).

        The number stays while the same orders cost about that, so that a quote does not interrupt the typing.
        """
        is_asked = view.status.mode is Mode.LIVE and plan.is_open and plan.opens > 0
        worth = plan.worth if is_asked else None
        self._is_unpriced = is_asked and worth is None
        if worth is None:
            self.spelling.word = None
        elif (word := self.spelling.word) is None or self._typed_for != plan.digest or not _stays(word, worth):
            self.spelling.word, self._typed_for = TypedWord(whole_dollars(worth)), plan.digest

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _width(self) -> int:
        """Width inside the frame, in cells."""
        return max(74, min(WIDEST, self.app.size.width - 6))

    def _redraw(self) -> None:
        view = self.behind.view
        if view is not None and self.is_attached:
            self.update_view(view, self.behind.engine_now())

    def _draw(self, view: DeskView, plan: BasketView, now: datetime) -> None:
        put_title(self.box, title_of(plan, view.status.mode))
        self.box.set_class(view.status.mode is Mode.LIVE, "-live")
        self.box.styles.width = self._width + 4
        self.body.show(self._text(view, plan, now))
        self._draw_keys(plan, now)
        self._ask_whether_drawn()

    def _text(self, view: DeskView, plan: BasketView, now: datetime) -> list[TextLine]:
        width = self._width
        exits = exit_lines(self._other_exits(view, plan), now, width)
        room = max(LEAST, self.free_lines - AROUND - len(exits))
        return [*self.text.lines(plan, now, width, room), *exits]

    def _other_exits(self, view: DeskView, plan: BasketView) -> list[ProposalRow]:
        """Return the waiting exits that are not part of this basket."""
        mine = {row.proposal_id for row in plan.rows}
        return [row for row in view.proposals if row.is_urgent and row.id not in mine]

    def _draw_keys(self, plan: BasketView, now: datetime) -> None:
        self.keys.show([self._key_line(plan, now)])

    def _key_line(self, plan: BasketView, now: datetime) -> TextLine:
        width = self._width
        back, mark, stop = written(BACK), written(MARK), written(STOP)
        if plan.is_open:
            marks = f"   {mark} mark" if plan.rows else ""
            declines = f"  {written(DECLINE)} decline all" if _can_decline(plan) else ""
            does, right = self._does(plan), (self._state(plan), Cell(f"  {f.countdown(plan.ends_at, now)} "))
            waits = ", they wait" if _is_flattening(plan) else ""
            forms = (
                f"{marks}{declines}  {back} back{waits}",
                f"{marks}{declines}  {back} back",
                f"{declines}  {back} back",
            )
            room = width - len(joined(does)) - len(joined(right)) - 1
            keys = next((form for form in forms if len(form) <= room), f"  {back} back")
            return spread((*does, Cell(keys)), right, width)
        if plan.phase is BasketPhase.ASKING:
            left = (
                Cell(f" {written(GO_ON)} ", "strong"),
                Cell(f" go on with the buys that fit   {stop} stop  {back} later"),
            )
            until = plan.permitted_until or now
            return spread(left, (self._state(plan), Cell(f"  {f.countdown(until, now)} ")), width)
        if _can_stop(plan):
            return (
                Cell(f" {stop} ", "strong"),
                Cell(f" stop: what has not gone does not go   {back} to the desk, it goes on"),
            )
        return (Cell(f" {back} back to the desk"),)

    def _does(self, plan: BasketView) -> TextLine:
        key = written(SIGN)
        word = self.spelling.word
        if word is not None and not word.stands:
            typed = f"  typed: {word.typed}" if word.typed else ""
            return (Cell(f" type {word.word} (USD), then {key}{typed}", "strong"),)
        if plan.digest is None:
            return ()
        count, entries = len(plan.going), len(plan.taken_back)
        what = "order" if plan.opens or not count else "close"
        orders = f"send {count} {what}{'s' if count != 1 else ''}" if count or not entries else ""
        back = f"cancel {entries} entr{'ies' if entries != 1 else 'y'}" if entries else ""
        typed = f"  typed: {word.typed}" if word is not None else ""
        return (Cell(f" {key} ", "strong"), Cell(f" {', '.join(part for part in (back, orders) if part)}{typed}"))

    def _state(self, plan: BasketView) -> Cell:
        shown = self._shown(plan)
        if shown is None:
            return Cell("not armed", "warning")
        if self.touch.is_waiting:
            return Cell("touch your security key", "strong")
        if self._sent == shown or self.armed.arming.is_turning():
            return Cell("sending…" if plan.is_open else "going on…", "strong")
        if (obstacle := self._obstacle()) is not None:
            return Cell(obstacle, "warning")
        if not self.spelling.stands:
            return Cell("LIVE, not armed", "warning")
        armed = "armed" if self.behind.link.paint_is_proved is True else "armed, by time"
        return self.armed.state(shown, self._key(plan), self._silence(plan), armed)

    def _obstacle(self) -> str | None:
        if not self.is_active:
            return "not armed"
        if not holds_key(self.behind):
            return "not armed: another desk has the key"
        if self.behind.is_too_small:
            return "terminal too small"
        if self._is_unpriced:
            return "LIVE, not armed: an entry has no price"
        return self.behind.link.doubt

    def acting_keys(self) -> Collection[str]:
        """Return the keys that act: mark and confirm, the answer to its question, stop while it runs; back always."""
        plan = self.plan
        if plan is None:
            return (BACK, HELP)
        if plan.is_open:
            declines = (DECLINE,) if _can_decline(plan) else ()
            signs = (SIGN,) if plan.digest is not None else ()
            return (*((MARK,) if plan.rows else ()), *signs, *declines, BACK, HELP)
        answers = (GO_ON,) if plan.phase is BasketPhase.ASKING else ()
        return (*answers, *((STOP,) if _can_stop(plan) else ()), BACK, HELP)

    # ── confirmation ─────────────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, plan: BasketView | None) -> ShownTicket | None:
        """Return the confirmable content on the screen: the marked orders, or the basket's question."""
        if plan is None:
            return None
        if plan.is_open:
            return ShownTicket(plan.id, plan.digest) if plan.digest is not None else None
        return ShownTicket(plan.id, f"asks {plan.phase_since}") if plan.phase is BasketPhase.ASKING else None

    def _key(self, plan: BasketView) -> str:
        return written(SIGN) if plan.is_open else written(GO_ON)

    def _silence(self, plan: BasketView) -> float:
        return REDUCES_AFTER if plan.is_open and not plan.opens else OPENS_AFTER

    def _ask_whether_drawn(self) -> None:
        shown = self._shown(self.plan)
        if shown is None or self._obstacle() is not None:
            return
        self.armed.ask_whether_drawn(shown)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, character: str | None, at: float) -> None:
        self.armed.see_whether_it_ran()
        plan = self.plan
        shown = self._shown(plan)
        key = self._key(plan) if plan is not None else None
        is_painted = shown is not None and self.armed.arming.is_painted(shown)
        is_spelling = self.spelling.hear(character, key, is_painted)
        if is_spelling or plan is None or shown is None or key is None or character != key:
            self.armed.arming.hear(character, at)
        elif not self._may_turn() or not self.armed.arming.turn(shown, key, self._silence(plan), at):
            self.armed.arming.hear(character, at)
            self.armed.was_early = True
        self.tick()

    def _may_turn(self) -> bool:
        return self._obstacle() is None and self.spelling.stands

    def tick(self) -> None:
        """Follow the confirmation delay, and send a confirmation once."""
        self.armed.see_whether_it_ran()
        plan = self.plan
        shown = self._shown(plan)
        if shown is None or self._obstacle() is not None:
            self.disarm()
        if self.touch.is_waiting and (self._touching != shown or self._obstacle() is not None):
            self._give_up_touch()
        self.armed.follow()
        if plan is not None and shown is not None and not self.touch.is_waiting and self.armed.take(shown):
            self._turn(plan, shown)
        if plan is not None and self.is_active:
            self._draw_keys(plan, self.behind.engine_now())
            self._ask_whether_drawn()

    def _turn(self, plan: BasketView, shown: ShownTicket) -> None:
        if plan.is_open and plan.digest is not None:
            word = self.spelling.word
            typed = Money(Decimal(word.word)) if word is not None else None
            sign = SignBasket(plan.id, plan.digest, typed, hold=plan.hold, proof=proof_of(self.behind))
            view = self.behind.view
            if not plan.needs_touch or view is None:
                self._sent = shown
                self.behind.handle.send(sign)
                return
            self._touching = shown
            message = basket_message(view.account, view.touch.nonce, plan.id, plan.digest)
            self.touch.begin(
                view.touch.keys, message, lambda found: self._touched(shown, sign, found), self._give_up_touch
            )
        else:
            self._sent = shown
            asked, proof = plan.phase_since, proof_of(self.behind)
            self.behind.handle.send(AnswerBasket(plan.id, True, asked, hold=plan.hold, proof=proof))

    def _touched(self, shown: ShownTicket, sign: SignBasket, found: TouchSignature) -> None:
        """Send the signature if the same basket still stands; after any change a touch is discarded (OP-15)."""
        if self._shown(self.plan) != shown or self._obstacle() is not None:
            self._give_up_touch()
            self.behind.say("the basket changed before the touch; nothing was signed", "warning")
            return
        self._sent = shown
        self.behind.handle.send(replace(sign, touch=found))
        self._redraw()

    def _give_up_touch(self) -> None:
        """End the wait for the touch; the basket is armed again from the beginning."""
        self.touch.give_up()
        self._touching = None
        self.disarm()
        self._redraw()

    def on_screen_suspend(self) -> None:
        super().on_screen_suspend()
        if self.touch.is_waiting:
            self._give_up_touch()

    def on_unmount(self) -> None:
        self.touch.give_up()

    def disarm(self) -> None:
        self.armed.forget()
        self.spelling.forget()

    def action_move(self, step: int) -> None:
        plan = self.plan
        if plan is not None and self.text.move(plan, step):
            self._redraw()

    def action_mark(self) -> None:
        """Mark or unmark the selected order. An order that would be rejected may be marked too; it shows the reason."""
        plan = self.plan
        row = self.text.row(plan) if plan is not None else None
        if plan is not None and plan.is_open and row is not None:
            self.behind.handle.send(MarkInBasket(plan.id, row.proposal_id, not row.is_marked))

    def action_sign(self) -> None:
        """The key is evaluated in `hear`."""

    def action_go_on(self) -> None:
        """The key is evaluated in `hear`."""

    def action_urgent(self) -> None:
        """Open the ticket of a waiting exit over this screen; the basket is armed again when it closes."""
        view, plan = self.behind.view, self.plan
        exits = self._other_exits(view, plan) if view is not None and plan is not None else []
        if exits:
            self.behind.open_ticket(exits[0].id)
        else:
            self.behind.say("no other exit waits")

    def action_stop(self) -> None:
        plan = self.plan
        if plan is not None and _can_stop(plan):
            self.behind.handle.send(LeaveBasket(plan.id))
            self.behind.say("stopping: what has not gone does not go", "warning")

    def action_decline_all(self) -> None:
        """Ask whether to decline each order of the basket. A strategy's own exit stays."""
        plan = self.plan
        if plan is not None and plan.is_open and plan.rows and not _can_decline(plan):
            self.behind.say(f"only exits are in it: {written('proposal.decline')} in Proposals declines one")
        if plan is None or not _can_decline(plan) or self._sent is not None:
            return
        rows = self._declined(plan)
        stays = "Positions stay as they are, with their stops; exits of a strategy go on waiting."
        happens = f"nothing is sold. {stays}" if _is_flattening(plan) else f"nothing is sent. {stays}"
        named = ", ".join(sorted({row.symbol for row in rows}))
        self._ask(f"Decline {_counted(plan, rows)}?", f"{named}: {happens}", "decline all of them", self._decline)

    def _declined(self, plan: BasketView) -> list[BasketRowView]:
        """Return the orders that are declined: of a flattening its closes, of the waiting proposals the entries."""
        if not _is_flattening(plan):
            return _declinable(plan)
        view = self.behind.view
        closes = {row.id for row in view.proposals if row.exit_reason in FLATTENS} if view is not None else set()
        return [row for row in plan.rows if row.proposal_id in closes]

    def _decline(self) -> None:
        plan = self.plan
        if plan is None or not _can_decline(plan) or self._sent is not None:
            return
        rows = self._declined(plan)
        self.behind.handle.send(LeaveBasket(plan.id))
        for row in rows if not plan.source.brings_its_orders else ():  # else they end with the basket
            self.behind.handle.send(Decline(row.proposal_id, f"its basket was declined: {plan.source.value}"))
        self.dismiss()
        does = "sold" if _is_flattening(plan) else "sent"
        self.behind.say(f"declined {_counted(plan, rows)}: nothing is {does}")

    def _ask(self, title: str, text: str, does: str, act: Callable[[], None]) -> None:
        self.behind.ask(ArmedQuestion(self.behind, title, wrapped("", text, WIDTH), does, act))

    def action_back(self) -> None:
        """Close an unconfirmed basket, after a question where marks would be lost; a running one continues.

        While the touch is waited for, give that up alone.
        """
        if self.touch.is_waiting:
            self._give_up_touch()
            self.behind.say("given up: nothing was signed")
            return
        plan = self.plan
        if plan is None or not plan.is_open or self._sent is not None:
            self.dismiss()
        elif (marks := _marks_of(plan)) >= MARKS_ASKED:
            text = f"Its {marks} marks are lost; its orders go on waiting in Proposals."
            self._ask("Leave this basket?", text, "leave it", self._leave)
        else:
            self._leave()

    def _leave(self) -> None:
        plan = self.plan
        if plan is not None and plan.is_open and self._sent is None:
            self.behind.handle.send(LeaveBasket(plan.id))
            if _is_flattening(plan):
                again, all_of_it = written("flatten"), written(DECLINE)
                self.behind.say(
                    f"the closes wait in Proposals: {again} opens them as one basket, {all_of_it} declines all"
                )
        self.dismiss()


def _marks_of(plan: BasketView) -> int:
    """Return the number of marks that a person made; a flattening and a reversal are made anew by one key."""
    is_made_by_a_key = plan.source in (BasketSource.FLATTEN, BasketSource.REVERSAL)
    return 0 if is_made_by_a_key else sum(row.is_marked for row in plan.rows)


def _stays(word: TypedWord, worth: Money) -> bool:
    """Return whether the requested number still applies: the cost differs by at most half of the engine's tolerance."""
    return 2 * abs(Decimal(word.word) - worth) <= max(Decimal(1), TYPED_HOLDS * worth)


def _is_flattening(plan: BasketView) -> bool:
    """Whether it is a flattening that nobody has signed."""
    return plan.is_open and plan.source is BasketSource.FLATTEN and bool(plan.rows)


def _declinable(plan: BasketView) -> list[BasketRowView]:
    """Return the orders that may be declined together: of the waiting proposals the entries, else all."""
    if plan.source is BasketSource.PROPOSALS:
        return [row for row in plan.rows if not row.effect.only_reduces]
    return list(plan.rows)


def _can_decline(plan: BasketView) -> bool:
    """Whether nobody has signed it and it has an order to decline."""
    return plan.is_open and bool(_declinable(plan))


def _counted(plan: BasketView, rows: Sequence[BasketRowView]) -> str:
    """Format `2 closes` of a flattening, else `1 order`."""
    what = "close" if plan.source is BasketSource.FLATTEN else "order"
    return f"{len(rows)} {what}{'s' * (len(rows) != 1)}"


def _can_stop(plan: BasketView) -> bool:
    """Return whether part of the basket is still unsent. There is nothing to stop while it waits for its report."""
    return plan.runs and plan.phase is not BasketPhase.REPORTING
