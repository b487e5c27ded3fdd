"""`keyturn mcp` as a process, with the SDK's own client, beside a demo whose operator is this test."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from console.client.handle import EngineHandle
from console.commands.assembly.engine_process import service_agents
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.commands import DeclineDraft, ProposeOrder
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity, Symbol
from core.views import DeskView
from state.files import Home
from tests.real.demo import PROGRAM, journal_records, ran
from tests.real.waiting import LIMIT, until

AGENT = "claude"
TOOLS = {
    "get_desk", "list_positions", "list_orders", "get_quote", "get_bars", "get_protections", "get_limits",
    "size_for_risk", "draft_order", "draft_exit", "draft_basket", "withdraw_draft", "say", "summarise_day",
    "await_decision", "list_drafts", "explain_trade", "explain_day", "backtest",
}  # fmt: skip
TOKEN = "a token of this test"
WATCHED = "\n[advisers]\nevery_seconds = 5\n[advisers.watchman]\nenabled = true\nrefusals = 2\n"
SPY = Symbol("SPY")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    added = ran(tmp_path, "agents", "add", AGENT, "--symbols", "SPY")
    assert added.returncode == 0, added.stderr
    with Home.of({"KEYTURN_HOME": str(tmp_path)}).settings.open("a") as file:
        file.write(WATCHED)
    return {**os.environ, "KEYTURN_HOME": str(tmp_path), "KEYTURN_MCP_TOKEN": TOKEN}


@pytest.fixture
def operator(environ: dict[str, str]) -> Iterator[EngineHandle]:
    """A demo's engine and its desk, without a screen."""
    host = Host.of(environ)

    def build(stack: Any) -> Any:
        runtime = demo_runtime(host, DemoOptions(profile="micro"), stack)
        service_agents(host, runtime, stack)
        return runtime

    handle = EngineHandle(build)
    handle.start()
    try:
        until(lambda: isinstance(handle.view, DeskView), "the demo is there")
        yield handle
    finally:
        assert handle.close("the test is over", LIMIT)


