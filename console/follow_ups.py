"""Results of the operator's actions, some frames later: cancelled entries, staged proposals, sent orders.

`x` and `X` in Orders: cancel the working entries of one symbol, or all, after a question that names each.
Only the named orders are cancelled, by id: no later entry, no entry that has filled meanwhile, and no order that guards
or reduces. Any desk may cancel entries (OP-13).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from console.keymap import written
from console.proposal_outcome import (
    NO_ANSWER_YET,
    TIMEOUT,
    AwaitedProposal,
    RefusedProposal,
    StagedProposal,
    awaited,
    last_refusal,
)
from console.screens.dialog import WIDTH, DialogHost, EverybodysQuestion
from console.screens.exit_rules import ExitRulesQuestion
from console.screens.form import FieldsScreen
from core.messages.commands import RequestCancel
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus
from core.model.values import ClientOrderId, Symbol
from core.views import IN_DOUBT, DeskView, LogRow, OrderRow, ProposalRow
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, TextLine
from widgets.orders import Orders


def order_in_words(order: OrderRow) -> str:
    """Format `BUY 47 SPY limit 166.76`."""
    what = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol}"
    return f"{what} {f.terms(order.terms)}"


MOST_LINES = 10
"""Lines for names in a question, as many as fit in the smallest terminal; an unnamed order is not cancelled."""
BETWEEN = "  "
STAY = "Stops and exits of positions stay; an entry's waiting stop goes with it."
CANCEL_TIMEOUT = 5.0
"""Seconds to wait for the broker's answers."""


@dataclass(frozen=True, slots=True)
class AskedToGo:
    """The requested cancels and their time."""

    ids: Collection[ClientOrderId]
    since: float


