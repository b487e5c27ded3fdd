"""The way out to the terminal: one frame at a time, and what that tells about the link.

A link that cannot keep up gets fewer frames, never a queue of old ones: a frame that finds an earlier one unsent is
skipped, and once everything has left a full repaint is asked for. What switches the terminal's modes always goes.
Nobody who writes here ever waits. The terminal is written to by a thread of its own, through a descriptor of its own
that never blocks, so that even a write to a stalled terminal can be given up.

What this cannot see: bytes that the kernel, ssh or tmux took and did not deliver. Therefore the terminal is asked for
an answer (`console.terminal.paint_proof`), after a stall and while something may be confirmed; whatever was
typed before the picture was drawn arrives before it.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable

from console.terminal.paint_proof import REQUEST, Proofs

STALLED_AFTER = 1.0
"""Seconds without a byte taken after which the link counts as stalled, and a frame as late (OP-04)."""

PROOF_PATIENCE = 1.5
"""Seconds after a stall in which the terminal may prove that it draws again; then its keys count without proof."""

RESTORE = (
    "\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?2048l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Undoes every mode that Textual's driver sets, in its order."""

CANCEL = b"\x18"
"""Ends an escape sequence that was cut in the middle."""

TOGETHER, ONE_BREATH = 4, 0.05
"""Frames that may wait at once, and the seconds after the first in which they may come."""

CHUNK = 4096
KEPT_GAPS = 64


class PacedWriter(threading.Thread):
    """Writes to the terminal, skips frames that it cannot take, and remembers for how long it did not take any.

    `repaint` is called in this thread when everything has left after a frame was skipped or a stall ended; it must
    not wait. `now` is the console's monotonic clock, in seconds.
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
        """The terminal answered a write with an error: nothing will ever be drawn there again."""
        self.frames_skipped = 0

    def control(self, data: str) -> None:
        """Something that must arrive: a mode, a bell, a title. Repeated while it waits, it goes once."""
        encoded = data.encode(errors="replace")
        with self._changed:
            if not (self._waiting and self._waiting[-1] == encoded):
                self._put(encoded)

    def frame(self, data: str) -> None:
        """A picture, skipped while the link is behind: then a whole one follows once it has caught up."""
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
        """Frames made in one breath go together: this thread has only not woken yet, and a skipped one costs 17 kB."""
        return bool(self._waiting) and (
            len(self._waiting) >= TOGETHER or self._now() - self._busy_since > ONE_BREATH or self._is_unproven
        )

    def stop_painting(self) -> None:
        """From here on no frame goes out; what restores the terminal still does."""
        with self._changed:
            self._is_painting = False

    @property
    def last_drained_at(self) -> float:
        """When the terminal last had everything; now, while it has."""
        with self._changed:
            return self._drained_at if self._waiting else self._now()

    def stalled_for(self) -> float:
        """Seconds for which something waits and the terminal took nothing."""
        with self._changed:
            return self._now() - self._progress_at if self._waiting else 0.0

    def had_gap(self, since: float, until: float) -> bool:
        """Whether some output that was under way between the two instants took over 1 s to leave, or to be drawn by a
        terminal that answers (OP-04)."""
        with self._changed:
            if self._proofs.had_gap(since, until):
                return True
            gaps = [*self._gaps]
            if self._waiting and self._now() - self._busy_since > STALLED_AFTER:
                gaps.append((self._busy_since, self._now()))
        return any(start < until and end > since for start, end in gaps)

    def is_deaf(self) -> bool:
        """Whether what is typed now was typed at a picture that is not the present one: drop it (OP-04)."""
        if self.stalled_for() > STALLED_AFTER:
            return True
        with self._changed:
            if self._stall_ended_at is not None and self._now() - self._stall_ended_at > PROOF_PATIENCE:
                self._is_unproven = False
            return self._proofs.is_blind(self._now()) or self._is_unproven

    # ── proof that it was drawn

    @property
    def paint_is_proved(self) -> bool | None:
        """Whether this terminal says that it drew; None while that is not known."""
        with self._changed:
            if not self._waiting:
                self._proofs.give_patience_an_end(self._now())
            return self._proofs.is_given

    def ask_for_proof(self) -> int:
        """Asks behind everything that was written so far; the question's number."""
        with self._changed:
            self._put(REQUEST.encode())
            return self._proofs.ask(self._now())

    def keep_watch(self) -> None:
        """Asks a terminal that answers anew from time to time: so a link that hides its stalls shows them."""
        with self._changed:
            if self._is_painting and self._proofs.is_due(self._now()):
                self._put(REQUEST.encode())
                self._proofs.ask(self._now())

    def painted_at(self, question: int) -> float | None:
        """From when what was written before the question stood there; None while that is not known. A terminal that
        does not answer has drawn it by now."""
        proved_at_all = self.paint_is_proved
        with self._changed:
            at = self._proofs.answered_at(question)
            if at is None and proved_at_all is False:
                return self._proofs.drawn_by_time(question, self._now())
            return at

    def prove(self) -> None:
        """The terminal answered."""
        with self._changed:
            self._proofs.answer(self._now())
            if self._proof_wanted is not None and self._proofs.answered_at(self._proof_wanted) is not None:
                self._is_unproven = False

    def stop(self, patience: float = 0.5) -> bool:
        """Sends what waits for at most `patience` seconds; whether all of it left."""
        with self._changed:
            self._is_painting = False
            self._is_stopping = True
            self._changed.notify()
        self.join(patience)
        everything_left = not self.is_alive() and not self.is_gone
        self._is_abandoned = True
        return everything_left

    def restore_at_once(self) -> None:
        """The last resort: forgets what waits, also in the kernel, and restores the terminal without waiting."""
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
    """The same terminal through an open file of ours that never blocks; the shell's own would pass that on to it."""
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), True
    except OSError:
        return descriptor, False
