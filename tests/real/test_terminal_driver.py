"""The real driver in a pseudo-terminal: kill keys, links that stall, terminals that close, and signals."""

from __future__ import annotations

import os
import random
import signal
import termios
from collections.abc import Callable

import pytest

from console.shutdown import DEADLY
from console.terminal.writer import STALLED_AFTER
from tests.real.terminal import RecordingDesk
from tests.real.waiting import until
from tests.unit.console.test_input_reader import ENDS_TEXTUAL, garbage

Open = Callable[..., RecordingDesk]

CHORD = b"\x0b"
STRINGS = 100
FROM_BACKGROUND = (
    "/bin/sh",
    "-c",
    'set -m; "$0" "$@" & while ! grep -q "^State:.T" /proc/$!/status; do sleep 0.1; done; fg',
)
"""A shell that starts a job in the background and takes it to the front when it has stopped."""
RESTORED = (b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[<u", b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1004l")


def presses_plain_key(desk: RecordingDesk) -> None:
    """A key that arrives: everything that was typed before it was read before it."""
    desk.presses(b"j", lambda: "j" in desk.typed_keys())


def only_plain_key(desk: RecordingDesk) -> bool:
    assert set(desk.typed_keys()) == {"j"}
    return not desk.records("paste")


def is_restored(ending: bytes) -> bool:
    return all(sequence in ending for sequence in RESTORED)


def test_the_input_thread_reads_the_kill_keys(terminal: Open) -> None:
    """OP-07, OP-08: over a dialog, in a text field, while it paints, from the background; a signal halts as well"""
    for scene in ("dialog", "input", "busy"):
        desk = terminal(scene)

        desk.type(CHORD)
        desk.until(lambda desk=desk: desk.records("kill"))
        desk.type(b"K")
        desk.until(lambda desk=desk: desk.records("kill-again"))
        os.kill(desk.pid, signal.SIGUSR1)
        desk.until(lambda desk=desk: desk.records("halt"))

        assert desk.records("kill")[0].rest == "textual-input"
        if scene != "input":
            presses_plain_key(desk)
            assert only_plain_key(desk)
        assert not desk.records("input")
        assert desk.is_alive()
    desk = terminal("idle", FROM_BACKGROUND)
    desk.presses(CHORD, lambda: desk.records("kill"))


def test_garbage_ends_neither_the_desk_nor_the_chord(
    terminal: Open, record_property: Callable[[str, object], None]
) -> None:
    """OP-07, OP-04"""
    seed = 20261120
    record_property("seed", seed)
    chance, desk = random.Random(seed), terminal("idle")

    desk.type(ENDS_TEXTUAL)
    for _ in range(STRINGS):
        desk.type(garbage(chance))
        desk.read_for(0)
    desk.type(b"\x1b\\", b"\x1b[201~")
    known = len(desk.records("kill"))
    desk.presses(CHORD, lambda: len(desk.records("kill")) > known)
    known = len(desk.typed_keys())
    desk.presses(b"j", lambda: "j" in desk.typed_keys()[known:])

    assert desk.is_alive()


def test_a_stalled_link_stops_no_kill_key(terminal: Open) -> None:
    """OP-04, OP-07: nobody reads; what is typed then does not act, and afterwards a new picture and new keys do"""
    desk = terminal("busy")
    until(lambda: stalled(desk) > 2 * STALLED_AFTER, desk.what_it_shows)  # nothing is read from here on
    painted = desk.records("painted")[-1]

    desk.type(b"B", b"x", b"\x1b[B", b"\r", b"\x1b[200~B\x1b[201~", CHORD)
    until(lambda: desk.records("kill"), desk.what_it_shows)
    desk.type(b"S", b"K")
    until(lambda: desk.records("kill-again"), desk.what_it_shows)  # so all before it was read, and read from a stall
    until(lambda: int(desk.records("painted")[-1].rest) > int(painted.rest) + 20, desk.what_it_shows)

    presses_plain_key(desk)
    assert only_plain_key(desk)
    desk.until(lambda: shows_one_new_picture(desk, int(painted.rest)))


def stalled(desk: RecordingDesk) -> float:
    """Seconds for which the desk knows that nothing is read."""
    records = desk.records("stalled")
    return float(records[-1].rest) if records else 0.0


def skipped(desk: RecordingDesk) -> int:
    records = desk.records("skipped")
    return int(records[-1].rest) if records else 0


def shows_one_new_picture(desk: RecordingDesk, older: int) -> bool:
    """Whether no line is left of a frame from before the stall."""
    words = desk.screen.display[0].split()
    if len(words) < 2 or not words[1].isdigit() or int(words[1]) <= older:
        return False
    letter = chr(97 + int(words[1]) % 26)
    return all(set(line.strip()) <= {letter} for line in desk.screen.display[1:])


def test_a_desk_ends_when_its_terminal_closes(terminal: Open) -> None:
    """OP-07: nothing runs on unseen"""
    desk = terminal("busy")

    desk.hang_up()

    assert desk.ended() == 128 + signal.SIGHUP
    assert len(desk.records("leave")) == 1
    with pytest.raises(ProcessLookupError):
        os.killpg(desk.pid, 0)


def test_a_desk_that_stays_is_ended_by_force(terminal: Open) -> None:
    """OP-07: and uses no processor until then, although reading a closed terminal returns at once"""
    desk = terminal("deaf-to-leave")
    before = processor_seconds(desk.pid)
    used = before

    desk.hang_up()
    while desk.is_alive():
        used = processor_seconds(desk.pid, used)
        desk.read_for(0.1)

    assert desk.ended() == 128 + signal.SIGHUP
    assert used - before < 0.75


def processor_seconds(pid: int, otherwise: float = 0.0) -> float:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return otherwise
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_each_deadly_signal_restores_the_terminal(terminal: Open) -> None:
    """OP-07: the desk leaves once, and its status says why; a shell that stops and continues it changes nothing"""
    for scene, number in [
        ("deaf-to-leave", signal.SIGTERM),
        *(("busy", number) for number in (signal.SIGTERM, *DEADLY)),
    ]:
        desk = terminal(scene)
        flags = desk.modes()[3]
        known = len(desk.records("leave"))

        stops_and_continues(desk)
        os.kill(desk.pid, signal.SIGTSTP)
        read = len(desk.raw)
        os.kill(desk.pid, number)
        desk.until(lambda desk=desk, read=read: b"\x1b[?2004l" in desk.raw[read:])
        os.kill(desk.pid, signal.SIGCONT)

        assert desk.ended() == 128 + number, number
        assert not flags & termios.ECHO
        assert desk.modes()[3] & termios.ECHO
        assert len(desk.records("leave")) == known + 1, number
        ending = desk.raw[desk.raw.rindex(b"\x1b[?2004l") :]
        assert is_restored(ending), number
        assert b"frame" not in ending, number
        desk.path.unlink()


def stops_and_continues(desk: RecordingDesk) -> None:
    """The modes change meanwhile, as by a shell."""
    task, read, modes = f"/proc/{desk.pid}/task", len(desk.raw), desk.modes()
    threads = len(os.listdir(task))

    os.kill(desk.pid, signal.SIGSTOP)
    termios.tcsetattr(desk.master, termios.TCSANOW, [*modes[:3], modes[3] | termios.ECHO | termios.ICANON, *modes[4:]])
    os.kill(desk.pid, signal.SIGCONT)
    desk.until(lambda: desk.modes() == modes and b"\x1b[?2004h" in desk.raw[read:])

    assert len(os.listdir(task)) == threads


def test_sigterm_ends_a_desk_on_a_stalled_link(terminal: Open) -> None:
    """OP-07: and the terminal is restored for whoever reads it later"""
    desk = terminal("busy")
    until(lambda: skipped(desk) > 20, desk.what_it_shows)

    os.kill(desk.pid, signal.SIGTERM)
    until(lambda: not desk.is_alive())

    desk.until(lambda: is_restored(desk.raw))
