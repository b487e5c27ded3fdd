"""The attached desks, served in one thread: commands in, views and changes out (SY-01).

A slow desk gets fewer views; one that sends unreadable or too many messages is disconnected. Neither affects the engine
or another desk: each has its turn, and a turn is short.
"""

from __future__ import annotations

import math
import os
import secrets
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple
from enum import Enum

from core.messages.command_ports import STOOD_STILL, CommandPort, as_late
from core.messages.commands import Command, Halt, Kill, RequestCancel
from core.messages.desk_commands import (
    AttachDesk,
    DetachDesk,
    EarningsFileSeen,
    KeyPressed,
    LookAt,
    LoseDesk,
    ServeDesks,
    SettingsFileSeen,
    ThesesFileSeen,
    WatchlistFilesSeen,
)
from core.model.desk import NO_NUMBER, DeskNumber, Seat
from core.model.values import Symbol
from core.protocol import frames
from core.protocol.codec import FrameError, decode_command
from core.runtime.runtime import Runtime
from core.runtime.service.desk_connection import DeskConnection, Drawn, FloodError, Wish

NEW, BACK = 16, 64
"""Attaching and returning desks allowed within `WITHIN` seconds: as many as can be attached, and each four times."""
WITHIN = 20.0


class Arrival(Enum):
    """The kinds of arrival. The desk that has control has its own limit."""

    NEW = "new"
    BACK = "back"
    HOLDER = "holder"


MOST_ARRIVALS = {Arrival.NEW: NEW, Arrival.BACK: BACK, Arrival.HOLDER: NEW}
"""The most arrivals of each kind within `WITHIN`."""


class Arrivals:
    """Above the limit a connection is closed before anything is recorded; a desk retries."""

    def __init__(self) -> None:
        self._times = {arrival: deque[float](maxlen=most) for arrival, most in MOST_ARRIVALS.items()}

    def takes(self, now: float, arrival: Arrival) -> bool:
        """Whether one more may be attached now; if so, it is counted."""
        times = self._times[arrival]
        if len(times) == times.maxlen and now - times[0] < WITHIN:
            return False
        times.append(now)
        return True


NOT_FOR_DESKS = (
    ServeDesks
    | AttachDesk
    | DetachDesk
    | LoseDesk
    | SettingsFileSeen
    | ThesesFileSeen
    | EarningsFileSeen
    | WatchlistFilesSeen
)
"""Inputs of the desk server and of the file keeper, which a desk must not send."""

TOKENS = 256
"""The most tokens that are remembered; the token of the desk that has control always is."""


class EngineBooks:
    """The interface to one engine. Any thread; never waits."""

    def __init__(self, runtime: Runtime, port: CommandPort) -> None:
        self.runtime = runtime
        self.port = port
        self._tokens: dict[str, DeskNumber] = {}

    def begin(self) -> None:
        """Start serving desks; from now on the desk may be unattended (RK-27)."""
        self._send(ServeDesks(), None)

    def attach(self, seat: Seat, token: str) -> str:
        """Attach a desk, or reattach it by its token; return the name of its connection until it has its number."""
        link = secrets.token_hex(8)
        self._send(AttachDesk(seat, link, self._tokens.get(token), by_itself=bool(token)), None)
        return link

    def arrival_of(self, token: str) -> Arrival:
        """Return whether a desk with this token is new, returns, or returns with control."""
        number = self._tokens.get(token)
        if number is None:
            return Arrival.NEW
        return Arrival.HOLDER if number == self.runtime.key_holder else Arrival.BACK

    def token_of(self, desk: DeskNumber) -> str:
        """Issue the token by which a desk returns; it replaces the previous one."""
        self._tokens = {token: number for token, number in self._tokens.items() if number != desk}
        if len(self._tokens) >= TOKENS:
            oldest = next(token for token, number in self._tokens.items() if number != self.runtime.key_holder)
            self._tokens = {token: number for token, number in self._tokens.items() if token != oldest}
        token = secrets.token_hex(16)
        self._tokens[token] = desk
        return token

    def hear(self, desk: DeskNumber, command: Command, seen: int, *, is_late: bool = False) -> str:
        """Put a desk's command into the inbox; return why it was refused, or an empty string.

        `seen` is the number of presses that its desk had been shown; `is_late` says that it may have waited unread.
        """
        if isinstance(command, NOT_FOR_DESKS):
            return f"{type(command).__name__} is nothing that a desk says"
        self.runtime.send(self.port.through(as_late(command) if is_late else command, desk=desk), seen)
        return ""

    def press(self, token: str, *, kills: bool) -> None:
        """Press a halt or a kill: it latches the gateway in this thread, before anything is queued (OP-07).

        `token` names the desk; a press with an unknown token counts too.
        """
        desk = self._tokens.get(token, NO_NUMBER)
        self.runtime.send(Kill("key", desk=desk) if kills else Halt("key", desk=desk))

    def lost(self, desk: DeskNumber) -> None:
        """Report a desk whose connection was lost."""
        self._send(LoseDesk(), desk)

    def left(self, desk: DeskNumber) -> None:
        """Report a desk that its operator left."""
        self._tokens = {token: number for token, number in self._tokens.items() if number != desk}
        self._send(DetachDesk(), desk)

    def _send(self, command: Command, desk: DeskNumber | None) -> None:
        with suppress(RuntimeError):  # the engine's loop has ended
            self.runtime.send(self.port.through(command, self.runtime.account, desk))