class EntryCancels:
    """Follows at most one request, the newest."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._asked: AskedToGo | None = None

    # ── the question ─────────────────────────────────────────────────────────────────────────────────────────────

    def ask_for_symbol(self, view: DeskView, symbol: Symbol) -> None:
        entries = [row for row in view.orders if row.symbol == symbol and row.can_be_cancelled_as_entry]
        self._ask(entries, f"Cancel the entries of {symbol}?", f"no entry of {symbol} works")

    def ask_for_all(self, view: DeskView) -> None:
        entries = [row for row in view.orders if row.can_be_cancelled_as_entry]
        self._ask(entries, "Cancel all working entries?", "no entry works")

    def _ask(self, entries: Sequence[OrderRow], title: str, nothing: str) -> None:
        if not entries:
            self.behind.say(f"{nothing}: there is nothing to cancel")
            return
        names = {row.id: entry_in_words(row) for row in entries}
        lines, named = _named(names)
        if left := len(names) - len(named):
            lines.append((Cell(f"{left} more have no room here and stay: ask again for them", "warning"),))
        lines.append((Cell(STAY, "muted"),))
        does = f"cancel {'it' if len(named) == 1 else f'these {len(named)}'}"
        self.behind.ask(EverybodysQuestion(self.behind, title, lines, does, lambda: self._cancel(named)))

    def _cancel(self, named: dict[ClientOrderId, str]) -> None:
        """Cancel the orders that still work; ended ones are reported."""
        view = self.behind.view
        if view is None:
            return
        rows = {row.id: row for row in view.orders if row.id in named}
        going = [order_id for order_id, row in rows.items() if row.can_be_cancelled_as_entry]
        for order_id in going:
            self.behind.handle.send(RequestCancel(order_id))
        self._asked = AskedToGo(going, self.behind.now()) if going else None
        over = _over(row for id, row in rows.items() if id not in going)
        asked = f"asked to cancel {_entries(len(going))}" if going else "nothing was cancelled"
        self.behind.say("; ".join([asked, *over]), "warning" if over else "")

    # ── the result ───────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, view: DeskView) -> None:
        """Take a new view; once all have ended, report that and name those that filled."""
        if self._asked is None:
            return
        rows = [row for row in view.orders if row.id in self._asked.ids]
        working = [row for row in rows if row.status.is_working]
        if working and self.behind.now() - self._asked.since <= CANCEL_TIMEOUT:
            return
        gone = sum(row.status is OrderStatus.CANCELLED for row in rows)
        said = [f"{_entries(gone)} cancelled"] if gone else []
        said += _over(row for row in rows if row.status is not OrderStatus.CANCELLED or row.filled_quantity)
        said += [f"{entry_in_words(row)} is not gone yet" for row in working]
        self._asked = None
        self.behind.say("; ".join(said), "warning" if len(said) > 1 or not gone else "")


def _over(rows: Iterable[OrderRow]) -> list[str]:
    """Format ended orders, such as `BUY 300 BAC limit 13.85 is FILLED: not cancelled`, with the filled part."""
    told = []
    for row in rows:
        name, filled = entry_in_words(row), f.quantity(row.filled_quantity)
        if row.status is OrderStatus.CANCELLED and row.filled_quantity:
            told.append(f"{filled} of {name} filled before")
        elif row.status.is_terminal:
            told.append(f"{name} is {short_ids(row.state_in_words)}: not cancelled")
    return told


def _named(names: dict[ClientOrderId, str]) -> tuple[list[TextLine], dict[ClientOrderId, str]]:
    """Return the lines of names, one or several on each, and the orders that they name."""
    if len(names) <= MOST_LINES:
        return [(Cell(name, "strong"),) for name in names.values()], names
    lines = [""]
    named: dict[ClientOrderId, str] = {}
    for order_id, name in names.items():
        fuller = f"{lines[-1]}{BETWEEN}{name}" if lines[-1] else name
        if len(fuller) <= WIDTH:
            lines[-1] = fuller
        elif len(lines) < MOST_LINES:
            lines.append(name)
        else:
            break
        named[order_id] = name
    return [(Cell(line, "strong"),) for line in lines], named


def entry_in_words(order: OrderRow) -> str:
    """Format `BUY 47 SPY limit 166.76`, or `BUY 300 BAC limit 13.85, 60 filled` for a partial fill."""
    is_partial = order.status is OrderStatus.PARTIALLY_FILLED
    return (
        f"{order_in_words(order)}, {f.quantity(order.filled_quantity)} filled" if is_partial else order_in_words(order)
    )


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


ACCEPTED_FOR = 60.0
"""Seconds in which the broker's books, accepted by the typed word, are read and taken over."""
MARKED_FOR = 10.0
"""Seconds in view for which the row of a sent order is marked."""
MARKED_AT_MOST = 60.0
"""Seconds after which a mark that did not come into view counts as seen."""


@dataclass(frozen=True, slots=True)
class CloseFollowUps:
    """The proposals and refusals before flattening was requested."""

    known: frozenset[str]
    sequence: int
    since: float


