"""Answers of `keyturn mcp` within the usual limits of clients: 60 seconds, and 25,000 tokens."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from mcp.client.client import Client

from console.client.agents import MOST_A_SECOND, AgentClient, Page
from console.commands.assembly import mcp_server
from console.commands.assembly.mcp_answers import CHARACTERS_OF_A_TOKEN, LARGEST, MOST_TOKENS, as_json
from console.commands.assembly.mcp_server import ANSWERED_BY, LONGEST_WAIT, DeskServer, PastTrades, Values
from core.ports import OperatorError
from core.protocol.agent_frames import LARGEST as LARGEST_FRAME
from core.protocol.agent_frames import (
    MOST_ROWS,
    PROTOCOL,
    Accepted,
    Judged,
    Part,
    Said,
    Say,
    Stated,
    Terms,
    from_agent,
)
from core.protocol.frames import FrameReader, pack
from core.runtime.service.agent_requests import FRAMES_A_SECOND
from tests.unit.console.test_mcp_tools import NoJournal

CLIENTS_WAIT = 60.0
LISTS = {Part.POSITIONS: "list_positions", Part.ORDERS: "list_orders", Part.DRAFTS: "list_drafts",
         Part.PROTECTIONS: "get_protections"}  # fmt: skip
OTHERS = ("draft_order", "summarise_day")


def no_engine() -> socket.socket:
    raise OperatorError("no engine runs here")


class Desk(AgentClient):
    """A desk with so many rows in each list. Each row has `size` characters."""

    def __init__(self, rows: int = 0, size: int = 330) -> None:
        super().__init__(no_engine, "claude")
        self.rows = [{"number": n, "text": "x" * size} for n in range(rows)]
        self.words = iter(("waiting",) * 10_000)
        self.was_asked = threading.Event()

    def read(self, parts: Sequence[str], symbol: str = "", count: int | None = None) -> Values:
        return {part: {"at": "now"} for part in parts}

    def page(
        self,
        part: Part,
        *,
        symbol: str = "",
        count: int | None = None,
        rows: int = MOST_ROWS,
        before: int | None = None,
    ) -> Page:
        left = self.rows if before is None else self.rows[:before]
        found = left[-(count or rows) :]
        return Page(found if part in (Part.DRAFTS, Part.BARS) else found[::-1], len(self.rows))

    def draft_of(self, key: str) -> Values | None:
        self.was_asked.set()
        return {"key": key, "word": next(self.words)}


async def asked(desk: AgentClient, tool: str, past: PastTrades | None = None, **arguments: object) -> Any:
    async with Client(DeskServer(desk, past or NoJournal())) as session:
        return await session.call_tool(tool, arguments)


@pytest.mark.parametrize(("part", "tool"), LISTS.items())
@pytest.mark.parametrize("size", [30, 1_500])
async def test_every_row_of_a_long_list_is_read_in_pages(part: Part, tool: str, size: int) -> None:
    """SY-11: 600 orders are no answer of 63,000 tokens; none is lost, and none told twice"""
    seen = list[int]()
    following: dict[str, Any] | None = {}
    async with Client(DeskServer(Desk(600, size), NoJournal())) as session:
        while following is not None:
            answer = await session.call_tool(tool, {"count": MOST_ROWS, **following})
            assert len(as_json(answer.model_dump(mode="json", by_alias=True))) <= LARGEST
            assert answer.structured_content is not None
            found, more = answer.structured_content[part], answer.structured_content["more"][part]
            assert more["in_all"] == 600
            seen += [row["number"] for row in (reversed(found) if part is Part.DRAFTS else found)]
            assert more["left"] == 600 - len(seen)
            following = more["next"]

    assert LARGEST == MOST_TOKENS * CHARACTERS_OF_A_TOKEN
    assert seen == [*reversed(range(600))]


@pytest.mark.parametrize(("part", "tool"), LISTS.items())
async def test_a_list_has_its_newest_fifty_rows(part: Part, tool: str) -> None:
    """SY-11"""
    content = (await asked(Desk(600, 30), tool)).structured_content

    assert sorted(row["number"] for row in content[part]) == [*range(550, 600)]
    assert content["more"] == {part: {"in_all": 600, "left": 550, "next": {"before": 550}}}


async def test_bars_say_how_many_are_left() -> None:
    """SY-11"""
    content = (await asked(Desk(62, 30), "get_bars", symbol="spy", count=2)).structured_content

    assert len(content["bars"]) == 2
    assert content["more"]["bars"] == {"in_all": 62, "left": 60, "next": {"symbol": "SPY", "count": 62}}
    whole = (await asked(Desk(62, 30), "get_bars", symbol="SPY", count=62)).structured_content
    assert whole["more"]["bars"]["next"] is None


@pytest.mark.parametrize("size", [30, 330, 1_500])
async def test_the_page_of_the_desk_is_no_larger(size: int) -> None:
    """SY-11: it says which tool has what is left"""
    async with Client(DeskServer(Desk(600, size), NoJournal())) as session:
        text = (await session.read_resource("keyturn://desk")).contents[0].text  # type: ignore[union-attr]

    assert len(text) <= LARGEST
    for name in ("list_positions", "list_orders", "list_drafts"):
        assert name in text


async def test_an_answer_that_is_too_large_is_refused() -> None:
    """SY-11"""

    class Wide(Desk):
        def read(self, parts: Sequence[str], symbol: str = "", count: int | None = None) -> Values:
            return {part: {"text": "x" * LARGEST} for part in parts}

    answer = await asked(Wide(), "get_limits")
    assert (answer.is_error, answer.structured_content["code"]) == (True, "too-large")


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wait_ends_before_clients_give_up() -> None:
    """SY-11: with one more look"""
    assert LONGEST_WAIT + 2 < ANSWERED_BY < CLIENTS_WAIT


@pytest.mark.parametrize("seconds", [60, 3600, "90", 1e9, 0.01])
async def test_a_wait_of_any_length_is_answered(seconds: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: by the longest wait that there is"""
    monkeypatch.setattr(mcp_server, "LONGEST_WAIT", 0.05)
    answer = await asked(Desk(), "await_decision", key="a", seconds=seconds)

    assert answer.structured_content == {"key": "a", "word": "waiting", "has_changed": False}


