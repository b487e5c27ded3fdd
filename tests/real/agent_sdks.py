"""Clients of `keyturn mcp` as people use them: the SDKs of Python and TypeScript, each at its own limits."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError

from tests.kit.tools import path_of

TYPESCRIPT = "MCP_TYPESCRIPT"
"""The variable with the folder in which `npm install @modelcontextprotocol/sdk` was run."""
SCRIPT = Path(__file__).with_name("agent_client.mjs")
REQUEST_TIMEOUT = -32001
CLIENTS_WAIT = 60.0
"""Seconds after which a client of either SDK has usually given up."""
LARGEST_LINE = 1 << 22


def typescript_sdk() -> str:
    """Return the folder of the TypeScript SDK; empty without one."""
    folder = os.environ.get(TYPESCRIPT, "")
    has = path_of("node") is not None and (Path(folder) / "node_modules/@modelcontextprotocol/sdk").is_dir()
    return folder if folder and has else ""


@dataclass(frozen=True)
class Server:
    """How a client reaches its server: it starts a program, or calls a URL."""

    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_json(self) -> str:
        if self.url:
            return json.dumps({"url": self.url, "headers": dict(self.headers)})
        return json.dumps({"command": self.command, "args": self.args, "env": dict(self.env)})


@dataclass
class Outcome:
    """What came of a call. `failed` is what the SDK raised; a refusal of the server is none."""

    tool: str
    seconds: float
    values: dict[str, Any] = field(default_factory=dict)
    is_error: bool = False
    progress: int = 0
    failed: str = ""
    is_timeout: bool = False

    @property
    def code(self) -> str:
        return str(self.values.get("code", "")) if self.is_error else ""


class SdkClient(ABC):
    """A client of one SDK. `outcomes` are all calls, in order."""

    def __init__(self, name: str, server: Server) -> None:
        self.name, self.server = name, server
        self.outcomes: list[Outcome] = []

    @property
    def ends_with_its_server(self) -> bool:
        """Whether it must connect again after its server was away; the SDK of TypeScript calls a URL again."""
        return not self.server.url

    async def call(self, tool: str, **arguments: object) -> Outcome:
        began = time.monotonic()
        outcome = await self._call(tool, arguments)
        outcome.seconds = time.monotonic() - began
        self.outcomes.append(outcome)
        return outcome

    @abstractmethod
    async def connect(self) -> str:
        """Connect, or connect again; return why that failed."""

    @abstractmethod
    async def _call(self, tool: str, arguments: dict[str, object]) -> Outcome: ...

    @abstractmethod
    async def close(self) -> None: ...


class PythonClient(SdkClient):
    """The SDK of Python, in this process. A task of its own holds the connection."""

    def __init__(self, name: str, server: Server) -> None:
        super().__init__(name, server)
        self._client: Client | None = None
        self._holder: asyncio.Task[None] | None = None
        self._ends = asyncio.Event()

    @property
    def ends_with_its_server(self) -> bool:
        return True

    async def connect(self) -> str:
        await self.close()
        is_there: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ends = asyncio.Event()
        self._holder = asyncio.create_task(self._hold(is_there, self._ends))
        return await is_there

    async def _hold(self, is_there: asyncio.Future[str], ends: asyncio.Event) -> None:
        try:
            async with AsyncExitStack() as stack:
                server = self.server
                if server.url:
                    http = await stack.enter_async_context(create_mcp_http_client(headers=dict(server.headers)))
                    transport: Any = streamable_http_client(server.url, http_client=http)
                else:
                    words = StdioServerParameters(command=server.command, args=list(server.args), env=dict(server.env))
                    transport = stdio_client(words)
                self._client = await stack.enter_async_context(Client(transport))
                await self._client.list_tools()
                is_there.set_result("")
                await ends.wait()
        except BaseException as error:  # the driver counts it
            if not is_there.done():
                is_there.set_result(_words_of(error))
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _call(self, tool: str, arguments: dict[str, object]) -> Outcome:
        if self._client is None:
            return Outcome(tool, 0.0, failed="it is not connected")
        heard = 0

        async def hear(_progress: float, _total: float | None, _message: str | None) -> None:
            nonlocal heard
            heard += 1

        try:
            async with asyncio.timeout(CLIENTS_WAIT):
                answer = await self._client.call_tool(tool, arguments, progress_callback=hear)
        except TimeoutError:
            return Outcome(tool, 0.0, failed="no answer", is_timeout=True, progress=heard)
        except MCPError as error:
            is_timeout = error.error.code == REQUEST_TIMEOUT
            return Outcome(tool, 0.0, failed=str(error), is_timeout=is_timeout, progress=heard)
        except Exception as error:  # the driver counts it
            return Outcome(tool, 0.0, failed=_words_of(error), progress=heard)
        return Outcome(tool, 0.0, answer.structured_content or {}, answer.is_error, heard)

    async def close(self) -> None:
        self._ends.set()
        if self._holder is not None:
            await asyncio.wait({self._holder}, timeout=10)
            self._holder.cancel()
            with suppress(BaseException):
                await self._holder
        self._client = self._holder = None


class TypeScriptClient(SdkClient):
    """The SDK of TypeScript, in a process of Node."""

    def __init__(self, name: str, server: Server) -> None:
        super().__init__(name, server)
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def connect(self) -> str:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                "node", str(SCRIPT), typescript_sdk(), self.server.as_json,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LARGEST_LINE,
            )  # fmt: skip
        return str((await self._asked({"connect": True})).get("failed", ""))

    async def _call(self, tool: str, arguments: dict[str, object]) -> Outcome:
        told = await self._asked({"tool": tool, "arguments": arguments})
        if "failed" in told:
            return Outcome(tool, 0.0, failed=told["failed"], is_timeout=told["code"] == REQUEST_TIMEOUT)
        return Outcome(tool, 0.0, told["values"] or {}, told["is_error"], told["progress"])

    async def _asked(self, line: dict[str, object]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._lock:
            self._process.stdin.write(f"{json.dumps(line)}\n".encode())
            found: dict[str, Any] = json.loads(await self._process.stdout.readline())
            return found

    async def close(self) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        await self._process.wait()
        self._process = None


def _words_of(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
