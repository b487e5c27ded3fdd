"""Enroll and remove security keys at a running engine, as a desk beside the others (OP-15).

A touch permits it, not control of the desk: this desk confirms nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from console.client.access import EngineAccess
from console.client.ssh_agent import SshAgent
from core.messages.commands import Command
from core.messages.desk_commands import EnrollTouchKey, RemoveTouchKey
from core.model.touch import PublicKey, TouchKey, enroll_message, read_key, remove_message
from core.ports import OperatorError
from core.views import DeskView, EngineFailed, TouchView

TIMEOUT = 10.0
"""Seconds for a view of the engine, and for its answer."""
NO_VIEW = "the engine does not answer; `keyturn status` says what it does"
NO_ANSWER = "the engine has not answered; `keyturn touch list` shows what is enrolled"


class TouchKeyDesk:
    """A desk that asks for these changes alone; `say` tells the operator which key to touch."""

    def __init__(
        self,
        handle: EngineAccess,
        say: Callable[[str], None],
        new_agent: Callable[[], SshAgent] = SshAgent,
        timeout: float = TIMEOUT,
    ) -> None:
        self._handle, self._say, self._new_agent, self._timeout = handle, say, new_agent, timeout
        self._has_news = threading.Event()
        handle.on_change = self._has_news.set

    def enrolled(self) -> tuple[TouchKey, ...]:
        """Return the enrolled keys. Raises `OperatorError`."""
        return self._view().touch.keys

    def enroll(self, key: PublicKey, line: str, label: str) -> None:
        """Enroll a key by its touch, and by that of an enrolled one if there is one. Raises `OperatorError`."""
        view = self._view()
        message = enroll_message(view.account, view.touch.nonce, key.fingerprint)
        self._say(f"touch the new key, {label}")
        own = self._new_agent().sign([key], message)
        touch = None
        if view.touch.keys:
            self._say(f"touch an enrolled key: {_named(view.touch)}")
            touch = self._new_agent().sign(_public(view.touch), message)
        self._ask(view, EnrollTouchKey(line, label, own.text, touch))

    def remove(self, which: str) -> TouchKey:
        """Remove the key of this label or fingerprint, by the touch of an enrolled one. Raises `OperatorError`."""
        view = self._view()
        found = [key for key in view.touch.keys if which in (key.label, key.fingerprint)]
        if len(found) != 1:
            raise OperatorError(f"{which}: names no one enrolled key; `keyturn touch list` names them")
        message = remove_message(view.account, view.touch.nonce, found[0].fingerprint)
        self._say(f"touch an enrolled key: {_named(view.touch)}")
        touch = self._new_agent().sign(_public(view.touch), message)
        self._ask(view, RemoveTouchKey(found[0].fingerprint, touch))
        return found[0]

    def _ask(self, view: DeskView, command: Command) -> None:
        """Send the command and wait for the engine's answer. Raises `OperatorError`."""
        self._handle.send(command)
        refused = self._view(lambda now: now.touch.answers > view.touch.answers, NO_ANSWER).touch.refused
        if refused is not None:
            raise OperatorError(f"nothing was changed: {refused.in_words}")

    def _view(self, is_wanted: Callable[[DeskView], bool] = lambda _view: True, otherwise: str = NO_VIEW) -> DeskView:
        until = time.monotonic() + self._timeout
        while True:
            self._has_news.clear()
            view = self._handle.view
            if isinstance(view, EngineFailed):
                raise OperatorError(view.message)
            if isinstance(view, DeskView) and is_wanted(view):
                return view
            if not self._has_news.wait(max(0.0, until - time.monotonic())):
                raise OperatorError(otherwise)


def _public(view: TouchView) -> list[PublicKey]:
    return [read_key(key.line) for key in view.keys]


def _named(view: TouchView) -> str:
    return " or ".join(key.label for key in view.keys)
