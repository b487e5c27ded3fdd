"""The messages to and from the notifier's process, one line of JSON each, and the types for installed channels."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from core.model.delivery import Delivery, DeliveryCode
from core.model.lazy_dataclass import dataclass

LONGEST_ANSWER = 1 << 16


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a person to read; it triggers no action. `html` is the same as a page, or empty."""

    title: str
    text: str
    is_urgent: bool = False
    html: str = ""


class RefusedError(Exception):
    """Raised by a channel if the receiver refused the message; `status` is the receiver's code, if it gave one."""

    def __init__(self, words: str = "", status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt.

    Attributes
    ----------
    by
        `apprise`, `command`, `program`, or the name of an entry point.
    address
        The channel's URL; for a command its arguments as JSON. It is passed by pipe only, never in an argument or
        variable.
    seconds
        The time-out after which the attempt is killed.
    """

    id: int
    by: str
    address: str
    message: Message
    seconds: float

    def line(self) -> bytes:
        return orjson.dumps(asdict(self)) + b"\n"

    @staticmethod
    def read(line: bytes) -> Request:
        data = orjson.loads(line)
        return Request(data["id"], data["by"], data["address"], Message(**data["message"]), data["seconds"])


def answer_line(id_: int, delivery: Delivery) -> bytes:
    return orjson.dumps({"id": id_, "code": delivery.code, "status": delivery.status, "said": delivery.said}) + b"\n"


def answer_in(line: bytes) -> tuple[int, Delivery]:
    """Parse an answer. Raises ValueError, KeyError or TypeError if it is not one."""
    data: dict[str, Any] = orjson.loads(line)
    return int(data["id"]), Delivery(DeliveryCode(data["code"]), data["status"], str(data["said"]))
