"""The channel `command`: an operator's program that gets the message on standard input, without a shell (SY-03)."""

from __future__ import annotations

import errno
import subprocess

import orjson

from core.model.notice import DELIVERED, Delivery, DeliveryCode
from core.runtime.notifier.message import Message

WRONG = frozenset(
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


def send(address: str, message: Message) -> Delivery:
    """Run the program to its end; exit code 0 means delivered. The time-out of the enclosing process applies."""
    try:
        ended = subprocess.run(
            orjson.loads(address),
            input=f"{message.title}\n\n{message.text}\n".encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        code = DeliveryCode.BAD_ADDRESS if error.errno in WRONG else DeliveryCode.NOT_SENT
        return Delivery(code, said=f"it cannot be started: {error.strerror}")
    if ended.returncode == 0:
        return DELIVERED
    return Delivery(DeliveryCode.REFUSED, ended.returncode, f"it ended with {ended.returncode}")
