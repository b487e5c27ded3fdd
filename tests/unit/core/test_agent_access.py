"""No path leads from the socket of agents to an order, an approval or a command: read from the code's own text.

The import contract in pyproject.toml forbids the modules; this names what each part may take of the others, so that a
wider way is a change of this table.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from console.commands.journal import routes
from core.messages.inputs import FromAgent
from core.protocol.agent_frames import VERBS
from core.runtime.service.agent_requests import AgentServer

ROOT = Path(__file__).resolve().parents[3]
SERVED = ("core/protocol/agent_drafts.py", "core/protocol/agent_frames.py",
          "core/runtime/service/agent_reading.py", "core/runtime/service/agent_socket.py",
          "core/runtime/service/agent_requests.py", "console/client/agents.py", "console/commands/agents.py",
          "console/commands/assembly/agent_journal.py", "console/commands/assembly/mcp_answers.py",
          "console/commands/assembly/mcp_arguments.py", "console/commands/assembly/mcp_http.py",
          "console/commands/assembly/mcp_server.py",
          "console/commands/assembly/watchman_agent.py", "console/commands/assembly/watchman.py",
          "core/reports/agent_explained.py", "state/past_for_agents.py")  # fmt: skip
DRAFTING = "core/workflows/drafting.py"
TAKEN = {"AgentRefused", "AgentSaid", "AnswerAgent", "DraftSubmitted", "DraftWithdrawn", "FromAgent"}
"""All of the engine's messages that the agents' modules name."""
OF_THE_RUNTIME = {
    "account", "answer_agent", "clock", "each_beat", "engine.say", "engine.state", "hear_agent", "preparing",
    "view_for_agents",
}  # fmt: skip
OF_THE_STATE = {
    "calendar.venue.local", "control.refusals", "control.settings", "control.settings.agents",
    "control.settings.all_agents",
    "drafts.sent_within_an_hour", "drafts.state.outcomes.values", "mode", "price_history.state.closes.items",
}  # fmt: skip
"""What is asked of the runtime and its state: none of it records, sends or signs."""


def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def imported(path: str, package: str) -> Iterator[str]:
    """The names that a file takes from a package's modules, and the modules that it imports whole."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{package}."):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if f"{each.name}.".startswith(f"{package}."))


def chain_of(node: ast.expr) -> str:
    """`a.b.c` of an attribute of names; empty for anything else."""
    if isinstance(node, ast.Attribute):
        before = chain_of(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def asked_of(path: str, owner: str) -> set[str]:
    """The longest chains of attributes that a file asks of a name."""
    chains = {chain_of(node) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    mine = {each.removeprefix(f"{owner}.") for each in chains if each.startswith(f"{owner}.")}
    return {each for each in mine if not any(other.startswith(f"{each}.") for other in mine)}


@pytest.mark.parametrize("path", SERVED)
def test_agents_name_no_command_no_order_and_no_port(path: str) -> None:
    """OP-09: nor a workflow, an approval, a gateway or a broker"""
    assert set(imported(path, "core.messages")) <= TAKEN
    for package in ("core.brokers", "core.engine", "core.execution", "core.workflows"):
        assert set(imported(path, package)) == set()
    staging = set(imported(path, "core.staging"))
    assert staging <= {"reach_of"}


def test_the_server_is_given_functions_and_no_runtime() -> None:
    """OP-09"""
    assert not hasattr(AgentServer, "runtime")
    known = {"AgentView", "NotToldError", "Peer", "Reader", "ReadingCache", "peer_of"}
    for name in ("agent_requests", "agent_reading"):
        assert set(imported(f"core/runtime/service/{name}.py", "core.runtime")) <= known


def test_the_service_asks_nothing_of_the_runtime_that_acts() -> None:
    """OP-09"""
    path = "core/runtime/service/agent_socket.py"

    assert asked_of(path, "runtime") <= OF_THE_RUNTIME | {"engine.state"}
    assert asked_of(path, "state") <= OF_THE_STATE
    assert asked_of(path, "self") == {
        "_drawn", "_drawn_at", "_is_wanted", "_now", "_runtime", "_runtime.engine.state", "_show", "server",
        "server.answer", "server.close", "server.is_wanted", "server.show", "server.thread.start",
    } - {"_runtime", "server"}  # fmt: skip


def test_the_protocol_has_five_verbs_and_a_greeting() -> None:
    """OP-09"""
    assert VERBS == ("agent", "read", "size", "draft", "withdraw", "remark")


def test_what_agents_send_is_answered_by_drafting_alone() -> None:
    """OP-09: which asks for no effect but an answer"""
    known = routes()
    steps = {step.name for kind in get_args(FromAgent) for step in known.of(kind.__name__).answered_by}
    assert steps == {"Drafting.on_draft", "Drafting.on_withdraw", "Drafting.on_refused", "Drafting.on_said"}
    effects = set(imported(DRAFTING, "core.messages.effects"))
    assert effects == {"AnswerAgent", "Effect"}
    made = {
        chain_of(node.value.func)
        for node in ast.walk(tree_of(DRAFTING))
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Call)
    }
    assert made == {"AnswerAgent"}


def test_only_adopting_reaches_the_stage() -> None:
    """OP-09: the one call that proposes is in the handler of the operator's command"""
    (drafting,) = (node for node in tree_of(DRAFTING).body if isinstance(node, ast.ClassDef))
    callers = {
        act.name
        for act in drafting.body
        if isinstance(act, ast.FunctionDef)
        for node in ast.walk(act)
        if isinstance(node, ast.Attribute) and chain_of(node) == "self.manual.on_propose_order"
    }
    assert callers == {"on_adopt"}
