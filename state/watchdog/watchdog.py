"""The watchdog process: start, observe, and with a reason: alert, dump, stop, restart (SY-02).

It exits like the engine after a deliberate end (0) or an end that would repeat (1, 2), and with `GAVE_UP` when restarts
did not help: then the engine stays down, and its next start is halted and gives the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from core.model.lazy_dataclass import dataclass
from state.files import AccountFolder, Home
from state.kill_switch import HaltRequest
from state.running_engine import Status, read_heartbeat
from state.watchdog.alerts import Push
from state.watchdog.engine_process import Child, NotifySocket, Wakeups, status_in_words, without_notify
from state.watchdog.judge import EngineSigns, Judge, Reason, Restarts, Trouble
from state.watchdog.presence import Limits, Presence, WatchdogLog

DELIBERATE = 0
SAME_AGAIN = (1, 2)
"""A refusal, wrong usage, refused keys, or a journal that cannot be written: a restart would fail in the same way."""
NOT_LEFT = 1
"""The exit status after an engine that was asked to leave had to be killed."""
GAVE_UP = 69
"""The exit status when the engine stays down: EX_UNAVAILABLE of sysexits.h."""
POLL_SECONDS = 0.05
"""The polling interval for events without a signal: a dump, or an end whose SIGCHLD came before."""
LONGEST_DUMP = 20_000
LONGEST = 500
"""The maximum length of the engine's last line that is passed on."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of an engine process. `reason` is None if it is not restarted."""

    status: int
    reason: Reason | None
    at: float


