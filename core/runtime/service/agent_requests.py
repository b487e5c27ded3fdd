"""The agents of an engine, served at `agents.sock` in one thread: they read and they draft (OP-09).

This thread has no port for commands and no way to the runtime: it is given one function that takes an agent's draft,
its withdrawal or its fault, and nothing else goes to the engine. A reading is answered from a view that the engine's
thread draws at a beat. A slow, flooding or hostile agent is disconnected; that affects neither the engine nor a desk.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import assert_never

from core.messages.effects import AnswerAgent
from core.messages.inputs import AgentRefused, AgentSaid, DraftSubmitted, DraftWithdrawn, FromAgent
from core.model.account import Mode
from core.model.lazy_dataclass import dataclass
from core.model.text_sanitizer import foreign
from core.model.values import AccountId
from core.protocol import agent_frames as frames
from core.protocol.agent_drafts import TermsError, day_of, draft_of, judged, key_of, terms_of, text_of
from core.protocol.agent_frames import (
    LONGEST_SUMMARY,
    LONGEST_TEXT,
    AskSize,
    Read,
    RejectionCode,
    Say,
    SubmitDraft,
    WithdrawDraft,
)
from core.protocol.codec import FrameError
from core.protocol.frames import FrameReader, pack
from core.runtime.service.agent_reading import AgentView, NotToldError, Reader, ReadingCache
from core.runtime.service.peers import Peer, peer_of
from core.settings.service import AgentSettings

OF_A_NAME = 3
"""Connections of one agent. No agent takes the place of another."""
STRANGERS = 4
"""Connections that have said no name yet; one more takes the place of the oldest."""
IDLE = 60.0
"""Seconds without a frame after which a connection gives its place to a new one of the same agent."""
HELLO_WITHIN = 5.0
"""Seconds within which a hello must come."""
FRAMES_A_SECOND = 50
"""An agent that sends more is disconnected."""
TEXTS_AN_HOUR, AN_HOUR = 20, 3600.0
"""Texts of one agent in these seconds; more are refused."""
MOST_FAULTS = 20
"""A connection with more unreadable frames is closed."""
MOST_WAITING = 32
"""Calls of one connection that wait for their answer, at most."""
MOST_UNREAD = 1 << 20
"""Bytes that wait for an agent which does not read; with more it is disconnected."""
OLDEST = 1.0
"""The greatest age in seconds of a view that is read."""
ARRIVALS, ARRIVE_WITHIN = 16, 10.0
"""Connections that are accepted within so many seconds; others wait."""
TURN = 65_536
"""Bytes read from one agent before the others get their turn."""
LAST_TURNS = 8
"""Turns of one that hung up: more than a socket's buffer holds."""
TICK, LONG_TICK = 0.5, 5.0
"""Seconds between two checks of the limits; the longer one while nobody is connected."""
FAREWELL = 0.5
A_BREATH = 0.1
"""Seconds of pause after an unexpected error."""
STRANGER = "(unknown)"
"""The name in the record of every agent that the settings do not name."""

PARTS = tuple(frames.Part)
NO_HELLO = frames.Fault(RejectionCode.NOT_UNDERSTOOD, "begin with an agent frame", "begin without a name")
SECOND_HELLO = frames.Fault(RejectionCode.NOT_UNDERSTOOD, "it has said its name already", "change its name")


class FloodError(Exception):
    """The agent sent too much, or reads too little; the message says what to do."""


