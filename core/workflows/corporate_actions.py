"""Corporate actions on the broker's books, and announced: applied to ours; what is from before ended (EX-25).

1. A split is recognised where the broker's quantity and average price differ from ours by one ratio. Two readings prove
   it; its activity may follow days later, and then counts as the same split.
2. An announced split of another ratio contradicts it, and so does a list that undoes a split: a person decides.
3. Working orders from before it are cancelled: an old stop would sell at today's price. An order that the broker
   restated by the same ratio stays.
4. Of a symbol that nobody here holds, the announcement of a split or a rename is enough on its day: no figure comes
   from the jump (MD-09), and alerts and lists have the new symbol.
5. A position that is gone and one of another symbol that came at the same cost are one position with a new symbol.
6. Shares of an announced spin-off belong to the owners of its source.
7. A special dividend lowers the prices of before on its day; orders at the broker are the broker's to lower. One that
   is announced anew with another amount, or not any more, counts by the difference.
8. Waiting proposals have prices from before it, and are withdrawn. Shares without a stop are owed one: its ticket has
   the price for a share of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from core.event_text import in_words
from core.execution.corporate_actions import SpinOff, average_of, is_as_announced, paid_out, spun_off
from core.execution.reconciliation import Comparison
from core.facts import ActionEvidence, CorporateActionApplied, DayStarted, ProposalEnded, TicketClosed
from core.messages.effects import Effect
from core.messages.inputs import CorporateActionsArrived
from core.model.codes import CancelCode, ProposalEnd
from core.model.position import Position
from core.model.reconciliation import APART, Difference
from core.model.reference_data import BESIDE, ActionKind, CorporateAction
from core.model.reference_data import in_words as action_in_words
from core.model.rescaling import ONE, SAME, Rescaling, ratio_in_words
from core.model.session import Session
from core.model.values import NO_SHARES, ZERO, Price, Quantity, Symbol
from core.trading_state.splits import OF_ONE_SPLIT
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.workflow import answers, apart, follow_up, follows

MOST_PAID = Decimal(20)
"""Cash of a merger for one of our average price; beyond it the announcement is taken for a slip."""
MAY_BE_SPLIT = "its symbol may have been split: open it again"


class CorporateActions:
    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @answers(CorporateActionsArrived)
    def on_announced(self, message: CorporateActionsArrived) -> Iterable[Effect]:
        for symbol in message.symbols:
            self._begin(symbol, is_whole=message.is_whole)
        return ()

    @follows(DayStarted)
    def after_day_start(self, _fact: DayStarted) -> None:
        for symbol in self.state.sightings.corporate_actions:
            self._begin(symbol)

    def _begin(self, symbol: Symbol, *, is_whole: bool = True) -> None:
        """Record what is announced on its day, or later where nothing was heard since.

        Where shares are held, their books show when a split or a rename is done. A special dividend needs no books:
        from its day on a buyer does not get it. A desk that was off on that day counts it later.
        """
        announced = tuple(dict.fromkeys(self.state.sightings.corporate_actions.get(symbol, ())))
        self._begin_beside(symbol, [each for each in announced if each.kind in BESIDE], is_whole=is_whole)
        if not self.state.ledger.positions_in(symbol):
            self._begin_splits(symbol)
            self._begin_rename(symbol, announced)

    def _begin_beside(self, symbol: Symbol, announced: Sequence[CorporateAction], *, is_whole: bool) -> None:
        """Record special dividends and spin-offs, of the symbol that the shares have now.

        A dividend that is announced anew with another amount, or not any more, counts by the difference.
        """
        splits = self.state.splits
        counted, today = splits.paid_days(symbol), self.state.calendar.trading_day(self.state.at)
        withdrawn = counted & {today} if is_whole else set()  # a list of later days may lack an earlier one
        for day in sorted({*(each.ex_date for each in announced), *withdrawn}):
            its = [each for each in announced if each.ex_date == day]
            paid = [each.cash or ZERO for each in its if each.kind is ActionKind.SPECIAL_DIVIDEND]
            if not self._is_news(symbol, day) and not (paid and day in counted):
                continue
            now = splits.renamed(symbol, day)
            is_known = any(splits.is_spun_off(each, day) for each in (symbol, now))
            if len(its) > len(paid) and not is_known and self._is_below_price(symbol, ZERO):
                self._record(now, day, cash=ZERO)
            more = sum(paid, ZERO) - sum(splits.paid(each, day) for each in {symbol, now})
            if more and self._is_below_price(symbol, more):
                self._record(now, day, cash=more)

    def _begin_splits(self, symbol: Symbol) -> None:
        splits = self.state.splits
        for day, ratio in self.state.unfollowed_splits(symbol):
            # Told twice, or books with another number of shares were taken over: then it was not as announced.
            is_over = splits.is_known(symbol, day, ratio, self._tolerance) or splits.is_decided(symbol, day)
            if self._is_news(symbol, day) and not is_over:
                self._record(symbol, day, ratio)

    def _begin_rename(self, symbol: Symbol, announced: Iterable[CorporateAction]) -> None:
        """Record a rename; none where two names are announced, another was followed, or shares of it left otherwise."""
        renames = [each for each in announced if each.kind is ActionKind.RENAME and self._is_news(symbol, each.ex_date)]
        names = {each.to: each.ex_date for each in renames}
        for to, day in names.items() if len(names) == 1 else ():
            is_open = self.state.splits.renamed(symbol, day) == symbol and not self.state.splits.have_left(symbol, day)
            if to is not None and to != symbol and is_open:
                self._record(symbol, day, to=to)

    def _record(
        self, symbol: Symbol, day: date, ratio: Decimal = ONE, cash: Decimal | None = None, to: Symbol | None = None
    ) -> None:
        none, evidence, paid = NO_SHARES, ActionEvidence.ANNOUNCED, None if cash is None else Price(cash)
        self.state.record(
            CorporateActionApplied((), day, symbol, ratio, none, none, (), none, evidence, to=to, cash=paid)
        )

    def _is_news(self, symbol: Symbol, day: date) -> bool:
        """Whether it is of today; or of days in which the desk heard no price of the symbol: all it knows is older."""
        day_of, closes = self.state.calendar.trading_day, self.state.price_history.state.closes.get(symbol)
        today = day_of(self.state.at)
        if day == today or not closes:
            return day == today
        return day < today <= day + OF_ONE_SPLIT and day_of(closes[-1][0]) < day

    def _is_below_price(self, symbol: Symbol, cash: Decimal) -> bool:
        """Whether the last known close is more than what is paid: else nothing is known that it lowers."""
        closes = self.state.price_history.state.closes.get(symbol)
        return closes is not None and any(cash < close for _, close in closes[-1:])

    @property
    def _tolerance(self) -> Decimal:
        return self.state.control.settings.reconciliation.split_tolerance

    def begun_ratios(self, symbol: Symbol) -> tuple[Decimal, ...]:
        """Return the ratios of announced splits whose day has come, and that our books have not followed.

        A broker may book one on the evening before, once that session is over.
        """
        calendar, at = self.state.calendar, self.state.at
        today = calendar.trading_day(at)
        session = calendar.session_on(today)
        is_over = not isinstance(session, Session) or at >= session.close
        until = max(today, calendar.next_session(at).day) if is_over else today
        return tuple(ratio for day, ratio in self.state.unfollowed_splits(symbol) if day <= until)

    def is_spun(self, symbol: Symbol) -> bool:
        """Return whether a spin-off from it is announced of these days."""
        today, announced = self.state.calendar.trading_day(self.state.at), self.state.sightings.corporate_actions
        its = (each for each in announced.get(symbol, ()) if each.kind is ActionKind.SPIN_OFF)
        return any(abs(each.ex_date - today) <= OF_ONE_SPLIT for each in its)

    def follow(
        self,
        positions: Sequence[Difference],
        comparison: Comparison,
        readings: Mapping[Symbol, tuple[datetime, Quantity]],
    ) -> Iterator[Effect]:
        """Apply the splits that two readings of the books show, and that nothing contradicts.

        At the first reading every ticket of the symbol is closed: it names shares of before.
        """
        day = self.state.calendar.trading_day(self.state.at)
        named = {difference.symbol for difference in positions if difference.note}
        for symbol in sorted(named):
            found = comparison.action(symbol, day)
            if self.state.at - readings[symbol][0] < APART:
                self._close_tickets(symbol)
            elif found is not None and self._is_read_twice(found, named, readings) and not self._contradiction(found):
                self.state.record(found)
                yield from follow_up(self.state, CorporateActionApplied)

    def _is_read_twice(
        self, found: CorporateActionApplied, named: set[Symbol], readings: Mapping[Symbol, tuple[datetime, Quantity]]
    ) -> bool:
        its = {found.symbol, found.symbol_now}
        return its <= named and all(self.state.at - readings[symbol][0] >= APART for symbol in its)

    def _close_tickets(self, symbol: Symbol) -> None:
        for ticket in list(self.state.stage.state.tickets.values()):
            if ticket.order.symbol == symbol:
                self.state.record(TicketClosed(ticket.id, MAY_BE_SPLIT))

    def accept(self, symbol: Symbol, comparison: Comparison) -> str | None:
        """Apply what the operator accepted with the broker's books, and return its text; None without one."""
        found = comparison.action(symbol, self.state.calendar.trading_day(self.state.at))
        if found is None:
            return None
        self.state.record(replace(found, evidence=ActionEvidence.OPERATOR))
        return in_words(found)

    def contradiction(self, symbol: Symbol, comparison: Comparison) -> str:
        """Return the announced split that contradicts the one of the books; empty if none does."""
        found = comparison.action(symbol, self.state.calendar.trading_day(self.state.at))
        return "" if found is None else self._contradiction(found)

    def _contradiction(self, found: CorporateActionApplied) -> str:
        """Return why it is not believed: another ratio is announced, or the books show an older list again."""
        if found.to is not None:
            ratios = [ratio for _, ratio in self.state.unfollowed_splits(found.symbol)]
            moves = self.state.announced_moves(found.symbol)
            is_announced = any(is_as_announced(found, each, ratios, self._tolerance) for each in moves)
            return "" if is_announced else self.announced_moves_in_words(found.symbol).removeprefix("; ")
        if self.state.splits.is_known(found.symbol, found.day, 1 / found.ratio, self._tolerance):
            return f"it was split {ratio_in_words(1 / found.ratio)} before, and this may be an older list"
        ratios = [ratio for _, ratio in self.state.unfollowed_splits(found.symbol)]
        if not ratios or any(abs(each - found.ratio) <= self._tolerance * each for each in ratios):
            return ""
        return f"announced is {', '.join(map(ratio_in_words, ratios))}"

    def announced_moves_in_words(self, symbol: Symbol) -> str:
        """As in `; announced is rename to NEW`; empty if nothing is."""
        moves = self.state.announced_moves(symbol)
        return f"; announced is {', '.join(map(action_in_words, moves))}" if moves else ""

    def spin_off(self, symbol: Symbol, comparison: Comparison) -> SpinOff | None:
        """Return whose shares of this new symbol are, by an announced spin-off from shares that are held here."""
        theirs, today = comparison.theirs(symbol), self.state.calendar.trading_day(self.state.at)
        if theirs is None:
            return None
        every = self.state.sightings.corporate_actions.values()
        its = (each for announced in every for each in announced if each.to == symbol and each.spun_ratio is not None)
        for each in its:
            held, ratio = self._source(each.symbol), each.spun_ratio
            if ratio is None or not held or abs(each.ex_date - today) > OF_ONE_SPLIT:
                continue
            if (found := spun_off(held, theirs, ratio, comparison.theirs(held[0].symbol))) is not None:
                return found
        return None

    def _source(self, symbol: Symbol) -> Sequence[Position]:
        """Return our positions in a symbol, or in the one that it became, share for share."""
        ledger = self.state.ledger
        if held := ledger.positions_in(symbol):
            return held
        entries = ((position, ledger.order(position.entry_order)) for position in ledger.positions())
        return [held for held, entry in entries if entry and entry.listed_as == symbol and entry.split == ONE]

    def payout(self, symbol: Symbol, comparison: Comparison, sold: Quantity) -> CorporateActionApplied | None:
        """Return that our shares left for the announced cash; None unless all are gone and its day has come.

        None also where others closed shares of the symbol, that many: then they were sold, as far as anybody knows;
        where another action, or another price, is announced too; and where the cash is beyond belief.
        """
        held, today = self.state.ledger.positions_in(symbol), self.state.calendar.trading_day(self.state.at)
        if not held or sold or comparison.theirs(symbol) is not None or any(p.traded is not None for p in held):
            return None
        moves = self.state.announced_moves(symbol)
        if not any(each.ex_date <= today for each in moves) or len(prices := {each.paid_out for each in moves}) > 1:
            return None
        (cash,) = prices
        average = average_of(held)
        is_believed = cash is not None and average is not None and cash <= MOST_PAID * average
        return paid_out(held, today, cash) if cash is not None and is_believed else None

    @follows(CorporateActionApplied)
    def after_action(self, fact: CorporateActionApplied) -> Iterator[Effect]:
        """End proposals and working orders with prices from before it, and entries in what was paid out."""
        if fact.is_paid_out:
            yield from self._end_what_buys(fact.symbol)
        if not fact.moves_levels:
            return
        sightings = self.state.sightings
        sightings.quotes.pop(fact.symbol, None)
        if fact.to is None and (last := sightings.closes.get(fact.symbol)) is not None and last[0] < fact.day:
            sightings.closes[fact.symbol] = last[0], fact.rescaling.price(last[1])
        for proposal in self.state.stage.proposals():
            is_a_close = proposal.order.effect.only_reduces and not proposal.is_guard
            if proposal.symbol == fact.symbol and not (fact.is_dividend and is_a_close):
                words = _of_before(fact.symbol, fact.symbol_now, fact.rescaling)
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, words))
        yield from self.cancel_what_is_of_before()

    def _end_what_buys(self, symbol: Symbol) -> Iterator[Effect]:
        words = f"all shares of {symbol} left, as announced"
        for proposal in self.state.stage.proposals():
            if proposal.symbol == symbol:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, words))
        for order in self.state.ledger.working_entries(symbol):
            if not order.is_cancelling:
                yield from apart(self.state, partial(self.cancellation.cancel, order, words, CancelCode.OTHER))

    def cancel_what_is_of_before(self) -> Iterator[Effect]:
        """Cancel orders from before a corporate action, also those that a crash or a close that ended left."""
        for order in self.state.ledger.working():
            is_asked = order.is_cancelling and order.cancel_code is CancelCode.SPLIT
            if order.is_before_split and not is_asked:
                symbol = order.request.symbol
                words = _of_before(order.listed_as or symbol, symbol, order.rescaling)
                yield from apart(self.state, partial(self.cancellation.cancel, order, words, CancelCode.SPLIT))


def _of_before(symbol: Symbol, now: Symbol, by: Rescaling) -> str:
    if now != symbol:
        return f"{symbol} became {now}: it is for shares of before"
    if by == SAME:
        return f"a part of {symbol} was spun off: its prices are from before"
    if by.ratio == ONE:
        return f"{symbol} paid a special dividend: its prices are from before"
    return f"{symbol} was split {ratio_in_words(by.ratio)}: its prices are from before"
