"""Judge the drafts of agents, and make proposals of those that the operator adopts (OP-09, OP-14).

A draft is judged when it is drafted, by its agent's limits and by every check of the gate: nobody adopts an order that
the broker would reject. It reaches the stage only by the operator's command, and is then a manual proposal with its
ticket and its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core import facts
from core.agents.fact_checks import Desk, as_of_now, check
from core.messages.commands import AdoptDraft, DeclineDraft
from core.messages.desk_commands import Addressed
from core.messages.effects import AnswerAgent, Effect
from core.messages.inputs import AgentRefused, AgentSaid, DraftSubmitted, DraftWithdrawn
from core.model.account import Mode
from core.model.draft import (
    SUMMARISED_WITHIN,
    CheckedFact,
    Draft,
    DraftAnswer,
    DraftEnd,
    DraftFact,
    DraftRefusal,
    DraftRequest,
    DraftTerms,
)
from core.model.fact_fields import FactField, field_named
from core.model.instrument import STOCK_TICKS
from core.model.order import OrderRequest, OrderType, traded_in
from core.model.position import Position
from core.model.staging import MANUAL, CheckResult, NoStop
from core.model.text_sanitizer import foreign
from core.model.values import ClientOrderId, ProposalId, Quantity, Symbol, plain
from core.ports import JournalError
from core.risk.checks.order_value import room_of, taken_of
from core.risk.gate import Candidate, Gate, ReviewContext
from core.risk.sizing import size_within, within_a_draft
from core.risk.sizing_inputs import conditions_of, wanted_of
from core.settings.service import AgentSettings
from core.trading_state.state import TradingState
from core.workflows.recommendations import Recommendations, why_not
from core.workflows.staging.manual_proposals import (
    ManualProposals,
    next_manual_id,
    nothing_to_reduce,
    order_of_draft,
)
from core.workflows.staging.proposal_intake import (
    FORM,
    candidate_of,
    closing_side,
    effect_of_exit,
    in_terms_of,
    left_to_close,
    refusal_of_fraction,
)
from core.workflows.workflow import answers, follows

LONGEST_ATTEMPT = 120
EXPIRED = "nobody adopted it in time"
WITHDRAWN = "taken back by its agent"
NOT_WAITING = "it does not wait any more"
NOT_SHOWN = "it is another draft than the desk showed; read it first"
NOT_DECLINED = "nor declined: it is another draft than the desk showed; read it first"
NOT_SET_UP = "its agent is not set up any more"
NOT_STAGED = "the desk's checks refused it: the log says why"
FALSE_FOR_A_STRATEGY = "a fact of it differs, and its strategy's ticket would not say so; decline it"
LOST = "the desk ended before it was staged; draft it again"
A_TEXT_LASTS = timedelta(hours=1)
MOST_OVERSTEPS = 20
"""Attempts of one agent that are recorded in an hour."""


class Drafting:
    ACTS_BY_TIME = True
    DUE_BY_FACTS = True

    def __init__(
        self, state: TradingState, gate: Gate, manual: ManualProposals, recommendations: Recommendations
    ) -> None:
        self.state = state
        self.gate = gate
        self.recommendations = recommendations
        self.manual = manual

    # ── from an agent ────────────────────────────────────────────────────────────────────────────────────────────

    @answers(DraftSubmitted)
    def on_draft(self, message: DraftSubmitted) -> Iterator[Effect]:
        agent, request = message.agent, message.request
        known = self.state.drafts.of_key(agent, request.key)
        if known is not None and _is_same(self.state, known.draft, request):
            answer = DraftAnswer(request.key, known.number, known.draft.quantity, facts=known.draft.facts)
        else:
            answer = self._judged(agent, request, is_changed=known is not None)
        yield AnswerAgent(agent, message.call, answer)

    def _judged(self, agent: str, request: DraftRequest, *, is_changed: bool) -> DraftAnswer:
        """A draft that cannot be judged is rejected; it halts nothing."""
        try:
            return self._judge(agent, request, is_changed=is_changed)
        except JournalError:
            raise
        except Exception as error:
            reason = f"the desk could not judge it ({type(error).__name__}); change it, then draft again"
            return self._reject(agent, request, DraftRefusal.CHECKS, (reason,))

    def _judge(self, agent: str, request: DraftRequest, *, is_changed: bool) -> DraftAnswer:
        terms = self.state.control.settings.agents.get(agent)
        refusal = self._of_the_agent(agent, terms, request) or (
            (DraftRefusal.CHANGED, f"its key {request.key} names another draft: a change is a new draft with a new key")
            if is_changed
            else None
        )
        if refusal is not None or terms is None:
            refused, reason = refusal or (DraftRefusal.UNKNOWN_AGENT, "")
            return self._reject(agent, request, refused, (reason,))
        quantity = request.terms.quantity or self._size(request.terms, terms)
        if isinstance(quantity, str):
            return self._reject(agent, request, DraftRefusal.SIZE, (quantity,))
        order = replace(request.terms, quantity=quantity)
        if reasons := self._refusals(order, terms):
            code, *said = reasons
            return self._reject(agent, request, DraftRefusal(code), tuple(said))
        stated, size = _dated(self.state, request.facts, self.state.at), self._size_if_stated(request, terms)
        checked = tuple(check_fact(self.state, agent, fact, order, size=size) for fact in stated)
        draft = Draft(
            number=self.state.drafts.state.numbers + 1,
            agent=agent,
            key=request.key,
            terms=request.terms,
            quantity=quantity,
            is_sized=request.terms.quantity is None,
            reason=request.reason,
            facts=checked,
            confidence=request.confidence,
            drafted_at=self.state.at,
            expires_at=self.state.at + timedelta(minutes=terms.minutes),
        )
        self.state.record(facts.DraftReceived(draft))
        return DraftAnswer(request.key, draft.number, quantity, facts=checked)

    def _size_if_stated(self, request: DraftRequest, terms: AgentSettings) -> Decimal | None:
        """Return the size that the desk gives the draft's entry, if a fact may be of it."""
        is_stated = any(field_named(fact.field) in (FactField.SIZE, FactField.QUANTITY) for fact in request.facts)
        if not is_stated or request.terms.effect.only_reduces:
            return None
        size = self._size(replace(request.terms, quantity=None), terms)
        return None if isinstance(size, str) else size

    def _reject(self, agent: str, request: DraftRequest, code: DraftRefusal, reasons: tuple[str, ...]) -> DraftAnswer:
        """Record the rejection; a flood once an hour, until a draft is taken again."""
        is_flood = code is DraftRefusal.FLOOD
        if not (is_flood and self.state.drafts.is_flood_told(agent, self.state.at)):
            self.state.record(facts.DraftRejected(agent, request.key, code, reasons, request.terms.in_words()))
        told = tuple(map(self.state.control.for_agents, reasons))
        return DraftAnswer(request.key, None, code=code, reasons=told)

    def _of_the_agent(
        self, agent: str, terms: AgentSettings | None, request: DraftRequest
    ) -> tuple[DraftRefusal, str] | None:
        """Return why nothing of this agent is taken now, or not this draft."""
        state, drafts = self.state, self.state.drafts
        if terms is None:
            return DraftRefusal.UNKNOWN_AGENT, f"no agent {agent} is set up; `keyturn agents add {agent}` adds it"
        if drafts.sent_within_an_hour(agent, state.at) >= terms.per_hour:
            return DraftRefusal.FLOOD, f"{terms.per_hour} drafts in an hour were taken; wait, then draft again"
        if not terms.enabled:
            return DraftRefusal.OFF, f"agent {agent} is switched off by the operator"
        if state.mode is Mode.LIVE and not terms.live:
            return DraftRefusal.LIVE, f"agent {agent} may not draft on a live account"
        now = state.calendar.venue.local(state.at).time().replace(second=0, microsecond=0)
        if not terms.begins <= now <= terms.ends:
            return DraftRefusal.HOURS, f"it may draft from {terms.begins:%H:%M} to {terms.ends:%H:%M} exchange time"
        allowed = terms.symbols or state.control.settings.symbols
        is_held = bool(state.ledger.positions_in(request.terms.symbol)) and request.terms.effect.only_reduces
        if request.terms.symbol not in allowed and not is_held:
            return DraftRefusal.SYMBOL, f"it may draft {', '.join(allowed)}; {request.terms.symbol} is not among them"
        if sum(one.draft.agent == agent for one in drafts.waiting) >= terms.waiting:
            return DraftRefusal.WAITING, f"{terms.waiting} of its drafts wait; withdraw one, or wait for the operator"
        return None

    def _refusals(self, order: DraftTerms, terms: AgentSettings) -> tuple[str, ...]:
        """Return the code and the reasons why the desk would not stage it; empty if it would."""
        if order.effect.only_reduces and not order.strategy:
            reason = self._why_no_exit(order)
            return (DraftRefusal.CHECKS, reason) if reason else ()
        if order.strategy and (reason := why_not(self.state, order)):
            return (DraftRefusal.CHECKS, reason)
        built = self.manual.entry_of(order_of_draft(self.state, order, None))
        if isinstance(built, str):
            return (DraftRefusal.CHECKS, built)
        last = self.state.last_price(order.symbol)
        price = built.order.limit_price or built.intended_price or (last[1] if last is not None else None)
        if price is not None and built.order.cost(price) > terms.most_value:
            value = f"{built.order.cost(price):,.2f} USD"
            return (DraftRefusal.VALUE, f"it is worth {value}; this agent may draft {plain(terms.most_value)} USD")
        review = self.gate.review(candidate_of(built), self._context(order.symbol))
        if review.refusals:
            return (DraftRefusal.CHECKS, *(f"{v.check}: {v.reason}" for v in review.refusals))
        return ()

    def _why_no_exit(self, order: DraftTerms) -> str:
        position = self.manual.reduced_by(order.symbol, order.effect)
        if position is None:
            return nothing_to_reduce(order.symbol)
        left = left_to_close(self.state, order.symbol, position.strategy, closing_side(position))
        if order.quantity is not None and order.quantity > left:
            return f"{plain(left)} {order.symbol} are left to close, and it asks for {plain(order.quantity)}"
        if not left:
            return f"an exit of all {order.symbol} is working already"
        return self._malformed(order, position, left)

    def _malformed(self, order: DraftTerms, position: Position, left: Quantity) -> str:
        """Return why the broker would reject the exit, after its stop was cancelled for it; empty if it would not."""
        side, shares = closing_side(position), order.quantity or left
        effect = effect_of_exit(side, shares, abs(position.quantity))
        request = OrderRequest(ClientOrderId(""), order.symbol, side, effect, shares, OrderType.MARKET)
        request = in_terms_of(order_of_draft(self.state, order, None), traded_in(position.instrument, request))
        if refusal := refusal_of_fraction(request):
            return refusal
        candidate = Candidate(request, NoStop("it closes"), position.strategy, self.state.at, is_manual=True)
        verdicts = (check.review(candidate, self._context(order.symbol)) for check in FORM)
        return next((f"{v.check}: {v.reason}" for v in verdicts if v.standing is CheckResult.REFUSES), "")

    def _size(self, terms: DraftTerms, agent: AgentSettings) -> Quantity | str:
        """Return the size that the desk gives such an entry, or why there is none."""
        if terms.effect.only_reduces:
            held = self.manual.reduced_by(terms.symbol, terms.effect)
            if held is None:
                return nothing_to_reduce(terms.symbol)
            return left_to_close(self.state, terms.symbol, held.strategy, closing_side(held))
        context = self._context(terms.symbol)
        for part in (Decimal(1), Decimal("0.5")):  # whole shares first: the broker holds their stop over the night
            built = self.manual.entry_of(order_of_draft(self.state, replace(terms, quantity=Quantity(part)), None))
            if isinstance(built, str):
                return built
            candidate = candidate_of(built)
            wanted = wanted_of(candidate, context)
            if wanted is None:
                return "the desk needs a stop price, and a limit price or a quote, to size it"
            most, largest = within_a_draft(wanted.max_notional, agent.most_value)
            room = room_of(candidate.order.side, context, taken_of(context))
            of_a_draft = replace(wanted, max_notional=most)
            size = size_within(room, of_a_draft, conditions_of(candidate, context), largest=largest)
            if size.quantity:
                return size.quantity
        return f"no size passes: {size.limited_by}"

    @answers(DraftWithdrawn)
    def on_withdraw(self, message: DraftWithdrawn) -> Iterator[Effect]:
        known = self.state.drafts.of_key(message.agent, message.key)
        if known is not None and known.is_waiting:
            self.state.record(facts.DraftEnded(known.number, DraftEnd.WITHDRAWN, WITHDRAWN))
            yield AnswerAgent(message.agent, message.call, DraftAnswer(message.key, known.number))
        else:
            reason = "no draft with this key waits; await_decision says what became of it"
            answer = DraftAnswer(message.key, None, code=DraftRefusal.UNREADABLE, reasons=(reason,))
            yield AnswerAgent(message.agent, message.call, answer)

    @answers(AgentRefused)
    def on_refused(self, message: AgentRefused) -> Iterable[Effect]:
        """Record what an agent tried beyond drafts; an unreadable draft counts as one."""
        attempt = foreign(message.attempt)[:LONGEST_ATTEMPT]
        drafts, terms = self.state.drafts, self.state.control.settings.agents.get(message.agent)
        if message.is_overstep and drafts.oversteps_within_an_hour(message.agent, self.state.at) < MOST_OVERSTEPS:
            self.state.record(facts.AgentOverstepped(message.agent, attempt))
        is_flood = terms is None or drafts.sent_within_an_hour(message.agent, self.state.at) >= terms.per_hour
        if is_flood and drafts.is_flood_told(message.agent, self.state.at):
            return ()
        code = DraftRefusal.FLOOD if is_flood else DraftRefusal.UNREADABLE
        self.state.record(facts.DraftRejected(message.agent, "", code, (attempt,)))
        return ()

    @answers(AgentSaid)
    def on_said(self, message: AgentSaid) -> Iterable[Effect]:
        """Record a text, once while it is valid, or the summary of a day of the last week."""
        state, agent, text = self.state, message.agent, message.text
        terms = state.control.settings.agents.get(agent)
        if agent not in state.control.settings.all_agents or (terms is not None and not terms.enabled):
            return ()
        if message.day is not None:
            today = state.calendar.venue.day_of(state.at)
            if today - SUMMARISED_WITHIN <= message.day <= today:
                state.record(facts.DaySummarised(agent, message.day, text))
        elif not state.advice.is_said(agent, text, state.at):
            number = state.advice.state.numbers + 1
            state.record(facts.AdviceGiven(number, agent, text, None, state.at + A_TEXT_LASTS))
        return ()

    # ── from the operator ────────────────────────────────────────────────────────────────────────────────────────

    @answers(AdoptDraft)
    def on_adopt(self, command: AdoptDraft) -> Iterator[Effect]:
        known = self.state.drafts.outcome(command.number)
        if known is None or not known.is_waiting:
            self.state.record(facts.DraftNotStaged(command.number, (NOT_WAITING,)))
            return
        if known.draft.digest != command.digest:
            self.state.record(facts.DraftNotStaged(command.number, (NOT_SHOWN,)))
            return
        draft, terms = known.draft, self.state.control.settings.agents.get(known.draft.agent)
        order = replace(draft.terms, quantity=draft.quantity)
        reasons = self._refusals(order, terms)[1:] if terms is not None else (NOT_SET_UP,)
        if order.strategy and any(fact_now(self.state, draft, one, order).needs_review for one in draft.facts):
            reasons += (FALSE_FOR_A_STRATEGY,)
        if not reasons and draft.terms.strategy:
            self.recommendations.adopt(draft)
            self.state.record(facts.DraftEnded(draft.number, DraftEnd.GIVEN, "", None, *self._seat(command)))
            return
        if reasons:
            self.manual.staging.skip(MANUAL, order.symbol, reasons)
            self.state.record(facts.DraftNotStaged(draft.number, reasons))
            return
        order_id, (terminal, user) = ProposalId(next_manual_id(self.state)), self._seat(command)
        # Before the proposal: a crash in between stages nothing, and no proposal is without its draft's facts.
        self.state.record(facts.DraftEnded(draft.number, DraftEnd.STAGED, "", order_id, terminal, user))
        yield from self.manual.on_propose_order(order_of_draft(self.state, order, draft.number))
        if order_id not in self.state.stage.state.proposals:
            self.state.record(facts.DraftEnded(draft.number, DraftEnd.BLOCKED, NOT_STAGED))

    @follows(facts.AgentsApplied)
    def after_agents(self, _fact: facts.AgentsApplied) -> None:
        self._end_drafts_of_removed()

    def _end_drafts_of_removed(self) -> None:
        """End the waiting drafts of agents that were removed: nobody could adopt them. A paused agent's stay."""
        agents = self.state.control.settings.agents
        for one in self.state.drafts.waiting:
            if one.draft.agent not in agents:
                self.state.record(facts.DraftEnded(one.number, DraftEnd.EXPIRED, NOT_SET_UP))

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> None:
        """End adopted drafts whose proposal a crash kept from the journal, and those of agents that were removed."""
        self._end_drafts_of_removed()
        stage, ledger = self.state.stage.state, self.state.ledger
        for one in self.state.drafts.staged:
            is_there = one.order_id is not None and (
                ProposalId(one.order_id) in stage.proposals or ledger.has(one.order_id)
            )
            if not is_there:
                self.state.record(facts.DraftEnded(one.number, DraftEnd.BLOCKED, LOST))

    @answers(DeclineDraft)
    def on_decline(self, command: DeclineDraft) -> Iterable[Effect]:
        known = self.state.drafts.outcome(command.number)
        if known is not None and known.is_waiting:
            if known.draft.digest != command.digest:
                self.state.record(facts.DraftNotStaged(known.number, (NOT_DECLINED,)))
                return ()
            terminal, user = self._seat(command)
            self.state.record(
                facts.DraftEnded(known.number, DraftEnd.DECLINED, foreign(command.reason), None, terminal, user)
            )
        return ()

    def _seat(self, command: Addressed) -> tuple[str, str]:
        if command.desk is None:
            return "", ""
        seat = self.state.desks.seat(command.desk)
        return seat.terminal, seat.user

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _context(self, symbol: Symbol) -> ReviewContext:
        return self.state.figures_for(self.state.at, symbol, None)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (one.draft.expires_at for one in self.state.drafts.waiting)

    def due(self) -> Iterable[Effect]:
        for one in self.state.drafts.waiting:
            if self.state.at >= one.draft.expires_at:
                self.state.record(facts.DraftEnded(one.number, DraftEnd.EXPIRED, EXPIRED))
        return ()