async def told(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return answer.structured_content


async def test_a_client_reads_drafts_is_declined_and_withdraws(environ: dict[str, str], operator: EngineHandle) -> None:
    """OP-09, OP-14: over stdio; and nothing but a draft comes of it"""
    server = StdioServerParameters(command=PROGRAM, args=["mcp", "--agent", AGENT], env=environ)
    async with Client(stdio_client(server)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        desk = await told(client, "get_desk")
        price = (await told(client, "get_bars", symbol="SPY", count=1))["bars"][0]["close"]
        stop = str(round(float(price) * 0.995, 2))
        order = {"symbol": "SPY", "side": "buy", "limit_price": price, "stop_price": stop, "reason": "it is low"}
        size = await told(client, "size_for_risk", symbol="SPY", side="buy", limit_price=price, stop_price=stop)
        facts = json.dumps([{"symbol": "SPY", "field": "position", "value": 7}])  # models send lists as text
        first = await told(client, "draft_order", key="first", facts=facts, confidence=0.6, **order)

        until(lambda: isinstance(operator.view, DeskView) and operator.view.drafts, "the desk shows the draft")
        assert isinstance(operator.view, DeskView)
        operator.send(DeclineDraft(1, operator.view.drafts[0].digest, "earnings tonight"))
        declined = await told(client, "await_decision", key="first", seconds=60)
        second = await told(client, "draft_order", key="second", **order)
        rows = [{"key": "second", **order}, {"key": "wide", **order, "stop_price": "nothing"}]
        basket = await told(client, "draft_basket", drafts=json.dumps(rows))
        withdrawn = await told(client, "withdraw_draft", key="second")
        words = [(each["key"], each["word"], each["reason"]) for each in (await told(client, "list_drafts"))["drafts"]]
        day = await told(client, "explain_day")
        played = await told(client, "backtest", strategy="vwap", symbol="SPY", days=1)
        no_strategy = await client.call_tool("backtest", {"strategy": "nonsense", "symbol": "SPY", "days": 1})
        unknown = await client.call_tool("explain_trade", {"trade": "SPY"})
        attempt = await client.call_tool("submit_order", {"symbol": "SPY"})
        odd = await client.call_tool("draft_order", {"key": "third", "take_profit": 1, **order})
        page = await client.read_resource("keyturn://desk")
        rules = await client.get_prompt("rules")

    assert (desk["mode"], desk["desks_attached"], desk["drafts_taken"]) == ("paper", 1, True)
    assert (first["accepted"], first["quantity"]) == (True, size["quantity"])
    assert [(one["result"], one["ours"]) for one in first["facts"]] == [("differs", "0")]
    assert (declined["word"], declined["reason"]) == ("declined", "earnings tonight")
    assert (second["number"], withdrawn["accepted"]) == (2, True)
    assert words[0] == ("first", "declined", "earnings tonight")
    assert words[1][:2] == ("second", "withdrawn")
    assert (len(day["days"]), day["trades"]) == (1, [])
    assert (played["strategy"], played["symbol"], played["minutes"] > 0) == ("vwap", "SPY", True)
    assert no_strategy.is_error
    assert "vwap" in str(no_strategy.content)
    assert unknown.is_error
    assert "no closed trade of SPY" in str(unknown.content)
    assert [(one["key"], one["accepted"]) for one in basket["answers"]] == [("second", True), ("wide", False)]
    assert attempt.is_error
    assert odd.is_error
    assert "drafts" in str(page.contents[0])
    assert rules.messages
    recorded = {record["fact"] for record in journal_records(Path(environ["KEYTURN_HOME"]))}
    assert {"AgentOverstepped", "DraftReceived", "DraftEnded"} <= recorded
    assert {"OrderCreated", "ConfirmationReceived"}.isdisjoint(recorded)


async def test_a_day_is_summarised_for_its_report(environ: dict[str, str], operator: EngineHandle) -> None:
    """AN-06: `keyturn report` says whose words they are"""
    server = StdioServerParameters(command=PROGRAM, args=["mcp", "--agent", AGENT], env=environ)
    async with Client(stdio_client(server)) as client:
        day = (await told(client, "summarise_day", text="Nothing was bought."))["summarised"]
        page = await client.read_resource(f"keyturn://report/{day}")
    folder = Path(environ["KEYTURN_HOME"])
    until(lambda: "DaySummarised" in {record["fact"] for record in journal_records(folder)}, "it is recorded")
    printed = ran(folder, "report", "--day", day, "--json")

    assert day in str(page.contents[0])
    assert [(each["agent"], each["day"]) for each in json.loads(printed.stdout)["summaries"]] == [(AGENT, day)]
    assert operator.view is not None


def test_the_watchman_runs_beside_the_engine(environ: dict[str, str], operator: EngineHandle) -> None:
    """OP-09: in a process of its own; it says which check refuses again and again, and drafts nothing"""
    many, stop = Quantity(Decimal(100_000)), Price(Decimal(1))
    for _ in range(2):
        operator.send(ProposeOrder(SPY, Effect.OPEN, many, OrderType.MARKET, None, stop, StopHolder.DESK))
    until(lambda: operator.view.advice.rows, "it says so")

    assert {row.agent for row in operator.view.advice.rows} == {"watchman"}
    assert not operator.view.drafts


@pytest.fixture
def port(environ: dict[str, str], operator: EngineHandle) -> Iterator[int]:
    """Of a server over HTTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = ("mcp", "--agent", AGENT, "--http", str(port))
    server = subprocess.Popen([PROGRAM, *words], env=environ, stderr=subprocess.PIPE)
    try:
        until(lambda: _answers(port), "it listens")
        yield port
    finally:
        server.terminate()
        server.communicate(timeout=LIMIT)


async def test_http_needs_the_token(port: int) -> None:
    """OP-09: on the loopback; without the token nothing is answered"""
    url = f"http://127.0.0.1:{port}/mcp"
    refused = [httpx2.post(url, json={}, headers=each).status_code for each in ({}, {"Authorization": "Bearer x"})]
    with_token = httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=LIMIT)
    async with with_token, Client(streamable_http_client(url, http_client=with_token)) as client:
        desk = await told(client, "get_desk")

    assert refused == [401, 401]
    assert desk["mode"] == "paper"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
