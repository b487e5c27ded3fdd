"""Run one desk until its exit status: its message on stderr, and an end that never blocks the shell."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from console.client.access import NO_SURROUNDINGS, EngineAccess, HostFiles
from console.desk import DeskApp
from console.display import DisplayTerms
from console.frame_loop import choose_moments
from console.shutdown import CLOSING_TIMEOUT
from console.terminal.driver import may_ask_for_mouse
from core.io.multiplexers import answers_for_the_terminal
from core.model.text_sanitizer import harmless

TURN = 0.001
"""Seconds after which the engine's thread may run while the desk draws; each of its writes waits for that."""


def run_desk(
    handle: EngineAccess,
    surroundings: HostFiles = NO_SURROUNDINGS,
    display: DisplayTerms | None = None,
) -> None:
    """Run the desk until it is left.

    Exit status 0 after a normal end; otherwise the last line of stderr gives the reason.
    """
    sys.setswitchinterval(TURN)
    choose_moments()
    desk = DeskApp(handle, surroundings=surroundings, display=display)
    desk.painted_to = answers_for_the_terminal(os.environ)
    desk.run(mouse=may_ask_for_mouse(os.environ))
    desk.owed.leave_behind()
    has_closed = handle.close("the desk ended", CLOSING_TIMEOUT)
    status, words = outcome(desk, has_closed)
    was_heard, owed = desk.owed.last_words()
    status = status if was_heard else status or 1
    told = (*map(harmless, handle.last_words), *(each for each in (words, owed) if each))
    if not told and status == 0 and sys.stdout.isatty():
        say_what_stays(desk)
    if told:
        try:
            sys.stderr.writelines(f"keyturn: {line}\n" for line in told)
            sys.stderr.flush()
        except OSError:
            pass  # the terminal is gone; the status says so
    leave_with(status, has_ended=has_closed)


def say_what_stays(desk: DeskApp) -> None:
    """Leave one line in the shell: what stays at the broker."""
    if desk.view is None:
        return
    from console.screens.desk_control import left_in_words

    with suppress(OSError):
        sys.stdout.write(f"keyturn: {left_in_words(desk.view, goes_on=desk.handle.goes_on)}\n")
        sys.stdout.flush()


def leave_with(status: int, *, has_ended: bool) -> None:
    """End the process without waiting for pending network requests; everything is closed by now.

    `has_ended` says whether the thread of the engine or its link has ended: one that is busy while the interpreter
    shuts down can abort the process.
    """
    main = threading.main_thread()
    if not has_ended or any(not thread.daemon and thread is not main for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def outcome(desk: DeskApp, has_closed: bool) -> tuple[int, str | None]:
    """Return the exit status and its message; every unrequested end is an error."""
    if desk.exit_status is not None:
        return desk.exit_status, desk.port.reason
    if desk.closing.failure is not None:
        return 1, desk.closing.failure
    if not desk.closing.was_left:
        return desk.return_code or 1, "the desk ended unexpectedly; `keyturn status` says how the account stands"
    if desk.view is not None and desk.view.status.exits_refused is not None:
        return 1, f"{desk.view.status.exits_refused}; it goes on from what was written"
    return (
        (0, None)
        if has_closed or desk.handle.goes_on
        else (1, "the engine did not close its journal in time; the next start repairs it")
    )
