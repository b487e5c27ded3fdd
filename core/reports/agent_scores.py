"""Score each agent from the journal: false facts, calibration, and what following it made (OP-14).

Each accepted draft of an entry is followed from its drafting as a shadow trade (OP-12): that is the result if always
followed; never followed is zero. As followed is the profit of the trades that came of adopted drafts.

The Brier score is the mean of (stated confidence − outcome)², with 1 for a trade that gained and 0 for any other
(Brier, 1950): 0 is perfect, 0.25 is a coin. The outcome is that of the real trade, and of the shadow trade where there
was none, or where it failed in execution (EX-18). It is known once that trade is over; a draft that would never have
filled has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date
from decimal import Decimal

from core import facts
from core.model.draft import Draft, DraftEnd, DraftRefusal, FactResult
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, Side, StopHolder
from core.model.position import AnyTrade
from core.model.session import HOME, NoSession
from core.model.staging import MANUAL, NoStop, StopPlan
from core.model.values import ZERO, ClientOrderId, Fraction, Money, Price, Symbol, plain
from core.ports import Recorded
from core.post_mortem.missed_trades import SessionAt
from core.risk.shadow_trades import Aims, ShadowTrade, shadow_of
from core.settings.settings import Settings

BINS = 5
"""Rows of the reliability table: stated confidence in fifths."""


SCORE_FACTS = (
    facts.SettingsApplied,
    facts.BarClosed,
    facts.DraftReceived,
    facts.DraftRejected,
    facts.AgentOverstepped,
    facts.DraftEnded,
    facts.TradeClosed,
    facts.FillReversed,
)
"""The facts that are read; no other is needed."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """The drafts whose stated confidence lies in one fifth; `stated` and `gained` are means, as fractions."""

    low: Fraction
    high: Fraction
    drafts: int
    stated: Fraction
    gained: Fraction


@dataclass(frozen=True, slots=True)
class AgentScore:
    """The score of one agent.

    Attributes
    ----------
    ends
        How its accepted drafts ended; those that wait still are not in it.
    stated, checkable, false, old
        Facts of its accepted drafts: all, those that the desk could check, those of them that differed, and those that
        were true once and old when they were drafted.
    judged
        The drafts with a stated confidence and an outcome.
    brier
        Between 0 and 1, 0 is perfect; None without such a draft.
    if_always, as_followed
        USD; `if_always` has shadow trades that still go on at their last close.
    """

    agent: str
    drafts: int
    rejected: Mapping[DraftRefusal, int]
    oversteps: int
    ends: Mapping[DraftEnd, int]
    stated: int
    checkable: int
    false: int
    old: int
    judged: int
    brier: Fraction | None
    reliability: tuple[Reliability, ...]
    if_always: Money
    as_followed: Money

    @property
    def false_share(self) -> Fraction | None:
        return Fraction(Decimal(self.false) / self.checkable) if self.checkable else None

    @property
    def old_share(self) -> Fraction | None:
        return Fraction(Decimal(self.old) / self.checkable) if self.checkable else None


@dataclass(slots=True)
class _Followed:
    draft: Draft
    shadow: ShadowTrade | None
    profit: Money | None = None
    is_failed: bool = False

    def close(self, trade: AnyTrade | None) -> None:
        self.profit = None if trade is None else trade.profit
        self.is_failed = trade is not None and trade.is_failed

    @property
    def outcome(self) -> Money | None:
        """The real trade's profit, else the shadow trade's; None until that trade is over."""
        if self.profit is not None and not self.is_failed:
            return self.profit
        return None if self.shadow is None or self.shadow.is_followed else self.shadow.result


@dataclass(slots=True)
class _Agent:
    rejected: Counter[DraftRefusal] = field(default_factory=Counter)
    ends: Counter[DraftEnd] = field(default_factory=Counter)
    oversteps: int = 0
    drafts: list[_Followed] = field(default_factory=list)


def scores_of(by_day: Mapping[date, Iterable[Recorded]], session_at: SessionAt) -> tuple[AgentScore, ...]:
    """Return the score of each agent that drafted on these days, by name."""
    reader = _Reader(session_at)
    for day, records in by_day.items():
        for record in records:
            reader.take(record)
        reader.close(day)
    return tuple(_score(name, reader.agents[name]) for name in sorted(reader.agents))


class _Reader:
    def __init__(self, session_at: SessionAt) -> None:
        self._session_at = session_at
        self._settings = Settings()
        self._last: dict[Symbol, Price] = {}
        self._by_number: dict[int, tuple[str, _Followed]] = {}
        self._by_order: dict[ClientOrderId, _Followed] = {}
        self.agents: dict[str, _Agent] = {}

    def take(self, record: Recorded) -> None:
        match record.fact:
            case facts.SettingsApplied(settings=settings):
                self._settings = settings
            case facts.BarClosed(bar=bar):
                for shadow in self._going(bar.symbol):
                    shadow.take(bar)
                self._last[bar.symbol] = bar.close
            case facts.DraftReceived(draft=draft):
                followed = _Followed(draft, self._shadow(draft))
                self._agent(draft.agent).drafts.append(followed)
                self._by_number[draft.number] = draft.agent, followed
            case facts.DraftRejected(agent=name, code=code):
                self._agent(name).rejected[code] += 1
            case facts.AgentOverstepped(agent=name):
                self._agent(name).oversteps += 1
            case facts.DraftEnded(number=number, end=end, proposal_id=proposal) if number in self._by_number:
                name, followed = self._by_number[number]
                self._agent(name).ends[end] += 1
                if proposal is not None:
                    self._by_order[ClientOrderId(proposal)] = followed
            case facts.TradeClosed(trade=trade) if trade.entry_order in self._by_order:
                self._by_order[trade.entry_order].close(trade)
            case facts.FillReversed(undone=trade, corrected=after) if trade and trade.entry_order in self._by_order:
                self._by_order[trade.entry_order].close(after)

    def close(self, day: date) -> None:
        """End the day: only what is held overnight goes on."""
        night = HOME.end_of(day)
        for _, followed in self._by_number.values():
            shadow = followed.shadow
            if shadow is not None and shadow.is_followed and not shadow.is_held_at(night):
                shadow.close()

    def _going(self, symbol: Symbol) -> list[ShadowTrade]:
        shadows = (followed.shadow for _, followed in self._by_number.values())
        return [each for each in shadows if each is not None and each.symbol == symbol and each.is_followed]

    def _agent(self, name: str) -> _Agent:
        return self.agents.setdefault(name, _Agent())

    def _shadow(self, draft: Draft) -> ShadowTrade | None:
        terms, session = draft.terms, self._session_at(draft.drafted_at)
        if terms.effect.only_reduces or isinstance(session, NoSession):
            return None
        order = OrderRequest(
            client_order_id=ClientOrderId(f"draft-{draft.number}"),
            symbol=terms.symbol,
            side=Side.SELL if terms.effect is OrderEffect.SHORT else Side.BUY,
            effect=terms.effect,
            quantity=draft.quantity,
            type=terms.type,
            time_in_force=terms.time_in_force,
            limit_price=terms.limit_price,
        )
        stop = NoStop("none") if terms.stop_price is None else StopPlan(terms.stop_price, StopHolder.BROKER)
        aims, last = Aims(terms.target_price, None), self._last.get(terms.symbol)
        return shadow_of(draft.drafted_at, MANUAL, order, stop, aims, "drafted", session, last, self._settings)


def _score(name: str, agent: _Agent) -> AgentScore:
    checked = [one for followed in agent.drafts for one in followed.draft.facts]
    known = [one for one in checked if one.result is not FactResult.UNKNOWN]
    judged = [
        (followed.draft.confidence, Decimal(outcome > 0))
        for followed in agent.drafts
        if followed.draft.confidence is not None and (outcome := followed.outcome) is not None
    ]
    errors = [(stated - gained) ** 2 for stated, gained in judged]
    shadows = (followed.shadow for followed in agent.drafts)
    return AgentScore(
        agent=name,
        drafts=len(agent.drafts),
        rejected=dict(agent.rejected),
        oversteps=agent.oversteps,
        ends=dict(agent.ends),
        stated=len(checked),
        checkable=len(known),
        false=sum(one.result is FactResult.DIFFERS for one in known),
        old=sum(one.result is FactResult.OLD for one in known),
        judged=len(judged),
        brier=Fraction(sum(errors, ZERO) / len(errors)) if errors else None,
        reliability=tuple(_reliability(judged)),
        if_always=Money(sum(((each.result or ZERO) for each in shadows if each is not None), ZERO)),
        as_followed=Money(sum(((followed.profit or ZERO) for followed in agent.drafts), ZERO)),
    )


def _reliability(judged: Sequence[tuple[Decimal, Decimal]]) -> list[Reliability]:
    """Return the fifths of stated confidence that have drafts; 1 belongs to the last."""
    found = []
    for place in range(BINS):
        low, high = Decimal(place) / BINS, Decimal(place + 1) / BINS
        its = [each for each in judged if low <= each[0] < high or (place == BINS - 1 and each[0] == high)]
        if its:
            stated, gained = (Fraction(sum(column, ZERO) / len(its)) for column in zip(*its, strict=True))
            found.append(Reliability(Fraction(low), Fraction(high), len(its), stated, gained))
    return found


def score_in_brief(score: AgentScore) -> str:
    """Format `Brier 0.213 of 12 drafts; +41.20 USD if always followed, -3.10 as followed`."""
    made = f"{score.if_always:+,.2f} USD if always followed, {score.as_followed:+,.2f} as followed"
    if score.brier is None:
        return f"no Brier score: no draft with a confidence has an outcome; {made}"
    return f"Brier {score.brier:.3f} of {score.judged} draft{'s' if score.judged > 1 else ''}; {made}"


def score_as_json(score: AgentScore) -> dict[str, object]:
    """Return the score with numbers as text."""
    return {
        "agent": score.agent,
        "drafts": score.drafts,
        "rejected": {code.value: count for code, count in score.rejected.items()},
        "oversteps": score.oversteps,
        "ends": {end.value: count for end, count in score.ends.items()},
        "facts": score.stated,
        "facts_checkable": score.checkable,
        "facts_false": score.false,
        "facts_old": score.old,
        "facts_old_share": None if score.old_share is None else plain(score.old_share),
        "drafts_judged": score.judged,
        "brier": None if score.brier is None else plain(score.brier),
        "reliability": [
            {
                "from": plain(row.low),
                "to": plain(row.high),
                "drafts": row.drafts,
                "stated": plain(row.stated),
                "gained": plain(row.gained),
            }
            for row in score.reliability
        ],
        "usd_if_always_followed": plain(score.if_always),
        "usd_as_followed": plain(score.as_followed),
    }
