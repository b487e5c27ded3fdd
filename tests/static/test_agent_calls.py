"""No path leads from the socket of agents to an order, an approval, desk control or a setting (OP-09).

Read over the calls of the whole engine, with the types that mypy infers. A message of an agent crosses to the engine's
thread through one list of four kinds; behind it their handlers begin. A recorded fact leads to all that follow it.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from console.commands.journal import routes
from core.facts.registry import BY_NAME
from core.messages.inputs import FromAgent
from core.runtime.routes import Step
from tests.static.call_graph import CallGraph

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("core.engine", "core.runtime.live", "core.runtime.service.agent_socket")
SERVED = ("core.protocol.agent_", "core.runtime.service.agent")
SERVICE = "core.runtime.service.agent_socket"
CROSSING = "core.runtime.runtime.Runtime.hear_agent"
RECORD = "core.trading_state.state.TradingState.record"
CONFIRM = "core.workflows.staging.confirmation.Confirmations.on_confirm"
ACTS = ("core.engine.Engine.handle", "core.runtime.runtime.Runtime.take", "core.runtime.runtime.Runtime.obey")
FACTS = {
    "agents.AgentOverstepped", "agents.DaySummarised", "agents.DraftEnded", "agents.DraftReceived",
    "agents.DraftRejected",
    "notifications.NotificationBegun", "notifications.NotificationDue", "notifications.NotificationFailed",
    "notifications.NotificationSettled", "notifications.NotificationSuppressed", "notifications.NotificationWithdrawn",
    "strategies.AdviceGiven",
    "orders.OrderCreated",  # of a basket's rehearsal, in a copy of the books that the view throws away
    "strategies.StrategyFailed",  # one that is asked late, when the next record comes, whoever wrote that
}  # fmt: skip
EFFECTS = {"AnswerAgent", "SendNotification"}
NEVER = {
    "core.messages.effects.CancelOrder", "core.messages.effects.ReplaceOrder", "core.messages.effects.SubmitOrder",
    "core.model.staging.Approval", "core.model.staging.StandingAuthorization", "core.model.staging.Ticket",
}  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> CallGraph:
    known = routes()
    leads = {
        f"{fact.made.__module__}.{fact.made.__qualname__}": [*map(named, known.of_fact(fact.made).followed_by)]
        for fact in BY_NAME.values()
    }
    found = CallGraph(ROOT, MODULES, leads)
    found.leads[RECORD] = [*found.handed_to("add_listener", ("core.runtime.", "core.views."))]
    return found


def named(step: Step) -> str:
    return f"{step.file.removesuffix('.py').replace('/', '.')}.{step.name}"


def begun_by_agents(graph: CallGraph) -> dict[str, str]:
    """Everything that the agents' socket runs, and what answers their messages behind the crossing."""
    known, roots = routes(), [name for name in graph.functions if name.startswith(SERVED)]
    steps = [step for kind in get_args(FromAgent) for step in known.of(kind.__name__).answered_by]
    return graph.reached([*roots, *map(named, steps)], but={CROSSING})


def test_no_call_of_an_agent_leads_to_an_order(graph: CallGraph) -> None:
    """OP-09: nor to an approval, a ticket, another fact than its own, or the engine's door for commands"""
    reached = begun_by_agents(graph)
    made = graph.made_by(reached)

    assert len(reached) > 1_000
    assert not [graph.how(reached, name) for name in reached if graph.made_by([name]) & NEVER]
    assert {name.removeprefix("core.facts.") for name in made if name.startswith("core.facts.")} == FACTS
    effects = {name.rpartition(".")[2] for name in made if name.startswith("core.messages.effects.")}
    assert effects == EFFECTS
    assert reached.keys().isdisjoint(ACTS)


def test_the_crossing_takes_messages_of_agents_alone(graph: CallGraph) -> None:
    """OP-09"""
    known = (name for name in begun_by_agents(graph) if name in graph.functions)
    assert [name for name in known if CROSSING in graph.code(name).calls] == [f"{SERVICE}.AgentService.__init__"]
    assert graph.code(CROSSING).makes == set()


def test_the_graph_sees_the_way_of_a_key(graph: CallGraph) -> None:
    """From a confirmation the same graph finds orders, cancels and approvals"""
    assert graph.made_by(graph.reached([CONFIRM])) >= NEVER - {"core.model.staging.Ticket"}