class FollowUps:
    """Waits for at most one proposal and one order, the newest requested.

    Parameters
    ----------
    sign_closes
        Called if several closes wait, or entries work beside one: it puts them on one basket for one confirmation.
    """

    def __init__(self, behind: DialogHost, orders: Orders, sign_closes: Callable[[], None]) -> None:
        self.behind = behind
        self.orders = orders
        self.sign_closes = sign_closes
        self.cancels = EntryCancels(behind)
        self._awaited: AwaitedProposal | None = None
        self._dialog: FieldsScreen | None = None
        self._order: tuple[ClientOrderId, float] | None = None
        self._sent: ClientOrderId | None = None
        self._marked: tuple[ClientOrderId, float] | None = None
        self._marked_at = 0.0
        self._doubted: ClientOrderId | None = None
        self._closes: CloseFollowUps | None = None
        self._failed_close = 0
        self._word_after: tuple[str, int] | None = None
        self._accepted_at: float | None = None
        self._asked_of: set[str] = set()

    def wait_for_ticket(
        self,
        symbol: Symbol,
        strategy: str | None,
        is_it: Callable[[ProposalRow], bool],
        dialog: FieldsScreen | None = None,
    ) -> None:
        """Wait for the proposal just requested: open its ticket once it is staged, or show a refusal on the last line.

        A dialog that requested it stays open until the answer, shows a refusal itself, and closes for the ticket.
        """
        view = self.behind.view
        if view is None:
            return
        self._awaited = awaited(view, symbol, strategy, self.behind.now(), is_it)
        self._dialog = dialog
        if dialog is None:
            self.behind.say("staging…")
        else:
            dialog.begin_asking()

    def wait_for_order(self, order_id: ClientOrderId) -> None:
        self._order = (order_id, self.behind.now())

    def wait_for_closes(self, view: DeskView) -> None:
        self._closes = CloseFollowUps(
            frozenset(row.id for row in view.proposals), last_refusal(view), self.behind.now()
        )

    def wait_for_word(self, view: DeskView, kind: str) -> None:
        """Take the next log line of this kind as the answer."""
        self._word_after = kind, max((row.sequence for row in view.log), default=0)

    def wait_for_taken_over(self) -> None:
        """Ask at once of what the operator takes over by the typed word."""
        self._accepted_at = self.behind.now()

    def _look_for_taken_over(self, view: DeskView, may_open: bool) -> None:
        """Ask once of each position that was taken over whether the exit rules watch it.

        A question opens only behind the typed word; what was taken over by itself is told on the last line.
        """
        waiting = [row for row in view.positions if row.health.choice.asks]
        self._asked_of &= {row.key for row in waiting}
        row = next((row for row in waiting if row.key not in self._asked_of), None)
        is_asked = self._accepted_at is not None and self.behind.now() - self._accepted_at <= ACCEPTED_FOR
        if row is None or (is_asked and not may_open):
            return
        self._asked_of.add(row.key)
        if is_asked:
            self.behind.ask(ExitRulesQuestion(self.behind, row))
        else:
            chosen = f"{written('position.rules')} in Positions sets its exit rules"
            self.behind.say(f"{row.symbol} was taken over: {chosen}", "warning")

    def _look_for_word(self, view: DeskView) -> None:
        """Show the engine's answer, as in the log."""
        if self._word_after is None:
            return
        kind, after = self._word_after
        rows = [row for row in view.log if row.sequence > after and row.kind == kind and self._is_ours(row)]
        if rows:
            self._word_after = None
            self.behind.say(rows[-1].text, "warning")

    def _is_ours(self, row: LogRow) -> bool:
        """Return whether the line is no answer to another desk."""
        return row.desk in (None, self.behind.handle.desk)

    def look(self, view: DeskView, may_open: bool) -> None:
        """Take a new view; `may_open` is false while a dialog is open, which is never covered unasked."""
        self._look_for_word(view)
        self.cancels.look(view)
        self._look_for_order(view)
        self._unmark()
        self._look_for_answer(view)
        self._look_for_certainty(view)
        self._look_for_closes(view)
        self._look_for_proposal(view, may_open)
        self._look_for_failed_closes(view)
        self._look_for_taken_over(view, may_open)

    def _look_for_failed_closes(self, view: DeskView) -> None:
        """Report a failed close once, even if nobody waits for it any more (EX-21)."""
        newest = view.failed_closes[-1] if view.failed_closes else None
        if newest is not None and newest.sequence > self._failed_close:
            self._failed_close = newest.sequence
            self.behind.say(newest.text, "warning")

    def _look_for_order(self, view: DeskView) -> None:
        if self._order is None:
            return
        order_id, since = self._order
        if any(row.id == order_id for row in view.orders):
            self.mark(order_id)
            self._order, self._sent = None, order_id
        elif self.behind.now() - since > TIMEOUT:
            self._order = None

    def mark(self, order_id: ClientOrderId) -> None:
        """Mark its row; the selection stays, because a key meant for the selected row must hit no other (OP-04)."""
        self.orders.new, self._marked_at = order_id, self.behind.now()
        self._marked = order_id, self._marked_at

    def _unmark(self) -> None:
        """Take the mark away some seconds after the row came into view."""
        if self._marked is None:
            return
        now = self.behind.now()
        if not self.orders.is_in_view(self._marked[0]) and now - self._marked_at <= MARKED_AT_MOST:
            self._marked = self._marked[0], now
        elif now - self._marked[1] > MARKED_FOR:
            self._marked = self.orders.new = None

    def _look_for_answer(self, view: DeskView) -> None:
        """Report a rejected order, or a missing answer, as prominently as a sent one (EX-06)."""
        if self._sent is None:
            return
        row = next((row for row in view.orders if row.id == self._sent), None)
        if row is None or (row.status is OrderStatus.PENDING and IN_DOUBT not in row.marks):
            return
        self._sent = None
        what = f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol}"
        if row.status is OrderStatus.REJECTED:
            left = "; what it was to close is still held" if row.effect.only_reduces else ""
            self.behind.say(f"REJECTED, {what}: {row.reason}{left}", "warning")
        elif IN_DOUBT in row.marks:
            self._doubted = row.id
            self.behind.say(f"no answer to {what}: nobody knows yet whether it arrived; Orders shows it", "warning")

    def _look_for_certainty(self, view: DeskView) -> None:
        """Report the result of an order in doubt once it is known (EX-06)."""
        row = next((row for row in view.orders if row.id == self._doubted), None)
        if row is None or IN_DOUBT in row.marks:
            return
        self._doubted = None
        what = f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol}"
        if row.status is OrderStatus.REJECTED:
            self.behind.say(f"it is known now, {what} was REJECTED: {row.reason}", "warning")
        elif row.status is OrderStatus.CANCELLED:
            why = f": {row.reason}" if row.reason else ""
            self.behind.say(f"it is known now, {what} is {short_ids(row.state_in_words)}{why}", "warning")
        else:
            self.behind.say(f"it is known now, {what} arrived: {row.status.value}", "strong")

    def _look_for_closes(self, view: DeskView) -> None:
        """Report the result of flattening in one line."""
        if self._closes is None:
            return
        asked = self._closes
        staged = sum(row.is_urgent and row.id not in asked.known for row in view.proposals)
        refused = [row.text for row in view.refusals if row.sequence > asked.sequence and self._is_ours(row)]
        is_for_a_plan = sum(row.is_urgent for row in view.proposals) > 1 or bool(view.kill.entries_working)
        if staged and is_for_a_plan:
            self.sign_closes()
        elif staged:
            opens = f"{written('exit.urgent')} opens the first"
            self.behind.say(f"staged {staged} close, {opens}", "strong")
        elif refused:
            self.behind.say(refused[-1], "warning")
        elif self.behind.now() - asked.since > TIMEOUT:
            self.behind.say(NO_ANSWER_YET, "warning")
        else:
            return
        self._closes = None

    def _look_for_proposal(self, view: DeskView, may_open: bool) -> None:
        if self._awaited is None:
            return
        waited, dialog = self.behind.now() - self._awaited.since, self._dialog
        match self._awaited.answer(view):
            case StagedProposal(proposal_id):
                self._awaited = self._dialog = None
                if dialog is not None and not dialog.is_attached:
                    self.behind.say("staged; it waits in Proposals")
                elif dialog is not None and dialog.is_active:
                    dialog.dismiss()
                    self.behind.open_ticket(proposal_id)
                elif dialog is not None:
                    dialog.refuse("staged; it waits in Proposals")
                elif may_open:
                    self.behind.open_ticket(proposal_id)
            case RefusedProposal(words, told):
                self._refused(words, told)
            case None if waited > TIMEOUT:
                self._refused(NO_ANSWER_YET, NO_ANSWER_YET)

    def _refused(self, why: str, told: str) -> None:
        """Show a refusal in the dialog that asked, if it is still open, so that its line can be corrected there."""
        dialog, self._awaited, self._dialog = self._dialog, None, None
        if dialog is not None and dialog.is_attached:
            dialog.hear_refusal(why)
        else:
            self.behind.say(told, "warning")
