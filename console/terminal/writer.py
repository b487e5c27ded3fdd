"""Output to the terminal: minimal frames, one at a time, with measurement of the link.

For a changed region Textual 8.2.8 sends everything from the left edge of its widget to the region's right end: a cell
in the last column costs its whole row. Here the row is cut at both ends. Measured with five panes of 30 × 10 cells and
2,000 quotes a second: 199 kB/s become 23. Also, each segment has its whole style and a reset, 45 bytes for a price of
six; here only the difference from the previous style is written.

A link that cannot keep up gets fewer frames, never a queue of old ones: while an earlier frame is unsent, a new one is
skipped, and once everything is sent a full repaint is requested. Mode switches are always sent. Callers never wait: a
separate thread writes to the terminal, through its own non-blocking descriptor, so that even a write to a stalled
terminal can be given up.

Not visible here are bytes that the kernel, ssh or tmux accepted and did not deliver. So the terminal is asked for an
answer (`console.terminal.keys`), after a stall and while something may be confirmed; input typed before the
frame was drawn arrives before it.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from console.terminal.keys import REQUEST, Proofs

ESCAPE, RESET = "\x1b[", "\x1b[0m"
UNSEEN_ON_BLANKS = frozenset({"", "1", "2", "3", "1;2", "1;3", "2;3"})
"""Attributes (bold, dim, italic) that do not change the look of a blank on the same background."""
COLOURS, BACKGROUNDS = {*range(30, 40), *range(90, 98)}, {*range(40, 50), *range(100, 108)}
LENGTHS = {"2": 5, "5": 3}
"""The number of parameters of an extended colour: `38;2;red;green;blue`, and `38;5;number`."""

Parts = tuple[str, str, str]
"""Attributes, colour and background of a style, as the parameters of its escape sequence."""
PLAIN: Parts = ("", "", "")


class TightUpdate(ChopsUpdate):
    """A partial update limited to its regions."""

    def render_segments(self, console: Console) -> str:
        pen = Pen(COLOR_SYSTEMS[console.color_system or "truecolor"])
        for y, start, end in self.spans:
            for (x, strip), right in zip(self.chops[y].items(), self.chop_ends[y], strict=False):
                left, right = max(x, start), min(right, end)  # noqa: PLW2901
                if strip is not None and left < right:
                    pen.parts.append(Control.move_to(left, y).segment.text)
                    pen.write(strip.crop(left - x, right - x))
        return pen.finished()


class TightLayout(LayoutUpdate):
    """The whole screen."""

    def render_segments(self, console: Console) -> str:
        pen = Pen(COLOR_SYSTEMS[console.color_system or "truecolor"])
        for y, line in enumerate(self.strips, self.region.y):
            pen.parts.append(Control.move_to(self.region.x, y).segment.text)
            for strip in line:
                pen.write(strip)
        return pen.finished()


class Pen:
    """Writes strips one after the other, with only the changes of style. It begins and ends without a style."""

    def __init__(self, system: ColorSystem) -> None:
        self.system = system
        self.parts: list[str] = []
        self.style = PLAIN

    def write(self, strip: Strip) -> None:
        for text, style, _ in strip:
            if style is not None and style.link:
                self._turn(PLAIN)
                self.parts.append(Strip.render_style(style, text, self.system))
            elif text:
                parts = PLAIN if style is None else _parted(Strip.render_ansi(style, self.system))
                self._turn(parts, is_blank=not text.strip(" "))
                self.parts.append(text)

    def finished(self) -> str:
        self._turn(PLAIN)
        return "".join(self.parts)

    def _turn(self, style: Parts, *, is_blank: bool = False) -> None:
        """Switch to this style; blanks keep the previous one if there is no visible difference."""
        if style == self.style:
            return
        if is_blank and style[2] == self.style[2] and {style[0], self.style[0]} <= UNSEEN_ON_BLANKS:
            return
        self.parts.append(_step(self.style, style))
        self.style = style


def tight(renderable: RenderableType | None) -> RenderableType | None:
    """Return a minimal version of the renderable of `App._display`."""
    if isinstance(renderable, ChopsUpdate):
        return TightUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
    if isinstance(renderable, LayoutUpdate):
        return TightLayout(renderable.strips, renderable.region)
    return renderable


@lru_cache(maxsize=4096)
def _step(before: Parts, after: Parts) -> str:
    """Return the escape sequence from one style to another.

    It is the difference, or a reset and the whole style if attributes are removed.
    """
    if after == PLAIN:
        return RESET
    if before[0] and before[0] != after[0]:
        return f"{ESCAPE}{';'.join(filter(None, ('0', *after)))}m"
    changed = [after[0]] if after[0] != before[0] else []
    changed += [now or none for was, now, none in zip(before[1:], after[1:], ("39", "49"), strict=True) if was != now]
    return f"{ESCAPE}{';'.join(changed)}m"


@lru_cache(maxsize=4096)
def _parted(codes: str) -> Parts:
    """Split `1;38;2;255;0;0;49` into `1`, `38;2;255;0;0` and `49`."""
    attributes, colour, background = [], "", ""
    numbers = codes.split(";") if codes else []
    while numbers:
        length = LENGTHS[numbers[1]] if numbers[0] in ("38", "48") else 1
        part, numbers = ";".join(numbers[:length]), numbers[length:]
        first = int(part.split(";", 1)[0])
        if first in COLOURS:
            colour = part
        elif first in BACKGROUNDS:
            background = part
        else:
            attributes.append(part)
    return ";".join(attributes), colour, background


STALLED_AFTER = 1.0
"""Seconds without progress after which the link counts as stalled, and a frame as late (OP-04)."""

PROOF_TIMEOUT = 1.5
"""Time-out in seconds for the terminal to prove after a stall that it draws; then its keys count anyway."""

RESTORE = (
    "\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?2048l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Resets every mode that Textual's driver sets, in its order."""

