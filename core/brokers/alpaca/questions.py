"""Queries to Alpaca with parsed answers: repeated if that is safe, with errors in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from core.brokers.alpaca.answers import OK, NotJsonError, Stated, Timeouts, decoded, doubt, is_unauthorised, refusal
from core.brokers.alpaca.connection_status import RequestStatus
from core.brokers.alpaca.fields import UnparsedMessages, UnreadableFieldError
from core.brokers.alpaca.keys import check_the_keys
from core.brokers.alpaca.wire import LIMITED, NoReply, Reply, Wire
from core.model.account import Mode
from core.model.api_contract import AccountRefusedError
from core.model.broker import NoAnswer

Answer = TypeVar("Answer")


class NoAnswerError(Exception):
    """No usable answer came."""

    def __init__(self, answer: NoAnswer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class StatedRefusalError(Exception):
    """Alpaca itself refused."""

    def __init__(self, stated: Stated) -> None:
        super().__init__(stated.message)
        self.stated = stated


class Questions:
    """The wire, the time-outs, and the unreadable messages."""

    def __init__(
        self, wire: Wire, patience: Timeouts, line: RequestStatus, unread: UnparsedMessages, mode: Mode
    ) -> None:
        self.wire = wire
        self.patience = patience
        self.line = line
        self.unread = unread
        self.mode = mode

    def send_once(self, method: str, path: str, endpoint: str, body: Mapping[str, object]) -> Reply | NoReply:
        """Send an order request exactly once."""
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
        """Send a query or a cancel, repeated if no answer came."""
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
        """Count requests sent now that are beyond their task's expected number (RK-24)."""
        self.wire.counter.count_beyond(requests)

    def get(
        self,
        path: str,
        endpoint: str,
        read: Callable[[Any], Answer],
        query: Mapping[str, object] | None = None,
        ends: float | None = None,
    ) -> Answer:
        """Send a query and return its parsed answer.

        Raises
        ------
        StatedRefusalError, NoAnswerError, AccountRefusedError
        """
        asked = "" if "{id}" in endpoint else path  # the caller reports queries for one order
        return self.read(self.ask("GET", path, endpoint, query, ends), read, endpoint, asked)

    def read(self, reply: Reply | NoReply, read: Callable[[Any], Answer], place: str, asked: str = "") -> Answer:
        """Parse a received answer, as `get` does. The connection status shows `asked` as unreadable, if it is."""
        if is_unauthorised(reply):
            raise AccountRefusedError(f"Alpaca does not take the keys: {check_the_keys(self.mode)}")
        if isinstance(reply, NoReply):
            raise NoAnswerError(doubt(reply))
        if (stated := refusal(reply)) is not None and reply.status != LIMITED:  # a query may be repeated
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
    """Convert any of the three errors to `NoAnswer`, for callers that only need the reason."""
    if isinstance(error, NoAnswerError):
        return error.answer
    if isinstance(error, StatedRefusalError):
        stated = error.stated
        return NoAnswer(f"Alpaca refuses: {stated.message} ({stated.status}, {stated.code})")
    return NoAnswer(str(error))


NOTHING_READ = (NoAnswerError, StatedRefusalError, AccountRefusedError)
"""Errors of `get` and `read`."""
