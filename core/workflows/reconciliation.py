"""Reconcile our books with the broker's (EX-09).

It runs before anything trades, after each gap of the order stream, after a late fill, every minute of a session, and in
the extended hours around it while anything may happen in them.

1. Request the broker's books: account, positions, open orders and recently closed ones. One request at a time, with a
   minimum distance; requests in between are merged into the next.
2. Without an answer the desk is read-only before the first agreement, or after several failures in a row, and asks
   again. A broker with a stated rate limit (429) counts as reachable until several comparisons are missing. If the keys
   are of another account by now, the desk is read-only at once, and nothing of that account is taken in.
3. Take in missed news of orders that both we and the broker list.
4. Look up by client order id our orders that it does not list, or whose request is half done.
5. Before the first agreement of a run: orders with our form of id that the journal does not know show that this folder
   is older than its account. The desk is read-only until a person accepts them.
6. Compare net quantities by symbol. Fills that the broker took back are taken back here: with its own event at once,
   else once two readings ten seconds apart show the order with fewer fills and the position without these shares. If
   an order in doubt or in flight, or a recent fill, may explain a difference, the next comparison decides, and nothing
   opens in the symbol. After 60 s and two comparisons it explains nothing any more: the desk is read-only, and a person
   decides. The next comparison decides too if one of our orders was given up and the broker does not list it: its
   request may have arrived since, longer ago than the list reaches, and it is looked up once more. An order that no
   look-up finds does not end for a minute while a fill of it may be the difference.
7. If the broker shows less than our books, one reading is no proof: until two agree, ten seconds apart, and no order in
   the broker's own list contradicts them, the desk is read-only and sends nothing. Fills of external orders since the
   last agreement explain it at once. A difference without an explanation that one of our stops at the broker
   contradicts waits for a person: no protection is cancelled for it. A list of positions may be from before our last
   fill: a difference that this explains, also more shares than ours, is not believed until that fill is a minute old.
8. Beyond the limits nothing is corrected: the desk is read-only, states why, and asks again. Stops and closes that are
   owed or under way in symbols that agree go on.
9. Within the limits the broker is right: our position is corrected, and the correction recorded. If several owners hold
   the symbol, each keeps its shares and its stop; shares that nobody here bought have no owner. Shares that an order
   missing at the broker may have bought belong to its owner; if the fill is reported later, the correction is undone
   first. Shares that were paid out and that two readings show again are their owners' as before.
10. A strategy that must be flat by the close but holds over it is an error; its exit is staged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from core import facts
from core.execution import order_status
from core.execution.corporate_actions import SpinOff
from core.execution.external_orders import others_in
from core.execution.ledger_state import UNKNOWN_OWNER
from core.execution.position_correction import back_from_payout, come_late, is_back, owners_after
from core.execution.reconciliation import (
    Comparison,
    OrderListing,
    ReconciliationError,
    may_work,
    reported,
    unknown_order,
)
from core.messages.commands import AcceptBooks
from core.messages.effects import Effect, FetchBooks, SubmitOrder
from core.messages.inputs import AcceptBroker, BooksFetched
from core.model.broker import BrokerBooks, NoAnswer, OrderReport
from core.model.codes import IdleCode, ProposalEnd, ReadOnlyCode
from core.model.desk import renamed
from core.model.order import OrderStatus, Side, StopHolder
from core.model.position import Position
from core.model.reconciliation import ACCEPT, APART, EXPLAINED_WITHIN, LAGS, LISTS_ALL, Difference
from core.model.text_sanitizer import is_news
from core.model.values import NO_SHARES, ZERO, BrokerOrderId, ClientOrderId, Price, Quantity, Symbol, plain
from core.ports import JournalError
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import see_trail
from core.workflows.broker_lists import ListedOrders, ReconciliationTimes
from core.workflows.corporate_actions import CorporateActions
from core.workflows.operator.kill_switch import KillSwitchWorkflow
from core.workflows.orders.closes_elsewhere import ClosesElsewhere
from core.workflows.orders.fill_reversals import FillReversals
from core.workflows.orders.order_updates import is_ours
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.unsent_orders import UnsentOrders
from core.workflows.protection.excess_exits import ExcessExits, ExpiredExits
from core.workflows.protection.owed_stops import OvernightPositions, StopRenewal
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.workflow import answers, apart, done_apart, follow_up, follows

WAY_OUT = "U accepts the broker's books (also `keyturn reconcile --accept-broker`), or correct it at the broker"
"""The end of each reason that no later comparison resolves."""

OTHER_ACCOUNT = (
    "nothing of it is taken in; set this account's own keys, or remove accounts.json beside the accounts' folders and "
    "start again: these keys then have a folder of their own"
)
"""The end of the reason while the keys are of another account."""
UNPRICED = "; the price of the missing shares is not known: no trade counts them"
"""The end of the reason of a correction that no fills of external orders account for (EX-18)."""
LISTED = 5
"""Orders that a reason names."""
SENT_BEFORE = "the broker has this order already: it was sent before this folder was restored"
UNLISTED = (
    "the broker lists none of the orders that this journal does not know any more; read again in "
    f"{APART.total_seconds():g} s before it is believed; {WAY_OUT}"
)
NOTHING_HELD = "the broker's books show nothing to close"


class Reconciliation:
    """Requests the broker's books, and makes ours agree with them or reports why not."""

    def __init__(
        self,
        state: TradingState,
        listed_orders: ListedOrders,
        fill_reversals: FillReversals,
        corporate_actions: CorporateActions,
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
        self.fill_reversals = fill_reversals
        self.corporate_actions = corporate_actions
        self.closes_elsewhere = ClosesElsewhere(state, listed_orders.order_updates)
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
        self._readings: dict[Symbol, tuple[datetime, Quantity]] = {}
        """Since when the broker has shown this quantity of a symbol that differs."""
        self._differing_since: dict[Symbol, datetime] = {}
        """Since when each of its readings has differed from our books, by whatever quantity."""
        self._doubted: frozenset[Symbol] = frozenset()
        self._filled_by_others: Mapping[BrokerOrderId, OrderReport] | None = None
        self._is_unproven = False
        self._accepted: frozenset[Difference] = frozenset()
        self._explained_since: dict[Symbol, tuple[datetime, int]] = {}
        self._unlisted_since: datetime | None = None

    # ── 1. asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self) -> Iterator[Effect]:
        """Request the books now, and again if nothing comes."""
        self.times.asks()
        self.state.sightings.books_are_wanted = False
        ledger = self.state.ledger
        self._nets_when_asked = {
            position.symbol: ledger.net_quantity(position.symbol) for position in ledger.positions()
        }
        yield FetchBooks()

    def settle(self, _asked: list[Effect]) -> Iterable[Effect]:
        """Request wanted books once the pending answer has come and the last request is long enough ago."""
        if not self.state.sightings.books_are_wanted:
            return ()
        self.state.sightings.books_are_wanted = False
        return self.ask() if self.times.may_ask_now() else ()

    # ── 2. the answer ────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(BooksFetched)
    def on_books(self, reply: BooksFetched) -> Iterator[Effect]:
        self.times.answered()
        was_answered, self.state.sightings.books_were_answered = self.state.sightings.books_were_answered, True
        yield from self.listed_orders.order_updates.record_interrupted()
        if not isinstance(reply.answer, NoAnswer):
            self.closes_elsewhere.end_interrupted()
            yield from self._compare(reply.answer)
            return
        self._accepted = frozenset()  # the word was for the reading that was asked for, not for a later one
        if reply.answer.is_other_account:
            self._keep_to_own(reply.answer.reason)
            return
        self._not_answered(reply.answer.reason, reply.answer.limited_seconds)
        if not was_answered:  # stops that waited for the first answer wait no longer
            yield from self._protect_and_close()

    def _keep_to_own(self, reason: str) -> None:
        """Be read-only while the keys are of another account: even a close would open a position there."""
        self.times.read_again()
        self.state.sightings.held_by_the_broker = {}
        self.state.sightings.differing = frozenset(position.symbol for position in self.state.ledger.positions())
        self._is_unproven = True
        self._fail((f"{reason}; {OTHER_ACCOUNT}",), ReadOnlyCode.OTHER_ACCOUNT)

    def _not_answered(self, reason: str, limited_seconds: float | None = None) -> None:
        """Note a missing answer; an agreement of this run survives one or two of them."""
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
        """Whether a rate limit is waited out: the broker is there, unless the books are missing for long."""
        limits = self.state.control.settings.reconciliation
        longest = timedelta(seconds=float(limits.every_seconds) * limits.max_unanswered)
        seen_at = self.state.sightings.books_at
        return self.state.control.state.is_reconciled and seen_at is not None and self.state.at - seen_at < longest

    def _see_others(self, comparison: Comparison) -> None:
        sightings, books = self.state.sightings, comparison.books
        sightings.others = comparison.others()
        if books.unreadable:
            books = replace(books, unreadable=comparison.unread_of_others())
        sightings.all_others = tuple(others_in(books, sightings.others, self.state.ledger))
        sightings.foreign_positions = books.foreign_positions

    def _see_trails(self, listing: OrderListing) -> None:
        for report in listing.trailing.values():
            if (order := self.state.order_of(report)) is not None:
                see_trail(self.state, order, report.stop_price)

    def _seen(self, books: BrokerBooks) -> Comparison:
        self.state.sightings.books_at = self.state.at
        self.state.sightings.held_by_the_broker = {p.symbol: p.quantity for p in books.positions}
        comparison = self._beside(books)
        self._unanswered = 0
        self._see_trails(comparison.listing)
        return comparison

    def _compare(self, books: BrokerBooks) -> Iterator[Effect]:
        """Run steps 3 to 10."""
        comparison = self._seen(books)
        faults = self.state.sightings.faults
        unknown = self._unknown(comparison)  # before a new record can use the id of one of these
        if not (is_unlisted := self._is_just_unlisted(unknown)):
            self.state.sightings.unaccepted = frozenset(r.symbol for r in unknown if r.filled_quantity or may_work(r))
        follows = list(self.listed_orders.take_in(comparison))
        self._see_others(comparison)
        if not unknown:
            follows += self.fill_reversals.take_back(comparison.positions(), comparison)
            if self.state.sightings.disputed:
                self.times.read_again()
        positions = self._positions(comparison, follows)
        refused = self.state.control.state.unlisted_orders
        if (accepted := self._taken_accepted()) and accepted >= {*positions, *map(unknown_order, unknown), *refused}:
            yield from follows
            yield from self._accept(comparison)
            return
        follows += self.listed_orders.look_up_what_was_given_up({d.symbol for d in positions}, comparison)
        explained = [d for d in positions if self._may_be_explained(d.symbol, comparison)]
        self._nets_when_asked = None
        overdue = self._overdue(explained, comparison)
        if unknown or is_unlisted or refused:
            self._fail_as_older(unknown, positions, comparison)
        elif overdue:
            self._is_unproven, self.state.sightings.gone = True, comparison.gone(positions)
            self._fail_as_unproven(overdue, positions, comparison)
            self._keep_exits_in_doubt()
        elif explained or (positions and self.state.sightings.faults > faults):  # perhaps not everything was taken in
            self.times.read_again()
            self._say_what_is_open([d.symbol for d in positions])
        elif unproven := self._unproven(positions, comparison):
            self._fail_as_unproven(unproven, positions, comparison)
        else:
            try:
                yield from self._judge(comparison, positions, follows)
            except ReconciliationError:
                yield from follows
                yield from apart(self.state, self.kill_switch.take_back)
                yield from self._give_what_is_owed()
                return
            except JournalError:
                raise
            except Exception:  # earlier effects are requested all the same
                yield from follows
                raise
        yield from follows
        yield from apart(self.state, self.kill_switch.take_back)
        yield from self._give_what_is_owed()

    def _positions(self, comparison: Comparison, follows: list[Effect]) -> tuple[Difference, ...]:
        """Return the positions that differ, after the splits that two readings prove; add the effects of those."""
        positions = comparison.positions()
        self._see_differences(positions, comparison)
        unexplained = [each for each in positions if not self._is_explained(each.symbol, comparison)]
        follows += self.corporate_actions.follow(unexplained, comparison, self._readings)
        if len(positions) > len(left := comparison.positions()):
            self._see_differences(left, comparison)
        return left

    def _see_differences(self, positions: Sequence[Difference], comparison: Comparison) -> None:
        self.state.sightings.unread_positions = comparison.unknown()
        self.state.sightings.differing = comparison.unknown() | {d.symbol for d in positions}
        before, now = self.state.sightings.splitting, [d.symbol for d in positions if d.note]
        self.state.sightings.splitting = {symbol: before.get(symbol, self.state.at) for symbol in now}
        self.state.sightings.apart, self.state.sightings.apart_once = {}, {}
        self.state.sightings.gone, self._is_unproven = frozenset(), False
        self._readings = {d.symbol: self._reading(d.symbol, comparison) for d in positions}
        self._differing_since = {d.symbol: self._differing_since.get(d.symbol, self.state.at) for d in positions}
        self._doubted &= self._readings.keys()

    def _reading(self, symbol: Symbol, comparison: Comparison) -> tuple[datetime, Quantity]:
        """Return the quantity of the broker's list, and since when it has shown this one."""
        theirs = comparison.theirs(symbol)
        true = theirs.quantity if theirs else NO_SHARES
        since, seen = self._readings.get(symbol, (self.state.at, true))
        return (since if seen == true else self.state.at), true

    def _give_what_is_owed(self) -> Iterator[Effect]:
        """Send kept orders, stops of fills, closes and restored stops; none waits for other symbols' books."""
        yield from apart(self.state, self.unsent_orders.send)
        yield from self._protect_and_close()
        yield from self._renew()

    def _protect_and_close(self) -> Iterator[Effect]:
        yield from apart(self.state, partial(self.protective_stops.resume, self._too_far))
        yield from apart(self.state, partial(self.position_close.go_on, self._too_far))

    @follows(facts.ConfirmationRefused)
    def after_refusal(self, fact: facts.ConfirmationRefused) -> Iterable[Effect]:
        """Protect shares whose exit was refused, if they waited unprotected for it."""
        confirmation = self.state.stage.state.confirmations.get(fact.ticket_id)
        return self._guard() if confirmation is not None and confirmation.proposal.only_reduces else ()

    def _guard(self) -> Iterator[Effect]:
        """Send stops between two comparisons for shares whose exit sells nothing."""
        yield from apart(self.state, partial(self.protective_stops.resume, self._too_far))
        yield from self._renew()

    def _renew(self) -> Iterator[Effect]:
        """Restore reduced stops with their shares, and request stops that a crash kept from being requested."""
        yield from apart(self.state, self.corporate_actions.cancel_what_is_of_before)
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
        """Correct our books, and drop effects in `follows` that the correction makes needless.

        Raises ReconciliationError, after recording it, if a person must decide.
        """
        found = (*positions, *comparison.orders(), *self.overnight.differences())
        try:
            comparison.require_within_limits(positions)
        except ReconciliationError as error:
            self.times.read_again()
            self.state.sightings.apart, self.state.sightings.gone = (
                comparison.quantities_apart(positions),
                comparison.gone(positions),
            )
            self._fail(tuple(f"{reason}; {WAY_OUT}" for reason in error.args), ReadOnlyCode.APART, found)
            raise
        corrections = (
            *(self._correct(d, comparison, self._unexplained(d, comparison), follows) for d in positions),
            *self._give_to_owners(comparison),
        )
        yield from follow_up(self.state, facts.CorporateActionApplied)
        self._pass(corrections, found)
        # Orders that a later list leaves out stay agreed: they explain nothing when they are listed again.
        self._filled_by_others = {**(self._filled_by_others or {}), **comparison.filled_by_others()}
        self._readings, self._differing_since, self._doubted = {}, {}, frozenset()
        self.state.sightings.differing = comparison.unknown()
        for difference in positions:
            follows[:] = [effect for effect in follows if not self._calls_off(effect, difference.symbol)]
            yield from apart(self.state, partial(self.protective_stops.after_correction, difference.symbol))
        self.overnight.stage_exits()

    def _beside(self, books: BrokerBooks) -> Comparison:
        limits = self.state.control.settings.reconciliation
        agreed_until = self.state.control.state.agreed_until
        return Comparison(
            self.state.ledger,
            books,
            limits,
            self._listing,
            is_the_same=partial(is_ours, self.state),
            announced=self.corporate_actions.begun_ratios,
            lists_every_trade=agreed_until is None or self.state.at - agreed_until < LISTS_ALL,
            announced_moves=self.state.announced_moves,
            is_spun=self.corporate_actions.is_spun,
        )

    # ── 6. explained differences ─────────────────────────────────────────────────────────────────────────────────────

    def _may_be_explained(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether the next comparison decides: an order may explain it, or fills came while the books were fetched.

        Their positions may be older than their orders then.
        """
        before = self._nets_when_asked
        if before is not None and before.get(symbol, ZERO) != self.state.ledger.net_quantity(symbol):
            return True
        if self.fill_reversals.unproven(symbol):
            return False
        return self.listed_orders.may_explain(symbol, comparison)

    def _overdue(self, explained: Sequence[Difference], comparison: Comparison) -> tuple[str, ...]:
        """Return the differences that what may explain them has not explained in time: a person decides (EX-09)."""
        before, self._explained_since = self._explained_since, {}
        words = []
        for difference in explained:
            symbol = difference.symbol
            since, count = before.get(symbol, (self.state.at, 0))
            self._explained_since[symbol] = since, count + 1
            if self.state.at - since >= EXPLAINED_WITHIN and count:
                theirs, ours = comparison.theirs(symbol), self.state.ledger.net_quantity(symbol)
                true = theirs.quantity if theirs else NO_SHARES
                words.append(
                    f"{symbol}: the broker says {plain(true)}, our books have {plain(ours)}, and the order that may "
                    f"explain it has not for {EXPLAINED_WITHIN.total_seconds():g} s; nothing is taken back; {WAY_OUT}"
                )
        return tuple(words)

    def _say_what_is_open(self, differing: list[Symbol]) -> None:
        """Report the open differences before the first agreement; later the desk trades on meanwhile."""
        if not self.state.control.state.is_reconciled:
            named = ", ".join(differing)
            words = f"{named}: the broker's books and ours differ, and an order on its way may explain it; asked again"
            self._fail((words,), ReadOnlyCode.UNDECIDED)

    # ── 5. a folder older than its account ───────────────────────────────────────────────────────────────────────

    def _unknown(self, comparison: Comparison) -> tuple[OrderReport, ...]:
        """Return orders with our form of id that the journal does not know, until a person accepts them (EX-24).

        They are looked for before the first agreement of a run. The installation gets a new name at once: an exit
        confirmed meanwhile must not have the id of one of them.
        """
        control = self.state.control.state
        waiting = set(control.unknown_orders)
        if self._filled_by_others is None:
            new = tuple(r.client_order_id for r in comparison.unknown_of_ours() if self._is_news(r))
            if new:
                causes = (*map(str.encode, new), self.state.at.isoformat().encode())
                self.state.record(facts.UnknownOrdersFound(new, renamed(control.installation or "", *causes)))
                self._withdraw(new)
                waiting.update(new)
        return tuple(r for r in comparison.books.orders if r.client_order_id in waiting) if waiting else ()

    def _fail_as_older(
        self, unknown: Sequence[OrderReport], positions: Sequence[Difference], comparison: Comparison
    ) -> None:
        self.times.read_again()
        self._is_unproven = True
        refused = self.state.control.state.unlisted_orders
        listed = {*comparison.orders(), *map(unknown_order, unknown), *refused}
        found = (*positions, *sorted(listed, key=lambda each: (each.symbol, each.note)))
        reasons = (*((_older(unknown),) if unknown else ()), *((_older_by_ids(refused),) if refused else ()))
        self._fail(reasons or (UNLISTED,), ReadOnlyCode.OLDER, found)

    @follows(facts.UnknownOrdersFound)
    def after_taken_id(self, fact: facts.UnknownOrdersFound) -> None:
        """Be read-only at once if an id of ours was taken; before the first comparison of a run that says so."""
        control = self.state.control.state
        if fact.unlisted and control.was_compared:
            self.times.again()
            found = (*control.differences, *(one for one in fact.unlisted if one not in control.differences))
            self._fail((_older_by_ids(control.unlisted_orders),), ReadOnlyCode.OLDER, found)

    def _is_just_unlisted(self, unknown: Sequence[OrderReport]) -> bool:
        """Whether the broker lists none of these orders any more, and did so not long ago: one list may be short."""
        control = self.state.control.state
        if unknown or len(control.unknown_orders) == len(control.unlisted_orders):
            self._unlisted_since = None
            return False
        self._unlisted_since = self._unlisted_since or self.state.at
        return self.state.at - self._unlisted_since < APART

    def _withdraw(self, sent: Collection[ClientOrderId]) -> None:
        """Withdraw proposals that were sent before the folder was restored: a key would take over the older order."""
        for proposal in self.state.stage.proposals():
            if proposal.order.client_order_id in sent:
                self.state.record(facts.ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, SENT_BEFORE))

    def _is_news(self, report: OrderReport) -> bool:
        """Whether the order was neither accepted before nor removed by a reset or a restore (SP-04)."""
        control = self.state.control
        if report.client_order_id in {*control.state.unknown_orders, *control.state.accepted_orders}:
            return False
        return report.accepted_at is None or not control.is_forgotten(report.accepted_at)

    # ── 7. unproven differences ──────────────────────────────────────────────────────────────────────────────────────

    def _unproven(self, positions: Sequence[Difference], comparison: Comparison) -> tuple[str, ...]:
        """Return why nothing is corrected yet; empty if all differences are proven or explained.

        Shares beyond ours do not keep the stops and closes of ours back.
        """
        doubted = [
            each
            for each in positions
            if each.note
            or self._is_less(each, comparison)
            or each.symbol in self._doubted
            or self._may_lag(each, comparison)
            or self._is_back(each.symbol, comparison)
        ]
        self._doubted |= {each.symbol for each in doubted}
        found = [(each, word) for each in doubted if (word := self._why_unproven(each, comparison))]
        self._is_unproven = any(each.note or self._is_less(each, comparison) for each, _ in found)
        return tuple(word for _, word in found)

    def _is_less(self, difference: Difference, comparison: Comparison) -> bool:
        """Whether the broker has fewer shares, or fewer fills of an order of ours."""
        return comparison.shrinks(difference) or bool(self.fill_reversals.unproven(difference.symbol))

    def _may_lag(self, difference: Difference, comparison: Comparison) -> bool:
        """Whether the broker's list of positions may be from before our last fill; a split is reported separately."""
        if difference.note:
            return False
        filled_at = comparison.last_uncounted_fill(difference.symbol)
        return filled_at is not None and self.state.at - filled_at < LAGS

    def _why_unproven(self, difference: Difference, comparison: Comparison) -> str:
        symbol, ours = difference.symbol, self.state.ledger.net_quantity(difference.symbol)
        since, true = self._readings[symbol]
        if fewer := self.fill_reversals.unproven(symbol):
            return fewer
        is_paid_out = self._payout(symbol, comparison) is not None
        is_in_doubt = self._may_lag(difference, comparison) or self._came_with_it(symbol, comparison)
        working = comparison.contradicting(symbol) if is_paid_out else None
        if is_paid_out and self.state.at - since >= (APART if working is None else LAGS) and not is_in_doubt:
            return ""
        if self._is_explained(symbol, comparison):
            return ""
        said = f"{symbol}: the broker says {plain(true)}, our books have {plain(ours)}"
        if difference.note and (announced := self.corporate_actions.contradiction(symbol, comparison)):
            return f"{said}, {difference.note}; {announced}; {WAY_OUT}"
        if difference.note:
            return f"{said}, {difference.note}; read again in {APART.total_seconds():g} s before it is believed"
        order = comparison.contradicting(symbol) if comparison.shrinks(difference) and not is_paid_out else None
        if order is not None:
            rests = f"its own list has our {order.request.side.value} {order.request.type.value}"
            return f"{said}, but {rests} of {plain(order.remaining)}; nothing is taken back; {WAY_OUT}"
        if instead := self._came_with_it(symbol, comparison):
            announced = self.corporate_actions.announced_moves_in_words(symbol)
            return (
                f"{said}; {', '.join(instead)} came at the same time, and may be what it became{announced}; {WAY_OUT}"
            )
        if comparison.shrinks(difference) and not is_paid_out and self._is_guarded_here(symbol):
            return f"{said}, and this desk guards them; nothing is taken back; {WAY_OUT}"
        if self._may_lag(difference, comparison):
            return f"{said}, as before our last fill; read again until that is {LAGS.total_seconds():g} s old"
        if not is_paid_out and (announced := self._announced_for(difference, comparison)):
            return f"{said}{announced}, and nothing of it has come; nothing is taken back; {WAY_OUT}"
        if working is not None:  # a list that lags for less takes no stop off
            return f"{said}; its own list has our order, and it is read again for {LAGS.total_seconds():g} s"
        if self.state.at - since < APART:
            return f"{said}; read again in {APART.total_seconds():g} s before it is believed"
        return ""

    def _announced_for(self, difference: Difference, comparison: Comparison) -> str:
        """Return the announced action by which all shares may have left; empty where listed orders sold them (EX-25).

        Its new shares may be listed later: until then the old ones keep owner, cost and protection.
        """
        is_gone = comparison.shrinks(difference) and comparison.theirs(difference.symbol) is None
        if not is_gone or not self._unexplained(difference, comparison):
            return ""
        return self.corporate_actions.announced_moves_in_words(difference.symbol)

    def _came_with_it(self, symbol: Symbol, comparison: Comparison) -> list[Symbol]:
        """Return symbols that nothing explains and that came when this one went: a merger may look so (EX-25).

        That their quantity changes later does not explain them.
        """
        gone_since = self._readings[symbol][0]
        return [
            came
            for came in comparison.came_instead(symbol)
            if not self._is_explained(came, comparison)
            and any(abs(since - gone_since) < APART for since in (self._readings[came][0], self._differing_since[came]))
        ]

    def _fail_as_unproven(
        self, words: tuple[str, ...], positions: Sequence[Difference], comparison: Comparison
    ) -> None:
        self.times.read_again()
        self._see_less(positions, comparison)
        self._fail(words, ReadOnlyCode.UNPROVEN, (*positions, *comparison.orders()))

    def _see_less(self, positions: Sequence[Difference], comparison: Comparison) -> None:
        """Note of which symbols the broker has a part of our shares: two readings prove it for exits beyond that part.

        Our books stay as they are (EX-09, EX-13).
        """
        less = comparison.quantities_apart([d for d in positions if comparison.shrinks(d)])
        proven = {s: more for s, more in less.items() if self.state.at - self._readings[s][0] >= APART}
        self.state.sightings.apart = proven
        self.state.sightings.apart_once = {s: more for s, more in less.items() if s not in proven}

    def _keep_exits_in_doubt(self) -> None:
        """Cut no exit where one of ours may have sold what is missing: the others are for what is left."""
        sightings = self.state.sightings
        doubtful = {
            order.request.symbol
            for order in self.state.ledger.working_exits()
            if order.status is OrderStatus.PENDING or order.in_doubt_since or order.idle is IdleCode.UNFILLED
        }
        sightings.apart = {symbol: more for symbol, more in sightings.apart.items() if symbol not in doubtful}

    def _is_explained(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether fills of other orders account for the whole difference."""
        ours, theirs = self.state.ledger.net_quantity(symbol), comparison.theirs(symbol)
        more = (theirs.quantity if theirs else ZERO) - ours
        return self._sold_by_others(symbol, comparison, Side.BUY if more > 0 else Side.SELL) >= abs(more)

    def _is_guarded_here(self, symbol: Symbol) -> bool:
        """Whether a stop or signed exits that this desk holds guard shares: a correction would end them (EX-09)."""
        for position in self.state.ledger.positions_in(symbol):
            entry = self.state.ledger.order(position.entry_order) if position.entry_order is not None else None
            is_held_here = entry is not None and entry.stop is not None and entry.stop.holder is StopHolder.DESK
            if is_held_here or self.state.stage.signed_exits(position.entry_order, self.state.at) is not None:
                return True
        return False

    def _sold_by_others(self, symbol: Symbol, comparison: Comparison, side: Side) -> Quantity:
        """Return the quantity that external orders filled since the last agreement.

        Before the first one of this run it is unknown how much was counted already, and none of it explains anything.
        """
        if self._filled_by_others is None:
            return NO_SHARES
        sold = ZERO
        for order_id, report in comparison.filled_by_others().items():
            before = self._filled_by_others.get(order_id)
            if (report.symbol, report.side) == (symbol, side):
                sold += report.filled_quantity - (before.filled_quantity if before is not None else ZERO)
        return Quantity(sold)

    # ── 8 and 9. the result ──────────────────────────────────────────────────────────────────────────────────────────

    def _calls_off(self, effect: Effect, symbol: Symbol) -> bool:
        """Whether this is an exit requested before the correction that has nothing left to close."""
        order = self.state.ledger.order(effect.order.client_order_id) if isinstance(effect, SubmitOrder) else None
        if order is None or order.request.symbol != symbol or not self.protective_stops.is_loose(order):
            return False
        self.state.record(facts.SubmissionBlocked(order.id, NOTHING_HELD))
        self.state.record(order_status.change(order, OrderStatus.CANCELLED, facts.Source.DESK, None, NOTHING_HELD))
        return True

    @answers(AcceptBroker)
    def on_accept(self, command: AcceptBroker) -> Iterable[Effect]:
        """Accept the broker's books at the operator's command; the limits do not apply."""
        return self._accept(self._beside(command.books))

    @answers(AcceptBooks)
    def on_accept_books(self, command: AcceptBooks) -> Iterable[Effect]:
        """Fetch the books for the typed word: they are accepted if they show what the operator read (EX-09)."""
        control = self.state.control.state
        if command.word != ACCEPT or control.is_reconciled or not command.shown:
            return ()
        self._accepted = frozenset(command.shown)
        return self.ask()

    def _taken_accepted(self) -> frozenset[Difference]:
        accepted, self._accepted = self._accepted, frozenset()
        return accepted

    def _accept(self, comparison: Comparison) -> Iterator[Effect]:
        yield from self.fill_reversals.accept(comparison)
        positions = comparison.positions()
        effects: list[Effect] = []
        corrections = tuple(
            f"{self._correct(d, comparison, NO_SHARES, effects)}; taken over by the operator" for d in positions
        )
        yield from follow_up(self.state, facts.CorporateActionApplied)
        unknown = tuple(report.client_order_id for report in comparison.unknown_of_ours())
        control = self.state.control.state
        if control.unknown_orders or unknown != control.accepted_orders:
            self.state.record(facts.UnknownOrdersAccepted(unknown))
        self.state.sightings.unaccepted = frozenset()
        self.state.record(facts.ReconciliationPassed(corrections, (*positions, *comparison.orders())))
        self._see_differences((), comparison)
        yield from effects
        for difference in positions:
            yield from apart(self.state, partial(self.protective_stops.after_correction, difference.symbol))
        yield from self._renew()

    def _unexplained(self, difference: Difference, comparison: Comparison) -> Quantity:
        """Return the shares that the broker has no more although no order of its list sold them."""
        symbol = difference.symbol
        if not comparison.shrinks(difference) or self._is_explained(symbol, comparison):
            return NO_SHARES
        ours, theirs = self.state.ledger.net_quantity(symbol), comparison.theirs(symbol)
        side = Side.SELL if ours > 0 else Side.BUY
        others = (r for r in comparison.filled_by_others().values() if (r.symbol, r.side) == (symbol, side))
        sold = sum((report.filled_quantity for report in others), ZERO)
        missing = abs(ours - (theirs.quantity if theirs else ZERO))
        return Quantity(max(missing - sold, ZERO))

    def _correct(
        self, difference: Difference, comparison: Comparison, unexplained: Quantity, effects: list[Effect]
    ) -> str:
        """Set our position to the broker's, after the fills by which somebody else closed it; add their effects."""
        theirs = comparison.theirs(difference.symbol)
        ours = self.state.ledger.net_quantity(difference.symbol)
        true = theirs.quantity if theirs else Quantity(ZERO)
        if ours == true:  # an action of another symbol brought or took these shares
            return f"{difference.symbol}: the broker has {plain(true)}, and so have our books now"
        is_explained = self._is_explained(difference.symbol, comparison)
        if not is_explained and (split := self.corporate_actions.accept(difference.symbol, comparison)) is not None:
            return split
        if not is_explained and (payout := self._payout(difference.symbol, comparison)) is not None:
            effects.extend(self._pay_out(payout))
            unexplained = NO_SHARES
        if self._is_back(difference.symbol, comparison):
            back = back_from_payout(self.state.ledger, difference.symbol, true - ours)
            effects.extend(self.fill_reversals.give_back(back))
            if (now := self.state.ledger.net_quantity(difference.symbol)) == true:
                return f"{difference.symbol}: {plain(true - ours)} that had been paid out are back"
            ours = now
        average = theirs.average_price if theirs else None
        owners = owners_after(self.state.ledger, difference.symbol, true, average)
        reason = f"{difference.symbol}: the broker has {true}, our books had {ours}"
        came_from = None
        if not ours and not owners and average is not None:
            spin_off = None if is_explained else self.corporate_actions.spin_off(difference.symbol, comparison)
            if spin_off is not None:
                owners, came_from = spin_off.owners, spin_off.source
                reason = f"{reason}; {plain(true)} came by the spin-off from {came_from}"
                self._leave_cost(spin_off)
            elif not is_explained and (late := come_late(self.state.ledger, difference.symbol, true, average)):
                came_from, owners = late
                reason = f"{reason}; {plain(true)} came at the cost of {came_from}, whose shares were gone"
            elif self._is_back(difference.symbol, comparison):
                came_from, owners = difference.symbol, (facts.OwnerShare(UNKNOWN_OWNER, true, average),)
                reason = f"{reason}; {plain(true)} came back of those that were paid out, and nobody knows whose"
            else:
                owners = self._taken_for_a_lost_order(difference.symbol, true, average, comparison)
        if comparison.shrinks(difference):
            held, listed = self.state.ledger.positions_in(difference.symbol), comparison.filled_by_others()
            count = self.closes_elsewhere.count(difference.symbol, true - ours, owners, listed, self._filled_by_others)
            effects.extend(count)
            after = self.state.ledger.positions_in(difference.symbol)
            if sum((position.quantity for position in after), ZERO) == true:
                owners = tuple(facts.OwnerShare(p.strategy, p.quantity, p.average_price) for p in after)
            elif after == held and any(position.strategy != UNKNOWN_OWNER for position in held):
                reason += UNPRICED
        if len(owners) > 1:
            reason += f"; now {', '.join(f'{share.strategy} has {plain(share.quantity)}' for share in owners)}"
        self.state.record(
            facts.PositionCorrected(
                difference.symbol,
                true,
                average,
                reason,
                owners,
                unexplained=unexplained,
                came_from=came_from,
            )
        )
        return reason

    def _is_back(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether shares that the broker has beyond ours may be those of a payout: no listed order opened them."""
        theirs, ours = comparison.theirs(symbol), self.state.ledger.net_quantity(symbol)
        more = (theirs.quantity if theirs else ZERO) - ours
        may_be = more * ours >= 0 and is_back(self.state.ledger, symbol, more)
        return may_be and not comparison.is_from_orders_of_others(symbol)

    def _give_to_owners(self, comparison: Comparison) -> Iterator[str]:
        """Give shares that came before their spin-off was announced to the owners of its source; yield the reasons."""
        for held in self.state.ledger.positions():
            theirs = comparison.theirs(held.symbol)
            is_alone = theirs is not None and theirs.quantity == held.quantity
            if held.strategy != UNKNOWN_OWNER or not is_alone:
                continue
            if (spin_off := self.corporate_actions.spin_off(held.symbol, comparison)) is not None:
                yield self._give(held, spin_off)

    def _give(self, held: Position, spin_off: SpinOff) -> str:
        reason = f"{held.symbol}: {plain(held.quantity)} are by the spin-off from {spin_off.source}"
        self._leave_cost(spin_off)
        average = held.average_price
        self.state.record(
            facts.PositionCorrected(
                held.symbol, held.quantity, average, reason, spin_off.owners, came_from=spin_off.source
            )
        )
        return reason

    def _leave_cost(self, spin_off: SpinOff) -> None:
        """Take from the source the cost that the broker moved to the new shares."""
        if not (left := spin_off.left):
            return
        quantity = Quantity(sum((share.quantity for share in left), ZERO))
        reason = f"{spin_off.source}: a part of its cost moved with the spin-off"
        average = left[0].average_price
        self.state.record(
            facts.PositionCorrected(spin_off.source, quantity, average, reason, left, stayed=spin_off.stayed)
        )

    def _payout(self, symbol: Symbol, comparison: Comparison) -> facts.CorporateActionApplied | None:
        """Return by which announced action our shares left; None where a listed sale that is not counted closed some.

        Before the first agreement of a run any may be one.
        """
        side = Side.SELL if self.state.ledger.net_quantity(symbol) > 0 else Side.BUY
        sold = self._sold_by_others(symbol, comparison, side)
        if self._filled_by_others is None:
            its = (r for r in comparison.filled_by_others().values() if (r.symbol, r.side) == (symbol, side))
            sold = Quantity(sum((report.filled_quantity for report in its), ZERO))
        return self.corporate_actions.payout(symbol, comparison, sold)

    def _pay_out(self, payout: facts.CorporateActionApplied) -> Iterator[Effect]:
        """Record the action, and close each owner's shares at what was paid for them."""
        held = self.state.ledger.positions_in(payout.symbol)
        self.state.record(payout)
        yield from follow_up(self.state, facts.CorporateActionApplied)
        yield from self.closes_elsewhere.pay_out(held, payout)

    def _taken_for_a_lost_order(
        self, symbol: Symbol, true: Quantity, average: Price, comparison: Comparison
    ) -> tuple[facts.OwnerShare, ...]:
        """Return the owner of shares that a lost order of ours may have bought; it keeps its stop (EX-13).

        None if orders that the journal does not have bought some (EX-24).
        """
        side = Side.BUY if true > 0 else Side.SELL
        accepted = self.state.control.state.accepted_orders
        unknown = (r for r in comparison.unknown_of_ours() if r.client_order_id not in accepted)
        is_unknown = any(
            (report.symbol, report.side) == (symbol, side) and report.filled_quantity for report in unknown
        )
        if is_unknown or self._sold_by_others(symbol, comparison, side):
            return ()
        owner = self.listed_orders.order_recovery.owner_of(symbol, true)
        return () if owner is None else (facts.OwnerShare(owner, true, average),)

    def _pass(self, corrections: tuple[str, ...], found: tuple[Difference, ...]) -> None:
        """Record an agreement if it is news: after a start, with a correction, or with changed differences."""
        state = self.state.control.state
        if corrections or not state.is_reconciled or found != state.differences:
            self.state.record(facts.ReconciliationPassed(corrections, found))

    def _fail(self, reasons: tuple[str, ...], code: ReadOnlyCode, found: tuple[Difference, ...] = ()) -> None:
        state = self.state.control.state
        if state.is_reconciled or is_news(reasons, state.read_only_because):
            self.state.record(facts.ReconciliationFailed(reasons, found, code))

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


def _older_by_ids(refused: Sequence[Difference]) -> str:
    named = "; ".join(f"{each.broker} {each.symbol}" for each in refused[:LISTED])
    more = f" and {len(refused) - LISTED} more" if len(refused) > LISTED else ""
    return (
        f"new orders had ids that the broker gave to orders which are not in this journal ({named}{more}): this folder "
        f"is older than its account, or another Keyturn trades it; entries are shut, and an exit goes under a new id; "
        f"{WAY_OUT}"
    )
