"""Plays a session on the real engine, lets everything settle, and counts what must be zero.

A player reads what the desk shows and presses keys, as a person does; each event of a session is one method here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from core.brokers.simulated.exchange import ExchangeConfig
from core.facts import OrderFilled
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
    RequestCancel,
    Resume,
    ResumeStrategy,
)
from core.messages.inputs import ConnectionChanged
from core.model.account import Channel, ConnectionState, ConnectionStatus, Mode
from core.model.basket import BasketSource
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, StopHolder
from core.model.position import Fill
from core.model.staging import Proposal, Ticket
from core.model.values import Digest, Fraction, Price, Quantity, Symbol
from core.risk.recent_entries import word_of
from core.settings.service import AttendanceSettings
from tests.simulation import drafter
from tests.simulation.bareness import Stretch
from tests.simulation.corporate_play import Announcing
from tests.simulation.desk_play import DeskPlay
from tests.simulation.planner import Planner
from tests.simulation.reckoning import Reckoning, reckon
from tests.simulation.sessions import Event, Session
from tests.simulation.surprises import Surprise
from tests.simulation.world import DAY, SPY, Trouble, World, calendar

ATTENDED = AttendanceSettings(entries="cancel", cancel_minutes=Decimal(2))
Tell = Callable[[str], None]


@dataclass
class Played:
    """What came of one session, or of many."""

    sessions: int = 0
    zeros: Reckoning = field(default_factory=Reckoning)
    reached: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    waited: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    bare: list[Stretch] = field(default_factory=list)

    def add(self, other: Played) -> None:
        self.sessions += other.sessions
        self.zeros.add(other.zeros)
        self.reached += other.reached
        self.crashes += other.crashes
        self.faults += other.faults
        self.failures += other.failures
        self.drawn += other.drawn
        self.waited += other.waited
        self.judged += other.judged
        self.bare += other.bare


@dataclass(frozen=True, slots=True)
class Failure:
    seed: int
    number: int
    words: tuple[str, ...]


def play(session: Session, tell: Tell | None = None) -> Played:
    """Play it to its end; `tell` hears of each event and of each fact."""
    player = Player(session, tell)
    for event in session.events:
        player.happen(event)
        if player.world.auditor.wrong:
            break
    return player.end()


class Player(DeskPlay, Announcing):
    def __init__(self, session: Session, tell: Tell | None = None) -> None:
        self.session = session
        self.tell = tell
        profile = session.profile
        settings = profile.settings()
        mode = Mode.LIVE if profile.dead_man else Mode.PAPER
        if session.has_desks:
            attendance = ATTENDED.model_copy(update={"dead_man_hours": Decimal(str(profile.dead_man))})
            account = settings.account.model_copy(update={"mode": mode})
            settings = settings.model_copy(update={"attendance": attendance, "account": account})
        config = ExchangeConfig(account="SIM", cash=Decimal(profile.cash), multiplier=settings.exchange.multiplier)
        start = calendar().session_on(DAY).open + timedelta(minutes=profile.minutes)
        self.world = World(settings, config, start, profile.manners, has_desks=session.has_desks, mode=mode)
        self.world.tell = tell
        self.world.surprises.is_terse = profile.is_terse
        self.planner = Planner(self.world)
        self._signs = Random(f"{session.seed}:{session.number}:signs")
        self._moods = Random(f"{session.seed}:{session.number}:moods")
        self.events = 0
        self.world.run(1)
        for close in ("100.00", "100.05", "99.80"):
            self.world.bar(close)

    def happen(self, event: Event) -> None:
        if self.tell is not None:
            self.tell(f"── {self.world.clock:%H:%M:%S.%f} {event}")
        self.events += 1
        self.sit()
        getattr(self, event.name)(*event.arguments)

    def fills(self) -> list[Fill]:
        return [r.fact.fill for r in self.world.journal.records() if isinstance(r.fact, OrderFilled)]

    def end(self) -> Played:
        """The line is sound, the broker behaves, everything settles; then the books are compared."""
        world, auditor = self.world, self.world.auditor
        if not auditor.wrong and not world.restarts:
            self.the_process_dies(0, "", 0, True, 1.0, 0)
            auditor = world.auditor
        zeros = Reckoning()
        if not auditor.wrong:
            auditor.compare_folds()
            world.is_away = False
            self.sit()
            self.planner.leave()
            world.settle()
            auditor = world.auditor
            auditor.wrong += auditor.plans.unended()
            auditor.compare_folds()
            auditor.compare_with_exchange()
            if world.calendar.session_on(DAY).holds(world.clock):  # with the session ends what its tickets signed
                auditor.wrong += auditor.uncovered()
            zeros = reckon(world)
            world.meter.end()
            for words in auditor.debts.hanging():
                auditor.require(False, words, "unsold")
        for name, count in auditor.zeros.items():
            setattr(zeros, name, getattr(zeros, name) + count)
        words = (*auditor.wrong, *zeros.words)
        session = self.session
        counts = auditor.story.counts
        return Played(
            sessions=1,
            zeros=zeros,
            reached=Counter(
                {
                    "events": self.events,
                    "orders at the exchange": len(auditor.sent),
                    "of them changes": sum(order.replaces is not None for order in auditor.sent.values()),
                    "fills": counts["OrderFilled"],
                    "closed trades": counts["TradeClosed"],
                    "confirmations": counts["ConfirmationReceived"],
                    "refused confirmations": counts["ConfirmationRefused"],
                    "orders in doubt": counts["OrderStateUnknown"],
                    "baskets opened": counts["BasketOpened"],
                    "baskets signed": counts["BasketSigned"],
                    "their orders' turns": counts["BasketTurnBegun"],
                    "orders of baskets at the exchange": len(auditor.plans.order_ids() & auditor.sent.keys()),
                    "baskets that asked": auditor.plans.asked(),
                    "exits that went unattended": counts["ExitReleased"],
                    "entries that waited for a trigger": sum(
                        o.type.is_stop and not o.effect.only_reduces for o in auditor.sent.values()
                    ),
                    "sessions with a signed basket": int(counts["BasketSigned"] > 0),
                    "sessions with a typed entry signed": int(auditor.has_signed_by_hand()),
                    "sessions with exits signed": int(auditor.has_signed_exits()),
                    "drafts adopted for a strategy": counts["RecommendationAdopted"],
                    "drafts taken": counts["DraftReceived"],
                    "drafts rejected": counts["DraftRejected"],
                    "drafts ended": counts["DraftEnded"],
                    "kills": counts["Killed"],
                    "desks attached": counts["DeskAttached"],
                    "desks lost": counts["DeskLost"],
                    "hand-overs": counts["KeyTaken"],
                    "keys freed": counts["KeyFreed"],
                    "keys of desks tried": len(world.desk_presses),
                    "commands refused": counts["CommandRefused"],
                    "restarts": world.restarts,
                    "bars": world.bars,
                    "facts": world.journal.sequence,
                }
            ),
            crashes=Counter(world.fuse.burnt),
            faults=world.line.met + world.surprises.met,
            failures=[Failure(session.seed, session.number, words)] if words else [],
            drawn=world.drawn,
            waited=world.waited,
            judged=auditor.refusals.judged,
            bare=world.meter.done,
        )

    # ── the market ───────────────────────────────────────────────────────────────────────────────────────────────

    def a_bar_trades(self, close: str, gap: str, volume: int, seconds: float) -> None:
        self.world.bar(close, gap=gap, volume=volume, seconds=seconds)

    def quiet_minutes(self, many: int, seed: int) -> None:
        """A market that goes nowhere much."""
        chance = Random(seed)
        for left in reversed(range(many)):
            move = chance.choice((Decimal("-0.02"), Decimal(0), Decimal("0.02")))
            self.world.bar(self.world.price + move, is_wide=left < 2)

    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    def the_market_closes(self) -> None:
        session = self.world.calendar.session_at(self.world.clock)
        if hasattr(session, "close"):
            self.world.run_until(session.close + timedelta(seconds=5))
            self.world.bar(self.world.price)

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _desk(self):  # type: ignore[no-untyped-def]
        return self.world.engine.state

    def _proposals(self) -> list[Proposal]:
        return list(self._desk.stage.proposals())

    def _tickets(self) -> list[Ticket]:
        return list(self._desk.stage.state.tickets.values())

    def _press(self, ticket: Ticket, digest: Digest | None = None, effect: Effect | None = None) -> None:
        digest, effect = digest or ticket.digest, effect or ticket.order.effect
        self.world.presses.add((ticket.id, digest, effect.value, ticket.order.replaces))
        self.world.do(Confirm(ticket.id, digest, effect, ticket.order.replaces, word=word_of(ticket.review)))

    def _read_and_confirm(
        self, proposal: Proposal, think: float = 0.5, wait: float = 0.35, *, signs: bool = False
    ) -> None:
        signs = self._signs.random() < self.session.profile.unattended or signs
        self.world.do(OpenTicket(proposal.id, signs))
        self.world.run(think)
        for ticket in self._tickets():
            if ticket.proposal_id == proposal.id:
                self._press(ticket)
        self.world.run(wait)

    def _confirm_newest(self) -> None:
        if proposals := self._proposals():
            self._read_and_confirm(max(proposals, key=lambda p: p.staged_at))

    def a_dip_is_bought(self, depth: str, think: float, volume: int) -> None:
        self.world.bar(max(self.world.price, Decimal(100)))
        self.world.bar(self.world.price + Decimal(depth), volume=volume)
        if proposals := self._proposals():
            self._read_and_confirm(proposals[0], think)

    def the_operator_confirms(self, pick: int, think: float, wait: float) -> None:
        if proposals := self._proposals():
            self._read_and_confirm(proposals[pick % len(proposals)], think, wait)

    def everything_is_confirmed(self) -> None:
        for proposal in self._proposals():
            self._read_and_confirm(proposal)

    def a_ticket_is_opened(self, pick: int) -> None:
        if proposals := self._proposals():
            self.world.do(OpenTicket(proposals[pick % len(proposals)].id))

    def a_ticket_is_left(self, pick: int) -> None:
        if tickets := self._tickets():
            self.world.do(LeaveTicket(tickets[pick % len(tickets)].id))

    def a_proposal_is_declined(self, pick: int) -> None:
        if proposals := self._proposals():
            self.world.do(Decline(proposals[pick % len(proposals)].id, ""))

    def an_order_is_typed(
        self, effect: str, quantity: str, limit: str, stop: str, holder: str, symbol: str = SPY
    ) -> None:
        traded = Symbol(symbol) if symbol in self.world.symbols else SPY
        wanted, price = Effect(effect), self.world.price_of(traded)
        away = -Decimal(stop) if wanted in (Effect.OPEN, Effect.ADD) else Decimal(stop)
        self.world.do(
            ProposeOrder(
                symbol=traded,
                effect=wanted,
                quantity=Quantity(Decimal(quantity)),
                type=OrderType.LIMIT if limit else OrderType.MARKET,
                limit_price=STOCK_TICKS.nearest(price + Decimal(limit)) if limit else None,
                stop_price=None if wanted.only_reduces else Price(STOCK_TICKS.nearest(price + away)),
                stop_holder=StopHolder(holder),
            )
        )
        self._confirm_newest()

    def an_entry_waits_for_its_trigger(
        self, effect: str, kind: str, away: str, quantity: str, stop: str, symbol: str, ttl: int, move: str
    ) -> None:
        """A typed stop, stop-limit or trailing entry; then the price goes through its trigger, or away from it."""
        traded = Symbol(symbol) if symbol in self.world.symbols else SPY
        wanted, price, of = Effect(effect), self.world.price_of(traded), OrderType(kind)
        sign = -1 if wanted is Effect.SHORT else 1
        trigger = price + sign * Decimal(away)
        self.world.do(
            ProposeOrder(
                symbol=traded,
                effect=wanted,
                quantity=Quantity(Decimal(quantity)),
                type=of,
                limit_price=STOCK_TICKS.nearest(trigger + sign * Decimal("0.10"))
                if of is OrderType.STOP_LIMIT
                else None,
                stop_price=Price(STOCK_TICKS.nearest(price - sign * Decimal(stop))),
                stop_holder=StopHolder.BROKER,
                trail_price=Price(Decimal(away)) if of is OrderType.TRAILING_STOP else None,
                trigger_price=None if of is OrderType.TRAILING_STOP else Price(STOCK_TICKS.nearest(trigger)),
                ttl_seconds=ttl or None,
            )
        )
        self._confirm_newest()
        self.world.bar(self.world.price + sign * Decimal(move))

    def an_exit_is_signed(self, effect: str, move: str, volume: int, wait: float) -> None:
        """One key for an entry and its exits; then the price goes where a rule of them speaks."""
        held = {position.symbol for position in self._desk.ledger.positions()}
        traded = next((symbol for symbol in self.world.symbols if symbol not in held), SPY)
        wanted, price = Effect(effect), self.world.price_of(traded)
        stop = STOCK_TICKS.nearest(price + (3 if wanted is Effect.SHORT else -3))
        before = {proposal.id for proposal in self._proposals()}
        one = Quantity(Decimal(1))
        self.world.do(ProposeOrder(traded, wanted, one, OrderType.MARKET, None, Price(stop), StopHolder.BROKER))
        for proposal in self._proposals():
            if proposal.id not in before:
                self._read_and_confirm(proposal, wait=wait, signs=True)
        self.world.bar(self.world.price, volume=volume)
        self.world.bar(self.world.price + Decimal(move), volume=volume)
        self.world.run(0.5)

    def a_close_is_confirmed(self, part: str) -> None:
        held = self._desk.ledger.positions()
        symbol = held[0].symbol if held else SPY
        self.world.do(ProposeClose(symbol, Fraction(Decimal(part))))
        closing = [p for p in self._proposals() if p.only_reduces and not p.is_guard and p.order.symbol == symbol]
        for proposal in sorted(closing, key=lambda p: p.staged_at)[-1:]:
            self._read_and_confirm(proposal)

    def all_is_flattened(self) -> None:
        self.world.do(ProposeFlattening())
        self.everything_is_confirmed()

    def a_proposal_is_edited(self, pick: int, quantity: str, limit: str, racing: str) -> None:
        """With its ticket open, and with its key just before or after."""
        proposals = self._proposals()
        if not proposals:
            return
        proposal = proposals[pick % len(proposals)]
        self.world.do(OpenTicket(proposal.id))
        self.world.run(0.5)
        tickets = [ticket for ticket in self._tickets() if ticket.proposal_id == proposal.id]
        old = proposal.order.limit_price
        price = STOCK_TICKS.nearest(old + Decimal(limit)) if limit and old is not None else None
        if racing == "the key before":
            for ticket in tickets:
                self._press(ticket)
        self.world.do(EditProposal(proposal.id, Quantity(Decimal(quantity)), price))
        if racing == "the old key after":
            for ticket in tickets:
                self._press(ticket)
        if racing == "open again":
            self._read_and_confirm(proposal)
        self.world.run(0.35)

    def a_stop_is_moved(self, away: str, think: float) -> None:
        """Or put back, where none works."""
        for position in self._desk.ledger.positions()[:1]:
            sign = 1 if position.quantity > 0 else -1
            price = Price(STOCK_TICKS.nearest(self.world.price_of(position.symbol) + sign * Decimal(away)))
            self.world.do(MoveStop(position.symbol, position.strategy, price))
        self._confirm_changes(think)

    def an_entry_is_edited(self, pick: int, more: str, away: str, think: float) -> None:
        """One that works; where none does, one is typed that will."""
        if not self._desk.ledger.working_entries():
            self.an_order_is_typed("open", "3", "-0.60", "1.00", "broker")
        entries = self._desk.ledger.working_entries()
        if not entries:
            return
        order = entries[pick % len(entries)]
        limit = order.request.limit_price
        if limit is not None and away:
            limit = STOCK_TICKS.nearest(max(limit + Decimal(away), Decimal(5)))
        quantity = Quantity(max(order.request.quantity + Decimal(more), Decimal(0)))
        self.world.do(EditOrder(order.id, quantity, limit, None))
        self._confirm_changes(think)

    def _confirm_changes(self, think: float) -> None:
        for proposal in [p for p in self._proposals() if p.is_guard or p.order.replaces][:2]:
            self._read_and_confirm(proposal, think, 0.25)

    def an_order_is_cancelled(self, pick: int) -> None:
        if working := list(self._desk.ledger.working()):
            self.world.do(RequestCancel(working[pick % len(working)].id))

    def a_wrong_key_is_turned(self, kind: str, wait: float) -> None:
        seen = list(self.world.auditor.story.tickets.values())
        if kind == "old" and seen:
            self._press(seen[-1])
        for ticket in self._tickets()[:1]:
            match kind:
                case "effect":
                    self._press(ticket, effect=Effect.SHORT)
                case "digest":
                    self._press(ticket, digest=Digest("0" * 64))
                case "other":
                    self._press(seen[0], digest=ticket.digest)
                case "twice":
                    self._press(ticket)
                    self._press(ticket)
        self.world.run(wait)

    def something_between_key_and_figures(self, late: float, wait: float, what: str) -> None:
        for proposal in self._proposals()[:1]:
            self.world.do(OpenTicket(proposal.id))
            self.world.run(0.5)
        tickets = self._tickets()
        if not tickets:
            return
        if late:
            self.world.line.waiting.append(Trouble("answer", "FetchFigures", "late", late))
        self._press(tickets[0])
        self.world.run(wait)
        match what:
            case "kill":
                self.world.do(Halt("key"), Kill("key"))
                self.world.rearm()
            case "close":
                self.world.do(ProposeClose(SPY))
            case "decline":
                self.world.do(Decline(tickets[0].proposal_id, ""))
            case "halt":
                self.world.do(Halt("key"), Resume())
            case "die":
                self.world.fuse.burnt["between key and figures"] += 1
                self.world.restart(down=0.1)
            case "key":
                self._press(tickets[0])
            case "bar":
                self.world.bar("100.60")
        self.world.run(7)

    def the_kill_key(self, then: str, wait: float) -> None:
        self.world.do(Halt("key"))
        self.world.run(wait)
        if then == "resume":
            self.world.do(Resume())
            return
        self.world.do(Kill("key", naked=then == "naked"))
        self.world.run(wait)
        if then != "killed":
            self.world.rearm()

    def the_desk_is_armed_again(self) -> None:
        self.world.rearm()
        self.world.do(Resume(everything=True))

    def the_strategy_is_paused(self, minutes: int) -> None:
        self.world.do(PauseStrategy("vwap", SPY))
        for _ in range(minutes):
            self.world.bar(self.world.price - Decimal("0.20"))
        self.world.do(ResumeStrategy("vwap", SPY))

    # ── the operator's baskets ─────────────────────────────────────────────────────────────────────────────────────

    def a_plan_is_played(
        self, source: str, seed: int, think: float, how: str, wait: float, what: str, answer: str
    ) -> None:
        """Opened, marked, signed; something comes between while it runs; it is followed to its end, or nearly."""
        chance, planner = Random(seed), self.planner
        planner.has_something(chance)
        planner.open(BasketSource(source), chance)
        self.world.run(think)
        planner.mark(chance)
        planner.something_is_in_store(what, chance)
        planner.sign(how)
        self.world.run(wait)
        planner.something_happens(what, chance)
        planner.sees_through(answer, chance)

    def a_plan_is_opened(self, source: str, seed: int) -> None:
        self.planner.open(BasketSource(source), Random(seed))

    def a_plan_is_marked(self, seed: int) -> None:
        self.planner.mark(Random(seed))

    def a_plan_is_signed(self, how: str) -> None:
        self.planner.sign(how)

    def a_plan_is_answered(self, goes_on: bool) -> None:
        self.planner.answer(goes_on=goes_on)

    def a_plan_is_left(self) -> None:
        self.planner.leave()

    # ── the agents ───────────────────────────────────────────────────────────────────────────────────────────────

    def a_strategy_is_advised(self, adopts: bool) -> None:
        drafter.advise(self.world, adopts=adopts)

    def an_agent_drafts(
        self, deed: str, effect: str, quantity: str, limit: str, stop: str, symbol: str, answer: str, signs: bool
    ) -> None:
        """The operator adopts, declines or leaves the draft; one that was adopted may be confirmed."""
        key = str(self.world.journal.sequence)
        drafter.draft(self.world, deed, key, (effect, quantity, limit, stop, symbol), answer)
        if signs and answer.startswith("adopts"):
            self._confirm_newest()
        drafter.require_no_lie_sent(self.world)

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

    def the_line_fails(self, to: str, of: str, fate: str, seconds: float) -> None:
        self.world.line.waiting.append(Trouble(to, of, fate, seconds))

    def the_stream_is_gone(self, seconds: float) -> None:
        """Its lamp goes down; what is told meanwhile is lost; it comes back."""
        world = self.world
        world.line.is_mute[0] = True
        self._connection(ConnectionState.DOWN)
        world.run(seconds)
        world.line.is_mute[0] = False
        self._connection(ConnectionState.UP)
        world.run(0.5)

    def _connection(self, state: ConnectionState) -> None:
        at = self.world.wire.at
        self.world.hear(ConnectionChanged(ConnectionStatus(Channel.TRADES, state, at)))

    def an_update_is_replayed(self, pick: int) -> None:
        self.world.surprises.replay(pick)
        self.world.run(0.05)

    def the_broker_surprises(self, to: str, what: str, seconds: float) -> None:
        self.world.surprises.waiting.append(Surprise(to, what, seconds))

    def the_account_is_blocked(self, seconds: float) -> None:
        self.world.surprises.blocked_until = self.world.clock + timedelta(seconds=seconds)

    def the_clocks_part(self, seconds: float) -> None:
        self.world.surprises.skew = timedelta(seconds=seconds)

    def an_order_is_taken_away(self, pick: int) -> None:
        if working := list(self._desk.ledger.working()):
            self.world.surprises.take_away(working[pick % len(working)].id)
            self.world.run(0.3)

    def the_position_is_closed_elsewhere(self) -> None:
        held = self._desk.ledger.positions()
        if self.world.surprises.close_elsewhere(held[0].symbol if held else SPY):
            self.world.bar(self.world.price, volume=5000)
            self.world.bar(self.world.price, volume=5000)

    def a_checkpoint_is_written(self) -> None:
        self.world.save_checkpoint()

    def the_process_dies(
        self, places: int, named: str, kept: int, with_checkpoint: bool, down: float, again: int
    ) -> None:
        """Now, or at one of the next places where it can; perhaps once more while it comes up."""
        world = self.world
        world.again = again
        world.next_crash = {"kept": kept, "with_checkpoint": with_checkpoint, "down": down}
        if places:
            world.fuse.light(places, named)
            return
        world.fuse.burnt["between two events"] += 1
        world.restart(**world.next_crash)
        world.run(0.5)
