"""How the watchdog tells a person: by the last sound terms, as persistently as the engine, and over its own end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.model.notice import DELIVERED, Delivery, DeliveryCode
from core.ports import OperatorError
from core.runtime.notifier.message import Message
from core.settings.notify import NotifySettings
from state.watchdog import push
from state.watchdog.owed import OwedAlerts
from state.watchdog.terms import HeldTerms
from state.watchdog.watchdog import GAVE_UP
from tests.kit.waiting import PATIENCE
from tests.unit.state.watchdog.test_watchdog import QUICK, Watched

TERMS = NotifySettings.model_validate(
    {"channels": {"phone": {}}, "rules": {"all": {"channels": ["phone"], "accounts": ["paper"]}}}
)
NOT_SENT = Delivery(DeliveryCode.NOT_SENT)


class Phone:
    """Stands where the notifier does; answers what it is told to."""

    def __init__(self, answers: Callable[[int], Delivery]) -> None:
        self.answers, self.heard = answers, list[Message]()

    def __call__(self, *_: object) -> Phone:
        return self

    def deliver(self, _channel: str, message: Message) -> Delivery:
        self.heard.append(message)
        return self.answers(len(self.heard))

    def close(self) -> None: ...


def waited(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.005)


def held(path: Path, read: Callable[[], NotifySettings | None] = lambda: TERMS) -> HeldTerms:
    return HeldTerms(read, path, lambda _: None, os.environ)


def wrong() -> NotifySettings:
    raise OperatorError("settings.toml: risk.typo: there is no such setting")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "FIRST_WAIT", timedelta(seconds=0.01))
    monkeypatch.setattr(push, "LONGEST_WAIT", timedelta(seconds=0.02))


def a_phone(monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], Delivery] = lambda _: DELIVERED) -> Phone:
    phone = Phone(answers)
    monkeypatch.setattr(push, "Notifier", phone)
    return phone


def test_a_settings_file_that_went_wrong_silences_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-02: the terms that were read soundly last are used, and the log says which and why."""
    phone, reads = a_phone(monkeypatch), [lambda: TERMS, wrong]
    pusher = push.Push(held(tmp_path / "terms.json", lambda: reads.pop(0)() if len(reads) > 1 else reads[0]()))
    pusher.begin()
    waited(lambda: len(reads) == 1)

    pusher.send("the engine ended with signal SIGKILL", "paper")
    pusher.finish(PATIENCE)

    assert len(phone.heard) == 1
    told = "\n".join(pusher.told())
    assert "risk.typo: there is no such setting" in told
    assert "alerts go by the [notify] that this watchdog read soundly last" in told


def test_a_watchdog_that_starts_with_wrong_settings_uses_those_of_the_last_sound_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """SY-02: also where no account is known yet: each rule may be meant."""
    phone, kept = a_phone(monkeypatch), tmp_path / "state" / "terms.json"
    held(kept)()
    assert kept.stat().st_mode & 0o777 == 0o600

    pusher = push.Push(held(kept, wrong))
    pusher.send("process 7 ended with status 2", "")
    pusher.finish(PATIENCE)

    assert [message.title for message in phone.heard] == ["Keyturn: watchdog"]
    assert "of the last start with sound settings" in "\n".join(pusher.told())


def test_wrong_settings_that_no_sound_ones_went_before_are_said(tmp_path: Path):
    """SY-02"""
    pusher = push.Push(held(tmp_path / "terms.json", wrong))
    pusher.send("process 7 ended with status 2", "")
    pusher.finish(PATIENCE)

    (told,) = pusher.told()
    assert told.startswith("nobody was told: the settings cannot be read (settings.toml: risk.typo")


def test_an_alert_is_tried_for_as_long_as_an_urgent_message_of_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """SY-02, SY-03: not five times; what may have arrived is marked."""
    phone = a_phone(monkeypatch, lambda n: DELIVERED if n == 12 else Delivery(DeliveryCode.TIMED_OUT))
    pusher = push.Push(held(tmp_path / "terms.json"))
    pusher.send("the engine STAYS DOWN", "paper")
    pusher.finish(PATIENCE)

    assert len(phone.heard) == 12
    assert [message.title.startswith("REPEAT") for message in phone.heard] == [False, *[True] * 11]
    assert not pusher.is_owed