class Watchdog:
    """The parent of one engine after the other.

    Parameters
    ----------
    command
        Starts the engine; it runs in the foreground until SIGTERM.
    home
        The home of its account, which is found by the lock that the process holds.
    clock
        Monotonic time in seconds.
    account
        Returns the intended account, only needed if no engine ever held one: its log gets the messages.
    push
        Notifies people of alerts, with or without an engine; None notifies no one.
    child, wakeups
        Start an engine, and wait for signals; tests replace them, with their own clock.
    """

    def __init__(
        self,
        command: Sequence[str],
        home: Home,
        environ: Mapping[str, str],
        limits: Limits | None = None,
        log: WatchdogLog | None = None,
        clock: Callable[[], float] = time.monotonic,
        account: Callable[[], AccountFolder | None] = lambda: None,
        push: Push | None = None,
        child: Callable[[Sequence[str], Mapping[str, str]], Child] = Child,
        wakeups: Callable[[], Wakeups] = Wakeups,
    ) -> None:
        self.limits = limits or Limits()
        self._command, self._environ, self._clock = list(command), without_notify(environ), clock
        self._log = log or WatchdogLog()
        self._signs = EngineSigns(home)
        self._judge = Judge(self.limits, self._signs.disk_refuses)
        self._restarts = Restarts(self.limits)
        self._presence = Presence()
        self._account = account
        self._push = push or Push(lambda: None)
        self._start, self._wakeups_of_run = child, wakeups
        self._engine_said = ""
        self._was_up = False
        self._stays_down_words = "the engine ended"
        self._manager = NotifySocket(environ)
        self._told_alive_at = self._clock()
        self._word = ""
        self._last: Status | None = None

    def run(self) -> int:
        """Watch until the engine is not restarted any more. Return this process's exit status. Main thread only."""
        with self._wakeups_of_run() as wakeups:
            self._wakeups = wakeups
            self._push.begin()
            stays_down = False
            try:
                status = self._watch()
                stays_down = self._was_up and status != DELIBERATE and wakeups.asked_by is None
                return status
            finally:
                self._presence.end(self._engine_said)
                self._log_somewhere()
                self._until_told(stays_down=stays_down)

    def _until_told(self, *, stays_down: bool) -> None:
        """Wait for the delivery of alerts.

        For an engine that stays down, wait as long as urgent messages are retried, or until a signal to leave.
        """
        until = self._clock() + self.limits.push_seconds
        is_said = False
        while self._push.is_owed:
            self._say_what_was_pushed()
            if self._clock() >= until:
                if not stays_down or self._wakeups.asked_by is not None:
                    break
                if not is_said:
                    is_said = True
                    self._log.say("nobody starts the engine; this watchdog goes on until every channel was told")
                    self._manager.status("the engine STAYS DOWN, and not every channel was told")
            self._wait(POLL_SECONDS if self._clock() < until else self.limits.look_seconds)
        self._push.finish(0)
        self._say_what_was_pushed()
        if stays_down:
            self._manager.stopping(self._stays_down_words)

    def _watch(self) -> int:
        last: End | None = None
        while True:
            last = self._live(last)
            if last.reason is None:
                return last.status
            was_asked = last.reason.trouble is Trouble.ASKED  # no sign of a fault
            if not was_asked and not self._restarts.take(self._clock()):
                return self._give_up(last)

    def _log_somewhere(self) -> None:
        if self._signs.folder is None and (meant := self._account()) is not None:
            self._log.is_of(meant)

    def _alert(self, words: str) -> None:
        """Log an alert and notify a person, without an engine (SY-02)."""
        self._log.alert(words)
        self._push.send(words, self._signs.folder.name if self._signs.folder is not None else "")

    def _say_what_was_pushed(self) -> None:
        for words in self._push.told():
            self._log.say(words)

    def _hear(self, child: Child, *, is_over: bool = False) -> None:
        """Forward the engine's output and the results of notifications."""
        self._say_what_was_pushed()
        for line in child.said.lines(is_over=is_over):
            self._log.repeat(line)
            self._engine_said = line[:LONGEST]

    # ── one engine process ───────────────────────────────────────────────────────────────────────────────────────

    def _live(self, before: End | None) -> End:
        """Run one engine from its start to its end."""
        try:
            child = self._start(self._command, self._environ)
        except OSError as error:
            self._alert(f"the engine cannot be started: {error}")
            return End(SAME_AGAIN[-1], None, self._clock())
        self._log.say(f"process {child.pid} started")
        self._judge.begin(self._clock(), child.pid)
        self._signs.begin(child.pid)
        self._wakeups.asked_to_restart = False  # an earlier request meant the previous engine
        self._engine_said = ""
        try:
            return self._watch_over(child, before)
        finally:
            child.said.close()

    def _watch_over(self, child: Child, before: End | None) -> End:
        while True:
            self._hear(child)
            if self._wakeups.asked_by is not None:
                return self._leave(child)
            if (status := child.ended()) is not None:
                self._hear(child, is_over=True)
                return self._has_ended(child.pid, status)
            if self._wakeups.asked_to_restart:
                # Handle a requested restart.
                self._log.say(f"asked for a restart; process {child.pid} leaves first")
                return self._stopped(child, Reason(Trouble.ASKED, "a restart was asked for"))
            reason = self._look(before)
            before = None if self._judge.has_beaten else before
            if reason is not None and (reason.trouble is not Trouble.DISK or self._halts_the_next(reason.words)):
                # Alert, dump and stop.
                self._alert(f"process {child.pid}: {reason.words}; it is stopped")
                self._dump(child)
                return self._stopped(child, reason)
            self._wait(self.limits.look_seconds if self._judge.has_beaten else self.limits.first_look_seconds)

    def _look(self, before: End | None) -> Reason | None:
        seen, had_beaten = self._signs.look(self._clock()), self._judge.has_beaten
        verdict = self._judge.look(seen)
        if self._signs.folder is not None:
            self._log.is_of(self._signs.folder)
            self._presence.is_over(self._signs.folder)
        for remark in verdict.says:
            self._alert(remark.words)
        self._last = seen.status or self._last
        word = seen.status.state if seen.status is not None else "running"
        if self._judge.has_beaten and not had_beaten:
            self._is_up(word, before, seen.at)
        elif self._judge.has_beaten and word != self._word:
            self._manager.status(word)
        self._word = word
        return verdict.reason

    def _is_up(self, word: str, before: End | None, at: float) -> None:
        self._was_up = True
        self._manager.ready(word)
        if before is not None:
            self._log.say(f"the engine is up again, {at - before.at:.1f} s after the end of the one before")

    def _has_ended(self, pid: int, status: int) -> End:
        words = f"process {pid} ended with {status_in_words(status)}"
        if status == DELIBERATE:
            self._log.say(f"{words}: it was asked to; the watchdog ends too")
            return End(status, None, self._clock())
        if status in SAME_AGAIN:
            self._alert(f"{words}: a restart would end so again; it said: {self._engine_said or 'nothing'}")
            return End(status, None, self._clock())
        self._alert(words)
        return End(status, Reason(Trouble.ENDED, words), self._clock())

    def _stopped(self, child: Child, reason: Reason) -> End:
        status = self._end(child)
        self._log.say(f"process {child.pid} ended with {status_in_words(status)}")
        if self._wakeups.asked_by is not None:
            return End(DELIBERATE if status == DELIBERATE else NOT_LEFT, None, self._clock())
        return End(status, reason, self._clock())

    def _leave(self, child: Child) -> End:
        by = self._wakeups.asked_by
        self._manager.stopping(f"asked to end ({by.name if by else ''})")
        self._log.say(f"asked to end ({by.name if by else ''}); process {child.pid} leaves first")
        status = self._end(child)
        self._log.say(f"process {child.pid} ended with {status_in_words(status)}")
        return End(DELIBERATE if status == DELIBERATE else NOT_LEFT, None, self._clock())

    def _dump(self, child: Child) -> None:
        folder = self._signs.folder
        if folder is None or not child.ask_for_threads(folder):
            self._log.say("its threads are not asked: it did not say that it answers")
            return
        until, text = self._clock() + self.limits.dump_seconds, ""
        while self._clock() < until and child.ended() is None:
            before, text = text, child.threads(folder)
            if text and text == before:
                break
            self._wait(POLL_SECONDS)
        self._log.say(f"its threads ({folder.threads}):\n{text[-LONGEST_DUMP:]}" if text else "it wrote no threads")

    def _end(self, child: Child) -> int:
        """Send SIGTERM, then SIGKILL after the time-out. Return the exit status."""
        child.ask_to_leave()
        status = self._awaited(child, self.limits.timeout_seconds)
        while status is None:
            self._alert(f"process {child.pid} did not leave in {self.limits.timeout_seconds:g} s: killed")
            child.kill()
            status = self._awaited(child, self.limits.timeout_seconds)
        self._hear(child, is_over=True)
        return status

    def _awaited(self, child: Child, seconds: float) -> int | None:
        until = self._clock() + seconds
        while (status := child.ended()) is None and (left := until - self._clock()) > 0:
            self._wait(min(left, self.limits.look_seconds))
        return status

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _give_up(self, last: End) -> int:
        """Give up restarting: the next start is halted, and gives the reason."""
        minutes = self.limits.within_seconds / 60
        why = last.reason.words if last.reason is not None else status_in_words(last.status)
        words = f"{self.limits.restarts} restarts in {minutes:.0f} minutes did not help: {why}"
        self._alert(f"{words}. The engine STAYS DOWN{self._held()}; `keyturn` starts it halted")
        self._stays_down_words = f"stays down: {words}"
        self._halts_the_next(words)
        return GAVE_UP

    def _halts_the_next(self, words: str) -> bool:
        """Request that the next start is halted, with the reason; return whether it is.

        After a lost disk, a halt that somebody pressed meanwhile may be in no record.
        """
        folder = self._signs.folder
        if folder is None:
            return False
        try:
            HaltRequest(folder).leave(f"the watchdog: {words}")
        except OSError as error:
            self._alert(f"the halt of the next start could not be written: {error}; press Ctrl+K or F10 there")
            return False
        return True

    def _held(self) -> str:
        """Describe the positions and orders left, by the last heartbeat."""
        folder = self._signs.folder
        beaten = read_heartbeat(folder) if folder is not None else None
        last = beaten[0] if beaten is not None else self._last
        if last is None or not (last.positions or last.orders_working):
            return ""
        uncovered = f", UNCOVERED {', '.join(last.uncovered)}" if last.uncovered else ""
        return f" with {last.positions} positions and {last.orders_working} working orders{uncovered}"

    def _wait(self, seconds: float) -> None:
        """Wait, and keep reporting to the service manager."""
        every = self._manager.watchdog_seconds
        if every is not None and self._clock() - self._told_alive_at >= every / 2:
            self._told_alive_at = self._clock()
            self._manager.alive()
        self._wakeups.wait(min(seconds, every / 2) if every is not None else seconds)
