"""The market speaks: a bar, a quote, or something that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from core.desk import Desk
from core.effects import Effect, FetchAccount
from core.facts import BarClosed, MarketDataQuarantined, ProposalEnded, TradingHalted, TradingResumed
from core.inputs import BarArrived, MarketDataBroken, QuoteArrived, TradingStatusHeard
from core.market.normaliser import COMPLETE, Quarantined
from core.model.bar import BY_MINUTE, BY_SESSION, ONE_MINUTE, Bar
from core.model.codes import ProposalEnd
from core.model.halt import TradingHalt
from core.model.position import Position
from core.model.session import Session
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import Symbol
from core.said import is_news
from core.strategies.opposition import Signals
from core.workflows.contract import answers
from core.workflows.exiting import Exiting
from core.workflows.guarding import Guarding
from core.workflows.holding_over import is_held_over
from core.workflows.minding import Minding
from core.workflows.proposing import Proposing
from core.workflows.recommending import Recommending
from core.workflows.unattended import Unattended

NOTHING: tuple[Effect, ...] = ()
HOW_MUCH: tuple[Effect, ...] = (FetchAccount(),)


WITHOUT_A_BAR = timedelta(minutes=2)
"""After the flat time: where no bar came to say so, the clock does."""


class Market:
    """Judges what arrives, lets the strategies see what is complete, and stages what they answer."""

    def __init__(
        self,
        desk: Desk,
        proposing: Proposing,
        minding: Minding,
        exiting: Exiting,
        guarding: Guarding,
        recommending: Recommending,
        unattended: Unattended,
    ) -> None:
        self.desk = desk
        self.proposing = proposing
        self.minding = minding
        self.exiting = exiting
        self.guarding = guarding
        self.recommending = recommending
        self.unattended = unattended
        self._day_known_until = datetime.min.replace(tzinfo=UTC)
        self._asked_for = datetime.min.replace(tzinfo=UTC)
        self._flattened: dict[tuple[Symbol, str], datetime] = {}

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> Iterable[Effect]:
        desk = self.desk
        bar = message.bar
        judgement = desk.normaliser.judge(bar, desk.at)
        if judgement is not COMPLETE:
            if isinstance(judgement, Quarantined):
                desk.record(MarketDataQuarantined(message.place, f"{bar.symbol} {judgement.reason}"))
            return NOTHING
        if (counted := desk.orchestrator.session_over(bar)) is not None:
            desk.record(counted)
        desk.record(BarClosed(bar))
        signals = self.minding.ask(bar)
        desk.tell_bar(bar)
        if desk.normaliser.state.halted:
            self._see_trading(bar)
        if desk.protections.has_news:
            self.guarding.look()
        if signals or desk.ledger.state.positions or desk.stage.state.proposals:
            return self._after_busy_bar(message, signals)
        return self._new_day(bar)

    @answers(QuoteArrived)
    def on_quote(self, message: QuoteArrived) -> Iterable[Effect]:
        judgement = self.desk.normaliser.judge_quote(message.quote, self.desk.at)
        if isinstance(judgement, Quarantined):
            self.desk.record(MarketDataQuarantined("quote", f"{message.quote.symbol} {judgement.reason}"))
            return NOTHING
        self.desk.sightings.quotes[message.quote.symbol] = message.quote
        return NOTHING

    @answers(TradingStatusHeard)
    def on_status(self, message: TradingStatusHeard) -> Iterable[Effect]:
        """A halt is recorded once, its end too; an older word than the one that stands changes nothing (MD-06)."""
        desk, known = self.desk, self.desk.normaliser.state.halted.get(message.symbol)
        if known is not None and message.at < known.since:
            return NOTHING
        if message.is_halted and is_news(message.words, known.reason if known is not None else None):
            since = message.at if known is None else known.since
            desk.record(TradingHalted(TradingHalt(message.symbol, since, message.words)))
        elif not message.is_halted and known is not None:
            desk.record(TradingResumed(message.symbol, message.words))
        return NOTHING

    def _see_trading(self, bar: Bar) -> None:
        """A minute that began after the halt has traded: its end was not heard."""
        halt = self.desk.normaliser.state.halted.get(bar.symbol)
        if halt is not None and bar.start >= halt.since:
            minute = self.desk.calendar.venue.told(bar.start)
            self.desk.record(TradingResumed(bar.symbol, f"its minute {minute} has traded"))

    @answers(MarketDataBroken)
    def on_broken(self, message: MarketDataBroken) -> Iterable[Effect]:
        self.desk.record(MarketDataQuarantined(message.place, message.reason))
        return NOTHING

    def _after_busy_bar(self, message: BarArrived, answers: Signals) -> Iterable[Effect]:
        """Something was said, is held, or waits for a key."""
        bar, desk = message.bar, self.desk
        if desk.ledger.state.positions:
            answers += self.exiting.signals(bar, answers)
        if answers or desk.stage.state.proposals:
            return self._after_bar(message, answers)
        return self._new_day(bar) or self._how_much(bar)

    def _after_bar(self, message: BarArrived, answers: Signals) -> Iterator[Effect]:
        bar = message.bar
        yield from self._new_day(bar)
        self._withdraw_exits(bar, answers)
        lives_until = None if message.whole is None else self._end_of_session()
        timeframe = BY_MINUTE if message.whole is None else BY_SESSION
        for answer in self.minding.agreed(bar, answers):
            if isinstance(answer, EntrySignal):
                self.proposing.stage_entry(answer, lives_until, timeframe)
                self.recommending.after_entry(answer)
            else:
                self.proposing.stage_exit(answer, timeframe)
        yield from self.unattended.look()
        if self.desk.ledger.state.positions:
            yield from self._how_much(bar)

    def _end_of_session(self) -> datetime | None:
        """What a whole day said lives through the session in which it is heard; None where it is heard in none.

        The broker ends its order at the close, and the desk only what the broker has not ended by then.
        """
        session = self.desk.calendar.session_at(self.desk.at)
        return session.close + ONE_MINUTE if isinstance(session, Session) else None

    def _how_much(self, bar: Bar) -> Iterable[Effect]:
        """The account's figures once a minute, however many symbols have a bar in it (EX-17)."""
        if bar.start <= self._asked_for:
            return NOTHING
        self._asked_for = bar.start
        return HOW_MUCH

    def _new_day(self, bar: Bar) -> Iterable[Effect]:
        """The first bar of a day asks for the account: what the day's loss is measured against (RK-03)."""
        if bar.start < self._day_known_until:
            return NOTHING
        session = self.desk.calendar.session_at(bar.start)
        if isinstance(session, Session):
            self._day_known_until = session.close
        return HOW_MUCH

    def _withdraw_exits(self, bar: Bar, answers: Signals) -> None:
        """A strategy's exit stays while its condition holds, and no longer (OP-06)."""
        leaving = {answer.strategy for answer in answers if isinstance(answer, ExitSignal)}
        names = [runner.name for runner in self.desk.orchestrator.runners.get(bar.symbol, ())]
        names += [position.strategy for position in self.desk.ledger.positions_in(bar.symbol)]
        for name in dict.fromkeys(names):
            waiting = self.desk.stage.exit_waiting(bar.symbol, name)
            held = self.desk.ledger.position(bar.symbol, name)
            if name in self.desk.orchestrator.silent or (held is not None and is_held_over(self.desk, held)):
                continue
            if waiting and name not in leaving and not self.desk.stage.is_confirming(waiting.id):
                self.desk.record(ProposalEnded(waiting.id, ProposalEnd.WITHDRAWN, "its condition holds no longer"))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for position, at in self._to_flatten():
            if not self.proposing.is_leaving(position):
                yield at

    def due(self) -> Iterable[Effect]:
        """A position that must be flat by the close, and no bar came to say so: the clock stages its exit (ST-02)."""
        for position, at in self._to_flatten():
            if self.desk.at < at:
                continue
            self._flattened[position.symbol, position.strategy] = self.desk.at
            self.proposing.stage_flat(position, "must be flat by the close, and no bar came that said so")
        return self.unattended.look()

    def _to_flatten(self) -> Iterator[tuple[Position, datetime]]:
        """Positions of strategies that hold nothing over night, each with its next try, while the session is open."""
        for position in self.desk.ledger.positions():
            for runner in self.desk.orchestrator.runners.get(position.symbol, ()):
                session, at = runner.context.session, runner.context.flat_from + WITHOUT_A_BAR
                tried = self._flattened.get((position.symbol, position.strategy))
                if tried is not None and tried >= at:
                    at = tried + ONE_MINUTE
                if runner.name == position.strategy and self.desk.at < session.close and at < session.close:
                    yield position, at
