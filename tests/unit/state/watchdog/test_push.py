"""How the watchdog tells a person: by the last sound terms, as persistently as the engine, and over its own end."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest

from core.model.delivery import DELIVERED, Delivery, DeliveryCode, Tries
from core.ports import OperatorError
from core.runtime.notifier.message import Message
from core.settings.service import NotifySettings
from state.watchdog import alerts
from state.watchdog.alerts import Alert, HeldTerms, OwedAlerts

TERMS = NotifySettings.model_validate(
    {"channels": {"phone": {}}, "rules": {"all": {"channels": ["phone"], "accounts": ["paper"]}}}
)
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


class Phone:
    """Stands where the notifier does; answers what it is told to."""

    def __init__(self, answers: Callable[[int], Delivery]) -> None:
        self.answers, self.heard = answers, list[Message]()
        self._rings = SimpleQueue[Message]()

    def __call__(self, *_: object) -> Phone:
        return self

    def deliver(self, _channel: str, message: Message) -> Delivery:
        self.heard.append(message)
        end = self.answers(len(self.heard))
        self._rings.put(message)
        return end

    def rings(self) -> Message:
        """Wait for the next message."""
        return self._rings.get()

    def close(self) -> None: ...


class Clock:
    """Time that passes only where a channel waits for its next try; `stands` keeps it waiting for something new."""

    def __init__(self, *, stands: bool = False) -> None:
        self.at, self.stands = NOON, stands
        self.pauses = SimpleQueue[float]()

    def __call__(self) -> datetime:
        return self.at

    def pause(self, wakes: threading.Event, seconds: float) -> None:
        self.pauses.put(seconds)
        if self.stands:
            wakes.wait()
        else:
            self.at += timedelta(seconds=seconds)


def a_push(terms: HeldTerms, owed: OwedAlerts | None = None, clock: Clock | None = None) -> alerts.Push:
    clock = clock or Clock()
    return alerts.Push(terms, owed, clock, clock.pause)


def held(path: Path, read: Callable[[], NotifySettings | None] = lambda: TERMS) -> HeldTerms:
    return HeldTerms(read, path, lambda _: None, os.environ)


def wrong() -> NotifySettings:
    raise OperatorError("settings.toml: risk.typo: there is no such setting")


def a_phone(monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], Delivery] = lambda _: DELIVERED) -> Phone:
    phone = Phone(answers)
    monkeypatch.setattr(alerts, "Notifier", phone)
    return phone


def test_wrong_settings_silence_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot):
    """SY-02: the terms that were read soundly last are used, and the log says which and why."""
    phone, reads = a_phone(monkeypatch), [lambda: TERMS, wrong]
    begun = threading.Event()

    class Owed(OwedAlerts):
        def take_up(self) -> Iterator[Alert]:
            begun.set()  # the terms are held by now
            return super().take_up()

    terms = held(tmp_path / "terms.json", lambda: reads.pop(0)() if len(reads) > 1 else reads[0]())
    pusher = a_push(terms, Owed())
    pusher.begin()
    begun.wait()
    pusher.send("the engine ended with signal SIGKILL", "paper")
    pusher.finish(math.inf)

    assert len(phone.heard) == 1
    assert pusher.told() == snapshot


def test_a_start_uses_the_last_sound_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot):
    """SY-02: also where no account is known yet: each rule may be meant."""
    phone, kept = a_phone(monkeypatch), tmp_path / "state" / "terms.json"
    held(kept)()
    assert kept.stat().st_mode & 0o777 == 0o600

    pusher = a_push(held(kept, wrong))
    pusher.send("process 7 ended with status 2", "")
    pusher.finish(math.inf)

    assert [message.title for message in phone.heard] == ["Keyturn: watchdog"]
    assert pusher.told() == snapshot


def test_wrong_first_settings_are_reported(tmp_path: Path, snapshot):
    """SY-02"""
    pusher = a_push(held(tmp_path / "terms.json", wrong))
    pusher.send("process 7 ended with status 2", "")
    pusher.finish(math.inf)

    assert pusher.told() == snapshot


def test_an_alert_is_retried_like_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-02, SY-03: not five times; what may have arrived is marked."""
    phone = a_phone(monkeypatch, lambda n: DELIVERED if n == 12 else Delivery(DeliveryCode.TIMED_OUT))
    clock = Clock()
    pusher = a_push(held(tmp_path / "terms.json"), clock=clock)
    pusher.send("the engine STAYS DOWN", "paper")
    pusher.finish(math.inf)

    assert len(phone.heard) == 12
    assert [message.title.startswith("REPEAT") for message in phone.heard] == [False, *[True] * 11]
    assert [clock.pauses.get() for _ in range(11)] == [5, 15, 45, 135, *[300] * 7]