@dataclass(slots=True, eq=False)
class AgentLink:
    """A connection; `name` is empty before its hello.

    Attributes
    ----------
    heard_at
        When its last frame came; `since` before the first.
    reads
        Questions that wait for a view.
    waiting
        How many drafts and withdrawals wait for the engine.
    read_from
        A view from before this time is too old for it: the engine answered a draft of its agent since.
    """

    connection: socket.socket
    since: float
    name: str = ""
    reader: FrameReader = field(default_factory=lambda: FrameReader(frames.LARGEST))
    out: bytearray = field(default_factory=bytearray)
    heard: deque[float] = field(default_factory=lambda: deque(maxlen=FRAMES_A_SECOND))
    reads: deque[Read | AskSize] = field(default_factory=deque)
    waiting: int = 0
    faults: int = 0
    read_from: float = 0.0

    def fileno(self) -> int:
        return self.connection.fileno()

    @property
    def heard_at(self) -> float:
        return self.heard[-1] if self.heard else self.since

    def is_idle(self, now: float) -> bool:
        """Whether it sent nothing for a while and waits for no answer."""
        return not self.waiting and not self.reads and now - self.heard_at >= IDLE

    def say(self, frame: frames.ToAgent) -> None:
        """Queue a frame. Raises `FrameError`, `FloodError`."""
        self.out += pack(frame)
        if len(self.out) > MOST_UNREAD:
            raise FloodError("answers were not read; read them, then connect again")

    def count(self, now: float) -> None:
        """Count a frame. Raises `FloodError`."""
        if len(self.heard) == FRAMES_A_SECOND and now - self.heard[0] < 1.0:
            raise FloodError(f"more than {FRAMES_A_SECOND} frames in a second; send fewer, then connect again")
        self.heard.append(now)

    def send(self) -> None:
        """Send without blocking. Raises OSError if the connection is closed."""
        with suppress(BlockingIOError, InterruptedError):
            while self.out:
                del self.out[: self.connection.send(self.out)]


@dataclass(frozen=True, slots=True)
class Pending:
    """A draft or withdrawal that waits for the engine; `is_sized` if the desk is asked for the quantity."""

    link: AgentLink
    call: int
    is_sized: bool


