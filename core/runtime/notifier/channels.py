"""The available channels: Apprise, a command, and the entry points of `keyturn.channels`."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Callable
from importlib.metadata import entry_points

import orjson

from core.model.delivery import DELIVERED, Delivery, DeliveryCode
from core.runtime.notifier.message import Message, RefusedError

GROUP = "keyturn.channels"
APPRISE, COMMAND, PROGRAM = "apprise", "command", "program"
MOST_OUTPUT = 48_000
"""Bytes that a program may print."""
Send = Callable[[str, Message], object]
"""The function of an installed channel.

`address` comes from the keyring or the environment. It returns when the receiver has taken the message, and raises
otherwise.
"""


def names() -> tuple[str, ...]:
    """Return the names of all channels that `by` may have."""
    return (APPRISE, *sorted(entry.name for entry in entry_points(group=GROUP)))


def prepare(by: str) -> None:
    """Load the channel's modules in the process from which every attempt is forked."""
    if by == APPRISE:
        from core.runtime.notifier import by_apprise

        by_apprise.prepare()


def send(by: str, address: str, message: Message) -> Delivery:
    """Try once through the named channel."""
    if by == APPRISE:
        from core.runtime.notifier import by_apprise

        return by_apprise.send(address, message)
    if by == COMMAND:
        return run_command(address, message)
    if by == PROGRAM:
        return output_of(address, message)
    for entry in entry_points(group=GROUP, name=by):
        try:
            entry.load()(address, message)
        except RefusedError as error:
            return Delivery(DeliveryCode.REFUSED, error.status, str(error))
        return DELIVERED
    return Delivery(DeliveryCode.NO_SUCH_KIND, said=f"no channel is called {by!r}; there are: {', '.join(names())}")


BAD_COMMAND = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EACCES,
        errno.EPERM,
        errno.ENOEXEC,
        errno.ELOOP,
        errno.ENAMETOOLONG,
    }
)
"""Start errors that last until a person fixes the configuration; any other error may pass."""


def run_command(address: str, message: Message) -> Delivery:
    """Run an operator's program, which gets the message on standard input, without a shell (SY-03).

    It runs to its end; exit code 0 means delivered. The time-out of the enclosing process applies.
    """
    try:
        ended = subprocess.run(
            orjson.loads(address),
            input=f"{message.title}\n\n{message.text}\n".encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        code = DeliveryCode.BAD_ADDRESS if error.errno in BAD_COMMAND else DeliveryCode.NOT_SENT
        return Delivery(code, said=f"it cannot be started: {error.strerror}")
    if ended.returncode == 0:
        return DELIVERED
    return Delivery(DeliveryCode.REFUSED, ended.returncode, f"it ended with {ended.returncode}")


def output_of(address: str, message: Message) -> Delivery:
    """Run a program with the message's text on its standard input, without a shell; what it prints is in `said`.

    It gets the environment of this process. The time-out of the enclosing process applies.
    """
    from tempfile import TemporaryFile

    with TemporaryFile() as given:
        given.write(message.text.encode())
        given.seek(0)
        try:
            program = subprocess.Popen(
                orjson.loads(address), stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            return Delivery(DeliveryCode.BAD_ADDRESS, said=f"it cannot be started: {error.strerror}")
    assert program.stdout is not None
    found = program.stdout.read(MOST_OUTPUT + 1)
    if len(found) > MOST_OUTPUT:
        program.kill()
        return Delivery(DeliveryCode.REFUSED, said=f"it printed more than {MOST_OUTPUT:,} bytes")
    if (code := program.wait()) != 0:
        return Delivery(DeliveryCode.REFUSED, code, f"it ended with {code}")
    return Delivery(DeliveryCode.DELIVERED, said=found.decode(errors="replace"))
