"""The channel `command`: a program of the operator's, with the message on its standard input and no shell (SY-03)."""

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
"""Why a program cannot be started until a person mends it; any other reason may pass."""


def send(address: str, message: Message) -> Delivery:
    """Run it to its end: 0 is delivered. Its time is that of the process that this runs in, and ends with it."""
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