MOST = 16
"""The maximum number of desks."""
FULL = f"{MOST} desks are attached, and no more can be; leave one with q"
LOOKERS = 8
"""The maximum number of connections that are shown one view, and the seconds that each may take."""
SHOWN_WITHIN = 10.0
TICK, LONG_TICK = 0.2, 5.0
"""Seconds between two checks for pulses and silent desks; the longer one while no desk is attached."""
FAREWELL = 0.5
"""Seconds for the desks to receive the last messages."""
COUNTED = 10.0
"""Seconds for the engine to count a desk; after that it is disconnected, and tries again."""
CATCHES_UP = 0.5
"""Seconds after a standstill within which the received commands count as late."""
MOST_REFUSED, MOST_CANCELS = 60, 200
"""The most commands, and the most cancels, of a desk without control within `WITHIN` seconds: each is recorded."""
WITHOUT_CONTROL = LookAt | KeyPressed | Halt | Kill
"""Commands of every desk without such a limit."""
A_BREATH = 0.1
"""Seconds of pause after an unexpected error, so that repeated errors do not use up the processor."""


class DeskServer:
    """Serve every desk until `close`."""

    def __init__(
        self,
        books: EngineBooks,
        keys: Callable[[], Mapping[str, str]],
        release: str,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._books = books
        self._keys = keys
        self._release = release
        self._say = say
        self._now = now
        self._desks: dict[DeskNumber, DeskConnection] = {}
        self._arriving: deque[DeskConnection] = deque()
        self._coming: deque[DeskConnection] = deque()
        self._lookers: deque[DeskConnection] = deque()
        self._forsaken: set[str] = set()
        self._recorded: dict[tuple[DeskNumber, int], deque[float]] = {}
        self._newest: Drawn | None = None
        self._wish: Wish | None = None
        self._words: tuple[str, ...] | None = None
        self._wakes, self._wake = os.pipe()
        for end in (self._wakes, self._wake):
            os.set_blocking(end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._has_attended = False
        self._looked_at, self._went_on_at = now(), -math.inf
        self.thread = threading.Thread(target=self._serve, name="desks", daemon=True)

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def admit(self, desk: DeskConnection) -> None:
        self._arriving.append(desk)
        self._wake_up()

    def show_once(self, looker: DeskConnection) -> frames.Refused | None:
        """Send one view to a connection that is no desk; return why if refused. Nothing is read from it."""
        if len(self._lookers) + len(self._coming) >= LOOKERS:
            return frames.Refused(
                frames.RefusalCode.TOO_MANY, f"{LOOKERS} programs are being shown the desk; ask again"
            )
        self._coming.append(looker)
        self._wake_up()
        return None

    def show(self, drawn: Drawn) -> None:
        """Take the engine's new view."""
        self._newest = drawn
        self._wake_up()

    def wish(self) -> Wish | None:
        """Return which views the desks need; None if no desk waits for one. Called at every beat of the engine."""
        if self._arriving or self._coming:
            self._wake_up()
        return self._wish

    @property
    def count(self) -> int:
        """The number of desks, attached or arriving."""
        return len(self._desks) + len(self._arriving)

    @property
    def is_watched(self) -> bool:
        """Whether anybody is shown a view: a desk, or a connection that is shown one."""
        return bool(self.count or self._coming or self._lookers)

    def close(self, words: tuple[str, ...] = ()) -> None:
        """Stop after the engine has ended; `words` are its last messages."""
        self._words = words
        self._wake_up()
        self.thread.join(2 * FAREWELL)

    def _wake_up(self) -> None:
        with suppress(BlockingIOError, OSError):  # it is awake already
            os.write(self._wake, b"\0")

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        try:
            while self._words is None:
                try:
                    self._turn()
                except Exception as error:  # the thread's boundary: the other desks are still served
                    self._say(f"serving the desks failed ({type(error).__name__}: {error}); it goes on")
                    time.sleep(A_BREATH)
        finally:
            self._part()

    def _turn(self) -> None:
        self._looked_at = self._now()
        for key, events in self._selector.select(TICK if self._is_busy else LONG_TICK):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(self._wakes, 4096)
            elif events & selectors.EVENT_READ:
                self._hear(key.data)
        self._has_stood_still()
        self._take_in()
        for desk in list(self._desks.values()):
            self._speak(desk)
        for _ in range(len(self._lookers)):
            self._show_once(self._lookers.popleft())
        while self._coming:
            self._lookers.append(self._coming.popleft())
            self._newest = None  # it must get a current view
        self._note()

    def _show_once(self, looker: DeskConnection) -> None:
        """Send as much of one view as fits now; the rest follows in later turns."""
        is_over = self._now() - looker.heard_at > SHOWN_WITHIN
        try:
            if self._newest is not None and not looker.has_snapshot:
                looker.show(self._newest)
            looker.send(self._now())
            if not is_over and not (looker.has_snapshot and looker.has_room):
                self._lookers.append(looker)
                return
        except (FrameError, OSError):
            pass  # it left, or the view is above the frame limit
        except Exception as error:  # the boundary of one connection
            self._say(f"a view could not be shown ({type(error).__name__}: {error}); the engine goes on")
        looker.close()

    @property
    def _is_busy(self) -> bool:
        return bool(self.is_watched or self._forsaken)

    def _take_in(self) -> None:
        """Take in the desks that the engine has counted; the engine's next beat calls again."""
        for _ in range(len(self._arriving)):
            desk = self._arriving.popleft()
            number = self._books.runtime.desk_of(desk.link)
            if number is None:
                if self._now() - desk.heard_at > COUNTED:
                    self._forsaken.add(desk.link)
                    desk.close()
                else:
                    self._arriving.append(desk)
                continue
            if (before := self._desks.get(number)) is not None:
                self._drop(before, None)  # it returned before its old connection was dropped
            desk.number = number
            self._desks[number] = desk
            self._make_room(desk)
            self._selector.register(desk.connection, selectors.EVENT_READ, desk)
            self._newest = None  # the new desk must get a current view, not an old one
            self._welcome(desk)
        if self._forsaken and not self._arriving:
            self._lose_the_forsaken()

    def _make_room(self, returned: DeskConnection) -> None:
        """Keep a place for a desk that returns by its token: the last other one without control is disconnected."""
        if len(self._desks) <= MOST:
            return
        holder = self._books.runtime.key_holder
        others = [desk for desk in self._desks.values() if desk is not returned and desk.number != holder]
        last = max(others, key=lambda desk: desk.number)
        last.say(frames.Refused(frames.RefusalCode.TOO_MANY, FULL))
        self._drop(last, self._books.lost)

    def _lose_the_forsaken(self) -> None:
        """Detach desks that the engine counted after their connection was dropped, so that none of them has control."""
        for link in list(self._forsaken):
            number = self._books.runtime.desk_of(link)
            if number is not None:
                self._forsaken.discard(link)
                if number not in self._desks:
                    self._books.lost(number)

    def _welcome(self, desk: DeskConnection) -> None:
        try:
            token, account = self._books.token_of(desk.number), self._books.runtime.account
            desk.say(frames.Welcome(frames.PROTOCOL, self._release, desk.number, token, account, dict(self._keys())))
        except Exception as error:  # the boundary of one desk
            self._let_go_of_it(desk, error)
        else:
            self._hear(desk)

    def _hear(self, desk: DeskConnection) -> None:
        try:
            for request in desk.hear(self._now()):
                if isinstance(request, frames.Detach):
                    self._drop(desk, self._books.left)
                    return
                self._do(desk, request)
        except (FrameError, FloodError) as error:
            code = frames.RefusalCode.NOT_UNDERSTOOD if isinstance(error, FrameError) else frames.RefusalCode.TOO_MANY
            desk.say(frames.Refused(code, str(error)))
            self._drop(desk, self._books.lost)
        except OSError:
            self._drop(desk, self._books.lost)
        except Exception as error:  # the boundary of one desk: an unexpected error does not affect the others
            self._let_go_of_it(desk, error)

    def _let_go_of_it(self, desk: DeskConnection, error: Exception) -> None:
        self._say(f"desk {desk.number} was let go of ({type(error).__name__}: {error}); the engine goes on")
        self._drop(desk, self._books.lost)

    def _do(self, desk: DeskConnection, request: frames.FromDesk) -> None:
        if isinstance(request, frames.Say):
            command = decode_command(request.command)
            self._count_without_control(desk.number, command)
            refusal = self._books.hear(desk.number, command, request.seen, is_late=self._has_stood_still())
            desk.say(frames.Answered(request.number, refusal))
        elif isinstance(request, frames.Attend):
            desk.attends = request.attended
        elif isinstance(request, frames.Watch):
            desk.watched = None if request.symbol is None else Symbol(request.symbol)
            self._newest = None
        elif isinstance(request, frames.Search):
            found = self._books.runtime.search(request.text)
            desk.say(frames.Found(found.asked, found.is_listed, tuple(astuple(match) for match in found.matches)))
        elif not isinstance(request, frames.Seen):
            raise FrameError(f"{type(request).__name__} is nothing that a desk says")

    def _count_without_control(self, desk: DeskNumber, command: Command) -> None:
        """Count a command that the engine records for a desk without control. Raises `FloodError` above the limit."""
        if desk == self._books.runtime.key_holder or isinstance(command, WITHOUT_CONTROL):
            return
        most = MOST_CANCELS if isinstance(command, RequestCancel) else MOST_REFUSED
        key, now = (desk, most), self._now()
        if key not in self._recorded and len(self._recorded) >= TOKENS:
            del self._recorded[next(iter(self._recorded))]
        times = self._recorded.setdefault(key, deque(maxlen=most))
        if len(times) == most and now - times[0] < WITHIN:
            raise FloodError(f"more than {most} such commands in {WITHIN:g} s without control")
        times.append(now)

    def _speak(self, desk: DeskConnection) -> None:
        if desk.is_silent(self._now()):
            self._drop(desk, self._books.lost)
            return
        try:
            if self._newest is not None:
                desk.show(self._newest)
            desk.send(self._now())
        except FrameError as error:  # a view above the frame limit disconnects this desk, and no other
            desk.say(frames.Refused(frames.RefusalCode.TOO_MANY, str(error)))
            self._drop(desk, self._books.lost)
            return
        except OSError:
            self._drop(desk, self._books.lost)
            return
        except Exception as error:  # the boundary of one desk
            self._let_go_of_it(desk, error)
            return
        wants = selectors.EVENT_READ if desk.has_room else selectors.EVENT_READ | selectors.EVENT_WRITE
        if self._selector.get_key(desk.connection).events != wants:
            self._selector.modify(desk.connection, wants, desk)

    def _has_stood_still(self) -> bool:
        """Whether commands read now may have waited.

        After a standstill, all commands read within `CATCHES_UP` seconds count as late.
        """
        now = self._now()
        if now - self._looked_at > TICK + STOOD_STILL:
            self._went_on_at = now
        return now - self._went_on_at < CATCHES_UP

    def _drop(self, desk: DeskConnection, tell: Callable[[DeskNumber], None] | None) -> None:
        if self._desks.get(desk.number) is desk:
            del self._desks[desk.number]
            self._selector.unregister(desk.connection)
            desk.close()
            if tell is not None:
                tell(desk.number)

    def _note(self) -> None:
        """Update the values that the engine's thread reads at its next beat."""
        ready = [desk for desk in self._desks.values() if desk.has_room]
        ready += [looker for looker in self._lookers if not looker.has_snapshot]
        self._wish = Wish(frozenset(desk.watched for desk in ready), self._newest is None) if ready else None
        if self._wish is not None and self._wish.at_once:
            self._books.runtime.beat_soon()
        attends = any(desk.attends for desk in self._desks.values())
        if attends != self._has_attended:
            self._has_attended = attends
            self._books.runtime.attend(attends)

    def _part(self) -> None:
        """Send the last messages to every desk that takes them in time."""
        until = self._now() + FAREWELL
        for desk in self._desks.values():
            desk.say(frames.Ended(self._words or ()))
        while self._now() < until and any(not desk.has_room for desk in self._desks.values()):
            for desk in self._desks.values():
                with suppress(OSError):
                    desk.send(self._now())
            time.sleep(0.01)
        for desk in (*self._desks.values(), *self._coming, *self._lookers):
            desk.close()
        self._selector.close()
        os.close(self._wakes)
