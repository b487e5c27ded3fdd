"""Reconciliation, as a procedure (EX-09): before anything trades, after each gap of the order stream, after a late
fill, every minute of a session, and of the extended hours around it while anything may happen in them.

1. Ask for the broker's books: account, positions, open orders and those closed of late. One question at a time, and
   never two close together: what is wanted meanwhile is asked once, after it.
2. No answer: before the first agreement, or several times in a row, the desk is read-only. It is asked again. A broker
   that states that it takes no requests for a while (429) is not silent, until several comparisons are missing.
3. Orders that we know and the broker lists: what we missed is taken in.
4. Orders of ours that it does not list, or whose request is half done: looked up by our own id.
5. Before the first agreement of a run: orders with our form of id that the journal does not know say that this folder
   is older than its account. The desk is read-only until a person accepts them.
6. Net quantities by symbol. Where an order in doubt or on its way, or a fill that came meanwhile, may explain a
   difference, the next comparison decides. So it does where one of ours was given up that the broker does not list:
   its request may have arrived since, longer ago than the list reaches, and it is looked up once more. An order that
   no look-up finds does not end for a minute while a fill of it may be the difference.
7. Where the broker shows less than ours, one reading is no proof: until two of them agree, ten seconds apart, and no
   order of the broker's own contradicts them, the desk is read-only and nothing is sent. What orders of others filled
   since the last agreement explains it at once. What nothing explains, and a stop of ours at the broker contradicts,
   waits for a person: no protection is taken back for it.
8. Beyond the limits nothing is corrected: the desk is read-only, says why, and asks again. What is owed in symbols
   that agree, stops and closes that are under way, goes all the same.
9. Within them the broker is right: our position is corrected, and the correction recorded. Where several hold the
   symbol each keeps its shares and its stop; what nobody here bought is nobody's in particular. What an order that
   the broker lacked may have bought is its owner's; where the fill is told later, the correction is undone first.
10. A strategy that is to be flat by the close and holds over it is an error; its exit is staged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from core.execution import order_states
from core.execution.other_orders import others_in
from core.execution.position_correction import owners_after
from core.execution.reconciliation import Comparison, OrderListing, ReconciliationError, reported, unknown_order
from core.facts import (
    ConfirmationRefused,
    OwnerShare,
    PositionCorrected,
    ReconciliationFailed,
    ReconciliationPassed,
    Source,
    SubmissionBlocked,
    UnknownOrdersAccepted,
    UnknownOrdersFound,
)
from core.messages.effects import Effect, FetchPicture, SubmitOrder
from core.messages.inputs import AcceptBroker, PictureFetched
from core.model.broker import BrokerPicture, NoAnswer, OrderReport
from core.model.codes import ReadOnlyCode
from core.model.installation import renamed
from core.model.order import OrderStatus, Side
from core.model.reconciliation import Difference
from core.model.said_once import is_news
from core.model.values import NO_SHARES, ZERO, BrokerOrderId, Price, Quantity, Symbol, plain
from core.ports import JournalError
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers, follows
from core.workflows.base.isolation import apart, done_apart
from core.workflows.day.overnight_positions import OvernightPositions
from core.workflows.operator.kill_switch import KillSwitchWorkflow
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.unsent_orders import UnsentOrders
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.protection.expired_exits import ExpiredExits
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.protection.stop_renewal import StopRenewal
from core.workflows.reconciliation.listed_orders import ListedOrders
from core.workflows.reconciliation.reconciliation_times import ReconciliationTimes

WAY_OUT = "leave and run `keyturn reconcile --accept-broker`, or mend it at the broker"
"""What every reason ends with that no later comparison mends by itself."""

APART = timedelta(seconds=10)
"""Between two readings of the broker's books that prove that shares are gone (EX-09)."""
LISTED = 5
"""Orders that a reason names."""
NOTHING_HELD = "the broker's books show nothing to close"


