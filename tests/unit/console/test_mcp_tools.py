"""The tools that a model is shown: strict, short, and numbers exactly as they were written."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from console.client.agents import AgentClient
from console.commands.assembly.mcp_server import RULES, DeskServer, DeskTools, Values, guarded
from core.ports import OperatorError

LONGEST_DESCRIPTION = 220
NOWHERE = "no engine runs here; `keyturn engine start` starts one"


def no_engine() -> socket.socket:
    raise OperatorError(NOWHERE)


class NoJournal:
    def explain_trade(self, trade: str) -> Values:
        raise OperatorError(f"no trade {trade}")

    def explain_day(self, day: str) -> Values:
        raise OperatorError(f"no day {day}")


CLIENT = AgentClient(no_engine, "claude", "0.1.0")
TOOLS = {tool.name: tool for tool in DeskTools(CLIENT, NoJournal()).each()}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_short_and_strict(name: str) -> None:
    """OP-09: an argument that it does not have is none"""
    tool = TOOLS[name]

    assert tool.parameters["additionalProperties"] is False
    assert 10 < len(tool.description) <= LONGEST_DESCRIPTION
    with pytest.raises(ValueError, match="extra_forbidden"):
        tool.fn_metadata.validate_arguments({**dict.fromkeys(tool.parameters.get("required", ())), "confirm": True})


ORDER = {"key": "a", "symbol": "SPY", "side": "buy", "stop_price": 505, "reason": "it is low"}


def test_numbers_stay_what_was_written() -> None:
    """OP-09: whether a model sends a number or a text; a list may be a text too"""
    facts = json.dumps([{"symbol": "SPY", "field": "price", "value": 510.25}])
    found = TOOLS["draft_order"].fn_metadata.validate_arguments(
        {**ORDER, "limit_price": 510.2, "quantity": "1.50", "confidence": 0.6, "facts": facts}
    )

    figures = [found[name] for name in ("stop_price", "limit_price", "quantity", "confidence")]
    assert figures == ["505", "510.2", "1.50", "0.6"]
    assert [fact.value for fact in found["facts"]] == ["510.25"]


WRONG = [{"side": "sell"}, {"stop_price": True}, {"limit_price": [1]}, {"facts": [{"field": "price"}]}, {"facts": "no"}]


@pytest.mark.parametrize("change", WRONG, ids=str)
async def test_a_wrong_argument_is_named_with_those_that_there_are(change: dict[str, Any]) -> None:
    """OP-09"""
    with pytest.raises(ToolError) as raised:
        await DeskServer(CLIENT, NoJournal()).call_tool("draft_order", {**ORDER, **change})

    words = str(raised.value)
    assert next(iter(change)) in words
    assert "target_price" in words
    assert "\n" not in words


async def test_without_an_engine_a_tool_says_what_to_do() -> None:
    """OP-09"""
    with pytest.raises(ToolError) as raised:
        await DeskServer(CLIENT, NoJournal()).call_tool("get_desk", {})

    assert NOWHERE in str(raised.value)


async def test_there_is_one_resource_and_one_prompt() -> None:
    """OP-09"""
    server = DeskServer(CLIENT, NoJournal())

    assert [str(each.uri) for each in await server.list_resources()] == ["keyturn://desk"]
    assert [each.name for each in await server.list_prompts()] == ["rules"]
    assert server.instructions == RULES


@pytest.mark.parametrize("given", [None, b"Bearer other", b"token", b"Bearer "], ids=str)
async def test_a_caller_without_the_token_reaches_nothing(given: bytes | None) -> None:
    """OP-09"""
    reached: list[str] = []
    told: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope["type"])

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    guard = guarded(app, "token")
    headers = [] if given is None else [(b"authorization", given)]
    await guard({"type": "http", "headers": headers}, None, send)
    await guard({"type": "websocket", "headers": headers}, None, send)
    assert reached == []
    assert told[0]["status"] == 401

    await guard({"type": "http", "headers": [(b"authorization", b"Bearer token")]}, None, send)
    await guard({"type": "lifespan"}, None, send)
    assert reached == ["http", "lifespan"]
