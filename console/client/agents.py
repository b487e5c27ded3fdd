"""A blocking client of `agents.sock`: it reads the desk, drafts, withdraws and says texts, as one agent (OP-09).

One call at a time goes over the connection, which is opened at the first call and again after it was lost. A draft
names its key, so that a call which is repeated drafts nothing twice. Calls that come faster than the engine allows wait
here, because a flood ends the connection and is recorded.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from core.model.text_sanitizer import harmless
from core.ports import OperatorError
from core.protocol.agent_frames import (
    MOST_BARS,
    MOST_ROWS,
    PROTOCOL,
    Accepted,
    AgentHello,
    AskSize,
    FromAgent,
    Judged,
    Part,
    Read,
    Rejected,
    RejectionCode,
    Said,
    Say,
    Sized,
    Stated,
    SubmitDraft,
    Terms,
    ToAgent,
    Told,
    WithdrawDraft,
    to_agent,
)
from core.protocol.codec import FrameError
from core.protocol.frames import LARGEST, LENGTH, FrameReader, pack

TURN = 1 << 18
MOST_A_SECOND = 40
"""Calls; the engine disconnects an agent above 50 frames."""
TRIES = 2
"""A call whose connection is lost is repeated once, over another one."""

LONGEST_VERB = 40
ENDS = frozenset(
    {
        RejectionCode.OTHER_PROTOCOL,
        RejectionCode.UNKNOWN_AGENT,
        RejectionCode.FLOOD,
        RejectionCode.LEAVING,
        RejectionCode.TOO_MANY,
    }
)
"""After these the engine closes the connection, or may."""

Answer = TypeVar("Answer", Accepted, Told, Sized, Judged, Said)
Values: TypeAlias = dict[str, Any]


class CallRejectedError(OperatorError):
    """The engine refused a call; `code` is a `RejectionCode`, the message says what to do."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


NO_ENGINE, NO_ANSWER = "no-engine", "no-answer"
"""Nothing was asked; or it may have been done, and a draft's key tells."""


class EngineAwayError(OperatorError):
    """The engine gave no answer; `code` is `NO_ENGINE` or `NO_ANSWER`."""

    def __init__(self, words: str, code: str = NO_ANSWER) -> None:
        super().__init__(words)
        self.code = code


class UnauthorizedAIActionError(CallRejectedError):
    """An agent asked for something other than reading and drafting; nothing was done (OP-09)."""


class Page(NamedTuple):
    """Rows of a list, and how many it has in all."""

    rows: list[Values]
    in_all: int