class Reconciliation:
    """Asks for the broker's books, and makes ours agree with them or says why it does not."""

    def __init__(
        self,
        state: TradingState,
        listed_orders: ListedOrders,
        protective_stops: ProtectiveStops,
        position_close: PositionClose,
        excess_exits: ExcessExits,
        stop_renewal: StopRenewal,
        expired_exits: ExpiredExits,
        unsent_orders: UnsentOrders,
        kill_switch: KillSwitchWorkflow,
        overnight: OvernightPositions,
    ) -> None:
        self.state = state
        self.listed_orders = listed_orders
        self.protective_stops = protective_stops
        self.position_close = position_close
        self.excess_exits = excess_exits
        self.stop_renewal = stop_renewal
        self.expired_exits = expired_exits
        self.unsent_orders = unsent_orders
        self.kill_switch = kill_switch
        self.overnight = overnight
        self.times = ReconciliationTimes(state)
        self._unanswered = 0
        self._nets_when_asked: dict[Symbol, Quantity] | None = None
        self._listing = OrderListing()
        self._shrunk: dict[Symbol, tuple[datetime, Quantity]] = {}
        self._filled_by_others: dict[BrokerOrderId, tuple[Symbol, Side, Quantity]] | None = None
        self._is_unproven = False

    # ── 1. asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self) -> Iterator[Effect]:
        """Now, whatever else is on its way; and again where nothing comes."""
        self.times.asks()
        self.state.sightings.books_are_wanted = False
        self._nets_when_asked = self._nets()
        yield FetchPicture()

    def settle(self, _asked: list[Effect]) -> Iterable[Effect]:
        """Wanted by whatever happened: as soon as what is on its way has come and the last question lies far enough
        back.
        """
        if not self.state.sightings.books_are_wanted:
            return ()
        self.state.sightings.books_are_wanted = False
        return self.ask() if self.times.may_ask_now() else ()

    def _nets(self) -> dict[Symbol, Quantity]:
        ledger = self.state.ledger
        return {position.symbol: ledger.net_quantity(position.symbol) for position in ledger.positions()}

    # ── 2. the answer ────────────────────────────────────────────────────────────────────────────────────────────

    @answers(PictureFetched)
    def on_picture(self, reply: PictureFetched) -> Iterator[Effect]:
        self.times.answered()
        if isinstance(reply.answer, NoAnswer):
            self._not_answered(reply.answer.reason, reply.answer.limited_seconds)
            return
        yield from self._compare(reply.answer)

    def _not_answered(self, reason: str, limited_seconds: float | None = None) -> None:
        """An agreement of this run outlives a question or two that nobody answered."""
        limits = self.state.control.settings.reconciliation
        self.times.again(limited_seconds)
        if limited_seconds is not None and self._is_waited_out():
            return
        self._unanswered += 1
        if self.state.control.state.is_reconciled and self._unanswered < limits.max_unanswered:
            return
        words = f"the broker cannot be reached: {reason}; asked again every {limits.again_seconds} s"
        self._fail((words,), ReadOnlyCode.UNREACHABLE)

    def _is_waited_out(self) -> bool:
        """The broker is there and takes no requests for a while: no silence, unless the books are missing for long."""
        limits = self.state.control.settings.reconciliation
        longest = timedelta(seconds=float(limits.every_seconds) * limits.max_unanswered)
        seen_at = self.state.sightings.books_at
        return self.state.control.state.is_reconciled and seen_at is not None and self.state.at - seen_at < longest

    def _compare(self, picture: BrokerPicture) -> Iterator[Effect]:
        """Steps 3 to 10."""
        self.state.sightings.books_at = self.state.at
        self.state.sightings.held_by_the_broker = {p.symbol: p.quantity for p in picture.positions}
        comparison = self._beside(picture)
        self._unanswered = 0
        faults = self.state.sightings.faults
        unknown = self._unknown(comparison)  # before anything is written that may have the name of one of these
        follows = list(self.listed_orders.take_in(comparison))
        self.state.sightings.others = comparison.others()
        without_ours = replace(picture, unreadable=comparison.unread_of_others())
        self.state.sightings.all_others = tuple(others_in(without_ours, self.state.sightings.others, self.state.ledger))
        self.state.sightings.foreign_positions = picture.foreign_positions
        positions = comparison.positions()
        self.state.sightings.unread_positions = comparison.unknown()
        self.state.sightings.differing = comparison.unknown() | {d.symbol for d in positions}
        self.state.sightings.apart, self.state.sightings.gone = {}, frozenset()
        self._is_unproven = False
        follows += self.listed_orders.look_up_what_was_given_up({d.symbol for d in positions}, comparison)
        waits_for = [d.symbol for d in positions if self._may_be_explained(d.symbol, comparison)]
        self._nets_when_asked = None
        if unknown:
            self.times.again()
            self._is_unproven = True
            listed = {*comparison.orders(), *map(unknown_order, unknown)}
            found = (*positions, *sorted(listed, key=lambda each: (each.symbol, each.note)))
            self._fail((_older(unknown),), ReadOnlyCode.OLDER, found)
        elif waits_for or (positions and self.state.sightings.faults > faults):  # perhaps it was not taken in whole
            self.times.again()
            self._say_what_is_open([d.symbol for d in positions])
        elif unproven := self._unproven(positions, comparison):
            self.times.again()
            self._fail(unproven, ReadOnlyCode.UNPROVEN, (*positions, *comparison.orders()))
        else:
            try:
                yield from self._judge(comparison, positions, follows)
            except ReconciliationError:
                yield from follows
                yield from apart(self.state, self.kill_switch.take_back_others)
                yield from self._give_what_is_owed()
                return
            except JournalError:
                raise
            except Exception:  # what was asked for before is asked for all the same
                yield from follows
                raise
        yield from follows
        yield from apart(self.state, self.kill_switch.take_back_others)
        yield from self._give_what_is_owed()

    def _give_what_is_owed(self) -> Iterator[Effect]:
        """What was kept, stops of fills, closes, what was taken off stops: none waits for other symbols' books."""
        yield from apart(self.state, self.unsent_orders.send)
        yield from apart(self.state, partial(self.protective_stops.resume, self._too_far))
        yield from apart(self.state, partial(self.position_close.go_on, self._too_far))
        yield from self._renew()

    @follows(ConfirmationRefused)
    def after_refusal(self, fact: ConfirmationRefused) -> Iterable[Effect]:
        """What an exit was to sell is nobody's again: where it waited unprotected for that, it is guarded at once."""
        confirmation = self.state.stage.state.confirmations.get(fact.ticket_id)
        return self._guard() if confirmation is not None and confirmation.proposal.only_reduces else ()

    def _guard(self) -> Iterator[Effect]:
        """Between two looks: what waited for an exit that sells nothing after all gets its stop at once."""
        yield from apart(self.state, partial(self.protective_stops.resume, self._too_far))
        yield from self._renew()

    def _renew(self) -> Iterator[Effect]:
        """What was cut off stops comes back with its shares; what a crash kept from being asked for is asked for."""
        yield from apart(self.state, self.excess_exits.after_comparison)
        done_apart(self.state, self.stop_renewal.resume)
        done_apart(self.state, self.expired_exits.resume)
        yield from apart(self.state, partial(self.protective_stops.give_what_is_due, self.state.sightings.differing))

    @property
    def _too_far(self) -> frozenset[Symbol]:
        sightings = self.state.sightings
        is_any_too_far = sightings.apart or sightings.gone or self._is_unproven
        return sightings.differing if is_any_too_far else sightings.unread_positions

    def _judge(
        self, comparison: Comparison, positions: Sequence[Difference], follows: list[Effect]
    ) -> Iterator[Effect]:
        """The broker is right; of what `follows`, what that makes needless goes.

        Raises ReconciliationError, once it is said, where that is for a person to say.
        """
        found = (*positions, *comparison.orders(), *self.overnight.differences())
        try:
            comparison.require_within_limits(positions)
        except ReconciliationError as error:
            self.times.again()
            self.state.sightings.apart, self.state.sightings.gone = (
                comparison.quantities_apart(positions),
                comparison.gone(positions),
            )
            self._fail(tuple(f"{reason}; {WAY_OUT}" for reason in error.args), ReadOnlyCode.APART, found)
            raise
        self._pass(tuple(self._correct(d, comparison) for d in positions), found)
        self._shrunk, self._filled_by_others = {}, comparison.filled_by_others()
        self.state.sightings.differing = comparison.unknown()
        for difference in positions:
            follows[:] = [effect for effect in follows if not self._calls_off(effect, difference.symbol)]
            yield from apart(self.state, partial(self.protective_stops.after_correction, difference.symbol))
        self.overnight.stage_exits()

    def _beside(self, picture: BrokerPicture) -> Comparison:
        limits = self.state.control.settings.reconciliation
        return Comparison(self.state.ledger, picture, limits, self._listing)

    # ── 6. what may explain itself ───────────────────────────────────────────────────────────────────────────────

    def _may_be_explained(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether the next comparison decides: an order may explain it, or fills came while the books were fetched, so
        that their positions may be older than their orders.
        """
        before = self._nets_when_asked
        if before is not None and before.get(symbol, ZERO) != self.state.ledger.net_quantity(symbol):
            return True
        return self.listed_orders.may_explain(symbol, comparison)

    def _say_what_is_open(self, differing: list[Symbol]) -> None:
        """Before the first agreement the desk says what it waits for; later it trades on meanwhile."""
        if not self.state.control.state.is_reconciled:
            named = ", ".join(differing)
            words = f"{named}: the broker's books and ours differ, and an order on its way may explain it; asked again"
            self._fail((words,), ReadOnlyCode.UNDECIDED)

    # ── 5. a folder older than its account ───────────────────────────────────────────────────────────────────────

    def _unknown(self, comparison: Comparison) -> tuple[OrderReport, ...]:
        """Orders with our form of id that the journal does not know (EX-24), until a person has accepted them.

        They are looked for before the first agreement of a run. The installation gets another name at once: an exit
        that is confirmed meanwhile must not bear the id of one of these.
        """
        control = self.state.control.state
        waiting = set(control.unknown_orders)
        if self._filled_by_others is None:
            new = tuple(r.client_order_id for r in comparison.unknown_of_ours() if self._is_news(r))
            if new:
                causes = (*map(str.encode, new), self.state.at.isoformat().encode())
                self.state.record(UnknownOrdersFound(new, renamed(control.installation or "", *causes)))
                waiting.update(new)
        return tuple(report for report in comparison.picture.orders if report.client_order_id in waiting)

    def _is_news(self, report: OrderReport) -> bool:
        """Not what was accepted before, or what a reset or a restore had forgotten (SP-04)."""
        control = self.state.control
        if report.client_order_id in {*control.state.unknown_orders, *control.state.accepted_orders}:
            return False
        return report.accepted_at is None or not control.is_forgotten(report.accepted_at)

    # ── 7. what one reading does not prove ───────────────────────────────────────────────────────────────────────

    def _unproven(self, positions: Sequence[Difference], comparison: Comparison) -> tuple[str, ...]:
        """Why nothing is corrected yet; empty where all that is gone is proven or explained."""
        gone = [difference for difference in positions if comparison.shrinks(difference)]
        self._shrunk = {d.symbol: self._shrunk[d.symbol] for d in gone if d.symbol in self._shrunk}
        words = tuple(word for difference in gone if (word := self._why_unproven(difference, comparison)))
        self._is_unproven = bool(words)
        return words

    def _why_unproven(self, difference: Difference, comparison: Comparison) -> str:
        symbol = difference.symbol
        ours, theirs = self.state.ledger.net_quantity(symbol), comparison.theirs(symbol)
        true = theirs.quantity if theirs else Quantity(ZERO)
        since, seen = self._shrunk.get(symbol, (self.state.at, true))
        since = since if seen == true else self.state.at
        self._shrunk[symbol] = since, true
        if self._sold_by_others(symbol, comparison, Side.SELL if ours > 0 else Side.BUY) >= abs(ours - true):
            return ""
        said = f"{symbol}: the broker says {plain(true)}, our books have {plain(ours)}"
        if (order := comparison.contradicting(symbol)) is not None:
            rests = f"its own list has our {order.request.side.value} {order.request.type.value}"
            return f"{said}, but {rests} of {plain(order.remaining)}; nothing is taken back; {WAY_OUT}"
        if self.state.at - since < APART:
            return f"{said}; read again in {APART.total_seconds():g} s before it is believed"
        return ""

    def _sold_by_others(self, symbol: Symbol, comparison: Comparison, side: Side) -> Quantity:
        """What orders that are not this desk's have filled since the last agreement; before the first one of this run
        nobody knows which of it was counted already, and none of it explains anything.
        """
        if self._filled_by_others is None:
            return NO_SHARES
        sold = ZERO
        for order_id, (of, way, filled) in comparison.filled_by_others().items():
            before = self._filled_by_others.get(order_id)
            if (of, way) == (symbol, side):
                sold += filled - (before[2] if before is not None else ZERO)
        return Quantity(sold)

    # ── 8 and 9. the verdict ─────────────────────────────────────────────────────────────────────────────────────

    def _calls_off(self, effect: Effect, symbol: Symbol) -> bool:
        """Whether this is an exit that our books called for before they were corrected, with nothing left to close."""
        order = self.state.ledger.order(effect.order.client_order_id) if isinstance(effect, SubmitOrder) else None
        if order is None or order.request.symbol != symbol or not self.protective_stops.is_loose(order):
            return False
        self.state.record(SubmissionBlocked(order.id, NOTHING_HELD))
        self.state.record(order_states.change(order, OrderStatus.CANCELLED, Source.DESK, None, NOTHING_HELD))
        return True

    @answers(AcceptBroker)
    def on_accept(self, command: AcceptBroker) -> Iterator[Effect]:
        """The deliberate way out: a person takes the broker's word, and the limits do not count."""
        comparison = self._beside(command.picture)
        positions = comparison.positions()
        corrections = tuple(f"{self._correct(d, comparison)}; taken over by the operator" for d in positions)
        unknown = tuple(report.client_order_id for report in comparison.unknown_of_ours())
        if unknown != self.state.control.state.accepted_orders:
            self.state.record(UnknownOrdersAccepted(unknown))
        self.state.record(ReconciliationPassed(corrections, (*positions, *comparison.orders())))
        self.state.sightings.differing, self.state.sightings.apart, self.state.sightings.gone = (
            comparison.unknown(),
            {},
            frozenset(),
        )
        for difference in positions:
            yield from apart(self.state, partial(self.protective_stops.after_correction, difference.symbol))
        yield from self._renew()

    def _correct(self, difference: Difference, comparison: Comparison) -> str:
        """The broker is right."""
        theirs = comparison.theirs(difference.symbol)
        ours = self.state.ledger.net_quantity(difference.symbol)
        true = theirs.quantity if theirs else Quantity(ZERO)
        average, is_split = theirs.average_price if theirs else None, bool(difference.note)
        owners = owners_after(self.state.ledger, difference.symbol, true, average, is_split=is_split)
        if not ours and not owners and average is not None:
            owners = self._taken_for_a_lost_order(difference.symbol, true, average, comparison)
        reason = f"{difference.symbol}: the broker has {true}, our books had {ours}"
        if len(owners) > 1:
            reason += f"; now {', '.join(f'{share.strategy} has {plain(share.quantity)}' for share in owners)}"
        self.state.record(PositionCorrected(difference.symbol, true, average, reason, owners, is_split))
        return reason

    def _taken_for_a_lost_order(
        self, symbol: Symbol, true: Quantity, average: Price, comparison: Comparison
    ) -> tuple[OwnerShare, ...]:
        """What an order of ours may have bought that the broker lacked is its owner's, and keeps its stop (EX-13)."""
        if self._sold_by_others(symbol, comparison, Side.BUY if true > 0 else Side.SELL):
            return ()
        owner = self.listed_orders.order_recovery.owner_of(symbol, true)
        return () if owner is None else (OwnerShare(owner, true, average),)

    def _pass(self, corrections: tuple[str, ...], found: tuple[Difference, ...]) -> None:
        """Told where it is news: after a start, with a correction, or where other things differ than before."""
        state = self.state.control.state
        if corrections or not state.is_reconciled or found != state.differences:
            self.state.record(ReconciliationPassed(corrections, found))

    def _fail(self, reasons: tuple[str, ...], code: ReadOnlyCode, found: tuple[Difference, ...] = ()) -> None:
        state = self.state.control.state
        if state.is_reconciled or is_news(reasons, state.read_only_because):
            self.state.record(ReconciliationFailed(reasons, found, code))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if (at := self.times.next()) is not None:
            yield at

    def due(self) -> Iterable[Effect]:
        at = self.times.next()
        return self.ask() if at is not None and self.state.at >= at else ()


def _older(unknown: Sequence[OrderReport]) -> str:
    named = "; ".join(f"{reported(each)} {each.symbol} {each.raw_status}" for each in unknown[:LISTED])
    more = f" and {len(unknown) - LISTED} more" if len(unknown) > LISTED else ""
    return (
        f"{len(unknown)} orders at the broker are Keyturn's and not in this journal ({named}{more}): this folder is "
        f"older than its account, or another Keyturn trades it; {WAY_OUT}"
    )
