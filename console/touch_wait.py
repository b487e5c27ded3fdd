"""Wait for the touch of a security key without blocking the desk (OP-15).

The wait lies between the operator's key and the confirmation. So the ticket's life, its digest and the engine's fresh
figures count as for any key, and none of the approval's seconds pass while a hand moves to the key. The screen that
began the wait judges again, once the key was touched, whether what was signed still stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from textual.screen import Screen

from console.client.ssh_agent import SshAgent
from core.model.touch import PublicKey, TouchCode, TouchKey, TouchSignature, read_key
from core.ports import OperatorError

NO_KEY = TouchCode.NO_KEY.in_words


class TouchWait:
    """The wait of one screen; an answer that comes after it was given up is ignored.

    Parameters
    ----------
    new_agent
        Makes a request to ssh-agent.
    say
        Shows a warning on the last line.

    Attributes
    ----------
    thread
        Of the last request. It is no worker of Textual's: a desk that closes does not wait for a hand.
    """

    def __init__(self, screen: Screen[None], new_agent: Callable[[], SshAgent], say: Callable[[str], None]) -> None:
        self._screen, self._new_agent, self._say = screen, new_agent, say
        self._agent: SshAgent | None = None
        self.thread = threading.Thread()

    @property
    def is_waiting(self) -> bool:
        return self._agent is not None

    def begin(
        self,
        keys: Sequence[TouchKey],
        message: bytes,
        then: Callable[[TouchSignature], None],
        failed: Callable[[], None],
    ) -> None:
        """Ask for a signature; `then` gets it, and `failed` is called after a warning, both in the desk's thread."""
        if self._agent is not None:
            return
        if not keys:
            self._say(NO_KEY)
            failed()
            return
        agent, app = self._new_agent(), self._screen.app
        self._agent = agent
        public = [read_key(key.line) for key in keys]

        def work() -> None:
            answer = _signed(agent, public, message)
            with suppress(RuntimeError):  # the desk closed meanwhile
                app.call_later(take, answer)

        def take(answer: TouchSignature | str) -> None:
            if self._agent is not agent:
                return
            self._agent = None
            if isinstance(answer, str):
                self._say(answer)
                failed()
            else:
                then(answer)

        self.thread = threading.Thread(target=work, name="touch", daemon=True)
        self.thread.start()

    def give_up(self) -> None:
        """End the wait; nothing is signed, or it is ignored."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.cancel()


def _signed(agent: SshAgent, keys: Sequence[PublicKey], message: bytes) -> TouchSignature | str:
    """Return the signature, or why there is none."""
    try:
        return agent.sign(keys, message)
    except OperatorError as error:
        return str(error)
