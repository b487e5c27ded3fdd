"""A small desk on the real driver, for the tests beside it. It writes what happens to a file, with the instant.

Arguments: the file, and a name of `SCENES`. Lines are `monotonic-time word rest`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from console.terminal.driver import KeyturnDriver, make_driver, may_ask_for_mouse
from console.terminal.writer import tight

SCENES = ("idle", "input", "dialog", "busy", "deaf-to-leave")


class RecordWriter:
    """Appends a line a fact; one write each, so that no line is torn or lost."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, word: str, *rest: object) -> None:
        line = " ".join([f"{time.monotonic():.6f}", word, *map(str, rest)])
        os.write(self._descriptor, f"{line}\n".encode())


class RecordingKillPort:
    """Writes down each call, and its thread."""

    def __init__(self, record: RecordWriter, scene: str) -> None:
        self._record = record
        self._scene = scene
        self._is_open = False
        self.app: DeskApp | None = None

    def press_kill(self) -> None:
        self._is_open = True
        self._record("kill", threading.current_thread().name)

    def press_kill_again(self) -> None:
        self._record("kill-again", threading.current_thread().name)

    def is_kill_open(self) -> bool:
        return self._is_open

    def leave(self, reason: str) -> None:
        self._record("leave", reason)
        if self._scene != "deaf-to-leave" and self.app is not None:
            self.app.call_later(self.app.exit)

    def halt(self, reason: str) -> None:
        self._record("halt", reason)


class Dialog(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Static("really?")


class DeskApp(App[None]):
    CSS = "Static { width: 100%; height: 1fr; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [Binding("ctrl+q", "nothing", priority=True)]

    def __init__(self, record: RecordWriter, scene: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.record = record
        self.scene = scene
        self.ticks = 0

    def compose(self) -> ComposeResult:
        yield Static("", id="wall")
        if self.scene == "input":
            yield Input()

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, tight(renderable))

    async def on_mount(self) -> None:
        if self.scene == "dialog":
            await self.push_screen(Dialog())
        if self.scene == "busy":
            self.set_interval(1 / 30, self.paint)
        self.set_interval(0.5, self.report)

    def on_ready(self) -> None:
        self.record("ready")

    def paint(self) -> None:
        self.ticks += 1
        self.record("painted", self.ticks)
        letter = chr(97 + self.ticks % 26)
        self.query_one("#wall", Static).update(f"frame {self.ticks} " + letter * 3000)

    def report(self) -> None:
        driver = self._driver
        assert isinstance(driver, KeyturnDriver)
        self.record("skipped", driver.frames_skipped)
        writer = driver._writer
        self.record("stalled", 0.0 if writer is None else writer.stalled_for())

    async def on_event(self, event: events.Event) -> None:
        """Before any binding of Textual's own takes it."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.record("typed", event.key)
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        self.record("key", event.key)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.record("input", repr(event.value))

    def on_paste(self, event: events.Paste) -> None:
        self.record("paste", repr(event.text))

    def action_nothing(self) -> None:
        self.record("key", "ctrl+q")


def main() -> None:
    path, scene = sys.argv[1:]
    record = RecordWriter(path)
    port = RecordingKillPort(record, scene)
    app = DeskApp(record, scene, driver_class=make_driver(port))
    port.app = app
    app.run(mouse=may_ask_for_mouse(os.environ))
    driver = app._driver
    assert isinstance(driver, KeyturnDriver)
    record("end", driver.exit_status)
    sys.exit(driver.exit_status or app.return_code or 0)


if __name__ == "__main__":
    main()
