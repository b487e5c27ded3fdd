"""The schedule of an attestation, and its scripted operator: set up each trial, type its order and an exit.

Checks that a stopped-out trade triggers share one slot and one order: each check gives its own reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal

from core import facts
from core.messages.commands import Command, Decline, Halt, ProposeClose, ProposeOrder, RequestCancel, Resume
from core.messages.inputs import RegimeArrived, TradingHaltHeard
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, StopHolder
from core.model.sizing import NoMarket, Regime, VixLevel, VixReading
from core.model.staging import MANUAL, CheckResult, Proposal, Review
from core.model.values import Price, ProposalId, Quantity, Symbol
from core.risk.trials import Control, First, Trial, Tried
from core.runtime.attest.trial_market import (
    BOUGHT,
    HALTED,
    HELD,
    OLD,
    OPEN,
    SESSION,
    STOPPED,
    UNLISTED,
    Line,
    Market,
    tried_at,
    wide,
)
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.stress_market import dollars
from core.settings.settings import Settings
from core.trading_state.state import TradingState

FIRST_AT = OPEN + timedelta(minutes=10)
LAST_AT = SESSION.close - timedelta(minutes=10)
AFTER = SESSION.close + timedelta(minutes=2)
LONGEST = timedelta(minutes=10)
CLOSED_SLOT = timedelta(minutes=2)
PLAIN = Trial()
"""The trial of the first slot: an order that no control stops or warns about."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When the controls of one order are tried; the first slot has no control and tries a plain order."""

    at: datetime
    controls: tuple[Control, ...]

    @property
    def trial(self) -> Trial:
        """The setup and the order that all its controls share."""
        return self.trials[0] if self.controls else PLAIN

    @property
    def trials(self) -> tuple[Trial, ...]:
        return tuple(control.trial for control in self.controls if isinstance(control.trial, Trial))


def slots_of(controls: Sequence[Control]) -> tuple[Slot, ...]:
    """Return a slot for each control that can be tried, ordered by setup; a setup with a lasting effect comes last."""
    tried = [control for control in controls if isinstance(control.trial, Trial)]
    groups: list[tuple[Control, ...]] = [()]
    closed: list[tuple[Control, ...]] = []
    for first in First:
        of_it = tuple(control for control in tried if _first(control) is first)
        if first is First.STOPPED_OUT:
            groups += [of_it] if of_it else []
        else:
            (closed if first is First.CLOSED_MARKET else groups).extend((control,) for control in of_it)
    length = min(LONGEST, (LAST_AT - FIRST_AT) / len(groups))
    return (
        *(Slot(FIRST_AT + length * number, group) for number, group in enumerate(groups)),
        *(Slot(AFTER + CLOSED_SLOT * number, group) for number, group in enumerate(closed)),
    )


def _first(control: Control) -> First | None:
    return control.trial.first if isinstance(control.trial, Trial) else None


HELD_SHARES, SHARES, FAR_TOO_MANY = Decimal(100), Decimal(10), Decimal(10_000_000)
ONE, PART = Quantity(Decimal(1)), Quantity(Decimal("0.0000000001"))
BEFORE_IT = timedelta(seconds=5)
"""From the setup to the order; a trial after a stop-out uses `UNTIL_STOPPED_OUT` instead."""
UNTIL_STOPPED_OUT = timedelta(minutes=5)
TO_THE_EXIT, TO_THE_VERDICT = timedelta(seconds=15), timedelta(seconds=30)
BOUGHT_BEFORE, BETWEEN = (First.STOPPED_OUT,), timedelta(seconds=3)
"""Trials that buy first do so before their limits are applied."""
FALLS_AFTER = timedelta(minutes=2)
"""From the start of a slot to the fall of its symbol."""


@dataclass(slots=True)
class Seen:
    """The journal's facts on one slot."""

    slot: Slot
    refused: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)
    entry: ProposalId | None = None
    exit: ProposalId | None = None
    is_sent: bool = False
    is_exit_sent: bool = False
    words: dict[str, str] = field(default_factory=dict)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    at: datetime
    commands: Callable[[], Iterable[Command]]