def _is_same(state: TradingState, draft: Draft, request: DraftRequest) -> bool:
    stated = tuple(one.fact for one in draft.facts)
    return (draft.terms, draft.reason, stated, draft.confidence) == (
        request.terms,
        request.reason,
        _dated(state, request.facts, draft.drafted_at),
        request.confidence,
    )


def _dated(state: TradingState, stated: tuple[DraftFact, ...], at: datetime) -> tuple[DraftFact, ...]:
    """Give each fact with the exchange's clock the time of that clock on the day of its draft."""
    venue = state.calendar.venue
    return tuple(
        fact if fact.clock is None else replace(fact, at=venue.at(venue.day_of(at), fact.clock), clock=None)
        for fact in stated
    )


def check_fact(
    state: TradingState,
    agent: str,
    fact: DraftFact,
    order: DraftTerms,
    drafted_at: datetime | None = None,
    size: Decimal | None = None,
) -> CheckedFact:
    """Compare one fact with the desk's figures of its time, for a draft of this order.

    Parameters
    ----------
    drafted_at
        The moment of its draft; None for now.
    size
        What the desk gives the draft's entry.
    """
    return check(fact, _desk(state, agent, fact, order, drafted_at or state.at, size))


def fact_now(state: TradingState, draft: Draft, stated: CheckedFact, order: DraftTerms) -> CheckedFact:
    """Return a fact of a draft as it stands now.

    What was found of its time stays. A figure of what is held or of the account is old once it has changed, and the
    distance of a stop follows the order.
    """
    desk = _desk(state, draft.agent, stated.fact, order, draft.drafted_at, None)
    if field_named(stated.fact.field) is FactField.STOP_DISTANCE:
        return check(stated.fact, desk)
    return as_of_now(stated, desk)


def _desk(
    state: TradingState, agent: str, fact: DraftFact, order: DraftTerms, drafted_at: datetime, size: Decimal | None
) -> Desk:
    symbol = Symbol(fact.symbol)
    entry = order.limit_price or (state.last_price(order.symbol) or (None, None))[1]
    distance = None if not entry or order.stop_price is None else abs(entry - order.stop_price) / entry
    return Desk(
        record=state.sightings.figures,
        agent=agent,
        drafted_at=drafted_at,
        closes=state.price_history.state.closes.get(symbol, ()),
        of_the_draft={FactField.STOP_DISTANCE: distance, FactField.SIZE: size},
        ticks=state.traded(symbol).ticks if symbol else STOCK_TICKS,
    )
