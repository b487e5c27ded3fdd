"""Halt, kill, resume and re-arm (OP-07)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from core import facts
from core.execution.external_orders import OtherOrder
from core.execution.order import Order
from core.execution.stop_coverage import only_opens, unanswered_exits
from core.messages import commands
from core.messages.effects import CancelOrder, Effect, FetchBooks, LatchKill, ReleaseKill
from core.messages.inputs import BooksFetched, Input
from core.model.broker import BrokerBooks, NoAnswer
from core.model.codes import CancelCode, Denial, HaltCause
from core.model.order import OrderStatus
from core.model.order_terms import order_in_words
from core.model.text_sanitizer import foreign
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.workflow import answers, apart, done_apart

REARM = "REARM"
"""The word that must be typed in full."""
NO_NAKED = "only the desk that holds the key cancels protective stops: killed, and they stay; T takes the key"

NAKED_LATE = "the engine stood still while NAKED was on its way: killed, and the stops stay; type it again"

LONGEST_REASON = 200
"""Characters; two lines of the kill screen."""
LOOKS_AGAIN = timedelta(seconds=10)
LOOKS_FOR_UNLISTED = 6
"""Looks in which an order is cancelled that the books do not list: a minute, after which it is believed (EX-06)."""
LATER_LOOKS = timedelta(minutes=1)


class KillSwitchWorkflow:
    def __init__(self, state: TradingState, cancellation: Cancellation, proposals: Proposals) -> None:
        self.state = state
        self.cancellation = cancellation
        self.proposals = proposals
        self._next_look: datetime | None = None
        self._unlisted: Counter[ClientOrderId] = Counter()

    @answers(commands.Halt)
    def on_halt(self, command: commands.Halt) -> Iterable[Effect]:
        control = self.state.control
        self.state.sightings.presses += 1
        if control.killed_by is None and HaltCause.KEY not in control.halts:
            self.state.record(facts.Halted(HaltCause.KEY, f"by {command.by}"))
        return ()

    @answers(commands.Resume)
    def on_resume(self, command: commands.Resume) -> Iterable[Effect]:
        """End halts by the key or an absence; with `everything` also those of an invariant or of retired strategies."""
        in_full = (HaltCause.INVARIANT, HaltCause.RETIRED) if command.everything else ()
        for cause in (HaltCause.KEY, HaltCause.UNATTENDED, *in_full):
            if cause in self.state.control.halts:
                self.state.record(facts.Resumed(cause))
        return ()

    @answers(commands.ExplainKill)
    def on_explain(self, command: commands.ExplainKill) -> Iterable[Effect]:
        reason = foreign(command.reason)[:LONGEST_REASON]
        control = self.state.control.state
        if control.killed_by is not None and reason and reason != control.kill_reason:
            self.state.record(facts.KillExplained(reason))
        return ()

    @answers(commands.Kill)
    def on_kill(self, command: commands.Kill) -> Iterator[Effect]:
        """Latch the kill first, then cancel everything that could open, on the stage and at the broker.

        A desk without control may kill but cancels no protective stop: its NAKED counts as a plain kill (OP-13). So
        does a late command.
        """
        self.state.sightings.presses += 1
        if command.naked and not self._may_uncover(command):
            code = Denial.LATE if command.came_late else Denial.NOT_HOLDER
            self.state.record(
                facts.CommandRefused("Kill", NAKED_LATE if command.came_late else NO_NAKED, code, command.desk)
            )
            command = replace(command, naked=False)
        if self.state.control.state.killed_by != command.by or command.naked:  # as written
            self.state.record(facts.Killed(command.by, command.naked))
        yield LatchKill(command.by)
        done_apart(self.state, lambda: self.proposals.block_entries(f"killed by {command.by}"))
        for order in list(self.state.ledger.working()):
            yield from apart(self.state, partial(self._take_back, order, command))
        yield from apart(self.state, self.take_back_others)
        self.state.sightings.books_are_wanted = True

    def _may_uncover(self, command: commands.Kill) -> bool:
        return self.state.desks.may_loosen(command.desk) and not command.came_late

    def _take_back(self, order: Order, command: commands.Kill) -> Iterator[Effect]:
        """Cancel an order for the kill, even a stop being cancelled for another reason: it is not restored."""
        is_asked_for, why = self._goes(order, command), f"killed by {command.by}"
        if is_asked_for:
            self.state.sightings.asked_by_kill.add(order.id)
        is_for_another = command.naked and order.is_protective and order.cancel_code is not CancelCode.KILLED
        if is_asked_for and (is_for_another or not order.is_cancelling):
            yield from self.cancellation.cancel(order, why, CancelCode.KILLED)
        elif is_asked_for and order.status is not OrderStatus.PENDING:  # pressing the key again requests it again
            yield CancelOrder(order.id, order.broker_order_id)

    def _goes(self, order: Order, command: commands.Kill) -> bool:
        is_guard = order.is_protective and not self.state.ledger.legs.is_held(order)
        opens = not order.only_reduces or only_opens(self.state.ledger, order, self.state.told_at_a_kill)
        if is_guard and order.remaining <= unanswered_exits(self.state.ledger, order):
            opens = False  # it is only too large: it comes back if the broker refuses the exit beside it
        return opens or (command.naked and is_guard)

    def take_back(self) -> Iterator[Effect]:
        """Cancel what a kill cancels and that still works, at each comparison of the books.

        A crash may have kept the kill and lost the cancels recorded behind it.
        """
        control = self.state.control
        if control.killed_by is None:
            return
        for order in list(self.state.ledger.working()):
            command = commands.Kill(control.killed_by, naked=control.is_naked(order.created_at))
            if not order.is_cancelling and self._goes(order, command):
                yield from apart(self.state, partial(self._take_back, order, command))
        yield from self.take_back_others()

    def take_back_others(self) -> Iterator[Effect]:
        """Cancel external orders that could open while killed."""
        for other in self._others_that_go():
            self.state.sightings.asked_by_kill.add(other.broker_order_id)
            if not other.is_cancelling:
                yield _taken_back(other)

    def _others_that_go(self) -> tuple[OtherOrder, ...]:
        """Return the external orders to cancel. An unreadable one may be a stop: it goes only if NAKED was typed."""
        if self.state.control.killed_by is None:
            return ()
        is_naked = self.state.control.naked_at is not None
        return tuple(one for one in self.state.sightings.all_others if one.may_open and (is_naked or not one.is_unread))

    # ── while nothing can be recorded ────────────────────────────────────────────────────────────────────────────────

    def without_disk(self, message: Input) -> list[Effect]:
        """Send the cancels of a kill, and at each later fetch of the books, although no record can be kept (SP-06)."""
        if isinstance(message, BooksFetched):
            return [*self._ours_that_go(message.answer), *self.take_back_others()]
        if isinstance(message, commands.Kill):
            return self._kill_without_disk(message)
        return self.due()

    def _kill_without_disk(self, command: commands.Kill) -> list[Effect]:
        if not self._may_uncover(command):
            command = replace(command, naked=False)
        self.state.sightings.disk.kill(command.by, self.state.at, naked=command.naked)
        self._next_look = self.state.at + LOOKS_AGAIN
        self._unlisted.clear()
        ours = [o for o in self.state.ledger.working() if self._goes(o, command)]
        self.state.sightings.asked_by_kill.update(order.id for order in ours)
        return [
            LatchKill(command.by),
            *(CancelOrder(order.id, order.broker_order_id) for order in ours),
            *self.take_back_others(),
            FetchBooks(),
        ]

    def _ours_that_go(self, books: BrokerBooks | NoAnswer) -> list[Effect]:
        """Return another cancel of each order that the kill cancels and that may work, and plan the next look.

        An order that the books do not list is cancelled in the first of them. Afterwards the books are looked into less
        often, in case it arrives late.
        """
        control, orders = self.state.control, None if isinstance(books, NoAnswer) else books.orders
        listed = {report.client_order_id: report for order in orders or () for report in (order, *order.legs)}
        cancels: list[Effect] = []
        has_unlisted = False
        for order in self.state.ledger.working() if control.killed_by is not None else ():
            command = commands.Kill(control.killed_by or "", naked=control.is_naked(order.created_at))
            report = listed.get(order.id)
            is_over = report is not None and report.status is not None and report.status.is_terminal
            if is_over or not self._goes(order, command):
                continue
            if orders is not None and report is None:
                has_unlisted = True
                self._unlisted[order.id] += 1
            if self._unlisted[order.id] <= LOOKS_FOR_UNLISTED:
                cancels.append(CancelOrder(order.id, order.broker_order_id))
        self._next_look = self.state.at + LOOKS_AGAIN
        if orders is not None and not cancels and not self._others_that_go():
            self._next_look = self.state.at + LATER_LOOKS if has_unlisted else None
        return cancels

    def next_due(self) -> Iterator[datetime]:
        """Yield when the books are looked into again for a kill without a record: a cancel may have been lost."""
        is_unwritten = self.state.sightings.disk.trouble is not None and self.state.control.killed_by is not None
        if is_unwritten and self._next_look is not None:
            yield self._next_look

    def due(self) -> list[Effect]:
        """Look into the books if it is time."""
        if not any(self.state.at >= at for at in self.next_due()):
            return []
        self._next_look = self.state.at + LOOKS_AGAIN
        return [FetchBooks()]

    @answers(commands.Rearm)
    def on_rearm(self, command: commands.Rearm) -> Iterator[Effect]:
        """Re-arm after the typed word, given with the orders in doubt on screen: such an order may work.

        Orders that NAKED held back are allowed again: the books are fetched at once, and fills without a stop get one.
        """
        if command.word != REARM or self.state.control.killed_by is None:
            return
        unasked = [o for o in self.state.ledger.working() if self._is_unknown(o) and o.id not in command.despite]
        if unasked:
            named = ", ".join(order_in_words(order.request) for order in unasked)
            self.state.record(facts.RearmRefused(f"{named} in doubt; wait for the broker's word, or type REARM again"))
            return
        self.state.record(facts.Rearmed())
        self.state.sightings.asked_by_kill.clear()
        self.state.sightings.disk.rearm()
        yield ReleaseKill()
        self.state.sightings.books_are_wanted = True

    def _is_unknown(self, order: Order) -> bool:
        """Whether it is in doubt, or an entry that has left and has no answer yet."""
        has_left = order.status is OrderStatus.PENDING and not self.state.sightings.departing.is_here(order)
        return self.state.ledger.chains.is_in_doubt(order) or (has_left and not order.only_reduces)


def _taken_back(other: OtherOrder) -> CancelOrder:
    return CancelOrder(other.client_order_id or ClientOrderId(""), other.broker_order_id)
