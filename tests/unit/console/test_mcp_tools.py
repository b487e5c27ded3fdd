"""The tools that a model is shown: strict, short, and numbers exactly as they were written."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.server.mcpserver.exceptions import ToolError

from console.client.agents import AgentClient, CallRejectedError
from console.commands.assembly.mcp_server import RULES, DeskServer, DeskTools, Values, guarded
from core.ports import OperatorError
from core.protocol.agent_frames import Judged, Stated, Terms

LONGEST_DESCRIPTION = 220
NOWHERE = "no engine runs here; `keyturn engine start` starts one"


def no_engine() -> socket.socket:
    raise OperatorError(NOWHERE)


class NoJournal:
    def explain_trade(self, trade: str) -> Values:
        raise OperatorError(f"no trade {trade}")

    def explain_day(self, day: str) -> Values:
        raise OperatorError(f"no day {day}")

    def day_named(self, day: str) -> str:
        raise OperatorError(f"no day {day}")

    def backtest(self, strategy: str, symbol: str, days: int) -> Values:
        raise OperatorError(f"no {days} days of {symbol} for {strategy}")


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


async def test_there_are_two_resources_and_one_prompt() -> None:
    """OP-09"""
    server = DeskServer(CLIENT, NoJournal())

    assert [str(each.uri) for each in await server.list_resources()] == ["keyturn://desk"]
    assert [each.uri_template for each in await server.list_resource_templates()] == ["keyturn://report/{day}"]
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


class Judging(AgentClient):
    """Answers each draft from a table by its key: a rejection, an error, or an acceptance."""

    def __init__(self, answers: dict[str, Judged | OperatorError] | None = None) -> None:
        super().__init__(no_engine, "claude")
        self.answers = answers or {}
        self.sent: list[tuple[str, Terms]] = []

    def draft(self, key: str, terms: Terms, reason: str, facts: Sequence[Stated] = (), confidence: str = "") -> Judged:
        self.sent.append((key, terms))
        answer = self.answers.get(key, Judged(1, key, len(self.sent), "3"))
        if isinstance(answer, OperatorError):
            raise answer
        return answer


def a_row(key: str, **parts: object) -> dict[str, object]:
    return {"key": key, "symbol": "SPY", "side": "buy", "stop_price": "505", "reason": "it is low", **parts}


async def basket(client: AgentClient, drafts: object) -> dict[str, Any]:
    async with Client(DeskServer(client, NoJournal())) as session:
        answer = await session.call_tool("draft_basket", {"drafts": drafts})
    if answer.is_error:
        return {"error": answer.content[0].text}  # type: ignore[union-attr]
    assert answer.structured_content is not None
    return answer.structured_content


ROWS = [
    a_row("a", limit_price=510.2, facts='[{"symbol": "SPY", "field": "price", "value": 510.25}]'),
    {"key": "b", "symbol": "QQQ", "side": "sell", "reason": "it is high"},
    a_row("c"),
]


@pytest.mark.parametrize("drafts", [ROWS, json.dumps(ROWS)], ids=["a list", "a text"])
async def test_each_draft_of_a_basket_is_judged_alone(drafts: object) -> None:
    """OP-09: in order; a rejected one stops no other"""
    client = Judging({"b": Judged(1, "b", None, code="checks", reasons=("nothing is held",))})
    told = await basket(client, drafts)

    assert [(key, terms.side, terms.type, terms.limit_price) for key, terms in client.sent] == [
        ("a", "buy", "limit", "510.2"), ("b", "sell", "market", ""), ("c", "buy", "market", ""),
    ]  # fmt: skip
    assert [(one["key"], one["accepted"]) for one in told["answers"]] == [("a", True), ("b", False), ("c", True)]
    assert (told["answers"][1]["reasons"], told["accepted"]) == (["nothing is held"], 2)


async def test_a_draft_that_is_not_understood_stops_no_other() -> None:
    """OP-09"""
    client = Judging({"b": CallRejectedError("not-understood", "symbol 'x': write it in A-Z")})
    told = await basket(client, [a_row("a"), a_row("b"), a_row("c")])

    assert [(one["accepted"], one.get("code")) for one in told["answers"]] == [
        (True, None), (False, "not-understood"), (True, None),
    ]  # fmt: skip


async def test_without_an_engine_the_rest_of_a_basket_is_not_sent() -> None:
    """OP-09: what was drafted before is answered"""
    client = Judging({"b": OperatorError(NOWHERE)})
    told = await basket(client, [a_row("a"), a_row("b"), a_row("c")])

    assert [key for key, _ in client.sent] == ["a", "b"]
    assert [one.get("code") for one in told["answers"]] == [None, "not_sent", "not_sent"]
    assert told["answers"][2]["reasons"] == [NOWHERE]


@pytest.mark.parametrize(
    "drafts",
    [[], "no list", [a_row("a", confirm=True)], [a_row(str(n)) for n in range(11)], [{**a_row("a"), "side": "kill"}]],
    ids=["empty", "no list", "an unknown field", "too many", "another side"],
)
async def test_a_wrong_basket_drafts_nothing(drafts: object) -> None:
    """OP-09"""
    client = Judging()

    assert "draft_basket" in (await basket(client, drafts))["error"]
    assert client.sent == []
