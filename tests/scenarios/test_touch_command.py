"""Security keys are enrolled and removed at a running engine, through its socket (OP-15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.client.ssh_agent import NO_KEY, SshAgent
from console.client.touch_keys import TouchKeyDesk
from console.commands.doctor import _security_key
from core.facts import TouchKeyEnrolled
from core.model.touch import ECDSA, PublicKey, TouchCode, TouchSignature
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from tests.kit.rows import each
from tests.kit.security_key import SecurityKey
from tests.kit.served import Served, served
from tests.kit.simulated_runtime import runtime
from tests.kit.timeline import timeline
from tests.kit.waiting import TIMEOUT, until
from tests.scenarios.backtests import Keyturn

__all__ = ["timeline"]

FIRST, SECOND = SecurityKey(), SecurityKey(2, ECDSA, label="safe")


class Plugged(SshAgent):
    """An agent with these keys, each touched at once."""

    def __init__(self, *keys: SecurityKey) -> None:
        super().__init__("")
        self.keys = keys

    def sign(self, keys: Sequence[PublicKey], message: bytes) -> TouchSignature:
        for key in self.keys:
            if key.public in keys:
                return key.touched(message)
        raise OperatorError(NO_KEY)


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime()


@pytest.fixture
def there(engine: VirtualRuntime) -> Iterator[Served]:
    begins = engine.pace.free_until
    assert begins is not None
    with served(engine) as found:
        until(lambda: engine.at >= begins)
        yield found


@contextmanager
def a_desk(there: Served, say: Callable[[str], None], *keys: SecurityKey) -> Iterator[TouchKeyDesk]:
    handle = there.a_desk()
    desk = TouchKeyDesk(handle, say, lambda: Plugged(*keys))
    handle.start()
    try:
        yield desk
    finally:
        handle.leave("done", on_purpose=True)
        handle.close("done", TIMEOUT)


@pytest.mark.usefixtures("timeline")
def test_keys_are_enrolled_and_removed_through_the_socket(there: Served, engine: VirtualRuntime) -> None:
    """OP-15"""
    told: list[str] = []
    with a_desk(there, told.append, FIRST, SECOND) as desk:
        desk.enroll(FIRST.public, FIRST.line, "desk")
        desk.enroll(SECOND.public, SECOND.line, "safe")
        assert [key.label for key in desk.enrolled()] == ["desk", "safe"]
        assert told == ["touch the new key, desk", "touch the new key, safe", "touch an enrolled key: desk"]
        assert desk.remove("safe").fingerprint == SECOND.public.fingerprint
        assert [key.label for key in desk.enrolled()] == ["desk"]

    records = engine.engine.state.journal.records()
    enrolled = [record.fact for record in records if isinstance(record.fact, TouchKeyEnrolled)]
    assert [bool(fact.user) for fact in enrolled] == [True, True]


@pytest.mark.usefixtures("timeline")
def test_a_refused_key_is_told_with_its_reason(there: Served) -> None:
    """OP-15: another desk's second key needs the first"""
    with a_desk(there, lambda _text: None, FIRST) as desk:
        desk.enroll(FIRST.public, FIRST.line, "desk")
        with pytest.raises(OperatorError) as raised:
            desk.enroll(FIRST.public, FIRST.line, "again")
        assert TouchCode.ENROLLED.in_words in str(raised.value)
        with pytest.raises(OperatorError):
            desk.remove("other")
    with a_desk(there, lambda _text: None, SECOND) as desk:
        with pytest.raises(OperatorError) as raised:
            desk.enroll(SECOND.public, SECOND.line, "safe")
        assert str(raised.value) == NO_KEY
        assert [key.label for key in desk.enrolled()] == ["desk"]


def test_a_file_of_no_security_key_is_named(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-15: before any engine is asked"""
    soft, key = tmp_path / "soft.pub", tmp_path / "key.pub"
    soft.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA me\n")
    key.write_text(f"{FIRST.line}\n")

    assert "ssh-keygen" in keyturn("touch", "enroll", str(soft)).err
    assert ".pub" in keyturn("touch", "enroll", str(tmp_path / "none.pub")).err
    for command in (("enroll", str(key)), ("list",), ("remove", "desk")):
        assert "engine start" in keyturn("touch", *command).err


@each("touch above is_recommended", [("never", "0", True), ("live", "0", False), ("always", "500", False)])
def test_doctor_recommends_a_touch_on_a_live_account(touch: str, above: str, is_recommended: bool) -> None:
    """OP-15"""
    found = _security_key(Settings.model_validate({"confirm": {"touch": touch, "touch_above_usd": above}}))

    assert found.ok
    assert bool(found.remedy) is is_recommended