class AgentClient:
    """One agent.

    Parameters
    ----------
    connect
        Returns a connected socket with its time-out set. Raises `OperatorError`.
    name
        The agent's name in the settings.
    version
        The version of this program.
    clock, pause
        The time in seconds, and a sleep.
    """

    def __init__(
        self,
        connect: Callable[[], socket.socket],
        name: str,
        version: str = "",
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._connect, self.version = connect, version
        self._connection: socket.socket | None = None
        self._reader = FrameReader(LARGEST)
        self._told: list[ToAgent] = []
        self._calls = 0
        self._lock = threading.Lock()
        self._clock, self._pause = clock, pause
        self._sent: deque[float] = deque(maxlen=MOST_A_SECOND)

    def read(self, parts: Sequence[str], symbol: str = "", count: int | None = None) -> Values:
        """Return the parts of the desk by name."""
        found: Values = json.loads(self._read(parts, symbol=symbol, count=count).json)
        return found

    def page(
        self,
        part: Part,
        *,
        symbol: str = "",
        count: int | None = None,
        rows: int = MOST_ROWS,
        before: int | None = None,
    ) -> Page:
        """Return the newest rows of a list, or the newest of its `before` oldest."""
        told = self._read([part], symbol=symbol, count=count, rows=rows, before=before)
        return Page(json.loads(told.json)[part], told.in_all[part])

    def drafts(self) -> list[Values]:
        """Return this agent's drafts with what became of each, oldest first."""
        return self.page(Part.DRAFTS).rows

    def draft_of(self, key: str) -> Values | None:
        """Return the last draft with this key and what became of it; None if the desk remembers none."""
        found: list[Values] = json.loads(self._read([Part.DRAFTS], key=key, rows=1).json)[Part.DRAFTS]
        return found[-1] if found else None

    def _read(
        self,
        parts: Sequence[str],
        *,
        symbol: str = "",
        count: int | None = None,
        key: str = "",
        rows: int = MOST_ROWS,
        before: int | None = None,
    ) -> Told:
        asked, bars = tuple(parts), MOST_BARS if count is None else count
        return self._ask(lambda call: Read(call, asked, symbol, bars, key, rows, before), Told)

    def size(self, terms: Terms) -> Sized:
        return self._ask(lambda call: AskSize(call, terms), Sized)

    def draft(self, key: str, terms: Terms, reason: str, facts: Sequence[Stated] = (), confidence: str = "") -> Judged:
        return self._ask(lambda call: SubmitDraft(call, key, terms, reason, tuple(facts), confidence), Judged)

    def withdraw(self, key: str) -> Judged:
        return self._ask(lambda call: WithdrawDraft(call, key), Judged)

    def say(self, text: str, day: str = "") -> None:
        """Say one line for the operator's list of texts; with a day, as 2026-11-19, for the report of that day."""
        self._ask(lambda call: Say(call, text, day), Said)

    def overstep(self, verb: str) -> str:
        """Report an attempt at something that agents cannot do; return the engine's refusal."""
        data = msgspec.msgpack.encode([harmless(verb[:LONGEST_VERB]), 0])
        with self._lock:
            try:
                self._open()
                assert self._connection is not None
                self._connection.sendall(len(data).to_bytes(LENGTH, "big") + data)
                self._answer(0, Told)
            except CallRejectedError as refused:
                return str(refused)
            except (OSError, FrameError) as error:
                self.close()
                raise EngineAwayError(f"the engine does not answer ({error}); see `keyturn status`") from None
        raise AssertionError("it is refused")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, frame: Callable[[int], FromAgent], kind: type[Answer]) -> Answer:
        """Send a call and return its answer. Raises `CallRejectedError`, `OperatorError`."""
        with self._lock:
            for left in reversed(range(TRIES)):
                try:
                    self._open()
                    self._calls += 1
                    self._send(frame(self._calls))
                    return self._answer(self._calls, kind)
                except TimeoutError:
                    self.close()
                    raise EngineAwayError("the engine does not answer in time; see `keyturn status`") from None
                except OSError as error:
                    self.close()
                    if not left:
                        words = f"the engine hung up ({error.strerror or error}); call again, or see `keyturn status`"
                        raise EngineAwayError(words) from None
                except FrameError as error:
                    self.close()
                    raise OperatorError(f"{error}; send less, or start both from the same Keyturn") from None
        raise AssertionError("the last try returns or raises")

    def _open(self) -> None:
        if self._connection is not None:
            return
        self._reader, self._told = FrameReader(LARGEST), []
        try:
            self._connection = self._connect()
        except OperatorError as error:
            raise EngineAwayError(str(error), NO_ENGINE) from None
        self._send(AgentHello(PROTOCOL, self.version, self.name))
        self._answer(0, Accepted)

    def _send(self, frame: FromAgent) -> None:
        assert self._connection is not None
        if len(self._sent) == MOST_A_SECOND and (early := self._sent[0] + 1 - self._clock()) > 0:
            self._pause(early)
        self._sent.append(self._clock())
        with suppress(BrokenPipeError):  # the last answer says why
            self._connection.sendall(pack(frame))

    def _answer(self, call: int, kind: type[Answer]) -> Answer:
        """Return the answer to this call; earlier ones, that nobody waits for, are dropped."""
        while True:
            while self._told:
                told = self._told.pop(0)
                if isinstance(told, Rejected) and told.call in (0, call):
                    if told.code in ENDS:
                        self.close()
                    kind_of = UnauthorizedAIActionError if told.code == RejectionCode.OVERSTEP else CallRejectedError
                    raise kind_of(told.code, told.words)
                if isinstance(told, kind) and (isinstance(told, Accepted) or told.call == call):
                    return told
            assert self._connection is not None
            content = self._connection.recv(TURN)
            if not content:
                raise ConnectionResetError("it closed the connection")
            self._told += [to_agent(data) for data in self._reader.feed(content)]
