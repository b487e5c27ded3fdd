"""The tools that a model is shown: strict, short, and numbers exactly as they were written."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from mcp.client.client import Client

from console.client.agents import AgentClient, CallRejectedError
from console.commands.assembly.mcp_arguments import BasketDraft
from console.commands.assembly.mcp_server import RULES, DeskServer, DeskTools, Values
from core.model.fact_fields import TERMS, Unit
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


DRAFTING = {"draft_order", "draft_exit", "draft_basket", "withdraw_draft", "say", "summarise_day"}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_short(name: str) -> None:
    """OP-09"""
    assert 10 < len(TOOLS[name].description) <= LONGEST_DESCRIPTION


@pytest.mark.parametrize("name", ["draft_order", "draft_exit", "draft_basket"])
def test_a_tool_that_takes_facts_lists_each_field_by_its_unit(name: str) -> None:
    """OP-14: many clients show a model the tools alone"""
    of_the_field = TOOLS[name].parameters["$defs"]["Fact"]["properties"]["field"]["description"]

    for unit in Unit:
        its = ", ".join(field for field, terms in TERMS.items() if terms.unit is unit)
        assert f"{unit.value}: {its}" in of_the_field


@pytest.mark.parametrize("name", sorted(DRAFTING))
def test_a_draft_refuses_an_argument_that_it_does_not_have(name: str) -> None:
    """OP-09: nothing that was meant is dropped"""
    tool = TOOLS[name]

    assert tool.parameters["additionalProperties"] is False
    with pytest.raises(ValueError, match="extra_forbidden"):
        tool.fn_metadata.validate_arguments({**dict.fromkeys(tool.parameters.get("required", ())), "confirm": True})


@pytest.mark.parametrize("name", sorted(TOOLS.keys() - DRAFTING))
def test_a_read_ignores_an_argument_that_it_does_not_have(name: str) -> None:
    """SY-11"""
    tool = TOOLS[name]
    needed = {each: EXAMPLES[each] for each in tool.parameters.get("required", ())}
    found = tool.fn_metadata.validate_arguments({**needed, **ADDED, "verbose": True})

    assert "additionalProperties" not in tool.parameters
    assert needed.items() <= found.items()
    assert not found.keys() & {*ADDED, "verbose"}


EXAMPLES = {"symbol": "SPY", "side": "buy", "stop_price": "505", "key": "a", "trade": "SPY", "strategy": "vwap"}
ADDED: dict[str, Any] = {
    "toolCallId": "call_0BCIShth4lxZ", "tool_use_id": "toolu_01", "sessionId": "5e1f", "session-id": None,
    "conversationId": 7, "requestId": "r-1", "traceparent": "00-ab-cd-01", "_meta": {"progressToken": 3},
}  # fmt: skip
OF_N8N = {"toolCallId": "call_1", "sessionId": "5e1f", "action": "sendMessage", "chatInput": "buy some SPY"}


@pytest.mark.parametrize("added", [ADDED, OF_N8N, {"tool": "Keyturn_draft_order"}], ids=["ids", "n8n", "its name"])
async def test_a_draft_ignores_what_clients_add(added: dict[str, Any]) -> None:
    """SY-11"""
    client = Judging()
    answer = await called(client, "draft_order", {**ORDER, **added})

    assert answer["accepted"]
    assert [key for key, _ in client.sent] == ["a"]


MEANT = [
    {"action": "sell"}, {"action": "sendMessage"}, {"chatInput": "only below 500"}, {"tool": "stop at 500"},
    {"sessionId": {"stop_price": 500}}, {"requestId": "x" * 201}, {"_meta": "urgent"}, {"limit": "510"},
    {"idempotency_key": "b"}, {"extended_hours": True}, {"order_type": "stop"}, {"Side": "short"}, {"note": ""},
    {"toolCallId": ["505"]}, {"take_profit": None},
]  # fmt: skip


@pytest.mark.parametrize("meant", MEANT, ids=str)
async def test_a_draft_drops_nothing_that_may_be_meant(meant: dict[str, Any]) -> None:
    """OP-09, SY-11: not even under a name that clients add"""
    client = Judging()
    answer = await called(client, "draft_order", {**ORDER, **meant})

    assert answer["code"] == "wrong-arguments"
    assert client.sent == []


async def test_an_optional_argument_may_be_null() -> None:
    """SY-11: strict clients send each argument that there is"""
    client = Judging()
    nothing = dict.fromkeys(TOOLS["draft_order"].parameters["properties"])
    answer = await called(client, "draft_order", {**nothing, **ORDER})

    assert answer["accepted"]
    assert client.sent[0][1] == Terms("SPY", "buy", "", "market", "", "505")


async def test_a_part_of_a_fact_or_of_a_basket_may_be_null() -> None:
    """SY-11: strict clients send null for each part of a list's rows that they leave out"""
    client = Judging()
    of_the_account = {"field": "equity", "value": "10000", "symbol": None, "at": None, "source": None}
    one = await called(client, "draft_order", {**ORDER, "facts": [of_the_account]})
    nothing = dict.fromkeys(BasketDraft.model_fields)
    many = await called(client, "draft_basket", {"drafts": [{**nothing, **ORDER, "key": "b"}]})

    assert one["accepted"]
    assert many["accepted"] == 1
    assert client.sent[1][1] == Terms("SPY", "buy", "", "market", "", "505")


@pytest.mark.parametrize("missing", ["field", "value"])
async def test_what_a_fact_needs_may_not_be_null(missing: str) -> None:
    """SY-11"""
    client = Judging()
    answer = await called(client, "draft_order", {**ORDER, "facts": [{"field": "bid", "value": "1", missing: None}]})

    assert answer["code"] == "wrong-arguments"
    assert client.sent == []


