"""`keyturn mcp` as a process, with the SDK's own client, beside a demo whose operator is this test."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time
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
from tests.bench.wire import an_exchange
from tests.kit.tools import needs
from tests.real.account import SETTINGS, Account
from tests.real.demo import CONFIRMED, PROGRAM, journal_records, ran
from tests.real.tmux_desk import SentKeys
from tests.real.waiting import LIMIT, until
from tests.wire.exchange.hours import NEW_YORK

AGENT = "claude"
TOOLS = {
    "get_desk", "list_positions", "list_orders", "get_quote", "get_bars", "get_news", "get_protections", "get_limits",
    "size_for_risk", "draft_order", "draft_exit", "draft_basket", "withdraw_draft", "say", "summarise_day",
    "await_decision", "list_drafts", "explain_trade", "explain_day", "backtest",
}  # fmt: skip
TOKEN = "a token of this test"
WATCHED = "\n[advisers]\nevery_seconds = 5\n[advisers.watchman]\nenabled = true\nrefusals = 2\n"
SPY = Symbol("SPY")
HOURS = 'window_start = "09:30"\nwindow_end = "15:45"\n'
"""Of the account's settings; those of the exchange are moved, so that it is open now."""
LAST_BEGIN = time(23, 40)
"""New York. A session ends with its day there."""
OF_THE_AGENT = f'\n[agents.{AGENT}]\nsymbols = ["SPY"]\nmost_value = 5000\n'


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
        declined = await until_its_word(client, "first", "declined")
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


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """An engine of its own at the loopback exchange, which is open, in real time, in a process of its own."""
    if datetime.now(NEW_YORK).time() > LAST_BEGIN:
        pytest.skip("needs 20 minutes before midnight in New York")
    settings = SETTINGS.replace('[account]\nbroker = "simulated"\n', "").replace(HOURS, "") + OF_THE_AGENT
    with (
        an_exchange() as exported,
        Account(tmp_path, variables={**exported, "KEYTURN_MCP_TOKEN": TOKEN}, settings=settings) as account,
    ):
        account.engine()
        yield account


@needs("tmux")
async def test_a_day_at_a_broker(account: Account) -> None:
    """OP-09, OP-14, AN-06: over HTTP; read, size, draft, declined, drafted again, bought, sold, summarised

    The operator's keys are sent by tmux. `keyturn report` says whose words the summary is.
    """
    desk = SentKeys(account)
    desk.until_it_shows("Does the kill chord arrive?")
    desk.presses(b"\x1b", lambda: not desk.shows("Does the kill chord arrive?"))
    with an_mcp_server(account.environ) as port:
        token = httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=LIMIT)
        async with token, Client(streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=token)) as client:
            ask = (await told(client, "get_quote", symbol="SPY"))["ask"]
            limit, stop = (str(round(Decimal(ask) * part, 2)) for part in (Decimal("1.01"), Decimal("0.99")))
            terms = {"symbol": "SPY", "side": "buy", "limit_price": limit, "stop_price": stop}
            size = await told(client, "size_for_risk", **terms)
            order = {**terms, "quantity": "2", "reason": "it is low", "confidence": 0.7}
            await told(client, "draft_order", key="first", **order)
            await asyncio.to_thread(declines, desk, "too dear")
            declined = await until_its_word(client, "first", "declined")
            fact = {"symbol": "SPY", "field": "position", "value": 0}
            second = await told(client, "draft_order", key="second", facts=[fact], **order)
            await asyncio.to_thread(adopts_and_confirms, desk, b"B")
            bought = await until_its_word(client, "second", "filled")
            held = (await told(client, "list_positions"))["positions"]
            await told(client, "draft_exit", key="third", symbol="SPY", side="sell", reason="it rose")
            await asyncio.to_thread(adopts_and_confirms, desk, b"S")
            sold = await until_its_word(client, "third", "filled")
            closed = await until_its_word(client, "second", "closed")
            trades = (await told(client, "explain_day"))["trades"]
            day = (await told(client, "summarise_day", text="Bought two, sold two."))["summarised"]
    account.until(lambda: account.count("DaySummarised"), "it is recorded")
    printed = json.loads(account.run("report", "--day", day, "--json").stdout)

    assert Decimal(size["quantity"]) > 2
    assert (declined["word"], declined["reason"]) == ("declined", "too dear")
    assert [one["result"] for one in second["facts"]] == ["matches"]
    assert (bought["word"], sold["word"], closed["word"]) == ("filled", "filled", "closed")
    assert [(row["symbol"], row["quantity"]) for row in held] == [("SPY", "2")]
    assert len(trades) == 1
    assert [(each["agent"], each["day"]) for each in printed["summaries"]] == [(AGENT, day)]
    assert (account.count(CONFIRMED), account.count("TradeClosed")) == (2, 1)
    assert account.journal_is_whole()


def declines(desk: SentKeys, reason: str) -> None:
    opens_the_draft(desk)
    desk.presses(b"x", lambda: desk.shows("Decline ─"))
    desk.type(f"{reason}\r".encode())
    desk.until(lambda: desk.account.count("DraftEnded"))


def adopts_and_confirms(desk: SentKeys, key: bytes) -> None:
    opens_the_draft(desk)
    known = desk.account.count("TicketOpened")
    desk.presses(b"\r", lambda: desk.account.count("TicketOpened") > known)
    desk.until_armed()
    desk.confirms(lambda: desk.account.count(CONFIRMED), key)


def opens_the_draft(desk: SentKeys) -> None:
    desk.presses(b"1", lambda: desk.shows("▸   draft"))
    desk.presses(b"\r", lambda: desk.shows("nothing is staged"))


async def until_its_word(client: Client, key: str, word: str) -> dict[str, Any]:
    """Ask again and again, as a model would."""
    now = await told(client, "await_decision", key=key, seconds=1)
    for _ in range(int(LIMIT)):
        if now["word"] == word:
            break
        now = await told(client, "await_decision", key=key, seconds=1)
    return now


def test_the_watchman_runs_beside_the_engine(environ: dict[str, str], operator: EngineHandle) -> None:
    """OP-09: in a process of its own; it says which check refuses again and again, and drafts nothing"""
    many, stop = Quantity(Decimal(100_000)), Price(Decimal(1))
    for _ in range(2):
        operator.send(ProposeOrder(SPY, Effect.OPEN, many, OrderType.MARKET, None, stop, StopHolder.DESK))
    until(lambda: operator.view.advice.rows, "it says so")

    assert {row.agent for row in operator.view.advice.rows} == {"watchman"}
    assert not operator.view.drafts


@contextmanager
def an_mcp_server(environ: Mapping[str, str]) -> Iterator[int]:
    """`keyturn mcp` over HTTP, at a free port."""
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


@pytest.fixture
def port(environ: dict[str, str], operator: EngineHandle) -> Iterator[int]:
    with an_mcp_server(environ) as port:
        yield port


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
