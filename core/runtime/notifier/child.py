"""The notifier's own process: it reads requests, forks a process for each attempt, and kills it at its time-out.

It is single-threaded, so that a fork copies no half-done state. When its pipe closes it accepts no more requests, and
ends with the last attempt.
"""

from __future__ import annotations

import math
import os
import re
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType

from pydantic import SecretStr

from core.io.core_dumps import forbid_core_dumps
from core.model.api_contract import Redaction
from core.model.delivery import Delivery, DeliveryCode
from core.model.lazy_dataclass import dataclass
from core.runtime.notifier import channels
from core.runtime.notifier.message import LONGEST_ANSWER, Request, answer_in, answer_line

LONGEST_SAID = 300
ANY_HOST = "https://receiver.invalid"
"""Of none in particular: an attempt that is ended does not say where it was."""
OF_OTHERS = frozenset(
    {DeliveryCode.REFUSED, DeliveryCode.REFUSED_FOR_GOOD, DeliveryCode.UNCLEAR, DeliveryCode.NOT_SENT}
)
"""Results with a text from the channel or receiver, from which the address must be removed."""
LATER = 10
"""The `nice` increment that puts its priority below the engine's."""
PARTS = 4
"""The minimum length of an address part that counts as secret."""


@dataclass(frozen=True, slots=True)
class Try:
    """One running attempt."""

    id: int
    pid: int
    pipe: int
    ends: float
    by: str


class Server:
    def __init__(self, requests: int, answers: int) -> None:
        self._requests, self._answers = requests, answers
        self._found = bytearray()
        self._tries: dict[int, Try] = {}
        self._prepared: set[str] = set()
        self._is_open = True

    def run(self) -> None:
        while self._is_open or self._tries:
            pipes = [*self._tries, *([self._requests] if self._is_open else [])]
            ends = min((each.ends for each in self._tries.values()), default=None)
            wait = None if ends is None else max(0.0, ends - time.monotonic())
            ready, _, _ = select.select(pipes, [], [], wait)
            for pipe in ready:
                if pipe == self._requests:
                    self._read()
                else:
                    self._end(self._tries[pipe])
            for each in [each for each in self._tries.values() if each.ends <= time.monotonic()]:
                self._end(each)

    def _read(self) -> None:
        chunk = os.read(self._requests, LONGEST_ANSWER)
        self._is_open = bool(chunk)
        self._found += chunk
        while (end := self._found.find(b"\n")) >= 0:
            line = bytes(self._found[:end])
            del self._found[: end + 1]
            self._begin(Request.read(line))

    def _begin(self, request: Request) -> None:
        if request.by not in self._prepared:
            self._prepared.add(request.by)
            with suppress(Exception):  # each attempt reports its own error
                channels.prepare(request.by)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            for descriptor in (read, self._requests, self._answers, *self._tries):
                os.close(descriptor)
            _try(request, write)
        os.close(write)
        self._tries[read] = Try(request.id, pid, read, time.monotonic() + request.seconds, request.by)

    def _end(self, each: Try) -> None:
        """End an attempt that answered, exited or timed out, and kill its children."""
        answer = _answer_of(each)
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(each.pid, signal.SIGKILL)
        os.waitpid(each.pid, 0)
        os.close(each.pipe)
        del self._tries[each.pipe]
        with suppress(OSError):  # the reader is gone
            os.write(self._answers, answer_line(each.id, answer))


def _answer_of(each: Try) -> Delivery:
    if not select.select([each.pipe], [], [], 0)[0]:
        return Delivery(DeliveryCode.TIMED_OUT, said=f"nothing came back in time{_way_of(each)}")
    line = b""
    while not line.endswith(b"\n") and (more := os.read(each.pipe, LONGEST_ANSWER)):  # a long one comes in parts
        line += more
    try:
        return answer_in(line)[1]
    except (KeyError, TypeError, ValueError):
        return Delivery(DeliveryCode.UNCLEAR, said="its process ended without a word")


def _way_of(each: Try) -> str:
    """Return the proxy of an attempt that was ended."""
    from core.io.proxies import by_proxy  # only then

    return by_proxy(ANY_HOST) if each.by == channels.APPRISE else ""


# ── in an attempt's process ──────────────────────────────────────────────────────────────────────────────────────────


def _try(request: Request, write: int) -> None:
    """Run one attempt; never returns."""
    try:
        os.setsid()
        signal.alarm(math.ceil(request.seconds) + 1)  # the parent that would kill it may be gone
        _silence()
        signal.signal(signal.SIGTERM, _leave)
        met = _met_sockets()
        delivery = _judged(_delivered(request), bool(met))
        os.write(write, answer_line(request.id, _harmless(delivery, request.address)))
    finally:
        os._exit(0)


def _delivered(request: Request) -> Delivery:
    try:
        return channels.send(request.by, request.address, request.message)
    except Exception as error:  # any error of a channel's own code
        return Delivery(DeliveryCode.UNCLEAR, said=f"{type(error).__name__}: {error}")


def _judged(delivery: Delivery, has_met: bool) -> Delivery:
    """Return NOT_SENT for an unclear result if the process made no connection."""
    if delivery.code is DeliveryCode.UNCLEAR and not has_met:
        return Delivery(DeliveryCode.NOT_SENT, delivery.status, delivery.said)
    return delivery


def _met_sockets() -> list[object]:
    """Record every connection that this process makes from now on."""
    met: list[object] = []
    connect = socket.socket.connect

    def noting(self: socket.socket, address: object) -> None:
        connect(self, address)  # type: ignore[arg-type]
        met.append(address)

    socket.socket.connect = noting  # type: ignore[assignment, method-assign]
    return met


def _silence() -> None:
    """Discard everything that libraries print."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _harmless(delivery: Delivery, address: str) -> Delivery:
    """Remove the address and its parts from the result's text."""
    if not delivery.said or delivery.code not in OF_OTHERS:
        return delivery
    hidden = Redaction(*parts_of(address))
    said = "".join(c if c.isprintable() else " " for c in hidden(delivery.said))[:LONGEST_SAID]
    return Delivery(delivery.code, delivery.status, said)


def parts_of(address: str) -> list[SecretStr]:
    """Return everything in an address that may be secret: the whole, and each of its parts."""
    parts = [part for part in re.split(r"[/:@?&=#,]+", address) if len(part) >= PARTS]
    return [SecretStr(part) for part in (address, *parts)]


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(1)


def main() -> None:
    forbid_core_dumps()  # it has the addresses, with their secrets
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(LATER)  # the engine goes first
    requests, answers = os.dup(0), os.dup(1)
    _silence()
    Server(requests, answers).run()
    sys.exit(0)


if __name__ == "__main__":
    main()
