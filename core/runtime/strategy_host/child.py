"""The process of one user strategy: loads its code, constructs strategies, and answers bars (ST-01).

The pipe is its only connection. It first imports all modules that a strategy may use, gives up all other access, and
only then reads the code. An error here is either the strategy's fault or ends this process; the desk reports which.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import Answer, EntrySignal, NoTrade, NoTradeReason
from core.risk.sizing import Conditions
from core.runtime.strategy_host import pipe_messages
from core.runtime.strategy_host.loading import LIBRARIES, ROOMS, loaded, said_of, settings_reader
from core.runtime.strategy_host.pipe_messages import Memory, misfit, plain_of
from core.runtime.strategy_host.sandbox import OUT_OF_MEMORY, confine, move_on
from core.strategies.base import Context
from core.strategies.trade_plan import SignalFault, UnfitError, fault_in

A_WHILE = 0.25
"""Seconds after which a batch is answered as far as it has come."""


class Rewound(BaseException):
    """The desk asks for something else in the middle of a bar: the expected bars did not come."""


class Pipe:
    """Frames in and out, over the process's two descriptors."""

    def read(self) -> list[Any]:
        size = pipe_messages.HEAD.unpack(self._exactly(pipe_messages.HEAD.size))[0]
        return pipe_messages.read(self._exactly(size))

    def write(self, *message: object) -> None:
        left = memoryview(pipe_messages.framed(list(message)))
        while left:
            left = left[os.write(1, left) :]

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            chunk = os.read(0, size - len(found))
            if not chunk:
                os._exit(0)  # the desk is gone
            found += chunk
        return bytes(found)


class ChildStrategy:
    """The strategy on one symbol, with its memory."""

    def __init__(self, made: Any, terms: dict[str, Any], remembered: Any) -> None:
        self._of_state: TypeAdapter[Any] = TypeAdapter(made.State)
        state, self.forgot = _remembered(made, self._of_state, remembered)
        self.inner = made(settings_reader(made)(terms), state)
        self._memory = Memory(made.State, self._of_state, state)
        self.batch: tuple[list[Bar], list[Any], object] | None = None

    def asked(self, bar: Bar, context: Context) -> Answer | SignalFault:
        """Return its answer. Raises any exception of the strategy, and `UnfitError` for an invalid answer or memory."""
        try:
            answer: Any = self.inner.on_bar(bar, replace(context))
        finally:
            # Check that the state can be saved and restored; otherwise restore the last one that could (ST-01).
            try:
                self._memory.look_at(self.inner.state)
            except Exception:
                self.inner.state = self._memory.last_sound()
                raise
        if isinstance(answer, NoTrade):
            if not isinstance(answer.reason, NoTradeReason):
                raise UnfitError(f"its reason {answer.reason!r} is none of NoTradeReason; answer with one of those")
            return answer
        if fault := fault_in(answer, self.inner.name, bar, context.held):
            return SignalFault(fault)
        if isinstance(answer, EntrySignal) and answer.stop_holder is not StopHolder.BROKER:
            raise UnfitError("the stop of an own strategy is the broker's: set stop_holder to StopHolder.BROKER")
        sound: Answer = answer
        return sound

    def state(self) -> object:
        """Return the memory as JSON; if it cannot be saved, the last one that could."""
        try:
            return plain_of(self._of_state, self.inner.state)
        except Exception:
            return plain_of(self._of_state, self._memory.last_sound())

    def told_state(self) -> object:
        """Return the memory after this bar if it was checked; None if the desk must ask for it."""
        return self._memory.sound if self._memory.is_of_this_bar else None

    def put_back(self, plain: object) -> None:
        self.inner.state = self._of_state.validate_python(plain)


