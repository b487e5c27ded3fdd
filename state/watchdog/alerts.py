"""The watchdog's own notifications: its settings, the channels, and the alerts that are not delivered yet.

An engine is down for longest when its settings are invalid, and then a person must be notified. So the last valid
settings are kept, also across a restart of the watchdog: in one private file of the home.

The process that sends an alert locks its file, and the kernel releases the lock with the process: no two send the same
one. If the file cannot be written, the alert is only in memory.

Alerts go to the channels of `[notify]` for the watchdog's kind, without an engine (SY-02, SY-03). They are urgent and
retried like the engine's messages. Each channel has a thread, so that none waits for another. Results go into the
watchdog's log: the journal belongs to the engine.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import orjson
from pydantic import ValidationError

from core.files.regular_file import bytes_of
from core.io.wall_clock import utc_now
from core.model.delivery import LONGEST_WAIT, Delivery, DeliveryCode, Tries
from core.model.lazy_dataclass import dataclass
from core.model.notice import MOST_LINES, USUAL, Notice, NoticeKind, text_of, title_of
from core.model.notification_sanitizer import harmless
from core.model.session import HOME
from core.model.values import AccountId
from core.ports import OperatorError
from core.runtime.inbox import NoThreadError, Threads
from core.runtime.notifier.message import Message
from core.runtime.notifier.process import Find, Notifier
from core.settings.service import NotifySettings
from state.files import make_folder, open_private, replace_file, write_all

LARGEST_TERMS = 1_000_000
"""The maximum size of the file in bytes."""


@dataclass(frozen=True, slots=True)
class PushTerms:
    """The channels, the lookup of their addresses, and the environment that they get a part of.

    `note` gives the reason if these are not the current settings; otherwise empty.
    """

    settings: NotifySettings
    find: Find
    environ: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """Valid settings and their origin; `settings` is None if no one is to be notified."""

    settings: NotifySettings | None
    origin: str


class HeldTerms:
    """The current terms, or the last valid ones. Any thread.

    Parameters
    ----------
    read
        Returns the current settings; None if no one is to be notified. It may raise anything.
    path
        The file of the last valid ones.
    """

    def __init__(
        self, read: Callable[[], NotifySettings | None], path: Path, find: Find, environ: Mapping[str, str]
    ) -> None:
        self._read, self._path, self._find, self._environ = read, path, find, environ
        self._last: Sound | None = None
        self._lock = threading.Lock()

    def __call__(self) -> PushTerms | None:
        """Return the terms. Raises `OperatorError` if the settings are invalid and never were valid."""
        with self._lock:
            try:
                settings = self._read()
            except Exception as error:  # a person must be notified whatever the fault
                return self._held(error)
            self._hold(settings)
            return None if settings is None else PushTerms(settings, self._find, self._environ)

    def _held(self, error: Exception) -> PushTerms | None:
        self._last = self._last or self._kept()
        why = f"the settings cannot be read ({error if isinstance(error, OperatorError) else type(error).__name__})"
        if self._last is None:
            raise OperatorError(f"{why}, and none were read soundly before")
        if self._last.settings is None:
            return None
        note = f"{why}: alerts go by the [notify] {self._last.origin}"
        return PushTerms(self._last.settings, self._find, self._environ, note)

    def _hold(self, settings: NotifySettings | None) -> None:
        is_news = self._last is None or self._last.settings != settings
        self._last = Sound(settings, "that this watchdog read soundly last")
        if is_news:
            kept = None if settings is None else settings.model_dump(mode="json")
            with suppress(OSError):
                make_folder(self._path.parent)
                replace_file(self._path, orjson.dumps({"notify": kept}) + b"\n", durable=False)

    def _kept(self) -> Sound | None:
        """Return the terms of the previous watchdog, with which it started its engine, or None."""
        try:
            kept = orjson.loads(bytes_of(self._path, LARGEST_TERMS))["notify"]
            settings = None if kept is None else NotifySettings.model_validate(kept)
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValidationError):
            return None
        return Sound(settings, "of the last start with sound settings")


LARGEST_ALERT = 100_000
"""The maximum size of a file in bytes."""
MOST = 1_000
"""The maximum of files that a start takes up."""


@dataclass(slots=True, eq=False)
class Alert:
    """An alert to deliver. `left` is None while the channels are not known."""

    words: str
    account: str
    at: datetime
    left: dict[str, Tries] | None = None
    descriptor: int | None = field(default=None, repr=False)
    path: Path | None = None


class OwedAlerts:
    """The folder with the undelivered alerts of one home; None keeps no files."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def keep(self, alert: Alert) -> None:
        """Write the alert's current state. Never raises."""
        if self._folder is None:
            return
        with suppress(OSError):
            if alert.descriptor is None:
                make_folder(self._folder)
                alert.path = self._folder / f"{alert.at:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}.json"
                alert.descriptor = open_private(alert.path, os.O_RDWR | os.O_CREAT)
                fcntl.flock(alert.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept = {"words": alert.words, "account": alert.account, "at": alert.at, "left": alert.left}
            content = orjson.dumps(kept)
            os.lseek(alert.descriptor, 0, os.SEEK_SET)
            write_all(alert.descriptor, content)
            os.ftruncate(alert.descriptor, len(content))

    def drop(self, alert: Alert) -> None:
        """Remove a delivered or abandoned alert."""
        if alert.path is not None:
            with suppress(OSError):
                alert.path.unlink()
        if alert.descriptor is not None:
            os.close(alert.descriptor)
        alert.path = alert.descriptor = None

    def take_up(self) -> Iterator[Alert]:
        """Yield the alerts of an earlier watchdog that no process is sending; unreadable files are left alone."""
        try:
            paths = sorted(self._folder.glob("*.json"))[:MOST] if self._folder is not None else []
        except OSError:
            return
        for path in paths:
            if (alert := _taken(path)) is not None:
                yield alert


def _taken(path: Path) -> Alert | None:
    try:
        descriptor = open_private(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = orjson.loads(os.read(descriptor, LARGEST_ALERT))
        left = kept["left"]
        channels = None if left is None else {str(name): _left_of(each) for name, each in left.items()}
        at = datetime.fromisoformat(kept["at"])
        alert = Alert(str(kept["words"]), str(kept["account"]), at, channels, descriptor, path)
        if path.stat().st_ino != os.fstat(descriptor).st_ino:
            raise FileNotFoundError
        return alert
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        os.close(descriptor)
        return None


def _left_of(kept: dict[str, object]) -> Tries:
    """Restore a delivery state, due at once; an attempt without a result may have arrived (`is_on_its_way` in 0.1)."""
    first_at = kept["first_at"]
    may_have_arrived = any(kept.get(name) for name in ("may_have_arrived", "begun_at", "is_on_its_way"))
    tries = kept["tries"]
    if not isinstance(tries, int):
        raise TypeError("tries")
    first = datetime.fromisoformat(first_at) if isinstance(first_at, str) else None
    return Tries(tries, first_at=first, may_have_arrived=may_have_arrived)


KIND = NoticeKind.WATCHDOG
LOOK = 0.05


@dataclass(slots=True)
class Line:
    """The queue of one channel; `wakes` is set when there is something new."""

    alerts: list[Alert] = field(default_factory=list)
    wakes: threading.Event = field(default_factory=threading.Event)
    is_served: bool = False


class Push:
    """`terms` are read for each attempt; None means that no one is notified. They may raise OperatorError and OSError.

    `pause` waits for a number of seconds, or until there is a new alert, between the attempts of one channel.
    """

    def __init__(
        self,
        terms: Callable[[], PushTerms | None],
        owed: OwedAlerts | None = None,
        clock: Callable[[], datetime] = utc_now,
        pause: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._terms = terms
        self._clock = clock
        self._pause = pause
        self._owed = owed or OwedAlerts()
        self._threads = Threads("push")
        self._told: deque[str] = deque()
        self._under_way: set[Alert | None] = set()
        self._lines: dict[str, Line] = {}
        self._lock = threading.Lock()
        self._keeping = threading.Lock()
        self._note = ""

    def begin(self) -> None:
        """Store the current terms, and take up the alerts of the previous watchdog. Never waits, and does not raise."""
        self._apart(None, self._take_up)

    def send(self, words: str, account: str) -> None:
        """Send an alert. Never waits, and does not raise."""
        alert = Alert(words, account, self._clock())
        self._under_way.add(alert)
        self._apart(alert, partial(self._take, alert))

    @property
    def is_owed(self) -> bool:
        """Whether an alert is not delivered on every channel yet."""
        return bool(self._under_way)

    def told(self) -> list[str]:
        """Return the results since the last call."""
        found: list[str] = []
        with suppress(IndexError):
            while True:
                found.append(self._told.popleft())
        return found

    def finish(self, seconds: float) -> None:
        """Wait until all alerts are delivered, up to this many seconds."""
        until = time.monotonic() + seconds
        while self._under_way and time.monotonic() < until:
            time.sleep(LOOK)
        if self._under_way:
            self._told.append("the watchdog ends before every channel took its alert; the next one goes on with it")

    # ── alerts and their channels ────────────────────────────────────────────────────────────────────────────────

    def _apart(self, mark: Alert | None, act: Callable[[], None]) -> bool:
        """Run `act` in a new thread; `mark` is in progress until delivered. False if no thread is available."""

        def guarded() -> None:
            try:
                act()
            except Exception as error:  # any error: the watchdog continues
                self._under_way.discard(mark)
                self._told.append(f"nobody was told: {_in_words(error)}")

        try:
            self._threads.do(guarded)
        except NoThreadError as error:
            self._under_way.discard(mark)
            self._told.append(f"nobody was told: {error}")
            return False
        return True

    def _take_up(self) -> None:
        with suppress(OperatorError, OSError):  # each alert reports its own error
            self._terms()
        for alert in self._owed.take_up():
            self._under_way.add(alert)
            self._apart(alert, partial(self._take, alert))

    def _take(self, alert: Alert) -> None:
        """Queue an alert for each channel that has not taken it. While the channels are unknown, it is kept."""
        if alert.left is None:
            self._keep(alert)
            terms = self._terms_now()
            channels = () if terms is None else channels_for(terms.settings, AccountId(alert.account))
            alert.left = {channel: Tries() for channel in channels}
        self._keep(alert)
        for channel in list(alert.left):
            with self._lock:
                line = self._lines.setdefault(channel, Line())
                line.alerts.append(alert)
                is_served, line.is_served = line.is_served, True
            line.wakes.set()
            if not is_served and not self._apart(alert, partial(self._serve, channel, line)):
                line.is_served = False  # the next alert tries again to start a thread

    def _terms_now(self) -> PushTerms | None:
        terms = self._terms()
        note = "" if terms is None else terms.note
        if note and note != self._note:
            self._told.append(note)
        self._note = note
        return terms

    def _keep(self, alert: Alert) -> None:
        """Write the alert's state, or remove it once every channel has taken it."""
        with self._keeping:
            if alert.left is None or alert.left:
                self._owed.keep(alert)
            else:
                self._owed.drop(alert)
                self._under_way.discard(alert)

    # ── one channel ──────────────────────────────────────────────────────────────────────────────────────────────

    def _serve(self, channel: str, line: Line) -> None:
        """Send this channel's alerts until none is left."""
        while True:
            with self._lock:
                if not line.alerts:
                    line.is_served = False
                    return
                line.wakes.clear()
                batch, wait = _next(channel, line.alerts, self._clock())
            if not batch:
                self._pause(line.wakes, wait)
                continue
            self._try(channel, line, batch)

    def _try(self, channel: str, line: Line, batch: list[Alert]) -> None:
        lefts = [_left(alert, channel) for alert in batch]
        is_repeat, now = any(left.may_have_arrived for left in lefts), self._clock()
        for alert, left in zip(batch, lefts, strict=True):
            left.begin(now)
            self._keep(alert)
        try:
            terms = self._terms_now()
            end, most = self._delivered(terms, channel, batch, is_repeat=is_repeat)
        except Exception as error:  # any error is retried
            self._told.append(f"{channel} was NOT told: {_in_words(error)}")
            end, most = Delivery(DeliveryCode.NOT_SENT), timedelta(minutes=NotifySettings().give_up_minutes)
        for alert, left in zip(batch, lefts, strict=True):
            left.end(end.code, self._clock(), most)
            if left.again_at is None:
                with self._lock:
                    line.alerts.remove(alert)
                    (alert.left or {}).pop(channel, None)
                if end.code is not DeliveryCode.DELIVERED:
                    self._told.append(f"{channel} is told no more: {alert.words}")
            self._keep(alert)

    def _delivered(
        self, terms: PushTerms | None, channel: str, batch: list[Alert], *, is_repeat: bool
    ) -> tuple[Delivery, timedelta]:
        """Return the result of one attempt, and how long it is retried."""
        if terms is None:
            end, most = Delivery(DeliveryCode.NO_CHANNEL), timedelta()
        else:
            most = timedelta(minutes=terms.settings.give_up_minutes)
            notifier = Notifier(terms.settings, terms.find, terms.environ)
            try:
                end = notifier.deliver(channel, a_message(batch, self._clock(), is_repeat=is_repeat))
            finally:
                notifier.close()
        if end.code is DeliveryCode.DELIVERED:
            self._told.append(f"{channel} was told")
        else:
            self._told.append(f"{channel} was NOT told: {end.code.value.replace('_', ' ')}{_number(end.status)}")
        return end, most


def _left(alert: Alert, channel: str) -> Tries:
    assert alert.left is not None
    return alert.left[channel]


def _next(channel: str, alerts: list[Alert], now: datetime) -> tuple[list[Alert], float]:
    """Return the next batch, and the delay without one. A new alert does not wait for the next attempt of another."""
    fresh = [alert for alert in alerts if not _left(alert, channel).tries]
    due = [alert for alert in alerts if (again := _left(alert, channel).again_at) is None or again <= now]
    if batch := (fresh or due)[:MOST_LINES]:
        return batch, 0.0
    earliest = min(again for alert in alerts if (again := _left(alert, channel).again_at) is not None)
    return [], max(0.0, min((earliest - now).total_seconds(), LONGEST_WAIT.total_seconds()))


def channels_for(settings: NotifySettings, account: AccountId) -> tuple[str, ...]:
    """Return the channels for the watchdog's alerts, each once; without a known account those for any account."""
    from core.workflows.operator.notification_rules import rules_for

    terms = settings
    if not account:
        rules = {name: rule.model_copy(update={"accounts": ()}) for name, rule in settings.rules.items()}
        terms = settings.model_copy(update={"rules": rules})
    found = [c for _, rule in rules_for(terms, KIND, USUAL[KIND], None, account) for c in rule.channels]
    return tuple(dict.fromkeys(found))


def a_message(alerts: list[Alert], now: datetime, *, is_repeat: bool) -> Message:
    notices = [Notice(0, each.at, KIND, USUAL[KIND], None, harmless(each.words)) for each in alerts]
    accounts = " ".join(dict.fromkeys(each.account for each in alerts))
    title = title_of(notices, accounts, is_repeat=is_repeat).replace(" :", ":", 1)
    return Message(title, text_of(notices, 0, now, HOME, is_repeat=is_repeat), is_urgent=True)


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, OperatorError) else type(error).__name__


def _number(status: int | None) -> str:
    return "" if status is None else f" ({status})"
