"""Days that nobody planned: bars, keys, troubles of the line and crashes in any order, on the real engine.

Each rule is something that happens to a desk. What must be true is the auditor's; here it is asked after each step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.brokers.simulated.exchange import ExchangeConfig
from core.messages.commands import (
    Confirm,
    Decline,
    EditOrder,
    EditProposal,
    Halt,
    Kill,
    LeaveTicket,
    MoveStop,
    OpenTicket,
    PauseStrategy,
    ProposeClose,
    ProposeFlattening,
    ProposeOrder,
    RefuseSymbol,
    RequestCancel,
    Resume,
    ResumeStrategy,
)
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, StopHolder
from core.model.session import Session
from core.model.staging import Ticket
from core.model.values import ClientOrderId, Digest, Fraction, Price, Quantity
from core.risk.recent_entries import word_of
from core.settings.settings import Settings
from tests.simulation.limits import UNGUARDED, URGENT
from tests.simulation.world import DAY, SPY, Trouble, World, calendar

STEPS = 40
"""Of a sequence, at most; about thirty on average."""
EFFECTS = (
    "SubmitOrder",
    "SubmitOrder",
    "ReplaceOrder",
    "CancelOrder",
    "LookUpOrder",
    "FetchFigures",
    "FetchBooks",
    "FetchAccount",
)
TROUBLES = st.one_of(
    st.builds(
        Trouble,
        st.just("request"),
        st.sampled_from(EFFECTS),
        st.sampled_from(["lost", "late"]),
        st.sampled_from([0.5, 6.0, 90.0]),
    ),
    st.builds(
        Trouble,
        st.just("answer"),
        st.sampled_from(EFFECTS),
        st.sampled_from(["lost", "late", "twice", "unreadable"]),
        st.sampled_from([0.0, 0.5, 4.0, 6.0, 20.0]),
    ),
    st.builds(
        Trouble,
        st.just("update"),
        st.just(""),
        st.sampled_from(["lost", "late", "twice"]),
        st.sampled_from([0.0, 0.3, 2.0, 30.0]),
    ),
)
CHANGE_TROUBLES = st.one_of(
    st.builds(
        Trouble,
        st.just("request"),
        st.just("ReplaceOrder"),
        st.sampled_from(["lost", "late"]),
        st.sampled_from([0.5, 6.0, 90.0]),
    ),
    st.builds(
        Trouble,
        st.just("answer"),
        st.just("ReplaceOrder"),
        st.sampled_from(["lost", "late", "twice", "unreadable"]),
        st.sampled_from([0.0, 0.5, 6.0, 20.0]),
    ),
)
"""What the line does to a replacement."""
LEVELS = ["100.00", "99.90", "99.60", "99.30", "99.00", "97.50", "100.20", "100.60", "101.50"]
BARS = st.tuples(
    st.sampled_from(LEVELS),
    st.sampled_from(["0", "0", "0", "-0.40", "0.40", "-2.50"]),
    st.sampled_from([5, 30, 60, 1000, 1000]),
    st.sampled_from([60.0, 60.0, 60.0, 21.0, 40.5]),
)
"""Close, gap before the open, volume, and how many seconds of it pass."""


def some_settings(*, whole: bool, margin: bool, holder: str, review: str = "3", guarded: bool = False) -> Settings:
    """Limits wide enough for many trades a day; `guarded` by the protections, as they are set for everybody."""
    return Settings.model_validate(
        {
            "risk": {
                "per_trade": {"usd": "30"},
                "max_notional": {"usd": "1000"},
                "daily_loss": {"usd": "5000"},
                "weekly_loss": {"usd": "5000"},
                "protections": {} if guarded else UNGUARDED,
                "entries_a_day": 100,
                "window_start": "09:30",
                "window_end": "15:59",
            },
            "notify": URGENT,
            "staging": {"review_seconds": review},
            "strategies": {
                "vwap": {
                    "minimum_bars": 2,
                    "minimum_volume": "10",
                    "entry_deviation": "0.001",
                    "quantity_step": "1" if whole else "0.001",
                    "stop_holder": holder,
                }
            },
            "exchange": {"multiplier": "2" if margin else "1"},
        }
    )


def _beyond(price: Decimal, stop_side: Decimal, distance: str) -> Price:
    """So far from the price, on the other side than the one that `stop_side` has the sign of."""
    return Price(STOCK_TICKS.nearest(price + (Decimal(distance) if stop_side < 0 else -Decimal(distance))))


class TradingDays(RuleBasedStateMachine):
    """What a run reached stands in its class: see `a_run`.

    Attributes
    ----------
    all_begun
        Sequences of every run, also those that found something.
    totals
        What the sound ones of this run reached.
    """

    all_begun = 0
    totals: ClassVar[Counter[str]] = Counter()

    @initialize(
        whole=st.booleans(),
        margin=st.booleans(),
        holder=st.sampled_from(["broker", "broker", "desk"]),
        minutes=st.sampled_from([1, 120, 372]),
        review=st.sampled_from(["3", "3", "8"]),
        guarded=st.sampled_from([False, False, False, True]),
    )
    def open_the_desk(self, whole: bool, margin: bool, holder: str, minutes: int, review: str, guarded: bool) -> None:
        TradingDays.all_begun += 1
        limits = some_settings(whole=whole, margin=margin, holder=holder, review=review, guarded=guarded)
        config = ExchangeConfig(account="SIM", cash=Decimal(50_000), multiplier=limits.exchange.multiplier)
        opened = calendar().session_on(DAY).open
        self.margin = margin
        self.world = World(limits, config, opened + timedelta(minutes=minutes))
        self.world.run(1)
        self.steps = 0
        for close in ("100.00", "100.05", "99.80"):
            self.world.bar(close)

    # ── the market ───────────────────────────────────────────────────────────────────────────────────────────────

    @rule(bar=BARS)
    def a_minute_trades(self, bar: tuple[str, str, int, float]) -> None:
        self._trade(*bar)

    @rule(bars=st.lists(BARS, min_size=2, max_size=5))
    def minutes_trade(self, bars: list[tuple[str, str, int, float]]) -> None:
        for bar in bars:
            self._trade(*bar)

    def _trade(self, close: str, gap: str, volume: int, seconds: float) -> None:
        self.world.bar(close, gap=gap, volume=volume, seconds=seconds)

    @rule(seconds=st.sampled_from([0.05, 0.15, 1.0, 3.1, 10.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(really=st.sampled_from([False, False, True]))
    def the_market_closes(self, really: bool) -> None:
        session = calendar().session_at(self.world.clock)
        if really and hasattr(session, "close"):
            self.world.run_until(session.close + timedelta(seconds=5))

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _press(
        self, ticket: Ticket, digest: Digest | None = None, effect: Effect | None = None, *, is_wrong_key: bool = False
    ) -> None:
        digest, effect = digest or ticket.digest, effect or ticket.order.effect
        replaces = None if is_wrong_key else ticket.order.replaces
        self.world.presses.add((ticket.id, digest, effect.value, replaces))
        self.world.do(Confirm(ticket.id, digest, effect, replaces, word=word_of(ticket.review)))

    @property
    def _desk(self):
        return self.world.engine.state

    def _tickets(self) -> list[Ticket]:
        return list(self._desk.stage.state.tickets.values())

    def _proposals(self):
        return self._desk.stage.proposals()

    def _is_open(self) -> bool:
        return isinstance(calendar().session_at(self.world.clock), Session)

    def _may_buy(self) -> bool:
        return self._is_open() and self._desk.control.refusal_of(SPY, DAY) is None

    @rule(
        depth=st.sampled_from(["-0.15", "-0.30", "-0.60"]),
        think=st.sampled_from([0.5, 0.5, 2.0, 58.0]),
        trouble=st.one_of(st.none(), TROUBLES),
        then=st.lists(BARS, max_size=4),
    )
    def a_dip_is_bought(
        self, depth: str, think: float, trouble: Trouble | None, then: list[tuple[str, str, int, float]]
    ) -> None:
        """The strategy's own day: a dip, the key, and what comes after."""
        self.world.bar(max(self.world.price, Decimal(100)))
        self.world.bar(self.world.price + Decimal(depth))
        if trouble is not None:
            self.world.line.waiting.append(trouble)
        self._read_and_confirm(0, think, 0.35)
        for bar in then:
            self._trade(*bar)

    @precondition(lambda self: self._proposals())
    @rule(
        pick=st.integers(0, 2),
        think=st.sampled_from([0.5, 0.5, 2.0, 58.0]),
        wait=st.sampled_from([0.35, 0.35, 6.0]),
        trouble=st.one_of(st.none(), TROUBLES),
    )
    def the_operator_reads_and_confirms(self, pick: int, think: float, wait: float, trouble: Trouble | None) -> None:
        if trouble is not None:
            self.world.line.waiting.append(trouble)
        self._read_and_confirm(pick, think, wait)

    @precondition(lambda self: self._desk.ledger.positions())
    @rule(wait=st.sampled_from([0.35, 20.0]), then=BARS)
    def a_position_goes_back_to_its_average(self, wait: float, then: tuple[str, str, int, float]) -> None:
        self.world.bar("100.60")
        for pick in range(len(self._proposals())):
            self._read_and_confirm(pick, 0.5, wait)
        self._trade(*then)

    @precondition(lambda self: self._proposals())
    @rule(wait=st.sampled_from([0.35, 20.0]), then=BARS)
    def the_operator_confirms_everything(self, wait: float, then: tuple[str, str, int, float]) -> None:
        for pick in range(len(self._proposals())):
            self._read_and_confirm(pick, 0.5, wait)
        self._trade(*then)

    def _read_and_confirm(self, pick: int, think: float, wait: float) -> None:
        proposals = self._proposals()
        if not proposals:
            return
        proposal = proposals[pick % len(proposals)]
        self.world.do(OpenTicket(proposal.id))
        self.world.run(think)
        for ticket in self._tickets():
            if ticket.proposal_id == proposal.id:
                self._press(ticket)
        self.world.run(wait)

    @precondition(lambda self: self._proposals())
    @rule(pick=st.integers(0, 2), wait=st.sampled_from([0.0, 0.5]))
    def a_ticket_is_opened(self, pick: int, wait: float) -> None:
        proposals = self._proposals()
        self.world.do(OpenTicket(proposals[pick % len(proposals)].id))
        self.world.run(wait)

    def _open_some_ticket(self) -> Ticket | None:
        """An open one; else the first proposal's; where nothing waits, that of a dip."""
        if not self._tickets():
            if not self._proposals():
                self.world.bar(max(self.world.price, Decimal(100)))
                self.world.bar(self.world.price - Decimal("0.30"))
            for proposal in self._proposals()[:1]:
                self.world.do(OpenTicket(proposal.id))
                self.world.run(0.5)
        return next(iter(self._tickets()), None)

    @rule(
        kind=st.sampled_from(["effect", "digest", "other", "twice", "right"]),
        other=st.sampled_from(list(Effect)),
        wait=st.sampled_from([0.0, 0.15, 0.5]),
    )
    def a_key_is_turned(self, kind: str, other: Effect, wait: float) -> None:
        ticket = self._open_some_ticket()
        if ticket is None:
            return
        if kind == "effect":
            self._press(ticket, effect=other, is_wrong_key=True)
        elif kind == "digest":
            self._press(ticket, digest=Digest("0" * 64))
        elif kind == "other":
            seen = list(self.world.auditor.story.tickets.values())
            self._press(seen[0], digest=ticket.digest)
        else:
            self._press(ticket)
        if kind == "twice":
            self._press(ticket)
        self.world.run(wait)

    @rule(
        late=st.sampled_from([0.0, 2.0, 4.0, 6.0]),
        wait=st.sampled_from([0.0, 0.15]),
        then=st.sampled_from(["kill", "close", "decline", "halt", "die", "key", "bar"]),
    )
    def something_happens_between_the_key_and_its_figures(self, late: float, wait: float, then: str) -> None:
        ticket = self._open_some_ticket()
        if ticket is None:
            return
        if late:
            self.world.line.waiting.append(Trouble("answer", "FetchFigures", "late", late))
        self._press(ticket)
        self.world.run(wait)
        match then:
            case "kill":
                self.world.do(Halt("key"), Kill("key"))
                self.world.rearm()
            case "close":
                self.world.do(ProposeClose(SPY))
            case "decline":
                self.world.do(Decline(ticket.proposal_id, ""))
            case "halt":
                self.world.do(Halt("key"), Resume())
            case "die":
                self.world.restart(down=0.1)
            case "key":
                self._press(ticket)
            case "bar":
                self.world.bar("100.60")
        self.world.run(7)

    @rule(wait=st.sampled_from([0.0, 0.5]))
    def an_old_ticket_is_confirmed_again(self, wait: float) -> None:
        old = list(self.world.auditor.story.tickets.values())
        if old:
            self._press(old[-1])
            self.world.run(wait)

    @precondition(lambda self: self._tickets())
    @rule(put_away=st.booleans())
    def a_ticket_is_left(self, put_away: bool) -> None:
        ticket = self._tickets()[0]
        self.world.do(LeaveTicket(ticket.id) if put_away else Decline(ticket.proposal_id, ""))

    @rule(
        effect=st.sampled_from([Effect.OPEN, *Effect]),
        quantity=st.sampled_from(["1", "3", "8", "0.5", "2.5"]),
        limit=st.sampled_from([None, None, "-0.05", "0.05", "0.50"]),
        stop=st.sampled_from(["0.30", "1.00", "3.00"]),
        holder=st.sampled_from(list(StopHolder)),
        at_once=st.booleans(),
        aim=st.sampled_from([None, None, "0.30", "1.00"]),
    )  # fmt: skip
    def an_order_is_typed(
        self, effect: Effect, quantity: str, limit: str | None, stop: str, holder: StopHolder, at_once: bool,
        aim: str | None = None,
    ) -> None:  # fmt: skip
        price = self.world.price
        reduces = effect.only_reduces
        away = -Decimal(stop) if effect in (Effect.OPEN, Effect.ADD) else Decimal(stop)
        self.world.do(
            ProposeOrder(
                symbol=SPY,
                effect=effect,
                quantity=Quantity(Decimal(quantity)),
                type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                limit_price=None if limit is None else STOCK_TICKS.nearest(price + Decimal(limit)),
                stop_price=None if reduces else Price(STOCK_TICKS.nearest(price + away)),
                stop_holder=holder,
                target_price=None if reduces or aim is None else _beyond(price, away, aim),
            )
        )
        if at_once and self._proposals():
            self._confirm_newest()

    @precondition(lambda self: self._desk.ledger.positions())
    @rule(
        kind=st.sampled_from([OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP]),
        away=st.sampled_from(["0.30", "0.60", "2.00"]),
        part=st.sampled_from([1, 1, 2]),
        trouble=st.one_of(st.none(), TROUBLES),
        then=st.lists(BARS, max_size=3),
    )
    def an_exit_that_waits_is_typed(
        self, kind: OrderType, away: str, part: int, trouble: Trouble | None, then: list[tuple[str, str, int, float]]
    ) -> None:
        """A pair of target and stop, a stop, a stop-limit or a trailing stop, in the place of what guards now."""
        position = self._desk.ledger.positions()[0]
        sign = 1 if position.quantity > 0 else -1
        stop = _beyond(self.world.price, sign * Decimal(away), away)
        limits = {OrderType.LIMIT: _beyond(self.world.price, -sign * Decimal(away), away), OrderType.STOP_LIMIT: stop}
        self.world.do(
            ProposeOrder(
                symbol=SPY,
                effect=Effect.CLOSE if sign > 0 else Effect.COVER,
                quantity=Quantity(max(abs(position.quantity) // part, Decimal(1))),
                type=kind,
                limit_price=limits.get(kind),
                stop_price=None if kind is OrderType.TRAILING_STOP else stop,
                stop_holder=StopHolder.BROKER,
                trail_price=Price(Decimal(away)) if kind is OrderType.TRAILING_STOP else None,
            )
        )
        if trouble is not None:
            self.world.line.waiting.append(trouble)
        if self._proposals():
            self._confirm_newest()
        for bar in then:
            self._trade(*bar)

    @precondition(lambda self: self._desk.ledger.positions())
    @rule(part=st.sampled_from(["1", "1", "0.5", "0.3"]), at_once=st.booleans())
    def a_close_is_proposed(self, part: str, at_once: bool) -> None:
        self.world.do(ProposeClose(SPY, Fraction(Decimal(part))))
        if at_once and self._proposals():
            self._confirm_newest()

    def _confirm_newest(self) -> None:
        newest = max(self._proposals(), key=lambda p: p.staged_at)
        self.world.do(OpenTicket(newest.id))
        self.world.run(0.5)
        for ticket in self._tickets():
            if ticket.proposal_id == newest.id:
                self._press(ticket)
        self.world.run(0.35)

    @rule(
        pick=st.integers(0, 2),
        quantity=st.sampled_from(["1", "1", "2", "0.5", "50", "0"]),
        limit=st.sampled_from([None, None, "-0.05", "0.02"]),
        shown=st.booleans(),
        racing=st.sampled_from(["no key", "the key before", "the old key after", "open again"]),
    )
    def a_proposal_is_edited(self, pick: int, quantity: str, limit: str | None, shown: bool, racing: str) -> None:
        """With a ticket open on it or not, and with its key just before or after."""
        if not self._proposals():
            self.an_order_is_typed(Effect.OPEN, "3", "0.05", "0.30", StopHolder.BROKER, at_once=False)
        proposals = self._proposals()
        if not proposals:
            return
        proposal = proposals[pick % len(proposals)]
        if shown:
            self.world.do(OpenTicket(proposal.id))
            self.world.run(0.5)
        tickets = [t for t in self._tickets() if t.proposal_id == proposal.id]
        if racing == "the key before":
            for ticket in tickets:
                self._press(ticket)
        old = proposal.order.limit_price
        price = None if limit is None or old is None else STOCK_TICKS.nearest(old + Decimal(limit))
        self.world.do(EditProposal(proposal.id, Quantity(Decimal(quantity)), price))
        if racing == "the old key after":
            for ticket in tickets:
                self._press(ticket)
        if racing == "open again":
            self._read_and_confirm(pick, 0.5, 0.35)
        self.world.run(0.35)

    @rule(bars=st.lists(BARS, max_size=3), dip=st.booleans(), goes_on=st.sampled_from([True] * 7 + [False]))
    def the_strategy_is_paused(self, bars: list[tuple[str, str, int, float]], dip: bool, goes_on: bool) -> None:
        """Bars come meanwhile, a dip among them; mostly it goes on afterwards."""
        self.world.do(PauseStrategy("vwap", SPY))
        if dip:
            self.world.bar(self.world.price - Decimal("0.60"))
        for bar in bars:
            self._trade(*bar)
        if goes_on:
            self.world.do(ResumeStrategy("vwap", SPY))

    @rule(really=st.sampled_from([False, False, False, False, False, True]))
    def the_symbol_is_refused_for_the_day(self, really: bool) -> None:
        """Seldom: nothing opens after it."""
        if really:
            self.world.do(RefuseSymbol(SPY, ""))

    @precondition(lambda self: self._desk.ledger.positions())
    @rule(
        away=st.sampled_from(["-0.05", "-0.20", "-0.60", "-1.50", "0.10"]),
        think=st.sampled_from([0.5, 0.5, 20.0]),
        trouble=st.one_of(st.none(), CHANGE_TROUBLES, TROUBLES),
        then=st.sampled_from(["wait", "wait", "bar", "kill", "cancel", "close", "die", "again", "wrong key"]),
        bar=BARS,
    )
    def a_stop_is_moved(
        self, away: str, think: float, trouble: Trouble | None, then: str, bar: tuple[str, str, int, float]
    ) -> None:
        """Or put back, where none works; and something else happens before its answer is there."""
        position = self._desk.ledger.positions()[0]
        sign = 1 if position.quantity > 0 else -1
        price = Price(STOCK_TICKS.nearest(self.world.price + sign * Decimal(away)))
        self.world.do(MoveStop(position.symbol, position.strategy, price))
        self._confirm_changes(think, trouble, then, bar)

    @precondition(lambda self: self._desk.ledger.working_entries())
    @rule(
        pick=st.integers(0, 2),
        more=st.sampled_from(["-2", "-1", "0", "0", "1", "4"]),
        away=st.sampled_from([None, "-0.30", "-0.05", "0.05", "0.30"]),
        think=st.sampled_from([0.5, 0.5, 20.0]),
        trouble=st.one_of(st.none(), CHANGE_TROUBLES, TROUBLES),
        then=st.sampled_from(["wait", "wait", "bar", "kill", "cancel", "close", "die", "again", "wrong key"]),
        bar=BARS,
    )
    def an_entry_is_edited(
        self,
        pick: int,
        more: str,
        away: str | None,
        think: float,
        trouble: Trouble | None,
        then: str,
        bar: tuple[str, str, int, float],
    ) -> None:
        entries = self._desk.ledger.working_entries()
        self._edit(entries[pick % len(entries)].id, more, away)
        self._confirm_changes(think, trouble, then, bar)

    @precondition(lambda self: self._may_buy())
    @rule(
        volume=st.sampled_from([30, 1000]),
        away=st.sampled_from(["-0.05", "-0.20", "-0.60"]),
        trouble=st.one_of(st.none(), CHANGE_TROUBLES, TROUBLES),
        then=st.sampled_from(["wait", "bar", "kill", "cancel", "close", "close", "die", "again", "wrong key"]),
        bar=BARS,
    )
    def a_dip_is_bought_and_its_stop_moved(
        self, volume: int, away: str, trouble: Trouble | None, then: str, bar: tuple[str, str, int, float]
    ) -> None:
        self.world.rearm()
        self.world.do(Resume(everything=True))
        self.world.bar(max(self.world.price, Decimal(100)))
        self.world.bar(self.world.price - Decimal("0.30"), volume=volume)
        self._read_and_confirm(0, 0.5, 1.0)
        for position in self._desk.ledger.positions()[:1]:
            sign = 1 if position.quantity > 0 else -1
            price = Price(STOCK_TICKS.nearest(self.world.price + sign * Decimal(away)))
            self.world.do(MoveStop(position.symbol, position.strategy, price))
        self._confirm_changes(0.5, trouble, then, bar)

    @precondition(lambda self: self._is_open())
    @rule(
        quantity=st.sampled_from(["3", "3", "8", "0.5"]),
        below=st.sampled_from(["0.40", "1.00"]),
        more=st.sampled_from(["-2", "0", "1", "4"]),
        away=st.sampled_from([None, "-0.30", "0.30", "1.00"]),
        trouble=st.one_of(st.none(), CHANGE_TROUBLES, TROUBLES),
        then=st.sampled_from(["wait", "wait", "bar", "kill", "cancel", "close", "die", "again", "wrong key"]),
        bar=BARS,
    )
    def an_entry_waits_and_is_edited(
        self,
        quantity: str,
        below: str,
        more: str,
        away: str | None,
        trouble: Trouble | None,
        then: str,
        bar: tuple[str, str, int, float],
    ) -> None:
        self.world.rearm()
        self.world.do(Resume(everything=True))
        limit = STOCK_TICKS.nearest(self.world.price - Decimal(below))
        self.world.do(
            ProposeOrder(
                SPY, Effect.OPEN, Quantity(Decimal(quantity)), OrderType.LIMIT, limit, Price(limit - 1),
                StopHolder.BROKER,
            )
        )  # fmt: skip
        if self._proposals():
            self._confirm_newest()
        for entry in self._desk.ledger.working_entries(SPY)[:1]:
            self._edit(entry.id, more, away)
        self._confirm_changes(0.5, trouble, then, bar)

    def _edit(self, order_id: ClientOrderId, more: str, away: str | None) -> None:
        order = self._desk.ledger.order(order_id)
        assert order is not None
        limit = order.request.limit_price
        if limit is not None and away is not None:
            limit = STOCK_TICKS.nearest(max(limit + Decimal(away), Decimal(5)))
        quantity = Quantity(max(order.request.quantity + Decimal(more), Decimal(0)))
        self.world.do(EditOrder(order_id, quantity, limit, None))

    def _confirm_changes(
        self, think: float, trouble: Trouble | None, then: str, bar: tuple[str, str, int, float]
    ) -> None:
        changes = [p for p in self._proposals() if p.is_guard or p.order.replaces]
        for proposal in changes[:2]:
            self.world.do(OpenTicket(proposal.id))
        self.world.run(think)
        if trouble is not None:
            self.world.line.waiting.append(trouble)
        for ticket in self._tickets():
            if any(ticket.proposal_id == proposal.id for proposal in changes):
                self._press(ticket, is_wrong_key=then == "wrong key")
        self.world.run(0.25)
        working = list(self._desk.ledger.working())
        match then:
            case "bar":
                self._trade(*bar)
            case "kill":
                self.world.do(Halt("key"), Kill("key"))
                self.world.rearm()
            case "cancel" if working:
                self.world.do(RequestCancel(working[0].id))
            case "close":
                self.world.do(ProposeClose(SPY))
                if self._proposals():
                    self._confirm_newest()
            case "die":
                self.world.restart(down=0.1)
            case "again" if self._desk.ledger.positions():
                position = self._desk.ledger.positions()[0]
                sign = 1 if position.quantity > 0 else -1
                price = Price(STOCK_TICKS.nearest(self.world.price - sign * Decimal("0.80")))
                self.world.do(MoveStop(position.symbol, position.strategy, price))
        self.world.run(0.35)

    @rule()
    def everything_is_to_be_flattened(self) -> None:
        self.world.do(ProposeFlattening())

    @precondition(lambda self: any(self._desk.ledger.working()))
    @rule(pick=st.integers(0, 3))
    def an_order_is_cancelled(self, pick: int) -> None:
        working = list(self._desk.ledger.working())
        self.world.do(RequestCancel(working[pick % len(working)].id))

    @rule(
        then=st.sampled_from(["resume", "resume", "resume", "re-arm", "re-arm", "naked, re-arm", "killed"]),
        wait=st.sampled_from([0.0, 1.0]),
    )
    def the_kill_key(self, then: str, wait: float) -> None:
        self.world.do(Halt("key"))
        self.world.run(wait)
        if then == "resume":
            self.world.do(Resume())
            return
        self.world.do(Kill("key", naked=then == "naked, re-arm"))
        self.world.run(wait)
        if then != "killed":
            self.world.rearm()

    @precondition(lambda self: self._desk.control.killed_by is not None or self._desk.control.halts)
    @rule()
    def the_desk_is_armed_again(self) -> None:
        self.world.rearm()
        self.world.do(Resume(everything=True))

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

    @rule(trouble=TROUBLES)
    def the_line_fails(self, trouble: Trouble) -> None:
        self.world.line.waiting.append(trouble)

    @rule(
        places=st.integers(0, 30),
        kept=st.integers(0, 3),
        with_checkpoint=st.booleans(),
        down=st.sampled_from([0.1, 1.0, 30.0, 200.0]),
    )
    def the_process_dies(self, places: int, kept: int, with_checkpoint: bool, down: float) -> None:
        """Now, or at one of the next places where it can."""
        self.world.next_crash = {"kept": kept, "with_checkpoint": with_checkpoint, "down": down}
        if places:
            self.world.fuse.light(places)
            return
        self.world.restart(**self.world.next_crash)
        self.world.run(0.5)

    @rule()
    def a_checkpoint_is_written(self) -> None:
        self.world.save_checkpoint()

    # ── what must be true ────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "world"):
            self.steps += 1
            assert not self.world.auditor.wrong, self.world.auditor.wrong[0]

    def teardown(self) -> None:
        if not hasattr(self, "world") or self.world.auditor.wrong:
            return
        world = self.world
        world.auditor.compare_folds()
        world.settle()
        world.auditor.compare_folds()
        world.auditor.compare_with_exchange()
        if calendar().session_on(DAY).holds(world.clock):  # with the session ends what its tickets signed
            world.auditor.wrong += world.auditor.uncovered()
        self._count()
        assert not world.auditor.wrong, world.auditor.wrong[0]

    def _count(self) -> None:
        counts, world = self.world.auditor.story.counts, self.world
        self.totals.update(
            {
                "sequences": 1,
                "steps": self.steps,
                "sequences of 30 steps and more": self.steps >= 30,
                "confirmations": counts["ConfirmationReceived"],
                "refused confirmations": counts["ConfirmationRefused"],
                "orders at the exchange": len(world.auditor.sent),
                "edits": counts["ProposalEdited"],
                "refused edits": counts["EditRefused"],
                "pauses": counts["StrategyPaused"],
                "refused symbols": counts["SymbolRefused"],
                "fills": counts["OrderFilled"],
                "closed trades": counts["TradeClosed"],
                "stop losses": counts["STOP_LOSS"],
                "mean reversions": counts["MEAN_REVERSION"],
                "force-flats": counts["FORCE_FLAT"],
                "orders in doubt": counts["OrderStateUnknown"],
                "blocked submissions": counts["SubmissionBlocked"],
                "changes sent": sum(order.replaces is not None for order in world.auditor.sent.values()),
                "orders replaced": sum(
                    order.replaced_by is not None for order in world.engine.state.ledger.state.orders.values()
                ),
                "kills": counts["Killed"],
                "restarts": world.restarts,
                "faults of the line": world.line.met.total(),
            }
        )


def a_run(sequences: int, seed_of_run: int, *, shrinks: bool) -> type[TradingDays]:
    """Run so many sequences; raises what the first wrong one found. Returns the class, for what was reached."""

    class Days(TradingDays):
        totals: ClassVar[Counter[str]] = Counter()

    with drawn_alike_everywhere():
        _run(seed(seed_of_run)(Days), sequences, shrinks=shrinks)
    return Days


@contextmanager
def drawn_alike_everywhere() -> Iterator[None]:
    """A seed draws the same days, whatever is imported: Hypothesis takes numbers and texts from there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "_get_local_constants", Constants)
        patch.setattr(providers, "CONSTANTS_CACHE", LRUCache(1024))
        yield


def _run(days: type[TradingDays], sequences: int, *, shrinks: bool) -> None:
    run_state_machine_as_test(
        days,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=STEPS,
            database=None,
            derandomize=False,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
            print_blob=True,
        ),
    )