class Child:
    """Answer the desk's questions one after the other."""

    def __init__(self, pipe: Pipe, made: Any) -> None:
        self.pipe = pipe
        self.made = made
        self.seats: dict[int, ChildStrategy] = {}
        self.next: list[Any] | None = None
        self.answers: dict[str, Callable[..., None]] = {
            "make": self.make,
            "drop": self.drop,
            "bar": self.bar,
            "show": self.show,
            "ahead": self.ahead,
            "rewind": self.rewind,
            "figures": self.figures,
            "state": self.state,
        }

    def run(self) -> None:
        while True:
            message, self.next = self.next or self.pipe.read(), None
            move_on()
            self.answers[message[0]](*message[1:])

    def make(self, number: int, terms: dict[str, Any], remembered: Any) -> None:
        try:
            seat = ChildStrategy(self.made, terms, remembered)
        except UnfitError as error:
            self.pipe.write("unfit", str(error))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except BaseException as error:
            self.pipe.write("unfit", said_of(error))
        else:
            self.seats[number] = seat
            self.pipe.write("made", seat.forgot, seat.state())

    def drop(self, number: int) -> None:
        self.seats.pop(number, None)

    def bar(self, number: int, bar: list[Any], context: list[Any]) -> None:
        seat = self.seats[number]
        told = self._told(seat, pipe_messages.bar_in(bar), pipe_messages.context_in(context, self._conditions))
        if told is not None:
            self.pipe.write(*told, seat.told_state())

    def show(self, number: int, bars: list[list[Any]], contexts: list[list[Any]], is_again: bool) -> None:
        """Show past bars, each with the index of its context; as many as the time limit allows.

        With `is_again` the strategy has seen them before, and its exceptions were already reported.
        """
        seat, quiet, ends = (
            self.seats[number],
            [pipe_messages.context_in(row) for row in contexts],
            time.monotonic() + A_WHILE,
        )
        done = 0
        for which, *bar in bars:
            told = self._told(seat, pipe_messages.bar_in(bar), quiet[which])
            if told is None or (told[0] == "failed" and not is_again):
                if told is not None:
                    self.pipe.write(*told, seat.state())
                return
            done += 1
            if time.monotonic() > ends:
                break
        self.pipe.write("shown", done, seat.state())

    def ahead(self, number: int, bars: list[list[Any]], context: list[Any]) -> None:
        """Answer expected bars in an unchanged context, up to the first answer that is a signal."""
        seat, ends = self.seats[number], time.monotonic() + A_WHILE
        shown, reasons = [pipe_messages.bar_in(row) for row in bars], list[str]()
        before = seat.state()
        seat.batch = (shown, context, before)
        has_asked = False

        def conditions() -> Conditions:
            """Return conditions, which are known only once the desk reaches that bar; the batch ends with it."""
            nonlocal has_asked
            has_asked, told = True, [*reasons]
            reasons.clear()
            return self._asked_for(("ran", told, ["conditions"], before))

        expected = pipe_messages.context_in(context, conditions)
        for bar in shown:
            told = self._told(seat, bar, expected)
            if told is None:
                return
            if has_asked or told[0] != "answer" or told[1][0] != "none":
                self.pipe.write("ran", reasons, told, before)
                return
            reasons.append(told[1][1])
            if time.monotonic() > ends:
                break
        self.pipe.write("ran", reasons, None, before)

    def rewind(self, number: int, done: int) -> None:
        """Restore the state from before the batch, and replay the bars that did come."""
        seat = self.seats[number]
        if seat.batch is not None:
            bars, row, before = seat.batch
            seat.put_back(before)
            context = pipe_messages.context_in(row)
            for bar in bars[:done]:
                self._told(seat, bar, context)
            seat.batch = None
        self.pipe.write("rewound", seat.state())

    def figures(self, number: int, day: str) -> None:
        told = self._guarded(lambda: self.seats[number].inner.figures(date.fromisoformat(day)))
        self.pipe.write("figures", told)

    def state(self, number: int) -> None:
        self.pipe.write("state", self.seats[number].state())

    # ── the strategy's own code ──────────────────────────────────────────────────────────────────────────────────

    def _told(self, seat: ChildStrategy, bar: Bar, context: Context) -> tuple[str, Any] | None:
        """Return the reply for a bar; None if the desk asked for something else meanwhile."""
        try:
            told: tuple[str, Any] = ("answer", pipe_messages.answer_out(seat.asked(bar, context)))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except BaseException as error:  # including exceptions that would end the process
            told = ("failed", said_of(error))
        return None if self.next is not None else told

    def _guarded(self, ask: Callable[[], Any]) -> list[tuple[str, str]]:
        try:
            return [(str(name), str(value)) for name, value in ask()][: pipe_messages.MOST_FIGURES]
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except BaseException as error:
            return [("figures", f"raised {type(error).__name__}")]

    def _conditions(self) -> Conditions:
        return self._asked_for(("conditions",))

    def _asked_for(self, question: tuple[object, ...]) -> Conditions:
        if self.next is not None:  # it caught the exception that ended it
            raise Rewound
        self.pipe.write(*question)
        message = self.pipe.read()
        if message[0] != "conditions":
            self.next = message
            raise Rewound
        return pipe_messages.conditions_in(message[1])


def _remembered(made: Any, of_state: TypeAdapter[Any], memory: object) -> tuple[Any, str]:
    """Return the memory as its own type, and the reason if it did not fit; otherwise, and without one, it is new."""
    if memory is None:
        return made.State(), ""
    try:
        return of_state.validate_python(memory), ""
    except ValidationError as error:
        return made.State(), misfit(error)


def import_all() -> None:
    """Import every module that a strategy may use, and its lazy imports: later no file can be opened."""
    from zoneinfo import ZoneInfo

    from core.model.session import VENUES

    for module in (*LIBRARIES, *ROOMS):
        import_module(module)
    for name in ("UTC", *(venue.zone.key for venue in VENUES.values())):
        ZoneInfo(name)


def main() -> None:
    import_all()
    os.environ.clear()  # variables that Python itself has set
    sys.stdin = sys.stdout = sys.stderr = None
    sys.dont_write_bytecode = True
    pipe = Pipe()
    pipe.write("confined", confine())
    _, name, where, text = pipe.read()
    move_on()
    try:
        found = loaded(name, where, text)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    pipe.write("loaded", found.faults)
    if not found.faults:
        Child(pipe, found.made).run()