class Trials:
    """Try the slots one after the other; `seen` has the outcome of each.

    `account` has the settings of the attested account; `line` can be silent or slow, or send market messages.
    """

    def __init__(
        self, state: TradingState, line: Line, market: Market, slots: Iterable[Slot], account: Settings
    ) -> None:
        self.state, self.line, self.market, self.account = state, line, market, account
        self.seen: list[Seen] = []
        self._now: Seen | None = None
        self._is_tried, self._at = False, OPEN
        self._confirming = ConfirmAll(self.state, lambda proposal: proposal.strategy == MANUAL)
        self._free = list(BOUGHT)
        self._acts = [Act(OPEN + timedelta(minutes=2), self._buys_what_is_held)]
        for slot in slots:
            self._acts += self._acts_of(slot)
        self.state.add_listener(self._hear)

    # ── the keys ─────────────────────────────────────────────────────────────────────────────────────────────────

    def next_at(self) -> datetime | None:
        own = self._acts[0].at if self._acts else None
        return min((at for at in (own, self._confirming.next_at()) if at is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        self._at = at
        if self._acts and self._acts[0].at <= at:
            yield from self._acts.pop(0).commands()
        else:
            yield from self._confirming.press(at)

    def in_words(self) -> str | None:
        return None

    # ── one slot ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _acts_of(self, slot: Slot) -> Iterator[Act]:
        waits = UNTIL_STOPPED_OUT if slot.trial.first is First.STOPPED_OUT else BEFORE_IT
        order_at = slot.at + waits
        yield Act(slot.at, lambda: self._begins(slot))
        if slot.trial.first in BOUGHT_BEFORE:
            yield Act(slot.at + BETWEEN, lambda: self._sets(slot))
        yield Act(order_at, lambda: self._tries(slot))
        yield Act(order_at + TO_THE_EXIT, lambda: [ProposeClose(HELD, quantity=ONE)])
        yield Act(order_at + TO_THE_VERDICT, lambda: self._ends(slot))

    def _begins(self, slot: Slot) -> Iterator[Command]:
        self._free.append(self._free.pop(0))
        self._now, self._is_tried = Seen(slot), False
        self.seen.append(self._now)
        if slot.trial.first not in BOUGHT_BEFORE:
            self._sets(slot)
        match slot.trial.first:
            case First.HALT:
                yield Halt("key")
            case First.COMMAND:
                yield from (trial.says(self._free[0]) for trial in slot.trials if trial.says is not None)
            case First.HALTED_SYMBOL:
                self.line.tells(TradingHaltHeard(HALTED, True, self.state.at, "attested"))
            case First.HIGH_VIX:
                vix = VixReading(Decimal(40), date(2026, 1, 2), VixLevel.HIGH)
                self.line.tells(RegimeArrived(Regime(vix, NoMarket("no days were told"))))
            case First.STOPPED_OUT:
                yield self._buy(STOPPED, SHARES, holder=StopHolder.BROKER)
            case First.ENTRY:
                yield self._buy(self._symbol(slot), SHARES)
            case First.RESTING_SALE:
                yield self._sale_that_rests()
            case First.SILENT_BROKER:
                self.line.falls_silent()
                yield self._buy(self._free[1], SHARES)
            case First.SLOW_BROKER:
                self.line.slows_down()
                yield from (self._buy(symbol, SHARES) for symbol in self._free[1:3])

    def _sets(self, slot: Slot) -> tuple[()]:
        self.state.record(facts.SettingsApplied(tried_at(slot.trials, self.account)))
        return ()

    def _tries(self, slot: Slot) -> Iterator[Command]:
        self._is_tried = True
        yield self._order(slot)

    def _ends(self, slot: Slot) -> Iterator[Command]:
        if self._now is not None:
            self._now.is_over = True
        self._now = None
        if slot.trial.first is First.HALT:
            yield Resume()
        if slot.trial.first is First.COMMAND:
            del self._free[0]  # the symbol stays blocked
        if slot.trial.first is First.RESTING_SALE:
            yield from (
                RequestCancel(order.id) for order in self.state.ledger.working() if order.request.symbol == HELD
            )
        self.line.mends()
        for proposal in self.state.stage.proposals():
            if proposal.strategy == MANUAL:
                yield Decline(proposal.id, "the trial is over")
        self.state.record(facts.SettingsApplied(wide()))

    # ── the orders ───────────────────────────────────────────────────────────────────────────────────────────────

    def _buys_what_is_held(self) -> Iterator[Command]:
        yield self._buy(HELD, HELD_SHARES, stop=Decimal("0.5"))

    def _sale_that_rests(self) -> ProposeOrder:
        """Return a sell order for one held share, limit 10 % above its level."""
        limit = dollars(self.market.level(HELD, self._at) * 11 // 10)
        return ProposeOrder(HELD, Effect.REDUCE, ONE, OrderType.LIMIT, limit, None, StopHolder.DESK)

    def _order(self, slot: Slot) -> ProposeOrder:
        symbol = self._symbol(slot)
        level = self.market.level(symbol, self._at) if symbol != UNLISTED else 10_000
        match slot.trial.order:
            case Tried.LARGE:
                return self._buy(symbol, FAR_TOO_MANY)
            case Tried.TINY:
                return self._buy(symbol, PART)
            case Tried.OFF_TICK:
                return self._buy(symbol, SHARES, limit=Price(dollars(level) + Decimal("0.001")))
            case Tried.HIGH_LIMIT:
                return self._buy(symbol, SHARES, limit=dollars(level * 3 // 2))
            case Tried.WITHOUT_STOP:
                return self._buy(symbol, SHARES, stop=None)
            case _:
                return self._buy(symbol, SHARES)

    def _symbol(self, slot: Slot) -> Symbol:
        if slot.trial.order is Tried.UNLISTED:
            return UNLISTED
        if slot.trial.order is Tried.OLD_QUOTE:
            return OLD
        own = {First.STOPPED_OUT: STOPPED, First.HALTED_SYMBOL: HALTED, First.RESTING_SALE: HELD}
        return own.get(slot.trial.first, self._free[0])

    def _buy(
        self,
        symbol: Symbol,
        shares: Decimal,
        *,
        limit: Price | None = None,
        stop: Decimal | None = Decimal("0.98"),
        holder: StopHolder = StopHolder.DESK,
    ) -> ProposeOrder:
        level = self.market.level(symbol, self._at) if symbol != UNLISTED else 10_000
        price = None if stop is None else dollars(round(level * stop))
        kind = OrderType.MARKET if limit is None else OrderType.LIMIT
        is_held = bool(self.state.ledger.net_quantity(symbol))
        effect = Effect.ADD if is_held else Effect.OPEN
        return ProposeOrder(symbol, effect, Quantity(shares), kind, limit, price, holder)

    # ── the journal's facts ──────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, _sequence: int, _at: datetime, fact: facts.Fact) -> None:
        seen = self._now
        if seen is None or not self._is_tried:
            return
        match fact:
            case facts.ProposalSkipped(strategy=strategy) if strategy == MANUAL and fact.symbol == self._symbol(
                seen.slot
            ):
                self._refuses(seen, fact.checks, fact.reasons)
            case facts.ProposalStaged() if fact.proposal.strategy == MANUAL:
                self._is_staged(seen, fact.proposal, fact.review)
            case facts.TicketOpened() if fact.ticket.proposal_id == seen.entry:
                _warns(seen, fact.ticket.review)
            case facts.ConfirmationRefused() if self._is_entrys(seen, fact):
                self._refuses(seen, fact.checks, fact.reasons)
            case facts.OrderCreated():
                self._leaves(seen, fact)

    def _is_staged(self, seen: Seen, proposal: Proposal, review: Review) -> None:
        if proposal.is_exit and proposal.symbol == HELD:
            seen.exit = proposal.id
        elif not proposal.only_reduces and proposal.symbol == self._symbol(seen.slot):
            seen.entry = proposal.id
            _warns(seen, review)

    def _is_entrys(self, seen: Seen, fact: facts.ConfirmationRefused) -> bool:
        stage = self.state.stage.state
        confirmed = stage.confirmations.get(fact.ticket_id)
        ticket = confirmed.ticket if confirmed is not None else stage.tickets.get(fact.ticket_id)
        return ticket is not None and ticket.proposal_id == seen.entry

    def _refuses(self, seen: Seen, checks: Iterable[str], reasons: Iterable[str]) -> None:
        named = tuple(checks)
        seen.refused.update(named)
        seen.words.update({name: text.removeprefix(f"{name}: ") for name, text in zip(named, reasons, strict=False)})
        if not named:
            seen.words.setdefault("", "; ".join(reasons))

    def _leaves(self, seen: Seen, fact: facts.OrderCreated) -> None:
        """Note an order that was sent: it has the identifier of its proposal."""
        made_of = ProposalId(fact.order.client_order_id)
        seen.is_sent |= made_of == seen.entry
        seen.is_exit_sent |= made_of == seen.exit


def _warns(seen: Seen, review: Review) -> None:
    for verdict in review.verdicts:
        if verdict.standing is CheckResult.WARNS:
            seen.warned.add(verdict.check)
            seen.words.setdefault(verdict.check, verdict.reason)
