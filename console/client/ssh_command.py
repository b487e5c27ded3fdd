"""The command that reaches the engine's machine, and the meaning of its exit."""

from __future__ import annotations

import shlex
import signal
from contextlib import suppress

from core.ports import OperatorError

VARIABLE = "KEYTURN_SSH"
OPTIONS = (
    "-T",
    "-x",
    "-a",
    *("-o", "RemoteCommand=none"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)
"""Options for `ssh`: no remote terminal, no forwarding, and a dead link is detected within 15 s."""
NOBODY_THERE = ("-o", "BatchMode=yes")
"""Once the desk has the terminal, ssh must not prompt."""
RELAY = ("keyturn", "relay")
NO_START = "--no-start"
"""Used for all but a desk's first relay: an engine stopped there stays stopped."""
NOT_FOUND, FAILED = 127, 255
"""Exit codes: of a shell that does not find the program, of ssh itself."""
ASKS = ("permission denied", "host key verification failed", "passphrase", "authentication")
"""Messages of ssh that need a person's answer."""


def checked(destination: str) -> str:
    """Return the destination unchanged. Raises `OperatorError` if ssh would take it for an option or several words."""
    if not destination or destination.startswith("-") or any(not c.isprintable() or c.isspace() for c in destination):
        raise OperatorError(f"--host {destination!r}: a machine as ssh names it, user@server")
    return destination


def ssh_command(named: str, destination: str, *, is_first: bool) -> list[str]:
    """Return the ssh command; `named` is the value of `KEYTURN_SSH`, used unchanged.

    The first may prompt, and start an engine.

    Raises
    ------
    OperatorError
        The value cannot be split like a shell command.
    """
    relay = RELAY if is_first else (*RELAY, NO_START)
    if not named.strip():
        return ["ssh", *OPTIONS, *(() if is_first else NOBODY_THERE), destination, *relay]
    try:
        return [*shlex.split(named), destination, *relay]
    except ValueError as error:
        raise OperatorError(f"{VARIABLE}={named}: {error}; fix it, or unset it to use ssh") from None


def end_in_words(destination: str, status: int, said: str) -> str:
    """Describe why ssh ended, from its exit code and its last line, with a remedy if a person is needed."""
    if status == NOT_FOUND:
        return f"{destination} finds no program `keyturn` ({said or 'exit 127'}); install the same Keyturn there"
    if status == FAILED and any(word in said.lower() for word in ASKS):
        return f"{said}; ssh needs you: leave, and attach again with `keyturn --host {destination}`"
    if said:
        return said.removeprefix("keyturn: ")
    if status < 0:
        with suppress(ValueError):
            return f"ssh was ended by {signal.Signals(-status).name}"
    return f"ssh ended with status {status}, without a word"