def test_tries_end_with_their_time_or_their_cause():
    """SY-03"""
    longest, tries = timedelta(minutes=TERMS.give_up_minutes), Tries(tries=3, first_at=NOON)

    assert tries.next_try(DeliveryCode.NOT_SENT, NOON + longest, longest) is None
    assert tries.next_try(DeliveryCode.NOT_SENT, NOON, longest) == NOON + timedelta(seconds=45)
    assert tries.next_try(DeliveryCode.NO_CHANNEL, NOON, longest) is None
    assert Tries(tries=6, first_at=NOON).next_try(DeliveryCode.BAD_ADDRESS, NOON, longest) is None


def test_an_alert_outlasts_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-02: the next one goes on with it, marked where it may have arrived, and two never carry the same."""
    down = a_phone(monkeypatch, lambda _: Delivery(DeliveryCode.UNCLEAR))
    folder, clock = tmp_path / "owed", Clock(stands=True)
    first = a_push(held(tmp_path / "terms.json"), OwedAlerts(folder), clock)
    first.send("the engine STAYS DOWN", "paper")
    down.rings()
    clock.pauses.get()
    assert list(OwedAlerts(folder).take_up()) == []
    first.finish(0)
    assert first.is_owed
    (alert,) = first._lines["phone"].alerts
    assert alert.descriptor is not None
    os.close(alert.descriptor)  # as the kernel does where its process ends

    phone = a_phone(monkeypatch)
    second = a_push(held(tmp_path / "terms.json"), OwedAlerts(folder), Clock())
    second._clock = lambda: NOON + timedelta(hours=1)
    second.begin()
    message = phone.rings()
    second.finish(math.inf)

    assert message.title == "REPEAT Keyturn paper: watchdog"
    assert "STAYS DOWN" in message.text
    assert list(folder.iterdir()) == []


def test_delivered_alerts_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-02"""
    names = [f"phone{number}" for number in range(8)]
    many = NotifySettings.model_validate(
        {"channels": {name: {} for name in names}, "rules": {"all": {"channels": names}}}
    )
    phone = a_phone(monkeypatch)
    pusher = a_push(held(tmp_path / "terms.json", lambda: many), OwedAlerts(tmp_path / "owed"))
    for number in range(5):
        pusher.send(f"alert {number}", "paper")
    pusher.finish(math.inf)

    told = "\n".join(message.text for message in phone.heard)
    assert [told.count(f"alert {number}") for number in range(5)] == [8] * 5
    assert list((tmp_path / "owed").iterdir()) == []


def test_a_new_alert_does_not_wait_for_a_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-03: and is not marked because another may have arrived."""
    phone = a_phone(monkeypatch, lambda n: Delivery(DeliveryCode.TIMED_OUT) if n == 1 else DELIVERED)
    pusher = a_push(held(tmp_path / "terms.json"), clock=Clock(stands=True))
    pusher.send("one", "paper")
    phone.rings()
    pusher.send("two", "paper")
    message = phone.rings()

    assert message.title == "Keyturn paper: watchdog"
    assert "one" not in message.text.split(": ")[-1]


def test_foreign_files_are_left_alone(tmp_path: Path):
    """SY-02"""
    for name, text in {
        "a": "",
        "b": "[]",
        "c": '{"words":1}',
        "d": '{"words":"x","account":"y","at":"z","left":{}}',
    }.items():
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "e.json").mkdir()

    assert list(OwedAlerts(tmp_path).take_up()) == []
    assert len(list(tmp_path.iterdir())) == 5


def test_the_folders_of_the_last_terms_are_private(tmp_path: Path) -> None:
    """SY-03, SP-04: an engine that starts after its watchdog has nothing to mend"""
    held(tmp_path / "home" / "state" / "terms.json")()

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("home", "home/state")] == [0o700] * 2
