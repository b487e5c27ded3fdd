"""Drafts of agents in the live engine: they come through its inbox, and are answered after the journal."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from console.commands.assembly.host import Host
from core import facts
from core.messages.effects import AnswerAgent
from core.messages.inputs import AgentRefused, DraftSubmitted, DraftWithdrawn
from core.model.draft import DraftRefusal, DraftRequest, DraftTerms
from core.model.order import Effect, OrderType
from core.model.values import Price, Quantity
from state.files import Home
from tests.kit.drafts import adopts
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, environ, eventually, opened, posts, written

AGENTS = '[agents.claude]\nmost_value = 5000\nsymbols = ["SPY"]\n'


def a_draft(key: str) -> DraftRequest:
    stop = Price(Decimal(400))
    return DraftRequest(
        key, DraftTerms(SPY, Effect.OPEN, Quantity(Decimal(1)), OrderType.MARKET, None, stop), "it is low"
    )


def answers_of(desk: Open) -> list[AnswerAgent]:
    told: list[AnswerAgent] = []
    desk.runtime.answer_agent = told.append
    return told


def test_a_draft_is_answered_and_adopted(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-09, OP-14: and no request leaves before a key"""
    variables = environ(market, tmp_path)
    settings = Home.of(variables).settings
    settings.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.write_text((settings.read_text() if settings.exists() else "") + AGENTS)
    with opened(Host.of(variables)) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        told = answers_of(desk)
        for number in range(1, 11):  # more than one turn takes
            desk.runtime.hear_agent(DraftSubmitted("claude", a_draft(f"d{number}"), number))
        desk.runtime.hear_agent(DraftWithdrawn("claude", "d2", 11))
        desk.runtime.hear_agent(AgentRefused("claude", "use say", is_overstep=True))
        eventually(lambda: len(told) == 11, "every call is answered")
        desk.sends(adopts(desk.runtime.engine.state, 1))
        desk.waits(lambda view: view.proposals, "the proposal")
        sent = posts(market)
    recorded = written(desk)

    assert [each.call for each in told] == list(range(1, 12))
    assert [each.answer.code for each in told] == [None] * 5 + [DraftRefusal.WAITING] * 5 + [None]
    assert sent == 0
    assert [each.attempt for each in recorded if isinstance(each, facts.AgentOverstepped)] == ["use say"]
    assert sum(isinstance(each, facts.ProposalStaged) for each in recorded) == 1
