"""What is asked of the notifier's process and what it answers, a line of JSON each; and what a channel of one's own is
given and may raise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

from core.model.notice import Delivery, DeliveryCode

LONGEST_ANSWER = 1 << 16


@dataclass(frozen=True, slots=True)
class Message:
    """What a person is to read; there is nothing in it that acts."""

    title: str
    text: str
    is_urgent: bool = False


class RefusedError(Exception):
    """A channel says that the receiver did not take it; `status` is the receiver's number, where it gave one."""

    def __init__(self, words: str = "", status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One try.

    Attributes
    ----------
    by
        `apprise`, `command`, or the name of an entry point.
    address
        The channel's URL; of a command its words, as JSON. It goes through a pipe, and into no argument or variable.
    seconds
        After which it is killed.
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
    """Raises ValueError, KeyError, TypeError for what is no answer."""
    data: dict[str, Any] = orjson.loads(line)
    return int(data["id"]), Delivery(DeliveryCode(data["code"]), data["status"], str(data["said"]))