def test_the_waits_and_the_end_of_an_alert_are_those_of_the_engine():
    """SY-03: one figure, two places."""
    from core.workflows.operator import notification_delivery

    assert push.FEW == notification_delivery.FEW
    assert push.AT_ONCE == notification_delivery.MOST_LINES
    left = push.Left(tries=3, first_at=push.utc_now())
    now = push.utc_now()
    most = timedelta(minutes=TERMS.give_up_minutes)
    assert push._again_at(left, DeliveryCode.NOT_SENT, now + most, most) is None
    assert push._again_at(left, DeliveryCode.NOT_SENT, now, most) is not None
    assert push._again_at(left, DeliveryCode.NO_CHANNEL, now, most) is None
    assert push._again_at(push.Left(tries=6, first_at=now), DeliveryCode.BAD_ADDRESS, now, most) is None


def test_an_alert_outlasts_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-02: the next one goes on with it, marked where it may have arrived, and two never carry the same."""
    monkeypatch.setattr(push, "FIRST_WAIT", timedelta(minutes=1))
    monkeypatch.setattr(push, "LONGEST_WAIT", timedelta(minutes=1))
    down = a_phone(monkeypatch, lambda _: Delivery(DeliveryCode.UNCLEAR))
    folder = tmp_path / "owed"
    first = push.Push(held(tmp_path / "terms.json"), OwedAlerts(folder))
    first.send("the engine STAYS DOWN", "paper")
    waited(lambda: len(down.heard) == 1)
    waited(lambda: bool(first.told()))
    assert list(OwedAlerts(folder).take_up()) == []
    first.finish(0)
    assert "the next one goes on with it" in first.told()[-1]
    (alert,) = first._lines["phone"].alerts
    assert alert.descriptor is not None
    os.close(alert.descriptor)  # as the kernel does where its process ends

    phone = a_phone(monkeypatch)
    second = push.Push(held(tmp_path / "terms.json"), OwedAlerts(folder))
    second.begin()
    waited(lambda: len(phone.heard) == 1)
    waited(lambda: not second.is_owed)

    assert phone.heard[0].title == "REPEAT Keyturn paper: watchdog"
    assert "the engine STAYS DOWN" in phone.heard[0].text
    assert list(folder.iterdir()) == []


def test_channels_that_take_one_alert_at_once_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-02"""
    names = [f"phone{number}" for number in range(8)]
    many = NotifySettings.model_validate(
        {"channels": {name: {} for name in names}, "rules": {"all": {"channels": names}}}
    )
    phone = a_phone(monkeypatch)
    pusher = push.Push(held(tmp_path / "terms.json", lambda: many), OwedAlerts(tmp_path / "owed"))
    for number in range(5):
        pusher.send(f"alert {number}", "paper")
    pusher.finish(PATIENCE)

    told = "\n".join(message.text for message in phone.heard)
    assert [told.count(f"alert {number}") for number in range(5)] == [8] * 5
    assert list((tmp_path / "owed").iterdir()) == []


def test_a_new_alert_waits_for_no_other_s_next_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """SY-03: and is not marked because another may have arrived."""
    monkeypatch.setattr(push, "FIRST_WAIT", timedelta(minutes=1))
    monkeypatch.setattr(push, "LONGEST_WAIT", timedelta(minutes=1))
    phone = a_phone(monkeypatch, lambda n: Delivery(DeliveryCode.TIMED_OUT) if n == 1 else DELIVERED)
    pusher = push.Push(held(tmp_path / "terms.json"))
    pusher.send("one", "paper")
    waited(lambda: len(phone.heard) == 1)
    pusher.send("two", "paper")
    waited(lambda: len(phone.heard) == 2)

    assert phone.heard[1].title == "Keyturn paper: watchdog"
    assert "one" not in phone.heard[1].text.split(": ")[-1]


def test_a_watchdog_over_an_engine_that_stays_down_goes_on_until_somebody_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """SY-02: not for the seconds that one waits which was asked to end."""
    watched = Watched(tmp_path, "exit:70", "die", limits=replace(QUICK, push_seconds=0.0))
    phone = a_phone(monkeypatch, lambda _: DELIVERED if watched.said("goes on until every channel") else NOT_SENT)
    watched.dog._push = push.Push(held(tmp_path / "terms.json"), OwedAlerts(tmp_path / "owed"))

    assert watched.dog.run() == GAVE_UP

    assert any("STAYS DOWN" in message.text for message in phone.heard)
    assert list((tmp_path / "owed").iterdir()) == []


def test_what_lies_there_and_is_no_alert_is_left_alone(tmp_path: Path):
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