class AgentServer:
    """Serve the listener from `thread.start()` until `close`.

    Parameters
    ----------
    put
        Takes what an agent sent, for the engine. Never waits.
    agents
        The agents of the settings, by name.
    account, mode
        Of the engine, for a hello.
    say
        Reports a fault of this thread.
    """

    def __init__(
        self,
        listener: socket.socket,
        put: Callable[[FromAgent], None],
        agents: Callable[[], Mapping[str, AgentSettings]],
        account: AccountId,
        mode: Mode,
        release: str,
        say: Callable[[str], None],
        peer_of: Callable[[socket.socket], Peer] = peer_of,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener, self._put, self._agents = listener, put, agents
        self._account, self._mode, self._release = account, mode, release
        self._say, self._peer_of, self._now = say, peer_of, now
        self._links: list[AgentLink] = []
        self._arrivals: deque[float] = deque(maxlen=ARRIVALS)
        self._said: dict[str, deque[float]] = {}
        self._pending: dict[int, Pending] = {}
        self._calls = 0
        self._answers: deque[AnswerAgent] = deque()
        self._shown: AgentView | None = None
        self._readings = ReadingCache()
        self._is_wanted = self._is_over = False
        self._accepts = True
        listener.setblocking(False)
        self._wakes, self._wake = os.pipe()
        for end in (self._wakes, self._wake):
            os.set_blocking(end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._selector.register(listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._serve, name="agents", daemon=True)

    # ── from the engine's thread ─────────────────────────────────────────────────────────────────────────────────

    def answer(self, effect: AnswerAgent) -> None:
        """Take the engine's answer to a draft."""
        self._answers.append(effect)
        self._wake_up()

    def show(self, drawn: AgentView) -> None:
        self._shown = drawn
        self._wake_up()

    def is_wanted(self) -> bool:
        """Whether an agent waits for a view."""
        return self._is_wanted

    def close(self) -> None:
        """Stop after the engine has ended."""
        self._is_over = True
        self._wake_up()
        self.thread.join(2 * FAREWELL)

    def _wake_up(self) -> None:
        with suppress(BlockingIOError, OSError):  # it is awake already
            os.write(self._wake, b"\0")

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        while not self._is_over:
            try:
                self._turn()
            except Exception as error:  # the thread's boundary: the other agents are still served
                self._say(f"serving the agents failed ({type(error).__name__}: {error}); it goes on")
                time.sleep(A_BREATH)
        for link in list(self._links):
            self._reject(link, 0, RejectionCode.LEAVING, "the engine ends; connect again when it runs")
            self._drop(link)
        self._selector.close()
        os.close(self._wakes)

    def _turn(self) -> None:
        for key, events in self._selector.select(TICK if self._links or not self._accepts else LONG_TICK):
            if key.data is not None:
                if events & selectors.EVENT_READ:
                    self._hear(key.data)
            elif key.fileobj is self._listener:
                self._accept()
            else:
                with suppress(BlockingIOError):
                    os.read(self._wakes, 4096)
        while self._answers:
            self._pass_on(self._answers.popleft())
        now = self._now()
        for link in list(self._links):
            if not link.name and now - link.since > HELLO_WITHIN:
                self._drop(link)
            else:
                self._speak(link)
        self._is_wanted = any(link.reads for link in self._links)
        if not self._accepts and not self._is_crowded(now):
            self._accepts = True
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _is_crowded(self, now: float) -> bool:
        return len(self._arrivals) == ARRIVALS and now - self._arrivals[0] < ARRIVE_WITHIN

    def _accept(self) -> None:
        now = self._now()
        if self._is_crowded(now):
            self._selector.unregister(self._listener)
            self._accepts = False
            return
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # no descriptor is left
            time.sleep(A_BREATH)
            return
        self._arrivals.append(now)
        connection.setblocking(False)
        try:
            is_ours = self._peer_of(connection).is_ours
        except OSError:
            is_ours = False
        if not is_ours:
            connection.close()
            return
        if (oldest := self._oldest_stranger()) is not None:
            self._reject(oldest, 0, RejectionCode.TOO_MANY, "it has said no name, and others wait; connect again")
            self._drop(oldest)
        link = AgentLink(connection, now)
        self._links.append(link)
        self._selector.register(connection, selectors.EVENT_READ, link)

    def _oldest_stranger(self) -> AgentLink | None:
        """Return the stranger that gives way to a new connection; None while there is room, or its hello came."""
        strangers = [link for link in self._links if not link.name]
        if len(strangers) < STRANGERS:
            return None
        oldest = min(strangers, key=lambda link: link.since)
        self._hear(oldest)
        return oldest if oldest in self._links and not oldest.name else None

    def _has_room(self, name: str) -> bool:
        """Return whether one more connection of this agent has a place.

        Its longest idle one gives way without a word: its program connects again at its next call.
        """
        same = [link for link in self._links if link.name == name]
        if len(same) < OF_A_NAME:
            return True
        idle = [link for link in same if link.is_idle(self._now())]
        if idle:
            self._drop(min(idle, key=lambda link: link.heard_at))
        return bool(idle)

    def _drop(self, link: AgentLink) -> None:
        """Try once to send the last answers, and close."""
        if link not in self._links:
            return
        self._links.remove(link)
        self._selector.unregister(link.connection)
        self._pending = {call: one for call, one in self._pending.items() if one.link is not link}
        with suppress(OSError):
            link.send()
        link.connection.close()

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, link: AgentLink) -> None:
        try:
            content = link.connection.recv(TURN)
            if not content:
                if link.reader.holds_part:
                    self._record(link, "send half a frame")
                raise ConnectionResetError("it hung up")
            for data in link.reader.feed(content):
                link.count(self._now())
                self._take(link, frames.from_agent(data))
                if link not in self._links:
                    self._record_overstep(link)
                    return
        except (BlockingIOError, InterruptedError):
            return
        except FrameError as error:
            self._record(link, "send a frame that is too large")
            self._reject(link, 0, RejectionCode.NOT_UNDERSTOOD, f"{error}; shorten it, then connect again")
            self._drop(link)
        except FloodError as error:
            self._record(link, "flood the desk")
            self._record_overstep(link)
            self._reject(link, 0, RejectionCode.FLOOD, str(error))
            self._drop(link)
        except OSError:
            self._drop(link)
        except Exception as error:  # the boundary of one agent
            self._say(f"an agent was disconnected ({type(error).__name__}: {error}); the engine goes on")
            self._drop(link)

    def _record_overstep(self, link: AgentLink) -> None:
        """Record the first overstep among the frames behind the one that ended the connection."""
        with suppress(FrameError):
            for data in link.reader.feed(b""):
                frame = frames.from_agent(data)
                if isinstance(frame, frames.Fault) and frame.is_overstep:
                    self._record(link, frame.attempt, is_overstep=True)
                    return

    def _take(self, link: AgentLink, frame: frames.FromAgent | frames.Fault) -> None:
        if self._is_removed(link):
            self._end_removed(link, getattr(frame, "call", 0))
        elif isinstance(frame, frames.Fault):
            self._fault(link, frame)
        elif isinstance(frame, frames.AgentHello):
            self._greet(link, frame)
        elif not link.name:
            self._fault(link, NO_HELLO)
        elif isinstance(frame, Read) and (strange := [part for part in frame.parts if part not in PARTS]):
            words = f"there is no part {foreign(strange[0])[:40]}; one of {', '.join(PARTS)}"
            self._fault(link, frames.Fault(RejectionCode.NOT_UNDERSTOOD, words, "read an unknown part", frame.call))
        elif link.waiting + len(link.reads) >= MOST_WAITING:
            words = f"{MOST_WAITING} calls wait for their answers; wait for one of them"
            self._reject(link, frame.call, RejectionCode.TOO_MANY, words)
        elif isinstance(frame, Read | AskSize):
            link.reads.append(frame)
        elif isinstance(frame, SubmitDraft | WithdrawDraft):
            self._draft(link, frame)
        elif isinstance(frame, Say):
            self._say_text(link, frame)
        else:
            assert_never(frame)

    def _is_removed(self, link: AgentLink) -> bool:
        """Whether the settings no longer name its agent."""
        return link.name != "" and link.name not in self._agents()

    def _end_removed(self, link: AgentLink, call: int) -> None:
        self._reject(link, call, RejectionCode.UNKNOWN_AGENT, _not_set_up(link.name))
        self._drop(link)

    def _greet(self, link: AgentLink, hello: frames.AgentHello) -> None:
        if link.name:
            self._fault(link, SECOND_HELLO)
            return
        shown = foreign(hello.name)[:40]
        if hello.protocol != frames.PROTOCOL:
            ours, its = (foreign(each)[:40] or "another version" for each in (self._release, hello.version))
            words = f"the engine is {ours} and this program is {its}; start both from the same Keyturn"
            self._reject(link, 0, RejectionCode.OTHER_PROTOCOL, words)
            self._drop(link)
        elif hello.name not in self._agents():
            self._record(link, f"connect as {shown}, which is not set up")
            self._reject(link, 0, RejectionCode.UNKNOWN_AGENT, _not_set_up(shown))
            self._drop(link)
        elif not self._has_room(hello.name):
            words = f"{OF_A_NAME} programs are connected as {shown}, and no more can be; end one"
            self._reject(link, 0, RejectionCode.TOO_MANY, words)
            self._drop(link)
        else:
            link.name = hello.name
            self._tell(link, frames.Accepted(frames.PROTOCOL, self._release, self._account, self._mode.value))

    def _draft(self, link: AgentLink, frame: SubmitDraft | WithdrawDraft) -> None:
        """Put a draft or a withdrawal into the engine's inbox."""
        try:
            message: FromAgent
            call = self._calls + 1
            if isinstance(frame, SubmitDraft):
                message = DraftSubmitted(link.name, draft_of(frame), call)
            else:
                message = DraftWithdrawn(link.name, key_of(frame.key), call)
        except TermsError as error:
            words = str(error)
            self._fault(link, frames.Fault(RejectionCode.NOT_UNDERSTOOD, words, f"draft: {words}", frame.call))
            return
        self._calls = call
        is_sized = isinstance(frame, SubmitDraft) and not frame.terms.quantity
        self._pending[call] = Pending(link, frame.call, is_sized)
        link.waiting += 1
        self._put(message)

    def _say_text(self, link: AgentLink, frame: Say) -> None:
        """Put a text into the engine's inbox, at most so many in an hour."""
        said, now = self._said.setdefault(link.name, deque(maxlen=TEXTS_AN_HOUR)), self._now()
        if len(said) == TEXTS_AN_HOUR and now - said[0] < AN_HOUR:
            words = f"{TEXTS_AN_HOUR} texts in an hour were taken; wait"
            self._reject(link, frame.call, RejectionCode.TOO_MANY, words)
            return
        try:
            day = day_of(frame.day) if frame.day else None
            text = text_of(frame.text, LONGEST_TEXT if day is None else LONGEST_SUMMARY)
        except TermsError as error:
            self._fault(link, frames.Fault(RejectionCode.NOT_UNDERSTOOD, str(error), f"say: {error}", frame.call))
            return
        said.append(now)
        self._put(AgentSaid(link.name, text, day))
        self._tell(link, frames.Said(frame.call))

    def _fault(self, link: AgentLink, fault: frames.Fault) -> None:
        """Answer a frame that is not taken, and record it. A stranger, and who goes on, is disconnected."""
        link.faults += 1
        self._record(link, fault.attempt, is_overstep=fault.is_overstep)
        self._reject(link, fault.call, fault.code, fault.words)
        if not link.name or link.faults > MOST_FAULTS:
            self._drop(link)

    def _record(self, link: AgentLink, attempt: str, *, is_overstep: bool = False) -> None:
        self._put(AgentRefused(link.name or STRANGER, attempt, is_overstep))

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_on(self, effect: AnswerAgent) -> None:
        """Send the engine's answer to the connection that asked."""
        pending = self._pending.pop(effect.call, None)
        now = self._now()
        for link in self._links:
            if link.name == effect.agent:
                link.read_from = now
        if pending is None:
            return
        pending.link.waiting -= 1
        terms = self._agents().get(effect.agent)
        hides = terms is None or terms.hides_amounts
        frame = judged(pending.call, effect.answer, hides_amounts=hides, is_sized=pending.is_sized)
        self._tell(pending.link, frame)

    def _speak(self, link: AgentLink) -> None:
        """Answer what the newest view can answer, and send what there is room for."""
        shown = self._shown
        if shown is not None and self._now() - shown.drawn_at <= OLDEST and shown.drawn_at > link.read_from:
            reader = Reader(link.name, shown)
            while link.reads:
                self._answer(link, reader, link.reads.popleft())
        if link not in self._links:
            return
        try:
            link.send()
        except OSError:
            self._hear_rest(link)
            return
        wants = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.out else 0)
        if self._selector.get_key(link.connection).events != wants:
            self._selector.modify(link.connection, wants, link)

    def _hear_rest(self, link: AgentLink) -> None:
        """Judge what it sent before it hung up, then close."""
        for _ in range(LAST_TURNS):
            link.out.clear()
            if link in self._links:
                self._hear(link)
        self._drop(link)

    def _answer(self, link: AgentLink, reader: Reader, asked: Read | AskSize) -> None:
        if self._is_removed(link):
            self._end_removed(link, asked.call)
            return
        try:
            if isinstance(asked, Read):
                self._tell(link, frames.Told(asked.call, *self._readings.told(reader, asked)))
            else:
                self._tell(link, reader.size(asked.call, terms_of(asked.terms)))
        except NotToldError as error:
            self._reject(link, asked.call, error.code, str(error))
        except TermsError as error:
            self._reject(link, asked.call, RejectionCode.NOT_UNDERSTOOD, str(error))
        except Exception as error:  # the boundary of one agent
            self._say(f"an agent was disconnected ({type(error).__name__}: {error}); the engine goes on")
            self._drop(link)

    def _reject(self, link: AgentLink, call: int, code: RejectionCode, words: str) -> None:
        self._tell(link, frames.Rejected(call, code, foreign(words)))

    def _tell(self, link: AgentLink, frame: frames.ToAgent) -> None:
        if link not in self._links:
            return
        try:
            link.say(frame)
        except (FrameError, FloodError):
            link.out.clear()
            self._drop(link)


def _not_set_up(name: str) -> str:
    return f"no agent {name} is set up; `keyturn agents add {name}` adds it"