async def test_a_wait_reports_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: where the client gave a token"""
    monkeypatch.setattr(mcp_server, "LONGEST_WAIT", 0.3)
    monkeypatch.setattr(mcp_server, "PROGRESS_EVERY", 0.02)
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, _message: str | None) -> None:
        heard.append((progress, total))

    async with Client(DeskServer(Desk(), NoJournal())) as session:
        await session.call_tool("await_decision", {"key": "a", "seconds": 60}, progress_callback=hear)

    assert len(heard) > 1
    assert [each for each, _ in heard] == sorted({each for each, _ in heard})
    assert {total for _, total in heard} == {ANSWERED_BY}


class Hanging(Desk):
    """A desk that answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()

    def draft(self, key: str, terms: Terms, reason: str, facts: Sequence[Stated] = (), confidence: str = "") -> Judged:
        self.goes_on.wait()
        return Judged(1, key, 1)

    def draft_of(self, key: str) -> Values | None:
        self.goes_on.wait()
        return None


@pytest.mark.parametrize("tool", ["draft_order", "await_decision", "draft_basket"])
async def test_a_desk_that_hangs_is_answered_for(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: with the code of an answer that did not come, and not by the client's limit"""
    monkeypatch.setattr(mcp_server, "ANSWERED_BY", 0.05)
    order = {"key": "a", "symbol": "SPY", "side": "buy", "stop_price": 505, "reason": "it is low"}
    arguments = {"draft_order": order, "await_decision": {"key": "a"}, "draft_basket": {"drafts": [order]}}
    desk = Hanging()
    async with Client(DeskServer(desk, NoJournal())) as session:
        try:
            answer = await session.call_tool(tool, arguments[tool])
        finally:
            desk.goes_on.set()

    assert answer.is_error
    assert answer.structured_content is not None
    assert answer.structured_content["code"] == "no-answer"


async def test_a_look_that_hangs_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: with the word that was known"""
    monkeypatch.setattr(mcp_server, "LOOK", 0.01)
    desk = Hanging()
    words = iter([{"key": "a", "word": "waiting"}])
    monkeypatch.setattr(desk, "draft_of", lambda _key: next(words, None) or desk.goes_on.wait())
    async with Client(DeskServer(desk, NoJournal())) as session:
        try:
            answer = await session.call_tool("await_decision", {"key": "a", "seconds": 0.05})
        finally:
            desk.goes_on.set()
            await asyncio.sleep(0)

    assert answer.structured_content == {"key": "a", "word": "waiting", "has_changed": False}


async def test_a_server_that_ends_answers_the_calls_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: a client calls again, and does not wait for its limit"""
    monkeypatch.setattr(mcp_server, "LEAVES_WITHIN", 0.01)
    server = DeskServer(Desk(), NoJournal())
    async with Client(server) as session:
        waiting = asyncio.ensure_future(session.call_tool("await_decision", {"key": "a", "seconds": 40}))
        await asyncio.sleep(0)
        server.leave()
        answer = await waiting

    assert answer.structured_content is not None
    assert (answer.is_error, answer.structured_content["code"]) == (True, "leaving")


def test_calls_come_no_faster_than_the_engine_allows() -> None:
    """SY-11: a flood would end the connection, and be recorded"""
    at, pauses = [100.0], list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        at[0] += seconds

    ours, theirs = socket.socketpair()
    client = AgentClient(lambda: ours, "claude", "tests", lambda: at[0], pause)
    with ours, theirs:
        answering = threading.Thread(target=answers, args=(theirs,), daemon=True)
        answering.start()
        for _ in range(FRAMES_A_SECOND * 4):
            client.say("quiet")
            at[0] += 0.001
        client.close()

    assert pauses
    assert max(pauses) <= 1.0
    assert at[0] - 100 >= FRAMES_A_SECOND * 4 / MOST_A_SECOND - 1
    assert MOST_A_SECOND < FRAMES_A_SECOND


def answers(connection: socket.socket) -> None:
    """An engine that takes every text."""
    reader = FrameReader(LARGEST_FRAME)
    while content := connection.recv(1 << 16):
        for data in reader.feed(content):
            frame = from_agent(data)
            answer = Said(frame.call) if isinstance(frame, Say) else Accepted(PROTOCOL, "tests", "demo", "paper")
            connection.sendall(pack(answer))
