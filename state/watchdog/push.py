"""The watchdog's own way to a person: the channels of `[notify]` for its kind, without an engine (SY-02, SY-03).

Each alert is carried in threads, so that nothing waits for a channel. What became of it stands in the watchdog's log:
the journal is the engine's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from core.io.wall_clock import utc_now
from core.model.notice import NEVER_AGAIN, SURELY_NOT, USUAL, DeliveryCode, NoticeKind, harmless
from core.model.values import AccountId
from core.model.venues import HOME
from core.ports import OperatorError
from core.runtime.lane_threads import NoThreadError, Threads
from core.runtime.notifier.message import Message
from core.runtime.notifier.process import Find, Notifier
from core.settings.notify import NotifySettings

KIND = NoticeKind.WATCHDOG
WAITS = (2.0, 10.0, 60.0, 300.0)
"""Seconds before each try after the first."""
LOOK = 0.05


@dataclass(frozen=True, slots=True)
class PushTerms:
    """Which channels there are, where their addresses are, and of which environment they get a part."""

    settings: NotifySettings
    find: Find
    environ: Mapping[str, str]


class Push:
    """`terms` are read for each alert; None where nobody is to be told. It may raise OperatorError and OSError."""

    def __init__(self, terms: Callable[[], PushTerms | None]) -> None:
        self._terms = terms
        self._threads = Threads("push")
        self._told: deque[str] = deque()
        self._under_way: set[object] = set()

    def send(self, words: str, account: str) -> None:
        """Never waits, and does not raise."""
        mark = object()
        self._under_way.add(mark)
        try:
            self._threads.do(lambda: self._carried(words, account, mark))
        except NoThreadError as error:
            self._under_way.discard(mark)
            self._told.append(f"nobody was told: {error}")

    def told(self) -> list[str]:
        """What became of messages since it was asked last."""
        found: list[str] = []
        with suppress(IndexError):
            while True:
                found.append(self._told.popleft())
        return found

    def finish(self, seconds: float) -> None:
        """Wait until everybody was reached, so long at most."""
        until = time.monotonic() + seconds
        while self._under_way and time.monotonic() < until:
            time.sleep(LOOK)
        if self._under_way:
            self._told.append("the watchdog ends before every channel took its alert")

    def _carried(self, words: str, account: str, mark: object) -> None:
        try:
            self._carry(words, account)
        except Exception as error:  # whatever it is, the watchdog goes on
            self._told.append(f"nobody was told: {error if isinstance(error, OperatorError) else type(error).__name__}")
        finally:
            self._under_way.discard(mark)

    def _carry(self, words: str, account: str) -> None:
        terms = self._terms()
        if terms is None or not (channels := channels_for(terms.settings, AccountId(account))):
            return
        notifier = Notifier(terms.settings, terms.find, terms.environ)
        try:
            self._threads.all_of([partial(self._deliver, notifier, c, words, account) for c in channels], len(channels))
        finally:
            notifier.close()

    def _deliver(self, notifier: Notifier, channel: str, words: str, account: str) -> None:
        """Until it arrives, or for as long as there are waits; a repeat is marked as one."""
        happened_at, may_have_arrived = utc_now(), False
        for wait in (0.0, *WAITS):
            time.sleep(wait)
            end = notifier.deliver(channel, a_message(words, account, HOME.clock(happened_at), may_have_arrived))
            if end.code is DeliveryCode.DELIVERED:
                self._told.append(f"{channel} was told")
                return
            self._told.append(f"{channel} was NOT told: {end.code.value.replace('_', ' ')}{_number(end.status)}")
            if end.code in NEVER_AGAIN:
                return
            may_have_arrived = may_have_arrived or end.code not in SURELY_NOT


def channels_for(settings: NotifySettings, account: AccountId) -> tuple[str, ...]:
    """Everybody who is told of the watchdog's alerts, each once."""
    from core.workflows.operator.notice_routes import rules_for

    found = [c for _, rule in rules_for(settings, KIND, USUAL[KIND], None, account) for c in rule.channels]
    return tuple(dict.fromkeys(found))


def a_message(words: str, account: str, clock: str, is_repeat: bool) -> Message:
    from core.workflows.operator.notice_text import REPEAT

    title = f"{REPEAT if is_repeat else ''} Keyturn {account}: {KIND.words}"
    lead = f"{REPEAT}: you may have this already\n" if is_repeat else ""
    return Message(harmless(title), f"{lead}{clock} {KIND.words}: {harmless(words)}", is_urgent=True)


def _number(status: int | None) -> str:
    return "" if status is None else f" ({status})"
