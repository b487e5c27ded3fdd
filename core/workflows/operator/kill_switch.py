"""Halt, kill, resume, re-arm (OP-07). A halt stops what is new; a kill takes back what could open, and stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from core.execution.excess_exits import only_opens
from core.execution.order import Order
from core.execution.other_orders import OtherOrder
from core.facts import CommandRefused, Halted, Killed, OtherTakenBack, Rearmed, RearmRefused, Resumed
from core.messages.commands import Halt, Kill, Rearm, Resume
from core.messages.effects import CancelOrder, Effect, FetchPicture, LatchKill, ReleaseKill
from core.messages.inputs import Input, PictureFetched
from core.model.codes import CancelCode, Denial, HaltCause
from core.model.order import OrderStatus
from core.model.order_text import order_in_words
from core.model.values import BrokerOrderId, ClientOrderId
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.base.isolation import apart, done_apart
from core.workflows.orders.cancellation import Cancellation
from core.workflows.staging.proposals import Proposals

REARM = "REARM"
"""What must be typed in full."""
NO_NAKED = "only the desk that holds the key cancels protective stops: killed, and they stay; T takes the key"

NAKED_LATE = "the engine stood still while NAKED was on its way: killed, and the stops stay; type it again"


class KillSwitchWorkflow:
    def __init__(self, state: TradingState, cancellation: Cancellation, proposals: Proposals) -> None:
        self.state = state
        self.cancellation = cancellation
        self.proposals = proposals
        self._taken_back: set[BrokerOrderId] = set()

    @answers(Halt)
    def on_halt(self, command: Halt) -> Iterable[Effect]:
        control = self.state.control
        self.state.sightings.presses += 1
        if control.killed_by is None and HaltCause.KEY not in control.halts:
            self.state.record(Halted(HaltCause.KEY, f"by {command.by}"))
        return ()

    @answers(Resume)
    def on_resume(self, command: Resume) -> Iterable[Effect]:
        """Ends what the key halted, and what the want of one did; what an invariant or a night did only where a person
        says so in full.
        """
        in_full = (HaltCause.INVARIANT, HaltCause.RETIRED) if command.everything else ()
        for cause in (HaltCause.KEY, HaltCause.UNATTENDED, *in_full):
            if cause in self.state.control.halts:
                self.state.record(Resumed(cause))
        return ()

    @answers(Kill)
    def on_kill(self, command: Kill) -> Iterator[Effect]:
        """Latched first; then everything that could open is taken back, on the stage and at the broker.

        A desk without the key kills, and uncovers nothing: its NAKED counts for a kill (OP-13). So does one that came
        late.
        """
        self.state.sightings.presses += 1
        if command.naked and not self._may_uncover(command):
            code = Denial.LATE if command.came_late else Denial.NOT_HOLDER
            self.state.record(CommandRefused("Kill", NAKED_LATE if command.came_late else NO_NAKED, code, command.desk))
            command = replace(command, naked=False)
        if self.state.control.state.killed_by != command.by or command.naked:  # as it is written
            self.state.record(Killed(command.by, command.naked))
        yield LatchKill(command.by)
        done_apart(self.state, lambda: self.proposals.block_entries(f"killed by {command.by}"))
        for order in list(self.state.ledger.working()):
            yield from apart(self.state, partial(self._take_back, order, command))
        yield from apart(self.state, self.take_back_others)
        self.state.sightings.books_are_wanted = True

    def _may_uncover(self, command: Kill) -> bool:
        return self.state.desks.may_loosen(command.desk) and not command.came_late

    def _take_back(self, order: Order, command: Kill) -> Iterator[Effect]:
        """A stop that is on its way out for another reason goes for this one: it does not come back."""
        is_asked_for, why = self._goes(order, command), f"killed by {command.by}"
        is_for_another = command.naked and order.is_protective and order.cancel_code is not CancelCode.KILLED
        if is_asked_for and (is_for_another or not order.is_cancelling):
            yield from self.cancellation.cancel(order, why, CancelCode.KILLED)
        elif is_asked_for and order.status is not OrderStatus.PENDING:  # the key again asks again
            yield CancelOrder(order.id, order.broker_order_id)

    def _goes(self, order: Order, command: Kill) -> bool:
        is_guard = order.is_protective and not self.state.ledger.legs.is_held(order)
        opens = not order.only_reduces or only_opens(self.state.ledger, order, self.state.told_at_a_kill)
        return opens or (command.naked and is_guard)

    def take_back_others(self) -> Iterator[Effect]:
        """What others sent and could open, while killed: again at each look into the broker's books."""
        by = self.state.control.killed_by
        for other in self._others_that_go():
            if other.broker_order_id not in self._taken_back:
                self._taken_back.add(other.broker_order_id)
                self.state.record(OtherTakenBack(other.broker_order_id, other.words, f"killed by {by}"))
            yield _taken_back(other)

    def _others_that_go(self) -> tuple[OtherOrder, ...]:
        """One that cannot be read may be somebody's stop: it is named, and goes where NAKED was typed."""
        if self.state.control.killed_by is None:
            return ()
        is_naked = self.state.control.naked_at is not None
        return tuple(one for one in self.state.sightings.all_others if one.may_open and (is_naked or not one.is_unread))

    # ── while nothing can be written ─────────────────────────────────────────────────────────────────────────────

    def without_disk(self, message: Input) -> list[Effect]:
        """The cancels of a kill go although no record of them can be kept: of the key itself, and of each look into the
        broker's books after it (SP-06).
        """
        if isinstance(message, PictureFetched):
            return [_taken_back(other) for other in self._others_that_go()]
        if not isinstance(message, Kill):
            return []
        if not self._may_uncover(message):
            message = replace(message, naked=False)
        self.state.sightings.disk.kill(message.by, self.state.at, naked=message.naked)
        ours = [o for o in self.state.ledger.working() if self._goes(o, message)]
        return [
            LatchKill(message.by),
            *(CancelOrder(order.id, order.broker_order_id) for order in ours),
            *(_taken_back(other) for other in self._others_that_go()),
            FetchPicture(),
        ]

    @answers(Rearm)
    def on_rearm(self, command: Rearm) -> Iterator[Effect]:
        """The word, typed in sight of what is in doubt: such an order may work, and a desk that trades meets it.

        What NAKED kept back holds again: the books are looked into at once, and fills that are owed their stop get it.
        """
        if command.word != REARM or self.state.control.killed_by is None:
            return
        unasked = [o for o in self.state.ledger.working() if self._is_unknown(o) and o.id not in command.despite]
        if unasked:
            named = ", ".join(order_in_words(order.request) for order in unasked)
            self.state.record(RearmRefused(f"{named} in doubt; wait for the broker's word, or type REARM again"))
            return
        self.state.record(Rearmed())
        self.state.sightings.disk.rearm()
        yield ReleaseKill()
        self.state.sightings.books_are_wanted = True

    def _is_unknown(self, order: Order) -> bool:
        """In doubt; or it opens, has left, and has no answer yet."""
        has_left = order.status is OrderStatus.PENDING and not self.state.sightings.departing.is_here(order)
        return self.state.ledger.chains.is_in_doubt(order) or (has_left and not order.only_reduces)


def _taken_back(other: OtherOrder) -> CancelOrder:
    return CancelOrder(other.client_order_id or ClientOrderId(""), other.broker_order_id)
