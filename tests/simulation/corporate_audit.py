"""What may come of a corporate action, from the facts and the exchange's executions alone (EX-25, EX-22, EX-18).

Figures are computed here from what was traded: no recognition of the desk's is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core import facts
from core.model.position import Trade
from core.model.session import Session
from core.model.values import ZERO, Symbol
from core.trading_state.notifications import READ_ONLY
from core.workflows.operator.notification_delivery import EXIT, STOP

if TYPE_CHECKING:
    from simulation.auditor import Act, Auditor

AT_MOST = timedelta(seconds=5)
A_CENT = Decimal("0.01")
A_PART = Decimal("1e-9")
"""Of a share: the smallest that a broker counts."""
ROUNDED = Decimal("0.0002")
"""Part of a cost up to which that of a broker's fraction of a share counts."""


class CorporateAudit:
    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.applied: list[tuple[datetime, Act]] = []
        self.announced: Counter[tuple[Symbol, object]] = Counter()
        self.trades: Counter[tuple[Symbol, str]] = Counter()
        """Closed trades of owners since the action."""
        self._before: dict[Symbol, Counter[str]] = {}
        """Of the symbol of after: its closed trades until then."""
        self.tripped: dict[str, datetime] = {}
        self.filled_at: dict[Symbol, datetime] = {}
        self._to_compare: list[Act] = []
        self._bare_since: dict[tuple[Symbol, str], datetime] = {}
        self._gone: set[tuple[datetime, Symbol, str]] = set()
        """Whose shares of an action were closed since it was applied: later ones have a ticket of their own."""
        self._works_since: dict[str, datetime] = {}
        self._days: set[object] = set()
        """On which the desk was on."""

    @property
    def _world(self):  # type: ignore[no-untyped-def]
        return self.auditor.world

    def _require(self, claim: bool, otherwise: str, zero: str = "") -> None:
        self.auditor.require(claim, otherwise, zero)

    def is_disturbed(self, symbol: Symbol) -> bool:
        """Whether anybody else traded it, or fills were taken back, or are not known: whose is what is not judged."""
        world = self._world
        is_other = world.is_restored or bool(world.foreign) or bool(world.contradictions.hidden)
        return is_other or bool(world.disruptions.taken_back or world.disruptions.corrected) or symbol is None

    def _act_of(self, fact: facts.CorporateActionApplied) -> Act | None:
        its = (fact.symbol, fact.symbol_now, fact.quantity_before, fact.quantity_after)
        acts = self._world.acts
        return next((a for a in acts if (a.symbol, a.to, a.before, a.after) == its), None)

    def pays_out(self, symbol: Symbol) -> bool:
        """Whether its shares left by an action that the journal has told."""
        return any(act.symbol == symbol and act.cash is not None for _, act in self.applied)

    def is_foreseen(self, fact: facts.PositionCorrected) -> bool:
        """A correction after the shares were paid out, or of what no announcement explains, as it then is."""
        actions = self._world.actions
        for act in self._world.acts:
            if fact.symbol not in (act.symbol, act.to) or act.at is None:
                continue
            told_at = actions.told_at.get(act.symbol)
            is_known = told_at is not None and told_at <= self.auditor._at and act.symbol not in actions.contradicted
            is_known &= act.cash is None or actions.is_paid_told(act, self._day(self.auditor._at))
            is_counted = any(one is act for _, one in self.applied) or act.symbol in actions.taken_over
            is_counted |= act.symbol in self.auditor.story.taken_over  # before anything was announced
            words = f"{act.before} {act.symbol} are {act.to} now as announced, and are corrected away: {fact}"
            is_judged = is_known and not self.auditor.is_reading and not self.is_disturbed(act.symbol)
            self._require(is_counted or not is_judged, words)
            return True
        return False

    def _day(self, at: datetime) -> object:
        return self._world.calendar.trading_day(at)

    # ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, at: datetime, fact: facts.Fact) -> None:
        match fact:
            case facts.DayStarted():
                self._days.add(fact.day)
            case facts.CorporateActionApplied():
                self._apply(at, fact)
            case facts.TradeClosed():
                self._closed(fact.trade)
            case facts.PositionChanged() if not fact.quantity:
                self._gone |= {
                    (since, fact.symbol, fact.strategy) for since, act in self.applied if act.to == fact.symbol
                }
            case facts.OrderFilled():
                seen = self.auditor.story.orders[fact.fill.client_order_id]
                self.filled_at[seen.order.symbol] = at
            case facts.ProtectionTripped():
                self._tripped(at, fact)
            case facts.EngineStarted():
                self._bare_since, self._works_since = {}, {}
            case facts.ProposalStaged() if fact.proposal.guard is not None:
                self._is_of_today(fact)

    def _apply(self, at: datetime, fact: facts.CorporateActionApplied) -> None:
        actions = self._world.actions
        if fact.evidence is facts.ActionEvidence.ANNOUNCED:
            self.announced[fact.symbol, fact.day] += 1
            has_come = fact.day == self._day(at) or (fact.day < self._day(at) and fact.day not in self._days)
            is_split = fact.to is None and actions.is_split_told(fact.symbol, fact.day, fact.ratio)
            is_told = has_come and (is_split or actions.is_rename_told(fact.symbol, fact.day, fact.to))
            self._require(is_told, f"nothing of the kind was announced for this day: {fact}")
            self._require(self.announced[fact.symbol, fact.day] == 1, f"it counts twice: {fact}")
            held = sum((q for k, q in self.auditor.story.positions.items() if k.startswith(f"{fact.symbol}/")), ZERO)
            self._require(not held, f"shares are held, and the announcement alone counts: {fact}")
            return
        act = self._act_of(fact)
        if act is None or act.at is None:
            return  # the auditor says so; or one that is not looked at more closely
        self.applied.append((at, act))
        closed = {owner: many for (symbol, owner), many in self.trades.items() if symbol == act.to}
        self._before[act.to] = Counter(closed)
        is_by_person = fact.evidence is facts.ActionEvidence.OPERATOR
        is_against = fact.symbol in actions.contradicted and at >= actions.told_at.get(fact.symbol, at + AT_MOST)
        self._require(is_by_person or not is_against, f"it is not what was announced, and nobody accepted it: {fact}")
        if act.cash is None:
            ratio = Decimal(act.new) / act.old
            self._require(abs(fact.ratio - ratio) <= ROUNDED * ratio, f"{act.new} for {act.old}, and not so: {fact}")
            self._require(sum(o.quantity for o in fact.owners) == act.after, f"parts that are not the whole: {fact}")
        else:
            self._require(fact.cash == act.cash, f"{act.cash} USD was paid a share, and not so: {fact}")
            self._require(actions.is_paid_told(act, self._day(at)), f"nothing of it was announced: {fact}")
        if not self.auditor.is_reading:
            self._to_compare.append(act)

    def _closed(self, trade: Trade) -> None:
        """Its result is what its executions gained, and what was paid."""
        self.trades[trade.symbol, trade.strategy] += 1
        for _, act in self.applied:
            if trade.symbol != act.to or self.is_disturbed(act.to):
                continue
            since = self._since(act)[trade.strategy]
            held = self._world.actions.after(act).get(trade.strategy)
            if held is None or len(held.trades) < since:
                self._require(False, f"a trade of {trade.symbol} is counted, and no executions make it: {trade}")
                continue
            true = held.trades[since - 1] - trade.fees
            is_so = abs(trade.profit - true) <= A_CENT + ROUNDED * abs(trade.entry_cost)
            self._require(is_so, f"{trade.symbol} gained {true:.2f} USD, and {trade.profit} is told")
            if act.cash is not None:
                self._require(trade.exit_price == act.cash, f"{act.cash} USD was paid a share: {trade}")

    def _since(self, act: Act) -> Counter[str]:
        """Closed trades of each owner since it was applied."""
        before = self._before[act.to]
        return Counter({owner: n - before[owner] for (symbol, owner), n in self.trades.items() if symbol == act.to})

    def _tripped(self, at: datetime, fact: facts.ProtectionTripped) -> None:
        """What an action alone changes, prices and quantities, trips nothing."""
        for applied_at, act in self.applied:
            is_its = act.to in fact.scope.split() or act.symbol in fact.scope.split()
            is_by_trade = self.filled_at.get(act.to, applied_at) > applied_at or act.cash is not None
            is_by_market = self.tripped.get(fact.name) == at  # another symbol in this minute too
            self._require(not is_its or is_by_trade or is_by_market, f"{fact.name} tripped by an action alone: {fact}")
        self.tripped[fact.name] = at

    def _is_of_today(self, fact: facts.ProposalStaged) -> None:
        """A stop for shares of after has a price for those: none that the shares of before had."""
        order = fact.proposal.order
        for _, act in self.applied:
            if order.symbol != act.to or act.new == act.old or order.stop_price is None or act.cash is not None:
                continue
            old = {
                seen.order.stop_price
                for order_id, seen in self.auditor.story.orders.items()
                if order_id in self.auditor.story.of_before and seen.strategy == fact.proposal.strategy
            } - {None}
            words = (
                f"{fact.proposal.id}: a stop at {order.stop_price}, as for a share of before {act.new} for {act.old}"
            )
            self._require(order.stop_price not in old, words)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, at: datetime) -> None:
        """Between two inputs of the engine."""
        world = self._world
        if not world.acts:
            return
        for act in self._to_compare:
            self._compare(act)
        self._to_compare = []
        self._of_before(at)
        self._look_for_bare(at)

    def _compare(self, act: Act) -> None:
        """Each owner has its shares, at the cost of before but for a fraction that was paid in cash."""
        if self.is_disturbed(act.symbol):
            return
        ledger = self._world.engine.state.ledger
        ours = {p.strategy: p for p in ledger.positions_in(act.to)}
        if act.cash is not None:
            self._require(not ours, f"{act.symbol} was paid out, and {ours} is held")
            owners = [owner for owner, held in act.held.items() if held.quantity]
            told = [owner for owner in owners if self._since(act)[owner] == 1]
            self._require(told == owners, f"{act.symbol} of {owners} was paid out, and trades of {told} count it")
            return
        step = Decimal(1) if len(act.held) > 1 else A_PART
        for owner, held in act.held.items():
            if not held.quantity:
                continue
            position, exact = ours.get(owner), held.quantity * act.new / act.old
            quantity = held.quantity * act.after / act.before
            have = ZERO if position is None else position.quantity
            words = f"{held.quantity} {act.symbol} of {owner} became {act.new} for {act.old}"
            self._require(abs(have - quantity) <= step, f"{words}: {quantity}, and {have} is told")
            cost = abs(held.cost * have / exact)
            there = ZERO if position is None else abs(position.cost)
            is_so = abs(cost - there) <= A_CENT + ROUNDED * cost
            self._require(is_so, f"{words} at {cost:.2f} USD in all, and {there:.2f} is told")

    def _of_before(self, at: datetime) -> None:
        """Orders for shares of before are asked to go at once."""
        world, works = self._world, {}
        for order_id in self.auditor.story.of_before:
            booked = world.exchange._book.find(order_id)
            is_left = booked is not None and booked.is_working and order_id not in self.auditor.cancels.asked_for
            if is_left and self.auditor.story.orders[order_id].status.is_working:
                works[order_id] = self._works_since.get(order_id, at)
                if at - works[order_id] > AT_MOST and self._is_open(at):
                    self._require(False, f"{order_id} has a price of before an action, and works on", "owed")
                    works[order_id] = at + timedelta(days=365)
        self._works_since = works

    def _is_open(self, at: datetime) -> bool:
        return isinstance(self._world.calendar.session_at(at), Session)

    def _look_for_bare(self, at: datetime) -> None:
        """In a session shares whose ticket named a stop have one, or somebody is told."""
        bare = dict(self._bare(at)) if self._is_open(at) else {}
        self._bare_since = {owner: self._bare_since.get(owner, at) for owner in bare}
        for owner, since in list(self._bare_since.items()):
            if at - since > AT_MOST:
                words = f"{bare[owner]} {owner[0]} of {owner[1]} have no stop since {since:%H:%M:%S} after an action"
                self._require(False, f"{words}, and nobody was told", "owed")
                self._bare_since[owner] = at + timedelta(days=365)

    def _bare(self, at: datetime) -> Iterator[tuple[tuple[Symbol, str], Decimal]]:
        world, story = self._world, self.auditor.story
        state = world.engine.state
        told = state.notifications.state.matters.keys()
        if READ_ONLY in told or story.killed or world.disruptions.taken_back or world.is_restored:
            return
        for since, act in self.applied:
            for strategy in act.named:
                owner = act.to, strategy
                if (since, *owner) in self._gone or not told.isdisjoint(
                    (f"{STOP} {strategy} {act.to}", f"{EXIT} {strategy} {act.to}")
                ):
                    continue
                if any(s.is_sale and s.status.is_working for s in story.orders.values() if s.order.symbol == act.to):
                    continue
                shares = self.auditor.debts._unguarded(owner) - self.auditor.debts.unwanted[owner]
                if shares > 0:
                    yield owner, shares
        for act in world.actions.open():  # the books show it, and the desk has not followed
            seen_at = state.sightings.books_at
            if act.at is not None and seen_at is not None and seen_at > act.at and act.named:
                yield (act.symbol, "everybody"), act.before