ANY_CASE = [
    ("draft_order", {"symbol": " spy ", "side": "BUY", "time_in_force": "GTC"}, ("SPY", "buy", "gtc")),
    ("draft_order", {"symbol": "Brk.b", "side": " Short", "time_in_force": "Day"}, ("BRK.B", "short", "day")),
    ("draft_exit", {"symbol": "btc/usd", "side": " Sell ", "time_in_force": "IOC"}, ("BTC/USD", "sell", "ioc")),
]


@pytest.mark.parametrize(("tool", "words", "canonical"), ANY_CASE, ids=str)
async def test_any_letter_case_is_accepted_and_answered_as_the_desk_writes(
    tool: str, words: dict[str, str], canonical: tuple[str, str, str]
) -> None:
    """SY-11"""
    order = ORDER if tool == "draft_order" else {"key": "a", "reason": "it is high"}
    facts = [{"symbol": "spy", "field": "Price", "value": 510}]
    client = Judging()
    answer = await called(client, tool, {**order, **words, "facts": facts})
    basket = await called(client, "draft_basket", {"drafts": [{**order, **words, "facts": facts}]})

    for each in (answer, *basket["answers"]):
        assert (each["symbol"], each["side"], each["time_in_force"]) == canonical
    assert client.sent[0][1] == client.sent[1][1]
    assert [(fact.symbol, fact.field) for fact in client.stated] == [("SPY", "price")] * 2


@pytest.mark.parametrize(
    "change", [{"side": "ſell"}, {"side": "buу"}, {"time_in_force": "gtⅽ"}, {"side": "b u y"}, {"side": 1}], ids=str
)
async def test_a_letter_that_only_looks_like_one_is_another(change: dict[str, Any]) -> None:
    """OP-09"""
    client = Judging()

    assert (await called(client, "draft_order", {**ORDER, **change}))["code"] == "wrong-arguments"
    assert client.sent == []


async def test_a_symbol_that_only_looks_like_one_reaches_the_desk_as_it_is() -> None:
    """OP-09: the long s has the capital S; the desk names the letter and refuses it"""
    client = Judging()
    await called(client, "draft_order", {**ORDER, "symbol": "ſpy"})

    assert [terms.symbol for _, terms in client.sent] == ["ſpy"]


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
    """OP-09, SY-11"""
    told = await called(CLIENT, "draft_order", {**ORDER, **change})

    assert (told["is_error"], told["code"]) == (True, "wrong-arguments")
    assert next(iter(change)) in told["reasons"][0]
    assert "target_price" in told["reasons"][-1]
    assert "\n" not in told["text"]


REFUSED = [
    ("get_desk", {}, "no-engine"),
    ("draft_order", ORDER, "no-engine"),
    ("submit_order", {}, "no-engine"),
    ("explain_trade", {"trade": "SPY"}, "not-done"),
    ("get_bars", {"symbol": "SPY", "count": 0}, "wrong-arguments"),
]


@pytest.mark.parametrize(("tool", "arguments", "code"), REFUSED, ids=str)
async def test_a_refusal_has_a_code_and_reasons(tool: str, arguments: dict[str, Any], code: str) -> None:
    """SY-11: as structured content"""
    told = await called(CLIENT, tool, arguments)

    assert (told["is_error"], told["code"]) == (True, code)
    assert told["reasons"]
    assert all(isinstance(reason, str) and reason for reason in told["reasons"])


async def test_the_codes_of_the_engine_stay() -> None:
    """SY-11"""
    client = Judging({"a": CallRejectedError("too-many", "32 calls wait; wait for one")})

    assert (await called(client, "draft_order", ORDER))["code"] == "too-many"


async def test_there_are_two_resources_and_one_prompt() -> None:
    """OP-09"""
    server = DeskServer(CLIENT, NoJournal())

    assert [str(each.uri) for each in await server.list_resources()] == ["keyturn://desk"]
    assert [each.uri_template for each in await server.list_resource_templates()] == ["keyturn://report/{day}"]
    assert [each.name for each in await server.list_prompts()] == ["rules"]
    assert server.instructions == RULES


class Judging(AgentClient):
    """Answers each draft from a table by its key: a rejection, an error, or an acceptance."""

    def __init__(self, answers: dict[str, Judged | OperatorError] | None = None) -> None:
        super().__init__(no_engine, "claude")
        self.answers = answers or {}
        self.sent: list[tuple[str, Terms]] = []
        self.stated: list[Stated] = []

    def draft(self, key: str, terms: Terms, reason: str, facts: Sequence[Stated] = (), confidence: str = "") -> Judged:
        self.sent.append((key, terms))
        self.stated += facts
        answer = self.answers.get(key, Judged(1, key, len(self.sent), "3"))
        if isinstance(answer, OperatorError):
            raise answer
        return answer


def a_row(key: str, **parts: object) -> dict[str, object]:
    return {"key": key, "symbol": "SPY", "side": "buy", "stop_price": "505", "reason": "it is low", **parts}


async def called(client: AgentClient, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """As a client gets it: its values, and of an error its text too."""
    async with Client(DeskServer(client, NoJournal())) as session:
        answer = await session.call_tool(tool, arguments)
    assert answer.structured_content is not None
    is_error = {"is_error": True, "text": answer.content[0].text} if answer.is_error else {}  # type: ignore[union-attr]
    return {**answer.structured_content, **is_error}


async def basket(client: AgentClient, drafts: object) -> dict[str, Any]:
    return await called(client, "draft_basket", {"drafts": drafts})


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

    assert (await basket(client, drafts))["code"] == "wrong-arguments"
    assert client.sent == []
