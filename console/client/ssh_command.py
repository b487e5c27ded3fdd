"""What is run to reach the engine's machine, and what its end means in words."""

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
"""For `ssh` itself: no terminal over there and nothing forwarded, and a dead link is known within 15 s."""
NOBODY_THERE = ("-o", "BatchMode=yes")
"""Once the desk has the terminal, ssh asks nothing."""
RELAY = ("keyturn", "relay")
NO_START = "--no-start"
"""Of every relay but a desk's first: an engine that was stopped over there stays stopped."""
NOT_FOUND, FAILED = 127, 255
"""Exit codes: of a shell that finds no such program, of ssh itself."""
ASKS = ("permission denied", "host key verification failed", "passphrase", "authentication")
"""What ssh says where a person has to answer."""


def checked(destination: str) -> str:
    """As it was typed. Raises `OperatorError` for what ssh would take for something else."""
    if not destination or destination.startswith("-") or any(not c.isprintable() or c.isspace() for c in destination):
        raise OperatorError(f"--host {destination!r}: a machine as ssh names it, user@server")
    return destination


def ssh_command(named: str, destination: str, *, is_first: bool) -> list[str]:
    """`named` is what `KEYTURN_SSH` says; it is run as it is. The first one may ask a person, and start an engine.

    Raises
    ------
    OperatorError
        No shell could split what is named.
    """
    relay = RELAY if is_first else (*RELAY, NO_START)
    if not named.strip():
        return ["ssh", *OPTIONS, *(() if is_first else NOBODY_THERE), destination, *relay]
    try:
        return [*shlex.split(named), destination, *relay]
    except ValueError as error:
        raise OperatorError(f"{VARIABLE}={named}: {error}; mend it, or unset it for ssh itself") from None


def end_in_words(destination: str, status: int, said: str) -> str:
    """Why ssh ended, from its exit code and the last line it wrote; and what to do where a person is needed."""
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
