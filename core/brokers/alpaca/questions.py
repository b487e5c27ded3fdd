"""A question to Alpaca and its answer, read: asked again where that is safe, and trouble in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from core.brokers.alpaca.answers import OK, NotJsonError, decoded, doubt, is_unauthorised, refusal
from core.brokers.alpaca.fields import UnreadableFieldError
from core.brokers.alpaca.keys import check_the_keys
from core.brokers.alpaca.refusals import Stated
from core.brokers.alpaca.request_status import RequestStatus
from core.brokers.alpaca.timeouts import Timeouts
from core.brokers.alpaca.unparsed_messages import UnparsedMessages
from core.brokers.alpaca.wire import LIMITED, NoReply, Reply, Wire
from core.model.account import Mode
from core.model.broker import NoAnswer
from core.model.keys import AccountRefusedError

Answer = TypeVar("Answer")


class NoAnswerError(Exception):
    """Nothing that can be believed came back."""

    def __init__(self, answer: NoAnswer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class StatedRefusalError(Exception):
    """Alpaca itself said no."""

    def __init__(self, stated: Stated) -> None:
        super().__init__(stated.message)
        self.stated = stated


class Questions:
    """The wire, the patience, and what is kept of what could not be read."""

    def __init__(
        self, wire: Wire, patience: Timeouts, line: RequestStatus, unread: UnparsedMessages, mode: Mode
    ) -> None:
        self.wire = wire
        self.patience = patience
        self.line = line
        self.unread = unread
        self.mode = mode

    def send_once(self, method: str, path: str, endpoint: str, body: Mapping[str, object]) -> Reply | NoReply:
        """One request and no other: an order."""
        reply = self.wire.ask(method, path, endpoint, body)
        self.line.saw(reply)
        return reply

    def ask(
        self,
        method: str,
        path: str,
        endpoint: str,
        query: Mapping[str, object] | None = None,
        ends: float | None = None,
    ) -> Reply | NoReply:
        """A question or a cancel, repeated where nothing came back."""
        times = 0

        def once(within: float) -> Reply | NoReply:
            nonlocal times
            times += 1
            if times > 1:
                self.count_beyond()
            reply = self.wire.ask(method, path, endpoint, query, within)
            self.line.saw(reply)
            return reply

        return self.patience.ask(once, ends)

    def count_beyond(self, requests: int = 1) -> None:
        """So many of those that are sent now are beyond what their task takes (RK-24)."""
        self.wire.counter.count_beyond(requests)

    def get(
        self,
        path: str,
        endpoint: str,
        read: Callable[[Any], Answer],
        query: Mapping[str, object] | None = None,
        ends: float | None = None,
    ) -> Answer:
        """What Alpaca answers, read.

        Raises
        ------
        StatedRefusalError, NoAnswerError, AccountRefusedError
        """
        asked = "" if "{id}" in endpoint else path  # of one order whoever asked says it
        return self.read(self.ask("GET", path, endpoint, query, ends), read, endpoint, asked)

    def read(self, reply: Reply | NoReply, read: Callable[[Any], Answer], place: str, asked: str = "") -> Answer:
        """As `get`, of an answer that is there. The lamp says of what was `asked` that it cannot be read."""
        if is_unauthorised(reply):
            raise AccountRefusedError(f"Alpaca does not take the keys: {check_the_keys(self.mode)}")
        if isinstance(reply, NoReply):
            raise NoAnswerError(doubt(reply))
        if (stated := refusal(reply)) is not None and reply.status != LIMITED:  # a question may be asked again
            raise StatedRefusalError(stated)
        if reply.status not in OK:
            raise NoAnswerError(doubt(reply))
        try:
            answer = read(decoded(reply.body))
        except NotJsonError:
            self.unread.note(f"{place}: no JSON", reply.body)
            raise NoAnswerError(doubt(reply)) from None
        except UnreadableFieldError as error:
            self.unread.note(f"{place}: {error}", reply.body)
            words = f"Alpaca: an answer that cannot be read, {error}"
            if asked:
                self.line.say_unreadable(asked, words)
            raise NoAnswerError(NoAnswer(words)) from error
        self.line.say_readable(asked)
        return answer


def as_no_answer(error: Exception) -> NoAnswer:
    """Any of the three, for a caller who needs no more than the reason."""
    if isinstance(error, NoAnswerError):
        return error.answer
    if isinstance(error, StatedRefusalError):
        stated = error.stated
        return NoAnswer(f"Alpaca refuses: {stated.message} ({stated.status}, {stated.code})")
    return NoAnswer(str(error))


NOTHING_READ = (NoAnswerError, StatedRefusalError, AccountRefusedError)
"""What `get` and `read` raise."""