CANCEL = b"\x18"
"""Ends an escape sequence that was cut in the middle."""

TOGETHER, ONE_BREATH = 4, 0.05
"""The maximum of waiting frames, and the seconds after the first within which they may come."""

CHUNK = 4096
KEPT_GAPS = 64


class PacedWriter(threading.Thread):
    """Writes to the terminal, skips frames that it cannot take, and records its stalls.

    `repaint` is called in this thread when everything is sent after a skipped frame or a stall; it must not wait. `now`
    is the console's monotonic clock, in seconds.
    """

    def __init__(self, descriptor: int, repaint: Callable[[], None], now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(daemon=True, name="keyturn-output")
        self._descriptor, self._is_own = _reopened(descriptor)
        self._repaint = repaint
        self._now = now
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._gaps: deque[tuple[float, float]] = deque(maxlen=KEPT_GAPS)
        self._busy_since = self._progress_at = self._drained_at = now()
        self._stall_ended_at: float | None = None
        self._owes_repaint = False
        self._is_unproven = False
        self._proof_wanted: int | None = None
        self._proofs = Proofs()
        self._is_painting = True
        self._is_stopping = False
        self._is_abandoned = False
        self.is_gone = False
        """The terminal failed with an error: nothing will be drawn there again."""
        self.frames_skipped = 0

    def control(self, data: str) -> None:
        """Send a control that must arrive: a mode, a bell, a title. A repeated one that still waits is sent once."""
        encoded = data.encode(errors="replace")
        with self._changed:
            if not (self._waiting and self._waiting[-1] == encoded):
                self._put(encoded)

    def frame(self, data: str) -> None:
        """Send a frame, or skip it while the link is behind: a complete one follows later."""
        with self._changed:
            if not self._is_painting:
                return
            if self._is_behind():
                self.frames_skipped += 1
                self._owes_repaint = True
                return
            if self._is_unproven and self._proof_wanted is None:
                self._proof_wanted = self._proofs.ask(self._now())
                data += REQUEST
            self._put(data.encode(errors="replace"))

    def _is_behind(self) -> bool:
        """Whether the link is behind. Frames in quick succession are sent together: a skipped one costs 17 kB."""
        return bool(self._waiting) and (
            len(self._waiting) >= TOGETHER or self._now() - self._busy_since > ONE_BREATH or self._is_unproven
        )

    def stop_painting(self) -> None:
        """Send no more frames, only the controls that restore the terminal."""
        with self._changed:
            self._is_painting = False

    @property
    def last_drained_at(self) -> float:
        """When the terminal last had all output; the current time while it has."""
        with self._changed:
            return self._drained_at if self._waiting else self._now()

    def stalled_for(self) -> float:
        """Seconds without progress while output waits."""
        with self._changed:
            return self._now() - self._progress_at if self._waiting else 0.0

    def had_gap(self, since: float, until: float) -> bool:
        """Whether output between the two instants took over 1 s to be sent or drawn (OP-04).

        Drawing counts on a terminal that answers.
        """
        with self._changed:
            if self._proofs.had_gap(since, until):
                return True
            gaps = [*self._gaps]
            if self._waiting and self._now() - self._busy_since > STALLED_AFTER:
                gaps.append((self._busy_since, self._now()))
        return any(start < until and end > since for start, end in gaps)

    def is_deaf(self) -> bool:
        """Whether input now was typed at an outdated view, and must be dropped (OP-04)."""
        if self.stalled_for() > STALLED_AFTER:
            return True
        with self._changed:
            if self._stall_ended_at is not None and self._now() - self._stall_ended_at > PROOF_TIMEOUT:
                self._is_unproven = False
            return self._proofs.is_blind(self._now()) or self._is_unproven

    # ── proof that it was drawn

    @property
    def paint_is_proved(self) -> bool | None:
        """Whether this terminal acknowledges drawing; None while unknown."""
        with self._changed:
            if not self._waiting:
                self._proofs.limit_timeout(self._now())
            return self._proofs.is_given

    def ask_for_proof(self) -> int:
        """Request an acknowledgement behind all output so far; return the request's number."""
        with self._changed:
            self._put(REQUEST.encode())
            return self._proofs.ask(self._now())

    def keep_watch(self) -> None:
        """Ask a terminal that answers repeatedly, which reveals stalls of a link that hides them."""
        with self._changed:
            if self._is_painting and self._proofs.is_due(self._now()):
                self._put(REQUEST.encode())
                self._proofs.ask(self._now())

    def painted_at(self, question: int) -> float | None:
        """Return from when the output before the request was on the screen; None while unknown.

        A terminal that does not answer is assumed to have drawn it.
        """
        proved_at_all = self.paint_is_proved
        with self._changed:
            at = self._proofs.answered_at(question)
            if at is None and proved_at_all is False:
                return self._proofs.drawn_by_time(question, self._now())
            return at

    def prove(self) -> None:
        """Note an answer of the terminal."""
        with self._changed:
            self._proofs.answer(self._now())
            if self._proof_wanted is not None and self._proofs.answered_at(self._proof_wanted) is not None:
                self._is_unproven = False

    def stop(self, timeout: float = 0.5) -> bool:
        """Send the waiting output for at most `timeout` seconds; return whether all of it was sent."""
        with self._changed:
            self._is_painting = False
            self._is_stopping = True
            self._changed.notify()
        self.join(timeout)
        everything_left = not self.is_alive() and not self.is_gone
        self._is_abandoned = True
        return everything_left

    def restore_at_once(self) -> None:
        """Discard the waiting output, also in the kernel, and restore the terminal without waiting; the last resort."""
        self._is_abandoned = True
        if not self._is_own or self.is_gone:
            return
        try:
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
            os.write(self._descriptor, CANCEL + RESTORE.encode())
        except (OSError, termios.error):
            self.is_gone = True

    def run(self) -> None:
        while (data := self._next()) is not None:
            self._send(data)
            self._sent()

    def _put(self, data: bytes) -> None:
        if self.is_gone:
            return
        if not self._waiting:
            self._busy_since = self._progress_at = self._now()
        self._waiting.append(data)
        self._changed.notify()

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._waiting and not self._is_stopping:
                self._changed.wait()
            return self._waiting[0] if self._waiting else None

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._is_abandoned and not self.is_gone:
            try:
                if select.select([], [self._descriptor], [], 0.1)[1]:
                    rest = rest[os.write(self._descriptor, rest[:CHUNK]) :]
                    self._progressed()
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                self.is_gone = True

    def _progressed(self) -> None:
        with self._changed:
            now = self._now()
            if now - self._progress_at > STALLED_AFTER:
                self._is_unproven = self._owes_repaint = True
                self._proof_wanted = None
                self._stall_ended_at = None
            self._progress_at = now

    def _sent(self) -> None:
        with self._changed:
            self._waiting.popleft()
            if self.is_gone or self._is_abandoned:
                self._waiting.clear()
            if self._waiting:
                return
            self._drained_at = self._now()
            if self._drained_at - self._busy_since > STALLED_AFTER:
                self._gaps.append((self._busy_since, self._drained_at))
            if self._stall_ended_at is None:
                self._stall_ended_at = self._drained_at
            is_due = self._owes_repaint and self._is_painting and not self.is_gone
            self._owes_repaint = False
        if is_due:
            self._repaint()


def _reopened(descriptor: int) -> tuple[int, bool]:
    """Reopen the same terminal non-blocking; changing the shell's descriptor would affect the shell."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), True
    except OSError:
        return descriptor, False
